"""Simulated chips as they come: blank, or with a key and locked, as a maker's board has them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

from lighttls.testing.atecc608a import curve
from lighttls.testing.atecc608a.chip import SimulatedChip
from lighttls.testing.atecc608a.memory import Memory

# SlotConfig and KeyConfig of 16 slots, as they stand in memory.
_SLOTS = {
    **dict.fromkeys((0,), ("8320", "3300")),  # the device's key: signs digests, a new one can be made
    **dict.fromkeys((1, 2), ("8720", "3300")),  # besides that, ECDH
    **dict.fromkeys((3, 4), ("872f", "3300")),
    **dict.fromkeys((5, 7), ("8f8f", "1c00")),  # secret, never written
    6: ("8000", "3c00"),  # secret, always written: for an I/O protection key
    **dict.fromkeys(range(8, 15), ("0000", "3c00")),  # open to reads and writes
    15: ("0000", "3000"),  # a public key to verify with
}


def configuration(serial_number: bytes, *, address: int = 0x60) -> bytes:
    """The 128 bytes of a chip for TLS that is not locked yet. Slots 0 to 4 hold keys, 8 to 14 data."""
    assert len(serial_number) == 9
    raw = bytearray(128)
    raw[0:4], raw[8:13] = serial_number[:4], serial_number[4:]
    raw[4:8] = bytes.fromhex("00006002")
    raw[13:16] = b"\x01\x01\x00"
    raw[16] = address << 1
    for slot, (slot_config, key_config) in _SLOTS.items():
        raw[20 + 2 * slot : 22 + 2 * slot] = bytes.fromhex(slot_config)
        raw[96 + 2 * slot : 98 + 2 * slot] = bytes.fromhex(key_config)
    raw[52:68] = b"\xff\xff\xff\xff\0\0\0\0" * 2
    raw[86:90] = b"\x55\x55\xff\xff"
    return bytes(raw)


def blank_chip(
    serial_number: bytes | None = None, *, clock: Callable[[], float] = time.monotonic, pace: float = 1.0
) -> SimulatedChip:
    """A chip with both zones unlocked and no key."""
    number = serial_number or b"\x01\x23" + secrets.token_bytes(6) + b"\xee"
    return SimulatedChip(Memory(configuration(number)), clock=clock, pace=pace)


def locked_chip(
    serial_number: bytes | None = None,
    *,
    key: bytes | None = None,
    clock: Callable[[], float] = time.monotonic,
    pace: float = 1.0,
) -> SimulatedChip:
    """A chip that is configured and locked, with a private key in slot 0: `key` (32 bytes), or a new one."""
    chip = blank_chip(serial_number, clock=clock, pace=pace)
    chip.memory.config[86:88] = b"\0\0"
    made: Any = curve.key_from(key) if key else curve.new_key()
    chip.memory.private_keys[0] = made
    return chip
