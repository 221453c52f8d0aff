"""What lies behind a simulated modem: names, peers, and TCP as far as a modem shows of it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from lighttls.errors import ConfigurationError
from lighttls.testing.modem.timeline import RealTimeline, Timeline

if TYPE_CHECKING:
    from lighttls.testing.modem.ppp import PppNetwork

WINDOW: Final = 10240  # bytes that a module keeps for us, and as many that it keeps of ours until they are acknowledged
_REAL: Final = "Make the modem with SimulatedModem(..., timeline=RealTimeline()) and put it behind a Pty."


class PeerLink:
    """A peer's end of a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def send(self, data: bytes) -> None:
        self._connection.travel(lambda: self._connection.arrive(data))

    def close(self) -> None:
        """Send FIN, after everything that was sent."""
        self._connection.travel(self._connection.arrive_end)

    @property
    def in_real_time(self) -> bool:
        return isinstance(self._connection.network.timeline, RealTimeline)

    def call(self, step: Callable[[], None]) -> None:
        """Do something in the simulator's own thread; the one thing that another thread may call."""
        self._connection.network.call(step)


class Peer:
    """Somebody to connect to. Subclasses say what they do with what they hear."""

    link: PeerLink

    def opened(self, link: PeerLink) -> None:
        self.link = link

    def received(self, data: bytes) -> None:
        raise NotImplementedError

    def closed(self) -> None:
        """The other side is gone."""


class Echo(Peer):
    """Returns every byte."""

    def received(self, data: bytes) -> None:
        self.link.send(data)


class TcpPeer(Peer):
    """A real TCP connection; for a simulator that runs in real time."""

    def __init__(self, host: str, port: int) -> None:
        self._socket = socket.create_connection((host, port), 10)
        self._socket.settimeout(None)

    def opened(self, link: PeerLink) -> None:
        if not link.in_real_time:
            self._socket.close()
            raise ConfigurationError("real TCP takes real time, and this modem has a virtual clock", hint=_REAL)
        super().opened(link)
        threading.Thread(target=self._listen, daemon=True).start()

    def received(self, data: bytes) -> None:
        with suppress(OSError):  # whoever is gone says so to `_listen`
            self._socket.sendall(data)

    def closed(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _listen(self) -> None:
        with suppress(OSError), self._socket:
            while data := self._socket.recv(65536):
                self.link.call(lambda data=data: self.link.send(data))  # type: ignore[misc]
        self.link.call(self.link.close)


Dialer = Callable[[str, int], Peer]


class Network:
    """Whom a module can reach. `dial(host, port)` returns a peer or raises OSError.

    `names` are those that DNS knows; None: every name is its own address as far as `dial` is concerned. `ppp` is what
    data calls lead to; without it the network takes none.
    """

    def __init__(
        self,
        dial: Dialer,
        *,
        names: Mapping[str, str] | None = None,
        round_trip: float = 0.0,
        ppp: PppNetwork | None = None,
    ) -> None:
        self.dial = dial
        self.names = names
        self.round_trip = round_trip
        self.ppp = ppp
        self.timeline = Timeline()
        self.call: Callable[[Callable[[], None]], None] = lambda step: step()

    def resolve(self, host: str) -> str | None:
        """An address; None if nobody has that name."""
        if host.replace(".", "").isdigit():
            return host
        return self.names.get(host) if self.names is not None else "192.0.2.1"


def tcp(host: str, port: int) -> Peer:
    """A `dial` for real TCP."""
    return TcpPeer(host, port)


class Connection:
    """A TCP connection as the module sees it: what it holds, what it has counted, and what has not arrived yet."""

    def __init__(
        self, network: Network, number: int, host: str, port: int, stirred: Callable[[Connection], None]
    ) -> None:
        self.network = network
        self.number = number
        self.host = host
        self.port = port
        self.inbox = bytearray()  # in the module, unread
        self.sent = self.acknowledged = self.read = 0  # bytes
        self.ended = False  # the peer's FIN is here, behind everything else
        self.alive = True
        self.told = False  # news of what is in the inbox went out
        self.told_end = False
        self._outside = bytearray()  # arrived, and the window is full
        self._end_outside = False
        self._stirred = stirred
        self.peer = network.dial(host, port)
        self.peer.opened(PeerLink(self))

    def travel(self, arrive: Callable[[], None]) -> None:
        """Half a round trip."""
        self.network.timeline.after(self.network.round_trip / 2, arrive)

    @property
    def waiting(self) -> int:
        """Bytes that the peer has not acknowledged."""
        return self.sent - self.acknowledged

    def has_room(self, count: int) -> bool:
        return self.waiting + count <= WINDOW

    def transmit(self, data: bytes) -> None:
        self.sent += len(data)
        self.travel(lambda: self.peer.received(data))
        self.network.timeline.after(self.network.round_trip, lambda: self._acknowledge(len(data)))

    def take(self, count: int) -> bytes:
        """Read from the module's buffer, which opens the window: more may be there afterwards."""
        data = bytes(self.inbox[:count])
        del self.inbox[:count]
        self.read += len(data)
        if not self.inbox:
            self.told = False
        self._fill()
        return data

    def arrive(self, data: bytes) -> None:
        if self.alive:
            self._outside += data
            self._tell()

    def arrive_end(self) -> None:
        self._end_outside = True
        self._tell()

    def drop(self) -> None:
        """It is over on this side, without a word."""
        if self.alive:
            self.alive = False
            self.travel(self.peer.closed)

    def _acknowledge(self, count: int) -> None:
        self.acknowledged += count

    def _fill(self) -> None:
        room = WINDOW - len(self.inbox)
        if room > 0 and self._outside:
            self.inbox += self._outside[:room]
            del self._outside[:room]
        if self._end_outside and not self._outside:
            self.ended = True

    def _tell(self) -> None:
        self._fill()
        if self.alive and (self.inbox or self.ended):
            self._stirred(self)
