"""What a command sequence is made of: commands, waits, and the task that it becomes."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, Final, Generic, TypeVar

from lighttls.transports.at_modem.parser import Counted, Data

T = TypeVar("T")
SHORT: Final = 5.0  # seconds for commands that ask nobody but the module
READ_LIMIT: Final = 20.0  # seconds for those whose answer brings data, over lines of 1200 baud too
ESCAPE: Final = b"+++"  # ends data mode
GUARD: Final = 1.1  # seconds of silence on both sides of it; modems want 1


class Command:
    """A command line, and how to know its end.

    text       without the line end; what stands before "=" or "?" is its name, the rest is never shown
    limit      seconds until its final result, counted from the prompt if there is one
    info       how its information lines begin; None if any line that is no news of its own may be one
    ends       further final results (their beginnings) that mean success or failure by what they say
    prompt     the bytes that ask for `data`; `pause` seconds must pass between them
    counted    data that its answer may hold
    tolerant   hand over the final result whatever it is, instead of raising CommandRefused
    """

    __slots__ = ("counted", "data", "ends", "info", "limit", "name", "pause", "prompt", "text", "tolerant")

    def __init__(
        self,
        text: str,
        limit: float = SHORT,
        *,
        info: tuple[bytes, ...] | None = (),
        ends: tuple[bytes, ...] = (),
        prompt: bytes = b"",
        data: bytes = b"",
        pause: float = 0.0,
        counted: tuple[Counted, ...] = (),
        tolerant: bool = False,
    ) -> None:
        self.text = text.encode("ascii")
        self.name = text.partition("=")[0].partition("?")[0]
        self.limit = limit
        self.info = info
        self.ends = ends
        self.prompt = prompt
        self.data = data
        self.pause = pause
        self.counted = counted
        self.tolerant = tolerant


class Reply:
    """What came for a command: information lines, counted data, and the final result."""

    __slots__ = ("blocks", "final", "lines")

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.blocks: list[Data] = []
        self.final = b""

    @property
    def ok(self) -> bool:
        return self.final == b"OK"


class Wait:
    """Go on when `ready()`, or after so many seconds; the generator gets whether it was the former."""

    __slots__ = ("ready", "seconds")

    def __init__(self, seconds: float, ready: Callable[[], object] = lambda: False) -> None:
        self.seconds = seconds
        self.ready = ready


Steps = Generator[Command | Wait, Any, T]


class Task(Generic[T]):
    """A command sequence on its way. When `done`, `result()` returns its value or raises what ended it."""

    def __init__(self, steps: Steps[T]) -> None:
        self.steps = steps
        self.waits: Command | Wait | None = None
        self.until = 0.0
        self.done = False
        self._value: T | None = None
        self._error: BaseException | None = None

    def finish(self, value: T | None, error: BaseException | None = None) -> None:
        self.done, self._value, self._error, self.waits = True, value, error, None

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]
