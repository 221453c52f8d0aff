"""Certificates for the tests of the x509 room, each field as wrong as a test wants it.

`make` writes the DER and signs it; every part can be replaced. Keys are made once and shared by
name. For certificates as they should be, `lighttls.testing.pki` is the better tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from lighttls.testing import der_writer as der

BASIC_CONSTRAINTS = "2.5.29.19"
KEY_USAGE = "2.5.29.15"
EXTENDED_KEY_USAGE = "2.5.29.37"
SUBJECT_ALT_NAME = "2.5.29.17"
NAME_CONSTRAINTS = "2.5.29.30"
AUTHORITY_KEY_IDENTIFIER = "2.5.29.35"
SUBJECT_KEY_IDENTIFIER = "2.5.29.14"
CERTIFICATE_POLICIES = "2.5.29.32"
POLICY_MAPPINGS = "2.5.29.33"
POLICY_CONSTRAINTS = "2.5.29.36"
INHIBIT_ANY_POLICY = "2.5.29.54"
AUTHORITY_INFO_ACCESS = "1.3.6.1.5.5.7.1.1"

NOW = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())
DAY = 86400

_HASHES = {"sha1": hashes.SHA1(), "md5": hashes.MD5(), "sha256": hashes.SHA256(), "sha384": hashes.SHA384()}
ALGORITHMS = {
    ("ec", "sha1"): der.sequence(der.oid("1.2.840.10045.4.1")),
    ("ec", "sha256"): der.sequence(der.oid("1.2.840.10045.4.3.2")),
    ("ec", "sha384"): der.sequence(der.oid("1.2.840.10045.4.3.3")),
    ("rsa", "md5"): der.sequence(der.oid("1.2.840.113549.1.1.4"), der.null()),
    ("rsa", "sha1"): der.sequence(der.oid("1.2.840.113549.1.1.5"), der.null()),
    ("rsa", "sha256"): der.sequence(der.oid("1.2.840.113549.1.1.11"), der.null()),
}

Extension = tuple[str, bool, bytes]


@dataclass(frozen=True)
class Key:
    """A private key, and the SubjectPublicKeyInfo to put into certificates."""

    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
    spki: bytes

    @property
    def kind(self) -> str:
        return "rsa" if isinstance(self.private, rsa.RSAPrivateKey) else "ec"

    def sign(self, data: bytes, hash_name: str, pss: bool = False) -> bytes:
        algorithm = _HASHES[hash_name]
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            return self.private.sign(data, ec.ECDSA(algorithm))
        if pss:
            return self.private.sign(data, padding.PSS(padding.MGF1(algorithm), algorithm.digest_size), algorithm)
        return self.private.sign(data, padding.PKCS1v15(), algorithm)


@cache
def ec_key(label: str, curve: type[ec.EllipticCurve] = ec.SECP256R1) -> Key:
    """The P-256 key (or other) that all tests know by this label."""
    return _key(ec.generate_private_key(curve()))


@cache
def rsa_key(label: str, bits: int = 2048) -> Key:
    return _key(rsa.generate_private_key(65537, bits))


def _key(private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> Key:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return Key(private, private.public_key().public_bytes(serialization.Encoding.DER, form))


@dataclass(frozen=True)
class Made:
    """A certificate and what is needed to issue others with it."""

    der: bytes
    subject: bytes
    key: Key


def name(common_name: str, *more: tuple[str, bytes]) -> bytes:
    """A Name of `more` (type, string element) and then a common name, if it is not empty."""
    pairs = [*more, *([("2.5.4.3", der.utf8_string(common_name))] if common_name else [])]
    return der.sequence(*(der.set_of(der.sequence(der.oid(kind), value)) for kind, value in pairs))


def time(seconds: int) -> bytes:
    """UTCTime to 2049, GeneralizedTime from then on."""
    moment = datetime.fromtimestamp(seconds, UTC)
    if 1950 <= moment.year < 2050:
        return der.element(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())
    return der.element(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode())


def ca(path_length: int | None = None) -> list[Extension]:
    """What an authority has."""
    length = [] if path_length is None else [der.integer(path_length)]
    return [
        (BASIC_CONSTRAINTS, True, der.sequence(der.boolean(True), *length)),
        (KEY_USAGE, True, der.named_bits(5, 6)),
    ]


def host(*names: str | bytes) -> list[Extension]:
    """What a server has: subjectAltName with DNS names (text) and addresses (bytes)."""
    entries = (der.implicit(2, n.encode()) if isinstance(n, str) else der.implicit(7, n) for n in names)
    return [(SUBJECT_ALT_NAME, False, der.sequence(*entries))]


def constraints(permitted: Sequence[bytes] = (), excluded: Sequence[bytes] = ()) -> Extension:
    """nameConstraints of GeneralNames."""
    lists = [
        der.explicit(number, b"".join(der.sequence(base) for base in bases))
        for number, bases in enumerate((permitted, excluded))
        if bases
    ]
    return (NAME_CONSTRAINTS, True, der.sequence(*lists))


def make(
    subject: str | bytes,
    key: Key,
    issuer: Made | None = None,
    *,
    extensions: Sequence[Extension] = (),
    hash_name: str = "sha256",
    not_before: int = NOW - DAY,
    not_after: int = NOW + DAY,
    version: bytes = der.explicit(0, der.integer(2)),
    serial: bytes = der.integer(1),
    issuer_name: bytes | None = None,
    inner: bytes | None = None,
    outer: bytes | None = None,
    spki: bytes | None = None,
    pss: bool = False,
    tail: bytes | None = None,
    signature: bytes | None = None,
    more_dates: bytes = b"",
    validity: bytes | None = None,
    after: bytes = b"",
) -> Made:
    """One certificate, signed by `issuer` or by itself. `tail` replaces what follows the key; `after` follows all."""
    signer = key if issuer is None else issuer.key
    subject_name = name(subject) if isinstance(subject, str) else subject
    algorithm = ALGORITHMS[signer.kind, hash_name]
    if tail is None:
        listed = (
            der.sequence(der.oid(oid), *([der.boolean(True)] if critical else []), der.octet_string(value))
            for oid, critical, value in extensions
        )
        tail = der.explicit(3, der.sequence(*listed)) if extensions else b""
    tbs = der.sequence(
        version,
        serial,
        algorithm if inner is None else inner,
        issuer_name if issuer_name is not None else (subject_name if issuer is None else issuer.subject),
        der.sequence(time(not_before), time(not_after), more_dates) if validity is None else validity,
        subject_name,
        key.spki if spki is None else spki,
        tail,
    )
    signed = signer.sign(tbs, hash_name, pss) if signature is None else signature
    return Made(
        der.sequence(tbs, algorithm if outer is None else outer, der.bit_string(signed), after),
        subject_name,
        key if spki is None else Key(key.private, spki),
    )


def root(subject: str = "Root", **fields: object) -> Made:
    """A self-signed authority with a key of its own name."""
    return make(subject, ec_key(subject), extensions=ca(), **fields)  # type: ignore[arg-type]


def authority(subject: str, issuer: Made, **fields: object) -> Made:
    """An intermediate with a key of its own name."""
    return make(subject, ec_key(subject), issuer, **{"extensions": ca(), **fields})  # type: ignore[arg-type]


def server(issuer: Made, *names: str | bytes, **fields: object) -> Made:
    """A leaf for `names`, or for host.example."""
    given = {"extensions": host(*(names or ("host.example",))), **fields}
    return make("server", ec_key("server"), issuer, **given)  # type: ignore[arg-type]
