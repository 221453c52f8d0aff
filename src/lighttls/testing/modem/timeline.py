"""When things happen: a virtual clock that jumps from event to event, and one that is real."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from time import monotonic


class Timeline:
    """A virtual clock: `now` stands still until `run_until` moves it, and then everything due happens, in order."""

    def __init__(self) -> None:
        self._now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    @property
    def now(self) -> float:
        """Seconds."""
        return self._now

    def at(self, time: float, call: Callable[[], None]) -> None:
        """Have `call` called at that time; those of one moment in the order in which they were asked for."""
        heapq.heappush(self._events, (time, next(self._order), call))

    def after(self, seconds: float, call: Callable[[], None]) -> None:
        self.at(self.now + seconds, call)

    def next_event(self) -> float | None:
        """When the next thing happens."""
        return self._events[0][0] if self._events else None

    def run_until(self, time: float) -> None:
        """Let everything happen that is due by then."""
        while self._events and self._events[0][0] <= time:
            due, _, call = heapq.heappop(self._events)
            self._now = max(self._now, due)
            call()
        self._now = max(self._now, time)


class RealTimeline(Timeline):
    """The same by the system's clock. What is overdue happens at once."""

    @property
    def now(self) -> float:
        return monotonic()
