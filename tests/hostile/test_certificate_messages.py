"""Certificate and CertificateRequest: lengths, counts, and keys that do not fit (CERT, CR, SHD)."""

from __future__ import annotations

import time

import pytest

from hostile import certificates as pki
from hostile import wire
from hostile.cases import Refused, Tolerated, both_splits
from hostile.certificates import Credential


def certificate(body: bytes):
    """Replace the Certificate message's body."""
    return {"certificate": lambda _: wire.handshake(wire.CERTIFICATE, body)}


def chain(*ders: bytes):
    """Replace the Certificate message's list."""
    return {"certificate": lambda _: wire.certificate(ders)}


def request(body: bytes) -> bytes:
    return wire.handshake(wire.CERTIFICATE_REQUEST, body)


def rsa_leaf(modulus_bits: int, exponent: int, *, pss: bool = False) -> Credential:
    """A leaf that claims an RSA key of this size and exponent."""
    return pki.reissue(pki.leaf("rsa2048"), spki=pki.rsa_spki((1 << modulus_bits) - 1, exponent, pss=pss))


def rsa_pss_leaf() -> Credential:
    """The good RSA leaf, its key marked id-RSASSA-PSS."""
    numbers = pki.leaf("rsa2048").key.public_key().public_numbers()
    return pki.reissue(pki.leaf("rsa2048"), spki=pki.rsa_spki(numbers.n, numbers.e, pss=True))


def ec_leaf(point: bytes, *parameters: bytes) -> Credential:
    """The good EC leaf with another public point, or other curve parameters."""
    return pki.reissue(pki.leaf(), spki=pki.ec_spki(point, *parameters))


def forged(credential: Credential) -> Credential:
    """The last byte of the leaf's signature flipped."""
    leaf = credential.chain[0]
    return Credential((leaf[:-1] + bytes([leaf[-1] ^ 1]), *credential.chain[1:]), credential.key)


def compressed(point: bytes) -> bytes:
    return bytes([2 + (point[-1] & 1)]) + point[1:33]


def off_the_curve(point: bytes) -> bytes:
    return point[:-1] + bytes([point[-1] ^ 1])


LIST = b"".join(wire.vec24(der) for der in pki.leaf().chain)

SYNTAX = [
    Refused("CERT-01", "no list", wire.DECODE_ERROR, edit=certificate(b"")),
    Refused("CERT-01", "list length cut", wire.DECODE_ERROR, edit=certificate(b"\x00\x00")),
    Refused("CERT-01", "list overruns", wire.DECODE_ERROR, edit=certificate(wire.vec24(LIST, len(LIST) + 1))),
    Refused("CERT-01", "entry overruns", wire.DECODE_ERROR, edit=certificate(wire.vec24(LIST + b"\x00\x00\x05abcd"))),
    Refused("CERT-01", "entry length cut", wire.DECODE_ERROR, edit=certificate(wire.vec24(LIST + b"\x00\x00"))),
    Refused("CERT-02", "empty list", wire.DECODE_ERROR, edit=certificate(b"\x00\x00\x00")),
    Refused("CERT-03", "empty leaf", wire.DECODE_ERROR, edit=chain(b"")),
    Refused("CERT-03", "empty entry last", wire.DECODE_ERROR, edit=chain(*pki.leaf().chain, b"")),
    Refused(
        "CERT-04",
        "byte after the list",
        wire.DECODE_ERROR,
        edit={"certificate": lambda m: wire.handshake(11, m[4:] + b"\x00")},
    ),
    Refused("CERT-04", "list too short", wire.DECODE_ERROR, edit=certificate(wire.vec24(LIST, len(LIST) - 1))),
    Refused(
        "CERT-05", "17 certificates", wire.BAD_CERTIFICATE, edit=chain(pki.leaf().chain[0], *[pki.intermediate()] * 16)
    ),
    Refused("SHD-01", "body", wire.DECODE_ERROR, edit={"server_hello_done": lambda m: wire.handshake(14, b"\x00")}),
    Refused("CR-02", "no types", wire.DECODE_ERROR, request=wire.certificate_request(types=b"")),
    Refused("CR-02", "types overrun", wire.DECODE_ERROR, request=request(b"\x05\x01\x40")),
    Refused("CR-03", "no schemes", wire.DECODE_ERROR, request=wire.certificate_request(schemes=())),
    Refused(
        "CR-03",
        "odd schemes",
        wire.DECODE_ERROR,
        request=request(b"\x01\x40" + wire.vec16(b"\x04\x03\x05") + b"\x00\x00"),
    ),
    Refused(
        "CR-03",
        "schemes overrun",
        wire.DECODE_ERROR,
        request=request(b"\x01\x40" + wire.vec16(b"\x04\x03", 9) + b"\x00\x00"),
    ),
    Refused("CR-03", "schemes missing", wire.DECODE_ERROR, request=request(b"\x01\x40")),
    Refused(
        "HS-04",
        "list of 16-bit numbers of one byte",
        wire.DECODE_ERROR,
        request=request(b"\x01\x40" + wire.vec16(b"\x04") + b"\x00\x00"),
    ),
    Refused("CR-04", "empty name", wire.DECODE_ERROR, request=wire.certificate_request(authorities=[b""])),
    Refused(
        "CR-04",
        "name overruns",
        wire.DECODE_ERROR,
        request=request(b"\x01\x40\x00\x02\x04\x03" + wire.vec16(b"\x00\x05abc")),
    ),
    Refused(
        "CR-04",
        "name length cut",
        wire.DECODE_ERROR,
        request=request(b"\x01\x40\x00\x02\x04\x03" + wire.vec16(b"\x00")),
    ),
    Refused(
        "CR-05", "byte after the names", wire.DECODE_ERROR, request=request(b"\x01\x40\x00\x02\x04\x03\x00\x00\x00")
    ),
    Refused("CR-05", "names missing", wire.DECODE_ERROR, request=request(b"\x01\x40\x00\x02\x04\x03")),
    Refused("CR-05", "empty body", wire.DECODE_ERROR, request=request(b"")),
]

YEAR = 365 * 86_400.0
ECDSA, RSA = 0xC02B, 0xC02F

KEYS = [
    *(
        Refused("CERT-06", what, wire.DECODE_ERROR, edit=chain(der, pki.intermediate()))
        for what, der in (
            ("leaf is text", b"not a certificate"),
            ("leaf is an empty sequence", b"\x30\x00"),
            ("leaf is cut", pki.leaf().chain[0][:-1]),
            ("leaf has a byte too many", pki.leaf().chain[0] + b"\x00"),
        )
    ),
    Refused("CERT-07", "ec leaf for ecdhe_rsa", wire.ILLEGAL_PARAMETER, leaf="p256", suite=RSA),
    Refused("CERT-08", "rsa leaf for ecdhe_ecdsa", wire.ILLEGAL_PARAMETER, leaf="rsa2048", suite=ECDSA),
    Refused("CERT-09", "rsa-pss key", wire.ILLEGAL_PARAMETER, leaf=rsa_pss_leaf),
    Refused("CERT-10", "p521 leaf, not offered", wire.ILLEGAL_PARAMETER, leaf="p521", scheme=0x0403),
    Refused("CERT-10", "p384 leaf, not offered", wire.ILLEGAL_PARAMETER, leaf="p384", settings={"groups": (29, 23)}),
    Refused(
        "CERT-10",
        "explicit parameters",
        wire.ILLEGAL_PARAMETER,
        leaf=lambda: ec_leaf(pki.p256_point(), pki.explicit_p256()),
    ),
    Refused(
        "CERT-13",
        "purpose clientAuth",
        wire.UNSUPPORTED_CERTIFICATE,
        leaf=lambda: pki.leaf(purposes=(pki.CLIENT_AUTH,)),
    ),
    Refused("CERT-14", "rsa of 1024 bits", wire.BAD_CERTIFICATE, leaf="rsa1024"),
    Refused("CERT-14", "rsa of 16384 bits", wire.BAD_CERTIFICATE, leaf=lambda: rsa_leaf(16384, 65537)),
    *(
        Refused("CERT-14", f"exponent {e}", wire.BAD_CERTIFICATE, leaf=lambda e=e: rsa_leaf(2048, e))
        for e in (1, 65536)
    ),
    Refused("CERT-15", "intermediate missing", wire.UNKNOWN_CA, edit=chain(pki.leaf().chain[0])),
    Refused("CERT-17", "wrong signature", wire.BAD_CERTIFICATE, leaf=lambda: forged(pki.leaf())),
    Refused("CERT-18", "expired", wire.CERTIFICATE_EXPIRED, settings={"clock": lambda: time.time() + 20 * YEAR}),
    Refused("CERT-18", "not yet valid", wire.CERTIFICATE_EXPIRED, settings={"clock": lambda: time.time() - YEAR}),
    Refused("CERT-20", "other host", wire.BAD_CERTIFICATE, leaf=lambda: pki.leaf(host="other.example")),
]

KNOWN_FAULTS = [
    Refused("CERT-06", "key is no key", wire.DECODE_ERROR, leaf=lambda: pki.reissue(pki.leaf(), spki=b"\x30\x00")),
    *(
        Refused("CERT-11", what, wire.ILLEGAL_PARAMETER, leaf=leaf)
        for what, leaf in (
            ("compressed point", lambda: ec_leaf(compressed(pki.p256_point()))),
            ("point too short", lambda: ec_leaf(pki.p256_point()[:-1])),
            ("point off its curve", lambda: ec_leaf(off_the_curve(pki.p256_point()))),
        )
    ),
    Refused(
        "CERT-12",
        "usage without digitalSignature",
        wire.BAD_CERTIFICATE,
        leaf=lambda: pki.leaf(digital_signature=False),
    ),
]

NAMES = pki.distinguished_names([pki.root(), pki.intermediate()])

TOLERATED = [
    Tolerated("CERT-05", "16 certificates", edit=chain(pki.leaf().chain[0], *[pki.intermediate()] * 15)),
    Tolerated("CERT-24", "root included", edit=chain(*pki.leaf().chain, pki.root())),
    Tolerated(
        "CERT-24",
        "unrelated extra first after leaf",
        edit=chain(pki.leaf().chain[0], pki.device().chain[0], pki.intermediate()),
    ),
    Tolerated("CERT-24", "leaf twice", edit=chain(pki.leaf().chain[0], *pki.leaf().chain)),
    *(Tolerated("CERT-10", f"{leaf} leaf", leaf=leaf) for leaf in ("p256", "p384", "rsa2048")),
    Tolerated(
        "CR-06",
        "unknown types and schemes",
        request=wire.certificate_request(b"\x0a\x40\xfa", (0x0A0A, 0x0403, 0xFAFA)),
    ),
    Tolerated("CR-06", "sha-1 schemes listed", request=wire.certificate_request(schemes=(0x0201, 0x0203, 0x0403))),
    Tolerated("CR-07", "no authorities", request=True),
    Tolerated("CR-07", "some authorities", request=wire.certificate_request(authorities=NAMES)),
    Tolerated("CR-08", "names that do not parse", request=wire.certificate_request(authorities=[b"x", b"\xff" * 40])),
    Tolerated("CR-09", "nothing we can serve", request=wire.certificate_request(b"\x02", (0x0A0A,))),
]


@both_splits
@pytest.mark.parametrize("case", SYNTAX + KEYS + KNOWN_FAULTS, ids=str)
def test_certificate_or_request_is_refused(case, provider, split):
    case.check(provider, split)


@both_splits
@pytest.mark.parametrize("case", TOLERATED, ids=str)
def test_odd_certificate_or_request_is_borne(case, provider, split):
    case.check(provider, split)


def test_request_is_handed_on_in_info(provider):
    """CR-06, CR-08: what the server asked for, as it said it."""
    odd = [*NAMES, b"\xff"]
    message = wire.certificate_request(b"\x0a\x40", authorities=odd)
    info = Tolerated("CR-08", "", request=message).check(provider, None).client.info
    assert list(info.requested_certificate_types) == [0x0A, 0x40]
    assert list(info.requested_ca_names) == odd
    assert info.client_certificate_sent is False
