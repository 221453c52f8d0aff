"""A modem that says what no modem may: the answer is a ModemError that names a layer, in bounded time and memory."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from lighttls.testing.modem import Echo, Network, Pty, RealTimeline, SimulatedModem
from lighttls.transports.at_modem import AsyncModem, Modem, ModemError
from lighttls.transports.at_modem import dialect as dialects

LONG_NAME = f"{'a' * 60}.{'b' * 60}.{'c' * 60}"
DIGITS = b"9" * 5000  # more than int() takes
QUECTEL = {
    "AT+CMEE?": b"\r\n+CMEE: 1\r\n\r\nOK\r\n",
    "AT+CPIN?": b"\r\n+CPIN: READY\r\n\r\nOK\r\n",
    "AT+CEREG?": b"\r\n+CEREG: 0,1\r\n\r\nOK\r\n",
    "AT+QIACT?": b'\r\n+QIACT: 1,1,1,"10.0.0.1"\r\n\r\nOK\r\n',
    "AT+QIOPEN": b"\r\nOK\r\n\r\n+QIOPEN: 0,0\r\n",
    "AT+QIRD=0,0": b"\r\n+QIRD: 0,0,0\r\n\r\nOK\r\n",
    "AT+QIRD": b"\r\n+QIRD: 0\r\n\r\nOK\r\n",
    "AT+QISEND=0,0": b"\r\n+QISEND: 0,0,0\r\n\r\nOK\r\n",
    "AT": b"\r\nOK\r\n",
}
SIMCOM = QUECTEL | {
    "AT+NETOPEN?": b"\r\n+NETOPEN: 0\r\n\r\nOK\r\n",
    "AT+NETOPEN": b"\r\nOK\r\n\r\n+NETOPEN: 0\r\n",
    "AT+CIPOPEN": b"\r\nOK\r\n\r\n+CIPOPEN: 0,0\r\n",
}
UBLOX = QUECTEL | {
    "AT+UPSND": b"\r\n+UPSND: 0,8,1\r\n\r\nOK\r\n",
    "AT+USOCR": b"\r\n+USOCR: 0\r\n\r\nOK\r\n",
}
HEALTHY = {"quectel": QUECTEL, "simcom": SIMCOM, "ublox": UBLOX}


class Liar:
    """A port on a clock of its own: answers by the longest beginning that fits, and `flood` whenever it is silent."""

    def __init__(self, answers: dict[str, bytes], flood: bytes = b"", until: float = 1e9) -> None:
        self.answers = sorted(answers.items(), key=lambda one: -len(one[0]))
        self.flood, self.until = flood, until
        self.now = 0.0
        self.out = bytearray()

    def monotonic(self) -> float:
        return self.now

    def write(self, data: bytes) -> None:
        for line in data.decode("latin-1").split("\r"):
            self.out += next((text for begin, text in self.answers if line and line.startswith(begin)), b"")

    def read(self, n: int, timeout: float | None) -> bytes:
        if not self.out and self.now < self.until:
            self.out += self.flood
        data = bytes(self.out[:n])
        del self.out[:n]
        self.now += len(data) / 11520 if data else (0.5 if timeout is None else timeout)
        assert self.now < 2000, "it waits for ever"
        return data

    def close(self) -> None: ...


def lying(dialect: str, lies: dict[str, bytes], **settings: object) -> Modem:
    return Modem(Liar(HEALTHY[dialect] | lies), dialect, **settings)


def receive(modem: Modem, host: str = "server.example") -> bytes | None:
    return modem.open_tcp(host, 7).recv(4000, 30)


def send(modem: Modem) -> int:
    return modem.open_tcp("server.example", 7).send(bytes(100))


@pytest.mark.parametrize(
    ("command", "answer", "act"),
    [
        ("AT+QIACT=", b"\r\n+CME ERROR: " + DIGITS + b"\r\n", receive),
        ("AT+CEREG?", b"\r\n+CEREG: 0," + DIGITS + b"\r\n\r\nOK\r\n", receive),
        ("AT+QIRD", b'\r\n+QIURC: "recv",' + DIGITS + b"\r\n\r\n+QIRD: 0\r\n\r\nOK\r\n", receive),
        ("AT+QIRD", b"\r\n" + b"+QIRD: 0 and more\r\n" * 5000, receive),
        ("AT+QIRD", b"\r\n+QIRD: 3\r\nabc\r\n\r\n+QIRD: 3\r\ndef\r\n\r\nOK\r\n", receive),
        ("AT+QISEND=0,100", b"\r\nSEND OK\r\n", send),
    ],
    ids=["error of 5000 digits", "state of 5000 digits", "news of 5000 digits", "no end", "two answers", "no prompt"],
)
def test_answer_that_cannot_be_is_a_garbled_line(command: str, answer: bytes, act: Callable[[Modem], object]) -> None:
    lies = {"AT+QIACT?": b"\r\nOK\r\n"} if command == "AT+QIACT=" else {}
    with pytest.raises(ModemError, match="bytes were lost or altered") as caught:
        act(lying("quectel", {**lies, command: answer}))
    assert caught.value.layer == "serial line"


@pytest.mark.parametrize("address", [b"1\xe9.2.3.4", b'1.2.3.4"X', b"nonsense", b"192.0.27", b""])
def test_address_that_is_none_is_not_put_into_a_command(address: bytes) -> None:
    quectel = b'\r\nOK\r\n\r\n+QIURC: "dnsgip",0,1,600\r\n\r\n+QIURC: "dnsgip","%s"\r\n' % address
    simcom = b'\r\nOK\r\n\r\n+CDNSGIP: 1,"x","%s"\r\n' % address
    ublox = b'\r\n+UDNSRN: "%s"\r\n\r\nOK\r\n' % address
    for modem in (
        lying("quectel", {"AT+QIDNSGIP": quectel}),
        lying("simcom", {"AT+CDNSGIP": simcom}),
        lying("ublox", {"AT+UDNSRN": ublox}),
    ):
        with pytest.raises(ModemError, match="no address") as caught:
            receive(modem, LONG_NAME)
        assert caught.value.layer == "DNS"


def test_data_of_another_connection_is_refused() -> None:
    for dialect, lies, settings in (
        ("ublox", {"AT+USORD": b'\r\n+USORD: 5,3,"abc"\r\n\r\nOK\r\n'}, {}),
        ("ublox", {"AT+USORD": b'\r\n+USORD: 5,3,"616263"\r\n\r\nOK\r\n'}, {"hex_mode": True}),
        (
            "simcom",
            {
                "AT+CIPRXGET=4": b"\r\n+CIPRXGET: 4,0,3\r\n\r\nOK\r\n",
                "AT+CIPRXGET=2": b"\r\n+CIPRXGET: 2,7,3,0\r\nabc\r\n\r\nOK\r\n",
            },
            {},
        ),
    ):
        with pytest.raises(ModemError, match="another connection"):
            receive(lying(dialect, lies, **settings))


def test_superscript_two_is_no_error_number() -> None:
    """str.isdigit() says it is a digit, and int() does not take it."""
    lies = {"AT+QIOPEN": b"\r\nERROR\r\n", "AT+QIGETERROR": b"\r\n+QIGETERROR: \xb2\r\n\r\nOK\r\n"}
    with pytest.raises(ModemError, match="no connection") as caught:
        receive(lying("quectel", lies))
    assert caught.value.code is None
    with pytest.raises(ModemError, match="no time"):
        lying("quectel", {"AT+QNTP": b'\r\nOK\r\n\r\n+QNTP: \xb2,"x"\r\n'}).ntp_time()


def test_ublox_answer_without_numbers_is_no_traceback() -> None:
    empty = {"AT+USOCTL": b"\r\n+USOCTL: x\r\n\r\nOK\r\n", "AT+UDNSRN": b'\r\n+UDNSRN: "192.0.2.1"\r\n\r\nOK\r\n'}
    with pytest.raises(ModemError, match="no connection"):
        receive(lying("ublox", {**empty, "AT+USOCO": b"\r\nERROR\r\n"}))
    with pytest.raises(ModemError, match="had no room"):
        send(lying("ublox", {**empty, "AT+USOWR": b"\r\n+USOWR: 0,0\r\n\r\nOK\r\n"}, hex_mode=True))


@pytest.mark.parametrize("waiting", [b"-1", b"1", b"9999"])
def test_count_of_unacknowledged_bytes_that_cannot_be_ends_the_sending(waiting: bytes) -> None:
    lies = {
        "AT+QISEND=0,0": b"\r\n+QISEND: 0,0,%s\r\n\r\nOK\r\n" % waiting,
        "AT+QISEND=0,100": b"\r\nSEND FAIL\r\n",
    }
    with pytest.raises(ModemError, match="unacknowledged"):
        send(lying("quectel", lies))


@pytest.mark.parametrize(
    "flood",
    [bytes(range(1, 256)) * 16, b"x" * 4000, b"> " * 2000, b"\r\nERROR\r\n" * 50],
    ids=["noise", "x", ">", "ERROR"],
)
def test_line_that_is_never_silent_and_answers_nothing_ends_in_an_error(flood: bytes) -> None:
    port = Liar({}, flood)
    with pytest.raises(ModemError, match="nothing answers AT commands"):
        receive(Modem(port, "quectel"))
    assert port.now < 120


def test_modem_that_tells_news_without_a_pause_is_used_all_the_same() -> None:
    port = Liar(QUECTEL | {"AT+QIRD": b"\r\n+QIRD: 3\r\nabc\r\n\r\nOK\r\n"}, b"\r\n+QIND: 1\r\n" * 20)
    assert receive(Modem(port, "quectel")) == b"abc"


def test_next_connection_works_once_the_noise_is_over() -> None:
    port = Liar({}, b"x" * 4000)
    modem = Modem(port, "quectel")
    with pytest.raises(ModemError):
        receive(modem)
    port.flood, port.answers = b"", Liar(QUECTEL | {"AT+QIRD": b"\r\n+QIRD: 3\r\nabc\r\n\r\nOK\r\n"}).answers
    assert receive(modem) == b"abc"


def pushed(data: bytes) -> bytes:
    return b'\r\n+QIURC: "recv",0,%d\r\n%s' % (len(data), data)


def test_pushed_data_behind_a_gap_is_not_delivered() -> None:
    """One count was wrong, so that what follows may have lost bytes in front of it."""
    port = Liar(QUECTEL)
    link = Modem(port, "quectel", access="push").open_tcp("server.example", 7)
    port.out += pushed(b"one") + b"lost" + pushed(b"two")
    assert link.recv(100, 5) == b"one"
    port.out += pushed(b"three")
    with pytest.raises(ModemError, match="not as long as it said"):
        link.recv(100, 5)


def test_pushed_data_that_nobody_reads_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialects, "_PUSHED_LIMIT", 1 << 20)
    port = Liar(QUECTEL)
    modem = Modem(port, "quectel", access="push")
    link = modem.open_tcp("server.example", 7)
    port.flood, port.until = pushed(bytes(1500)), port.now + 120
    port.now += 0.001
    while port.now < port.until:
        modem.wait(1.0)
    taken = link.recv(1 << 22, 5)
    assert taken is not None
    assert (1 << 20) - 1500 < len(taken) <= 1 << 20
    with pytest.raises(ModemError, match="more than 1 MiB came, and nobody read them"):
        link.recv(1 << 22, 5)


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are of Unix")
def test_tasks_that_ask_at_the_same_time_get_one_dialect() -> None:
    """Two would share an engine, and one of them would hear nothing of its connections."""

    async def both() -> None:
        board = SimulatedModem("EC21", Network(lambda host, port: Echo()), timeline=RealTimeline(), baud=0)
        with Pty(board) as serial:
            async with await AsyncModem.open(serial.name) as modem:
                first, second, link = await asyncio.gather(
                    modem.dialect(), modem.dialect(), modem.open_tcp("server.example", 7)
                )
                assert first is second is await modem.dialect()
                link.write(b"here")
                assert await link.read(10) == b"here"

    asyncio.run(asyncio.wait_for(both(), 30))


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are of Unix")
def test_modem_that_another_thread_closes_ends_a_receive_with_an_error() -> None:
    board = SimulatedModem("EC21", Network(lambda host, port: Echo()), timeline=RealTimeline(), baud=0)
    with Pty(board) as serial, ThreadPoolExecutor(1) as pool:
        modem = Modem(serial.name, "quectel")
        link = modem.open_tcp("server.example", 7)
        waiting = pool.submit(link.recv, 10, 20.0)
        time.sleep(0.3)
        modem.close()
        with pytest.raises(ModemError, match="closed by us") as caught:
            waiting.result(timeout=10)
    assert caught.value.layer == "serial line"
