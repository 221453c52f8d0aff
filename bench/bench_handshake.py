"""A full handshake: the CPU time that the client alone spends, its server being in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bench.compare import Side
from bench.sides import Client, ClientClock, World, handshake

HANDSHAKES_A_ROUND = 24
CLIENT_TIME = ClientClock()
BARS = {("native", "ecdsa", False): 0.9}


def side(world: World, make_client: Callable[[], Client]) -> Side:
    """Seconds per handshake, each with certificates never seen before; they are all issued before the first one."""

    def run() -> float:
        clock = ClientClock()
        servers = [world.fresh_server() for _ in range(HANDSHAKES_A_ROUND)]
        for server in servers:
            handshake(make_client, server, clock)
        return clock() / HANDSHAKES_A_ROUND

    return run


def measure_alone(benchmark: Any, world: World, make_client: Callable[[], Client]) -> None:
    benchmark.pedantic(
        lambda server: handshake(make_client, server, CLIENT_TIME),
        setup=lambda: ((world.fresh_server(),), {}),
        rounds=20,
    )


@pytest.mark.benchmark(timer=CLIENT_TIME)
@pytest.mark.parametrize("client_certificate", [False, True], ids=["server_only", "mutual"])
@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def bench_full_handshake(
    benchmark: Any, ratio: Any, world: Any, engine: str, kind: str, client_certificate: bool
) -> None:
    place: World = world(kind, client_certificate=client_certificate)
    ours = place.lighttls_client(engine)
    ratio(
        benchmark,
        f"handshake {kind}{', client certificate' if client_certificate else ''} ({engine})",
        side(place, ours),
        side(place, place.ssl_client()),
        bar=BARS.get((engine, kind, client_certificate)),
    )
    measure_alone(benchmark, place, ours)


@pytest.mark.benchmark(timer=CLIENT_TIME)
def bench_handshake_of_rustls(benchmark: Any, ratio: Any, world: Any) -> None:
    """For orientation: another client with the shape of `ssl`, where its package has a build for the machine."""
    rtls = pytest.importorskip("rtls", reason="no rtls here: pip install -e '.[bench]'")
    place: World = world("ecdsa")
    make_client = place.ssl_client(rtls)
    ratio(
        benchmark, "handshake ecdsa (rtls, for orientation)", side(place, make_client), side(place, place.ssl_client())
    )
    measure_alone(benchmark, place, make_client)
