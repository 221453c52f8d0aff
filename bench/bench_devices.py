"""What a secure element's driver costs beside the chip: its own time for one signature, polls included."""

from __future__ import annotations

import time
from typing import Any

from bench.compare import Side
from lighttls.devices.atecc608a import Atecc608a
from lighttls.testing.atecc608a import SimulatedChip, VirtualClock, locked_chip

SIGNATURES_A_ROUND = 20
BAR = 0.002  # seconds
DIGEST = bytes(range(32))


class Recorder:
    """A bus that notes what the chip did, refusals included."""

    def __init__(self, simulated: SimulatedChip) -> None:
        self._simulated = simulated
        self.results: list[bytes | None] = []  # of read and write in turn; None: not acknowledged

    def wake(self) -> None:
        self._simulated.wake()

    def write(self, data: bytes) -> None:
        self._noted(self._simulated.write, data)

    def read(self, count: int) -> bytes:
        return self._noted(self._simulated.read, count) or b""

    def _noted(self, call: Any, argument: Any) -> bytes | None:
        try:
            result: bytes | None = call(argument)
        except OSError:
            self.results.append(None)
            raise
        self.results.append(result or b"")
        return result


class Replay:
    """A bus that does the same again in no time."""

    def __init__(self, results: list[bytes | None]) -> None:
        self._results = iter(results)

    def wake(self) -> None:
        pass

    def write(self, data: bytes) -> None:
        self.read(0)

    def read(self, count: int) -> bytes:
        result = next(self._results)
        if result is None:
            raise OSError("not acknowledged")
        return result


def driver_alone() -> Side:
    """Seconds of CPU per signature, with as many polls as the chip's time takes."""
    clock = VirtualClock()
    recorder = Recorder(locked_chip(clock=clock))
    expected = Atecc608a(recorder, clock=clock, sleep=clock.sleep).sign(0, DIGEST)
    assert recorder.results.count(None) > 50  # polls in vain: the chip took 0.16 s

    def run() -> float:
        spent = 0.0
        for _ in range(SIGNATURES_A_ROUND):
            time_there = VirtualClock()
            chip = Atecc608a(Replay(recorder.results), clock=time_there, sleep=time_there.sleep)
            began = time.thread_time()
            signature = chip.sign(0, DIGEST)
            spent += time.thread_time() - began
            assert signature == expected
        return spent / SIGNATURES_A_ROUND

    return run


def bench_atecc608a_signature(benchmark: Any, ratio: Any) -> None:
    side = driver_alone()
    ratio(
        benchmark,
        "ATECC608A signature, the driver's own time",
        side,
        lambda: BAR,
        against="2 ms",
        bar=1.0,
    )
    benchmark.pedantic(side, rounds=5)
