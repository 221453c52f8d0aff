"""What C operators make of typed values: promotions, conversions, pointers; values.py has the arithmetic."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from bounds.memory import INT, Bytes, CType, Int, Place
from bounds.values import Arithmetic, Number, number


class Unsupported(Exception):
    """C that this tool does not understand: the function is not proven."""


@dataclass
class Typed:
    value: Any
    type: CType


@dataclass
class Operators:
    """Operators on one path."""

    do: Arithmetic

    @staticmethod
    def promoted(typed: Typed) -> Typed:
        return Typed(typed.value, INT) if isinstance(typed.type, Int) and typed.type.bits < 32 else typed

    def binary(self, op: str, left: Typed, right: Typed, where: str) -> Typed:
        if isinstance(left.value, Place):
            if isinstance(right.value, Place) or op not in ("+", "-"):
                return Typed(self.do.fresh(0, 1), INT)
            place = left.value
            if isinstance(place.container, Bytes):
                return left
            offset = right.value.constant
            if offset is None:
                raise Unsupported(f"{where}: pointer plus something unknown")
            return Typed(place.moved(offset if op == "+" else -offset), left.type)
        if not isinstance(left.value, Number) or not isinstance(right.value, Number):
            return Typed(self.do.fresh(0, 1), INT)
        left, right = self.promoted(left), self.promoted(right)
        a, b = left.value, right.value
        if op in ("<<", ">>"):
            if b.constant is None:
                return Typed(self.do.fresh(0, a.hi if op == ">>" else left.type.top), left.type)
            if left.type.signed and a.constant is None:
                raise Unsupported(f"{where}: shift of a signed number")
            if op == "<<":
                return Typed(self.do.shift_left(a, b.constant, left.type.bits, where), left.type)
            return Typed(self.do.shift_right(a, b.constant, left.type.bits), left.type)
        common = self.common(left.type, right.type)
        bits = common.bits
        a = self.do.convert(a, bits, common.signed, where)
        b = self.do.convert(b, bits, common.signed, where)
        if op in ("<", ">", "<=", ">=", "==", "!="):
            return Typed(self.compare(op, a, b, bits), INT)
        if op == "-" and not common.signed and (a.constant, b.constant) == (0, 1):
            return Typed(number((1 << bits) - 1), common)  # the mask of a bit that is known
        result = self.do.convert(self.calculate(op, a, b, bits), bits, common.signed, where)
        return Typed(replace(result, passing=result.whole is not None), common)

    @staticmethod
    def common(left: Int, right: Int) -> Int:
        """The usual arithmetic conversions, C99 section 6.3.1.8."""
        if left.bits != right.bits:
            return left if left.bits > right.bits else right
        return Int(left.bits, left.signed and right.signed)

    def calculate(self, op: str, a: Number, b: Number, bits: int) -> Number:
        if op == "+":
            return self.do.add(a, b, bits)
        if op == "-":
            return self.do.subtract(a, b, bits)
        if op == "*":
            return self.do.multiply(a, b)
        if op == "&":
            return self.do.both(a, b, bits)
        if op == "|":
            return self.do.either(a, b)
        if op == "^":
            return self.do.differs(a, b, bits)
        if a.constant is not None and b.constant:
            quotient = abs(a.constant) // abs(b.constant) * (1 if a.constant * b.constant >= 0 else -1)
            return number(quotient if op == "/" else a.constant - quotient * b.constant)
        if op == "%":
            return self.do.fresh(0, max(b.hi - 1, 0))
        return self.do.fresh(0, a.hi)

    def compare(self, op: str, a: Number, b: Number, bits: int) -> Number:
        if op in ("==", "!="):
            equal = self.do.is_zero(self.do.of(a.poly - b.poly, a.lo - b.hi, a.hi - b.lo))
            return equal if op == "==" else self.do.differs(equal, number(1), 32)
        if op in (">", "<="):
            a, b = b, a
        less = self.do.less(a, b, bits)
        return less if op in ("<", ">") else self.do.differs(less, number(1), 32)
