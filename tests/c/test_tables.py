"""The tables of multiples in csrc/ are what the programs beside them print, and docs/c-core.md knows every file."""

from __future__ import annotations

import subprocess
import sys

import pytest

from support import require
from support.workshop import CSRC

TABLES = {
    "x25519_table.h": ("make_comb_tables.py", "x25519"),
    "p256_table.h": ("make_comb_tables.py", "p256"),
    "p256_window_table.h": ("make_comb_tables.py", "p256_window"),
    "p384_table.c": ("make_signed_comb_table.py",),
    "p256_multiples_table_vartime.h": ("make_odd_tables.py", "p256_multiples"),
    "p256_odd_table_vartime.h": ("make_odd_tables.py", "p256"),
    "p384_odd_table_vartime.h": ("make_odd_tables.py", "p384"),
}


@pytest.mark.parametrize("name", TABLES)
def test_table_is_what_its_program_prints(name: str) -> None:
    program, *arguments = TABLES[name]
    printed = subprocess.run(
        [sys.executable, CSRC / "tools" / program, *arguments], capture_output=True, text=True, check=True
    )
    assert printed.stdout == (CSRC / name).read_text(encoding="utf-8")


def test_every_table_is_made_by_a_program() -> None:
    assert {path.name for path in CSRC.glob("*_table*") if path.name != "p384_table.h"} == set(TABLES)


def test_every_file_of_the_core_is_described() -> None:
    page = (require.REPOSITORY / "docs" / "c-core.md").read_text(encoding="utf-8")
    assert [path.name for path in sorted(CSRC.glob("*.[ch]")) if f"`{path.name}`" not in page] == []
