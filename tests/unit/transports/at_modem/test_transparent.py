"""The serial line as the connection itself: its end stands in the stream, and must not be taken for payload."""

from __future__ import annotations

from random import Random

import pytest

from lighttls import ConfigurationError, Stream, UsageError
from lighttls.testing.modem import Echo, Faults
from lighttls.transports.at_modem import ModemError
from support import pki
from support.memory_server import MemoryServer
from support.modem import Recorder, TlsServer, modem

END = b"\r\nNO CARRIER\r\n"


def test_handshake_and_data_over_the_modem() -> None:
    server = MemoryServer(ask_client=True)
    line, _ = modem("quectel", TlsServer(server), access="transparent")
    with line, Stream(line.open_tcp("server.example", 443), pki.config(pki.shared().ec_device), "localhost") as tls:
        tls.sendall(b"hello")
        assert tls.recv(100) == b"got hello"


@pytest.mark.parametrize("split", [0.0, 1.0])
def test_bytes_pass_whatever_they_are(split: float) -> None:
    data = Random(1).randbytes(30_000) + b"+++" + END * 3 + b"\r\nOK\r\n" + bytes(range(256)) + END[:-1]
    line, _ = modem("quectel", Echo(), faults=Faults(split=split), access="transparent")
    connection = line.open_tcp("server.example", 7)
    left, got = data, b""
    while left:
        left = left[connection.send(left) :]
    while len(got) < len(data):
        got += connection.recv(4096, 20)
    assert got == data


def test_text_of_the_end_inside_payload_is_payload() -> None:
    peer = Recorder()
    line, _ = modem("quectel", peer, access="transparent")
    connection = line.open_tcp("server.example", 7)
    peer.link.send(b"before" + END)
    assert connection.recv(100, 20) == b"before"
    assert connection.recv(100, 20) == END
    peer.link.send(b"after")
    assert connection.recv(100, 20) == b"after"
    assert connection.send(b"and back") == 8
    assert connection.recv(100, 2) is None
    assert peer.heard == b"and back"


@pytest.mark.parametrize("size", [0, 5000])
def test_end_comes_after_the_data_before_it(size: int) -> None:
    data = Random(2).randbytes(size)
    peer = Recorder(data)
    line, _ = modem("quectel", peer, access="transparent")
    connection = line.open_tcp("server.example", 7)
    peer.link.close()
    got = b""
    while piece := connection.recv(4096, 20):
        got += piece
    assert piece == b""
    assert got == data
    with pytest.raises(ModemError, match="closed"):
        connection.send(b"x")
    connection.close()
    assert line.open_tcp("server.example", 7).recv(1, 5) in (b"", data[:1] or None)


@pytest.mark.parametrize("late", [0.0, 3.0, 60.0])
def test_news_that_was_kept_back_is_no_payload_and_a_lost_data_connection_no_end(late: float) -> None:
    peer = Recorder(b"data")
    line, simulated = modem("quectel", peer, faults=Faults(slow_news=late), access="transparent")
    connection = line.open_tcp("server.example", 7)
    assert connection.recv(100, 5) == b"data"
    simulated.module.lose_data()
    with pytest.raises(ModemError, match="the network ended the data connection") as caught:
        connection.recv(100, 20)
    assert caught.value.layer == "PDP context"
    connection.close()
    assert line.open_tcp("server.example", 7).recv(100, 5) == b"data"


@pytest.mark.parametrize("signs", [b"+", b"++", b"+++"])
def test_signs_of_the_escape_alone_are_payload(signs: bytes) -> None:
    peer = Recorder()
    line, simulated = modem("quectel", peer, access="transparent")
    connection = line.open_tcp("server.example", 7)
    simulated.timeline.run_until(simulated.monotonic() + 5)
    assert connection.send(signs) == len(signs)
    assert connection.recv(10, 5) is None
    assert peer.heard == signs


def test_close_leaves_the_connection_and_the_next_one_opens() -> None:
    peer = Recorder()
    line, simulated = modem("quectel", peer, access="transparent")
    for number in (1, 2, 3):
        connection = line.open_tcp("server.example", 7)
        assert connection.send(b"%d" % number) == 1
        connection.close()
        assert line.signal() == -73
    simulated.timeline.run_until(simulated.monotonic() + 1)
    assert peer.heard == b"123"


def test_other_commands_are_refused_while_it_is_open() -> None:
    line, _ = modem("quectel", Recorder(), access="transparent")
    line.open_tcp("server.example", 7)
    with pytest.raises(UsageError, match="transparent"):
        line.signal()
    with pytest.raises(ModemError, match=r"all .* connections"):
        line.open_tcp("server.example", 7)


def test_dialects_without_it_say_so() -> None:
    with pytest.raises(ConfigurationError, match="access"):
        modem("ublox", Recorder(), access="transparent")


def test_refused_connection_says_why() -> None:
    line, simulated = modem("quectel", Recorder(), access="transparent")

    def refuse(host: str, port: int) -> Recorder:
        raise ConnectionRefusedError

    simulated.network.dial = refuse
    with pytest.raises(ModemError, match="566"):
        line.open_tcp("server.example", 7)
