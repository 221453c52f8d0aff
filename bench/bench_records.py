"""Application data: one message at a time, and a stream in large pieces.

Sealing is `send_data` and `data_to_send` against `write` and `BIO.read`; opening is `receive_data`
with its events taken against `BIO.write` and `read` until everything is out.
"""

from __future__ import annotations

import os
import time
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import pytest

from bench.sides import BufferLightTLSClient, BufferSslClient, Client, ClientClock, Server, World, handshake
from support import engines, require

AES_128 = "ECDHE-ECDSA-AES128-GCM-SHA256"
CHACHA20 = "ECDHE-ECDSA-CHACHA20-POLY1305"


class Pair:
    """An established connection, and rounds of work on it."""

    def __init__(self, make_client: Any, server: Server, direction: str, size: int, count: int) -> None:
        self._client: Client = handshake(make_client, server, ClientClock())
        self._server = server
        self._opens = direction == "open"
        self._size = size
        self._count = count

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


@dataclass(frozen=True)
class Case:
    """What is measured, and the bar of the native engine."""

    size: int  # bytes of a message
    count: int  # messages a round
    suite: str = AES_128
    mask: str = "everything"  # of engines.CPU_MASKS
    bar: float | None = None

    @property
    def label(self) -> str:
        size = self.size
        text = f"{size} B" if size < 1024 else f"{size >> 10} KiB" if size < 1 << 20 else "stream, 1 MiB a piece"
        text += ", ChaCha20-Poly1305" if self.suite == CHACHA20 else ", AES-128-GCM"
        return text if self.mask == "everything" else f"{text}, {self.mask} only"


CASES = (
    Case(64, 1000, bar=0.75),
    Case(1024, 500),
    Case(16384, 60, bar=0.55),
    Case(16384, 60, mask="aesni+clmul", bar=0.9),
    Case(16384, 60, mask="vaes"),
    Case(1 << 20, 2),
    Case(64, 1000, suite=CHACHA20),
    Case(16384, 60, suite=CHACHA20, bar=1.0),
    Case(16384, 60, suite=CHACHA20, mask="avx2"),
)


RUNS = [
    pytest.param(engine, case, id=f"{engine}-{case.label}")
    for engine in engines.ENGINES
    for case in CASES
    if engine == "native" or case.mask == "everything"
]


@pytest.mark.parametrize(("engine", "case"), RUNS)
@pytest.mark.parametrize("direction", ["seal", "open"])
def bench_records(benchmark: Any, ratio: Any, world: Any, engine: str, direction: str, case: Case) -> None:
    if engine == "native":
        require.native()
        require.cpu_features(case.mask)
    place: World = world("ecdsa", suite=case.suite)
    with engines.restricted(case.mask) if engine == "native" else nullcontext():
        ours = Pair(place.lighttls_client(engine), place.fresh_server(), direction, case.size, case.count)
    theirs = Pair(place.ssl_client(), place.fresh_server(), direction, case.size, case.count)
    ratio(
        benchmark,
        f"{direction} {case.label} ({engine})",
        ours.measured_round,
        theirs.measured_round,
        bar=case.bar if engine == "native" else None,
    )
    benchmark.extra_info.update(messages_per_round=case.count, bytes_per_message=case.size)
    benchmark.pedantic(ours.work, setup=lambda: ((ours.fresh_input(),), {}), rounds=10)


def bench_stream_to_a_buffer(benchmark: Any, ratio: Any, world: Any, engine: str) -> None:
    """`receive_data_into` against `read` with a buffer: no object is made for the plaintext."""
    place: World = world("ecdsa", suite=AES_128)
    size = 1 << 20
    our_client = place.lighttls_client(engine, BufferLightTLSClient)
    ours = Pair(our_client, place.fresh_server(), "open", size, 2)
    theirs = Pair(place.ssl_client(client=BufferSslClient), place.fresh_server(), "open", size, 2)
    ratio(
        benchmark,
        f"open stream to a buffer, 1 MiB a piece ({engine})",
        ours.measured_round,
        theirs.measured_round,
    )
    benchmark.pedantic(ours.work, setup=lambda: ((ours.fresh_input(),), {}), rounds=10)
