"""Write the comparison with other verifiers into docs/x509.md.

    tools/compare_x509.py          judge x509-limbo by every library that is here, and write both tables (a minute)
    tools/compare_x509.py flaws    write only the table of planted flaws, from tests/support/disagreements.py

The vectors are found as the tests find them (LIGHTTLS_VECTORS). How each library is asked: tests/support/judges/.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
from base64 import b64decode
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

REPOSITORY = Path(__file__).parents[1]
sys.path[:0] = [str(REPOSITORY / "tests")]

from support.disagreements import DISAGREEMENTS, PYCA  # noqa: E402 - the path comes first
from support.flaws import FLAWS  # noqa: E402
from support.judges import Judge, Question, Verdict  # noqa: E402

DOCUMENT = REPOSITORY / "docs" / "x509.md"
NOW = "2026-11-20T00:00:00+00:00"  # for cases that say "now": when their certificates were made
OURS = "lighttls"
PLACES = {"L": "leaf", "I": "intermediate", "R": "root"}


class Result(NamedTuple):
    """What one library says about all cases."""

    name: str
    version: str
    verdicts: dict[str, Verdict | None]


def suite() -> tuple[dict[str, dict[str, Any]], dict[str, list[str]]]:
    """Cases by name, and names by tier."""
    vectors = Path(os.environ.get("LIGHTTLS_VECTORS") or REPOSITORY.parent / "shared" / "vectors") / "x509-limbo"
    cases = json.loads(gzip.decompress((vectors / "limbo-dev.json.gz").read_bytes()))["testcases"]
    tiers = json.loads((vectors / "limbo-dev-tiers.json").read_text(encoding="utf-8"))
    return {case["id"]: case for case in cases}, tiers


def question(case: dict[str, Any]) -> Question:
    name = case.get("expected_peer_name")
    return Question(
        _der(case["peer_certificate"]),
        tuple(map(_der, case["untrusted_intermediates"])),
        tuple(map(_der, case["trusted_certs"])),
        (name["kind"], name["value"]) if name else None,
        int(datetime.fromisoformat(case.get("validation_time") or NOW).timestamp()),
        case["validation_kind"] == "SERVER",
        case.get("max_chain_depth"),
        tuple(map(_der, case.get("crls", ()))),
    )


def judges() -> list[Judge]:
    from support.judges import go, openssl, ours, pyca, rustls

    strict = openssl.OpenSSL(strict=True)
    return [ours.Lighttls(), pyca.Pyca(), openssl.OpenSSL(strict=False), strict, go.Go(), rustls.Rustls()]


def results(cases: dict[str, dict[str, Any]]) -> list[Result]:
    """Every library's verdict on every case. Ends the program if one is not here."""
    questions = [question(case) for case in cases.values()]
    found = []
    for judge in judges():
        if lack := judge.missing():
            raise SystemExit(f"{judge.name}: {lack}")
        verdicts = dict(zip(cases, judge.verdicts(questions), strict=True))
        found.append(Result(judge.name, judge.version(), verdicts))
    return found


# ---- The tables ------------------------------------------------------------------------------------------


def limbo_tables(cases: dict[str, dict[str, Any]], tiers: dict[str, list[str]], found: Sequence[Result]) -> list[str]:
    heads = [OURS, *(f"{result.name} {result.version}" for result in found[1:])]
    lines = [_row("tier", "cases", *heads), _rule(2 + len(heads))]
    for tier, ids in tiers.items():
        lines.append(_row(tier, str(len(ids)), *(_count(cases, ids, result) for result in found)))
        if tier == "required":
            lines.append(
                _row("… accepted, but wrong", "", *(_wrong(cases, ids, result, "FAILURE") for result in found))
            )
            lines.append(_row("… refused, but right", "", *(_wrong(cases, ids, result, "SUCCESS") for result in found)))
    lines += ["", "Where lighttls decides otherwise than the suite (the reasons stand above), the others decide:", ""]
    others = found[1:]
    lines += [_row("case", *(result.name for result in others)), _rule(1 + len(others))]
    for case_id in ours_otherwise(cases, found[0]):
        lines.append(_row(f"`{case_id}`", *(_words(result.verdicts[case_id]) for result in others)))
    return lines


def ours_otherwise(cases: dict[str, dict[str, Any]], ours: Result) -> list[str]:
    return [case_id for case_id in cases if _is_right(cases, case_id, ours) is False]


def _is_right(cases: dict[str, dict[str, Any]], case_id: str, result: Result) -> bool | None:
    verdict = result.verdicts[case_id]
    return None if verdict is None else verdict.accepted == (cases[case_id]["expected_result"] == "SUCCESS")


def _count(cases: dict[str, dict[str, Any]], ids: Sequence[str], result: Result) -> str:
    """How many came out as the suite wants, of how many that could be asked."""
    asked = [right for case_id in ids if (right := _is_right(cases, case_id, result)) is not None]
    return "-" if not asked else str(sum(asked)) if len(asked) == len(ids) else f"{sum(asked)} of {len(asked)}"


def _wrong(cases: dict[str, dict[str, Any]], ids: Sequence[str], result: Result, expected: str) -> str:
    of_the_kind = [case_id for case_id in ids if cases[case_id]["expected_result"] == expected]
    return str(sum(_is_right(cases, case_id, result) is False for case_id in of_the_kind))


def _words(verdict: Verdict | None) -> str:
    return "-" if verdict is None else "accepts" if verdict.accepted else "refuses"


def flaw_table() -> list[str]:
    real = [flaw for name, flaw in FLAWS.items() if name != "none"]
    chains = sum(len(flaw.places) for flaw in real)
    verdicts = sum(len(each.places) for each in DISAGREEMENTS)
    lines = [f"{len(real)} flaws in one place or several make {chains} plain chains, on which the other two disagree"]
    lines += [f"with us in {verdicts} verdicts:", "", _row("flaw", "in", "lighttls", "otherwise", "why"), _rule(5)]
    for each in DISAGREEMENTS:
        places = ", ".join(PLACES[place] for place in each.places)
        refused = set(each.places) <= set(FLAWS[each.flaw].refused)
        judge = each.judge if each.judge == PYCA else "OpenSSL"
        lines.append(_row(each.flaw, places, "refuses" if refused else "accepts", judge, each.why))
    return lines


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _rule(columns: int) -> str:
    return _row(*["---"] * columns)


# ---- The page --------------------------------------------------------------------------------------------


def with_table(document: str, name: str, lines: Sequence[str]) -> str:
    """The page with what stands between the marks of a table replaced. Raises ValueError if it has none."""
    begin, end = f"<!-- {name}: begin; generated by tools/compare_x509.py -->\n", f"<!-- {name}: end -->"
    before, mark, rest = document.partition(begin)
    _, closing, after = rest.partition(end)
    if not mark or not closing:
        raise ValueError(f"docs/x509.md has no marks for the table {name}")
    return before + begin + "\n".join(lines) + "\n" + end + after


def with_flaws(document: str) -> str:
    return with_table(document, "flaws", flaw_table())


def _der(pem: str) -> bytes:
    body = pem.partition("-----BEGIN")[2].partition("-----\n")[2].partition("-----END")[0]
    return b64decode("".join(body.split()))


def main(arguments: Sequence[str]) -> None:
    document = with_flaws(DOCUMENT.read_text(encoding="utf-8"))
    if list(arguments) != ["flaws"]:
        cases, tiers = suite()
        document = with_table(document, "comparison", limbo_tables(cases, tiers, results(cases)))
    DOCUMENT.write_text(document, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
