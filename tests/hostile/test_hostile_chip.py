"""A secure element, or a bus to it, that means harm: our errors alone, in bounded time, and no false signature."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

import pytest

from lighttls import Identity, LightTLSError, NamedGroup
from lighttls.devices.atecc608a import (
    Atecc608a,
    ChipError,
    ChipKeyExchange,
    ChipSigner,
    Zone,
    certification_request,
    mixed_entropy,
    trust_and_go_chain,
)
from lighttls.devices.atecc608a.packet import crc16
from lighttls.testing.atecc608a import TrustAndGo, VirtualClock
from support import pki, require
from support.chips import Bench

ROUNDS = 3000 if require.LONG else 150
LONGEST = 400.0  # seconds, on the virtual clock, for one call: every retry of every command of it
IO_KEY = bytes(32)
DIGEST = hashlib.sha256(b"digest").digest()


def packed(content: bytes, count: int | None = None) -> bytes:
    """An answer with a CRC that is right for what it says."""
    body = bytes((len(content) + 3 if count is None else count,)) + content
    return body + crc16(body)


ALWAYS: dict[str, bytes] = {
    "nothing": b"",
    "length 0": b"\x00" * 80,
    "length 1": b"\x01" + bytes(79),
    "length 3": b"\x03" + crc16(b"\x03"),
    "length 255": b"\xff" * 80,
    "length 255, right CRC of a short body": packed(b"\x00", 0xFF) + bytes(70),
    "short body, right CRC": packed(bytes(5)),
    "woke, for ever": packed(b"\x11"),
    "success, for ever": packed(b"\x00"),
    "watchdog, for ever": packed(b"\xee"),
    "32 bytes, whatever is asked": packed(bytes(32)),
    "64 bytes, whatever is asked": packed(bytes(64)),
    "72 bytes, whatever is asked": packed(b"\xff" * 72),
    "unknown status": packed(b"\x77"),
}


class Saying:
    """A bus on which every read has the same answer, but for the first of each wake if `wakes`."""

    def __init__(self, says: bytes, *, wakes: bool) -> None:
        self._says, self._wakes, self._woken = says, wakes, False
        self.transfers = 0

    def wake(self) -> None:
        self._woken = self._wakes

    def write(self, data: bytes) -> None:
        self.transfers += 1
        assert self.transfers < 100_000, "it never gives up"

    def read(self, count: int) -> bytes:
        self.transfers += 1
        if self._woken:
            self._woken = False
            return packed(b"\x11")[:count]
        return self._says[:count] if self._says else b""


class Lying:
    """A bus that passes on what a sound chip says, or something else; its CRC is right as often as not."""

    def __init__(self, simulated: Any, random: Random) -> None:
        self._chip, self._random = simulated, random
        self._rate = random.choice((0.02, 0.2, 0.6))
        self.wake, self.write = simulated.wake, simulated.write

    def read(self, count: int) -> bytes:
        said, random = self._chip.read(count), self._random
        if random.random() > self._rate:
            return said
        how = random.randrange(6)
        if how == 0:
            return random.choice(list(ALWAYS.values()))
        if how == 1:
            return packed(random.randbytes(random.choice((0, 1, 4, 31, 32, 33, 64, 72, 200))))
        if how == 2:
            return said + said
        if how == 3 and said[0] > 3:
            return packed(random.randbytes(said[0] - 3))  # of the right length
        if how == 4:
            raise OSError("not acknowledged")
        return said[: random.randrange(len(said) + 1)]


def everything(chip: Atecc608a, root: bytes) -> list[Callable[[], object]]:
    """Everything that the public API can ask a chip."""

    def agree() -> None:
        exchange = ChipKeyExchange(chip, io_key=IO_KEY)
        exchange.generate(NamedGroup.SECP256R1)
        exchange.derive(b"\x04" + bytes(64))

    return [
        chip.revision, chip.serial_number, chip.self_test, chip.random, chip.configuration, chip.generate_ephemeral,
        chip.sleep, agree, ChipKeyExchange(chip).check,
        lambda: chip.key_is_valid(0), lambda: chip.public_key(0), lambda: chip.sign(0, DIGEST),
        lambda: chip.verify(bytes(64), DIGEST, bytes(64)), lambda: chip.ecdh(2, bytes(64)),
        lambda: chip.ecdh(2, bytes(64), io_key=IO_KEY), lambda: chip.sha256(bytes(130)), lambda: chip.counter(0),
        lambda: chip.count(0), lambda: chip.nonce(bytes(20)), lambda: chip.generate_key(2),
        lambda: chip.read(Zone.DATA, 8), lambda: chip.read(Zone.OTP), lambda: chip.write(Zone.DATA, bytes(40), 8),
        lambda: chip.lock_slot(2, irreversible=True), lambda: chip.lock_config(irreversible=True),
        lambda: mixed_entropy(chip)(32), lambda: ChipSigner(chip, 0).check(),
        lambda: certification_request(chip, slot=0, subject=[("CN", "pump")]),
        lambda: trust_and_go_chain(chip, root=root),
    ]  # fmt: skip


@pytest.fixture(scope="module")
def kit() -> TrustAndGo:
    return TrustAndGo()


@pytest.mark.parametrize("wakes", [True, False], ids=["wakes", "never wakes"])
@pytest.mark.parametrize("says", ALWAYS)
def test_chip_that_always_says_the_same_is_given_up(says: str, wakes: bool, kit: TrustAndGo) -> None:
    clock = VirtualClock()
    bus = Saying(ALWAYS[says], wakes=wakes)
    chip = Atecc608a(bus, clock=clock, sleep=clock.sleep)
    refused = 0
    for ask in everything(chip, kit.root):
        began, bus.transfers = clock.now, 0
        try:
            ask()
        except LightTLSError:
            refused += 1
        assert clock.now - began < LONGEST
    assert refused > 8, "nothing but sense in all this"


@pytest.mark.parametrize("wakes", [True, False])
@pytest.mark.parametrize("says", [name for name in ALWAYS if "whatever" not in name])
def test_chip_that_always_says_the_same_makes_no_signer(says: str, wakes: bool) -> None:
    clock = VirtualClock()
    with pytest.raises(ChipError):
        ChipSigner(Atecc608a(Saying(ALWAYS[says], wakes=wakes), clock=clock, sleep=clock.sleep))


def test_public_key_that_is_no_point_makes_no_identity() -> None:
    clock = VirtualClock()
    signer = ChipSigner(Atecc608a(Saying(packed(bytes(64)), wakes=True), clock=clock, sleep=clock.sleep))
    with pytest.raises(LightTLSError):
        signer.check()
    with pytest.raises(LightTLSError, match="does not belong"):
        Identity((pki.shared().ec_device.der,), signer)


def test_lying_chip_makes_no_other_error_than_ours_and_no_false_signature(kit: TrustAndGo) -> None:
    made = 0
    for number in range(ROUNDS):
        random = Random(number)
        clock = VirtualClock()
        sound = TrustAndGo(clock=clock).simulated if number % 10 == 0 else Bench(key=b"\1" * 32).simulated
        sound._clock = clock
        chip = Atecc608a(Lying(sound, random), clock=clock, sleep=clock.sleep)
        judge = Atecc608a(sound, clock=clock, sleep=clock.sleep)
        key = judge.public_key(0)
        asked = everything(chip, kit.root)
        random.shuffle(asked)
        for ask in asked[:12]:
            began = clock.now
            with suppress(LightTLSError):
                ask()
            assert clock.now - began < LONGEST
        try:
            signer = ChipSigner(chip, 0)
            signer.check()
        except LightTLSError:
            continue
        assert key in signer.public_key
        made += 1
    assert made > ROUNDS // 20, "no signer was ever made, so that nothing was shown"
