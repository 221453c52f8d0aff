"""The arithmetic behind every ratio that `make bench` prints."""

from __future__ import annotations

import pytest

from bench.compare import ATTEMPTS, compare, summary


def test_ratio_is_the_median_of_the_rounds_ratios_not_of_their_medians() -> None:
    slow_second = [(1.0, 1.0), (1.0, 1.0), (10.0, 10.0), (10.0, 5.0), (1.0, 2.0)]
    assert summary(slow_second).ratio == 1.0


def test_calm_yardstick_is_measured_once() -> None:
    calls = []
    result = compare(lambda: 2.0, lambda: calls.append(1) or 4.0, rounds=5)
    assert (result.ratio, result.noisy, len(calls)) == (0.5, False, 6)


def test_restless_yardstick_is_repeated_a_bounded_number_of_times_and_marked() -> None:
    times = iter([1.0, 2.0, 3.0] * 100)
    calls = []
    result = compare(lambda: 1.0, lambda: calls.append(1) or next(times), rounds=5)
    assert result.noisy
    assert len(calls) == 6 * ATTEMPTS


@pytest.mark.parametrize("sides", [("ours", "theirs"), ("theirs", "ours")])
def test_sides_alternate_within_rounds(sides: tuple[str, str]) -> None:
    order: list[str] = []
    compare(lambda: order.append("ours") or 1.0, lambda: order.append("theirs") or 1.0, rounds=3)
    pairs = list(zip(order[::2], order[1::2], strict=True))
    assert pairs.count(sides) == 2
