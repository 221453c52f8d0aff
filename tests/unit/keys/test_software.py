"""Private keys from PEM: every form in use, each scheme's signature, and what is refused with which words."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa, utils
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from lighttls.crypto import by_name
from lighttls.errors import ConfigurationError
from lighttls.iana import SignatureScheme
from lighttls.keys import SignatureRequest, software_key
from support import require

PASSWORD = b"correct horse"

PKCS8, TRADITIONAL = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL  # the latter: PKCS #1, SEC 1

HASHES = {4: "sha256", 5: "sha384", 6: "sha512"}


@cache
def private(kind: str) -> Any:
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key({"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}[kind])


def pem(key: Any, form: PrivateFormat = PKCS8, password: bytes | None = None) -> bytes:
    protection = BestAvailableEncryption(password) if password else NoEncryption()
    encoded: bytes = key.private_bytes(Encoding.PEM, form, protection)
    return encoded


def request(scheme: SignatureScheme, message: bytes, provider: Any = None, random: Any = None) -> SignatureRequest:
    name = HASHES[scheme & 0xF if scheme >> 8 == 8 else scheme >> 8]
    return SignatureRequest(scheme, hashlib.new(name, message).digest(), message, (), (), provider, random)


@pytest.mark.parametrize("password", [None, PASSWORD], ids=["plain", "encrypted"])
@pytest.mark.parametrize("form", [PKCS8, TRADITIONAL], ids=["pkcs8", "traditional"])
@pytest.mark.parametrize("kind", ["rsa", "p256", "p384"])
def test_every_form_of_key_is_read(kind: str, form: PrivateFormat, password: bytes | None) -> None:
    signer = software_key(pem(private(kind), form, password), password)
    expected = private(kind).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert signer.public_key == expected


@pytest.mark.parametrize("kind", ["rsa", "p256", "p384"])
def test_each_offered_scheme_verifies(provider: Any, kind: str) -> None:
    signer = software_key(pem(private(kind)))
    for scheme in signer.signature_schemes:
        for asked in (
            request(scheme, b"the messages of a handshake"),
            request(scheme, b"the messages of a handshake", provider, os.urandom),
        ):
            provider.verify(scheme, signer.public_key, signer.sign(asked), asked.message)


@pytest.mark.parametrize("random", [os.urandom, bytes], ids=["random", "no entropy at all"])
def test_ecdsa_nonce_never_comes_twice(provider: Any, random: Any) -> None:
    """CAUTH-13: r is the nonce's point; what two messages share it would give the key away."""
    signer = software_key(pem(private("p256")))
    scheme = signer.signature_schemes[0]
    asked = [request(scheme, b"%d" % n, *engine) for n in range(64) for engine in ((), (provider, random))]
    seen = {utils.decode_dss_signature(signer.sign(one))[0] for one in asked}
    assert len(seen) == 128


def test_p256_key_signs_in_the_connections_engine_with_the_connections_entropy() -> None:
    """The same entropy gives the same signature, other entropy another: `cryptography` would never repeat one."""
    require.native()
    engine = by_name("native")
    signer = software_key(pem(private("p256")))

    def signature(entropy: Any) -> bytes:
        return signer.sign(request(signer.signature_schemes[0], b"a message", engine, entropy))

    assert signature(bytes) == signature(bytes) != signature(lambda size: b"\1" * size)


def test_each_engine_signs_with_its_own_key(provider: Any) -> None:
    """Two of one class may keep keys in different places: an identity may belong to several configurations."""

    class Engine:
        def __init__(self) -> None:
            self.taken = self.signed = 0

        def signing_key(self, scalar: bytearray) -> Any:
            self.taken += 1
            return self

        def sign(self, digest: bytes, random: bytes) -> bytes:
            self.signed += 1
            return b"a signature"

    signer, engines = software_key(pem(private("p256"))), (Engine(), Engine())
    for engine in (engines[0], engines[0], engines[1]):
        assert signer.sign(request(signer.signature_schemes[0], b"a message", engine, os.urandom)) == b"a signature"
    assert [(engine.taken, engine.signed) for engine in engines] == [(1, 2), (1, 1)]
    asked = request(signer.signature_schemes[0], b"a message", provider, os.urandom)
    provider.verify(asked.scheme, signer.public_key, signer.sign(asked), asked.message)


def test_schemes_stand_in_our_order_of_preference() -> None:
    """PSS before PKCS #1, the curve's own hash first."""
    assert [scheme.name for scheme in software_key(pem(private("rsa"))).signature_schemes] == [
        "RSA_PSS_RSAE_SHA256",
        "RSA_PKCS1_SHA256",
        "RSA_PSS_RSAE_SHA384",
        "RSA_PKCS1_SHA384",
        "RSA_PSS_RSAE_SHA512",
        "RSA_PKCS1_SHA512",
    ]
    p256, p384 = (software_key(pem(private(kind))).signature_schemes for kind in ("p256", "p384"))
    assert p256[0] is SignatureScheme.ECDSA_SECP256R1_SHA256
    assert p384[0] is SignatureScheme.ECDSA_SECP384R1_SHA384
    assert set(p256) == set(p384)
    assert len(p256) == 3


def test_key_is_found_beside_other_blocks() -> None:
    """`openssl ecparam -genkey` writes parameters first, and many files hold certificates too."""
    parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    assert software_key(parameters + pem(private("p256"), TRADITIONAL)).public_key


@pytest.mark.parametrize(
    ("data", "password"),
    [
        (b"", None),
        (b"garbage", None),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", None),
        (b"-----BEGIN PRIVATE KEY-----\nMIGHAgEA", None),
        ("text", None),
    ],
    ids=["empty", "garbage", "not-der", "cut", "not-bytes"],
)
def test_what_is_no_key_is_a_configuration_error(data: Any, password: bytes | None) -> None:
    with pytest.raises(ConfigurationError, match="the private key cannot be read"):
        software_key(data, password)


@pytest.mark.parametrize("password", [None, b"wrong"])
def test_encrypted_key_with_no_or_the_wrong_password_is_a_configuration_error(password: bytes | None) -> None:
    with pytest.raises(ConfigurationError, match="the private key cannot be read"):
        software_key(pem(private("p256"), PKCS8, PASSWORD), password)


def test_password_for_a_key_that_has_none_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="the private key cannot be read"):
        software_key(pem(private("p256")), PASSWORD)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "make",
    [
        ed25519.Ed25519PrivateKey.generate,
        lambda: rsa.generate_private_key(65537, 1024),
        lambda: private("p521"),
        lambda: ec.generate_private_key(ec.SECP256K1()),
        lambda: dsa.generate_private_key(1024),
    ],
    ids=["ed25519", "rsa-1024", "p521", "secp256k1", "dsa"],
)
def test_key_of_a_kind_we_do_not_use_is_refused_with_what_we_do(make: Any) -> None:
    with pytest.raises(ConfigurationError, match="RSA from 2048 bits, or EC on P-256 or P-384"):
        software_key(pem(make()))


def test_nothing_secret_shows() -> None:
    """PROF-05."""
    key = private("p256")
    signer = software_key(pem(key))
    number = key.private_numbers().private_value
    assert str(number) not in repr(signer)
    assert f"{number:x}" not in repr(signer) + repr(vars(signer))
