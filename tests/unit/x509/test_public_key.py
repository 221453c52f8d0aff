"""Keys: which kind, which size, which form (CERT-07 to CERT-11, CERT-14)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lighttls.errors import CertificateError, ChainReason
from lighttls.iana import NamedGroup
from lighttls.testing import der_writer as der
from lighttls.x509 import SignaturePolicy, public_key, signatures
from support.certificates import ec_key, rsa_key

RSA = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null())
EC = der.oid("1.2.840.10045.2.1")
P256 = der.oid("1.2.840.10045.3.1.7")


def rsa_spki(modulus: int, exponent: int, algorithm: bytes = RSA) -> bytes:
    key = der.sequence(integer(modulus), integer(exponent))
    return der.sequence(algorithm, der.bit_string(key))


def integer(value: int) -> bytes:
    return der.element(2, value.to_bytes((value.bit_length() // 8) + 1, "big", signed=True))


def ec_spki(parameters: bytes, point: bytes) -> bytes:
    return der.sequence(der.sequence(EC, parameters), der.bit_string(point))


ODD_2048 = (1 << 2047) | 1


def test_rsa_key_tells_size_and_exponent() -> None:
    key = public_key.parse(rsa_key("rsa").spki)
    assert (key.kind, key.bits, key.exponent, key.odd_modulus, key.curve) == ("rsa", 2048, 65537, True, None)


@pytest.mark.parametrize(
    ("curve", "group", "bits"),
    [
        (ec.SECP256R1, NamedGroup.SECP256R1, 256),
        (ec.SECP384R1, NamedGroup.SECP384R1, 384),
        (ec.SECP521R1, NamedGroup.SECP521R1, 521),
    ],
)
def test_ec_key_tells_its_named_curve(curve: type[ec.EllipticCurve], group: NamedGroup, bits: int) -> None:
    key = public_key.parse(ec_key("curves", curve).spki)
    assert (key.kind, key.curve, key.bits, key.uncompressed) == ("ec", group, bits, True)
    signatures.check_key(key, SignaturePolicy())


def test_rsa_key_without_parameters_is_read() -> None:
    """RFC 3279 §2.3.1 wants NULL; keys without exist."""
    assert public_key.parse(rsa_spki(ODD_2048, 3, der.sequence(der.oid("1.2.840.113549.1.1.1")))).bits == 2048


@pytest.mark.parametrize(
    ("spki", "reason"),
    [
        (rsa_spki(ODD_2048, 2), ChainReason.WEAK_KEY),
        (rsa_spki(ODD_2048, 1), ChainReason.WEAK_KEY),
        (rsa_spki(ODD_2048, 65536), ChainReason.WEAK_KEY),
        (rsa_spki(ODD_2048, (1 << 32) + 1), ChainReason.WEAK_KEY),
        (rsa_spki(1 << 2047, 3), ChainReason.WEAK_KEY),
        (rsa_spki((1 << 2046) | 1, 3), ChainReason.WEAK_KEY),
        (rsa_spki((1 << 8192) | 1, 3), ChainReason.WEAK_KEY),
        (ec_spki(der.sequence(der.integer(1)), b"\x04" + bytes(64)), ChainReason.WEAK_KEY),
        (ec_spki(P256, b"\x02" + bytes(32)), ChainReason.WEAK_KEY),
        (ec_spki(P256, b"\x04" + bytes(63)), ChainReason.WEAK_KEY),
        (ec_spki(der.oid("1.3.132.0.10"), b"\x04" + bytes(64)), ChainReason.UNSUPPORTED_ALGORITHM),  # secp256k1
        (ec_spki(der.null(), b"\x04" + bytes(64)), ChainReason.UNSUPPORTED_ALGORITHM),  # implicitCurve
        (
            rsa_spki(ODD_2048, 3, der.sequence(der.oid("1.2.840.113549.1.1.10"))),
            ChainReason.UNSUPPORTED_ALGORITHM,
        ),  # CERT-09
        (
            ed25519.Ed25519PrivateKey.generate()
            .public_key()
            .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            ChainReason.UNSUPPORTED_ALGORITHM,
        ),
    ],
)
def test_key_that_no_policy_allows_is_refused(spki: bytes, reason: ChainReason) -> None:
    with pytest.raises(CertificateError) as caught:
        signatures.check_key(public_key.parse(spki), SignaturePolicy())
    assert caught.value.reason is reason


@pytest.mark.parametrize("exponent", [3, 65537, (1 << 32) - 1])
def test_odd_exponent_from_3_to_32_bits_is_allowed(exponent: int) -> None:
    signatures.check_key(public_key.parse(rsa_spki(ODD_2048, exponent)), SignaturePolicy())


def test_rsa_1024_needs_the_anchors_permission() -> None:
    key = public_key.parse(rsa_spki((1 << 1023) | 1, 65537))
    with pytest.raises(CertificateError, match="1024 bits; at least 2048"):
        signatures.check_key(key, SignaturePolicy())
    signatures.check_key(key, SignaturePolicy(min_rsa_bits=1024))


@pytest.mark.parametrize(
    "spki",
    [
        b"",
        der.sequence(RSA),
        der.sequence(RSA, der.bit_string(b"")),
        der.sequence(RSA, der.bit_string(der.sequence(integer(5), integer(3)), 1)),
        der.sequence(RSA, der.bit_string(der.sequence(integer(5), integer(3))), der.null()),
        rsa_spki(-5, 3),
        rsa_spki(5, 0),
        rsa_spki(5, 3, der.sequence(der.oid("1.2.840.113549.1.1.1"), der.integer(1))),
        der.sequence(RSA, der.bit_string(der.sequence(integer(5), integer(3), integer(1)))),
        der.sequence(der.sequence(EC), der.bit_string(b"\x04" + bytes(64))),
        der.sequence(der.sequence(EC, P256, der.null()), der.bit_string(b"\x04" + bytes(64))),
    ],
)
def test_malformed_key_is_refused(spki: bytes) -> None:
    with pytest.raises(CertificateError) as caught:
        public_key.parse(spki)
    assert caught.value.reason is ChainReason.MALFORMED


def test_every_key_of_a_usual_form_is_usable() -> None:
    for key in public_key.FORMS.values():
        signatures.check_usable(key)
