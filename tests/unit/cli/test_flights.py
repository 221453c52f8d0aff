"""The record of flights: what counts for which, and the drawing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lighttls import TransportError
from lighttls.cli.flights import CountedLine, RecordedTransport, drawn, flights_report

BAUD = 1000  # a hundred bytes a second


class Line:
    baud = BAUD
    count = 500  # of opening the connection


class Far:
    """A transport that moves bytes over `line` with so many of framing, and takes its time."""

    def __init__(self, line: Line) -> None:
        self.line, self.now, self.answers = line, 100.0, [b"", b"a" * 20, b"b" * 30, None, b"c"]

    def send(self, data: bytes) -> int:
        taken = min(len(data), 8)
        self.line.count += taken + 3
        self.now += (taken + 3) * 10 / BAUD
        return taken

    def recv(self, n: int, timeout: float | None) -> bytes | None:
        data = self.answers.pop(0)
        self.line.count += len(data or b"") + 5
        self.now += (len(data or b"") + 5) * 10 / BAUD
        return data

    def close(self) -> None:
        pass


@pytest.fixture
def record() -> RecordedTransport:
    line = Line()
    far = Far(line)
    recorded = RecordedTransport(far, line, lambda: far.now)  # type: ignore[arg-type]
    assert recorded.send(b"0123456789") == 8
    assert recorded.send(b"89") == 2
    for _ in range(4):
        recorded.recv(100, 1)
    recorded.send(b"!")
    recorded.recv(100, 1)
    return recorded


def test_bytes_of_one_direction_in_a_row_are_one_flight(record: RecordedTransport) -> None:
    found = flights_report(record.flights)
    assert [(one["direction"], one["bytes"]) for one in found] == [
        ("sent", 10),
        ("received", 50),
        ("sent", 1),
        ("received", 1),
    ]


def test_serial_bytes_of_fruitless_looks_count_for_the_next_flight_and_none_is_lost(record: RecordedTransport) -> None:
    assert [one.serial_bytes for one in record.flights] == [16, 65, 9, 6]
    assert sum(one.serial_bytes for one in record.flights) == record._line.count - 500


def test_received_flight_begins_when_its_first_byte_was_on_the_line(record: RecordedTransport) -> None:
    """160 ms of sending, 50 of a look in vain, 50 of what comes before the data."""
    assert [one["at_ms"] for one in flights_report(record.flights)] == [0.0, 260.0, 860.0, 950.0]


def test_drawing_has_a_line_for_each_flight_and_bars_in_their_place(record: RecordedTransport) -> None:
    head, *lines, end = drawn(record.flights)
    assert len({len(line) for line in (head, *lines, end)}) == 1
    bars = [line[10:66] for line in lines]
    assert [set(bar) - {" "} for bar in bars] == [{">"}, {"<"}, {">"}, {"<"}]
    starts = [len(bar) - len(bar.lstrip()) for bar in bars]
    assert starts == sorted(starts)
    assert starts[0] == 0
    assert end.split()[0] == "960"
    assert end.split()[-2:] == ["62", "96"]


def test_flights_of_no_length_can_be_drawn(record: RecordedTransport) -> None:
    first = record.flights[0]
    first.ended = first.began
    assert len(list(drawn([first]))) == 3


def test_line_counts_both_ways_and_lets_nothing_pass_after_its_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "port"
    path.write_bytes(b"answer")
    with open(os.open(path, os.O_RDWR), "r+b", buffering=0) as file:
        monkeypatch.setattr("lighttls.cli.flights.monotonic", lambda: 9.0)
        line = CountedLine(file, BAUD, 10.0)
        assert line.read(100) == b"answer"
        assert line.write(b"AT\r") == 3
        assert line.count == 9
        assert line.fileno() == file.fileno()
        monkeypatch.setattr("lighttls.cli.flights.monotonic", lambda: 11.0)
        for step in (line.fileno, lambda: line.write(b"AT\r")):
            with pytest.raises(TransportError, match="is over") as raised:
                step()
            assert not raised.value.timed_out  # whoever waits in small steps must not go on
