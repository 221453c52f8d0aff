"""Everything that can carry TLS, each behind one face: a carrier reaches a site, and makes the same conversation there.

A carrier is a context manager that takes a site and yields what opens a stream to it; `blocking` and `under_asyncio`
make a `Talk` of that. One more carrier is one such function, and a row of `IN_PROCESS` or `BY_TCP`.
"""

from __future__ import annotations

import asyncio
import hashlib
import socket
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from functools import partial
from queue import Empty, Queue
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any, Protocol, Self

import pytest

import lighttls
from lighttls import ClientConfig, Stream, Transport, aio, memory_pair
from lighttls.testing.modem import Network, Peer, PppNetwork, Pty, RealTimeline, SimulatedModem, tcp
from lighttls.transports import SocketTransport, driver
from lighttls.transports.at_modem import AsyncModem, Modem
from lighttls.transports.lwip import Host, PppHost, memory_links
from support import lwip, require, tap
from support.modem import FAMILIES, MODES

PATIENCE = 20.0  # seconds that one wait may take
NAME = "server.example"  # what a modem is told to connect to; a simulated one resolves any name
LINES = (b"hello\n", hashlib.shake_256(b"a line").hexdigest(1000).encode() + b"\n")  # each answered by as many bytes
LAST = b"CLOSE\n"  # answered by close_notify

Talk = Callable[[ClientConfig], None]
Open = Callable[[ClientConfig], Stream]
OpenAsync = Callable[[ClientConfig], Awaitable[aio.Stream]]


# --- the other end -------------------------------------------------------------------------------


class Brain(Protocol):
    """One connection of a server, without a wire."""

    def receive(self, data: bytes) -> None: ...

    def take(self) -> bytes: ...


class Served:
    """What a site heard and said on one connection. `ended` is set when the client is gone."""

    def __init__(self, brain: Brain) -> None:
        self.brain = brain
        self.heard = self.said = b""
        self.failure: BaseException | None = None
        self.ended = threading.Event()

    def receive(self, data: bytes) -> bytes:
        """The answer. What the server complains of is kept for the test, since this may run in any thread."""
        self.heard += data
        try:
            self.brain.receive(data)
        except BaseException as failure:
            self.failure = failure
            return b""
        answer = self.brain.take()
        self.said += answer
        return answer

    def serve(self, link: Transport) -> None:
        """Answer at the other end of `link` until the client is gone."""
        while self.failure is None and (data := link.recv(65536, None)):
            answer = self.receive(data)
            while answer:
                answer = answer[link.send(answer) :]
        self.ended.set()
        link.close()


class Site:
    """Servers for one connection after the other, within reach of every carrier."""

    def __init__(self, host: str, make: Callable[[], Brain]) -> None:
        self.host = host
        self.connections: list[Served] = []
        self._make = make

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for served in self.connections:
            if served.failure is not None:
                raise served.failure
            assert kind or served.ended.wait(PATIENCE), "the carrier did not tell the server that the client is gone"

    def accept(self) -> Served:
        served = Served(self._make())
        self.connections.append(served)
        return served

    @contextmanager
    def listening(self) -> Iterator[int]:
        """A port of 127.0.0.1."""
        site = self

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                site.accept().serve(SocketTransport(self.request))

        with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            try:
                yield server.server_address[1]
            finally:
                server.shutdown()
                thread.join()


class SitePeer(Peer):
    """A site behind a simulated modem, in the simulator's own time."""

    def __init__(self, site: Site) -> None:
        self._served = site.accept()

    def received(self, data: bytes) -> None:
        if answer := self._served.receive(data):
            self.link.send(answer)

    def closed(self) -> None:
        self._served.ended.set()


# --- blocking carriers -----------------------------------------------------------------------------


@contextmanager
def no_wire(site: Site) -> Iterator[Talk]:
    """`ClientConnection` itself, its bytes handed over as they are: the reference."""

    def talk(config: ClientConfig) -> None:
        served, connection = site.accept(), driver.ClientConnection(config, site.host)
        connection.initiate_connection()
        for line in (b"", *LINES, LAST):
            if line:
                connection.send_data(line)
            while data := connection.data_to_send():
                if answer := served.receive(data):
                    connection.receive_data(answer)
        connection.close()
        served.receive(connection.data_to_send())
        served.ended.set()

    yield talk


def over(site: Site, dial: Callable[[], Transport]) -> Open:
    return lambda config: Stream(dial(), config, site.host, timeout=PATIENCE)


@contextmanager
def threaded(site: Site, pair: Callable[[], tuple[Transport, Transport]]) -> Iterator[Open]:
    """Two ends in one process, the server's in a thread."""
    threads = []

    def dial() -> Transport:
        ours, theirs = pair()
        threads.append(threading.Thread(target=site.accept().serve, args=(theirs,)))
        threads[-1].start()
        return ours

    yield over(site, dial)
    for thread in threads:
        thread.join(PATIENCE)


class Queued:
    """A transport over two queues that carry nothing longer than seven bytes."""

    def __init__(self, there: Queue[bytes], back: Queue[bytes]) -> None:
        self._there, self._back = there, back

    def send(self, data: bytes) -> int:
        self._there.put(data[:7])
        return len(data[:7])

    def recv(self, n: int, timeout: float | None) -> bytes | None:
        try:
            return self._back.get(timeout=timeout)
        except Empty:
            return None

    def close(self) -> None:
        self._there.put(b"")


def queue_pair() -> tuple[Queued, Queued]:
    there: Queue[bytes] = Queue()
    back: Queue[bytes] = Queue()
    return Queued(there, back), Queued(back, there)


def socket_pair() -> tuple[SocketTransport, SocketTransport]:
    ours, theirs = socket.socketpair()
    return SocketTransport(ours), SocketTransport(theirs)


@contextmanager
def tcp_socket(site: Site) -> Iterator[Open]:
    with site.listening() as port:
        yield lambda config: lighttls.connect(("127.0.0.1", port), config, server_hostname=site.host, timeout=PATIENCE)


@contextmanager
def modem_in_memory(site: Site, dialect: str, settings: dict[str, Any]) -> Iterator[Open]:
    """A virtual clock, and a line of 115200 baud by it."""
    simulated = SimulatedModem(FAMILIES[dialect], Network(lambda host, port: SitePeer(site), round_trip=0.05))
    with Modem(simulated, dialect, **settings) as line:
        yield over(site, lambda: line.open_tcp(NAME, 443))
        simulated.timeline.run_until(simulated.monotonic() + 1)  # so that the last close arrives


@contextmanager
def serial_port(site: Site, dialect: str, ppp: PppNetwork | None = None) -> Iterator[tuple[str, int]]:
    """A modem on a pseudo-terminal that pyserial opens, real time, TCP behind it: its name, and the site's port."""
    if sys.platform == "win32":
        pytest.skip("Windows has no pseudo-terminals")
    require.module("serial")
    network = Network(lambda host, port: tcp("127.0.0.1", port), ppp=ppp)
    simulated = SimulatedModem(FAMILIES[dialect], network, baud=921600, timeline=RealTimeline())
    with site.listening() as port, Pty(simulated) as pty:
        yield pty.name, port


@contextmanager
def modem_behind_pty(site: Site, dialect: str, settings: dict[str, Any]) -> Iterator[Open]:
    with serial_port(site, dialect) as (name, port), Modem(name, dialect, **settings) as line:
        yield over(site, lambda: line.open_tcp(NAME, port))


@contextmanager
def lwip_to_lwip(site: Site) -> Iterator[Open]:
    """Two stacks in this process, Ethernet frames between them; the site's is driven by a thread of its own."""
    here, there = memory_links()
    stop = threading.Event()
    with (
        lwip.held() as (first, second),
        Host(here, "10.77.0.1/24", core=first) as ours,
        Host(there, "10.77.0.2/24", core=second, linger=0.0) as theirs,
    ):
        listener = theirs.listen()

        def accept() -> None:
            while not stop.is_set():
                if (link := listener.accept(0.05)) is not None:
                    site.accept().serve(link)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield over(site, lambda: ours.open_tcp("10.77.0.2", listener.port))
        finally:
            stop.set()
            thread.join(PATIENCE)


@contextmanager
def lwip_to_kernel(site: Site) -> Iterator[Open]:
    """lwIP at one end of a TAP device, the kernel's TCP at the other, which hands on to the site's."""
    with (
        lwip.held() as (core, _),
        site.listening() as port,
        tap.namespace() as made,
        tap.relayed(made, port) as kernel_port,
    ):
        host = Host(made.tap, f"{tap.OURS}/24", core=core)
        try:
            yield over(site, lambda: host.open_tcp(tap.KERNEL, kernel_port))
        finally:
            host.close()


@contextmanager
def ppp_in_memory(site: Site) -> Iterator[Open]:
    """lwIP over PPP over a data call of a simulated module, 115200 baud by a virtual clock; the network is lwIP too."""
    with lwip.held() as (first, second):
        network = Network(lambda host, port: SitePeer(site), round_trip=0.05, ppp=PppNetwork(second))
        simulated = SimulatedModem("EC21", network)
        with PppHost.dial(Modem(simulated, "quectel"), core=first) as host:
            yield over(site, lambda: host.open_tcp(NAME, 443))
        simulated.timeline.run_until(simulated.monotonic() + 1)  # so that the last close arrives


@contextmanager
def ppp_behind_pty(site: Site) -> Iterator[Open]:
    """The same on a pseudo-terminal that pyserial opens, in real time, TCP behind it."""
    with (
        lwip.held() as (first, second),
        serial_port(site, "quectel", ppp=PppNetwork(second)) as (name, port),
        Modem(name, "quectel") as line,
        PppHost.dial(line, core=first) as host,
    ):
        yield over(site, lambda: host.open_tcp(NAME, port))


# --- under asyncio ---------------------------------------------------------------------------------


@asynccontextmanager
async def tcp_streams(site: Site) -> AsyncIterator[OpenAsync]:
    async def connect(config: ClientConfig) -> aio.Stream:
        return (await aio.open_connection("127.0.0.1", port, config, server_hostname=site.host, timeout=PATIENCE))[0]

    with site.listening() as port:
        yield connect


@asynccontextmanager
async def async_modem(site: Site, dialect: str, settings: dict[str, Any]) -> AsyncIterator[OpenAsync]:
    with serial_port(site, dialect) as (name, port):
        async with await AsyncModem.open(name, dialect, **settings) as line:

            async def connect(config: ClientConfig) -> aio.Stream:
                link = await line.open_tcp(NAME, port)
                return aio.Stream(link, link, config, site.host)

            yield connect


# --- the conversation ------------------------------------------------------------------------------


@contextmanager
def blocking(carrier: Callable[..., AbstractContextManager[Open]], site: Site, **mode: Any) -> Iterator[Talk]:
    def talk(config: ClientConfig) -> None:
        with connect(config) as tls:
            for line in LINES:
                tls.sendall(line)
                left = len(line)
                while left:
                    left -= len(tls.recv(left))
            tls.sendall(LAST)
            while tls.recv(4096):
                pass

    with carrier(site, **mode) as connect:
        yield talk


@contextmanager
def under_asyncio(
    carrier: Callable[..., AbstractAsyncContextManager[OpenAsync]], site: Site, **mode: Any
) -> Iterator[Talk]:
    async def converse(config: ClientConfig) -> None:
        async with asyncio.timeout(PATIENCE), await connect(config) as tls:
            for line in LINES:
                tls.write(line)
                await tls.readexactly(len(line))
            tls.write(LAST)
            await tls.read()

    with asyncio.Runner() as runner:
        entered = carrier(site, **mode)
        connect = runner.run(entered.__aenter__())
        try:
            yield lambda config: runner.run(converse(config))
        finally:
            runner.run(entered.__aexit__(None, None, None))


def _words(settings: dict[str, Any]) -> list[str]:
    """A mode's name: what a setting says, or the setting that is on."""
    return [value if isinstance(value, str) else name for name, value in settings.items()]


def _in_each_mode(name: str, carrier: Any) -> dict[str, Any]:
    return {
        "-".join((name, dialect, *_words(settings))): partial(carrier, dialect=dialect, settings=settings)
        for dialect, settings in MODES
    }


# A carrier in one process reaches a site by `accept`, one with TCP behind it by `listening`.
IN_PROCESS: dict[str, Callable[[Any], AbstractContextManager[Talk]]] = {
    "no-wire": no_wire,
    "memory": partial(blocking, partial(threaded, pair=memory_pair)),
    "queue": partial(blocking, partial(threaded, pair=queue_pair)),
    "socketpair": partial(blocking, partial(threaded, pair=socket_pair)),
    "lwip": partial(blocking, lwip_to_lwip),
    "ppp": partial(blocking, ppp_in_memory),
    **_in_each_mode("modem", partial(blocking, modem_in_memory)),
}
BY_TCP: dict[str, Callable[[Any], AbstractContextManager[Talk]]] = {
    "socket": partial(blocking, tcp_socket),
    "asyncio": partial(under_asyncio, tcp_streams),
    "lwip-tap": partial(blocking, lwip_to_kernel),
    "ppp-pty": partial(blocking, ppp_behind_pty),
    **_in_each_mode("pty", partial(blocking, modem_behind_pty)),
    **_in_each_mode("asyncio-pty", partial(under_asyncio, async_modem)),
}
