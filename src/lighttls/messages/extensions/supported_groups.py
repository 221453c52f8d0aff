"""supported_groups (RFC 8422 §5.1.1)."""

from __future__ import annotations

from lighttls.wire import ListOf, Structure, Uint, field, structure


@structure
class SupportedGroups(Structure):
    """Groups for ECDHE and curves of certificate keys, most wanted first (GRP-01, GRP-02)."""

    named_group_list: tuple[int, ...] = field(ListOf(Uint(2), 2, 0xFFFF))
