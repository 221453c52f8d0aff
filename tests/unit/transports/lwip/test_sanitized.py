"""The tests of the stack once more, with the shim (in the long form lwIP, too) under gcc's sanitizers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from support import lwip, require
from support.require import REPOSITORY

SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
CHOSEN = (
    "garbage or answer or mutilated or half_closed or at_once or refers or reset or removed or backlog or after_close "
    "or phase or no_sense"
)


def test_shim_is_clean_under_sanitizers(tmp_path: Path) -> None:
    gcc = require.command("gcc")
    tree, shim = lwip.source(), REPOSITORY / "csrc" / "lwip"
    built = lwip.folder_of(tree, *lwip.NAMES)
    objects = [] if require.LONG else [str(path) for path in built.glob("objects/lwip-*.o")]
    sources = [*shim.glob("*.c"), *(lwip_sources(built, tree) if require.LONG else ())]
    for number, source in enumerate(sources):
        objects.append(str(tmp_path / f"{number}.o"))
        includes = [f"-I{shim}", f"-I{tree}/src/include"]
        run(gcc, *SANITIZE, "-O1", "-g", "-fPIC", "-w", *includes, "-c", str(source), "-o", objects[-1])
    for name in lwip.NAMES:
        module = next(built.glob(f"{name}.*.so"))
        glue = str(built / f"{name}.o")
        run(gcc, *SANITIZE, "-shared", glue, *objects, "-o", str(tmp_path / module.name))
    libraries = [run(gcc, f"-print-file-name={name}").strip() for name in ("libasan.so", "libubsan.so")]
    environment = {
        **os.environ,
        "LIGHTTLS_LWIP_MODULES": str(tmp_path),
        "LD_PRELOAD": " ".join(libraries),
        "ASAN_OPTIONS": "detect_leaks=0",  # Python's own, which live until its end
        "PYTHONPATH": os.pathsep.join(["src", "tests"]),
    }
    tests = [f"tests/unit/transports/lwip/test_{name}.py" for name in ("stack", "frames", "ppp")]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    run(*command, *([] if require.LONG else ["-k", CHOSEN]), environment=environment)


def lwip_sources(built: Path, tree: Path) -> list[Path]:
    """The files that objects were made of: their names are paths, with dashes for slashes."""
    named = {path.name for path in built.glob("objects/lwip-*.o")}
    return [
        path
        for path in (tree / "src").rglob("*.c")
        if f"lwip-{'-'.join(path.relative_to(tree / 'src').parts)}.o" in named
    ]


def run(*command: str, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, env=environment, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return done.stdout
