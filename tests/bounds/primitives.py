"""Functions that are not run but known: loads and stores, masks, and what models of instructions say with them.

Vector code is run in one lane that stands for all, see model/immintrin.h. What another lane holds has the bounds of
this one and nothing else in common with it.
"""

from __future__ import annotations

from collections.abc import Callable

from bounds.memory import WORD, Int
from bounds.operators import Operators, Typed, Unsupported
from bounds.terms import Poly
from bounds.values import Number, number

WITHOUT_RESULT = {"lt_wipe", "lt_store32_le", "lt_store32_be", "lt_store64_le", "lt_store64_be", "lt_copy"}
LOADS = {"lt_load32_le": 32, "lt_load32_be": 32, "lt_load64_le": 64, "lt_load64_be": 64}


class Primitives:
    """Known functions on one path."""

    def __init__(self, operators: Operators, tells_cases_apart: bool) -> None:
        self.operators = operators
        self.do = operators.do
        self.tells_cases_apart = tells_cases_apart
        self.start_block()
        self.known: dict[str, Callable[..., Number]] = {
            "lt_ct_hide": lambda a: a,
            "lanes_hide": lambda a: a,
            "lt_ct_is_zero": lambda a: self.mask(self.do.is_zero(a)),
            "lt_ct_eq": lambda a, b: self.mask(operators.compare("==", a, b, 64)),
            "lt_ct_lt": lambda a, b: self.mask(self.do.less(a, b, 64)),
            "lt_ct_select": self.select,
            "another_lane": self.another_lane,
            "one_of": self.one_of,
        }

    @staticmethod
    def has_no_result(name: str) -> bool:
        return name in WITHOUT_RESULT or name.startswith("lt_wipe")

    def call(self, name: str, arguments: list[Typed]) -> Typed | None:
        """None if the function is none of these."""
        if name in LOADS:
            return Typed(self.load(LOADS[name]), Int(LOADS[name]))
        if name in self.known:
            return Typed(self.known[name](*(typed.value for typed in arguments)), WORD)
        return None

    def start_block(self) -> None:
        self.block, self._block_bits = Poly({}), 0

    def load(self, bits: int) -> Number:
        loaded = self.do.fresh(0, (1 << bits) - 1)
        self.block = self.block + loaded.poly.scaled(1 << self._block_bits)
        self._block_bits += bits
        return loaded

    def mask(self, bit: Number) -> Number:
        return self.do.subtract(number(0), bit, 64)

    def select(self, mask: Number, a: Number, b: Number) -> Number:
        mask = self.do.settled(mask)
        if mask.constant is not None:
            return a if mask.constant else b
        return self.do.fresh(min(a.lo, b.lo), max(a.hi, b.hi))

    def another_lane(self, a: Number) -> Number:
        if self.tells_cases_apart and a.constant is None:
            raise Unsupported("what is known of one lane only in this case may be wrong in another lane")
        return self.do.fresh(a.lo, a.hi)

    def one_of(self, a: Number, b: Number) -> Number:
        """a in some lanes, b in others."""
        if a.constant is not None and a.constant == b.constant:
            return a
        zeros = min(a.zeros, b.zeros)
        steps = self.do.fresh(min(a.lo, b.lo) >> zeros, max(a.hi, b.hi) >> zeros)
        return self.do.of(steps.poly.scaled(1 << zeros), steps.lo << zeros, steps.hi << zeros, zeros=zeros)
