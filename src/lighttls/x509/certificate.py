"""One X.509 certificate, read as far as a verdict needs it (RFC 5280 section 4.1).

`parse` cuts the certificate into its fields and its extensions into (critical, value). What an
extension or the key says is read on first use, so that one that is malformed is judged alone.
Serial numbers may be zero, negative or long: public roots and old private PKIs have them, and no
decision here depends on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lighttls._typing import Any, Final, TypeVar
from lighttls.errors import CertificateError, ChainReason
from lighttls.x509 import der, distinguished_name, extensions, public_key, signatures
from lighttls.x509.distinguished_name import Name
from lighttls.x509.extensions import BasicConstraints, GeneralName, NameConstraints
from lighttls.x509.public_key import PublicKey

_T = TypeVar("_T")

EMPTY_NAME: Final = b"\x30\x00"

PURPOSES: Final = {"server_auth": extensions.SERVER_AUTH, "client_auth": extensions.CLIENT_AUTH}


class Certificate:
    """A parsed certificate. Immutable by convention; equal if its bytes are."""

    __slots__ = (
        "_parsed",
        "der",
        "extensions",
        "inner_algorithm",
        "issuer",
        "not_after",
        "not_before",
        "outer_algorithm",
        "serial_number",
        "signature",
        "spki",
        "subject",
        "tbs",
        "version",
    )

    _parsed: dict[str | bytes, Any]
    der: bytes
    tbs: bytes
    """The signed bytes."""
    version: int
    """1, 2 or 3."""
    serial_number: int
    inner_algorithm: bytes
    """AlgorithmIdentifier (DER) in the signed part."""
    outer_algorithm: bytes
    """AlgorithmIdentifier (DER) beside the signature; must equal the inner one."""
    issuer: bytes
    """Name (DER)."""
    subject: bytes
    """Name (DER)."""
    not_before: int
    """Seconds since 1970 UTC, inclusive."""
    not_after: int
    """Seconds since 1970 UTC, inclusive."""
    spki: bytes
    """SubjectPublicKeyInfo (DER)."""
    extensions: dict[bytes, tuple[bool, bytes]]
    """(critical, value) by OID."""
    signature: bytes

    @classmethod
    def parse(cls, data: bytes) -> Certificate:
        """Read one DER certificate. Raises CertificateError (malformed)."""
        self = object.__new__(cls)
        self.der = data
        self._parsed = {}
        expect = der.expect
        size = len(data)
        at = der.whole(data, 0x30, "certificate")
        tbs_at, tbs_stop = expect(data, at, size, 0x30, "signed part")
        self.tbs = data[at:tbs_stop]
        _, algorithm_stop = expect(data, tbs_stop, size, 0x30, "signature algorithm")
        self.outer_algorithm = data[tbs_stop:algorithm_stop]
        start, stop = expect(data, algorithm_stop, size, 0x03, "signature")
        if stop != size:
            raise der.malformed("certificate: bytes after the signature")
        self.signature = der.octet_aligned_bits(data, start, stop, "signature")

        at, self.version = _version(data, tbs_at, tbs_stop)
        start, at = expect(data, at, tbs_stop, 0x02, "serial number")
        self.serial_number = der.integer(data, start, at, "serial number")
        _, stop = expect(data, at, tbs_stop, 0x30, "inner signature algorithm")
        self.inner_algorithm = data[at:stop]
        _, at = expect(data, stop, tbs_stop, 0x30, "issuer")
        self.issuer = data[stop:at]
        start, stop = expect(data, at, tbs_stop, 0x30, "validity")
        tag, start, at = der.read(data, start, stop)
        self.not_before = der.time(tag, data[start:at])
        tag, start, at = der.read(data, at, stop)
        self.not_after = der.time(tag, data[start:at])
        if at != stop:
            raise der.malformed("validity: bytes after the second date")
        _, at = expect(data, stop, tbs_stop, 0x30, "subject")
        self.subject = data[stop:at]
        _, stop = expect(data, at, tbs_stop, 0x30, "public key")
        self.spki = data[at:stop]
        self.extensions = _extensions(data, stop, tbs_stop, self.version)
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    def __repr__(self) -> str:
        return f"<Certificate {self}>"

    def __str__(self) -> str:
        """The subject for people, or what stands in for one."""
        try:
            if self.subject != EMPTY_NAME:
                return distinguished_name.text(self.subject)
        except CertificateError:
            return f"certificate with an unreadable subject, serial {self.serial_number:x}"
        return f"certificate without a subject, serial {self.serial_number:x}"

    @property
    def subject_name(self) -> Name:
        """The subject in the form for comparison."""
        return self._once("subject", distinguished_name.normalise, self.subject)

    @property
    def issuer_name(self) -> Name:
        """The issuer in the form for comparison."""
        return self._once("issuer", distinguished_name.normalise, self.issuer)

    def issued_by(self, names: Iterable[bytes]) -> bool:
        """Whether the issuer's name is among `names` (DER); one that does not parse matches nothing (CR-08)."""
        return any(name == self.issuer or _normal_form(name) == self.issuer_name for name in names)

    @property
    def self_issued(self) -> bool:
        """Issuer and subject are the same name (RFC 5280 6.1); says nothing about the key."""
        return self.subject == self.issuer or self.subject_name == self.issuer_name

    @property
    def public_key(self) -> PublicKey:
        """What kind of key it is (CERT-06 to CERT-11, CERT-14). Raises CertificateError."""
        return self._once("key", public_key.parse, self.spki)

    @property
    def signature_algorithm(self) -> str:
        """The outer signature algorithm's name, such as "sha256WithRSAEncryption"."""
        return signatures.name_of(self.outer_algorithm)

    @property
    def basic_constraints(self) -> BasicConstraints | None:
        return self._extension(extensions.BASIC_CONSTRAINTS, extensions.basic_constraints)

    @property
    def key_usage(self) -> frozenset[int] | None:
        """Bit positions that are set; None without the extension."""
        return self._extension(extensions.KEY_USAGE, extensions.key_usage)

    @property
    def extended_key_usage(self) -> frozenset[bytes] | None:
        """OIDs of purposes; None without the extension."""
        return self._extension(extensions.EXTENDED_KEY_USAGE, extensions.extended_key_usage)

    @property
    def subject_alt_name(self) -> tuple[GeneralName, ...] | None:
        return self._extension(extensions.SUBJECT_ALT_NAME, extensions.subject_alt_name)

    @property
    def subject_key_identifier(self) -> bytes | None:
        return self._extension(extensions.SUBJECT_KEY_IDENTIFIER, extensions.subject_key_identifier)

    @property
    def authority_key_identifier(self) -> bytes | None:
        return self._extension(extensions.AUTHORITY_KEY_IDENTIFIER, extensions.authority_key_identifier)

    @property
    def name_constraints(self) -> NameConstraints | None:
        return self._extension(extensions.NAME_CONSTRAINTS, extensions.name_constraints)

    @property
    def ca_issuers(self) -> tuple[str, ...]:
        """URLs of the issuer's certificate."""
        return self._extension(extensions.AUTHORITY_INFO_ACCESS, extensions.ca_issuers) or ()

    @property
    def is_ca(self) -> bool:
        """It may sign certificates, as far as basicConstraints says. Before version 3 nothing can say so."""
        constraints = self.basic_constraints
        return constraints is not None and constraints.ca

    @property
    def allows_digital_signature(self) -> bool:
        """The key may sign handshakes (CERT-12): without keyUsage everything is allowed."""
        usage = self.key_usage
        return usage is None or extensions.DIGITAL_SIGNATURE in usage

    @property
    def allows_cert_sign(self) -> bool:
        """The key may sign certificates, as far as keyUsage says."""
        usage = self.key_usage
        return usage is None or extensions.KEY_CERT_SIGN in usage

    def allows(self, purpose: str) -> bool:
        """The leaf may be used for "server_auth" or "client_auth" (CERT-13).

        Without extendedKeyUsage everything is allowed. anyExtendedKeyUsage is no permission in a
        leaf: RFC 5280 4.2.1.12 leaves that to the application, and others refuse it too.
        """
        purposes = self.extended_key_usage
        return purposes is None or PURPOSES[purpose] in purposes

    def _extension(self, oid: bytes, parse: Callable[[bytes], _T]) -> _T | None:
        found = self.extensions.get(oid)
        return None if found is None else self._once(oid, parse, found[1])

    def _once(self, key: str | bytes, parse: Callable[[bytes], _T], data: bytes) -> _T:
        parsed = self._parsed
        if key not in parsed:
            parsed[key] = parse(data)
        value: _T = parsed[key]
        return value


def peek_subject(data: bytes) -> bytes:
    """Return the subject Name (DER) of a certificate, looking at no more than the way there.

    For trust bundles: most of their certificates are never needed beyond their name.
    """
    expect = der.expect
    at = der.whole(data, 0x30, "certificate")
    at, end = expect(data, at, len(data), 0x30, "signed part")
    at, _ = _version(data, at, end)
    for tag, what in ((0x02, "serial number"), (0x30, "signature algorithm"), (0x30, "issuer"), (0x30, "validity")):
        _, at = expect(data, at, end, tag, what)
    _, stop = expect(data, at, end, 0x30, "subject")
    expect(data, stop, end, 0x30, "public key")
    return data[at:stop]


def _version(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Return where the serial number starts, and the version (1 where none is written)."""
    if at < end and data[at] == 0xA0:
        field = data[at : at + 5]
        if field == b"\xa0\x03\x02\x01\x02":
            return at + 5, 3
        if field == b"\xa0\x03\x02\x01\x01":
            return at + 5, 2
        raise der.malformed("version is not 1, 2 or 3, or 1 is written out")
    return at, 1


def _extensions(data: bytes, at: int, end: int, version: int) -> dict[bytes, tuple[bool, bytes]]:
    """Read the end of the signed part: unique identifiers, which are ignored, and extensions."""
    read = der.read
    last = 0
    found: dict[bytes, tuple[bool, bytes]] = {}
    while at < end:
        tag, start, at = read(data, at, end)
        if tag not in (0x81, 0x82, 0xA3) or tag & 0x1F <= last:
            raise der.malformed(f"unexpected field with DER tag {tag:#04x} at the end of the signed part")
        last = tag & 0x1F
        if version < (3 if tag == 0xA3 else 2):
            raise der.malformed(f"a version {version} certificate has a field of a later version")
    if last != 3:
        return found
    start, stop = der.expect(data, start, at, 0x30, "extensions")
    if stop != at or start == stop:
        raise der.malformed("extensions: empty, or bytes after the end")
    while start < stop:
        tag, at, end = read(data, start, stop)
        if tag != 0x30:
            raise der.malformed("an extension is not a SEQUENCE")
        start = end
        tag, oid_at, at = read(data, at, end)
        if tag != 0x06 or oid_at == at:
            raise der.malformed("an extension does not start with its OID")
        oid = data[oid_at:at]
        tag, value_at, at = read(data, at, end)
        critical = False
        if tag == 0x01:
            critical = der.boolean(data, value_at, at, "critical")
            if not critical:
                raise der.malformed("an extension spells out its default, critical FALSE")
            tag, value_at, at = read(data, at, end)
        if tag != 0x04 or at != end:
            raise der.malformed(f"{extensions.name_of(oid)}: not wrapped in one OCTET STRING")
        if oid in found:
            raise CertificateError(f"extension {extensions.name_of(oid)} appears twice", ChainReason.MALFORMED)
        found[oid] = critical, data[value_at:at]
    return found


def _normal_form(name: bytes) -> Name | None:
    try:
        return distinguished_name.normalise(name)
    except CertificateError:
        return None
