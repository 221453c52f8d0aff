"""Reading, writing and locking the chip's memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighttls import UsageError
from lighttls.devices.atecc608a import ChipRefused, Zone
from lighttls.devices.atecc608a.zones import SLOT_SIZES
from lighttls.testing.atecc608a import configuration
from support.chips import SERIAL_NUMBER, Bench

OPEN_SLOTS = range(8, 15)


@given(st.data())
def test_any_part_of_a_slot_reads_as_it_was_written(data: st.DataObject) -> None:
    bench = Bench()
    slot = data.draw(st.sampled_from(OPEN_SLOTS))
    memory = bench.simulated.memory.slots[slot]
    memory[:] = bytes(number % 251 for number in range(len(memory)))
    expected = bytearray(memory)
    word = data.draw(st.integers(0, SLOT_SIZES[slot] // 4))
    content = data.draw(st.binary(max_size=(SLOT_SIZES[slot] - 4 * word) // 4).map(lambda some: some * 4))
    bench.chip.write(Zone.DATA, content, slot, offset=4 * word)
    expected[4 * word : 4 * word + len(content)] = content
    assert memory == expected
    offset = data.draw(st.integers(0, SLOT_SIZES[slot]))
    length = data.draw(st.integers(0, SLOT_SIZES[slot] - offset))
    assert bench.chip.read(Zone.DATA, slot, offset=offset, length=length) == expected[offset : offset + length]


def test_whole_slot_is_read_by_blocks_and_a_tail_of_words() -> None:
    bench = Bench()
    assert bench.chip.read(Zone.DATA, 10) == b"\xff" * 72
    assert bench.simulated.packets == {0x02: 4}  # 2 x 32 bytes and 2 x 4


@pytest.mark.parametrize(("offset", "length"), [(-1, 4), (0, 417), (416, 1), (4, -1)])
def test_read_beyond_a_slot_is_a_usage_error(offset: int, length: int) -> None:
    with pytest.raises(UsageError, match="slot 8 has 416 bytes"):
        Bench().chip.read(Zone.DATA, 8, offset=offset, length=length)


@pytest.mark.parametrize(("offset", "length"), [(2, 4), (0, 3), (412, 8), (-4, 4)])
def test_write_that_does_not_fit_is_a_usage_error(offset: int, length: int) -> None:
    with pytest.raises(UsageError, match=r"slot 8: it has 416 bytes"):
        Bench().chip.write(Zone.DATA, bytes(length), 8, offset=offset)


@pytest.mark.parametrize("slot", [0, 5])
def test_secret_slot_is_neither_read_nor_written(slot: int) -> None:
    chip = Bench().chip
    with pytest.raises(ChipRefused, match="execution error"):
        chip.read(Zone.DATA, slot)
    with pytest.raises(ChipRefused, match="execution error"):
        chip.write(Zone.DATA, bytes(4), slot)


def test_blank_chip_becomes_a_locked_one_with_a_key() -> None:
    bench = Bench(locked=False)
    chip = bench.chip
    wanted = bytearray(configuration(SERIAL_NUMBER))
    wanted[20:22] = b"\x83\x20"
    chip.write(Zone.CONFIG, bytes(wanted[16:84]), offset=16)
    chip.write(Zone.CONFIG, bytes(wanted[88:]), offset=88)
    with pytest.raises(ChipRefused):
        chip.generate_key(0)
    chip.lock_config(irreversible=True)
    assert chip.configuration().config_locked
    assert not chip.configuration().data_locked
    with pytest.raises(ChipRefused):
        chip.write(Zone.CONFIG, bytes(4), offset=20)
    chip.write(Zone.DATA, b"\xaa" * 32, 8)
    with pytest.raises(ChipRefused):
        chip.read(Zone.DATA, 8)
    key = chip.generate_key(0)
    chip.lock_data(irreversible=True)
    assert chip.configuration().data_locked
    assert chip.read(Zone.DATA, 8, length=32) == b"\xaa" * 32
    assert chip.public_key(0) == key


def test_locked_slot_keeps_its_key() -> None:
    bench = Bench()
    key = bench.chip.public_key(0)
    assert bench.chip.configuration().generates_key(0)
    bench.chip.lock_slot(0, irreversible=True)
    found = bench.chip.configuration()
    assert found.slot_locked(0)
    assert not found.slot_locked(1)
    assert not found.generates_key(0)
    with pytest.raises(ChipRefused):
        bench.chip.generate_key(0)
    assert bench.chip.public_key(0) == key


@pytest.mark.parametrize("lock", ["lock_config", "lock_data"])
@pytest.mark.parametrize("answer", [False, 1, "yes"])
def test_lock_that_is_not_meant_sends_nothing(lock: str, answer: object) -> None:
    bench = Bench(locked=False)
    with pytest.raises(UsageError, match="locked for ever"):
        getattr(bench.chip, lock)(irreversible=answer)
    with pytest.raises(UsageError, match="slot 3 would be locked for ever"):
        bench.chip.lock_slot(3, irreversible=answer)  # type: ignore[arg-type]
    assert bench.simulated.packets == {}


def test_config_is_not_locked_when_it_was_read_wrongly() -> None:
    """The chip compares the CRC of what it has with that of what we saw."""
    bench = Bench(locked=False)
    read = bench.chip.read
    bench.chip.read = lambda *args, **named: b"\0" + read(*args, **named)[1:]  # type: ignore[method-assign]
    with pytest.raises(ChipRefused):
        bench.chip.lock_config(irreversible=True)
    assert not bench.simulated.memory.config_locked


def test_configuration_says_what_slots_are_for() -> None:
    found = Bench().chip.configuration()
    assert [slot for slot in range(16) if found.holds_private_key(slot)] == [0, 1, 2, 3, 4]
    assert [slot for slot in range(16) if found.signs_digests(slot)] == [0, 1, 2, 3, 4]
    assert [slot for slot in range(16) if found.agrees_on_keys(slot)] == [1, 2, 3, 4]
    assert found.config_locked
    assert found.data_locked
    assert found.revision.hex() == "00006002"
    assert found.serial_number == SERIAL_NUMBER
