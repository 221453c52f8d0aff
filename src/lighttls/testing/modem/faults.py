"""What goes wrong, and when: a script for a simulated modem.

Ordinal numbers count from 1 over the life of the module: the third command, the second prompt. Bytes are counted from 0
in each direction of the serial line. Chances are probabilities from 0 to 1, drawn from `seed`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

Ordinals = Iterable[int]


@dataclass(kw_only=True)
class Faults:
    seed: int = 0
    split: float = 0.0  # chance that what one side writes reaches the other in pieces
    stray_news: float = 0.0  # chance of an unrelated unsolicited line before each line, echo and prompt
    bare_prompts: bool = False  # no space after ">"
    late_prompts: float = 0.0  # seconds
    lost_prompts: Ordinals = ()
    send_fails: float = 0.0  # chance that the module says it has no room
    truncated: Ordinals = ()  # answers that break off in the middle
    late_results: float = 0.0  # seconds more for each final result
    lost_news: float = 0.0  # chance that news of received data is lost
    lost_closes: float = 0.0  # chance that news of a connection's end is lost
    slow_news: float = 0.0  # seconds by which all news lag
    echo_on_at: int | None = None  # command before which the module turns its echo on
    reset_at: int | None = None  # command that makes the module start anew
    silent_reset_at: int | None = None  # likewise, and it does not say so
    data_lost_at: int | None = None  # command after which the network ends the data connection
    peer_closes_at: int | None = None  # command after which every peer closes
    frozen_at: int | None = None  # command from which on the module says nothing
    flipped_to_host: Ordinals = ()  # bytes of which one bit changes on the line
    dropped_to_host: Ordinals = ()  # bytes that are lost
    flipped_to_modem: Ordinals = ()
    dropped_to_modem: Ordinals = ()
    flipped_payload: Ordinals = ()  # bytes of received payload, counted alone, of which one bit changes
    random: Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)

    def happens(self, chance: float) -> bool:
        return chance > 0 and self.random.random() < chance

    def pieces(self, data: bytes) -> list[bytes]:
        """`data` as it arrives."""
        if len(data) < 2 or not self.happens(self.split):
            return [data]
        cuts = sorted(self.random.randrange(1, len(data)) for _ in range(self.random.randint(1, 3)))
        return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True) if start < end]


class NoisyLine:
    """One direction of a serial line: loses and alters the bytes that the script names."""

    def __init__(self, flipped: Ordinals, dropped: Ordinals) -> None:
        self._flipped = sorted(flipped)
        self._dropped = sorted(dropped)
        self._passed = 0

    def through(self, data: bytes) -> bytes:
        start, self._passed = self._passed, self._passed + len(data)
        hit = [place for place in self._flipped if start <= place < self._passed]
        lost = [place for place in self._dropped if start <= place < self._passed]
        if not hit and not lost:
            return data
        noisy = bytearray(data)
        for place in hit:
            noisy[place - start] ^= 0x04
        for place in reversed(lost):
            del noisy[place - start]
        return bytes(noisy)
