"""Signature algorithms of certificates, and what a policy allows below an anchor.

An AlgorithmIdentifier is looked up by its whole DER, so that parameters are exactly the ones the
standard gives: NULL or nothing for RSA (RFC 4055 §5), nothing for ECDSA (RFC 5758 §3.2), and for
RSASSA-PSS one hash for both uses and a salt as long as it (RFC 4055 §3.1).
"""

from __future__ import annotations

from lighttls._struct import struct
from lighttls._typing import TYPE_CHECKING, Final
from lighttls.errors import CertificateError, ChainReason
from lighttls.iana import SignatureScheme
from lighttls.x509 import der
from lighttls.x509.policy import LARGEST_RSA_BITS, SignaturePolicy
from lighttls.x509.public_key import PublicKey

if TYPE_CHECKING:
    from lighttls.x509.certificate import Certificate

_NULL: Final = b"\x05\x00"


@struct
class Algorithm:
    """A signature algorithm that certificates use."""

    name: str
    scheme: SignatureScheme | None
    """What the crypto engine calls it; None if nobody may use it any more."""
    sha1: bool


def _sequence(*parts: bytes) -> bytes:
    body = b"".join(parts)
    return _element(0x30, body)


def _element(tag: int, body: bytes) -> bytes:
    return bytes((tag, len(body))) + body  # everything in this table is shorter than 128 bytes


def _oid(dotted: str) -> bytes:
    return _element(der.OID, der.oid(dotted))


def _pss_forms(hash_oid: str, salt: int) -> list[bytes]:
    """The encodings of one RSASSA-PSS parameter set: the hash's own parameters are NULL or absent."""
    forms = []
    for null in (_NULL, b""):
        hash_algorithm = _sequence(_oid(hash_oid), null)
        mask = _sequence(_oid("1.2.840.113549.1.1.8"), hash_algorithm)
        parameters = _sequence(
            _element(0xA0, hash_algorithm), _element(0xA1, mask), _element(0xA2, bytes((der.INTEGER, 1, salt)))
        )
        forms.append(_sequence(_oid("1.2.840.113549.1.1.10"), parameters))
    return forms


def _table() -> dict[bytes, Algorithm]:
    table = {}
    for oid, name, scheme in (
        ("1.2.840.113549.1.1.11", "sha256WithRSAEncryption", SignatureScheme.RSA_PKCS1_SHA256),
        ("1.2.840.113549.1.1.12", "sha384WithRSAEncryption", SignatureScheme.RSA_PKCS1_SHA384),
        ("1.2.840.113549.1.1.13", "sha512WithRSAEncryption", SignatureScheme.RSA_PKCS1_SHA512),
        ("1.2.840.113549.1.1.5", "sha1WithRSAEncryption", SignatureScheme.RSA_PKCS1_SHA1),
        ("1.3.14.3.2.29", "sha1WithRSAEncryption", SignatureScheme.RSA_PKCS1_SHA1),  # OIW's older number
        ("1.2.840.113549.1.1.4", "md5WithRSAEncryption", None),
        ("1.2.840.113549.1.1.3", "md4WithRSAEncryption", None),
        ("1.2.840.113549.1.1.2", "md2WithRSAEncryption", None),
    ):
        algorithm = Algorithm(name, scheme, scheme == SignatureScheme.RSA_PKCS1_SHA1)
        table[_sequence(_oid(oid), _NULL)] = algorithm
        table[_sequence(_oid(oid))] = algorithm
    for oid, name, scheme in (
        ("1.2.840.10045.4.3.2", "ecdsa-with-SHA256", SignatureScheme.ECDSA_SECP256R1_SHA256),
        ("1.2.840.10045.4.3.3", "ecdsa-with-SHA384", SignatureScheme.ECDSA_SECP384R1_SHA384),
        ("1.2.840.10045.4.3.4", "ecdsa-with-SHA512", SignatureScheme.ECDSA_SECP521R1_SHA512),
        ("1.2.840.10045.4.1", "ecdsa-with-SHA1", SignatureScheme.ECDSA_SHA1),
    ):
        table[_sequence(_oid(oid))] = Algorithm(name, scheme, scheme == SignatureScheme.ECDSA_SHA1)
    for oid, salt, name, scheme in (
        ("2.16.840.1.101.3.4.2.1", 32, "RSASSA-PSS with SHA-256", SignatureScheme.RSA_PSS_RSAE_SHA256),
        ("2.16.840.1.101.3.4.2.2", 48, "RSASSA-PSS with SHA-384", SignatureScheme.RSA_PSS_RSAE_SHA384),
        ("2.16.840.1.101.3.4.2.3", 64, "RSASSA-PSS with SHA-512", SignatureScheme.RSA_PSS_RSAE_SHA512),
    ):
        for form in _pss_forms(oid, salt):
            table[form] = Algorithm(name, scheme, False)
    return table


ALGORITHMS: Final = _table()
"""By AlgorithmIdentifier (DER)."""


def name_of(algorithm: bytes) -> str:
    """Name an AlgorithmIdentifier (DER) for people; its OID with dots if it is none of ours."""
    known = ALGORITHMS.get(algorithm)
    if known is not None:
        return known.name
    try:
        at = der.whole(algorithm, der.SEQUENCE, "signature algorithm")
        start, stop = der.expect(algorithm, at, len(algorithm), der.OID, "signature algorithm")
    except CertificateError:
        return "unreadable"
    return der.dotted(algorithm[start:stop])


_HASHES: Final = {4: "sha256", 5: "sha384", 6: "sha512"}


def signature_hash(certificate: Certificate) -> str | None:
    """The hash a certificate is signed with, as channel bindings take it: SHA-256 for MD5 and SHA-1 (RFC 5929 §4.1).

    None if the algorithm is none of ours.
    """
    known = ALGORITHMS.get(certificate.outer_algorithm)
    if known is None:
        return None
    scheme = known.scheme
    if scheme is None or known.sha1:
        return "sha256"
    return _HASHES[scheme & 0xFF if scheme >> 8 == 8 else scheme >> 8]


def signature_scheme(certificate: Certificate) -> SignatureScheme | None:
    """The scheme, as TLS numbers it, that a certificate is signed with; None if it is none of ours."""
    known = ALGORITHMS.get(certificate.outer_algorithm)
    return None if known is None else known.scheme


def check_usable(key: PublicKey) -> None:
    """Refuse a key that no policy permits, before any arithmetic is done with it.

    RSA: CERT-14 and RFC 9325 §4.5; the upper limits bound the work of one verification.
    EC: a named curve of ours and an uncompressed point (CERT-10, CERT-11).
    """
    if key.kind == "rsa":
        if key.bits > LARGEST_RSA_BITS:
            raise _weak_key(f"RSA key of {key.bits} bits; at most {LARGEST_RSA_BITS} are accepted")
        if not key.odd_modulus:
            raise _weak_key("RSA key with an even modulus")
        if key.exponent % 2 == 0 or not 3 <= key.exponent < 1 << 32:
            raise _weak_key("RSA public exponent is even, below 3 or not below 2^32")
    elif key.kind == "ec":
        if key.explicit_parameters:
            raise _weak_key("EC key with explicit curve parameters; only named curves are accepted")
        if key.curve is None:
            raise CertificateError("EC key on none of P-256, P-384, P-521", ChainReason.UNSUPPORTED_ALGORITHM)
        if not key.uncompressed:
            raise _weak_key("EC key whose point is not in uncompressed form")
    else:
        raise CertificateError(f"key of the kind {key.kind}", ChainReason.UNSUPPORTED_ALGORITHM)


def check_key(key: PublicKey, policy: SignaturePolicy) -> None:
    """Refuse a key that is not usable at all, or too small for the policy."""
    check_usable(key)
    check_strength(key, policy)


def check_strength(key: PublicKey, policy: SignaturePolicy) -> None:
    """Refuse a usable key that is too small for the policy of its anchor (CERT-14)."""
    if key.kind == "rsa" and key.bits < policy.min_rsa_bits:
        raise _weak_key(f"RSA key of {key.bits} bits; at least {policy.min_rsa_bits} are required")


def check_algorithm(algorithm: Algorithm, policy: SignaturePolicy) -> None:
    """Refuse signatures that the anchor's policy does not permit on certificates below it (CERT-16)."""
    if algorithm.scheme is None:
        raise CertificateError(f"signed with {algorithm.name}, which is broken", ChainReason.WEAK_SIGNATURE)
    if algorithm.sha1 and not policy.sha1:
        raise CertificateError(f"signed with {algorithm.name}", ChainReason.WEAK_SIGNATURE)


def _weak_key(text: str) -> CertificateError:
    return CertificateError(text, ChainReason.WEAK_KEY)
