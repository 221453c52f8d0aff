"""A modem that does not stop: lines without an end, news without a result, data beyond what was asked for."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from hostile.test_lying_modem import QUECTEL, Liar, lying, receive, send
from lighttls import explain
from lighttls.transports.at_modem import Modem, ModemError, Settings
from lighttls.transports.at_modem.engine import Engine
from lighttls.transports.at_modem.quectel import Quectel
from support import require

AMOUNT = 20_000_000 if require.LONG else 300_000  # bytes of a flood
LASTS = 300.0  # seconds that it goes on, longer than any limit here
MEMORY = 100_000  # bytes that any of them may make us keep
PER_BYTE = 11e-6  # seconds, in which a line of 921600 baud brings one


def pieces(said: bytes) -> Iterator[bytes]:
    """`said` again and again, as reads of a serial port."""
    block = (said * (8192 // len(said) + 1))[:8192] if len(said) < 8192 else said[:8192]
    yield from (block for _ in range(AMOUNT // len(block)))


@pytest.mark.parametrize(
    "said",
    [
        b"x",
        b"\0",
        b"\xff\x00",
        b"\r\n",
        b"> ",
        b"\r\n+QIND: 1\r\n",
        b'\r\n+QIURC: "recv",99\r\n',
        b'\r\n+QIURC: "recv",0\r\n',
        b'\r\n+QIURC: "dnsgip","192.0.2.1"\r\n',
        b'\r\n+QIURC: "dnsgip"\r\n',
        b"\r\n+QIOPEN: 0,0\r\n",
        b"\r\n+QIRD: 5\r\nhello\r\n",
        b"AT+QIDNSGIP=1,\r",
        b"\r\n" + b"+QIND: " + b"y" * 3000 + b"\r\n",
        b"\r\nRDY\r\n",
    ],
    ids=["x", "NUL", "noise", "line ends", "prompts", "news", "unknown connection", "recv", "addresses", "no address",
         "opened", "data", "echo", "long lines", "RDY"],
)  # fmt: skip
def test_flood_costs_little_time_and_no_memory(said: bytes) -> None:
    began = time.process_time()
    under_flood(said)
    assert time.process_time() - began < AMOUNT * PER_BYTE
    tracemalloc.start()
    try:
        under_flood(said)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()


def under_flood(said: bytes) -> None:
    """Look a name up while the modem says that and nothing else."""
    engine = Engine()
    dialect = Quectel(engine, Settings())
    engine.echo_is_off = dialect.configured = dialect.has_data = True
    now, task = 0.0, engine.start(dialect.look_up("server.example"), 0.0)
    for piece in pieces(said):
        now += LASTS * len(piece) / AMOUNT
        engine.receive(piece, now)
        engine.data_to_send()
    assert task.done
    with suppress(ModemError):  # unless it has said that, too
        assert task.result() == "192.0.2.1"


@pytest.mark.parametrize(
    ("dialect", "settings", "lies"),
    [
        ("quectel", {}, {"AT+QIRD": b"\r\n+QIRD: 1501\r\n" + bytes(1501) + b"\r\n\r\nOK\r\n"}),
        ("quectel", {}, {"AT+QIRD": b"\r\n+QIRD: 99999\r\n" + bytes(99999)}),
        (
            "simcom",
            {},
            {
                "AT+CIPRXGET=4": b"\r\n+CIPRXGET: 4,0,1500\r\n\r\nOK\r\n",
                "AT+CIPRXGET=2": b"\r\n+CIPRXGET: 2,0,1461,0\r\n" + bytes(1461) + b"\r\n\r\nOK\r\n",
            },
        ),
        ("ublox", {}, {"AT+USORD": b'\r\n+USORD: 0,1025,"' + bytes(1025) + b'"\r\n\r\nOK\r\n'}),
        ("ublox", {"hex_mode": True}, {"AT+USORD": b'\r\n+USORD: 0,513,"' + b"00" * 513 + b'"\r\n\r\nOK\r\n'}),
    ],
)
def test_more_data_than_was_asked_for_is_refused(
    dialect: str, settings: dict[str, Any], lies: dict[str, bytes]
) -> None:
    with pytest.raises(ModemError, match=r"asked for|the most there can be"):
        receive(lying(dialect, lies, **settings))


@pytest.mark.parametrize("count", [b"1500", b"99999", b"4294967296", b"-1"])
def test_data_that_is_announced_and_never_comes_ends_in_an_error(count: bytes) -> None:
    port = Liar(QUECTEL | {"AT+QIRD=0,1500": b"\r\n+QIRD: " + count + b"\r\nabc"})
    with pytest.raises(ModemError):
        Modem(port, "quectel").open_tcp("server.example", 7).recv(4000, 100)
    assert port.now < 60


def test_module_that_always_has_unread_data_and_hands_none_over_is_refused() -> None:
    said = {"AT+QIRD=0,0": b"\r\n+QIRD: 5,0,5\r\n\r\nOK\r\n", "AT+QISTATE": b"\r\nOK\r\n"}
    for unread in (b"5", b"-5"):
        lies = said | {"AT+QIRD=0,0": b"\r\n+QIRD: 5,0," + unread + b"\r\n\r\nOK\r\n"}
        with pytest.raises(ModemError, match="hands none over"):
            receive(lying("quectel", lies))


@pytest.mark.parametrize("number", [b"-1", b"7", b"99", b"4294967296"])
def test_ublox_number_that_no_connection_has_is_refused(number: bytes) -> None:
    with pytest.raises(ModemError, match="which cannot be"):
        receive(lying("ublox", {"AT+USOCR": b"\r\n+USOCR: " + number + b"\r\n\r\nOK\r\n"}))


def test_ublox_number_of_another_connection_is_refused() -> None:
    modem = lying("ublox", {})
    modem.open_tcp("server.example", 7)
    with pytest.raises(ModemError, match="gives number 0 to a new connection"):
        modem.open_tcp("server.example", 7)


def test_simcom_that_holds_less_than_nothing_is_garbled() -> None:
    with pytest.raises(ModemError, match="not complete"):
        receive(lying("simcom", {"AT+CIPRXGET=4": b"\r\n+CIPRXGET: 4,0,-3\r\n\r\nOK\r\n"}))


def test_progress_that_is_claimed_for_ever_does_not_hold_a_send_for_ever() -> None:
    class Crawling(Liar):
        """Has no room, and says each time that the peer has taken one byte more."""

        waiting = 5000

        def write(self, data: bytes) -> None:
            if data.startswith(b"AT+QISEND=0,0"):
                self.waiting -= 1
                self.out += b"\r\n+QISEND: 0,0,0\r\n\r\nOK\r\n".replace(b"0,0,0", b"9999,%d,%d" % (0, self.waiting))
            elif data.startswith(b"AT+QISEND"):
                self.out += b"\r\n> "
            elif data.startswith(b"\0"):
                self.out += b"\r\nSEND FAIL\r\n"
            else:
                super().write(data)

    port = Crawling(QUECTEL)
    link = Modem(port, "quectel", send_limit=20.0).open_tcp("server.example", 7)
    link._link.sent = link._link.counted = 9999
    with pytest.raises(ModemError, match="had no room") as caught:
        link.send(bytes(100))
    assert caught.value.timed_out
    assert 20 < port.now < 300


def test_what_a_modem_says_never_controls_a_terminal() -> None:
    escape = b"\x1b]0;owned\x07\x1b[2J" + b"z" * 3000
    for lies in (
        {"AT+CPIN?": b"\r\n+CPIN: " + escape + b"\r\n\r\nOK\r\n"},
        {"AT+CPIN?": b"\r\n+CME ERROR: " + escape + b"\r\n"},
        {
            "AT+QIACT?": b"\r\nOK\r\n",
            "AT+QIACT=": b"\r\nERROR\r\n",
            "AT+QIGETERROR": b"\r\n+QIGETERROR: " + escape + b"\r\n",
        },
        {"AT+QIOPEN": b"\r\nERROR\r\n", "AT+QIGETERROR": b"\r\n+QIGETERROR: " + escape + b"\r\n\r\nOK\r\n"},
    ):
        with pytest.raises(ModemError) as caught:
            send(lying("quectel", lies))
        said = explain(caught.value)
        assert said.isprintable()
        assert len(said) < 800
    named = lying("quectel", {"AT+CGMM": b"\r\nEC21" + escape + b"\r\n\r\nOK\r\n"}).identify()
    assert named.model.isprintable()
