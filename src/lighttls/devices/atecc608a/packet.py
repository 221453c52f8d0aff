"""Commands and answers as bytes: a count, the content, and a CRC-16 that covers both.

The CRC has the polynomial 0x8005 and starts at zero; it takes each byte's lowest bit first, shifts the register to the
left, and is sent low byte first.
"""

from __future__ import annotations

from typing import Final

_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _step(register: int) -> int:
    for _ in range(8):
        register = register << 1 ^ (0x8005 if register & 0x8000 else 0)
    return register & 0xFFFF


_TABLE: Final = tuple(_step(byte << 8) for byte in range(256))


def crc16(data: bytes) -> bytes:
    """The two bytes that follow `data`."""
    register = 0
    for byte in data.translate(_REVERSED):
        register = (register << 8 & 0xFFFF) ^ _TABLE[register >> 8 ^ byte]
    return register.to_bytes(2, "little")


class Command:
    """One of the chip's commands."""

    __slots__ = ("name", "opcode", "repeatable")

    def __init__(self, name: str, opcode: int, *, repeatable: bool = True) -> None:
        self.name = name
        self.opcode = opcode
        self.repeatable = repeatable  # twice does no harm: what changes the chip is not

    def encode(self, p1: int, p2: int, data: bytes) -> bytes:
        """The packet, count and CRC included."""
        body = bytes((7 + len(data), self.opcode, p1)) + p2.to_bytes(2, "little") + data
        return body + crc16(body)


def content(answer: bytes) -> bytes | None:
    """What an answer says between count and CRC; None if it arrived altered. Bytes past its end do not matter."""
    count = answer[0] if answer else 0
    if not 4 <= count <= len(answer) or crc16(answer[: count - 2]) != answer[count - 2 : count]:
        return None
    return bytes(answer[1 : count - 2])
