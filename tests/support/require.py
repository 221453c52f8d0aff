"""Say what a test needs that a machine may lack.

Each function skips the test, naming what is missing and the command that brings it. With
LIGHTTLS_REQUIRE_ALL=1, as in CI, conftest.py makes every such skip a failure, so that a green run
means that everything ran. Only what no command brings, a processor feature, is skipped there too.
"""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

from support import engines

REPOSITORY = Path(__file__).parents[2]

LONG = os.environ.get("LIGHTTLS_LONG") == "1"
"""Whether to run the long form of what has two: the short one is for every change."""


NO_COMMAND_BRINGS = "this processor has no "


def missing(what: str, remedy: str) -> NoReturn:
    """Skip the test: there is no such thing here, and that is what brings it."""
    pytest.skip(f"{what}: {remedy}")


def command(name: str) -> str:
    """The path of a program that a system package brings."""
    return shutil.which(name) or missing(f"no `{name}` here", "make deps")


def peer(lack: str) -> None:
    """A server of the interop matrix; `lack` says what it needs and is not here."""
    if lack:
        missing(lack, "make interop")


def native() -> None:
    """The native engine, built."""
    if problem := engines.native_problem():
        missing(f"native engine not built ({problem})", "make deps, then make test")


def module(name: str) -> None:
    """A package that the extra "dev" brings."""
    if find_spec(name) is None:
        missing(f"no module {name} here", 'pip install "lighttls[dev]"')


def vectors(path: str) -> Path:
    """A file or folder of the published test vectors (LIGHTTLS_VECTORS; default ../shared/vectors)."""
    root = Path(os.environ.get("LIGHTTLS_VECTORS") or REPOSITORY.parent / "shared" / "vectors")
    found = root / path
    return (
        found
        if found.exists()
        else missing(
            f"no vectors {path}",
            "tests/vectors/ORIGINS.md says where it comes from; set LIGHTTLS_VECTORS to the folder that has it",
        )
    )


def pkits() -> Path:
    """NIST PKITS: folders `certs` and `crls`, which the package cryptography-vectors brings."""
    spec = find_spec("cryptography_vectors")
    if spec is None or spec.origin is None:
        return missing("no package cryptography-vectors", "pip install cryptography-vectors, or make test")
    return Path(spec.origin).parent / "x509" / "PKITS_data"


def cpu_feature(name: str) -> None:
    """A processor feature (a key of `engines.CPU_FEATURES`) that the native engine found here."""
    native()
    if not engines.cpu_features() & engines.CPU_FEATURES[name]:
        pytest.skip(NO_COMMAND_BRINGS + name)


def cpu_features(mask: str) -> None:
    """All features of a mask (a key of `engines.CPU_MASKS`); "everything" asks for none."""
    for name, bit in engines.CPU_FEATURES.items():
        if mask != "everything" and engines.CPU_MASKS[mask] & bit:
            cpu_feature(name)
