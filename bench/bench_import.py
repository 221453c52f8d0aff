"""What `import lighttls` costs, beside `import ssl`, each in a fresh interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.compare import Side
from support import require

Environment = dict[str, str]


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """One in which bytecode is kept, as it is on a device, whatever this shell says."""
    rest = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**rest, "PYTHONPYCACHEPREFIX": str(tmp_path)}


def import_time(module: str, environment: Environment) -> Side:
    """Seconds of CPU that one import takes; what the interpreter loads by itself does not count."""
    program = f"import time; began = time.process_time(); import {module}; print(time.process_time() - began)"
    return lambda: float(subprocess.check_output([sys.executable, "-c", program], env=environment))


def imports_of(statement: str, environment: Environment) -> dict[str, int]:
    """Name of each module a fresh interpreter loads, and the microseconds it takes by itself."""
    command = [sys.executable, "-X", "importtime", "-c", statement]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    rows = [line.removeprefix("import time:").split("|") for line in run.stderr.splitlines() if line.count("|") == 2]
    return {name.strip(): int(own) for own, _, name in rows if own.strip().isdigit()}


def slowest_imports(module: str, environment: Environment, count: int) -> list[tuple[int, str]]:
    """(microseconds, name) of what one import adds, slowest first."""
    anyway = imports_of("pass", environment)
    added = imports_of(f"import {module}", environment)
    return sorted(((own, name) for name, own in added.items() if name not in anyway), reverse=True)[:count]


def bench_import(benchmark: Any, ratio: Any, environment: Environment, capsys: pytest.CaptureFixture[str]) -> None:
    require.native()
    ratio(
        benchmark,
        "import with the native engine",
        import_time("lighttls, lighttls.crypto.native", environment),
        import_time("ssl", environment),
        against="import ssl",
        bar=2.0,
    )
    with capsys.disabled():
        print("\nThe ten slowest modules of `import lighttls` and its engine, in microseconds of their own:")
        for microseconds, name in slowest_imports("lighttls, lighttls.crypto.native", environment, 10):
            print(f"{microseconds:10}  {name}")
    command = [sys.executable, "-c", "import lighttls"]
    benchmark.pedantic(subprocess.check_call, args=(command,), kwargs={"env": environment}, rounds=5)
