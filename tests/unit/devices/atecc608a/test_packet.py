"""Packets and their CRC, against bytes that Microchip's own library and chips exchange."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighttls.devices.atecc608a.packet import Command, content, crc16
from lighttls.testing.atecc608a import wire

ANSWERS = """
    04 00 03 40
    04 01 00 C3
    04 03 83 42
    04 05 C3 43
    04 07 40 C2
    04 08 60 C0
    04 0F 23 42
    04 11 33 43
    04 EE 31 41
    04 FF 01 42
    07 00 00 60 02 80 38
"""
COMMANDS = """
    07 30 00 00 00 03 5D
    07 1B 00 00 00 24 CD
    07 02 80 00 00 09 AD
    07 02 00 15 00 17 5D
    07 02 82 50 00 0A 14
    07 02 82 50 01 09 97
    07 02 02 50 02 9E 15
    07 40 00 00 00 00 05
    07 40 04 02 00 85 07
    07 40 04 FF FF 8E 07
    07 41 80 00 00 28 05
    07 41 A0 00 00 7B 85
    07 17 80 00 00 39 8D
    07 47 00 00 00 2E 85
    07 77 3B 00 00 9D FB
    07 24 00 00 00 0C FD
"""
PASS_THROUGH = [("27 16 03 00 00", "04 EE"), ("27 16 43 00 00", "D7 6C")]  # around 00 to 1F


def lines(text: str) -> list[bytes]:
    return [bytes.fromhex(line) for line in text.strip().splitlines()]


@pytest.mark.parametrize("packet", lines(ANSWERS) + lines(COMMANDS), ids=bytes.hex)
@pytest.mark.parametrize("crc", [crc16, wire.crc], ids=["driver", "simulator"])
def test_crc_of_a_known_packet(crc, packet: bytes) -> None:
    assert crc(packet[:-2]) == packet[-2:]


@pytest.mark.parametrize("packet", lines(COMMANDS), ids=bytes.hex)
def test_command_is_encoded_as_microchip_does(packet: bytes) -> None:
    command = Command("any", packet[1])
    assert command.encode(packet[2], packet[3] | packet[4] << 8, b"") == packet


@pytest.mark.parametrize(("head", "crc"), PASS_THROUGH)
def test_command_with_data_is_encoded_as_microchip_does(head: str, crc: str) -> None:
    data = bytes(range(32))
    packet = bytes.fromhex(head) + data + bytes.fromhex(crc)
    assert Command("Nonce", 0x16).encode(packet[2], 0, data) == packet


@given(st.binary(max_size=80))
def test_both_ways_to_compute_the_crc_agree(data: bytes) -> None:
    assert crc16(data) == wire.crc(data)


@pytest.mark.parametrize("answer", lines(ANSWERS), ids=bytes.hex)
def test_answer_is_unpacked_with_anything_behind_it(answer: bytes) -> None:
    assert content(answer) == content(answer + b"\xff" * 9) == answer[1:-2]


@pytest.mark.parametrize("answer", lines(ANSWERS), ids=bytes.hex)
def test_answer_with_one_bit_flipped_or_cut_is_none(answer: bytes) -> None:
    for bit in range(8 * len(answer)):
        altered = bytearray(answer)
        altered[bit // 8] ^= 1 << bit % 8
        assert content(bytes(altered)) is None
    assert all(content(answer[:size]) is None for size in range(len(answer)))


@given(st.binary(max_size=80))
def test_any_bytes_are_an_answer_or_none(data: bytes) -> None:
    found = content(data)
    assert found is None or data[1 : 1 + len(found)] == found
