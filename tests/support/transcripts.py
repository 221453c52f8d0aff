"""Conversations with modems, typed from the makers' manuals: what the driver says, and what the simulator answers.

A line is `host:`, `modem:` or `peer:` with the bytes behind it, in which \\r, \\n and \\x… stand for what they do in
Python, or `peer-closes:`. A space at the end counts.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parents[1] / "vectors" / "at"


class Step(NamedTuple):
    who: str
    data: bytes


def transcript(name: str) -> list[Step]:
    steps = []
    for line in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            who, _, text = line.partition(":")
            steps.append(Step(who, text[1:].encode("latin-1").decode("unicode_escape").encode("latin-1")))
    return steps


class Replay:
    """A port that plays the modem's part of a transcript, and fails if the host departs from its own."""

    def __init__(self, steps: list[Step]) -> None:
        self.steps = [step for step in steps if step.who in ("host", "modem")]
        self.now = 0.0
        self.done = 0
        self._said = b""

    def monotonic(self) -> float:
        return self.now

    def write(self, data: bytes) -> None:
        self._said += data
        while self._said:
            expected = self.steps[self.done]
            assert expected.who == "host", f"step {self.done}: the host says {self._said!r} out of turn"
            assert self._said[: len(expected.data)] == expected.data, f"step {self.done}"
            self._said = self._said[len(expected.data) :]
            self.done += 1

    def read(self, n: int, timeout: float | None) -> bytes:
        if self.done < len(self.steps) and self.steps[self.done].who == "modem":
            self.now += 0.01
            self.done += 1
            return self.steps[self.done - 1].data
        assert timeout is not None, f"step {self.done}: both sides wait"
        self.now += timeout
        return b""

    def close(self) -> None:
        assert self.done == len(self.steps), f"the transcript goes on at step {self.done}"
