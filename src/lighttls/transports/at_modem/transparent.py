"""Quectel's transparent access: the serial line becomes the connection.

It is the fastest way and the weakest. Nothing is counted, so a byte lost on the serial line is lost, and one connection
has the whole modem. The end of the stream comes as the text `NO CARRIER` inside it, which payload may contain just as
well. So from such a text on bytes are kept back until the line is silent, and then the modem is asked by `+++`: in a
connection it answers, and the text was payload; after one it does not. What nobody can tell from payload are the boot
messages of a module that was reset; TLS above refuses them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Final

from lighttls.transports.at_modem.dialect import POLL
from lighttls.transports.at_modem.engine import Engine
from lighttls.transports.at_modem.link import Link
from lighttls.transports.at_modem.quectel import Quectel
from lighttls.transports.at_modem.results import ModemError, text_of
from lighttls.transports.at_modem.settings import Settings
from lighttls.transports.at_modem.steps import ESCAPE, GUARD, Command, Reply, Steps, Wait

_END: Final = b"\r\nNO CARRIER\r\n"
_OK: Final = b"\r\nOK\r\n"
_SHORT_SILENCE: Final = 0.3  # seconds after which the beginning of the text is not going to be all of it
_EPILOGUE: Final = 2048  # bytes of held-back news that may follow the text; if there are more, it was payload
_ESCAPES: Final = 3  # tries: late news may have come instead of an answer
_OPEN_LIMIT: Final = 150.0


class TransparentQuectel(Quectel):
    """One connection at a time, and no other command while it is open."""

    accesses: ClassVar[tuple[str, ...]] = ("transparent",)
    numbers = 1

    def __init__(self, engine: Engine, settings: Settings) -> None:
        super().__init__(engine, settings)
        engine.on_raw = self._on_raw
        self._raw: Link | None = None
        self._known = 0  # bytes at the front of what has come that are payload, whatever they look like
        self._last_sent = 0.0
        self._asking = False

    def connect(self, link: Link, host: str, port: int) -> Steps[None]:
        yield from self.release(link)  # a number that is taken would only be a bare error here
        reply: Reply = yield Command(
            f'AT+QIOPEN=1,{link.number},"TCP","{host}",{port},0,2', _OPEN_LIMIT, ends=(b"CONNECT",), tolerant=True
        )
        if not reply.final.startswith(b"CONNECT"):
            raise (yield from self.why(link, port, text_of(reply.final)))
        self._enter(link)

    def send(self, link: Link, data: bytes) -> Steps[int]:
        yield Wait(10 * GUARD, lambda: not self._asking)
        link.check()
        if link.closed:
            raise ModemError("the peer has closed the connection", "TCP")
        if not data.strip(b"+") and len(data) <= len(ESCAPE):  # alone on the line it would be the escape
            for sign in data:
                self._write(bytes((sign,)))
                yield Wait(GUARD)
        else:
            self._write(data)
        return len(data)

    def incoming(self, link: Link) -> Steps[bytes]:
        while True:
            ready = self._payload(link.pushed)
            if ready:
                data = bytes(link.pushed[:ready])
                del link.pushed[:ready]
                self._known = max(0, self._known - ready)
                return data
            link.check()
            if link.closed or link.abandoned:
                return b""
            before = len(link.pushed)
            if not before:
                yield Wait(POLL, lambda: link.pushed or link.failure or link.abandoned)
                continue
            whole = link.pushed.startswith(_END)
            came = yield Wait(GUARD if whole else _SHORT_SILENCE, _more(link, before))
            if came:
                continue
            if whole and (yield from self._is_over(link)):
                link.pushed.clear()
                try:
                    if not (yield from self.data_is_up()):
                        self.lose_data("NO CARRIER")
                except ModemError as error:
                    raise self.fail(link, error) from error.__cause__
                link.closed = True
            else:
                self._known = before

    def release(self, link: Link) -> Steps[None]:
        if self._raw is link:
            self._asking = True
            yield from self._escape(link)
            self._asking = False
            self._leave()
        yield from super().release(link)

    def settle(self, link: Link) -> Steps[None]:
        yield from ()

    def fail_all(self, error: ModemError) -> None:
        self._leave()
        super().fail_all(error)

    def _payload(self, pushed: bytearray) -> int:
        """How many bytes at the front are payload for sure."""
        start = self._known
        found = pushed.find(_END, start)
        while found >= 0 and len(pushed) - found > _EPILOGUE:
            start = found + 1
            found = pushed.find(_END, start)
        if found >= 0:
            return found
        for length in range(min(len(_END) - 1, len(pushed) - start), 0, -1):
            if pushed.endswith(_END[:length]):
                return len(pushed) - length
        return len(pushed)

    def _is_over(self, link: Link) -> Steps[bool]:
        """Whether the modem has left the connection: then it does not understand `+++`."""
        self._asking = True
        try:
            for _ in range(_ESCAPES):
                before = len(link.pushed)
                if (yield from self._escape(link)):
                    break
                if len(link.pushed) == before:
                    self._leave()
                    self.engine.trusted = False  # the module may hold the signs for the beginning of a command
                    return True
            else:
                return False  # it goes on, and does not listen
            self._leave()
            reply: Reply = yield Command("ATO", ends=(b"CONNECT", b"NO CARRIER"), tolerant=True)
            if reply.final.startswith(b"CONNECT"):
                self._enter(link)
                return False
            return True
        finally:
            self._asking = False

    def _escape(self, link: Link) -> Steps[bool]:
        """Ask for commands in the middle of a connection; whether the modem obeyed."""
        yield Wait(max(0.0, self._last_sent + GUARD - self.engine.now))
        before = len(link.pushed)
        self._write(ESCAPE)
        obeyed: bool = yield Wait(
            2 * GUARD, lambda: (link.pushed.endswith(_OK) and len(link.pushed) > before) or link.failure
        )
        if obeyed and link.failure is None:
            del link.pushed[-len(_OK) :]
        return obeyed

    def _write(self, data: bytes) -> None:
        self.engine.send_raw(data)
        self._last_sent = self.engine.now

    def _enter(self, link: Link) -> None:
        self._raw = link
        self._last_sent = self.engine.now
        self.engine.set_raw(True)

    def _leave(self) -> None:
        self._raw = None
        self.engine.set_raw(False)

    def _on_raw(self, data: bytes) -> None:
        if self._raw is not None:
            self.take_pushed(self._raw, data)


def _more(link: Link, before: int) -> Callable[[], object]:
    """Whether other than `before` bytes are there, or none will be."""
    return lambda: len(link.pushed) != before or link.failure or link.abandoned
