"""One X.509 certificate, read as far as a verdict needs it (RFC 5280 section 4.1).

`parse` finds where the parts of the certificate lie. What an extension says is read on first use, and a
name or key that cannot be read is refused on first use, so that what is malformed is judged alone.
Serial numbers may be zero, negative or long: public roots and old private PKIs have them, and no
decision here depends on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lighttls._typing import TYPE_CHECKING, Any, Final
from lighttls.errors import CertificateError
from lighttls.x509 import cutting, distinguished_name, extensions, public_key, signatures
from lighttls.x509.distinguished_name import Name
from lighttls.x509.extensions import (
    BasicConstraints,
    CertificatePolicies,
    GeneralName,
    NameConstraints,
    PolicyConstraints,
)
from lighttls.x509.public_key import PublicKey

if TYPE_CHECKING:
    from lighttls.crypto.provider import CryptoProvider

_new = object.__new__

EMPTY_NAME: Final = b"\x30\x00"

PURPOSES: Final = {"server_auth": extensions.SERVER_AUTH, "client_auth": extensions.CLIENT_AUTH, "any": None}
"""What a chain may be verified for, and the OID that extendedKeyUsage has for it; with "any" it is not looked at."""


class Certificate:
    """A parsed certificate. Immutable by convention; equal if its bytes are."""

    __slots__ = (
        "_extensions",
        "_row",
        "checked",
        "der",
        "facts",
        "issuer_name",
        "not_after",
        "not_before",
        "path_length",
        "public_key",
        "said",
        "scheme",
        "spki",
        "subject_name",
    )

    said: dict[bytes, Any]
    """What was read so far of its extensions, by OID: `extension` is the way to it."""
    checked: dict[bytes, Any] | None
    """The same, when all have been read and `checks` has found nothing wrong in their form."""
    der: bytes
    _row: list[int]
    """Where its parts lie, as `cutting` says, extensions apart: numbers take more memory than they do."""
    _extensions: dict[bytes, tuple[bool, bytes]] | None
    facts: int
    """What it says, where it says what nearly all say: see `cutting`. 0 where that is not known."""
    path_length: int
    """With facts: how many authorities may stand between it and a leaf; -1: any number."""
    scheme: int
    """With facts: the TLS SignatureScheme of its signature; 0: another one, or none that is good by itself."""
    issuer_name: Name
    """The issuer in the form for comparison. Reading it raises CertificateError if it is malformed."""
    subject_name: Name
    """The subject, likewise."""
    not_before: int
    """Seconds since 1970 UTC, inclusive."""
    not_after: int
    """Seconds since 1970 UTC, inclusive."""
    spki: bytes
    """SubjectPublicKeyInfo (DER)."""
    public_key: PublicKey
    """What kind of key that is (CERT-06 to CERT-11, CERT-14). Reading it raises CertificateError if it is malformed."""

    @classmethod
    def parse(cls, data: bytes, provider: CryptoProvider | None = None) -> Certificate:
        """Read one DER certificate, with the help of an engine if there is one. Raises CertificateError (malformed)."""
        row = None if provider is None else provider.cut_certificate(data)
        if row is None:
            row = cutting.cut(data)
        self = _new(cls)
        self.der = data
        (
            inner_end,
            issuer_end,
            self.not_before,
            self.not_after,
            validity_end,
            subject_end,
            spki_end,
            self.facts,
            self.path_length,
            self.scheme,
            key_form,
        ) = row[_INNER_END:_ALT_NAME]
        self.spki = spki = data[subject_end:spki_end]
        self.checked = self._extensions = None
        self.said = {}
        if not self.facts:
            self._extensions = _sliced(data, row[cutting.FIRST_EXTENSION :])
            row = row[: cutting.FIRST_EXTENSION]
        self._row = row
        try:
            self.public_key = public_key.FORMS.get(key_form) or public_key.parse(spki)
            self.issuer_name = distinguished_name.normalise(data[inner_end:issuer_end])
            self.subject_name = distinguished_name.normalise(data[validity_end:subject_end])
        except CertificateError:
            self.facts = 0
            self.__class__ = _Malformed  # of the same slots
        return self

    # ---- the parts, each sliced when it is asked for ----------------------------------------------

    def _part(self, start: int, end: int) -> bytes:
        """From one place of the row to another."""
        row = self._row
        return self.der[row[start] : row[end]]

    @property
    def tbs(self) -> bytes:
        """The signed bytes."""
        return self._part(_TBS, _TBS_END)

    @property
    def outer_algorithm(self) -> bytes:
        """AlgorithmIdentifier (DER) beside the signature; must equal the inner one."""
        return self._part(_TBS_END, _OUTER_END)

    @property
    def signature(self) -> bytes:
        """What stands in its BIT STRING."""
        return self.der[self._row[_SIGNATURE] :]

    @property
    def version(self) -> int:
        """1, 2 or 3."""
        return self._row[_VERSION]

    @property
    def serial_number(self) -> int:
        """Any integer."""
        return int.from_bytes(self._part(_SERIAL, _SERIAL_END), "big", signed=True)

    @property
    def inner_algorithm(self) -> bytes:
        """AlgorithmIdentifier (DER) in the signed part."""
        return self._part(_SERIAL_END, _INNER_END)

    @property
    def issuer(self) -> bytes:
        """Name (DER)."""
        return self._part(_INNER_END, _ISSUER_END)

    @property
    def subject(self) -> bytes:
        """Name (DER)."""
        return self._part(_VALIDITY_END, _SUBJECT_END)

    @property
    def extensions(self) -> dict[bytes, tuple[bool, bytes]]:
        """(critical, value) by OID."""
        found = self._extensions
        if found is None:
            found = self._extensions = _sliced(self.der, cutting.cut(self.der)[cutting.FIRST_EXTENSION :])
        return found

    def condense(self) -> None:
        """Forget what can be read again: nobody asks for the time being, and it takes more memory than the bytes."""
        self.checked = self._extensions = None
        self.said = {}

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
    def issuer_text(self) -> str:
        """The issuer for people."""
        try:
            return distinguished_name.text(self.issuer) if self.issuer != EMPTY_NAME else "nobody"
        except CertificateError:
            return "unreadable"

    def issued_by(self, names: Iterable[bytes]) -> bool:
        """Whether the issuer's name is among `names` (DER); one that does not parse matches nothing (CR-08)."""
        return any(name == self.issuer or _normal_form(name) == self.issuer_name for name in names)

    @property
    def self_issued(self) -> bool:
        """Issuer and subject are the same name (RFC 5280 6.1); says nothing about the key."""
        return self.subject_name == self.issuer_name

    @property
    def signature_algorithm(self) -> str:
        """The outer signature algorithm's name, such as "sha256WithRSAEncryption"."""
        return signatures.name_of(self.outer_algorithm)

    @property
    def basic_constraints(self) -> BasicConstraints | None:
        found: BasicConstraints | None = self.extension(extensions.BASIC_CONSTRAINTS)
        return found

    @property
    def key_usage(self) -> frozenset[int] | None:
        """Bit positions that are set; None without the extension."""
        found: frozenset[int] | None = self.extension(extensions.KEY_USAGE)
        return found

    @property
    def extended_key_usage(self) -> frozenset[bytes] | None:
        """OIDs of purposes; None without the extension."""
        found: frozenset[bytes] | None = self.extension(extensions.EXTENDED_KEY_USAGE)
        return found

    @property
    def subject_alt_name(self) -> tuple[GeneralName, ...] | None:
        found: tuple[GeneralName, ...] | None = self.extension(extensions.SUBJECT_ALT_NAME)
        return found

    @property
    def subject_key_identifier(self) -> bytes | None:
        found: bytes | None = self.extension(extensions.SUBJECT_KEY_IDENTIFIER)
        return found

    @property
    def authority_key_identifier(self) -> bytes | None:
        found: bytes | None = self.extension(extensions.AUTHORITY_KEY_IDENTIFIER)
        return found

    @property
    def name_constraints(self) -> NameConstraints | None:
        found: NameConstraints | None = self.extension(extensions.NAME_CONSTRAINTS)
        return found

    @property
    def certificate_policies(self) -> CertificatePolicies | None:
        found: CertificatePolicies | None = self.extension(extensions.CERTIFICATE_POLICIES)
        return found

    @property
    def policy_mappings(self) -> tuple[tuple[bytes, bytes], ...]:
        """Pairs of a policy of the issuer and one of the subject that stands for it (OIDs)."""
        found: tuple[tuple[bytes, bytes], ...] | None = self.extension(extensions.POLICY_MAPPINGS)
        return found or ()

    @property
    def policy_constraints(self) -> PolicyConstraints | None:
        found: PolicyConstraints | None = self.extension(extensions.POLICY_CONSTRAINTS)
        return found

    @property
    def inhibit_any_policy(self) -> int | None:
        """How many more certificates below may use anyPolicy; None without the extension."""
        found: int | None = self.extension(extensions.INHIBIT_ANY_POLICY)
        return found

    @property
    def ca_issuers(self) -> tuple[str, ...]:
        """URLs of the issuer's certificate."""
        found: tuple[str, ...] | None = self.extension(extensions.AUTHORITY_INFO_ACCESS)
        return found or ()

    @property
    def tls_features(self) -> frozenset[int]:
        """Numbers of the TLS extensions that its server has to answer (RFC 7633); 5 is known as must-staple."""
        found: frozenset[int] | None = self.extension(extensions.TLS_FEATURE)
        return found or frozenset()

    @property
    def is_ca(self) -> bool:
        """It may sign certificates, as far as basicConstraints says. Before version 3 nothing can say so."""
        constraints = self.basic_constraints
        return constraints is not None and constraints.ca

    @property
    def allows_digital_signature(self) -> bool:
        """The key may sign handshakes (CERT-12): without keyUsage everything is allowed."""
        if self.facts:
            return self.facts & cutting.DIGITAL_SIGNATURE != 0
        usage = self.extension(extensions.KEY_USAGE)
        return usage is None or extensions.DIGITAL_SIGNATURE in usage

    @property
    def allows_cert_sign(self) -> bool:
        """The key may sign certificates, as far as keyUsage says."""
        usage = self.key_usage
        return usage is None or extensions.KEY_CERT_SIGN in usage

    def allows(self, purpose: str) -> bool:
        """The leaf may be used for one of `PURPOSES` (CERT-13).

        Without extendedKeyUsage everything is allowed. anyExtendedKeyUsage is no permission in a
        leaf: RFC 5280 4.2.1.12 leaves that to the application, and others refuse it too.
        """
        purposes = self.extended_key_usage
        wanted = PURPOSES[purpose]
        return purposes is None or wanted is None or wanted in purposes

    def extension(self, oid: bytes) -> Any:
        """What an extension that we know says, None without it. Raises CertificateError if it is malformed."""
        said = self.said
        complete = said is self.checked  # before looking into it: another thread may be at work there
        if oid in said:
            return said[oid]
        if oid == extensions.SUBJECT_ALT_NAME and self.facts:  # the only one that an ordinary path asks for
            encoded = self._part(_ALT_NAME, _ALT_NAME_END)
            if not encoded:
                return None
            value = said[oid] = extensions.subject_alt_name(encoded)
            return value
        found = None if complete else self.extensions.get(oid)
        if found is None:  # and not noted: what stands in `said` is in the certificate
            return None
        value = said[oid] = extensions.read(oid, found[1])
        return value


# Places in the row of `cutting`.
_TBS, _TBS_END, _OUTER_END, _SIGNATURE, _VERSION, _SERIAL, _SERIAL_END, _INNER_END, _ISSUER_END = range(9)
_VALIDITY_END, _SUBJECT_END = 11, 12
_ALT_NAME, _ALT_NAME_END = 18, 19


class _Malformed(Certificate):
    """One whose key or names cannot be read: it is refused when somebody asks for them.

    A class of its own, since attributes are found several times as fast where no `__getattr__` is.
    """

    __slots__ = ()

    @property
    def self_issued(self) -> bool:
        return self.subject == self.issuer or super().self_issued

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            read = _READ_LATER.get(name)
            if read is None:
                raise AttributeError(f"a Certificate has no attribute {name!r}")
            value = read(self)
            setattr(self, name, value)
            return value


_READ_LATER: Final[dict[str, Callable[[Certificate], Any]]] = {
    "issuer_name": lambda self: distinguished_name.normalise(self.issuer),
    "public_key": lambda self: public_key.parse(self.spki),
    "subject_name": lambda self: distinguished_name.normalise(self.subject),
}


def _sliced(data: bytes, numbers: list[int]) -> dict[bytes, tuple[bool, bytes]]:
    found = {}
    each = iter(numbers)
    for oid, oid_end, critical, value, value_end in zip(each, each, each, each, each, strict=True):
        found[data[oid:oid_end]] = critical == 1, data[value:value_end]
    return found


def _normal_form(name: bytes) -> Name | None:
    try:
        return distinguished_name.normalise(name)
    except CertificateError:
        return None
