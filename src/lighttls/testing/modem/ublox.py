"""Simulated u-blox modules: SARA-U201 and SARA-R410M."""

from __future__ import annotations

from lighttls.testing.modem.module import Request
from lighttls.testing.modem.network import Connection
from lighttls.testing.modem.standard import StandardModule

_SEND_LIMIT = 1024
_READ_LIMIT = 1024
_HEX_LIMIT = 512
_SETTLING = 0.05  # seconds after the prompt in which data is lost


class SaraU201(StandardModule):
    maker = "u-blox"
    model = "SARA-U201"
    line_limit = 1200
    host_limit = 128
    connection_count = 7

    def _start(self) -> None:
        super()._start()
        self.hex_mode = False
        self.error = 0
        self._created: set[int] = set()  # numbers given out and not connected yet

    # Data connection

    def do_upsd(self, request: Request) -> None:
        self.answer()

    def do_upsda(self, request: Request) -> None:
        if self.has_data:
            self.fail(3)
        else:
            self.activate()

    def do_upsnd(self, request: Request) -> None:
        self.answer(f"+UPSND: 0,8,{int(self.has_data)}")

    def lose_data(self) -> None:
        super().lose_data()
        self.news("+UUPSDD: 0")
        for number in tuple(self.connections):
            del self.connections[number]
            self.news(f"+UUSOCL: {number}")

    def do_udnsrn(self, request: Request) -> None:
        address = self.network.resolve(request.text(1)) if self.has_data else None
        if address is None:
            self.fail(delay=self.network.round_trip)
        else:
            self.answer(f'+UDNSRN: "{address}"', delay=self.network.round_trip)

    # Connections

    def do_udconf(self, request: Request) -> None:
        if request.number(0) == 1:
            self.hex_mode = request.number(1) == 1
        self.answer()

    def do_usocr(self, request: Request) -> None:
        free = set(range(self.connection_count)) - set(self.connections) - self._created
        number = min(free, default=None)
        if number is None:
            self.fail()
        else:
            self._created.add(number)
            self.answer(f"+USOCR: {number}")

    def do_usoco(self, request: Request) -> None:
        number, host, port = request.number(0), request.text(1), request.number(2)
        if number not in self._created or len(host) > self.host_limit or not 0 < port < 65536 or not self.has_data:
            self.fail(3)
            return
        found = self.dial(number, host, port)
        if isinstance(found, str):
            self.error = 111 if found == "refused" else 2
            self.fail(delay=self.network.round_trip)
        else:
            self._created.discard(number)
            self.answer(delay=self.network.round_trip, then=lambda: self.stirred(found))

    def do_usowr(self, request: Request) -> None:
        connection = self.connections.get(request.number(0))
        count = request.number(1)
        if connection is None or connection.ended or count < 1:
            self.fail()
        elif len(request.arguments) > 2:
            data = _text(request.text(2), self.hex_mode)
            if len(data) != count or count > _HEX_LIMIT:
                self.fail()
            else:
                self._write(connection, data)
        elif count > _SEND_LIMIT:
            self.fail()
        else:
            self.ask_for_data(b"\r\n@", count, lambda data: self._write(connection, data), settling=_SETTLING)

    def _write(self, connection: Connection, data: bytes) -> None:
        full = not connection.has_room(len(data))
        if full or self.faults.happens(self.faults.send_fails):
            data = b"" if full else data[: len(data) // 3]
        if data:
            connection.transmit(data)
        self.answer(f"+USOWR: {connection.number},{len(data)}")

    def do_usord(self, request: Request) -> None:
        connection = self.connections.get(request.number(0))
        number, count = request.number(0), request.number(1)
        if connection is None:
            self.fail()
        elif count == 0:
            self.answer(f"+USORD: {number},{len(connection.inbox)}")
        elif not connection.inbox:
            self.answer(f'+USORD: {number},0,""')
            self._free_if_ended(connection)
        else:
            data = self.payload(connection.take(min(count, _HEX_LIMIT if self.hex_mode else _READ_LIMIT)))
            shown = data.hex().upper().encode() if self.hex_mode else data
            self.answer(b'\r\n+USORD: %d,%d,"%b"\r\n' % (number, len(data), shown))
            self.stirred(connection)

    def do_usoctl(self, request: Request) -> None:
        number, what = request.number(0), request.number(1)
        connection = self.connections.get(number)
        if what == 1:
            self.answer(f"+USOCTL: {number},1,{self.error}")
        elif connection is None:
            self.fail()
        else:
            value = {
                2: connection.sent,
                3: connection.read,
                10: 7 if connection.ended else 4,
                11: connection.waiting,
            }.get(what, 0)
            self.answer(f"+USOCTL: {number},{what},{value}")

    def do_usocl(self, request: Request) -> None:
        number = request.number(0)
        known = number in self.connections or number in self._created
        self._created.discard(number)
        self.hang_up(number)
        if known:
            self.answer(delay=self.network.round_trip)
        else:
            self.fail()

    def stirred(self, connection: Connection) -> None:
        if connection.inbox and not connection.told:
            connection.told = True
            if not self.faults.happens(self.faults.lost_news):
                self.news(f"+UUSORD: {connection.number},{len(connection.inbox)}")
        self._free_if_ended(connection)

    def _free_if_ended(self, connection: Connection) -> None:
        """The end is told when everything is read, and frees the number."""
        if connection.ended and not connection.inbox and not connection.told_end:
            connection.told_end = True
            self.hang_up(connection.number)
            if not self.faults.happens(self.faults.lost_closes):
                self.news(f"+UUSOCL: {connection.number}")


class SaraR4(SaraU201):
    model = "SARA-R410M-02B"

    def do_cgact(self, request: Request) -> None:
        if request.kind == "?":
            self.answer(f"+CGACT: 1,{int(self.has_data)}")
        else:
            self.activate()

    do_uauthreq = StandardModule.do_


def _text(text: str, hex_mode: bool) -> bytes:
    """The data inside a command line; none if it is not hex where it must be."""
    try:
        return bytes.fromhex(text) if hex_mode else text.encode("latin-1")
    except ValueError:
        return b""
