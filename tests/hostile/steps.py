"""Makers of steps for a server's script: messages, records and alerts that are not its own next ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hostile import wire
from hostile.server import Server, Step


def message(value: bytes) -> Callable[[Server], bytes]:
    """A handshake message; it counts into the transcript unless it is a HelloRequest (RFC 5246 §7.4.1.1)."""

    def step(server: Server) -> bytes:
        if value[0] != wire.HELLO_REQUEST:
            server.count(value)
        return server.protect(wire.HANDSHAKE, value)

    return step


def data(value: bytes) -> Callable[[Server], bytes]:
    """One application_data record under the current protection."""
    return lambda server: server.protect(wire.APPLICATION_DATA, value)


def alert(level: int, description: int) -> Callable[[Server], bytes]:
    """An alert under the current protection."""
    return lambda server: server.protect(wire.ALERT, wire.alert(level, description))


def fragment(content_type: int, value: bytes) -> Callable[[Server], bytes]:
    """Any record under the current protection."""
    return lambda server: server.protect(content_type, value)


def sealed(content_type: int, value: bytes, **fields: Any) -> Callable[[Server], bytes]:
    """A protected record with chosen nonce, sequence number, version (see `keys.Protection.seal`)."""

    def step(server: Server) -> bytes:
        assert server.writing is not None, "the server has no keys yet"
        return server.writing.seal(content_type, value, **fields)

    return step


def altered(step: Step, change: Callable[[bytes], bytes]) -> Callable[[Server], bytes]:
    """What another step sends, changed on the wire only: the server's own transcript has the original."""

    def play(server: Server) -> bytes:
        kept = bytes(server.outgoing)
        server.outgoing.clear()
        server.play([step])
        sent = server.take()
        server.outgoing += kept
        return change(sent)

    return play


HELLO_REQUEST = message(wire.HELLO_REQUEST_MESSAGE)
