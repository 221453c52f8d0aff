"""PPP's cost: TLS over lwIP over a modem's data call, on a virtual clock, beside the same modem's own TCP.

The line's own limit counts every byte that crosses the serial line, PPP's framing and escapes included, at 10 bits
each, and the round trips of TCP. The link is up already; how long that took is printed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bench.bench_modem import Counted, our_client
from lighttls.testing.modem import Network, Peer, PppNetwork, SimulatedModem
from lighttls.transports.at_modem import Modem
from lighttls.transports.lwip import PppHost
from support import lwip
from support.memory_server import MemoryServer
from support.modem import Recorder, TlsServer

THROUGHPUT_BAR = 0.90
HANDSHAKE_BAR = 1.15
ROUND_TRIP = 0.1
SIZE = 200_000
FRAMED = 1460, 1460 + 40 + 8  # payload of a packet, and what it is on the line: IP and TCP, then PPP


class Timed(Recorder):
    """Knows when it heard something last, by the modem's clock."""

    clock: Callable[[], float]

    def received(self, data: bytes) -> None:
        super().received(data)
        self.heard_at = self.clock()


@contextmanager
def dialled(dial: Callable[[], Peer], baud: int, round_trip: float) -> Iterator[tuple[PppHost, SimulatedModem]]:
    first, second = lwip.cores()
    network = Network(lambda host, port: dial(), round_trip=round_trip, ppp=PppNetwork(second))
    simulated = SimulatedModem("EC21", network, baud=baud)
    with PppHost.dial(Modem(simulated, "quectel"), core=first) as host:
        yield host, simulated


@pytest.mark.parametrize("baud", [115200, 921600])
def bench_throughput(benchmark: Any, capsys: Any, baud: int) -> None:
    def run() -> tuple[float, float]:
        peer = Timed(b"A" * SIZE)
        with dialled(lambda: peer, baud, 0.01) as (host, simulated):
            peer.clock = simulated.monotonic
            connection = host.open_tcp("server.example", 443)
            got = first = len(connection.recv(65536, 5) or b"")
            began = simulated.monotonic()
            while got < SIZE:
                got += len(connection.recv(65536, 60) or b"")
            received = (SIZE - first) / (simulated.monotonic() - began)
            began, left = simulated.monotonic(), b"A" * SIZE
            while left:
                left = left[connection.send(left) :]
            while len(peer.heard) < SIZE:
                connection.recv(1, 0.01)
            return received, SIZE / (peer.heard_at - began)

    received, sent = benchmark.pedantic(run, rounds=1)
    bound = FRAMED[0] / (FRAMED[1] * 10 / baud)
    shares = received / bound, sent / bound
    with capsys.disabled():
        print(
            f"\nPPP at {baud}: receives {received:.0f} B/s, {shares[0]:.3f} of the line's {bound:.0f}; "
            f"sends {sent:.0f} B/s, {shares[1]:.3f}; bar {THROUGHPUT_BAR}"
        )
    benchmark.extra_info.update(received=received, sent=sent, shares=shares, bar=THROUGHPUT_BAR)
    assert min(shares) >= THROUGHPUT_BAR


@pytest.mark.parametrize("resumed", [False, True], ids=["full", "resumed"])
def bench_handshake(benchmark: Any, capsys: Any, resumed: bool) -> None:
    """Mutual handshake at 115200 baud with 100 ms of round trip."""

    def run() -> tuple[float, float, int, float]:
        server, shake = MemoryServer(ask_client=True), our_client()
        for again in range(1 + resumed):
            peer = TlsServer(server.again() if again else server)
            with dialled(lambda peer=peer: peer, 115200, ROUND_TRIP) as (host, simulated):  # type: ignore[misc]
                up = simulated.monotonic()
                counted = Counted(host.open_tcp("server.example", 443), simulated)
                assert shake(counted) == bool(again)
        waits = ROUND_TRIP * (1 if resumed else 2)
        return counted.seconds, counted.carried * 10 / 115200 + waits, counted.carried, up

    seconds, bound, carried, up = benchmark.pedantic(run, rounds=1)
    with capsys.disabled():
        print(
            f"\nPPP, {'resumed' if resumed else 'full'}: {seconds * 1000:.0f} ms, {carried} bytes on the line, "
            f"{seconds / bound:.2f} of its limit {bound * 1000:.0f} ms; bar {HANDSHAKE_BAR}; "
            f"up {up * 1000:.0f} ms after the first command"
        )
    benchmark.extra_info.update(seconds=seconds, limit=bound, serial_bytes=carried, bar=HANDSHAKE_BAR, up=up)
    assert seconds / bound <= HANDSHAKE_BAR
