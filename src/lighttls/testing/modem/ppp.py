"""The network that a modem in data mode reaches: PPP's other end, and behind it every address there is.

It is lwIP again, in a copy of its own, so that neither root nor /dev/ppp is needed. Whoever calls any address at any
port gets what `Network.dial` has for its name; names get addresses of 198.18.0.0/15 (RFC 2544) as they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from ipaddress import IPv4Address
from typing import Any, Final

from lighttls.errors import TransportError
from lighttls.testing.modem.network import Network, Peer, PeerLink
from lighttls.testing.modem.timeline import RealTimeline
from lighttls.transports.lwip import Connection, Listener, PppInterface, Stack

_OURS: Final = "10.64.0.1"
_THEIRS: Final = "10.64.0.2"
_DNS: Final = "10.64.0.53"
_FIRST_NAME: Final = int(IPv4Address("198.18.0.1"))
_TYPE_A: Final = 1
_QUESTION_SIZE: Final = 512
_PIECE: Final = 65536


class AnsweringPpp(PppInterface):
    """The answering side of a link: gives addresses, hands out calls and questions to the DNS."""

    def __init__(self, stack: Stack, *, user: str = "", password: str = "", authentication: str = "") -> None:
        super().__init__(stack, user=user, password=password, authentication=authentication)
        failed = self._lib.lw_ppp_serve(self._handle, _OURS.encode(), _THEIRS.encode(), _DNS.encode())
        assert not failed

    def call(self) -> tuple[str, int, int] | None:
        """Who is called, at which port, and the caller's port. It waits until `admit`."""
        ffi = self._stack.ffi
        address, port, caller = ffi.new("char[16]"), ffi.new("uint16_t *"), ffi.new("uint16_t *")
        if not self._lib.lw_ppp_call(self._live(), address, 16, port, caller):
            return None
        return ffi.string(address).decode(), int(port[0]), int(caller[0])

    def admit(self) -> None:
        """Let the call go on, to whoever listens at its port; else it is refused."""
        self._stack.tick()
        self._lib.lw_ppp_admit(self._live())

    def question(self) -> bytes | None:
        """A question to the DNS."""
        data = bytearray(_QUESTION_SIZE)
        view = self._stack.ffi.from_buffer("uint8_t[]", data, require_writable=True)
        length = self._lib.lw_ppp_question(self._live(), view, _QUESTION_SIZE)
        return bytes(data[:length]) if length else None

    def answer(self, data: bytes) -> None:
        """Answer the last question."""
        self._stack.tick()
        self._lib.lw_ppp_answer(self._live(), data, len(data))


class PppNetwork:
    """What a data call leads to. `core` is a copy of lwIP (csrc/lwip/build_ffi.py) that nobody else uses.

    `user`, `password` and `authentication` are what it demands; without a user it demands nothing.
    """

    def __init__(self, core: Any, *, user: str = "", password: str = "", authentication: str = "") -> None:
        self._core = core
        self._demands = {"user": user, "password": password, "authentication": authentication}
        self.silent = False  # it takes everything and says nothing
        self._network: Network
        self._stack: Stack | None = None
        self._timers = 0

    def begin(self, network: Network, to_host: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        """A data call begins. `ended` is called when PPP is over on its own."""
        self.end()
        self._network, self._to_host, self._ended = network, to_host, ended
        self._stack = Stack(self._core, clock=lambda: network.timeline.now)
        self._link = AnsweringPpp(self._stack, **self._demands)
        self._names: dict[str, str] = {}  # by address
        self._listeners: dict[int, Listener] = {}
        self._peers: dict[int, Peer] = {}  # of those who called, by their port, until they are there
        self._calls: list[_Call] = []
        self._link.open()
        self.go_on()

    def end(self) -> None:
        """The call is over."""
        if self._stack is not None:
            for call in self._calls:
                call.drop()
            self._stack.close()
            self._stack = None

    def transmit(self, data: bytes) -> None:
        """Bytes of the host."""
        if self._stack is not None and not self.silent:
            self._link.receive(data)
            self.go_on()

    def go_on(self) -> None:
        """Do whatever can be done, and be here again when something is due."""
        if self._stack is None or self.silent:
            return
        self._take_calls()
        self._take_questions()
        for call in tuple(self._calls):
            call.go_on()
        self._calls = [call for call in self._calls if not call.over]
        due = self._stack.run()
        if data := b"".join(self._link.frames_to_send()):
            self._to_host(data)
        if self._link.error is not None:
            self.end()
            self._ended()
        elif due is not None:
            self._timers += 1
            mark = self._timers
            self._network.timeline.after(max(due, 0.001), lambda: self.go_on() if mark == self._timers else None)

    def _take_calls(self) -> None:
        assert self._stack is not None
        while call := self._link.call():
            address, port, caller = call
            if caller not in self._peers:
                try:
                    self._peers[caller] = self._network.dial(self._names.get(address, address), port)
                except OSError:
                    self._link.admit()  # to nobody
                    continue
            if port not in self._listeners:
                self._listeners[port] = self._stack.listen(port)
            self._link.admit()
        for listener in self._listeners.values():
            while connection := listener.accept():
                peer = self._peers.pop(connection.peer_port, None)
                if peer is None:  # nobody is there, though others are at this port
                    connection.abort()
                else:
                    self._calls.append(_Call(self, connection, peer))

    def _take_questions(self) -> None:
        while question := self._link.question():
            self._link.answer(self._answer(question))

    def _answer(self, question: bytes) -> bytes:
        """An answer of the DNS (RFC 1035 §4): an address, none of that type, or no such name."""
        labels, place = [], 12
        while length := question[place]:
            labels.append(question[place + 1 : place + 1 + length].decode("latin-1"))
            place += 1 + length
        kind, whole = int.from_bytes(question[place + 1 : place + 3], "big"), question[12 : place + 5]
        address = self._address_of(".".join(labels))
        found = address is not None and kind == _TYPE_A
        flags = b"\x81\x80" if address is not None else b"\x81\x83"
        counts = b"\0\1" + (b"\0\1" if found else b"\0\0") + bytes(4)
        record = b"\xc0\x0c\0\1\0\1" + (60).to_bytes(4, "big") + b"\0\4" + IPv4Address(address).packed if found else b""
        return question[:2] + flags + counts + whole + record

    def _address_of(self, name: str) -> str | None:
        network = self._network
        if network.names is not None and name not in network.names:
            return None
        given = next((address for address, known in self._names.items() if known == name), None)
        if given is None:
            given = str(IPv4Address(_FIRST_NAME + len(self._names)))
            self._names[given] = name
        return given

    @property
    def network(self) -> Network:
        return self._network


class _Call(PeerLink):
    """One connection: the peer's end of it, and what lwIP has of the host's."""

    def __init__(self, owner: PppNetwork, connection: Connection, peer: Peer) -> None:
        self._owner = owner
        self._wire = connection
        self._peer = peer
        self._outbox = bytearray()
        self._ending = self._shut = self._heard_end = self.over = False
        peer.opened(self)

    @property
    def in_real_time(self) -> bool:
        return isinstance(self._owner.network.timeline, RealTimeline)

    def send(self, data: bytes) -> None:
        self._travel(lambda: self._arrive(data))

    def close(self) -> None:
        self._travel(self._arrive_end)

    def call(self, step: Callable[[], None]) -> None:
        self._owner.network.call(step)

    def go_on(self) -> None:
        """Carry bytes both ways, as far as there is room."""
        try:
            while not self._heard_end and (data := self._wire.receive(_PIECE)) is not None:
                self._heard_end = not data
                self._travel(self._peer.closed if self._heard_end else partial(self._peer.received, data))
            while self._outbox and (taken := self._wire.send(bytes(self._outbox[:_PIECE]))):
                del self._outbox[:taken]
            if self._ending and not self._outbox and not self._shut:
                self._wire.shutdown()
                self._shut = True
            self._wire.check()
            if self._shut and self._heard_end:
                self.over = True
                self._wire.close()
        except TransportError:
            self.drop()

    def drop(self) -> None:
        """It is over without a word."""
        self.over = True
        if not self._heard_end:
            self._heard_end = True
            self._travel(self._peer.closed)
        self._wire.abort()

    def _arrive(self, data: bytes) -> None:
        if not self.over:
            self._outbox += data
            self._owner.go_on()

    def _arrive_end(self) -> None:
        if not self.over:
            self._ending = True
            self._owner.go_on()

    def _travel(self, arrive: Callable[[], None]) -> None:
        self._owner.network.timeline.after(self._owner.network.round_trip / 2, arrive)
