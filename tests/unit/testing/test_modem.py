"""The simulator's own parts: its clock, its line, and what goes wrong on it."""

from __future__ import annotations

import socket
import sys

import pytest

from lighttls import ConfigurationError
from lighttls.testing.modem import LATENCY, Faults, Network, Pty, SimulatedModem, Timeline, tcp
from lighttls.testing.modem.faults import NoisyLine
from lighttls.transports.at_modem import Modem
from support.modem import Recorder


def board(**settings: object) -> SimulatedModem:
    return SimulatedModem("EC21", Network(lambda host, port: Recorder()), **settings)


def said(simulated: SimulatedModem, seconds: float = 1.0) -> bytes:
    """What comes until nothing has for so long."""
    heard = b""
    while piece := simulated.read(4096, seconds):
        heard += piece
    return heard


def test_events_happen_in_order_and_the_clock_jumps() -> None:
    timeline, happened = Timeline(), []
    timeline.after(2.0, lambda: happened.append(("late", timeline.now)))
    timeline.after(1.0, lambda: timeline.after(0.5, lambda: happened.append(("nested", timeline.now))))
    timeline.after(2.0, lambda: happened.append(("later", timeline.now)))
    timeline.run_until(10.0)
    assert happened == [("nested", 1.5), ("late", 2.0), ("later", 2.0)]
    assert timeline.now == 10.0
    assert timeline.next_event() is None


@pytest.mark.parametrize("baud", [9600, 115200, 921600])
def test_bytes_take_ten_bits_each_in_both_directions(baud: int) -> None:
    simulated = board(baud=baud)
    simulated.write(b"ATE0\r")
    assert said(simulated) == b"ATE0\r\r\nOK\r\n"
    simulated.read(1, 1.0)
    began = simulated.monotonic()
    simulated.write(b"AT+CSQ" + b" " * 994 + b"\r")
    heard = b""
    while not heard.endswith(b"OK\r\n"):
        heard += simulated.read(4096, 10.0)
    line_time = (1001 + len(heard)) * 10 / baud
    assert simulated.monotonic() - began == pytest.approx(line_time + LATENCY)


def test_line_without_speed_takes_no_time() -> None:
    simulated = board(baud=0)
    simulated.write(b"AT\r")
    assert simulated.read(100, 1.0)
    assert simulated.monotonic() <= LATENCY


def test_noisy_line_flips_and_drops_the_bytes_that_it_is_told() -> None:
    line = NoisyLine(flipped=[1, 5], dropped=[2, 6])
    assert [line.through(piece) for piece in (b"abcd", b"e", b"fghi")] == [b"afd", b"e", b"bhi"]


def test_command_that_comes_while_another_runs_is_lost() -> None:
    simulated = board(baud=0)
    simulated.write(b"ATE0\rAT+CSQ\r")
    assert said(simulated).count(b"OK") == 1


def test_data_that_never_comes_is_given_up_and_commands_work_again() -> None:
    simulated = board(baud=0)
    for command in ("ATE0", "AT+QIACT=1", 'AT+QIOPEN=1,0,"TCP","server.example",7,0,0'):
        simulated.write(command.encode() + b"\r")
        said(simulated)
    simulated.write(b"AT+QISEND=0,10\r")
    assert said(simulated) == b"\r\n> "
    simulated.write(b"short")
    assert said(simulated, 30.0) == b"\r\nERROR\r\n"
    simulated.write(b"AT+QISEND=0,0\r")
    assert said(simulated) == b"\r\n+QISEND: 0,0,0\r\n\r\nOK\r\n"


def test_split_answers_arrive_whole_and_the_same_seed_splits_alike() -> None:
    heard = []
    for _ in range(2):
        simulated = board(faults=Faults(seed=3, split=1.0))
        simulated.write(b"ATI\r")
        pieces = []
        while piece := simulated.read(4096, 1.0):
            pieces.append(piece)
        heard.append(pieces)
    assert heard[0] == heard[1]
    assert len(heard[0]) > 4
    assert b"".join(heard[0]).endswith(b"Revision: SIMULATED\r\n\r\nOK\r\n")


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are of Unix")
def test_virtual_clock_behind_a_pseudo_terminal_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="real time") as caught:
        Pty(board())
    assert "timeline=RealTimeline()" in caught.value.hint


def test_virtual_clock_in_front_of_real_tcp_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        line = Modem(SimulatedModem("EC21", Network(lambda host, _: tcp("127.0.0.1", port))), "quectel")
        with pytest.raises(ConfigurationError, match="virtual clock"):
            line.open_tcp("server.example", 7)


def test_model_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="HAYES"):
        SimulatedModem("HAYES", Network(lambda host, port: Recorder()))
