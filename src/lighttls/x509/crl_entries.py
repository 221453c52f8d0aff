"""The entries of a list of revoked certificates (RFC 5280 §5.3), of which there may be hundreds of thousands.

They are walked once, when a signature has shown that the list is worth it: each must have the form of an entry, and
nothing in it may be critical and unknown. No object is made of them; a look-up searches the bytes of the serial number
and then makes sure that it stands where an entry begins.
"""

from __future__ import annotations

from bisect import bisect_right

from lighttls._struct import struct
from lighttls._typing import Final
from lighttls.errors import CertificateError, ChainReason
from lighttls.x509 import der, extensions
from lighttls.x509.distinguished_name import Name
from lighttls.x509.distribution_points import PointNames, general_names

_REASON_CODE: Final = der.oid("2.5.29.21")
_CERTIFICATE_ISSUER: Final = der.oid("2.5.29.29")

_KNOWN_IN_ENTRIES: Final = frozenset(
    (
        _REASON_CODE,
        _CERTIFICATE_ISSUER,
        der.oid("2.5.29.24"),  # invalidityDate: since when the key may have been known; revoked is revoked
        der.oid("2.5.29.23"),  # holdInstructionCode, which RFC 5280 no longer has
    )
)

CERTIFICATE_HOLD: Final = 6
REMOVE_FROM_CRL: Final = 8
_REASONS: Final = {
    0: "unspecified",
    1: "keyCompromise",
    2: "cACompromise",
    3: "affiliationChanged",
    4: "superseded",
    5: "cessationOfOperation",
    CERTIFICATE_HOLD: "certificateHold",
    REMOVE_FROM_CRL: "removeFromCRL",
    9: "privilegeWithdrawn",
    10: "aACompromise",
}

_STRIDE: Final = 64  # entries between two known beginnings of one: a look-up walks no more than these
_ENUMERATED: Final = 0x0A
_MOST_FORMS: Final = 256  # of an entry's extensions that are remembered; a list has a handful


def reason_name(code: int | None) -> str:
    """A CRLReason for people (RFC 5280 §5.3.1)."""
    return "no reason given" if code is None else _REASONS.get(code, "a reason that has no name")


@struct
class Entry:
    """One revoked certificate in a list."""

    revoked_at: int
    """Seconds since 1970 UTC."""
    reason: int | None
    """CRLReason; None if the list gives none."""


@struct
class _Extra:
    """What the extensions of an entry say."""

    reason: int | None
    issuers: PointNames | None


class Entries:
    """The entries of one list. `read` comes before `find`."""

    __slots__ = ("_data", "_end", "_indirect", "_issuer", "_issuer_marks", "_issuers", "_marks", "_start", "_version")

    def __init__(self, data: bytes, place: tuple[int, int], version: int, issuer: Name, indirect: bool) -> None:
        """`place`: where in the list (`data`, DER) they begin and end. `indirect`: they may name other issuers."""
        self._data = data
        self._start, self._end = place
        self._version = version
        self._issuer = issuer
        self._indirect = indirect
        self._marks: list[int] | None = None
        self._issuer_marks: list[int] = []
        self._issuers: list[PointNames] = []

    def read(self) -> None:
        """Walk them all once. Raises CertificateError: one is malformed, or has what is critical and unknown."""
        if self._marks is not None:
            return
        data = self._data
        at, end = self._start, self._end
        marks: list[int] = []
        issuer_marks: list[int] = []
        issuers: list[PointNames] = []
        forms: dict[bytes, _Extra] = {}
        left = 0
        while at < end:
            if left == 0:
                marks.append(at)
                left = _STRIDE
            left -= 1
            beginning = at
            stop = at + 2 + data[at + 1]
            date = at + 4 + data[at + 3]
            if (  # nearly always: short, a serial number that needs no zero in front, a UTCTime (a signature follows)
                data[at] == 0x30
                and data[at + 2] == 0x02
                and date + 15 <= stop <= end
                and stop < at + 130
                and 0 < data[at + 4] < 0xFF
                and data[date] == 0x17
                and data[date + 1] == 13
                and data[at + 3]
            ):
                at = date + 15
            else:
                at, stop = _entry(data, at, end)
            if at == stop:
                continue
            written, at = data[at:stop], stop
            extra = forms.get(written)
            if extra is None:
                extra = self._extensions(written)
                if len(forms) < _MOST_FORMS:
                    forms[written] = extra
            if extra.issuers is not None:
                issuer_marks.append(beginning)
                issuers.append(extra.issuers)
        self._issuer_marks = issuer_marks
        self._issuers = issuers
        self._marks = marks

    def _extensions(self, written: bytes) -> _Extra:
        """The extensions of one entry, which must not change what the list means in ways that we do not know."""
        if self._version == 1:
            raise der.malformed("CRL: version 1 with extensions of an entry")
        at = der.whole(written, der.SEQUENCE, "extensions of an entry in a CRL")
        found = read_extensions(written, at, len(written), "an entry in a CRL")
        unknown = critical_and_unknown(found, _KNOWN_IN_ENTRIES)
        if unknown is not None:  # RFC 5280 §5.3: MUST NOT use the list for any certificate
            raise CertificateError(
                f"an entry has the critical extension {unknown}, which is not implemented", ChainReason.CRL_UNUSABLE
            )
        extra = _entry_extra(found)
        if extra.issuers is not None and not self._indirect:  # it would accuse the certificates of others
            raise der.malformed("CRL: an entry names another issuer in a list that is not indirect")
        return extra

    def may_list(self, serial_number: int) -> bool:
        """Whether the bytes of this serial number are somewhere in the entries; `find` knows whether it is listed."""
        return self._data.find(_integer(serial_number), self._start, self._end) >= 0

    def find(self, serial_number: int, issuer: Name) -> Entry | None:
        """The entry of the certificate with this serial number and issuer; None if it is not listed.

        `read` must have passed. Raises CertificateError: the entry's date is none.
        """
        data, start, end = self._data, self._start, self._end
        wanted = _integer(serial_number)
        at = data.find(wanted, start, end)
        reached = start  # where an entry begins, for certain
        while at >= 0:
            reached = max(reached, self._mark_before(at))
            while True:  # to the entry that holds `at`
                _, contents, stop = der.read(data, reached, end)
                if stop > at:
                    break
                reached = stop
            if contents == at and self._issued_by(reached, issuer):
                return self._read_entry(at + len(wanted), stop)
            reached = stop
            at = data.find(wanted, stop, end)
        return None

    def _mark_before(self, at: int) -> int:
        marks = self._marks
        if not marks:
            raise ValueError("read comes before find")
        return marks[bisect_right(marks, at) - 1]

    def _issued_by(self, beginning: int, issuer: Name) -> bool:
        """Whether the entry at `beginning` is about a certificate of `issuer`: as the last one to say so (§5.3.3)."""
        place = bisect_right(self._issuer_marks, beginning)
        if place == 0:
            return issuer == self._issuer
        return (extensions.DIRECTORY_NAME, issuer) in self._issuers[place - 1]

    def _read_entry(self, at: int, stop: int) -> Entry:
        data = self._data
        tag, start, at = der.read(data, at, stop)
        revoked_at = der.time(tag, data[start:at])
        return Entry(revoked_at, self._extensions(data[at:stop]).reason if at < stop else None)


def _entry(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Where the extensions of the entry at `at` begin, and where it ends."""
    tag, at, stop = der.read(data, at, end)
    serial_tag, start, at = der.read(data, at, stop)
    if tag != der.SEQUENCE or serial_tag != der.INTEGER:
        raise der.malformed("CRL: an entry does not begin with a serial number")
    der.integer(data, start, at, "serial number in a CRL")
    tag, _, at = der.read(data, at, stop)
    if tag not in (der.UTC_TIME, der.GENERALIZED_TIME):
        raise der.malformed("CRL: an entry without a date")
    return at, stop


def _entry_extra(found: dict[bytes, tuple[bool, bytes]]) -> _Extra:
    reason = None
    if _REASON_CODE in found:
        value = found[_REASON_CODE][1]
        reason = der.integer(value, der.whole(value, _ENUMERATED, "reasonCode"), len(value), "reasonCode")
    issuers = None
    if _CERTIFICATE_ISSUER in found:
        value = found[_CERTIFICATE_ISSUER][1]
        at = der.whole(value, der.SEQUENCE, "certificateIssuer")
        issuers = general_names(value, at, len(value), "certificateIssuer")
    return _Extra(reason, issuers)


def _integer(value: int) -> bytes:
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return der.element(der.INTEGER, value.to_bytes(size, "big", signed=True))


def read_extensions(data: bytes, at: int, end: int, what: str) -> dict[bytes, tuple[bool, bytes]]:
    """(critical, value) by OID, of a list or of an entry; at least one, and none twice."""
    found: dict[bytes, tuple[bool, bytes]] = {}
    for tag, start, stop in der.elements(data, at, end):
        if tag != der.SEQUENCE:
            raise der.malformed(f"{what}: an extension is not a SEQUENCE")
        oid, at = der.expect(data, start, stop, der.OID, f"{what}: extension")
        name = data[oid:at]
        critical = False
        if at < stop and data[at] == der.BOOLEAN:
            start, at = der.expect(data, at, stop, der.BOOLEAN, f"{what}: extension")
            critical = der.boolean(data, start, at, f"{what}: extension")
        start, at = der.expect(data, at, stop, der.OCTET_STRING, f"{what}: extension")
        if at != stop or name in found:
            raise der.malformed(f"{what}: an extension appears twice, or bytes follow it")
        found[name] = critical, data[start:at]
    if not found:
        raise der.malformed(f"{what}: an empty list of extensions")
    return found


def critical_and_unknown(found: dict[bytes, tuple[bool, bytes]], known: frozenset[bytes]) -> str | None:
    """The first that is critical and not among `known`, dotted."""
    return next((der.dotted(oid) for oid, (critical, _) in found.items() if critical and oid not in known), None)
