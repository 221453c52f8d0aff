"""Certificates and CRLs out of PEM text or DER bytes (RFC 7468), with errors that say what was found instead."""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64

from lighttls.errors import ConfigurationError
from lighttls.x509.distinguished_name import printable

_BEGIN = b"-----BEGIN "
_CERTIFICATE = (b"CERTIFICATE", b"X509 CERTIFICATE")
_CRL = (b"X509 CRL", b"CRL")

_LONGEST_PATH = 256

_OTHER_DER = {b"\x06": "PKCS7", b"\x02": "a private key or PKCS #12"}  # by the first tag inside
_HINTS = {
    "PKCS7": "openssl pkcs7 -print_certs writes what is in it as PEM; with -inform DER if it is no PEM itself.",
    "a private key or PKCS #12": "openssl pkcs12 -nokeys writes the certificates in a PKCS #12 file as PEM.",
}


def certificates(data: bytes | str, origin: str) -> list[bytes]:
    """The DER of every certificate in PEM text, or of the one that `data` is; other blocks are skipped.

    `origin` names the source in errors. Raises ConfigurationError: there is none, or one is damaged.
    """
    return _blocks(data, origin, _CERTIFICATE, "certificate")


def crls(data: bytes | str, origin: str) -> list[bytes]:
    """The DER of every certificate revocation list, as `certificates`."""
    return _blocks(data, origin, _CRL, "CRL")


def _blocks(data: bytes | str, origin: str, labels: tuple[bytes, ...], what: str) -> list[bytes]:
    text = data.encode("utf-8", "replace") if isinstance(data, str) else bytes(data)
    if text[:1] == b"\x30":
        other = _OTHER_DER.get(text[_contents(text) :][:1])
        if other is not None:
            raise ConfigurationError(f"{origin}: no {what} in it (only {other})", hint=_HINTS.get(other))
        return [text]
    found: list[bytes] = []
    others: list[str] = []
    for block in text.split(_BEGIN)[1:]:
        label, dashes, rest = block.partition(b"-----")
        if label not in labels:
            others.append(printable(label[:40].decode("ascii", "backslashreplace")))
            continue
        body, end, _ = rest.partition(b"-----END " + label + b"-----")
        if not dashes or not end:
            raise ConfigurationError(f"{origin}: {what} {len(found) + 1} has no END line; the text is cut off")
        try:
            found.append(a2b_base64(b"".join(body.split()), strict_mode=True))
        except Base64Error as error:
            raise ConfigurationError(f"{origin}: {what} {len(found) + 1} is not base64 ({error})") from error
    if not found:
        hint = next((_HINTS[each] for each in others if each in _HINTS), None)
        raise ConfigurationError(f"{origin}: no {what} in it ({_instead(text, others)})", hint=hint)
    return found


def _contents(text: bytes) -> int:
    """Where the contents of a DER element start; one that is cut off is for whoever reads it."""
    length = text[1:2]
    return 2 if length < b"\x80" else 2 + (length[0] & 0x7F)


def _instead(text: bytes, others: list[str]) -> str:
    if not text.strip():
        return "it is empty"
    if others:
        return "only " + ", ".join(sorted(set(others))[:4])
    if len(text) < _LONGEST_PATH and b"\n" not in text and any(mark in text for mark in (b".", b"/", b"\\")):
        return "it looks like the name of a file, whose contents are wanted"
    return "neither PEM nor DER"
