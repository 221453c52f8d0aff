"""A simulated module: command lines in, answers and news out. `StandardModule` and the families add the commands.

It is written from the makers' manuals, not from the driver, and reads command lines by itself: what both sides must
agree on are the transcripts in tests/vectors/at.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol

from lighttls.testing.modem.faults import Faults
from lighttls.testing.modem.network import Connection, Network
from lighttls.testing.modem.timeline import Timeline

LATENCY: Final = 0.005  # seconds that a module takes for a command that asks nobody
_DATA_PATIENCE: Final = 20.0  # seconds that it waits for the data it has asked for
_GUARD: Final = 1.0  # seconds of silence around +++
_BOOT: Final = 1.0  # seconds from a reset to the first sign of life
_ARGUMENT: Final = re.compile(r'"([^"]*)"|([^,]*)')
_COMMAND: Final = re.compile(r"(?P<name>[A-Z]\d?|[+&][A-Z]+|)(?P<kind>=\?|=|\?|)(?P<rest>.*)", re.DOTALL)


@dataclass(kw_only=True)
class Situation:
    """SIM, network and clock that the module finds."""

    sim: str = "READY"  # what +CPIN? says; empty: none is inserted
    pin: str = "1234"
    registration: int = 1
    signal: int = 20
    data_allowed: bool = True  # whether the network gives data connections
    clock: str = "26/11/22,13:00:00+04"
    network_time: str = "2026/11/22,12:00:00+04,0"
    old_tls: bool = False  # a firmware whose TLS sends no server name, and compares none


@dataclass(frozen=True)
class Request:
    """A command line taken apart."""

    name: str  # such as "+QIOPEN"
    kind: str  # "=", "?", "=?" or nothing
    arguments: tuple[str, ...]

    def number(self, place: int) -> int:
        """The argument at `place`; -1 if it is no number."""
        text = self.arguments[place] if place < len(self.arguments) else ""
        return int(text) if text.isdigit() else -1

    def text(self, place: int) -> str:
        return self.arguments[place] if place < len(self.arguments) else ""


class RawSink(Protocol):
    """Whatever gets the bytes of the line while they are no commands."""

    def transmit(self, data: bytes) -> None: ...


class Module:
    """What all families share."""

    maker: ClassVar[str]
    model: ClassVar[str]
    boot: ClassVar[tuple[str, ...]] = ()
    line_limit: ClassVar[int]
    host_limit: ClassVar[int]
    connection_count: ClassVar[int]

    def __init__(
        self,
        timeline: Timeline,
        network: Network,
        send: Callable[[bytes], None],
        *,
        faults: Faults | None = None,
        situation: Situation | None = None,
    ) -> None:
        self.timeline = timeline
        self.network = network
        self.faults = faults or Faults()
        self.situation = situation or Situation()
        self.connections: dict[int, Connection] = {}
        self.commands = 0  # so far
        self.raw: RawSink | None = None  # a transparent connection, or a data call
        self._send = send
        self._prompts = 0
        self.handed_over = 0  # bytes of received data
        self._frozen = False
        self._start()

    # Life

    def _start(self) -> None:
        self.echo, self.errors = True, 0
        self.has_data = False
        self.unlocked = self.situation.sim == "READY"
        self._input = bytearray()
        self._wanted = 0  # bytes of data that it waits for
        self._take: Callable[[bytes], None] = lambda data: None
        self._deaf_until = 0.0
        self._busy = False
        self._asleep = False
        self._held: list[bytes] = []  # news kept back during a data call
        self._era = getattr(self, "_era", 0) + 1  # what was planned before a reset does not happen any more
        self.raw = None
        self._signs = 0  # plus signs that may become an escape
        self._mark = 0  # of the last of them
        self._last_raw = 0.0

    def reset(self, *, silent: bool = False) -> None:
        """Lose power for a moment: all connections and settings are gone."""
        for connection in self.connections.values():
            connection.drop()
        self.connections.clear()
        self._start()
        self._asleep = True
        self.later(_BOOT, lambda: self._wake(silent))

    def _wake(self, silent: bool) -> None:
        self._asleep = False
        if not silent:
            for line in self.boot:
                self._emit(line.encode(), framed=True)

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Do something after so long, unless the module is reset before."""
        era = self._era
        self.timeline.after(seconds, lambda: call() if self._era == era else None)

    # Bytes in

    def receive(self, data: bytes) -> None:
        """Bytes from the host."""
        if self._frozen or self._asleep or self.timeline.now < self._deaf_until:
            return
        self._input += data
        while self._input and self._consume():
            pass

    def _consume(self) -> bool:
        if self._wanted:
            if len(self._input) < self._wanted:
                return False
            data = bytes(self._input[: self._wanted])
            del self._input[: self._wanted]
            self._wanted = 0
            self._take(data)
            return True
        if self.raw:
            data = bytes(self._input)
            self._input.clear()
            self.raw_received(data)
            return True
        end = self._input.find(b"\r")
        if end < 0:
            return False
        line = bytes(self._input[:end])
        del self._input[: end + 1]
        if self.echo:
            self._stray()
            self._emit(line + b"\r")
        if not self._busy:  # a line that comes while a command runs is lost
            self._interpret(line.lstrip(b"\n").decode("latin-1"))
        return not self._asleep

    def enter_raw(self, sink: RawSink) -> None:
        """What comes from now on is for `sink`."""
        self.raw = sink
        self._signs, self._last_raw = 0, self.timeline.now

    def raw_received(self, data: bytes) -> None:
        """Payload, and three plus signs with a second of silence on both sides."""
        assert self.raw is not None
        silent = self.timeline.now - self._last_raw >= _GUARD
        self._last_raw = self.timeline.now
        if not data.strip(b"+") and (silent or self._signs) and self._signs + len(data) <= 3:
            self._signs += len(data)
            self._mark += 1
            mark = self._mark
            self.later(_GUARD, lambda: self._silence_after_signs(mark))
            return
        signs, self._signs = self._signs, 0
        self.raw.transmit(b"+" * signs + data)

    def _silence_after_signs(self, mark: int) -> None:
        if self.raw is None or self._mark != mark or not self._signs:
            return
        signs, self._signs = self._signs, 0
        if signs == 3:
            self._emit(b"\r\nOK\r\n")
            self.end_raw()
        else:
            self.raw.transmit(b"+" * signs)

    def _interpret(self, line: str) -> None:
        start = line.upper().find("AT")
        if start < 0:
            if line.strip():
                self._busy = True
                self.fail()
            return
        self.commands += 1
        if self._script():
            return
        self._busy = True
        match = _COMMAND.fullmatch(line[start + 2 :].strip())
        if match is None or start > 0 or len(line) > self.line_limit:
            self.fail()
            return
        rest = match["rest"]
        arguments = _arguments(rest) if match["kind"] == "=" else (rest,) if rest else ()
        self.execute(Request(match["name"].upper(), match["kind"], arguments))

    def _script(self) -> bool:
        """What goes wrong before this command; True if it is never answered."""
        script = self.faults
        if self.commands in (script.reset_at, script.silent_reset_at):
            self.reset(silent=self.commands == script.silent_reset_at)
            return True
        if self.commands == script.frozen_at:
            self._frozen = True
            return True
        if self.commands == script.echo_on_at:
            self.echo = True
        if self.commands == script.peer_closes_at:
            for connection in self.connections.values():
                connection.peer.link.close()
        if self.commands == script.data_lost_at:
            self.lose_data()
        return False

    def lose_data(self) -> None:
        """The network ends the data connection."""
        self.has_data = False
        for connection in self.connections.values():
            connection.drop()

    # Commands, of which families have methods

    def execute(self, request: Request) -> None:
        """Answer a command."""
        name = {"": "", "E0": "echo", "E1": "echo", "V1": "v1"}.get(request.name) or request.name.strip("+&").lower()
        method = getattr(self, f"do_{name}", None)
        if method is None:
            self.fail(4)
        else:
            method(request)

    # Bytes out

    def answer(
        self,
        *parts: str | bytes,
        final: str = "OK",
        delay: float = 0.0,
        then: Callable[[], None] | None = None,
    ) -> None:
        """Information lines, or counted data with its header as bytes, and the final result; then `then`."""
        blocks = [part if isinstance(part, bytes) else f"\r\n{part}\r\n".encode() for part in parts]
        if final:
            blocks.append(f"\r\n{final}\r\n".encode())
        ordinal = self.commands

        def emit() -> None:
            if ordinal in self.faults.truncated:
                whole = b"".join(blocks)
                self._busy = False
                self._emit(whole[: len(whole) // 2])
                return
            for block in blocks[:-1]:
                self._stray()
                self._emit(block)
            self.later(self.faults.late_results, end) if self.faults.late_results else end()

        def end() -> None:
            self._stray()
            self._busy = False
            self._emit(blocks[-1])
            if then is not None:
                then()

        self.later(LATENCY + delay, emit)

    def fail(self, code: int = -1, *, delay: float = 0.0, then: Callable[[], None] | None = None) -> None:
        """An error as AT+CMEE has it; without a code a bare one."""
        final = f"+CME ERROR: {code}" if self.errors and code >= 0 else "ERROR"
        self.answer(final=final, delay=delay, then=then)

    def ask_for_data(
        self, prompt: bytes, count: int, take: Callable[[bytes], None], *, settling: float = 0.0, late: int = -1
    ) -> None:
        """Prompt for exactly `count` bytes. What comes sooner than `settling` seconds after the prompt is lost.

        `late` is the error if they do not come.
        """

        def ask() -> None:
            self._prompts += 1
            self._stray()
            self._wanted, self._take = count, took
            self._deaf_until = self.timeline.now + settling
            if self._prompts not in self.faults.lost_prompts:
                self._emit(prompt.rstrip(b" ") if self.faults.bare_prompts else prompt)
            self.later(_DATA_PATIENCE, give_up)

        def took(data: bytes) -> None:
            if self._take is took:
                self._take = lambda late: None
            if self.echo:
                self._emit(data)
            take(data)

        def give_up() -> None:
            if self._wanted and self._take is took:
                self._wanted = 0
                self._input.clear()
                self.fail(late)

        self.later(LATENCY + self.faults.late_prompts, ask)

    def news(self, line: str | bytes) -> None:
        """An unsolicited line, or pushed data with its header as bytes."""
        block = line if isinstance(line, bytes) else f"\r\n{line}\r\n".encode()

        def emit() -> None:
            if self.raw:
                self._held.append(block)
            else:
                self._emit(block)

        self.later(self.faults.slow_news, emit) if self.faults.slow_news else emit()

    def payload(self, data: bytes) -> bytes:
        """Received data as it is handed over."""
        start, self.handed_over = self.handed_over, self.handed_over + len(data)
        hit = [place - start for place in self.faults.flipped_payload if start <= place < self.handed_over]
        if hit:
            noisy = bytearray(data)
            for place in hit:
                noisy[place] ^= 0x01
            data = bytes(noisy)
        return data

    def end_raw(self) -> None:
        """Leave a transparent connection, or a data call; what was kept back comes now."""
        self.raw = None
        held, self._held = self._held, []
        for block in held:
            self._emit(block)

    def _stray(self) -> None:
        if not self.raw and self.faults.happens(self.faults.stray_news):
            self._emit(f"\r\n{self.faults.random.choice(self.strays)}\r\n".encode())

    strays: ClassVar[tuple[str, ...]] = ("+CREG: 5", "RING", '+CTZV: "+36"', "+XYZ: OK")

    def _emit(self, data: bytes, *, framed: bool = False) -> None:
        if not self._frozen:
            self._send(b"\r\n" + data + b"\r\n" if framed else data)

    # Connections

    def dial(self, number: int, host: str, port: int) -> Connection | str:
        """A new connection, or what became of it: "dns", "refused"."""
        address = self.network.resolve(host)
        if address is None:
            return "dns"
        try:
            connection = Connection(self.network, number, host, port, self.stirred)
        except OSError:
            return "refused"
        self.connections[number] = connection
        return connection

    def stirred(self, connection: Connection) -> None:
        """Data, or the end, has come."""
        raise NotImplementedError

    def hang_up(self, number: int) -> bool:
        connection = self.connections.pop(number, None)
        if connection is None:
            return False
        connection.drop()
        return True


def _arguments(rest: str) -> tuple[str, ...]:
    """Split at commas that stand outside quotes; the quotes are taken off."""
    found, position = [], 0
    while position <= len(rest):
        match = _ARGUMENT.match(rest, position)
        assert match is not None  # it matches nothing, too
        found.append(match[2] if match[1] is None else match[1])
        position = match.end() + 1
    return tuple(found)
