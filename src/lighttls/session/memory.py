"""MemorySessionStore: sessions for as long as the process lives."""

from __future__ import annotations

from _thread import allocate_lock

from lighttls.errors import ConfigurationError


class MemorySessionStore:
    """Keeps the `max_entries` sessions that were used last. Threads may share it."""

    __slots__ = ("_entries", "_lock", "_max_entries")

    def __init__(self, max_entries: int = 64) -> None:
        if max_entries < 1:
            raise ConfigurationError(f"MemorySessionStore: max_entries is {max_entries}; it must be at least 1")
        self._max_entries = max_entries
        self._entries: dict[bytes, bytes] = {}  # the one used last stands last
        self._lock = allocate_lock()

    def load(self, key: bytes) -> bytes | None:
        with self._lock:
            data = self._entries.pop(key, None)
            if data is not None:
                self._entries[key] = data
            return data

    def save(self, key: bytes, data: bytes) -> None:
        with self._lock:
            self._entries.pop(key, None)
            self._entries[key] = data
            if len(self._entries) > self._max_entries:
                del self._entries[next(iter(self._entries))]

    def delete(self, key: bytes) -> None:
        with self._lock:
            self._entries.pop(key, None)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<MemorySessionStore of {len(self)} sessions>"
