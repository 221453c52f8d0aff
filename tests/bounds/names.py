"""What the names in a contract mean: parameters, parts of them, and the numbers that limbs form together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bounds.expressions import BadContract, value_of
from bounds.machine import Machine
from bounds.memory import WORD, Array, Bytes, CType, Int, Place, Pointer, Record, part
from bounds.source import Contract, SourceFile
from bounds.terms import Poly
from bounds.values import Number

PATH = re.compile(r"->|\.|\[|\]")


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


class Names:
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
        self.result_type = machine.types.of(self.node.decl.type.type)

    def find(self, path: str) -> Place:
        parts = [word for word in PATH.split(path) if word]
        if parts[0] not in self.scope:
            raise BadContract(f"{self.name} has no «{parts[0]}»")
        place = self.scope[parts[0]]
        for word in parts[1:]:
            inside = place.object.object if isinstance(place.object, Place) and not word.isdigit() else place.object
            if word.isdigit():
                if isinstance(inside, Place):
                    place = inside.moved(int(word))
                else:
                    place = Place(inside, int(word), place.type.element if isinstance(place.type, Array) else WORD)
            else:
                place = part(inside, word)
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
        if name in ("p", "n") and modulus is not None:
            return Poly.number(value_of(modulus, self._constant).constant or 0)
        raise BadContract(f"«{name}» is no constant")

    def poly(self, name: str) -> Poly:
        if name in ("p", "n") and name not in self.scope:
            return self._constant(name)
        if name == "block" and "block" not in self.scope:
            return self.machine.primitives.block
        place = self.find(name)
        if isinstance(place.object, Number):
            return place.object.poly
        return self.vector(name).poly()

    def vector(self, name: str) -> Vector:
        found = list(self.vectors(self.find(name)))
        if len(found) != 1:
            raise BadContract(f"«{name}» is not one value")
        return found[0]


def _element(ctype: CType) -> Record | None:
    """The first field element inside a type."""
    if isinstance(ctype, Record):
        return (
            ctype
            if ctype.is_field_element
            else next(filter(None, (_element(inner) for _, inner in ctype.fields)), None)
        )
    return _element(ctype.element) if isinstance(ctype, Pointer | Array) else None
