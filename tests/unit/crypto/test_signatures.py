"""Signature verification (SKE-14 to SKE-25); forged signatures in bulk are in tests/vectors."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lighttls.crypto import CryptoProvider
from lighttls.errors import BadSignature
from lighttls.iana import SignatureScheme

MESSAGE = b"client random, server random, params"
CURVES = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}
ECDSA = [scheme for scheme in SignatureScheme if scheme.name.startswith("ECDSA")]
PKCS1 = [scheme for scheme in SignatureScheme if scheme.name.startswith("RSA_PKCS1")]
PSS = [scheme for scheme in SignatureScheme if scheme.name.startswith("RSA_PSS")]


def name(scheme: SignatureScheme) -> str:
    return scheme.name.lower()


@cache
def key(kind: str) -> Any:
    return ec.generate_private_key(CURVES[kind]) if kind in CURVES else rsa.generate_private_key(65537, int(kind[3:]))


def spki(public_key: Any) -> bytes:
    encoded: bytes = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded


def hash_of(scheme: SignatureScheme) -> Any:
    return getattr(hashes, scheme.name.rpartition("_")[2])()


def sign(scheme: SignatureScheme, private_key: Any, salt_length: int | None = None) -> bytes:
    hash_ = hash_of(scheme)
    signature: bytes
    if scheme in ECDSA:
        signature = private_key.sign(MESSAGE, ec.ECDSA(hash_))
    elif scheme in PKCS1:
        signature = private_key.sign(MESSAGE, padding.PKCS1v15(), hash_)
    else:
        salt = hash_.digest_size if salt_length is None else salt_length
        signature = private_key.sign(MESSAGE, padding.PSS(padding.MGF1(hash_), salt), hash_)
    return signature


def check(provider: CryptoProvider, scheme: SignatureScheme, kind: str) -> bytes:
    """A good signature passes and a changed message, signature or key does not."""
    private_key = key(kind)
    public, signature = spki(private_key.public_key()), sign(scheme, private_key)
    for message in (MESSAGE, bytearray(MESSAGE), memoryview(MESSAGE)):
        provider.verify(scheme, public, signature, message)
    with pytest.raises(BadSignature):
        provider.verify(scheme, public, signature, MESSAGE + b"!")
    with pytest.raises(BadSignature):
        provider.verify(scheme, public, signature[:-1] + bytes((signature[-1] ^ 1,)), MESSAGE)
    for malformed in (b"", signature[:-1], signature + b"\0"):  # SKE-21, SKE-22, SKE-25
        with pytest.raises(BadSignature):
            provider.verify(scheme, public, malformed, MESSAGE)
    return signature


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("scheme", ECDSA, ids=name)
def test_ecdsa_scheme_binds_the_hash_and_not_the_curve(
    provider: CryptoProvider, scheme: SignatureScheme, curve: str
) -> None:
    """SKE-15."""
    check(provider, scheme, curve)


@pytest.mark.parametrize("size", ["rsa2048", "rsa3072"])
@pytest.mark.parametrize("scheme", [*PKCS1, *PSS], ids=name)
def test_rsa_schemes_verify(provider: CryptoProvider, scheme: SignatureScheme, size: str) -> None:
    check(provider, scheme, size)


@pytest.mark.parametrize("salt_length", [0, 20, 31, 33])
def test_pss_salt_of_another_length_is_refused(provider: CryptoProvider, salt_length: int) -> None:
    """SKE-17."""
    scheme = SignatureScheme.RSA_PSS_RSAE_SHA256
    signature = sign(scheme, key("rsa2048"), salt_length)
    with pytest.raises(BadSignature):
        provider.verify(scheme, spki(key("rsa2048").public_key()), signature, MESSAGE)


def test_pss_key_too_small_for_hash_and_salt_is_refused(provider: CryptoProvider) -> None:
    """SKE-18: 1024 bits have no room for SHA-512 and a salt of 64 bytes."""
    public = spki(key("rsa1024").public_key())
    with pytest.raises(BadSignature):
        provider.verify(SignatureScheme.RSA_PSS_RSAE_SHA512, public, bytes(128), MESSAGE)


def test_every_scheme_is_announced(provider: CryptoProvider) -> None:
    assert provider.signature_schemes == frozenset(SignatureScheme)


@pytest.mark.parametrize("scheme", SignatureScheme, ids=name)
def test_signature_made_under_another_scheme_is_refused(provider: CryptoProvider, scheme: SignatureScheme) -> None:
    kind = "p256" if scheme in ECDSA else "rsa2048"
    public, signature = spki(key(kind).public_key()), sign(scheme, key(kind))
    for other in set(SignatureScheme) - {scheme}:
        if (other in ECDSA) == (scheme in ECDSA) and hash_of(other).name == hash_of(scheme).name == "sha1":
            continue  # one SHA-1 scheme for each kind of key
        with pytest.raises(BadSignature):
            provider.verify(other, public, signature, MESSAGE)


@pytest.mark.parametrize("scheme", [0x0000, 0x0101, 0x0301, 0x0807, 0x0809, 0x0A0A, 0xFFFF])
def test_scheme_that_we_do_not_have_is_refused(provider: CryptoProvider, scheme: int) -> None:
    with pytest.raises(BadSignature, match="no signature scheme of ours"):
        provider.verify(scheme, spki(key("p256").public_key()), b"", MESSAGE)


def test_key_of_another_kind_is_refused(provider: CryptoProvider) -> None:
    """SKE-14."""
    public = {
        "ecdsa": spki(key("p256").public_key()),
        "rsa": spki(key("rsa2048").public_key()),
        "ed25519": spki(ed25519.Ed25519PrivateKey.generate().public_key()),
        "secp256k1": spki(ec.generate_private_key(ec.SECP256K1()).public_key()),
    }
    for scheme in SignatureScheme:
        for kind, encoded in public.items():
            if not scheme.name.lower().startswith(kind):
                with pytest.raises(BadSignature, match="key"):
                    provider.verify(scheme, encoded, bytes(256), MESSAGE)


RSA_ENCRYPTION = bytes.fromhex("300d06092a864886f70d0101010500")
RSASSA_PSS = bytes.fromhex("300b06092a864886f70d01010a")


def der(tag: int, contents: bytes) -> bytes:
    size = len(contents)
    length = bytes((size,)) if size < 0x80 else b"\x82" + size.to_bytes(2, "big")
    return bytes((tag,)) + length + contents


def rsa_spki(algorithm: bytes) -> bytes:
    public_key = key("rsa2048").public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    return der(0x30, algorithm + der(0x03, b"\0" + public_key))


def test_key_for_pss_alone_is_no_key_for_rsae_schemes(provider: CryptoProvider) -> None:
    """RFC 8446 §4.2.3: rsae means a key under rsaEncryption."""
    scheme = SignatureScheme.RSA_PSS_RSAE_SHA256
    signature = sign(scheme, key("rsa2048"))
    provider.verify(scheme, rsa_spki(RSA_ENCRYPTION), signature, MESSAGE)
    with pytest.raises(BadSignature):
        provider.verify(scheme, rsa_spki(RSASSA_PSS), signature, MESSAGE)


def test_key_in_another_encoding_is_refused(provider: CryptoProvider) -> None:
    scheme = SignatureScheme.ECDSA_SECP256R1_SHA256
    good = spki(key("p256").public_key())
    signature = sign(scheme, key("p256"))
    compressed = key("p256").public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    ber = b"\x30\x81" + good[1:]  # a length in two bytes where one would do
    algorithm = good[2:23]
    for malformed in (b"", good[:-1], good + b"\0", ber, der(0x30, algorithm + der(0x03, b"\0" + compressed))):
        with pytest.raises(BadSignature):
            provider.verify(scheme, malformed, signature, MESSAGE)
