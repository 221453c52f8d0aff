"""application_layer_protocol_negotiation (RFC 7301 §3.1)."""

from __future__ import annotations

from lighttls.wire import ListOf, Structure, Vector, field, structure


@structure
class ProtocolNameList(Structure):
    """Protocols in order of preference; an answer holds exactly one (ALPN-02 to ALPN-04)."""

    protocol_name_list: tuple[bytes, ...] = field(ListOf(Vector(1, 0xFF), 2, 0xFFFF))
