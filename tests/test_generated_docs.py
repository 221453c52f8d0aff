"""The generated parts of docs/ say what the code says now."""

from __future__ import annotations

import importlib.util

import pytest

from support.require import REPOSITORY

SPEC = importlib.util.spec_from_file_location("state_diagram", REPOSITORY / "tools" / "state_diagram.py")


@pytest.fixture(scope="module")
def state_diagram():
    module = importlib.util.module_from_spec(SPEC)
    SPEC.loader.exec_module(module)
    return module


def test_state_diagram_is_current(state_diagram) -> None:
    document = state_diagram.DOCUMENT.read_text(encoding="utf-8")
    assert state_diagram.with_diagram(document) == document, "stale: run `make docs`"


def test_a_changed_table_makes_the_diagram_stale(state_diagram, monkeypatch) -> None:
    document = state_diagram.DOCUMENT.read_text(encoding="utf-8")
    monkeypatch.setattr(state_diagram, "TABLE", state_diagram.TABLE[1:])
    assert state_diagram.with_diagram(document) != document


def test_document_without_marks_is_an_error(state_diagram) -> None:
    with pytest.raises(ValueError, match="marks"):
        state_diagram.with_diagram("# Architecture\n")
