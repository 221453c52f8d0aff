"""The record layer on a stand-in for the engine: any cut, many records at once, versions, what is kept and dropped.

The stand-in's records carry their plaintext and a tag of two bytes; it fulfils `provider.py` to the
letter and has a switch for each of the freedoms that an engine has.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighttls.errors import BadRecordMac, InternalError, ProtocolVersion, RecordOverflow
from lighttls.record import MAX_PLAINTEXT, RecordLayer

Record = tuple[int, bytes]

TAG = b"ok"


def record(content_type: int, fragment: bytes, version: int = 0x0303) -> bytes:
    return bytes((content_type,)) + version.to_bytes(2, "big") + len(fragment).to_bytes(2, "big") + fragment


def sealed(content_type: int, plaintext: bytes) -> bytes:
    return record(content_type, plaintext + TAG)


class Opener:
    """Opens at most `at_most` records in one call."""

    def __init__(self, at_most: int = 1000) -> None:
        self.at_most = at_most
        self.calls = 0

    short_bytes = 0

    def open_data(self, data: bytes) -> bytes | None:
        raise AssertionError("the record layer does not use the short way itself")

    def open(self, data: Any, limit: int) -> tuple[list[Record], int]:
        self.limit = limit
        self.calls += 1
        data = bytes(data)
        records: list[Record] = []
        at = 0
        while len(records) < self.at_most and len(data) - at >= 5:
            end = at + 5 + int.from_bytes(data[at + 3 : at + 5], "big")
            if end > len(data):
                break
            if data[end - len(TAG) : end] != TAG:
                if not records:
                    raise BadRecordMac("tag")
                break
            records.append((data[at], data[at + 5 : end - len(TAG)]))
            at = end
            if records[-1][0] != 23:
                break
        return records, at


class Sealer:
    def seal(self, content_type: int, data: Any, limit: int) -> bytes:
        self.limit = limit
        return b"seal:" + bytes((content_type,)) + bytes(data)

    short_bytes = 0

    def seal_data(self, data: Any) -> bytes:
        return self.seal(23, data, MAX_PLAINTEXT)

    def close(self, content_type: int, data: bytes) -> bytes:
        return b"close:" + bytes((content_type,)) + data


def taken(layer: RecordLayer, chunks: list[bytes]) -> list[Record]:
    found = []
    for chunk in chunks:
        layer.feed(chunk)
        while (one := layer.next()) is not None:
            found.append(one)
    return found


def cut(data: bytes, places: set[int]) -> list[bytes]:
    return [data[a:b] for a, b in zip([0, *sorted(places)], [*sorted(places), len(data)], strict=True)]


plain_records = st.lists(
    st.tuples(st.integers(20, 23), st.binary(max_size=30), st.integers(0x0300, 0x03FF)), min_size=1, max_size=6
)
protected_records = st.lists(st.tuples(st.integers(20, 23), st.binary(max_size=30)), min_size=1, max_size=6)


@settings(max_examples=60)
@given(records=plain_records, data=st.data())
def test_plain_records_are_the_same_however_they_are_cut(records: list[tuple[int, bytes, int]], data: Any) -> None:
    """REC-24, REC-03."""
    stream = b"".join(record(kind, fragment, version) for kind, fragment, version in records)
    places = data.draw(st.sets(st.integers(1, len(stream) - 1)))
    assert taken(RecordLayer(), cut(stream, places)) == [(kind, fragment) for kind, fragment, _ in records]


@settings(max_examples=60)
@given(records=protected_records, at_most=st.integers(1, 3), data=st.data())
def test_protected_records_are_the_same_however_they_are_cut(records: list[Record], at_most: int, data: Any) -> None:
    """REC-24; also when the engine opens few at a time."""
    stream = b"".join(sealed(*one) for one in records)
    places = data.draw(st.sets(st.integers(1, len(stream) - 1)))
    layer = RecordLayer()
    layer.read_with(Opener(at_most))
    assert taken(layer, cut(stream, places)) == records
    assert not layer.held


def test_keys_change_between_two_records_of_one_buffer() -> None:
    """CCS-09: what follows ChangeCipherSpec in the same buffer is opened with the new keys."""
    layer = RecordLayer()
    layer.feed(record(20, b"\1") + sealed(22, b"finished") + sealed(23, b"data"))
    assert layer.next() == (20, b"\1")
    layer.read_with(Opener())
    assert [layer.next(), layer.next(), layer.next()] == [(22, b"finished"), (23, b"data"), None]


def test_records_before_a_bad_one_are_handed_out_first() -> None:
    layer = RecordLayer()
    layer.read_with(Opener())
    layer.feed(sealed(23, b"good") + record(23, b"forged") + sealed(23, b"never"))
    assert layer.next() == (23, b"good")
    with pytest.raises(BadRecordMac):
        layer.next()


def test_incomplete_record_is_not_opened_again_before_its_last_byte() -> None:
    """A slow link must not cost an engine call for each byte."""
    opener = Opener()
    layer = RecordLayer()
    layer.read_with(opener)
    message = sealed(23, bytes(100))
    for byte in message[:-1]:
        layer.feed(bytes((byte,)))
        assert layer.next() is None
    assert opener.calls == 1  # at the header, where the engine judges the length
    layer.feed(message[-1:])
    assert layer.next() == (23, bytes(100))
    assert opener.calls == 2


def test_header_is_judged_before_the_body_is_awaited() -> None:
    """REC-05."""
    layer = RecordLayer()
    layer.feed(bytes.fromhex("16 0303 4001"))
    with pytest.raises(RecordOverflow):
        layer.next()


def test_pinned_version_holds_for_the_next_record() -> None:
    """REC-04."""
    layer = RecordLayer()
    layer.feed(record(22, b"hello", 0x0301) + record(22, b"next", 0x0301))
    assert layer.next() == (22, b"hello")
    layer.version_pinned = True
    with pytest.raises(ProtocolVersion):
        layer.next()


def test_held_stays_the_same_object_and_is_empty_when_all_is_consumed() -> None:
    layer = RecordLayer()
    held = layer.held
    taken(layer, [record(22, b"whole") + b"\x16\x03"])
    assert held == b"\x16\x03"
    taken(layer, [b"\x03\x00\x01x"])
    assert not held
    assert layer.held is held


def test_buffers_of_any_type_are_copied() -> None:
    layer = RecordLayer()
    buffer = bytearray(record(22, b"fragment"))
    layer.feed(memoryview(buffer)[:7])
    layer.feed(buffer[7:])
    buffer[:] = bytes(len(buffer))
    assert layer.next() == (22, b"fragment")


def test_first_record_says_3_1_and_all_later_ones_3_3() -> None:
    """REC-30; a long first flight is one call and keeps its version."""
    layer = RecordLayer()
    assert layer.protect(22, b"hello").hex() == "16 0301 0005".replace(" ", "") + b"hello".hex()
    assert layer.protect(22, b"more").hex() == "16 0303 0004".replace(" ", "") + b"more".hex()
    assert layer.protect_last(21, b"\2\x28").hex() == "15 0303 0002 0228".replace(" ", "")


def test_sealer_takes_over_from_the_next_record_on() -> None:
    """CCS-09; an alert that ends the connection goes the way that always has room (REC-26)."""
    layer = RecordLayer()
    layer.protect(22, b"hello")
    layer.write_with(Sealer())
    assert layer.protect(23, memoryview(b"data")) == b"seal:\x17data"
    assert layer.protect_last(21, b"\1\0") == b"close:\x15\1\0"


def test_largest_records_are_the_rule_and_limits_reach_the_engine() -> None:
    """SIZE-12, SIZE-13: what is protected; each direction has its own."""
    layer = RecordLayer()
    opener, sealer = Opener(), Sealer()
    layer.write_with(sealer)
    layer.read_with(opener)
    assert taken(layer, [sealed(22, b"before")])
    layer.protect(22, b"before")
    assert (opener.limit, sealer.limit) == (MAX_PLAINTEXT, MAX_PLAINTEXT)
    layer.limit(MAX_PLAINTEXT, 100, 64)
    assert taken(layer, [sealed(22, b"after")])
    layer.protect(22, b"after")
    assert (opener.limit, sealer.limit) == (64, 100)


def test_unprotected_limit_holds_from_the_next_record_on() -> None:
    """SIZE-04 to SIZE-06."""
    layer = RecordLayer()
    layer.feed(record(22, bytes(600)) + record(22, bytes(512)) + record(22, bytes(513)))
    assert layer.next() == (22, bytes(600))
    layer.limit(512, 512, 512)
    assert layer.next() == (22, bytes(512))
    with pytest.raises(RecordOverflow):
        layer.next()
    assert len(layer.protect(22, bytes(1025))) == 1025 + 3 * 5


def test_short_ways_give_way_where_records_are_limited() -> None:
    """They take the largest records there are."""
    layer = RecordLayer()
    layer.write_with(Sealer())
    layer.read_with(Opener())
    layer.limit(MAX_PLAINTEXT, 100, 64)
    assert layer.open_data is None
    assert layer.seal_data(b"data") == b"seal:\x17data"
    assert layer.open_into(sealed(23, b"one"), memoryview(bytearray(100))) == 0
    assert layer.next() == (23, b"one")


def test_engine_is_within_reach_only_while_its_direction_is_protected() -> None:
    """The short way of application data calls it directly."""
    layer = RecordLayer()
    opener, sealer = Opener(), Sealer()
    layer.write_with(sealer)
    assert layer.seal_data == sealer.seal_data
    with pytest.raises(InternalError, match="nothing to open"):
        layer.open_data  # noqa: B018
    with pytest.raises(InternalError, match="nothing to open"):
        layer.open_into(b"", memoryview(bytearray(1)))
    layer.read_with(opener)
    assert layer.open_data == opener.open_data
    with pytest.raises(InternalError, match="nothing to seal"):
        RecordLayer().seal_data  # noqa: B018


def test_forgotten_keys_take_everything_held_with_them() -> None:
    """ALERT-15."""
    layer = RecordLayer()
    layer.read_with(Opener())
    layer.write_with(Sealer())
    layer.feed(sealed(23, b"one") + sealed(23, b"two") + b"\x17")
    assert layer.next() == (23, b"one")
    layer.forget_keys()
    assert layer.next() is None
    assert not layer.held
    with pytest.raises(InternalError):
        layer.open_data  # noqa: B018
    with pytest.raises(InternalError):
        layer.seal_data  # noqa: B018
