"""What the simulated chip keeps without power: configuration, OTP bytes, slots, counters, and who may touch them."""

from __future__ import annotations

from typing import Any

PARSE_ERROR = 0x03
EXECUTION_ERROR = 0x0F

SIZES = (36, 36, 36, 36, 36, 36, 36, 36, 416, 72, 72, 72, 72, 72, 72, 72)

READ_ONLY = (*range(16), *range(84, 88))  # bytes of the configuration that Write leaves alone


class Refused(Exception):
    """The chip answers with a status other than 0."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status:02X}")
        self.status = status


class Memory:
    """Its fields may be set from outside, as a factory would."""

    def __init__(self, config: bytes) -> None:
        assert len(config) == 128
        self.config = bytearray(config)
        self.otp = bytearray(b"\xff" * 64)
        self.slots = [bytearray(b"\xff" * size) for size in SIZES]
        self.private_keys: dict[int, Any] = {}
        self.counters = [0, 0]

    @property
    def serial_number(self) -> bytes:
        return bytes(self.config[:4] + self.config[8:13])

    @property
    def config_locked(self) -> bool:
        return self.config[87] == 0

    @property
    def data_locked(self) -> bool:
        return self.config[86] == 0

    def slot_locked(self, slot: int) -> bool:
        return self.config[88 + slot // 8] & 1 << slot % 8 == 0

    def slot_bit(self, slot: int, bit: int) -> bool:
        """A bit of SlotConfig."""
        return bool(self.config[20 + 2 * slot + bit // 8] & 1 << bit % 8)

    def key_bit(self, slot: int, bit: int) -> bool:
        """A bit of KeyConfig."""
        return bool(self.config[96 + 2 * slot + bit // 8] & 1 << bit % 8)

    def is_private(self, slot: int) -> bool:
        return self.key_bit(slot, 0)

    def key_type(self, slot: int) -> int:
        return self.config[96 + 2 * slot] >> 2 & 7

    def private_key(self, slot: int) -> Any:
        """The key of a slot that is for one. Refused: there is none."""
        if not self.is_private(slot) or self.key_type(slot) != 4 or slot not in self.private_keys:
            raise Refused(EXECUTION_ERROR)
        return self.private_keys[slot]

    def read(self, zone: int, address: int, count: int) -> bytes:
        """Refused: no such place, or not to be read in the clear."""
        data, at = self._place(zone, address, count)
        if zone != 0 and not self.data_locked:
            raise Refused(EXECUTION_ERROR)
        if zone == 2:
            slot = address >> 3 & 15
            # A secret slot with EncryptRead answers after GenDig, which this chip does not know: never in the clear.
            if self.is_private(slot) or self.slot_bit(slot, 7):
                raise Refused(EXECUTION_ERROR)
        return bytes(data[at : at + count]).ljust(count, b"\0")

    def write(self, zone: int, address: int, content: bytes) -> None:
        """Refused: no such place, or not to be written in the clear."""
        data, at = self._place(zone, address, len(content))
        if zone == 0:
            if self.config_locked or any(place in READ_ONLY for place in range(at, at + len(content))):
                raise Refused(EXECUTION_ERROR)
        elif not self.config_locked:
            raise Refused(EXECUTION_ERROR)
        elif not self.data_locked:
            if len(content) != 32:
                raise Refused(EXECUTION_ERROR)
        elif zone == 1:
            raise Refused(EXECUTION_ERROR)
        if zone == 2:
            slot = address >> 3 & 15
            always = not any(self.slot_bit(slot, bit) for bit in range(12, 16))
            if self.is_private(slot) or self.slot_locked(slot) or (self.data_locked and not always):
                raise Refused(EXECUTION_ERROR)
        data[at : at + len(content)] = content[: len(data) - at]

    def _place(self, zone: int, address: int, count: int) -> tuple[bytearray, int]:
        if zone == 2:
            data, block, rest = self.slots[address >> 3 & 15], address >> 8, address >> 7 & 1
        else:
            data, block, rest = (self.config, self.otp)[zone], address >> 3, 0
        # A block may reach beyond its slot's end, where nothing is kept: so Microchip's library handles public keys.
        word = address & 7
        at = block * 32 + word * 4
        beyond = at >= len(data) if zone == 2 else at + count > len(data)
        if rest or beyond or (count == 32 and word):
            raise Refused(PARSE_ERROR)
        return data, at

    def lock(self, what: int, slot: int, compare: bytes | None, crc: Any) -> None:
        """Lock the configuration (0), slots and OTP (1), or one slot (2)."""
        if what == 0:
            locked, content = self.config_locked, bytes(self.config)
        elif what == 1:
            locked, content = self.data_locked or not self.config_locked, b"".join((*self.slots, self.otp))
        else:
            locked, content = self.slot_locked(slot) or not self.config_locked or not self.key_bit(slot, 5), b""
        if locked or (what != 2 and compare is not None and crc(content) != compare):
            raise Refused(EXECUTION_ERROR)
        if what == 2:
            self.config[88 + slot // 8] &= ~(1 << slot % 8)
        else:
            self.config[87 - what] = 0
