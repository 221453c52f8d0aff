"""The C core outside Python: sanitizers, constant time, strict C99, and a build for a bare microcontroller.

    test_NAME.c   a program that ends with status 0 if all is well; built with AddressSanitizer and
                  UndefinedBehaviorSanitizer, by gcc and clang, and once more with LT_FORCE_32BIT
    ct_NAME.c     a program for valgrind that marks secrets as undefined (VALGRIND_MAKE_MEM_UNDEFINED) and
                  uses them: a branch or an index that depends on one is an error. Called with the argument
                  "leak" it does such a thing on purpose, which proves that valgrind would have seen it. Run without
                  valgrind it searches the stack for what its calls left there, losing something to see that it would
                  find it.

Both kinds are linked with every csrc/*.c and may include "inner.h".
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from support import require
from support.workshop import CSRC, FORCE_32BIT, RELEASE, SANITIZE, STRICT, Workshop, compiled, run

HERE = Path(__file__).parent

pytestmark = pytest.mark.timeout(300)

CORTEX_M4 = ["-mcpu=cortex-m4", "-mthumb", "-Os", "-ffreestanding"]

COMPILERS = ("gcc", "clang")
VALGRIND_FOUND_ERRORS = 99

COMPILERS_MAY_CALL = {"memcpy", "memmove", "memset", "memcmp"}
"""What gcc and clang may call on their own, even in freestanding code (the gcc manual's section on C dialects)."""

ARM_HELPERS = {"__aeabi_llsl", "__aeabi_llsr", "__aeabi_lmul", "__aeabi_memcpy", "__aeabi_memset", "__aeabi_memclr"}
"""Run-time helpers of the ARM ABI that run in constant time; its division is not among them on purpose."""


def programs(pattern: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("source", sorted(HERE.glob(pattern)), ids=lambda path: path.stem)


def check_program(workshop: Workshop, source: Path, compiler: str, flags: Sequence[str]) -> None:
    result = run(workshop.program(source, compiler, flags))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("compiler", COMPILERS)
@programs("test_*.c")
def test_program_passes_under_sanitizers(workshop: Workshop, source: Path, compiler: str) -> None:
    check_program(workshop, source, compiler, SANITIZE)


@programs("test_*.c")
def test_program_passes_with_32_bit_limbs(workshop: Workshop, source: Path) -> None:
    check_program(workshop, source, "gcc", [*SANITIZE, FORCE_32BIT])


both_widths = pytest.mark.parametrize("flags", [[], [FORCE_32BIT]], ids=["64-bit", "32-bit"])


@both_widths
@pytest.mark.parametrize("compiler", COMPILERS)
@programs("ct_*.c")
def test_no_secret_stays_on_the_stack(workshop: Workshop, source: Path, compiler: str, flags: list[str]) -> None:
    check_program(workshop, source, compiler, [*RELEASE, "-DLT_VALGRIND", *flags])


def under_valgrind(workshop: Workshop, source: Path, compiler: str, flags: Sequence[str], *arguments: str) -> int:
    program = workshop.program(source, compiler, [*RELEASE, "-DLT_VALGRIND", *flags])
    valgrind = require.command("valgrind")
    result = run(valgrind, "-q", f"--error-exitcode={VALGRIND_FOUND_ERRORS}", program, *arguments)
    print(result.stdout + result.stderr)
    return result.returncode


@both_widths
@pytest.mark.parametrize("compiler", COMPILERS)
@programs("ct_*.c")
def test_time_does_not_depend_on_secrets(workshop: Workshop, source: Path, compiler: str, flags: list[str]) -> None:
    assert under_valgrind(workshop, source, compiler, flags) == 0


@pytest.mark.parametrize("compiler", COMPILERS)
@programs("ct_*.c")
def test_planted_leak_is_seen(workshop: Workshop, source: Path, compiler: str) -> None:
    assert under_valgrind(workshop, source, compiler, [], "leak") == VALGRIND_FOUND_ERRORS


@pytest.mark.parametrize("compiler", COMPILERS)
def test_core_is_strict_c99(workshop: Workshop, compiler: str) -> None:
    workshop.core(compiler, RELEASE)


@pytest.mark.parametrize(
    ("compiler", "flags"),
    [
        ("clang", ["--target=x86_64-pc-windows-msvc"]),
        ("clang", ["--target=aarch64-pc-windows-msvc"]),
        ("gcc", ["-U__GNUC__"]),
    ],
    ids=["clang-cl-x86", "clang-cl-arm", "unknown compiler"],
)
def test_core_is_c_for_other_compilers(compiler: str, flags: list[str]) -> None:
    """Syntax and types only: there are neither headers nor libraries of theirs here."""
    compiled(require.command(compiler), *STRICT, *flags, "-ffreestanding", "-fsyntax-only", *sorted(CSRC.glob("*.c")))


def symbols(nm: str, objects: list[Path]) -> list[tuple[str, str, str]]:
    """(object file, kind, name) of every symbol."""
    listing = run(nm, "--print-file-name", *objects)
    assert listing.returncode == 0, listing.stderr
    rows = []
    for line in listing.stdout.splitlines():
        path, _, rest = line.rpartition(":")
        kind, name = rest.split()[-2:]
        rows.append((Path(path).stem, kind, name))
    return rows


def test_core_builds_for_a_bare_cortex_m4(workshop: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    """No malloc, no stdio: nothing outside csrc/ is called but what a compiler brings."""
    objects = workshop.core("arm-none-eabi-gcc", CORTEX_M4)
    rows = symbols(require.command("arm-none-eabi-nm"), objects)
    defined = {name for _, kind, name in rows if kind.isupper() and kind != "U"}
    called = {name for _, kind, name in rows if kind == "U"}
    assert called - defined - COMPILERS_MAY_CALL - ARM_HELPERS == set()
    total = run(require.command("arm-none-eabi-size"), "--totals", *objects).stdout.splitlines()[-1].split()
    with capsys.disabled():
        print(f"\nCortex-M4, -Os: {total[0]} bytes of code and constants, {total[2]} bytes of variables")


def test_core_has_no_variables_but_the_processor_mask(workshop: Workshop) -> None:
    objects = workshop.core("gcc", RELEASE)
    rows = symbols(require.command("nm"), objects)
    assert {(file, name) for file, kind, name in rows if kind in "bBdDC"} == {("cpu", "allowed"), ("cpu", "found")}
