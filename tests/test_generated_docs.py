"""The generated parts of docs/ say what the code says now."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from interop.peers import PEERS
from support.require import REPOSITORY


def tool(name: str):
    """A program of tools/ as a module."""
    spec = importlib.util.spec_from_file_location(name, REPOSITORY / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def state_diagram():
    return tool("state_diagram")


@pytest.fixture(scope="module")
def conformance():
    return tool("conformance")


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


# --- docs/conformance.md -------------------------------------------------------------------------


def test_conformance_is_current_and_says_something_about_every_rule(conformance) -> None:
    document, faults = conformance.current()
    assert faults == []
    assert conformance.DOCUMENT.read_text(encoding="utf-8") == document, "stale: run `make docs`"


def test_no_rule_was_dropped_and_no_number_was_given_twice(conformance) -> None:
    """Rules are added at the end of a chapter; the 379 of the first edition stay."""
    chapters = conformance.read_rules()
    assert len({chapter.name for chapter in chapters}) == len(chapters) >= 28
    assert sum(len(chapter.rules) for chapter in chapters) >= 379
    for chapter in chapters:
        numbers = [rule.number for rule in chapter.rules]
        assert numbers == [f"{chapter.name}-{place:02}" for place in range(1, len(numbers) + 1)]
        assert {rule.kind for rule in chapter.rules} <= set(conformance.KINDS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# ABC-03", ["ABC-03"]),
        ("ABC-02 to ABC-04, AB-01.", ["ABC-02", "ABC-03", "ABC-04", "AB-01"]),
        ("XABC-03 ABC-x AES-128", []),
        ("ABC-7", ["ABC-07"]),
    ],
)
def test_numbers_and_ranges_are_found(conformance, text, expected) -> None:
    assert list(conformance.numbers_in(text, ["AB", "ABC"])) == expected


def test_place_is_the_innermost_function_of_a_line(conformance, tmp_path) -> None:
    (tmp_path / "one.py").write_text("# ABC-01\nclass A:\n    def f(self):\n        return 1  # ABC-02\n")
    (tmp_path / "two.c").write_text("int x; /* ABC-02 */\n")
    found = conformance.citations([tmp_path], ["ABC"], functions=True)
    assert found == {"ABC-01": ("one.py",), "ABC-02": ("one.py: A.f", "two.c")}


def chapter(conformance, *rules, **settings):
    return conformance.Chapter("ABC", "Letters", tuple(conformance.Rule(*rule) for rule in rules), **settings)


BREAK, OURS = ("ABC-01", "break", "never", "own"), ("ABC-02", "ours", "always", "own")


@pytest.mark.parametrize(
    ("code", "tests", "fault"),
    [
        (("ABC-01", "ABC-02"), {"ABC-01": "hostile/a.py", "ABC-02": "unit/a.py"}, None),
        (("ABC-01", "ABC-02"), {"ABC-01": "unit/a.py", "ABC-02": "unit/a.py"}, "ABC-01 lacks a test in tests/hostile"),
        (("ABC-01", "ABC-02"), {"ABC-01": "hostile/a.py"}, "ABC-02 lacks a test"),
        (("ABC-01",), {"ABC-01": "hostile/a.py", "ABC-02": "unit/a.py"}, "ABC-02 lacks a place in the code"),
        (
            ("ABC-01", "ABC-02", "ABC-09"),
            {"ABC-01": "hostile/a.py", "ABC-02": "unit/a.py"},
            "ABC-09 does not exist, but is cited in a.py",
        ),
    ],
)
def test_gap_or_wrong_number_is_a_fault(conformance, code, tests, fault) -> None:
    faults = conformance.faults(
        [chapter(conformance, BREAK, OURS)],
        dict.fromkeys(code, ("a.py",)),
        {number: (file,) for number, file in tests.items()},
    )
    assert (
        [fault] == [complaint.removesuffix(", and does not say why") for complaint in faults] if fault else not faults
    )


def test_reason_is_shown_while_it_holds_and_a_fault_afterwards(conformance) -> None:
    unmet = chapter(conformance, (*BREAK, "—", "", "not for us"), OURS, open="not built yet")
    assert conformance.faults([unmet], {}, {}) == []
    shown = conformance.page([unmet], {}, {})
    assert "**refused**: not for us" in shown
    assert "**open**: not built yet" in shown
    assert "2 rules: 0 met, 1 refused, 1 open" in shown
    cited = {"ABC-01": ("hostile/a.py",), "ABC-02": ("hostile/a.py",)}
    assert conformance.faults([unmet], cited, cited) == [
        "ABC-01 is met: remove its `open` or `refused`",
        "nothing of chapter ABC hangs on its `open`: remove it",
    ]


# --- docs/x509.md --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def limbo_choices():
    return tool("limbo_choices")


def test_limbo_choices_are_current(limbo_choices) -> None:
    document = limbo_choices.DOCUMENT.read_text(encoding="utf-8")
    assert limbo_choices.with_tables(document) == document, "stale: run `make docs`"


def test_changed_choice_makes_the_page_stale(limbo_choices, monkeypatch, tmp_path) -> None:
    document = limbo_choices.DOCUMENT.read_text(encoding="utf-8")
    changed = tmp_path / "choices.toml"
    changed.write_text(limbo_choices.CHOICES.read_text(encoding="utf-8").replace("weekly", "daily"), encoding="utf-8")
    monkeypatch.setattr(limbo_choices, "CHOICES", changed)
    assert limbo_choices.with_tables(document) != document
    with pytest.raises(ValueError, match="marks"):
        limbo_choices.with_tables("# Certificates\n")


@pytest.fixture(scope="module")
def chain_reasons():
    return tool("chain_reasons")


def test_reasons_to_refuse_a_chain_are_current(chain_reasons, monkeypatch) -> None:
    document = chain_reasons.DOCUMENT.read_text(encoding="utf-8")
    assert chain_reasons.with_table(document) == document, "stale: run `make docs`"
    monkeypatch.setattr(chain_reasons, "SPECIFIC", {})
    assert chain_reasons.with_table(document) != document
    with pytest.raises(ValueError, match="marks"):
        chain_reasons.with_table("# Certificates\n")


# --- docs/interop.md -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def interop():
    return tool("interop")


def cell(size="none", device="none", lacks=(), ended=False):
    return ["TLS_A", "x25519", device, "none", size, dict(lacks), ended]


def one_server(*cells, pure=None):
    seen = {"native": list(cells), "pure": list(cells) if pure is None else pure}
    return {"Server": {"version": "1.0", "notes": ["is odd"], "psk": [["TLS_PSK_A", "none", {}, False]], **seen}}


def test_reason_of_a_cell_is_numbered_and_stands_below(interop) -> None:
    page = interop.page(one_server(cell(), cell("mfl-512", lacks={"size": "does not know it"})))
    assert "| Server | 1.0 | 2 | 1 | 1 |" in page
    assert "| none | ✓ |" in page
    assert "| mfl-512 | [1] |" in page
    assert "1. does not know it" in page
    assert "| A | x25519 | ✓ [1] |" in page


def test_reason_that_holds_in_some_cells_of_an_axis_stands_beside_the_tick(interop) -> None:
    page = interop.page(one_server(cell(device="rsa", lacks={"suite": "not so"}), cell(device="ecdsa")))
    assert "| A | ✓ [1] |" in page


def test_pre_shared_keys_have_a_table_of_their_own(interop) -> None:
    results = one_server(cell())
    results["Server"]["psk"].append(["TLS_PSK_B", "ticket", {"suite": "has no B"}, True])
    page = interop.page(results)
    assert "| PSK_A | ✓ |" in page
    assert "| PSK_B | [1] |" in page
    assert "| ticket |  |" in page
    assert "1. has no B" in page
    assert "No server has PSK_B:" in page


def test_page_names_every_server_of_the_matrix_and_what_differs_with_it(interop) -> None:
    page = interop.DOCUMENT.read_text(encoding="utf-8")
    for peer in PEERS:
        assert f"<summary>{peer.name}</summary>" in page, "stale: run `make interop`"
        assert all(note in page for note in peer.notes), "stale: run `make interop`"


def test_cell_that_ended_for_one_axis_says_nothing_about_the_others(interop) -> None:
    goes_on, ends = (interop.page(one_server(cell("big", lacks={"suite": "no"}, ended=end))) for end in (False, True))
    assert "| big | ✓ |" in goes_on
    assert "| big |  |" in ends


def test_cell_that_the_engines_saw_differently_is_a_fault(interop) -> None:
    assert interop.differences(one_server(cell())) == []
    assert interop.differences(one_server(cell(), pure=[cell(lacks={"size": "x"})])) != []
    assert interop.differences(one_server(cell(), pure=[])) != []


@pytest.fixture(scope="module")
def compare_x509():
    return tool("compare_x509")


def test_table_of_planted_flaws_is_current(compare_x509) -> None:
    document = compare_x509.DOCUMENT.read_text(encoding="utf-8")
    assert compare_x509.with_flaws(document) == document, "stale: run `tools/compare_x509.py flaws`"


def test_comparison_shows_every_case_that_is_decided_otherwise(compare_x509, limbo_choices) -> None:
    """The others' verdicts are as old as the page; ours are held to the choices by the tests."""
    document = compare_x509.DOCUMENT.read_text(encoding="utf-8")
    _, _, table = document.partition("<!-- comparison: begin")
    rows = table.partition("<!-- comparison: end")[0].splitlines()
    chosen = {
        case
        for tier in limbo_choices.tomllib.loads(limbo_choices.CHOICES.read_text()).values()
        for case in tier.get("accepted", {})
    }
    assert {row.split("`")[1] for row in rows if row.startswith("| `")} == chosen, "stale: run tools/compare_x509.py"


def test_page_without_marks_is_an_error(compare_x509) -> None:
    with pytest.raises(ValueError, match="marks"):
        compare_x509.with_flaws("# Certificates\n")
