"""The modem in data mode: how it gets there, what passes, and how the way back is found. PPP itself is elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from lighttls import ConfigurationError, UsageError
from lighttls.testing.modem import Echo, Faults, Network, SimulatedModem, Situation
from lighttls.transports.at_modem import DataCall, Modem, ModemError, ModuleReset
from support.modem import FAMILIES, Far

DIALLED = ["ATD*99#", "ATD*99***1#", 'AT+CGDATA="PPP",1']

each_dialect = pytest.mark.parametrize("dialect", FAMILIES)


def modem(
    dialect: str = "quectel", *, faults: Faults | None = None, situation: Situation | None = None, **settings: Any
) -> tuple[Modem, SimulatedModem, Far]:
    far = Far()
    network = Network(lambda host, port: Echo(), round_trip=0.05, ppp=far)  # type: ignore[arg-type]
    simulated = SimulatedModem(FAMILIES[dialect], network, faults=faults, situation=situation)
    return Modem(simulated, dialect, apn="apn.example", **settings), simulated, far


def receive(call: DataCall, count: int) -> bytes:
    got = b""
    while len(got) < count:
        piece = call.receive(5)
        assert piece
        got += piece
    return got


def use_until_it_fails(call: DataCall) -> None:
    for _ in range(100):
        call.receive(5)


@each_dialect
def test_call_carries_every_byte_and_leaves_the_modem_usable(dialect: str) -> None:
    line, _, far = modem(dialect)
    call = line.dial()
    data = bytes(range(256)) * 20
    call.send(data)
    far.say(data)
    assert receive(call, len(data)) == data
    assert bytes(far.heard) == data
    call.close()
    call.close()  # twice is no error
    assert far.ends == 1
    connection = line.open_tcp("server.example", 7)
    connection.send(b"hello")
    assert connection.recv(5, 30) == b"hello"
    connection.close()
    again = line.dial()
    again.send(b"~~")
    assert far.calls == 2


@pytest.mark.parametrize("command", DIALLED)
def test_each_way_to_dial_reaches_the_network(command: str) -> None:
    line, _, far = modem()
    line.dial(command).close()
    assert far.calls == 1


@pytest.mark.parametrize("command", ["AT+CFUN=1,1", "ATD\r", "ATD\xe9", ""])
def test_command_that_does_not_dial_is_refused_before_anything_is_sent(command: str) -> None:
    line, simulated, _ = modem()
    with pytest.raises(ConfigurationError):
        line.dial(command)
    assert simulated.line.bytes_to_module == 0


@each_dialect
@pytest.mark.parametrize(
    ("situation", "layer"),
    [
        (Situation(data_allowed=False), "PDP context"),
        (Situation(sim=""), "SIM"),
        (Situation(registration=3), "registration"),
    ],
)
def test_call_that_cannot_be_names_what_is_missing(dialect: str, situation: Situation, layer: str) -> None:
    line, _, far = modem(dialect, situation=situation, registration_limit=3)
    with pytest.raises(ModemError) as caught:
        line.dial()
    assert caught.value.layer == layer
    assert far.calls == 0
    assert line.identify().imei


def test_number_that_is_unknown_is_refused() -> None:
    line, _, _ = modem()
    with pytest.raises(ModemError, match="no data call: "):
        line.dial("ATD*98#")


def test_call_beside_open_connections_is_refused_and_other_commands_during_one_are_too() -> None:
    line, _, _ = modem()
    connection = line.open_tcp("server.example", 7)
    with pytest.raises(ModemError, match="needs the whole modem"):
        line.dial()
    connection.close()
    call = line.dial()
    with pytest.raises(UsageError, match="data call"):
        line.identify()
    call.close()
    assert line.identify().model == "EC21"


@each_dialect
def test_call_that_the_network_ends_is_named_and_the_next_one_works(dialect: str) -> None:
    line, simulated, far = modem(dialect)
    call = line.dial()
    far.say(b"~last packets~")
    simulated.module.drop_call()
    with pytest.raises(ModemError, match="NO CARRIER") as caught:
        use_until_it_fails(call)
    assert caught.value.layer == "PDP context"
    with pytest.raises(ModemError, match="NO CARRIER"):
        call.send(b"~")
    call.close()
    line.dial().send(b"~")
    assert far.calls == 2


def test_call_that_the_network_ends_in_the_middle_of_a_frame_is_noticed() -> None:
    line, simulated, far = modem()
    call = line.dial()
    far.say(b"~half of a fra")
    simulated.module.drop_call()
    with pytest.raises(ModemError, match="NO CARRIER"):
        use_until_it_fails(call)


def test_call_that_ended_is_noticed_though_the_modem_answers_our_packets() -> None:
    line, simulated, _ = modem()
    call = line.dial()
    simulated.module.drop_call()
    call.send(b"~a packet\ris no command\r~")
    with pytest.raises(ModemError, match="NO CARRIER"):
        use_until_it_fails(call)
    call.close()
    assert line.identify().model == "EC21"


@pytest.mark.parametrize("text", [b"\r\nNO CARRIER\r\n", b"\r\nRDY\r\n", b"\r\nOK\r\n"])
@pytest.mark.parametrize("split", [0.0, 0.9])
def test_text_of_an_end_inside_a_frame_is_payload(text: bytes, split: float) -> None:
    line, _, far = modem(faults=Faults(split=split))
    call = line.dial()
    data = b"~" + text + b"~x" + text + b"~~"
    for _ in range(5):
        far.say(data)
        assert receive(call, len(data)) == data
    assert call.receive(10) is None
    call.send(b"~")
    call.close()


@pytest.mark.parametrize("dialect", [name for name in FAMILIES if not name.startswith("ublox")])
def test_reset_of_the_module_is_named_and_the_next_call_works(dialect: str) -> None:
    """A u-blox says nothing when it boots: PPP's echo requests find out."""
    line, simulated, far = modem(dialect)
    call = line.dial()
    simulated.module.reset()
    with pytest.raises(ModuleReset):
        use_until_it_fails(call)
    call.close()
    line.dial()
    assert far.calls == 2


def test_escape_that_the_modem_does_not_obey_is_made_up_for() -> None:
    """It is in command mode already, and nobody knew."""
    line, simulated, _ = modem("ublox")
    call = line.dial()
    simulated.module.reset(silent=True)
    simulated.timeline.run_until(simulated.monotonic() + 5)
    call.close()
    assert line.open_tcp("server.example", 7).send(b"x") == 1


def test_escape_is_not_taken_for_payload_and_payload_not_for_an_escape() -> None:
    line, simulated, far = modem()
    call = line.dial()
    call.send(b"~+++~")
    simulated.timeline.run_until(simulated.monotonic() + 5)
    assert simulated.module.raw is not None
    call.close()
    assert simulated.module.raw is None
    assert bytes(far.heard) == b"~+++~"


@each_dialect
def test_modem_that_a_dead_program_left_in_data_mode_is_called_back(dialect: str) -> None:
    line, simulated, far = modem(dialect)
    line.dial()
    second = Modem(simulated, dialect)
    connection = second.open_tcp("server.example", 7)
    connection.send(b"hello")
    assert connection.recv(5, 30) == b"hello"
    assert far.ends == 1


def test_modem_that_a_dead_program_left_in_a_transparent_connection_is_called_back() -> None:
    line, simulated, _ = modem(access="transparent")
    line.open_tcp("server.example", 7)
    second = Modem(simulated, "quectel", access="transparent")
    connection = second.open_tcp("server.example", 7)
    connection.send(b"hello")
    assert connection.recv(5, 30) == b"hello"


def test_port_that_is_gone_ends_the_call() -> None:
    line, simulated, _ = modem()
    call = line.dial()
    simulated.close()
    with pytest.raises(ModemError) as caught:
        call.send(b"~")
    assert caught.value.layer == "serial line"
    call.close()
