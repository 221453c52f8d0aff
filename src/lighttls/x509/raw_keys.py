"""Raw public keys (RFC 7250): which keys a host may show in place of a certificate.

Without a certificate there is no name, no date and no authority: a key is believed because its owner has told us
before, for this host. So they are kept apart from anchors, which vouch for others, and from other hosts (RPK-14).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lighttls._typing import Final
from lighttls.errors import CertificateError, ConfigurationError
from lighttls.x509 import public_key
from lighttls.x509.names import reference_name
from lighttls.x509.policy import SignaturePolicy, pin_digest
from lighttls.x509.public_key import PublicKey
from lighttls.x509.signatures import check_key

RawKey = bytes | str

_DIGEST: Final = 32  # bytes of SHA-256; no SubjectPublicKeyInfo is that short
_FORMS: Final = "Give SubjectPublicKeyInfo as DER (openssl pkey -pubout -outform DER), or its SHA-256 digest."


def by_host(given: Mapping[str, RawKey | Iterable[RawKey]]) -> tuple[tuple[str, frozenset[bytes]], ...]:
    """The keys or digests of each host, by its name in the form for comparison. Raises ConfigurationError."""
    if not hasattr(given, "items"):
        raise ConfigurationError("VerifyPolicy: raw_keys must map host names to keys", hint=_FORMS)
    found: dict[str, frozenset[bytes]] = {}
    for host, keys in given.items():
        name = reference_name(host).text
        one = isinstance(keys, bytes | bytearray | str) or not hasattr(keys, "__iter__")
        each: Iterable[object] = (keys,) if one else tuple(keys)
        if not each or name in found:
            raise ConfigurationError(f"VerifyPolicy: raw_keys has {'two entries' if each else 'no key'} for {host}")
        found[name] = frozenset(_checked(host, key) for key in each)
    return tuple(sorted(found.items()))


def check_raw_key(key: PublicKey) -> None:
    """Refuse a key that no handshake may be signed with, however much it is trusted (CERT-14).

    Raises CertificateError.
    """
    check_key(key, SignaturePolicy())


def _checked(host: str, key: object) -> bytes:
    if isinstance(key, str):
        return pin_digest(key)
    if not isinstance(key, bytes | bytearray):
        raise ConfigurationError(f"VerifyPolicy: a raw key for {host} is {type(key).__name__}", hint=_FORMS)
    key = bytes(key)
    if len(key) != _DIGEST:
        try:
            check_raw_key(public_key.parse(key))
        except CertificateError as cause:
            raise ConfigurationError(f"VerifyPolicy: the raw key for {host}: {cause}", hint=_FORMS) from cause
    return key
