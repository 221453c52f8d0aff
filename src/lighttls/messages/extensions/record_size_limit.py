"""record_size_limit (RFC 8449 §4)."""

from __future__ import annotations

from lighttls.wire import Structure, Uint, field, structure


@structure
class RecordSizeLimit(Structure):
    """The largest plaintext of a protected record that its sender takes, in bytes (SIZE-08, SIZE-09)."""

    record_size_limit: int = field(Uint(2))
