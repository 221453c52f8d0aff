"""The simulated chip by bare packets, as the fact sheets write them: no driver takes part."""

from __future__ import annotations

import hashlib

import pytest

from lighttls.testing.atecc608a import SimulatedChip, VirtualClock, blank_chip, locked_chip
from lighttls.testing.atecc608a.wire import crc

WOKE = bytes.fromhex("04 11 33 43")
SUCCESS = bytes.fromhex("04 00 03 40")
PARSE_ERROR = bytes.fromhex("04 03 83 42")
EXECUTION_ERROR = bytes.fromhex("04 0F 23 42")
INFO = "07 30 00 00 00 03 5D"
RANDOM = "07 1B 00 00 00 24 CD"
SIGN = "07 41 A0 00 00 7B 85"


class Wire:
    def __init__(self, chip: SimulatedChip, clock: VirtualClock) -> None:
        self.chip, self.clock = chip, clock

    def wake(self) -> None:
        self.chip.wake()
        self.clock.sleep(0.0015)

    def send(self, packet: str | bytes) -> None:
        self.chip.write(b"\x03" + (bytes.fromhex(packet) if isinstance(packet, str) else packet))

    def ask(self, packet: str | bytes, wait: float = 0.7, count: int = 4) -> bytes:
        """One command in a period of its own."""
        if self.chip.is_asleep:
            self.wake()
        self.send(packet)
        self.clock.sleep(wait)
        answer = self.chip.read(count)
        self.chip.write(b"\x02")
        return answer


def command(opcode: int, p1: int, p2: int, data: bytes = b"") -> bytes:
    body = bytes((7 + len(data), opcode, p1, p2 & 0xFF, p2 >> 8)) + data
    return body + crc(body)


@pytest.fixture
def wire() -> Wire:
    clock = VirtualClock()
    return Wire(locked_chip(clock=clock), clock)


def test_nothing_is_acknowledged_before_the_wake_and_its_time(wire: Wire) -> None:
    for attempt in (lambda: wire.chip.read(4), lambda: wire.send(INFO)):
        with pytest.raises(OSError, match="not acknowledged"):
            attempt()
    wire.chip.wake()
    wire.clock.sleep(0.001)
    with pytest.raises(OSError, match="not acknowledged"):
        wire.chip.read(4)
    wire.clock.sleep(0.0005)
    assert wire.chip.read(4) == WOKE


def test_wake_while_awake_changes_nothing(wire: Wire) -> None:
    wire.wake()
    assert wire.chip.read(4) == WOKE
    wire.chip.wake()
    assert wire.chip.read(4) == b"\xff" * 4


def test_answer_is_read_in_pieces_and_again_after_a_pointer_reset(wire: Wire) -> None:
    wire.wake()
    wire.send(INFO)
    with pytest.raises(OSError, match="not acknowledged"):
        wire.chip.read(1)
    wire.clock.sleep(0.005)
    assert wire.chip.read(1) + wire.chip.read(6) == bytes.fromhex("07 00 00 60 02 80 38")
    assert wire.chip.read(2) == b"\xff\xff"
    wire.chip.write(b"\0")
    assert wire.chip.read(9) == bytes.fromhex("07 00 00 60 02 80 38 FF FF")


@pytest.mark.parametrize(
    "packet", ["07 30 00 00 00 03 5C", "08 30 00 00 00 03 5D", "07 30 00 00 03 5D", "", "00", "07"]
)
def test_packet_with_wrong_crc_or_count_is_a_communication_error(wire: Wire, packet: str) -> None:
    assert wire.ask(packet) == bytes.fromhex("04 FF 01 42")


@pytest.mark.parametrize(
    "packet",
    [command(0x99, 0, 0), command(0x30, 9, 0), command(0x30, 0, 0, b"?"), command(0x41, 0x80, 16), command(0x02, 3, 0)],
    ids=["opcode", "mode", "length", "slot", "zone"],
)
def test_impossible_command_is_a_parse_error(wire: Wire, packet: bytes) -> None:
    assert wire.ask(packet) == PARSE_ERROR


def test_random_numbers_before_the_lock_are_a_pattern() -> None:
    clock = VirtualClock()
    assert Wire(blank_chip(clock=clock), clock).ask(RANDOM, count=35)[1:33] == b"\xff\xff\0\0" * 8


def load(wire: Wire, target: int = 0x43) -> bytes:
    return wire.ask(command(0x16, target, 0, hashlib.sha256(b"x").digest()))


def test_digest_survives_idle_and_serves_one_signature(wire: Wire) -> None:
    assert load(wire) == SUCCESS
    wire.clock.sleep(100)
    assert wire.ask(SIGN, count=67)[0] == 67
    assert wire.ask(SIGN) == EXECUTION_ERROR


@pytest.mark.parametrize("end", ["sleep", "power", "watchdog"])
def test_digest_does_not_survive(wire: Wire, end: str) -> None:
    load(wire)
    wire.wake()
    if end == "sleep":
        wire.chip.write(b"\x01")
    elif end == "power":
        wire.chip.cut_power()
    else:
        wire.clock.sleep(1.3)
        with pytest.raises(OSError, match="not acknowledged"):
            wire.chip.read(4)
    assert wire.ask(SIGN) == EXECUTION_ERROR


def test_command_that_would_not_end_before_the_watchdog_is_not_begun(wire: Wire) -> None:
    load(wire)
    wire.wake()
    wire.clock.sleep(1.25)
    wire.send(SIGN)
    assert wire.chip.read(4) == bytes.fromhex("04 EE 31 41")


def test_long_watchdog_waits_longer(wire: Wire) -> None:
    wire.chip.memory.config[19] = 4
    wire.wake()
    wire.clock.sleep(12.9)
    assert wire.chip.read(4) == WOKE
    wire.clock.sleep(0.1)
    assert wire.chip.is_asleep


@pytest.mark.parametrize(("divider", "ms"), [(0x00, 115), (0x28, 220), (0x68, 665)])
def test_signature_takes_the_time_of_its_clock_divider(wire: Wire, divider: int, ms: int) -> None:
    wire.chip.memory.config[19] = divider
    load(wire)
    wire.wake()
    wire.send(SIGN)
    wire.clock.sleep(ms / 1000 - 0.0001)
    with pytest.raises(OSError, match="not acknowledged"):
        wire.chip.read(67)
    wire.clock.sleep(0.0002)
    assert wire.chip.read(1) == b"\x43"


@pytest.mark.parametrize("slot", [1, 8], ids=["empty", "data"])
def test_slot_without_a_key_does_not_sign(wire: Wire, slot: int) -> None:
    load(wire)
    assert wire.ask(command(0x41, 0xA0, slot)) == EXECUTION_ERROR


def test_slot_that_may_not_sign_digests_does_not(wire: Wire) -> None:
    wire.chip.memory.config[20] &= ~1
    load(wire)
    assert wire.ask(SIGN) == EXECUTION_ERROR


def test_public_key_is_kept_back_without_its_bit(wire: Wire) -> None:
    wire.chip.memory.config[96] &= ~2
    assert wire.ask(command(0x40, 0, 0)) == EXECUTION_ERROR


def test_forced_protection_of_secrets_refuses_them_in_the_clear(wire: Wire) -> None:
    point = wire.ask(command(0x40, 4, 2), count=67)[1:65]
    assert wire.ask(command(0x43, 0x0C, 2, point), count=35)[0] == 35
    wire.chip.memory.config[91] |= 1
    assert wire.ask(command(0x43, 0x0C, 2, point)) == EXECUTION_ERROR


def test_config_is_locked_only_with_the_crc_of_what_is_in_it() -> None:
    clock = VirtualClock()
    wire = Wire(blank_chip(clock=clock), clock)
    right = int.from_bytes(crc(bytes(wire.chip.memory.config)), "little")
    assert wire.ask(command(0x17, 0, right ^ 1)) == EXECUTION_ERROR
    assert wire.ask(command(0x17, 1, 0)) == EXECUTION_ERROR  # data before configuration
    assert wire.ask(command(0x17, 0, right)) == SUCCESS
    assert wire.ask(command(0x17, 0, right)) == EXECUTION_ERROR
    assert wire.ask(command(0x12, 0, 5, bytes(4))) == EXECUTION_ERROR


@pytest.mark.parametrize("place", [0, 4, 8, 12, 84])
def test_read_only_bytes_of_the_configuration_stay(place: int) -> None:
    clock = VirtualClock()
    wire = Wire(blank_chip(clock=clock), clock)
    before = bytes(wire.chip.memory.config)
    assert wire.ask(command(0x12, 0, place // 4, bytes(4))) == EXECUTION_ERROR
    assert wire.ask(command(0x12, 0x80, place // 32 << 3, bytes(32))) == EXECUTION_ERROR
    assert bytes(wire.chip.memory.config) == before


def test_failed_self_test_lets_config_reads_through_and_nothing_else(wire: Wire) -> None:
    wire.chip.faults.self_test_failed = True
    wire.wake()
    assert wire.chip.read(4) == bytes.fromhex("04 07 40 C2")
    assert wire.ask(INFO) == bytes.fromhex("04 07 40 C2")
    assert wire.ask("07 02 00 15 00 17 5D", count=7)[0] == 7
    assert wire.ask(command(0x02, 2, 8 << 3)) == bytes.fromhex("04 07 40 C2")


def test_garbled_answer_is_right_when_it_is_read_again(wire: Wire) -> None:
    wire.chip.faults.garbled_answers = 1
    wire.wake()
    wire.send(INFO)
    wire.clock.sleep(0.005)
    first = wire.chip.read(7)
    wire.chip.write(b"\0")
    assert first != wire.chip.read(7) == bytes.fromhex("07 00 00 60 02 80 38")


def test_random_nonce_becomes_a_digest_to_sign(wire: Wire) -> None:
    assert wire.ask(command(0x16, 0, 0, bytes(20)), count=35)[0] == 35
    assert wire.ask(command(0x41, 0x80, 0), count=67)[0] == 67


def test_extra_bytes_are_written_once_after_the_lock(wire: Wire) -> None:
    assert wire.ask(command(0x20, 1, 7)) == SUCCESS
    assert wire.ask(command(0x20, 1, 8)) == EXECUTION_ERROR
    assert wire.chip.memory.config[85] == 7


@pytest.mark.parametrize(("nonce", "sign"), [(0x03, 0x80), (0x43, 0xA0)], ids=["register", "message buffer"])
def test_signature_is_over_the_register_it_names(wire: Wire, nonce: int, sign: int) -> None:
    load(wire, nonce)
    assert wire.ask(command(0x41, sign ^ 0x20, 0)) == EXECUTION_ERROR
    assert wire.ask(command(0x41, sign, 0), count=67)[0] == 67


@pytest.mark.parametrize(("target", "sign"), [(0x02, 0x80), (0x42, 0xA0)], ids=["register", "message buffer"])
def test_hash_made_in_the_chip_can_be_signed_there(wire: Wire, target: int, sign: int) -> None:
    assert wire.ask(command(0x47, 0, 0)) == SUCCESS
    assert wire.ask(command(0x47, target, 3, b"abc"), count=35)[1:33] == hashlib.sha256(b"abc").digest()
    assert wire.ask(command(0x41, sign, 0), count=67)[0] == 67


def test_hash_that_is_only_answered_cannot_be_signed(wire: Wire) -> None:
    wire.ask(command(0x47, 0, 0))
    wire.ask(command(0x47, 0xC2, 3, b"abc"))
    assert wire.ask(command(0x41, 0x80, 0)) == EXECUTION_ERROR


def test_secret_goes_where_the_command_or_the_slot_says(wire: Wire) -> None:
    point = wire.ask(command(0x40, 4, 2), count=67)[1:65]
    secret = wire.ask(command(0x43, 0x0C, 2, point), count=35)[1:33]
    assert wire.ask(command(0x43, 0x08, 2, point)) == SUCCESS  # into the register, which can be signed
    assert wire.ask(command(0x41, 0x80, 0), count=67)[0] == 67
    wire.chip.memory.config[20 + 2 * 2] |= 8
    assert wire.ask(command(0x43, 0x00, 2, point)) == SUCCESS  # into the slot above
    assert wire.chip.memory.slots[3][:32] == secret


@pytest.mark.parametrize(
    ("config_locked", "data_locked", "packet", "answer"),
    [
        (False, False, command(0x12, 0x82, 8 << 3, bytes(32)), EXECUTION_ERROR),
        (True, False, command(0x12, 0x02, 8 << 3, bytes(4)), EXECUTION_ERROR),
        (True, False, command(0x12, 0x82, 8 << 3, bytes(32)), SUCCESS),
        (True, False, command(0x12, 0x81, 0, bytes(32)), SUCCESS),
        (True, True, command(0x12, 0x81, 0, bytes(32)), EXECUTION_ERROR),
        (True, True, command(0x12, 0x02, 8 << 3, bytes(4)), SUCCESS),
        (True, True, command(0x12, 0x02, 1 << 8 | 10 << 3 | 7, bytes(4)), SUCCESS),
        (True, True, command(0x12, 0x02, 2 << 8 | 10 << 3 | 2, bytes(4)), PARSE_ERROR),
        (True, True, command(0x12, 0x82, 10 << 3 | 1, bytes(32)), PARSE_ERROR),
        (True, True, command(0x12, 0x01, 16 << 3, bytes(4)), PARSE_ERROR),
        (True, True, command(0x12, 0x42, 8 << 3, bytes(36)), EXECUTION_ERROR),
    ],
)
def test_write_obeys_locks_and_places(
    wire: Wire, config_locked: bool, data_locked: bool, packet: bytes, answer: bytes
) -> None:
    wire.chip.memory.config[86:88] = bytes((0 if data_locked else 0x55, 0 if config_locked else 0x55))
    assert wire.ask(packet) == answer
