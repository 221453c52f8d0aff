"""Atecc608a: the chip's commands as methods. Docs: docs/secure-element.md."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from hashlib import sha256, shake_256
from typing import Final

from lighttls.devices.atecc608a.bus import Bus, LinuxI2C
from lighttls.devices.atecc608a.errors import ChipError, ChipRefused
from lighttls.devices.atecc608a.link import Link
from lighttls.devices.atecc608a.packet import Command
from lighttls.devices.atecc608a.zones import Zone, ZoneAccess, check_slot
from lighttls.errors import BadSignature, UsageError

_INFO: Final = Command("Info", 0x30)
_RANDOM: Final = Command("Random", 0x1B)
_NONCE: Final = Command("Nonce", 0x16)
_GENERATE: Final = Command("GenKey", 0x40, repeatable=False)
_PUBLIC_KEY: Final = Command("GenKey", 0x40)
_SIGN: Final = Command("Sign", 0x41)
_VERIFY: Final = Command("Verify", 0x45)
_ECDH: Final = Command("ECDH", 0x43)
_ECDH_ONCE: Final = Command("ECDH", 0x43, repeatable=False)
_SHA: Final = Command("SHA", 0x47)
_COUNTER: Final = Command("Counter", 0x24)
_COUNT: Final = Command("Counter", 0x24, repeatable=False)
_SELF_TEST: Final = Command("SelfTest", 0x77)

_KIND: Final = 0x60  # byte 2 of the revision
_TEMP_KEY: Final = 0xFFFF
_TO_MESSAGE_BUFFER: Final = 0x43  # Nonce: pass 32 bytes through
_P256: Final = 0x0004
_ENCRYPTED: Final = 0x02  # of ECDH's mode
_MISCOMPARE: Final = 0x01
_SELF_TESTS: Final = {0x01: "random numbers", 0x02: "ECDSA", 0x08: "ECDH", 0x10: "AES", 0x20: "SHA"}


class Atecc608a(ZoneAccess):
    """An ATECC608A or ATECC608B on an I2C bus.

    `bus` is a LinuxI2C or any object with `wake`, `write` and `read`. Threads may share the chip; chips or threads that
    share a bus share its `lock`. Every method may raise ChipAbsent, ChipSilent and ChipRefused.
    Public keys are 64 bytes X ‖ Y, signatures 64 bytes r ‖ s, big-endian.
    """

    def __init__(
        self, bus: Bus, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._link = Link(bus, clock, sleep)
        self.lock = self._link.lock
        self._has_random = False

    @classmethod
    def open(cls, path: str = "/dev/i2c-1", address: int = 0x60) -> Atecc608a:
        """The chip on a bus of Linux. Raises ChipAbsent; ChipError if something else answers there."""
        bus = LinuxI2C(path, address)
        try:
            chip = cls(bus)
            chip.revision()
        except BaseException:
            bus.close()
            raise
        return chip

    def revision(self) -> bytes:
        """Four bytes: 00 00 60 02 for an ATECC608A, 00 00 60 03 for a 608B. Raises ChipError: it is neither."""
        found = self._link.run(_INFO, answer=4)
        if found[2] != _KIND:
            raise ChipError(
                f"the chip is no ATECC608: its revision is {found.hex(' ')}",
                hint="This driver knows the ATECC608A and 608B; the older 508A signs by other commands.",
            )
        return found

    def key_is_valid(self, slot: int) -> bool:
        """Whether a private key was made in the slot (or put there)."""
        return self._link.run(_INFO, 1, check_slot(slot), answer=4)[0] == 1

    def serial_number(self) -> bytes:
        """Nine bytes."""
        head = self.read(Zone.CONFIG, length=32)
        return head[0:4] + head[8:13]

    def self_test(self) -> None:
        """Have the chip test itself. Raises ChipError, which names what failed."""
        failed = self._link.run(_SELF_TEST, sum(_SELF_TESTS), answer=1)[0]
        if failed:
            names = [name for bit, name in _SELF_TESTS.items() if failed & bit] or [f"{failed:02X}"]
            raise ChipError(f"the chip failed its self-test: {', '.join(names)}", hint="Replace the chip.")

    def random(self) -> bytes:
        """32 random bytes, to be mixed into others (`mixed_entropy`), never used alone.

        Raises ChipError: the configuration is not locked, and the chip gives a fixed pattern instead.
        """
        if not self._has_random:
            if not self.configuration().config_locked:
                raise ChipError(
                    "the chip gives no random numbers before its configuration is locked",
                    hint="Configure the chip first, and lock it: docs/secure-element.md.",
                )
            self._has_random = True
        return self._link.run(_RANDOM, answer=32)

    def generate_key(self, slot: int) -> bytes:
        """Make a new private key in a slot and return its public key. The old one is gone, also where this fails."""
        return self._link.run(_GENERATE, 4, check_slot(slot), answer=64)

    def generate_ephemeral(self) -> bytes:
        """Make a private key that lives in a register, for one `ecdh_ephemeral`, and return its public key."""
        return self._link.run(_GENERATE, 4, _TEMP_KEY, answer=64)

    def public_key(self, slot: int) -> bytes:
        """The public key of the private key in a slot."""
        return self._link.run(_PUBLIC_KEY, 0, check_slot(slot), answer=64)

    def sign(self, slot: int, digest: bytes) -> bytes:
        """Sign a SHA-256 digest with the private key in a slot (ECDSA on P-256)."""
        check_slot(slot)

        def steps() -> bytes:
            self._link.run(_RANDOM, answer=32)  # new seed for the signature's nonce, as Microchip's library does
            self._load(digest)
            return self._link.run(_SIGN, 0xA0, slot, answer=64)

        return self._link.group(steps)

    def verify(self, public_key: bytes, digest: bytes, signature: bytes) -> None:
        """Have the chip verify a signature. Raises BadSignature."""
        _expect("public key", public_key, 64)
        _expect("signature", signature, 64)

        def steps() -> None:
            self._load(digest)
            self._link.run(_VERIFY, 0x22, _P256, signature + public_key)

        try:
            self._link.group(steps)
        except ChipRefused as cause:
            if cause.status != _MISCOMPARE:
                raise
            raise BadSignature("the chip finds that the signature does not verify") from cause

    def _load(self, digest: bytes) -> None:
        """Digest to the message buffer, which leaves a key in the other register alone."""
        _expect("digest", digest, 32)
        self._link.run(_NONCE, _TO_MESSAGE_BUFFER, 0, digest)

    def ecdh(self, slot: int, peer: bytes, *, io_key: bytes | None = None) -> bytearray:
        """The secret that the key in a slot shares with `peer`: an x-coordinate, to be wiped by the caller.

        It passes the bus in the clear, or encrypted under `io_key`: the 32 bytes in the slot that
        `Configuration.io_key_slot` names.
        """
        return self._agree(_ECDH, 0x0C, check_slot(slot), peer, io_key)

    def ecdh_ephemeral(self, peer: bytes, *, io_key: bytes | None = None) -> bytearray:
        """The same with the key of `generate_ephemeral`, which is used up."""
        return self._agree(_ECDH_ONCE, 0x0D, 0, peer, io_key)

    def _agree(self, command: Command, mode: int, slot: int, peer: bytes, io_key: bytes | None) -> bytearray:
        _expect("public key", peer, 64)
        if io_key is None:
            return bytearray(self._link.run(command, mode, slot, peer, answer=32))
        _expect("key for I/O protection", io_key, 32)
        answer = self._link.run(command, mode | _ENCRYPTED, slot, peer, answer=64)
        pad = sha256(io_key + answer[32:48]).digest()  # behind the secret is a nonce of the chip's
        return bytearray(a ^ b for a, b in zip(answer[:32], pad, strict=True))

    def sha256(self, data: bytes) -> bytes:
        """Hash in the chip: slow, and as good as hashlib."""

        def steps() -> bytes:
            self._link.run(_SHA, 0)
            whole = len(data) - len(data) % 64
            for at in range(0, whole, 64):
                self._link.run(_SHA, 1, 64, data[at : at + 64])
            return self._link.run(_SHA, 2, len(data) - whole, data[whole:], answer=32)

        return self._link.group(steps)

    def counter(self, number: int) -> int:
        """The value of monotonic counter 0 or 1."""
        return int.from_bytes(self._link.run(_COUNTER, 0, _check_counter(number), answer=4), "little")

    def count(self, number: int) -> int:
        """Increment a counter and return its new value. It never goes back, and ends at 2 097 151."""
        return int.from_bytes(self._link.run(_COUNT, 1, _check_counter(number), answer=4), "little")

    def nonce(self, number_in: bytes) -> bytes:
        """Mix 20 bytes with a random number of the chip's into its register, and return that number."""
        _expect("number", number_in, 20)
        return self._link.run(_NONCE, 0, 0, number_in, answer=32)

    def sleep(self) -> None:
        """Send the chip to sleep, where it takes the least power. It wakes by itself for the next command."""
        self._link.sleep()


def mixed_entropy(chip: Atecc608a) -> Callable[[int], bytes]:
    """A random source for `ClientConfig(insecure_entropy=…)`: the system's, with the chip's numbers added to it.

    Each draw is the system's own bytes XOR a stream under a key from both: as good as the better of the two. The chip
    is asked once, here, and an error of its is raised here: there is no silent fallback to less.
    """
    key = chip.random() + os.urandom(32)
    drawn = 0

    def draw(count: int) -> bytes:
        nonlocal drawn
        drawn += 1
        stream = shake_256(key + drawn.to_bytes(8, "big")).digest(count)
        own = os.urandom(count)
        return (int.from_bytes(own, "big") ^ int.from_bytes(stream, "big")).to_bytes(count, "big")

    return draw


def _expect(what: str, value: bytes, size: int) -> None:
    if len(value) != size:
        raise UsageError(f"a {what} has {size} bytes here, not {len(value)}")


def _check_counter(number: int) -> int:
    if number not in (0, 1):
        raise UsageError(f"there is no counter {number}: the chip has 0 and 1")
    return number
