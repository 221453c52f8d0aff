"""tools/mutate_checks.py finds the checks, switches off one and nothing else, and sees who misses it."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path

import pytest

from support.require import REPOSITORY

SPEC = importlib.util.spec_from_file_location("mutate_checks", REPOSITORY / "tools" / "mutate_checks.py")
mutate_checks = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = mutate_checks  # dataclasses look themselves up there
SPEC.loader.exec_module(mutate_checks)

CHECKS = list(mutate_checks.checks(REPOSITORY))

SOURCE = b"""\
def f(x):
    if x == "\xc3\xbc":  # ABC-01
        raise DecodeError("no")  # ABC-02
    if (
        x
        and not y
    ):
        z = 1
        raise UsageError("no") from None
    elif x:
        raise x.error
    if x:
        return
"""


def test_checks_of_a_source_are_found_with_what_they_cite_and_whose_fault_they_are() -> None:
    found = sorted(mutate_checks._checks_in(SOURCE, "f.py"), key=lambda check: check.line)
    assert [(check.line, check.text, check.rules, check.ours) for check in found] == [
        (2, "x == 'ü'", ("ABC-01", "ABC-02"), False),
        (4, "x and (not y)", (), True),
        (10, "x", (), False),
    ]


def test_switched_off_check_is_the_only_change() -> None:
    check = next(check for check in mutate_checks._checks_in(SOURCE, "f.py") if check.line == 2)
    assert mutate_checks.switched_off(SOURCE, check) == SOURCE.replace(
        b'if x == "\xc3\xbc":', b'if (x == "\xc3\xbc") and False:'
    )


@pytest.mark.parametrize("room", mutate_checks.ROOMS)
def test_every_room_has_checks(room: str) -> None:
    assert any(check.file.startswith(f"src/lighttls/{room}") for check in CHECKS)


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_tree_without_a_check_still_compiles(check) -> None:
    source = (REPOSITORY / check.file).read_bytes()
    off = mutate_checks.switched_off(source, check)
    assert ast.dump(ast.parse(off)) != ast.dump(ast.parse(source))


def test_missing_check_is_noticed_by_the_case_of_its_rule(tmp_path: Path) -> None:
    mutate_checks.copy(tmp_path)
    (check,) = [check for check in CHECKS if check.text == "fragment[0] != 1"]
    file = tmp_path / check.file
    file.write_bytes(mutate_checks.switched_off(file.read_bytes(), check))
    first, *_ = mutate_checks.runs(tmp_path, check)
    noticed = mutate_checks.failing_test(tmp_path, [first])
    assert noticed is not None
    assert check.rules[0] in noticed


def test_mutant_that_eats_memory_is_caught(tmp_path: Path) -> None:
    (tmp_path / "test_greedy.py").write_text("def test_greedy():\n    assert bytearray(8 << 30)\n")
    assert "test_greedy" in str(mutate_checks.failing_test(tmp_path, [["test_greedy.py"]]))
