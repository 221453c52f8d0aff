"""Trust anchors: names and keys we believe, whatever signature they carry themselves (RFC 5280 6.1.1 d).

A store is filled, then frozen by the configuration that uses it. Loading reads no more of each
certificate than its name; the rest is parsed when a path first reaches that anchor. `check` looks at all of it, and
`add` at the one that it is given, since what somebody adds by hand may have been typed or copied wrongly.
"""

from __future__ import annotations

from collections.abc import Iterator
from os import PathLike, fspath, listdir
from os.path import exists, isdir, join
from sys import platform

from lighttls._struct import struct
from lighttls._typing import Final
from lighttls.crypto import CryptoProvider, default_provider
from lighttls.errors import BadSignature, CertificateError, ConfigurationError, UsageError
from lighttls.x509 import distinguished_name, pem, public_key, signatures
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
_SYSTEM_FOLDERS: Final = (
    "/etc/ssl/certs",  # most of the above, where the bundle was left out
    "/system/etc/security/cacerts",  # Android
)
_FILE_NAMES: Final = frozenset(("pem", "crt", "cer", "der"))


class Anchor:
    """A name and a key that end a path, and how lenient we are below it."""

    __slots__ = ("_certificate", "_cut_by_engine", "_der", "_spki", "allow", "label", "name", "subject")

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
        self._cut_by_engine = False

    @property
    def der(self) -> bytes:
        """The anchor's certificate; empty if it is just a name and a key."""
        return self._der

    @property
    def certificate(self) -> Certificate | None:
        """The anchor's certificate, parsed. Raises CertificateError if it is malformed."""
        return self.read()

    def read(self, provider: CryptoProvider | None = None) -> Certificate | None:
        """The same, parsed with the help of an engine if there is one, which may know more of it."""
        certificate = self._certificate
        if self._der and (certificate is None or (provider is not None and not self._cut_by_engine)):
            certificate = self._certificate = Certificate.parse(self._der, provider)
            self._cut_by_engine = provider is not None
        return certificate

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

    def fault(self, provider: CryptoProvider) -> str:
        """What is wrong with the anchor's certificate; empty if nothing is, or if there is no more than a name and key.

        A self-signature proves nothing. But one that does not verify shows that bytes were altered, of the key most
        likely, so that no path will ever end here. One by an algorithm that we do not have (MD5) is passed over.
        """
        try:
            certificate = self.certificate
            if certificate is None or not certificate.self_issued or _names_another_key(certificate):
                return ""
            signatures.check_usable(certificate.public_key)
        except CertificateError as error:
            return str(error)
        scheme = signatures.signature_scheme(certificate)
        if scheme is not None:
            try:
                provider.verify(scheme, certificate.spki, certificate.signature, certificate.tbs)
            except BadSignature:
                return "its own signature does not verify: some of its bytes were altered, perhaps those of its key"
        return ""

    def __str__(self) -> str:
        return self.label or distinguished_name.text(self.subject)

    def __repr__(self) -> str:
        return f"<Anchor {self}>"


@struct
class AnchorFault:
    """An anchor that can hardly be what its owner believes."""

    anchor: Anchor
    detail: str

    def __str__(self) -> str:
        return f"anchor '{self.anchor}': {self.detail}"


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
    def of(cls, anchor: Anchor) -> TrustStore:
        """A store with this one anchor of another store, as it is."""
        store = cls()
        store._keep(anchor)
        return store

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
    def from_folder(cls, path: str | PathLike[str]) -> TrustStore:
        """Every certificate in the files of a folder that look like certificates by their names.

        These end in .pem, .crt, .cer or .der, or in .0 and so on as OpenSSL's hashed names do. Each must hold a
        certificate. Folders inside are left alone, and what is there twice counts once.

        Raises:
            ConfigurationError: there is no such folder or no such file in it, or one cannot be read.
        """
        folder = fspath(path)
        store = cls()
        for file in _certificate_files(folder):
            for anchor in cls.from_file(file):
                if not any(anchor.der == known.der for known in store.named(anchor.name)):
                    store._keep(anchor)
        if not len(store):
            raise ConfigurationError(
                f"trust folder {folder}: no file in it is named like a certificate (.pem, .crt, .cer, .der, or a hash)"
            )
        return store

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
        """The operating system's bundle or folder; of macOS the bundle, which lacks what was added to the keychain.

        Raises:
            ConfigurationError: there is none, as on Windows and in small containers, or it cannot be read.
        """
        for path in _SYSTEM_BUNDLES:
            if exists(path):
                return cls.from_file(path)
        for path in _SYSTEM_FOLDERS:
            if isdir(path) and _certificate_files(path):
                return cls.from_folder(path)
        raise ConfigurationError(
            f"no root certificates found where systems like this one ({platform}) keep them: name them with "
            f"TrustStore.from_file or TrustStore.from_folder, or use TrustStore.mozilla()",
            hint="The commands of lighttls take them by --cafile.",
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
        A RuntimeWarning says if its own signature does not verify; it is trusted all the same.

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
        anchor = self._insert(certificate.subject, b"", certificate.der, label, allow, origin)
        fault = anchor.fault(default_provider())
        if fault:
            import warnings  # which nearly nobody needs

            warnings.warn(str(AnchorFault(anchor, fault)), RuntimeWarning, stacklevel=2)

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

    def check(self) -> list[AnchorFault]:
        """Look at every anchor as closely as `add` does at one: about 0.2 ms each, 30 ms for a bundle."""
        provider = default_provider()
        found = ((anchor, anchor.fault(provider)) for anchor in self._anchors)
        return [AnchorFault(anchor, fault) for anchor, fault in found if fault]

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
    ) -> Anchor:
        if self._frozen:
            raise UsageError("this TrustStore is in use by a ClientConfig; fill it before making the configuration")
        if subject == EMPTY_NAME and not der:
            raise ConfigurationError(f"{origin}: an anchor needs a name")
        try:
            anchor = Anchor(bytes(subject), spki, der, label, _STRICT if allow is None else allow)
        except CertificateError as error:
            raise ConfigurationError(f"{origin}: {error}") from error
        self._keep(anchor)
        return anchor

    def _keep(self, anchor: Anchor) -> None:
        self._anchors.append(anchor)
        self.permits_sha1 |= anchor.allow.sha1
        self._by_name.setdefault(anchor.name, []).append(anchor)


def _certificate_files(folder: str) -> list[str]:
    """The files of a folder that look like certificates by their names. Raises ConfigurationError."""
    try:
        names = sorted(listdir(folder))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"trust folder {folder} cannot be read: {reason}") from error
    found = []
    for name in names:
        stem, dot, ending = name.rpartition(".")
        hashed = len(stem) == 8 and ending.isdecimal()
        if dot and (hashed or ending.lower() in _FILE_NAMES) and not isdir(file := join(folder, name)):
            found.append(file)
    return found


def _names_another_key(certificate: Certificate) -> bool:
    """It bears its own name, but says that another key signed it: an authority that changes its key does that."""
    signer, own = certificate.authority_key_identifier, certificate.subject_key_identifier
    return signer is not None and own is not None and signer != own


_STRICT: Final = SignaturePolicy()
