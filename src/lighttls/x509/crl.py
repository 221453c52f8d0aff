"""Lists of revoked certificates, as strict as RFC 5280 section 5 where it matters and lazy where they are large.

A list may have hundreds of thousands of entries. Reading one cuts its fields and passes over the entries. They are
walked once, when a signature has shown that the list is worth it: each must have the form of an entry, and nothing in
it may be critical and unknown. No object is made of them; a look-up searches the bytes of the serial number and then
makes sure that it stands where an entry begins.

RFC 5280 §5.2 demands a cRLNumber that is not critical: nothing good is concluded from a list without (`flaw`). What it
lists is revoked all the same. No verdict needs an authorityKeyIdentifier, so none is demanded.
"""

from __future__ import annotations

from bisect import bisect_right

from lighttls._struct import struct
from lighttls._typing import Final
from lighttls.errors import CertificateError, ChainReason
from lighttls.x509 import der, distinguished_name, extensions
from lighttls.x509.distinguished_name import Name
from lighttls.x509.distribution_points import EVERYTHING, PointNames, Scope, general_names, scope

_CRL_NUMBER: Final = der.oid("2.5.29.20")
_REASON_CODE: Final = der.oid("2.5.29.21")
_DELTA_CRL_INDICATOR: Final = der.oid("2.5.29.27")
_ISSUING_DISTRIBUTION_POINT: Final = der.oid("2.5.29.28")
_CERTIFICATE_ISSUER: Final = der.oid("2.5.29.29")

_KNOWN: Final = frozenset(
    (
        _CRL_NUMBER,
        _DELTA_CRL_INDICATOR,
        _ISSUING_DISTRIBUTION_POINT,
        extensions.AUTHORITY_KEY_IDENTIFIER,  # not needed: a list belongs to the key that verifies it
        der.oid("2.5.29.46"),  # freshestCRL: nothing is fetched
    )
)
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

_new = object.__new__


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


class RevocationList:
    """A certificate revocation list, complete or delta. Immutable by convention; equal if its bytes are."""

    __slots__ = (
        "_entries",
        "_issuer_marks",
        "_issuers",
        "_marks",
        "_tbs",
        "base_number",
        "der",
        "flaw",
        "inner_algorithm",
        "issuer",
        "issuer_name",
        "next_update",
        "number",
        "outer_algorithm",
        "scope",
        "scope_der",
        "signature",
        "this_update",
        "unknown_extension",
        "verified",
        "version",
    )

    der: bytes
    version: int
    """1 or 2."""
    inner_algorithm: bytes
    """AlgorithmIdentifier (DER) in the signed part."""
    outer_algorithm: bytes
    """AlgorithmIdentifier (DER) beside the signature; must equal the inner one."""
    issuer: bytes
    """Name (DER)."""
    issuer_name: Name
    this_update: int
    """Seconds since 1970 UTC."""
    next_update: int | None
    signature: bytes
    number: int | None
    """cRLNumber, None without it."""
    base_number: int | None
    """deltaCRLIndicator: the number of the list that this one completes. None: it is complete itself."""
    scope: Scope
    scope_der: bytes
    """issuingDistributionPoint as it is written, empty without it: a delta belongs to lists that have the same."""
    unknown_extension: str | None
    """A critical extension that is not implemented: nothing may be concluded from the list (RFC 5280 §5.2)."""
    flaw: str | None
    """What breaks RFC 5280: what the list lists is revoked, but what it does not list is not good for that."""
    verified: dict[bytes, bool]
    """Whether the signature verifies, by SubjectPublicKeyInfo: true for ever, so the list's owner may keep it."""
    _tbs: tuple[int, int]
    _entries: tuple[int, int]
    _marks: list[int] | None
    _issuer_marks: list[int]
    _issuers: list[PointNames]

    @classmethod
    def parse(cls, data: bytes) -> RevocationList:
        """Read one list (DER); its entries wait for `read_entries`. Raises CertificateError (malformed)."""
        end = len(data)
        tbs = der.whole(data, der.SEQUENCE, "CRL")
        at, tbs_end = der.expect(data, tbs, end, der.SEQUENCE, "signed part of a CRL")
        _, outer_end = der.expect(data, tbs_end, end, der.SEQUENCE, "signature algorithm")
        bits, bits_end = der.expect(data, outer_end, end, der.BIT_STRING, "signature")
        if bits_end != end:
            raise der.malformed("CRL: bytes after the signature")
        self = _new(cls)
        self.der = data
        self._tbs = tbs, tbs_end
        self.outer_algorithm = data[tbs_end:outer_end]
        self.signature = data[bits + 1 : bits_end] if data[bits:bits_end][:1] == b"\0" else b""  # b"" fits no key
        self.version = 1
        if at < tbs_end and data[at] == der.INTEGER:
            start, at = der.expect(data, at, tbs_end, der.INTEGER, "version")
            if der.integer(data, start, at, "version") != 1:
                raise der.malformed("CRL: neither version 1 nor 2")
            self.version = 2
        _, inner_end = der.expect(data, at, tbs_end, der.SEQUENCE, "signature algorithm")
        self.inner_algorithm = data[at:inner_end]
        _, issuer_end = der.expect(data, inner_end, tbs_end, der.SEQUENCE, "issuer")
        self.issuer = data[inner_end:issuer_end]
        self.issuer_name = distinguished_name.normalise(self.issuer)
        tag, start, at = der.read(data, issuer_end, tbs_end)
        self.this_update = der.time(tag, data[start:at])
        self.next_update = None
        if at < tbs_end and data[at] in (der.UTC_TIME, der.GENERALIZED_TIME):
            tag, start, at = der.read(data, at, tbs_end)
            self.next_update = der.time(tag, data[start:at])
        self._entries = at, at
        if at < tbs_end and data[at] == der.SEQUENCE:
            self._entries = _, at = der.expect(data, at, tbs_end, der.SEQUENCE, "revoked certificates")
        self._marks = None
        self._issuer_marks = []
        self._issuers = []
        self.verified = {}
        self._read_extensions(at, tbs_end)
        return self

    def _read_extensions(self, at: int, end: int) -> None:
        data = self.der
        found: dict[bytes, tuple[bool, bytes]] = {}
        if at < end:
            if self.version == 1:
                raise der.malformed("CRL: version 1 with extensions")
            start, stop = der.expect(data, at, end, 0xA0, "CRL extensions")
            if stop != end:
                raise der.malformed("CRL: bytes after the extensions")
            start, inner_end = der.expect(data, start, stop, der.SEQUENCE, "CRL extensions")
            if inner_end != stop:
                raise der.malformed("CRL: bytes after the extensions")
            found = _extensions(data, start, stop, "CRL")
        self.number = _number(found, _CRL_NUMBER, "cRLNumber")
        self.base_number = _number(found, _DELTA_CRL_INDICATOR, "deltaCRLIndicator")
        self.scope_der = found.get(_ISSUING_DISTRIBUTION_POINT, (True, b""))[1]
        self.scope = scope(self.scope_der) if self.scope_der else EVERYTHING
        self.flaw = None
        if self.number is None:
            self.flaw = "has no cRLNumber, against RFC 5280 §5.2.3"
        elif found[_CRL_NUMBER][0]:
            self.flaw = "has a critical cRLNumber, against RFC 5280 §5.2.3"
        self.unknown_extension = _critical_and_unknown(found, _KNOWN)

    @property
    def tbs(self) -> bytes:
        """The signed bytes."""
        start, end = self._tbs
        return self.der[start:end]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RevocationList) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    def __repr__(self) -> str:
        return f"<RevocationList {self}>"

    def __str__(self) -> str:
        """Its issuer and number for people."""
        kind = "CRL" if self.base_number is None else "delta CRL"
        number = "" if self.number is None else f" number {_short(self.number)}"
        return f"{kind}{number} of '{distinguished_name.text(self.issuer)}'"

    def read_entries(self) -> None:
        """Walk all entries once. Raises CertificateError: one is malformed, or has what is critical and unknown."""
        if self._marks is not None:
            return
        data = self.der
        at, end = self._entries
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
                extra = self._entry_extensions(written)
                if len(forms) < _MOST_FORMS:
                    forms[written] = extra
            if extra.issuers is not None:
                issuer_marks.append(beginning)
                issuers.append(extra.issuers)
        self._issuer_marks = issuer_marks
        self._issuers = issuers
        self._marks = marks

    def _entry_extensions(self, written: bytes) -> _Extra:
        """The extensions of one entry, which must not change what the list means in ways that we do not know."""
        if self.version == 1:
            raise der.malformed("CRL: version 1 with extensions of an entry")
        at = der.whole(written, der.SEQUENCE, "extensions of an entry in a CRL")
        found = _extensions(written, at, len(written), "an entry in a CRL")
        unknown = _critical_and_unknown(found, _KNOWN_IN_ENTRIES)
        if unknown is not None:  # RFC 5280 §5.3: MUST NOT use the list for any certificate
            raise CertificateError(
                f"an entry has the critical extension {unknown}, which is not implemented", ChainReason.CRL_UNUSABLE
            )
        extra = _entry_extra(found)
        if extra.issuers is not None and not self.scope.indirect:  # it would accuse the certificates of others
            raise der.malformed("CRL: an entry names another issuer in a list that is not indirect")
        return extra

    def may_list(self, serial_number: int) -> bool:
        """Whether the bytes of this serial number are somewhere in the list; `find` knows whether it is listed."""
        return self.der.find(_integer(serial_number), *self._entries) >= 0

    def find(self, serial_number: int, issuer: Name) -> Entry | None:
        """The entry of the certificate with this serial number and issuer; None if it is not listed.

        `read_entries` must have passed. Raises CertificateError: the entry's date is none.
        """
        data = self.der
        start, end = self._entries
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
            raise ValueError("read_entries comes before find")
        return marks[bisect_right(marks, at) - 1]

    def _issued_by(self, beginning: int, issuer: Name) -> bool:
        """Whether the entry at `beginning` is about a certificate of `issuer`: as the last one to say so (§5.3.3)."""
        place = bisect_right(self._issuer_marks, beginning)
        if place == 0:
            return issuer == self.issuer_name
        return (extensions.DIRECTORY_NAME, issuer) in self._issuers[place - 1]

    def _read_entry(self, at: int, stop: int) -> Entry:
        data = self.der
        tag, start, at = der.read(data, at, stop)
        revoked_at = der.time(tag, data[start:at])
        return Entry(revoked_at, self._entry_extensions(data[at:stop]).reason if at < stop else None)


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


def _extensions(data: bytes, at: int, end: int, what: str) -> dict[bytes, tuple[bool, bytes]]:
    """(critical, value) by OID; at least one, and none twice."""
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


def _critical_and_unknown(found: dict[bytes, tuple[bool, bytes]], known: frozenset[bytes]) -> str | None:
    return next((der.dotted(oid) for oid, (critical, _) in found.items() if critical and oid not in known), None)


def _number(found: dict[bytes, tuple[bool, bytes]], oid: bytes, what: str) -> int | None:
    if oid not in found:
        return None
    value = found[oid][1]
    number = der.integer(value, der.whole(value, der.INTEGER, what), len(value), what)
    if number < 0:
        raise der.malformed(f"{what}: negative")
    return number


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


def _short(number: int) -> str:
    """A number for people, which may be longer than Python prints."""
    return str(number) if number.bit_length() <= 64 else f"{number:#x}"[:24] + "…"
