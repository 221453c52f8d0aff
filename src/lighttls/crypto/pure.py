"""The pure engine: TLS 1.2's cryptography on hashlib and `cryptography`.

This is the executable specification of `provider.py`: plain, slow, and checked against the native
engine by tests/differential. Python integers and bytes are neither constant-time nor wiped for
certain; what can be wiped is. Use the native engine where others can measure this one.
"""

from __future__ import annotations

import hashlib
import hmac
from _thread import allocate_lock

from lighttls._typing import Any, Final
from lighttls.crypto import _ecdh, _shared, _signatures
from lighttls.crypto.provider import Entropy
from lighttls.crypto.suites import AES_CCM, AES_GCM, Suite
from lighttls.errors import InternalError, ProtocolError
from lighttls.iana import TLS12, ContentType, NamedGroup

_HEADER: Final = 5  # type, version, length (RFC 5246 §6.2.1)


def prf(algorithm: str, secret: bytes | bytearray, label: bytes, seed: bytes, length: int) -> bytes:
    """The PRF of TLS 1.2 (RFC 5246 §5)."""
    seed = label + seed
    a = seed
    out = b""
    while len(out) < length:
        a = hmac.digest(secret, a, algorithm)
        out += hmac.digest(secret, a + seed, algorithm)
    return out[:length]


def aead(suite: Suite, key: bytes) -> Any:
    """The suite's AEAD under `key`: an object with `encrypt` and `decrypt` (nonce, data, additional data)."""
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

    if suite.aead == AES_CCM:
        return AESCCM(key, suite.tag_length)
    return AESGCM(key) if suite.aead == AES_GCM else ChaCha20Poly1305(key)


class PurePremaster:
    """A premaster secret."""

    __slots__ = ("secret",)

    def __init__(self, secret: bytearray) -> None:
        self.secret = secret

    def wipe(self) -> None:
        self.secret[:] = bytes(len(self.secret))
        self.secret = bytearray()


class _Keys:
    """One direction: key, fixed part of the nonce, sequence number (RFC 5246 §6.2.3.3)."""

    __slots__ = ("_aead", "_fixed_iv", "sequence", "suite")

    def __init__(self, suite: Suite, key: bytes, fixed_iv: bytes) -> None:
        self.suite = suite
        self.sequence = 0
        self._aead = aead(suite, key)
        self._fixed_iv = fixed_iv

    def _nonce(self, explicit: bytes) -> bytes:
        if explicit:
            return self._fixed_iv + explicit  # RFC 5288 §3, RFC 6655 §3
        padded = self.sequence.to_bytes(12, "big")  # RFC 7905 §2
        return bytes(a ^ b for a, b in zip(self._fixed_iv, padded, strict=True))

    def _aad(self, content_type: int, plaintext_length: int) -> bytes:
        header = bytes((content_type, TLS12 >> 8, TLS12 & 0xFF)) + plaintext_length.to_bytes(2, "big")
        return self.sequence.to_bytes(8, "big") + header  # REC-34, and REC-12: a record fits one place in the stream

    def seal(self, content_type: int, plaintext: bytes) -> bytes:
        explicit = self.sequence.to_bytes(8, "big")[: self.suite.explicit_nonce_length]  # REC-31, REC-33
        sealed: bytes = self._aead.encrypt(self._nonce(explicit), plaintext, self._aad(content_type, len(plaintext)))
        self.sequence += 1
        fragment = explicit + sealed
        return bytes((content_type, TLS12 >> 8, TLS12 & 0xFF)) + len(fragment).to_bytes(2, "big") + fragment

    def open(self, content_type: int, fragment: bytes) -> bytes:
        from cryptography.exceptions import InvalidTag

        explicit, sealed = fragment[: self.suite.explicit_nonce_length], fragment[self.suite.explicit_nonce_length :]
        aad = self._aad(content_type, len(sealed) - self.suite.tag_length)
        try:
            plaintext: bytes = self._aead.decrypt(self._nonce(explicit), sealed, aad)
        except InvalidTag:
            raise _shared.bad_record() from None
        self.sequence += 1
        return plaintext


class PureRecordSealer:
    """Fulfils `RecordSealer`."""

    __slots__ = ("_free", "_keys", "short_bytes")

    def __init__(self, keys: _Keys) -> None:
        self._keys = keys
        self.short_bytes = 0
        self._free = allocate_lock()  # two threads at once would use one nonce twice

    def seal(self, content_type: int, data: bytes | bytearray | memoryview, limit: int) -> bytes:
        _shared.check_limit(limit)
        data = bytes(data)
        fragments = [data[at : at + limit] for at in range(0, len(data), limit)] or [b""]  # REC-27
        return self._seal(content_type, fragments, reserve=1)

    def seal_data(self, data: bytes | memoryview) -> bytes:
        sealed = self.seal(ContentType.APPLICATION_DATA, data, _shared.MAX_PLAINTEXT)
        self.short_bytes += len(sealed)
        return sealed

    def close(self, content_type: int, data: bytes) -> bytes:
        return self._seal(content_type, [data], reserve=0)

    def _seal(self, content_type: int, fragments: list[bytes], reserve: int) -> bytes:
        if not self._free.acquire(blocking=False):
            raise _shared.keys_in_use()
        try:
            if self._keys.sequence + len(fragments) + reserve > self._keys.suite.record_limit:
                raise _shared.worn_out_key()
            return b"".join(self._keys.seal(content_type, fragment) for fragment in fragments)
        finally:
            self._free.release()


class PureRecordOpener:
    """Fulfils `RecordOpener`."""

    __slots__ = ("_keys", "short_bytes")

    def __init__(self, keys: _Keys) -> None:
        self._keys = keys
        self.short_bytes = 0

    def open_data(self, data: bytes) -> bytes | None:
        if len(data) <= _HEADER or data[0] != ContentType.APPLICATION_DATA:
            return None
        length = int.from_bytes(data[3:_HEADER], "big")
        overhead = self._keys.suite.expansion
        if length != len(data) - _HEADER or not overhead < length <= overhead + _shared.MAX_PLAINTEXT:
            return None
        if data[1:3] != b"\3\3":
            return None
        plaintext = self._keys.open(data[0], data[_HEADER:])
        self.short_bytes += len(data)
        return plaintext

    def open_into(self, data: bytes | memoryview, out: memoryview) -> tuple[int, int]:
        written = at = 0
        with memoryview(data) as view:
            while len(view) - at > _HEADER and view[at] == ContentType.APPLICATION_DATA:
                length = self._next(view, at, _shared.MAX_PLAINTEXT, first=False)
                size = 0 if length is None else length - self._keys.suite.expansion
                if length is None or not 0 < size <= len(out) - written:
                    break
                try:
                    plaintext = self._keys.open(view[at], bytes(view[at + _HEADER : at + _HEADER + length]))
                except ProtocolError:
                    break  # `open` says so
                out[written : written + size] = plaintext
                written += size
                at += _HEADER + length
        return written, at

    def open(self, data: bytes | bytearray | memoryview, limit: int) -> tuple[list[tuple[int, bytes]], int]:
        _shared.check_limit(limit)
        with memoryview(data) as view:  # the rest may be long, and is handed over again: copy one record at a time
            return self._open(view, limit)

    def _open(self, data: memoryview, limit: int) -> tuple[list[tuple[int, bytes]], int]:
        records: list[tuple[int, bytes]] = []
        at = 0
        while (length := self._next(data, at, limit, first=not records)) is not None:
            content_type = data[at]
            try:
                plaintext = self._keys.open(content_type, bytes(data[at + _HEADER : at + _HEADER + length]))
            except ProtocolError:
                if not records:
                    raise
                break
            records.append((content_type, plaintext))
            at += _HEADER + length
            if content_type != ContentType.APPLICATION_DATA:
                break
        return records, at

    def _next(self, data: memoryview, at: int, limit: int, first: bool) -> int | None:
        """The length of the record at `at`, or None: incomplete, or faulty and not the first."""
        if len(data) - at < _HEADER:
            return None
        version = int.from_bytes(data[at + 1 : at + 3], "big")
        length = int.from_bytes(data[at + 3 : at + 5], "big")
        expansion = self._keys.suite.expansion
        fault: ProtocolError | None = None
        if data[at] not in _shared.CONTENT_TYPES:
            fault = _shared.unknown_type(data[at])  # REC-01
        elif version != TLS12:
            fault = _shared.wrong_version(version)  # REC-04
        elif length > limit + expansion:
            fault = _shared.long_record(length, limit)  # REC-06
        elif length < expansion:
            fault = _shared.bad_record()  # REC-08
        if fault is not None:
            if first:
                raise fault
            return None
        return length if len(data) - at >= _HEADER + length else None


class PureKeySchedule:
    """Fulfils `KeySchedule`."""

    __slots__ = ("_client_random", "_master", "_server_random", "_suite")

    def __init__(self, suite: Suite, master: bytes, client_random: bytes, server_random: bytes) -> None:
        self._suite = suite
        self._master = bytearray(master)
        self._client_random = client_random
        self._server_random = server_random

    def _prf(self, label: bytes, seed: bytes, length: int) -> bytes:
        return prf(self._suite.prf_hash, self.master_secret(), label, seed, length)

    def finished(self, transcript_hash: bytes) -> bytes:
        return self._prf(b"client finished", transcript_hash, _shared.VERIFY_DATA_LENGTH)

    def check_finished(self, transcript_hash: bytes, verify_data: bytes) -> None:
        expected = self._prf(b"server finished", transcript_hash, _shared.VERIFY_DATA_LENGTH)
        if not hmac.compare_digest(expected, verify_data):
            raise _shared.wrong_finished()

    def record_keys(self) -> tuple[PureRecordSealer, PureRecordOpener]:
        suite = self._suite
        key, iv = suite.key_length, suite.fixed_iv_length
        block = self._prf(b"key expansion", self._server_random + self._client_random, 2 * (key + iv))
        client_key, server_key, ivs = block[:key], block[key : 2 * key], block[2 * key :]
        client_write = _Keys(suite, client_key, ivs[:iv])
        server_write = _Keys(suite, server_key, ivs[iv:])
        return PureRecordSealer(client_write), PureRecordOpener(server_write)

    def finish(self, transcript_hash: bytes) -> tuple[bytes, PureRecordSealer, PureRecordOpener]:
        return self.finished(transcript_hash), *self.record_keys()

    def export(self, label: bytes, context: bytes | None, length: int) -> bytes:
        return self._prf(label, self._client_random + self._server_random + _shared.exporter_context(context), length)

    def master_secret(self) -> bytes:
        if not self._master:
            raise InternalError("this key schedule was wiped")
        return bytes(self._master)

    def wipe(self) -> None:
        self._master[:] = bytes(len(self._master))
        self._master = bytearray()


class PureRunningDigest:
    """Fulfils `RunningDigest`."""

    __slots__ = ("_hash",)

    def __init__(self, algorithm: str) -> None:
        self._hash = hashlib.new(algorithm)

    def on(self, data: bytes) -> bytes:
        self._hash.update(data)
        return self._hash.digest()


class PureProvider:
    """Fulfils `CryptoProvider`."""

    name = "pure"
    groups = frozenset({int(NamedGroup.X25519), int(NamedGroup.SECP256R1), int(NamedGroup.SECP384R1)})
    signature_schemes = _signatures.SIGNATURE_SCHEMES

    def digest(self, algorithm: str, data: bytes | bytearray | memoryview) -> bytes:
        return hashlib.new(algorithm, data, usedforsecurity=algorithm != "sha1").digest()

    def running_digest(self, algorithm: str) -> PureRunningDigest:
        return PureRunningDigest(algorithm)

    def key_agreement(self, group: int, entropy: Entropy, peer_public: bytes) -> tuple[bytes, PurePremaster]:
        if group not in self.groups:
            raise _shared.unknown_group(self.name, group)
        private, public = _ecdh.generate(group, entropy)
        return public, PurePremaster(_ecdh.exchange(group, private, peer_public))

    def premaster(self, secret: bytearray) -> PurePremaster:
        taken = PurePremaster(bytearray(secret))
        secret[:] = bytes(len(secret))
        return taken

    def psk_premaster(self, key: bytes | bytearray, shared: Any) -> PurePremaster:
        if shared is not None and not isinstance(shared, PurePremaster):
            raise _shared.foreign_premaster()
        mixed = bytearray()
        for part in (bytes(len(key)) if shared is None else shared.secret, key):
            mixed += len(part).to_bytes(2, "big")
            mixed += part
        fits = 0 < len(key) <= _shared.MAX_PSK and (shared is None or 0 < len(shared.secret) <= _shared.MAX_ECDH)
        if shared is not None:
            shared.wipe()
        if not fits:
            raise InternalError(f"no premaster secret comes of a key of {len(key)} bytes and what was there")
        return PurePremaster(mixed)

    def key_schedule(
        self, suite: Suite, premaster: Any, client_random: bytes, server_random: bytes, session_hash: bytes | None
    ) -> PureKeySchedule:
        if not isinstance(premaster, PurePremaster):
            raise _shared.foreign_premaster()
        _shared.check_lengths(client_random, server_random)
        if session_hash is None:
            label, seed = b"master secret", client_random + server_random  # RFC 5246 §8.1
        else:
            label, seed = b"extended master secret", session_hash  # RFC 7627 §4, EMS-06
        master = prf(suite.prf_hash, premaster.secret, label, seed, _shared.MASTER_LENGTH)
        premaster.wipe()
        return PureKeySchedule(suite, master, client_random, server_random)

    def resume(self, suite: Suite, master_secret: bytes, client_random: bytes, server_random: bytes) -> PureKeySchedule:
        _shared.check_lengths(client_random, server_random, master_secret)
        return PureKeySchedule(suite, master_secret, client_random, server_random)

    def signing_key(self, scalar: bytearray) -> None:
        """None: a key that lasts is safer with `cryptography` than in Python's integers."""
        scalar[:] = bytes(len(scalar))

    def at_rest(self, key: bytes, salt: bytes) -> tuple[PureRecordSealer, PureRecordOpener]:
        schedule = self.resume(_shared.SUITE_AT_REST, _shared.secret_at_rest(key), salt, bytes(_shared.RANDOM_LENGTH))
        sealer, same_keys = schedule.record_keys()[0], schedule.record_keys()[0]
        schedule.wipe()
        return sealer, PureRecordOpener(same_keys._keys)

    def cut_certificate(self, data: bytes) -> list[int] | None:
        return None

    def verify(self, scheme: int, spki: bytes, signature: bytes, message: bytes | bytearray | memoryview) -> None:
        _signatures.verify(scheme, spki, signature, message)
