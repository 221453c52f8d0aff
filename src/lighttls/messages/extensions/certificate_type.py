"""client_certificate_type and server_certificate_type (RFC 7250 §3): both have the same two shapes."""

from __future__ import annotations

from lighttls.wire import Structure, Uint, Vector, field, structure


@structure
class CertificateTypes(Structure):
    """What we list, most wanted first (RPK-01, RPK-02)."""

    certificate_type_list: bytes = field(Vector(1, 0xFF))


@structure
class ChosenCertificateType(Structure):
    """The answer (RPK-03)."""

    certificate_type: int = field(Uint(1))
