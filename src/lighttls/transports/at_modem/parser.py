"""From the bytes of a serial line to lines, prompts and counted data (V.250 §5.7).

What the next bytes mean depends on the command that runs, so items are taken one at a time, and whoever takes them says
in between what may come: a prompt, which has no line end, and data whose length stands in its header. Counted data is
cut out by its length and never looked at, whatever it contains; it is handed out only once the bytes that must follow
it are there, so that a byte lost on the line cannot pass as the beginning of what comes next.

Work is by slices: a payload costs one cut, a line one search, however they arrive.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

LINE_LIMIT: Final = 4096  # bytes of a line; twice the longest answer there is, 512 bytes in hex with their header
_BLANK: Final = re.compile(rb"[\r\n \x00\xff]*")  # line ends; NUL and FF are what another baud rate leaves on the line


class Garbled(Exception):
    """The bytes cannot be what the modem sent: some were lost or altered on the serial line."""


class Counted(NamedTuple):
    """Data whose length is in its header: `pattern` matches the header, its group `count` is the length in bytes."""

    pattern: re.Pattern[bytes]
    limit: int  # more bytes than that nobody asked for
    tail: bytes  # must follow the data


class Line(NamedTuple):
    """A line without its end, not empty."""

    text: bytes


class Data(NamedTuple):
    """Counted data, and what the groups of its header's pattern matched."""

    counted: Counted
    header: tuple[bytes, ...]
    data: bytes


class Prompt(NamedTuple):
    """The modem waits for the data of a command."""


class Raw(NamedTuple):
    """Bytes of a transparent connection."""

    data: bytes


Item = Line | Data | Prompt | Raw


class Parser:
    """Fed with pieces of any size. `prompt`, `counted` and `raw` say what may come next, before each `next_item`."""

    __slots__ = ("_at", "_block", "_buffer", "_fresh_line", "_searched", "counted", "prompt", "raw")

    def __init__(self) -> None:
        self.prompt = b""  # while a command waits for it; it may end with a line end or without
        self.counted: tuple[Counted, ...] = ()
        self.raw = False
        self._buffer = bytearray()
        self.clear()

    def clear(self) -> None:
        """Forget all bytes."""
        self._buffer.clear()
        self._at = 0  # where the next item begins
        self._searched = 0  # up to where there is no line end
        self._block: tuple[Counted, tuple[bytes, ...], int, int] | None = None  # a header, and where its data lies
        self._fresh_line = False  # the next bytes must begin a line

    @property
    def unfinished(self) -> bool:
        """Whether there are bytes of an item that has not come whole."""
        return len(self._buffer) > self._at

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        at = self._at
        if at:
            del self._buffer[:at]
            self._searched = max(0, self._searched - at)
            if self._block:
                counted, header, start, end = self._block
                self._block = counted, header, start - at, end - at
            self._at = 0
        self._buffer += data

    def next_item(self) -> Item | None:
        """The next item, or None until more bytes come. Raises Garbled."""
        if self.raw:
            return self._take_raw()
        if self._block:
            return self._take_block()
        buffer = self._buffer
        if self._fresh_line and len(buffer) > self._at:
            self._check_fresh_line()
        match = _BLANK.match(buffer, self._at)
        assert match is not None  # it matches nothing, too
        self._at = start = match.end()
        if start == len(buffer):
            return None
        if self.prompt and buffer.startswith(self.prompt, start):
            self._at = start + len(self.prompt)
            self.prompt = b""
            return Prompt()
        for counted in self.counted:
            found = counted.pattern.match(buffer, start)
            if found:
                count = int(found["count"])
                if count > counted.limit:
                    raise Garbled(f"the modem announces {count} bytes where {counted.limit} are the most there can be")
                self._at = found.end()
                self._block = counted, found.groups(), found.end(), found.end() + count
                return self._take_block()
        return self._take_line(start)

    def _take_line(self, start: int) -> Line | None:
        buffer = self._buffer
        end = buffer.find(b"\n", max(start, self._searched))
        if end < 0:
            self._searched = len(buffer)
            if len(buffer) - start > LINE_LIMIT:
                raise Garbled(f"{len(buffer) - start} bytes came without a line end")
            return None
        if end - start > LINE_LIMIT:
            raise Garbled(f"a line of {end - start} bytes came")
        self._at = end + 1
        return Line(bytes(buffer[start:end].rstrip(b"\r")))

    def _take_block(self) -> Data | None:
        assert self._block is not None
        counted, header, start, end = self._block
        after = end + len(counted.tail)
        if len(self._buffer) < after:
            return None
        self._block = None
        if self._buffer[end:after] != counted.tail:
            raise Garbled("the data that the modem announced does not end where it should")
        self._at = self._searched = after
        self._fresh_line = not counted.tail
        return Data(counted, header, bytes(self._buffer[start:end]))

    def _take_raw(self) -> Raw | None:
        data = bytes(self._buffer[self._at :])
        self.clear()
        return Raw(data) if data else None

    def _check_fresh_line(self) -> None:
        """Data without a tail was handed out: at least what follows tells whether its length was right."""
        self._fresh_line = False
        if self._buffer[self._at] != 0x0D:  # whatever a modem says begins with CR LF
            raise Garbled("the data that the modem pushed was not as long as it said")
