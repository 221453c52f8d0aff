"""LIGHTTLS_REQUIRE_ALL=1 lets nothing pass that did not run, but for what the processor cannot do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.require import REPOSITORY

TESTS = """
import pytest
from support import require

def test_program():
    require.command("no-such-program")

def test_vectors():
    require.vectors("no/such/vectors.json")

def test_own_skip():
    pytest.importorskip("no_such_module")

def test_feature():
    pytest.skip(require.NO_COMMAND_BRINGS + "imagination")

@pytest.mark.xfail
def test_known_fault():
    assert False
"""


def outcomes(folder: Path, require_all: str) -> str:
    (folder / "conftest.py").write_text((REPOSITORY / "tests" / "conftest.py").read_text(encoding="utf-8"))
    (folder / "test_lacking.py").write_text(TESTS)
    environment = {**os.environ, "LIGHTTLS_REQUIRE_ALL": require_all, "PYTHONPATH": str(REPOSITORY / "tests")}
    command = [sys.executable, "-m", "pytest", "-q", "--rootdir", str(folder), "-p", "no:cacheprovider", str(folder)]
    run = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    return run.stdout.splitlines()[-1].split(" in ")[0]


@pytest.mark.parametrize(
    ("require_all", "expected"), [("1", "3 failed, 1 skipped, 1 xfailed"), ("", "4 skipped, 1 xfailed")]
)
def test_skips_fail_when_everything_is_required(tmp_path: Path, require_all: str, expected: str) -> None:
    assert outcomes(tmp_path, require_all) == expected
