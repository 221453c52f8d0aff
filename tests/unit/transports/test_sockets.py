"""`connect` and `TLSSocket` on loopback."""

from __future__ import annotations

import http.client
import select
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lighttls import ConfigurationError, TLSSocket, TransportError, UsageError, connect, explain
from lighttls.transports import SocketTransport
from support import loopback, pki
from support.openssl_peer import OpenSSLPeer


def echo(peer: OpenSSLPeer) -> None:
    while data := peer.recv():
        peer.send(data)
    peer.say_goodbye()


@pytest.fixture
def tls() -> Iterator[TLSSocket]:
    """A connection to an OpenSSL server that echoes."""
    ours, theirs = socket.socketpair()
    with (
        OpenSSLPeer(SocketTransport(theirs), echo) as peer,
        TLSSocket(SocketTransport(ours), pki.config(), "localhost", timeout=20) as connection,
    ):
        yield connection
    assert peer.error is None


def publish() -> TLSSocket:
    server = loopback.server()
    config = pki.config(pki.shared().ec_device)
    return connect(("127.0.0.1", server.port), config, server_hostname="localhost", timeout=20, deadline=20)


def test_connect_publishes_over_tcp() -> None:
    with publish() as tls:
        tls.sendall(loopback.PUBLISH)
        answer = b""
        while part := tls.recv(1000):
            answer += part
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


def test_recv_into_fills_a_buffer(tls: TLSSocket) -> None:
    assert tls.send(b"abcdef") == 6
    buffer = bytearray(b"....")
    assert tls.recv_into(buffer, 2) == 2
    assert buffer == b"ab.."
    assert tls.recv_into(memoryview(buffer)[1:]) == 3
    assert buffer == b"acde"
    assert tls.recv_into(bytearray()) == 0


def test_send_of_much_takes_a_part_and_says_how_much(tls: TLSSocket) -> None:
    sizes = []
    sender = threading.Thread(target=lambda: sizes.append(tls.send(bytes(300_000))))
    # An echo answers while we send: OpenSSL's side reads, so the kernel's buffers do not fill up for good.
    sender.start()
    sender.join(20)
    assert sizes == [262_144]
    got = 0
    while got < sizes[0]:
        got += len(tls.recv(65536))


def test_what_is_no_buffer_of_bytes_is_refused_and_does_no_harm(tls: TLSSocket) -> None:
    for data in ("abc", None, 5):
        with pytest.raises(UsageError):
            tls.send(data)  # type: ignore[arg-type]
        with pytest.raises(UsageError):
            tls.recv_into(data)  # type: ignore[arg-type]
    tls.send(b"x")
    with pytest.raises(UsageError, match="read-only"):
        tls.recv_into(b"...")  # type: ignore[arg-type]
    assert tls.recv(1) == b"x"


def test_pending_tells_what_select_cannot_see(tls: TLSSocket) -> None:
    tls.sendall(b"abc")
    assert tls.recv(1) == b"a"
    assert tls.pending == 2
    assert select.select([tls], [], [], 0)[0] == []
    tls.sendall(b"def")
    assert select.select([tls], [], [], 10)[0] == [tls]


def test_shutdown_of_writing_leaves_reading(tls: TLSSocket) -> None:
    tls.sendall(b"last words")
    tls.shutdown(socket.SHUT_WR)
    parts = b""
    while part := tls.recv(100):
        parts += part
    assert parts == b"last words"
    with pytest.raises(UsageError):
        tls.sendall(b"too late")


def test_shutdown_of_both_ends_both(tls: TLSSocket) -> None:
    tls.shutdown(socket.SHUT_RDWR)
    assert tls.recv(1) == b""


def test_shutdown_of_reading_alone_is_refused(tls: TLSSocket) -> None:
    with pytest.raises(UsageError):
        tls.shutdown(socket.SHUT_RD)


def test_zero_timeout_does_not_wait(tls: TLSSocket) -> None:
    tls.settimeout(0)
    with pytest.raises(TransportError) as caught:
        tls.recv(1)
    assert caught.value.timed_out


def test_fileno_is_the_sockets_and_gone_after_close(tls: TLSSocket) -> None:
    assert tls.fileno() > 0
    tls.close()
    assert tls.fileno() == -1


def test_files_read_and_write(tls: TLSSocket) -> None:
    with tls.makefile("rw", encoding="utf-8", newline="\n") as file:
        file.write("grüße\nzweite\n")
        file.flush()
        assert file.readline() == "grüße\n"
        assert file.readline() == "zweite\n"
    tls.sendall(b"third\n")
    with tls.makefile("rb") as reader:
        assert reader.readline() == b"third\n"
    with tls.makefile("wb", buffering=0) as writer:
        writer.write(b"raw")
    assert tls.recv(10) == b"raw"


def test_close_waits_for_the_last_file(tls: TLSSocket) -> None:
    tls.sendall(b"line\n")
    file = tls.makefile("rb")
    tls.close()
    assert file.readline() == b"line\n"
    assert tls.fileno() > 0
    file.close()
    assert tls.fileno() == -1


@pytest.mark.parametrize(("mode", "buffering"), [("x", None), ("", None), ("r", 0)])
def test_impossible_file_is_refused(tls: TLSSocket, mode: str, buffering: int | None) -> None:
    with pytest.raises(UsageError):
        tls.makefile(mode, buffering)


def test_http_client_of_the_standard_library_runs_over_it() -> None:
    with publish() as tls:
        client = http.client.HTTPConnection("localhost")
        client.sock = tls  # type: ignore[assignment]
        client.request("POST", "/topics/a?qos=1", body=b"{}", headers={"Connection": "close"})
        answer = client.getresponse()
        assert (answer.status, len(answer.read())) == (200, 65)
        client.close()


def test_unknown_host_is_named_with_what_to_do() -> None:
    with pytest.raises(TransportError, match=r"nowhere\.invalid") as caught:
        connect(("nowhere.invalid", 443), pki.config(), timeout=20)
    assert "DNS" in explain(caught.value)
    assert not caught.value.timed_out


def test_refused_connection_is_named_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TransportError, match=f"127.0.0.1 port {port}") as caught:
        connect(("127.0.0.1", port), pki.config(), timeout=20)
    assert "running" in explain(caught.value)


@pytest.mark.parametrize("limits", [{"timeout": 0.05}, {"deadline": 0.05}, {"timeout": 5, "deadline": 0.05}])
def test_server_that_accepts_and_says_nothing_times_out(limits: dict[str, float]) -> None:
    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(TransportError) as caught:
        connect(("127.0.0.1", listener.getsockname()[1]), pki.config(), **limits)
    assert caught.value.timed_out
    assert ("deadline" if "deadline" in limits else "nothing came for 0.05 s") in str(caught.value)
    assert time.monotonic() - began < 4


def test_peer_that_reads_nothing_makes_a_send_time_out() -> None:
    ours, theirs = socket.socketpair()
    stop = threading.Event()
    with OpenSSLPeer(SocketTransport(theirs), lambda _: bool(stop.wait(20))):
        try:
            with TLSSocket(SocketTransport(ours), pki.config(), "localhost", timeout=20) as tls:
                tls.settimeout(0.05)
                with pytest.raises(TransportError) as caught:
                    tls.sendall(bytes(8_000_000))
                assert caught.value.timed_out
        finally:
            stop.set()


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "", "münchen.example", "two words"])
def test_impossible_host_name_is_refused_before_anybody_is_called(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", pytest.fail)
    with pytest.raises(ConfigurationError):
        connect((host, 443), pki.config(), timeout=20)


@pytest.mark.parametrize(
    ("address", "bounds", "what"),
    [
        (("localhost", 0), {}, "port"),
        (("localhost", 65536), {}, "port"),
        (("localhost", -1), {}, "port"),
        (("localhost", "443"), {}, "port"),
        (("localhost", True), {}, "port"),
        ("localhost:443", {}, "pair"),
        ("ab", {}, "pair"),
        (("localhost",), {}, "pair"),
        ((None, 443), {}, "pair"),
        (None, {}, "pair"),
        (("localhost", 443), {"timeout": 0}, "timeout"),
        (("localhost", 443), {"timeout": -1.5}, "timeout"),
        (("localhost", 443), {"timeout": "20"}, "timeout"),
        (("localhost", 443), {"timeout": float("nan")}, "timeout"),
        (("localhost", 443), {"timeout": True}, "timeout"),
        (("localhost", 443), {"deadline": 0}, "deadline"),
        (("localhost", 443), {"deadline": []}, "deadline"),
    ],
)
def test_impossible_argument_is_named_before_anybody_is_called(
    address: Any, bounds: dict[str, Any], what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", pytest.fail)
    with pytest.raises(ConfigurationError, match=what):
        connect(address, pki.config(), **bounds)


def test_reset_by_the_server_is_a_transport_error() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def reset() -> None:
        client, _ = listener.accept()
        client.recv(1)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close by RST
        client.close()

    thread = threading.Thread(target=reset)
    thread.start()
    with listener, pytest.raises(TransportError) as caught:
        connect(("127.0.0.1", listener.getsockname()[1]), pki.config(), timeout=20)
    thread.join()
    assert isinstance(caught.value.__cause__, ConnectionResetError)
