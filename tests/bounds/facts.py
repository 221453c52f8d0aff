"""What is known about the atoms on one path through a function: their bounds, and linear relations between them."""

from __future__ import annotations

from fractions import Fraction

from bounds.terms import CONSTANT, Monomial, Poly, valuation

Interval = tuple[Fraction, Fraction]


class Infeasible(Exception):
    """What is assumed contradicts itself: no input takes this path."""


class Facts:
    def __init__(self) -> None:
        self._lo: list[int] = []
        self._hi: list[int] = []
        self._low_of: dict[int, tuple[Poly, int]] = {}  # atom = poly mod 2^bits
        self._cuts: dict[Poly, list[int]] = {}  # where low parts have been cut off
        self._lows: dict[tuple[Poly, int], Poly] = {}
        self._highs: dict[Poly, tuple[Poly, int]] = {}  # poly >> bits
        self._products: dict[Monomial, int] = {}
        self._solved: dict[int, Poly] = {}
        self._known: list[tuple[Poly, Fraction, Fraction]] = []
        self._naming: dict[Monomial, list[int]] = {}

    # ---- Atoms and facts ----

    def fresh(self, lo: int, hi: int) -> Poly:
        """A number of which nothing is known but its bounds, both inclusive."""
        if lo > hi:
            raise Infeasible
        self._lo.append(lo)
        self._hi.append(hi)
        return Poly.atom(len(self._lo) - 1)

    def resolve(self, poly: Poly) -> Poly:
        """The same number without the atoms that are known, or that equations have expressed by others."""
        while self._solved and any(atom in self._solved for monomial in poly.terms for atom in monomial):
            poly = poly.substituted(self._solved.get)
        return poly

    def assume_product(self, left: Poly, right: Poly, hi: int) -> None:
        """left * right <= hi, where the product is one monomial."""
        (monomial,) = left.times(right).terms
        self._products[monomial] = hi

    def assume(self, poly: Poly, lo: int, hi: int) -> None:
        """lo <= poly <= hi. Infeasible if that contradicts what is known."""
        poly = self.resolve(poly)
        known_lo, known_hi = self.bound(poly)
        if known_lo > hi or known_hi < lo:
            raise Infeasible
        if poly.constant is not None:
            return
        if lo == hi and (atom := self._solvable(poly)) is not None:
            self._solve(poly, atom, lo)
        else:
            self._learn(poly, Fraction(lo), Fraction(hi))
        for _ in range(2):
            for fact in self._known:
                self._tighten(*fact)
        for fact, least, most in self._known:
            known_lo, known_hi = self.bound(fact)
            if known_lo > most or known_hi < least:
                raise Infeasible

    def define(self, poly: Poly, lo: int, hi: int) -> None:
        """lo <= poly <= hi, of a poly with atoms of its own: it says nothing about what was known before."""
        self._learn(self.resolve(poly), Fraction(lo), Fraction(hi))

    def _solvable(self, poly: Poly) -> int | None:
        """The youngest atom that occurs alone, with a power of two as its coefficient."""
        candidates = [m[0] for m, c in poly.terms.items() if len(m) == 1 and c & -c == abs(c)]
        used = [atom for m in poly.terms if len(m) > 1 for atom in m]
        return max((atom for atom in candidates if atom not in used), default=None)

    def _solve(self, poly: Poly, atom: int, value: int) -> None:
        c = poly.terms[(atom,)]
        rest = Poly({m: d for m, d in poly.terms.items() if m != (atom,)}, poly.shift)
        sign = -1 if c > 0 else 1
        expression = (rest - Poly.number(value)).scaled(sign << poly.shift, valuation(c))
        self._solved[atom] = expression
        known, self._known, self._naming = self._known, [], {}
        for fact, lo, hi in known:
            self._learn(self.resolve(fact), lo, hi)
        self._learn(expression, Fraction(self._lo[atom]), Fraction(self._hi[atom]))

    def _learn(self, poly: Poly, lo: Fraction, hi: Fraction) -> None:
        if poly.constant is not None:
            return
        for monomial in poly.terms:
            if monomial != CONSTANT:
                self._naming.setdefault(monomial, []).append(len(self._known))
        self._known.append((poly, lo, hi))
        self._tighten(poly, lo, hi)

    def _tighten(self, poly: Poly, lo: Fraction, hi: Fraction) -> None:
        """Narrow each atom of lo <= poly <= hi by what the other terms leave to it."""
        least, most = self._natural(poly)
        for monomial, numerator in poly.terms.items():
            if len(monomial) != 1:
                continue
            (atom,) = monomial
            c = Fraction(numerator, 1 << poly.shift)
            ends = (c * self._lo[atom], c * self._hi[atom])
            rest_lo, rest_hi = least - min(ends), most - max(ends)
            a, b = sorted(((lo - rest_hi) / c, (hi - rest_lo) / c))
            self._lo[atom] = max(self._lo[atom], -(-a.numerator // a.denominator))
            self._hi[atom] = min(self._hi[atom], b.numerator // b.denominator)
            if self._lo[atom] > self._hi[atom]:
                raise Infeasible
            if self._lo[atom] == self._hi[atom]:
                self._solved[atom] = Poly.number(self._lo[atom])
            ends = (c * self._lo[atom], c * self._hi[atom])
            least, most = rest_lo + min(ends), rest_hi + max(ends)

    # ---- Bounds ----

    def _range(self, monomial: Monomial) -> tuple[int, int]:
        lo, hi = 1, 1
        for atom in monomial:
            ends = (lo * self._lo[atom], lo * self._hi[atom], hi * self._lo[atom], hi * self._hi[atom])
            lo, hi = min(ends), max(ends)
        if monomial in self._products:
            hi = min(hi, self._products[monomial])
        return lo, hi

    def _natural(self, poly: Poly) -> Interval:
        """Each term at its worst, as if they had nothing to do with each other."""
        least = most = 0
        for monomial, c in poly.terms.items():
            lo, hi = self._range(monomial)
            if c < 0:
                lo, hi = hi, lo
            least += c * lo
            most += c * hi
        return Fraction(least, 1 << poly.shift), Fraction(most, 1 << poly.shift)

    def bound(self, poly: Poly, depth: int = 2) -> tuple[int, int]:
        """The least and the greatest integer that the poly can be, as far as the facts tell."""
        lo, hi = self._bound(self.resolve(poly), depth)
        return -(-lo.numerator // lo.denominator), hi.numerator // hi.denominator

    def _bound(self, poly: Poly, depth: int) -> Interval:
        """Its own terms at their worst, or the same of what is left when a multiple of a known fact is split off,
        chosen so that the monomial which contributes most falls away."""
        lo, hi = self._natural(poly)
        if depth == 0 or not self._known:
            return lo, hi
        width = {}
        for monomial, c in poly.terms.items():
            least, most = self._range(monomial)
            width[monomial] = abs(c) * (most - least)
        heaviest = sorted((m for m in width if m in self._naming), key=width.__getitem__)[-2:]
        for monomial in heaviest:
            for index in self._naming[monomial][-8:]:
                fact, fact_lo, fact_hi = self._known[index]
                factor = Fraction(poly.terms[monomial] << fact.shift, fact.terms[monomial] << poly.shift)
                if factor.denominator & (factor.denominator - 1):
                    continue
                rest = poly - fact.scaled(factor.numerator, factor.denominator.bit_length() - 1)
                if len(rest.terms) > len(poly.terms) + len(fact.terms) - 2:
                    continue
                rest_lo, rest_hi = self._bound(rest, depth - 1)
                ends = (factor * fact_lo, factor * fact_hi)
                lo, hi = max(lo, rest_lo + min(ends)), min(hi, rest_hi + max(ends))
        return lo, hi

    # ---- Low and high parts ----

    def _canonical(self, poly: Poly, bits: int) -> Poly:
        """A poly with the same low bits: low parts give way to what they were cut from, coefficients are reduced."""
        modulus_bits = bits + poly.shift

        def source(atom: int) -> Poly | None:
            cut = self._low_of.get(atom)
            return cut[0] if cut is not None and cut[1] >= modulus_bits and cut[0].shift == 0 else None

        poly = self.resolve(poly)
        while any(source(atom) is not None for monomial in poly.terms for atom in monomial):
            poly = poly.substituted(source)
        return Poly({m: c & ((1 << bits + poly.shift) - 1) for m, c in poly.terms.items()}, poly.shift)

    def low(self, poly: Poly, bits: int) -> Poly:
        """poly mod 2^bits."""
        self._cuts.setdefault(poly, []).append(bits)
        lo, hi = self.bound(poly, 0)
        if lo >= 0 and hi < 1 << bits:
            return poly
        if poly.shift == 0 and (even := min(valuation(c) for c in poly.terms.values())):
            return self.low(poly.scaled(1, even), bits - even).scaled(1 << even) if even < bits else Poly({})
        if poly in self._highs:
            source, below = self._highs[poly]
            return (self.low(source, bits + below) - self.low(source, below)).scaled(1, below)
        poly = self._canonical(poly, bits)
        lo, hi = self.bound(poly, 0)
        if lo >= 0 and hi < 1 << bits:
            return poly
        if poly.shift == 0:
            for cut in sorted({valuation(c) for c in poly.terms.values()} - {0}):
                below = Poly({m: c for m, c in poly.terms.items() if valuation(c) < cut})
                lo, hi = self._natural(below)
                if lo >= 0 and hi < 1 << cut and cut < bits:
                    return below + self.low((poly - below).scaled(1, cut), bits - cut).scaled(1 << cut)
        key = (poly, bits)
        if key not in self._lows:
            self._lows[key] = self.fresh(0, (1 << bits) - 1)
            self._low_of[len(self._lo) - 1] = (poly, bits)
        return self.resolve(self._lows[key])

    def high(self, poly: Poly, bits: int, lo: int, hi: int) -> Poly:
        """floor(poly / 2^bits); lo and hi bound the poly. The sign of a number does not depend on how far one shifts:
        shifts beyond its width are all the same, and one is taken whose low part is in use."""
        if lo < 0:
            width = max((-lo - 1).bit_length(), hi.bit_length())
            bits = min((cut for cut in self._cuts.get(poly, ()) if width <= cut <= bits), default=min(bits, width))
        if bits == 0:
            return poly
        high = (poly - self.low(poly, bits)).scaled(1, bits)
        self._highs[high] = poly, bits
        return high
