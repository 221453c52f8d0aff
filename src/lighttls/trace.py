"""A readable record of a handshake."""

from __future__ import annotations

from lighttls._struct import struct
from lighttls.messages import Message, describe


@struct
class TraceEntry:
    """One handshake message or ChangeCipherSpec that was sent or received."""

    sent: bool
    message: Message | None  # None: ChangeCipherSpec
    size: int  # bytes, header included
    time: float  # seconds by the configured clock

    @property
    def name(self) -> str:
        """The message's name as RFC 5246 writes it."""
        return "ChangeCipherSpec" if self.message is None else type(self.message).__name__

    def __str__(self) -> str:
        head = f"{'→' if self.sent else '←'} {self.name} ({self.size} bytes)"
        lines = [] if self.message is None else describe(self.message)
        return "\n    ".join((head, *lines))
