"""The simulated chip on its bus: sleeping, idle, awake or busy, with a watchdog, and faults on demand."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable

from lighttls.testing.atecc608a.commands import Commands, Registers
from lighttls.testing.atecc608a.memory import Memory, Refused
from lighttls.testing.atecc608a.wire import packed, unpacked

WOKE = 0x11
SELF_TEST_FAILED = 0x07
WATCHDOG_SOON = 0xEE
NOT_UNDERSTOOD = 0xFF

READ, SELF_TEST = 0x02, 0x77

# Milliseconds at the three clock dividers (configuration byte 19, bits 7:3).
_DIVIDERS = {0x00: 0, 0x28: 1, 0x68: 2}
_TIMES: dict[int, tuple[int, int, int]] = {
    0x02: (5, 5, 5),
    0x12: (45, 45, 45),
    0x16: (20, 20, 20),
    0x17: (35, 35, 35),
    0x1B: (23, 23, 23),
    0x24: (25, 25, 25),
    0x30: (5, 5, 5),
    0x40: (115, 215, 653),
    0x41: (115, 220, 665),
    0x43: (75, 172, 531),
    0x45: (105, 295, 1085),
    0x47: (36, 42, 75),
    0x77: (250, 625, 2324),
}


class Faults:
    """What is wrong with the chip or its bus. Counts run down by themselves; opcodes are for one occasion."""

    def __init__(self) -> None:
        self.no_wake = 0  # wake pulses that have no effect
        self.garbled_wakes = 0  # answers to one that arrive altered
        self.refused_writes = 0  # commands that are not acknowledged
        self.garbled_commands = 0  # commands that arrive altered
        self.garbled_answers = 0  # answers that arrive altered; read again, they may be right
        self.watchdog_in: int | None = None  # the opcode in which the watchdog strikes
        self.restart_before: int | None = None  # the opcode in whose stead the chip starts anew
        self.dies_in: int | None = None  # the opcode in which it stops for good
        self.dead = False  # it answers nothing; set it back to repair it
        self.self_test_failed = False
        self.signature: Callable[[bytes], bytes] | None = None  # what Sign answers, given the digest


class VirtualClock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class SimulatedChip:
    """An ATECC608A with its bus: `wake`, `write` and `read`, which raise OSError where the chip does not acknowledge.

    It works as long as a real one would by `clock`, times `pace`. Sign, Verify and the rest are real; what it does not
    know is listed in `commands`. `memory` and `faults` are there to be set; `packets` counts the commands by opcode.
    """

    def __init__(self, memory: Memory, *, clock: Callable[[], float] = time.monotonic, pace: float = 1.0) -> None:
        self.memory = memory
        self.faults = Faults()
        self.packets: dict[int, int] = {}
        self.wakes = 0
        self._clock = clock
        self._pace = pace
        self._commands = Commands(memory, Registers())
        self._woke_at: float | None = None
        self._busy_until = 0.0
        self._output = b""
        self._garbled_by = "garbled_wakes"
        self._read_from = 0

    def wake(self) -> None:
        """SDA is held low for long enough."""
        self._let_time_pass()
        if self._woke_at is not None or self.faults.dead:
            return
        if self.faults.no_wake:
            self.faults.no_wake -= 1
            return
        self.wakes += 1
        self._woke_at = self._clock()
        self._busy_until = self._woke_at + 0.0015 * self._pace
        self._garbled_by = "garbled_wakes"
        self._say(bytes((SELF_TEST_FAILED if self.faults.self_test_failed else WOKE,)))

    @property
    def is_asleep(self) -> bool:
        """Whether it needs a wake pulse: it sleeps or idles."""
        self._let_time_pass()
        return self._woke_at is None

    def write(self, data: bytes) -> None:
        self._must_acknowledge()
        word, packet = data[0], bytes(data[1:])
        if word == 0:
            self._read_from = 0
        elif word == 1:
            self._fall_asleep()
        elif word == 2:
            self._woke_at = None
        elif word == 3:
            self._take(packet)

    def read(self, count: int) -> bytes:
        self._must_acknowledge()
        part = self._output[self._read_from : self._read_from + count]
        self._read_from += len(part)
        if part and self._read_from == len(part) and getattr(self.faults, self._garbled_by):
            setattr(self.faults, self._garbled_by, getattr(self.faults, self._garbled_by) - 1)
            part = part[:-1] + bytes((part[-1] ^ 0x40,))
        return part + b"\xff" * (count - len(part))

    def cut_power(self) -> None:
        """Registers are lost; what is in memory stays."""
        self._fall_asleep()

    def _take(self, packet: bytes) -> None:
        faults = self.faults
        self._garbled_by = "garbled_answers"
        if faults.refused_writes:
            faults.refused_writes -= 1
            raise OSError(errno.EREMOTEIO, "not acknowledged")
        command = unpacked(packet)
        if command is None or faults.garbled_commands:
            faults.garbled_commands -= bool(faults.garbled_commands)
            self._say(bytes((NOT_UNDERSTOOD,)))
            return
        opcode, p1, p2, data = command
        self.packets[opcode] = self.packets.get(opcode, 0) + 1
        lasts = self._time_of(opcode)
        if faults.dies_in == opcode:
            faults.dies_in, faults.dead = None, True
        elif faults.watchdog_in == opcode:
            faults.watchdog_in = None
            self._fall_asleep()
        elif faults.restart_before == opcode:
            faults.restart_before = None
            self._commands.registers = Registers()
            self._say(bytes((WOKE,)))
        elif self._clock() + lasts > self._sleeps_at():
            self._say(bytes((WATCHDOG_SOON,)))
        else:
            self._busy_until = self._clock() + lasts
            self._say(self._answer(opcode, p1, p2, data))

    def _answer(self, opcode: int, p1: int, p2: int, data: bytes) -> bytes:
        if self.faults.self_test_failed and not (opcode == SELF_TEST or (opcode == READ and p1 & 3 == 0)):
            return bytes((SELF_TEST_FAILED,))
        self._commands.signature = self.faults.signature
        self._commands.broken_self_tests = 0x02 if self.faults.self_test_failed else 0
        try:
            content = self._commands.run(opcode, p1, p2, data)
        except Refused as refused:
            return bytes((refused.status,))
        return b"\0" if content is None else content

    def _say(self, content: bytes) -> None:
        self._output = packed(content)
        self._read_from = 0

    def _time_of(self, opcode: int) -> float:
        divider = _DIVIDERS.get(self.memory.config[19] & 0xF8, 0)
        return _TIMES.get(opcode, (5, 5, 5))[divider] / 1000 * self._pace

    def _sleeps_at(self) -> float:
        assert self._woke_at is not None
        return self._woke_at + (13.0 if self.memory.config[19] & 4 else 1.3)

    def _let_time_pass(self) -> None:
        if self._woke_at is not None and self._clock() >= self._sleeps_at():
            self._fall_asleep()

    def _fall_asleep(self) -> None:
        self._woke_at = None
        self._output = b""
        self._commands.registers = Registers()

    def _must_acknowledge(self) -> None:
        self._let_time_pass()
        if self.faults.dead or self._woke_at is None or self._clock() < self._busy_until:
            raise OSError(errno.ENXIO, "not acknowledged")
