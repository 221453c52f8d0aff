"""Simulated SIMCom modules: SIM7600, A7670 and SIM800."""

from __future__ import annotations

from lighttls.testing.modem.module import Request
from lighttls.testing.modem.network import Connection
from lighttls.testing.modem.standard import StandardModule

_SEND_LIMIT = 1460
_READ_LIMIT = 1500


class _SimCom(StandardModule):
    """What they share: reading by AT+CIPRXGET, and names."""

    maker = "SIMCOM INCORPORATED"
    line_limit = 559
    host_limit = 100

    def _start(self) -> None:
        super()._start()
        self.pull = False  # received data waits to be asked for

    def do_ciprxget(self, request: Request) -> None:
        mode = request.number(0)
        if mode in (0, 1):
            self.pull = mode == 1
            self.answer()
            return
        connection = self.connections.get(request.number(1))
        if connection is None or not self.pull:
            self.fail()
        elif mode == 4:
            self.answer(f"+CIPRXGET: 4,{connection.number},{len(connection.inbox)}")
        elif not connection.inbox:
            self.answer("+IP ERROR: No data", final="ERROR")
        elif mode == 2:
            data = connection.take(min(request.number(2), _READ_LIMIT))
            remaining = len(connection.inbox)
            header = b"\r\n+CIPRXGET: 2,%d,%d,%d\r\n" % (connection.number, len(data), remaining)
            self.answer(header + self.payload(data) + b"\r\n")
            self.stirred(connection)
        else:
            self.fail()

    def stirred(self, connection: Connection) -> None:
        number = connection.number
        if not self.pull:
            while connection.inbox:
                data = self.payload(connection.take(_READ_LIMIT))
                self.news(b"\r\n+RECEIVE,%d,%d:\r\n%b" % (number, len(data), data))
        elif connection.inbox and not connection.told:
            connection.told = True
            if not self.faults.happens(self.faults.lost_news):
                self.news(f"+CIPRXGET: 1,{number}")
        if connection.ended and not connection.told_end:
            connection.told_end = True
            if not self.faults.happens(self.faults.lost_closes):
                self.tell_end(number)

    def tell_end(self, number: int) -> None:
        raise NotImplementedError

    def do_cdnsgip(self, request: Request) -> None:
        host = request.text(0)
        address = self.network.resolve(host) if self.has_data else None
        line = f'+CDNSGIP: 1,"{host}","{address}"' if address else "+CDNSGIP: 0,8"
        self.answer(then=lambda: self.later(self.network.round_trip, lambda: self.news(line)))

    def sendable(self, request: Request) -> Connection | None:
        """The connection of a send; None, and an error, if there is none or the length is not allowed."""
        connection = self.connections.get(request.number(0))
        if connection is None or connection.ended or not connection.alive or not 0 < request.number(1) <= _SEND_LIMIT:
            self.fail()
            return None
        return connection


class Sim7600(_SimCom):
    model = "SIMCOM_SIM7600E-H"
    boot = ("RDY", "+CPIN: READY", "SMS DONE", "PB DONE")
    connection_count = 10
    iccid = "+ICCID"

    def do_cgact(self, request: Request) -> None:
        """The context alone: connections need AT+NETOPEN as well."""
        if self.situation.data_allowed:
            self.answer(delay=0.1)
        else:
            self.fail(148, delay=0.5)

    def do_netopen(self, request: Request) -> None:
        if request.kind == "?":
            self.answer(f"+NETOPEN: {int(self.has_data)}")
        elif self.has_data:
            self.answer("+IP ERROR: Network is already opened", final="ERROR")
        else:
            self.has_data = self.situation.data_allowed
            result = 0 if self.has_data else 1
            self.answer(then=lambda: self.later(0.1, lambda: self.news(f"+NETOPEN: {result}")))

    def do_netclose(self, request: Request) -> None:
        if not self.has_data:
            self.fail()
            return
        self.has_data = False
        for number in tuple(self.connections):
            self.hang_up(number)
        self.answer(then=lambda: self.later(0.1, lambda: self.news("+NETCLOSE: 0")))

    def lose_data(self) -> None:
        super().lose_data()
        self.news("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY")

    do_cipmode = do_cipccfg = do_ciptimeout = do_cgauth = StandardModule.do_

    def do_cipopen(self, request: Request) -> None:
        number, host, port = request.number(0), request.text(2), request.number(3)
        possible = 0 <= number < self.connection_count and request.text(1) == "TCP" and 0 < port < 65536
        if not possible or len(host) > self.host_limit or not self.has_data or number in self.connections:
            result = 2 if possible and not self.has_data else 4 if number in self.connections else 3
            self.answer(f"+CIPOPEN: {number},{result}", final="ERROR")
            return

        def open_it() -> None:
            found = self.dial(number, host, port)
            result = {"dns": 11, "refused": 10}[found] if isinstance(found, str) else 0
            self.later(self.network.round_trip, lambda: self.news(f"+CIPOPEN: {number},{result}"))

        self.answer(then=open_it)

    def do_cipsend(self, request: Request) -> None:
        connection = self.sendable(request)
        if connection is None:
            return

        def take(data: bytes) -> None:
            room = connection.has_room(len(data))
            full = not room or self.faults.happens(self.faults.send_fails)
            taken = len(data) // 3 if full and room else 0 if full else len(data)
            if taken:
                connection.transmit(data[:taken])
            self.answer(then=lambda: self.news(f"+CIPSEND: {connection.number},{len(data)},{taken}"))

        self.ask_for_data(b"\r\n>", request.number(1), take)

    def do_cipclose(self, request: Request) -> None:
        if request.kind == "?":
            here = [n for n, one in self.connections.items() if one.alive and not one.ended]
            states = (int(number in here) for number in range(10))
            self.answer("+CIPCLOSE: " + ",".join(map(str, states)))
            return
        number = request.number(0)
        connection = self.connections.get(number)
        if connection is None or connection.ended:
            self.hang_up(number)
            self.answer(f"+CIPCLOSE: {number},4", final="ERROR")
        else:
            self.hang_up(number)
            told = self.network.round_trip
            self.answer(then=lambda: self.later(told, lambda: self.news(f"+CIPCLOSE: {number},0")))

    def tell_end(self, number: int) -> None:
        self.news(f"+IPCLOSE: {number},1")


class A7670(Sim7600):
    model = "A7670E-FASE"
    boot = ("*ATREADY: 1", "+CPIN: READY", "SMS DONE", "PB DONE")


class Sim800(_SimCom):
    model = "SIMCOM_SIM800L"
    boot = ("RDY", "+CFUN: 1", "+CPIN: READY", "Call Ready", "SMS Ready")
    connection_count = 6
    strays = ("+CREG: 5", "RING", "+XYZ: OK", "*PSUTTZ: 2026,11,22,12,0,0")

    do_cipmux = do_cipqsend = do_cstt = StandardModule.do_

    def do_cipshut(self, request: Request) -> None:
        self.has_data = False
        for number in tuple(self.connections):
            self.hang_up(number)
        self.answer(final="SHUT OK")

    def do_ciicr(self, request: Request) -> None:
        self.activate()

    def do_cifsr(self, request: Request) -> None:
        if self.has_data:
            self.answer(final="10.1.2.3")
        else:
            self.fail()

    def lose_data(self) -> None:
        super().lose_data()
        self.news("+PDP: DEACT")

    def do_cipstart(self, request: Request) -> None:
        number, host, port = request.number(0), request.text(2), request.number(3)
        possible = 0 <= number < self.connection_count and request.text(1) == "TCP" and 0 < port < 65536
        if not possible or len(host) > self.host_limit or not self.has_data:
            self.fail(3)
            return
        if number in self.connections:
            self.answer(f"{number}, ALREADY CONNECT", final="ERROR")
            return

        def open_it() -> None:
            found = self.dial(number, host, port)
            result = "CONNECT FAIL" if isinstance(found, str) else "CONNECT OK"
            self.later(self.network.round_trip, lambda: self.news(f"{number}, {result}"))

        self.answer(then=open_it)

    def do_cipsend(self, request: Request) -> None:
        connection = self.sendable(request)
        if connection is None:
            return

        def take(data: bytes) -> None:
            if not connection.has_room(len(data)) or self.faults.happens(self.faults.send_fails):
                self.answer(final=f"{connection.number}, SEND FAIL")
            else:
                connection.transmit(data)
                self.answer(final=f"DATA ACCEPT:{connection.number},{len(data)}")

        self.ask_for_data(b"\r\n> ", request.number(1), take)

    def do_cipclose(self, request: Request) -> None:
        number = request.number(0)
        connection = self.connections.get(number)
        ended = connection is None or connection.ended
        self.hang_up(number)
        if ended:
            self.fail()
        else:
            self.answer(final=f"{number}, CLOSE OK")

    def do_cipstatus(self, request: Request) -> None:
        number = request.number(0)
        connection = self.connections.get(number)
        if request.kind != "=" or not 0 <= number < self.connection_count:
            self.fail(3)
        elif connection is None:
            self.answer(f'+CIPSTATUS: {number},,"","","","INITIAL"')
        else:
            state = "CLOSED" if connection.ended or not connection.alive else "CONNECTED"
            where = f'"{self.network.resolve(connection.host)}","{connection.port}"'
            self.answer(f'+CIPSTATUS: {number},0,"TCP",{where},"{state}"')

    def tell_end(self, number: int) -> None:
        self.news(f"{number}, CLOSED")
