"""The driver of the secure element on the simulated one, without waiting: all time is virtual."""

from __future__ import annotations

from lighttls.devices.atecc608a import Atecc608a
from lighttls.testing.atecc608a import SimulatedChip, VirtualClock, blank_chip, locked_chip

SERIAL_NUMBER = bytes.fromhex("0123a1b2c3d4e5f6ee")


class Bench:
    """A simulated chip and a driver for it."""

    def __init__(self, *, locked: bool = True, key: bytes | None = None) -> None:
        self.clock = VirtualClock()
        self.simulated: SimulatedChip = (
            locked_chip(SERIAL_NUMBER, key=key, clock=self.clock)
            if locked
            else blank_chip(SERIAL_NUMBER, clock=self.clock)
        )
        self.chip = self.driver()

    def driver(self) -> Atecc608a:
        """Another driver of the same chip, as after a restart of its program."""
        return Atecc608a(self.simulated, clock=self.clock, sleep=self.clock.sleep)
