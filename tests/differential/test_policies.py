"""Random certificate policies, judged by us and by `openssl verify`, which still has RFC 5280's tree.

They differ in two things. Where an authority lists anyPolicy while that counts for nothing (RFC 5280 §6.1.3 d 2), and
maps a policy that it does not list by name, OpenSSL 3.0 translates that policy all the same, and accepts what has none
left. And it obeys policyMappings in a leaf, which no leaf here has: they are for authorities (§4.2.1.5, 6.1.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from lighttls.crypto import by_name
from lighttls.errors import CertificateError
from lighttls.testing import der_writer as der
from lighttls.x509 import Certificate, TrustStore, VerifyPolicy, verify_chain
from lighttls.x509.extensions import ANY_POLICY
from support import certificates as kit
from support import require
from support.certificates import Extension, Made
from support.judges import Question, openssl

CHAINS = 600 if require.LONG else 80
ANY = "2.5.29.32.0"
NAMED = ("1.2.3", "1.2.4", "1.2.5")
OPTIONS = {
    "require_explicit_policy": "-explicit_policy",
    "inhibit_policy_mapping": "-inhibit_map",
    "inhibit_any_policy": "-inhibit_any",
}


def identified(own: bytes, issuer: bytes) -> list[Extension]:
    """Key identifiers, without which OpenSSL is lost among self-issued certificates."""
    return [
        (kit.SUBJECT_KEY_IDENTIFIER, False, der.octet_string(own)),
        (kit.AUTHORITY_KEY_IDENTIFIER, False, der.sequence(der.implicit(0, issuer))),
    ]


def policies(random: Random, mappings: int) -> list[Extension]:
    listed = random.sample([*NAMED, ANY], random.randint(1, 3)) if random.random() < 0.95 else []
    pairs = {(random.choice(NAMED), random.choice(NAMED)) for _ in range(random.randint(0, mappings))}
    counts = [der.implicit(kind, bytes([random.randint(0, 2)])) for kind in (0, 1) if random.random() < 0.2]
    found = [
        (kit.CERTIFICATE_POLICIES, False, [der.sequence(der.oid(policy)) for policy in listed]),
        (kit.POLICY_MAPPINGS, True, [der.sequence(der.oid(one), der.oid(other)) for one, other in pairs]),
        (kit.POLICY_CONSTRAINTS, True, counts),
    ]
    made = [(oid, critical, der.sequence(*items)) for oid, critical, items in found if items]
    if random.random() < 0.2:
        made.append((kit.INHIBIT_ANY_POLICY, True, der.integer(random.randint(0, 2))))
    return made


def chain(random: Random, root: Made) -> list[Made]:
    """Leaf first, with up to four authorities, some of them self-issued."""
    issuer, identifier, sent = root, b"root", list[Made]()
    for level in range(random.randint(0, 4)):
        own = b"level %d" % level
        subject = issuer.subject if sent and random.random() < 0.25 else kit.name(f"Level {level}")
        extensions = [*kit.ca(), *identified(own, identifier), *policies(random, 3)]
        issuer, identifier = kit.make(subject, kit.ec_key(f"level {level}"), issuer, extensions=extensions), own
        sent.insert(0, issuer)
    extensions = [*kit.host("host.example"), *identified(b"leaf", identifier), *policies(random, 0)]
    return [kit.server(issuer, extensions=extensions), *sent]


def accepted(sent: Sequence[Made], root: Made, policy: VerifyPolicy) -> bool:
    try:
        verify_chain(
            [made.der for made in sent],
            TrustStore.from_der(root.der),
            server_hostname="host.example",
            at=kit.NOW,
            policy=policy,
            provider=by_name("native"),
        )
    except CertificateError:
        return False
    return True


def maps_what_it_does_not_list(made: Made) -> bool:
    certificate = Certificate.parse(made.der)
    listed = certificate.certificate_policies
    return (
        listed is not None
        and ANY_POLICY in listed.policies
        and any(policy not in listed.policies for policy, _ in certificate.policy_mappings)
    )


def test_openssl_says_the_same_of_random_policies() -> None:
    require.native()
    require.command("openssl")
    random = Random(5280)
    root = kit.make("Root", kit.ec_key("Root"), extensions=[*kit.ca(), *identified(b"root", b"root")[:1]])
    verdicts, unexplained, explained = [], [], 0
    for _ in range(CHAINS):
        sent = chain(random, root)
        wanted = None if random.random() < 0.4 else random.sample(NAMED, random.randint(1, 2))
        settings = {"require_explicit_policy": random.random() < 0.6}
        settings |= {name: random.random() < 0.1 for name in ("inhibit_policy_mapping", "inhibit_any_policy")}
        options = [option for name, option in OPTIONS.items() if settings[name]]
        for policy in wanted or [ANY]:
            options += ["-policy", policy]
        ours = accepted(sent, root, VerifyPolicy(initial_policies=wanted, **settings))
        leaf, *others = (made.der for made in sent)
        question = Question(
            leaf=leaf, others=tuple(others), anchors=(root.der,), name=("DNS", "host.example"), at=kit.NOW
        )
        theirs = openssl.judge(question, *options)
        verdicts.append(ours)
        if theirs.accepted is not ours:
            if theirs.accepted and any(map(maps_what_it_does_not_list, sent[1:])):
                explained += 1
            else:
                unexplained.append((theirs, options, [made.der.hex() for made in sent]))
    assert unexplained == []
    assert explained <= CHAINS // 40
    assert CHAINS // 4 < sum(verdicts) < CHAINS * 3 // 4


@pytest.mark.parametrize("inhibited", [False, True])
def test_policy_that_only_any_policy_lists_is_translated_while_that_counts(inhibited: bool) -> None:
    """The first disagreement, in its smallest form: RFC 5280 §6.1.4 b 1 wants a node of anyPolicy at that depth."""
    root = kit.root("Root")
    listed = der.sequence(der.sequence(der.oid(ANY)))
    mapped = der.sequence(der.sequence(der.oid("1.2.3"), der.oid("1.2.4")))
    extensions = [*kit.ca(), (kit.CERTIFICATE_POLICIES, False, listed), (kit.POLICY_MAPPINGS, True, mapped)]
    middle = kit.authority("Middle", root, extensions=extensions)
    own = kit.CERTIFICATE_POLICIES, False, der.sequence(der.sequence(der.oid("1.2.4")))
    leaf = kit.server(middle, extensions=[*kit.host("host.example"), own])
    policy = VerifyPolicy(require_explicit_policy=True, inhibit_any_policy=inhibited, initial_policies=["1.2.3"])
    assert accepted([leaf, middle], root, policy) is not inhibited
