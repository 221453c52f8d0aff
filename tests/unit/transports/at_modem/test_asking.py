"""What else a modem is asked, by the public API alone: time, names, identity, network; blocking and under asyncio."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from lighttls import ConfigurationError
from lighttls.testing.modem import Echo, Faults, Network, Pty, RealTimeline, SimulatedModem, Situation
from lighttls.transports.at_modem import AsyncModem, Modem, ModemError
from support import require
from support.modem import FAMILIES

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
CLOCK = {"clock": "26/11/22,13:00:00+04", "network_time": "2026/11/22,12:00:00+04,0"}
NAMES = {"server.example": "192.0.2.7", "pool.ntp.org": "192.0.2.8"}

each_dialect = pytest.mark.parametrize("dialect", sorted(FAMILIES))


def board(dialect: str, *, faults: Faults | None = None, **situation: Any) -> SimulatedModem:
    network = Network(lambda host, port: Echo(), names=NAMES, round_trip=0.05)
    return SimulatedModem(FAMILIES[dialect], network, faults=faults, situation=Situation(**CLOCK, **situation))


@each_dialect
@pytest.mark.parametrize("order", [1, -1])
def test_everything_can_be_asked_of_a_modem_that_was_just_switched_on(dialect: str, order: int) -> None:
    with Modem(board(dialect), dialect) as modem:
        asked: list[tuple[Callable[[], object], object]] = [
            (modem.network_time, NOW),
            (modem.signal, -73),
            (lambda: modem.registration().text, "registered at home"),
            (lambda: modem.identify().imei, "861234567890123"),
            (lambda: modem.resolve("server.example"), "192.0.2.7"),
            (lambda: modem.open_tcp("server.example", 7).send(b"hello"), 5),
        ]
        for ask, answer in asked[::order]:
            assert ask() == answer


@each_dialect
def test_time_by_ntp_comes_or_is_refused_before_anything_is_sent(dialect: str) -> None:
    simulated = board(dialect)
    modem = Modem(simulated, dialect)
    if dialect == "quectel":
        assert modem.ntp_time() == NOW
        with pytest.raises(ModemError, match="DNS parse failed") as caught:
            modem.ntp_time("nowhere.example")
        assert caught.value.layer == "DNS"
    else:
        with pytest.raises(ConfigurationError, match="not asked for time by NTP"):
            modem.ntp_time()
        assert simulated.line.bytes_to_module == 0


@each_dialect
def test_name_that_nobody_has_is_named_by_resolve(dialect: str) -> None:
    modem = Modem(board(dialect), dialect)
    with pytest.raises(ModemError, match=r"nowhere\.example") as caught:
        modem.resolve("nowhere.example")
    assert caught.value.layer == "DNS"
    assert modem.resolve("server.example") == "192.0.2.7"


@each_dialect
@pytest.mark.parametrize("host", ["", "a b", 'x"', "münchen.example", "a" * 254, None])
def test_name_that_cannot_be_one_is_refused_before_anything_is_sent(dialect: str, host: Any) -> None:
    simulated = board(dialect)
    modem = Modem(simulated, dialect)
    asked = [modem.resolve] + ([modem.ntp_time] if dialect == "quectel" else [])
    for ask in asked:
        with pytest.raises(ConfigurationError):
            ask(host)
    assert simulated.line.bytes_to_module == 0


@each_dialect
@pytest.mark.parametrize(
    "faults", [{"split": 1.0, "stray_news": 0.5}, {"late_results": 0.3, "slow_news": 1.0}], ids=str
)
def test_answers_in_pieces_late_and_between_news_are_understood(dialect: str, faults: dict[str, Any]) -> None:
    """Split reads; merged ones come of a line that takes no time."""
    for baud in (0, 9600):
        simulated = board(dialect, faults=Faults(seed=3, **faults))
        simulated.line.seconds_per_byte = 10 / baud if baud else 0.0
        modem = Modem(simulated, dialect)
        assert modem.network_time() == NOW
        assert modem.resolve("server.example") == "192.0.2.7"
        link = modem.open_tcp("server.example", 7)
        link.send(b"hello")
        assert link.recv(10, 20) == b"hello"


def test_connection_that_the_module_no_longer_knows_is_over() -> None:
    """AT+QISTATE names none: it was closed, and neither its end nor its news came through."""
    simulated = board("quectel")
    link = Modem(simulated, "quectel").open_tcp("server.example", 7)
    simulated.module.connections[0].alive = False
    simulated.module.connections[0].inbox.clear()
    assert link.recv(10, 30) == b""


def test_module_is_asked_again_and_again_how_many_bytes_it_has_taken() -> None:
    """AT+QISEND=<id>,0 after each 16 KiB: what it did not get is noticed while sending, not at the end."""
    simulated = board("quectel")
    link = Modem(simulated, "quectel").open_tcp("server.example", 7)
    asked: list[int] = []
    do_qisend = simulated.module.do_qisend

    def counted(request: Any) -> None:
        if request.number(1) == 0:
            asked.append(simulated.module.connections[0].sent)
        do_qisend(request)

    simulated.module.do_qisend = counted
    left = bytes(100_000)
    while left:
        left = left[link.send(left) :]
        link.recv(65536, 0)
    assert len(asked) >= 5
    assert asked == sorted(asked)


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are of Unix")
@pytest.mark.parametrize("dialect", ["quectel", "ublox"])
def test_everything_can_be_asked_under_asyncio(dialect: str) -> None:
    require.module("serial")
    network = Network(lambda host, port: Echo(), names=NAMES)
    simulated = SimulatedModem(
        FAMILIES[dialect], network, situation=Situation(**CLOCK), timeline=RealTimeline(), baud=0
    )

    async def ask(name: str) -> None:
        async with await AsyncModem.open(name) as modem:
            time, signal, address = await asyncio.gather(
                modem.network_time(), modem.signal(), modem.resolve("server.example")
            )
            assert (time, signal, address) == (NOW, -73, "192.0.2.7")
            assert (await modem.registration()).registered
            if dialect == "quectel":
                assert await modem.ntp_time() == NOW
            else:
                with pytest.raises(ConfigurationError):
                    await modem.ntp_time()

    with Pty(simulated) as serial:
        asyncio.run(asyncio.wait_for(ask(serial.name), 60))
