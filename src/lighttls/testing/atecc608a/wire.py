"""The packets as the simulated chip sees them, written without a look at the driver's own."""

from __future__ import annotations


def crc(data: bytes) -> bytes:
    """Bit by bit, as Microchip describes it: polynomial 0x8005, lowest bit of each byte first."""
    register = 0
    for byte in data:
        for place in range(8):
            differs = (byte >> place & 1) != register >> 15
            register = register << 1 & 0xFFFF
            if differs:
                register ^= 0x8005
    return bytes((register & 0xFF, register >> 8))


def packed(content: bytes) -> bytes:
    """An answer around its content."""
    counted = bytes((len(content) + 3,)) + content
    return counted + crc(counted)


def unpacked(packet: bytes) -> tuple[int, int, int, bytes] | None:
    """Opcode, both parameters and data of a command; None if its length or CRC is wrong."""
    if len(packet) < 7 or packet[0] != len(packet) or crc(packet[:-2]) != packet[-2:]:
        return None
    return packet[1], packet[2], packet[3] | packet[4] << 8, packet[5:-2]
