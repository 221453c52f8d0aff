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
out = a b / 2^260 (mod p)    an equation; `result` is what is returned, names on the right are values before. Without
                             (mod ...) it holds as it stands
a is a or b                  one of two, limb by limb

In an invariant, an equation says what a turn of the loop does: names on the right are values before it, and `block` is
what its loads have read, end to end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bounds.expressions import NAME, BadContract, tokens, value_of
from bounds.machine import Machine
from bounds.memory import WORD, Array, Bytes, CType, Int, Place, Pointer, Record
from bounds.source import Contract, SourceFile
from bounds.terms import Poly
from bounds.values import Number

PATH = re.compile(r"->|\.|\[|\]")
BOUND = re.compile(r"(.*\S) (<=|<) (.*)")
LIMBS = re.compile(rf"(?:({NAME}) )?(?:limbs|words) (<=|<) (.*)")
VALUE = re.compile(rf"(?:({NAME}) )?(?:value (<|<=)|(below)) (.*)")
CLASS = re.compile(rf"(?:({NAME}) )?(\w+)")
MASK = re.compile(rf"({NAME}) is a mask")
CHOICE = re.compile(rf"({NAME}) is ({NAME}) or ({NAME})")
MULTIPLE = re.compile(rf"({NAME}) multiple of (\d+)")
EQUATION = re.compile(r"(.*\S) = (.*?)(?: \(mod (.*)\))?")


@dataclass
class Vector:
    """A place that holds limbs: an array of integers, or the one array of a field element."""

    place: Place
    limbs: list[Any]
    type: Int
    radix: int

    def poly(self) -> Poly:
        total = Poly({})
        for i, limb in enumerate(self.limbs):
            if limb is None:
                raise BadContract("a limb is not set")
            total = total + limb.poly.scaled(1 << self.radix * i)
        return total


@dataclass
class Limit:
    """Greatest limb and greatest value; None where only the limbs bound it."""

    limb: int | None = None
    value: int | None = None


class Meaning:
    """The names of one function's contract, at one moment of one path."""

    def __init__(self, machine: Machine, name: str, arguments: dict[str, Any]) -> None:
        self.machine = machine
        self.name = name
        self.node = machine.unit.functions[name]
        self.file = machine.unit.file_of(self.node)
        self.scope = machine.scope_of(self.node, arguments)
        contract = machine.unit.contract(name)
        if contract is None:
            raise BadContract(f"{name} has no contract")
        self.contract: Contract = contract

    # ---- Names ----

    def find(self, path: str) -> Place:
        parts = [part for part in PATH.split(path) if part]
        if parts[0] not in self.scope:
            raise BadContract(f"{self.name} has no «{parts[0]}»")
        place = self.scope[parts[0]]
        for part in parts[1:]:
            inside = place.object.object if isinstance(place.object, Place) and not part.isdigit() else place.object
            if part.isdigit():
                if isinstance(inside, Place):
                    place = inside.moved(int(part))
                else:
                    place = Place(inside, int(part), place.type.element if isinstance(place.type, Array) else WORD)
            else:
                place = Place(inside, part, dict(inside.record.fields)[part])
        return place

    def vectors(self, place: Place) -> Iterator[Vector]:
        """Every field element and array of integers at a place."""
        if isinstance(place.type, Pointer):
            target = place.object
            if not isinstance(target, Place) or isinstance(target.container, Bytes):
                return
            if isinstance(target.type, Int) and isinstance(target.container, list):
                end = None if place.type.length is None else target.key + place.type.length
                yield Vector(place, target.container[target.key : end], target.type, self.radix(None, target.type))
            else:
                yield from self.vectors(target)
        elif isinstance(place.type, Record):
            if place.type.is_field_element:
                ((name, array),) = place.type.fields
                assert isinstance(array, Array)
                assert isinstance(array.element, Int)
                yield Vector(place, place.object[name], array.element, self.radix(place.type, array.element))
            else:
                for name, inner in place.type.fields:
                    yield from self.vectors(Place(place.object, name, inner))
        elif isinstance(place.type, Array):
            if isinstance(place.type.element, Int):
                yield Vector(place, place.object, place.type.element, self.radix(None, place.type.element))
            else:
                for i in range(len(place.object)):
                    yield from self.vectors(Place(place.object, i, place.type.element))

    def defining(self) -> SourceFile:
        """The file that says what the field is: that of the field element which the parameters lead to."""
        for place in self.scope.values():
            if (record := _element(place.type)) is not None:
                return self.machine.unit.files[record.file]
        return self.file

    def modulus(self) -> str | None:
        """The prime that the field's file names, or else the one file for all widths of that field."""
        defining = self.defining()
        stem = defining.name.split("_")[0]
        others = (file for file in self.machine.unit.files.values() if file.name.split("_")[0] == stem)
        return defining.modulus or next((file.modulus for file in others if file.modulus), None)

    def radix(self, record: Record | None, limb: Int) -> int:
        stated = self.machine.unit.files[record.file].radix if record is not None else None
        return stated or limb.bits

    def numeral(self, text: str) -> int:
        n = value_of(text, self._constant).constant
        if n is None:
            raise BadContract(f"«{text}» is no number")
        return n

    def _constant(self, name: str) -> Poly:
        modulus = self.modulus()
        if name == "p" and modulus is not None:
            return Poly.number(value_of(modulus, self._constant).constant or 0)
        raise BadContract(f"«{name}» is no constant")

    def poly(self, name: str) -> Poly:
        if name == "p" and "p" not in self.scope:
            return self._constant(name)
        if name == "block" and "block" not in self.scope:
            return self.machine.block
        place = self.find(name)
        if isinstance(place.object, Number):
            return place.object.poly
        found = list(self.vectors(place))
        if len(found) != 1:
            raise BadContract(f"«{name}» is not one value")
        return found[0].poly()

    # ---- Clauses that bound vectors ----

    def subjects(self, name: str | None, after: bool) -> list[Place]:
        if name is not None:
            return [self.find(name)]
        pointers = {key: place for key, place in self.scope.items() if isinstance(place.type, Pointer)}
        constant = [place for place in pointers.values() if place.type.constant]  # type: ignore[union-attr]
        others = [place for place in pointers.values() if place not in constant]
        return others if after or not constant else constant

    def limit(self, clause: str, after: bool) -> tuple[list[Place], Limit] | None:
        """What a clause says about vectors; None if it is of another kind."""
        if clause == "any":
            return self.subjects(None, after), Limit()
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
        """Unknown limbs; if the value matters too, limb 0 is expressed by the value and the others."""
        facts = self.machine.facts
        top = vector.type.top if limit.limb is None else min(limit.limb, vector.type.top)
        start = self._start(vector)
        count = len(vector.limbs)
        for i in range(count):
            vector.limbs[i] = self.machine.do.fresh(0, top)
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
        if found := MASK.fullmatch(clause):
            place = self.find(found[1])
            assert isinstance(place.type, Int)
            bit = machine.facts.fresh(0, 1)
            ones = place.type.top
            place.container[place.key] = Number(bit.scaled(ones), 0, ones, bit=(ones, bit))
            return
        if found := MULTIPLE.fullmatch(clause):
            place, factor = self._integer(found[1]), int(found[2])
            most = place.object.hi // factor
            place.container[place.key] = Number(machine.facts.fresh(0, most).scaled(factor), 0, most * factor)
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

    def check(self, clauses: tuple[str, ...], after: bool, what: str, result: Number | None = None) -> None:
        for clause in clauses:
            if " = " in clause or CHOICE.fullmatch(clause) or MASK.fullmatch(clause) or MULTIPLE.fullmatch(clause):
                continue
            bounded = self.limit(clause, after)
            if bounded is not None:
                for place in bounded[0]:
                    for vector in self.vectors(place):
                        self._check_vector(vector, bounded[1], clause, what)
                continue
            found = BOUND.fullmatch(clause)
            if not found:
                raise BadContract(f"{self.name}: «{clause}»")
            most = self.numeral(found[3]) - (found[2] == "<")
            self._check_relation(found[1], most, clause, what, result)

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

    def _check_relation(self, left: str, most: int, clause: str, what: str, result: Number | None) -> None:
        facts = self.machine.facts
        words = left.split()
        if len(words) == 2 and all(re.fullmatch(NAME, word) for word in words):
            a, b = (facts.bound(self.poly(word)) for word in words)
            reached = a[1] * b[1]
        elif left == "result":
            if result is None:
                raise BadContract(f"{self.name} returns nothing")
            reached = min(result.hi, facts.bound(result.poly)[1])
        else:
            reached = facts.bound(value_of(left, self.poly))[1]
            if re.fullmatch(NAME, left) and isinstance(self.find(left).object, Number):
                reached = min(reached, self.find(left).object.hi)
        if reached > most:
            self.machine.report(self.node, f"{what}: «{clause}»: it may reach {_about(reached)}")

    # ---- After: instead of running a function ----

    def havoc(self) -> Number | None:
        """Whatever the contract allows. Its equation is kept for the equation of the caller."""
        limits: dict[int, tuple[Vector, Limit]] = {}
        equations = [(clause, *EQUATION.fullmatch(clause).groups()) for clause in self.contract.equations]  # type: ignore[union-attr]
        rights = {left: value_of(right, self.poly) for _, left, right, _ in equations if right is not None}
        choices = [found for clause in self.contract.after if (found := CHOICE.fullmatch(clause))]
        joined = [self._joined(*found.groups()) for found in choices]
        most_result: int | None = None
        for clause in self.contract.after:
            bounded = self.limit(clause, after=True)
            if bounded is not None:
                for place in bounded[0]:
                    self._set_integers(place)
                    for vector in self.vectors(place):
                        known = limits.get(id(vector.limbs), (vector, Limit()))[1]
                        limits[id(vector.limbs)] = vector, _stricter(known, bounded[1])
            elif (found := BOUND.fullmatch(clause)) and found[1] == "result":
                most_result = self.numeral(found[3]) - (found[2] == "<")
            elif found and isinstance((place := self._target(found[1])).type, Int):
                place.container[place.key] = self.machine.do.fresh(0, self.numeral(found[3]) - (found[2] == "<"))
        for left in rights:
            if re.fullmatch(NAME, left) and left != "result":
                (vector,) = self.vectors(self.find(left))
                limits.setdefault(id(vector.limbs), (vector, Limit()))
        for vector, limit in limits.values():
            self._fill(vector, limit, named=True)
        for vector, tops, value in joined:
            for i, top in enumerate(tops):
                vector.limbs[i] = self.machine.do.fresh(0, top)
            limit = Limit(limb=max(tops), value=value)
            self._fill(vector, limit, named=True)
            for i, top in enumerate(tops[1:], 1):
                self.machine.facts.define(vector.limbs[i].poly, 0, top)
                vector.limbs[i] = Number(vector.limbs[i].poly, 0, top)
        for left, right in rights.items():
            if re.fullmatch(NAME, left) and left != "result":
                value = self.poly(left)
                ((atom,),) = value.terms
                self.machine.residues[atom] = right
        result_type = self.machine.types.of(self.node.decl.type.type)
        if isinstance(result_type, Int):
            return self.machine.do.fresh(result_type.bottom, result_type.top if most_result is None else most_result)
        return None

    def _joined(self, target: str, one: str, other: str) -> tuple[Vector, list[int], int]:
        """The bounds of one of two, limb by limb and of their values."""
        (vector,) = self.vectors(self.find(target))
        (a,), (b,) = self.vectors(self.find(one)), self.vectors(self.find(other))
        for limb in (*a.limbs, *b.limbs):
            if limb is None:
                raise BadContract(f"{self.name}: a limb is not set")
        value = max(self.machine.facts.bound(a.poly())[1], self.machine.facts.bound(b.poly())[1])
        return vector, [max(x.hi, y.hi) for x, y in zip(a.limbs, b.limbs, strict=True)], value


def _element(ctype: CType) -> Record | None:
    """The first field element inside a type."""
    if isinstance(ctype, Record):
        return (
            ctype
            if ctype.is_field_element
            else next(filter(None, (_element(inner) for _, inner in ctype.fields)), None)
        )
    return _element(ctype.element) if isinstance(ctype, Pointer | Array) else None


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
