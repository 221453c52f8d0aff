"""Data calls of a simulated module: ATD*99#, and the way back (V.250, 3GPP TS 27.007 §10.2)."""

from __future__ import annotations

from lighttls.testing.modem.module import Module, Request
from lighttls.testing.modem.ppp import PppNetwork

_NUMBERS = ("*99#", "*99***1#")


class DataCalls(Module):
    """What leads to `Network.ppp`."""

    def _start(self) -> None:
        if calling := getattr(self, "calling", None):
            calling.end()
        super()._start()
        self.calling: PppNetwork | None = None

    def do_d(self, request: Request) -> None:
        self._dial(request.text(0) in _NUMBERS)

    def do_cgdata(self, request: Request) -> None:
        self._dial(request.text(0) == "PPP" and request.number(1) == 1)

    def do_h(self, request: Request) -> None:
        if self.calling is not None:
            self.calling.end()
            self.calling = None
        self.answer()

    def _dial(self, possible: bool) -> None:
        ppp, here = self.network.ppp, self.situation
        if not possible:
            self.fail()
        elif ppp is None or not (here.data_allowed and here.sim and here.registration in (1, 5)):
            self.answer(final="NO CARRIER", delay=0.5)
        else:
            self.answer(final="CONNECT", delay=0.1, then=lambda: self._begin(ppp))

    def _begin(self, ppp: PppNetwork) -> None:
        self.calling = ppp
        self.enter_raw(ppp)
        ppp.begin(self.network, self._from_call, self.drop_call)

    def _from_call(self, data: bytes) -> None:
        if self.raw is self.calling:  # else the host has escaped, and nobody would take it for packets
            self._emit(data)

    def drop_call(self) -> None:
        """The call ends without the host's doing."""
        if self.calling is not None:
            self.calling.end()
            self.calling = None
            if self.raw is not None:
                self._emit(b"\r\nNO CARRIER\r\n")
                self.end_raw()
