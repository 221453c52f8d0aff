"""Chains for the hostile server, under one test root: good leaves, and leaves that no client may accept.

`cryptography`'s builder makes the good ones; `reissue` swaps the key or the extensions of a
certificate for bytes that the builder would refuse and signs it again.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hostile.keys import PrivateKey

HOST = "device.example"
_NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
_START, _END = _NOW - datetime.timedelta(days=2), _NOW + datetime.timedelta(days=3650)


class Credential(NamedTuple):
    """A chain (DER, leaf first, without the root) and the leaf's private key."""

    chain: tuple[bytes, ...]
    key: PrivateKey

    @property
    def key_type(self) -> str:
        return "rsa" if isinstance(self.key, rsa.RSAPrivateKey) else "ec"

    @property
    def pem(self) -> bytes:
        certificates = (x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in self.chain)
        return b"".join(certificates)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@cache
def key(kind: str) -> PrivateKey:
    """A key by name, made once: "p256", "p384", "p521", "rsa2048", "rsa1024"; a suffix "/x" makes another."""
    kind = kind.partition("/")[0]
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:]))
    curves: dict[str, ec.EllipticCurve] = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}
    return ec.generate_private_key(curves[kind])


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _authority(name: str, kind: str, issuer: str, issuer_kind: str, *more: x509.ExtensionType) -> bytes:
    builder = _builder(name, kind, issuer)
    for extension in more:
        builder = builder.add_extension(extension, False)
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    builder = builder.add_extension(x509.BasicConstraints(True, None), True).add_extension(usage, True)
    return builder.sign(key(issuer_kind), hashes.SHA256()).public_bytes(Encoding.DER)


def _builder(name: str, kind: str, issuer: str) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key(kind).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_START)
        .not_valid_after(_END)
    )


@cache
def root() -> bytes:
    """The trust anchor (DER)."""
    return _authority("test root", "p256/root", "test root", "p256/root")


@cache
def intermediate() -> bytes:
    return _authority("test intermediate", "p256/intermediate", "test root", "p256/root")


_ISSUER = "p256/intermediate"
DEMANDING = "test intermediate that wants a status"


@cache
def demanding_intermediate() -> bytes:
    """One whose TLS feature list wants status_request and ALPN of all below."""
    return _authority(DEMANDING, _ISSUER, "test root", "p256/root", tls_feature(5, 16))


SERVER_AUTH, CLIENT_AUTH = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


@cache
def leaf(
    kind: str = "p256",
    *,
    host: str = HOST,
    digital_signature: bool = True,
    purposes: tuple[x509.ObjectIdentifier, ...] = (SERVER_AUTH,),
    unknown: bool | None = None,
    features: tuple[int | None, ...] = (),
    authority: str = "test intermediate",
) -> Credential:
    """A leaf under the intermediate, for the host by default.

    unknown: an extension of ours, critical or not. features: a TLS feature list (RFC 7633). authority: by whom.
    """
    usage = x509.KeyUsage(digital_signature, False, not digital_signature, False, False, False, False, False, False)
    builder = (
        _builder(host, kind, authority)
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), False)
        .add_extension(usage, True)
        .add_extension(x509.ExtendedKeyUsage(purposes), False)
    )
    if unknown is not None:
        private = x509.ObjectIdentifier("2.25.1")
        builder = builder.add_extension(x509.UnrecognizedExtension(private, b"\x05\x00"), unknown)
    if features:
        builder = builder.add_extension(tls_feature(*features), False)
    certificate = builder.sign(key(_ISSUER), hashes.SHA256())
    above = intermediate() if authority == "test intermediate" else demanding_intermediate()
    return Credential((certificate.public_bytes(Encoding.DER), above), key(kind))


@cache
def self_signed() -> Credential:
    """A server that is its own issuer."""
    kind = "p256/self-signed"
    builder = _builder(HOST, kind, HOST).add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), False)
    return Credential((builder.sign(key(kind), hashes.SHA256()).public_bytes(Encoding.DER),), key(kind))


def tls_feature(*numbers: int | None) -> x509.UnrecognizedExtension:
    """RFC 7633 §4; None stands for what is no number."""
    value = der(0x30, *(b"\x05\x00" if number is None else _integer(number) for number in numbers))
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.5.5.7.1.24"), value)


@cache
def under_a_leaf() -> Credential:
    """A leaf signed by another leaf, which is no authority."""
    issuer = leaf("p256/pretender", host="pretender.example")
    builder = _builder(HOST, "p256", "pretender.example")
    certificate = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), False).sign(
        issuer.key, hashes.SHA256()
    )
    return Credential((certificate.public_bytes(Encoding.DER), *issuer.chain), key("p256"))


@cache
def device(kind: str = "p256/device") -> Credential:
    """A client's chain and key."""
    return leaf(kind, host="device-0001.example", purposes=(CLIENT_AUTH,))


# --- certificates that the builder would not make --------------------------------------------


def der(tag: int, *parts: bytes) -> bytes:
    """One DER value (X.690 §8.1)."""
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    width = (size.bit_length() + 7) // 8
    return bytes([tag, 0x80 | width]) + size.to_bytes(width, "big") + content


def children(value: bytes) -> list[bytes]:
    """The values inside one constructed DER value, each with its header."""
    content = value[_header(value) :]
    found = []
    while content:
        end = _header(content) + _size(content)
        found.append(content[:end])
        content = content[end:]
    return found


def _size(value: bytes) -> int:
    first = value[1]
    return first if first < 0x80 else int.from_bytes(value[2 : 2 + (first & 0x7F)], "big")


def _header(value: bytes) -> int:
    return 2 if value[1] < 0x80 else 2 + (value[1] & 0x7F)


# Places in a version 3 TBSCertificate (RFC 5280 §4.1).
_SIGNATURE, _SPKI = 2, 6

# AlgorithmIdentifiers (RFC 3279 §2.2, RFC 8410 §3).
ECDSA_SHA384 = bytes.fromhex("300a06082a8648ce3d040303")
ECDSA_SHA1 = bytes.fromhex("300906072a8648ce3d0401")
RSA_SHA256 = bytes.fromhex("300d06092a864886f70d01010b0500")
MD5_RSA = bytes.fromhex("300d06092a864886f70d0101040500")
ED25519 = bytes.fromhex("300506032b6570")


def reissue(
    credential: Credential,
    *,
    spki: bytes | None = None,
    signing_key: PrivateKey | None = None,
    algorithm: bytes | None = None,
    digest: hashes.HashAlgorithm | None = None,
) -> Credential:
    """The same leaf with another subjectPublicKeyInfo or signature, signed by the intermediate as if it were fine."""
    tbs, usual, _ = children(credential.chain[0])
    fields = children(tbs)
    fields[_SIGNATURE] = algorithm or usual
    fields[_SPKI] = spki or fields[_SPKI]
    tbs = der(0x30, *fields)
    signer = key(_ISSUER)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    signature = signer.sign(tbs, ec.ECDSA(digest or hashes.SHA256()))
    certificate = der(0x30, tbs, algorithm or usual, der(0x03, b"\x00", signature))
    return Credential((certificate, *credential.chain[1:]), signing_key or credential.key)


_ID_EC = bytes.fromhex("06072a8648ce3d0201")
_ID_RSA = bytes.fromhex("06092a864886f70d010101")
_ID_RSA_PSS = bytes.fromhex("06092a864886f70d01010a")
_CURVE_P256 = bytes.fromhex("06082a8648ce3d030107")


def ec_spki(point: bytes, parameters: bytes = _CURVE_P256) -> bytes:
    """SubjectPublicKeyInfo of an EC key (RFC 5480 §2), whatever the point and parameters are."""
    return der(0x30, der(0x30, _ID_EC, parameters), der(0x03, b"\x00", point))


def spki(kind: str = "p256") -> bytes:
    """SubjectPublicKeyInfo of a named key, as it is."""
    return key(kind).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def rsa_spki(modulus: int, exponent: int, *, pss: bool = False) -> bytes:
    """SubjectPublicKeyInfo of an RSA key (RFC 3279 §2.3.1, RFC 4055 §1.2)."""
    algorithm = der(0x30, _ID_RSA_PSS) if pss else der(0x30, _ID_RSA, b"\x05\x00")
    numbers = der(0x30, _integer(modulus), _integer(exponent))
    return der(0x30, algorithm, der(0x03, b"\x00", numbers))


def _integer(value: int) -> bytes:
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def p256_point(kind: str = "p256") -> bytes:
    """The uncompressed public point of a named key."""
    return key(kind).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def explicit_p256() -> bytes:
    """P-256 as explicit ECParameters (RFC 3279 §2.3.5), which TLS forbids (RFC 8422 §5.3)."""
    p = 2**256 - 2**224 + 2**192 + 2**96 - 1
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    g = bytes.fromhex(
        "04"
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    )
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    field = der(0x30, bytes.fromhex("06072a8648ce3d0101"), _integer(p))
    curve = der(0x30, der(0x04, (p - 3).to_bytes(32, "big")), der(0x04, b.to_bytes(32, "big")))
    return der(0x30, _integer(1), field, curve, der(0x04, g), _integer(order), _integer(1))


def distinguished_names(certificates: Sequence[bytes]) -> list[bytes]:
    """The subjects (DER), for a CertificateRequest."""
    return [x509.load_der_x509_certificate(value).subject.public_bytes() for value in certificates]
