"""Ways to carry bytes that a network may choose as well, and that servers meet rarely."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial
from random import Random

from lighttls import ClientConfig, TLSSocket
from lighttls.iana import ContentType
from lighttls.transports import SocketTransport

HEADER = 5  # bytes of a record's header (RFC 5246 §6.2.1)
SHORTEST_LIMIT = 512  # bytes of a fragment in any cell of the matrix


class ByteByByte(SocketTransport):
    """Each byte alone, in both directions."""

    def send(self, data: bytes) -> int:
        for number in data:
            super().send(bytes([number]))
        return len(data)

    def recv(self, n: int, timeout: float | None) -> bytes | None:
        return super().recv(1, timeout)


class Shattered(SocketTransport):
    """Unprotected handshake records of both sides cut and joined at random, and all bytes in pieces of random length.

    RFC 5246 §6.2.1 lets a sender do both, and nobody notices that we did: messages are hashed, records are not.
    """

    def __init__(self, connected: socket.socket, random: Random) -> None:
        super().__init__(connected)
        self._random = random
        self._outgoing, self._incoming = Cutter(random), Cutter(random)
        self._waiting = b""  # for recv to give out

    def send(self, data: bytes) -> int:
        out = self._outgoing.feed(data)
        while out:
            sent = super().send(out[: some_length(self._random)])
            out = out[sent:]
        return len(data)

    def recv(self, n: int, timeout: float | None) -> bytes | None:
        while not self._waiting:
            data = super().recv(n, timeout)
            if not data:
                return data
            self._waiting = self._incoming.feed(data)
        size = min(n, some_length(self._random))
        out, self._waiting = self._waiting[:size], self._waiting[size:]
        return out


class Cutter:
    """One direction: takes bytes as they come, and gives records that say the same."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._held = b""  # the beginning of a record
        self._protected = False

    def feed(self, data: bytes) -> bytes:
        data, self._held = self._held + data, b""
        out, messages = b"", b""
        while data and not self._protected:
            end = HEADER + int.from_bytes(data[3:HEADER], "big")
            if len(data) < max(HEADER, end):
                data, self._held = b"", data
            elif data[0] == ContentType.HANDSHAKE:
                messages += data[HEADER:end]
            else:
                out += self._cut(messages) + data[:end]
                messages = b""
                self._protected = data[0] == ContentType.CHANGE_CIPHER_SPEC
            data = data[end:]
        return out + self._cut(messages) + data

    def _cut(self, messages: bytes) -> bytes:
        out = b""
        while messages:
            piece = messages[: min(SHORTEST_LIMIT, some_length(self._random))]
            out += bytes((ContentType.HANDSHAKE, 3, 3)) + len(piece).to_bytes(2, "big") + piece
            messages = messages[len(piece) :]
        return out


def some_length(random: Random) -> int:
    """From 1 to 10 000: as many of one digit as of two, three and four."""
    return int(10 ** random.uniform(0, 4))


def dial(
    make: Callable[[socket.socket], SocketTransport],
    address: tuple[str, int],
    config: ClientConfig,
    *,
    server_hostname: str,
    timeout: float,
    deadline: float,
) -> TLSSocket:
    """As `lighttls.connect`, over a transport of another make."""
    link = socket.create_connection(address, timeout)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return TLSSocket(make(link), config, server_hostname, timeout=timeout, deadline=deadline)


by_bytes = partial(dial, ByteByByte)


def shattered(random: Random) -> Callable[..., TLSSocket]:
    return partial(dial, partial(Shattered, random=random))
