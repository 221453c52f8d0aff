"""Commands that every simulated module has: V.250, 3GPP TS 27.007."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from lighttls.testing.modem.data_call import DataCalls
from lighttls.testing.modem.module import Request


class StandardModule(DataCalls):
    """A method `do_name` for each command `+NAME`."""

    iccid: ClassVar[str] = "+CCID"

    def do_(self, request: Request) -> None:
        self.answer()

    def do_echo(self, request: Request) -> None:
        self.echo = request.name == "E1"
        self.answer()

    do_v1 = do_ifc = do_ctzu = do_cgdcont = do_

    def do_i(self, request: Request) -> None:
        self.answer(self.maker, self.model, "Revision: SIMULATED")

    def do_cmee(self, request: Request) -> None:
        if request.kind == "?":
            self.answer(f"+CMEE: {self.errors}")
        else:
            self.errors = request.number(0)
            self.answer()

    def do_cgmi(self, request: Request) -> None:
        self.answer(self.maker)

    def do_cgmm(self, request: Request) -> None:
        self.answer(self.model)

    def do_cgmr(self, request: Request) -> None:
        self.answer("SIMULATED01")

    def do_cgsn(self, request: Request) -> None:
        self.answer("861234567890123")

    def do_cimi(self, request: Request) -> None:
        self._with_sim(lambda: self.answer("440101234567890"))

    def do_ccid(self, request: Request) -> None:
        self._with_sim(lambda: self.answer(f"{self.iccid}: 8981100000000000001F"))

    do_qccid = do_ciccid = do_ccid

    def do_cpin(self, request: Request) -> None:
        here = self.situation
        if not here.sim:
            self.fail(10)
        elif request.kind == "?":
            self.answer("+CPIN: READY" if self.unlocked else f"+CPIN: {here.sim}")
        elif self.unlocked:
            self.fail(3)
        elif request.text(0) == here.pin:
            self.unlocked = True
            self.answer()
        else:
            self.fail(16)

    def do_csq(self, request: Request) -> None:
        self.answer(f"+CSQ: {self.situation.signal},99")

    def do_cereg(self, request: Request) -> None:
        state = self.situation.registration if self.unlocked else 0
        self.answer(f"{request.name}: 0,{state}")

    do_cgreg = do_creg = do_cereg

    def do_cops(self, request: Request) -> None:
        registered = self.situation.registration in (1, 5)
        self.answer('+COPS: 0,0,"SIMULATED",7' if registered else "+COPS: 0")

    def do_cclk(self, request: Request) -> None:
        self.answer(f'+CCLK: "{self.situation.clock}"')

    def do_cgatt(self, request: Request) -> None:
        self._with_sim(lambda: self.answer() if self.situation.registration in (1, 5) else self.fail(30))

    def do_cgact(self, request: Request) -> None:
        self.activate()

    def do_cfun(self, request: Request) -> None:
        self.answer(then=self.reset if request.text(1) == "1" else None)

    def activate(self) -> None:
        """Bring the data connection up, and answer."""
        if self.situation.data_allowed:
            self.has_data = True
            self.answer(delay=0.1)
        else:
            self.fail(148, delay=0.5)

    def _with_sim(self, then: Callable[[], None]) -> None:
        if self.situation.sim:
            then()
        else:
            self.fail(10)
