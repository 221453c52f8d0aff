"""SIMCom SIM7600 and A7670: AT+NETOPEN, AT+CIP….

Received data is asked for by `AT+CIPRXGET=2`, whose header tells what remains in the module after it; where nothing is
known to wait, `AT+CIPRXGET=4` asks first, since reading an empty buffer is an error. A send is answered twice: `OK`
when the module has the bytes, then `+CIPSEND: <id>,<requested>,<confirmed>`, of which the last number counts.
"""

from __future__ import annotations

import re
from typing import ClassVar, Final

from lighttls.transports.at_modem.answers import numbers_in, only_line
from lighttls.transports.at_modem.dialect import Dialect
from lighttls.transports.at_modem.engine import Engine
from lighttls.transports.at_modem.link import Link
from lighttls.transports.at_modem.parser import Counted, Data
from lighttls.transports.at_modem.results import CommandRefused, ModemError, text_of
from lighttls.transports.at_modem.settings import Settings
from lighttls.transports.at_modem.steps import READ_LIMIT, Command, Reply, Steps, Wait

ERRORS: Final = {
    1: "network failure",
    2: "network not opened",
    3: "wrong parameter",
    4: "operation not supported",
    5: "socket creation failed",
    8: "busy",
    10: "timeout",
    11: "DNS failed",
}
_LAYERS: Final = {1: "PDP context", 2: "PDP context", 11: "DNS"}
_OPEN_LIMIT: Final = 120.0  # seconds; the module's own is 75, by CIPTIMEOUT
_SEND_LIMIT: Final = 120.0
_CLOSE_LIMIT: Final = 20.0
_DNS_LIMIT: Final = 60.0
_NET_LIMIT: Final = 120.0

_READ: Final = Counted(re.compile(rb"\+CIPRXGET: 2,(\d{1,2}),(?P<count>[1-9]\d{0,4}),(\d{1,7})\r\n"), 1500, b"\r\n")
_PUSHED: Final = Counted(re.compile(rb"\+RECEIVE,(\d{1,2}),(?P<count>[1-9]\d{0,4}):?\r\n"), 1500, b"")
_NAMELESS: Final = Counted(re.compile(rb"\+IPD,?(?P<count>[1-9]\d{0,4}):?\r\n"), 1500, b"")


class ByRxGet(Dialect):
    """What SIM800 and the later modules share: reading, and names."""

    accesses: ClassVar[tuple[str, ...]] = ("buffer", "push")
    send_size = 1460
    read_size = 1460
    line_limit = 559
    host_limit = 100
    name_limit = 253
    iccid_command = "AT+CICCID"

    def __init__(self, engine: Engine, settings: Settings) -> None:
        super().__init__(engine, settings)
        self._answer: bytes | None = None  # of AT+CDNSGIP

    def configure(self) -> Steps[None]:
        yield from super().configure()
        self.engine.expect_pushed((_PUSHED, _NAMELESS) if self.settings.access == "push" else ())

    def read(self, link: Link) -> Steps[bytes]:
        if self.settings.access == "push":
            return b""
        if not link.remaining:
            yield from self._ask_remaining(link)
        if not link.remaining:
            return b""
        reply: Reply = yield Command(
            f"AT+CIPRXGET=2,{link.number},{self.read_size}",
            READ_LIMIT,
            info=(b"+CIPRXGET: 2",),
            counted=(_READ,),
            tolerant=True,
        )
        if reply.blocks:
            if int(reply.blocks[0].header[0]) != link.number:
                raise ModemError("the module handed over data of another connection", "module")
            link.remaining = int(reply.blocks[0].header[2])
            return reply.blocks[0].data
        yield from self._ask_remaining(link)  # news may be late, and what it told of be read already
        if link.remaining and reply.ok:
            only_line(reply, "AT+CIPRXGET", lambda numbers: numbers[2:3] == [0])
        if link.remaining:
            raise CommandRefused("AT+CIPRXGET", text_of(reply.final))
        return b""

    def resolve(self, host: str) -> Steps[str]:
        self._answer = None
        reply: Reply = yield Command(f'AT+CDNSGIP="{host}"', _DNS_LIMIT, tolerant=True)
        told = not reply.ok or (yield Wait(_DNS_LIMIT, lambda: self._answer is not None))
        fields = (self._answer or b"").split(b",")
        if fields[0] != b"1" or len(fields) < 3:
            why = text_of(self._answer or b"no answer")
            raise ModemError(f"the module cannot resolve {host}: {why}", "DNS", timed_out=not told)
        return text_of(fields[2].strip(b'"'))

    def unacknowledged(self, link: Link) -> Steps[int | None]:
        yield from ()
        return None

    def on_line(self, line: bytes) -> None:
        if line.startswith(b"+CIPRXGET: 1,"):
            link = self.links.get([*numbers_in(line), -1][1])
            if link:
                link.readable = True
                link.remaining = link.remaining or 1
        elif line.startswith(b"+CDNSGIP: "):
            self._answer = line[10:]
        else:
            super().on_line(line)

    def on_data(self, data: Data) -> None:
        if data.counted is _NAMELESS:
            link = next(iter(self.links.values())) if len(self.links) == 1 else None
            if link is None:
                self.fail_all(ModemError("the module pushed data without saying of which connection", "module"))
        else:
            link = self.links.get(int(data.header[0]))
        if link:
            self.take_pushed(link, data.data)

    def _ask_remaining(self, link: Link) -> Steps[None]:
        reply: Reply = yield Command(f"AT+CIPRXGET=4,{link.number}", info=(b"+CIPRXGET: 4",), tolerant=True)
        link.remaining = 0
        if not reply.ok and not link.closed:
            yield from self.look(link)  # it may have been closed, and the news of that be lost
            if not link.closed:
                raise CommandRefused("AT+CIPRXGET", text_of(reply.final))
        if reply.ok:
            link.remaining = only_line(reply, "AT+CIPRXGET", lambda numbers: len(numbers) == 3 and numbers[2] >= 0)[2]


class Sim7600(ByRxGet):
    """Buffer access and direct push."""

    name = "SIMCom"
    makers = ("sim7600", "sim7500", "simcom")
    numbers = 10
    boot_lines = (b"RDY", b"SMS DONE", b"PB DONE")
    news = (b"+CIPRXGET: 1", b"+IPCLOSE:", b"+CIPOPEN:", b"+CIPSEND:", b"+CIPCLOSE:", b"+NETOPEN:", b"+CIPEVENT:")

    def __init__(self, engine: Engine, settings: Settings) -> None:
        super().__init__(engine, settings)
        self._network: int | None = None  # result of AT+NETOPEN
        self._results: dict[int, list[int]] = {}  # of sends, by connection
        self._gone: set[int] = set()  # connections of which +CIPCLOSE came

    def activate(self) -> Steps[None]:
        if (yield from self.data_is_up()):
            yield Command("AT+NETCLOSE", _NET_LIMIT, tolerant=True)  # it may be of another APN, or dead
            yield Wait(1.0)
        yield from self.define_context()
        yield Command("AT+CIPMODE=0")
        yield Command("AT+CIPCCFG=10,0,0,0,1,0,75000")
        yield Command("AT+CIPTIMEOUT=75000,15000,15000", tolerant=True)
        yield Command(f"AT+CIPRXGET={0 if self.settings.access == 'push' else 1}")
        self._network = None
        reply: Reply = yield Command("AT+NETOPEN", _NET_LIMIT, info=(b"+IP ERROR",), tolerant=True)
        if not reply.ok and not any(b"already opened" in line for line in reply.lines):
            text = " ".join(text_of(line) for line in (*reply.lines, reply.final))
            raise ModemError(f"no data connection: {text}", "PDP context")
        if reply.ok:
            yield Wait(_NET_LIMIT, lambda: self._network is not None)
            if self._network != 0:
                text = "no answer" if self._network is None else f"AT+NETOPEN failed with {self._network}"
                raise ModemError(f"no data connection: {text}", "PDP context", code=self._network)

    def data_is_up(self) -> Steps[bool]:
        reply: Reply = yield Command("AT+NETOPEN?", info=(b"+NETOPEN:",), tolerant=True)
        return any(numbers_in(line)[:1] == [1] for line in reply.lines)

    def define_context(self) -> Steps[None]:
        """Tell the APN, and who we are there."""
        its = self.settings
        yield Command(f'AT+CGDCONT=1,"IP","{its.apn}"')
        if its.user:
            yield Command(f'AT+CGAUTH=1,{its.authentication_number},"{its.password}","{its.user}"')

    def connect(self, link: Link, host: str, port: int) -> Steps[None]:
        link.opened = None
        reply: Reply = yield Command(f'AT+CIPOPEN={link.number},"TCP","{host}",{port}', _OPEN_LIMIT, tolerant=True)
        told = link.opened is not None
        if reply.ok:
            told = yield Wait(_OPEN_LIMIT, lambda: link.opened is not None or link.failure)
        link.check()
        if link.opened == 0 and reply.ok:
            return
        text = describe(link.opened) if told else f"no answer within {_OPEN_LIMIT:g} s"
        raise ModemError(
            f"no connection to {link.host} port {port}: {text}",
            _LAYERS.get(link.opened or 0, "TCP"),
            code=link.opened,
            timed_out=not told or link.opened == 10,
        )

    def send(self, link: Link, data: bytes) -> Steps[int]:
        self._results.pop(link.number, None)
        yield Command(f"AT+CIPSEND={link.number},{len(data)}", _SEND_LIMIT, prompt=b">", data=data)
        yield Wait(_SEND_LIMIT, lambda: link.number in self._results or link.failure)
        link.check()
        requested, confirmed = self._results.pop(link.number, [-1, -1])
        if requested != len(data) or confirmed > requested:
            raise ModemError(f"the module was given {len(data)} bytes and speaks of {requested}", "serial line")
        if confirmed < 0:
            raise ModemError("the connection was closed while sending", "TCP")
        return confirmed

    def look(self, link: Link) -> Steps[None]:
        reply: Reply = yield Command("AT+CIPCLOSE?", info=(b"+CIPCLOSE:",), tolerant=True)
        for line in reply.lines:
            states = numbers_in(line)
            if len(states) == self.numbers and not states[link.number]:
                link.closed = True
        link.readable = True

    def release(self, link: Link) -> Steps[None]:
        self._gone.discard(link.number)
        reply: Reply = yield Command(f"AT+CIPCLOSE={link.number}", _CLOSE_LIMIT, tolerant=True)
        if reply.ok:  # else the peer's close has freed it
            yield Wait(_CLOSE_LIMIT, lambda: link.number in self._gone or link.failure)

    def on_line(self, line: bytes) -> None:
        numbers = numbers_in(line)
        link = self.links.get(numbers[0]) if numbers else None
        if line.startswith(b"+CIPSEND: ") and link and len(numbers) == 3:
            self._results[link.number] = numbers[1:]
        elif line.startswith(b"+CIPOPEN: ") and link and len(numbers) == 2:
            link.opened = numbers[1]
        elif line.startswith(b"+IPCLOSE: ") and link:
            link.told_closed()
        elif line.startswith(b"+CIPCLOSE: ") and link and len(numbers) == 2:
            self._gone.add(link.number)
        elif line.startswith(b"+NETOPEN: ") and len(numbers) == 1:
            self._network = numbers[0]
        elif line.startswith(b"+CIPEVENT: NETWORK CLOSED"):
            self.lose_data("NETWORK CLOSED UNEXPECTEDLY")
        else:
            super().on_line(line)


class A7670(Sim7600):
    """The Cat 1 successors: they attach by standard commands first."""

    makers = ("a7670", "a7672", "a7608")

    def define_context(self) -> Steps[None]:
        its = self.settings
        yield Command(f'AT+CGDCONT=1,"IP","{its.apn}"')
        if its.user:
            yield Command(f'AT+CGAUTH=1,{its.authentication_number},"{its.user}","{its.password}"')
        for command in ("AT+CGATT=1", "AT+CGACT=1,1"):
            try:
                yield Command(command, _NET_LIMIT)
            except CommandRefused as refusal:
                raise ModemError(f"no data connection: {refusal.result}", "PDP context", code=refusal.code) from refusal


def describe(code: int | None) -> str:
    """An error of AT+CIPOPEN in words."""
    return "refused" if code is None else f"error {code} ({ERRORS.get(code, 'not documented')})"
