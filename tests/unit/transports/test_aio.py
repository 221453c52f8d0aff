"""The asyncio face on loopback."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from lighttls import (
    CertificateError,
    ConfigurationError,
    Identity,
    SignerError,
    TransportError,
    TruncatedStream,
    UsageError,
    aio,
    raw_ecdsa,
)
from lighttls.crypto.provider import CryptoProvider
from support import loopback, pki
from support.openssl_peer import context

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(handler: Handler, settings: ssl.SSLContext | None) -> AsyncIterator[int]:
    """A server whose connections `handler` serves; gives its port. At the end all of them are over and closed."""
    served: list[asyncio.Task[None]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except OSError:
            pass  # the client's end is what the tests look at
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.create_task(serve(reader, writer)))

    async with asyncio.timeout(20), await asyncio.start_server(accept, "127.0.0.1", 0, ssl=settings) as server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.gather(*served)


def talk(handler: Handler, client: Callable[[aio.Stream], Awaitable[None]]) -> None:
    """Run `client` against an OpenSSL server."""

    async def run() -> None:
        async with serving(handler, context()) as port:
            reader, writer = await aio.open_connection(
                "127.0.0.1", port, pki.config(), server_hostname="localhost", timeout=20
            )
            assert reader is writer
            try:
                await client(reader)
            finally:
                writer.close()
                await writer.wait_closed()

    asyncio.run(run())


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


def test_publish_with_a_client_certificate(provider: CryptoProvider) -> None:
    async def run() -> bytes:
        config = pki.element_config(provider=provider)
        port = loopback.server().port
        reader, writer = await aio.open_connection(
            "127.0.0.1", port, config, server_hostname="localhost", timeout=20, deadline=20
        )
        writer.write(loopback.PUBLISH)
        await writer.drain()
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer

    assert asyncio.run(run()).startswith(b"HTTP/1.1 200 OK\r\n")


def test_reading_by_count_separator_line_and_part() -> None:
    async def client(tls: aio.Stream) -> None:
        tls.write(b"one\ntwo;threefour")
        assert await tls.readline() == b"one\n"
        assert await tls.readuntil(b";") == b"two;"
        assert await tls.readexactly(5) == b"three"
        assert await tls.read(2) == b"fo"
        assert await tls.read(0) == b""
        assert await tls.readexactly(0) == b""
        assert await tls.read(100) == b"ur"

    talk(echo, client)


def test_end_of_the_stream_in_every_way_of_reading() -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"no newline")

    async def client(tls: aio.Stream) -> None:
        assert await tls.readline() == b"no newline"
        assert await tls.read(1) == b""
        assert await tls.read() == b""
        assert await tls.readline() == b""
        with pytest.raises(asyncio.IncompleteReadError):
            await tls.readexactly(1)

    talk(say, client)


def test_incomplete_read_keeps_what_came() -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"abc")

    async def client(tls: aio.Stream) -> None:
        with pytest.raises(asyncio.IncompleteReadError) as caught:
            await tls.readexactly(10)
        assert (caught.value.partial, caught.value.expected) == (b"abc", 10)

    talk(say, client)


def test_endless_line_is_refused() -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes(100_000))
        await reader.read()

    async def client(tls: aio.Stream) -> None:
        with pytest.raises(asyncio.LimitOverrunError):
            await tls.readline()

    talk(say, client)


def test_one_task_reads_while_another_writes() -> None:
    async def client(tls: aio.Stream) -> None:
        data = bytes(range(256)) * 4000

        async def write() -> None:
            for start in range(0, len(data), 30_000):
                tls.write(data[start : start + 30_000])
                await tls.drain()

        received, _ = await asyncio.gather(tls.readexactly(len(data)), write())
        assert received == data

    talk(echo, client)


def test_cut_connection_is_truncation_after_the_data() -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"half")
        await writer.drain()
        await reader.read(1)
        writer.transport.abort()

    async def client(tls: aio.Stream) -> None:
        assert await tls.readexactly(4) == b"half"
        tls.write(b"x")
        with pytest.raises((TruncatedStream, TransportError)):
            await tls.read(1)

    talk(cut, client)


def test_read_to_the_end_that_does_not_come_leaves_what_came() -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"thirteen byte")
        await writer.drain()
        await reader.read(1)
        writer.transport.abort()

    async def client(tls: aio.Stream) -> None:
        first = await tls.read(1)
        tls.write(b"x")
        with pytest.raises((TruncatedStream, TransportError)):
            await tls.read()
        assert first + await tls.read(100) == b"thirteen byte"
        with pytest.raises((TruncatedStream, TransportError)):
            await tls.read(100)

    talk(cut, client)


def test_what_is_no_buffer_of_bytes_cannot_be_written_and_does_no_harm() -> None:
    async def client(tls: aio.Stream) -> None:
        released = memoryview(b"abc")
        released.release()
        for data in ("abc", None, 5, released):
            with pytest.raises(UsageError, match=type(data).__name__):
                tls.write(data)  # type: ignore[arg-type]
        tls.write(b"x")
        assert await tls.read(1) == b"x"

    talk(echo, client)


def test_refused_chain_raises_and_closes() -> None:
    async def run() -> None:
        port = loopback.server().port
        with pytest.raises(CertificateError):
            await aio.open_connection(
                "127.0.0.1", port, pki.element_config(), server_hostname="other.example", timeout=20
            )

    asyncio.run(run())


def test_signer_that_raises_ends_the_handshake() -> None:
    def broken(digest: bytes) -> bytes:
        raise OSError("no such device on the bus")

    chain = pki.shared().device_chain(pki.shared().ec_device)

    async def run() -> None:
        config = pki.config(identity=Identity.from_pem(chain, signer=raw_ecdsa(broken)))
        with pytest.raises(SignerError):
            await aio.open_connection(
                "127.0.0.1", loopback.server().port, config, server_hostname="localhost", timeout=20
            )

    asyncio.run(run())


@pytest.mark.parametrize("limits", [{"timeout": 0.05}, {"deadline": 0.05}])
def test_silent_server_times_out(limits: dict[str, float]) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def run() -> None:
        async with serving(silent, None) as port:
            with pytest.raises(TransportError) as caught:
                await aio.open_connection("127.0.0.1", port, pki.config(), server_hostname="localhost", **limits)
            assert caught.value.timed_out

    began = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - began < 5


class Broken:
    """Reader and writer of a link on which `step` fails as no link should."""

    def __init__(self, step: str) -> None:
        self.step = step
        self.closed = False

    def fail(self, step: str) -> None:
        if step == self.step:
            raise ValueError("bad answer of the modem")

    async def read(self, n: int = -1) -> bytes:
        self.fail("read")
        return b""

    def write(self, data: bytes) -> None:
        self.fail("write")

    async def drain(self) -> None:
        self.fail("drain")

    def close(self) -> None:
        self.closed = True
        raise ValueError("no such link")

    async def wait_closed(self) -> None:
        raise ValueError("no such link")


@pytest.mark.parametrize("step", ["read", "write", "drain"])
def test_whatever_the_link_raises_is_a_transport_error_and_it_is_closed(step: str) -> None:
    async def run() -> None:
        link = Broken(step)
        tls = aio.Stream(link, link, pki.config(), "localhost")
        with pytest.raises(TransportError, match="ValueError: bad answer of the modem"):
            await tls.handshake()
        assert link.closed
        await tls.wait_closed()

    asyncio.run(run())


def test_nothing_follows_records_that_could_not_be_written() -> None:
    async def client(tls: aio.Stream) -> None:
        writer, tls._writer = tls._writer, Broken("write")
        with pytest.raises(TransportError):
            tls.write(b"lost")
        tls._writer = writer
        with pytest.raises(TransportError):
            tls.write(b"next")

    talk(echo, client)


def test_unreachable_server_is_named() -> None:
    async def run() -> None:
        with pytest.raises(TransportError, match=r"nowhere\.invalid"):
            await aio.open_connection("nowhere.invalid", 443, pki.config(), timeout=20)

    asyncio.run(run())


def test_stream_runs_over_an_existing_pair_as_a_context_manager() -> None:
    async def run() -> None:
        async with serving(echo, context()) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            async with aio.Stream(reader, writer, pki.config(), "localhost") as tls:
                assert tls.info.server_hostname == "localhost"
                tls.write(b"x")
                assert await tls.read(1) == b"x"
            assert tls.is_closing()
            with pytest.raises(UsageError):
                tls.write(b"y")
            with pytest.raises(UsageError):
                await tls.read(1)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("port", "bounds", "what"),
    [(0, {}, "port"), (70_000, {}, "port"), ("443", {}, "port"), (443, {"timeout": 0}, "timeout")],
)
def test_impossible_argument_is_named(port: Any, bounds: dict[str, Any], what: str) -> None:
    with pytest.raises(ConfigurationError, match=what):
        asyncio.run(aio.open_connection("localhost", port, pki.config(), **bounds))


def test_reading_before_the_handshake_is_refused_and_does_no_harm() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\n")

    async def run() -> None:
        async with serving(answer, context()) as port:
            below = await asyncio.open_connection("127.0.0.1", port)
            tls = aio.Stream(*below, pki.config(), "localhost")
            for early in (tls.read(1), tls.read(), tls.readexactly(1), tls.readline()):
                with pytest.raises(UsageError, match=r"await handshake\(\) first"):
                    await asyncio.wait_for(early, 5)
            async with tls:
                assert await tls.readline() == b"hello\n"

    asyncio.run(run())


def test_peer_that_reads_nothing_more_does_not_hold_us_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    aborted: list[str] = []

    class Stuck(Broken):
        def close(self) -> None:
            self.closed = True

        async def wait_closed(self) -> None:
            await asyncio.sleep(3600)

        @property
        def transport(self) -> Any:
            return self

        def abort(self) -> None:
            aborted.append("aborted")

    async def run() -> None:
        link = Stuck("")
        tls = aio.Stream(link, link, pki.config(), "localhost")
        tls.close()
        await tls.wait_closed()

    monkeypatch.setattr(aio, "_FAREWELL", 0.05)
    asyncio.run(asyncio.wait_for(run(), 5))
    assert aborted == ["aborted"]
