"""Certificate in both its shapes, CertificateStatus, CertificateRequest and CertificateVerify.

RFC 5246 §7.4, 6066 §8, 7250 §3.
"""

from __future__ import annotations

from lighttls.iana import HandshakeType
from lighttls.messages.base import Message, message
from lighttls.wire import ListOf, Uint, Vector, field


@message(HandshakeType.CERTIFICATE)
class Certificate(Message):
    """A chain, end entity first; ours may be empty (RFC 5246 §7.4.2, §7.4.6).

    The list fills the message, no entry is empty and none overruns it (CERT-01, CERT-03, CERT-04).
    """

    certificate_list: tuple[bytes, ...] = field(ListOf(Vector(1, 0xFFFFFF), 0, 0xFFFFFF))


@message(HandshakeType.CERTIFICATE)
class RawPublicKey(Message):
    """Certificate where a raw public key was agreed on: a SubjectPublicKeyInfo (DER) fills it (RPK-06; RFC 7250 §3)."""

    subject_public_key_info: bytes = field(Vector(1, 0xFFFFFF))


@message(HandshakeType.CERTIFICATE_STATUS)
class CertificateStatus(Message):
    """An OCSP response on the server's certificate (RFC 6066 §8)."""

    status_type: int = field(Uint(1))
    response: bytes = field(Vector(1, 0xFFFFFF))  # OCSP-08


@message(HandshakeType.CERTIFICATE_REQUEST)
class CertificateRequest(Message):
    """The server wants to know who we are (RFC 5246 §7.4.4).

    Types and schemes are not empty, names are neither empty nor cut, and nothing follows them (CR-02 to CR-05);
    no names at all mean that any certificate will do (CR-07).
    """

    certificate_types: bytes = field(Vector(1, 0xFF))
    supported_signature_algorithms: tuple[int, ...] = field(ListOf(Uint(2), 2, 0xFFFE))
    certificate_authorities: tuple[bytes, ...] = field(ListOf(Vector(1, 0xFFFF), 0, 0xFFFF))


@message(HandshakeType.CERTIFICATE_VERIFY)
class CertificateVerify(Message):
    """The client's proof that it holds its key (RFC 5246 §7.4.8)."""

    scheme: int = field(Uint(2))
    signature: bytes = field(Vector(0, 0xFFFF))
