"""A modem whose user gives up half-way, and a port that breaks in ways of its own: nothing is done twice, nobody hangs.

The port is in memory and answers by the beginnings of command lines; what it answers may be held back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from lighttls import ConfigurationError, UsageError
from lighttls.transports.at_modem import AsyncModem, Modem, ModemError

ANSWERS = {
    "AT+CMEE?": b"\r\n+CMEE: 1\r\n\r\nOK\r\n",
    "AT+CPIN?": b"\r\n+CPIN: READY\r\n\r\nOK\r\n",
    "AT+CEREG?": b"\r\n+CEREG: 0,1\r\n\r\nOK\r\n",
    "AT+QIACT?": b"\r\nOK\r\n",
    "AT+QIOPEN=1,0": b"\r\nOK\r\n\r\n+QIOPEN: 0,0\r\n",
    "AT+QIOPEN=1,1": b"\r\nOK\r\n\r\n+QIOPEN: 1,0\r\n",
    "AT+QIRD": b"\r\n+QIRD: 0\r\n\r\nOK\r\n",
    "AT": b"\r\nOK\r\n",
}


class Board:
    """Answers at once, but for commands that begin with one of `held`, until `release`."""

    def __init__(self, *held: str) -> None:
        self.held = held
        self.commands: list[str] = []
        self.owed = b""
        self.say: Callable[[bytes], object] = lambda data: None

    def hear(self, data: bytes) -> None:
        for line in data.decode("latin-1").split("\r"):
            if not line:
                continue
            self.commands.append(line)
            answer = next(ANSWERS[begin] for begin in sorted(ANSWERS, key=len, reverse=True) if line.startswith(begin))
            if line.startswith(self.held or ("nothing",)):
                self.owed += answer
            else:
                self.say(answer)

    def release(self) -> None:
        self.held = ()
        owed, self.owed = self.owed, b""
        self.say(owed)

    def count(self, begin: str) -> int:
        return sum(line.startswith(begin) for line in self.commands)


class AsyncPort:
    """Reader and writer of an AsyncModem. What is put into `arrivals` and is no bytes is raised."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.arrivals: asyncio.Queue[Any] = asyncio.Queue()
        board.say = self.arrivals.put_nowait
        self.broken: BaseException | None = None

    async def read(self, n: int) -> bytes:
        said = await self.arrivals.get()
        if isinstance(said, BaseException):
            raise said
        return said

    def write(self, data: bytes) -> None:
        if self.broken is not None:
            raise self.broken
        self.board.hear(data)

    def close(self) -> None: ...


def run(steps: Callable[[], Any]) -> None:
    asyncio.run(asyncio.wait_for(steps(), 30))


async def until(condition: Callable[[], object]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


@pytest.mark.parametrize("held", ["AT+QIACT=", "AT+CPIN?", "AT+QIOPEN", "ATE0"])
def test_open_that_is_cancelled_on_its_way_does_nothing_twice_and_leaves_nothing_open(held: str) -> None:
    async def give_up() -> None:
        board = Board(held)
        port = AsyncPort(board)
        async with AsyncModem(port, port, "quectel") as modem:
            opening = asyncio.ensure_future(modem.open_tcp("server.example", 7))
            await until(lambda: board.owed)
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening
            second = asyncio.ensure_future(modem.open_tcp("server.example", 7))
            await asyncio.sleep(0.05)
            board.release()
            await second
            await until(lambda: board.count("AT+QICLOSE=0"))
        assert board.count("AT+QIACT=") == board.count("ATE0") == board.count("AT+CPIN?") == 1
        assert board.count("AT+QIOPEN") == 2

    run(give_up)


def test_open_that_is_cancelled_before_its_turn_opens_nothing() -> None:
    async def give_up() -> None:
        board = Board("AT+QIACT=")
        port = AsyncPort(board)
        async with AsyncModem(port, port, "quectel") as modem:
            first = asyncio.ensure_future(modem.open_tcp("server.example", 7))
            await until(lambda: board.owed)
            for _ in range(5):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(modem.open_tcp("server.example", 7), 0.01)
            board.release()
            await first
            await asyncio.sleep(0.02)
        assert board.count("AT+QIOPEN") == 1

    run(give_up)


@pytest.mark.parametrize(
    "trouble",
    [RuntimeError("no event loop"), ValueError("I/O on a closed file"), OSError("gone"), asyncio.CancelledError()],
    ids=lambda trouble: type(trouble).__name__,
)
def test_whatever_a_port_raises_while_reading_reaches_everybody_who_waits(trouble: BaseException) -> None:
    async def break_it() -> None:
        port = AsyncPort(Board())
        modem = AsyncModem(port, port, "quectel")
        link = await modem.open_tcp("server.example", 7)
        reading = asyncio.ensure_future(link.read())
        await asyncio.sleep(0.01)
        port.arrivals.put_nowait(trouble)
        with pytest.raises(ModemError, match="reading") as caught:
            await asyncio.wait_for(reading, 5)
        assert caught.value.layer == "serial line"
        with pytest.raises(ModemError, match="reading"):
            await modem.open_tcp("server.example", 7)
        await modem.close()

    run(break_it)


def test_reader_that_gives_what_is_no_bytes_reaches_everybody_who_waits() -> None:
    async def break_it() -> None:
        port = AsyncPort(Board())
        async with AsyncModem(port, port, "quectel") as modem:
            port.arrivals.put_nowait("text")
            with pytest.raises(ModemError, match="reading failed: TypeError"):
                await modem.open_tcp("server.example", 7)

    run(break_it)


def test_whatever_a_port_raises_while_writing_is_the_serial_lines() -> None:
    async def break_it() -> None:
        port = AsyncPort(Board())
        async with AsyncModem(port, port, "quectel") as modem:
            port.broken = RuntimeError("the transport is closing")
            with pytest.raises(ModemError, match="writing failed: RuntimeError: the transport is closing") as caught:
                await modem.open_tcp("server.example", 7)
            assert caught.value.layer == "serial line"

    run(break_it)


class BlockingPort:
    """The same for Modem; `strike` is raised by the next read, once."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.waiting = bytearray()
        board.say = self.waiting.extend
        self.strike: BaseException | None = None
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def read(self, n: int, timeout: float | None) -> bytes:
        if self.strike is not None and not self.waiting:
            strike, self.strike = self.strike, None
            raise strike
        if not self.waiting:
            self.now += 0.5 if timeout is None else timeout
            if self.now > 5:
                self.board.release()
        data = bytes(self.waiting[:n])
        del self.waiting[:n]
        return data

    def write(self, data: bytes) -> None:
        self.board.hear(data)

    def close(self) -> None: ...


@pytest.mark.parametrize("held", ["AT+QIACT=", "AT+QIOPEN"])
def test_open_that_is_interrupted_does_nothing_twice_and_leaves_nothing_open(held: str) -> None:
    port = BlockingPort(Board(held))
    modem = Modem(port, "quectel")
    port.strike = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        modem.open_tcp("server.example", 7)
    modem.open_tcp("server.example", 7).recv(10, 1)
    assert port.board.count("AT+QIACT=") == 1
    assert port.board.count("AT+QIOPEN") == 2
    assert port.board.count("AT+QICLOSE=0") == 1


@pytest.mark.parametrize("trouble", [RuntimeError("boom"), TypeError("None"), KeyError("x"), ValueError("closed")])
def test_whatever_a_port_raises_in_blocking_calls_is_the_serial_lines(trouble: Exception) -> None:
    port = BlockingPort(Board())
    modem = Modem(port, "quectel")
    port.strike = trouble
    port.board.held = ("AT",)
    with pytest.raises(ModemError, match=f"reading failed: {type(trouble).__name__}") as caught:
        modem.open_tcp("server.example", 7)
    assert caught.value.layer == "serial line"
    assert caught.value.__cause__ is trouble


@pytest.mark.parametrize("what", ["text", None, 7, [1, 2]])
def test_port_that_reads_no_bytes_is_named(what: Any) -> None:
    port = BlockingPort(Board())
    port.read = lambda n, timeout: what
    with pytest.raises(ModemError, match=f"read returned {type(what).__name__}, not bytes"):
        Modem(port, "quectel").open_tcp("server.example", 7)


def test_wrong_use_is_named_under_asyncio_too() -> None:
    async def misuse() -> None:
        port = AsyncPort(Board())
        async with AsyncModem(port, port, "quectel") as modem:
            link = await modem.open_tcp("server.example", 7)
            with pytest.raises(UsageError, match="expected bytes"):
                link.write("text")
            for n in (0, -1):
                with pytest.raises(UsageError, match="1 or more"):
                    await link.read(n)
        with pytest.raises(ConfigurationError, match="no setting apm"):
            await AsyncModem.open("/dev/null", apm="iot.example")

    run(misuse)
    with pytest.raises(UsageError, match="inside a running event loop"):
        AsyncModem(None, None)


def test_asking_for_everything_works_under_asyncio_too() -> None:
    async def ask() -> None:
        port = AsyncPort(Board())
        async with AsyncModem(port, port, "quectel") as modem:
            await modem.bring_up()
            assert (await modem.registration()).registered
            assert await modem.signal() is None
            assert await modem.network_time() is None
            assert (await modem.identify()).model == ""
            assert port.board.count("AT+QIACT=") == 1

    run(ask)
