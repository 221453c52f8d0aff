"""Bytes to lines, prompts and counted data: split anywhere, and with anything inside."""

from __future__ import annotations

import re

import pytest

from lighttls.transports.at_modem.parser import LINE_LIMIT, Counted, Data, Garbled, Line, Parser, Prompt, Raw

READ = Counted(re.compile(rb"\+READ: (?P<count>\d{1,5})\r\n"), 1500, b"\r\n")
PUSHED = Counted(re.compile(rb"\+PUSH: (\d),(?P<count>\d{1,5})\r\n"), 1500, b"")
QUOTED = Counted(re.compile(rb'\+QUOTE: (?P<count>\d{1,5}),"'), 1500, b'"\r\n')


def items(*pieces: bytes, prompt: bytes = b"") -> list:
    parser = Parser()
    parser.counted = (READ, PUSHED, QUOTED)
    parser.prompt = prompt
    found = []
    for piece in pieces:
        parser.feed(piece)
        while (item := parser.next_item()) is not None:
            found.append(item)
    return found


STREAM = (
    b"AT+READ=0\r\r\n+READ: 12\r\nOK\r\n+PUSH: 0\r\n\r\nOK\r\n"
    b'\r\n+PUSH: 3,4\r\n\r\nOK\r\n+CREG: 5\r\n\r\n+QUOTE: 5,""\r\n">"\r\n\r\nOK\r\n'
)
FOUND = [
    Line(b"AT+READ=0"),
    Data(READ, (b"12",), b"OK\r\n+PUSH: 0"),
    Line(b"OK"),
    Data(PUSHED, (b"3", b"4"), b"\r\nOK"),
    Line(b"+CREG: 5"),
    Data(QUOTED, (b"5",), b'"\r\n">'),
    Line(b"OK"),
]


def test_whole_stream_gives_its_items() -> None:
    assert items(STREAM) == FOUND


def test_stream_byte_by_byte_gives_the_same_items() -> None:
    assert items(*(STREAM[place : place + 1] for place in range(len(STREAM)))) == FOUND


@pytest.mark.parametrize("place", range(1, len(STREAM)))
def test_stream_in_two_pieces_gives_the_same_items(place: int) -> None:
    assert items(STREAM[:place], STREAM[place:]) == FOUND


@pytest.mark.parametrize("stream", [b"\r\n> ", b"\r\n>", b">", b"AT+SEND=1\r\r\n> ", b"\r\n+CREG: 5\r\n\r\n> "])
def test_prompt_needs_no_line_end_and_no_space(stream: bytes) -> None:
    assert items(stream, prompt=b">")[-1] == Prompt()


def test_prompt_is_seen_only_when_a_command_waits_for_it() -> None:
    assert items(b"\r\n> \r\n") == [Line(b"> ")]
    assert items(b"\r\n> \r\n> x\r\n", prompt=b">") == [Prompt(), Line(b"> x")]


def test_garbage_of_another_baud_rate_before_a_line_is_skipped() -> None:
    assert items(b"\x00\xff\x00\xff\r\nRDY\r\n") == [Line(b"RDY")]


@pytest.mark.parametrize("count", [0, 1, 1499, 1500])
def test_counted_data_may_be_anything(count: int) -> None:
    data = (bytes(range(256)) * 6)[:count]
    assert items(b"\r\n+READ: %d\r\n%b\r\n\r\nOK\r\n" % (count, data))[0].data == data


@pytest.mark.parametrize(
    "stream",
    [
        b"\r\n+READ: 4\r\nabc\r\n\r\nOK\r\n",  # a byte of the data was lost
        b"\r\n+READ: 2\r\nabc\r\n\r\nOK\r\n",  # a byte of the count was altered
        b"\r\n+READ: 1501\r\n",  # more than anybody asked for
        b"\r\n+PUSH: 0,4\r\nabc\r\n+CREG: 5\r\n",  # a byte of pushed data was lost: seen by what follows
        b"\r\n" + b"x" * (LINE_LIMIT + 1),
    ],
)
def test_bytes_that_cannot_be_what_was_sent_are_garbled(stream: bytes) -> None:
    with pytest.raises(Garbled):
        items(stream)


def test_count_that_is_no_number_of_data_is_a_line() -> None:
    assert items(b"\r\n+READ: 10,8,2\r\n") == [Line(b"+READ: 10,8,2")]


def test_raw_bytes_begin_right_after_the_line() -> None:
    parser = Parser()
    parser.feed(b"\r\nCONNECT\r\n\r\n\x00 data")
    assert parser.next_item() == Line(b"CONNECT")
    parser.raw = True
    assert parser.next_item() == Raw(b"\r\n\x00 data")
    assert parser.next_item() is None
