"""What the driver makes of a bad bus and a chip in trouble: recovery where nothing is lost by it, or a clear error."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable

import pytest

from lighttls.devices.atecc608a import Atecc608a, ChipAbsent, ChipError, ChipRefused, ChipSilent, Zone
from lighttls.testing.atecc608a import SimulatedChip, VirtualClock, locked_chip
from support.chips import Bench

DIGEST = hashlib.sha256(b"digest").digest()
RANDOM, NONCE, GENERATE, SIGN, COUNTER, INFO = 0x1B, 0x16, 0x40, 0x41, 0x24, 0x30


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.mark.parametrize("fault", ["no_wake", "garbled_wakes", "refused_writes", "garbled_commands", "garbled_answers"])
@pytest.mark.parametrize("times", [1, 2])
def test_transient_fault_is_overcome(bench: Bench, fault: str, times: int) -> None:
    key = bench.chip.public_key(0)
    setattr(bench.simulated.faults, fault, times)
    bench.chip.verify(key, DIGEST, bench.chip.sign(0, DIGEST))
    assert getattr(bench.simulated.faults, fault) == 0


@pytest.mark.parametrize(
    ("fault", "error", "text"),
    [
        ("no_wake", ChipAbsent, "no secure element answers on the bus"),
        ("garbled_wakes", ChipSilent, "something answers on the bus, but not as a secure element"),
        ("refused_writes", ChipSilent, "the chip does not take Random"),
        ("garbled_commands", ChipRefused, "status FF, CRC or communication error"),
        ("garbled_answers", ChipSilent, "answers to Random arrive altered"),
    ],
)
def test_lasting_fault_is_named(bench: Bench, fault: str, error: type[ChipError], text: str) -> None:
    bench.chip.random()
    setattr(bench.simulated.faults, fault, 1000)
    with pytest.raises(error, match=text) as caught:
        bench.chip.sign(0, DIGEST)
    assert caught.value.hint
    setattr(bench.simulated.faults, fault, 0)
    assert len(bench.chip.sign(0, DIGEST)) == 64


@pytest.mark.parametrize("fault", ["watchdog_in", "restart_before"])
@pytest.mark.parametrize("command", [RANDOM, NONCE, SIGN])
def test_signature_starts_again_when_the_registers_are_lost(bench: Bench, fault: str, command: int) -> None:
    key = bench.chip.public_key(0)
    setattr(bench.simulated.faults, fault, command)
    bench.chip.verify(key, DIGEST, bench.chip.sign(0, DIGEST))


@pytest.mark.parametrize("command", [RANDOM, NONCE, SIGN])
def test_chip_that_stops_in_the_middle_is_named_and_works_when_repaired(bench: Bench, command: int) -> None:
    bench.simulated.faults.dies_in = command
    with pytest.raises(ChipSilent, match=r"took .* and does not answer"):
        bench.chip.sign(0, DIGEST)
    assert bench.clock.now < 4
    with pytest.raises(ChipAbsent):
        bench.chip.sign(0, DIGEST)
    bench.simulated.faults.dead = False
    bench.simulated.cut_power()
    assert len(bench.chip.sign(0, DIGEST)) == 64


@pytest.mark.parametrize(
    ("command", "call"),
    [(GENERATE, lambda chip: chip.generate_key(0)), (COUNTER, lambda chip: chip.count(0))],
    ids=["GenKey", "Counter"],
)
@pytest.mark.parametrize("fault", ["watchdog_in", "garbled_answers"])
def test_command_that_changes_the_chip_is_never_sent_twice(bench: Bench, command: int, call, fault: str) -> None:
    setattr(bench.simulated.faults, fault, command)  # as a count: more than the driver will read
    with pytest.raises(ChipSilent):
        call(bench.chip)
    assert bench.simulated.packets == {command: 1}


def test_answer_that_arrived_altered_is_read_again_not_computed_again(bench: Bench) -> None:
    bench.simulated.faults.garbled_answers = 2
    assert bench.chip.count(0) == 1
    assert bench.simulated.memory.counters == [1, 0]


def test_watchdog_between_commands_of_a_group_is_overcome(bench: Bench) -> None:
    """Another user of the processor or the bus delays us by a second behind Nonce."""
    sleep = bench.clock.sleep
    delays = iter([1.5])

    def slow(seconds: float) -> None:
        sleep(seconds)
        if NONCE in bench.simulated.packets:
            sleep(next(delays, 0.0))

    chip = Atecc608a(bench.simulated, clock=bench.clock, sleep=slow)
    chip.verify(chip.public_key(0), DIGEST, chip.sign(0, DIGEST))
    assert bench.simulated.packets[NONCE] == 3  # one was in vain, one is Verify's


def test_signature_starts_again_when_power_failed_behind_the_digest(bench: Bench) -> None:
    """Nothing tells of it: Sign finds no digest, and answers as where its slot forbids to sign."""

    class Failing:
        wake, read, failed = bench.simulated.wake, bench.simulated.read, False

        def write(self, data: bytes) -> None:
            bench.simulated.write(data)
            if data == b"\x02" and NONCE in bench.simulated.packets and not self.failed:  # Idle
                self.failed = True
                bench.simulated.cut_power()

    chip = Atecc608a(Failing(), clock=bench.clock, sleep=bench.clock.sleep)
    bench.chip.verify(chip.public_key(0), DIGEST, chip.sign(0, DIGEST))
    assert bench.simulated.packets[SIGN] == 2


@pytest.mark.parametrize("mode", [0x00, 0x28, 0x68], ids=["fast", "slow", "slowest"])
def test_group_outlives_the_watchdog_at_every_clock_divider(bench: Bench, mode: int) -> None:
    bench.simulated.memory.config[19] = mode
    chip = bench.chip
    chip.verify(chip.public_key(0), DIGEST, chip.sign(0, DIGEST))
    assert chip.sha256(bytes(2000)) == hashlib.sha256(bytes(2000)).digest()


def test_failed_self_test_at_wake_is_named_by_the_command(bench: Bench) -> None:
    bench.simulated.faults.self_test_failed = True
    with pytest.raises(ChipRefused, match="self-test failure") as caught:
        bench.chip.sign(0, DIGEST)
    assert "Cut its power" in caught.value.hint
    assert len(bench.chip.read(Zone.CONFIG)) == 128


@pytest.mark.parametrize("output", [b"", b"\xff" * 4, bytes.fromhex("0400 0340"), bytes(35)])
def test_chip_that_another_program_left_awake_is_taken_over(bench: Bench, output: bytes) -> None:
    bench.simulated.wake()
    bench.clock.sleep(0.01)
    bench.simulated._output = output
    assert bench.chip.revision()[2] == 0x60


def test_every_command_ends_with_idle_so_that_the_watchdog_finds_nothing(bench: Bench) -> None:
    bench.chip.generate_ephemeral()
    bench.clock.sleep(60)
    assert len(bench.chip.ecdh_ephemeral(bench.chip.public_key(0))) == 32


def test_wake_that_the_bus_object_reports_as_an_error_is_a_wake(bench: Bench) -> None:
    """Nobody acknowledges the pulse, and an honest bus object may say so."""
    wake = bench.simulated.wake

    def honest() -> None:
        wake()
        raise OSError("nobody acknowledges")

    bench.simulated.wake = honest  # type: ignore[method-assign]
    assert len(bench.chip.sign(0, DIGEST)) == 64


def test_chip_that_stops_between_two_tries_to_read_is_named(bench: Bench) -> None:
    """It answers, altered, and then no more."""
    bench.simulated.faults.garbled_answers = 99
    read = bench.simulated.read

    def read_once(count: int) -> bytes:
        answer = read(count)
        bench.simulated.faults.dead = RANDOM in bench.simulated.packets
        return answer

    bench.simulated.read = read_once  # type: ignore[method-assign]
    with pytest.raises(ChipSilent, match="stopped in the middle of its answer to Random"):
        bench.chip.sign(0, DIGEST)


def test_sleep_that_is_not_acknowledged_is_named(bench: Bench) -> None:
    write = bench.simulated.write

    def refuse_sleep(data: bytes) -> None:
        if data == b"\1":
            raise OSError("not acknowledged")
        write(data)

    bench.simulated.write = refuse_sleep  # type: ignore[method-assign]
    with pytest.raises(ChipSilent, match="does not take Sleep"):
        bench.chip.sleep()


class Lossy:
    """A bus that alters the byte in front of some packets, which no CRC covers."""

    def __init__(self, simulated: SimulatedChip, lose: Callable[[int], int | None]) -> None:
        self.wake, self.read = simulated.wake, simulated.read
        self._write = simulated.write
        self._lose = lose
        self.count = 0

    def write(self, data: bytes) -> None:
        if data[0] == 3:
            self.count += 1
            bit = self._lose(self.count)
            data = bytes((data[0] ^ (1 << bit if bit is not None else 0),)) + data[1:]
        self._write(data)


@pytest.mark.parametrize("bit", range(8))
@pytest.mark.parametrize("lost", range(1, 9))
def test_lost_command_never_passes_for_done(bench: Bench, bit: int, lost: int) -> None:
    """The answer before it is still in the chip, and its CRC is right: it must not be taken for the new one."""
    memory = bench.simulated.memory.slots[8]
    memory[:128] = bytes(range(128))
    bus = Lossy(bench.simulated, lambda count: bit if count == lost else None)
    chip = Atecc608a(bus, clock=bench.clock, sleep=bench.clock.sleep)
    assert chip.read(Zone.DATA, 8, length=128) == bytes(range(128))
    chip.write(Zone.DATA, bytes(range(100, 116)), 8)
    assert memory[:16] == bytes(range(100, 116))


def test_unexpected_length_of_an_answer_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.simulated.faults.signature = lambda digest: bytes(48)
    with pytest.raises(ChipSilent, match="answered Sign with 48 bytes instead of 64"):
        bench.chip.sign(0, DIGEST)
    bench.simulated.faults.signature = lambda digest: b"\0"  # success, and nothing else
    with pytest.raises(ChipRefused, match="status 00"):
        bench.chip.sign(0, DIGEST)


def test_threads_that_share_a_chip_get_their_own_signatures() -> None:
    bench = Bench()
    key = bench.chip.public_key(0)
    digests = [hashlib.sha256(bytes((number,))).digest() for number in range(4)]
    signatures: dict[bytes, bytes] = {}

    def work(digest: bytes) -> None:
        signatures[digest] = bench.chip.sign(0, digest)

    threads = [threading.Thread(target=work, args=(digest,)) for digest in digests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for digest in digests:
        bench.chip.verify(key, digest, signatures[digest])


def test_chips_of_one_bus_share_its_lock() -> None:
    class Shared:
        lock = threading.RLock()

        def __init__(self, simulated: SimulatedChip) -> None:
            self.wake, self.write, self.read = simulated.wake, simulated.write, simulated.read

    clock = VirtualClock()
    first, second = (Atecc608a(Shared(locked_chip(clock=clock)), clock=clock, sleep=clock.sleep) for _ in range(2))
    assert first.lock is second.lock is Shared.lock
    assert first.serial_number() != second.serial_number()
