"""The fixture that compares, and the table of ratios at the end of a run."""

from __future__ import annotations

import os
import platform
import ssl
import subprocess
import sysconfig
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cryptography
import pytest
from cryptography.hazmat.backends.openssl import backend

from bench.compare import ROUNDS, Comparison, Side, compare
from bench.sides import World
from support import engines, require

ROWS = pytest.StashKey[list["Row"]]()
MACHINE = pytest.StashKey[dict[str, Any]]()


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    against: str  # the yardstick
    unit: str
    scale: float  # units per second (or per byte)
    bar: float | None
    result: Comparison

    @property
    def verdict(self) -> str:
        """What a bar's row says; a noisy result decides nothing."""
        if self.bar is None or self.result.noisy:
            return "" if self.bar is None else "undecided"
        return "kept" if self.result.ratio <= self.bar else "MISSED"

    def text(self) -> str:
        ours, yardstick = self.result.ours * self.scale, self.result.yardstick * self.scale
        bar = "" if self.bar is None else f"{self.bar:5.2f} {self.verdict}"
        noise = f"  noisy: yardstick spread {self.result.spread:.0%}" if self.result.noisy else ""
        numbers = f"{ours:10.2f} {yardstick:10.2f} {self.unit:5} {self.result.ratio:6.2f}"
        return f"{self.name:58} {self.against:12} {numbers}  {bar}{noise}"


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ROWS] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def machine(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What a number means nothing without."""
    found = {
        "processor": processor(),
        "processor_features": engines.cpu_feature_names(engines.cpu_features()),
        "aes_floor_gb_per_s": round(aes_floor(), 1),
        "compiler": compiler(),
        "ssl": ssl.OPENSSL_VERSION,
        "cryptography": f"{cryptography.__version__}, {backend.openssl_version_text()}",
        "python": platform.python_version(),
    }
    request.config.stash[MACHINE] = found
    return found


def compiler() -> str:
    """The one that setuptools takes, by its own words."""
    words = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()
    with suppress(OSError):
        return subprocess.run([words[0], "--version"], capture_output=True, text=True, check=False).stdout.partition(
            "\n"
        )[0]
    return words[0]


def processor() -> str:
    """The model, where the system has a name for it."""
    with suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def aes_floor() -> float:
    """GB/s of AES-128 in counter mode without any authentication, by OpenSSL: what no AES-GCM here can beat by far."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    text, out = bytes(1 << 18), bytearray((1 << 18) + 16)
    counter = Cipher(algorithms.AES128(bytes(16)), modes.CTR(bytes(16))).encryptor()
    best = float("inf")
    for _ in range(200):
        began = time.perf_counter()
        counter.update_into(text, out)
        best = min(best, time.perf_counter() - began)
    return len(text) / best / 1e9


@pytest.fixture
def report(request: pytest.FixtureRequest, machine: dict[str, Any]) -> Callable[..., Comparison]:
    """Put a finished comparison in the table and beside the benchmark's own numbers in the JSON."""

    def add(
        benchmark: Any,
        name: str,
        result: Comparison,
        *,
        against: str = "ssl",
        bar: float | None = None,
        unit: str = "µs",
        scale: float = 1e6,
    ) -> Comparison:
        request.config.stash[ROWS].append(Row(name, against, unit, scale, bar, result))
        benchmark.extra_info.update(machine, comparison=asdict(result), against=against, bar=bar)
        return result

    return add


@pytest.fixture
def ratio(report: Callable[..., Comparison]) -> Callable[..., Comparison]:
    """Compare two sides and report it."""

    def measure(
        benchmark: Any, name: str, ours: Side, yardstick: Side, *, rounds: int = ROUNDS, **how: Any
    ) -> Comparison:
        return report(benchmark, name, compare(ours, yardstick, rounds), **how)

    return measure


@pytest.fixture(params=engines.ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The name of each engine in turn."""
    if request.param == "native":
        require.native()
    return str(request.param)


@pytest.fixture
def world(tmp_path: Path) -> Callable[..., World]:
    def make(kind: str, *, client_certificate: bool = False, suite: str | None = None) -> World:
        return World(kind, tmp_path, client_certificate=client_certificate, suite=suite)

    return make


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    rows = config.stash[ROWS]
    if not rows:
        return
    terminalreporter.section("lighttls beside a yardstick, in the same run")
    for name, value in config.stash[MACHINE].items():
        terminalreporter.write_line(f"{name.replace('_', ' ')}: {value}")
    head = f"{'lighttls':>10} {'yardstick':>10} {'':5} {'ratio':>6}    bar"
    terminalreporter.write_line(f"\n{'':58} {'against':12} {head}")
    for row in rows:
        terminalreporter.write_line(row.text())
    terminalreporter.write_line("")
    for verdict in ("MISSED", "undecided"):
        names = [row.name for row in rows if row.verdict == verdict]
        terminalreporter.write_line(f"bars {verdict.lower()}: {', '.join(names) or 'none'}")
