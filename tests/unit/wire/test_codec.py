"""Declared structures as values."""

from __future__ import annotations

import pytest

from lighttls.errors import DecodeError
from lighttls.iana import CipherSuite
from lighttls.wire import ListOf, Structure, Uint, Vector, field, structure


@structure
class Pair(Structure):
    """Two fields in order."""

    first: int = field(Uint(1))
    second: bytes = field(Vector(0, 9))


@structure
class Clashing(Structure):
    """Fields that carry the names of the generated code's own variables."""

    data: int = field(Uint(1))
    end: int = field(Uint(1))
    pos: bytes = field(Vector(0, 9))
    made: int = field(Uint(1))
    parts: tuple[int, ...] = field(ListOf(Uint(1), 0, 9))
    new: int = field(Uint(1))
    cls: int = field(Uint(1))


@structure
class Empty(Structure):
    """Nothing at all."""


def test_fields_travel_in_the_order_of_their_declaration() -> None:
    assert list(Pair.fields) == ["first", "second"]
    assert Pair(1, b"\x02").build() == b"\x01\x01\x02"


def test_constructor_takes_names_and_places_and_wants_every_field() -> None:
    assert Pair(1, second=b"x") == Pair(first=1, second=b"x")
    with pytest.raises(TypeError):
        Pair(1)  # type: ignore[call-arg]


def test_equality_looks_at_type_and_fields() -> None:
    assert Pair(1, b"x") == Pair(1, b"x")
    assert Pair(1, b"x") != Pair(2, b"x")
    assert Pair(1, b"x") != (1, b"x")
    assert hash(Pair(1, b"x")) == hash(Pair(1, b"x"))


def test_repr_shows_fields_by_name() -> None:
    assert repr(Pair(1, b"x")) == "Pair(first=1, second=b'x')"


def test_field_may_have_any_name() -> None:
    octets = bytes.fromhex("01 02 01ff 03 020405 06 07")
    parsed = Clashing.parse(octets)
    assert parsed == Clashing(1, 2, b"\xff", 3, (4, 5), 6, 7)
    assert parsed.build() == octets


def test_structure_without_fields_is_no_bytes_at_all() -> None:
    assert Empty.parse(b"") == Empty()
    assert Empty().build() == b""
    with pytest.raises(DecodeError, match=r"^Empty has 1 bytes left over"):
        Empty.parse(b"\0")


def test_enum_members_are_written_by_their_number_and_unknown_numbers_survive() -> None:
    @structure
    class Suites(Structure):
        offered: tuple[int, ...] = field(ListOf(Uint(2), 2, 0xFFFE))

    known = CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
    octets = Suites((known, 0x0A0A)).build()
    assert octets == bytes.fromhex("0004c02f0a0a")
    assert Suites.parse(octets).offered == (known, 0x0A0A)
