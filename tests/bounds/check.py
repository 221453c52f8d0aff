"""Check contracts: each function on its own, on every path and with its pointers equal in every way they may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pycparser import c_ast

from bounds.contracts import CHOICE, EQUATION, GROWTH, Meaning
from bounds.expressions import BadContract, tokens, value_of
from bounds.facts import Infeasible
from bounds.machine import Machine, Returned
from bounds.memory import BYTE, Array, Bytes, Int, Place, Pointer, Record, copied
from bounds.operators import Unsupported
from bounds.source import Contract, Unit
from bounds.terms import Poly

MOST_PATHS = 4096


@dataclass
class Report:
    """What was found about one function: nothing, if its contract holds."""

    function: str
    findings: list[str]
    paths: int = 0


def tells_cases_apart(contract: Contract) -> bool:
    """Equations hold case by case; bounds alone are found without telling cases apart."""
    return bool(contract.equations) or any(CHOICE.fullmatch(clause) for clause in contract.after)


def call(machine: Machine, name: str, arguments: dict[str, Any]) -> Returned | None:
    """A call inside a function under check: what goes in must meet the contract. What comes out is what that promises,
    or, where the caller needs to know more than that, what the body does."""
    contract = machine.unit.contract(name)
    if contract is None:
        return machine.call(name, arguments)
    meaning = Meaning(machine, name, arguments)
    meaning.check(contract.before, False, f"call of {name}")
    choice = any(CHOICE.fullmatch(clause) for clause in contract.after)
    if choice or not contract.equations:
        sees_through = machine.tells_cases_apart
    else:
        sees_through = contract.is_exact or contract.is_compound
    has_body = machine.unit.functions[name].body is not None
    if (has_body and sees_through) or machine.unit.is_model(name):
        return machine.call(name, arguments)
    return meaning.havoc()


def loop(machine: Machine, node: c_ast.For, scope: dict[str, Place]) -> None:
    """A loop that runs an unknown number of times: its invariant holds before, and each turn leaves it true."""
    function = machine.unit.functions[machine.under_check]  # type: ignore[attr-defined]
    clauses = machine.unit.file_of(node).invariant(node.coord.line)
    if clauses is None:
        raise Unsupported(f"{node.coord}: loop without an invariant")
    meaning = Meaning(machine, function.decl.name, {key: place.object for key, place in scope.items()})
    meaning.scope = scope
    meaning.check(clauses, True, "invariant before the loop")
    for name in sorted(assigned(node)):
        if name in scope:
            forget(machine, scope[name])
    equations = [clause for clause in clauses if " = " in clause]
    for clause in clauses:
        if clause not in equations:
            meaning.assume(clause)
    if not machine.choose():
        return
    before = {word: meaning.poly(word) for clause in equations for word in names(clause)}
    machine.primitives.start_block()
    machine.run(node.stmt, dict(scope))
    meaning.check(clauses, True, "invariant after a turn")
    for clause in equations:
        before["block"] = machine.primitives.block
        if not equation_holds(machine, meaning, clause, meaning.poly, before.__getitem__):
            machine.report(node, f"«{clause}» does not hold")
    settle_debts(machine)
    raise Infeasible  # the turn is checked; what follows the loop is the other case


def forget(machine: Machine, place: Place) -> None:
    if isinstance(place.type, Int | Record):
        place.container[place.key] = machine.any(place.type)
    elif isinstance(place.object, Place) and isinstance(place.object.container, list) and place.type.element != BYTE:  # type: ignore[union-attr]
        container = place.object.container
        for i in range(len(container)):
            container[i] = machine.any(place.object.type)


class assigned(c_ast.NodeVisitor, set[str]):  # noqa: N801
    """The variables that a statement may change: assigned to, incremented, or given away by their address."""

    def __init__(self, node: c_ast.Node) -> None:
        super().__init__()
        self.visit(node)

    def _name(self, node: c_ast.Node) -> None:
        while not isinstance(node, c_ast.ID):
            node = node.name if isinstance(node, c_ast.ArrayRef | c_ast.StructRef) else node.expr
        self.add(node.name)

    def visit_Assignment(self, node: c_ast.Assignment) -> None:  # noqa: N802
        self._name(node.lvalue)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: c_ast.UnaryOp) -> None:  # noqa: N802
        if node.op in ("&", "p++", "p--", "++", "--"):
            self._name(node.expr)
        self.generic_visit(node)


def settle_debts(machine: Machine) -> None:
    """High bits that a cast cut off or a sum lost must have been taken by something else."""
    paid = {machine.facts.resolve(poly) for poly in machine.do.paid}
    for poly, where in machine.do.debts.items():
        resolved = machine.facts.resolve(poly)
        if resolved not in paid and machine.facts.bound(resolved) != (0, 0):
            machine.report(None, f"{where.rsplit('/', 1)[-1]}: may wrap around or lose high bits")


def alias_patterns(
    machine: Machine, parameters: list[c_ast.Decl], equal: tuple[tuple[str, str], ...]
) -> Iterator[dict[str, str]]:
    """Each way in which pointers to field elements, and arrays that may be equal, are the same: parameter -> the one it
    equals, which comes first."""
    names = [
        parameter.name
        for parameter in parameters
        if isinstance(ctype := machine.types.of(parameter.type), Pointer)
        and isinstance(ctype.element, Record)
        and ctype.element.is_field_element
    ]

    def extend(done: dict[str, str], left: list[str]) -> Iterator[dict[str, str]]:
        if not left:
            yield done
            return
        for first in sorted({*done.values(), left[0]}):
            yield from extend({**done, left[0]: first}, left[1:])

    for pattern in extend({}, names):
        yield pattern
        for pair in equal:
            first, second = sorted(pair, key=[parameter.name for parameter in parameters].index)
            yield {**pattern, second: first}


def new_arguments(machine: Machine, name: str, aliases: dict[str, str]) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    for parameter in machine.parameters(machine.unit.functions[name]):
        ctype = machine.types.of(parameter.type)
        key = aliases.get(parameter.name, parameter.name)
        if isinstance(ctype, Int | Record):
            arguments[parameter.name] = machine.types.new(ctype)
        elif key != parameter.name:
            arguments[parameter.name] = arguments[key]
        elif isinstance(ctype, Array):
            arguments[key] = Place(machine.types.new(ctype), 0, ctype.element)
        elif isinstance(ctype, Pointer) and ctype.element in (BYTE, None):
            arguments[key] = Place(Bytes(), 0, BYTE)
        elif isinstance(ctype, Pointer):
            arguments[key] = Place([machine.types.new(ctype.element)], 0, ctype.element)
        if isinstance(ctype, Array) and ctype.element == BYTE:
            arguments[key] = Place(Bytes(), 0, BYTE)
    return arguments


def snapshot(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments with contents of their own, equal pointers staying equal."""
    copies: dict[int, Any] = {}
    result: dict[str, Any] = {}
    for name, value in arguments.items():
        if isinstance(value, Place) and not isinstance(value.container, Bytes):
            container = copies.setdefault(id(value.container), copied(value.container))
            value = Place(container, value.key, value.type)
        result[name] = copied(value)
    return result


def names(equation: str) -> set[str]:
    found = EQUATION.fullmatch(equation)
    assert found is not None
    return {word for kind, word in tokens(found[2]) if kind == "name"}


def equation_holds(
    machine: Machine, meaning: Meaning, clause: str, now: Callable[[str], Poly], before: Callable[[str], Poly]
) -> bool:
    found = EQUATION.fullmatch(clause)
    assert found is not None
    difference = machine.facts.resolve(value_of(found[1], now) - value_of(found[2], before))
    while any(atom in machine.residues for monomial in difference.terms for atom in monomial):
        difference = machine.facts.resolve(difference.substituted(machine.residues.get))
    if found[3] is None:
        return not difference.terms
    modulus = meaning.numeral(found[3])
    if modulus % 2:
        return not difference.reduced(modulus).terms
    return machine.facts.low(difference, modulus.bit_length() - 1).constant == 0


def check_equations(meaning: Meaning, before: Meaning) -> None:
    machine = meaning.machine
    for clause in meaning.contract.equations:
        if not equation_holds(machine, meaning, clause, meaning.poly, before.poly):
            machine.report(meaning.node, f"«{clause}» does not hold")
    for clause in meaning.contract.after:
        if found := CHOICE.fullmatch(clause):
            value = machine.facts.resolve(meaning.poly(found[1]))
            if value not in (machine.facts.resolve(before.poly(found[i])) for i in (2, 3)):
                machine.report(meaning.node, f"«{clause}» does not hold")
        elif found := GROWTH.fullmatch(clause):
            most = meaning.numeral(found[3])
            for old, new in zip(before.vector(found[2]).limbs, meaning.vector(found[1]).limbs, strict=True):
                if machine.facts.bound(new.poly - old.poly)[1] >= most:
                    machine.report(meaning.node, f"«{clause}» does not hold")


def run_path(unit: Unit, name: str, decisions: list[bool], aliases: dict[str, str], report: Report) -> int:
    """One path; returns how many decisions it took."""
    contract = unit.contract(name)
    assert contract is not None
    machine = Machine(unit, decisions, tells_cases_apart(contract), call, loop)
    machine.under_check = name  # type: ignore[attr-defined]
    try:
        arguments = new_arguments(machine, name, aliases)
        meaning = Meaning(machine, name, arguments)
        meaning.assume_before()
        arguments = {key: place.object for key, place in meaning.scope.items()}
        before = Meaning(machine, name, snapshot(arguments))
        meaning.set_result(machine.call(name, arguments))
        machine.do.settle_carries()
        meaning.check(contract.after, True, name)
        check_equations(meaning, before)
        if not contract.equations:
            settle_debts(machine)
    except Infeasible:
        pass
    except (BadContract, Unsupported, OverflowError) as problem:
        machine.report(None, f"not proven: {problem}")
    report.findings += [finding for finding in machine.findings if finding not in report.findings]
    return machine.taken


def check_function(unit: Unit, name: str) -> Report:
    """Every path with every pattern of equal pointers."""
    report = Report(name, [])
    probe = Machine(unit, [], False, call, loop)
    contract = unit.contract(name)
    for aliases in alias_patterns(probe, probe.parameters(unit.functions[name]), contract.equal if contract else ()):
        decisions: list[bool] = []
        while True:
            taken = run_path(unit, name, decisions, aliases, report)
            report.paths += 1
            if report.paths > MOST_PATHS:
                report.findings.append("not proven: too many paths")
                return report
            decisions = decisions[:taken]
            while decisions and decisions[-1]:
                decisions.pop()
            if not decisions:
                break
            decisions[-1] = True
        if len(report.findings) > 5:
            break
    return report


def check_unit(unit: Unit, functions: list[str] | None = None) -> list[Report]:
    """Every function with a contract, or those named."""
    return [check_function(unit, name) for name in (unit.stated if functions is None else functions)]
