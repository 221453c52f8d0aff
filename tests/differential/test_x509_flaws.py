"""Chains with one planted flaw, judged by us, by `cryptography` and by `openssl verify`.

What we have to say is in the catalogue (support/flaws.py). Where another judge says otherwise, the reason stands in
support/disagreements.py; whatever is not there fails.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from lighttls.crypto import by_name
from support import certificates as kit
from support import flaws, require
from support.disagreements import EXPLAINED, OPENSSL, PYCA, RECORDED
from support.flaws import FLAWS
from support.judges import Question, Verdict, openssl, ours, pyca

KEYS = {
    "P-256": lambda label: kit.ec_key(f"flaw {label}"),
    "P-384": lambda label: kit.ec_key(f"flaw 384 {label}", ec.SECP384R1),
    "RSA": lambda label: kit.rsa_key(f"flaw {label}"),
}
PLANTED = [(flaw, place) for flaw in FLAWS for place in FLAWS[flaw].places]
HIGHEST = 3  # intermediates


@pytest.fixture(scope="module", autouse=True)
def judges() -> None:
    require.native()
    require.command("openssl")


@cache
def others() -> dict[str, Callable[[Question], Verdict | None]]:
    """The other judges, as far as it is known what this release of theirs says."""
    asked = {PYCA: pyca.judge, OPENSSL: lambda question: openssl.judge(question, "-x509_strict")}
    releases = {PYCA: pyca.Pyca().version(), OPENSSL: openssl.OpenSSL(strict=True).version()}
    return {name: ask for name, ask in asked.items() if releases[name].startswith(RECORDED[name])}


def disagreeing(question: Question, flaw: str, place: str) -> set[tuple[str, str, str]]:
    """Assert that our verdict is right and return whose is another."""
    verdict = ours.judge(question, by_name("native"))
    assert verdict.accepted is (place not in FLAWS[flaw].refused), verdict.words
    verdicts = {name: ask(question) for name, ask in others().items()}
    assert None not in verdicts.values()
    return {(name, flaw, place) for name, said in verdicts.items() if said and said.accepted != verdict.accepted}


def in_a_plain_chain(flaw: str, place: str) -> Question:
    """Root, two intermediates and leaf, all on P-256."""
    plan = flaws.good_plan([KEYS["P-256"](f"level {height}") for height in range(4)])
    FLAWS[flaw].plant(plan, {"R": 0, "I": 2, "L": 3}[place])
    return flaws.question(plan)


@pytest.mark.parametrize("flaw", FLAWS)
def test_verdict_on_a_flaw_is_ours_and_every_disagreement_is_explained(flaw: str) -> None:
    for place in FLAWS[flaw].places:
        expected = {each for each in EXPLAINED if each[1:] == (flaw, place) and each[0] in others()}
        assert disagreeing(in_a_plain_chain(flaw, place), flaw, place) == expected


def test_every_explanation_is_about_a_flaw_in_the_catalogue() -> None:
    assert {(flaw, place) for _, flaw, place in EXPLAINED} <= set(PLANTED)


@st.composite
def planted(draw: st.DrawFn) -> tuple[Question, str, str]:
    """A random public key infrastructure with one flaw somewhere, and strangers among the certificates sent."""
    flaw, place = draw(st.sampled_from(PLANTED))
    count = 2 + draw(st.integers(1 if place == "I" else 0, HIGHEST))
    kinds = draw(st.lists(st.sampled_from(sorted(KEYS)), min_size=count, max_size=count))
    names = draw(
        st.sampled_from([(flaws.HOST,), ("*.host.example",), ("other.host.example", flaws.HOST, bytes((10, 1, 2, 3)))])
    )
    # what is permitted must not hide what is planted: these flaws are about names outside
    constrained = draw(st.booleans()) and FLAWS[flaw].places != "L" and len(names) == 1
    plan = flaws.good_plan([KEYS[kind](height) for height, kind in enumerate(kinds)], names, constrained=constrained)
    at = {"R": 0, "L": count - 1, "I": draw(st.integers(1, max(count - 2, 1)))}[place]
    FLAWS[flaw].plant(plan, at)
    strangers = [kit.root(f"Stranger {n}").der for n in range(draw(st.integers(0, 2)))]
    return flaws.question(plan, strangers), flaw, place


@pytest.mark.timeout(900)
@settings(max_examples=2000 if require.LONG else 60)
@given(planted())
def test_flaw_in_a_random_chain_is_judged_as_in_a_plain_one(chain: tuple[Question, str, str]) -> None:
    assert disagreeing(*chain) <= EXPLAINED


def test_order_of_what_is_sent_changes_no_verdict() -> None:
    provider = by_name("native")
    for flaw, place in PLANTED:
        question = in_a_plain_chain(flaw, place)
        turned = replace(question, others=question.others[::-1])
        assert ours.judge(turned, provider).accepted == ours.judge(question, provider).accepted
