"""What a connection costs a slow line, flight by flight: the record, and its drawing for a terminal.

A flight is what one side says before the other answers. Two things are counted of each: bytes of the connection, and
bytes on the serial line, where commands, echoes, prompts and answers come on top.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import Any, Final

from lighttls.errors import TransportError
from lighttls.transports import Transport

BITS: Final = 10  # of a byte on a serial line: start, eight, stop
_DRAWN: Final = 56  # columns for the whole time
_SENT: Final = "sent"
_RECEIVED: Final = "received"


class CountedLine:
    """An open serial port, as a file: counts what passes, and after `deadline` lets nothing pass any more.

    The limit is here because everything that waits for a modem waits for its port.
    """

    def __init__(self, file: Any, baud: int, deadline: float) -> None:
        self.baud = baud
        self.count = 0
        self._file = file
        self._deadline = deadline

    def fileno(self) -> int:
        if monotonic() > self._deadline:
            raise TransportError(
                "the time that the demo gives itself is over",
                hint="It needs a few seconds on an idle machine. If this one is not overloaded, that is a fault.",
            )
        number: int = self._file.fileno()
        return number

    def read(self, n: int) -> bytes:
        data: bytes = self._file.read(n) or b""
        self.count += len(data)
        return data

    def write(self, data: bytes) -> int | None:
        self.fileno()
        taken: int | None = self._file.write(data)
        self.count += len(data) if taken is None else taken
        return taken

    def close(self) -> None:
        self._file.close()


class Flight:
    """Bytes in one direction. `began` and `ended` are seconds on the record's clock."""

    def __init__(self, direction: str, began: float) -> None:
        self.direction = direction
        self.began = self.ended = began
        self.bytes = self.serial_bytes = 0


class RecordedTransport:
    """A transport over a counted line, and the flights that went over it."""

    def __init__(self, inner: Transport, line: CountedLine, clock: Callable[[], float] = monotonic) -> None:
        self.flights: list[Flight] = []
        self._inner = inner
        self._line = line
        self._clock = clock
        self._counted = line.count  # so that opening the connection belongs to no flight

    def send(self, data: bytes) -> int | None:
        began = self._clock()
        taken = self._inner.send(data)
        self._note(_SENT, len(data) if taken is None else taken, began)
        return taken

    def recv(self, n: int, timeout: float | None) -> bytes | None:
        data = self._inner.recv(n, timeout)
        if data:  # it was handed over when its last byte had come
            self._note(_RECEIVED, len(data), self._clock() - len(data) * BITS / self._line.baud)
        return data

    def close(self) -> None:
        self._inner.close()

    def _note(self, direction: str, count: int, began: float) -> None:
        if not self.flights or self.flights[-1].direction != direction:
            self.flights.append(Flight(direction, max(began, self.flights[-1].ended) if self.flights else began))
        flight = self.flights[-1]
        flight.bytes += count
        flight.serial_bytes += self._line.count - self._counted
        flight.ended = self._clock()
        self._counted = self._line.count


def flights_report(flights: Sequence[Flight]) -> list[dict[str, Any]]:
    """`at_ms` is when the flight's first byte passed, counted from the ClientHello's."""
    return [
        {
            "direction": flight.direction,
            "bytes": flight.bytes,
            "serial_bytes": flight.serial_bytes,
            "at_ms": round((flight.began - flights[0].began) * 1000, 1),
        }
        for flight in flights
    ]


def drawn(flights: Sequence[Flight]) -> Iterator[str]:
    """A time line, one flight a line: when, how long, which way, and how much."""
    start = flights[0].began
    scale = _DRAWN / max(flights[-1].ended - start, 1e-9)
    yield f"   at ms  {'':{_DRAWN}}  TLS bytes   on the line"
    for flight in flights:
        first = min(round((flight.began - start) * scale), _DRAWN - 1)
        length = max(1, round((flight.ended - start) * scale) - first)
        bar = " " * first + (">" if flight.direction == _SENT else "<") * length
        yield f"{(flight.began - start) * 1000:8.0f}  {bar:{_DRAWN}}  {flight.bytes:9}   {flight.serial_bytes:11}"
    total, serial = sum(one.bytes for one in flights), sum(one.serial_bytes for one in flights)
    yield f"{(flights[-1].ended - start) * 1000:8.0f}  {'the end, and in all':{_DRAWN}}  {total:9}   {serial:11}"
