"""Compiling the C core and programs that are linked with all of it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import mkdtemp

import pytest

from support import require

CSRC = require.REPOSITORY / "csrc"

STRICT = ["-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wundef", "-Werror"]
RELEASE = ["-O2", "-gdwarf-4"]  # valgrind 3.19 cannot read the DWARF 5 of clang
SANITIZE = ["-O1", "-g1", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
"""-g1: lines for what they report; following variables through unrolled code takes gcc longer than all the rest."""
FORCE_32BIT = "-DLT_FORCE_32BIT"


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)


def compiled(*command: object) -> None:
    result = run(*command)
    if result.returncode != 0:
        pytest.fail(result.stdout + result.stderr, pytrace=False)


class Workshop:
    """Compiles the C core, or a copy of it, once per compiler and set of flags."""

    def __init__(self, folder: Path, csrc: Path = CSRC) -> None:
        self.folder = folder
        self.csrc = csrc
        self._objects: dict[tuple[str, ...], list[Path]] = {}

    def core(self, compiler: str, flags: Sequence[str]) -> list[Path]:
        """Object files of csrc/, warnings being errors."""
        key = (compiler, *flags)
        if key not in self._objects:
            command = require.command(compiler)
            folder = Path(mkdtemp(dir=self.folder))
            sources = sorted(self.csrc.glob("*.c"))
            objects = [folder / f"{source.stem}.o" for source in sources]
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                jobs = [
                    pool.submit(compiled, command, *STRICT, *flags, "-c", source, "-o", target)
                    for source, target in zip(sources, objects, strict=True)
                ]
                for job in jobs:
                    job.result()
            self._objects[key] = objects
        return self._objects[key]

    def program(self, source: Path, compiler: str, flags: Sequence[str], own: Sequence[str] = ()) -> Path:
        """A program linked with the core; `own` are flags that it gets and the core does not."""
        objects = self.core(compiler, flags)
        target = objects[0].parent / "".join((source.stem, *own))
        if not target.exists():
            relaxed = [flag for flag in STRICT if flag not in ("-Wpedantic", "-Wconversion")]
            command = [require.command(compiler), *relaxed, *flags, *own]
            compiled(*command, f"-I{self.csrc}", source, *objects, "-o", target)
        return target
