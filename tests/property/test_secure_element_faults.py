"""The secure element's driver on a bus that loses, refuses and alters at random: a right result or a clear error.

Single bits are altered, which a CRC-16 always sees, and the byte in front of a packet, which none covers.
"""

from __future__ import annotations

import hashlib
import random
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighttls.devices.atecc608a import Atecc608a, ChipError, Zone
from lighttls.testing.atecc608a import SimulatedChip
from support import require
from support.chips import Bench

LONGEST = 120.0  # seconds, on the virtual clock, for one call: every retry of every command of it
PUBLIC_KEY = Bench(key=b"\1" * 32).chip.public_key(0)


class BadBus:
    def __init__(self, simulated: SimulatedChip, seed: int, rate: float) -> None:
        self._chip = simulated
        self._random = random.Random(seed)
        self._rate = rate

    def wake(self) -> None:
        if not self._strikes():
            self._chip.wake()

    def write(self, data: bytes) -> None:
        if self._strikes():
            raise OSError("not acknowledged")
        self._chip.write(self._altered(data))

    def read(self, count: int) -> bytes:
        if self._strikes():
            raise OSError("not acknowledged")
        return self._altered(self._chip.read(count))

    def _strikes(self) -> bool:
        if self._random.random() < self._rate / 4:
            self._chip.cut_power()
        return self._random.random() < self._rate

    def _altered(self, data: bytes) -> bytes:
        if not data or not self._strikes():
            return data
        place = self._random.randrange(len(data) * 8)
        return bytes(byte ^ (1 << place % 8 if at == place // 8 else 0) for at, byte in enumerate(data))


@settings(max_examples=1000 if require.LONG else 60)
@given(seed=st.integers(0, 1 << 32), rate=st.sampled_from([0.001, 0.01, 0.05, 0.3]))
def test_result_is_right_or_an_error(seed: int, rate: float) -> None:
    bench = Bench(key=b"\1" * 32)
    chip = Atecc608a(BadBus(bench.simulated, seed, rate), clock=bench.clock, sleep=bench.clock.sleep)
    digest = hashlib.sha256(seed.to_bytes(5, "big")).digest()
    slot = bench.simulated.memory.slots[8]
    slot[:] = random.Random(seed).randbytes(len(slot))

    def sign() -> None:
        bench.driver().verify(PUBLIC_KEY, digest, chip.sign(0, digest))

    def read() -> None:
        assert chip.read(Zone.DATA, 8) == slot

    def write() -> None:
        chip.write(Zone.DATA, digest * 2, 8, offset=20)
        assert slot[20:84] == digest * 2

    def count() -> None:
        before = bench.simulated.memory.counters[0]
        try:
            assert chip.count(0) == before + 1
        finally:
            assert bench.simulated.memory.counters[0] <= before + 1

    def hashed() -> None:
        assert chip.sha256(bytes(150)) == hashlib.sha256(bytes(150)).digest()

    for step in (sign, read, write, count, hashed):
        began = bench.clock.now
        with suppress(ChipError):  # clear, and no wrong result
            step()
        assert bench.clock.now - began < LONGEST


@pytest.mark.parametrize("seed", range(5))
def test_calm_bus_loses_nothing(seed: int) -> None:
    """So that the test above is not green for errors alone."""
    bench = Bench(key=b"\1" * 32)
    chip = Atecc608a(BadBus(bench.simulated, seed, 0.002), clock=bench.clock, sleep=bench.clock.sleep)
    done = 0
    for _ in range(20):
        try:
            chip.sign(0, bytes(32))
            done += 1
        except ChipError:
            continue
    assert done >= 18
