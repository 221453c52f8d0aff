"""Say what a test needs that a machine may lack.

Each function skips the test, naming what is missing and the command that installs it. With
LIGHTTLS_REQUIRE_ALL=1, as in CI, whatever a package or a checkout could supply fails instead of
being skipped: a green run then means that everything ran. Only what no package brings, such as a
processor feature, is skipped there too (`cpu_feature`).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

from support import engines

REPOSITORY = Path(__file__).parents[2]


def _missing(what: str, remedy: str) -> NoReturn:
    reason = f"{what}: {remedy}"
    if os.environ.get("LIGHTTLS_REQUIRE_ALL") == "1":
        pytest.fail(f"LIGHTTLS_REQUIRE_ALL=1, but {reason}", pytrace=False)
    pytest.skip(reason)


def command(name: str) -> str:
    """The path of a program that a system package brings."""
    return shutil.which(name) or _missing(f"no `{name}` here", "make deps")


def native() -> None:
    """The native engine, built."""
    if problem := engines.native_problem():
        _missing(f"native engine not built ({problem})", "make deps, then make test")


def vectors(path: str) -> Path:
    """A file or folder of the published test vectors (LIGHTTLS_VECTORS; default ../shared/vectors)."""
    root = Path(os.environ.get("LIGHTTLS_VECTORS") or REPOSITORY.parent / "shared" / "vectors")
    found = root / path
    return found if found.exists() else _missing(f"no vectors {path}", "set LIGHTTLS_VECTORS to the folder that has it")


def cpu_feature(name: str) -> None:
    """A processor feature (a key of `engines.CPU_FEATURES`) that the native engine found here."""
    native()
    if not engines.cpu_features() & engines.CPU_FEATURES[name]:
        pytest.skip(f"this processor has no {name}")
