"""Fuzzing of the C core with libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer.

    fuzz_NAME.c    a target; it says at its top what its input means and what must hold
    corpus/NAME/   inputs that reach every part of it, and all that ever failed (corpus/ORIGINS.md)

Each run replays the corpus and fuzzes a little. `make fuzz` fuzzes each target for half an hour; any other time is
LIGHTTLS_FUZZ_SECONDS per target. What fails is left in build/fuzz/: mend it, then put the input into the corpus.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from support import require
from support.workshop import SANITIZE, STRICT, Workshop, compiled, run

HERE = Path(__file__).parent
FAILURES = require.REPOSITORY / "build" / "fuzz"

SECONDS = int(os.environ.get("LIGHTTLS_FUZZ_SECONDS") or (15 if os.environ.get("CI") else 3))
PLANTED_SECONDS = 120
"""Enough on a busy machine for what takes ten seconds on an idle one."""

pytestmark = pytest.mark.timeout(SECONDS + PLANTED_SECONDS + 300)

RELAXED = [flag for flag in STRICT if flag not in ("-Wpedantic", "-Wconversion")]

MAX_LEN = {"records": 600, "signature": 600, "padding": 400, "key": 1200, "certificate": 900}
"""Longer inputs say nothing that shorter ones do not; RSA keys of 8192 bits take 1060 bytes."""

target = pytest.mark.parametrize("target", MAX_LEN)


class Targets:
    """Compiles each target once."""

    def __init__(self, folder: Path) -> None:
        self._workshop = Workshop(folder)

    def program(self, name: str, *flags: str) -> Path:
        objects = self._workshop.core("clang", [*SANITIZE, "-fsanitize=fuzzer-no-link"])
        program = objects[0].parent / "-".join([name, *flags])
        if not program.exists():
            source = HERE / f"fuzz_{name}.c"
            include = f"-I{self._workshop.csrc}"
            clang = require.command("clang")
            compiled(clang, *RELAXED, *SANITIZE, "-fsanitize=fuzzer", *flags, include, source, *objects, "-o", program)
        return program


@pytest.fixture(scope="session")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Targets:
    return Targets(tmp_path_factory.mktemp("fuzz"))


def corpus(name: str) -> Path:
    return HERE / "corpus" / name


def limits(name: str) -> list[str]:
    return ["-timeout=60", "-rss_limit_mb=2048", f"-max_len={MAX_LEN[name]}"]


def test_every_target_is_listed() -> None:
    assert {path.stem.removeprefix("fuzz_") for path in HERE.glob("fuzz_*.c")} == set(MAX_LEN)


@target
def test_nothing_fails_in_the_corpus(targets: Targets, target: str) -> None:
    inputs = sorted(corpus(target).iterdir())
    assert len(inputs) > 10
    result = run(targets.program(target), *limits(target), *inputs)
    assert result.returncode == 0, result.stderr[-4000:]


def look_for_inputs(program: Path, target: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return run(
        program,
        *limits(target),
        f"-max_total_time={SECONDS}",
        f"-artifact_prefix={FAILURES}/{target}-",
        "-print_final_stats=1",
        folder,
        corpus(target),
    )


@pytest.fixture(scope="module")
def searches(
    request: pytest.FixtureRequest, targets: Targets, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[subprocess.CompletedProcess[str]]]]:
    """One for each target that was chosen, as many at a time as there are processors."""
    FAILURES.mkdir(parents=True, exist_ok=True)
    tests = [item for item in request.session.items if isinstance(item, pytest.Function)]
    chosen = [
        test.callspec.params["target"] for test in tests if test.function is test_nothing_fails_in_inputs_made_from_it
    ]
    programs = {target: targets.program(target) for target in chosen}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield {
            target: pool.submit(look_for_inputs, program, target, tmp_path_factory.mktemp(target))
            for target, program in programs.items()
        }
        pool.shutdown(cancel_futures=True)


@target
def test_nothing_fails_in_inputs_made_from_it(
    searches: dict[str, Future[subprocess.CompletedProcess[str]]], target: str
) -> None:
    result = searches[target].result()
    print("\n".join(line for line in result.stderr.splitlines() if line.startswith("stat::") or "DONE" in line))
    assert result.returncode == 0, result.stderr[-4000:]


@pytest.mark.parametrize(
    ("target", "error", "words"),
    [
        ("records", "LT_PLANTED_OVERRUN", "AddressSanitizer: heap-buffer-overflow"),
        ("records", "LT_PLANTED_FORGERY", "not so: "),
        ("signature", "LT_PLANTED_TRAILER", "not so: "),
        ("padding", "LT_PLANTED_PADDING", "not so: "),
        ("key", "LT_PLANTED_POINT", "not so: "),
        ("certificate", "LT_PLANTED_SECOND", "not so: "),
    ],
)
def test_planted_error_is_found(targets: Targets, target: str, error: str, words: str, tmp_path: Path) -> None:
    result = run(
        targets.program(target, f"-D{error}"),
        *limits(target),
        f"-max_total_time={PLANTED_SECONDS}",
        "-seed=1",
        f"-artifact_prefix={tmp_path}/",
        tmp_path,
        corpus(target),
    )
    assert result.returncode != 0, "not found"
    assert words in result.stderr
