"""The drawing of time lines: well formed, on one scale, nothing outside the picture."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from lighttls.cli.flights import Flight
from lighttls.cli.flights_svg import _ticks, svg

SVG = "{http://www.w3.org/2000/svg}"


def flight(direction: str, began: float, ended: float, count: int) -> Flight:
    made = Flight(direction, began)
    made.ended, made.bytes, made.serial_bytes = ended, count, count + 30
    return made


FULL = [flight("sent", 7.0, 7.02, 200), flight("received", 7.15, 7.4, 2000), flight("sent", 7.998, 8.0, 31)]
SHORT = [flight("sent", 3.0, 3.02, 200), flight("received", 3.15, 3.25, 140)]


def test_bars_stand_where_and_as_long_as_the_flights_took_on_one_scale() -> None:
    root = ElementTree.fromstring(svg([("Full", FULL), ("Short", SHORT)], "a line"))
    bars = [
        [
            (float(bar.get("x", "")) - 80, float(bar.get("width", "")), bar.get("fill"))
            for bar in group.iter(f"{SVG}rect")
        ]
        for group in root.iter(f"{SVG}g")
    ]
    assert [(x, width) for x, width, _ in bars[0]] == [(0, 17), (127.5, 212.5), (848.3, 2.0)]
    assert [(x, width) for x, width, _ in bars[1]] == [(0, 17), (127.5, 85)]
    assert bars[0][0][2] == bars[0][2][2] == bars[1][0][2] != bars[0][1][2] == bars[1][1][2]


def test_labels_have_both_counts_and_stay_inside() -> None:
    root = ElementTree.fromstring(svg([("Full", FULL)], "a line"))
    texts = {text.text: float(text.get("x", "")) for text in root.iter(f"{SVG}text")}
    assert {"200 / 230", "2000 / 2030", "31 / 61", "Full: 1000 ms, 2231 / 2321 bytes"} <= set(texts)
    assert texts["31 / 61"] == 915
    assert root.findtext(f"{SVG}title") == "a line"


@pytest.mark.parametrize(
    ("longest", "step"), [(1.0, 1), (12.0, 1), (12.5, 2), (120, 10), (427, 50), (1031, 100), (9e5, 1e5)]
)
def test_ticks_are_round_and_few(longest: float, step: float) -> None:
    ticks = _ticks(longest)
    assert ticks.step == step
    assert 2 <= len(ticks) <= 13


def test_connection_of_one_moment_can_be_drawn() -> None:
    ElementTree.fromstring(svg([("Nothing", [flight("sent", 1.0, 1.0, 0)])], "a line"))
