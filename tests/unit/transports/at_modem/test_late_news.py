"""News that come late: of a connection that is over, under a number that another one has by then; or of a loss."""

from __future__ import annotations

import pytest

from lighttls.testing.modem import Faults, Network, SimulatedModem
from lighttls.transports.at_modem import Modem, ModemError
from support.modem import FAMILIES, MODES, Recorder, modem

each_dialect = pytest.mark.parametrize("dialect", FAMILIES)
PUSHED = [dialect for dialect, settings in MODES if settings.get("access") == "push"]


def late_modem(dialect: str, seconds: float, **settings: object) -> tuple[Modem, SimulatedModem, list[Recorder]]:
    """A modem whose news come late, and who was at the other end of each of its connections."""
    peers: list[Recorder] = []

    def dial(host: str, port: int) -> Recorder:
        peers.append(Recorder())
        return peers[-1]

    simulated = SimulatedModem(FAMILIES[dialect], Network(dial), faults=Faults(slow_news=seconds))
    return Modem(simulated, dialect, **settings), simulated, peers


@each_dialect
def test_end_of_a_former_connection_does_not_end_the_one_that_has_its_number(dialect: str) -> None:
    line, simulated, peers = late_modem(dialect, 3)
    open_ones = [line.open_tcp("server.example", 7) for _ in range(line.dialect.numbers)]
    simulated.timeline.run_until(simulated.monotonic() + 10)
    for one in open_ones:
        one.recv(1, 0)
    peers[-1].end()
    simulated.timeline.run_until(simulated.monotonic() + 0.5)
    open_ones.pop().close()
    again = line.open_tcp("server.example", 7)
    assert again.recv(10, 8) is None
    peers[-1].say(b"here")
    assert again.recv(10, 8) == b"here"
    assert again.send(b"ping") == 4
    peers[-1].end()
    assert again.recv(10, 60) == b""


@pytest.mark.parametrize("dialect", PUSHED)
def test_data_of_a_former_connection_are_not_given_to_the_one_that_has_its_number(dialect: str) -> None:
    line, simulated, peers = late_modem(dialect, 3, access="push")
    open_ones = [line.open_tcp("server.example", 7) for _ in range(line.dialect.numbers)]
    peers[-1].say(b"for nobody any more")
    simulated.timeline.run_until(simulated.monotonic() + 0.5)
    open_ones.pop().close()
    again = line.open_tcp("server.example", 7)
    assert again.recv(100, 8) is None
    peers[-1].say(b"here")
    assert again.recv(100, 8) == b"here"


@pytest.mark.parametrize("dialect", PUSHED)
def test_data_that_is_pushed_late_comes_before_the_end(dialect: str) -> None:
    """Asked for its state meanwhile, the module says that the connection is over."""
    line, simulated, peers = late_modem(dialect, 3, access="push")
    connection = line.open_tcp("server.example", 7)
    simulated.timeline.run_until(simulated.monotonic() + 5)
    peers[0].say(b"the last words")
    simulated.timeline.run_until(simulated.monotonic() + 0.5)
    peers[0].end()
    assert connection.recv(100, 60) == b"the last words"
    assert connection.recv(100, 60) == b""


def test_number_that_was_given_back_is_not_the_next() -> None:
    line, _ = modem("quectel", Recorder())
    numbers = []
    for _ in range(13):
        connection = line.open_tcp("server.example", 7)
        numbers += line.dialect.links
        connection.close()
    assert numbers == [*range(12), 0]


@each_dialect
def test_loss_of_the_data_connection_is_no_end_of_a_stream_however_late_its_news(dialect: str) -> None:
    """What the peer said before may be lost, too."""
    line, simulated, _ = late_modem(dialect, 60)
    connection = line.open_tcp("server.example", 7)
    simulated.module.lose_data()
    with pytest.raises(ModemError, match="the network ended the data connection") as caught:
        connection.recv(10, 30)
    assert caught.value.layer == "PDP context"
    simulated.timeline.run_until(simulated.monotonic() + 60)
    assert line.open_tcp("server.example", 7).send(b"again") == 5


@each_dialect
def test_send_into_a_data_connection_that_is_lost_names_it_however_late_its_news(dialect: str) -> None:
    line, simulated, _ = late_modem(dialect, 60)
    connection = line.open_tcp("server.example", 7)
    simulated.module.lose_data()
    with pytest.raises(ModemError, match="the network ended the data connection") as caught:
        connection.send(b"hello")
    assert caught.value.layer == "PDP context"
