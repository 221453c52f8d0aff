"""What tests must see or change inside an engine, and TLS 1.2's key derivation written a second time."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, NamedTuple

from lighttls.crypto import CryptoProvider, Entropy, Premaster, Suite

NUMBERS = {"sha256": 4, "sha384": 5, "sha512": 6}  # RFC 5246 §7.4.1.4.1
AEAD_NUMBERS = {  # lighttls.h; by name, key and tag length
    ("aes-gcm", 16, 16): 1,
    ("aes-gcm", 32, 16): 2,
    ("chacha20-poly1305", 32, 16): 3,
    ("aes-ccm", 16, 16): 4,
    ("aes-ccm", 32, 16): 5,
    ("aes-ccm", 16, 8): 6,
    ("aes-ccm", 32, 8): 7,
}


def aead_number(suite: Suite) -> int:
    return AEAD_NUMBERS[suite.aead, suite.key_length, suite.tag_length]


def core() -> tuple[Any, Any]:
    """ffi and lib of the C core."""
    from lighttls.crypto._core import ffi, lib

    return ffi, lib


GENERATORS = {  # what an engine agrees with where only our own public key is wanted
    29: (9).to_bytes(32, "little"),
    23: bytes.fromhex(
        "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    ),
    24: bytes.fromhex(
        "04aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7"
        "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f"
    ),
}


class KeyShare:
    """A key pair of an engine that is used more than once: what was drawn for it is drawn again each time."""

    def __init__(self, engine: CryptoProvider, group: int, entropy: Entropy) -> None:
        self._engine, self.group = engine, group
        self._draws: list[bytes] = []

        def drawn(length: int) -> bytes:
            self._draws.append(bytes(entropy(length)))
            return self._draws[-1]

        self.public = engine.key_agreement(group, drawn, GENERATORS[group])[0]

    def derive(self, peer_public: bytes) -> Premaster:
        again = iter(self._draws)
        public, premaster = self._engine.key_agreement(self.group, lambda _: next(again), peer_public)
        assert public == self.public
        return premaster


def premaster_bytes(premaster: Any) -> bytes:
    """The secret inside a premaster of either engine."""
    if hasattr(premaster, "secret"):
        return bytes(premaster.secret)
    ffi, lib = core()
    out = ffi.new("uint8_t[260]")
    return bytes(ffi.buffer(out, lib.lt_test_premaster_get(premaster.context, out)))


def server_side(schedule: Any) -> tuple[Any, Any]:
    """Sealer and opener of the server: the client's keys, the other way round."""
    sealer, opener = schedule.record_keys()
    return type(sealer)(opener._keys), type(opener)(sealer._keys)


def server_verify_data(schedule: Any, suite: Suite, transcript_hash: bytes) -> bytes:
    """What the server's Finished must hold (RFC 5246 §7.4.9)."""
    return expected_prf(suite.prf_hash, schedule.master_secret(), b"server finished", transcript_hash, 12)


def set_sequence(direction: Any, number: int) -> None:
    """Make `number` the next sequence number of a sealer or opener."""
    if hasattr(direction._keys, "sequence"):
        direction._keys.sequence = number
    else:
        core()[1].lt_test_record_keys_sequence(direction._keys, number)


def prf(provider: Any, algorithm: str, secret: bytes, label: bytes, seed: bytes, length: int) -> bytes:
    """The PRF of one engine."""
    if provider.name == "pure":
        from lighttls.crypto import pure

        return pure.prf(algorithm, secret, label, seed, length)
    ffi, lib = core()
    out = ffi.new("uint8_t[]", length)
    status = lib.lt_test_prf(out, length, NUMBERS[algorithm], secret, len(secret), label, len(label), seed, len(seed))
    assert status == 0
    return bytes(ffi.buffer(out))


def expected_prf(algorithm: str, secret: bytes, label: bytes, seed: bytes, length: int) -> bytes:
    """RFC 5246 §5 once more, by the streaming interface of `hmac` instead of the one-shot one."""

    def mac(*parts: bytes) -> bytes:
        running = hmac.new(secret, digestmod=getattr(hashlib, algorithm))
        for part in parts:
            running.update(part)
        return running.digest()

    blocks: list[bytes] = []
    a = mac(label, seed)
    while sum(map(len, blocks)) < length:
        blocks.append(mac(a, label, seed))
        a = mac(a)
    return b"".join(blocks)[:length]


class KeyBlock(NamedTuple):
    client_key: bytes
    server_key: bytes
    client_iv: bytes
    server_iv: bytes


def expected_key_block(suite: Suite, master: bytes, client_random: bytes, server_random: bytes) -> KeyBlock:
    """RFC 5246 §6.3 without MAC keys."""
    lengths = (suite.key_length, suite.key_length, suite.fixed_iv_length, suite.fixed_iv_length)
    block = expected_prf(suite.prf_hash, master, b"key expansion", server_random + client_random, sum(lengths))
    parts = []
    for length in lengths:
        parts.append(block[:length])
        block = block[length:]
    return KeyBlock(*parts)


def hmac_tag(provider: Any, algorithm: str, key: bytes, message: bytes) -> bytes:
    """HMAC as one engine computes it."""
    if provider.name == "pure":
        return hmac.digest(key, message, algorithm)
    ffi, lib = core()
    out = ffi.new("uint8_t[64]")
    return bytes(ffi.buffer(out, lib.lt_hmac(out, NUMBERS[algorithm], key, len(key), message, len(message))))


class Aead:
    """One engine's AEAD of a suite under a key, nonces from outside."""

    def __init__(self, provider: Any, suite: Suite, key: bytes) -> None:
        from lighttls.crypto import pure

        self._key = key
        self._pure = pure.aead(suite, key) if provider.name == "pure" else None
        self._number = aead_number(suite)
        self._tag_length = suite.tag_length

    def seal(self, nonce: bytes, aad: bytes, text: bytes) -> bytes:
        if self._pure is not None:
            return bytes(self._pure.encrypt(nonce, text, aad))
        ffi, lib = core()
        out = ffi.new("uint8_t[]", len(text) + self._tag_length)
        key = self._key
        status = lib.lt_test_aead_seal(self._number, key, len(key), nonce, aad, len(aad), out, text, len(text))
        assert status >= 0
        return bytes(ffi.buffer(out))

    def open(self, nonce: bytes, aad: bytes, sealed: bytes) -> bytes | None:
        """None: not authentic (and the output was wiped)."""
        if self._pure is not None:
            from cryptography.exceptions import InvalidTag

            try:
                return bytes(self._pure.decrypt(nonce, sealed, aad))
            except InvalidTag:
                return None
        ffi, lib = core()
        length = max(len(sealed) - self._tag_length, 0)
        out = ffi.new("uint8_t[]", b"\xaa" * length)
        key = self._key
        status = lib.lt_test_aead_open(self._number, key, len(key), nonce, aad, len(aad), out, sealed, len(sealed))
        if status == lib.LT_ERR_AUTH:
            assert not any(ffi.buffer(out, length)[:])
            return None
        assert status >= 0
        return bytes(ffi.buffer(out, length))
