"""FileSessionStore: sessions that survive a reboot, sealed, in one file.

A file that cannot be unsealed or read is worth as much as none: a full handshake follows, and the
next save replaces it. Writing goes to a neighbour first, which then takes the file's place, so that
a power cut leaves the old file or the new one.
"""

from __future__ import annotations

import os
import stat
from _thread import allocate_lock
from collections.abc import Callable
from contextlib import suppress

from lighttls._typing import Final
from lighttls.errors import ConfigurationError, DecodeError
from lighttls.wire import Fixed, ListOf, Nested, Structure, Vector, field, structure

Seal = Callable[[bytes], bytes]

_MOST_ENTRIES: Final = 64  # a device talks to a handful of servers; at most 1.1 MiB
_LARGEST_FILE: Final = 2 << 20  # bytes that are read
_MAGIC: Final = b"LTSESS\0\1"  # the last byte is the layout's number


@structure
class _Entry(Structure):
    key: bytes = field(Vector(1, 64))
    data: bytes = field(Vector(1, 0xFFFF))


@structure
class _Content(Structure):
    magic: bytes = field(Fixed(8))
    entries: tuple[_Entry, ...] = field(ListOf(Nested(_Entry), 0, 0xFFFFFF))


class FileSessionStore:
    """Keeps sessions in the file `path`, the 64 that were saved last.

    `seal` makes bytes unreadable and unforgeable, `unseal` takes them back or raises; `aead_seal` makes both
    of a key. They are not optional: who can write an unsealed file can plant a session, and with it a
    server that nobody verified. Threads may share a store. Of two processes that save at the same
    time one may lose what it saved, which costs a full handshake.
    """

    __slots__ = ("_lock", "_path", "_plain", "_seal", "_unseal")

    def __init__(self, path: str | os.PathLike[str], seal: Seal, unseal: Seal) -> None:
        if not (callable(seal) and callable(unseal)):
            raise ConfigurationError("FileSessionStore needs two functions, seal and unseal; aead_seal(key) makes them")
        self._path = os.fspath(path)
        self._seal, self._unseal = seal, unseal
        self._plain = False
        self._lock = allocate_lock()

    @classmethod
    def insecure_plaintext(cls, path: str | os.PathLike[str]) -> FileSessionStore:
        """Without sealing: the file's permissions alone guard the master secrets in it, and what is trusted.

        Raises ConfigurationError: the file is not ours, others may read or write it, or this system
        cannot say so.
        """
        if not hasattr(os, "geteuid"):
            raise ConfigurationError("insecure_plaintext needs a system with POSIX file permissions; seal the file")
        store = cls(path, bytes, bytes)
        store._plain = True
        store._read()
        return store

    def load(self, key: bytes) -> bytes | None:
        """Raises ConfigurationError: the file cannot be read, or is not what this store wrote."""
        with self._lock:
            return self._read().get(key)

    def save(self, key: bytes, data: bytes) -> None:
        """Raises OSError if the file cannot be written."""

        def change(entries: dict[bytes, bytes]) -> None:
            entries[key] = data
            if len(entries) > _MOST_ENTRIES:
                del entries[next(iter(entries))]

        self._change(key, change)

    def delete(self, key: bytes) -> None:
        """Raises OSError if the file cannot be written."""
        self._change(key, lambda entries: None)

    def _change(self, key: bytes, change: Callable[[dict[bytes, bytes]], None]) -> None:
        with self._lock:
            try:
                before = self._read()
            except ConfigurationError:  # `load` says so; what is written now replaces it
                before = {}
            after = {each: data for each, data in before.items() if each != key}
            change(after)
            if after != before or list(after) != list(before):
                self._write(after)

    def _read(self) -> dict[bytes, bytes]:
        sealed = self._read_file()
        if sealed is None:
            return {}
        try:
            plain = self._unseal(sealed)
        except Exception as cause:
            raise ConfigurationError(f"the session file {self._path} was altered, or sealed otherwise") from cause
        try:
            content = _Content.parse(plain)
        except DecodeError as cause:
            raise ConfigurationError(f"{self._path} is no session file: {cause}") from cause
        if content.magic != _MAGIC:
            raise ConfigurationError(f"{self._path} is no session file of this version of lighttls")
        return {entry.key: entry.data for entry in content.entries}

    def _read_file(self) -> bytes | None:
        """The file's bytes, None if there is no file."""

        def opened(path: str, flags: int) -> int:
            # Not through a link if the permissions matter: they would be those of another file.
            return os.open(path, flags | os.O_NOFOLLOW if self._plain else flags)

        try:
            with open(self._path, "rb", opener=opened) as file:
                if self._plain:
                    self._check_permissions(os.fstat(file.fileno()))
                data = file.read(_LARGEST_FILE + 1)
        except FileNotFoundError:
            return None
        except ConfigurationError:
            raise
        except (OSError, ValueError) as cause:  # ValueError: no path, such as one with a NUL
            raise ConfigurationError(f"the session file {self._path} cannot be read: {cause}") from cause
        if len(data) > _LARGEST_FILE:
            raise ConfigurationError(f"{self._path} has more than {_LARGEST_FILE} bytes, so it is no session file")
        return data

    def _check_permissions(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
            raise ConfigurationError(
                f"the session file {self._path} belongs to another user, or others may read or write it",
                hint="Who can write it can plant a session and skip verification. Delete it; it is made anew.",
            )

    def _write(self, entries: dict[bytes, bytes]) -> None:
        content = _Content(_MAGIC, tuple(_Entry(key, data) for key, data in entries.items()))
        sealed = self._seal(content.build())
        beside = self._path + ".new"
        with suppress(FileNotFoundError):
            os.unlink(beside)  # left by a power cut
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
        with open(descriptor, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(descriptor)
        os.replace(beside, self._path)

    def __repr__(self) -> str:
        return f"<FileSessionStore {self._path}{' in plaintext' if self._plain else ''}>"


_BINARY: Final[int] = getattr(os, "O_BINARY", 0)  # Windows would change line ends
