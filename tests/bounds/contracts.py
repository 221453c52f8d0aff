"""What contracts mean. They are assumed of what goes into a function, checked of what comes out; at calls the reverse.

limbs < E, words < E         every limb of every array or field element that the clause is about: of the const
                             parameters before (of all, if none is const), of the others after
value < E, below E           the same of the number that the limbs form together
tight                        a class, as the head of the file that defines the field element declares it:
                             ` *   tight   limbs < 2^52, value < 2p - 2^223`
a limbs < E, a below E, ...  the same of one parameter, or of a part of it: s->x_2, out->v[0]. Field elements inside
                             of what is named are meant too, and other integers there may be anything
any, a any                   no bound but the type's
k < E, a b < E, 2^256 top + a < E
                             a bound of an integer, a product or a sum; < may be <=
a multiple of N              what it says
mask is a mask               0 or all ones
f.s = 5 f.r                  before: so it must be, exactly
out = a b / 2^260 (mod p)    an equation; `result` is what is returned, names on the right are values before. Without
                             (mod ...) it holds as it stands
a is a or b                  one of two, limb by limb
a limbs < b limbs + E        after: limb by limb, b being as it was before

`result` is what is returned. Structs that are passed by value count as const, a struct that is returned as not const.
In an invariant, an equation says what a turn of the loop does: names on the right are values before it, and `block` is
what its loads have read, end to end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from bounds.expressions import NAME, BadContract, tokens, value_of
from bounds.machine import Returned
from bounds.memory import WORD, Bytes, Int, Place, Pointer, Record
from bounds.names import Names, Vector
from bounds.terms import Poly, valuation
from bounds.values import Number

BOUND = re.compile(r"(.*\S) (<=|<) (.*)")
LIMBS = re.compile(rf"(?:({NAME}) )?(?:limbs|words) (<=|<) (.*)")
VALUE = re.compile(rf"(?:({NAME}) )?(?:value (<|<=)|(below)) (.*)")
CLASS = re.compile(rf"(?:({NAME}) )?(\w+)")
MASK = re.compile(rf"({NAME}) is a mask")
CHOICE = re.compile(rf"({NAME}) is ({NAME}) or ({NAME})")
MULTIPLE = re.compile(rf"({NAME}) multiple of (.*)")
GROWTH = re.compile(rf"({NAME}) limbs < ({NAME}) limbs \+ (.*)")
EQUATION = re.compile(r"(.*\S) = (.*?)(?: \(mod (.*)\))?")


@dataclass
class Limit:
    """Greatest limb and greatest value; None where only the limbs bound it."""

    limb: int | None = None
    value: int | None = None


class Meaning(Names):
    """What the clauses of a function's contract say, at one moment of one path."""

    # ---- Clauses that bound vectors ----

    def subjects(self, name: str | None, after: bool) -> list[Place]:
        if name is not None:
            return [self.find(name)]
        constant: list[Place] = []
        others: list[Place] = []
        for key, place in self.scope.items():
            if isinstance(place.type, Pointer):
                (constant if place.type.constant else others).append(place)
            elif isinstance(place.type, Record):
                (others if key == "result" else constant).append(place)
        return others if after or not constant else constant

    def limit(self, clause: str, after: bool) -> tuple[list[Place], Limit] | None:
        """What a clause says about vectors; None if it is of another kind."""
        if clause == "any":
            return self.subjects(None, after), Limit()
        if GROWTH.fullmatch(clause):
            return None
        if found := LIMBS.fullmatch(clause):
            return self.subjects(found[1], after), Limit(limb=self.numeral(found[3]) - (found[2] == "<"))
        if found := VALUE.fullmatch(clause):
            return self.subjects(found[1], after), Limit(value=self.numeral(found[4]) - (found[2] != "<="))
        if (found := CLASS.fullmatch(clause)) and (found[2] == "any" or found[2] in self.defining().classes):
            total = Limit()
            for part in self.defining().classes.get(found[2], ()):
                inner = self.limit(part, after)
                assert inner is not None
                total = _stricter(total, inner[1])
            return self.subjects(found[1], after), total
        return None

    # ---- Before: assumed of a function on its own, checked at its calls ----

    def assume_before(self) -> None:
        limits: dict[int, tuple[Vector, Limit]] = {}
        later = []
        for clause in self.contract.before:
            bounded = self.limit(clause, after=False)
            if bounded is None:
                later.append(clause)
                continue
            for place in bounded[0]:
                self._set_integers(place)
                for vector in self.vectors(place):
                    known = limits.get(id(vector.limbs), (vector, Limit()))[1]
                    limits[id(vector.limbs)] = vector, _stricter(known, bounded[1])
        for place in self.scope.values():
            if isinstance(place.type, Int):
                self._set_integers(place)
        in_relations = {word for clause in later for kind, word in _words(clause) if kind == "name"}
        for vector, limit in limits.values():
            self._fill(vector, limit, any(self._is(word, vector) for word in in_relations))
        for clause in later:
            self.assume(clause)

    def _is(self, word: str, vector: Vector) -> bool:
        try:
            return any(
                other.limbs is vector.limbs or other.place == vector.place for other in self.vectors(self.find(word))
            )
        except (BadContract, KeyError, AttributeError):
            return False

    def _set_integers(self, place: Place) -> None:
        """Integers beside field elements, such as the mask that says infinity, may be anything."""
        if isinstance(place.type, Int):
            if place.object is None:
                place.container[place.key] = self.machine.any(place.type)
        elif isinstance(place.type, Pointer) and isinstance(place.object, Place):
            if not isinstance(place.object.container, Bytes):
                self._set_integers(place.object)
        elif isinstance(place.type, Record) and not place.type.is_field_element:
            for name, inner in place.type.fields:
                if isinstance(inner, Int | Record):
                    self._set_integers(Place(place.object, name, inner))

    def _fill(self, vector: Vector, limit: Limit, named: bool) -> None:
        """Unknown limbs, none above what the value allows. If that matters too, it and the others express limb 0."""
        facts = self.machine.facts
        top = vector.type.top if limit.limb is None else min(limit.limb, vector.type.top)
        start = self._start(vector)
        count = len(vector.limbs)
        for i in range(count):
            alone = top if limit.value is None else limit.value >> vector.radix * i
            vector.limbs[i] = self.machine.do.fresh(0, min(top, alone))
        if limit.value is not None or named:
            most = sum(top << vector.radix * i for i in range(count))
            value = facts.fresh(0, most if limit.value is None else min(most, limit.value))
            for i in range(1, count):
                value = value - vector.limbs[i].poly.scaled(1 << vector.radix * i)
            vector.limbs[0] = Number(value, 0, top)
            facts.define(value, 0, top)
        if start is not None:
            container, key = start
            container[key : key + count] = vector.limbs

    @staticmethod
    def _start(vector: Vector) -> tuple[list[Any], int] | None:
        """Where limbs that were reached by a pointer into an array really lie."""
        target = vector.place.object
        return (target.container, target.key) if isinstance(target, Place) else None

    def assume(self, clause: str) -> None:
        machine = self.machine
        if (bounded := self.limit(clause, after=False)) is not None:
            for place in bounded[0]:
                for vector in self.vectors(place):
                    self._fill(vector, bounded[1], named=False)
            return
        if found := MASK.fullmatch(clause):
            place = self.find(found[1])
            assert isinstance(place.type, Int)
            bit = machine.facts.fresh(0, 1)
            ones = place.type.top
            place.container[place.key] = Number(bit.scaled(ones), 0, ones, bit=(ones, bit))
            return
        if found := MULTIPLE.fullmatch(clause):
            place, factor = self._integer(found[1]), self.numeral(found[2])
            most = place.object.hi // factor
            poly = machine.facts.fresh(0, most).scaled(factor)
            place.container[place.key] = Number(poly, 0, most * factor, zeros=valuation(factor))
            return
        if found := EQUATION.fullmatch(clause):
            poly, place = value_of(found[2], self.poly), self._integer(found[1])
            place.container[place.key] = Number(poly, *machine.facts.bound(poly))
            return
        if not (found := BOUND.fullmatch(clause)):
            raise BadContract(f"{self.name}: «{clause}»")
        most = self.numeral(found[3]) - (found[2] == "<")
        if re.fullmatch(NAME, found[1]) and isinstance(self._target(found[1]).type, Int):
            place = self._integer(found[1])
            place.container[place.key] = machine.do.fresh(0, most)
            return
        poly = value_of(found[1], self.poly)
        if len(poly.terms) == 1 and len(next(iter(poly.terms))) == 2:
            ((left, right),) = poly.terms
            machine.facts.assume_product(Poly.atom(left), Poly.atom(right), most)
        else:
            machine.facts.assume(poly, -(1 << 600), most)

    def _target(self, name: str) -> Place:
        """The integer that a name means, also if the parameter is a pointer to one."""
        place = self.find(name)
        points = isinstance(place.object, Place) and isinstance(place.type, Pointer) and place.type.length is None
        return place.object if points else place

    def _integer(self, name: str) -> Place:
        place = self._target(name)
        if place.object is None:
            place.container[place.key] = self.machine.any(place.type)
        return place

    # ---- Checks ----

    def check(self, clauses: tuple[str, ...], after: bool, what: str) -> None:
        """That they hold, but for equations and choices after a function, which need to know what was before it."""
        for clause in clauses:
            if (EQUATION.fullmatch(clause) and after) or CHOICE.fullmatch(clause) or GROWTH.fullmatch(clause):
                continue
            bounded = self.limit(clause, after)
            if bounded is not None:
                for place in bounded[0]:
                    for vector in self.vectors(place):
                        self._check_vector(vector, bounded[1], clause, what)
            elif found := BOUND.fullmatch(clause):
                self._check_relation(found[1], self.numeral(found[3]) - (found[2] == "<"), clause, what)
            elif not self._has_form(clause):
                self.machine.report(self.node, f"{what}: «{clause}» does not hold")

    def _has_form(self, clause: str) -> bool:
        facts = self.machine.facts
        if found := MASK.fullmatch(clause):
            place = self.find(found[1])
            assert isinstance(place.type, Int)
            ones, mask = place.type.top, place.object
            return mask.constant in (0, ones) or (mask.bit is not None and mask.bit[0] == ones)
        if found := MULTIPLE.fullmatch(clause):
            return facts.resolve(self.poly(found[1])).is_multiple_of(self.numeral(found[2]))
        if (found := EQUATION.fullmatch(clause)) and found[3] is None:
            return not facts.resolve(value_of(found[1], self.poly) - value_of(found[2], self.poly)).terms
        raise BadContract(f"{self.name}: «{clause}»")

    def _check_vector(self, vector: Vector, limit: Limit, clause: str, what: str) -> None:
        if any(limb is None for limb in vector.limbs):
            self.machine.report(self.node, f"{what}: «{clause}»: not every limb is set")
            return
        if limit.limb is not None and limit.limb < vector.type.top:
            for i, limb in enumerate(vector.limbs):
                if limb.hi > limit.limb and (most := self.machine.facts.bound(limb.poly)[1]) > limit.limb:
                    self.machine.report(
                        self.node, f"{what}: «{clause}»: limb {i} may reach {_about(min(most, limb.hi))}"
                    )
        if limit.value is not None:
            most = self.machine.facts.bound(vector.poly())[1]
            most = min(most, sum(limb.hi << vector.radix * i for i, limb in enumerate(vector.limbs)))
            if most > limit.value:
                self.machine.report(self.node, f"{what}: «{clause}»: the value may reach {_about(most)}")

    def _check_relation(self, left: str, most: int, clause: str, what: str) -> None:
        facts = self.machine.facts
        words = left.split()
        if len(words) == 2 and all(re.fullmatch(NAME, word) for word in words):
            a, b = (facts.bound(self.poly(word)) for word in words)
            reached = a[1] * b[1]
        else:
            reached = facts.bound(value_of(left, self.poly))[1]
            if re.fullmatch(NAME, left) and isinstance(self.find(left).object, Number):
                reached = min(reached, self.find(left).object.hi)
        if reached > most:
            self.machine.report(self.node, f"{what}: «{clause}»: it may reach {_about(reached)}")

    # ---- After: instead of running a function ----

    def set_result(self, returned: Returned | None) -> None:
        if returned is not None and returned.value is not None:
            self.scope["result"] = Place({"result": returned.value}, "result", self.result_type)

    def havoc(self) -> Returned:
        """Whatever the contract allows. Its equation is kept for the equation of the caller."""
        equations = [found for clause in self.contract.equations if (found := EQUATION.fullmatch(clause))]
        rights = {found[1]: value_of(found[2], self.poly) for found in equations}
        choices = [found for clause in self.contract.after if (found := CHOICE.fullmatch(clause))]
        joined = [self._joined(*found.groups()) for found in choices]
        growths = [found for clause in self.contract.after if (found := GROWTH.fullmatch(clause))]
        grown = {found[1]: self._grown(found[2], found[3]) for found in growths}
        self.set_result(Returned(self.machine.any(self.result_type), self.result_type))
        values = [left for left in rights if re.fullmatch(NAME, left)]
        limits, single = self._limits((*values, *grown))
        for vector, limit in limits.values():
            self._fill(vector, limit, named=True)
        for left, tops in grown.items():
            limbs = self.vector(left).limbs
            single += [(Place(limbs, i, WORD), top) for i, top in enumerate(tops)]
        for place, most in single:
            self._narrow(place, most, {id(limb) for vector, _ in limits.values() for limb in vector.limbs})
        for vector, tops, value in joined:
            for i, top in enumerate(tops):
                vector.limbs[i] = self.machine.do.fresh(0, top)
            self._fill(vector, Limit(limb=max(tops), value=value), named=True)
            for i, top in enumerate(tops[1:], 1):
                self.machine.facts.define(vector.limbs[i].poly, 0, top)
                vector.limbs[i] = Number(vector.limbs[i].poly, 0, top)
        for left in values:
            ((atom,),) = self.poly(left).terms
            self.machine.residues[atom] = rights[left]
        result = self.scope.get("result")
        return Returned(None if result is None else result.object, self.result_type)

    def _limits(self, named: tuple[str, ...]) -> tuple[dict[int, tuple[Vector, Limit]], list[tuple[Place, int]]]:
        """The vectors that are set, those named among them, and the bounds of single integers."""
        limits: dict[int, tuple[Vector, Limit]] = {}
        single: list[tuple[Place, int]] = []
        for clause in self.contract.after:
            bounded = self.limit(clause, after=True)
            if bounded is not None:
                for place in bounded[0]:
                    self._set_integers(place)
                    for vector in self.vectors(place):
                        known = limits.get(id(vector.limbs), (vector, Limit()))[1]
                        limits[id(vector.limbs)] = vector, _stricter(known, bounded[1])
            elif (found := BOUND.fullmatch(clause)) and re.fullmatch(NAME, found[1]):
                place = self._target(found[1])
                if isinstance(place.type, Int):
                    single.append((place, self.numeral(found[3]) - (found[2] == "<")))
        for left in named:
            for vector in self.vectors(self.find(left)):
                limits.setdefault(id(vector.limbs), (vector, Limit()))
        return limits, single

    def _grown(self, name: str, by: str) -> list[int]:
        return [limb.hi + self.numeral(by) - 1 for limb in self.vector(name).limbs]

    def _narrow(self, place: Place, most: int, filled: set[int]) -> None:
        """A bound of one integer: of what it is already, if that is one of a number's limbs."""
        if id(place.object) in filled:
            self.machine.facts.define(place.object.poly, 0, most)
            place.container[place.key] = replace(place.object, hi=min(most, place.object.hi))
        else:
            place.container[place.key] = self.machine.do.fresh(0, most)

    def _joined(self, target: str, one: str, other: str) -> tuple[Vector, list[int], int]:
        """The bounds of one of two, limb by limb and of their values."""
        (vector,) = self.vectors(self.find(target))
        (a,), (b,) = self.vectors(self.find(one)), self.vectors(self.find(other))
        for limb in (*a.limbs, *b.limbs):
            if limb is None:
                raise BadContract(f"{self.name}: a limb is not set")
        value = max(self.machine.facts.bound(a.poly())[1], self.machine.facts.bound(b.poly())[1])
        return vector, [max(x.hi, y.hi) for x, y in zip(a.limbs, b.limbs, strict=True)], value


def _words(clause: str) -> list[tuple[str, str]]:
    found = BOUND.fullmatch(clause)
    return tokens(found[1]) if found else []


def _stricter(a: Limit, b: Limit) -> Limit:
    def least(x: int | None, y: int | None) -> int | None:
        return y if x is None else x if y is None else min(x, y)

    return Limit(least(a.limb, b.limb), least(a.value, b.value))


def _about(n: int) -> str:
    """A number as a reader wants it."""
    bits = max(n, 1).bit_length() - 1
    return (
        str(n)
        if n < 1 << 16
        else f"2^{bits} + 2^{(n - (1 << bits)).bit_length() - 1}"
        if n > 1 << bits
        else f"2^{bits}"
    )
