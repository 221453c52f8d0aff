"""HelloRequest, ClientHello, ServerHello and ServerHelloDone (RFC 5246 §7.4.1, §7.4.5)."""

from __future__ import annotations

from lighttls.iana import HandshakeType
from lighttls.messages.base import EXTENSION, RANDOM, Extension, Message, message
from lighttls.wire import ListOf, OptionalTail, Remembered, Uint, Vector, field

_EXTENSIONS = OptionalTail(ListOf(EXTENSION, 0, 0xFFFF))


@message(HandshakeType.HELLO_REQUEST)
class HelloRequest(Message):
    """The server's wish for a renegotiation (RFC 5246 §7.4.1.1)."""


@message(HandshakeType.CLIENT_HELLO)
class ClientHello(Message):
    """What we offer (RFC 5246 §7.4.1.2)."""

    client_version: int = field(Uint(2))
    random: bytes = field(RANDOM)
    session_id: bytes = field(Vector(0, 32))
    cipher_suites: tuple[int, ...] = field(ListOf(Uint(2), 2, 0xFFFE))
    compression_methods: bytes = field(Vector(1, 0xFF))
    extensions: tuple[Extension, ...] | None = field(_EXTENSIONS)


@message(HandshakeType.SERVER_HELLO)
class ServerHello(Message):
    """What the server chose (RFC 5246 §7.4.1.3). `extensions` None: no block at all (SH-09), () an empty one (SH-10).

    At least 38 bytes (SH-04), a session id of at most 32 (SH-05), and a block that ends with the message (SH-11).
    """

    server_version: int = field(Uint(2))
    random: bytes = field(RANDOM)
    session_id: bytes = field(Vector(0, 32))
    cipher_suite: int = field(Uint(2))
    compression_method: int = field(Uint(1))
    extensions: tuple[Extension, ...] | None = field(Remembered(_EXTENSIONS))  # most servers answer alike


@message(HandshakeType.SERVER_HELLO_DONE)
class ServerHelloDone(Message):
    """The end of the server's first flight (RFC 5246 §7.4.5)."""
