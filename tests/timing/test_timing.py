"""The time of no function that handles secrets depends on them, as far as statistics tell (welch.h has the method).

Every implementation that this processor has is timed, by the mask; AEADs with three lengths of text, since ends, single
turns and bulk are code of their own. That takes half a minute. LIGHTTLS_LONG=1 takes forty times as many samples, ten
minutes and more, and the 32-bit code besides. valgrind (tests/c) proves more of less: no branch and no index, but
not for instructions that it does not know. The leaks planted in the family `control` are looked for with the same
numbers of samples and the same procedure.
"""

from __future__ import annotations

import platform

import pytest

from support import engines, require
from support.workshop import FORCE_32BIT, RELEASE, Workshop, run

SOURCE = require.REPOSITORY / "tests" / "timing" / "timing.c"
SCALE = 40 if require.LONG else 1

pytestmark = [
    pytest.mark.timeout(7200 if require.LONG else 120),
    pytest.mark.skipif(
        platform.machine() not in ("x86_64", "aarch64"),
        reason=require.NO_COMMAND_BRINGS + "clock that programs may read",
    ),
]

MATTERS = {
    "aes": ("aesni", "clmul", "avx2", "vaes", "avx512", "neon", "arm_aes"),
    "ccm": ("aesni", "arm_aes"),
    "chacha": ("avx2", "avx512", "ifma", "neon"),
    "exchange": ("bmi2_adx", "ifma"),
    "hash": ("shani", "avx2", "neon", "arm_sha2"),
}
"""Which features choose among the implementations of a family."""


def choices() -> list[tuple[str, int]]:
    """Each family with each choice of implementations that this processor has."""
    found = engines.cpu_features()
    masks = [engines.CPU_MASKS[name] & found for name in engines.masks_here()]
    chosen = {
        (family, mask & sum(engines.CPU_FEATURES[name] for name in names))
        for family, names in MATTERS.items()
        for mask in masks
    }
    return sorted(chosen)


def verdicts(workshop: Workshop, family: str, mask: int, scale: int, *flags: str) -> dict[str, str]:
    """ "leak" or "quiet" by the name of what was timed."""
    result = run(workshop.program(SOURCE, "gcc", [*RELEASE, *flags]), family, mask, scale)
    print(result.stdout + result.stderr)
    assert result.returncode == 0, result.stderr
    rows = (tuple(line.rsplit(": t ", 1)[0].rsplit(": ", 1)) for line in result.stdout.splitlines())
    return dict(rows)


def leaks(found: dict[str, str]) -> list[str]:
    return [name for name, verdict in found.items() if verdict != "quiet"]


@pytest.mark.parametrize(
    ("family", "mask"),
    choices(),
    ids=lambda value: value if isinstance(value, str) else engines.cpu_feature_names(value),
)
def test_time_does_not_depend_on_secrets(workshop: Workshop, family: str, mask: int) -> None:
    found = verdicts(workshop, family, mask, SCALE)
    assert len(found) >= 5
    assert leaks(found) == []


def test_planted_leaks_are_found_and_what_does_not_leak_is_quiet(workshop: Workshop) -> None:
    found = verdicts(workshop, "control", 0, 1)
    assert leaks(found) == [name for name in found if name.startswith("planted leak")]
    assert len(found) - len(leaks(found)) == 2
    assert len(leaks(found)) == 3


if require.LONG:

    @pytest.mark.parametrize("family", ["chacha", "exchange"])
    def test_time_of_32_bit_code_does_not_depend_on_secrets(workshop: Workshop, family: str) -> None:
        assert leaks(verdicts(workshop, family, 0, SCALE // 8, FORCE_32BIT)) == []
