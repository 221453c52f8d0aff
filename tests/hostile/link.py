"""Joins a client and the hostile server in memory and keeps what each of them did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from hostile.server import Server

Split = int | Sequence[int] | None
"""How the server's bytes are cut: None at once, a number for pieces of that size, or the places of the cuts."""


class Client(Protocol):
    """The part of a sans-IO connection that a link needs."""

    def initiate_connection(self) -> list[Any]: ...
    def receive_data(self, data: bytes) -> list[Any]: ...
    def data_to_send(self) -> bytes: ...


def pieces(data: bytes, split: Split) -> Iterator[bytes]:
    """Cut `data`; places beyond its end are no cuts."""
    if split is None:
        cuts: Sequence[int] = ()
    elif isinstance(split, int):
        cuts = range(split, len(data), split)
    else:
        cuts = sorted({cut for cut in split if 0 < cut < len(data)})
    start = 0
    for end in (*cuts, len(data)):
        yield data[start:end]
        start = end


class Link:
    """A client and a server, and what passed between them.

    events: all of the client's, those that an error carried included. error: what ended the client.
    sent, served: bytes of client and server.
    """

    def __init__(self, client: Client, server: Server, split: Split = None) -> None:
        self.client, self.server, self.split = client, server, split
        self.events: list[Any] = []
        self.error: Exception | None = None
        self.sent = b""
        self.served = b""

    def start(self) -> Link:
        self.events += self.client.initiate_connection()
        return self.run()

    def run(self) -> Link:
        """Move bytes until neither side has any left, or the client refused something."""
        self._to_server()
        while self.error is None and (reply := self.server.take()):
            self.deliver(reply)
        return self

    def deliver(self, reply: bytes) -> None:
        """Hand bytes to the client, cut as the link says; stop at an error. Its alert still reaches the server."""
        self.served += reply
        for piece in pieces(reply, self.split):
            try:
                self.events += self.client.receive_data(piece)
            except Exception as error:
                self.events += getattr(error, "events", ())
                self.error = error
            self._to_server()
            if self.error is not None:
                return

    def _to_server(self) -> None:
        out = self.client.data_to_send()
        self.sent += out
        if out:
            self.server.receive(out)

    @property
    def data(self) -> bytes:
        """All application data that the client was given."""
        return b"".join(event.data for event in self.events if type(event).__name__ == "DataReceived")

    @property
    def completed(self) -> bool:
        return any(type(event).__name__ == "HandshakeCompleted" for event in self.events)


def drive(client: Client, server: Server, split: Split = None) -> Link:
    """Run a whole handshake, and what the server's script sends after it."""
    return Link(client, server, split).start()
