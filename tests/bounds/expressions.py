"""Arithmetic as contracts write it: `2p - 2^223`, `16p^2`, `a b / 2^260`, `38 excess`, `out->v[0] + 2^51 h1`."""

from __future__ import annotations

import re
from collections.abc import Callable

from bounds.terms import Poly

NAME = r"[A-Za-z_]\w*(?:(?:->|\.)\w+|\[\d+\])*"
TOKEN = re.compile(rf"\s*(?:(?P<number>0x[0-9a-fA-F]+|\d+)|(?P<name>{NAME})|(?P<sign>[-+*/^()]))")


class BadContract(Exception):
    """A clause that cannot be read."""


def tokens(text: str) -> list[tuple[str, str]]:
    found, position = [], 0
    text = text.strip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise BadContract(f"cannot read «{text[position:]}»")
        found.append((match.lastgroup or "", match[0].strip()))
        position = match.end()
    return found


class _Reader:
    def __init__(self, text: str, lookup: Callable[[str], Poly]) -> None:
        self.text = text
        self.left = tokens(text)
        self.lookup = lookup

    def sign(self) -> str:
        return self.left[0][1] if self.left and self.left[0][0] == "sign" else ""

    def sum(self) -> Poly:
        negative = self.sign() == "-"
        if negative:
            self.left.pop(0)
        total = self.product().scaled(-1 if negative else 1)
        while self.sign() in ("+", "-"):
            factor = 1 if self.left.pop(0)[1] == "+" else -1
            total = total.plus(self.product(), factor)
        return total

    def product(self) -> Poly:
        result = self.power()
        while self.left and self.sign() not in ("+", "-", ")"):
            if self.sign() == "/":
                self.left.pop(0)
                divisor = self.power().constant
                if not divisor or divisor & (divisor - 1):
                    raise BadContract(f"«{self.text}» divides by no power of two")
                result = result.scaled(1, divisor.bit_length() - 1)
                continue
            if self.sign() == "*":
                self.left.pop(0)
            result = result.times(self.power())
        return result

    def power(self) -> Poly:
        base = self.atom()
        if self.sign() != "^":
            return base
        self.left.pop(0)
        exponent = self.atom().constant
        if exponent is None or exponent > 1024:
            raise BadContract(f"«{self.text}» has no plain exponent")
        if (n := base.constant) is not None:
            return Poly.number(n**exponent)
        result = Poly.number(1)
        for _ in range(exponent):
            result = result.times(base)
        return result

    def atom(self) -> Poly:
        if not self.left:
            raise BadContract(f"«{self.text}» ends too early")
        kind, word = self.left.pop(0)
        if kind == "number":
            return Poly.number(int(word, 0))
        if kind == "name":
            return self.lookup(word)
        if word == "(":
            inner = self.sum()
            if self.sign() != ")":
                raise BadContract(f"«{self.text}» lacks )")
            self.left.pop(0)
            return inner
        raise BadContract(f"«{word}» in «{self.text}»")


def value_of(text: str, lookup: Callable[[str], Poly]) -> Poly:
    reader = _Reader(text, lookup)
    result = reader.sum()
    if reader.left:
        raise BadContract(f"«{reader.left[0][1]}» in «{text}»")
    return result
