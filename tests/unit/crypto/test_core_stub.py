"""_core.pyi, lighttls.h and the built module tell the same story."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from support import engines, require

STUB = require.REPOSITORY / "src" / "lighttls" / "crypto" / "_core.pyi"
HEADER = require.REPOSITORY / "csrc" / "lighttls.h"


def stub_class(name: str) -> ast.ClassDef:
    module = ast.parse(STUB.read_text(encoding="utf-8"))
    return next(node for node in module.body if isinstance(node, ast.ClassDef) and node.name == name)


def stub_names(name: str) -> set[str]:
    body = stub_class(name).body
    functions = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    return functions | {str(node.target.id) for node in body if isinstance(node, ast.AnnAssign)}  # type: ignore[union-attr]


def test_stub_has_exactly_the_names_of_the_core() -> None:
    require.native()
    from lighttls.crypto._core import lib

    assert stub_names("_Lib") == set(dir(lib))


def test_stub_has_names_that_ffi_knows() -> None:
    require.native()
    from lighttls.crypto._core import ffi

    assert stub_names("_FFI") <= set(dir(ffi))


def test_stub_has_the_parameters_of_the_header() -> None:
    """Their names too; `in` is a Python keyword and becomes `in_`."""
    text = re.sub(r"/\*.*?\*/", "", HEADER.read_text(encoding="utf-8"), flags=re.DOTALL)
    declared = {}
    for name, parameters in re.findall(r"\b(lt_\w+)\(([^)]*)\);", text):
        words = [] if parameters == "void" else [re.findall(r"\w+", part)[-1] for part in parameters.split(",")]
        declared[name] = ["in_" if word == "in" else word for word in words]
    stubs = {
        node.name: [argument.arg for argument in node.args.args[1:]]
        for node in stub_class("_Lib").body
        if isinstance(node, ast.FunctionDef)
    }
    assert stubs == declared


def test_engine_uses_no_test_function() -> None:
    """Functions that take nonces from outside or let secrets out exist for published vectors alone."""
    for path in Path(STUB.parent).glob("*.py"):
        assert "lt_test_" not in path.read_text(encoding="utf-8"), path.name


def test_tests_know_every_processor_feature_of_the_header() -> None:
    """One they do not know is never masked out, nor let in again: its implementation would not be tested."""
    declared = re.findall(r"#define LT_CPU_(\w+)\s+(\d+)", HEADER.read_text(encoding="utf-8"))
    assert {name.lower(): int(bit) for name, bit in declared} == engines.CPU_FEATURES
