"""How the extension comes into being: by setup.py, by its own command, or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support import lwip, require
from support.require import REPOSITORY


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        check=False,
    )


def build(folder: Path, **environment: str) -> list[str]:
    """What `setup.py build_ext` leaves in a folder, without the C core."""
    require.module("setuptools")
    require.command("gcc")
    folders = ("--build-lib", str(folder / "lib"), "--build-temp", str(folder / "temp"))
    done = run("setup.py", "-q", "build_ext", *folders, LIGHTTLS_NO_NATIVE="1", **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return [path.relative_to(folder / "lib").as_posix() for path in (folder / "lib").rglob("*.so")]


def test_setup_builds_the_extension_where_a_source_is_named(tmp_path: Path) -> None:
    """Debian's library stands for it here, since that is there in a second."""
    lwip.library_core()
    (built,) = build(tmp_path, LIGHTTLS_LWIP_SOURCE="system")
    assert built.startswith("lighttls/transports/lwip/_core.")
    loaded = run(
        "-c",
        "from importlib.util import module_from_spec as make, spec_from_file_location as find; import sys;"
        "spec = find('lighttls.transports.lwip._core', sys.argv[1]); core = make(spec); spec.loader.exec_module(core);"
        "from lighttls.transports.lwip import Stack; stack = Stack(core); stack.run(); stack.close()",
        str(tmp_path / "lib" / built),
        PYTHONPATH="src",
    )
    assert loaded.returncode == 0, loaded.stderr


def test_setup_leaves_it_out_where_none_is_named(tmp_path: Path) -> None:
    assert build(tmp_path, LIGHTTLS_LWIP_SOURCE="") == []


@pytest.mark.parametrize("source", ["", "/"])
def test_folder_that_is_no_source_is_named(tmp_path: Path, source: str) -> None:
    done = run("csrc/lwip/build_ffi.py", "--source", source, "--into", str(tmp_path), "name")
    assert done.returncode == 1
    assert "is no source tree of lwIP: it has no src/core/tcp_in.c" in done.stderr


def test_setup_says_that_there_is_no_source_before_it_compiles_anything() -> None:
    require.module("setuptools")
    done = run("setup.py", "--version", LIGHTTLS_LWIP_SOURCE="/nowhere")
    assert done.returncode == 1
    assert "/nowhere is no source tree of lwIP" in done.stderr
    assert "tools/lwip_source.sh" in done.stderr
