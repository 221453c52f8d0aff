"""Which machines there are, and how to ask a C core on one of them: requests in one stream, answers in another."""

from __future__ import annotations

import os
import struct
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import IntEnum, auto
from pathlib import Path
from typing import NamedTuple

from support import engines, require
from support.workshop import FORCE_32BIT, RELEASE, Workshop

REMOTE = Path(__file__).parent / "remote.c"


@dataclass(frozen=True)
class Machine:
    """A compiler's target and what runs its programs, with the processor features of that; no emulator: here."""

    name: str
    compiler: str
    flags: tuple[str, ...] = ()
    emulator: tuple[str, ...] = ()
    features: str = "none"

    def build(self, workshop: Workshop, source: Path) -> Path:
        # Static, so that the emulator needs no foreign libraries.
        return workshop.program(source, self.compiler, [*RELEASE, *self.flags], ["-static"])

    def command(self, program: Path, *arguments: object) -> list[str]:
        emulator = [require.command(self.emulator[0]), *self.emulator[1:]] if self.emulator else []
        return [*emulator, str(program), *(str(argument) for argument in arguments)]


HOST = Machine("host", "gcc")
AARCH64 = Machine(
    "aarch64", "aarch64-linux-gnu-gcc", emulator=("qemu-aarch64", "-cpu", "max"), features="neon arm_aes arm_sha2"
)
S390X = Machine("s390x", "s390x-linux-gnu-gcc", emulator=("qemu-s390x",))

SHORT_MACHINES = (HOST, AARCH64, S390X)
LONG_MACHINES = (
    *SHORT_MACHINES,
    replace(AARCH64, name="aarch64-clang", compiler="clang", flags=("--target=aarch64-linux-gnu",)),
    Machine("armv7", "arm-linux-gnueabihf-gcc", emulator=("qemu-arm", "-cpu", "cortex-a7")),
    Machine("riscv64", "riscv64-linux-gnu-gcc", emulator=("qemu-riscv64",)),
    # What a 32-bit processor that stores the highest byte first would run.
    replace(S390X, name="s390x-32-bit-limbs", flags=(FORCE_32BIT,)),
)
MACHINES = LONG_MACHINES if require.LONG else SHORT_MACHINES


class Operation(IntEnum):
    """What remote.c can do; numbers and strings are told there."""

    FEATURES = 0
    HASH = auto()
    HMAC = auto()
    PRF = auto()
    AEAD_SEAL = auto()
    AEAD_OPEN = auto()
    SHARE_PUBLIC = auto()
    SHARE_DERIVE = auto()
    VERIFY = auto()
    SCHEDULE = auto()
    RECORDS_SEAL = auto()
    RECORDS_OPEN = auto()
    RECORDS_INTO = auto()


class Answer(NamedTuple):
    status: int
    data: bytes = b""


class Case(NamedTuple):
    """A question and its only right answer."""

    name: str
    operation: Operation
    numbers: tuple[int, ...]
    strings: tuple[bytes, ...]
    expected: Answer

    def encoded(self) -> bytes:
        numbers = struct.pack(f"<II{len(self.numbers)}I", self.operation, len(self.numbers), *self.numbers)
        strings = b"".join(struct.pack("<I", len(string)) + string for string in self.strings)
        return numbers + struct.pack("<I", len(self.strings)) + strings


def decoded(stream: bytes) -> list[Answer]:
    """All whole answers."""
    answers = []
    at = 0
    while at + 8 <= len(stream):
        status, length = struct.unpack_from("<iI", stream, at)
        if at + 8 + length > len(stream):
            break
        answers.append(Answer(status, stream[at + 8 : at + 8 + length]))
        at += 8 + length
    return answers


class Executor:
    """The C core of one machine."""

    def __init__(self, machine: Machine, workshop: Workshop) -> None:
        self.machine = machine
        self._program = machine.build(workshop, REMOTE)
        probe = Case("features", Operation.FEATURES, (), (), Answer(0))
        self.features = self.answers([probe], engines.CPU_MASKS["everything"])[0].status
        self.masks = self._distinct_masks()

    def _distinct_masks(self) -> dict[str, int]:
        """Every choice among implementations that makes a difference on this machine."""
        found: dict[int, str] = {}
        for name, mask in engines.CPU_MASKS.items():
            if name == "everything" or mask & self.features == mask:
                found.setdefault(mask & self.features, name)
        return {name: mask for mask, name in found.items()}

    def answers(self, cases: Sequence[Case], mask: int, wrong: int | None = None) -> list[Answer]:
        """Ask under one mask; answer number `wrong` gets one wrong bit."""
        command = self.machine.command(self._program, mask, *([] if wrong is None else [wrong]))
        stream = b"".join(case.encoded() for case in cases)
        result = subprocess.run(command, input=stream, capture_output=True, check=False)
        answers = decoded(result.stdout)
        if result.returncode != 0 or len(answers) != len(cases):
            at = f"at {cases[len(answers)].name}" if len(answers) < len(cases) else "after the last case"
            raise AssertionError(f"{self.machine.name} ended with {result.returncode} {at}: {result.stderr.decode()}")
        return answers

    def mismatches(self, cases: Sequence[Case]) -> list[str]:
        """The cases that are answered wrongly, by mask and name. Runs as many processes as there are processors."""
        width = os.cpu_count() or 1
        parts = [part for start in range(width) if (part := cases[start::width])]
        with ThreadPoolExecutor(width) as pool:
            jobs = [
                (name, part, pool.submit(self.answers, part, mask))
                for name, mask in self.masks.items()
                for part in parts
            ]
            return [
                f"{name}: {case.name}: {answer}"
                for name, part, job in jobs
                for case, answer in zip(part, job.result(), strict=True)
                if answer != case.expected
            ]
