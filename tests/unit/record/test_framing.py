"""The five bytes in front of every record."""

from __future__ import annotations

import pytest

from lighttls.errors import ProtocolVersion, RecordOverflow, UnexpectedMessage, explain
from lighttls.record.framing import MAX_PLAINTEXT, frame, read_header


def header(content_type: int = 22, version: int = 0x0303, length: int = 0) -> bytes:
    return bytes((content_type,)) + version.to_bytes(2, "big") + length.to_bytes(2, "big")


def test_type_and_length_are_read_where_the_header_starts() -> None:
    assert read_header(b"xxx" + header(22, 0x0303, 0x1234), 3, True) == (22, 0x1234)


@pytest.mark.parametrize("content_type", [20, 21, 22, 23])
def test_known_content_types_pass(content_type: int) -> None:
    assert read_header(header(content_type), 0, True)[0] == content_type


@pytest.mark.parametrize("content_type", [0, 19, 24, 0x80, 255])
def test_other_content_types_are_unexpected(content_type: int) -> None:
    """REC-01, heartbeat (24) included."""
    with pytest.raises(UnexpectedMessage, match="no TLS content type"):
        read_header(header(content_type), 0, False)


@pytest.mark.parametrize(
    "greeting",
    [b"HTTP/1.1 400", b"<!DOCTYPE", b"<html>", b"<HTML>", b"SSH-2.0-x", b"220 mail ready", b"RTSP/1.0"],
)
def test_other_protocol_is_recognised(greeting: bytes) -> None:
    with pytest.raises(UnexpectedMessage) as caught:
        read_header(greeting, 0, False)
    assert "another protocol on this port" in explain(caught.value)


@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0302, 0x0303, 0x0304, 0x03FF])
def test_any_minor_version_passes_until_the_server_hello(version: int) -> None:
    """REC-03; REC-04: 3.3 alone afterwards."""
    assert read_header(header(version=version), 0, False) == (22, 0)
    if version != 0x0303:
        with pytest.raises(ProtocolVersion, match=f"{version:#06x}, expected 0x0303"):
            read_header(header(version=version), 0, True)


@pytest.mark.parametrize("version", [0x0000, 0x0002, 0x0203, 0x0403, 0xFEFD])
def test_other_major_version_is_refused_from_the_start(version: int) -> None:
    """REC-02."""
    with pytest.raises(ProtocolVersion):
        read_header(header(version=version), 0, False)


def test_smaller_limit_is_kept_both_ways() -> None:
    """SIZE-04, SIZE-06."""
    assert read_header(header(length=512), 0, True, 512) == (22, 512)
    with pytest.raises(RecordOverflow, match="announces 513 bytes, at most 512"):
        read_header(header(length=513), 0, True, 512)
    assert frame(22, 0x0303, b"abcde", 2) == b"".join(
        b"\x16\x03\x03\x00" + bytes((len(piece),)) + piece for piece in (b"ab", b"cd", b"e")
    )


def test_length_up_to_2_14_passes_and_more_is_refused_on_the_header() -> None:
    """REC-05, REC-10."""
    assert read_header(header(length=1 << 14), 0, True) == (22, 1 << 14)
    for length in ((1 << 14) + 1, 0xFFFF):
        with pytest.raises(RecordOverflow, match=f"announces {length} bytes"):
            read_header(header(length=length), 0, True)


def test_long_data_is_cut_into_legal_records() -> None:
    """REC-27, HS-14."""
    data = bytes(range(256)) * 129  # 2^15 + 256
    framed = frame(22, 0x0303, data)
    pieces = []
    while framed:
        content_type, length = read_header(framed, 0, True)
        assert content_type == 22
        pieces.append(framed[5 : 5 + length])
        framed = framed[5 + length :]
    assert [len(piece) for piece in pieces] == [MAX_PLAINTEXT, MAX_PLAINTEXT, 256]
    assert b"".join(pieces) == data


def test_no_data_makes_no_record() -> None:
    """REC-28."""
    assert frame(22, 0x0303, b"") == b""
