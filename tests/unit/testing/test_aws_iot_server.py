"""The test server answers as AWS IoT Core, seen by the standard library's client."""

from __future__ import annotations

import http.client
import os
import re
import select
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lighttls import TransportError
from lighttls.testing import AwsIotServer
from support import loopback, pki


@pytest.fixture
def device(tmp_path: Path) -> ssl.SSLContext:
    """The standard library's client with a device's certificate."""
    certificates = pki.shared()
    file = tmp_path / "device.pem"
    file.write_bytes(certificates.ec_device.to_pem() + certificates.ec_device.key.to_pem())
    context = ssl.create_default_context(cadata=certificates.root.to_pem().decode())
    context.load_cert_chain(file)
    return context


def ask(context: ssl.SSLContext, method: str, target: str, body: bytes = b"") -> http.client.HTTPResponse:
    client = http.client.HTTPSConnection("localhost", loopback.server().port, context=context, timeout=20)
    try:
        client.request(method, target, body)
        answer = client.getresponse()
        answer.body = answer.read()  # type: ignore[attr-defined]
        return answer
    finally:
        client.close()


def exchange(context: ssl.SSLContext, request: bytes) -> bytes:
    """Send raw bytes and read until the server closes."""
    with (
        socket.create_connection(("127.0.0.1", loopback.server().port), timeout=20) as link,
        context.wrap_socket(link, server_hostname="localhost") as tls,
    ):
        tls.sendall(request)
        answer = b""
        while part := tls.recv(4096):
            answer += part
        return answer


def test_publish_is_answered_to_the_letter(device: ssl.SSLContext) -> None:
    uuid = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    expected = (
        r"HTTP/1\.1 200 OK\r\n"
        r"content-type: application/json\r\n"
        r"content-length: 65\r\n"
        r"date: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n"
        rf"x-amzn-RequestId: ({uuid})\r\n"
        r"connection: close\r\n\r\n"
        r'\{"message":"OK","traceId":"\2"\}'
    )
    answer = exchange(device, loopback.PUBLISH).decode()
    assert re.fullmatch(expected, answer)
    assert len(answer.partition("\r\n\r\n")[2]) == 65


@pytest.mark.parametrize(
    ("method", "target", "status", "exception"),
    [
        ("POST", "/topics/a/b", 200, None),
        ("POST", "/topics/a%2Fb?qos=0&retain=true", 200, None),
        ("POST", "/topics/a?qos=2", 400, "InvalidRequestException:"),
        ("POST", "/topics/a?qos=1&qos=1", 400, "InvalidRequestException:"),
        ("POST", "/topics/?qos=1", 400, "InvalidRequestException:"),
        ("POST", "/topics/a/%23?qos=1", 400, "InvalidRequestException:"),
        ("POST", "/topics/%ff?qos=1", 400, "InvalidRequestException:"),
        ("POST", "/topics/1/2/3/4/5/6/7/8", 200, None),
        ("POST", "/topics/1/2/3/4/5/6/7/8/9", 400, "InvalidRequestException:"),
        ("POST", "/topics/" + "t" * 256, 200, None),
        ("POST", "/topics/" + "t" * 257, 400, "InvalidRequestException:"),
        ("POST", "/topics/$aws/things/x", 403, "ForbiddenException:"),
        ("POST", "/", 403, "ForbiddenException:"),
        ("GET", "/topics/a", 405, "MethodNotAllowedException:"),
    ],
)
def test_status_by_request(
    device: ssl.SSLContext, method: str, target: str, status: int, exception: str | None
) -> None:
    answer = ask(device, method, target, b"{}")
    assert (answer.status, answer.getheader("x-amzn-ErrorType")) == (status, exception)


@pytest.mark.parametrize(("size", "status"), [(131_072, 200), (131_073, 400)])
def test_payload_has_awss_limit(device: ssl.SSLContext, size: int, status: int) -> None:
    assert ask(device, "POST", "/topics/a", bytes(size)).status == status


def test_body_too_long_is_read_before_it_is_refused(device: ssl.SSLContext) -> None:
    """A server that closed at once would break the sending of a client that is slower than it."""
    head, body = b"POST /topics/a HTTP/1.1\r\nContent-Length: 1048576\r\n\r\n", bytes(1 << 20)
    with (
        socket.create_connection(("127.0.0.1", loopback.server().port), timeout=20) as link,
        device.wrap_socket(link, server_hostname="localhost") as tls,
    ):
        tls.sendall(head + body[:1])
        assert select.select([tls], [], [], 0.1)[0] == []  # no answer, and no end
        tls.sendall(body[1:])
        assert tls.recv(4096).startswith(b"HTTP/1.1 400 ")
        assert tls.recv(4096) == b""


def test_connection_is_kept_for_more_requests_and_stray_line_ends_do_no_harm(device: ssl.SSLContext) -> None:
    """A field device sends two line ends behind its counted body."""
    first = b"POST /topics/a HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}\r\n\r\n"
    answer = exchange(device, first + loopback.PUBLISH)
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert answer.count(b"connection: keep-alive") == 1


def test_http_1_0_is_closed_after_one_answer(device: ssl.SSLContext) -> None:
    answer = exchange(device, b"POST /topics/Wio?qos=1 HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    "request_bytes", [b"nonsense\r\n\r\n", b"POST /topics/a HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
)
def test_what_is_no_request_gets_400(device: ssl.SSLContext, request_bytes: bytes) -> None:
    assert exchange(device, request_bytes).startswith(b"HTTP/1.1 400 ")


def test_endless_head_is_cut(device: ssl.SSLContext) -> None:
    assert exchange(device, b"x" * 8192) == b""


def test_client_without_certificate_is_refused() -> None:
    context = ssl.create_default_context(cadata=pki.shared().root.to_pem().decode())
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        exchange(context, loopback.PUBLISH)


def test_tls_1_2_only(device: ssl.SSLContext) -> None:
    device.minimum_version = ssl.TLSVersion.TLSv1_3
    with pytest.raises(ssl.SSLError):
        exchange(device, loopback.PUBLISH)


def test_silent_clients_hold_up_nobody_and_too_many_are_closed(device: ssl.SSLContext) -> None:
    address = ("127.0.0.1", loopback.server().port)
    silent = [socket.create_connection(address, timeout=20) for _ in range(10)]
    try:
        assert exchange(device, loopback.PUBLISH).startswith(b"HTTP/1.1 200 OK")
        silent += [socket.create_connection(address, timeout=20) for _ in range(40)]
        assert silent[-1].recv(1) == b""
    finally:
        for link in silent:
            link.close()
    deadline = time.monotonic() + 10
    while True:  # the places are free again
        try:
            assert exchange(device, loopback.PUBLISH).startswith(b"HTTP/1.1 200 OK")
            return
        except OSError:
            if time.monotonic() > deadline:
                raise


def test_server_ends_with_a_parent_that_was_killed() -> None:
    program = (
        "import sys, time\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from lighttls.testing import AwsIotServer, ec_key, issue\n"
        "ca = issue('ca', ec_key(), ca=True)\n"
        "server = AwsIotServer([(ca.to_pem(), ca.key.to_pem())], ca.to_pem()).__enter__()\n"
        "print(server.port, flush=True)\n"
        "time.sleep(60)\n"
    )
    import lighttls

    source = str(Path(lighttls.__file__).parents[1])
    with subprocess.Popen([sys.executable, "-c", program, source], stdout=subprocess.PIPE, env=os.environ) as parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline())
        socket.create_connection(("127.0.0.1", port), timeout=20).close()
        parent.kill()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=20).close()
        except OSError:
            return
        time.sleep(0.05)
    pytest.fail("the server outlived its parent by ten seconds")


def test_server_that_cannot_start_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(TransportError, match="did not start"), AwsIotServer([(b"no certificate", b"")], b"none"):
        pass
    assert "Error" in capfd.readouterr().err
