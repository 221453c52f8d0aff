"""The modem under asyncio, and both faces over a pty: in real time, as with a real port."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lighttls import Stream, aio
from lighttls.testing.modem import Echo, Faults, Network, Pty, RealTimeline, SimulatedModem, tcp
from lighttls.transports.at_modem import AsyncModem, Modem, ModemError
from support import pki, require
from support.loopback import PUBLISH, server
from support.modem import FAMILIES, Recorder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
each_dialect = pytest.mark.parametrize("dialect", ["quectel", "simcom", "ublox"])


@pytest.fixture(autouse=True)
def _pyserial() -> None:
    require.module("serial")


@contextmanager
def pty(dialect: str, dial, faults: Faults | None = None) -> Iterator[Pty]:
    """A module behind a pty, in real time, on a line without its own delay."""
    simulated = SimulatedModem(FAMILIES[dialect], Network(dial), baud=921600, faults=faults, timeline=RealTimeline())
    with Pty(simulated) as port:
        port.modem = simulated
        yield port


@each_dialect
def test_publish_over_a_pty_and_real_tcp(dialect: str) -> None:
    with pty(dialect, lambda host, port: tcp("127.0.0.1", port)) as port, Modem(port.name, dialect) as modem:
        link = modem.open_tcp("server.example", server().port)
        with Stream(link, pki.config(pki.shared().ec_device), "localhost", timeout=20) as tls:
            tls.sendall(PUBLISH)
            answer = b""
            while piece := tls.recv(4096):
                answer += piece
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


@each_dialect
def test_two_publishes_at_once_under_asyncio(dialect: str) -> None:
    async def publish(modem: AsyncModem) -> bytes:
        link = await modem.open_tcp("server.example", server().port)
        async with aio.Stream(link, link, pki.config(pki.shared().ec_device), "localhost") as tls:
            tls.write(PUBLISH)
            return await tls.read()

    async def both(name: str) -> list[bytes]:
        async with await AsyncModem.open(name) as modem:
            return await asyncio.gather(publish(modem), publish(modem))

    with pty(dialect, lambda host, port: tcp("127.0.0.1", port)) as port:
        answers = asyncio.run(asyncio.wait_for(both(port.name), 60))
    assert [answer[:15] for answer in answers] == [b"HTTP/1.1 200 OK"] * 2


def test_asyncio_moves_bytes_both_ways_and_cancelled_reads_lose_none() -> None:
    data = bytes(range(256)) * 100

    async def echo(name: str) -> bytes:
        async with await AsyncModem.open(name, "quectel") as modem:
            link = await modem.open_tcp("server.example", 7)
            link.write(data)
            got = b""
            while len(got) < len(data):
                try:
                    got += await asyncio.wait_for(link.read(1000), 0.01)
                except TimeoutError:
                    await link.drain()
            link.close()
            await link.wait_closed()
            return got

    with pty("quectel", lambda host, port: Echo()) as port:
        assert asyncio.run(asyncio.wait_for(echo(port.name), 60)) == data


def test_reset_under_asyncio_reaches_reader_and_writer() -> None:
    async def use(port: Pty) -> None:
        async with await AsyncModem.open(port.name, "quectel") as modem:
            link = await modem.open_tcp("server.example", 7)
            reading = asyncio.ensure_future(link.read())
            await asyncio.sleep(0.1)
            port.call(port.modem.module.reset)
            with pytest.raises(ModemError, match="reset"):
                await asyncio.wait_for(reading, 20)
            link.write(b"hello")
            await asyncio.sleep(0.1)
            with pytest.raises(ModemError, match="reset"):
                await link.drain()
            link.close()
            await link.wait_closed()

    with pty("quectel", lambda host, port: Recorder()) as port:
        asyncio.run(asyncio.wait_for(use(port), 60))


def test_modem_that_is_closed_ends_whoever_waits() -> None:
    async def use(name: str) -> None:
        modem = await AsyncModem.open(name, "quectel")
        link = await modem.open_tcp("server.example", 7)
        reading = asyncio.ensure_future(link.read())
        await asyncio.sleep(0.05)
        await modem.close()
        with pytest.raises(ModemError, match="closed by us"):
            await reading
        with pytest.raises(ModemError):
            await modem.open_tcp("server.example", 7)

    with pty("quectel", lambda host, port: Recorder()) as port:
        asyncio.run(asyncio.wait_for(use(port.name), 60))


def test_port_that_does_not_exist_is_named() -> None:
    with pytest.raises(ModemError, match="cannot open") as caught:
        Modem("/dev/no-such-port")
    assert caught.value.context["layer"] == "serial line"


def test_read_that_was_given_up_logs_nothing_when_the_modem_closes(caplog: pytest.LogCaptureFixture) -> None:
    async def give_up() -> None:
        board = SimulatedModem("EC21", Network(lambda host, port: Echo()), timeline=RealTimeline(), baud=0)
        with Pty(board) as serial:
            async with await AsyncModem.open(serial.name, "quectel") as modem:
                link = await modem.open_tcp("server.example", 7)
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(link.read(10), 0.1)
        del link, modem
        gc.collect()

    asyncio.run(give_up())
    gc.collect()
    assert not caplog.records
