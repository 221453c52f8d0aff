"""A C file as the compiler sees it, and the contracts in its comments.

A contract stands in the comment above a function, after whatever else that says:

    in: CLAUSES; out: CLAUSES.

and a loop that runs an unknown number of times has `/* invariant: CLAUSES */` above it. contracts.py has the grammar.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pycparser import c_ast, c_parser

MODEL = Path(__file__).parent / "model"
"""Headers that say in C what vector instructions do, in place of the compiler's."""

# Attributes mean nothing here. Assembly means everything: a function that runs into any is not proven.
PREPROCESS = (
    *(
        "-E",
        "-std=c99",
        "-ffreestanding",
        "-D__attribute__(x)=",
        "-D__extension__=",
        "-D__asm__(...)=lt_inline_assembly()",
        "-Dvolatile=",
    ),
    *("-D__inline=inline", "-Dalignas(x)="),
)

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
CONTRACT = re.compile(r"\bin: (?P<before>.*?); out: (?P<after>.*?)\.(?: |$)")
EQUAL = re.compile(r"`(\w+)` may be `(\w+)`")
INVARIANT = re.compile(r"\binvariant: (.*?) \*/")
MODULUS = re.compile(r"(?<![-+] )\b[pn] = (2\^\d+(?: [-+] (?:0x[0-9a-f]+|(?:2\^)?\d+))+)")
RADIX = re.compile(r"\b(?:v\[0\]|[vl]0) \+ 2\^(\d+) [vl]\[?1")
CLASS = re.compile(r"^ \*   (\w+)   ([^:\n]+)", re.MULTILINE)


@dataclass(frozen=True)
class Contract:
    """The clauses of one function, as they are written."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    equal: tuple[tuple[str, str], ...] = ()
    """Arrays that may be the same: «`q` may be `low`» in the comment. Field elements always may."""

    @property
    def equations(self) -> list[str]:
        return [clause for clause in self.after if " = " in clause]

    @property
    def is_exact(self) -> bool:
        """Its equations hold as they are, not only modulo something."""
        return bool(self.equations) and not any("(mod " in clause for clause in self.equations)

    @property
    def is_compound(self) -> bool:
        """An equation does not give a value to one name."""
        return any(not re.match(r"\S+ = ", clause) for clause in self.equations)


def clauses(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def plain(comment: str) -> str:
    """The text of a comment on one line."""
    return " ".join(re.sub(r"^[ ]*\*", "", line).strip() for line in comment[2:-2].strip("*").splitlines()).strip()


@dataclass
class SourceFile:
    """The comments of one file."""

    name: str
    text: str

    @cached_property
    def modulus(self) -> str | None:
        found = MODULUS.search(self.text)
        return found[1] if found else None

    @cached_property
    def radix(self) -> int | None:
        """Bits per limb where the file says so; else limbs are full words."""
        found = RADIX.search(self.text)
        return int(found[1]) if found else None

    @cached_property
    def classes(self) -> dict[str, tuple[str, ...]]:
        return {name: clauses(text) for name, text in CLASS.findall(self.text) if " < " in text}

    @cached_property
    def _comments(self) -> list[tuple[int, str]]:
        """The line after each comment, and the comment."""
        return [(self.text.count("\n", 0, found.end()) + 2, found[0]) for found in COMMENT.finditer(self.text)]

    def contract(self, line: int) -> Contract | None:
        """The contract of the function whose definition starts on a line."""
        for after, comment in self._comments:
            if after == line and (found := CONTRACT.search(plain(comment))):
                equal = tuple(EQUAL.findall(plain(comment)))
                return Contract(clauses(found["before"]), clauses(found["after"]), equal)
        return None

    def invariant(self, line: int) -> tuple[str, ...] | None:
        for after, comment in self._comments:
            if after == line and (found := INVARIANT.search(plain(comment) + " */")):
                return clauses(found[1])
        return None


@dataclass
class Unit:
    """One translation unit."""

    tree: c_ast.FileAST
    files: dict[str, SourceFile]
    functions: dict[str, c_ast.FuncDef] = field(default_factory=dict)
    globals: dict[str, c_ast.Decl] = field(default_factory=dict)
    typedefs: dict[str, c_ast.Node] = field(default_factory=dict)
    _prototypes: dict[str, c_ast.FuncDef] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node in self.tree.ext:
            if isinstance(node, c_ast.FuncDef):
                self.functions[node.decl.name] = node
            elif isinstance(node, c_ast.Decl) and isinstance(node.type, c_ast.FuncDecl):
                self._prototypes[node.name] = c_ast.FuncDef(node, None, None, node.coord)
            elif isinstance(node, c_ast.Typedef):
                self.typedefs[node.name] = node.type
            elif isinstance(node, c_ast.Decl) and node.name:
                self.globals[node.name] = node
        for name, node in self._prototypes.items():
            if name not in self.functions and self.file_of(node).contract(node.coord.line) is not None:
                self.functions[name] = node

    def file_of(self, node: c_ast.Node) -> SourceFile:
        return self.files[node.coord.file]

    @property
    def stated(self) -> list[str]:
        """The functions with a contract and a body."""
        bodies = [name for name, node in self.functions.items() if node.body is not None]
        return [name for name in bodies if self.contract(name) is not None and not self.is_model(name)]

    def is_model(self, function: str) -> bool:
        """Whether the function stands for an instruction."""
        return Path(self.functions[function].coord.file).parent == MODEL

    def contract(self, function: str) -> Contract | None:
        node = self.functions[function]
        return self.file_of(node).contract(node.coord.line)


def parse(path: Path, flags: tuple[str, ...] = ()) -> Unit:
    """Preprocess and parse a C file or header."""
    command = ["gcc", *PREPROCESS, *flags, f"-I{MODEL}", f"-I{path.parent}", "-x", "c", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise ValueError(result.stderr)
    tree = c_parser.CParser().parse(result.stdout, str(path))
    names = {node.coord.file for node in tree.ext if node.coord is not None}
    files = {name: SourceFile(Path(name).name, Path(name).read_text()) for name in names if Path(name).is_file()}
    return Unit(tree, files)
