"""The record header: five bytes, its limits, and what it looks like when the peer is no TLS server."""

from __future__ import annotations

from lighttls._typing import Final
from lighttls.errors import ProtocolVersion, RecordOverflow, UnexpectedMessage
from lighttls.iana import TLS12

HEADER_LENGTH: Final = 5
MAX_PLAINTEXT: Final = 1 << 14


def read_header(
    data: bytes | bytearray | memoryview, at: int, version_pinned: bool, limit: int = MAX_PLAINTEXT
) -> tuple[int, int]:
    """Content type and length of the unprotected record whose header starts at `at` (RFC 5246 §6.2.1).

    Until the ServerHello has been read any version 3.x is taken (REC-02, REC-03), then 3.3 alone (REC-04).
    Raises UnexpectedMessage (REC-01), ProtocolVersion, RecordOverflow (REC-05, SIZE-04).
    """
    content_type = data[at]
    if not 20 <= content_type <= 23:
        start = bytes(data[at : at + HEADER_LENGTH])
        raise UnexpectedMessage(
            f"a record starts with {start.hex(' ')}, which is no TLS content type",
            hint=_NOT_TLS if start[:4] in _OTHER_PROTOCOLS else None,
        )
    version = data[at + 1] << 8 | data[at + 2]
    if version != TLS12 and (version_pinned or version >> 8 != 3):
        raise ProtocolVersion(f"a record carries version {version:#06x}, expected 0x0303")
    length = data[at + 3] << 8 | data[at + 4]
    if length > limit:
        raise RecordOverflow(f"an unprotected record announces {length} bytes, at most {limit} are allowed")
    return content_type, length


def frame(content_type: int, version: int, data: bytes, limit: int = MAX_PLAINTEXT) -> bytes:
    """Unprotected records with `data`, at most `limit` bytes each (REC-27, HS-14)."""
    head = content_type << 32 | version << 16
    if 0 < len(data) <= limit:
        return (head | len(data)).to_bytes(HEADER_LENGTH, "big") + data
    pieces = (data[at : at + limit] for at in range(0, len(data), limit))
    return b"".join((head | len(piece)).to_bytes(HEADER_LENGTH, "big") + piece for piece in pieces)


_OTHER_PROTOCOLS = (b"HTTP", b"<!DO", b"<htm", b"<HTM", b"SSH-", b"220 ", b"RTSP")
_NOT_TLS = "The server speaks another protocol on this port, without TLS. Check the port number."
