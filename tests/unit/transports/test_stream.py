"""`Stream` over transports of every temper, with OpenSSL at the other end."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from lighttls import (
    BadRecordMac,
    CertificateError,
    ConfigurationError,
    Identity,
    LightTLSError,
    MemoryTransport,
    PeerAlert,
    SignerError,
    Stream,
    TransportError,
    TruncatedStream,
    TrustStore,
    UsageError,
    explain,
    memory_pair,
)
from lighttls.crypto.provider import CryptoProvider
from support import pki
from support.openssl_peer import OpenSSLPeer, context


def echo(peer: OpenSSLPeer) -> None:
    while data := peer.recv():
        peer.send(data)


def listen(peer: OpenSSLPeer) -> None:
    while peer.recv():
        pass


class Tampering:
    """A transport in front of another; subclasses change one thing."""

    def __init__(self, inner: MemoryTransport) -> None:
        self.inner = inner
        self.closed = False

    def send(self, data: bytes) -> int | None:
        return self.inner.send(data)

    def recv(self, n: int, timeout: float | None) -> bytes | None:
        return self.inner.recv(n, timeout)

    def close(self) -> None:
        self.closed = True
        self.inner.close()


class ShortWrites(Tampering):
    def send(self, data: bytes) -> int:
        return self.inner.send(data[:7])


class SendsLikeSendall(Tampering):
    def send(self, data: bytes) -> None:
        self.inner.send(data)


class OneByteReads(Tampering):
    def recv(self, n: int, timeout: float | None) -> bytes | None:
        return self.inner.recv(1, timeout)


class ImpatientReads(Tampering):
    """Returns before the time is over, as a modem does that is polled."""

    def recv(self, n: int, timeout: float | None) -> bytes | None:
        return self.inner.recv(n, 0.001)


class WholeFlights(Tampering):
    """Gathers what comes within a moment, so that several records arrive in one piece."""

    def recv(self, n: int, timeout: float | None) -> bytes | None:
        data = self.inner.recv(n, timeout)
        while data and (more := self.inner.recv(n, 0.05)):
            data += more
        return data


@pytest.mark.parametrize("kind", [Tampering, ShortWrites, SendsLikeSendall, OneByteReads, ImpatientReads])
def test_data_goes_both_ways_over_every_kind_of_transport(kind: type[Tampering], provider: CryptoProvider) -> None:
    here, there = memory_pair()
    settings = context(ask_client=True)
    with (
        OpenSSLPeer(there, echo, settings) as peer,
        Stream(kind(here), pki.element_config(provider=provider), "localhost", timeout=20) as tls,
    ):
        assert tls.info.client_certificate_sent
        for size in (1, 100, 20_000):
            data = bytes(range(256)) * (size // 256 + 1)
            tls.sendall(data)
            assert read_exactly(tls, len(data)) == data
    assert peer.error is None


def read_exactly(tls: Stream, n: int) -> bytes:
    data = b""
    while len(data) < n:
        part = tls.recv(n - len(data))
        assert part
        data += part
    return data


def test_large_data_is_sealed_piece_by_piece_and_arrives_whole() -> None:
    here, there = memory_pair()
    received = bytearray()

    def collect(peer: OpenSSLPeer) -> None:
        while data := peer.recv():
            received.extend(data)

    data = bytes(700_000)
    with OpenSSLPeer(there, collect), Stream(here, pki.config(), "localhost", timeout=20) as tls:
        tls.sendall(memoryview(data))
    assert received == data


def test_recv_of_nothing_returns_at_once() -> None:
    here, there = memory_pair()
    with OpenSSLPeer(there, listen), Stream(here, pki.config(), "localhost", timeout=20) as tls:
        assert tls.recv(0) == b""


def test_recv_returns_what_is_there_and_keeps_the_rest() -> None:
    here, there = memory_pair()
    with OpenSSLPeer(there, echo), Stream(here, pki.config(), "localhost", timeout=20) as tls:
        tls.sendall(b"abcdef")
        assert tls.recv(2) == b"ab"
        assert tls.pending == 4
        assert tls.recv(100) == b"cdef"
        assert tls.pending == 0


def test_close_notify_of_the_peer_is_the_end_of_the_stream() -> None:
    here, there = memory_pair()

    def bye(peer: OpenSSLPeer) -> None:
        peer.send(b"bye")
        peer.say_goodbye()

    with OpenSSLPeer(there, bye), Stream(here, pki.config(), "localhost", timeout=20) as tls:
        assert [tls.recv(10), tls.recv(10), tls.recv(10)] == [b"bye", b"", b""]


def test_our_close_reaches_the_peer_as_close_notify() -> None:
    here, there = memory_pair()
    carrier = Tampering(here)
    with OpenSSLPeer(there, listen) as peer, Stream(carrier, pki.config(), "localhost", timeout=20):
        pass
    assert peer.error is None  # a cut without close_notify would be an SSLEOFError
    assert carrier.closed


def test_end_without_close_notify_is_truncation_after_the_data() -> None:
    here, there = memory_pair()
    with (
        OpenSSLPeer(there, lambda peer: peer.send(b"half an ans")),
        Stream(here, pki.config(), "localhost", timeout=20) as tls,
    ):
        assert tls.recv(100) == b"half an ans"
        for _ in range(2):
            with pytest.raises(TruncatedStream):
                tls.recv(100)


def test_data_before_a_damaged_record_is_delivered_before_the_error_and_the_alert_goes_out() -> None:
    here, there = memory_pair()

    def damage(peer: OpenSSLPeer) -> None:
        good, bad = peer.sealed(b"good"), bytearray(peer.sealed(b"bad"))
        bad[-1] ^= 1
        peer.transport.send(good + bytes(bad))
        peer.recv()

    with (
        OpenSSLPeer(there, damage) as peer,
        Stream(WholeFlights(here), pki.config(), "localhost", timeout=20) as tls,
    ):
        assert tls.recv(100) == b"good"
        with pytest.raises(BadRecordMac):
            tls.recv(100)
        with pytest.raises(BadRecordMac):
            tls.sendall(b"more")
    assert isinstance(peer.error, ssl.SSLError)
    assert peer.error.reason == "SSLV3_ALERT_BAD_RECORD_MAC"


def test_data_that_comes_in_one_piece_with_finished_and_damage_is_delivered_first() -> None:
    here, there = memory_pair()

    def damage(peer: OpenSSLPeer) -> None:
        bad = bytearray(peer.sealed(b"bad"))
        bad[-1] ^= 1
        peer.transport.send(bytes(bad))
        with suppress(ssl.SSLError):
            peer.recv()

    class Delayed(Tampering):
        """Holds the server's last flight back until the damage has come too."""

        flights = 0

        def recv(self, n: int, timeout: float | None) -> bytes | None:
            self.flights += 1
            data = self.inner.recv(n, timeout)
            if self.flights > 1:
                time.sleep(0.05)
                data = (data or b"") + (self.inner.recv(n, 0) or b"")
            return data

    with OpenSSLPeer(there, damage), Stream(Delayed(here), pki.config(), "localhost", timeout=20) as tls:
        assert tls.connection.state == "Failed"  # in the call that completed the handshake
        assert tls.info.flights == 4
        with pytest.raises(BadRecordMac):
            tls.recv(1)


def test_refused_chain_raises_tells_the_server_and_closes_the_transport() -> None:
    here, there = memory_pair()
    carrier = Tampering(here)
    with OpenSSLPeer(there, listen) as peer, pytest.raises(CertificateError) as caught:
        Stream(carrier, pki.config(), "other.example", timeout=20)
    assert caught.value.alert is not None
    assert isinstance(peer.error, ssl.SSLError)
    assert peer.error.reason == "SSLV3_ALERT_BAD_CERTIFICATE"
    assert carrier.closed


def test_failed_handshake_carries_its_trace_if_one_was_asked_for() -> None:
    here, there = memory_pair()
    with OpenSSLPeer(there, listen), pytest.raises(CertificateError) as caught:
        Stream(here, pki.config(trace=True), "other.example", timeout=20)
    assert [entry.name for entry in caught.value.context["trace"]][:2] == ["ClientHello", "ServerHello"]


def test_impossible_host_name_is_refused_and_the_transport_closed() -> None:
    carrier = Tampering(memory_pair()[0])
    with pytest.raises(LightTLSError):
        Stream(carrier, pki.config(), "münchen.example")
    assert carrier.closed


def test_silent_server_times_out_in_the_handshake() -> None:
    carrier = Tampering(memory_pair()[0])
    with pytest.raises(TransportError) as caught:
        Stream(carrier, pki.config(), "localhost", timeout=0.05)
    assert caught.value.timed_out
    assert carrier.closed


@pytest.mark.parametrize("bounds", [{"timeout": "20"}, {"timeout": 0}, {"deadline": "20"}, {"deadline": -1}])
def test_impossible_bound_is_named_and_the_transport_closed(bounds: Any) -> None:
    carrier = Tampering(memory_pair()[0])
    with pytest.raises(ConfigurationError, match=next(iter(bounds))):
        Stream(carrier, pki.config(), "localhost", **bounds)
    assert carrier.closed


def test_timeout_of_recv_leaves_the_connection_usable() -> None:
    here, there = memory_pair()
    with OpenSSLPeer(there, echo), Stream(here, pki.config(), "localhost", timeout=20) as tls:
        tls.settimeout(0.02)
        with pytest.raises(TransportError) as caught:
            tls.recv(1)
        assert caught.value.timed_out
        tls.settimeout(20)
        tls.sendall(b"x")
        assert tls.recv(1) == b"x"


class Trickle(Tampering):
    """A byte of an endless record every few milliseconds: always progress, never an end."""

    def recv(self, n: int, timeout: float | None) -> bytes:
        time.sleep(0.005)
        head, self.head = self.head[:1], self.head[1:]
        return head or b"\0"

    head = b"\x16\x03\x03\x40\x00"


def test_deadline_ends_what_no_timeout_would() -> None:
    began = time.monotonic()
    with pytest.raises(TransportError) as caught:
        Stream(Trickle(memory_pair()[0]), pki.config(), "localhost", timeout=1, deadline=0.1)
    assert caught.value.timed_out
    assert time.monotonic() - began < 5


def test_deadline_covers_data_too_until_it_is_lifted() -> None:
    here, there = memory_pair()
    with OpenSSLPeer(there, echo), Stream(here, pki.config(), "localhost", deadline=20) as tls:
        tls.setdeadline(0)
        with pytest.raises(TransportError) as caught:
            tls.recv(1)
        assert caught.value.timed_out
        tls.setdeadline(None)
        tls.sendall(b"x")
        assert tls.recv(1) == b"x"


def test_send_after_the_deadline_fails_and_nothing_follows_it() -> None:
    here, there = memory_pair()
    with OpenSSLPeer(there, listen), Stream(here, pki.config(), "localhost", timeout=20) as tls:
        tls.setdeadline(0)
        with pytest.raises(TransportError) as caught:
            tls.sendall(b"x")
        assert caught.value.timed_out
        tls.setdeadline(None)
        with pytest.raises(TransportError):
            tls.sendall(b"y")


@pytest.mark.parametrize(
    ("trouble", "timed_out"),
    [
        (ConnectionResetError("reset"), False),
        (TimeoutError(), True),
        (ValueError("bad answer of the modem"), False),
        (TruncatedStream("of a TLS connection that is the transport"), False),
    ],
)
def test_trouble_of_the_transport_while_receiving_is_a_transport_error(trouble: Exception, timed_out: bool) -> None:
    class Broken(Tampering):
        def recv(self, n: int, timeout: float | None) -> bytes | None:
            raise trouble

    carrier = Broken(memory_pair()[0])
    with pytest.raises(TransportError) as caught:
        Stream(carrier, pki.config(), "localhost")
    assert caught.value.timed_out is timed_out
    assert caught.value.__cause__ is trouble
    assert carrier.closed


@pytest.mark.parametrize("trouble", [ConnectionResetError("reset"), KeyError("reset"), TransportError("reset")])
def test_trouble_of_the_transport_while_sending_ends_the_connection(trouble: Exception) -> None:
    here, there = memory_pair()

    class BreaksLater(Tampering):
        broken = False

        def send(self, data: bytes) -> int | None:
            if self.broken:
                raise trouble
            return self.inner.send(data)

    carrier = BreaksLater(here)
    with OpenSSLPeer(there, listen), Stream(carrier, pki.config(), "localhost", timeout=20) as tls:
        carrier.broken = True
        for _ in range(2):
            with pytest.raises(TransportError, match="reset"):
                tls.sendall(b"x")


@pytest.mark.parametrize("taken", [0, -1, 10**9, "all"])
def test_transport_that_takes_an_impossible_number_of_bytes_is_an_error(taken: Any) -> None:
    class Liar(Tampering):
        def send(self, data: bytes) -> Any:
            return taken

    with pytest.raises(TransportError, match=str(taken)):
        Stream(Liar(memory_pair()[0]), pki.config(), "localhost")


def test_transport_that_cannot_even_be_closed_does_not_hide_the_failure() -> None:
    class Stuck(Tampering):
        def close(self) -> None:
            raise ValueError("no such link")

    with pytest.raises(TransportError) as caught:
        Stream(Stuck(memory_pair()[0]), pki.config(), "localhost", timeout=0.01)
    assert caught.value.timed_out


def test_alert_that_waits_behind_a_failed_send_is_the_reason_given() -> None:
    """A server that refuses us may close before our flight is out; its alert lies in our receive buffer."""
    here, there = memory_pair()
    there.send(b"\x15\x03\x03\x00\x02\x02\x50")  # fatal internal_error

    class Unwritable(Tampering):
        def send(self, data: bytes) -> int:
            raise BrokenPipeError("closed by the server")

    with pytest.raises(PeerAlert) as caught:
        Stream(Unwritable(here), pki.config(), "localhost", timeout=20)
    assert isinstance(caught.value.__cause__, TransportError)


class Flood(Tampering):
    """Once `started` it takes nothing and always has more of one endless record; each receive takes `seconds`."""

    started = False
    seconds = 0.0
    received = 0

    def send(self, data: bytes) -> int | None:
        if self.started:
            raise TimeoutError("no room")
        return self.inner.send(data)

    def recv(self, n: int, timeout: float | None) -> bytes | None:
        if not self.started:
            return self.inner.recv(n, timeout)
        self.received += 1
        assert self.received < 100
        time.sleep(self.seconds)
        return b"\x17\x03\x03\x40\x00" if self.received == 1 else b"\0"


@pytest.mark.parametrize(("seconds", "deadline", "most"), [(0.0, None, 8), (0.3, 0.2, 1)])
def test_server_that_floods_and_reads_nothing_does_not_hold_up_the_failure(
    seconds: float, deadline: float | None, most: int
) -> None:
    here, there = memory_pair()
    carrier = Flood(here)
    with OpenSSLPeer(there, listen), Stream(carrier, pki.config(), "localhost", timeout=20) as tls:
        carrier.started, carrier.seconds = True, seconds
        tls.setdeadline(deadline)
        with pytest.raises(TransportError) as caught:
            tls.sendall(b"x")
        assert caught.value.timed_out
        assert carrier.received <= most


def test_signer_that_defers_its_answer_is_explained() -> None:
    here, there = memory_pair()
    chain = pki.shared().device_chain(pki.shared().ec_device)
    config = pki.config(identity=Identity.from_pem(chain))
    with OpenSSLPeer(there, listen, context(ask_client=True)) as peer, pytest.raises(SignerError) as caught:
        Stream(here, config, "localhost", timeout=20)
    assert "ClientConnection" in explain(caught.value)
    assert isinstance(peer.error, ssl.SSLError)
    assert peer.error.reason == "TLSV1_ALERT_INTERNAL_ERROR"


def test_use_after_our_close_is_a_usage_error() -> None:
    here, there = memory_pair()
    with OpenSSLPeer(there, listen), Stream(here, pki.config(), "localhost", timeout=20) as tls:
        tls.close()
        tls.close()
        uses: list[Callable[[], Any]] = [lambda: tls.recv(1), lambda: tls.sendall(b"x")]
        for use in uses:
            with pytest.raises(UsageError):
                use()


def released() -> memoryview:
    view = memoryview(b"abc")
    view.release()
    return view


@pytest.mark.parametrize("data", ["abc", None, 5, [1, 2], memoryview(b"abcd")[::2], released()])
def test_what_is_no_buffer_of_bytes_cannot_be_sent_and_does_no_harm(data: Any) -> None:
    here, there = memory_pair()
    with OpenSSLPeer(there, echo), Stream(here, pki.config(), "localhost", timeout=20) as tls:
        with pytest.raises(UsageError, match=type(data).__name__):
            tls.sendall(data)
        tls.sendall(b"x")
        assert tls.recv(1) == b"x"


def test_unknown_root_is_refused_with_unknown_ca() -> None:
    here, there = memory_pair()
    config = pki.config(trust=TrustStore.from_pem(pki.shared().device_ca.to_pem()))
    with OpenSSLPeer(there, listen) as peer, pytest.raises(CertificateError):
        Stream(here, config, "localhost", timeout=20)
    assert isinstance(peer.error, ssl.SSLError)
    assert peer.error.reason == "TLSV1_ALERT_UNKNOWN_CA"


def test_nothing_follows_a_record_that_an_interrupt_cut() -> None:
    here, there = memory_pair()
    sent: list[bytes] = []

    class Interrupted(Tampering):
        interrupt = False

        def send(self, data: bytes) -> int | None:
            if self.interrupt:
                if len(sent):
                    raise KeyboardInterrupt
                sent.append(data[:10])
                return self.inner.send(data[:10])
            return self.inner.send(data)

    carrier = Interrupted(here)
    with OpenSSLPeer(there, listen), Stream(carrier, pki.config(), "localhost", timeout=20) as tls:
        carrier.interrupt = True
        with pytest.raises(KeyboardInterrupt):
            tls.sendall(b"half of this leaves")
        carrier.send = lambda data: sent.append(data)  # type: ignore[method-assign]
        with pytest.raises(TransportError, match="interrupted"):
            tls.sendall(b"more")
        tls.close()
    assert [len(piece) for piece in sent] == [10]
