"""u-blox SARA-U201 and SARA-R4: AT+USO….

The module picks the number of a connection. Its prompt is `@`, and it loses what comes sooner than 50 ms after it. Data
read stands in quotes, and only its count says where it ends. In hex mode there is no prompt, and everything is twice as
long; both limits are half as large.
"""

from __future__ import annotations

import re
from typing import ClassVar, Final

from lighttls.transports.at_modem.answers import numbers_in, only_line
from lighttls.transports.at_modem.dialect import Dialect
from lighttls.transports.at_modem.engine import Engine
from lighttls.transports.at_modem.link import Link
from lighttls.transports.at_modem.parser import Counted
from lighttls.transports.at_modem.results import CommandRefused, ModemError, text_of
from lighttls.transports.at_modem.settings import Settings
from lighttls.transports.at_modem.steps import READ_LIMIT, Command, Reply, Steps

_PAUSE: Final = 0.05  # seconds between prompt and data
_OPEN_LIMIT: Final = 140.0  # seconds; the module's own is 130
_SEND_LIMIT: Final = 120.0
_CLOSE_LIMIT: Final = 125.0  # it can freeze for 120
_ACTIVATE_LIMIT: Final = 360.0
_DNS_LIMIT: Final = 80.0
_ESTABLISHED: Final = 4

_READ: Final = Counted(re.compile(rb'\+USORD: (\d),(?P<count>[1-9]\d{0,3}),"'), 1024, b'"\r\n')
_HEX_LINE: Final = re.compile(rb'\+USORD: (?P<number>\d),(?P<count>\d{1,4}),"(?P<data>[0-9A-Fa-f]*)"$')
_EMPTY: Final = re.compile(rb'\+USORD: \d,(?:0,)?""$|\+USORD: \d,0$')


class SaraU201(Dialect):
    """Buffer access, in binary or in hex."""

    name = "u-blox"
    makers: ClassVar[tuple[str, ...]] = ("sara-u2", "u-blox")
    has_hex_mode = True
    numbers = 7
    send_size = 1024
    read_size = 1024
    line_limit = 1200
    host_limit = 128
    name_limit = 253
    news: ClassVar[tuple[bytes, ...]] = (b"+UUSORD:", b"+UUSOCL:", b"+UUPSDD:", b"+UUPSDA:", b"+UUSOCO:")

    def __init__(self, engine: Engine, settings: Settings) -> None:
        super().__init__(engine, settings)
        if settings.hex_mode:
            self.send_size = self.read_size = 512  # type: ignore[misc]

    def configure(self) -> Steps[None]:
        yield from super().configure()
        yield Command(f"AT+UDCONF=1,{int(self.settings.hex_mode)}", tolerant=not self.settings.hex_mode)

    def activate(self) -> Steps[None]:
        if (yield from self.data_is_up()):
            return  # activating it again would be an error
        its = self.settings
        yield Command(f'AT+UPSD=0,1,"{its.apn}"')
        if its.user:
            yield Command(f'AT+UPSD=0,2,"{its.user}"')
            yield Command(f'AT+UPSD=0,3,"{its.password}"')
            yield Command(f"AT+UPSD=0,6,{its.authentication_number}")
        yield Command('AT+UPSD=0,7,"0.0.0.0"')
        yield from self.switch_on("AT+UPSDA=0,3")

    def data_is_up(self) -> Steps[bool]:
        reply: Reply = yield Command("AT+UPSND=0,8", info=(b"+UPSND:",), tolerant=True)
        return any(numbers_in(line) == [0, 8, 1] for line in reply.lines)

    def switch_on(self, command: str) -> Steps[None]:
        """Give the command that gets a data connection."""
        try:
            yield Command(command, _ACTIVATE_LIMIT)
        except CommandRefused as refusal:
            raise ModemError(f"no data connection: {refusal.result}", "PDP context", code=refusal.code) from refusal

    def take_number(self, host: str) -> Steps[Link]:
        if len(self.links) >= self.numbers:
            return (yield from super().take_number(host))  # which says so
        try:
            reply: Reply = yield Command("AT+USOCR=6", info=(b"+USOCR:",))
        except CommandRefused:  # perhaps a program that ended has left all of them open
            for number in range(self.numbers):
                if number not in self.links:
                    yield Command(f"AT+USOCL={number}", _CLOSE_LIMIT, tolerant=True)
            reply = yield Command("AT+USOCR=6", info=(b"+USOCR:",))
        number = only_line(reply, "AT+USOCR", lambda numbers: len(numbers) == 1)[0]
        taken = number in self.links and self.links[number].failure is None  # a reset frees those that failed
        if taken or not 0 <= number < self.numbers:
            raise ModemError(f"the module gives number {number} to a new connection, which cannot be", "module")
        return self.take(number, host)

    def resolve(self, host: str) -> Steps[str]:
        try:
            reply: Reply = yield Command(f'AT+UDNSRN=0,"{host}"', _DNS_LIMIT, info=(b"+UDNSRN:",))
        except CommandRefused as refusal:
            raise ModemError(
                f"the module cannot resolve {host}: {refusal.result}", "DNS", code=refusal.code
            ) from refusal
        if not reply.lines:
            raise ModemError(f"the module gives no address for {host}", "DNS")
        return text_of(reply.lines[-1].partition(b": ")[2].strip(b'"'))

    def connect(self, link: Link, host: str, port: int) -> Steps[None]:
        try:
            yield Command(f'AT+USOCO={link.number},"{host}",{port}', _OPEN_LIMIT)
        except CommandRefused as refusal:
            link.check()
            reply: Reply = yield Command(f"AT+USOCTL={link.number},1", info=(b"+USOCTL:",), tolerant=True)
            code = _last_number(reply)
            yield from self.release(link)
            if not host.replace(".", "").isdigit():
                yield from self.resolve(host)  # raises if that was what failed: the module does not say
            text = refusal.result if code is None else f"socket error {code}"
            raise ModemError(f"no connection to {link.host} port {port}: {text}", "TCP", code=code) from refusal

    def send(self, link: Link, data: bytes) -> Steps[int]:
        begin = f"AT+USOWR={link.number},{len(data)}"
        if self.settings.hex_mode:
            command = Command(f'{begin},"{data.hex()}"', _SEND_LIMIT, info=(b"+USOWR:",))
        else:
            command = Command(begin, _SEND_LIMIT, info=(b"+USOWR:",), prompt=b"@", data=data, pause=_PAUSE)
        reply: Reply = yield command
        if reply.lines:
            _, taken = only_line(reply, "AT+USOWR", lambda numbers: len(numbers) == 2)
        else:  # an oddity of some firmwares: nothing says how many, so ask how many there are in all
            reply = yield Command(f"AT+USOCTL={link.number},2", info=(b"+USOCTL:",))
            taken = only_line(reply, "AT+USOCTL", lambda numbers: len(numbers) == 3)[2] - link.sent
        if not 0 <= taken <= len(data):
            raise ModemError(f"the module was given {len(data)} bytes and says that it took {taken}", "serial line")
        return taken

    def read(self, link: Link) -> Steps[bytes]:
        reply: Reply = yield Command(
            f"AT+USORD={link.number},{self.read_size}",
            READ_LIMIT,
            info=(b"+USORD:",),
            counted=() if self.settings.hex_mode else (_READ,),
            tolerant=link.closed,
        )
        if reply.blocks:
            self._check_number(link, reply.blocks[0].header[0])
            return reply.blocks[0].data
        for line in reply.lines:
            found = _HEX_LINE.match(line)
            if found and self.settings.hex_mode and len(found["data"]) == 2 * int(found["count"]):
                self._check_number(link, found["number"])
                return bytes.fromhex(found["data"].decode())
            if _EMPTY.match(line):
                return b""
        if reply.ok:
            raise ModemError("the answer to AT+USORD is not complete; bytes were lost or altered", "serial line")
        return b""  # it is closed, and has nothing any more

    def _check_number(self, link: Link, number: bytes) -> None:
        if int(number) != link.number:
            raise ModemError("the module handed over data of another connection", "module")

    def unacknowledged(self, link: Link) -> Steps[int | None]:
        reply: Reply = yield Command(f"AT+USOCTL={link.number},11", info=(b"+USOCTL:",), tolerant=True)
        waiting = _last_number(reply) if reply.ok else None
        if waiting is not None and not 0 <= waiting <= link.sent:
            raise ModemError(f"of {link.sent} bytes the module calls {waiting} unacknowledged", "module")
        return waiting

    def look(self, link: Link) -> Steps[None]:
        reply: Reply = yield Command(f"AT+USOCTL={link.number},10", info=(b"+USOCTL:",), tolerant=True)
        if not any(numbers_in(line)[-1:] == [_ESTABLISHED] for line in reply.lines):
            link.closed = True
        link.readable = True

    def release(self, link: Link) -> Steps[None]:
        if link.closed:
            yield from ()  # the module has freed it; closing it again can freeze an R4
        else:
            yield Command(f"AT+USOCL={link.number}", _CLOSE_LIMIT, tolerant=True)

    def on_line(self, line: bytes) -> None:
        numbers = numbers_in(line)
        link = self.links.get(numbers[0]) if numbers else None
        if line.startswith(b"+UUSORD:") and link:
            link.readable = True
        elif line.startswith(b"+UUSOCL:") and link:
            link.told_closed()
        elif line.startswith(b"+UUPSDD:"):
            self.lose_data("UUPSDD")
        else:
            super().on_line(line)


def _last_number(reply: Reply) -> int | None:
    """The last number of the answer's last line; None if there is none."""
    return next(iter(numbers_in(reply.lines[-1])[::-1]), None) if reply.lines else None


class SaraR4(SaraU201):
    """LTE-M and NB-IoT: the data connection is the standard's."""

    name = "u-blox R4"
    makers = ("sara-r4", "sara-r5", "lena-r8")

    def activate(self) -> Steps[None]:
        if (yield from self.data_is_up()):
            return
        its = self.settings
        yield Command(f'AT+CGDCONT=1,"IP","{its.apn}"')
        if its.user:
            yield Command(f'AT+UAUTHREQ=1,{its.authentication_number},"{its.password}","{its.user}"')
        yield from self.switch_on("AT+CGACT=1,1")

    def data_is_up(self) -> Steps[bool]:
        reply: Reply = yield Command("AT+CGACT?", info=(b"+CGACT:",), tolerant=True)
        return any(numbers_in(line) == [1, 1] for line in reply.lines)
