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
    """Unprotected handshake records of ours cut and joined at random, and all bytes in pieces of random length.

    RFC 5246 §6.2.1 lets a sender do both; what it does must not change what is said, as only messages are hashed.
    """

    def __init__(self, connected: socket.socket, random: Random) -> None:
        super().__init__(connected)
        self._random = random
        self._protected = False

    def send(self, data: bytes) -> int:
        out = self._shattered(data)
        while out:
            sent = super().send(out[: self._length(2000)])
            out = out[sent:]
        return len(data)

    def recv(self, n: int, timeout: float | None) -> bytes | None:
        return super().recv(min(n, self._length(4000)), timeout)

    def _shattered(self, data: bytes) -> bytes:
        """`data` is whole records, for a flight is sent in one piece."""
        out, messages = b"", b""
        while data and not self._protected:
            kind, end = data[0], HEADER + int.from_bytes(data[3:HEADER], "big")
            if kind == ContentType.HANDSHAKE:
                messages += data[HEADER:end]
            else:
                out += self._cut(messages) + data[:end]
                messages = b""
                self._protected = kind == ContentType.CHANGE_CIPHER_SPEC
            data = data[end:]
        return out + self._cut(messages) + data

    def _cut(self, messages: bytes) -> bytes:
        out = b""
        while messages:
            piece = messages[: self._length(SHORTEST_LIMIT)]
            out += bytes((ContentType.HANDSHAKE, 3, 3)) + len(piece).to_bytes(2, "big") + piece
            messages = messages[len(piece) :]
        return out

    def _length(self, most: int) -> int:
        """Often short: as many of one digit as of two and of three."""
        return min(most, int(10 ** self._random.uniform(0, 4)))


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
