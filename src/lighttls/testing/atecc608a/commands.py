"""The commands of the simulated chip: what each does to memory and registers, and answers.

A handler gets the two parameters and the data of a packet whose CRC was right. It returns the answer's content, or None
for status 0; `Refused` is every other status. Not known here, and refused: MAC, CheckMac, GenDig, DeriveKey, PrivWrite,
AES, KDF, SecureBoot, encrypted reads and writes, and signatures over the chip's own state.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import Any

from lighttls.testing.atecc608a import curve
from lighttls.testing.atecc608a.memory import EXECUTION_ERROR, PARSE_ERROR, Memory, Refused
from lighttls.testing.atecc608a.wire import crc

MISCOMPARE = 0x01
ECC_FAULT = 0x05
COUNTER_END = 2_097_151
REVISION = bytes.fromhex("00006002")


class Registers:
    """What Sleep, the watchdog and a power cut erase, and Idle keeps."""

    def __init__(self) -> None:
        self.temp_key: bytes | None = None
        self.temp_private_key: Any = None
        self.message_buffer: bytes | None = None
        self.sha: Any = None


class Commands:
    def __init__(self, memory: Memory, registers: Registers) -> None:
        self.memory = memory
        self.registers = registers
        self.broken_self_tests = 0  # bits of those that fail
        self.signature: Callable[[bytes], bytes] | None = None  # in place of the right one

    def run(self, opcode: int, p1: int, p2: int, data: bytes) -> bytes | None:
        handler = _HANDLERS.get(opcode)
        if handler is None:
            raise Refused(PARSE_ERROR)
        try:
            return handler(self, p1, p2, data)
        except curve.OffCurve:
            raise Refused(ECC_FAULT) from None

    def info(self, p1: int, p2: int, data: bytes) -> bytes:
        _expect(not data and p1 in (0, 1))
        if p1 == 0:
            return REVISION
        return bytes((p2 in self.memory.private_keys, 0, 0, 0))

    def random(self, p1: int, p2: int, data: bytes) -> bytes:
        _expect(not data and p1 in (0, 1) and p2 == 0)
        return secrets.token_bytes(32) if self.memory.config_locked else b"\xff\xff\0\0" * 8

    def nonce(self, p1: int, p2: int, data: bytes) -> bytes | None:
        registers = self.registers
        if p1 in (0, 1):
            _expect(len(data) == 20 and p2 == 0)
            drawn = self.random(0, 0, b"")
            registers.temp_key = hashlib.sha256(drawn + data + bytes((0x16, p1, 0))).digest()
            registers.temp_private_key = None
            return drawn
        _expect(p1 in (0x03, 0x23, 0x43, 0x63) and p2 == 0 and len(data) == (64 if p1 & 0x20 else 32))
        if p1 & 0x40:
            registers.message_buffer = data
        else:
            registers.temp_key, registers.temp_private_key = data, None
        return None

    def generate_key(self, p1: int, p2: int, data: bytes) -> bytes:
        memory = self.memory
        _expect(not data and p1 in (0, 4) and (p2 < 16 or (p2 == 0xFFFF and p1 == 4)))
        _allow(memory.config_locked)
        if p1 == 0:
            _allow(memory.key_bit(p2, 1))
            return curve.point_of(memory.private_key(p2))
        key = curve.new_key()
        if p2 == 0xFFFF:
            self.registers.temp_key, self.registers.temp_private_key = None, key
        else:
            _allow(memory.is_private(p2) and memory.key_type(p2) == 4)
            _allow(memory.slot_bit(p2, 13) and not memory.slot_locked(p2))
            memory.private_keys[p2] = key
        return curve.point_of(key)

    def sign(self, p1: int, p2: int, data: bytes) -> bytes:
        _expect(not data and p2 < 16)
        _allow(p1 in (0x80, 0xA0) and self.memory.config_locked and self.memory.slot_bit(p2, 0))
        digest = self._digest(p1 & 0x20)
        if self.signature is not None:
            return self.signature(digest)
        return curve.sign(self.memory.private_key(p2), digest)

    def verify(self, p1: int, p2: int, data: bytes) -> None:
        _allow(self.memory.config_locked)
        if p1 & 0x5F == 2:  # the key comes with the command
            _expect(p2 == 4 and len(data) == 128)
            point = data[64:]
        else:
            _expect(p1 & 0x5F == 0 and p2 < 16 and len(data) == 64)
            _allow(not self.memory.is_private(p2) and self.memory.key_type(p2) == 4 and p2 > 7)
            stored = self.memory.slots[p2]
            point = bytes(stored[4:36] + stored[40:72])
        if not curve.verifies(point, self._digest(p1 & 0x20), data[:64]):
            raise Refused(MISCOMPARE)

    def _digest(self, from_buffer: int) -> bytes:
        """The 32 bytes that a Nonce loaded; they serve once, so that a driver that counts on more is found out."""
        registers = self.registers
        if from_buffer:
            loaded, registers.message_buffer = registers.message_buffer, None
        else:
            loaded, registers.temp_key = registers.temp_key, None
        if loaded is None:
            raise Refused(EXECUTION_ERROR)
        return loaded[:32]

    def ecdh(self, p1: int, p2: int, data: bytes) -> bytes | None:
        memory, registers = self.memory, self.registers
        _expect(len(data) == 64 and p1 in (0x00, 0x0C, 0x0D, 0x0E, 0x0F, 0x08, 0x09))
        _allow(memory.config_locked)
        if p1 & 1:
            _expect(p2 == 0)
            key, registers.temp_private_key = registers.temp_private_key, None
            _allow(key is not None)
        else:
            _expect(p2 < 16)
            _allow(memory.slot_bit(p2, 2))
            key = memory.private_key(p2)
        secret = curve.shared_secret(key, data)
        if p1 & 0x0C == 0x08:
            registers.temp_key = secret
            return None
        if p1 == 0 and memory.slot_bit(p2, 3):  # as the ATECC508A: into the slot above
            memory.slots[p2 | 1][:32] = secret
            return None
        if p1 & 2:
            _allow(bool(memory.config[90] & 2))  # ChipOptions: there is an I/O protection key
            key = bytes(memory.slots[memory.config[91] >> 4][:32])
            nonce = secrets.token_bytes(32)
            pad = hashlib.sha256(key + nonce[:16]).digest()
            return bytes(a ^ b for a, b in zip(secret, pad, strict=True)) + nonce
        _allow(memory.config[91] & 3 != 1)  # ECDHPROT: only encrypted
        return secret

    def read(self, p1: int, p2: int, data: bytes) -> bytes:
        _expect(not data and p1 & 0x7C == 0 and p1 & 3 < 3)
        return self.memory.read(p1 & 3, p2, 32 if p1 & 0x80 else 4)

    def write(self, p1: int, p2: int, data: bytes) -> None:
        _allow(not p1 & 0x40)  # encrypted
        _expect(p1 & 0x3C == 0 and p1 & 3 < 3 and len(data) == (32 if p1 & 0x80 else 4))
        self.memory.write(p1 & 3, p2, data)

    def lock(self, p1: int, p2: int, data: bytes) -> None:
        _expect(not data and p1 & 0x40 == 0 and p1 & 3 < 3)
        self.memory.lock(p1 & 3, p1 >> 2 & 15, None if p1 & 0x80 else p2.to_bytes(2, "little"), crc)

    def sha(self, p1: int, p2: int, data: bytes) -> bytes | None:
        registers = self.registers
        if p1 == 0:
            _expect(not data)
            registers.sha = hashlib.sha256()
            return None
        _expect(p1 & 0x07 in (1, 2) and len(data) == p2)
        _allow(registers.sha is not None)
        registers.sha.update(data)
        if p1 == 1:
            _expect(len(data) == 64)
            return None
        _expect(len(data) < 64 and p1 & 0xC0 != 0x80)
        digest: bytes = registers.sha.digest()
        registers.sha = None
        if p1 & 0xC0 == 0x40:
            registers.message_buffer = digest
        elif p1 & 0xC0 == 0:
            registers.temp_key, registers.temp_private_key = digest, None
        return digest

    def counter(self, p1: int, p2: int, data: bytes) -> bytes:
        _expect(not data and p1 in (0, 1) and p2 in (0, 1))
        if p1:
            _allow(self.memory.counters[p2] < COUNTER_END)
            self.memory.counters[p2] += 1
        return self.memory.counters[p2].to_bytes(4, "little")

    def update_extra(self, p1: int, p2: int, data: bytes) -> None:
        """The two bytes beside the locks: changed at will before the configuration is locked, once after it."""
        _expect(not data and p1 in (0, 1) and p2 < 256)
        _allow(not self.memory.config_locked or self.memory.config[84 + p1] == 0)
        self.memory.config[84 + p1] = p2

    def self_test(self, p1: int, p2: int, data: bytes) -> bytes:
        _expect(not data and p2 == 0 and p1 & ~0x3B == 0)
        return bytes((self.broken_self_tests & (p1 or 0xFF),))


def _expect(condition: bool) -> None:
    """The packet's parameters and length are possible."""
    if not condition:
        raise Refused(PARSE_ERROR)


def _allow(condition: bool) -> None:
    """Configuration and state permit it."""
    if not condition:
        raise Refused(EXECUTION_ERROR)


_HANDLERS: dict[int, Callable[[Commands, int, int, bytes], bytes | None]] = {
    0x02: Commands.read,
    0x12: Commands.write,
    0x16: Commands.nonce,
    0x17: Commands.lock,
    0x1B: Commands.random,
    0x20: Commands.update_extra,
    0x24: Commands.counter,
    0x30: Commands.info,
    0x40: Commands.generate_key,
    0x41: Commands.sign,
    0x43: Commands.ecdh,
    0x45: Commands.verify,
    0x47: Commands.sha,
    0x77: Commands.self_test,
}
