"""Handshakes, full and resumed: the CPU time that the client alone spends, its server being in memory."""

from __future__ import annotations

from collections.abc import Callable
from ssl import SSLContext
from typing import Any

import pytest

from bench.compare import Side
from bench.sides import Client, ClientClock, Server, World, handshake
from lighttls import MemorySessionStore

HANDSHAKES_A_ROUND = 24
CLIENT_TIME = ClientClock()
BARS = {("ecdsa", False): 0.5, ("rsa", False): 0.4, ("ecdsa", True): 0.6}
BAR_KNOWN_INTERMEDIATE = 0.4
BAR_RESUMED = 0.25


def side(world: World, make_client: Callable[[], Client], *, known_intermediate: bool = False) -> Side:
    """Seconds per full handshake, each with certificates never seen before (or but for the intermediate).

    They are all issued before the first one.
    """

    def run() -> float:
        clock = ClientClock()
        servers = [world.fresh_server(known_intermediate=known_intermediate) for _ in range(HANDSHAKES_A_ROUND)]
        for server in servers:
            handshake(make_client, server, clock)
        return clock() / HANDSHAKES_A_ROUND

    return run


def resuming_side(world: World, make_client: Callable[[], Client], *, tickets: bool) -> Side:
    """Seconds per resumed handshake, with one server; the full one before them is not counted."""

    def connected(context: SSLContext, clock: ClientClock) -> Client:
        server = Server(context)
        client = handshake(make_client, server, clock)
        server.close()
        return client

    def run() -> float:
        clock = ClientClock()
        context = world.server_context(tickets=tickets)
        assert not connected(context, ClientClock()).resumed
        for _ in range(HANDSHAKES_A_ROUND):
            assert connected(context, clock).resumed
        return clock() / HANDSHAKES_A_ROUND

    return run


def measure_alone(benchmark: Any, make_client: Callable[[], Client], next_server: Callable[[], Server]) -> None:
    """What pytest-benchmark shows: the same handshakes as `ratio` compares, without a yardstick."""

    def once(server: Server) -> None:
        handshake(make_client, server, CLIENT_TIME)
        server.close()

    benchmark.pedantic(once, setup=lambda: ((next_server(),), {}), rounds=20)


def resumed_servers(world: World, make_client: Callable[[], Client], *, tickets: bool) -> Callable[[], Server]:
    """Makes servers that share the session of a handshake which is over."""
    context = world.server_context(tickets=tickets)
    server = Server(context)
    handshake(make_client, server, ClientClock())
    server.close()
    return lambda: Server(context)


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
        bar=BARS.get((kind, client_certificate)) if engine == "native" else None,
    )
    measure_alone(benchmark, ours, place.fresh_server)


@pytest.mark.benchmark(timer=CLIENT_TIME)
def bench_known_intermediate(benchmark: Any, ratio: Any, world: Any, engine: str) -> None:
    place: World = world("ecdsa")
    ours = place.lighttls_client(engine)
    ratio(
        benchmark,
        f"handshake ecdsa, intermediate known ({engine})",
        side(place, ours, known_intermediate=True),
        side(place, place.ssl_client(), known_intermediate=True),
        bar=BAR_KNOWN_INTERMEDIATE if engine == "native" else None,
    )
    measure_alone(benchmark, ours, lambda: place.fresh_server(known_intermediate=True))


@pytest.mark.benchmark(timer=CLIENT_TIME)
@pytest.mark.parametrize("way", ["ticket", "id"])
def bench_resumed_handshake(benchmark: Any, ratio: Any, world: Any, engine: str, way: str) -> None:
    place: World = world("ecdsa")
    ours = place.lighttls_client(engine, sessions=MemorySessionStore())
    ratio(
        benchmark,
        f"handshake resumed by {way} ({engine})",
        resuming_side(place, ours, tickets=way == "ticket"),
        side(place, place.ssl_client()),
        against="ssl, full",
        bar=BAR_RESUMED if engine == "native" else None,
    )
    measure_alone(benchmark, ours, resumed_servers(place, ours, tickets=way == "ticket"))


@pytest.mark.benchmark(timer=CLIENT_TIME)
@pytest.mark.parametrize("way", ["ticket", "id"])
@pytest.mark.parametrize("peer", ["ssl", "pyOpenSSL"])
def bench_resumption_of_others(benchmark: Any, ratio: Any, world: Any, peer: str, way: str) -> None:
    """For orientation."""
    place: World = world("ecdsa")
    if peer == "pyOpenSSL":
        pytest.importorskip("OpenSSL", reason="no pyOpenSSL here: pip install -e '.[bench]'")
    make_client = place.resuming_ssl_client() if peer == "ssl" else place.resuming_pyopenssl_client()
    ratio(
        benchmark,
        f"handshake resumed by {way} ({peer}, for orientation)",
        resuming_side(place, make_client, tickets=way == "ticket"),
        side(place, place.ssl_client()),
        against="ssl, full",
    )
    measure_alone(benchmark, make_client, resumed_servers(place, make_client, tickets=way == "ticket"))


@pytest.mark.benchmark(timer=CLIENT_TIME)
@pytest.mark.parametrize("client_certificate", [False, True], ids=["server_only", "mutual"])
@pytest.mark.parametrize("kind", ["ecdsa", "rsa"])
def bench_handshake_of_rustls(benchmark: Any, ratio: Any, world: Any, kind: str, client_certificate: bool) -> None:
    """For orientation: another client with the shape of `ssl`, where its package has a build for the machine."""
    rtls = pytest.importorskip("rtls", reason="no rtls here: pip install -e '.[bench]'")
    place: World = world(kind, client_certificate=client_certificate)
    make_client = place.ssl_client(rtls)
    ratio(
        benchmark,
        f"handshake {kind}{', client certificate' if client_certificate else ''} (rtls, for orientation)",
        side(place, make_client),
        side(place, place.ssl_client()),
    )
    measure_alone(benchmark, make_client, place.fresh_server)
