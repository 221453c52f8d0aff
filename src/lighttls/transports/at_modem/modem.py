"""A modem in plain blocking calls."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from threading import Condition, Lock
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from lighttls.errors import LightTLSError, TransportError, UsageError
from lighttls.transports.at_modem.data_call import DIAL, DataCall, DataMode, check_dialling
from lighttls.transports.at_modem.dialect import Dialect
from lighttls.transports.at_modem.engine import Engine
from lighttls.transports.at_modem.families import detect, family
from lighttls.transports.at_modem.link import Link, check_count
from lighttls.transports.at_modem.module_tls import ModuleTls
from lighttls.transports.at_modem.ports import as_port
from lighttls.transports.at_modem.registration import Identity, Registration, registration, signal
from lighttls.transports.at_modem.results import ModemError, port_failure
from lighttls.transports.at_modem.settings import settings_of
from lighttls.transports.at_modem.steps import Steps, Task
from lighttls.transports.driver import octets

T = TypeVar("T")
_CLOSED: Final = "the modem was closed by us"
_READ_SIZE: Final = 8192
_GRACE: Final = 2.0  # seconds beyond its timeout that a receive waits for an answer that is under way
_LONGEST_READ: Final = 0.5  # seconds: another thread may have started what cannot wait longer


class Modem:
    """An AT modem on a serial port.

    `port` is the name of a serial port (needs pyserial), an open port of pyserial, or any object with `read` and
    `write`; the modem owns it and closes it. `dialect` is "quectel", "simcom", "sim800", "a7670", "ublox" or
    "ublox-r4"; without one the module is asked. The rest are those of `Settings`. Nothing is sent before it is needed:
    `open_tcp` finds the modem, unlocks the SIM, waits for the network and brings the data connection up, and does so
    again after a reset.

    Threads may share a modem; each connection belongs to one of them at a time. All errors are TransportError; those of
    the modem are `ModemError`, whose `layer` says what failed.
    """

    def __init__(self, port: Any, dialect: str | None = None, *, baud: int = 115200, **settings: Any) -> None:
        self.settings = settings_of(settings)
        self._port = as_port(port, baud, flow_control=self.settings.flow_control)
        self._clock = getattr(self._port, "monotonic", monotonic)
        self._engine = Engine()
        self._dialect = family(dialect, self._engine, self.settings) if dialect else None
        self._closed = False
        self._turn = Condition()  # whoever has it may touch the engine
        self._asking = Lock()  # two answers would be two dialects at one engine
        self._setting_up = Lock()
        self._set_up: Task[Any] | None = None  # the last that had this lock
        self._reading = False  # a thread is at the port, the others wait for what it brings

    @property
    def dialect(self) -> Dialect:
        """The module's dialect. Asks for it if it is not known yet."""
        if self._dialect is None:
            with self._asking:
                self._dialect = self._dialect or self.run(detect(self._engine, self.settings))
        return self._dialect

    def open_tcp(self, host: str, port: int) -> ModemTransport:
        """Open a TCP connection: a transport for `lighttls.Stream`.

        Raises:
            ConfigurationError: the host or the port cannot be opened by this module; nothing was sent.
            ModemError: it failed; `layer` says where, from the serial line to TCP.
        """
        return self._open(self.dialect.open(host, port))

    def open_module_tls(self, host: str, port: int, tls: ModuleTls) -> ModemTransport:
        """Open a connection whose TLS is the module's own, for comparison: a transport of plaintext.

        It is not lighttls: see `ModuleTls` for what it does not do. Quectel modules only.

        Raises:
            ConfigurationError: this module, host or port cannot be used so; nothing was sent.
            ModemError: it failed; `layer` says where, and "module TLS" is all that the module tells of a handshake.
        """
        return self._open(self.dialect.open_module_tls(host, port, tls))

    def dial(self, command: str = DIAL) -> DataCall:
        """Call the network: a link of PPP, which `lighttls.transports.lwip.ppp.PppHost` connects over.

        `command` may as well be `ATD*99***1#` or `AT+CGDATA="PPP",1`. The modem does nothing else until the link is
        closed. Raises ModemError, whose `layer` says what is missing.
        """
        check_dialling(command)
        mode = DataMode(self.dialect)
        with self._turn_to_set_up(mode.dial(command)) as dialling:
            try:
                self._finish(dialling)
            except BaseException:
                if not dialling.done:  # an interrupt
                    self._start_quietly(mode.hang_up_after(dialling))
                raise
        return DataCall(self, mode)

    def bring_up(self) -> None:
        """Do now what the first `open_tcp` would: configure the module, wait for the network, get a data connection."""
        with self._turn_to_set_up(self.dialect.bring_up()) as task:
            self._finish(task)

    def identify(self) -> Identity:
        """Maker, model, firmware, and the numbers of module and SIM."""
        return self.run(self.dialect.identify())

    def registration(self) -> Registration:
        """Whether the module is in a network, and in which."""
        return self.run(self.dialect.when_configured(registration()))

    def signal(self) -> int | None:
        """Received power in dBm; None if there is no network."""
        return self.run(self.dialect.when_configured(signal()))

    def network_time(self) -> datetime | None:
        """The network's time in UTC; None if it never told. Nobody vouches for it: prefer any better clock."""
        return self.run(self.dialect.when_configured(self.dialect.network_time()))

    def ntp_time(self, server: str = "pool.ntp.org") -> datetime:
        """The time in UTC that the module gets by NTP, which nobody vouches for either."""
        with self._turn_to_set_up(self.dialect.ntp_time(server)) as task:
            return self._finish(task)

    def resolve(self, host: str) -> str:
        """An address of `host`, by the network's DNS."""
        with self._turn_to_set_up(self.dialect.look_up(host)) as task:
            return self._finish(task)

    def close(self) -> None:
        """Close the port. Connections that are still open end with it."""
        if not self._closed:
            self._closed = True
            self._port.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # What transports use

    def run(self, steps: Steps[T]) -> T:
        """Carry out a command sequence."""
        return self._finish(self.start(steps))

    def start(self, steps: Steps[T]) -> Task[T]:
        """Begin a command sequence, which goes on whenever somebody waits."""
        if self._closed:
            raise UsageError("this modem was closed by us")
        with self._turn:
            task = self._engine.start(steps, self._clock())
            self._flush()
        return task

    def wait(self, seconds: float | None) -> None:
        """Wait until something may have happened, but no longer than so many seconds."""
        with self._turn:
            if self._closed:
                raise ModemError(_CLOSED, "serial line")
            deadline = self._engine.deadline()
            left = _LONGEST_READ if deadline is None else max(0.0, deadline - self._clock())
            left = min(left, _LONGEST_READ) if seconds is None else min(left, _LONGEST_READ, seconds)
            if self._reading:
                self._turn.wait(left)
                return
            self._reading = True
        data: bytes | bytearray = b""
        try:
            came = self._port.read(_READ_SIZE, left)
            if not isinstance(came, bytes | bytearray):
                raise TypeError(f"the port's read returned {type(came).__name__}, not bytes")
            data = came
        except Exception as cause:
            if self._closed:  # by another thread meanwhile: what a port raises then is its own
                raise ModemError(_CLOSED, "serial line") from cause
            if isinstance(cause, LightTLSError):
                raise
            raise port_failure("reading", cause) from cause
        finally:
            with self._turn:
                self._reading = False
                self._turn.notify_all()
                if not self._closed:
                    if data:
                        self._engine.receive(data, self._clock())
                    else:
                        self._engine.advance(self._clock())
                    self._flush()

    def answering(self, task: Task[Any]) -> bool:
        """Whether a command of this sequence is in flight."""
        return self._engine.in_flight_for(task)

    def now(self) -> float:
        """The time that the port goes by."""
        return self._clock()

    def _open(self, steps: Steps[Link]) -> ModemTransport:
        with self._turn_to_set_up(steps) as opening:
            try:
                return ModemTransport(self, self._finish(opening))
            except BaseException:
                if not opening.done:  # an interrupt: nobody will have that connection
                    self._start_quietly(self.dialect.discard(opening))
                raise

    @contextmanager
    def _turn_to_set_up(self, steps: Steps[T]) -> Iterator[Task[T]]:
        """Begin what must not run twice at a time: one thread brings the modem up, the others find it ready.

        An interrupt, as of Ctrl-C, leaves it half done; the next one lets it end first.
        """
        with self._setting_up:
            if self._set_up is not None:
                while not self._set_up.done:
                    self.wait(None)
            self._set_up = task = self.start(steps)
            yield task

    def _finish(self, task: Task[T]) -> T:
        while not task.done:
            self.wait(None)
        return task.result()

    def _start_quietly(self, steps: Steps[None]) -> None:
        """Begin what another thread, or the next call, will carry out."""
        with suppress(ModemError, UsageError):  # the port is gone, and everything with it
            self.start(steps)

    def _flush(self) -> None:
        data = self._engine.data_to_send()
        if data:
            try:
                self._port.write(data)
            except LightTLSError:
                raise
            except Exception as cause:
                raise port_failure("writing", cause) from cause


class ModemTransport:
    """A TCP connection of a modem. Made by `Modem.open_tcp`; several may be open at once."""

    def __init__(self, modem: Modem, link: Link) -> None:
        self._modem = modem
        self._link = link
        self._receiving: Task[bytes] | None = None
        self._arrived = b""
        self._ended = False
        self._closed = False

    def send(self, data: bytes) -> int:
        """Hand the first bytes of `data` to the module, one command's worth, and return how many.

        It blocks while the module has no room, for `Settings.send_limit` seconds without progress at most. What the
        module took is not at the peer yet; if it never gets there, a later call raises ModemError.
        """
        self._check_open()
        some = bytes(octets(data)[: self._modem.dialect.send_size])
        return self._modem.run(self._modem.dialect.outgoing(self._link, some)) if some else 0

    def recv(self, n: int, timeout: float | None) -> bytes | None:
        """As `Transport.recv` says. What was received before a failure is delivered before it is raised."""
        self._check_open()
        check_count(n)
        if not self._arrived and not self._ended:
            if not self._wait_for_bytes(timeout):
                return None
            self._arrived = self._finish()
            self._ended = not self._arrived
        data, self._arrived = self._arrived[:n], self._arrived[n:]
        return data

    def close(self) -> None:
        """Close the module's connection. Does not raise if the modem no longer answers, or is gone."""
        if not self._closed:
            self._closed = True
            with suppress(TransportError, UsageError):
                self._modem.run(self._modem.dialect.close(self._link))

    def _wait_for_bytes(self, timeout: float | None) -> bool:
        modem = self._modem
        if self._receiving is None:
            self._receiving = modem.start(modem.dialect.incoming(self._link))
        end = None if timeout is None else modem.now() + timeout
        while not self._receiving.done:
            left = None if end is None else end - modem.now()
            if left is not None and left <= 0:
                left += _GRACE
                if left <= 0 or not self._in_progress():
                    return False
            modem.wait(left)
        return True

    def _finish(self) -> bytes:
        """What the finished task brought; the next one starts when it is asked for."""
        task, self._receiving = self._receiving, None
        assert task is not None
        return task.result()

    def _in_progress(self) -> bool:
        """Whether the module is just answering: that is waited for, a matter of milliseconds."""
        return self._receiving is not None and self._modem.answering(self._receiving)

    def _check_open(self) -> None:
        if self._closed:
            raise UsageError("this connection was closed by us")
