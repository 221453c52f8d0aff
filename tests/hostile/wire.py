"""The peer's own byte factory: records, handshake messages and extensions of TLS 1.2, field by field.

Nothing here comes from the code under test, not even its numbers, so that one misreading cannot
hide in both places. Builders take every field as an argument and lengths too (`length=`): a
message may lie about itself. Readers are strict, since what they read is the client's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23

HELLO_REQUEST, CLIENT_HELLO, SERVER_HELLO, NEW_SESSION_TICKET = 0, 1, 2, 4
CERTIFICATE, SERVER_KEY_EXCHANGE, CERTIFICATE_REQUEST, SERVER_HELLO_DONE = 11, 12, 13, 14
CERTIFICATE_VERIFY, CLIENT_KEY_EXCHANGE, FINISHED, CERTIFICATE_STATUS = 15, 16, 20, 22

SERVER_NAME, MAX_FRAGMENT_LENGTH, STATUS_REQUEST = 0, 1, 5
SIGNED_CERTIFICATE_TIMESTAMP, RECORD_SIZE_LIMIT = 18, 28
CLIENT_CERTIFICATE_TYPE, SERVER_CERTIFICATE_TYPE = 19, 20
SUPPORTED_GROUPS, EC_POINT_FORMATS, SIGNATURE_ALGORITHMS = 10, 11, 13
ALPN, EXTENDED_MASTER_SECRET, SESSION_TICKET, RENEGOTIATION_INFO = 16, 23, 35, 0xFF01
SCSV = 0x00FF

P256, P384, P521, X25519 = 23, 24, 25, 29

WARNING, FATAL = 1, 2
CLOSE_NOTIFY, UNEXPECTED_MESSAGE, BAD_RECORD_MAC, RECORD_OVERFLOW = 0, 10, 20, 22
HANDSHAKE_FAILURE, BAD_CERTIFICATE, UNSUPPORTED_CERTIFICATE, CERTIFICATE_EXPIRED = 40, 42, 43, 45
CERTIFICATE_UNKNOWN, ACCESS_DENIED = 46, 49
ILLEGAL_PARAMETER, UNKNOWN_CA, DECODE_ERROR, DECRYPT_ERROR = 47, 48, 50, 51
PROTOCOL_VERSION, INTERNAL_ERROR, NO_RENEGOTIATION = 70, 80, 100
CERTIFICATE_REVOKED, BAD_STATUS_RESPONSE = 44, 113
UNSUPPORTED_EXTENSION, NO_APPLICATION_PROTOCOL = 110, 120

LARGEST_PLAINTEXT = 1 << 14


def u8(value: int) -> bytes:
    return value.to_bytes(1, "big")


def u16(value: int) -> bytes:
    return value.to_bytes(2, "big")


def u24(value: int) -> bytes:
    return value.to_bytes(3, "big")


def vec8(data: bytes, length: int | None = None) -> bytes:
    return u8(len(data) if length is None else length) + data


def vec16(data: bytes, length: int | None = None) -> bytes:
    return u16(len(data) if length is None else length) + data


def vec24(data: bytes, length: int | None = None) -> bytes:
    return u24(len(data) if length is None else length) + data


def u16s(values: Iterable[int]) -> bytes:
    return b"".join(u16(value) for value in values)


# --- records (RFC 5246 §6.2.1) ---------------------------------------------------------------


def record(content_type: int, fragment: bytes, *, version: int = 0x0303, length: int | None = None) -> bytes:
    return u8(content_type) + u16(version) + vec16(fragment, length)


def split_records(data: bytes) -> tuple[list[tuple[int, int, bytes]], bytes]:
    """Take whole records (type, version, fragment) off the front of `data`; the rest comes back too."""
    found = []
    while len(data) >= 5:
        end = 5 + int.from_bytes(data[3:5], "big")
        if len(data) < end:
            break
        found.append((data[0], int.from_bytes(data[1:3], "big"), data[5:end]))
        data = data[end:]
    return found, data


def alert(level: int, description: int) -> bytes:
    return u8(level) + u8(description)


# --- handshake messages (RFC 5246 §7.4) ------------------------------------------------------


def handshake(message_type: int, body: bytes, *, length: int | None = None) -> bytes:
    return u8(message_type) + vec24(body, length)


def split_messages(data: bytes) -> tuple[list[bytes], bytes]:
    """Take whole handshake messages, headers included, off the front of `data`; the rest comes back too."""
    found = []
    while len(data) >= 4:
        end = 4 + int.from_bytes(data[1:4], "big")
        if len(data) < end:
            break
        found.append(data[:end])
        data = data[end:]
    return found, data


def extension(extension_type: int, data: bytes, *, length: int | None = None) -> bytes:
    return u16(extension_type) + vec16(data, length)


def server_hello(
    *,
    version: int = 0x0303,
    random: bytes,
    session_id: bytes = b"",
    session_id_length: int | None = None,
    suite: int,
    compression: int = 0,
    extensions: Sequence[tuple[int, bytes]] | None = (),
    block: bytes | None = None,
    block_length: int | None = None,
    tail: bytes = b"",
) -> bytes:
    """ServerHello (RFC 5246 §7.4.1.3). `extensions=None` leaves the block out; `block` replaces its content."""
    body = u16(version) + random + vec8(session_id, session_id_length) + u16(suite) + u8(compression)
    if block is None and extensions is not None:
        block = b"".join(extension(number, data) for number, data in extensions)
    if block is not None:
        body += vec16(block, block_length)
    return handshake(SERVER_HELLO, body + tail)


def certificate(chain: Iterable[bytes], *, length: int | None = None, tail: bytes = b"") -> bytes:
    """Certificate (RFC 5246 §7.4.2)."""
    return handshake(CERTIFICATE, vec24(b"".join(vec24(der) for der in chain), length) + tail)


def raw_public_key(spki: bytes, *, length: int | None = None, tail: bytes = b"") -> bytes:
    """Certificate with a raw public key (RFC 7250 §3)."""
    return handshake(CERTIFICATE, vec24(spki, length) + tail)


def certificate_status(response: bytes, *, status_type: int = 1, length: int | None = None, tail: bytes = b"") -> bytes:
    """CertificateStatus (RFC 6066 §8)."""
    return handshake(CERTIFICATE_STATUS, u8(status_type) + vec24(response, length) + tail)


def ecdh_params(group: int, point: bytes, *, curve_type: int = 3, length: int | None = None) -> bytes:
    """ServerECDHParams (RFC 8422 §5.4)."""
    return u8(curve_type) + u16(group) + vec8(point, length)


def server_key_exchange(
    params: bytes, scheme: int, signature: bytes, *, length: int | None = None, tail: bytes = b""
) -> bytes:
    """ServerKeyExchange (RFC 8422 §5.4)."""
    return handshake(SERVER_KEY_EXCHANGE, params + u16(scheme) + vec16(signature, length) + tail)


def certificate_request(
    types: bytes = b"\x01\x40",
    schemes: Sequence[int] = (0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601),
    authorities: Iterable[bytes] = (),
) -> bytes:
    """CertificateRequest (RFC 5246 §7.4.4)."""
    names = b"".join(vec16(name) for name in authorities)
    return handshake(CERTIFICATE_REQUEST, vec8(types) + vec16(u16s(schemes)) + vec16(names))


def new_session_ticket(ticket: bytes, lifetime: int = 0, *, length: int | None = None, tail: bytes = b"") -> bytes:
    """NewSessionTicket (RFC 5077 §3.3)."""
    return handshake(NEW_SESSION_TICKET, lifetime.to_bytes(4, "big") + vec16(ticket, length) + tail)


SERVER_HELLO_DONE_MESSAGE = handshake(SERVER_HELLO_DONE, b"")
HELLO_REQUEST_MESSAGE = handshake(HELLO_REQUEST, b"")


# --- what the client sends -------------------------------------------------------------------


class Reader:
    """A strict reader: too few or left-over bytes are an error of the client."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        assert self.at + count <= len(self.data), "the client's message is too short"
        self.at += count
        return self.data[self.at - count : self.at]

    def uint(self, width: int) -> int:
        return int.from_bytes(self.take(width), "big")

    def vector(self, width: int) -> bytes:
        return self.take(self.uint(width))

    @property
    def left(self) -> int:
        return len(self.data) - self.at

    def end(self) -> None:
        assert self.left == 0, f"the client's message has {self.left} bytes too many"


def read_u16s(data: bytes) -> list[int]:
    assert len(data) % 2 == 0, "the client's list of 16-bit numbers has an odd length"
    return [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]


class ClientHello:
    """The client's first message, taken apart (RFC 5246 §7.4.1.2)."""

    def __init__(self, message: bytes) -> None:
        reader = Reader(message)
        assert reader.uint(1) == CLIENT_HELLO, "the first message is no ClientHello"
        assert reader.uint(3) == reader.left, "the ClientHello's length is wrong"
        self.raw = message
        self.version = reader.uint(2)
        self.random = reader.take(32)
        self.session_id = reader.vector(1)
        self.suites = read_u16s(reader.vector(2))
        self.compression = reader.vector(1)
        self.extensions: list[tuple[int, bytes]] = []
        self.has_block = reader.left > 0
        if self.has_block:
            block = Reader(reader.vector(2))
            while block.left:
                self.extensions.append((block.uint(2), block.vector(2)))
        reader.end()

    @property
    def types(self) -> list[int]:
        return [number for number, _ in self.extensions]

    def get(self, number: int) -> bytes | None:
        """The data of an extension, or None if it was not sent."""
        return next((data for kind, data in self.extensions if kind == number), None)

    def numbers(self, number: int) -> list[int]:
        """The uint16-prefixed list of 16-bit numbers in an extension (groups, schemes)."""
        data = self.get(number)
        if data is None:
            return []
        reader = Reader(data)
        values = read_u16s(reader.vector(2))
        reader.end()
        return values

    @property
    def alpn(self) -> list[bytes]:
        data = self.get(ALPN)
        if data is None:
            return []
        outer = Reader(data)
        inner = Reader(outer.vector(2))
        outer.end()
        names = []
        while inner.left:
            names.append(inner.vector(1))
        return names


def read_certificate(message: bytes) -> list[bytes]:
    """The client's Certificate (RFC 5246 §7.4.6): DER, leaf first."""
    reader = Reader(message[4:])
    entries = Reader(reader.vector(3))
    reader.end()
    chain = []
    while entries.left:
        chain.append(entries.vector(3))
    return chain


def read_raw_public_key(message: bytes) -> bytes:
    """The client's Certificate where a raw public key was agreed on (RFC 7250 §3): SubjectPublicKeyInfo, or nothing."""
    reader = Reader(message[4:])
    spki = reader.vector(3)
    reader.end()
    return spki


def read_client_key_exchange(message: bytes) -> bytes:
    """The client's public point (RFC 8422 §5.7)."""
    reader = Reader(message[4:])
    point = reader.vector(1)
    reader.end()
    assert point, "the client sent an empty point"
    return point


def read_psk_key_exchange(message: bytes, *, with_point: bool) -> tuple[bytes, bytes]:
    """The client's identity (RFC 4279 §2), and its public point with ECDHE (RFC 5489 §2)."""
    reader = Reader(message[4:])
    identity = reader.vector(2)
    point = reader.vector(1) if with_point else b""
    reader.end()
    assert bool(point) == with_point, "the client sent an empty point"
    return identity, point


def read_certificate_verify(message: bytes) -> tuple[int, bytes]:
    """Scheme and signature (RFC 5246 §7.4.8)."""
    reader = Reader(message[4:])
    scheme, signature = reader.uint(2), reader.vector(2)
    reader.end()
    return scheme, signature
