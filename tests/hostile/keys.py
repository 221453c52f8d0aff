"""The peer's own cryptography: PRF, master secret, key block, AEAD records, ECDHE and signatures.

Written from RFC 5246 §5, §6.2.3.3, §6.3, §8.1, RFC 7627 §4, RFC 5288, RFC 6655 and RFC 7905 on hashlib, hmac
and `cryptography`; nothing of lighttls.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hostile.wire import P256, P384, P521, X25519, record, u8, u16


class Suite(NamedTuple):
    """A cipher suite's numbers (RFC 5289 §3, RFC 7251 §2, RFC 7905 §3)."""

    code: int
    name: str  # as OpenSSL calls it
    key_type: str  # of the leaf; "psk" or "ecdhe-psk" where there is none
    aead: Callable[[bytes], AESGCM | AESCCM | ChaCha20Poly1305]
    key_length: int
    iv_length: int
    explicit_length: int
    hash: str
    tag_length: int = 16


SUITES = {
    suite.code: suite
    for suite in (
        Suite(0xC02B, "ECDHE-ECDSA-AES128-GCM-SHA256", "ec", AESGCM, 16, 4, 8, "sha256"),
        Suite(0xC02C, "ECDHE-ECDSA-AES256-GCM-SHA384", "ec", AESGCM, 32, 4, 8, "sha384"),
        Suite(0xC02F, "ECDHE-RSA-AES128-GCM-SHA256", "rsa", AESGCM, 16, 4, 8, "sha256"),
        Suite(0xC030, "ECDHE-RSA-AES256-GCM-SHA384", "rsa", AESGCM, 32, 4, 8, "sha384"),
        Suite(0xCCA9, "ECDHE-ECDSA-CHACHA20-POLY1305", "ec", ChaCha20Poly1305, 32, 12, 0, "sha256"),
        Suite(0xCCA8, "ECDHE-RSA-CHACHA20-POLY1305", "rsa", ChaCha20Poly1305, 32, 12, 0, "sha256"),
    )
}
"""What a client offers by default."""

CCM_SUITES = {
    suite.code: suite
    for suite in (
        Suite(0xC0AC, "ECDHE-ECDSA-AES128-CCM", "ec", AESCCM, 16, 4, 8, "sha256"),
        Suite(0xC0AD, "ECDHE-ECDSA-AES256-CCM", "ec", AESCCM, 32, 4, 8, "sha256"),
        Suite(0xC0AE, "ECDHE-ECDSA-AES128-CCM8", "ec", partial(AESCCM, tag_length=8), 16, 4, 8, "sha256", 8),
        Suite(0xC0AF, "ECDHE-ECDSA-AES256-CCM8", "ec", partial(AESCCM, tag_length=8), 32, 4, 8, "sha256", 8),
    )
}
_ccm8 = partial(AESCCM, tag_length=8)
PSK_SUITES = {
    suite.code: suite
    for suite in (  # RFC 5487 §2, RFC 6655 §3, RFC 7905 §3, RFC 8442 §3
        Suite(0x00A8, "PSK-AES128-GCM-SHA256", "psk", AESGCM, 16, 4, 8, "sha256"),
        Suite(0x00A9, "PSK-AES256-GCM-SHA384", "psk", AESGCM, 32, 4, 8, "sha384"),
        Suite(0xCCAB, "PSK-CHACHA20-POLY1305", "psk", ChaCha20Poly1305, 32, 12, 0, "sha256"),
        Suite(0xC0A4, "PSK-AES128-CCM", "psk", AESCCM, 16, 4, 8, "sha256"),
        Suite(0xC0A5, "PSK-AES256-CCM", "psk", AESCCM, 32, 4, 8, "sha256"),
        Suite(0xC0A8, "PSK-AES128-CCM8", "psk", _ccm8, 16, 4, 8, "sha256", 8),
        Suite(0xC0A9, "PSK-AES256-CCM8", "psk", _ccm8, 32, 4, 8, "sha256", 8),
        Suite(0xCCAC, "ECDHE-PSK-CHACHA20-POLY1305", "ecdhe-psk", ChaCha20Poly1305, 32, 12, 0, "sha256"),
        Suite(0xD001, "ECDHE-PSK-AES128-GCM-SHA256", "ecdhe-psk", AESGCM, 16, 4, 8, "sha256"),
        Suite(0xD002, "ECDHE-PSK-AES256-GCM-SHA384", "ecdhe-psk", AESGCM, 32, 4, 8, "sha384"),
        Suite(0xD003, "ECDHE-PSK-AES128-CCM8-SHA256", "ecdhe-psk", _ccm8, 16, 4, 8, "sha256", 8),
        Suite(0xD005, "ECDHE-PSK-AES128-CCM-SHA256", "ecdhe-psk", AESCCM, 16, 4, 8, "sha256"),
    )
}
"""OpenSSL has no suite of RFC 8442; their names here are made after its fashion."""
KNOWN_SUITES = SUITES | CCM_SUITES | PSK_SUITES
GROUPS = (X25519, P256, P384)


def prf(hash_name: str, secret: bytes, label: bytes, seed: bytes, length: int) -> bytes:
    """RFC 5246 §5."""
    seed = label + seed
    out, a = b"", seed
    while len(out) < length:
        a = hmac.digest(secret, a, hash_name)
        out += hmac.digest(secret, a + seed, hash_name)
    return out[:length]


def master_secret(hash_name: str, premaster: bytes, client_random: bytes, server_random: bytes) -> bytes:
    """RFC 5246 §8.1."""
    return prf(hash_name, premaster, b"master secret", client_random + server_random, 48)


def extended_master_secret(hash_name: str, premaster: bytes, transcript: bytes) -> bytes:
    """RFC 7627 §4: `transcript` runs from ClientHello through ClientKeyExchange."""
    session_hash = hashlib.new(hash_name, transcript).digest()
    return prf(hash_name, premaster, b"extended master secret", session_hash, 48)


def verify_data(hash_name: str, master: bytes, label: bytes, transcript: bytes) -> bytes:
    """RFC 5246 §7.4.9."""
    return prf(hash_name, master, label, hashlib.new(hash_name, transcript).digest(), 12)


class Protection:
    """One direction's keys and sequence number (RFC 5246 §6.2.3.3)."""

    def __init__(self, suite: Suite, key: bytes, iv: bytes) -> None:
        self.aead, self.iv, self.explicit_length = suite.aead(key), iv, suite.explicit_length
        self.tag_length = suite.tag_length
        self.sequence = 0

    def _nonce(self, sequence: int, explicit: bytes) -> bytes:
        if self.explicit_length:
            return self.iv + explicit
        return (int.from_bytes(self.iv, "big") ^ sequence).to_bytes(12, "big")

    def seal(
        self,
        content_type: int,
        data: bytes,
        *,
        sequence: int | None = None,
        explicit: bytes | None = None,
        sealed_type: int | None = None,
        version: int = 0x0303,
    ) -> bytes:
        """One protected record. The sequence number moves on unless one is given."""
        if sequence is None:
            sequence = self.sequence
            self.sequence += 1
        if explicit is None:
            explicit = sequence.to_bytes(8, "big") if self.explicit_length else b""
        kind = content_type if sealed_type is None else sealed_type
        aad = sequence.to_bytes(8, "big") + u8(kind) + b"\x03\x03" + u16(len(data))
        nonce = self._nonce(sequence, explicit)
        return record(content_type, explicit + self.aead.encrypt(nonce, data, aad), version=version)

    def open(self, content_type: int, fragment: bytes) -> bytes:
        """Open the client's next record; a failure is the client's (or the test's key's)."""
        explicit, sealed = fragment[: self.explicit_length], fragment[self.explicit_length :]
        aad = self.sequence.to_bytes(8, "big") + u8(content_type) + b"\x03\x03" + u16(len(sealed) - self.tag_length)
        opened = self.aead.decrypt(self._nonce(self.sequence, explicit), sealed, aad)
        self.sequence += 1
        return opened


def protections(
    suite: Suite, master: bytes, client_random: bytes, server_random: bytes
) -> tuple[Protection, Protection]:
    """The client's and the server's writing keys (RFC 5246 §6.3)."""
    sizes = (suite.key_length, suite.key_length, suite.iv_length, suite.iv_length)
    block = prf(suite.hash, master, b"key expansion", server_random + client_random, sum(sizes))
    parts, at = [], 0
    for size in sizes:
        parts.append(block[at : at + size])
        at += size
    return Protection(suite, parts[0], parts[2]), Protection(suite, parts[1], parts[3])


_CURVES: dict[int, ec.EllipticCurve] = {P256: ec.SECP256R1(), P384: ec.SECP384R1(), P521: ec.SECP521R1()}


class Ephemeral:
    """The server's key pair for one handshake."""

    def __init__(self, group: int) -> None:
        self.group = group
        if group in _CURVES:
            self.private: ec.EllipticCurvePrivateKey | x25519.X25519PrivateKey = ec.generate_private_key(_CURVES[group])
            self.public = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        else:
            self.private = x25519.X25519PrivateKey.generate()
            self.public = self.private.public_key().public_bytes_raw()

    def derive(self, peer: bytes) -> bytes:
        """The shared secret with the client's point, which must be a valid one."""
        if isinstance(self.private, x25519.X25519PrivateKey):
            return self.private.exchange(x25519.X25519PublicKey.from_public_bytes(peer))
        assert peer[:1] == b"\x04", "the client's point is not uncompressed"
        public = ec.EllipticCurvePublicKey.from_encoded_point(self.private.curve, peer)
        return self.private.exchange(ec.ECDH(), public)


_HASHES: dict[int, hashes.HashAlgorithm] = {
    2: hashes.SHA1(),
    4: hashes.SHA256(),
    5: hashes.SHA384(),
    6: hashes.SHA512(),
}
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def _scheme(scheme: int) -> tuple[str, hashes.HashAlgorithm]:
    """Which family a scheme is of, and its hash (RFC 8446 §4.2.3)."""
    if scheme >> 8 == 8:
        return "pss", _HASHES[scheme & 0xFF]
    return {1: "pkcs1", 3: "ecdsa"}[scheme & 0xFF], _HASHES[scheme >> 8]


def sign(scheme: int, key: PrivateKey, message: bytes, *, salt_length: int | None = None) -> bytes:
    """A signature in the form that TLS carries."""
    family, algorithm = _scheme(scheme)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(algorithm))
    if family == "pss":
        salt = algorithm.digest_size if salt_length is None else salt_length
        return key.sign(message, padding.PSS(padding.MGF1(algorithm), salt), algorithm)
    return key.sign(message, padding.PKCS1v15(), algorithm)


def check_signature(scheme: int, public: object, signature: bytes, message: bytes) -> None:
    """Complain if the client's signature is wrong, or its scheme does not fit its key."""
    family, algorithm = _scheme(scheme)
    try:
        if isinstance(public, ec.EllipticCurvePublicKey):
            assert family == "ecdsa", f"the client signed with 0x{scheme:04x}, its key is EC"
            public.verify(signature, message, ec.ECDSA(algorithm))
        else:
            assert isinstance(public, rsa.RSAPublicKey), "the client's key is neither EC nor RSA"
            assert family != "ecdsa", f"the client signed with 0x{scheme:04x}, its key is RSA"
            pss = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
            public.verify(signature, message, pss if family == "pss" else padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        raise AssertionError("the client's CertificateVerify does not verify") from None
