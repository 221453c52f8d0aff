"""Polynomials over unknown integers, with coefficients whose denominators are powers of two.

Every number a C function computes is written as such a polynomial over atoms: the limbs that come in, and one atom for
each low part that is cut off by a mask, a narrow type or a shift. With lo = x mod 2^k as the atom, what stands above is
(x - lo) / 2^k, so that carries cancel by themselves when limbs are put together again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Monomial = tuple[int, ...]
"""Numbers of atoms in ascending order, each as often as it is a factor; empty for the constant."""

CONSTANT: Monomial = ()


class Poly:
    """sum(coefficient * monomial) / 2^shift, in lowest terms."""

    __slots__ = ("_hash", "shift", "terms")

    def __init__(self, terms: Mapping[Monomial, int], shift: int = 0) -> None:
        kept = {monomial: c for monomial, c in terms.items() if c}
        if shift:
            bits = 1 << shift
            for c in kept.values():
                bits |= c
            common = (bits & -bits).bit_length() - 1
            if common:
                kept = {monomial: c >> common for monomial, c in kept.items()}
                shift -= common
        self.terms = kept
        self.shift = shift
        self._hash: int | None = None

    @staticmethod
    def number(n: int) -> Poly:
        return Poly({CONSTANT: n})

    @staticmethod
    def atom(number: int) -> Poly:
        return Poly({(number,): 1})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Poly) and self.shift == other.shift and self.terms == other.terms

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash((self.shift, frozenset(self.terms.items())))
        return self._hash

    @property
    def constant(self) -> int | None:
        """The number this is, if it is one."""
        if not self.terms:
            return 0
        if len(self.terms) == 1 and self.shift == 0:
            return self.terms.get(CONSTANT)
        return None

    def plus(self, other: Poly, times: int = 1) -> Poly:
        """self + times * other."""
        shift = max(self.shift, other.shift)
        left, right = shift - self.shift, shift - other.shift
        terms = {m: c << left for m, c in self.terms.items()} if left else dict(self.terms)
        times <<= right
        for monomial, c in other.terms.items():
            terms[monomial] = terms.get(monomial, 0) + times * c
        return Poly(terms, shift)

    def scaled(self, factor: int, shift: int = 0) -> Poly:
        """self * factor / 2^shift."""
        return Poly({m: c * factor for m, c in self.terms.items()}, self.shift + shift)

    def times(self, other: Poly) -> Poly:
        terms: dict[Monomial, int] = {}
        for m, c in self.terms.items():
            for n, d in other.terms.items():
                monomial = tuple(sorted(m + n)) if m and n else m or n
                terms[monomial] = terms.get(monomial, 0) + c * d
        return Poly(terms, self.shift + other.shift)

    def __add__(self, other: Poly) -> Poly:
        return self.plus(other)

    def __sub__(self, other: Poly) -> Poly:
        return self.plus(other, -1)

    def substituted(self, replacement: Callable[[int], Poly | None]) -> Poly:
        """Each atom replaced for which there is a replacement."""
        result = Poly({}, 0)
        rest: dict[Monomial, int] = {}
        for monomial, c in self.terms.items():
            factors = [(atom, replacement(atom)) for atom in monomial]
            if all(poly is None for _, poly in factors):
                rest[monomial] = c
                continue
            product = Poly({CONSTANT: c}, 0)
            for atom, poly in factors:
                product = product.times(Poly.atom(atom) if poly is None else poly)
            result = result + product
        return result.scaled(1, self.shift) + Poly(rest, self.shift) if result.terms else Poly(rest, self.shift)

    def is_multiple_of(self, n: int) -> bool:
        """Whatever the atoms are."""
        return self.shift == 0 and all(c % n == 0 for c in self.terms.values())

    def reduced(self, modulus: int) -> Poly:
        """Coefficients modulo `modulus`, which is odd: the same residue times 2^shift."""
        return Poly({m: c % modulus for m, c in self.terms.items()})


def valuation(n: int) -> int:
    """How often 2 divides n, which is not 0."""
    return (n & -n).bit_length() - 1
