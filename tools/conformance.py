"""Write docs/conformance.md: every rule of docs/rules/, where the code meets it, and which tests hold it to that.

A place or a test claims a rule by naming its number (REC-04, or SKE-05 to SKE-09) in a comment, docstring or
test case; they are found by reading the sources. A rule is met if both exist; of what the peer may break or do,
a test must play it in tests/hostile. Every other rule says in its entry (or its chapter's) why it is `open` or
`refused`. Numbers that no rule has, rules without a word, and reasons that have had their day are errors.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
RULES = REPOSITORY / "docs" / "rules"
DOCUMENT = REPOSITORY / "docs" / "conformance.md"
SOURCES = (REPOSITORY / "src" / "lighttls", REPOSITORY / "csrc")
TESTS = (REPOSITORY / "tests",)
HOSTILE = "hostile/"

KINDS = {"break": "peer may break", "bear": "peer may do", "ours": "our side"}


@dataclass(frozen=True)
class Rule:
    """One entry of docs/rules/."""

    number: str
    kind: str
    text: str
    source: str
    answer: str = "—"
    open: str = ""
    refused: str = ""


@dataclass(frozen=True)
class Chapter:
    """The rules of one area; `open` speaks for those that are not met and say nothing themselves."""

    name: str
    title: str
    rules: tuple[Rule, ...]
    open: str = ""


Places = Mapping[str, tuple[str, ...]]
"""By rule number, what cites it."""


def read_rules(folder: Path = RULES) -> list[Chapter]:
    """All chapters, in the order of the files."""
    chapters = []
    for path in sorted(folder.glob("*.toml")):
        for name, entry in tomllib.loads(path.read_text(encoding="utf-8")).items():
            rules = tuple(Rule(f"{name}-{key}", **value) for key, value in entry.items() if isinstance(value, dict))
            chapters.append(Chapter(name, entry["title"], rules, entry.get("open", "")))
    return chapters


# --- who cites what ----------------------------------------------------------------------------


def numbers_in(text: str, chapters: Iterable[str]) -> Iterator[str]:
    """Every rule number in a line of text, those inside a range (X-02 to X-05) too."""
    names = "|".join(sorted(chapters, key=len, reverse=True))
    for found in re.finditer(rf"\b({names})-(\d+)\b(?: to \1-(\d+)\b)?", text):
        name, first, last = found.groups()
        for number in range(int(first), int(last or first) + 1):
            yield f"{name}-{number:02}"


def citations(folders: Iterable[Path], chapters: Iterable[str], *, functions: bool) -> Places:
    """What in these folders cites which rule: files, or with `functions` the function or class as well."""
    names = tuple(chapters)
    found: dict[str, dict[str, None]] = {}
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".c", ".h")):
            text = path.read_text(encoding="utf-8")
            file = path.relative_to(folder.parent if folder.name == "csrc" else folder).as_posix()
            owners = _owners(text) if functions and path.suffix == ".py" else {}
            for at, line in enumerate(text.splitlines(), 1):
                for number in numbers_in(line, names):
                    place = f"{file}: {owners[at]}" if at in owners else file
                    found.setdefault(number, {})[place] = None
    return {number: tuple(places) for number, places in found.items()}


def _owners(text: str) -> dict[int, str]:
    """By line, the function or class that the line stands in."""
    owners: dict[int, str] = {}

    def walk(node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            name = prefix
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                name = f"{prefix}.{child.name}" if prefix else child.name
                owners.update(dict.fromkeys(range(child.lineno, (child.end_lineno or child.lineno) + 1), name))
            walk(child, name)

    walk(ast.parse(text), "")
    return owners


# --- the verdict ------------------------------------------------------------------------------


def is_met(rule: Rule, code: Places, tests: Places) -> bool:
    """Whether a place and a test of the right kind cite the rule."""
    files = tests.get(rule.number, ())
    tested = bool(files) if rule.kind == "ours" else any(file.startswith(HOSTILE) for file in files)
    return rule.number in code and tested


def reason(rule: Rule, chapter: Chapter) -> tuple[str, str]:
    """What stands instead of a place and tests: (state, why)."""
    if rule.refused:
        return "refused", rule.refused
    return "open", rule.open or chapter.open


def faults(chapters: Iterable[Chapter], code: Places, tests: Places) -> list[str]:
    """All that is wrong, one line each."""
    complaints = []
    chapters = list(chapters)
    known = {rule.number for chapter in chapters for rule in chapter.rules}
    for number in sorted({*code, *tests} - known):
        cited = (*code.get(number, ()), *tests.get(number, ()))
        complaints.append(f"{number} does not exist, but is cited in {', '.join(cited)}")
    for chapter in chapters:
        missing = [rule for rule in chapter.rules if not is_met(rule, code, tests)]
        for rule in chapter.rules:
            if rule in missing:
                if not reason(rule, chapter)[1]:
                    lacks = "a test in tests/hostile" if rule.number in code and rule.kind != "ours" else "a test"
                    lacks = lacks if rule.number in code else "a place in the code"
                    complaints.append(f"{rule.number} lacks {lacks}, and does not say why")
            elif rule.open or rule.refused:
                complaints.append(f"{rule.number} is met: remove its `open` or `refused`")
        if chapter.open and all(rule.open or rule.refused for rule in missing):
            complaints.append(f"nothing of chapter {chapter.name} hangs on its `open`: remove it")
    return complaints


# --- the page ---------------------------------------------------------------------------------

HEAD = """\
<!-- generated by `make docs` from docs/rules/, src/, csrc/ and tests/: do not edit -->

# What a TLS 1.2 client has to do, and where lighttls does it

Each rule has a number that is never given to another. The code says the number where it meets the rule, the tests
say it where they try to break it, and this page is made from both; `tools/conformance.py` fails on a number that does
not exist and on a rule about which nothing is said.

*Peer may break*: a server can get it wrong, and the answer is the fatal alert that we send before we close, unless it
says otherwise; «others» names alerts that other stacks send, which is no fault of theirs. *Peer may do*: odd, but
allowed or harmless, and to be borne. *Our side*: what we send, keep, or hand out. Behind all of them: syntax (a length,
bytes missing or left over) is `decode_error`; a well-formed value that is not allowed is `illegal_parameter`; the wrong
message is `unexpected_message`; a failed signature or Finished is `decrypt_error`; a failed record is
`bad_record_mac`. The alert is queued before the error is raised to the caller.

Places are files of `src/lighttls/` with the function, or of `csrc/`; tests are files of `tests/`.
"""

TOTALS = """
**{} rules: {} met, {} refused, {} open.** Of the {} that a peer may break or use, the server of `tests/hostile/`
plays {}.

"""


def page(chapters: Iterable[Chapter], code: Places, tests: Places) -> str:
    """The whole document."""
    chapters = list(chapters)
    summary, tables = [], []
    total = [0] * 4
    for chapter in chapters:
        states = ["met" if is_met(rule, code, tests) else reason(rule, chapter)[0] for rule in chapter.rules]
        counts = [len(states), *(states.count(state) for state in ("met", "refused", "open"))]
        total = [a + b for a, b in zip(total, counts, strict=True)]
        anchor = f"{chapter.name}: {chapter.title}".lower()
        anchor = re.sub(r"[^\w -]", "", anchor).replace(" ", "-")
        summary.append(_row(f"[{chapter.name}](#{anchor})", chapter.title, *map(str, counts)))
        tables += ["", f"## {chapter.name}: {chapter.title}", "", *_header("rule", "kind", "what must hold", "answer")]
        tables += [_entry(rule, chapter, code, tests) for rule in chapter.rules]
    played = [is_met(rule, code, tests) for chapter in chapters for rule in chapter.rules if rule.kind != "ours"]
    head = HEAD + TOTALS.format(*total, len(played), sum(played))
    overview = [_row("", "chapter", "rules", "met", "refused", "open"), _row("---", "---", *["---:"] * 4)]
    return head + "\n".join([*overview, *summary, _row("", "all", *map(str, total)), *tables]) + "\n"


def _header(*columns: str) -> list[str]:
    columns = (*columns, "source", "in the code", "in the tests")
    return [_row(*columns), _row(*["---"] * len(columns))]


def _entry(rule: Rule, chapter: Chapter, code: Places, tests: Places) -> str:
    places, files = list(code.get(rule.number, ())), tests.get(rule.number, ())
    if not is_met(rule, code, tests):
        state, why = reason(rule, chapter)
        places.insert(0, f"**{state}**: {why}")
    hostile_first = sorted(files, key=lambda file: (not file.startswith(HOSTILE), file))
    return _row(
        rule.number,
        KINDS[rule.kind],
        rule.text.replace("|", "\\|"),
        rule.answer,
        rule.source,
        "<br>".join(places),
        "<br>".join(hostile_first),
    )


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def current() -> tuple[str, list[str]]:
    """The page as it should be today, and what is wrong."""
    chapters = read_rules()
    names = [chapter.name for chapter in chapters]
    code, tests = citations(SOURCES, names, functions=True), citations(TESTS, names, functions=False)
    return page(chapters, code, tests), faults(chapters, code, tests)


if __name__ == "__main__":
    document, complaints = current()
    DOCUMENT.write_text(document, encoding="utf-8")
    sys.exit("\n".join(complaints) or None)
