"""Lists of revoked certificates, as strict as RFC 5280 section 5 where it matters and lazy where they are large.

Reading one cuts its fields and passes over its entries (`crl_entries`), which wait for a signature that verifies.

RFC 5280 §5.2 demands a cRLNumber that is not critical: nothing good is concluded from a list without (`flaw`). What it
lists is revoked all the same. No verdict needs an authorityKeyIdentifier, so none is demanded.
"""

from __future__ import annotations

from lighttls._typing import Final
from lighttls.x509 import der, distinguished_name, extensions
from lighttls.x509.crl_entries import Entries, critical_and_unknown, read_extensions
from lighttls.x509.distinguished_name import Name
from lighttls.x509.distribution_points import EVERYTHING, Scope, scope

_CRL_NUMBER: Final = der.oid("2.5.29.20")
_DELTA_CRL_INDICATOR: Final = der.oid("2.5.29.27")
_ISSUING_DISTRIBUTION_POINT: Final = der.oid("2.5.29.28")

_KNOWN: Final = frozenset(
    (
        _CRL_NUMBER,
        _DELTA_CRL_INDICATOR,
        _ISSUING_DISTRIBUTION_POINT,
        extensions.AUTHORITY_KEY_IDENTIFIER,  # not needed: a list belongs to the key that verifies it
        der.oid("2.5.29.46"),  # freshestCRL: nothing is fetched
    )
)

_new = object.__new__


class RevocationList:
    """A certificate revocation list, complete or delta. Immutable by convention; equal if its bytes are."""

    __slots__ = (
        "_tbs",
        "base_number",
        "der",
        "entries",
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
    entries: Entries
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

    @classmethod
    def parse(cls, data: bytes) -> RevocationList:
        """Read one list (DER); its entries wait for `entries.read`. Raises CertificateError (malformed)."""
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
        place = at, at
        if at < tbs_end and data[at] == der.SEQUENCE:
            place = _, at = der.expect(data, at, tbs_end, der.SEQUENCE, "revoked certificates")
        self.verified = {}
        self._read_extensions(at, tbs_end)
        self.entries = Entries(data, place, self.version, self.issuer_name, self.scope.indirect)
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
            found = read_extensions(data, start, stop, "CRL")
        self.number = _number(found, _CRL_NUMBER, "cRLNumber")
        self.base_number = _number(found, _DELTA_CRL_INDICATOR, "deltaCRLIndicator")
        self.scope_der = found.get(_ISSUING_DISTRIBUTION_POINT, (True, b""))[1]
        self.scope = scope(self.scope_der) if self.scope_der else EVERYTHING
        self.flaw = None
        if self.number is None:
            self.flaw = "has no cRLNumber, against RFC 5280 §5.2.3"
        elif found[_CRL_NUMBER][0]:
            self.flaw = "has a critical cRLNumber, against RFC 5280 §5.2.3"
        self.unknown_extension = critical_and_unknown(found, _KNOWN)

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


def _number(found: dict[bytes, tuple[bool, bytes]], oid: bytes, what: str) -> int | None:
    if oid not in found:
        return None
    value = found[oid][1]
    number = der.integer(value, der.whole(value, der.INTEGER, what), len(value), what)
    if number < 0:
        raise der.malformed(f"{what}: negative")
    return number


def _short(number: int) -> str:
    """A number for people, which may be longer than Python prints."""
    return str(number) if number.bit_length() <= 64 else f"{number:#x}"[:24] + "…"
