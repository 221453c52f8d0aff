"""The fixture that compares, and the table of ratios at the end of a run."""

from __future__ import annotations

import platform
import ssl
import sysconfig
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.compare import ROUNDS, Comparison, Side, compare
from bench.sides import World
from support import engines, require

ROWS = pytest.StashKey[list["Row"]]()


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    name: str
    unit: str
    scale: float  # units per second (or per byte)
    bar: float | None
    result: Comparison

    def text(self) -> str:
        ours, yardstick = self.result.ours * self.scale, self.result.yardstick * self.scale
        bar = "" if self.bar is None else f"{self.bar:4.1f} {'kept' if self.result.ratio <= self.bar else 'MISSED'}"
        noise = f"  noisy: yardstick spread {self.result.spread:.0%}" if self.result.noisy else ""
        return f"{self.name:58} {ours:10.1f} {yardstick:10.1f} {self.unit:5} {self.result.ratio:6.2f}  {bar}{noise}"


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ROWS] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.timeout(600))


@pytest.fixture
def machine() -> dict[str, Any]:
    """What a number means nothing without."""
    return {
        "processor_features": engines.cpu_feature_names(engines.cpu_features()),
        "compiler": sysconfig.get_config_var("CC"),
        "openssl": ssl.OPENSSL_VERSION,
        "python": platform.python_version(),
    }


@pytest.fixture
def report(request: pytest.FixtureRequest, machine: dict[str, Any]) -> Callable[..., Comparison]:
    """Put a finished comparison in the table and beside the benchmark's own numbers in the JSON."""

    def add(
        benchmark: Any, name: str, result: Comparison, *, bar: float | None = None, unit: str = "µs", scale: float = 1e6
    ) -> Comparison:
        request.config.stash[ROWS].append(Row(name, unit, scale, bar, result))
        benchmark.extra_info.update(machine, comparison=asdict(result), bar=bar)
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
    def make(kind: str, *, client_certificate: bool = False) -> World:
        return World(kind, tmp_path, client_certificate=client_certificate)

    return make


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    rows = config.stash[ROWS]
    if rows:
        terminalreporter.section("lighttls beside the standard library's ssl, in the same run")
        terminalreporter.write_line(f"{'':58} {'lighttls':>10} {'ssl':>10} {'':5} {'ratio':>6}   bar")
        for row in rows:
            terminalreporter.write_line(row.text())
