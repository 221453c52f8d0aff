"""Application data: one message at a time, and a stream in large pieces.

Sealing is `send_data` and `data_to_send` against `write` and `BIO.read`; opening is `receive_data`
with its events taken against `BIO.write` and `read` until everything is out.
"""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from bench.sides import Client, ClientClock, Server, World, handshake

SIZES = {  # bytes of a message: (messages a round, bar of the native engine)
    64: (1000, 1.0),
    1024: (500, None),
    16384: (60, 1.2),
    1 << 20: (2, None),
}


class Pair:
    """An established connection, and rounds of work on it."""

    def __init__(self, make_client: Any, server: Server, direction: str, size: int) -> None:
        self._client: Client = handshake(make_client, server, ClientClock())
        self._server = server
        self._opens = direction == "open"
        self._size = size
        self._count = SIZES[size][0]

    def fresh_input(self) -> list[bytes]:
        """Messages to seal, or the server's records to open."""
        messages = [os.urandom(self._size) for _ in range(self._count)]
        return [self._server.seal(message) for message in messages] if self._opens else messages

    def work(self, pieces: list[bytes]) -> None:
        if self._opens:
            self._client.receive_each(pieces, self._size)
        else:
            self._client.send_each(pieces)

    def measured_round(self) -> float:
        """Seconds of CPU per message."""
        pieces = self.fresh_input()
        began = time.thread_time_ns()
        self.work(pieces)
        return (time.thread_time_ns() - began) / 1e9 / self._count


def label(size: int) -> str:
    return f"{size} B" if size < 1024 else f"{size >> 10} KiB" if size < 1 << 20 else "stream, 1 MiB a piece"


@pytest.mark.parametrize("size", SIZES, ids=label)
@pytest.mark.parametrize("direction", ["seal", "open"])
def bench_records(benchmark: Any, ratio: Any, world: Any, engine: str, direction: str, size: int) -> None:
    place: World = world("ecdsa")
    ours = Pair(place.lighttls_client(engine), place.fresh_server(), direction, size)
    theirs = Pair(place.ssl_client(), place.fresh_server(), direction, size)
    count, bar = SIZES[size]
    ratio(
        benchmark,
        f"{direction} {label(size)} ({engine})",
        ours.measured_round,
        theirs.measured_round,
        bar=bar if engine == "native" else None,
    )
    benchmark.extra_info.update(messages_per_round=count, bytes_per_message=size)
    benchmark.pedantic(ours.work, setup=lambda: ((ours.fresh_input(),), {}), rounds=10)
