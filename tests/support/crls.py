"""Certificate revocation lists for the tests of the x509 room, each field as wrong as a test wants it.

`crl` writes the DER and signs it with the key of one of `support.certificates`'s certificates.
"""

from __future__ import annotations

from collections.abc import Sequence

from lighttls.testing import der_writer as der
from support import certificates as pki
from support.certificates import ALGORITHMS, DAY, NOW, Extension, Key, Made

CRL_NUMBER = "2.5.29.20"
REASON_CODE = "2.5.29.21"
INVALIDITY_DATE = "2.5.29.24"
DELTA_CRL_INDICATOR = "2.5.29.27"
ISSUING_DISTRIBUTION_POINT = "2.5.29.28"
CERTIFICATE_ISSUER = "2.5.29.29"
CRL_DISTRIBUTION_POINTS = "2.5.29.31"
FRESHEST_CRL = "2.5.29.46"
UNKNOWN = "2.25.1"

KEY_COMPROMISE, HOLD, REMOVE = 1, 6, 8


def extension(oid: str, critical: bool, value: bytes) -> bytes:
    return der.sequence(der.oid(oid), *([der.boolean(True)] if critical else []), der.octet_string(value))


def number(value: int, critical: bool = False) -> Extension:
    return CRL_NUMBER, critical, der.integer(value)


def delta(base: int) -> Extension:
    """deltaCRLIndicator: changes since the list with this number."""
    return DELTA_CRL_INDICATOR, True, der.integer(base)


def directory(name: bytes) -> bytes:
    """A GeneralName with a Name in it."""
    return der.explicit(4, name)


def url(text: str) -> bytes:
    return der.implicit(6, text.encode())


def full_name(*names: bytes) -> bytes:
    """A distributionPoint field with GeneralNames."""
    return der.explicit(0, der.explicit(0, b"".join(names)))


def relative_name(common_name: str) -> bytes:
    """A distributionPoint field with a name relative to the issuer of the list."""
    pair = der.sequence(der.oid("2.5.4.3"), der.utf8_string(common_name))
    return der.explicit(0, der.explicit(1, pair))


def reasons(number: int, *bits: int) -> bytes:
    """ReasonFlags as the field with this context tag."""
    return bytes((0x80 | number,)) + der.named_bits(*bits)[1:]


def flag(number: int, value: bool = True) -> bytes:
    return der.implicit(number, b"\xff" if value else b"\0")


USER_ONLY, AUTHORITIES_ONLY, INDIRECT, ATTRIBUTES_ONLY = flag(1), flag(2), flag(4), flag(5)


def scope(*fields: bytes, critical: bool = True) -> Extension:
    """issuingDistributionPoint of these fields, which are to stand in order."""
    return ISSUING_DISTRIBUTION_POINT, critical, der.sequence(*fields)


def point(name: bytes = b"", reasons: bytes = b"", issuers: Sequence[bytes] = ()) -> bytes:
    """One DistributionPoint; `issuers` are GeneralNames."""
    return der.sequence(name, reasons, der.explicit(2, b"".join(issuers)) if issuers else b"")


def points(*each: bytes, critical: bool = False) -> Extension:
    """cRLDistributionPoints."""
    return CRL_DISTRIBUTION_POINTS, critical, der.sequence(*each)


def reason(code: int, critical: bool = False) -> Extension:
    return REASON_CODE, critical, der.element(0x0A, bytes((code,)))


def issued_by(*names: bytes) -> Extension:
    """certificateIssuer of an entry; `names` are Names."""
    return CERTIFICATE_ISSUER, True, der.sequence(*map(directory, names))


def entry(serial: int | bytes, *extensions: Extension, at: int | bytes = NOW - DAY, tail: bytes = b"") -> bytes:
    """One revoked certificate; a serial number or a date given as bytes is an element of its own."""
    return der.sequence(
        der.integer(serial) if isinstance(serial, int) else serial,
        pki.time(at) if isinstance(at, int) else at,
        der.sequence(*(extension(*each) for each in extensions)) if extensions else b"",
        tail,
    )


def crl(
    issuer: Made,
    *entries: bytes,
    key: Key | None = None,
    name: bytes | None = None,
    extensions: Sequence[Extension] = (number(1),),
    this_update: int = NOW - DAY,
    next_update: int | None = NOW + DAY,
    hash_name: str = "sha256",
    version: bytes = der.integer(1),
    inner: bytes | None = None,
    outer: bytes | None = None,
    entries_der: bytes | None = None,
    tail: bytes = b"",
    signature: bytes | None = None,
    after: bytes = b"",
) -> bytes:
    """A list (DER) by `issuer`, right unless told otherwise; `key` signs it in place of the issuer's."""
    key = key or issuer.key
    algorithm = ALGORITHMS[key.kind, hash_name]
    listed = der.sequence(*entries) if entries else b""
    tbs = der.sequence(
        version,
        inner or algorithm,
        name or issuer.subject,
        pki.time(this_update),
        b"" if next_update is None else pki.time(next_update),
        listed if entries_der is None else entries_der,
        der.explicit(0, der.sequence(*(extension(*each) for each in extensions))) if extensions else b"",
        tail,
    )
    return der.sequence(tbs, outer or algorithm, signature or der.bit_string(key.sign(tbs, hash_name))) + after
