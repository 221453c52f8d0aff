"""TLS for asyncio: the reader and the writer of a connection, in one object."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType

from lighttls._typing import Final, Protocol, Self
from lighttls.config import ClientConfig
from lighttls.connection import ClientConnection
from lighttls.errors import LightTLSError, TransportError, UsageError
from lighttls.info import ConnectionInfo
from lighttls.session import Session
from lighttls.transports import LONGEST_HOLD, Driver, carrying, check_address, check_bounds, check_hold, check_session
from lighttls.x509 import reference_name

_FAREWELL: Final = 30.0  # seconds, as asyncio gives its own TLS
_RECEIVE_SIZE: Final = 32768  # bytes asked of the reader below at a time
_LINE_LIMIT: Final = 65536  # bytes that `readuntil` looks through, as in asyncio


class Reader(Protocol):
    """What is needed of the reader below; `asyncio.StreamReader` has it."""

    async def read(self, n: int = -1) -> bytes: ...


class Writer(Protocol):
    """What is needed of the writer below; `asyncio.StreamWriter` has it."""

    def write(self, data: bytes) -> None: ...

    async def drain(self) -> None: ...

    def close(self) -> None: ...

    async def wait_closed(self) -> None: ...


async def open_connection(
    host: str,
    port: int,
    config: ClientConfig,
    *,
    server_hostname: str | None = None,
    session: Session | None = None,
    timeout: float | None = None,
    deadline: float | None = None,
    hold_flight: float = LONGEST_HOLD,
) -> tuple[Stream, Stream]:
    """Connect by TCP, make the handshake, and return (reader, writer): the same `Stream`, twice.

    `timeout` bounds each wait without progress, `deadline` all of it, in seconds; for what comes
    after the handshake use `asyncio.timeout`. `session` and `hold_flight` are those of `Stream`. Raises as
    `lighttls.connect` does.
    """
    check_address((host, port))
    check_bounds(timeout=timeout, deadline=deadline)
    check_hold(hold_flight)
    check_session(session)
    name = server_hostname or host
    reference_name(name)  # refuses what the handshake would, before anybody is called
    try:
        async with asyncio.timeout(deadline):
            async with asyncio.timeout(timeout):
                reader, writer = await asyncio.open_connection(host, port)
            stream = Stream(reader, writer, config, name, session=session, hold_flight=hold_flight)
            await stream.handshake(timeout)
    except TimeoutError as cause:
        raise TransportError(f"{host} port {port} took too long", timed_out=True, hint=_NO_ANSWER, host=host) from cause
    except (OSError, UnicodeError) as cause:  # also a host name that cannot be one
        raise TransportError(f"cannot connect to {host} port {port}: {cause}", hint=_NO_LINK, host=host) from cause
    return stream, stream


class Stream:
    """A TLS 1.2 client connection over an asyncio reader and writer, or anything of that shape.

    It has the methods of both: `read`, `readexactly`, `readuntil`, `readline`, and `write`,
    `drain`, `close`, `wait_closed`. Call `handshake` first, or enter it with `async with`. One
    task may read while another writes. A signer is called in the event loop and holds it up.

    `session` is offered before what the configuration's store has. After a resumed handshake our last flight waits, for
    `hold_flight` seconds at most, for the first `write`, `read`, `drain` or `close`, and leaves in one piece with what
    that sends. Under False Start `handshake` returns when data may be sent, and the server's last flight is left to the
    first `read`: what `lighttls.Stream` says of it holds here too.

    It owns the writer and closes it, also when the handshake fails. Plaintext that came before an
    error is delivered before the error is raised, or stays and can be read after it.

    Two errors are no LightTLSError: asyncio.IncompleteReadError and asyncio.LimitOverrunError of
    `readexactly` and `readuntil`, because whoever reads from an `asyncio.StreamReader` expects them.
    """

    def __init__(
        self,
        reader: Reader,
        writer: Writer,
        config: ClientConfig,
        server_hostname: str,
        *,
        session: Session | None = None,
        hold_flight: float = LONGEST_HOLD,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._closing = False
        self._buffer = bytearray()  # plaintext that came while something longer was awaited
        self._hold_flight = hold_flight
        self._held = b""  # our last flight, while it waits for data to leave with
        try:
            check_hold(hold_flight)
            self._driver = Driver(config, server_hostname, session)
        except BaseException:
            self._close_writer()
            raise

    @property
    def connection(self) -> ClientConnection:
        """The connection behind this face: for its trace, `export_session` and the like. Do not feed it."""
        return self._driver.connection

    @property
    def info(self) -> ConnectionInfo:
        """What was agreed, and what it cost so far. Raises UsageError before the handshake is complete."""
        return self._driver.connection.info

    async def handshake(self, timeout: float | None = None) -> None:
        """Make the handshake; `timeout` bounds each wait without progress, in seconds."""
        try:
            await self.drain()
            while not self._driver.ready:
                async with asyncio.timeout(timeout):
                    await self._feed()
                    if self._hold_flight and self._driver.may_send:
                        self._hold()
                    else:
                        await self._answer()
        except TimeoutError as cause:
            self.close()
            raise TransportError(f"nothing came for {timeout:g} s", timed_out=True, hint=_NO_ANSWER) from cause
        except BaseException:
            self.close()
            raise

    async def read(self, n: int = -1) -> bytes:
        """At most `n` bytes as soon as there are any; all until the end if `n` is negative; b"" at a clean end."""
        if n >= 0:
            return self._take_buffered(n) or (await self._more(n) if n else b"")
        while data := await self._more(_RECEIVE_SIZE):
            self._buffer += data  # where it can still be read if the end does not come
        return self._take_buffered(len(self._buffer))

    async def readexactly(self, n: int) -> bytes:
        """Exactly `n` bytes. Raises asyncio.IncompleteReadError if the peer closes before."""
        while len(self._buffer) < n:
            await self._search_on(n)
        return self._take_buffered(n)

    async def readuntil(self, separator: bytes = b"\n") -> bytes:
        """Everything through `separator`. Raises asyncio.IncompleteReadError or asyncio.LimitOverrunError (64 KiB)."""
        start = 0
        while (found := self._buffer.find(separator, start)) < 0:
            start = max(0, len(self._buffer) - len(separator) + 1)
            if len(self._buffer) > _LINE_LIMIT:
                raise asyncio.LimitOverrunError("separator not found within the limit", len(self._buffer))
            await self._search_on(None)
        return self._take_buffered(found + len(separator))

    async def readline(self) -> bytes:
        """A line with its newline; what is left, if the peer closes before one."""
        try:
            return await self.readuntil()
        except asyncio.IncompleteReadError as error:
            return error.partial

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Seal `data` and hand it to the writer below; `await drain()` from time to time."""
        if self._closing:
            raise UsageError("this connection was closed by us")
        self._driver.send(data)
        self._hand_over()

    async def drain(self) -> None:
        """Wait until the writer below has room again. Raises TransportError if the link is broken."""
        self._hand_over()
        with carrying("sending"):
            await self._writer.drain()

    def close(self) -> None:
        """Send close_notify, as far as the link still lets us, and close the writer below."""
        if not self._closing:
            self._closing = True
            with suppress(LightTLSError):
                self._driver.connection.close()
                self._hand_over()
            self._close_writer()

    def is_closing(self) -> bool:
        """Whether `close` was called."""
        return self._closing

    async def wait_closed(self) -> None:
        """Wait until the link is given back; after 30 s a peer that reads nothing more is cut off."""
        with suppress(Exception):  # it may have been broken all along
            try:
                async with asyncio.timeout(_FAREWELL):
                    await self._writer.wait_closed()
            except TimeoutError:
                transport = getattr(self._writer, "transport", None)
                if transport is not None:
                    transport.abort()

    async def __aenter__(self) -> Self:
        if not self._driver.ready:
            await self.handshake()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        await self.wait_closed()

    def _take_buffered(self, n: int) -> bytes:
        data = bytes(self._buffer[:n])
        del self._buffer[:n]
        return data

    async def _search_on(self, expected: int | None) -> None:
        data = await self._more(_RECEIVE_SIZE)
        if not data:
            raise asyncio.IncompleteReadError(self._take_buffered(len(self._buffer)), expected)
        self._buffer += data

    async def _more(self, n: int) -> bytes:
        if self._held:
            self._hand_over_late()
        while (data := self._driver.take(n)) is None:
            if self._closing:
                raise UsageError("this connection was closed by us")
            if not self._driver.ready:
                raise UsageError("await handshake() first: there is nothing to read before it is complete")
            await self._feed()
            await self._answer()
        return data

    async def _feed(self) -> None:
        """Wait for bytes, and take them in."""
        with carrying("receiving"):
            data = await self._reader.read(_RECEIVE_SIZE)
        self._driver.feed(data)

    async def _answer(self) -> None:
        """Send what they ask for: the next flight, or an alert."""
        try:
            await self.drain()
        except TransportError:
            if not self._driver.error:  # else the alert is lost, but the reason for it counts
                raise

    def _hold(self) -> None:
        """Keep our last flight for the first data. Whoever sends takes it along, so nothing needs to stop the timer."""
        self._held = self._driver.data_to_send()
        if self._held:
            asyncio.get_running_loop().call_later(self._hold_flight, self._hand_over_late)

    def _close_writer(self) -> None:
        with suppress(Exception):  # whatever it is, we are done with it, and the first failure counts
            self._writer.close()

    def _hand_over_late(self) -> None:
        with suppress(LightTLSError):  # what failed waits in the driver
            self._hand_over()

    def _hand_over(self) -> None:
        data, self._held = self._held + self._driver.data_to_send(), b""
        if data:
            try:
                with carrying("sending"):
                    self._writer.write(data)
            except TransportError as failure:
                self._driver.give_up(failure)
                raise


_NO_ANSWER = "The server does not answer, or the link is slow. Check address and port, or allow more time."
_NO_LINK = "Check address and port, that the server is running, and that this device has a network and a working DNS."
