"""The native engine: the C core behind `provider.py`.

The only module that touches `_core`. A call across the border costs about 0.2 µs, more than
sealing a small record does, so calls are few and fat, and what they write into is made once.
Small messages have a buffer with their keys. Larger work buffers wait on a free list, are popped for
one call and come back after it, so that two threads never share one (cffi releases the GIL).
`ffi.buffer(...)[:n]`, made once per buffer, is the cheapest way from C memory to `bytes`.

Secrets stay in C contexts, wiped when Python lets go of them. What records carry is not wiped: a
work buffer keeps up to 64 KiB of the plaintext last opened for as long as the process lives, and each of two
small ones 256 bytes of it for as long as the connection has its keys.
"""

from __future__ import annotations

from lighttls._typing import Any, Final
from lighttls.crypto import _shared, _signatures
from lighttls.crypto._core import ffi, lib
from lighttls.crypto.provider import Entropy
from lighttls.crypto.suites import AES_CCM, AES_GCM, CHACHA20_POLY1305, Suite
from lighttls.errors import InternalError
from lighttls.iana import ContentType, NamedGroup

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

_APPLICATION_DATA: Final = int(ContentType.APPLICATION_DATA)
_OPENED_DATA: Final = int(lib.LT_OPENED_DATA)
_SEALED_DATA: Final = int(lib.LT_SEALED_DATA)
_SMALL: Final = 256  # bytes of the buffer for small messages, one for each direction
_SMALL_DATA: Final = _SMALL - int(lib.LT_RECORD_EXPANSION)

_BYTES: Final = ffi.typeof("uint8_t[]")
_DIGEST: Final = ffi.typeof("uint8_t[64]")
_SIGNATURE: Final = ffi.typeof(f"uint8_t[{lib.LT_SIGNATURE_MAX}]")
_PUBLIC: Final = ffi.typeof("uint8_t[97]")
_SMALL_ROOM: Final = ffi.typeof(f"uint8_t[{_SMALL}]")
_SEALED_ROOM: Final = ffi.typeof(f"uint8_t[{_SEALED_DATA}]")
_CUT: Final = ffi.typeof(f"int64_t[{lib.LT_CUT_NUMBERS}]")
_PREMASTER: Final = ffi.typeof("lt_premaster *")
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
_finished = lib.lt_key_schedule_finished
_seal = lib.lt_records_seal
_seal_data = lib.lt_records_seal_data
_open = lib.lt_records_open
_open_data = lib.lt_records_open_data

_digest_work: list[tuple[Any, Any]] = []
_seal_work: list[tuple[Any, Any]] = []
_open_work: list[tuple[Any, Any, Any, Any]] = []


def _make_seal_work() -> tuple[Any, Any]:
    """Room for what is sealed, and the same as a buffer to slice."""
    return _room(_SEALED_ROOM)


def _room(array: Any) -> tuple[Any, Any]:
    out = _new(array)
    return out, _buffer(out)


def _make_open_work() -> tuple[Any, Any, Any, Any]:
    """An lt_opened, its data as a buffer to slice and as an array, and its numbers: consumed, count, spans."""
    opened = ffi.new("lt_opened *")
    numbers = memoryview(ffi.buffer(opened))[: ffi.offsetof("lt_opened", "data")].cast("I")
    return opened, ffi.buffer(opened.data), opened.data, numbers


def _checked(status: int) -> int:
    if status < 0:
        raise _misused(status)
    return status


def _misused(status: int) -> InternalError:
    return InternalError(f"the C core refused its arguments: status {status}")


def _context(pointer: Any, wipe: Any) -> Any:
    """A C context that is wiped when the last reference goes."""
    return _when_dropped(_new(pointer), wipe)


class NativePremaster:
    """A premaster secret in C."""

    __slots__ = ("context",)

    def __init__(self) -> None:
        self.context = _context(_PREMASTER, lib.lt_premaster_wipe)

    @classmethod
    def taking(cls, secret: bytearray) -> NativePremaster:
        """Move a secret in; `secret` is wiped."""
        premaster = cls()
        with _from_buffer(_BYTES, secret, require_writable=True) as view:
            _checked(lib.lt_premaster_set(premaster.context, view, len(secret)))
        return premaster

    def mix(self, key: bytes | bytearray, *, with_ecdh: bool) -> None:
        """Put a pre-shared key into the secret, or make one of the key alone."""
        put = lib.lt_premaster_add_psk if with_ecdh else lib.lt_premaster_set_psk
        with _from_buffer(_BYTES, key) as view:
            _checked(put(self.context, view, len(key)))

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
            _checked(lib.lt_signing_key_set(self._context, view, len(scalar)))

    def sign(self, digest: bytes, random: bytes | bytearray) -> bytes:
        out = ffi.new(_SIGNATURE)
        extra = bytes(random)
        length = lib.lt_signing_key_sign(self._context, out, len(out), digest, len(digest), extra, len(extra))
        signature: bytes = ffi.buffer(out)[: _checked(length)]
        return signature


class NativeRecordSealer:
    """Fulfils `RecordSealer`."""

    __slots__ = ("_keys", "_long_bytes", "_out", "_sealed")

    def __init__(self, keys: Any) -> None:
        self._keys = keys
        self._out, self._sealed = _room(_SMALL_ROOM)
        self._long_bytes = 0  # of seal_data, when the short way was too short

    @property
    def short_bytes(self) -> int:
        return int(lib.lt_record_keys_short_bytes(self._keys)) + self._long_bytes

    def seal_data(self, data: bytes | memoryview) -> bytes:
        if type(data) is not bytes:
            return self._seal_data_long(data)
        size = len(data)
        if size <= _SMALL_DATA:
            length = _seal_data(self._keys, self._out, _SMALL, data, size)
            if length < 0:
                raise _not_sealed(length)
            record: bytes = self._sealed[:length]
            return record
        try:
            work = _seal_work.pop()
        except IndexError:
            work = _make_seal_work()
        length = _seal_data(self._keys, work[0], _SEALED_DATA, data, size)
        if length >= 0:
            sealed: bytes = work[1][:length]
            _seal_work.append(work)
            return sealed
        _seal_work.append(work)
        if length == lib.LT_ERR_SPACE:
            return self._seal_data_long(data)
        raise _not_sealed(length)

    def _seal_data_long(self, data: bytes | memoryview) -> bytes:
        sealed = self.seal(_APPLICATION_DATA, data, lib.LT_RECORD_MAX)
        self._long_bytes += len(sealed)
        return sealed

    def seal(self, content_type: int, data: bytes | bytearray | memoryview, limit: int) -> bytes:
        """Seal piece by piece what is too long for a work buffer: fresh memory of that size costs more than the cipher.

        Each piece keeps back the records of those behind it, so that the first one fails if the budget is short, and
        one that `close` may still need.
        """
        _shared.check_limit(limit)
        if type(data) is bytes and len(data) <= limit:
            return self._seal_part(content_type, data, len(data), limit, 1)
        step = _SEALED_DATA // (limit + lib.LT_RECORD_EXPANSION) * limit
        parts: list[bytes] = []
        with _from_buffer(_BYTES, data) as view:
            for at in range(0, len(view), step) or (0,):
                size = min(step, len(view) - at)
                records_behind = -(-(len(view) - at - size) // limit)
                parts.append(self._seal_part(content_type, view + at, size, limit, 1 + records_behind))
        return b"".join(parts)

    def close(self, content_type: int, data: bytes) -> bytes:
        return self._seal_part(content_type, data, len(data), lib.LT_RECORD_MAX, 0)

    def _seal_part(self, content_type: int, data: Any, size: int, limit: int, reserve: int) -> bytes:
        try:
            work = _seal_work.pop()
        except IndexError:
            work = _make_seal_work()
        out, buffer = work
        length = _seal(self._keys, out, _SEALED_DATA, content_type, data, size, limit, reserve)
        sealed: bytes = buffer[: max(length, 0)]
        _seal_work.append(work)
        if length < 0:
            raise _not_sealed(length)
        return sealed


def _not_sealed(status: int) -> Exception:
    if status == lib.LT_ERR_BUSY:
        return _shared.keys_in_use()
    return _shared.worn_out_key() if status == lib.LT_ERR_SEQUENCE else _misused(status)


class NativeRecordOpener:
    """Fulfils `RecordOpener`."""

    __slots__ = ("_keys", "_opened", "_out")

    def __init__(self, keys: Any) -> None:
        self._keys = keys
        self._out, self._opened = _room(_SMALL_ROOM)

    @property
    def short_bytes(self) -> int:
        return int(lib.lt_record_keys_short_bytes(self._keys))

    def open_data(self, data: bytes) -> bytes | None:
        size = len(data)
        if size <= _SMALL:
            length = _open_data(self._keys, self._out, _SMALL, data, size)
            if length > 0:
                plaintext: bytes = self._opened[:length]
                return plaintext
        else:
            try:
                work = _open_work.pop()
            except IndexError:
                work = _make_open_work()
            length = _open_data(self._keys, work[2], _OPENED_DATA, data, size)
            if length > 0:
                plaintext = work[1][:length]
                _open_work.append(work)
                return plaintext
            _open_work.append(work)
        if length < 0:
            raise _refused(length, data, lib.LT_RECORD_MAX)
        return None

    def open_into(self, data: bytes | memoryview, out: memoryview) -> tuple[int, int]:
        consumed = ffi.new("size_t *")
        with _from_buffer(_BYTES, data) as view, _from_buffer(_BYTES, out, require_writable=True) as target:
            written = lib.lt_records_open_into(self._keys, target, len(target), consumed, view, len(view))
        if written == lib.LT_ERR_BUSY:
            raise _shared.keys_in_use()
        return _checked(written), consumed[0]

    def open(self, data: bytes | bytearray | memoryview, limit: int) -> tuple[list[tuple[int, bytes]], int]:
        try:
            work = _open_work.pop()
        except IndexError:
            work = _make_open_work()
        if type(data) is bytes:
            result = _open(self._keys, work[0], data, len(data), limit)
        else:
            with _from_buffer(_BYTES, data) as view:
                result = _open(self._keys, work[0], view, len(view), limit)
        if result < 0:
            _open_work.append(work)
            raise _refused(result, data, limit)
        _, contents, _, numbers = work
        records: list[tuple[int, bytes]] = []
        for at in range(2, 2 + 3 * result, 3):
            start = numbers[at + 1]
            records.append((numbers[at], contents[start : start + numbers[at + 2]]))
        consumed: int = numbers[0]
        _open_work.append(work)
        return records, consumed


def _refused(status: int, data: Any, limit: int) -> Exception:
    """The error for the record at the start of `data`."""
    if status == lib.LT_ERR_BUSY:
        return _shared.keys_in_use()
    if status == lib.LT_ERR_AUTH:
        return _shared.bad_record()
    if status == lib.LT_ERR_ARGUMENT and 0 < limit <= lib.LT_RECORD_MAX:  # REC-01
        return _shared.unknown_type(data[0])
    if status == lib.LT_ERR_VERSION:
        return _shared.wrong_version(data[1] << 8 | data[2])
    if status == lib.LT_ERR_OVERFLOW:
        return _shared.long_record(data[3] << 8 | data[4], limit)
    return _misused(status)


class NativeKeySchedule:
    """Fulfils `KeySchedule`."""

    __slots__ = ("_context",)

    def __init__(self, context: Any) -> None:
        self._context = context

    def finished(self, server: bool, transcript_hash: bytes) -> bytes:
        try:
            work = _digest_work.pop()
        except IndexError:
            work = _room(_DIGEST)
        status = _finished(self._context, work[0], server, transcript_hash, len(transcript_hash))
        verify_data: bytes = work[1][:12]
        _digest_work.append(work)
        _checked(status)
        return verify_data

    def record_keys(self) -> tuple[NativeRecordSealer, NativeRecordOpener]:
        client_write = _context(_RECORD_KEYS, lib.lt_record_keys_wipe)
        server_write = _context(_RECORD_KEYS, lib.lt_record_keys_wipe)
        _checked(lib.lt_key_schedule_record_keys(self._context, client_write, server_write))
        return NativeRecordSealer(client_write), NativeRecordOpener(server_write)

    def export(self, label: bytes, context: bytes | None, length: int) -> bytes:
        field = _shared.exporter_context(context)
        out = ffi.new(_BYTES, length)
        _checked(lib.lt_key_schedule_export(self._context, out, length, label, len(label), field, len(field)))
        return _taken(out)

    def master_secret(self) -> bytes:
        out = ffi.new(_BYTES, _shared.MASTER_LENGTH)
        _checked(lib.lt_key_schedule_master_secret(self._context, out))
        return _taken(out)

    def wipe(self) -> None:
        lib.lt_key_schedule_wipe(self._context)


def _taken(out: Any) -> bytes:
    """The bytes of a C array, which is wiped."""
    data: bytes = ffi.buffer(out)[:]
    lib.lt_wipe(out, len(out))
    return data


def _numbers(suite: Suite) -> tuple[int, int]:
    """AEAD and PRF hash of a suite as lighttls.h numbers them."""
    return _AEADS[suite.aead, suite.key_length, suite.tag_length], _HASHES[suite.prf_hash]


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
            work = _room(_DIGEST)
        if type(data) is bytes:
            length = _hash(work[0], _HASHES[algorithm], data, len(data))
        else:
            with _from_buffer(_BYTES, data) as view:
                length = _hash(work[0], _HASHES[algorithm], view, len(view))
        digest: bytes = work[1][: _checked(length)]
        _digest_work.append(work)
        return digest

    def equal(self, left: bytes, right: bytes) -> bool:
        return len(left) == len(right) and lib.lt_equal(left, right, len(left)) == 1

    def key_agreement(self, group: int, entropy: Entropy, peer_public: bytes) -> tuple[bytes, NativePremaster]:
        if group not in self.groups:
            raise _shared.unknown_group(self.name, group)
        premaster = NativePremaster()
        public = _new(_PUBLIC)
        size = 48 if group == _SECP384R1 else 32
        for _ in range(_shared.SCALAR_DRAWS):
            random = _shared.draw(entropy, size)
            with _from_buffer(_BYTES, random, require_writable=True) as view:
                length = _agree(
                    public, len(public), premaster.context, group, view, size, peer_public, len(peer_public)
                )
            if length >= 0:
                return _buffer(public, length)[:], premaster
            if length == lib.LT_ERR_POINT:
                raise _shared.unacceptable_point(group)
            if length != lib.LT_ERR_SCALAR:
                raise _misused(length)
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
        context = _context(_SCHEDULE, lib.lt_key_schedule_wipe)
        aead, prf = _numbers(suite)
        session_hash = session_hash or b""
        _checked(
            lib.lt_key_schedule_derive(
                context, aead, prf, premaster.context, client_random, server_random, session_hash, len(session_hash)
            )
        )
        premaster.context = _SPENT  # which was wiped, and need not be kept
        return NativeKeySchedule(context)

    def resume(
        self, suite: Suite, master_secret: bytes, client_random: bytes, server_random: bytes
    ) -> NativeKeySchedule:
        _shared.check_lengths(client_random, server_random, master_secret)
        context = _context(_SCHEDULE, lib.lt_key_schedule_wipe)
        _checked(lib.lt_key_schedule_resume(context, *_numbers(suite), master_secret, client_random, server_random))
        return NativeKeySchedule(context)

    def signing_key(self, scalar: bytearray) -> NativeSigningKey:
        return NativeSigningKey(scalar)

    def at_rest(self, key: bytes, salt: bytes) -> tuple[NativeRecordSealer, NativeRecordOpener]:
        schedule = self.resume(_shared.SUITE_AT_REST, _shared.secret_at_rest(key), salt, bytes(_shared.RANDOM_LENGTH))
        sealer, same_keys = schedule.record_keys()[0], schedule.record_keys()[0]
        schedule.wipe()
        return sealer, NativeRecordOpener(same_keys._keys)

    def cut_certificate(self, data: bytes) -> list[int] | None:
        cut = _new(_CUT)
        count = lib.lt_certificate_cut_vartime(cut, data, len(data))
        return None if count < 0 else ffi.unpack(cut, count)

    def verify(self, scheme: int, spki: bytes, signature: bytes, message: bytes | bytearray | memoryview) -> None:
        if type(message) is not bytes:
            message = bytes(message)
        prepared = self._prepared(spki)
        if prepared is not None:
            status = _verify_prepared(prepared, scheme, signature, len(signature), message, len(message))
        else:
            status = _verify(scheme, spki, len(spki), signature, len(signature), message, len(message))
            if status >= 0 and len(spki) == _P256_SPKI:
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
            raise _misused(status)
