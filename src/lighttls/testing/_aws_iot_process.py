"""The server process that `AwsIotServer` starts: TLS by OpenSSL, HTTP by hand, answers as AWS IoT Core gives them.

Run with a folder that holds `clients.pem`, the authority of client certificates, and one file of
chain and key for each kind of server certificate. It prints its port.
"""

from __future__ import annotations

import os
import ssl
import sys
import threading
from contextlib import ExitStack, suppress
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from socket import create_server, socket
from typing import BinaryIO, Final, cast
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

_SILENCE_LIMIT: Final = 30.0  # seconds a client may send nothing
_CONNECTION_LIMIT: Final = 32  # connections at a time; more are closed at once
_HEAD_LIMIT: Final = 8192  # bytes of request line and header fields
_BODY_LIMIT: Final = 128 * 1024  # AWS's limit of a payload
_DRAIN_LIMIT: Final = 1 << 20  # bytes of a body too long that are read all the same
_TOPIC_LIMIT: Final = 256  # bytes, and no more than seven slashes
_SLASH_LIMIT: Final = 7

_Verdict = tuple[HTTPStatus, str | None, str | None]
"""Status, the exception's name, the message."""

_OK: Final[_Verdict] = (HTTPStatus.OK, None, "OK")
_BAD_REQUEST: Final[_Verdict] = (HTTPStatus.BAD_REQUEST, "InvalidRequestException", None)
_FORBIDDEN: Final[_Verdict] = (HTTPStatus.FORBIDDEN, "ForbiddenException", None)
_NOT_ALLOWED: Final[_Verdict] = (HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowedException", None)


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
    with ExitStack() as at_end:
        at_end.callback(places.release)
        at_end.enter_context(client)
        at_end.enter_context(suppress(OSError))
        client.settimeout(_SILENCE_LIMIT)
        tls = at_end.enter_context(context.wrap_socket(client, server_side=True))
        with tls.makefile("rb") as requests:
            while _answer_one(cast(BinaryIO, requests), tls):
                pass
        tls.unwrap()


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
        # A client that still sends when we close would hear of a broken connection instead of its mistake.
        requests.read(min(max(length, 0), _DRAIN_LIMIT))
        if 0 <= length <= _BODY_LIMIT:
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
