"""status_request (RFC 6066 §8); the answer is empty."""

from __future__ import annotations

from lighttls.wire import ListOf, Structure, Uint, Vector, field, structure


@structure
class CertificateStatusRequest(Structure):
    """A wish for an OCSP response: type 1, of any responder, without OCSP extensions (OCSP-01)."""

    status_type: int = field(Uint(1))
    responder_id_list: tuple[bytes, ...] = field(ListOf(Vector(1, 0xFFFF), 0, 0xFFFF))
    request_extensions: bytes = field(Vector(0, 0xFFFF))
