"""One exchange with the chip: wake, command, polling, answer, idle; and what is done when that goes wrong.

    wake ── 1.5 ms ── packet ── poll … answer ── idle

The chip acknowledges nothing while it sleeps or works, and falls asleep, its registers lost, about 1.3 s after the wake
pulse whatever it does. Idle ends the period before and keeps the registers.

Each command has a period to itself. The CRC does not cover the byte in front of a packet that says what it is, so a
command may be lost without a trace, and behind another one the old answer would pass for the new. Behind a wake there
is none: the chip says that it just woke.

Commands that hand a register on form a group; if the chip lost it, the whole group starts again. An answer that arrives
altered is read again, and only a command that changes nothing is sent again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Final, TypeVar

from lighttls.devices.atecc608a.bus import Bus
from lighttls.devices.atecc608a.errors import ChipAbsent, ChipError, ChipRefused, ChipSilent
from lighttls.devices.atecc608a.packet import Command, content

_T = TypeVar("_T")

_RESET_POINTER: Final = b"\x00"  # word addresses
_SLEEP: Final = b"\x01"
_IDLE: Final = b"\x02"
_COMMAND: Final = b"\x03"

_WOKE: Final = (b"\x11", b"\x07")  # well, or with a failed self-test, which every command will say
_CRC_ERROR: Final = 0xFF
_DID_NOT_RUN: Final = (0x11, 0xEE)  # it did not get the command, or is about to sleep
_EXECUTION_ERROR: Final = 0x0F

# Seconds.
_WAKE_TIME: Final = 0.0015  # from the pulse to the first answer
_FIRST_POLL: Final = 0.001
_POLL: Final = 0.002
_GIVE_UP: Final = 2.5  # Microchip's own limit; a self-test at the slowest clock takes 2.3

_ATTEMPTS: Final = 3
_WAKE_ATTEMPTS: Final = 4


class _RegistersLost(Exception):
    """The chip slept, or did not get a command: what another left for it may be gone."""

    def __init__(self, error: ChipError) -> None:
        self.error = error  # what the caller hears in the end


class Link:
    """The chip behind `bus`. `clock` and `sleep` work in seconds. Threads may share it."""

    def __init__(self, bus: Bus, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._bus = bus
        self._clock = clock
        self._sleep = sleep
        self.lock: AbstractContextManager[object] = getattr(bus, "lock", None) or threading.RLock()
        self._in_group = False
        self._done = 0  # commands of this group

    def run(self, command: Command, p1: int = 0, p2: int = 0, data: bytes = b"", *, answer: int = 0) -> bytes:
        """Have one command done. `answer` is the length of its data, 0 where it answers a status alone.

        Raises ChipAbsent, ChipSilent, ChipRefused.
        """
        return self.group(lambda: self._exchange(command, p1, p2, data, answer))

    def group(self, steps: Callable[[], _T]) -> _T:
        """Run `steps`, commands that need each other's registers; again, if the chip lost them."""
        with self.lock:
            if self._in_group:
                return steps()
            self._in_group = True
            try:
                return self._attempt(steps)
            finally:
                self._in_group = False

    def _attempt(self, steps: Callable[[], _T]) -> _T:
        error = None
        for _ in range(_ATTEMPTS):
            self._done = 0
            try:
                return steps()
            except _RegistersLost as lost:
                error = lost.error
        assert error is not None
        raise error

    def sleep(self) -> None:
        """Send the chip to sleep, where it takes the least power. Registers are lost."""
        with self.lock:
            self._wake()
            try:
                self._bus.write(_SLEEP)
            except OSError as cause:
                raise ChipSilent(f"the chip does not take Sleep: {cause}") from cause

    def _exchange(self, command: Command, p1: int, p2: int, data: bytes, answer: int) -> bytes:
        packet = _COMMAND + command.encode(p1, p2, data)
        for attempts_left in reversed(range(_ATTEMPTS)):
            self._wake()
            try:
                said = self._ask(command, packet, max(answer, 1))
            except ChipSilent as silence:
                if not command.repeatable or not attempts_left or not self._wakes():
                    raise
                if self._done:
                    raise _RegistersLost(silence) from silence
                continue
            finally:
                with suppress(OSError):  # the watchdog was quicker
                    self._bus.write(_IDLE)
            if len(said) != 1 or (answer == 1 and said[0] != _CRC_ERROR):
                if len(said) != answer:
                    raise ChipSilent(f"the chip answered {command.name} with {len(said)} bytes instead of {answer}")
                self._done += 1
                return said
            if said[0] != _CRC_ERROR or not attempts_left:
                self._judge_status(command, said[0], answer)
                self._done += 1
                return b""
        raise AssertionError

    def _judge_status(self, command: Command, status: int, answer: int) -> None:
        if status == 0 and answer == 0:
            return
        error = ChipRefused(command.name, status)
        # An execution error behind another command may mean that the watchdog struck between them.
        if status in _DID_NOT_RUN or (status == _EXECUTION_ERROR and self._done):
            raise _RegistersLost(error)
        raise error

    def _ask(self, command: Command, packet: bytes, length: int) -> bytes:
        """Send the command, poll until its answer is there, and read that until it is unaltered."""
        try:
            self._bus.write(packet)
        except OSError as cause:
            raise _RegistersLost(ChipSilent(f"the chip does not take {command.name}: {cause}")) from cause
        give_up = self._clock() + _GIVE_UP
        self._sleep(_FIRST_POLL)
        while True:
            try:
                raw = self._bus.read(length + 3)
                break
            except OSError as cause:  # it works
                if self._clock() >= give_up:
                    raise ChipSilent(f"the chip took {command.name} and does not answer") from cause
            self._sleep(_POLL)
        for _ in range(_ATTEMPTS):
            said = content(raw)
            if said is not None:
                return said
            try:
                self._bus.write(_RESET_POINTER)
                raw = self._bus.read(length + 3)
            except OSError as cause:
                raise ChipSilent(f"the chip stopped in the middle of its answer to {command.name}") from cause
        raise ChipSilent(f"the chip's answers to {command.name} arrive altered (CRC)")

    def _wakes(self) -> bool:
        try:
            self._wake()
        except ChipError:
            return False
        return True

    def _wake(self) -> None:
        heard = False
        cause: OSError | None = None
        for attempt in range(_WAKE_ATTEMPTS):
            with suppress(OSError):  # nobody acknowledges the pulse
                self._bus.wake()
            self._sleep(_WAKE_TIME * (attempt + 1))
            try:
                if content(self._bus.read(4)) in _WOKE:
                    return
                heard = True  # it was awake already and shows an old answer: end that period first
                self._bus.write(_IDLE if attempt == 0 else _SLEEP)
            except OSError as reason:
                cause = reason
        if heard:
            raise ChipSilent(
                "something answers on the bus, but not as a secure element that wakes, or altered"
            ) from cause
        raise ChipAbsent("no secure element answers on the bus" + (f": {cause}" if cause else "")) from cause
