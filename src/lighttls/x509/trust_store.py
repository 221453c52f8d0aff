"""Trust anchors: names and keys we believe, whatever signature they carry themselves (RFC 5280 6.1.1 d).

A store is filled, then frozen by the configuration that uses it. Loading reads no more of each
certificate than its name; the rest is parsed when a path first reaches that anchor.
"""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike, fspath
from os.path import exists

from lighttls._typing import Final
from lighttls.errors import CertificateError, ConfigurationError, UsageError
from lighttls.x509 import distinguished_name, pem, public_key
from lighttls.x509.certificate import EMPTY_NAME, Certificate
from lighttls.x509.cutting import peek_subject
from lighttls.x509.distinguished_name import Name
from lighttls.x509.policy import SignaturePolicy

_LARGEST_FILE: Final = 16 << 20  # bytes; the largest bundles have half a megabyte

_SYSTEM_BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch, Alpine, OpenWrt, Gentoo
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, RHEL
    "/etc/pki/tls/certs/ca-bundle.crt",  # older Fedora and RHEL
    "/etc/ssl/ca-bundle.pem",  # openSUSE
    "/etc/ssl/cert.pem",  # macOS, BSD, Alpine
    "/usr/local/share/certs/ca-root-nss.crt",  # FreeBSD
)


class Anchor:
    """A name and a key that end a path, and how lenient we are below it."""

    __slots__ = ("_certificate", "_der", "_spki", "allow", "label", "name", "subject")

    name: Name
    """The subject in the form for comparison."""
    subject: bytes
    """Name (DER)."""
    label: str
    """What the owner calls it; else its subject for people."""
    allow: SignaturePolicy

    def __init__(self, subject: bytes, spki: bytes, der: bytes, label: str | None, allow: SignaturePolicy) -> None:
        self.subject = subject
        self.name = distinguished_name.normalise(subject)
        self.label = label or ""
        self.allow = allow
        self._spki = spki  # empty until read from the certificate
        self._der = der  # empty for a bare name and key
        self._certificate: Certificate | None = None

    @property
    def der(self) -> bytes:
        """The anchor's certificate; empty if it is just a name and a key."""
        return self._der

    @property
    def certificate(self) -> Certificate | None:
        """The anchor's certificate, parsed. Raises CertificateError if it is malformed."""
        if self._certificate is None and self._der:
            self._certificate = Certificate.parse(self._der)
        return self._certificate

    @property
    def spki(self) -> bytes:
        """SubjectPublicKeyInfo (DER). Raises CertificateError if the certificate is malformed."""
        certificate = self.certificate
        return self._spki if certificate is None else certificate.spki

    @property
    def signature_algorithm(self) -> str | None:
        """What the anchor's own certificate is signed with, for reports: it plays no part in the verdict."""
        certificate = self.certificate
        return None if certificate is None else certificate.signature_algorithm

    def __str__(self) -> str:
        return self.label or distinguished_name.text(self.subject)

    def __repr__(self) -> str:
        return f"<Anchor {self}>"


class TrustStore:
    """The anchors that a path may end at."""

    __slots__ = ("_anchors", "_by_name", "_frozen", "permits_sha1")

    def __init__(self) -> None:
        """An empty store, as `empty()` makes it."""
        self._anchors: list[Anchor] = []
        self._by_name: dict[Name, list[Anchor]] = {}
        self._frozen = False
        self.permits_sha1 = False  # some anchor allows SHA-1 below it

    @classmethod
    def empty(cls) -> TrustStore:
        """A store without anchors: it trusts nobody until some are added."""
        return cls()

    @classmethod
    def from_pem(cls, data: bytes | str) -> TrustStore:
        """Every certificate in PEM text. Raises ConfigurationError, which says what is wrong."""
        return cls._load(data, "PEM data")

    @classmethod
    def from_der(cls, data: bytes) -> TrustStore:
        """One DER certificate. Raises ConfigurationError."""
        if data[:1] != b"\x30":
            raise ConfigurationError("DER data: not a certificate (it does not start with a SEQUENCE)")
        return cls._load(data, "DER data")

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> TrustStore:
        """Every certificate in a PEM file, or the one in a DER file. Raises ConfigurationError."""
        origin = fspath(path)
        try:
            with open(origin, "rb") as file:
                data = file.read(_LARGEST_FILE + 1)
        except (OSError, ValueError) as error:  # ValueError: no path, such as one with a NUL
            reason = getattr(error, "strerror", None) or error
            raise ConfigurationError(f"trust file {origin} cannot be read: {reason}") from error
        if len(data) > _LARGEST_FILE:
            raise ConfigurationError(
                f"trust file {origin} is larger than {_LARGEST_FILE >> 20} MiB, so it is no trust file"
            )
        return cls._load(data, f"trust file {origin}")

    @classmethod
    def system(cls) -> TrustStore:
        """The operating system's bundle. Raises ConfigurationError where there is none, as on Windows."""
        for path in _SYSTEM_BUNDLES:
            if exists(path):
                return cls.from_file(path)
        raise ConfigurationError(
            "no bundle of root certificates found on this system; name one with TrustStore.from_file, "
            "or use TrustStore.mozilla()"
        )

    @classmethod
    def mozilla(cls) -> TrustStore:
        """Mozilla's roots, from the package certifi. Raises ConfigurationError if it is missing."""
        try:
            from certifi import where
        except ImportError as error:
            raise ConfigurationError("TrustStore.mozilla() needs the package certifi: pip install certifi") from error
        return cls.from_file(where())

    def add(
        self, certificate: bytes | str | Certificate, *, label: str | None = None, allow: SignaturePolicy | None = None
    ) -> None:
        """Trust one certificate (PEM or DER): its name and key, for what lies below it.

        A server's own certificate may be added too; it is then accepted as it is, and not as an
        authority. `allow` loosens what signatures below this anchor may be, and below no other.

        Raises:
            ConfigurationError: it is not exactly one readable certificate.
            UsageError: the store is in use.
        """
        origin = label or "certificate"
        if not isinstance(certificate, Certificate):
            found = pem.certificates(certificate, origin)
            if len(found) != 1:
                raise ConfigurationError(f"{origin}: {len(found)} certificates where one was expected; use from_pem")
            try:
                certificate = Certificate.parse(found[0])
                certificate.public_key  # noqa: B018 - a key that cannot be read is better noticed here
            except CertificateError as error:
                raise ConfigurationError(f"{origin}: {error}") from error
        self._insert(certificate.subject, b"", certificate.der, label, allow, origin)

    def add_anchor(
        self, subject_der: bytes, spki_der: bytes, *, label: str | None = None, allow: SignaturePolicy | None = None
    ) -> None:
        """Trust a name and a key (RFC 5914's essence): Name and SubjectPublicKeyInfo, both DER.

        Raises:
            ConfigurationError: one of them cannot be read.
            UsageError: the store is in use.
        """
        origin = label or "anchor"
        try:
            public_key.parse(spki_der)
        except CertificateError as error:
            raise ConfigurationError(f"{origin}: {error}") from error
        self._insert(subject_der, bytes(spki_der), b"", label, allow, origin)

    def freeze(self) -> None:
        """Forbid further additions: a configuration uses the store now."""
        self._frozen = True

    def named(self, name: Name) -> list[Anchor]:
        """The anchors with this subject, given in the form for comparison."""
        return self._by_name.get(name, [])

    def __iter__(self) -> Iterator[Anchor]:
        return iter(self._anchors)

    def __len__(self) -> int:
        return len(self._anchors)

    def __repr__(self) -> str:
        return f"<TrustStore of {len(self)} anchors>"

    @classmethod
    def _load(cls, data: bytes | str, origin: str) -> TrustStore:
        store = cls()
        for number, der in enumerate(pem.certificates(data, origin), 1):
            try:
                subject = peek_subject(der)
            except CertificateError as error:
                raise ConfigurationError(f"{origin}: certificate {number}: {error}") from error
            store._insert(subject, b"", der, None, None, f"{origin}: certificate {number}")
        return store

    def _insert(
        self, subject: bytes, spki: bytes, der: bytes, label: str | None, allow: SignaturePolicy | None, origin: str
    ) -> None:
        if self._frozen:
            raise UsageError("this TrustStore is in use by a ClientConfig; fill it before making the configuration")
        if subject == EMPTY_NAME and not der:
            raise ConfigurationError(f"{origin}: an anchor needs a name")
        try:
            anchor = Anchor(bytes(subject), spki, der, label, _STRICT if allow is None else allow)
        except CertificateError as error:
            raise ConfigurationError(f"{origin}: {error}") from error
        self._anchors.append(anchor)
        self.permits_sha1 |= anchor.allow.sha1
        self._by_name.setdefault(anchor.name, []).append(anchor)


_STRICT: Final = SignaturePolicy()
