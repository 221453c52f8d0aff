"""What waits to be sent: records in the order in which they were protected (REC-29)."""

from __future__ import annotations

from lighttls.errors import UsageError
from lighttls.iana import TLS12, AlertLevel, ContentType
from lighttls.record.framing import frame
from lighttls.record.layer import RecordLayer

_CHANGE_CIPHER_SPEC = frame(ContentType.CHANGE_CIPHER_SPEC, TLS12, b"\1")
_WARNING, _FATAL = bytes((AlertLevel.WARNING,)), bytes((AlertLevel.FATAL,))


class Outbox:
    """Queues records."""

    __slots__ = ("_records", "added", "first", "later")

    def __init__(self, records: RecordLayer) -> None:
        self._records = records
        self.added = 0  # bytes
        self.first: bytes | memoryview = b""  # what leaves next: most of the time all there is
        self.later: list[bytes | memoryview] = []  # empty if `first` is

    def add(self, records: bytes) -> None:
        """Queue what is protected already, and count it."""
        self.added += len(records)
        if self.first:
            self.later.append(records)
        else:
            self.first = records

    def add_change_cipher_spec(self) -> None:
        """Queue ChangeCipherSpec (CCS-10)."""
        self.add(_CHANGE_CIPHER_SPEC)

    def add_warning(self, description: int) -> None:
        """Queue a warning alert after which the connection goes on."""
        self.add(self._records.protect(ContentType.ALERT, _WARNING + bytes((description,))))

    def add_last_alert(self, description: int, *, fatal: bool) -> None:
        """Queue the alert that ends the connection: the key's budget keeps room for it."""
        level = _FATAL if fatal else _WARNING
        self.add(self._records.protect_last(ContentType.ALERT, level + bytes((description,))))

    @property
    def waiting(self) -> int:
        """Bytes that were queued and not taken."""
        return len(self.first) + sum(map(len, self.later))

    def take(self, max_bytes: int | None) -> bytes:
        """The first bytes of the queue, all if `max_bytes` is None; what remains is not copied.

        Raises UsageError if `max_bytes` is negative.
        """
        if max_bytes is None:
            data = b"".join((self.first, *self.later))
            self.first = b""
            self.later.clear()
            return data
        if type(max_bytes) is not int or max_bytes < 0:
            raise UsageError(f"max_bytes is {max_bytes!r}, which is no number of bytes")
        taken, wanted = [], max_bytes
        while self.first and wanted:
            piece = memoryview(self.first)
            taken.append(piece[:wanted])
            self.first = piece[wanted:]
            if not self.first and self.later:
                self.first = self.later.pop(0)
            wanted -= len(taken[-1])
        return b"".join(taken)
