"""The native engine's way with records: whole buffers of them, or one small one, in a call.

Small messages have a buffer with their keys, made when the first one comes. Larger work buffers wait on a free list,
are popped for one call and come back after it, so that two threads never share one (cffi releases the GIL).
`ffi.buffer(...)[:n]`, made once per buffer, is the cheapest way from C memory to `bytes`.

What records carry is not wiped: a work buffer keeps up to 64 KiB of the plaintext last opened for as long as the
process lives, and each of two small ones 256 bytes of it for as long as the connection has its keys.
"""

from __future__ import annotations

from struct import Struct

from lighttls._typing import Any, Final
from lighttls.crypto import _shared
from lighttls.crypto._core import ffi, lib
from lighttls.errors import InternalError
from lighttls.iana import ContentType

_APPLICATION_DATA: Final = int(ContentType.APPLICATION_DATA)
_OPENED_DATA: Final = int(lib.LT_OPENED_DATA)
_SEALED_DATA: Final = int(lib.LT_SEALED_DATA)
_SMALL: Final = 256  # bytes of the buffer for small messages, one for each direction
_SMALL_DATA: Final = _SMALL - int(lib.LT_RECORD_EXPANSION)

_BYTES: Final = ffi.typeof("uint8_t[]")
_SMALL_ROOM: Final = ffi.typeof(f"uint8_t[{_SMALL}]")
_SEALED_ROOM: Final = ffi.typeof(f"uint8_t[{_SEALED_DATA}]")
_from_buffer = ffi.from_buffer
_seal = lib.lt_records_seal
_seal_data = lib.lt_records_seal_data
_open = lib.lt_records_open
_open_data = lib.lt_records_open_data

_first_numbers = Struct("5I").unpack_from  # of an lt_opened: the first record is mostly all there is

_seal_work: list[tuple[Any, Any]] = []
_open_work: list[tuple[Any, Any, Any, Any]] = []


def room(array: Any) -> tuple[Any, Any]:
    """C memory, zeroed, and the same as a buffer to slice."""
    out = ffi.new(array)
    return out, ffi.buffer(out)


def _make_seal_work() -> tuple[Any, Any]:
    """Room for what is sealed, and the same as a buffer to slice."""
    return room(_SEALED_ROOM)


def _make_open_work() -> tuple[Any, Any, Any, Any]:
    """An lt_opened, its data as a buffer to slice and as an array, and its numbers: consumed, count, spans."""
    opened = ffi.new("lt_opened *")
    numbers = memoryview(ffi.buffer(opened))[: ffi.offsetof("lt_opened", "data")].cast("I")
    return opened, ffi.buffer(opened.data), opened.data, numbers


def checked(status: int) -> int:
    if status < 0:
        raise misused(status)
    return status


def misused(status: int) -> InternalError:
    return InternalError(f"the C core refused its arguments: status {status}")


class NativeRecordSealer:
    """Fulfils `RecordSealer`."""

    __slots__ = ("_keys", "_long_bytes", "_out", "_sealed")

    def __init__(self, keys: Any) -> None:
        self._keys = keys
        self._out: Any = None  # with `_sealed`, since the first small message
        self._long_bytes = 0  # of seal_data, when the short way was too short

    @property
    def short_bytes(self) -> int:
        return int(lib.lt_record_keys_short_bytes(self._keys)) + self._long_bytes

    def seal_data(self, data: bytes | memoryview) -> bytes:
        if type(data) is not bytes:
            return self._seal_data_long(data)
        size = len(data)
        if size <= _SMALL_DATA:
            out = self._out
            if out is None:
                out, self._sealed = room(_SMALL_ROOM)
                self._out = out
            length = _seal_data(self._keys, out, _SMALL, data, size)
            if length < 0:
                raise _not_sealed(length)
            record: bytes = self._sealed[:length]
            return record
        try:
            work = _seal_work.pop()
        except IndexError:
            work = _make_seal_work()
        length = _seal_data(self._keys, work[0], _SEALED_DATA, data, size)
        if length >= 0:
            sealed: bytes = work[1][:length]
            _seal_work.append(work)
            return sealed
        _seal_work.append(work)
        if length == lib.LT_ERR_SPACE:
            return self._seal_data_long(data)
        raise _not_sealed(length)

    def _seal_data_long(self, data: bytes | memoryview) -> bytes:
        sealed = self.seal(_APPLICATION_DATA, data, lib.LT_RECORD_MAX)
        self._long_bytes += len(sealed)
        return sealed

    def seal(self, content_type: int, data: bytes | bytearray | memoryview, limit: int) -> bytes:
        """Seal piece by piece what is too long for a work buffer: fresh memory of that size costs more than the cipher.

        Each piece keeps back the records of those behind it, so that the first one fails if the budget is short, and
        one that `close` may still need.
        """
        if type(data) is bytes and len(data) <= limit:
            return self._seal_part(content_type, data, len(data), limit, 1)
        _shared.check_limit(limit)
        step = _SEALED_DATA // (limit + lib.LT_RECORD_EXPANSION) * limit
        parts: list[bytes] = []
        with _from_buffer(_BYTES, data) as view:
            for at in range(0, len(view), step) or (0,):
                size = min(step, len(view) - at)
                records_behind = -(-(len(view) - at - size) // limit)
                parts.append(self._seal_part(content_type, view + at, size, limit, 1 + records_behind))
        return b"".join(parts)

    def close(self, content_type: int, data: bytes) -> bytes:
        return self._seal_part(content_type, data, len(data), lib.LT_RECORD_MAX, 0)

    def _seal_part(self, content_type: int, data: Any, size: int, limit: int, reserve: int) -> bytes:
        try:
            work = _seal_work.pop()
        except IndexError:
            work = _make_seal_work()
        out, buffer = work
        length = _seal(self._keys, out, _SEALED_DATA, content_type, data, size, limit, reserve)
        sealed: bytes = buffer[: max(length, 0)]
        _seal_work.append(work)
        if length < 0:
            raise _not_sealed(length)
        return sealed


def _not_sealed(status: int) -> Exception:
    if status == lib.LT_ERR_BUSY:
        return _shared.keys_in_use()
    return _shared.worn_out_key() if status == lib.LT_ERR_SEQUENCE else misused(status)


class NativeRecordOpener:
    """Fulfils `RecordOpener`."""

    __slots__ = ("_keys", "_opened", "_out")

    def __init__(self, keys: Any) -> None:
        self._keys = keys
        self._out: Any = None  # with `_opened`, since the first small message

    @property
    def short_bytes(self) -> int:
        return int(lib.lt_record_keys_short_bytes(self._keys))

    def open_data(self, data: bytes) -> bytes | None:
        size = len(data)
        if size <= _SMALL:
            out = self._out
            if out is None:
                out, self._opened = room(_SMALL_ROOM)
                self._out = out
            length = _open_data(self._keys, out, _SMALL, data, size)
            if length > 0:
                plaintext: bytes = self._opened[:length]
                return plaintext
        else:
            try:
                work = _open_work.pop()
            except IndexError:
                work = _make_open_work()
            length = _open_data(self._keys, work[2], _OPENED_DATA, data, size)
            if length > 0:
                plaintext = work[1][:length]
                _open_work.append(work)
                return plaintext
            _open_work.append(work)
        if length < 0:
            raise _refused(length, data, lib.LT_RECORD_MAX)
        return None

    def open_into(self, data: bytes | memoryview, out: memoryview) -> tuple[int, int]:
        consumed = ffi.new("size_t *")
        with _from_buffer(_BYTES, data) as view, _from_buffer(_BYTES, out, require_writable=True) as target:
            written = lib.lt_records_open_into(self._keys, target, len(target), consumed, view, len(view))
        if written == lib.LT_ERR_BUSY:
            raise _shared.keys_in_use()
        return checked(written), consumed[0]

    def open(self, data: bytes | bytearray | memoryview, limit: int) -> tuple[list[tuple[int, bytes]], int]:
        try:
            work = _open_work.pop()
        except IndexError:
            work = _make_open_work()
        if type(data) is bytes:
            result = _open(self._keys, work[0], data, len(data), limit)
        else:
            with _from_buffer(_BYTES, data) as view:
                result = _open(self._keys, work[0], view, len(view), limit)
        if result < 0:
            _open_work.append(work)
            raise _refused(result, data, limit)
        _, contents, _, numbers = work
        consumed, _, kind, start, size = _first_numbers(numbers)
        records = [(kind, contents[start : start + size])] if result else []
        for at in range(5, 2 + 3 * result, 3):
            start = numbers[at + 1]
            records.append((numbers[at], contents[start : start + numbers[at + 2]]))
        _open_work.append(work)
        return records, consumed


def _refused(status: int, data: Any, limit: int) -> Exception:
    """The error for the record at the start of `data`."""
    if status == lib.LT_ERR_BUSY:
        return _shared.keys_in_use()
    if status == lib.LT_ERR_AUTH:
        return _shared.bad_record()
    if status == lib.LT_ERR_ARGUMENT and 0 < limit <= lib.LT_RECORD_MAX:  # REC-01
        return _shared.unknown_type(data[0])
    if status == lib.LT_ERR_VERSION:
        return _shared.wrong_version(data[1] << 8 | data[2])
    if status == lib.LT_ERR_OVERFLOW:
        return _shared.long_record(data[3] << 8 | data[4], limit)
    return misused(status)
