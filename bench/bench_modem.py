"""A modem's cost: the engine alone, and what it leaves of a serial line, on a virtual clock.

The line's own limit counts every byte that crosses the serial line, AT framing included, at 10 bits each, as the
dialogue goes; the latency of the module for each command (`LATENCY`); pauses that the dialect prescribes; and the
round trips of TCP. What the driver adds beyond that are its own waits. It can stay below, since it asks for news while
a round trip passes, and those bytes count.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lighttls import MemorySessionStore, Stream
from lighttls.testing.modem import LATENCY
from lighttls.transports.at_modem.engine import Engine
from lighttls.transports.at_modem.link import Link
from lighttls.transports.at_modem.quectel import Quectel
from lighttls.transports.at_modem.settings import Settings
from support import pki
from support.memory_server import MemoryServer
from support.modem import Recorder, TlsServer, modem

ENGINE_BAR = 5e6  # bytes per second of payload
THROUGHPUT_BAR = 0.90
HANDSHAKE_BAR = 1.15
ROUND_TRIP = 0.1
SIZE = 200_000
UBLOX_PAUSE = 0.05

# Bytes and commands that carry one piece of payload, as the dialects have them: command line, prompt, header, results.
READ_FRAMING = {
    "quectel": (1500, ["AT+QIRD=0,1500\r", "\r\n+QIRD: 1500\r\n\r\n", "\r\nOK\r\n"]),
    "simcom": (1460, ["AT+CIPRXGET=2,0,1460\r", "\r\n+CIPRXGET: 2,0,1460,8780\r\n\r\n", "\r\nOK\r\n"]),
    "sim800": (1460, ["AT+CIPRXGET=2,0,1460\r", "\r\n+CIPRXGET: 2,0,1460,8780\r\n\r\n", "\r\nOK\r\n"]),
    "ublox": (1024, ["AT+USORD=0,1024\r", '\r\n+USORD: 0,1024,""\r\n', "\r\nOK\r\n"]),
}
SEND_FRAMING = {
    "quectel": (1460, ["AT+QISEND=0,1460\r", "\r\n> ", "\r\nSEND OK\r\n"]),
    "simcom": (1460, ["AT+CIPSEND=0,1460\r", "\r\n>", "\r\nOK\r\n", "\r\n+CIPSEND: 0,1460,1460\r\n"]),
    "sim800": (1460, ["AT+CIPSEND=0,1460\r", "\r\n> ", "\r\nDATA ACCEPT:0,1460\r\n"]),
    "ublox": (1024, ["AT+USOWR=0,1024\r", "\r\n@", "\r\n+USOWR: 0,1024\r\n", "\r\nOK\r\n"]),
}


def limit(piece: int, framing: list[str], baud: int, waits: float) -> float:
    """Payload bytes per second that the framing leaves."""
    seconds = (piece + sum(map(len, framing))) * 10 / baud + waits
    return piece / seconds


@pytest.mark.parametrize("baud", [115200, 921600])
@pytest.mark.parametrize("dialect", sorted(READ_FRAMING))
def bench_throughput(benchmark: Any, capsys: Any, dialect: str, baud: int) -> None:
    def run() -> tuple[float, float]:
        peer = Recorder(bytes(SIZE))
        line, simulated = modem(dialect, peer, baud=baud, round_trip=0.01)
        connection = line.open_tcp("server.example", 443)
        got = first = len(connection.recv(65536, 5) or b"")
        began = simulated.monotonic()
        while got < SIZE:
            got += len(connection.recv(65536, 60) or b"")
        received = (SIZE - first) / (simulated.monotonic() - began)
        began, left = simulated.monotonic(), bytes(SIZE)
        while left:
            left = left[connection.send(left) :]
        return received, SIZE / (simulated.monotonic() - began)

    received, sent = benchmark.pedantic(run, rounds=1)
    pause = UBLOX_PAUSE if dialect == "ublox" else 0.0
    bounds = (
        limit(*READ_FRAMING[dialect], baud, LATENCY),
        limit(*SEND_FRAMING[dialect], baud, 2 * LATENCY + pause),
    )
    shares = received / bounds[0], sent / bounds[1]
    with capsys.disabled():
        print(
            f"\n{dialect} at {baud}: receives {received:.0f} B/s, {shares[0]:.3f} of the line's {bounds[0]:.0f}; "
            f"sends {sent:.0f} B/s, {shares[1]:.3f} of {bounds[1]:.0f}; bar {THROUGHPUT_BAR}"
        )
    benchmark.extra_info.update(received=received, sent=sent, shares=shares, bar=THROUGHPUT_BAR)
    assert min(shares) >= THROUGHPUT_BAR


@pytest.mark.parametrize("resumed", [False, True], ids=["full", "resumed"])
@pytest.mark.parametrize("dialect", sorted(READ_FRAMING))
def bench_handshake(benchmark: Any, capsys: Any, tmp_path: Path, dialect: str, resumed: bool) -> None:
    """Mutual handshake at 115200 baud with 100 ms of round trip, and what the module `ssl` takes for the same."""

    def run(shake: Callable[[Any], bool]) -> tuple[float, float, int]:
        server = MemoryServer(ask_client=True)
        for again in range(1 + resumed):
            line, simulated = modem(dialect, TlsServer(server.again() if again else server), round_trip=ROUND_TRIP)
            counted = Counted(line.open_tcp("server.example", 443), simulated)
            assert shake(counted) == bool(again)
        waits = LATENCY * (2 * counted.sends + counted.reads)  # command and data; what came meanwhile costs nothing
        waits += UBLOX_PAUSE * counted.sends if dialect == "ublox" else 0.0
        waits += ROUND_TRIP * (1 if resumed else 2)
        return counted.seconds, counted.carried * 10 / 115200 + waits, counted.carried

    seconds, bound, carried = benchmark.pedantic(lambda: run(our_client()), rounds=1)
    ssl_seconds, _, ssl_carried = run(ssl_client(tmp_path))
    kind = "resumed" if resumed else "full"
    with capsys.disabled():
        print(
            f"\n{dialect}, {kind}: {seconds * 1000:.0f} ms, {carried} bytes on the line, {seconds / bound:.2f} of its "
            f"limit {bound * 1000:.0f} ms; bar {HANDSHAKE_BAR}; ssl {ssl_seconds * 1000:.0f} ms, {ssl_carried} bytes"
        )
    benchmark.extra_info.update(seconds=seconds, limit=bound, serial_bytes=carried, bar=HANDSHAKE_BAR)
    benchmark.extra_info.update(ssl_seconds=ssl_seconds, ssl_serial_bytes=ssl_carried)
    assert seconds / bound <= HANDSHAKE_BAR


def our_client() -> Callable[[Any], bool]:
    config = pki.config(pki.shared().ec_device, sessions=MemorySessionStore())

    def shake(transport: Counted) -> bool:
        with Stream(transport, config, "localhost", hold_flight=0) as tls:
            transport.stop()
            tls.sendall(b"x")
            tls.recv(10)
            return tls.info.session_resumed

    return shake


def ssl_client(folder: Path) -> Callable[[Any], bool]:
    """The same by OpenSSL's defaults; it has the key, which is what our user cannot give it."""
    certificates = pki.shared()
    context = ssl.create_default_context(cadata=certificates.root.to_pem().decode())
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    chain = folder / "device.pem"
    chain.write_bytes(certificates.device_chain(certificates.ec_device) + certificates.ec_device.key.to_pem())
    context.load_cert_chain(chain)
    sessions: list[ssl.SSLSession | None] = [None]

    def shake(transport: Counted) -> bool:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost", session=sessions[0])

        def until_done(step: Callable[[], Any]) -> Any:
            while True:
                try:
                    result = step()
                except ssl.SSLWantReadError:
                    result = None
                if data := outgoing.read():
                    while data:
                        data = data[transport.send(data) :]
                if result is not None:
                    return result
                incoming.write(transport.recv(32768, 20) or b"")

        until_done(lambda: tls.do_handshake() or True)
        transport.stop()
        until_done(lambda: tls.write(b"x"))
        until_done(lambda: tls.read(10))
        sessions[0] = tls.session
        return bool(tls.session_reused)

    return shake


class Counted:
    """A modem's transport that counts sends, and what has crossed the line since it was made."""

    def __init__(self, transport: Any, simulated: Any) -> None:
        self._transport, self._simulated = transport, simulated
        self.sends = self.reads = 0
        self.seconds, self.carried = -simulated.monotonic(), -self._bytes()

    def stop(self) -> None:
        """The handshake is done: `seconds` and `carried` are its own from here on, and so are `sends` and `reads`."""
        self.seconds += self._simulated.monotonic()
        self.carried += self._bytes()
        self._stopped = True

    _stopped = False

    def _bytes(self) -> int:
        line = self._simulated.line
        return int(line.bytes_to_host + line.bytes_to_module)

    def send(self, data: bytes) -> int:
        self.sends += not self._stopped
        return int(self._transport.send(data))

    def recv(self, n: int, timeout: float | None) -> bytes | None:
        got: bytes | None = self._transport.recv(n, timeout)
        self.reads += bool(got) and not self._stopped
        return got

    def close(self) -> None:
        self._transport.close()


@pytest.mark.parametrize("piece", [64, 4096])
def bench_engine_alone(benchmark: Any, capsys: Any, piece: int) -> None:
    """Reads of 1500 bytes, with a modem that answers at once, in pieces as ports hand them over."""
    count = 1000
    answer = b"\r\n+QIRD: 1500\r\n" + bytes(range(250)) * 6 + b"\r\n\r\nOK\r\n"
    pieces = [answer[start : start + piece] for start in range(0, len(answer), piece)]

    def run() -> float:
        engine = Engine()
        dialect = Quectel(engine, Settings())
        link = next_link(dialect)
        best = float("inf")
        for _ in range(5):
            began = time.thread_time()
            for _ in range(count):
                task = engine.start(dialect.incoming(link), 0.0)
                assert engine.data_to_send()
                for part in pieces:
                    engine.receive(part, 0.0)
                assert len(task.result()) == 1500
            best = min(best, time.thread_time() - began)
        return count * 1500 / best

    speed = benchmark.pedantic(run, rounds=1)
    with capsys.disabled():
        print(
            f"\nAT engine alone, pieces of {piece} bytes: {speed / 1e6:.1f} MB/s of payload, "
            f"{1500 / speed * 1e6:.0f} µs a read; bar {ENGINE_BAR / 1e6:.0f} MB/s"
        )
    benchmark.extra_info.update(bytes_per_second=speed, bar=ENGINE_BAR)
    assert speed >= ENGINE_BAR


def next_link(dialect: Quectel) -> Any:
    """An open connection of a dialect that was told that it is."""
    link = dialect.links[0] = Link(0, "server.example")
    return link
