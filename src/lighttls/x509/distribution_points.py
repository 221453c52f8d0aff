"""Where lists of revoked certificates are found, and what part each covers (RFC 5280 §4.2.1.13, §5.2.5).

A certificate names distribution points; a list names the one it belongs to. The two are compared, nothing is fetched:
a name here, often a URL, is just a name.
"""

from __future__ import annotations

from lighttls._struct import struct
from lighttls._typing import Final
from lighttls.x509 import der, distinguished_name
from lighttls.x509.certificate import Certificate
from lighttls.x509.distinguished_name import Name
from lighttls.x509.extensions import CRL_DISTRIBUTION_POINTS, DIRECTORY_NAME, GeneralName, general_name

ALL_REASONS: Final = 0x1FE
"""Bits 1 to 8 of ReasonFlags, keyCompromise to aACompromise; bit 0 is "unused"."""

PointNames = frozenset[tuple[int, bytes | Name]]
"""GeneralNames in the form for comparison: kind, and a directoryName's normal form or the bytes of another."""

_NO_NAMES: Final[PointNames] = frozenset()


@struct
class PointName:
    """A DistributionPointName: names in full, or one relative to the list's issuer."""

    full: PointNames
    relative: bytes | None
    """A Name (DER) of the one relative name."""

    def names(self, issuer: Name) -> PointNames:
        """The names in full; `issuer` is who issues the list."""
        if self.relative is None:
            return self.full
        return frozenset(((DIRECTORY_NAME, issuer + distinguished_name.normalise(self.relative)),))


@struct
class DistributionPoint:
    """One entry of a certificate's cRLDistributionPoints."""

    name: PointName | None
    reasons: int
    """ReasonFlags that its lists cover, as a number: bit n stands for reason n."""
    issuers: PointNames | None
    """cRLIssuer: who issues its lists, if not the certificate's issuer."""


@struct
class Scope:
    """issuingDistributionPoint: the part of an authority's certificates that a list covers."""

    name: PointName | None
    only_user: bool
    only_authorities: bool
    only_attributes: bool
    indirect: bool
    """It lists other issuers' certificates too; each entry says whose."""
    reasons: int
    """ReasonFlags that it covers."""


EVERYTHING: Final = Scope(None, False, False, False, False, ALL_REASONS)
"""The scope of a list that says nothing about it."""

ITS_ISSUER: Final = DistributionPoint(None, ALL_REASONS, None)
"""The point that every certificate has, named or not: the lists of its issuer (RFC 5280 §6.3.3, at the end)."""


def of(certificate: Certificate) -> tuple[DistributionPoint, ...]:
    """What a certificate names, and `ITS_ISSUER`. Raises CertificateError: malformed."""
    said = certificate.said
    if CRL_DISTRIBUTION_POINTS in said:
        found: tuple[DistributionPoint, ...] = said[CRL_DISTRIBUTION_POINTS]
        return found
    extension = certificate.extensions.get(CRL_DISTRIBUTION_POINTS)
    points = () if extension is None else read(extension[1])
    said[CRL_DISTRIBUTION_POINTS] = found = (*points, ITS_ISSUER)
    return found


def read(value: bytes) -> tuple[DistributionPoint, ...]:
    """The contents of cRLDistributionPoints; there is at least one point."""
    points = tuple(_point(value, element) for element in der.items(value, der.SEQUENCE, _POINTS))
    if not points:
        raise der.malformed(f"{_POINTS}: empty")
    return points


def scope(value: bytes) -> Scope:
    """The contents of issuingDistributionPoint. An encoded FALSE breaks DER but is harmless, so it passes."""
    what = "issuingDistributionPoint"
    fields = _fields(value, 0, len(value), (0xA0, 0x81, 0x82, 0x83, 0x84, 0x85), what)
    flags = {tag: tag in fields and der.boolean(value, *fields[tag], what) for tag in (0x81, 0x82, 0x84, 0x85)}
    found = Scope(
        _point_name(value, *fields[0xA0], what) if 0xA0 in fields else None,
        flags[0x81],
        flags[0x82],
        flags[0x85],
        flags[0x84],
        _reasons(value, *fields[0x83], what) if 0x83 in fields else ALL_REASONS,
    )
    if found.only_user + found.only_authorities + found.only_attributes > 1:
        raise der.malformed(f"{what}: only of one kind, and only of another")
    return found


_POINTS: Final = "cRLDistributionPoints"


def _point(data: bytes, element: tuple[int, int, int]) -> DistributionPoint:
    tag, at, stop = element
    if tag != der.SEQUENCE:
        raise der.malformed(f"{_POINTS}: a point is not a SEQUENCE")
    fields = _ordered(data, at, stop, (0xA0, 0x81, 0xA2), _POINTS)
    if 0xA0 not in fields and 0xA2 not in fields:
        raise der.malformed(f"{_POINTS}: a point without a name and without an issuer")
    return DistributionPoint(
        _point_name(data, *fields[0xA0], _POINTS) if 0xA0 in fields else None,
        _reasons(data, *fields[0x81], _POINTS) if 0x81 in fields else ALL_REASONS,
        general_names(data, *fields[0xA2], _POINTS) if 0xA2 in fields else None,
    )


def _point_name(data: bytes, at: int, stop: int, what: str) -> PointName:
    tag, name_at, name_stop = der.read(data, at, stop)
    if name_stop != stop:
        raise der.malformed(f"{what}: bytes after a point's name")
    if tag == 0xA0:
        return PointName(general_names(data, name_at, name_stop, what), None)
    if tag == 0xA1:  # a RelativeDistinguishedName with another tag: made a Name of its own, to be read as one
        relative = der.element(der.SEQUENCE, der.element(der.SET, data[name_at:name_stop]))
        distinguished_name.normalise(relative)
        return PointName(_NO_NAMES, relative)
    raise der.malformed(f"{what}: a point's name has the tag {tag:#04x}")


def general_names(data: bytes, at: int, stop: int, what: str) -> PointNames:
    """The GeneralNames that fill `data[at:stop]`, at least one."""
    names = frozenset(comparable(general_name(data, element, what)) for element in der.elements(data, at, stop))
    if not names:
        raise der.malformed(f"{what}: an empty list of names")
    return names


def comparable(name: GeneralName) -> tuple[int, bytes | Name]:
    """One GeneralName in the form for comparison."""
    kind, value = name
    return kind, distinguished_name.normalise(value) if kind == DIRECTORY_NAME else value


def _reasons(data: bytes, at: int, stop: int, what: str) -> int:
    if at == stop or data[at] > 7 or stop - at > 3:
        raise der.malformed(f"{what}: reasons are not a BIT STRING of up to sixteen bits")
    bits = data[at + 1 : stop]
    if (data[at] and not bits) or (bits and bits[-1] & ((1 << data[at]) - 1)):
        raise der.malformed(f"{what}: reasons are not a BIT STRING of up to sixteen bits")
    return sum(1 << i for i in range(8 * len(bits)) if bits[i >> 3] & (0x80 >> (i & 7))) & ALL_REASONS


def _fields(data: bytes, at: int, end: int, tags: tuple[int, ...], what: str) -> dict[int, tuple[int, int]]:
    start = der.whole(data, der.SEQUENCE, what)
    return _ordered(data, start, end, tags, what)


def _ordered(data: bytes, at: int, stop: int, tags: tuple[int, ...], what: str) -> dict[int, tuple[int, int]]:
    """The optional fields of a SEQUENCE, each at most once, in the order of their tags."""
    found: dict[int, tuple[int, int]] = {}
    last = -1
    for tag, start, end in der.elements(data, at, stop):
        place = tags.index(tag) if tag in tags else -1
        if place <= last:
            raise der.malformed(f"{what}: unknown or repeated field")
        last = place
        found[tag] = start, end
    return found
