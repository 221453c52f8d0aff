"""Identity: our certificate chain or raw public key, and who signs for it; and how one of several is chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from os import PathLike

from lighttls._struct import struct
from lighttls.errors import CertificateError, ConfigurationError, LightTLSError
from lighttls.iana import ClientCertificateType, SignatureScheme
from lighttls.keys import Signer, software_key
from lighttls.x509 import (
    Certificate,
    PublicKey,
    certificates_from_pem,
    check_raw_key,
    parse_public_key,
    signature_scheme,
)

_LARGEST_CHAIN = 65_536  # bytes of our certificates: what we ourselves take from a server (REC-22)
_LARGEST_FILE = 1 << 20  # bytes that are read of a file


class Identity:
    """A client certificate chain, end entity first, and its signer; or a raw public key, by `raw_key`.

    `signer=None` means that every signature is deferred: a `SignatureRequested` event appears and
    the handshake waits. `signature_schemes` is what the leaf's key and the signer can do together.
    Raises ConfigurationError: no certificate, one that cannot be read, or a key that does not fit.
    """

    __slots__ = ("chain", "public_key", "signature_schemes", "signer", "spki")

    chain: tuple[bytes, ...]
    """DER, as it is sent; empty for a raw public key."""
    spki: bytes
    """SubjectPublicKeyInfo (DER)."""
    public_key: PublicKey
    """What kind of key that is."""

    def __init__(self, chain: Iterable[bytes], signer: Signer | None) -> None:
        self.chain = tuple(bytes(der) for der in chain)
        if not self.chain:
            raise ConfigurationError("an identity needs at least one certificate")
        if sum(map(len, self.chain)) > _LARGEST_CHAIN:
            raise ConfigurationError(
                f"an identity of {len(self.chain)} certificates, over {_LARGEST_CHAIN} bytes: no server takes it"
            )
        try:
            leaf = Certificate.parse(self.chain[0])
            key = leaf.public_key
        except LightTLSError as cause:
            raise ConfigurationError(f"our own certificate cannot be read: {cause}") from cause
        self._settle(leaf.spki, key, signer)

    @classmethod
    def raw_key(cls, public_key: bytes, signer: Signer | None) -> Identity:
        """A key without a certificate (RFC 7250): SubjectPublicKeyInfo as DER, for a server that knows it already.

        It is offered as the only form of proof we have: a server that wants a certificate all the same gets none.
        Raises ConfigurationError: not a key, or none that can sign here.
        """
        self = object.__new__(cls)
        self.chain = ()
        spki = bytes(public_key)
        try:
            key = parse_public_key(spki)
            check_raw_key(key)
        except LightTLSError as cause:
            raise ConfigurationError(
                f"our own raw public key cannot be used: {cause}",
                hint="Give SubjectPublicKeyInfo as DER (openssl pkey -pubout -outform DER).",
            ) from cause
        self._settle(spki, key, signer)
        return self

    def _settle(self, spki: bytes, key: PublicKey, signer: Signer | None) -> None:
        if signer is not None and not (hasattr(signer, "signature_schemes") and hasattr(signer, "sign")):
            raise ConfigurationError(
                f"{type(signer).__name__} is no Signer: that has `signature_schemes` and `sign`",
                hint="A function that signs SHA-256 digests becomes a signer by raw_ecdsa(function).",
            )
        public_key = getattr(signer, "public_key", None)
        if public_key is not None and public_key != spki:
            raise ConfigurationError(
                f"the private key does not belong to the {'certificate' if self.chain else 'raw public key'}",
                hint="They come from different pairs. Compare their public keys.",
            )
        self.spki, self.public_key = spki, key
        self.signer = signer
        self.signature_schemes = _usable_schemes(key.kind, signer)

    @property
    def is_raw_key(self) -> bool:
        """Whether there is no certificate."""
        return not self.chain

    @classmethod
    def from_pem(cls, data: bytes | str, signer: Signer | None = None, *, name: str = "the PEM data") -> Identity:
        """From PEM: certificates in order, and, if no signer is given, a private key among them if there is one."""
        data = data.encode("utf-8", "replace") if isinstance(data, str) else data
        chain = certificates_from_pem(data, name)
        try:
            if signer is None and b"PRIVATE KEY-----" in data:
                signer = software_key(data)
            return cls(chain, signer)
        except ConfigurationError as cause:
            raise ConfigurationError(f"{name}: {cause}", hint=cause.hint) from cause

    @classmethod
    def from_file(
        cls, path: str | PathLike[str], signer: Signer | None = None, *, key: str | PathLike[str] | None = None
    ) -> Identity:
        """From a PEM file; `key` names another file with the private key, instead of a signer."""
        if key is not None:
            if signer is not None:
                raise ConfigurationError(f"{key}: give a key or a signer, not both")
            pem = _read(key, "key file")
            try:
                signer = software_key(pem)
            except ConfigurationError as cause:
                raise ConfigurationError(f"{key}: {cause}") from cause
        return cls.from_pem(_read(path, "certificate file"), signer, name=str(path))

    def __repr__(self) -> str:
        what = "raw" if self.is_raw_key else f"{len(self.chain)} certificates,"
        return f"Identity({what} {self.public_key.kind} key)"


@struct
class IdentityRequest:
    """What a server wants of a client certificate (RFC 5246 §7.4.4): what an identity selector is asked."""

    server_hostname: str
    certificate_types: tuple[int, ...]  # as sent, unknown ones too (CR-06); likewise the other two
    signature_schemes: tuple[int, ...]
    ca_names: tuple[bytes, ...]  # DER; none: any authority will do (CR-07)
    raw_public_key: bool  # agreed on: then it takes a raw public key, and otherwise a chain (RFC 7250)

    def scheme_for(self, identity: Identity) -> SignatureScheme | None:
        """The first of the identity's schemes that the server takes; None if it takes none, or no such key."""
        if identity.is_raw_key is not self.raw_public_key:  # RPK-13
            return None
        if _TYPE_OF_KEY[identity.public_key.kind] not in self.certificate_types:  # CAUTH-05
            return None
        return next((scheme for scheme in identity.signature_schemes if scheme in self.signature_schemes), None)

    def names_an_issuer_of(self, identity: Identity) -> bool:
        """Whether a certificate of the identity's chain is by an authority that the server named, or it named none.

        A raw public key has no authority.
        """
        return not self.ca_names or identity.is_raw_key or any(_issued_by(der, self.ca_names) for der in identity.chain)

    def lists_signatures_of(self, identity: Identity) -> bool:
        """Whether the server's schemes cover how the chain's own certificates are signed, a root's aside (CAUTH-07).

        RFC 5246 §7.4.4 wants it so. Many servers list less than they take, so it is a reason to prefer an identity;
        the only one is sent in any case.
        """
        return all(_signature_listed(der, self.signature_schemes) for der in identity.chain)

    def fits(self, identity: Identity) -> bool:
        """Whether the server says that it would take this identity: key, scheme and authority (CAUTH-08)."""
        return self.scheme_for(identity) is not None and self.names_an_issuer_of(identity)


IdentitySelector = Callable[[IdentityRequest], Identity | None]
"""Chooses one of several identities, or none: then the server gets an empty list and decides what to make of it.

They have chains: whether a raw public key is offered is settled before the server has said what it wants. Sessions are
kept only if the function has an attribute `policy_id`, bytes that change whenever it would choose otherwise.
"""

_TYPE_OF_KEY = {"rsa": ClientCertificateType.RSA_SIGN, "ec": ClientCertificateType.ECDSA_SIGN}


def _issued_by(der: bytes, names: tuple[bytes, ...]) -> bool:
    try:
        return Certificate.parse(der).issued_by(names)
    except CertificateError:  # behind the leaf a chain is sent as it was given
        return False


def _signature_listed(der: bytes, schemes: tuple[int, ...]) -> bool:
    try:
        certificate = Certificate.parse(der)
        return certificate.self_issued or signature_scheme(certificate) in schemes
    except CertificateError:
        return False


def _read(path: str | PathLike[str], what: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_LARGEST_FILE)
    except (OSError, ValueError) as cause:  # ValueError: no path, such as one with a NUL
        reason = getattr(cause, "strerror", None) or cause
        raise ConfigurationError(f"the {what} {path} cannot be read: {reason}") from cause


def _usable_schemes(kind: str, signer: Signer | None) -> tuple[SignatureScheme, ...]:
    """What the signer offers of what the key can do, in the signer's order; never SHA-1 (CAUTH-11)."""
    possible = _SCHEMES.get(kind)
    if possible is None:
        raise ConfigurationError(f"our own key is of kind {kind}; it must be RSA or EC")
    if signer is None:
        return possible
    usable = tuple(SignatureScheme(scheme) for scheme in signer.signature_schemes if scheme in possible)
    if not usable:
        raise ConfigurationError(f"the signer cannot sign with our {kind} key")
    return usable


_SCHEMES = {
    "ec": (
        SignatureScheme.ECDSA_SECP256R1_SHA256,
        SignatureScheme.ECDSA_SECP384R1_SHA384,
        SignatureScheme.ECDSA_SECP521R1_SHA512,
    ),
    "rsa": (
        SignatureScheme.RSA_PSS_RSAE_SHA256,
        SignatureScheme.RSA_PKCS1_SHA256,
        SignatureScheme.RSA_PSS_RSAE_SHA384,
        SignatureScheme.RSA_PKCS1_SHA384,
        SignatureScheme.RSA_PSS_RSAE_SHA512,
        SignatureScheme.RSA_PKCS1_SHA512,
    ),
}
