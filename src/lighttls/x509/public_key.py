"""SubjectPublicKeyInfo: what kind of key it is, and how strong (RFC 3279, 5480, 4055)."""

from __future__ import annotations

from lighttls._struct import struct
from lighttls._typing import Final
from lighttls.iana import NamedGroup
from lighttls.x509 import der

_RSA: Final = der.oid("1.2.840.113549.1.1.1")
_EC: Final = der.oid("1.2.840.10045.2.1")
_OTHER: Final = {
    der.oid("1.2.840.113549.1.1.10"): "rsa-pss",
    der.oid("1.3.101.112"): "ed25519",
    der.oid("1.3.101.113"): "ed448",
    der.oid("1.2.840.10040.4.1"): "dsa",
}
_NAMED: Final = frozenset(("rsa", "ec", *_OTHER.values()))
_CURVES: Final = {
    der.oid("1.2.840.10045.3.1.7"): (NamedGroup.SECP256R1, 256),
    der.oid("1.3.132.0.34"): (NamedGroup.SECP384R1, 384),
    der.oid("1.3.132.0.35"): (NamedGroup.SECP521R1, 521),
}


@struct
class PublicKey:
    """A public key's kind and size; the key itself stays DER, for the crypto engine."""

    kind: str
    """ "rsa" (rsaEncryption), "ec", or the name of what we cannot use: "rsa-pss", "ed25519", …"""
    bits: int
    """Size of an RSA modulus or of a named curve; 0 where unknown."""
    curve: NamedGroup | None
    """The named curve of an "ec" key, None if it is none of ours."""
    explicit_parameters: bool
    """An "ec" key that spells its curve out instead of naming it (forbidden by RFC 5480 2.1.1)."""
    uncompressed: bool
    """An "ec" key whose point has the form 04 X Y and the curve's length."""
    exponent: int
    """Public exponent of an "rsa" key."""
    odd_modulus: bool

    @property
    def known(self) -> bool:
        """Whether its kind has a name here, and is not just an OID."""
        return self.kind in _NAMED


def parse(spki: bytes) -> PublicKey:
    """Read a SubjectPublicKeyInfo. Raises CertificateError if it is malformed."""
    at = der.whole(spki, der.SEQUENCE, "public key")
    algorithm_at, algorithm_stop = der.expect(spki, at, len(spki), der.SEQUENCE, "public key algorithm")
    oid_at, oid_stop = der.expect(spki, algorithm_at, algorithm_stop, der.OID, "public key algorithm")
    bits_at, bits_stop = der.expect(spki, algorithm_stop, len(spki), der.BIT_STRING, "public key")
    if bits_stop != len(spki):
        raise der.malformed("public key: bytes after the end")
    key = der.octet_aligned_bits(spki, bits_at, bits_stop, "public key")
    algorithm = spki[oid_at:oid_stop]
    if algorithm == _RSA:
        # RFC 3279 2.3.1 wants NULL here; keys without parameters exist
        if spki[oid_stop:algorithm_stop] not in (b"\x05\x00", b""):
            raise der.malformed("RSA public key: parameters are not NULL")
        return _rsa(key)
    if algorithm == _EC:
        tag, at, stop = der.read(spki, oid_stop, algorithm_stop)
        if stop != algorithm_stop:
            raise der.malformed("EC public key: bytes after the parameters")
        if tag != der.OID:
            return PublicKey("ec", 0, None, tag == der.SEQUENCE, False, 0, False)
        curve, bits = _CURVES.get(spki[at:stop], (None, 0))
        uncompressed = len(key) == 1 + 2 * ((bits + 7) // 8) and key[0] == 4
        return PublicKey("ec", bits, curve, False, uncompressed, 0, False)
    return PublicKey(_OTHER.get(algorithm) or der.dotted(algorithm), 0, None, False, False, 0, False)


def _rsa(key: bytes) -> PublicKey:
    at = der.whole(key, der.SEQUENCE, "RSA public key")
    at, stop = der.expect(key, at, len(key), der.INTEGER, "RSA modulus")
    modulus = der.integer(key, at, stop, "RSA modulus")
    at, stop = der.expect(key, stop, len(key), der.INTEGER, "RSA exponent")
    exponent = der.integer(key, at, stop, "RSA exponent")
    if stop != len(key) or modulus <= 0 or exponent <= 0:
        raise der.malformed("RSA public key: not two positive numbers")
    return PublicKey("rsa", modulus.bit_length(), None, False, False, exponent, modulus & 1 == 1)


FORMS: Final = {
    256: PublicKey("ec", 256, NamedGroup.SECP256R1, False, True, 0, False),
    2048: PublicKey("rsa", 2048, None, False, False, 65537, True),
    3072: PublicKey("rsa", 3072, None, False, False, 65537, True),
    4096: PublicKey("rsa", 4096, None, False, False, 65537, True),
}
"""What nearly all keys are, by the numbers in which the native engine tells of them."""
