"""Each field kind: what it writes, what it reads, and what it refuses."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighttls.errors import DecodeError, InternalError
from lighttls.wire import (
    Fixed,
    ListOf,
    Nested,
    OptionalTail,
    Remembered,
    Rest,
    Structure,
    Uint,
    Vector,
    field,
    structure,
)


@structure
class Point(Structure):
    """Something to nest."""

    x: int = field(Uint(1))
    label: bytes = field(Vector(0, 9))


@cache
def holder(kind: Any, *, last: bool = False) -> type[Any]:
    """A structure `Holder` with the field `value`, one byte before it and, unless it is `last`, one behind it."""
    fields = {"before": Uint(1), "value": kind} | ({} if last else {"after": Uint(1)})
    namespace = {"__annotations__": dict.fromkeys(fields, "object"), **fields}
    return structure(type("Holder", (Structure,), namespace))


def held(kind: Any, value: Any, *, last: bool = False) -> Any:
    return holder(kind, last=last)(0xAA, value, *(() if last else (0xBB,)))


points = st.builds(Point, st.integers(0, 255), st.binary(max_size=9))

DELIMITED = {
    "uint8": (Uint(1), st.integers(0, 0xFF)),
    "uint16": (Uint(2), st.integers(0, 0xFFFF)),
    "uint24": (Uint(3), st.integers(0, 0xFFFFFF)),
    "uint32": (Uint(4), st.integers(0, 0xFFFFFFFF)),
    "fixed": (Fixed(4), st.binary(min_size=4, max_size=4)),
    "vector8": (Vector(0, 0xFF), st.binary(max_size=30)),
    "vector8-bounded": (Vector(2, 5), st.binary(min_size=2, max_size=5)),
    "vector16": (Vector(0, 0xFFFF), st.binary(max_size=300)),
    "vector24": (Vector(1, 0xFFFFFF), st.binary(min_size=1, max_size=30)),
    "list-of-uint16": (ListOf(Uint(2), 2, 0xFFFE), st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=9).map(tuple)),
    "list-of-vector": (
        ListOf(Vector(1, 0xFF), 0, 0xFFFF),
        st.lists(st.binary(min_size=1, max_size=9), max_size=4).map(tuple),
    ),
    "list-of-lists": (
        ListOf(ListOf(Uint(1), 0, 9), 0, 0xFF),
        st.lists(st.lists(st.integers(0, 255), max_size=9).map(tuple), max_size=4).map(tuple),
    ),
    "nested": (Nested(Point), points),
    "list-of-nested": (ListOf(Nested(Point), 0, 0xFFFF), st.lists(points, max_size=4).map(tuple)),
}
OPEN_ENDED = {
    "rest": (Rest(), st.binary(max_size=40)),
    "optional-vector": (OptionalTail(Vector(0, 0xFF)), st.none() | st.binary(max_size=40)),
    "optional-list": (
        OptionalTail(ListOf(Nested(Point), 0, 0xFFFF)),
        st.none() | st.lists(points, max_size=4).map(tuple),
    ),
    "remembered-list": (
        Remembered(OptionalTail(ListOf(Nested(Point), 0, 0xFFFF))),
        st.none() | st.lists(points, max_size=4).map(tuple),
    ),
}
ALL = DELIMITED | OPEN_ENDED

delimited = pytest.mark.parametrize("name", DELIMITED)
every_kind = pytest.mark.parametrize("name", ALL)


@every_kind
@settings(max_examples=25)
@given(data=st.data())
def test_what_was_built_parses_to_the_same_value(name: str, data: st.DataObject) -> None:
    kind, values = ALL[name]
    made = held(kind, data.draw(values), last=name in OPEN_ENDED)
    again = type(made).parse(made.build())
    assert again == made
    assert again.build() == made.build()


@every_kind
@given(octets=st.binary(max_size=24))
def test_any_bytes_build_back_to_themselves_or_are_a_decode_error(name: str, octets: bytes) -> None:
    cls = holder(ALL[name][0], last=name in OPEN_ENDED)
    try:
        parsed = cls.parse(octets)
    except DecodeError:
        return
    assert parsed.build() == octets


@delimited
@settings(max_examples=25)
@given(data=st.data())
def test_truncated_anywhere_names_the_field_that_is_cut(name: str, data: st.DataObject) -> None:
    kind, values = DELIMITED[name]
    made = held(kind, data.draw(values))
    octets = made.build()
    for cut in range(len(octets)):
        field_cut = "before" if cut == 0 else "after" if cut == len(octets) - 1 else "value"
        with pytest.raises(DecodeError, match=rf"^Holder\.{field_cut}\b.* runs past the end"):
            type(made).parse(octets[:cut])


@delimited
@settings(max_examples=25)
@given(data=st.data(), count=st.integers(1, 5))
def test_bytes_left_over_are_counted(name: str, data: st.DataObject, count: int) -> None:
    kind, values = DELIMITED[name]
    made = held(kind, data.draw(values))
    with pytest.raises(DecodeError, match=rf"^Holder has {count} bytes left over"):
        type(made).parse(made.build() + bytes(count))


@pytest.mark.parametrize(
    ("kind", "value", "octets"),
    [
        (Uint(1), 0x12, "12"),
        (Uint(2), 0x1234, "1234"),
        (Uint(3), 0x123456, "123456"),
        (Uint(4), 0x12345678, "12345678"),
        (Fixed(2), b"\x01\x02", "0102"),
        (Vector(0, 0xFF), b"", "00"),
        (Vector(0, 0xFF), b"\x01\x02", "020102"),
        (Vector(0, 0x100), b"\x01\x02", "00020102"),
        (Vector(0, 0xFFFF), b"\x01", "000101"),
        (Vector(0, 0x10000), b"\x01", "00000101"),
        (ListOf(Uint(2), 2, 0xFFFE), (0x1301, 0xC02B), "00041301c02b"),
        (ListOf(Vector(1, 0xFF), 0, 0xFF), (b"\x01", b"\x02\x03"), "0501" + "01" + "020203"),
        (Nested(Point), Point(7, b"ab"), "07026162"),
    ],
)
def test_bytes_on_the_wire(kind: Any, value: Any, octets: str) -> None:
    """RFC 5246 §4.3, §4.4: big-endian, and a length as wide as the longest vector needs."""
    made = held(kind, value)
    assert made.build().hex() == "aa" + octets + "bb"
    assert type(made).parse(bytes.fromhex("aa" + octets + "bb")) == made


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Uint(1), 256),
        (Uint(1), -1),
        (Uint(2), 1 << 16),
        (Uint(3), 1 << 24),
        (Uint(4), 1 << 32),
        (Fixed(4), bytes(3)),
        (Fixed(4), bytes(5)),
        (Vector(2, 5), bytes(1)),
        (Vector(2, 5), bytes(6)),
        (Vector(0, 0xFF), bytes(256)),
        (ListOf(Uint(2), 2, 4), ()),
        (ListOf(Uint(2), 2, 4), (1, 2, 3)),
        (ListOf(Uint(2), 2, 4), (1 << 16,)),
        (ListOf(Vector(1, 0xFF), 0, 0xFF), (b"",)),
        (Nested(Point), Point(300, b"")),
    ],
)
def test_value_that_does_not_fit_its_field_is_our_own_error(kind: Any, value: Any) -> None:
    with pytest.raises(InternalError, match=r"^Holder\.value\S* cannot hold"):
        held(kind, value).build()


@pytest.mark.parametrize(
    ("kind", "octets", "what"),
    [
        (Vector(2, 5), "01ff", r"value is 1 bytes long, allowed are 2 to 5"),
        (Vector(2, 5), "06ffffffffffff", r"value is 6 bytes long"),
        (Vector(1, 0xFF), "00", r"value is 0 bytes long"),
        (ListOf(Uint(2), 2, 0xFFFE), "0000", r"value is 0 bytes long"),
        (ListOf(Uint(2), 2, 0xFFFE), "0003c02bc0", r"value\[\] runs past the end"),
        (ListOf(Vector(1, 0xFF), 0, 0xFF), "0100", r"value\[\] is 0 bytes long"),
        (ListOf(Vector(1, 0xFF), 0, 0xFF), "0203ff", r"value\[\] runs past the end"),
        (ListOf(Nested(Point), 0, 0xFF), "020702", r"value\[\]\.label runs past the end"),
        (ListOf(ListOf(Uint(1), 0, 9), 0, 0xFF), "020aff", r"value\[\] is 10 bytes long"),
    ],
)
def test_length_outside_its_bounds_or_its_vector_names_the_field(kind: Any, octets: str, what: str) -> None:
    """HS-04, HS-05: also when enough bytes follow the vector that the inner one could take."""
    with pytest.raises(DecodeError, match=rf"^Holder\.{what}"):
        holder(kind, last=True).parse(bytes.fromhex("aa" + octets))
    with pytest.raises(DecodeError, match=r"^Holder\.value"):
        holder(ListOf(kind, 0, 0xFF), last=True).parse(bytes((0xAA, len(octets) // 2)) + bytes.fromhex(octets))


def test_inner_length_never_reaches_beyond_the_outer_vector() -> None:
    """HS-05: the byte that the element lacks stands right behind the list, and is not taken."""
    with pytest.raises(DecodeError, match=r"^Holder\.value\[\] runs past the end"):
        holder(ListOf(Vector(1, 0xFF), 0, 0xFF)).parse(bytes.fromhex("aa" + "0202ff" + "bb"))


def test_optional_tail_tells_absent_from_empty() -> None:
    cls = holder(OptionalTail(Vector(0, 0xFF)), last=True)
    assert cls.parse(b"\xaa").value is None
    assert cls.parse(b"\xaa\x00").value == b""
    assert cls(0xAA, None).build() == b"\xaa"
    assert cls(0xAA, b"").build() == b"\xaa\x00"


def test_same_bytes_give_the_same_value_and_only_so_many_are_kept() -> None:
    kind = Remembered(Vector(0, 0xFFFF))
    cls = holder(kind, last=True)
    octets = b"\xaa\x00\x09a value, "[:12]
    first = cls.parse(octets).value
    assert cls.parse(octets).value is first
    for number in range(100):
        assert cls.parse(b"\xaa\x00\x02%02d" % number).value == b"%02d" % number
        assert len(kind._values) <= 16
    assert cls.parse(octets).value == first


def test_long_or_malformed_bytes_are_not_kept() -> None:
    kind = Remembered(Vector(0, 0xFFFF))
    cls = holder(kind, last=True)
    assert cls.parse(b"\xaa\x02\x00" + bytes(512)).value == bytes(512)
    for octets in (b"\xaa\x00\x02a", b"\xaa\x00\x01ab"):
        for _ in range(2):
            with pytest.raises(DecodeError, match=r"^Holder"):
                cls.parse(octets)
    assert not kind._values
