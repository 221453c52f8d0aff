"""The native engine: the C core behind `provider.py`. What it does with records is in `native_records`.

These two modules are the only ones that touch `_core`. A call across the border costs about 0.2 µs, more than sealing a
small record does, so calls are few and fat, and what they write into is made once. Secrets stay in C contexts, wiped
when Python lets go of them.
"""

from __future__ import annotations

from lighttls._typing import Any, Final
from lighttls.crypto import _shared, _signatures
from lighttls.crypto._core import ffi, lib
from lighttls.crypto.native_records import NativeRecordOpener, NativeRecordSealer, checked, misused, room
from lighttls.crypto.provider import Entropy
from lighttls.crypto.suites import AES_CCM, AES_GCM, CHACHA20_POLY1305, SUITES, Suite
from lighttls.iana import NamedGroup

_HASHES: Final = {"sha256": lib.LT_SHA256, "sha384": lib.LT_SHA384, "sha512": lib.LT_SHA512}
_AEADS: Final = {  # by name, key and tag length
    (AES_GCM, 16, 16): lib.LT_AES_128_GCM,
    (AES_GCM, 32, 16): lib.LT_AES_256_GCM,
    (CHACHA20_POLY1305, 32, 16): lib.LT_CHACHA20_POLY1305,
    (AES_CCM, 16, 16): lib.LT_AES_128_CCM,
    (AES_CCM, 32, 16): lib.LT_AES_256_CCM,
    (AES_CCM, 16, 8): lib.LT_AES_128_CCM_8,
    (AES_CCM, 32, 8): lib.LT_AES_256_CCM_8,
}

_BYTES: Final = ffi.typeof("uint8_t[]")
_DIGEST: Final = ffi.typeof("uint8_t[64]")
_SIGNATURE: Final = ffi.typeof(f"uint8_t[{lib.LT_SIGNATURE_MAX}]")
_VERIFY_DATA: Final = ffi.typeof(f"uint8_t[{lib.LT_VERIFY_DATA_LEN}]")
_PUBLIC_MAX: Final = 97  # bytes: P-384
_PUBLIC: Final = ffi.typeof(f"uint8_t[{_PUBLIC_MAX}]")
_SCALAR: Final = ffi.typeof("uint8_t[48]")
_ZEROS: Final = bytes(48)
_CUT: Final = ffi.typeof(f"int64_t[{lib.LT_CUT_NUMBERS}]")
_CUT_HEAD: Final = int(lib.LT_CUT_HEAD)
_FACTS: Final = 14  # where these stand in the row
_PREMASTER: Final = ffi.typeof("lt_premaster *")
_RUNNING_HASH: Final = ffi.typeof("lt_running_hash *")
_SCHEDULE: Final = ffi.typeof("lt_key_schedule *")
_RECORD_KEYS: Final = ffi.typeof("lt_record_keys *")
_PUBLIC_KEY: Final = ffi.typeof("lt_public_key *")
_new = ffi.new
_buffer = ffi.buffer
_when_dropped = ffi.gc
_SECP384R1: Final = int(NamedGroup.SECP384R1)
_from_buffer = ffi.from_buffer
_agree = lib.lt_key_agree
_verify = lib.lt_verify_vartime
_verify_prepared = lib.lt_public_key_verify_vartime
_hash = lib.lt_hash
_hash_on = lib.lt_hash_on
_derive = lib.lt_key_schedule_derive
_finish = lib.lt_key_schedule_finish
_check_finished = lib.lt_key_schedule_check_finished
_wipe_premaster = lib.lt_premaster_wipe
_wipe_schedule = lib.lt_key_schedule_wipe
_wipe_keys = lib.lt_record_keys_wipe

_cut = lib.lt_certificate_cut_vartime
_unpack = ffi.unpack

_digest_work: list[tuple[Any, Any]] = []
_cut_work: list[Any] = []
_agree_work: list[tuple[Any, Any, Any, Any]] = []


def _context(pointer: Any, wipe: Any) -> Any:
    """A C context that is wiped when the last reference goes."""
    return _when_dropped(_new(pointer), wipe)


class NativePremaster:
    """A premaster secret in C."""

    __slots__ = ("context",)

    def __init__(self) -> None:
        self.context = _when_dropped(_new(_PREMASTER), _wipe_premaster)

    @classmethod
    def taking(cls, secret: bytearray) -> NativePremaster:
        """Move a secret in; `secret` is wiped."""
        premaster = cls()
        with _from_buffer(_BYTES, secret, require_writable=True) as view:
            checked(lib.lt_premaster_set(premaster.context, view, len(secret)))
        return premaster

    def mix(self, key: bytes | bytearray, *, with_ecdh: bool) -> None:
        """Put a pre-shared key into the secret, or make one of the key alone."""
        put = lib.lt_premaster_add_psk if with_ecdh else lib.lt_premaster_set_psk
        with _from_buffer(_BYTES, key) as view:
            checked(put(self.context, view, len(key)))

    def wipe(self) -> None:
        lib.lt_premaster_wipe(self.context)


_SPENT: Final = _new(_PREMASTER)
"""Holds no secret, and none is ever put there: whoever derives from it is refused."""


class NativeSigningKey:
    """Fulfils `SigningKey`."""

    __slots__ = ("_context",)

    def __init__(self, scalar: bytearray) -> None:
        self._context = _context("lt_signing_key *", lib.lt_signing_key_wipe)
        with _from_buffer(_BYTES, scalar, require_writable=True) as view:
            checked(lib.lt_signing_key_set(self._context, view, len(scalar)))

    def sign(self, digest: bytes, random: bytes | bytearray) -> bytes:
        out = ffi.new(_SIGNATURE)
        extra = bytes(random)
        length = lib.lt_signing_key_sign(self._context, out, len(out), digest, len(digest), extra, len(extra))
        signature: bytes = ffi.buffer(out)[: checked(length)]
        return signature


class NativeRunningDigest:
    """Fulfils `RunningDigest`."""

    __slots__ = ("_algorithm", "_context", "_digest")

    def __init__(self, algorithm: str) -> None:
        self._algorithm = _HASHES[algorithm]
        self._context = _new(_RUNNING_HASH)
        self._digest = _buffer(self._context)  # where it begins

    def on(self, data: bytes) -> bytes:
        digest: bytes = self._digest[: checked(_hash_on(self._context, self._algorithm, data, len(data)))]
        return digest


class NativeKeySchedule:
    """Fulfils `KeySchedule`."""

    __slots__ = ("_context",)

    def __init__(self, context: Any) -> None:
        self._context = context

    def finished(self, transcript_hash: bytes) -> bytes:
        out = _new(_VERIFY_DATA)
        checked(lib.lt_key_schedule_finished(self._context, out, 0, transcript_hash, len(transcript_hash)))
        verify_data: bytes = _buffer(out)[:]
        return verify_data

    def check_finished(self, transcript_hash: bytes, verify_data: bytes) -> None:
        status = _check_finished(self._context, transcript_hash, len(transcript_hash), verify_data, len(verify_data))
        if status < 0:
            raise _shared.wrong_finished() if status == lib.LT_ERR_AUTH else misused(status)

    def record_keys(self) -> tuple[NativeRecordSealer, NativeRecordOpener]:
        client_write = _when_dropped(_new(_RECORD_KEYS), _wipe_keys)
        server_write = _when_dropped(_new(_RECORD_KEYS), _wipe_keys)
        checked(lib.lt_key_schedule_record_keys(self._context, client_write, server_write))
        return NativeRecordSealer(client_write), NativeRecordOpener(server_write)

    def finish(self, transcript_hash: bytes) -> tuple[bytes, NativeRecordSealer, NativeRecordOpener]:
        client_write = _when_dropped(_new(_RECORD_KEYS), _wipe_keys)
        server_write = _when_dropped(_new(_RECORD_KEYS), _wipe_keys)
        out = _new(_VERIFY_DATA)
        checked(_finish(self._context, out, client_write, server_write, transcript_hash, len(transcript_hash)))
        return _buffer(out)[:], NativeRecordSealer(client_write), NativeRecordOpener(server_write)

    def export(self, label: bytes, context: bytes | None, length: int) -> bytes:
        field = _shared.exporter_context(context)
        out = ffi.new(_BYTES, length)
        checked(lib.lt_key_schedule_export(self._context, out, length, label, len(label), field, len(field)))
        return _taken(out)

    def master_secret(self) -> bytes:
        out = ffi.new(_BYTES, _shared.MASTER_LENGTH)
        checked(lib.lt_key_schedule_master_secret(self._context, out))
        return _taken(out)

    def wipe(self) -> None:
        lib.lt_key_schedule_wipe(self._context)


def _taken(out: Any) -> bytes:
    """The bytes of a C array, which is wiped."""
    data: bytes = ffi.buffer(out)[:]
    lib.lt_wipe(out, len(out))
    return data


_NUMBERS: Final = {
    int(code): (_AEADS[suite.aead, suite.key_length, suite.tag_length], _HASHES[suite.prf_hash])
    for code, suite in SUITES.items()
}
"""AEAD and PRF hash of each suite as lighttls.h numbers them."""


_P256_SPKI: Final = 91  # bytes
_SIGHTS: Final = 4  # of a public key until it is prepared, which takes about as long as they did
_MOST_COUNTED: Final = 64
_MOST_PREPARED: Final = 8  # of 16 KiB each
_NEVER: Final = -(1 << 60)  # sights of a key that cannot be prepared


class _PublicKeys:
    """The public keys on P-256 that return (of anchors, authorities, servers, our own), prepared for verification.

    Only such as a signature verified under are counted. Who comes last displaces who came first.
    """

    __slots__ = ("_sights", "prepared")

    def __init__(self) -> None:
        self.prepared: dict[bytes, Any] = {}  # SPKI -> lt_public_key
        self._sights: dict[bytes, int] = {}

    def saw(self, spki: bytes) -> None:
        """Count a key that is not prepared."""
        sights = self._sights.get(spki, 0) + 1
        if sights == _SIGHTS:
            key = _new(_PUBLIC_KEY)
            if lib.lt_public_key_set_vartime(key, spki, len(spki)) >= 0:
                self._sights.pop(spki, None)
                self.prepared[spki] = key
                _keep_last(self.prepared, _MOST_PREPARED)
                return
            sights = _NEVER
        self._sights[spki] = sights
        _keep_last(self._sights, _MOST_COUNTED)


def _keep_last(entries: dict[bytes, Any], count: int) -> None:
    """Drop what came first; another thread may be doing it, too."""
    if len(entries) > count:
        for spki in list(entries)[:-count]:
            entries.pop(spki, None)


class NativeProvider:
    """Fulfils `CryptoProvider`."""

    __slots__ = ("_prepared", "_public_keys")

    name = "native"
    groups = frozenset({int(NamedGroup.X25519), int(NamedGroup.SECP256R1), int(NamedGroup.SECP384R1)})
    signature_schemes = _signatures.SIGNATURE_SCHEMES

    def __init__(self) -> None:
        self._public_keys = _PublicKeys()
        self._prepared = self._public_keys.prepared.get

    def digest(self, algorithm: str, data: bytes | bytearray | memoryview) -> bytes:
        if algorithm == "sha1":  # legacy signatures only, so the C core offers none by itself
            import hashlib

            return hashlib.sha1(data, usedforsecurity=False).digest()
        try:
            work = _digest_work.pop()
        except IndexError:
            work = room(_DIGEST)
        if type(data) is bytes:
            length = _hash(work[0], _HASHES[algorithm], data, len(data))
        else:
            with _from_buffer(_BYTES, data) as view:
                length = _hash(work[0], _HASHES[algorithm], view, len(view))
        digest: bytes = work[1][: checked(length)]
        _digest_work.append(work)
        return digest

    def running_digest(self, algorithm: str) -> NativeRunningDigest:
        return NativeRunningDigest(algorithm)

    def key_agreement(self, group: int, entropy: Entropy, peer_public: bytes) -> tuple[bytes, NativePremaster]:
        if group not in self.groups:
            raise _shared.unknown_group(self.name, group)
        premaster = NativePremaster()
        try:
            work = _agree_work.pop()
        except IndexError:
            work = *room(_PUBLIC), *room(_SCALAR)
        out, public, scalar, drawn = work
        size = 48 if group == _SECP384R1 else 32
        for _ in range(_shared.SCALAR_DRAWS):
            random = entropy(size)
            if type(random) is not bytearray or len(random) != size:
                random = _shared.drawn(random, size)
            drawn[:size] = random
            random[:] = _ZEROS[:size]
            length = _agree(out, _PUBLIC_MAX, premaster.context, group, scalar, size, peer_public, len(peer_public))
            if length >= 0:
                ours: bytes = public[:length]
                _agree_work.append(work)
                return ours, premaster
            if length == lib.LT_ERR_POINT:
                raise _shared.unacceptable_point(group)
            if length != lib.LT_ERR_SCALAR:
                raise misused(length)
        raise _shared.no_private_key(group)

    def premaster(self, secret: bytearray) -> NativePremaster:
        return NativePremaster.taking(secret)

    def psk_premaster(self, key: bytes | bytearray, shared: Any) -> NativePremaster:
        premaster = NativePremaster() if shared is None else shared
        if not isinstance(premaster, NativePremaster):
            raise _shared.foreign_premaster()
        premaster.mix(key, with_ecdh=shared is not None)
        return premaster

    def key_schedule(
        self, suite: Suite, premaster: Any, client_random: bytes, server_random: bytes, session_hash: bytes | None
    ) -> NativeKeySchedule:
        if not isinstance(premaster, NativePremaster):
            raise _shared.foreign_premaster()
        _shared.check_lengths(client_random, server_random)
        context = _when_dropped(_new(_SCHEDULE), _wipe_schedule)
        aead, prf = _NUMBERS[suite.code]
        seed = session_hash or b""
        checked(_derive(context, aead, prf, premaster.context, client_random, server_random, seed, len(seed)))
        premaster.context = _SPENT  # which was wiped, and need not be kept
        return NativeKeySchedule(context)

    def resume(
        self, suite: Suite, master_secret: bytes, client_random: bytes, server_random: bytes
    ) -> NativeKeySchedule:
        _shared.check_lengths(client_random, server_random, master_secret)
        context = _context(_SCHEDULE, _wipe_schedule)
        checked(lib.lt_key_schedule_resume(context, *_NUMBERS[suite.code], master_secret, client_random, server_random))
        return NativeKeySchedule(context)

    def signing_key(self, scalar: bytearray) -> NativeSigningKey:
        return NativeSigningKey(scalar)

    def at_rest(self, key: bytes, salt: bytes) -> tuple[NativeRecordSealer, NativeRecordOpener]:
        schedule = self.resume(_shared.SUITE_AT_REST, _shared.secret_at_rest(key), salt, bytes(_shared.RANDOM_LENGTH))
        sealer, same_keys = schedule.record_keys()[0], schedule.record_keys()[0]
        schedule.wipe()
        return sealer, NativeRecordOpener(same_keys._keys)

    def cut_certificate(self, data: bytes) -> list[int] | None:
        try:
            cut = _cut_work.pop()
        except IndexError:
            cut = _new(_CUT)
        count = _cut(cut, data, len(data))
        numbers: list[int] | None = None
        if count >= 0:
            numbers = _unpack(cut, _CUT_HEAD if cut[_FACTS] else count)
        _cut_work.append(cut)
        return numbers

    def verify(self, scheme: int, spki: bytes, signature: bytes, message: bytes | bytearray | memoryview) -> None:
        if type(message) is not bytes:
            message = bytes(message)
        on_p256 = len(spki) == _P256_SPKI
        if on_p256 and (prepared := self._prepared(spki)) is not None:
            status = _verify_prepared(prepared, scheme, signature, len(signature), message, len(message))
        else:
            status = _verify(scheme, spki, len(spki), signature, len(signature), message, len(message))
            if on_p256 and status >= 0:
                self._public_keys.saw(spki)
        if status >= 0:
            return
        if status == lib.LT_ERR_UNSUPPORTED:
            _signatures.verify(scheme, spki, signature, message)
        elif status == lib.LT_ERR_AUTH:
            raise _shared.wrong_signature(scheme)
        elif status == lib.LT_ERR_KEY:
            raise _shared.no_public_key()
        else:
            raise misused(status)
