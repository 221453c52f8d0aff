"""Ratios that hold on a busy machine.

Both sides run in every round, in alternating order, and the result is the median of the rounds'
ratios: a slow second slows both sides of a round. If the yardstick itself spreads over more than
15 % (its middle half, relative to the median) the run is repeated, at most nineteen times; what is
left then is marked as noisy.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

ROUNDS = 15
ATTEMPTS = 20
TOLERATED_SPREAD = 0.15

Side = Callable[[], float]
"""Does one round on fresh input and returns seconds per operation."""


def timed(prepare: Callable[[], list[Any]], work: Callable[[Any], object]) -> Side:
    """Seconds of CPU per operation, each on an input of its own that is made before the clock starts."""

    def run() -> float:
        inputs = prepare()
        began = time.thread_time_ns()
        for one in inputs:
            work(one)
        return (time.thread_time_ns() - began) / 1e9 / len(inputs)

    return run


@dataclass(frozen=True)
class Comparison:
    ours: float  # seconds per operation, median
    yardstick: float
    ratio: float
    spread: float  # of the yardstick

    @property
    def noisy(self) -> bool:
        return self.spread > TOLERATED_SPREAD


def compare(ours: Side, yardstick: Side, rounds: int = ROUNDS) -> Comparison:
    """Measure both sides; the calmest of at most `ATTEMPTS` runs counts."""
    calmest = _run(ours, yardstick, rounds)
    for _ in range(ATTEMPTS - 1):
        if not calmest.noisy:
            break
        calmest = min(calmest, _run(ours, yardstick, rounds), key=lambda run: run.spread)
    return calmest


def _run(ours: Side, yardstick: Side, rounds: int) -> Comparison:
    pairs = []
    for number in range(rounds + 1):
        if number % 2:
            mine, theirs = ours(), yardstick()
        else:
            theirs, mine = yardstick(), ours()
        pairs.append((mine, theirs))
    return summary(pairs[1:])  # the first round only warms up


def summary(pairs: list[tuple[float, float]]) -> Comparison:
    """What pairs of (ours, yardstick) say."""
    theirs = [yardstick for _, yardstick in pairs]
    low, middle, high = quantiles(theirs, n=4)
    return Comparison(
        ours=median(mine for mine, _ in pairs),
        yardstick=middle,
        ratio=median(mine / yardstick for mine, yardstick in pairs),
        spread=(high - low) / middle,
    )
