"""A server on this machine that answers an HTTPS publish as AWS IoT Core does.

It speaks TLS 1.2 through Python's `ssl`, that is OpenSSL, in a process of its own: whoever
completes a handshake with it has met an implementation other than ours. It demands a client
certificate and accepts `POST /topics/<topic>?qos=0|1`; what a device may do wrong gets the
status that AWS gives it.

    with AwsIotServer([(chain_pem, key_pem)], client_ca_pem) as server:
        ...("127.0.0.1", server.port)...

The process ends when its standard input ends, thus with its parent, however that ends.
"""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from socket import create_server, socket
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import BinaryIO, Final, Self, cast
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

from lighttls.errors import TransportError

_START_LIMIT: Final = 20.0  # seconds until the process must have said its port
_SILENCE_LIMIT: Final = 30.0  # seconds a client may send nothing
_CONNECTION_LIMIT: Final = 32  # connections at a time; more are closed at once
_HEAD_LIMIT: Final = 8192  # bytes of request line and header fields
_BODY_LIMIT: Final = 128 * 1024  # AWS's limit of a payload
_TOPIC_LIMIT: Final = 256  # bytes, and no more than seven slashes
_SLASH_LIMIT: Final = 7

_Verdict = tuple[HTTPStatus, str | None, str | None]
"""Status, the exception's name, the message."""

_OK: Final[_Verdict] = (HTTPStatus.OK, None, "OK")
_BAD_REQUEST: Final[_Verdict] = (HTTPStatus.BAD_REQUEST, "InvalidRequestException", None)
_FORBIDDEN: Final[_Verdict] = (HTTPStatus.FORBIDDEN, "ForbiddenException", None)
_NOT_ALLOWED: Final[_Verdict] = (HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowedException", None)


class AwsIotServer:
    """The server process, as a context manager; `port` is where it listens on 127.0.0.1.

    `chains` has a PEM chain and its PEM key for each kind of leaf: with an ECDSA and an RSA leaf,
    the client's suites decide which is used. Client certificates must descend from `client_ca`.
    """

    def __init__(self, chains: Iterable[tuple[bytes, bytes]], client_ca: bytes) -> None:
        self._chains = tuple(chains)
        self._client_ca = client_ca
        self.port = 0

    def __enter__(self) -> Self:
        with TemporaryDirectory(prefix="lighttls-server-") as folder:  # mode 0700; gone when the server has read it
            for number, (chain, key) in enumerate(self._chains):
                Path(folder, f"{number}.pem").write_bytes(chain + key)
            Path(folder, "clients.pem").write_bytes(self._client_ca)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lighttls.testing.aws_iot_server", folder],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": _import_path()},
            )
            try:
                self.port = self._first_line()
            except BaseException:
                self._stop()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _first_line(self) -> int:
        assert self._process.stdout is not None
        watchdog = threading.Timer(_START_LIMIT, self._process.kill)
        watchdog.start()
        try:
            line = self._process.stdout.readline()
        finally:
            watchdog.cancel()
        if not line:
            raise TransportError(
                f"the test server did not start: exit status {self._process.wait()}",
                hint="What it printed on standard error says why.",
            )
        return int(line)

    def _stop(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()  # its signal to end
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def _import_path() -> str:
    """Where the child finds this very package, installed or not."""
    here = str(Path(__file__).parents[2])
    return os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))


def _context(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(folder / "clients.pem")
    for chain in sorted(folder.glob("[0-9]*.pem")):
        context.load_cert_chain(chain)
    return context


def _serve(folder: Path) -> None:
    """Announce the port, then give each client a thread, so that a silent one holds up nobody."""
    context = _context(folder)
    places = threading.BoundedSemaphore(_CONNECTION_LIMIT)
    with create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            client, _ = listener.accept()
            if places.acquire(blocking=False):
                threading.Thread(target=_converse, args=(client, context, places), daemon=True).start()
            else:
                client.close()


def _converse(client: socket, context: ssl.SSLContext, places: threading.BoundedSemaphore) -> None:
    """Handshake, requests until the client has enough, close_notify."""
    # A client that fails or leaves is its own business: OSError includes ssl.SSLError and timeouts.
    with client, suppress(OSError):
        client.settimeout(_SILENCE_LIMIT)
        with context.wrap_socket(client, server_side=True) as tls:
            with tls.makefile("rb") as requests:
                while _answer_one(cast(BinaryIO, requests), tls):
                    pass
            tls.unwrap()
    places.release()


def _answer_one(requests: BinaryIO, tls: ssl.SSLSocket) -> bool:
    """Read a request and answer it; False if the connection ends after it."""
    head = _read_head(requests)
    if not head:
        return False
    verdict, keep_open = _BAD_REQUEST, False
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    with suppress(ValueError):  # of a malformed request: _BAD_REQUEST
        method, target, version = head[0].split(" ")
        length = int(fields.get("content-length", "0"))
        if 0 <= length <= _BODY_LIMIT:
            requests.read(length)
            verdict = _judge(method, target)
            wish = fields.get("connection", "").lower()
            keep_open = wish == "keep-alive" or (version == "HTTP/1.1" and wish != "close")
    tls.sendall(_response(verdict, keep_open))
    return keep_open


def _read_head(requests: BinaryIO) -> list[str]:
    """Request line and header fields; empty at the end of the stream, or if they never end."""
    lines: list[str] = []
    left = _HEAD_LIMIT
    while left > 0:
        line = requests.readline(left)
        left -= len(line)
        if not line.endswith(b"\n"):
            return []
        text = line.decode("latin-1").rstrip("\r\n")
        if text:
            lines.append(text)
        elif lines:  # blank lines before the request line do not count (RFC 9112 §2.2)
            return lines
    return []


def _judge(method: str, target: str) -> _Verdict:
    url = urlsplit(target)
    if not url.path.startswith("/topics/"):
        return _FORBIDDEN
    if method != "POST":
        return _NOT_ALLOWED
    topic = unquote(url.path.removeprefix("/topics/"), errors="strict")
    if topic.startswith("$"):  # reserved; no policy of ours allows it
        return _FORBIDDEN
    bad_topic = (
        not topic or set("#+\0") & set(topic) or len(topic.encode()) > _TOPIC_LIMIT or topic.count("/") > _SLASH_LIMIT
    )
    qos = parse_qs(url.query, keep_blank_values=True).get("qos", ["0"])
    return _BAD_REQUEST if bad_topic or qos not in (["0"], ["1"]) else _OK


def _response(verdict: _Verdict, keep_open: bool) -> bytes:
    """Status line, header fields in AWS's order and spelling, and a body of 65 bytes if all went well."""
    status, exception, message = verdict
    identity = uuid4()
    quoted = "null" if message is None else f'"{message}"'
    body = f'{{"message":{quoted},"traceId":"{identity}"}}'
    head = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        f"date: {formatdate(usegmt=True)}",
        f"x-amzn-RequestId: {identity}",
        f"connection: {'keep-alive' if keep_open else 'close'}",
    ]
    if exception:
        head.insert(5, f"x-amzn-ErrorType: {exception}:")
    return "\r\n".join((*head, "", body)).encode()


def _end_with_parent() -> None:
    """Wait for the end of standard input, then end the process whatever its threads are doing."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _serve(Path(sys.argv[1]))
