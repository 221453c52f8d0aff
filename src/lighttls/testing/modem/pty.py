"""A simulated modem behind a pseudo-terminal: a serial port as far as pyserial and every other program can tell."""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from lighttls.errors import ConfigurationError
from lighttls.testing.modem.simulator import SimulatedModem
from lighttls.testing.modem.timeline import RealTimeline

_LONGEST_SLEEP: Final = 0.5  # seconds
_REAL: Final = "Make the modem with SimulatedModem(..., timeline=RealTimeline())."


class Pty:
    """Runs a simulated modem in real time, in a thread; as a context manager. `name` is the port to open.

    The modem must have been made with `timeline=RealTimeline()`. Raises ConfigurationError: it was not.
    """

    def __init__(self, modem: SimulatedModem) -> None:
        if not isinstance(modem.timeline, RealTimeline):
            raise ConfigurationError("a pseudo-terminal is of real time", hint=_REAL)
        self._modem = modem
        self._steps: deque[Callable[[], None]] = deque()
        self._ended = False
        modem.network.call = self.call

    def __enter__(self) -> Self:
        import tty  # which Windows has not

        self._master, self._slave = os.openpty()  # the slave stays open, so that the port outlives who opens it
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.name = os.ttyname(self._slave)
        self._wake_in, self._wake_out = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = True
        self.call(lambda: None)
        self._thread.join()
        for descriptor in (self._master, self._slave, self._wake_in, self._wake_out):
            os.close(descriptor)

    def call(self, step: Callable[[], None]) -> None:
        """Do something in the simulator's thread, soon."""
        self._steps.append(step)
        with suppress(OSError):  # it has ended
            os.write(self._wake_out, b"x")

    def _run(self) -> None:
        timeline, waiting = self._modem.timeline, self._modem.line.to_host
        while not self._ended:
            due = timeline.next_event()
            sleep = _LONGEST_SLEEP if due is None else min(_LONGEST_SLEEP, max(0.0, due - timeline.now))
            writing = [self._master] if waiting else []
            readable, _, _ = select.select([self._master, self._wake_in], writing, [], sleep)
            if self._wake_in in readable:
                os.read(self._wake_in, 4096)
            while self._steps:
                self._steps.popleft()()
            if self._master in readable:
                with suppress(OSError):
                    self._modem.write(os.read(self._master, 4096))
            timeline.run_until(timeline.now)
            if waiting:
                with suppress(BlockingIOError):
                    del waiting[: os.write(self._master, waiting)]
