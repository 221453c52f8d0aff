"""Runs one path through C code on Numbers. Calls of functions with contracts are left to contracts.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from pycparser import c_ast

from bounds.facts import Facts
from bounds.memory import (
    BYTE,
    INT,
    WORD,
    Array,
    Bytes,
    CType,
    Int,
    Place,
    Pointer,
    Record,
    Struct,
    Types,
    copied,
    part,
)
from bounds.operators import Operators, Typed, Unsupported
from bounds.primitives import Primitives
from bounds.source import Unit
from bounds.values import Arithmetic, Number, number


@dataclass
class Returned:
    value: Any
    type: CType


@dataclass
class Machine:
    """`decisions` are the branches to take; one that is asked for beyond them is taken as False and noted."""

    unit: Unit
    decisions: list[bool]
    tells_cases_apart: bool
    call_with_contract: Callable[[Machine, str, dict[str, Any]], Returned | None]
    loop_with_invariant: Callable[[Machine, c_ast.For, dict[str, Place]], None]
    findings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.types = Types(self.unit)
        self.facts = Facts()
        self.taken = 0
        self.do = Arithmetic(self.facts, lambda: self.choose() if self.tells_cases_apart else None)
        self.operators = Operators(self.do)
        self.primitives = Primitives(self.operators, self.tells_cases_apart)
        self.residues: dict[int, Any] = {}  # atom = poly modulo the modulus
        self._globals: dict[str, Place] = {}

    def choose(self) -> bool:
        if self.taken == len(self.decisions):
            self.decisions.append(False)
        self.taken += 1
        return self.decisions[self.taken - 1]

    def report(self, node: c_ast.Node | None, what: str) -> None:
        where = "" if node is None else f"{node.coord.file.rsplit('/', 1)[-1]}:{node.coord.line}: "
        if where + what not in self.findings:
            self.findings.append(where + what)

    # ---- Functions ----

    def call(self, name: str, arguments: dict[str, Any]) -> Returned | None:
        """Run the body. `arguments` are objects by the names of the parameters."""
        node = self.unit.functions[name]
        scope = self.scope_of(node, arguments)
        result = self.run(node.body, scope)
        return result if isinstance(result, Returned) else None

    def scope_of(self, node: c_ast.FuncDef, arguments: dict[str, Any]) -> dict[str, Place]:
        scope = {}
        for parameter in self.parameters(node):
            ctype = self.types.of(parameter.type)
            if isinstance(ctype, Array):
                ctype = Pointer(ctype.element, ctype.constant, ctype.length)
            scope[parameter.name] = Place({parameter.name: arguments[parameter.name]}, parameter.name, ctype)
        return scope

    @staticmethod
    def parameters(node: c_ast.FuncDef) -> list[c_ast.Decl]:
        listed = node.decl.type.args
        return [p for p in listed.params if isinstance(p, c_ast.Decl)] if listed else []

    # ---- Statements: Returned, or None to go on ----

    def run(self, node: c_ast.Node | None, scope: dict[str, Place]) -> Returned | None:
        if node is None:
            return None
        if isinstance(node, c_ast.Compound):
            inner = dict(scope)
            for item in node.block_items or ():
                if (result := self.run(item, inner)) is not None:
                    return result
        elif isinstance(node, c_ast.DeclList):
            for declaration in node.decls:
                self.declare(declaration, scope)
        elif isinstance(node, c_ast.Decl):
            self.declare(node, scope)
        elif isinstance(node, c_ast.Return):
            if node.expr is None:
                return Returned(None, None)
            typed = self.evaluate(node.expr, scope)
            return Returned(typed.value, typed.type)
        elif isinstance(node, c_ast.If):
            branch = node.iftrue if self.holds(self.evaluate(node.cond, scope).value) else node.iffalse
            return self.run(branch, scope)
        elif isinstance(node, c_ast.For):
            return self.loop(node, dict(scope))
        elif not isinstance(node, c_ast.EmptyStatement):
            self.evaluate(node, scope)
        return None

    def loop(self, node: c_ast.For, scope: dict[str, Place]) -> Returned | None:
        self.run(node.init, scope)
        while True:
            condition = self.evaluate(node.cond, scope).value
            if condition.constant is None:
                self.loop_with_invariant(self, node, scope)
                return None
            if condition.constant == 0:
                return None
            if (result := self.run(node.stmt, scope)) is not None:
                return result
            self.evaluate(node.next, scope)

    def holds(self, condition: Number) -> bool:
        if condition.lo > 0 or condition.hi < 0:
            return True
        if condition.constant == 0:
            return False
        choice = self.choose()
        if (condition.lo, condition.hi) == (0, 1):
            self.facts.assume(condition.poly, int(choice), int(choice))
        return choice

    def declare(self, node: c_ast.Decl, scope: dict[str, Place]) -> None:
        ctype = self.types.of(node.type)
        if isinstance(ctype, Array) and ctype.length is None:
            ctype = Array(ctype.element, len(node.init.exprs))
        place = Place({node.name: self.types.new(ctype)}, node.name, ctype)
        scope[node.name] = place
        if node.init is not None:
            self.initialise(place, node.init, scope)

    def initialise(self, place: Place, node: c_ast.Node, scope: dict[str, Place]) -> None:
        if not isinstance(node, c_ast.InitList):
            self.store(place, self.evaluate(node, scope), node)
            return
        if isinstance(place.type, Record):
            for name, value in zip(place.type.names, node.exprs, strict=True):
                self.initialise(part(place.object, name), value, scope)
            return
        assert isinstance(place.type, Array)
        elements = place.object
        for i in range(len(elements)):
            inner = Place(elements, i, place.type.element)
            if i < len(node.exprs):
                self.initialise(inner, node.exprs[i], scope)
            elif isinstance(inner.type, Int):
                elements[i] = number(0)

    # ---- Places ----

    def store(self, place: Place, typed: Typed, node: c_ast.Node) -> None:
        if isinstance(place.container, Bytes):
            return
        value = typed.value
        if isinstance(place.type, Int) and isinstance(value, Number):
            value = replace(self.do.convert(value, place.type.bits, place.type.signed, str(node.coord)), passing=False)
        place.container[place.key] = copied(value)

    def global_place(self, name: str) -> Place:
        if name not in self._globals:
            scope: dict[str, Place] = {}
            self.declare(self.unit.globals[name], scope)
            self._globals[name] = scope[name]
        return self._globals[name]

    def place(self, node: c_ast.Node, scope: dict[str, Place]) -> Place:
        if isinstance(node, c_ast.ID):
            return scope[node.name] if node.name in scope else self.global_place(node.name)
        if isinstance(node, c_ast.StructRef):
            outer = self.place(node.name, scope) if node.type == "." else self.pointed_to(node.name, scope)
            struct = outer.object
            if not isinstance(struct, Struct):
                raise Unsupported(f"{node.coord}: field of something else")
            return part(struct, node.field.name)
        if isinstance(node, c_ast.ArrayRef):
            base = self.pointed_to(node.name, scope)
            index = self.evaluate(node.subscript, scope).value
            if isinstance(base.container, Bytes):
                return base
            if index.constant is None:
                return Place([None if base.type is None else self.any(base.type)], 0, base.type)
            return base.moved(index.constant)
        if isinstance(node, c_ast.UnaryOp) and node.op == "*":
            return self.pointed_to(node.expr, scope)
        if isinstance(node, c_ast.FuncCall | c_ast.CompoundLiteral):
            typed = self.evaluate(node, scope)
            return Place([typed.value], 0, typed.type)
        raise Unsupported(f"{node.coord}: {type(node).__name__} as a place")

    def any(self, ctype: CType) -> Any:
        """Any object of a type."""
        if isinstance(ctype, Int):
            return self.do.fresh(ctype.bottom, ctype.top)
        if isinstance(ctype, Array):
            return [self.any(ctype.element) for _ in range(ctype.length or 0)]
        if isinstance(ctype, Record):
            return Struct(ctype, {name: self.any(inner) for name, inner in ctype.fields})
        if isinstance(ctype, Pointer) and ctype.element == BYTE:
            return Place(Bytes(), 0, BYTE)
        return None

    def pointed_to(self, node: c_ast.Node, scope: dict[str, Place]) -> Place:
        pointer = self.evaluate(node, scope).value
        if not isinstance(pointer, Place):
            raise Unsupported(f"{node.coord}: not a pointer that is followed")
        return pointer

    # ---- Expressions ----

    def evaluate(self, node: c_ast.Node, scope: dict[str, Place]) -> Typed:
        method = getattr(self, "on_" + type(node).__name__, None)
        if method is None:
            raise Unsupported(f"{node.coord}: {type(node).__name__}")
        typed: Typed = method(node, scope)
        return typed

    def on_Constant(self, node: c_ast.Constant, scope: dict[str, Place]) -> Typed:  # noqa: N802
        digits = node.value.rstrip("uUlL")
        suffix = node.value[len(digits) :].lower()
        n = int(digits, 8 if digits[0] == "0" and digits.isdigit() and len(digits) > 1 else 0)
        bits = 64 if "l" in suffix or n >= 1 << 32 else 32
        signed = "u" not in suffix and n < 1 << bits - 1
        return Typed(number(n), Int(bits, signed))

    def read(self, place: Place, node: c_ast.Node) -> Typed:
        if isinstance(place.container, Bytes):
            return Typed(self.do.fresh(0, 255), BYTE)
        value = place.object
        if isinstance(place.type, Array):
            return Typed(Place(value, 0, place.type.element), Pointer(place.type.element))
        if value is None:
            if place.type != BYTE:
                self.report(node, "read before it is set")
            value = self.any(place.type)
            place.container[place.key] = value
        if isinstance(value, Number) and self.facts.resolve(value.poly) != value.poly:
            value = self.do.of(value.poly, value.lo, value.hi, zeros=value.zeros, bit=value.bit)
        return Typed(value, place.type)

    def on_ID(self, node: c_ast.ID, scope: dict[str, Place]) -> Typed:  # noqa: N802
        return self.read(self.place(node, scope), node)

    on_StructRef = on_ArrayRef = on_ID  # noqa: N815

    def on_Cast(self, node: c_ast.Cast, scope: dict[str, Place]) -> Typed:  # noqa: N802
        typed = self.evaluate(node.expr, scope)
        ctype = self.types.of(node.to_type)
        if isinstance(ctype, Int) and isinstance(typed.value, Number):
            return Typed(self.do.convert(typed.value, ctype.bits, ctype.signed, str(node.coord)), ctype)
        return Typed(typed.value, ctype)

    def on_CompoundLiteral(self, node: c_ast.CompoundLiteral, scope: dict[str, Place]) -> Typed:  # noqa: N802
        ctype = self.types.of(node.type)
        place = Place([self.types.new(ctype)], 0, ctype)
        self.initialise(place, node.init, scope)
        return self.read(place, node)

    def on_UnaryOp(self, node: c_ast.UnaryOp, scope: dict[str, Place]) -> Typed:  # noqa: N802
        if node.op == "&":
            place = self.place(node.expr, scope)
            return Typed(place, Pointer(place.type))
        if node.op == "*":
            return self.read(self.place(node, scope), node)
        if node.op == "sizeof":
            return Typed(self.do.fresh(1, 1 << 20), WORD)
        if node.op in ("p++", "p--", "++", "--"):
            place = self.place(node.expr, scope)
            before = self.read(place, node)
            one = Typed(number(1), INT)
            self.store(place, self.operators.binary(node.op[-1], before, one, str(node.coord)), node)
            return before
        typed = self.operators.promoted(self.evaluate(node.expr, scope))
        if node.op == "~":
            return Typed(self.do.inverted(typed.value, typed.type.bits), typed.type)
        if node.op == "!":
            return Typed(self.do.is_zero(typed.value), INT)
        if node.op == "-":
            return self.operators.binary("-", Typed(number(0), typed.type), typed, str(node.coord))
        return typed

    def on_Assignment(self, node: c_ast.Assignment, scope: dict[str, Place]) -> Typed:  # noqa: N802
        place = self.place(node.lvalue, scope)
        typed = self.evaluate(node.rvalue, scope)
        if node.op != "=":
            typed = self.operators.binary(node.op[:-1], self.read(place, node), typed, str(node.coord))
        self.store(place, typed, node)
        return typed

    def on_TernaryOp(self, node: c_ast.TernaryOp, scope: dict[str, Place]) -> Typed:  # noqa: N802
        chosen = node.iftrue if self.holds(self.evaluate(node.cond, scope).value) else node.iffalse
        return self.evaluate(chosen, scope)

    def on_ExprList(self, node: c_ast.ExprList, scope: dict[str, Place]) -> Typed:  # noqa: N802
        return [self.evaluate(part, scope) for part in node.exprs][-1]

    def on_BinaryOp(self, node: c_ast.BinaryOp, scope: dict[str, Place]) -> Typed:  # noqa: N802
        left = self.evaluate(node.left, scope)
        if node.op in ("&&", "||"):
            if self.holds(left.value) == (node.op == "||"):
                return Typed(number(int(node.op == "||")), INT)
            return Typed(number(int(self.holds(self.evaluate(node.right, scope).value))), INT)
        return self.operators.binary(node.op, left, self.evaluate(node.right, scope), str(node.coord))

    # ---- Calls ----

    def on_FuncCall(self, node: c_ast.FuncCall, scope: dict[str, Place]) -> Typed:  # noqa: N802
        name = node.name.name
        if self.primitives.has_no_result(name):
            return Typed(None, None)
        values = [self.evaluate(argument, scope) for argument in (node.args.exprs if node.args else ())]
        if (known := self.primitives.call(name, values)) is not None:
            return known
        if name not in self.unit.functions:
            raise Unsupported(f"{node.coord}: {name} is not in this unit")
        function = self.unit.functions[name]
        arguments = {}
        for parameter, typed in zip(self.parameters(function), values, strict=True):
            ctype = self.types.of(parameter.type)
            value = typed.value
            if isinstance(ctype, Int) and isinstance(value, Number):
                value = self.do.convert(value, ctype.bits, ctype.signed, str(node.coord))
            arguments[parameter.name] = copied(value)
        result = self.call_with_contract(self, name, arguments)
        ctype = self.types.of(function.decl.type.type)
        if result is None or ctype is None:
            return Typed(None, None)
        value = result.value
        if isinstance(ctype, Int) and isinstance(value, Number):
            value = self.do.convert(value, ctype.bits, ctype.signed, str(node.coord))
        return Typed(value, ctype)
