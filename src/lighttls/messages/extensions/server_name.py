"""server_name (RFC 6066 §3)."""

from __future__ import annotations

from lighttls.wire import ListOf, Nested, Structure, Uint, Vector, field, structure


@structure
class HostName(Structure):
    """One name; name_type 0 is host_name, the only type there is."""

    name_type: int = field(Uint(1))
    name: bytes = field(Vector(1, 0xFFFF))


@structure
class ServerNameList(Structure):
    """The host we want to reach (SNI-01)."""

    server_name_list: tuple[HostName, ...] = field(ListOf(Nested(HostName), 1, 0xFFFF))
