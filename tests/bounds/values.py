"""What C operators do to numbers of which only bounds and a polynomial are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bounds.facts import Facts
from bounds.terms import Poly


@dataclass(frozen=True, slots=True)
class Number:
    """An integer: lo <= poly <= hi."""

    poly: Poly
    lo: int
    hi: int
    zeros: int = 0
    """How many low bits are known to be 0."""
    bit: tuple[int, Poly] | None = None
    """The number is factor * bit: a mask, for instance."""
    whole: Number | None = None
    """What a narrower type or a wrap-around has cut this from,"""
    width: int = 0
    """and to how many bits."""
    addends: tuple[Poly, ...] = ()
    """Of which numbers `whole` is the sum: sum < addend tells whether it wrapped around."""
    passing: bool = False
    """Wrapped around in the middle of an expression, whose later terms may bring it back."""
    xor: tuple[Number, Number] | None = None
    parts: tuple[Number, Number] | None = None
    """Whose bits have been put together to this, none in the same place."""

    @property
    def constant(self) -> int | None:
        return self.lo if self.lo == self.hi else None


def number(n: int) -> Number:
    return Number(Poly.number(n), n, n, zeros=(n & -n).bit_length() - 1 if n else 64)


@dataclass
class Arithmetic:
    """Operators on one path. `fork` chooses one of two cases, or gives None where cases are not told apart."""

    facts: Facts
    fork: Callable[[], bool | None]
    debts: dict[Poly, str] = field(default_factory=dict)
    """Numbers that lost high bits to a cast or wrapped around, and where."""
    carries: list[Poly] = field(default_factory=list)
    paid: set[Poly] = field(default_factory=set)
    """Numbers whose high bits somebody took, or masked on purpose."""

    def fresh(self, lo: int, hi: int) -> Number:
        return number(lo) if lo == hi else Number(self.facts.fresh(lo, hi), lo, hi)

    def of(self, poly: Poly, lo: int, hi: int, **more: object) -> Number:
        poly = self.facts.resolve(poly)
        if poly.constant is not None:
            return number(poly.constant)
        return Number(poly, lo, hi, **more) if lo != hi else number(lo)  # type: ignore[arg-type]

    def bit(self, value: Number) -> tuple[int, Poly] | None:
        if value.bit is None and value.lo == 0 and value.hi == 1:
            return 1, value.poly
        return value.bit

    def settled(self, value: Number) -> Number:
        """The number as a constant if it is one bit times a factor and cases are told apart."""
        two_valued = self.bit(value)
        if two_valued is None or value.constant is not None:
            return value
        factor, bit = two_valued
        bit = self.facts.resolve(bit)
        if (known := bit.constant) is None:
            if (choice := self.fork()) is None:
                return value
            known = int(choice)
            self.facts.assume(bit, known, known)
            self.settle_carries()
        return number(factor * known)

    def _fit(self, value: Number, bits: int, where: str) -> Number:
        """The number in an unsigned type."""
        if value.lo >= 0 and value.hi < 1 << bits:
            return value
        lo, hi = self.facts.bound(value.poly)
        value = replace(value, lo=max(lo, value.lo), hi=min(hi, value.hi))
        if value.lo >= 0 and value.hi < 1 << bits:
            return value
        self.debts.setdefault(value.poly, where)
        even = min(value.zeros, bits)
        low = self.facts.low(value.poly.scaled(1, even), bits - even).scaled(1 << even)
        if (value.hi >> bits) - (value.lo >> bits) <= 3:  # it may turn out later that it never or always wraps around
            self.carries.append(self.facts.high(value.poly, bits, value.lo, value.hi))
        most = (1 << bits) - (1 << even)
        return self.of(low, 0, most, zeros=value.zeros, whole=value, width=bits, addends=value.addends)

    def convert(self, value: Number, bits: int, signed: bool, where: str) -> Number:
        if signed:
            if value.lo >= 0 and 1 << bits - 1 <= value.hi < 1 << bits:  # C leaves it to the compiler, ours wrap around
                return replace(self.fresh(-(1 << bits - 1), (1 << bits - 1) - 1), whole=value, width=bits)
            if value.lo < -(1 << bits - 1) or value.hi >= 1 << bits - 1:
                raise OverflowError(f"{where}: {value.lo} to {value.hi} in a signed type")
            return value
        if value.lo < 0 and value.whole is not None and value.whole.lo >= 0 and value.width == bits:
            return value.whole  # it was unsigned before
        if value.bit is not None and value.hi >= 1 << bits:
            factor, bit = value.bit
            factor &= (1 << bits) - 1
            return self.of(bit.scaled(factor), 0, factor, bit=(factor, bit))
        if value.whole is not None and value.hi >= 1 << bits:
            value = value.whole
        return self._fit(value, bits, where)

    def settle_carries(self, *some: Poly) -> None:
        """Carries and borrows that never or always come, as far as is known by now, become constants."""
        for carry in some or self.carries:
            lo, hi = self.facts.bound(carry)
            if lo == hi and self.facts.resolve(carry).constant is None:
                self.facts.assume(carry, lo, hi)

    # ---- Sums and products: the caller converts the result to its type ----

    def _summand(self, value: Number, bits: int) -> Number:
        """Sums go on with a number as it was before it wrapped around: it is the same modulo 2^bits."""
        if value.whole is not None and value.width == bits and (value.passing or value.whole.lo < 0):
            self.paid.add(value.whole.poly)
            return value.whole
        return value

    def add(self, a: Number, b: Number, bits: int) -> Number:
        left, right = self._summand(a, bits), self._summand(b, bits)
        addends = (a.poly, b.poly) if left is a and right is b else ()
        lo, hi = left.lo + right.lo, left.hi + right.hi
        return self.of(left.poly + right.poly, lo, hi, zeros=min(a.zeros, b.zeros), addends=addends)

    def subtract(self, a: Number, b: Number, bits: int) -> Number:
        if a.constant == 0 and (two_valued := self.bit(b)) is not None:
            factor, bit = -two_valued[0] & ((1 << bits) - 1), two_valued[1]
            return self.of(bit.scaled(factor), 0, factor, bit=(factor, bit))
        a, b = self._summand(a, bits), self._summand(b, bits)
        return self.of(a.poly - b.poly, a.lo - b.hi, a.hi - b.lo, zeros=min(a.zeros, b.zeros))

    def multiply(self, a: Number, b: Number) -> Number:
        if a.constant is not None or b.constant is not None:
            a, b = self.settled(a), self.settled(b)
        ends = (a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi)
        return self.of(a.poly.times(b.poly), min(ends), max(ends), zeros=min(a.zeros + b.zeros, 64))

    # ---- Shifts ----

    def shift_left(self, a: Number, n: int, bits: int, where: str) -> Number:
        shifted = self.of(a.poly.scaled(1 << n), a.lo << n, a.hi << n, zeros=min(a.zeros + n, 64))
        fitted = self._fit(shifted, bits, where)
        if self.debts.pop(shifted.poly, None) is not None:
            self.debts[a.poly] = where  # until somebody shifts the same number to the right
        return fitted

    def shift_right(self, a: Number, n: int, bits: int) -> Number:
        if n == 0:
            return a
        if a.bit is not None:
            factor, bit = a.bit
            return self.of(bit.scaled(factor >> n), 0, factor >> n, bit=(factor >> n, bit))
        whole = a.whole
        if whole is not None and a.width == bits and -(1 << n) <= whole.lo < 0 and whole.hi < 1 << n:
            self.paid.add(whole.poly)
            borrow = self.facts.high(whole.poly, n, whole.lo, whole.hi).scaled(-1)
            self.carries.append(borrow)
            factor = (1 << bits - n) - 1
            return self.of(borrow.scaled(factor), 0, factor, bit=(factor, borrow))
        self.paid.add(a.poly)
        if a.hi >> n == 0:
            return number(0)
        high = self.facts.high(a.poly, n, a.lo, a.hi)
        if a.hi >> n == 1:
            self.carries.append(high)
            self.settle_carries(high)
        return self.of(high, a.lo >> n, a.hi >> n)

    # ---- Bits ----

    def both(self, a: Number, b: Number, bits: int) -> Number:
        if b.constant is None and (a.constant is not None or (a.bit is not None and b.bit is None)):
            a, b = b, a
        if b.constant is not None:
            if a.bit is not None and a.bit[0] == (1 << bits) - 1 and b.constant > 1:
                a = self.settled(a)  # a mask: all of the constant or nothing
            return self._masked(a, b.constant, bits)
        mask = self.settled(b)
        if mask.constant is not None:
            return self._masked(a, mask.constant, bits)
        return self.fresh(0, min(a.hi, b.hi))

    def _masked(self, a: Number, mask: int, bits: int) -> Number:
        if mask == 0:
            return number(0)
        if a.constant is not None:
            return number(a.constant & mask)
        if mask == (1 << bits) - 1:
            return a
        if a.bit is not None:
            factor, bit = a.bit
            return self.of(bit.scaled(factor & mask), 0, factor & mask, bit=(factor & mask, bit))
        width = mask.bit_length()
        if mask == (1 << width) - 1:
            if a.parts is not None and a.hi > mask:
                return self.either(self._masked(a.parts[0], mask, bits), self._masked(a.parts[1], mask, bits))
            whole = a if a.whole is None else a.whole
            if whole.lo >= 0 and whole.hi <= mask:
                return whole
            self.paid.add(whole.poly)
            low = self.facts.low(whole.poly, width)
            return self.of(low, 0, mask, zeros=a.zeros)
        dropped = ~mask & ((1 << bits) - 1)
        if dropped & (dropped + 1) == 0:
            return self.of(a.poly - self.facts.low(a.poly, dropped.bit_length()), 0, a.hi, zeros=dropped.bit_length())
        zeros = (mask & -mask).bit_length() - 1
        multiple = self.facts.fresh(0, min(mask, a.hi) >> zeros)
        return self.of(multiple.scaled(1 << zeros), 0, min(mask, a.hi), zeros=zeros)

    def either(self, a: Number, b: Number) -> Number:
        if a.constant is not None and b.constant is not None:
            return number(a.constant | b.constant)
        for high, low in ((a, b), (b, a)):
            if low.constant == 0:
                return high
            if low.hi < 1 << high.zeros:
                zeros = min(a.zeros, b.zeros)
                total = (high.poly + low.poly, high.lo + low.lo, high.hi + low.hi)
                return self.of(*total, zeros=zeros, parts=(high, low))
        if self.bit(a) is not None and self.bit(b) is not None:
            a, b = self.settled(a), self.settled(b)
            if a.constant is not None and b.constant is not None:
                return number(a.constant | b.constant)
        return self.fresh(max(a.lo, b.lo), (1 << max(a.hi, b.hi).bit_length()) - 1)

    def differs(self, a: Number, b: Number, bits: int) -> Number:
        if a.constant is not None:
            a, b = b, a
        if b.constant == 0:
            return a
        if a.constant is not None and b.constant is not None:
            return number(a.constant ^ b.constant)
        if b.constant == (1 << bits) - 1:
            return self.inverted(a, bits)
        if b.constant == 1 and (a.lo, a.hi) == (0, 1):
            return self.of(Poly.number(1) - a.poly, 0, 1)
        if a.poly == b.poly:
            return number(0)
        for pair, other in ((a.xor, b), (b.xor, a)):
            if pair is not None:
                for i in range(2):
                    if self.facts.resolve(pair[i].poly) == self.facts.resolve(other.poly):
                        return pair[1 - i]
        if a.bit is not None and b.bit is not None and a.bit[0] == b.bit[0]:
            bit = self.facts.fresh(0, 1)
            return self.of(bit.scaled(a.bit[0]), 0, a.bit[0], bit=(a.bit[0], bit))
        return replace(self.fresh(0, (1 << max(a.hi, b.hi).bit_length()) - 1), xor=(a, b))

    def inverted(self, a: Number, bits: int) -> Number:
        ones = (1 << bits) - 1
        inverse = self.of(Poly.number(ones) - a.poly, ones - a.hi, ones - a.lo)
        if a.bit is not None and a.bit[0] == ones:
            inverse = replace(inverse, bit=(ones, Poly.number(1) - a.bit[1]))
        return inverse

    # ---- Comparisons: 1 or 0 ----

    def less(self, a: Number, b: Number, bits: int) -> Number:
        if a.hi < b.lo:
            return number(1)
        if a.lo >= b.hi:
            return number(0)
        if a.whole is not None and a.width == bits and a.whole.lo >= 0 and b.poly in a.addends:
            self.paid.add(a.whole.poly)
            return self.of(self.facts.high(a.whole.poly, bits, a.whole.lo, a.whole.hi), 0, a.whole.hi >> bits)
        choice = self.fork()
        if choice is None:
            return self.fresh(0, 1)
        size = 1 << 600
        self.facts.assume(a.poly - b.poly, *((-size, -1) if choice else (0, size)))
        return number(int(choice))

    def is_zero(self, a: Number) -> Number:
        if a.lo > 0 or a.hi < 0:
            return number(0)
        if a.constant == 0:
            return number(1)
        choice = self.fork()
        if choice is None:
            return self.fresh(0, 1)
        self.facts.assume(a.poly, *((0, 0) if choice else (1, a.hi)))
        return number(int(choice))
