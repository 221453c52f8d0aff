"""The C core answers on every machine as it must; see the package's docstring."""

from __future__ import annotations

import dataclasses
import re
import shutil
import sys
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path

import pytest

from cross import cases
from cross.executor import HOST, MACHINES, S390X, Case, Executor, Machine
from support import engines, require, wycheproof
from support.workshop import CSRC, Workshop, run

pytestmark = pytest.mark.timeout(600)

SAMPLE = 16  # cases of a file in the short form

LENGTHY = {"test_aead", "test_chacha20_poly1305", "test_ecdhe"}
"""Programs that take an emulator 5 s and more: for the long form, as are those that need the core built once more."""
C_PROGRAMS = [
    source
    for source in sorted((require.REPOSITORY / "tests" / "c").glob("*.c"))
    if require.LONG or (source.stem.startswith("test_") and source.stem not in LENGTHY)
]
NO_VALGRIND = Path(__file__).parent / "no_valgrind"

name, stem = attrgetter("name"), attrgetter("stem")
every_machine = pytest.mark.parametrize("machine", MACHINES, ids=name)
foreign_machines = pytest.mark.parametrize(
    "machine", [machine for machine in MACHINES if machine is not HOST], ids=name
)
"""On this machine tests/c runs its programs itself."""


@pytest.fixture(scope="session")
def executor(workshop: Workshop) -> Callable[[Machine], Executor]:
    built: dict[Machine, Executor] = {}

    def get(machine: Machine) -> Executor:
        if machine not in built:
            built[machine] = Executor(machine, workshop)
        return built[machine]

    return get


def published(file: str) -> list[Case]:
    found = cases.published(file)
    return found if require.LONG else cases.sample(found, SAMPLE)


@every_machine
@pytest.mark.parametrize("file", wycheproof.COUNTS)
def test_published_vectors_are_answered_rightly(
    executor: Callable[[Machine], Executor], machine: Machine, file: str
) -> None:
    assert executor(machine).mismatches(published(file)) == []


@every_machine
@pytest.mark.parametrize("kind", cases.RANDOM)
def test_made_up_inputs_are_answered_as_by_other_code(
    executor: Callable[[Machine], Executor], machine: Machine, kind: str
) -> None:
    assert executor(machine).mismatches(cases.made(kind, require.LONG)) == []


@every_machine
def test_machine_has_the_features_it_is_here_for(executor: Callable[[Machine], Executor], machine: Machine) -> None:
    """Were detection wrong, all would pass without the code it is there for having run."""
    found = executor(machine).features
    if machine is HOST:
        assert not engines.native_problem()
        assert found == engines.cpu_features()
    else:
        assert engines.cpu_feature_names(found) == machine.features


@foreign_machines
@pytest.mark.parametrize("source", C_PROGRAMS, ids=stem)
def test_c_program_passes(workshop: Workshop, machine: Machine, source: Path) -> None:
    """A ct_ program, without valgrind, searches the stack for secrets."""
    if source.stem.startswith("ct_"):
        machine = dataclasses.replace(machine, flags=(*machine.flags, "-DLT_VALGRIND", f"-I{NO_VALGRIND}"))
    result = run(*machine.command(machine.build(workshop, source)))
    assert result.returncode == 0, result.stdout + result.stderr


# ---- That a fault would be seen -------------------------------------------------------------------


@pytest.mark.parametrize("kind", cases.RANDOM)
def test_one_wrong_bit_is_seen(executor: Callable[[Machine], Executor], kind: str) -> None:
    asked = cases.made(kind, long=False)
    wrong = len(asked) - 2
    answers = executor(HOST).answers(asked, mask=0, wrong=wrong)
    assert [at for at, case in enumerate(asked) if answers[at] != case.expected] == [wrong]


def test_end_of_the_program_is_seen_and_says_where(executor: Callable[[Machine], Executor]) -> None:
    asked = cases.made("hash", long=False)
    asked[3] = asked[3]._replace(operation=99)  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="ended with 2 at hash 3: remote: no such operation"):
        executor(HOST).answers(asked, mask=0)


LOAD = re.compile(r"(uint32_t lt_load32_le\(const uint8_t \*p\) \{).*?\n\}", re.DOTALL)
IN_NATIVE_ORDER = r"\1\n    union { uint8_t b[4]; uint32_t x; } u;\n    lt_copy_4(u.b, p);\n    return u.x;\n}"
COPY_4 = (
    "LT_INLINE void lt_copy_4(uint8_t *out, const uint8_t *in) {\n    for (int i = 0; i < 4; i++) out[i] = in[i];\n}\n"
)


@pytest.mark.parametrize("machine", [S390X, HOST] if require.LONG else [S390X], ids=name)
def test_load_in_the_order_of_the_machine_fails_where_that_is_another(tmp_path: Path, machine: Machine) -> None:
    """The fault for which s390x is here, planted into a copy of the core."""
    csrc = shutil.copytree(CSRC, tmp_path / "csrc")
    header = (csrc / "inner.h").read_text(encoding="utf-8")
    spoiled, count = LOAD.subn(IN_NATIVE_ORDER, header)
    assert count == 1
    spoiled = spoiled.replace("LT_INLINE uint32_t lt_load32_le", COPY_4 + "\nLT_INLINE uint32_t lt_load32_le", 1)
    (csrc / "inner.h").write_text(spoiled, encoding="utf-8")
    quicker = dataclasses.replace(machine, flags=("-O1",))
    mismatches = Executor(quicker, Workshop(tmp_path, csrc)).mismatches(published("chacha20_poly1305_test"))
    assert (mismatches == []) == (machine is HOST and sys.byteorder == "little")
