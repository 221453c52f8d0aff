"""SIMCom SIM800: AT+CIPSTART with several connections (CIPMUX) and quick sends (CIPQSEND).

Its results name the connection in front, `0, CONNECT OK`, and AT+CIFSR answers with a bare address and no `OK`.
"""

from __future__ import annotations

import re
from typing import Final

from lighttls.transports.at_modem.engine import Engine
from lighttls.transports.at_modem.link import Link
from lighttls.transports.at_modem.results import CommandRefused, ModemError, text_of
from lighttls.transports.at_modem.settings import Settings
from lighttls.transports.at_modem.simcom import ByRxGet
from lighttls.transports.at_modem.steps import Command, Reply, Steps, Wait

_RESULT: Final = re.compile(rb"(\d), ?(CONNECT OK|CONNECT FAIL|ALREADY CONNECT|CLOSED|CLOSE OK|SEND OK|SEND FAIL)$")
_OVER: Final = (b"INITIAL", b"REMOTE CLOSING", b"CLOSING", b"CLOSED")  # states of a connection that was open
_ADDRESS: Final = tuple(b"%d" % digit for digit in range(10))  # how it begins
_ATTACH_LIMIT: Final = 75.0  # seconds
_BRING_UP_LIMIT: Final = 85.0
_OPEN_LIMIT: Final = 75.0
_SEND_LIMIT: Final = 120.0
_CLOSE_LIMIT: Final = 20.0


class Sim800(ByRxGet):
    """Buffer access and direct push."""

    name = "SIM800"
    makers = ("sim800", "sim900", "sim868")
    numbers = 6
    iccid_command = "AT+CCID"
    boot_lines = (b"RDY", b"Call Ready", b"SMS Ready", b"NORMAL POWER DOWN", b"UNDER-VOLTAGE")
    news = (b"+CIPRXGET: 1",)

    def __init__(self, engine: Engine, settings: Settings) -> None:
        super().__init__(engine, settings)
        self._opened: dict[int, bytes] = {}  # results of opening, by connection

    def activate(self) -> Steps[None]:
        its = self.settings
        try:
            yield Command("AT+CGATT=1", _ATTACH_LIMIT)
            yield Command("AT+CIPSHUT", _ATTACH_LIMIT, ends=(b"SHUT OK",))  # whatever there was
            yield Command("AT+CIPMUX=1")
            yield Command("AT+CIPQSEND=1")
            yield Command(f"AT+CIPRXGET={0 if its.access == 'push' else 1}")
            user = f',"{its.user}","{its.password}"' if its.user else ""
            yield Command(f'AT+CSTT="{its.apn}"{user}')
            yield Command("AT+CIICR", _BRING_UP_LIMIT)
            yield Command("AT+CIFSR", ends=_ADDRESS)
        except CommandRefused as refusal:
            raise ModemError(f"no data connection: {refusal}", "PDP context", code=refusal.code) from refusal

    def data_is_up(self) -> Steps[bool]:
        reply: Reply = yield Command("AT+CIFSR", ends=_ADDRESS, tolerant=True)
        return reply.final.startswith(_ADDRESS)

    def connect(self, link: Link, host: str, port: int) -> Steps[None]:
        number = link.number
        for attempt in (1, 2):
            self._opened.pop(number, None)
            reply: Reply = yield Command(f'AT+CIPSTART={number},"TCP","{host}",{port}', _OPEN_LIMIT, tolerant=True)
            told = number in self._opened
            if reply.ok:
                told = yield Wait(_OPEN_LIMIT, lambda: number in self._opened or link.failure)
            link.check()
            result = self._opened.get(number, b"")
            if result == b"CONNECT OK":
                return
            if result != b"ALREADY CONNECT" or attempt == 2:
                break
            yield from self.release(link)
        named = not host.replace(".", "").isdigit()
        if named and (yield from self._unknown(host)):
            raise ModemError(f"the module cannot resolve {link.host}", "DNS")
        text = result.decode() or ("refused" if told or not reply.ok else f"no answer within {_OPEN_LIMIT:g} s")
        raise ModemError(f"no connection to {link.host} port {port}: {text}", "TCP", timed_out=not told and reply.ok)

    def send(self, link: Link, data: bytes) -> Steps[int]:
        ours = b"%d, SEND " % link.number
        reply: Reply = yield Command(
            f"AT+CIPSEND={link.number},{len(data)}",
            _SEND_LIMIT,
            ends=(b"DATA ACCEPT:", ours),
            prompt=b">",
            data=data,
        )
        if reply.final.startswith(ours):
            return len(data) if reply.final.endswith(b"OK") else 0
        number, _, count = reply.final.partition(b":")[2].partition(b",")
        if number.strip() != b"%d" % link.number or not count.isdigit() or int(count) > len(data):
            said = text_of(reply.final)
            raise ModemError(f"the module was given {len(data)} bytes and says {said}", "serial line")
        return int(count)

    def look(self, link: Link) -> Steps[None]:
        reply: Reply = yield Command(f"AT+CIPSTATUS={link.number}", info=(b"+CIPSTATUS:",), tolerant=True)
        for line in reply.lines:  # +CIPSTATUS: <id>,<bearer>,<type>,<address>,<port>,<state>
            fields = line.partition(b": ")[2].split(b",")
            ours = len(fields) == 6 and fields[0] == b"%d" % link.number
            if ours and fields[5].strip(b'" ') in _OVER:
                link.closed = True
        link.readable = True

    def release(self, link: Link) -> Steps[None]:
        yield Command(
            f"AT+CIPCLOSE={link.number},1", _CLOSE_LIMIT, ends=(b"%d, CLOSE OK" % link.number,), tolerant=True
        )

    def on_line(self, line: bytes) -> None:
        found = _RESULT.match(line)
        if not found:
            if line.startswith(b"+PDP: DEACT"):
                self.lose_data("PDP: DEACT")
            else:
                super().on_line(line)
            return
        number, result = int(found[1]), found[2]
        link = self.links.get(number)
        if result == b"CLOSED" and link:
            link.told_closed()
        elif result == b"SEND FAIL" and link:  # of bytes that it had accepted
            self.fail(link, ModemError("the module could not send what it had accepted", "TCP"))
        else:
            self._opened[number] = result

    def _unknown(self, host: str) -> Steps[bool]:
        """Whether DNS was what failed; the module does not say."""
        try:
            yield from self.resolve(host)
        except ModemError:
            return True
        return False
