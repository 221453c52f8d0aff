"""A modem for asyncio."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Protocol, Self, TypeVar

from lighttls.errors import LightTLSError, UsageError
from lighttls.transports.at_modem.dialect import Dialect
from lighttls.transports.at_modem.engine import Engine
from lighttls.transports.at_modem.families import detect, family
from lighttls.transports.at_modem.link import Link, check_count
from lighttls.transports.at_modem.module_tls import ModuleTls
from lighttls.transports.at_modem.ports import open_serial
from lighttls.transports.at_modem.registration import Identity, Registration, registration, signal
from lighttls.transports.at_modem.results import ModemError, port_failure
from lighttls.transports.at_modem.settings import settings_of
from lighttls.transports.at_modem.steps import Steps, Task
from lighttls.transports.driver import octets

T = TypeVar("T")
_READ_SIZE: Final = 8192
_HIGH_WATER: Final = 16384  # bytes that wait for the module before `drain` waits


class Reader(Protocol):
    async def read(self, n: int) -> bytes: ...


class Writer(Protocol):
    def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


class _SerialWriter:
    """Both directions of a serial port that we opened, closed together."""

    def __init__(self, there: asyncio.ReadTransport, back: asyncio.WriteTransport) -> None:
        self._there = there
        self._back = back

    def write(self, data: bytes) -> None:
        self._back.write(data)

    def close(self) -> None:
        self._there.close()
        self._back.close()


class AsyncModem:
    """An AT modem under asyncio, over a reader and a writer as `serial_asyncio.open_serial_connection` gives them.

    `AsyncModem.open(name)` opens a serial port itself. Tasks may use several connections at once; settings and errors
    are those of `Modem`. It is made inside a running event loop.
    """

    def __init__(self, reader: Reader, writer: Writer, dialect: str | None = None, **settings: Any) -> None:
        self.settings = settings_of(settings)
        self._reader = reader
        self._writer = writer
        self._engine = Engine()
        self._dialect = family(dialect, self._engine, self.settings) if dialect else None
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError as cause:
            raise UsageError("an AsyncModem is made inside a running event loop") from cause
        self._waiting: list[tuple[Task[Any], asyncio.Future[None]]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._broken: ModemError | None = None
        self._asking: asyncio.Future[Dialect] | None = None
        self._setting_up = asyncio.Lock()
        self._pump = self._loop.create_task(self._listen())

    @classmethod
    async def open(cls, name: str, dialect: str | None = None, *, baud: int = 115200, **settings: Any) -> Self:
        """Open the serial port of that name (needs pyserial; not on Windows)."""
        settings_of(settings)  # refuses what it cannot use before the port is open
        serial = open_serial(name, baud, flow_control=bool(settings.get("flow_control")))
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        incoming = os.fdopen(os.dup(serial.fileno()), "rb", buffering=0)
        outgoing = os.fdopen(os.dup(serial.fileno()), "wb", buffering=0)
        serial.close()
        there, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), incoming)
        back, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, outgoing)
        return cls(reader, _SerialWriter(there, back), dialect, **settings)

    async def open_tcp(self, host: str, port: int) -> AsyncConnection:
        """Open a TCP connection: reader and writer for `lighttls.aio.Stream`, in one object."""
        return await self._open(lambda dialect: dialect.open(host, port))

    async def open_module_tls(self, host: str, port: int, tls: ModuleTls) -> AsyncConnection:
        """Open a connection whose TLS is the module's own, for comparison, as `Modem.open_module_tls` does."""
        return await self._open(lambda dialect: dialect.open_module_tls(host, port, tls))

    async def bring_up(self) -> None:
        """Do now what the first `open_tcp` would: configure the module, wait for the network, get a data connection."""
        await asyncio.shield(await self._set_up(lambda dialect: dialect.bring_up()))

    async def identify(self) -> Identity:
        """Maker, model, firmware, and the numbers of module and SIM."""
        return await self.run((await self.dialect()).identify())

    async def registration(self) -> Registration:
        """Whether the module is in a network, and in which."""
        return await self.run((await self.dialect()).when_configured(registration()))

    async def signal(self) -> int | None:
        """Received power in dBm; None if there is no network."""
        return await self.run((await self.dialect()).when_configured(signal()))

    async def network_time(self) -> datetime | None:
        """The network's time in UTC; None if it never told. Nobody vouches for it: prefer any better clock."""
        dialect = await self.dialect()
        return await self.run(dialect.when_configured(dialect.network_time()))

    async def ntp_time(self, server: str = "pool.ntp.org") -> datetime:
        """The time in UTC that the module gets by NTP, which nobody vouches for either."""
        return await asyncio.shield(await self._set_up(lambda dialect: dialect.ntp_time(server)))

    async def resolve(self, host: str) -> str:
        """An address of `host`, by the network's DNS."""
        return await asyncio.shield(await self._set_up(lambda dialect: dialect.look_up(host)))

    async def dialect(self) -> Dialect:
        """The module's dialect. Asks for it if it is not known yet."""
        if self._dialect is None:  # ask once, whoever wants to know: two answers would be two dialects at one engine
            if self._asking is None or self._asking.done():
                self._asking = asyncio.ensure_future(self.run(detect(self._engine, self.settings)))
            self._dialect = await asyncio.shield(self._asking)
        return self._dialect

    async def run(self, steps: Steps[T]) -> T:
        """Carry out a command sequence. One that is cancelled goes on by itself."""
        if self._broken is not None:
            raise self._broken
        task = self._engine.start(steps, self._loop.time())
        if not task.done:
            future: asyncio.Future[None] = self._loop.create_future()
            self._waiting.append((task, future))
            self._go_on()
            await future
        else:
            self._go_on()
        return task.result()

    async def close(self) -> None:
        """Close the port. Connections that are still open end with it."""
        self._pump.cancel()
        self._break(ModemError("the modem was closed by us", "serial line"))
        with suppress(Exception):  # it may be broken already
            self._writer.close()
        await asyncio.wait((self._pump,))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _listen(self) -> None:
        try:
            while data := await self._reader.read(_READ_SIZE):
                self._engine.receive(data, self._loop.time())
                self._go_on()
            self._break(ModemError("the port was closed or unplugged", "serial line"))
        except asyncio.CancelledError:
            self._break(ModemError("reading was cancelled", "serial line"))
            raise
        except Exception as cause:
            self._break(port_failure("reading", cause))

    async def _set_up(self, steps: Callable[[Dialect], Steps[T]]) -> asyncio.Future[T]:
        """Begin what must not run twice at a time: one brings the modem up, the others find it ready.

        The next has its turn when this is over, though whoever waits for it may be cancelled before.
        """
        await self._setting_up.acquire()
        task = asyncio.ensure_future(self._with_dialect(steps))
        task.add_done_callback(lambda _: self._setting_up.release())
        return task

    async def _with_dialect(self, steps: Callable[[Dialect], Steps[T]]) -> T:
        return await self.run(steps(await self.dialect()))

    async def _open(self, steps: Callable[[Dialect], Steps[Link]]) -> AsyncConnection:
        opening = await self._set_up(steps)
        try:
            return AsyncConnection(self, await asyncio.shield(opening))
        except asyncio.CancelledError:
            opening.add_done_callback(self._close_unused)
            raise

    def _close_unused(self, opening: asyncio.Future[Link]) -> None:
        """Somebody did not wait for a connection: give it back when it is open."""
        if not opening.cancelled() and opening.exception() is None and self._dialect is not None:
            self._engine.start(self._dialect.close(opening.result()), self._loop.time())
            self._go_on()

    def _advance(self) -> None:
        self._timer = None
        self._engine.advance(self._loop.time())
        self._go_on()

    def _go_on(self) -> None:
        """Write what there is, wake who has waited for it, and set the clock."""
        data = self._engine.data_to_send()
        if data:
            try:
                self._writer.write(data)
            except Exception as cause:
                self._break(port_failure("writing", cause))
        for task, future in self._waiting:
            if task.done and not future.done():
                future.set_result(None)
        self._waiting = [pair for pair in self._waiting if not pair[1].done()]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._engine.deadline()
        if deadline is not None and self._broken is None:
            self._timer = self._loop.call_at(deadline, self._advance)

    def _break(self, error: ModemError) -> None:
        if self._broken is None:
            self._broken = error
            self._engine.stop(error)
            self._go_on()


class AsyncConnection:
    """A TCP connection of an `AsyncModem`, with the methods of an asyncio reader and writer. Made by `open_tcp`."""

    def __init__(self, modem: AsyncModem, link: Link) -> None:
        self._modem = modem
        self._link = link
        self._arrived = b""
        self._ended = False
        self._receiving: asyncio.Task[bytes] | None = None
        self._unsent = bytearray()
        self._sender: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None
        self._room = asyncio.Event()
        self._room.set()
        self._closer: asyncio.Task[None] | None = None

    async def read(self, n: int = 65536) -> bytes:
        """At most `n` bytes as soon as there are any; b"" at the end of the stream."""
        check_count(n)
        if not self._arrived and not self._ended:
            if self._receiving is None:
                self._receiving = asyncio.ensure_future(self._receive())
                self._receiving.add_done_callback(_seen)
            receiving = self._receiving
            await asyncio.wait((receiving,))  # a read that is cancelled leaves it to the next one
            self._receiving = None
            self._arrived = receiving.result()
            self._ended = not self._arrived
        data, self._arrived = self._arrived[:n], self._arrived[n:]
        return data

    def write(self, data: bytes) -> None:
        """Queue `data`. Raises ModemError if the connection has failed."""
        if self._closer is not None:
            raise UsageError("this connection was closed by us")
        self._check()
        self._unsent += octets(data)
        if len(self._unsent) > _HIGH_WATER:
            self._room.clear()
        if self._unsent and self._sender is None:
            self._sender = asyncio.ensure_future(self._send())

    async def drain(self) -> None:
        """Wait until little enough waits. Raises ModemError if the connection has failed."""
        await self._room.wait()
        self._check()

    def close(self) -> None:
        """Send what is queued, then close the module's connection."""
        if self._closer is None:
            self._closer = asyncio.ensure_future(self._close())

    def is_closing(self) -> bool:
        return self._closer is not None

    async def wait_closed(self) -> None:
        """Wait until the connection is given back."""
        if self._closer is not None:
            await asyncio.wait((self._closer,))

    async def _receive(self) -> bytes:
        return await self._modem.run((await self._modem.dialect()).incoming(self._link))

    async def _send(self) -> None:
        dialect = await self._modem.dialect()
        try:
            while self._unsent:
                taken = await self._modem.run(dialect.outgoing(self._link, bytes(self._unsent[: dialect.send_size])))
                del self._unsent[:taken]
                if len(self._unsent) <= _HIGH_WATER:
                    self._room.set()
        except Exception as failure:
            self._failure = failure
            self._unsent.clear()
        finally:
            self._sender = None
            self._room.set()

    async def _close(self) -> None:
        if self._sender is not None:
            await asyncio.wait((self._sender,))
        with suppress(LightTLSError):  # a modem that is gone has closed everything
            await self._modem.run((await self._modem.dialect()).close(self._link))
        if self._receiving is not None:
            await asyncio.wait((self._receiving,))  # it ends with the connection; what it brought nobody wants
            self._receiving.exception()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure


def _seen(task: asyncio.Task[bytes]) -> None:
    """The next read raises its error; where none comes, asyncio need not log it."""
    if not task.cancelled():
        task.exception()
