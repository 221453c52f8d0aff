"""C types and the objects that have them: a Number, a list (array) or a Struct; None is one that is not set yet."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from pycparser import c_ast

from bounds.source import Unit


@dataclass(frozen=True, slots=True)
class Int:
    bits: int
    signed: bool = False

    @property
    def top(self) -> int:
        return (1 << self.bits - self.signed) - 1

    @property
    def bottom(self) -> int:
        return -(1 << self.bits - 1) if self.signed else 0


@dataclass(frozen=True, slots=True)
class Array:
    element: CType
    length: int | None
    constant: bool = False


@dataclass(frozen=True, slots=True)
class Pointer:
    element: CType
    constant: bool = False
    length: int | None = None
    """Elements that may be used, where the declaration says so."""


@dataclass(frozen=True, slots=True)
class Record:
    """A struct. Limbs with names of their own, v0 v1 v2, are one array here."""

    name: str
    fields: tuple[tuple[str, CType], ...]
    file: str
    names: tuple[str, ...]
    """As they are declared."""

    @property
    def is_field_element(self) -> bool:
        """Nothing but an array of limbs."""
        return len(self.fields) == 1 and isinstance(self.fields[0][1], Array)


CType = Int | Array | Pointer | Record | None
"""None is void."""

INT = Int(32, True)
BYTE = Int(8)
WORD = Int(64)

WORDS = {
    "char": Int(8, True),
    "signed char": Int(8, True),
    "unsigned char": BYTE,
    "short int": Int(16, True),
    "short": Int(16, True),
    "unsigned short": Int(16),
    "short unsigned int": Int(16),
    "int": INT,
    "unsigned int": Int(32),
    "unsigned": Int(32),
    "long int": Int(64, True),
    "long": Int(64, True),
    "long unsigned int": WORD,
    "unsigned long": WORD,
    "long long": Int(64, True),
    "long long int": Int(64, True),
    "long long unsigned int": WORD,
    "unsigned long long": WORD,
    "unsigned __int128": Int(128),
}


class Struct(dict[str, Any]):
    """Fields by name."""

    def __init__(self, record: Record, fields: dict[str, Any]) -> None:
        super().__init__(fields)
        self.record = record

    def __deepcopy__(self, memo: dict[int, Any]) -> Struct:
        return Struct(self.record, {name: copied(value) for name, value in self.items()})


@dataclass(slots=True)
class Place:
    """Where an object lies: container[key]. What is called a pointer in C is the Place it points to."""

    container: Any
    key: Any
    type: CType

    def moved(self, by: int) -> Place:
        return Place(self.container, self.key + by, self.type)

    @property
    def object(self) -> Any:
        return self.container[self.key]


@dataclass(slots=True)
class Bytes:
    """Bytes of which nothing is known, wherever in them one points."""


def copied(value: Any) -> Any:
    """A copy with its own fields and elements."""
    if isinstance(value, list):
        return [copied(element) for element in value]
    return copy.deepcopy(value) if isinstance(value, Struct) else value


def joined(fields: tuple[tuple[str, CType], ...]) -> tuple[tuple[str, CType], ...]:
    """Fields v0, v1, v2 as v[3]; others as they are."""
    stem = fields[0][0][:-1] if fields else ""
    if len(fields) > 1 and stem and [name for name, _ in fields] == [f"{stem}{i}" for i in range(len(fields))]:
        return ((stem, Array(fields[0][1], len(fields))),)
    return fields


def part(struct: Struct, name: str) -> Place:
    """A field by its declared name."""
    fields = dict(struct.record.fields)
    if name in fields:
        return Place(struct, name, fields[name])
    array = fields[name[:-1]]
    assert isinstance(array, Array)
    return Place(struct[name[:-1]], int(name[-1]), array.element)


class Types:
    """Types as the declarations of one unit give them."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._named: dict[str, CType] = {}

    def of(self, node: c_ast.Node) -> CType:
        if isinstance(node, c_ast.Decl | c_ast.Typename):
            return self.of(node.type)
        if isinstance(node, c_ast.PtrDecl):
            if isinstance(node.type, c_ast.FuncDecl):
                return Pointer(None)
            return Pointer(self.of(node.type), "const" in getattr(node.type, "quals", []))
        if isinstance(node, c_ast.ArrayDecl):
            length = None if node.dim is None else fixed(node.dim)
            return Array(self.of(node.type), length, "const" in getattr(node.type, "quals", []))
        inner = node.type
        if isinstance(inner, c_ast.Struct):
            fields = tuple((field.name, self.of(field.type)) for field in inner.decls or ())
            return Record(node.declname or "", joined(fields), inner.coord.file, tuple(name for name, _ in fields))
        if isinstance(inner, c_ast.Union | c_ast.Enum):
            return INT
        name = " ".join(inner.names)
        if name == "void":
            return None
        if name in WORDS:
            return WORDS[name]
        if name not in self._named:
            self._named[name] = self.of(self._unit.typedefs[name])
        return self._named[name]

    def new(self, ctype: CType) -> Any:
        """An object that is not set yet."""
        if isinstance(ctype, Array):
            return [self.new(ctype.element) for _ in range(ctype.length or 0)]
        if isinstance(ctype, Record):
            return Struct(ctype, {name: self.new(field) for name, field in ctype.fields})
        return None


def fixed(node: c_ast.Node) -> int:
    """A constant expression, as array dimensions are."""
    if isinstance(node, c_ast.Constant):
        return int(node.value.rstrip("uUlL"), 0)
    if isinstance(node, c_ast.BinaryOp):
        left, right = fixed(node.left), fixed(node.right)
        results = {
            "+": left + right,
            "-": left - right,
            "*": left * right,
            "<<": left << right,
            "/": left // (right or 1),
        }
        return results[node.op]
    if isinstance(node, c_ast.TernaryOp):
        return 1
    raise NotImplementedError(f"{node.coord}: dimension")
