"""The chip's memory: its configuration, one-time-programmable bytes, and sixteen slots."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from lighttls.devices.atecc608a.link import Link
from lighttls.devices.atecc608a.packet import Command, crc16
from lighttls.errors import UsageError


class Zone(IntEnum):
    CONFIG = 0
    OTP = 1
    DATA = 2


SLOT_SIZES: Final = (*(36,) * 8, 416, *(72,) * 7)
_SIZES: Final = {Zone.CONFIG: 128, Zone.OTP: 64}

_READ: Final = Command("Read", 0x02)
_WRITE: Final = Command("Write", 0x12)  # the same bytes again: harmless
_LOCK: Final = Command("Lock", 0x17, repeatable=False)

_BLOCK: Final = 32
_WORD: Final = 4
_WHOLE_BLOCK: Final = 0x80
_NO_CRC: Final = 0x80
_LOCK_SLOT: Final = 2


class Configuration:
    """The 128 bytes of the configuration zone, read."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    @property
    def serial_number(self) -> bytes:
        return self.raw[0:4] + self.raw[8:13]

    @property
    def revision(self) -> bytes:
        return self.raw[4:8]

    @property
    def i2c_address(self) -> int:
        """Seven bits."""
        return self.raw[16] >> 1

    @property
    def config_locked(self) -> bool:
        return self.raw[87] != 0x55

    @property
    def data_locked(self) -> bool:
        """Whether slots and OTP zone are held to what the configuration says of them."""
        return self.raw[86] != 0x55

    def slot_locked(self, slot: int) -> bool:
        """Whether this one slot was locked for good, beyond its configuration."""
        return not int.from_bytes(self.raw[88:90], "little") >> slot & 1

    def slot_config(self, slot: int) -> int:
        return int.from_bytes(self.raw[20 + 2 * slot : 22 + 2 * slot], "little")

    def key_config(self, slot: int) -> int:
        return int.from_bytes(self.raw[96 + 2 * slot : 98 + 2 * slot], "little")

    def holds_private_key(self, slot: int) -> bool:
        """Whether the slot is for a private key on P-256."""
        return self.key_config(slot) & 0x1D == 0x11

    def signs_digests(self, slot: int) -> bool:
        """Whether its key may sign what comes from outside, as a handshake needs."""
        return self.holds_private_key(slot) and bool(self.slot_config(slot) & 1)

    def agrees_on_keys(self, slot: int) -> bool:
        """Whether its key may do ECDH."""
        return self.holds_private_key(slot) and bool(self.slot_config(slot) & 4)

    @property
    def io_key_slot(self) -> int | None:
        """The slot of the key that secrets can be encrypted under on the bus (ChipOptions); None: there is none."""
        options = int.from_bytes(self.raw[90:92], "little")
        return options >> 12 if options & 2 else None

    def generates_key(self, slot: int) -> bool:
        """Whether GenKey may put a new key there."""
        return self.holds_private_key(slot) and bool(self.slot_config(slot) & 0x2000) and not self.slot_locked(slot)


class ZoneAccess:
    """Reads, writes and locks; a part of Atecc608a."""

    _link: Link

    def configuration(self) -> Configuration:
        """Read the configuration zone, which is always allowed."""
        return Configuration(self.read(Zone.CONFIG))

    def read(self, zone: Zone, slot: int = 0, *, offset: int = 0, length: int | None = None) -> bytes:
        """Read a part of a zone, by default all of it (of a slot, in Zone.DATA), in as few commands as possible.

        Raises ChipRefused: the slot is secret, or the zone not locked yet.
        """
        size = _size(zone, slot)
        length = size - offset if length is None else length
        if offset < 0 or length < 0 or offset + length > size:
            raise UsageError(f"{_name(zone, slot)} has {size} bytes; {offset} to {offset + length} were asked for")
        parts = []
        at = offset - offset % _WORD
        while at < offset + length:
            # A block must fit the slot whole, and for one or two words it is the slower way.
            whole = at % _BLOCK == 0 and at + _BLOCK <= size and offset + length - at > 2 * _WORD
            p1 = zone | (_WHOLE_BLOCK if whole else 0)
            count = _BLOCK if whole else _WORD
            parts.append(self._link.run(_READ, p1, _address(zone, slot, at), answer=count))
            at += count
        start = offset % _WORD
        return b"".join(parts)[start : start + length]

    def write(self, zone: Zone, data: bytes, slot: int = 0, *, offset: int = 0) -> None:
        """Write in the clear; offset and length must be multiples of four.

        While the data zone is unlocked the chip takes whole blocks of 32 alone there. The configuration's bytes 0 to 15
        and 84 to 87 cannot be written. Raises ChipRefused: a lock or the slot's configuration forbids it.
        """
        size = _size(zone, slot)
        if not (offset >= 0 and offset + len(data) <= size) or offset % _WORD or len(data) % _WORD:
            raise UsageError(
                f"{len(data)} bytes cannot be written at {offset} of {_name(zone, slot)}: it has {size} bytes, "
                "and is written by words of 4"
            )
        at = offset
        while at < offset + len(data):
            left = offset + len(data) - at
            whole = at % _BLOCK == 0 and left >= _BLOCK and not (zone == Zone.CONFIG and at in (0, 64))
            count = _BLOCK if whole else _WORD
            p1 = zone | (_WHOLE_BLOCK if whole else 0)
            self._link.run(_WRITE, p1, _address(zone, slot, at), data[at - offset : at - offset + count])
            at += count

    def lock_config(self, *, irreversible: bool) -> None:
        """Lock the configuration for ever. It is read before, and the chip compares its CRC."""
        _insist(irreversible, "the configuration zone")
        content = self.read(Zone.CONFIG)
        self._link.run(_LOCK, 0, int.from_bytes(crc16(content), "little"))

    def lock_data(self, *, irreversible: bool) -> None:
        """Lock slots and OTP zone for ever: then each slot's configuration decides. Contents are not compared."""
        _insist(irreversible, "the data and OTP zones")
        self._link.run(_LOCK, 1 | _NO_CRC)

    def lock_slot(self, slot: int, *, irreversible: bool) -> None:
        """Lock one slot for ever: its content, or key, stays what it is."""
        _size(Zone.DATA, slot)
        _insist(irreversible, f"slot {slot}")
        self._link.run(_LOCK, _LOCK_SLOT | slot << 2)  # without a CRC, as Microchip's library does it


def check_slot(slot: int) -> int:
    """The slot's number. Raises UsageError: there is none."""
    if not 0 <= slot < len(SLOT_SIZES):
        raise UsageError(f"there is no slot {slot}: the chip has 0 to 15")
    return slot


def _size(zone: Zone, slot: int) -> int:
    return SLOT_SIZES[check_slot(slot)] if zone == Zone.DATA else _SIZES[zone]


def _name(zone: Zone, slot: int) -> str:
    return f"slot {slot}" if zone == Zone.DATA else f"the {zone.name} zone"


def _address(zone: Zone, slot: int, at: int) -> int:
    block, word = at // _BLOCK, at % _BLOCK // _WORD
    return block << 8 | slot << 3 | word if zone == Zone.DATA else block << 3 | word


def _insist(irreversible: bool, what: str) -> None:
    if irreversible is not True:
        raise UsageError(
            f"{what} would be locked for ever",
            hint="No command unlocks it again: pass irreversible=True if you mean it.",
        )
