"""Hosts over links: two in one process, and what happens when a link misbehaves."""

from __future__ import annotations

import hashlib
import queue
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any

import pytest

import lighttls
from lighttls.errors import BadRecordMac, ConfigurationError, LightTLSError, UsageError
from lighttls.transports.lwip import CallableLink, Host, Link, LwipError, LwipTransport, PppHost, Stack, memory_links
from lighttls.transports.lwip.drive import Drive
from support import pki
from support.lwip import cores
from support.memory_server import MemoryServer

HERE, THERE = "10.77.0.1", "10.77.0.2"
DATA = hashlib.shake_256(b"hosts").digest(400_000)


class Altered:
    """A link whose calls go through functions of the test."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.sending: Callable[[bytes], bytes] = lambda frame: frame
        self.receiving: Callable[[], None] = lambda: None
        self.closed = False

    def send(self, frame: bytes) -> None:
        if changed := self.sending(frame):
            self._link.send(changed)

    def receive(self, timeout: float) -> bytes | None:
        self.receiving()
        return self._link.receive(timeout)

    def close(self) -> None:
        self.closed = True
        self._link.close()


@contextmanager
def two_hosts(**settings: float) -> Iterator[tuple[Host, Host, Altered]]:
    one, two = memory_links()
    link = Altered(one)
    first, second = cores()
    with (
        Host(link, f"{HERE}/24", core=first, **settings) as here,  # type: ignore[arg-type]
        Host(two, f"{THERE}/24", core=second, linger=0.0) as there,
    ):
        yield here, there, link


@contextmanager
def served(there: Host, serve: Callable[[LwipTransport], object]) -> Iterator[int]:
    """A port of `there` at which each caller is given to `serve` in a thread of its own; the host is always driven."""
    listener = there.listen()
    failures: list[BaseException] = []
    stop = threading.Event()

    def run(link: LwipTransport) -> None:
        try:
            serve(link)
        except BaseException as failure:
            failures.append(failure)
        finally:
            link.close()

    def accept() -> None:
        threads = []
        with suppress(LightTLSError):  # the test closed it, or the link
            while not stop.is_set():
                if (link := listener.accept(0.05)) is not None:
                    threads.append(threading.Thread(target=run, args=(link,)))
                    threads[-1].start()
        for thread in threads:
            thread.join()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield listener.port
    finally:
        stop.set()
        acceptor.join(20)
    assert not acceptor.is_alive()
    if failures:
        raise failures[0]


def echo(link: LwipTransport) -> None:
    while data := link.recv(65536, 20):
        while data:
            data = data[link.send(data) :]


def exchange(link: LwipTransport, data: bytes) -> bytes:
    """Send `data` and collect its echo."""
    left, arrived = data, b""
    while len(arrived) < len(data):
        if left:
            left = left[link.send(left[:20_000]) :]
        arrived += link.recv(65536, 0 if left else 20) or b""
    return arrived


def wait_for_data(link: LwipTransport) -> None:
    """Until some is there; it is left there."""
    while not link.connection.waiting:
        link._drive.wait_for(lambda: link.connection.waiting or None, 5)


def sent_all(link: LwipTransport, data: bytes) -> None:
    while data:
        data = data[link.send(data) :]


def test_bytes_come_back_exactly() -> None:
    with two_hosts() as (here, there, _), served(there, echo) as port:
        link = here.open_tcp(THERE, port)
        assert exchange(link, DATA) == DATA
        link.close()


@pytest.mark.parametrize("count", [63, 64, 65, 200])
def test_no_frame_of_a_burst_is_lost(count: int) -> None:
    """TCP would hide it, three seconds later."""
    here, there = memory_links()
    for number in range(count):
        there.send(b"%d" % number)
    arrived: list[bytes] = []
    interface = SimpleNamespace(receive=arrived.append, frames_to_send=list)
    drive = Drive(SimpleNamespace(run=lambda: 1.0), interface, here)  # type: ignore[arg-type]
    drive.wait_for(lambda: len(arrived) == count or None, 5)
    assert arrived == [b"%d" % number for number in range(count)]
    there.close()
    with pytest.raises(LwipError, match="the link has ended"):
        drive.wait_for(lambda: None, 5)


def test_several_threads_share_a_host() -> None:
    with two_hosts() as (here, there, _), served(there, echo) as port:
        results: queue.Queue[bool] = queue.Queue()

        def talk(number: int) -> None:
            mine = DATA[number * 1000 : number * 1000 + 60_000]
            link = here.open_tcp(THERE, port)
            results.put(exchange(link, mine) == mine)
            link.close()

        threads = [threading.Thread(target=talk, args=(number,)) for number in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert [results.get(timeout=1) for _ in range(5)] == [True] * 5


def test_receive_keeps_its_timeout() -> None:
    with two_hosts() as (here, there, _), served(there, echo) as port:
        link = here.open_tcp(THERE, port)
        began = time.monotonic()
        assert link.recv(10, 0) is None
        assert time.monotonic() - began < 0.2
        assert link.recv(10, 0.3) is None
        assert 0.3 <= time.monotonic() - began < 5
        link.close()


def test_end_of_the_stream_is_said_after_the_data() -> None:
    def speak(link: LwipTransport) -> None:
        sent_all(link, DATA)

    with two_hosts() as (here, there, _), served(there, speak) as port:
        link = here.open_tcp(THERE, port)
        arrived = b""
        while data := link.recv(65536, 20):
            arrived += data
        assert arrived == DATA
        assert link.recv(1, 20) == b""
        link.close()


def test_half_closed_stream_still_receives() -> None:
    def answer(link: LwipTransport) -> None:
        question = b""
        while data := link.recv(65536, 20):
            question += data
        sent_all(link, question[::-1])

    with two_hosts() as (here, there, _), served(there, answer) as port:
        link = here.open_tcp(THERE, port)
        sent_all(link, DATA[:5000])
        link.shutdown()
        arrived = b""
        while data := link.recv(65536, 20):
            arrived += data
        assert arrived == DATA[4999::-1]
        link.close()


def test_close_delivers_what_was_sent_though_something_was_left_unread() -> None:
    heard = bytearray()

    def talkative(link: LwipTransport) -> None:
        sent_all(link, b"unasked")
        while data := link.recv(65536, 20):
            heard.extend(data)

    with two_hosts() as (here, there, _):
        with served(there, talkative) as port:
            link = here.open_tcp(THERE, port)
            wait_for_data(link)
            sent_all(link, DATA[:60_000])
            link.close()
            link.close()
        assert heard.endswith(DATA[:60_000])


def test_peer_that_takes_nothing_ends_in_a_timeout() -> None:
    done = threading.Event()

    with two_hosts(send_limit=0.4) as (here, there, _), served(there, lambda link: done.wait(20)) as port:
        link = here.open_tcp(THERE, port)
        with pytest.raises(LwipError, match=r"the peer has taken nothing for 0\.4 s") as failure:
            sent_all(link, DATA)
        assert failure.value.timed_out
        done.set()
        link.abort()


def test_refused_connection_names_tcp() -> None:
    refused = pytest.raises(LwipError, match="TCP: not connected: the peer reset it")
    with two_hosts() as (here, there, _), served(there, echo), refused:
        here.open_tcp(THERE, 9)


def test_host_that_does_not_answer_times_out() -> None:
    with two_hosts() as (here, _there, _):
        with pytest.raises(LwipError, match=r"no answer from 10\.77\.0\.9 port 9 within 0\.2 s") as failure:
            here.open_tcp("10.77.0.9", 9, timeout=0.2)
        assert failure.value.timed_out


def test_link_that_breaks_is_named_to_everybody_from_then_on_and_data_comes_first() -> None:
    def break_down() -> None:
        raise OSError("unplugged")

    done = threading.Event()

    def speak(peer: LwipTransport) -> None:
        sent_all(peer, b"before")
        done.wait(20)

    with two_hosts() as (here, there, link), served(there, speak) as port:
        connection = here.open_tcp(THERE, port)
        wait_for_data(connection)
        link.receiving = break_down
        for _ in range(2):
            with pytest.raises(LwipError, match="link: the link broke: unplugged") as failure:
                sent_all(connection, DATA)
            assert isinstance(failure.value.__cause__, OSError)
        assert connection.recv(100, 1) == b"before"
        with pytest.raises(LwipError, match="unplugged"):
            connection.recv(100, 1)
        with pytest.raises(LwipError, match="unplugged"):
            here.open_tcp(THERE, port)
        connection.close()
        done.set()


def test_link_that_ends_is_named() -> None:
    one, two = memory_links()
    with Host(one, f"{HERE}/24", core=cores()[0]) as here:
        two.close()
        for _ in range(2):
            with pytest.raises(LwipError, match="link: the link has ended"):
                here.open_tcp(THERE, 9)


@pytest.mark.parametrize("where", ["sending", "receiving"])
def test_exception_of_the_callers_own_link_is_raised_and_the_link_goes_on(where: str) -> None:
    def fail(*_: object) -> bytes:
        setattr(link, where, good)
        raise ZeroDivisionError("a mistake in send or receive")

    with two_hosts() as (here, there, link), served(there, echo) as port:
        connection = here.open_tcp(THERE, port)
        good = getattr(link, where)
        setattr(link, where, fail)
        with pytest.raises(ZeroDivisionError, match="a mistake"):
            exchange(connection, b"x")
        arrived = b""
        sent_all(connection, DATA[:20_000])
        while not arrived.endswith(DATA[19_000:20_000]):
            arrived += connection.recv(65536, 20) or b""
        assert arrived.removeprefix(b"x") == DATA[:20_000]
        connection.close()


def test_link_of_two_functions_is_enough() -> None:
    one, two = memory_links()
    closed = []
    first, second = cores()
    link = CallableLink(one.send, one.receive, lambda: closed.append(True))
    with (
        Host(two, f"{THERE}/24", "fd77::2/64", core=second, packets=True, linger=0.0) as there,
        Host(link, "fd77::1/64", core=first, packets=True) as here,
        served(there, echo) as port,
    ):
        connection = here.open_tcp("fd77::2", port)
        assert exchange(connection, DATA) == DATA
        connection.close()
    assert closed


def test_use_after_close_is_a_usage_error() -> None:
    with two_hosts() as (here, there, link), served(there, lambda peer: None) as port:
        connection, left = here.open_tcp(THERE, port), here.listen()
        connection.close()
        for use in (lambda: connection.send(b"x"), lambda: connection.recv(1, 0), connection.shutdown):
            with pytest.raises(UsageError, match="closed"):
                use()
        connection.abort()
        here.close()
        here.close()
        assert link.closed
        left.close()
        for use in (lambda: here.open_tcp(THERE, port), here.listen, lambda: left.accept(0)):
            with pytest.raises(UsageError, match="closed"):
                use()


def test_link_that_fails_at_the_end_is_closed_all_the_same() -> None:
    def fail(frame: bytes) -> bytes:
        raise ZeroDivisionError("a mistake in send")

    with two_hosts() as (here, there, link), served(there, lambda peer: None) as port:
        here.open_tcp(THERE, port)
        link.sending = fail
        with pytest.raises(ZeroDivisionError):
            here.close()
        assert link.closed
    Stack(cores()[0]).close()


def test_host_that_closes_resets_its_connections() -> None:
    one, two = memory_links()
    link = CallableLink(one.send, one.receive)  # which outlives its host
    heard, told = threading.Event(), threading.Event()

    def listen(peer: LwipTransport) -> None:
        heard.set()
        with pytest.raises(LwipError, match="the peer reset it"):
            peer.recv(1, 20)
        told.set()

    with Host(two, f"{THERE}/24", core=cores()[1]) as there, served(there, listen) as port:
        with Host(link, f"{HERE}/24", core=cores()[0]) as here:
            connection = here.open_tcp(THERE, port)
            assert heard.wait(20)
            assert connection.connection.established
        assert told.wait(20)


def test_host_closed_by_another_thread_ends_a_wait() -> None:
    done = threading.Event()
    with two_hosts() as (here, there, _), served(there, lambda peer: done.wait(20)) as port:
        connection = here.open_tcp(THERE, port)
        closing = threading.Timer(0.2, here.close)
        closing.start()
        with pytest.raises(UsageError, match="closed"):
            connection.recv(1, 20)
        closing.join()
        done.set()


@pytest.mark.parametrize("where", ["sending", "receiving"])
def test_link_that_closes_its_host_ends_the_wait_that_asked_it(where: str) -> None:
    """As a signal handler does that runs while the link is waited for."""
    with two_hosts() as (here, there, link), served(there, lambda peer: None) as port:
        connection = here.open_tcp(THERE, port)

        def close(frame: bytes = b"") -> bytes:
            here.close()
            assert not link.closed
            return frame

        setattr(link, where, close)
        ends: queue.Queue[BaseException] = queue.Queue()

        def use() -> None:
            try:
                while True:
                    connection.send(b"x")
                    connection.recv(1, 0.1)
            except BaseException as end:
                ends.put(end)

        threading.Thread(target=use, daemon=True).start()
        end = ends.get(timeout=10)
        assert isinstance(end, UsageError)
        assert "closed" in str(end)
        assert link.closed


@pytest.mark.parametrize("where", ["sending", "receiving"])
def test_link_that_uses_its_host_is_refused(where: str) -> None:
    with two_hosts() as (here, there, link), served(there, lambda peer: None) as port:
        connection = here.open_tcp(THERE, port)
        good = getattr(link, where)

        def use(frame: bytes = b"") -> bytes:
            setattr(link, where, good)
            connection.recv(1, 20)
            return frame

        setattr(link, where, use)
        with pytest.raises(UsageError, match="at work in this thread"):
            exchange(connection, b"x")
        connection.abort()


def test_host_closed_in_the_middle_of_a_call_of_lwip_closes_after_it() -> None:
    with two_hosts() as (here, there, link), served(there, lambda peer: None) as port:
        connection = here.open_tcp(THERE, port).connection

        def interrupted() -> int:
            here.close()
            return connection.send(b"x")

        assert here._drive.do(interrupted) == 1
        assert link.closed


def test_sending_after_the_end_of_our_stream_is_a_usage_error() -> None:
    with two_hosts() as (here, there, _), served(there, echo) as port:
        link = here.open_tcp(THERE, port)
        link.shutdown()
        link.shutdown()
        with pytest.raises(UsageError, match="our end of the stream was sent"):
            link.send(b"x")
        link.close()


@pytest.mark.parametrize("name", ["", ".", "a..b", "a b", "a\0b", "bücher.example", "a" * 64 + ".example", "a." * 127])
def test_name_that_can_be_none_is_refused(name: str) -> None:
    with two_hosts() as (here, _there, _), pytest.raises(ConfigurationError, match="can be no host name"):
        here.open_tcp(name, 9)


@pytest.mark.parametrize("settings", [{"port": -1}, {"port": 65536}, {"port": "80"}, {"backlog": 0}, {"backlog": 256}])
def test_callers_cannot_be_waited_for_at_such_a_port(settings: dict) -> None:
    with two_hosts() as (here, _there, _), pytest.raises(ConfigurationError, match="is a number from"):
        here.listen(**settings)


def test_one_dns_server_may_be_named_as_one_gateway_is() -> None:
    with Host(memory_links()[0], f"{HERE}/24", core=cores()[0], gateway=THERE, dns=THERE) as here:
        assert here.stack.features >= {"dns"}


@pytest.mark.parametrize("link", [None, "tap0"])
def test_what_is_no_link_is_refused(link: Any) -> None:
    for make in (lambda: Host(link, f"{HERE}/24", core=cores()[0]), lambda: PppHost(link, core=cores()[0])):
        with pytest.raises(ConfigurationError, match="a link has send, receive and close"):
            make()


def test_time_without_end_may_be_waited_while_another_thread_waits() -> None:
    with two_hosts() as (here, there, _), served(there, echo) as port:
        first, second = here.open_tcp(THERE, port), here.open_tcp(THERE, port)
        came: queue.Queue[bytes | None] = queue.Queue()
        for link in (first, second):
            threading.Thread(target=lambda link=link: came.put(link.recv(1, float("inf"))), daemon=True).start()
        time.sleep(0.3)
        for link in (first, second):
            link.send(b"x")
        assert [came.get(timeout=10) for _ in range(2)] == [b"x", b"x"]
        first.close()
        second.close()


@pytest.mark.parametrize(
    ("addresses", "settings"),
    [
        ((), {}),
        (("10.0.0.1",), {}),
        (("10.0.0.1/24",), {"gateway": "router"}),
        (("10.0.0.1/24",), {"dns": ("a", "b", "c")}),
        (("10.0.0.1/24",), {"mac": b"short"}),
        (("10.0.0.1/24",), {"send_limit": 0}),
        (("10.0.0.1/24",), {"linger": -1}),
        (("10.0.0.1/24",), {"linger": "1"}),
        (("10.0.0.1/24",), {"mtu": 1500.5}),
        (("10.0.0.1/24", "10.0.1.1/24"), {}),
    ],
)
def test_wrong_settings_are_refused_and_leave_the_stack_free(addresses: tuple[str, ...], settings: dict) -> None:
    link = Altered(memory_links()[0])
    with pytest.raises(ConfigurationError):
        Host(link, *addresses, core=cores()[0], **settings)
    assert link.closed
    Host(memory_links()[0], "10.0.0.1/24", core=cores()[0]).close()


@pytest.mark.parametrize(("host", "port"), [("", 1), ("é.example", 1), ("a" * 254, 1), (THERE, 0), (THERE, 65536)])
def test_impossible_target_is_refused_before_anything_is_sent(host: str, port: int) -> None:
    with two_hosts() as (here, _there, link):
        link.sending = lambda frame: pytest.fail("something was sent")
        with pytest.raises(ConfigurationError):
            here.open_tcp(host, port)
        link.sending = lambda frame: frame


def test_name_without_a_dns_server_names_dns() -> None:
    with two_hosts() as (here, _there, _), pytest.raises(LwipError, match=r"DNS: no address for 'server\.example'"):
        here.open_tcp("server.example", 443)


def test_tls_runs_over_it() -> None:
    with two_hosts() as (here, there, _), served(there, tls_server(lambda data: data)) as port:
        with lighttls.Stream(here.open_tcp(THERE, port), pki.config(), "localhost", timeout=20) as tls:
            tls.sendall(DATA[:30_000])
            arrived = b""
            while len(arrived) < 30_000:
                arrived += tls.recv(4096)
        assert arrived == DATA[:30_000]


def test_byte_that_changed_below_tls_is_refused_by_tls() -> None:
    """A checksum of 16 bits cannot notice everything."""
    flip = tls_server(lambda data: data[:-1] + bytes([data[-1] ^ 1]))
    with two_hosts() as (here, there, _), served(there, flip) as port:
        with lighttls.Stream(here.open_tcp(THERE, port), pki.config(), "localhost", timeout=20) as tls:
            tls.sendall(b"ping")
            with pytest.raises(BadRecordMac) as failure:
                tls.recv(4)
        assert "link" in lighttls.explain(failure.value)


def tls_server(alter: Callable[[bytes], bytes]) -> Callable[[LwipTransport], None]:
    """OpenSSL, which echoes; what it echoes may be altered."""

    def serve(link: LwipTransport) -> None:
        server = MemoryServer()
        with suppress(ssl.SSLError):  # the client refuses what was altered
            while data := link.recv(65536, 20):
                server.receive(data)
                sent_all(link, server.take())
                if server.established and (heard := server.read()):
                    sent_all(link, alter(server.seal(heard)))

    return serve
