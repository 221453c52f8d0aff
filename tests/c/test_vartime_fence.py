"""Functions whose time depends on their inputs stay behind a fence: only signature verification uses them.

The fence is the object file. csrc/*_vartime.c holds what may take variable time; no other object of the core refers to
a symbol of theirs, so neither by a call nor through a pointer can key generation, derivation, the AEADs, records or
the PRF reach them. Headers would be a way around it (their functions are inlined), so theirs are fenced by name too.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from support import require
from support.workshop import RELEASE, Workshop

CSRC = require.REPOSITORY / "csrc"

ENTRY = "lt_verify_vartime"

TRESPASSERS = {
    "a call": "int lt_p(lt_limb *a, const lt_modulus *m) { lt_modulus_invert_vartime(a, a, m); return 0; }",
    "a pointer": "typedef void f(lt_limb *, const lt_limb *, const lt_modulus *);"
    " f *lt_p(void) { return lt_modulus_invert_vartime; }",
    "the entry": "int lt_p(const uint8_t *k) { return lt_verify_vartime(0, k, 0, k, 0, k, 0); }",
}


def is_fenced(file: str) -> bool:
    return file == "vartime" or file.endswith("_vartime")


def compiled(source: Path, folder: Path) -> Path:
    target = folder / f"{source.stem}.o"
    command = [require.command("gcc"), "-std=c99", *RELEASE, f"-I{CSRC}", "-c", str(source), "-o", str(target)]
    subprocess.run(command, check=True)
    return target


@pytest.fixture(scope="module")
def core(workshop: Workshop) -> list[Path]:
    return workshop.core("gcc", RELEASE)


def symbols(objects: list[Path]) -> set[tuple[str, str, str]]:
    """(object, kind, name) of all that is visible beyond its object: T and its like are defined there, U elsewhere."""
    command = [require.command("nm"), "--extern-only", "--format=posix", "--print-file-name", *map(str, objects)]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = re.findall(r"^(.*): (\S+) (\S)", listing, flags=re.MULTILINE)
    return {(Path(path).stem, kind, name) for path, name, kind in rows}


def trespasses(objects: list[Path]) -> set[tuple[str, str]]:
    """(object outside the fence, symbol inside it that it refers to)."""
    rows = symbols(objects)
    inside = {name for file, kind, name in rows if is_fenced(file) and kind != "U"}
    return {(file, name) for file, kind, name in rows if kind == "U" and name in inside and not is_fenced(file)}


def includes(sources: Iterable[Path]) -> set[tuple[str, str]]:
    """(file outside the fence, header inside it that it includes)."""
    return {
        (source.name, header)
        for source in sources
        if not is_fenced(source.stem)
        for header in re.findall(r'#include "(.*)"', source.read_text(encoding="utf-8"))
        if is_fenced(Path(header).stem)
    }


def test_nothing_outside_refers_to_what_is_inside(core: list[Path]) -> None:
    assert trespasses(core) == set()


@pytest.mark.parametrize("way", TRESPASSERS)
def test_planted_trespasser_is_seen(core: list[Path], tmp_path: Path, way: str) -> None:
    source = tmp_path / "planted.c"
    source.write_text('#include "vartime.h"\n' + TRESPASSERS[way], encoding="utf-8")
    reached = ENTRY if way == "the entry" else "lt_modulus_invert_vartime"
    assert trespasses([*core, compiled(source, tmp_path)]) == {("planted", reached)}
    assert includes([source]) == {("planted.c", "vartime.h")}


def test_names_inside_say_so_and_those_outside_do_not(core: list[Path]) -> None:
    functions = {(file, name) for file, kind, name in symbols(core) if kind == "T"}
    assert {(file, name) for file, name in functions if is_fenced(file) != name.endswith("_vartime")} == set()
    assert ("verify_vartime", ENTRY) in functions


def test_headers_inside_are_included_inside_only() -> None:
    assert includes(CSRC.glob("*.[ch]")) == set()
