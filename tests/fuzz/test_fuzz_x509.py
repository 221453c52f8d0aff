"""Fuzzing of the x509 room: whatever a stranger sends, it ends in a verdict (x509_target.py says what is asked).

    corpus/x509/   what fuzzing found worth keeping, reduced, and every input that ever failed

Each run replays the corpus, makes some thousand inputs of the seeds, and lets atheris look for new ways for a few
seconds; `make fuzz` lets it look for half an hour, or for LIGHTTLS_FUZZ_SECONDS. What fails is left in build/fuzz/:
mend it, then put the input into the corpus.
"""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from random import Random

import pytest

from fuzz import der_mutations, x509_seeds, x509_target
from fuzz.test_fuzz import FAILURES, SECONDS
from lighttls.x509 import extensions
from support import require
from support.workshop import run

CORPUS = Path(__file__).parent / "corpus" / "x509"
MAX_LEN = 4096
ROUNDS = 50_000 if require.LONG else 2_000
AT_MOST = min(SECONDS, 6) if os.environ.get("CI") else SECONDS
"""Seconds of atheris; it takes five more to instrument what it imports."""
LONG_ENOUGH = 60
"""Seconds in which the published vectors can be read as well."""

ATHERIS_HERE = sys.platform == "linux" and platform.machine() == "x86_64" and sys.version_info < (3, 14)
"""Where atheris has wheels; the condition stands in pyproject.toml as well."""

pytestmark = pytest.mark.timeout(SECONDS + 600)


def test_seeds_come_through_and_are_understood_by_the_mutations() -> None:
    require.native()
    found = list(x509_seeds.seeds())
    assert {seed[:1] for seed in found} == set(x509_target.KINDS)
    for seed in found:
        x509_target.judge(seed)
        nodes = der_mutations.elements(seed[2:])
        assert seed[:1] == b"t" or (nodes and b"".join(node.encoded() for node in nodes) == seed[2:])


def test_chain_that_nobody_changed_passes() -> None:
    """Otherwise it would prove little that others do not."""
    require.native()
    assert x509_target.good_path().leaf.der == x509_target.LEAF.der


def test_nothing_but_a_verdict_comes_of_the_corpus() -> None:
    require.native()
    for path in sorted(CORPUS.iterdir()):
        try:
            x509_target.judge(path.read_bytes())
        except Exception as failure:
            failure.add_note(f"the input is {path}")
            raise


def test_nothing_but_a_verdict_comes_of_inputs_made_from_the_seeds() -> None:
    require.native()
    judge_mutations(ROUNDS)


def judge_mutations(rounds: int) -> None:
    random = Random(20_261_122)
    found = list(x509_seeds.seeds())
    others = [seed[2:] for seed in found]
    for _ in range(rounds):
        seed = random.choice(found)
        data = seed[:2] + der_mutations.mutated(seed[2:], random, others)
        try:
            x509_target.judge(data)
        except Exception as failure:
            FAILURES.mkdir(parents=True, exist_ok=True)
            (FAILURES / "x509-mutation").write_bytes(data)
            failure.add_note(f"the input is in {FAILURES}/x509-mutation")
            raise


def test_planted_mistake_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader of extensions that trusts a stranger's length once."""
    require.native()
    careful = extensions.READERS[extensions.BASIC_CONSTRAINTS]

    def careless(value: bytes) -> object:
        return careful(value) if value[1] < 0x80 else None

    monkeypatch.setitem(extensions.READERS, extensions.BASIC_CONSTRAINTS, careless)
    with pytest.raises(IndexError):
        judge_mutations(100_000)


@pytest.mark.skipif(not ATHERIS_HERE, reason=f"{require.NO_COMMAND_BRINGS}wheel of atheris")
def test_atheris_finds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require.native()
    require.module("atheris")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    FAILURES.mkdir(parents=True, exist_ok=True)
    write_seeds(tmp_path / "seeds")
    (tmp_path / "new").mkdir()
    result = run(
        Path(sys.executable),
        *("-m", "fuzz.fuzz_x509", f"-max_total_time={AT_MOST}", f"-max_len={MAX_LEN}", "-timeout=10"),
        *(f"-artifact_prefix={FAILURES}/x509-", "-print_final_stats=1"),
        *(tmp_path / "new", CORPUS, tmp_path / "seeds"),
    )
    print("\n".join(line for line in result.stderr.splitlines() if line.startswith("stat::") or "DONE" in line))
    assert result.returncode == 0, (result.stdout + result.stderr)[-4000:]


def write_seeds(folder: Path) -> None:
    folder.mkdir()
    published = x509_seeds.published() if SECONDS > LONG_ENOUGH else ()
    for number, seed in enumerate([*x509_seeds.seeds(), *published]):
        (folder / f"{number:05}").write_bytes(seed)
