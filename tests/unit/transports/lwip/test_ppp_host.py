"""A host over a modem's data call: TLS over TCP over PPP over a serial line, and whatever goes wrong below it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lighttls import ConfigurationError, Stream, TransportError
from lighttls.testing.modem import Echo, Faults, Network, Peer, PppNetwork, SimulatedModem, Situation
from lighttls.transports.at_modem import Modem, ModemError
from lighttls.transports.lwip import CallableLink, LwipError, PppError, PppHost, ppp_host
from support import pki, require
from support.lwip import cores
from support.memory_server import MemoryServer
from support.modem import FAMILIES, TlsServer

USER = {"user": "user", "password": "secret"}


ENDING: list[PppNetwork] = []


@pytest.fixture(autouse=True)
def _networks_end() -> Iterator[None]:
    """Each test has the second copy of lwIP for itself, however the one before ended."""
    yield
    while ENDING:
        ENDING.pop().end()


def board(
    peer: Any = Echo,
    *,
    dialect: str = "quectel",
    names: dict[str, str] | None = None,
    faults: Faults | None = None,
    situation: Situation | None = None,
    demands: dict[str, str] | None = None,
    baud: int = 115200,
    **settings: Any,
) -> tuple[Modem, SimulatedModem]:
    ppp = PppNetwork(cores()[1], **(demands or {}))
    ENDING.append(ppp)
    network = Network(lambda host, port: peer(), names=names, round_trip=0.05, ppp=ppp)
    simulated = SimulatedModem(FAMILIES[dialect], network, baud=baud, faults=faults, situation=situation)
    return Modem(simulated, dialect, **settings), simulated


@contextmanager
def dialled(modem: Modem, **settings: Any) -> Iterator[PppHost]:
    with PppHost.dial(modem, core=cores()[0], **settings) as host:
        yield host


def exchange(host: PppHost, data: bytes, name: str = "server.example", port: int = 7) -> bytes:
    link = host.open_tcp(name, port)
    left, got = data, b""
    while len(got) < len(data):
        if left:
            left = left[link.send(left) :]
        got += link.recv(65536, 0.0 if left else 30) or b""
    link.close()
    return got


def use_until_it_fails(link: Any) -> None:
    for _ in range(200):
        link.send(b"x")
        link.recv(10, 5)


@pytest.mark.parametrize("dialect", FAMILIES)
@pytest.mark.parametrize("method", ["", "pap", "chap"])
def test_host_over_a_modem_connects_by_name(dialect: str, method: str) -> None:
    demands = USER | {"authentication": method} if method else {}
    modem, simulated = board(dialect=dialect, demands=demands, **USER)
    with dialled(modem) as host:
        assert host.interface.address == "10.64.0.2"
        assert host.resolve("server.example").startswith("198.18.")
        data = bytes(range(256)) * 40
        assert exchange(host, data) == data
    assert simulated.module.raw is None
    assert modem.open_tcp("server.example", 7).send(b"x") == 1  # commands again


def test_tls_over_ppp_over_a_modem() -> None:
    modem, _ = board(lambda: TlsServer(MemoryServer()))
    with dialled(modem) as host, Stream(host.open_tcp("localhost", 443), pki.config(), "localhost", timeout=30) as tls:
        tls.sendall(b"hello")
        assert tls.recv(100) == b"got hello"


def test_several_connections_at_once_keep_apart() -> None:
    modem, _ = board()
    with dialled(modem) as host:
        links = [host.open_tcp(f"host-{number}.example", 7 + number % 2) for number in range(6)]
        for number, link in enumerate(links):
            link.send(b"%d" % number * 500)
        for number, link in enumerate(links):
            got = b""
            while len(got) < 500:
                got += link.recv(500, 30) or b""
            assert got == b"%d" % number * 500


def test_end_of_the_peer_comes_after_its_data() -> None:
    class Brief(Peer):
        def received(self, data: bytes) -> None:
            self.link.send(bytes(20_000))
            self.link.close()

    modem, _ = board(Brief)
    with dialled(modem) as host:
        link = host.open_tcp("server.example", 7)
        link.send(b"go")
        got = b""
        while piece := link.recv(65536, 30):
            got += piece
        assert got == bytes(20_000)
        assert piece == b""


@pytest.mark.parametrize("seed", range(2))
def test_line_that_alters_and_loses_bytes_costs_time_and_nothing_else(seed: int) -> None:
    faults = Faults(
        seed=seed, split=0.3, flipped_to_host=range(5000, 90_000, 2111), dropped_to_modem=range(5000, 90_000, 3001)
    )
    modem, _ = board(faults=faults)
    with dialled(modem) as host:
        data = bytes(range(256)) * 80
        assert exchange(host, data) == data


@pytest.mark.parametrize("seed", range(200 if require.LONG else 12))
def test_random_faults_over_ppp_never_make_wrong_bytes_or_hang(seed: int) -> None:
    """A noisy line, and a call that ends somehow and at some time, or not: all bytes arrive, or an error names why."""
    chance = random.Random(seed)
    faults = Faults(
        seed=seed,
        split=chance.choice([0.0, 0.5]),
        flipped_to_host=sorted(chance.sample(range(3000, 150_000), chance.choice([0, 5, 30]))),
        dropped_to_host=sorted(chance.sample(range(3000, 150_000), chance.choice([0, 5]))),
        flipped_to_modem=sorted(chance.sample(range(3000, 150_000), chance.choice([0, 5, 30]))),
        dropped_to_modem=sorted(chance.sample(range(3000, 150_000), chance.choice([0, 5]))),
    )
    modem, simulated = board(faults=faults, baud=chance.choice([9600, 115200, 921600]))
    data, got, outcome, layer = chance.randbytes(40_000), b"", "complete", "none"
    ends = {
        "never": lambda: None,
        "dropped": lambda: simulated.module.drop_call(),
        "reset": lambda: simulated.module.reset(silent=chance.random() < 0.5),
        "silent": lambda: setattr(simulated.network.ppp, "silent", True),
    }
    end = chance.choice(sorted(ends))
    try:
        with dialled(modem) as host:
            link = host.open_tcp("server.example", 7)
            simulated.timeline.after(chance.random() * 4, ends[end])
            left = data
            while len(got) < len(data):
                if left:
                    left = left[link.send(left) :]
                got += link.recv(65536, 0.0 if left else 30) or b""
    except TransportError as error:
        outcome = str(error)
        layer = error.context["layer"]
    assert layer
    assert got == data[: len(got)]
    assert outcome == "complete" or end != "never", outcome
    assert simulated.monotonic() < 2000


@pytest.mark.parametrize("wrong", [{"limit": -1}, {"send_limit": 0}, {"authentication": "eap"}, {"nobody_knows": 1}])
def test_wrong_setting_hangs_up_and_leaves_the_modem_usable(wrong: dict[str, Any]) -> None:
    modem, _ = board()
    with modem:
        with pytest.raises((ConfigurationError, TypeError)):
            PppHost.dial(modem, core=cores()[0], **wrong)
        with dialled(modem) as host:
            assert exchange(host, b"x") == b"x"


def test_wrong_password_names_authentication_and_leaves_the_modem_usable() -> None:
    modem, simulated = board(demands=USER | {"authentication": "pap"}, user="user", password="another")
    with pytest.raises(PppError) as caught:
        PppHost.dial(modem, core=cores()[0])
    assert caught.value.layer == "PPP authentication"
    assert simulated.module.raw is None
    assert modem.identify().model == "EC21"


def test_network_that_takes_no_call_names_the_layer() -> None:
    modem, _ = board(situation=Situation(data_allowed=False))
    with pytest.raises(ModemError) as caught:
        PppHost.dial(modem, core=cores()[0])
    assert caught.value.layer == "PDP context"


def test_peer_that_falls_silent_is_noticed_by_its_silence() -> None:
    modem, simulated = board()
    with dialled(modem) as host:
        link = host.open_tcp("server.example", 7)
        before = simulated.monotonic()
        simulated.network.ppp.silent = True
        with pytest.raises(PppError) as caught:
            link.recv(10, None)
        assert (caught.value.layer, caught.value.code) == ("serial line", 9)
        assert simulated.monotonic() - before < 200
        with pytest.raises(PppError):
            host.open_tcp("server.example", 7)


def test_network_that_says_nothing_at_all_is_named() -> None:
    modem, simulated = board()
    simulated.network.ppp.silent = True
    with pytest.raises(PppError, match="nobody answers") as caught:
        PppHost.dial(modem, core=cores()[0])
    assert caught.value.timed_out


@pytest.mark.parametrize("kind", ["drop", "reset"])
def test_call_that_ends_is_named_and_the_next_one_works(kind: str) -> None:
    modem, simulated = board()
    with dialled(modem) as host:
        link = host.open_tcp("server.example", 7)
        simulated.module.drop_call() if kind == "drop" else simulated.module.reset()
        with pytest.raises(ModemError) as caught:
            use_until_it_fails(link)
        assert caught.value.layer == {"drop": "PDP context", "reset": "module"}[kind]
    with dialled(modem) as host:
        assert exchange(host, b"again") == b"again"


def test_port_where_nobody_listens_is_a_reset() -> None:
    def refuse() -> Peer:
        raise OSError("refused")

    modem, _ = board(refuse)
    with dialled(modem) as host, pytest.raises(LwipError) as caught:
        host.open_tcp("server.example", 7)
    assert caught.value.layer == "TCP"


def test_name_that_nobody_has_names_dns() -> None:
    modem, _ = board(names={"server.example": "192.0.2.1"})
    with dialled(modem) as host:
        assert exchange(host, b"x") == b"x"
        with pytest.raises(LwipError) as caught:
            host.resolve("another.example")
        assert caught.value.layer == "DNS"


def test_host_over_a_line_of_ones_own() -> None:
    """Any serial line with PPP at its other end, without a modem."""
    modem, _ = board()
    call = modem.dial()
    line = CallableLink(call.send, call.receive, call.close)
    with PppHost(line, core=cores()[0], clock=modem.now) as host:
        assert exchange(host, b"hello") == b"hello"


def test_missing_lwip_is_named_before_the_modem_is_dialled(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise ConfigurationError("lwIP is not built")

    monkeypatch.setattr(ppp_host, "default_core", missing)
    modem, simulated = board()
    with pytest.raises(ConfigurationError, match="not built"):
        PppHost.dial(modem)
    assert simulated.line.bytes_to_module == 0


def test_slow_line_carries_it_all_the_same() -> None:
    modem, simulated = board(baud=9600)
    with dialled(modem) as host:
        before = simulated.monotonic()
        assert exchange(host, bytes(8000)) == bytes(8000)
        assert simulated.monotonic() - before < 3 * 8000 / 960
