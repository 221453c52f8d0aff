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
    return usual(spki) or _parse(spki)


def _parse(spki: bytes) -> PublicKey:
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


# Most keys are on P-256, or RSA of 2048, 3072 or 4096 bits with the exponent 65537. There the length, the bytes around
# the numbers and two bits say all there is to know: keys of one form are described by the same object.
_P256: Final = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
_RSA_HEADS: Final = {
    294: bytes.fromhex("30820122300d06092a864886f70d01010105000382010f003082010a0282010100"),
    422: bytes.fromhex("308201a2300d06092a864886f70d01010105000382018f003082018a0282018100"),
    550: bytes.fromhex("30820222300d06092a864886f70d01010105000382020f003082020a0282020100"),
}
_RSA_TAIL: Final = bytes.fromhex("0203010001")


def usual(spki: bytes) -> PublicKey | None:
    """The same, if it is one of those; None if it has to be read."""
    size = len(spki)
    if size == len(_P256) + 64:
        return _ON_P256 if spki.startswith(_P256) else None
    head = _RSA_HEADS.get(size)
    # the modulus has its highest bit behind a zero byte, or it would be shorter
    if (
        head is None
        or not spki.startswith(head)
        or not spki.endswith(_RSA_TAIL)
        or spki[33] < 0x80
        or spki[-6] & 1 == 0
    ):
        return None
    return _WITH_RSA[size]


_ON_P256: Final = _parse(_P256 + bytes(64))
_WITH_RSA: Final = {
    size: _parse(head + b"\xff" * (size - len(head) - len(_RSA_TAIL)) + _RSA_TAIL) for size, head in _RSA_HEADS.items()
}
USUAL: Final = {id(key): key for key in (_ON_P256, *_WITH_RSA.values())}
"""All keys that `usual` gives, by identity, since comparing takes longer than judging; `signatures.check_usable` lets
each of them pass."""
