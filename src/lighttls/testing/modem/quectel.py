"""A simulated Quectel EC21: AT+QI…."""

from __future__ import annotations

from lighttls.testing.modem.module import Request
from lighttls.testing.modem.module_tls import ModuleTls
from lighttls.testing.modem.network import Connection

_IN_USE = 563
_SEND_LIMIT = 1460
_READ_LIMIT = 1500


class Ec21(ModuleTls):
    maker = "Quectel"
    model = "EC21"
    boot = ("RDY", "+CFUN: 1", "+CPIN: READY", "+QUSIM: 1", "+QIND: SMS DONE")
    line_limit = 1100
    host_limit = 150
    connection_count = 12
    iccid = "+QCCID"
    strays = ("+CREG: 5", "RING", '+QIND: "csq",20,99', '+QIURC: "incoming full"', "+XYZ: OK")

    def _start(self) -> None:
        super()._start()
        self.access: dict[int, int] = {}  # of each number that is taken, also of one that failed
        self.error = 0

    # Data connection

    def do_qicsgp(self, request: Request) -> None:
        self.answer()

    def do_qiact(self, request: Request) -> None:
        if request.kind == "?":
            self.answer(*(['+QIACT: 1,1,1,"10.1.2.3"'] if self.has_data else []))
        elif self.has_data:
            self.fail()
        else:
            if not self.situation.data_allowed:
                self.error = 561
            self.activate()

    def do_qideact(self, request: Request) -> None:
        self.has_data = False
        for number in tuple(self.connections):
            self.hang_up(number)
        self.answer(delay=0.05)

    def lose_data(self) -> None:
        super().lose_data()
        if isinstance(self.raw, Connection):
            self._end_stream(self.raw)
        self.news('+QIURC: "pdpdeact",1')

    def do_qidnsgip(self, request: Request) -> None:
        if not self.has_data:
            self.error = 561
            self.fail()
            return
        address = self.network.resolve(request.text(1))

        def tell() -> None:
            if address is None:
                self.news('+QIURC: "dnsgip",565')
            else:
                self.news('+QIURC: "dnsgip",0,1,600')
                self.news(f'+QIURC: "dnsgip","{address}"')

        self.answer(then=lambda: self.later(self.network.round_trip, tell))

    # Connections

    def do_qiopen(self, request: Request) -> None:
        number, host, port, access = request.number(1), request.text(3), request.number(4), request.number(6)
        possible = 0 <= number < self.connection_count and request.text(2) == "TCP" and 0 < port < 65536
        if not possible or len(host) > self.host_limit:
            self.error = 552
            self.fail()
        elif access == 2:
            self._open_transparent(number, host, port)
        else:
            self.answer(then=lambda: self._open(number, host, port, access))

    def _open(self, number: int, host: str, port: int, access: int) -> None:
        if number in self.access:
            result = _IN_USE
        elif not self.has_data:
            result = 561
        else:
            self.access[number] = access
            found = self.dial(number, host, port)
            result = {"dns": 565, "refused": 566}[found] if isinstance(found, str) else 0
        self.error = result
        self.later(self.network.round_trip, lambda: self.news(f"+QIOPEN: {number},{result}"))

    def _open_transparent(self, number: int, host: str, port: int) -> None:
        found = self.dial(number, host, port) if self.has_data and number not in self.access else "refused"
        if isinstance(found, str):
            self.error = {"dns": 565}.get(found, 566)
            self.fail(delay=self.network.round_trip)
            return
        self.access[number] = 2
        self.answer(final="CONNECT", delay=self.network.round_trip, then=lambda: self._enter_raw(found))

    def _enter_raw(self, connection: Connection) -> None:
        self.enter_raw(connection)
        self.stirred(connection)

    def do_o(self, request: Request) -> None:
        connection = next((one for one in self.connections.values() if self.access.get(one.number) == 2), None)
        if connection is None:
            self.answer(final="NO CARRIER")
        else:
            self.answer(final="CONNECT", then=lambda: self._enter_raw(connection))

    def do_qistate(self, request: Request) -> None:
        number = request.number(1)
        lines = [
            f'+QISTATE: {one.number},"TCP","{self.network.resolve(one.host)}",{one.port},4097,'
            f'{4 if one.ended else 2},1,0,{self.access.get(one.number, 0)},"uart1"'
            for one in self.connections.values()
            if one.alive and one.number not in self.secured and (request.kind == "?" or one.number == number)
        ]
        self.answer(*lines)

    def do_qisend(self, request: Request) -> None:
        connection = self.connections.get(request.number(0))
        if connection is None or not connection.alive:
            self.fail()
        elif request.number(1) == 0:
            counts = f"{connection.sent},{connection.acknowledged},{connection.waiting}"
            self.answer(f"+QISEND: {counts}")
        elif not 0 < request.number(1) <= _SEND_LIMIT or connection.ended:
            self.fail()
        else:
            self.ask_for_data(b"\r\n> ", request.number(1), lambda data: self._take_data(connection, data))

    def _take_data(self, connection: Connection, data: bytes) -> None:
        if not connection.has_room(len(data)) or self.faults.happens(self.faults.send_fails):
            self.answer(final="SEND FAIL")
        else:
            connection.transmit(data)
            self.answer(final="SEND OK")

    def do_qird(self, request: Request) -> None:
        connection = self.connections.get(request.number(0))
        if connection is None or self.access.get(connection.number) != 0:
            self.fail()
        elif request.number(1) == 0:
            unread = len(connection.inbox)
            self.answer(f"+QIRD: {connection.read + unread},{connection.read},{unread}")
        else:
            count = min(request.number(1) if len(request.arguments) > 1 else _READ_LIMIT, _READ_LIMIT)
            data = connection.take(count)
            if data:
                self.answer(b"\r\n+QIRD: %d\r\n%b\r\n" % (len(data), self.payload(data)))
                self.stirred(connection)
            else:
                self.answer(b"\r\n+QIRD: 0\r\n")

    def do_qiclose(self, request: Request) -> None:
        self.access.pop(request.number(0), None)
        self.answer(delay=self.network.round_trip if self.hang_up(request.number(0)) else 0.0)

    def do_qigeterror(self, request: Request) -> None:
        names = {0: "operate successfully", 552: "Invalid parameters", 561: "Open PDP context failed"}
        names |= {565: "DNS parse failed", 566: "Socket connect failed"}
        self.answer(f'+QIGETERROR: {self.error},"{names.get(self.error, "Unknown error")}"')

    def stirred(self, connection: Connection) -> None:
        number = connection.number
        if number in self.secured:
            self.secured[number].go_on()
            return
        access = self.access.get(number, 0)
        if access == 2:
            self._stream(connection)
            return
        if access == 1:
            while connection.inbox:
                data = self.payload(connection.take(_READ_LIMIT))
                self.news(b'\r\n+QIURC: "recv",%d,%d\r\n%b' % (number, len(data), data))
        elif connection.inbox and not connection.told:
            connection.told = True
            if not self.faults.happens(self.faults.lost_news):
                self.news(f'+QIURC: "recv",{number}')
        if connection.ended and not connection.told_end:
            connection.told_end = True
            if not self.faults.happens(self.faults.lost_closes):
                self.news(f'+QIURC: "closed",{number}')

    # Time

    def do_qlts(self, request: Request) -> None:
        self.answer(f'+QLTS: "{self.situation.network_time}"')

    def do_qntp(self, request: Request) -> None:
        known = self.has_data and self.network.resolve(request.text(1)) is not None
        result = f'0,"{self.situation.clock}"' if known else "565"
        self.answer(then=lambda: self.later(self.network.round_trip, lambda: self.news(f"+QNTP: {result}")))

    # Transparent access

    def _stream(self, connection: Connection) -> None:
        """Pass on what has come; the end is told by leaving the data mode."""
        if self.raw is not connection:
            return
        while connection.inbox:
            self._emit(self.payload(connection.take(len(connection.inbox))))
        if connection.ended:
            self._end_stream(connection)

    def _end_stream(self, connection: Connection) -> None:
        self.hang_up(connection.number)
        self.access.pop(connection.number, None)
        self._emit(b"\r\nNO CARRIER\r\n")
        self.end_raw()
