"""The DER walker: strict lengths, times and small types (X.690)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighttls.errors import CertificateError, ChainReason
from lighttls.testing import der_writer
from lighttls.x509 import der


@pytest.mark.parametrize(
    ("encoded", "contents"),
    [
        (b"\x04\x00", b""),
        (b"\x04\x02ab", b"ab"),
        (b"\x04\x81\x80" + b"x" * 128, b"x" * 128),
        (b"\x04\x82\x01\x00" + b"x" * 256, b"x" * 256),
    ],
)
def test_element_yields_its_contents(encoded: bytes, contents: bytes) -> None:
    tag, start, stop = der.read(encoded, 0, len(encoded))
    assert tag == 4
    assert encoded[start:stop] == contents
    assert stop == len(encoded)


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"\x04",
        b"\x04\x01",
        b"\x04\x80\x00\x00",  # indefinite
        b"\x04\x81\x7f" + b"x" * 127,  # would fit the short form
        b"\x04\x82\x00\x80" + b"x" * 128,  # leading zero
        b"\x04\x81",
        b"\x04\x85\x00\x00\x00\x00\x01x",  # five length bytes
        b"\x1f\x01\x00",  # tag number above 30
        b"\x04\xff",
    ],
)
def test_malformed_header_is_refused(encoded: bytes) -> None:
    with pytest.raises(CertificateError) as caught:
        der.read(encoded, 0, len(encoded))
    assert caught.value.reason is ChainReason.MALFORMED


@pytest.mark.parametrize("encoded", [b"\x04\x80\x00\x00", b"\x04\x85\x01\x00\x00\x00\x00", b"\x04\x82\x01"])
def test_length_that_is_none_is_called_so(encoded: bytes) -> None:
    """Not merely too long for what holds it: that is what it would be taken for."""
    with pytest.raises(CertificateError, match="indefinite, too long or cut off"):
        der.read(encoded, 0, len(encoded))


def test_element_may_not_reach_beyond_what_holds_it() -> None:
    with pytest.raises(CertificateError):
        der.read(b"\x04\x02ab", 0, 3)


def test_bytes_after_the_only_element_are_refused() -> None:
    with pytest.raises(CertificateError, match="after the end"):
        der.whole(b"\x30\x00\x00", der.SEQUENCE, "thing")


@given(st.binary(max_size=300), st.integers(0, 30))
def test_what_the_writer_encodes_is_read_back(contents: bytes, tag: int) -> None:
    encoded = der_writer.element(tag, contents)
    assert der.read(encoded, 0, len(encoded)) == (tag, len(encoded) - len(contents), len(encoded))


@given(st.integers(-(1 << 200), 1 << 200))
def test_integer_round_trip(value: int) -> None:
    encoded = der_writer.integer(value)
    contents = encoded[2:]
    shortest = contents
    while len(shortest) > 1 and int.from_bytes(shortest[1:], "big", signed=True) == value:
        shortest = shortest[1:]
    assert der.integer(shortest, 0, len(shortest), "number") == value


@pytest.mark.parametrize("contents", [b"", b"\x00\x01", b"\xff\x80"])
def test_integer_not_in_its_shortest_form_is_refused(contents: bytes) -> None:
    with pytest.raises(CertificateError):
        der.integer(contents, 0, len(contents), "number")


@pytest.mark.parametrize("contents", [b"", b"\x01", b"\xff\xff"])
def test_boolean_other_than_00_or_ff_is_refused(contents: bytes) -> None:
    with pytest.raises(CertificateError):
        der.boolean(contents, 0, len(contents), "flag")


@pytest.mark.parametrize("contents", [b"", b"\x01\x80", b"\x08"])
def test_bit_string_without_whole_bytes_is_refused(contents: bytes) -> None:
    with pytest.raises(CertificateError):
        der.octet_aligned_bits(contents, 0, len(contents), "key")


@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)))
def test_generalized_time_is_seconds_since_1970(moment: datetime) -> None:
    text = f"{moment.year:04}{moment:%m%d%H%M%S}Z".encode()
    expected = int((moment.replace(microsecond=0, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())
    assert der.time(der.GENERALIZED_TIME, text) == expected


@pytest.mark.parametrize(
    ("text", "year"), [(b"491231235959Z", 2049), (b"500101000000Z", 1950), (b"990101000000Z", 1999)]
)
def test_utc_time_pivots_at_1950(text: bytes, year: int) -> None:
    """RFC 5280 §4.1.2.5.1."""
    assert datetime.fromtimestamp(der.time(der.UTC_TIME, text), UTC).year == year


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        (der.UTC_TIME, b"2601010000Z"),  # no seconds
        (der.UTC_TIME, b"260101000000+0000"),
        (der.UTC_TIME, b"260101000000z"),
        (der.UTC_TIME, b"260001000000Z"),
        (der.UTC_TIME, b"261301000000Z"),
        (der.UTC_TIME, b"260229000000Z"),  # 2026 is no leap year
        (der.UTC_TIME, b"260431000000Z"),
        (der.UTC_TIME, b"260101240000Z"),
        (der.UTC_TIME, b"260101006000Z"),
        (der.UTC_TIME, b"260101000060Z"),
        (der.UTC_TIME, b"2601 1000000Z"),
        (der.GENERALIZED_TIME, b"20260101000000.5Z"),
        (der.GENERALIZED_TIME, b"20260101000000"),
        (der.GENERALIZED_TIME, b"21000229000000Z"),  # nor is 2100
        (der.GENERALIZED_TIME, b"00000101000000Z"),
        (der.GENERALIZED_TIME, b"260101000000Z"),
        (0x04, b"260101000000Z"),
    ],
)
def test_date_in_another_form_is_refused(tag: int, text: bytes) -> None:
    with pytest.raises(CertificateError):
        der.time(tag, text)


@pytest.mark.parametrize(
    "text", ["2.5.29.19", "1.2.840.113549.1.1.11", "2.16.840.1.101.3.4.2.1", "0.9.2342", "2.999.3"]
)
def test_oid_round_trip(text: str) -> None:
    assert der.dotted(der.oid(text)) == text
    assert der_writer.oid(text)[2:] == der.oid(text)


def test_oid_for_people_is_bounded() -> None:
    assert len(der.dotted(b"\x01" * 100_000)) < 300
    assert der.dotted(b"") == ""
