"""renegotiation_info (RFC 5746 §3.2)."""

from __future__ import annotations

from lighttls.wire import Structure, Vector, field, structure


@structure
class RenegotiationInfo(Structure):
    """Empty in a first handshake, and we never make a second (RI-01, RI-03, RI-04)."""

    renegotiated_connection: bytes = field(Vector(0, 0xFF))
