"""A simulated ATECC608A secure element, packet by packet, to develop and test without the hardware.

    simulated = locked_chip()
    chip = Atecc608a(simulated)                                   # the driver, in real time
    clock = VirtualClock()
    chip = Atecc608a(locked_chip(clock=clock), clock=clock, sleep=clock.sleep)    # and in no time

It shares no code with the driver in `lighttls.devices.atecc608a`. Where Microchip's own library can be installed, the
tests let it drive this chip; docs/secure-element.md says for which commands, and what is not simulated.
"""

from lighttls.testing.atecc608a.chip import Faults, SimulatedChip, VirtualClock
from lighttls.testing.atecc608a.factory import blank_chip, configuration, locked_chip
from lighttls.testing.atecc608a.memory import Memory
from lighttls.testing.atecc608a.trust_and_go import TrustAndGo

__all__ = [
    "Faults",
    "Memory",
    "SimulatedChip",
    "TrustAndGo",
    "VirtualClock",
    "blank_chip",
    "configuration",
    "locked_chip",
]
