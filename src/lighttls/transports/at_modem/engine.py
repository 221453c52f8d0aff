"""The AT engine, without I/O: one command at a time, each with its limit, and what the modem says in between.

Bytes go in by `receive`, bytes come out by `data_to_send`, time is handed in with each call, and `deadline` says when
the next call is due. What a command sequence does is written as a generator (`Steps`) that yields commands and waits,
and gets their results: it reads like blocking code, and runs under any event loop or none.

Trust in the line. A final result code carries no name, so after a command that timed out, or bytes that cannot be what
the modem sent, nobody knows to which command the next `OK` belongs. Then the engine listens for silence, asks
`AT+CMEE?` and ignores everything up to the answer with that name in it. The answer also tells whether the module was
reset meanwhile, because a reset forgets the setting. A command that may have left the modem waiting for data is worse:
it would take whatever comes next and give it to the peer, so nothing is sent until it must have given up by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final, TypeVar

from lighttls.errors import UsageError
from lighttls.transports.at_modem.parser import Counted, Data, Garbled, Item, Line, Parser, Prompt, Raw
from lighttls.transports.at_modem.results import CommandRefused, CommandTimedOut, ModemError, ModuleReset, text_of
from lighttls.transports.at_modem.steps import Command, Reply, Steps, Task, Wait

T = TypeVar("T")
GAP_AFTER_ERROR: Final = 0.1  # seconds between an error and the next command
PROMPT_LIMIT: Final = 15.0  # seconds for a prompt; the command's own limit counts from there
SILENCE: Final = 0.5  # seconds without a byte before the line is taken for calm
_RESYNC_TRIES: Final = 4
_RESYNC_LIMIT: Final = 2.0  # seconds for each
_NOISE_LIMIT: Final = 15.0  # seconds of waiting for silence, of which there may be none; then it is asked all the same
_REPLY_LIMIT: Final = 65536  # bytes of information lines; no command that is used here has a thousandth of that
_MARKER: Final = b"+CMEE: "
_ERRORS: Final = (b"+CME ERROR:", b"+CMS ERROR:")


class Engine:
    """The command queue of one serial line.

    `on_line(line)` and `on_data(data)` hear what belongs to no command, `on_raw(data)` the bytes of a transparent
    connection, `on_lost(error)` that the module was reset or the line cannot be trusted: all connections are over.
    """

    def __init__(self) -> None:
        self.on_line: Callable[[bytes], None] = lambda line: None
        self.on_data: Callable[[Data], None] = lambda data: None
        self.on_raw: Callable[[bytes], None] = lambda data: None
        self.on_lost: Callable[[ModemError], None] = lambda error: None
        self.is_news: Callable[[bytes], bool] = lambda line: False  # whether a line can only be unsolicited
        self._pushed: tuple[Counted, ...] = ()
        self.gives_up = 60.0  # seconds after which the module surely waits for data no longer
        self.echo_is_off = False  # so that an echo is news
        self.trusted = True
        self._parser = Parser()
        self._out = bytearray()
        self._tasks: list[Task[Any]] = []
        self._queue: deque[tuple[Command, Task[Any]]] = deque()
        self._command: Command | None = None  # in flight
        self._owner: Task[Any] | None = None
        self._reply = Reply()
        self._data_due: float | None = None  # when the data of the command may be sent; None: not asked for, or sent
        self._told = 0  # bytes of information lines that have come for it
        self._wants_data = False  # its data was not sent yet
        self._doomed: ModemError | None = None  # what the command in flight ends with, whatever it answers
        self._limit = self._command_until = 0.0
        self._not_before = 0.0  # no command earlier than this
        self._heard = 0.0  # when the last byte came
        self._now = 0.0
        self._resync: Task[None] | None = None

    # What the faces use

    def start(self, steps: Steps[T], now: float) -> Task[T]:
        """Run a command sequence; it goes on with each `receive` and `advance`."""
        self._now = now
        task = Task(steps)
        self._tasks.append(task)
        self._resume(task, None)
        self._run()
        return task

    def receive(self, data: bytes | bytearray | memoryview, now: float) -> None:
        """Bytes from the serial line."""
        self._now = self._heard = now
        self._parser.feed(data)
        self._drain()
        self._run()

    def advance(self, now: float) -> None:
        """Time has passed."""
        self._now = now
        self._drain()
        self._run()

    def data_to_send(self) -> bytes:
        """Bytes for the serial line; to be written at once."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def deadline(self) -> float | None:
        """When `advance` is due at the latest; None if only bytes can change anything."""
        times = [task.until for task in self._tasks if isinstance(task.waits, Wait)]
        if self._command is not None:
            times.append(self._command_until if self._data_due is None else self._data_due)
        elif self._may_send_command():
            times.append(self._not_before)
        return min(times, default=None)

    def in_flight_for(self, task: Task[Any]) -> bool:
        """Whether the modem is answering a command of `task`."""
        return self._owner is task

    def stop(self, error: ModemError) -> None:
        """The serial line is gone: everything ends with `error`."""
        self.on_lost(error)
        self._queue.clear()
        self._command = self._owner = None
        for task in tuple(self._tasks):
            while not task.done:
                self._resume(task, None, error)
        self._queue.clear()

    # What dialects use

    @property
    def now(self) -> float:
        """The time that was handed in last."""
        return self._now

    @property
    def silent_for(self) -> float:
        """Seconds since the modem said anything."""
        return self._now - self._heard

    def expect_pushed(self, pushed: tuple[Counted, ...]) -> None:
        """Counted data that may come at any time."""
        self._pushed = self._parser.counted = pushed

    def send_raw(self, data: bytes) -> None:
        """Bytes of a transparent connection."""
        self._out += data

    def set_raw(self, raw: bool) -> None:
        """Everything that comes is payload, or no longer."""
        self._parser.raw = raw

    def lose_trust(self, error: ModemError) -> None:
        """End the command in flight with `error`, and find the place again before the next one.

        After a command with data the modem may take what it gets for that, until it gives up.
        """
        swallowing = self._command is not None and bool(self._command.prompt)
        if self.trusted or self._command is not None:  # else that was done, and noise without end would put it off
            self._not_before = max(self._not_before, self._now + (self.gives_up if swallowing else SILENCE))
        self.trusted = False
        if self._pushed and self._parser.unfinished:
            self.on_lost(error)  # what is forgotten here may be the beginning of pushed data
        self._parser.clear()
        self._end_command(error)

    def reset_seen(self, sign: str) -> None:
        """The module told that it started anew. It knows nothing of a command in flight."""
        error = ModuleReset(sign)
        self.echo_is_off = self.trusted = False
        self.on_lost(error)
        self._end_command(error)

    # Inside

    def _run(self) -> None:
        """Let go on whatever can, until nothing changes."""
        moved = True
        while moved:
            moved = False
            self._check_limits()
            for task in tuple(self._tasks):
                wait = task.waits
                if isinstance(wait, Wait):
                    ready = bool(wait.ready())
                    if ready or self._now >= task.until:
                        self._resume(task, ready)
                        moved = True
            if self._may_send_command() and self._now >= self._not_before:
                self._next_command()
                moved = True

    def _resume(self, task: Task[Any], value: object, error: BaseException | None = None) -> None:
        task.waits = None
        try:
            step = task.steps.throw(error) if error is not None else task.steps.send(value)
        except StopIteration as end:
            task.finish(end.value)
        except BaseException as failure:
            task.finish(None, failure)
            if not isinstance(failure, Exception):  # an interrupt that struck just here
                self._tasks.remove(task)
                raise
        else:
            task.waits = step
            if isinstance(step, Wait):
                task.until = self._now + step.seconds
            elif self._parser.raw:
                self._resume(task, None, UsageError(_TRANSPARENT))
            elif task is self._resync:
                self._queue.appendleft((step, task))
            else:
                self._queue.append((step, task))
            return
        self._tasks.remove(task)

    def _may_send_command(self) -> bool:
        """Whether a command waits for nothing but its time."""
        if self._command is not None or not self._queue:
            return False
        return self._resync is None or self._queue[0][1] is self._resync

    def _next_command(self) -> None:
        if not self.trusted and self._resync is None:
            self._resync = Task(self._regain_trust())
            self._tasks.append(self._resync)
            self._resume(self._resync, None)
            return
        self._command, self._owner = self._queue.popleft()
        command = self._command
        self._reply = Reply()
        self._told = 0
        self._data_due, self._wants_data = None, bool(command.prompt)
        self._allow(min(command.limit, PROMPT_LIMIT) if command.prompt else command.limit)
        self._parser.prompt = command.prompt
        self._parser.counted = command.counted + self._pushed
        self._out += command.text + b"\r"

    def _allow(self, seconds: float) -> None:
        self._limit, self._command_until = seconds, self._now + seconds

    def _check_limits(self) -> None:
        command = self._command
        if command is None:
            return
        if self._data_due is not None and self._now >= self._data_due:
            self._data_due, self._wants_data = None, False
            self._out += command.data
        elif self._now >= self._command_until:
            self.lose_trust(CommandTimedOut(command.name, self._limit))

    def _drain(self) -> None:
        """Look at everything that has come. A command that ends lets its task go on before the next item is read."""
        try:
            while (item := self._parser.next_item()) is not None:
                self._take(item)
        except Garbled as fault:
            error = ModemError(f"{fault}; bytes were lost or altered", "serial line")
            self.on_lost(error)
            self.lose_trust(error)

    def _take(self, item: Item) -> None:
        if isinstance(item, Line):
            self._take_line(item.text)
        elif isinstance(item, Data):
            if self._command is not None and item.counted in self._command.counted:
                if self._reply.blocks:
                    raise Garbled("a second answer came to one command")
                self._reply.blocks.append(item)
            else:
                self.on_data(item)
        elif isinstance(item, Raw):
            self.on_raw(item.data)
        elif isinstance(item, Prompt):
            command = self._command
            assert command is not None
            if self._doomed is not None:
                self.lose_trust(self._doomed)
                return
            self._allow(command.limit)
            self._data_due = self._now + command.pause
            self._check_limits()

    def _take_line(self, line: bytes) -> None:
        command = self._command
        if command is None:
            if self.trusted and (line == b"ERROR" or line.startswith(_ERRORS)):
                raise Garbled("the modem refuses a command that nobody gave")
            if self.trusted:  # else it may be a piece of anything
                self.on_line(line)
            return
        if line == command.text:
            if self.echo_is_off:
                self._echo_seen()
            return
        ended = line.startswith(command.ends) if command.ends else line == b"OK"
        refused = line == b"ERROR" or line.startswith(_ERRORS)
        if ended or refused:
            if self._wants_data and not refused and not line.endswith(b"FAIL"):
                raise Garbled(f"the modem says that {command.name} succeeded, and never took its data")
            self._end_command(None, line)
        elif line.startswith(command.info) if command.info is not None else not self.is_news(line):
            self._told += len(line)
            if self._told > _REPLY_LIMIT:
                raise Garbled(f"the answer to {command.name} has no end")
            self._reply.lines.append(line)
        elif self.trusted:
            self.on_line(line)

    def _echo_seen(self) -> None:
        """Echo was off: the module was reset. The command is answered all the same, and its data must not follow."""
        self.echo_is_off = self.trusted = False
        self._doomed = ModuleReset("it echoes commands again")
        self.on_lost(self._doomed)

    def _end_command(self, error: ModemError | None, final: bytes = b"") -> None:
        command, owner = self._command, self._owner
        if command is None or owner is None:
            return
        if owner is self._resync and error is None and not self._resync_answered(final):
            return
        self._command = self._owner = None
        self._data_due = None
        error, self._doomed = error or self._doomed, None
        self._parser.prompt = b""
        self._parser.counted = self._pushed
        self._reply.final = final
        if final == b"ERROR" or final.startswith(b"+CM"):
            self._not_before = max(self._not_before, self._now + GAP_AFTER_ERROR)
            if not command.tolerant and error is None:
                error = CommandRefused(command.name, text_of(final))
        if error is not None:
            self._resume(owner, None, error)
        else:
            self._resume(owner, self._reply)

    # Finding the place again

    def _resync_answered(self, final: bytes) -> bool:
        """Whether a final result is that of `AT+CMEE?` and of nothing before it."""
        return final == b"OK" and any(line.startswith(_MARKER) for line in self._reply.lines)

    def _regain_trust(self) -> Steps[None]:
        failure: ModemError | None = None
        for attempt in range(_RESYNC_TRIES):
            if attempt:
                self._out += b"ATV1\r"  # it may answer by numbers, which have no line end
                yield Wait(SILENCE)
            enough = self._now + _NOISE_LIMIT
            while self._heard + SILENCE - self._now > 1e-6 and self._now < enough:
                yield Wait(self._heard + SILENCE - self._now)
            try:
                reply = yield Command("AT+CMEE?", _RESYNC_LIMIT, info=(_MARKER,))
            except ModemError as error:
                failure = error
                continue
            if self.echo_is_off and reply.lines[-1] != _MARKER + b"1":
                self.reset_seen("it has forgotten its settings")
            self._resync = None
            self.trusted = True
            return
        self._resync = None
        gone = ModemError("the modem does not answer any more", "module", timed_out=True)
        gone.__cause__ = failure
        self.on_lost(gone)
        waiting, self._queue = self._queue, deque()
        for _, task in waiting:
            self._resume(task, None, gone)


_TRANSPARENT: Final = "the serial line is a transparent connection or a data call now: close that first"
