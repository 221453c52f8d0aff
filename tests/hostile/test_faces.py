"""The faces before servers that stall, close or answer wrongly while our last flight is held or data is early."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from hostile import certificates, wire
from hostile.server import Server
from hostile.sessions import Earlier
from hostile.steps import alert, data
from hostile.test_false_start import GCM, acquainted
from lighttls import (
    ClientConfig,
    ConfigurationError,
    DecryptError,
    PeerAlert,
    Stream,
    TransportError,
    TruncatedStream,
    TrustStore,
    UsageError,
    aio,
    connect,
)

HOST = certificates.HOST
FLIGHT_OF_RESUMED = [wire.CHANGE_CIPHER_SPEC, wire.HANDSHAKE]
FLIGHT_OF_FULL = [wire.HANDSHAKE, wire.CHANGE_CIPHER_SPEC, wire.HANDSHAKE]
DATA, ALERT = wire.APPLICATION_DATA, wire.ALERT


class Wire:
    """A transport whose other end is a server in memory: what is sent is answered at once, or never."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.sent: list[bytes] = []
        self.senders: list[threading.Thread] = []
        self.at_end: bytes | None = None  # what `recv` says when there is nothing: "nothing yet", or the end
        self.fault: BaseException | None = None
        self.takes: int | None = None  # bytes that a send takes before it fails
        self.closed = False

    def send(self, piece: bytes) -> int:
        if self.fault is not None and not self.takes:
            raise self.fault
        taken = piece[: self.takes]
        self.takes = None if self.takes is None else self.takes - len(taken)
        self.sent.append(taken)
        self.senders.append(threading.current_thread())
        self.server.receive(taken)
        return len(taken)

    def recv(self, n: int, timeout: float | None) -> bytes | None:
        return self.server.take() or self.at_end

    def close(self) -> None:
        self.closed = True

    @property
    def pieces(self) -> list[list[int]]:
        """The content types of the records in each piece behind the ClientHello."""
        return [[kind for kind, _, _ in wire.split_records(piece)[0]] for piece in self.sent[1:]]


class Timer:
    """Stands for `start_timer`: the time is over when the test says so."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.stopped = 0
        self.expire: Callable[[], None] = pytest.fail

    def __call__(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        self.seconds.append(seconds)
        self.expire = call
        return self.stop

    def stop(self) -> None:
        self.stopped += 1


@pytest.fixture
def timer(monkeypatch: pytest.MonkeyPatch) -> Timer:
    made = Timer()
    monkeypatch.setattr(Stream, "_start_timer", made)
    return made


def config(provider: Any, **settings: Any) -> ClientConfig:
    return ClientConfig(trust=TrustStore.from_der(certificates.root()), provider=provider, **settings)


def resumption(provider: Any, by: str = "ticket", **script: Any) -> tuple[Wire, ClientConfig]:
    """A server that will resume, and what a client needs for it."""
    earlier = Earlier(provider, by)
    return Wire(Server(certificates.leaf(), known=earlier.known, **script)), config(provider, sessions=earlier.store())


def early(provider: Any, **script: Any) -> tuple[Wire, ClientConfig]:
    """A server with which False Start is allowed."""
    return Wire(Server(certificates.leaf(), suite=GCM, **script)), acquainted(provider)


BOTH = [(resumption, FLIGHT_OF_RESUMED), (early, FLIGHT_OF_FULL)]
both = pytest.mark.parametrize(("prepare", "flight"), BOTH, ids=["resumed", "false-start"])


@both
def test_finished_leaves_with_the_first_data(provider: Any, timer: Timer, prepare: Any, flight: list[int]) -> None:
    link, settings = prepare(provider)
    tls = Stream(link, settings, HOST, timeout=1)
    assert link.pieces == []
    assert timer.seconds == [0.05]
    tls.sendall(b"hello")
    assert link.pieces == [[*flight, DATA]]
    assert timer.stopped == 1
    timer.expire()  # too late, and harmless
    assert tls.recv(100) == b"hello"
    tls.close()
    assert link.pieces == [[*flight, DATA], [ALERT]]
    assert link.server.alerts == [(wire.WARNING, 0)]
    assert tls.info.flights == (3 if prepare is resumption else 4)


@pytest.mark.parametrize("by", ["ticket", "id"])
def test_session_that_is_given_is_resumed(provider: Any, timer: Timer, by: str) -> None:
    """RESUME-04: without a store too."""
    earlier = Earlier(provider, by)
    session = earlier.link.client.export_session()
    link = Wire(Server(certificates.leaf(), known=earlier.known))
    with Stream(link, config(provider), HOST, session=session, timeout=1) as tls:
        assert tls.info.session_resumed
        tls.sendall(b"x")
    assert link.pieces == [[*FLIGHT_OF_RESUMED, DATA], [ALERT]]


@both
@pytest.mark.parametrize("step", [lambda tls: tls.recv(1), lambda tls: tls.flush()], ids=["recv", "flush"])
def test_flight_leaves_before_anything_is_waited_for(
    provider: Any, timer: Timer, prepare: Any, flight: list[int], step: Callable[[Stream], Any]
) -> None:
    """The server speaks first, once it has our Finished."""
    link, settings = prepare(provider, tail=[data(b"welcome")])
    if prepare is resumption:  # its Finished came first, its data waits for ours
        link.server.tail = []
        answer = link.server.receive

        def receive(piece: bytes) -> None:
            answer(piece)
            if link.server.client_finished:
                link.server.play([data(b"welcome")])

        link.server.receive = receive
    tls = Stream(link, settings, HOST, timeout=1)
    assert link.pieces == []
    step(tls)
    assert link.pieces == [flight]
    assert timer.stopped == 1
    assert b"welcome".endswith(tls.recv(100))
    tls.flush()
    assert link.pieces == [flight]


@both
def test_flight_leaves_with_close_notify(provider: Any, timer: Timer, prepare: Any, flight: list[int]) -> None:
    link, settings = prepare(provider, **({} if prepare is resumption else {"second": []}))
    with Stream(link, settings, HOST, timeout=1):
        pass
    assert link.pieces == [[*flight, ALERT]]
    assert link.server.alerts == [(wire.WARNING, 0)]
    assert timer.stopped == 1
    assert link.closed


@both
def test_flight_leaves_when_its_time_is_over(provider: Any, timer: Timer, prepare: Any, flight: list[int]) -> None:
    link, settings = prepare(provider)
    tls = Stream(link, settings, HOST, timeout=1)
    timer.expire()
    assert link.pieces == [flight]
    tls.sendall(b"x")
    assert link.pieces == [flight, [DATA]]
    assert tls.recv(1) == b"x"


def test_flight_leaves_by_the_clock(provider: Any) -> None:
    """The real timer, in its own thread."""
    link, settings = resumption(provider)
    gone = threading.Event()
    answer = link.server.receive
    link.server.receive = lambda piece: (answer(piece), gone.set() if link.server.client_finished else None)
    tls = Stream(link, settings, HOST, timeout=1, hold_flight=0.001)
    assert gone.wait(20)
    assert link.senders[-1] is not threading.current_thread()
    tls.sendall(b"x")
    assert link.pieces == [FLIGHT_OF_RESUMED, [DATA]]
    assert tls.recv(1) == b"x"


@pytest.mark.parametrize("fault", [None, ConnectionResetError("reset")], ids=["sent", "reset"])
def test_flight_leaves_at_once_where_no_thread_is_to_be_had(
    provider: Any, monkeypatch: pytest.MonkeyPatch, fault: Exception | None
) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    link, settings = resumption(provider)
    answer = link.server.receive

    def receive(piece: bytes) -> None:
        answer(piece)
        link.fault = fault

    link.server.receive = receive
    monkeypatch.setattr(threading.Thread, "start", start)
    tls = Stream(link, settings, HOST, timeout=1)
    if fault is None:
        assert link.pieces == [FLIGHT_OF_RESUMED]
        tls.sendall(b"x")
        assert tls.recv(1) == b"x"
    else:
        with pytest.raises(TransportError, match="reset"):
            tls.sendall(b"x")
        assert link.pieces == []


def test_owner_waits_for_a_timer_that_is_sending(provider: Any, timer: Timer) -> None:
    link, settings = resumption(provider)
    tls = Stream(link, settings, HOST, timeout=1)
    sending, go_on = threading.Event(), threading.Event()
    send = link.send

    def slow(piece: bytes) -> int:
        sending.set()
        assert go_on.wait(20)
        return send(piece)

    link.send = slow  # type: ignore[method-assign]
    late = threading.Thread(target=timer.expire)
    late.start()
    assert sending.wait(20)
    owner = threading.Thread(target=lambda: tls.sendall(b"x"))
    owner.start()
    owner.join(0.02)
    assert owner.is_alive()
    assert link.pieces == []
    go_on.set()
    owner.join(20)
    late.join(20)
    assert link.pieces == [FLIGHT_OF_RESUMED, [DATA]]


def test_flight_that_is_not_to_be_held_leaves_at_once(provider: Any, timer: Timer) -> None:
    link, settings = resumption(provider)
    Stream(link, settings, HOST, timeout=1, hold_flight=0)
    assert link.pieces == [FLIGHT_OF_RESUMED]
    assert timer.seconds == []


def test_full_handshake_without_false_start_holds_nothing(provider: Any, timer: Timer) -> None:
    link = Wire(Server(certificates.leaf()))
    tls = Stream(link, config(provider), HOST, timeout=1)
    assert link.pieces == [FLIGHT_OF_FULL]
    tls.flush()
    assert timer.seconds == []


@pytest.mark.parametrize("bad", [-0.001, 0.051, 1, float("nan"), "0", None, True])
def test_impossible_hold_is_named(provider: Any, bad: Any) -> None:
    link = Wire(Server(certificates.leaf()))
    calls: list[Callable[[], Any]] = [
        lambda: Stream(link, config(provider), HOST, hold_flight=bad),
        lambda: connect((HOST, 443), config(provider), hold_flight=bad),
        lambda: asyncio.run(aio.open_connection(HOST, 443, config(provider), hold_flight=bad)),
    ]
    for call in calls:
        with pytest.raises(ConfigurationError, match="hold_flight"):
            call()
    assert link.sent == []


def test_what_is_no_session_is_named_before_anybody_is_called(provider: Any) -> None:
    link = Wire(Server(certificates.leaf()))
    bad: Any = b"session"
    calls: list[Callable[[], Any]] = [
        lambda: Stream(link, config(provider), HOST, session=bad),
        lambda: connect((HOST, 443), config(provider), session=bad),
        lambda: asyncio.run(aio.open_connection(HOST, 443, config(provider), session=bad)),
    ]
    for call in calls:
        with pytest.raises(ConfigurationError, match="session must be a Session"):
            call()
    assert link.sent == []


# ---- the link breaks while the flight is held ----------------------------------------------------


@both
@pytest.mark.parametrize("late", [False, True], ids=["by-owner", "by-timer"])
@pytest.mark.parametrize("fault", [ConnectionResetError("reset"), TimeoutError(), ValueError("modem"), SystemExit()])
def test_flight_that_cannot_be_sent_ends_the_connection(
    provider: Any, timer: Timer, prepare: Any, flight: list[int], late: bool, fault: BaseException
) -> None:
    """And nothing follows what left in part."""
    link, settings = prepare(provider)
    tls = Stream(link, settings, HOST, timeout=1)
    link.fault, link.takes = fault, 9
    if late:
        timer.expire()
    for number in range(3):
        raised = SystemExit if type(fault) is SystemExit and number == 0 else TransportError
        with pytest.raises(raised):
            tls.sendall(b"x")
    with pytest.raises(TransportError):
        tls.recv(1)
    link.fault = link.takes = None
    tls.close()
    assert [len(piece) for piece in link.sent[1:]] == [9]
    assert link.closed


def test_data_that_came_with_finished_is_delivered_though_the_flight_cannot_be_sent(
    provider: Any, timer: Timer
) -> None:
    link, settings = resumption(provider, first=["server_hello", "change_cipher_spec", "finished", data(b"early bird")])
    tls = Stream(link, settings, HOST, timeout=1)
    link.fault = ConnectionResetError("reset")
    assert tls.recv(5) == b"early"
    assert tls.recv(5) == b" bird"
    with pytest.raises(TransportError, match="reset"):
        tls.recv(1)


def test_alert_behind_a_flight_that_the_timer_could_not_send_is_the_reason_given(provider: Any, timer: Timer) -> None:
    link, settings = resumption(provider)
    tls = Stream(link, settings, HOST, timeout=1)
    link.fault = BrokenPipeError("closed by the server")
    timer.expire()
    link.server.outgoing += alert(wire.FATAL, 80)(link.server)
    with pytest.raises(PeerAlert) as caught:
        tls.sendall(b"x")
    assert isinstance(caught.value.__cause__, TransportError)


def test_deadline_that_passed_while_the_flight_was_held_is_told(provider: Any, timer: Timer) -> None:
    link, settings = resumption(provider)
    tls = Stream(link, settings, HOST, timeout=1)
    tls.setdeadline(0)
    timer.expire()
    with pytest.raises(TransportError) as caught:
        tls.recv(1)
    assert caught.value.timed_out
    assert link.pieces == []


# ---- the server does not do its part after early data ---------------------------------------------


def test_server_that_stalls_after_early_data_times_out_and_may_still_answer(provider: Any, timer: Timer) -> None:
    link, settings = early(provider, second=[], echo=False)
    tls = Stream(link, settings, HOST, timeout=0.001)
    tls.sendall(b"early")
    for _ in range(2):
        with pytest.raises(TransportError) as caught:
            tls.recv(1)
        assert caught.value.timed_out
    with pytest.raises(UsageError, match="before the handshake is complete"):
        tls.info  # noqa: B018
    link.server.play(["change_cipher_spec", "finished", data(b"at last")])
    assert tls.recv(100) == b"at last"
    assert tls.info.early_bytes == 5


ENDS: list[tuple[str, dict[str, Any], type[Exception]]] = [
    ("finished-wrong", {"edit": {"finished": lambda message: message[:-1] + b"?"}}, DecryptError),
    ("alert", {"second": [alert(wire.FATAL, 40)]}, PeerAlert),
    ("end-of-stream", {"second": []}, TruncatedStream),
    ("close-notify", {"second": [alert(wire.WARNING, 0)]}, PeerAlert),
]


@pytest.mark.parametrize(("script", "error"), [end[1:] for end in ENDS], ids=[end[0] for end in ENDS])
def test_handshake_that_fails_after_early_data_is_raised_by_recv(
    provider: Any, timer: Timer, script: dict[str, Any], error: type[Exception]
) -> None:
    """FS-07."""
    link, settings = early(provider, echo=False, **script)
    tls = Stream(link, settings, HOST, timeout=0.001)
    tls.sendall(b"early")
    link.at_end = b""
    for _ in range(2):
        with pytest.raises(error) as caught:
            tls.recv(1)
        assert caught.value.context["early_bytes"] == 5  # type: ignore[attr-defined]
        with pytest.raises(error):
            tls.sendall(b"more")
    tls.close()
    assert link.closed


def test_server_that_closes_with_its_finished_is_answered_at_once(provider: Any, timer: Timer) -> None:
    link, settings = resumption(
        provider, first=["server_hello", "change_cipher_spec", "finished", alert(wire.WARNING, 0)]
    )
    tls = Stream(link, settings, HOST, timeout=1)
    assert link.pieces == [[*FLIGHT_OF_RESUMED, ALERT]]
    assert timer.seconds == []
    assert tls.recv(1) == b""


# ---- asyncio --------------------------------------------------------------------------------------


class AsyncWire(Wire):
    """The same as reader and writer of asyncio. It is handed to `aio.Stream` twice."""

    async def read(self, n: int = -1) -> bytes:
        while not (found := self.recv(n, 0)):
            if found == b"":
                return b""
            await asyncio.sleep(0)
        return found

    def write(self, piece: bytes) -> None:
        assert self.send(piece) == len(piece)

    async def drain(self) -> None:
        pass

    async def wait_closed(self) -> None:
        pass


def meet(provider: Any, prepare: Any, talk: Callable[[aio.Stream, AsyncWire], Any], **script: Any) -> AsyncWire:
    """Make the handshake, then `talk`."""
    plain, settings = prepare(provider, **script)
    link = AsyncWire(plain.server)

    async def run() -> None:
        async with asyncio.timeout(20):
            tls = aio.Stream(link, link, settings, HOST)
            await tls.handshake(10)
            assert link.pieces == []
            await talk(tls, link)

    asyncio.run(run())
    return link


@both
def test_finished_leaves_with_the_first_data_in_asyncio(provider: Any, prepare: Any, flight: list[int]) -> None:
    async def talk(tls: aio.Stream, link: AsyncWire) -> None:
        tls.write(b"hello")
        assert link.pieces == [[*flight, DATA]]
        assert await tls.readexactly(5) == b"hello"
        assert tls.info.early_bytes == (0 if prepare is resumption else 5)
        tls.close()

    link = meet(provider, prepare, talk)
    assert link.pieces == [[*flight, DATA], [ALERT]]


@both
@pytest.mark.parametrize("step", ["read", "drain", "close", "nothing"])
def test_flight_leaves_without_data_in_asyncio(
    provider: Any, prepare: Any, flight: list[int], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[tuple[float, Callable[[], None]]] = []

    async def talk(tls: aio.Stream, link: AsyncWire) -> None:
        (seconds, expire), *others = waits
        assert (seconds, others) == (0.05, [])
        if step == "read":
            with pytest.raises(TimeoutError):
                async with asyncio.timeout_at(0):  # has passed: reading is begun, and no more
                    await tls.read(1)
        elif step == "drain":
            await tls.drain()
        elif step == "close":
            tls.close()
        else:
            expire()
        assert link.pieces == [[*flight, ALERT] if step == "close" else flight]
        expire()
        await tls.drain()

    def call_later(self: Any, seconds: float, call: Callable[[], None]) -> None:
        waits.append((seconds, call))

    plain_call_later = asyncio.SelectorEventLoop.call_later

    def watch(self: Any, seconds: float, call: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(call, "__name__", "") == "_hand_over_late":
            return call_later(self, seconds, call)
        return plain_call_later(self, seconds, call, *args, **kwargs)

    monkeypatch.setattr(asyncio.SelectorEventLoop, "call_later", watch)
    link = meet(provider, prepare, talk, **({} if prepare is resumption else {"second": []}))
    assert len(link.pieces) == 1


@both
def test_flight_that_cannot_be_sent_ends_the_connection_in_asyncio(
    provider: Any, prepare: Any, flight: list[int]
) -> None:
    async def talk(tls: aio.Stream, link: AsyncWire) -> None:
        link.fault = ConnectionResetError("reset")
        for _ in range(2):
            with pytest.raises(TransportError, match="reset"):
                await tls.read(1)
        with pytest.raises(TransportError, match="reset"):
            tls.write(b"x")
        link.fault = None
        tls.close()

    link = meet(provider, prepare, talk)
    assert link.pieces == []
    assert link.closed


def test_session_that_is_given_is_resumed_in_asyncio(provider: Any) -> None:
    earlier = Earlier(provider)
    session = earlier.link.client.export_session()
    link = AsyncWire(Server(certificates.leaf(), known=earlier.known))

    async def run() -> None:
        async with asyncio.timeout(20), aio.Stream(link, link, config(provider), HOST, session=session) as tls:
            assert tls.info.session_resumed

    asyncio.run(run())
    assert link.pieces == [[*FLIGHT_OF_RESUMED, ALERT]]
