"""The modem in data mode: a command dials, and from then on the serial line carries the network's PPP.

The bytes are for `lighttls.transports.lwip.ppp`, or anything else that speaks PPP. Nothing of it is looked at, but for
how it ends: frames of PPP lie between flags (0x7E), so that a text such as `NO CARRIER` which no flag follows, nor
anything else for a second, is the modem's own. It need not be the last: packets that we send to a modem which has left
the call are commands that it does not know. Boot messages of a module that was reset are found in the same way.
"""

from __future__ import annotations

from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Final

from lighttls.errors import ConfigurationError
from lighttls.transports.at_modem.results import ModemError, ModuleReset, text_of
from lighttls.transports.at_modem.steps import ESCAPE, GUARD, Command, Reply, Steps, Task, Wait

if TYPE_CHECKING:
    from lighttls.transports.at_modem.dialect import Dialect
    from lighttls.transports.at_modem.modem import Modem

DIAL: Final = "ATD*99#"  # the first PDP context, which Settings.apn describes
_CONTEXT: Final = 1
_DIAL_LIMIT: Final = 120.0
_HANG_UP_LIMIT: Final = 90.0
_DEACTIVATE_LIMIT: Final = 40.0
_SILENCE: Final = 1.0  # seconds that nothing follows the text of the end
_OK: Final = b"\r\nOK\r\n"
_END: Final = b"\r\nNO CARRIER\r\n"
_FLAG: Final = b"\x7e"
_TAIL_LIMIT: Final = 4096  # bytes since the last flag that are kept to look at; a frame has at most 3000
_INBOX_LIMIT: Final = 1 << 20  # bytes that nobody took: further ones are lost, as on any network


class DataMode:
    """A data call, without I/O."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._engine = dialect.engine
        self._raw_before = dialect.engine.on_raw
        self._inbox = bytearray()
        self._tail = b""  # since the last flag
        self._heard = 0.0
        self._calling = False
        self.failure: ModemError | None = None

    def dial(self, command: str) -> Steps[None]:
        """Find a network and call it."""
        dialect = self._dialect
        if dialect.links:
            raise ModemError("a data call needs the whole modem, and connections are open", "module", hint=_CLOSE)
        yield from dialect.find_network()
        if dialect.has_data:
            yield Command(f"AT+CGACT=0,{_CONTEXT}", _DEACTIVATE_LIMIT, tolerant=True)
            dialect.has_data = False
        yield Command(f'AT+CGDCONT={_CONTEXT},"IP","{dialect.settings.apn}"')
        reply: Reply = yield Command(
            command, _DIAL_LIMIT, ends=(b"CONNECT", b"NO CARRIER", b"NO DIALTONE", b"BUSY", b"NO ANSWER"), tolerant=True
        )
        if not reply.final.startswith(b"CONNECT"):
            raise ModemError(f"no data call: {text_of(reply.final)}", "PDP context")
        self._calling = True
        self._engine.on_raw = self._on_raw
        self._engine.set_raw(True)

    def take(self) -> bytes:
        """What has come."""
        data = bytes(self._inbox)
        self._inbox.clear()
        return data

    def send(self, data: bytes) -> Steps[None]:
        self._check()
        self._engine.send_raw(data)
        yield from ()

    def watch(self) -> Steps[None]:
        """Raises what ended the call."""
        if self._calling and self._engine.now >= self._heard + _SILENCE:
            self._look()
        self._check()
        yield from ()

    @property
    def suspect(self) -> bool:
        """Whether it is over, or would be after a second of silence."""
        return bool(self.failure or _END in self._tail or self._reset_sign())

    def hang_up(self) -> Steps[None]:
        """End the call: by an escape and ATH, unless the modem has left it already."""
        if not self._calling:
            return
        ended: bool = yield Wait(GUARD, lambda: _END in self._tail)
        if not ended:
            self._tail = b""
            self._engine.send_raw(ESCAPE)
            ended = yield Wait(2 * GUARD, lambda: _OK in self._tail or _END in self._tail)
        self._leave(trusted=ended)
        with suppress(ModemError):  # a modem that no longer answers has no call either
            yield Command("ATH", _HANG_UP_LIMIT, tolerant=True)

    def hang_up_after(self, dialling: Task[None]) -> Steps[None]:
        """Nobody waits for this call any more: end it once it is there."""
        yield Wait(inf, lambda: dialling.done)
        yield from self.hang_up()

    def _check(self) -> None:
        if self.failure is not None:
            raise self.failure

    def _look(self) -> None:
        sign = self._reset_sign()
        if sign is not None:
            self.failure = ModuleReset(f"it says {sign}")
            self._leave(trusted=False)
            self._engine.reset_seen(f"it says {sign}")
        elif _END in self._tail:
            self.failure = ModemError("the data call ended (NO CARRIER)", "PDP context", hint=_DIAL_AGAIN)
            self._leave(trusted=False)  # it may have taken some of our last packets for commands

    def _reset_sign(self) -> str | None:
        for line in self._dialect.boot_lines:
            if b"\r\n" + line + b"\r\n" in self._tail:
                return line.decode("latin-1")
        return None

    def _leave(self, *, trusted: bool) -> None:
        self._calling = False
        self._engine.set_raw(False)
        self._engine.on_raw = self._raw_before
        self._engine.trusted = self._engine.trusted and trusted

    def _on_raw(self, data: bytes) -> None:
        self._heard = self._engine.now
        since_flag = data.rpartition(_FLAG)[2]
        self._tail = (since_flag if _FLAG in data else self._tail + data)[-_TAIL_LIMIT:]
        if len(self._inbox) < _INBOX_LIMIT:
            self._inbox += data


class DataCall:
    """A modem in data mode, as a link that carries PPP. Made by `Modem.dial`; the modem does nothing else beside it."""

    def __init__(self, modem: Modem, mode: DataMode) -> None:
        self._modem = modem
        self._mode = mode
        self._closed = False

    def send(self, frame: bytes) -> None:
        """Bytes for the line. Raises ModemError if the call is over."""
        self._modem.run(self._mode.send(frame))

    def receive(self, timeout: float) -> bytes | None:
        """Bytes of the line; None if there are none for so many seconds. Raises ModemError once the call is over."""
        end, looked = self._modem.now() + timeout, False
        while True:
            if data := self._mode.take():
                return data
            if self._mode.suspect:
                self._modem.run(self._mode.watch())
            left = max(0.0, end - self._modem.now())
            if left == 0.0 and looked:
                return None
            self._modem.wait(left)
            looked = True

    def close(self) -> None:
        """Hang up; the modem takes commands again. That takes two or three seconds. Closing twice is no error."""
        if not self._closed:
            self._closed = True
            with suppress(ModemError):  # the port is gone, and the call with it
                self._modem.run(self._mode.hang_up())


def check_dialling(command: str) -> None:
    """Raises ConfigurationError unless it can be a command that dials."""
    known = command.isascii() and command.isprintable() and command.startswith(("ATD", "AT+CGDATA="))
    if not known:
        raise ConfigurationError(f"{command!r} does not dial", hint='Such are ATD*99#, ATD*99***1#, AT+CGDATA="PPP",1.')


_CLOSE: Final = "Close them first."
_DIAL_AGAIN: Final = "Dial again: TLS sessions can be resumed. If it comes again, check signal, APN and contract."
