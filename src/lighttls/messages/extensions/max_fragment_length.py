"""max_fragment_length (RFC 6066 §4)."""

from __future__ import annotations

from lighttls.wire import Structure, Uint, field, structure


@structure
class MaxFragmentLength(Structure):
    """The code of the length we ask for; an answer repeats it (SIZE-02, SIZE-03)."""

    max_fragment_length: int = field(Uint(1))
