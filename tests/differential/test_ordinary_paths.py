"""The short way to a path against the search: the same path, or the same words of refusal, for every flaw there is.

The short way goes by what the C core says of certificates, so these tests need it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from lighttls.crypto import by_name
from lighttls.errors import CertificateError
from lighttls.testing import der_writer as der
from lighttls.x509 import (
    RevocationPolicy,
    SignaturePolicy,
    TimePolicy,
    TrustStore,
    VerifiedPath,
    VerifiedSignatures,
    VerifyPolicy,
    verify,
    verify_chain,
)
from support import certificates as kit
from support import flaws, require
from support.flaws import FLAWS
from support.judges import Question

PLANTED = [
    (flaw, place, between)
    for flaw in FLAWS
    for place in FLAWS[flaw].places
    for between in range(1 if place == "I" else 0, 3)
]


def chain(flaw: str, place: str, between: int) -> Question:
    """A root, so many intermediates and a leaf, one of them with a flaw."""
    plan = flaws.good_plan([kit.ec_key(f"level {height}") for height in range(2 + between)])
    at = {"R": 0, "L": between + 1, "I": 1}[place]
    FLAWS[flaw].plant(plan, at)
    return flaws.question(plan)


def outcome(question: Question, **options: Any) -> tuple[object, ...]:
    require.native()
    allow = options.pop("allow", SignaturePolicy())
    trust = TrustStore.empty()
    try:
        for anchor in question.anchors:
            trust.add(anchor, allow=allow)
    except ValueError as error:
        return "no anchor", str(error)
    given = {"server_hostname": flaws.HOST, "at": question.at, "provider": by_name("native"), **options}
    try:
        found = verify_chain((question.leaf, *question.others), trust, **given)
    except CertificateError as error:
        return error.reason, str(error), [str(attempt) for attempt in error.context.get("attempts", ())]
    assert found.anchor is not None
    return [each.der for each in found.certificates], found.anchor.der, found.time_checked


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[object, ...]]:
    """What comes of a chain if the short way is closed."""

    def run(question: Question, **options: Any) -> tuple[object, ...]:
        with monkeypatch.context() as patched:
            patched.setattr(verify, "ordinary_path", lambda *_: None)
            return outcome(question, **options)

    return run


@pytest.fixture
def no_search(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> VerifiedPath:
        raise AssertionError("the search was asked")

    monkeypatch.setattr(verify, "Search", refuse)


@pytest.mark.filterwarnings("ignore:anchor 'CN=Authority 0'")
def test_every_flaw_is_judged_as_by_the_search(searched: Callable[..., tuple[object, ...]]) -> None:
    for planted in PLANTED:
        question = chain(*planted)
        assert outcome(question) == searched(question), planted
        turned = replace(question, others=question.others[::-1])
        assert outcome(turned) == searched(turned), planted


@pytest.mark.parametrize("between", [0, 1, 2, 3])
@pytest.mark.usefixtures("no_search")
def test_ordinary_chain_takes_the_short_way(between: int) -> None:
    question = chain("none", "L", between)
    assert len(outcome(question)[0]) == 1 + between  # type: ignore[arg-type]
    stranger = replace(question, others=(*question.others, kit.root("Stranger").der))
    assert outcome(stranger) == outcome(question)


@pytest.mark.usefixtures("no_search")
def test_anchor_that_was_read_before_an_engine_was_there_is_read_again() -> None:
    require.native()
    question = chain("none", "L", 1)
    trust = TrustStore.from_der(*question.anchors)
    (anchor,) = trust
    assert anchor.certificate is not None
    found = verify_chain(
        (question.leaf, *question.others),
        trust,
        server_hostname=flaws.HOST,
        at=question.at,
        provider=by_name("native"),
    )
    assert found.anchor is anchor
    assert anchor.read(by_name("native")) is anchor.certificate, "once is enough"


ASKED: dict[str, dict[str, Any]] = {
    "no time": {"policy": VerifyPolicy(time=TimePolicy.insecure_until_checked())},
    "a clock before the floor": {"policy": VerifyPolicy(time=TimePolicy.floor(kit.NOW + 5))},
    "a clock before a floor after the end": {"policy": VerifyPolicy(time=TimePolicy.floor(kit.NOW + 2 * kit.DAY))},
    "a clock after the floor": {"policy": VerifyPolicy(time=TimePolicy.floor(kit.NOW - 5))},
    "a pin that is there": {"policy": VerifyPolicy(pins=[sha256(kit.ec_key("level 1").spki).digest()])},
    "a pin that is not there": {"policy": VerifyPolicy(pins=[bytes(32)])},
    "a policy required": {"policy": VerifyPolicy(require_explicit_policy=True)},
    "no authority between": {"policy": VerifyPolicy(max_depth=0)},
    "one authority between": {"policy": VerifyPolicy(max_depth=1)},
    "revocation, unknown is refused": {"policy": VerifyPolicy(revocation=RevocationPolicy(mode="hard"))},
    "for clients": {"purpose": "client_auth"},
    "for anything": {"purpose": "any"},
    "SHA-1 allowed": {"allow": SignaturePolicy(sha1=True)},
    "long RSA keys wanted": {"allow": SignaturePolicy(min_rsa_bits=3072)},
    "signatures remembered": {"known_signatures": VerifiedSignatures()},
}


@pytest.mark.parametrize("asked", ASKED)
def test_whatever_is_asked_is_judged_as_by_the_search(asked: str, searched: Callable[..., tuple[object, ...]]) -> None:
    for flaw in ("none", "signed with SHA-1", "RSA key of 2048 bits", "for servers and clients", "no extendedKeyUsage"):
        for between in (0, 1, 2):
            question = chain(flaw, "L", between)
            assert outcome(question, **ASKED[asked]) == searched(question, **ASKED[asked]), (flaw, between)


def test_leaf_in_the_store_and_one_without_a_subject_are_judged_as_by_the_search(
    searched: Callable[..., tuple[object, ...]],
) -> None:
    own = kit.make("own", kit.ec_key("own"), extensions=kit.host(flaws.HOST))
    root = kit.root("Root")
    for critical in (True, False):
        names = [(oid, critical, value) for oid, _, value in kit.host(flaws.HOST)]
        unnamed = kit.make(der.sequence(), kit.ec_key("x"), root, extensions=names)
        below = kit.server(root, flaws.HOST)
        for leaf, anchors in ((own, [own]), (unnamed, [root]), (own, [root]), (below, [below, root])):
            question = Question(
                leaf.der, (root.der,), tuple(each.der for each in anchors), ("DNS", flaws.HOST), kit.NOW
            )
            assert outcome(question) == searched(question)


def test_leaf_whose_name_or_key_cannot_be_read_is_judged_as_by_the_search(
    searched: Callable[..., tuple[object, ...]],
) -> None:
    root, bad = kit.root("Root"), der.sequence(der.null())
    for leaf in (
        kit.make(bad, kit.ec_key("x"), root, extensions=kit.host(flaws.HOST)),
        kit.server(root, flaws.HOST, issuer_name=bad),
        kit.server(root, flaws.HOST, spki=bad),
    ):
        question = Question(leaf.der, (root.der,), (root.der,), ("DNS", flaws.HOST), kit.NOW)
        assert outcome(question) == searched(question)


def test_circle_of_cross_signatures_is_judged_as_by_the_search(searched: Callable[..., tuple[object, ...]]) -> None:
    """The same name with the same key never comes twice in a path."""
    root = kit.root("Root")
    a, b = kit.ec_key("A"), kit.ec_key("B")
    by_root = kit.make("A", a, root, extensions=kit.ca())
    under_a = kit.make("B", b, by_root, extensions=kit.ca())
    by_b = kit.make("A", a, under_a, extensions=kit.ca())
    leaf = kit.server(by_root, flaws.HOST)
    for others in ((by_b, under_a, by_root), (by_root, under_a, by_b), (under_a, by_b)):
        question = Question(leaf.der, tuple(each.der for each in others), (root.der,), ("DNS", flaws.HOST), kit.NOW)
        assert outcome(question) == searched(question)
