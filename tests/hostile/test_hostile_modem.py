"""A modem that means harm, at random: whatever it says, the API raises LightTLSError alone, in bounded time and memory.

It answers as a healthy one does, except where it does not: it leaves out, repeats, cuts and changes what it says, adds
what nobody asked for, and floods. The clock is the port's own.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from hostile.test_lying_modem import HEALTHY, Liar
from lighttls import LightTLSError, explain
from lighttls.transports.at_modem import Modem, ModuleTls
from lighttls.transports.at_modem.module_tls import checksum
from support import require

ROUNDS = 2000 if require.LONG else 60
LONGEST = 4000.0  # seconds, on the port's clock, for all that one modem is asked
NUMBERS = (
    b"0",
    b"1",
    b"-1",
    b"99",
    b"1500",
    b"1501",
    b"65536",
    b"4294967296",
    b"1" * 400,
    b"",
    b"x",
    b'"7"',
    b"1_0",
    b"\xb2",
)
NAMES = (
    b"+QIURC", b"+QIOPEN", b"+QIRD", b"+QISEND", b"+QISTATE", b"+QIGETERROR", b"+QLTS", b"+QNTP", b"+QIND", b"+QSSLURC",
    b"+CIPRXGET", b"+CIPOPEN", b"+CIPSEND", b"+IPCLOSE", b"+CIPCLOSE", b"+NETOPEN", b"+CIPEVENT", b"+CDNSGIP",
    b"+CIPSTATUS",
    b"+UUSORD", b"+UUSOCL", b"+UUPSDD", b"+USORD", b"+USOWR", b"+USOCTL", b"+USOCR", b"+UDNSRN", b"+UPSND", b"+PDP",
    b"+CME ERROR", b"+CMS ERROR", b"+CPIN", b"+CEREG", b"+COPS", b"+CSQ", b"+CCLK", b"+CMEE", b"+RECEIVE", b"+IPD",
)  # fmt: skip
WORDS = (
    b"OK", b"ERROR", b"SEND OK", b"SEND FAIL", b"CONNECT", b"CONNECT 115200", b"NO CARRIER", b"RDY", b"APP RDY", b"> ",
    b"@",
    b"0, CLOSED", b"0, CONNECT OK", b"9,CONNECT FAIL", b"0, SEND FAIL", b"DATA ACCEPT:0,100", b"SHUT OK", b"10.1.2.3",
    b"+PDP: DEACT", b"AT", b"ATE0", b"\x00\xff\x00", b"\x1b[2J\x1b]0;mine\x07", b"POWERED DOWN", b"\xff" * 50,
)  # fmt: skip
KINDS = (b'"recv"', b'"closed"', b'"pdpdeact"', b'"dnsgip"', b'"192.0.2.1"', b'"incoming"', b"READY", b'"CONNECTED"')


def line(random: Random) -> bytes:
    """Something that a modem may say, or nearly."""
    if random.random() < 0.3:
        said = random.choice(WORDS)
    else:
        fields = [random.choice(NUMBERS + KINDS) for _ in range(random.randrange(5))]
        said = random.choice(NAMES) + random.choice((b": ", b":", b"")) + b",".join(fields)
        if random.random() < 0.2:
            said += b"\r\n" + random.randbytes(random.randrange(40))
    return random.choice((b"\r\n%b\r\n", b"\r\n%b\r\n", b"%b", b"\r%b\n", b"\r\n\r\n%b\r\n")) % said


class Hostile(Liar):
    """Says right things with the probability `honesty`, and something of its own otherwise."""

    def __init__(self, dialect: str, settings: dict[str, Any], random: Random) -> None:
        self.random = random
        self.honesty = random.choice((0.5, 0.9, 0.97, 0.99))
        flood = b"".join(line(random) for _ in range(20)) if random.random() < 0.3 else b""
        healthy = {"ATD": b"\r\nCONNECT 115200\r\n~frame~", "ATH": b"\r\nOK\r\n"}
        healthy |= HEALTHY[dialect] | FURTHER[dialect] | MODES.get((dialect, *settings.values()), {})
        answers = {begin: self._altered(answer) for begin, answer in healthy.items()}
        super().__init__(answers, flood, until=random.choice((1.0, 10.0)))

    def write(self, data: bytes) -> None:
        if self.random.random() > self.honesty:
            self.out += line(self.random)
        if self.random.random() < 0.05:
            self.out += data  # an echo in the middle of whatever is on its way
        if self.random.random() < self.honesty:
            super().write(data)

    def read(self, n: int, timeout: float | None) -> bytes:
        data = super().read(n, timeout and max(timeout, 1e-6))  # what is shorter would not move the clock
        assert self.now < LONGEST, "it takes too long"
        return data

    def _altered(self, answer: bytes) -> bytes:
        random = self.random
        if random.random() < self.honesty:
            return answer
        how = random.randrange(5)
        if how == 0:
            return answer[: random.randrange(len(answer) + 1)]
        if how == 1:
            return answer * random.randrange(2, 5)
        if how == 2:
            return line(random) + answer
        if how == 3:
            return answer.replace(random.choice((b"0", b"1", b"3")), random.choice(NUMBERS))
        place = random.randrange(len(answer) + 1)
        return answer[:place] + line(random) + answer[place:]


ROOT = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
MODULE_TLS = ModuleTls(root=ROOT)
FURTHER: dict[str, dict[str, bytes]] = {
    "quectel": {
        "AT+QIRD=0,1500": b"\r\n+QIRD: 3\r\nabc\r\n\r\nOK\r\n",
        "AT+QISEND=0,100": b"\r\n> ",
        "AT+QIDNSGIP": b'\r\nOK\r\n\r\n+QIURC: "dnsgip",0,1,600\r\n\r\n+QIURC: "dnsgip","192.0.2.1"\r\n',
        "AT+QSSLOPEN": b"\r\nOK\r\n\r\n+QSSLOPEN: 0,0\r\n",
        "AT+QSSLRECV": b"\r\n+QSSLRECV: 3\r\nabc\r\n\r\nOK\r\n",
        "AT+QSSLSTATE": b'\r\n+QSSLSTATE: 0,"SSLClient","192.0.2.1",7,4097,2,1,0,0,"uart1",1\r\n\r\nOK\r\n',
        "AT+QSSLSEND": b"\r\n> ",
        "AT+QFUPL": b"\r\nCONNECT\r\n",
        "-----BEGIN": b"\r\n+QFUPL: %d,%x\r\n\r\nOK\r\n" % (len(ROOT), checksum(ROOT)),
        "AT+QLTS": b'\r\n+QLTS: "2026/11/22,12:00:00+04,0"\r\n\r\nOK\r\n',
        "AT+QNTP": b'\r\nOK\r\n\r\n+QNTP: 0,"26/11/22,13:00:00+04"\r\n',
        "\x00" * 100: b"\r\nSEND OK\r\n",
    },
    "simcom": {
        "AT+CIPRXGET=4": b"\r\n+CIPRXGET: 4,0,3\r\n\r\nOK\r\n",
        "AT+CIPRXGET=2": b"\r\n+CIPRXGET: 2,0,3,0\r\nabc\r\n\r\nOK\r\n",
        "AT+CDNSGIP": b'\r\nOK\r\n\r\n+CDNSGIP: 1,"x","192.0.2.1"\r\n',
        "AT+CIPSEND": b"\r\n>",
        "\x00" * 100: b"\r\nOK\r\n\r\n+CIPSEND: 0,100,100\r\n",
        "AT+CIPCLOSE": b"\r\nOK\r\n\r\n+CIPCLOSE: 0,0\r\n",
    },
    "sim800": {
        "AT+CIPSHUT": b"\r\nSHUT OK\r\n",
        "AT+CIFSR": b"\r\n10.1.2.3\r\n",
        "AT+CIPSTART": b"\r\nOK\r\n\r\n0, CONNECT OK\r\n",
        "AT+CIPRXGET=4": b"\r\n+CIPRXGET: 4,0,3\r\n\r\nOK\r\n",
        "AT+CIPRXGET=2": b"\r\n+CIPRXGET: 2,0,3,0\r\nabc\r\n\r\nOK\r\n",
        "AT+CIPSEND": b"\r\n> ",
        "AT+CIPSTATUS": b'\r\n+CIPSTATUS: 0,0,"TCP","192.0.2.1","7","CONNECTED"\r\n\r\nOK\r\n',
        "\x00" * 100: b"\r\nDATA ACCEPT:0,100\r\n",
        "AT+CIPCLOSE": b"\r\n0, CLOSE OK\r\n",
    },
    "ublox": {
        "AT+USORD": b'\r\n+USORD: 0,3,"abc"\r\n\r\nOK\r\n',
        "AT+USOWR": b"\r\n@",
        "AT+USOCTL": b"\r\n+USOCTL: 0,10,4\r\n\r\nOK\r\n",
        "AT+UDNSRN": b'\r\n+UDNSRN: "192.0.2.1"\r\n\r\nOK\r\n',
        "\x00" * 100: b"\r\n+USOWR: 0,100\r\n\r\nOK\r\n",
    },
}
MODES: dict[tuple[Any, ...], dict[str, bytes]] = {
    ("quectel", "push"): {
        "AT+QISTATE": b'\r\n+QISTATE: 0,"TCP","192.0.2.1",7,4097,2,1,0,1,"uart1"\r\n\r\nOK\r\n',
        "\x00" * 100: b'\r\nSEND OK\r\n\r\n+QIURC: "recv",0,3\r\nabc\r\n',
    },
    ("quectel", "transparent"): {
        "AT+QIOPEN": b"\r\nCONNECT\r\n",
        "\x00" * 100: b"abc\r\nNO CARRIER\r\n",
        "+++": b"\r\nOK\r\n",
    },
    ("simcom", "push"): {"\x00" * 100: b"\r\nOK\r\n\r\n+CIPSEND: 0,100,100\r\n\r\n+RECEIVE,0,3:\r\nabc\r\n"},
    ("sim800", "push"): {"\x00" * 100: b"\r\nDATA ACCEPT:0,100\r\n\r\n+RECEIVE,0,3:\r\nabc\r\n"},
    ("ublox", True): {
        "AT+USORD": b'\r\n+USORD: 0,3,"616263"\r\n\r\nOK\r\n',
        "AT+USOWR": b"\r\n+USOWR: 0,100\r\n\r\nOK\r\n",
    },
}
HEALTHY.setdefault("sim800", HEALTHY["quectel"])
SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("quectel", {}),
    ("quectel", {"access": "push"}),
    ("quectel", {"access": "transparent"}),
    ("simcom", {}),
    ("simcom", {"access": "push"}),
    ("sim800", {}),
    ("sim800", {"access": "push"}),
    ("ublox", {}),
    ("ublox", {"hex_mode": True}),
]
LIMITS = {"registration_limit": 5.0, "send_limit": 10.0}
LONG_NAME = f"{'a' * 60}.{'b' * 60}.{'c' * 60}"
each_mode = pytest.mark.parametrize(
    ("dialect", "settings"),
    SETTINGS,
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else value,
)


def ask_everything(modem: Modem, random: Random) -> None:
    """Everything that the public API can be asked, each by itself, in any order."""
    links: list[Any] = []

    def talk() -> None:
        link = modem.open_tcp(random.choice(("server.example", LONG_NAME, "192.0.2.1")), 7)
        links.append(link)
        link.send(bytes(100))
        link.recv(4000, 5)
        link.recv(4000, 1)

    def talk_by_module_tls() -> None:
        link = modem.open_module_tls("server.example", 7, MODULE_TLS)
        links.append(link)
        link.send(bytes(100))
        link.recv(4000, 5)

    def call() -> None:
        call = modem.dial()
        try:
            call.send(bytes(100))
            call.receive(1.0)
            call.receive(5.0)
        finally:
            call.close()

    def go_on() -> None:
        if links:
            link = random.choice(links)
            random.choice((lambda: link.recv(100, 1), lambda: link.send(bytes(100)), link.close))()

    asked: list[Callable[[], object]] = [
        modem.bring_up, modem.identify, modem.registration, modem.signal, modem.network_time, modem.ntp_time,
        lambda: modem.resolve("server.example"), talk, talk, go_on, go_on,
        talk_by_module_tls, call,
    ]  # fmt: skip
    random.shuffle(asked)
    for ask in asked:
        try:
            ask()
        except LightTLSError as error:
            said = explain(error)
            assert said.isprintable(), "what a modem says controls a terminal"
            assert len(said) < 1000
    for link in links:
        link.close()


@each_mode
def test_hostile_modem_makes_no_other_error_than_ours(dialect: str, settings: dict[str, Any]) -> None:
    for number in range(ROUNDS):
        random = Random(f"{dialect} {settings} {number}")
        port = Hostile(dialect, settings, random)
        ask_everything(Modem(port, random.choice((dialect, dialect, None)), **settings | LIMITS), random)
