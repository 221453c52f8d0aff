"""Quectel EC21, EC25, BG96 and their relatives: AT+QI….

Two things decide how this is written. News of received data is edge-triggered: after `+QIURC: "recv"` none comes until
the module's buffer was read empty, so reading goes on until `+QIRD: 0` (`Dialect.incoming`). And `SEND OK` means that
the module has the bytes, `SEND FAIL` that it has taken none of them because its buffer is full; `AT+QISEND=<id>,0`
tells how many it has taken in all, which must be what we gave it.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import ClassVar, Final

from lighttls.transports.at_modem.answers import numbers_in, only_line
from lighttls.transports.at_modem.clock import parse_time
from lighttls.transports.at_modem.dialect import Dialect
from lighttls.transports.at_modem.engine import Engine
from lighttls.transports.at_modem.link import Link, check_host
from lighttls.transports.at_modem.module_tls import ModuleTls, QuectelTls
from lighttls.transports.at_modem.parser import Counted, Data
from lighttls.transports.at_modem.quectel_errors import IN_USE, TIMEOUT, describe, layer_of
from lighttls.transports.at_modem.results import CommandRefused, ModemError, text_of
from lighttls.transports.at_modem.settings import Settings
from lighttls.transports.at_modem.steps import READ_LIMIT, Command, Reply, Steps, Wait

CONTEXT: Final = 1
_OPEN_LIMIT: Final = 150.0  # seconds, as the maker's manual has it
_ACTIVATE_LIMIT: Final = 150.0
_DEACTIVATE_LIMIT: Final = 40.0
_SEND_LIMIT: Final = 120.0
_CLOSE_LIMIT: Final = 15.0  # its own limit is 10
_DNS_LIMIT: Final = 60.0
_NTP_LIMIT: Final = 125.0
_ADDRESSES: Final = 16  # of one name; the first is used
_COUNT_EVERY: Final = 16384  # bytes after which the module is asked how many it has taken

_READ: Final = Counted(re.compile(rb"\+QIRD: (?P<count>[1-9]\d{0,4})\r\n"), 1500, b"\r\n")
_PUSHED: Final = Counted(re.compile(rb'\+QIURC: "recv",(\d{1,2}),(?P<count>[1-9]\d{0,4})\r\n'), 1500, b"")


class Quectel(Dialect):
    """Buffer access, direct push, and transparent access (`transparent.py`)."""

    name = "Quectel"
    makers = ("quectel",)
    accesses: ClassVar[tuple[str, ...]] = ("buffer", "push")
    numbers = 12
    send_size = 1460
    read_size = 1500
    line_limit = 1100
    host_limit = 150
    name_limit = 253
    iccid_command = "AT+QCCID"
    boot_lines = (b"RDY", b"APP RDY", b"POWERED DOWN", b"NORMAL POWER DOWN")
    news = (b"+QIURC:", b"+QIOPEN:", b"+QSSLURC:", b"+QSSLOPEN:", b"+QIND:", b"+QUSIM:", b"+CFUN:")

    def __init__(self, engine: Engine, settings: Settings) -> None:
        super().__init__(engine, settings)
        self.tls = QuectelTls(self)
        self._addresses: list[str] | None = None  # of the name that is being resolved
        self._resolved: int | None = None  # the result's number
        self._expected = 0
        self._time: bytes | None = None

    def configure(self) -> Steps[None]:
        yield from super().configure()
        self.engine.expect_pushed((_PUSHED,) if self.settings.access == "push" else ())

    def activate(self) -> Steps[None]:
        if (yield from self.data_is_up()):
            return  # activating it again would be an error
        its = self.settings
        yield Command(f'AT+QICSGP={CONTEXT},1,"{its.apn}","{its.user}","{its.password}",{its.authentication_number}')
        for attempt in (1, 2):
            try:
                yield Command(f"AT+QIACT={CONTEXT}", _ACTIVATE_LIMIT)
                return
            except CommandRefused as refusal:
                if attempt == 2:
                    why = yield from self._last_error()
                    text = f"no data connection: {why or refusal.result}"
                    raise ModemError(text, "PDP context", code=refusal.code) from refusal
            yield Command(f"AT+QIDEACT={CONTEXT}", _DEACTIVATE_LIMIT, tolerant=True)

    def data_is_up(self) -> Steps[bool]:
        reply: Reply = yield Command("AT+QIACT?", _ACTIVATE_LIMIT, info=(b"+QIACT:",), tolerant=True)
        return any(numbers_in(line)[:2] == [CONTEXT, 1] for line in reply.lines)

    def resolve(self, host: str) -> Steps[str]:
        self._addresses, self._resolved, self._expected = [], None, 0
        yield Command(f'AT+QIDNSGIP={CONTEXT},"{host}"', _DNS_LIMIT)
        found = self._addresses
        told = yield Wait(
            _DNS_LIMIT, lambda: self._resolved or (self._resolved == 0 and len(found) >= max(1, self._expected))
        )
        self._addresses = None
        if not found:
            raise ModemError(
                f"the module cannot resolve {host}: {describe(self._resolved) if told else 'no answer'}",
                "DNS",
                code=self._resolved,
                timed_out=not told,
            )
        return found[0]

    def connect(self, link: Link, host: str, port: int) -> Steps[None]:
        access = 1 if self.settings.access == "push" else 0
        command = f'AT+QIOPEN={CONTEXT},{link.number},"TCP","{host}",{port},0,{access}'
        for attempt in (1, 2):
            link.opened = None
            try:
                yield Command(command, _OPEN_LIMIT)
            except CommandRefused as refusal:
                link.check()
                raise (yield from self.why(link, port, refusal.result)) from refusal
            told = yield Wait(_OPEN_LIMIT, lambda: link.opened is not None or link.failure)
            link.check()
            if link.opened == 0:
                return
            if link.opened != IN_USE or attempt == 2:
                break
            yield from self.release(link)  # left over from a program that ended, or from a failed attempt
        code = link.opened
        text = describe(code) if told else f"no answer within {_OPEN_LIMIT:g} s"
        raise ModemError(
            f"no connection to {link.host} port {port}: {text}",
            layer_of(code),
            code=code,
            timed_out=not told or code == TIMEOUT,
        )

    def open_module_tls(self, host: str, port: int, tls: ModuleTls) -> Steps[Link]:
        return (yield from self.tls.open(host, port, tls))

    def send(self, link: Link, data: bytes) -> Steps[int]:
        if link.sent - link.counted >= _COUNT_EVERY:
            yield from self.unacknowledged(link)
        reply: Reply = yield Command(
            f"AT+QISEND={link.number},{len(data)}",
            _SEND_LIMIT,
            ends=(b"SEND OK", b"SEND FAIL"),
            prompt=b">",
            data=data,
        )
        return len(data) if reply.final == b"SEND OK" else 0

    def read(self, link: Link) -> Steps[bytes]:
        if self.settings.access == "push":
            return b""
        reply: Reply = yield Command(
            f"AT+QIRD={link.number},{self.read_size}",
            READ_LIMIT,
            info=(b"+QIRD:",),
            counted=(_READ,),
            tolerant=link.closed,
        )
        if reply.blocks:
            return reply.blocks[0].data
        if reply.ok:  # else it is closed, and has nothing any more
            only_line(reply, "AT+QIRD", lambda numbers: numbers == [0])
        return b""

    def unacknowledged(self, link: Link) -> Steps[int | None]:
        reply: Reply = yield Command(f"AT+QISEND={link.number},0", info=(b"+QISEND:",))
        total, _, waiting = only_line(reply, "AT+QISEND", lambda numbers: len(numbers) == 3)
        if total != link.sent:
            raise ModemError(f"the module was given {link.sent} bytes and says that it took {total}", "serial line")
        if not 0 <= waiting <= total:
            raise ModemError(f"of {total} bytes the module calls {waiting} unacknowledged", "module")
        link.counted = link.sent
        return waiting

    def settle(self, link: Link) -> Steps[None]:
        if self.settings.access == "push":
            return
        reply: Reply = yield Command(f"AT+QIRD={link.number},0", info=(b"+QIRD:",), tolerant=True)
        if not reply.ok:
            return  # it keeps no count of a connection that is closed
        _, read, unread = only_line(reply, "AT+QIRD", lambda numbers: len(numbers) == 3)
        if read != link.received:
            raise ModemError(f"the module handed over {read} bytes and {link.received} came", "serial line")
        link.readable = bool(unread)

    def look(self, link: Link) -> Steps[None]:
        reply: Reply = yield Command(f"AT+QISTATE=1,{link.number}", info=(b"+QISTATE:",), tolerant=True)
        fields = [line.split(b",") for line in reply.lines]
        connected = any(len(one) > 5 and one[5] == b"2" for one in fields)
        link.closed = link.closed or not connected
        link.readable = True
        if link.sent != link.counted and connected:
            yield from self.unacknowledged(link)

    def network_time(self) -> Steps[datetime | None]:
        reply: Reply = yield Command("AT+QLTS=1", info=(b"+QLTS:",), tolerant=True)
        found = None
        if reply.ok and reply.lines:  # mode 1 is the time in GMT, the zone beside it is only told
            found = parse_time(text_of(reply.lines[-1].partition(b": ")[2]), local=False)
        return found or (yield from super().network_time())

    def ntp_time(self, server: str) -> Steps[datetime]:
        check_host(server)
        yield from self.bring_up()
        self._time = None
        yield Command(f'AT+QNTP={CONTEXT},"{server}"', _NTP_LIMIT)
        yield Wait(_NTP_LIMIT, lambda: self._time is not None)
        code, _, text = text_of(self._time or b"").partition(",")
        time = parse_time(text) if code == "0" else None
        if time is None:
            number = int(code) if code.isdecimal() else None
            why = f"the answer is {text or 'none'}" if number in (0, None) else describe(number)
            raise ModemError(f"no time from {server}: {why}", layer_of(number), code=number)
        return time

    def release(self, link: Link) -> Steps[None]:
        yield Command(f"AT+QICLOSE={link.number}", _CLOSE_LIMIT, tolerant=True)

    def on_line(self, line: bytes) -> None:
        if line.startswith(b"+QIURC: "):
            kind, *fields = line[8:].split(b",")
            self._on_news(kind.strip(b'"'), fields)
        elif line.startswith(b"+QIOPEN: "):
            numbers = numbers_in(line)
            if len(numbers) == 2 and numbers[0] in self.links:
                self.links[numbers[0]].opened = numbers[1]
        elif line.startswith(b"+QNTP: "):
            self._time = line[7:]
        elif line.startswith(b"+QSSL"):
            self.tls.on_line(line)
        else:
            super().on_line(line)

    def on_data(self, data: Data) -> None:
        link = self.links.get(int(data.header[0]))
        if link:
            self.take_pushed(link, data.data)

    def _on_news(self, kind: bytes, fields: list[bytes]) -> None:
        number = int(fields[0]) if fields and fields[0].isdigit() else None
        link = self.links.get(-1 if number is None else number)
        if kind == b"recv" and link:
            link.readable = True
        elif kind == b"closed" and link:
            link.told_closed()
        elif kind == b"pdpdeact" and number == CONTEXT:
            self.lose_data("pdpdeact")
        elif kind == b"dnsgip" and fields and self._addresses is not None:
            if number is None:
                if len(self._addresses) < _ADDRESSES:
                    self._addresses.append(text_of(fields[0].strip(b'"')))
            elif self._resolved is None:
                self._resolved = number
                self._expected = min(int(fields[1]), _ADDRESSES) if len(fields) > 1 and fields[1].isdigit() else 1

    def _last_error(self) -> Steps[str]:
        reply: Reply = yield Command("AT+QIGETERROR", info=(b"+QIGETERROR:",), tolerant=True)
        return text_of(reply.lines[-1].partition(b": ")[2]) if reply.lines else ""

    def why(self, link: Link, port: int, result: str) -> Steps[ModemError]:
        """What made opening fail, for which the command itself had only `result`."""
        text = yield from self._last_error()
        number = text.partition(",")[0]
        code = int(number) if number.isdecimal() else None
        layer = layer_of(code)
        return ModemError(f"no connection to {link.host} port {port}: {text or result}", layer, code=code)
