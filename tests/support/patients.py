"""Devices for `lighttls doctor`: a simulated modem on a pty, a simulated chip on a bus, each with one planted fault."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lighttls.testing.atecc608a import SimulatedChip, blank_chip, locked_chip
from lighttls.testing.modem import Network, Pty, RealTimeline, SimulatedModem, Situation, tcp
from support import certificates as kit
from support.certificates import Key, Made
from support.chips import SERIAL_NUMBER

PACE = 0.05  # of a real chip's time


@contextmanager
def modem(
    model: str = "EC21",
    *,
    knows: str = "host.example",
    dies_in: str = "",
    dying: Callable[[SimulatedModem], object] = lambda board: board.module.reset(),
    **situation: Any,
) -> Iterator[str]:
    """The port of a simulated modem that connects to 127.0.0.1; `dies_in` is a command that is its end."""
    network = Network(lambda host, port: tcp("127.0.0.1", port), names={knows: "192.0.2.7"})
    board = SimulatedModem(model, network, baud=0, situation=Situation(**situation), timeline=RealTimeline())
    if dies_in:
        setattr(board.module, f"do_{dies_in}", lambda request: dying(board))
    with Pty(board) as serial:
        yield serial.name


@contextmanager
def saying(answer: bytes) -> Iterator[str]:
    """A serial port on which something says the same, whatever it hears; nothing, if that is empty."""
    import tty  # which Windows has not

    master, slave = os.openpty()
    tty.setraw(slave)

    def speak() -> None:
        with suppress(OSError):  # closed
            while os.read(master, 1024):
                os.write(master, answer)

    thread = threading.Thread(target=speak, daemon=True)
    thread.start()
    try:
        yield os.ttyname(slave)
    finally:
        os.write(slave, b"end")  # wakes the reader
        os.close(slave)
        thread.join(5)
        os.close(master)


def sound_chip() -> SimulatedChip:
    return locked_chip(SERIAL_NUMBER, key=b"\x07" * 32, pace=PACE)


def absent_chip() -> SimulatedChip:
    chip = sound_chip()
    chip.faults.dead = True
    return chip


def silent_chip() -> SimulatedChip:
    """It wakes, and every answer arrives altered."""
    chip = sound_chip()
    chip.faults.garbled_answers = 1000
    return chip


def unlocked_chip() -> SimulatedChip:
    return blank_chip(pace=PACE)


def half_locked_chip() -> SimulatedChip:
    chip = sound_chip()
    chip.memory.config[86] = 0x55  # slots and OTP zone are open
    return chip


def empty_chip() -> SimulatedChip:
    chip = sound_chip()
    chip.memory.private_keys.clear()
    return chip


def lying_chip() -> SimulatedChip:
    chip = sound_chip()
    chip.faults.signature = lambda digest: b"\x01" * 64
    return chip


class FailingLater:
    """A chip that signs once, and whose answers arrive altered from then on."""

    def __init__(self) -> None:
        self._chip = sound_chip()
        self._signatures = 0
        self.wake, self.read = self._chip.wake, self._chip.read

    def write(self, data: bytes) -> None:
        self._signatures += data[:1] == b"\x03" and data[2] == 0x41
        if self._signatures > 1:
            self._chip.faults.garbled_answers = 1000
        self._chip.write(data)


def broken_bus() -> Any:
    raise ZeroDivisionError("no such bus")


NOT_A_BUS = object()


@cache
def device(issuer: Made) -> Made:
    """A certificate for the key of `sound_chip`."""
    private = ec.derive_private_key(int.from_bytes(b"\x07" * 32, "big"), ec.SECP256R1())
    spki = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return kit.make("device", Key(private, spki), issuer)
