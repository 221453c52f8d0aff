"""What `import lighttls` must not drag in: a device pays for it at every start."""

from __future__ import annotations

import subprocess
import sys

import pytest

EXPENSIVE = ("argparse", "asyncio", "cryptography", "dataclasses", "inspect", "logging", "re", "ssl", "typing")


def loaded_by(statement: str) -> set[str]:
    """Top-level modules that one statement adds in a fresh interpreter."""
    program = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-X", "utf8", "-c", program], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in run.stdout.split()}


@pytest.mark.parametrize("expensive", EXPENSIVE)
def test_import_of_lighttls_does_not_load(expensive: str) -> None:
    assert expensive not in loaded_by("import lighttls")


def test_measurement_sees_what_is_loaded() -> None:
    assert "json" in loaded_by("import json")


def test_public_names_load_without_cryptography() -> None:
    """Every public name can be had without an engine's library; only its use needs one."""
    assert "cryptography" not in loaded_by("import lighttls; [getattr(lighttls, name) for name in lighttls.__all__]")
