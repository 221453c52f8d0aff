"""TLS over lwIP to the kernel over TAP, beside plain TCP over the same: the same connections, in the same rounds.

The peer is a process of its own behind a TAP device in a network namespace. What counts is the time on the wall, since
both sides wait for each other.
"""

from __future__ import annotations

import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

import lighttls
from bench.bench_records import AES_128
from bench.compare import Side
from bench.sides import HOST, World
from lighttls import ClientConfig, TrustStore
from lighttls.crypto import by_name
from lighttls.transports.lwip import Host, LwipTransport
from support import lwip, require, tap

SIZE = 4 << 20  # bytes of a round
PIECE = 65536
ROUNDS = 11
BAR = 2.0  # TLS has half the throughput of plain TCP, or more
PATIENCE = 30.0

PEER = """
import socket, ssl, sys, threading
chain, key, suite, size = sys.argv[1:]
size, piece = int(size), bytes(65536)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.maximum_version = ssl.TLSVersion.TLSv1_2
context.set_ciphers(suite)
context.load_cert_chain(chain, key)

def serve(caller):
    caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if caller.recv(1) == b"t":
        caller = context.wrap_socket(caller, server_side=True)
    while order := caller.recv(1):
        if order == b"d":
            for _ in range(size // len(piece)):
                caller.sendall(piece)
        else:
            left = size
            while left:
                left -= len(caller.recv(min(left, len(piece))))
            caller.sendall(b"k")

listening = socket.create_server(("10.77.0.1", 0))
print(listening.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()
"""


class Channel(Protocol):
    """What both TLS and plain TCP offer here."""

    def sendall(self, data: bytes) -> None: ...

    def recv(self, n: int) -> bytes: ...

    def close(self) -> None: ...


class Plain:
    """The transport itself."""

    def __init__(self, link: LwipTransport) -> None:
        self._link = link

    def sendall(self, data: bytes) -> None:
        while data:
            data = data[self._link.send(data) :]

    def recv(self, n: int) -> bytes:
        data = self._link.recv(n, PATIENCE)
        assert data is not None, "the peer is silent"
        return data

    def close(self) -> None:
        self._link.close()


class Ssl(Plain):
    """The module `ssl` over the same transport, by its memory buffers."""

    def __init__(self, link: LwipTransport, root: str) -> None:
        super().__init__(link)
        context = ssl.create_default_context(cafile=root)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=HOST)
        self._until_done(self._tls.do_handshake)

    def sendall(self, data: bytes) -> None:
        self._tls.write(data)
        super().sendall(self._outgoing.read())

    def recv(self, n: int) -> bytes:
        return self._until_done(lambda: self._tls.read(n))

    def _until_done(self, step: Callable[[], Any]) -> Any:
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                super().sendall(self._outgoing.read())
                self._incoming.write(super().recv(PIECE))
            finally:
                super().sendall(self._outgoing.read())


@contextmanager
def peer(world: World, made: tap.Namespace, folder: Path) -> Iterator[int]:
    """The port of a process in the namespace, which sends or takes `SIZE` bytes for each letter that it gets."""
    world.server_context()  # writes its chain
    command = [sys.executable, "-c", PEER, str(folder / "chain.pem"), str(folder / "leaf.key"), AES_128, str(SIZE)]
    process = made.inside(lambda: subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def side(channel: Channel, direction: str) -> Side:
    """Seconds per byte."""
    piece = bytes(PIECE)

    def run() -> float:
        began = time.perf_counter()
        if direction == "receive":
            channel.sendall(b"d")
            left = SIZE
            while left:
                left -= len(channel.recv(PIECE))
        else:
            channel.sendall(b"u")
            for _ in range(SIZE // PIECE):
                channel.sendall(piece)
            assert channel.recv(1) == b"k"
        return (time.perf_counter() - began) / SIZE

    return run


@pytest.mark.parametrize("direction", ["receive", "send"])
def bench_tls_over_lwip(benchmark: Any, ratio: Any, world: Any, tmp_path: Path, direction: str) -> None:
    require.native()
    core = lwip.cores()[0]
    place: World = world("ecdsa", suite=AES_128)
    root = str(tmp_path / "root.pem")
    config = ClientConfig(trust=TrustStore.from_file(root), provider=by_name("native"))
    with (
        tap.namespace() as made,
        peer(place, made, tmp_path) as port,
        Host(made.tap, f"{tap.OURS}/24", core=core) as host,
    ):

        def dial(kind: bytes) -> LwipTransport:
            link = host.open_tcp(tap.KERNEL, port)
            assert link.send(kind) == 1
            return link

        plain = side(Plain(dial(b"p")), direction)
        ours = side(lighttls.Stream(dial(b"t"), config, HOST, timeout=PATIENCE), direction)
        theirs = side(Ssl(dial(b"t"), root), direction)
        how: dict[str, Any] = {"rounds": ROUNDS, "against": "plain TCP", "unit": "ns/B", "scale": 1e9}
        ratio(benchmark, f"ssl over lwIP to the kernel, {direction}", theirs, plain, **how)
        ratio(benchmark, f"TLS over lwIP to the kernel, {direction}", ours, plain, bar=BAR, **how)
        benchmark.pedantic(ours, rounds=3)
