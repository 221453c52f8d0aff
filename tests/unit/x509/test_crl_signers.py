"""Whose word counts about revocation (RFC 5280 §6.3.3 f, g), and how much work a verdict takes at most."""

from __future__ import annotations

from typing import Any

import pytest

from lighttls.errors import CertificateError, ChainReason, explain
from lighttls.testing import der_writer as der
from lighttls.x509 import (
    Certificate,
    RevocationList,
    RevocationPolicy,
    TrustStore,
    VerifyPolicy,
    crl_signers,
    revocation,
)
from lighttls.x509.crl_entries import Entries
from support import certificates as pki
from support import crls
from support.revocation import (
    CA,
    CA_LIST,
    DAY,
    ELSEWHERE,
    HERE,
    NOW,
    REVOKED,
    ROOT,
    ROOT_LIST,
    SIGNER_USAGE,
    UNKNOWN,
    UNUSABLE,
    base,
    circle,
    delta,
    leaf_at,
    refused,
    scoped,
    signer,
    unknown,
    verified,
)

# ---- who signs lists ------------------------------------------------------------------------------


def test_authority_may_have_a_key_for_lists_from_its_own_issuer(provider: Any) -> None:
    """PKITS 4.4.19."""
    other = signer("CA", ROOT)
    lists = ROOT_LIST, crls.crl(CA, key=other.key)
    verified(*lists, others=[CA, other], provider=provider)
    verified(*lists, others=[CA], certificates=[other], provider=provider)
    unknown(UNUSABLE, *lists, provider=provider)
    refused(REVOKED, ROOT_LIST, crls.crl(CA, crls.entry(42), key=other.key), others=[CA, other], provider=provider)


def test_authority_may_make_itself_a_key_for_lists() -> None:
    """PKITS 4.5.6. Whether that certificate is revoked is said by the authority's own key."""
    here, elsewhere = crls.full_name(HERE), crls.full_name(ELSEWHERE)
    other = signer("CA", CA, extensions=[*SIGNER_USAGE, crls.points(crls.point(elsewhere))])
    by_other = scoped(here, key=other.key)
    rest: dict[str, Any] = {"leaf": leaf_at(crls.point(here)), "others": [CA, other]}
    verified(ROOT_LIST, by_other, scoped(elsewhere), **rest)
    said = unknown(UNUSABLE, ROOT_LIST, by_other, scoped(elsewhere, entries=[crls.entry(99)]), **rest)
    assert "whose certificate does not do" in said
    assert "revoked on" in said
    assert "no CRL that was given covers" in unknown(UNUSABLE, ROOT_LIST, by_other, **rest)


def test_key_for_lists_from_another_authority_of_the_same_anchor_does_not_do() -> None:
    """Or each of them could clear what the others revoke."""
    rival = pki.authority("Rival", ROOT, serial=der.integer(8))
    forged = signer("CA", rival)
    lists = ROOT_LIST, crls.crl(rival), crls.crl(CA, key=forged.key)
    said = unknown(UNUSABLE, *lists, others=[CA, rival, forged])
    assert "neither its issuer nor who certified that vouches for" in said


def test_key_for_lists_from_a_namesake_of_the_issuers_issuer_does_not_do() -> None:
    """Names are for the asking below the same anchor; keys are not."""
    rival = pki.authority("Rival", ROOT, serial=der.integer(8))
    namesake = pki.make("Root", pki.ec_key("namesake"), rival, extensions=pki.ca(), serial=der.integer(9))
    forged = signer("CA", namesake)
    # the namesake's list about the forged certificate is by the root's name as well
    lists = ROOT_LIST, crls.crl(rival), crls.crl(CA, key=forged.key), crls.crl(namesake)
    said = unknown(UNUSABLE, *lists, others=[CA, rival, namesake, forged])
    assert "neither its issuer nor who certified that vouches for" in said


def test_authority_with_a_new_key_signs_lists_with_it() -> None:
    """For what it issued with the old one; both keys are certified by the root."""
    renewed = pki.make("CA", pki.ec_key("CA, renewed"), ROOT, extensions=pki.ca(), serial=der.integer(8))
    verified(ROOT_LIST, crls.crl(renewed), others=[CA, renewed])
    refused(REVOKED, ROOT_LIST, crls.crl(renewed, crls.entry(42)), others=[CA, renewed])


@pytest.mark.parametrize(
    "fields",
    [
        {"extensions": [(pki.KEY_USAGE, True, der.named_bits(0))]},
        {"extensions": [*SIGNER_USAGE, (crls.UNKNOWN, True, b"")]},
        {"not_after": NOW - 1},
        {"not_before": NOW + 1},
        {"hash_name": "sha1"},
        {"signature": b"forged"},
        {"extensions": [(pki.KEY_USAGE, True, b"")]},
    ],
)
def test_signer_of_lists_must_be_good_itself(fields: dict[str, Any]) -> None:
    other = signer("CA", ROOT, **fields)
    unknown(UNUSABLE, ROOT_LIST, crls.crl(CA, key=other.key), others=[CA, other])


def test_signer_of_lists_must_not_be_revoked() -> None:
    """PKITS 4.4.21."""
    other = signer("CA", ROOT)
    unknown(UNUSABLE, crls.crl(ROOT, crls.entry(99)), crls.crl(CA, key=other.key), others=[CA, other])


def test_signer_of_lists_needs_a_path_to_the_same_anchor() -> None:
    other_root = pki.root("Other root")
    namesake = pki.make("Root", ROOT.key, other_root, extensions=pki.ca())
    other = signer("CA", other_root, extensions=SIGNER_USAGE)
    lists = ROOT_LIST, crls.crl(other_root), crls.crl(CA, key=other.key)
    assert unknown(UNUSABLE, *lists, others=[CA, other, namesake], roots=[ROOT, other_root])


def test_list_may_be_about_the_certificate_of_its_own_signer() -> None:
    """PKITS 4.14.30."""
    issuers = [crls.directory(pki.name("Lists"))]
    point = crls.point(crls.full_name(HERE), issuers=issuers)
    other = signer("Lists", CA, extensions=[*SIGNER_USAGE, crls.points(point)])
    leaf = leaf_at(point)
    fields = {"issuer": other, "this_update": NOW - 10}
    verified(ROOT_LIST, scoped(crls.full_name(HERE), crls.INDIRECT, **fields), leaf=leaf, others=[CA, other])
    itself = scoped(crls.full_name(HERE), crls.INDIRECT, entries=[crls.entry(99, crls.issued_by(CA.subject))], **fields)
    unknown(UNUSABLE, ROOT_LIST, itself, leaf=leaf, others=[CA, other])


def test_indirect_list_lists_the_certificates_of_others(provider: Any) -> None:
    other = pki.authority("Lists", ROOT, serial=der.integer(8))
    leaf = leaf_at(crls.point(crls.full_name(HERE), issuers=[crls.directory(other.subject)]))
    name = crls.full_name(HERE)

    def listing(*entries: bytes) -> bytes:
        return scoped(name, crls.INDIRECT, issuer=other, entries=entries)

    rest: dict[str, Any] = {"leaf": leaf, "others": [CA, other], "provider": provider}
    verified(ROOT_LIST, listing(), **rest)
    verified(ROOT_LIST, listing(crls.entry(42)), **rest)  # that one is its issuer's own
    verified(ROOT_LIST, listing(crls.entry(41, crls.issued_by(CA.subject))), **rest)
    refused(REVOKED, ROOT_LIST, listing(crls.entry(42, crls.issued_by(CA.subject))), **rest)
    refused(REVOKED, ROOT_LIST, listing(crls.entry(1, crls.issued_by(CA.subject)), crls.entry(42)), **rest)
    unknown(UNKNOWN, ROOT_LIST, scoped(name, issuer=other), **rest)


def test_indirect_list_may_be_by_whoever_the_certificate_names() -> None:
    """Wherever below the same anchor: its issuer has chosen."""
    elsewhere = pki.authority("Elsewhere", ROOT, serial=der.integer(8))
    other = signer("Lists", elsewhere)
    leaf = leaf_at(crls.point(crls.full_name(HERE), issuers=[crls.directory(other.subject)]))
    one = scoped(crls.full_name(HERE), crls.INDIRECT, issuer=other)
    verified(ROOT_LIST, one, crls.crl(elsewhere), leaf=leaf, others=[CA, elsewhere, other])


def test_indirect_list_of_whom_the_certificate_does_not_name_says_nothing() -> None:
    other = pki.authority("Lists", ROOT, serial=der.integer(8))
    one = scoped(crls.INDIRECT, issuer=other, entries=[crls.entry(42, crls.issued_by(CA.subject))])
    unknown(UNKNOWN, ROOT_LIST, one, others=[CA, other])


def test_own_list_may_be_indirect() -> None:
    """PKITS 4.14.22, 4.14.23."""
    verified(ROOT_LIST, scoped(crls.INDIRECT, entries=[crls.entry(42, crls.issued_by(ROOT.subject))]))
    refused(REVOKED, ROOT_LIST, scoped(crls.INDIRECT, entries=[crls.entry(42)]))


def test_signer_of_several_lists_is_judged_once(provider: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the leaf and of an authority below the one whose lists it signs."""
    monkeypatch.setattr(crl_signers, "SIGNERS", 1)
    other = signer("CA", ROOT)
    below = pki.authority("Below", CA, serial=der.integer(5))
    two = [scoped(crls.full_name(where), key=other.key) for where in (HERE, ELSEWHERE)]
    points = crls.points(*(crls.point(crls.full_name(where), crls.reasons(1, *bits)) for where, bits in HALVES))
    leaf = pki.server(CA, extensions=[*pki.host("host.example"), points])
    verified(ROOT_LIST, *two, leaf=leaf, others=[CA, other], provider=provider)
    unknown(UNKNOWN, ROOT_LIST, two[0], leaf=leaf, others=[CA, other], provider=provider)
    lists = ROOT_LIST, crls.crl(CA, key=other.key), crls.crl(below)
    verified(*lists, leaf=pki.server(below), others=[CA, other, below])


HALVES = (HERE, (1, 2, 3, 4)), (ELSEWHERE, (5, 6, 7, 8))


def test_signer_that_does_not_do_is_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crl_signers, "SIGNERS", 1)
    other = signer("CA", ROOT, not_after=NOW - 1)
    lists = [scoped(crls.reasons(3, *bits), key=other.key) for _, bits in HALVES]
    unknown(UNUSABLE, ROOT_LIST, *lists, others=[CA, other])


def test_list_remembers_few_keys_that_have_not_signed_it() -> None:
    one = RevocationList.parse(crls.crl(CA, key=pki.ec_key("stranger")))
    namesakes = [pki.make("CA", pki.ec_key(f"CA {i}"), ROOT, extensions=pki.ca()) for i in range(20)]
    unknown(UNUSABLE, ROOT_LIST, one, others=[CA, *namesakes])
    assert 0 < len(one.verified) <= 16


def test_date_that_cannot_be_read_leaves_open_what_it_is_about() -> None:
    undated = crls.entry(42, at=der.element(0x17, b"260230000000Z"))
    unknown(UNUSABLE, ROOT_LIST, crls.crl(CA, undated))
    verified(ROOT_LIST, crls.crl(CA, undated), leaf=pki.server(CA))
    unknown(UNKNOWN, ROOT_LIST, scoped(crls.AUTHORITIES_ONLY, entries=[undated]))


# ---- budgets --------------------------------------------------------------------------------------


def test_two_hundred_lists_of_which_one_is_the_right_one() -> None:
    others = [scoped(crls.full_name(crls.url(f"http://crl.example/{i}")), number=i + 1) for i in range(2, 202)]
    leaf = leaf_at(crls.point(crls.full_name(HERE)))
    verified(ROOT_LIST, *others, scoped(crls.full_name(HERE)), leaf=leaf)
    unknown(UNKNOWN, ROOT_LIST, *others, leaf=leaf)


@pytest.mark.parametrize("mode", ["hard", "soft"])
def test_two_hundred_lists_that_all_must_be_verified_are_too_many(mode: str) -> None:
    forged = [crls.crl(CA, crls.entry(i), key=pki.ec_key("stranger")) for i in range(200)]
    with pytest.raises(CertificateError) as caught:
        verified(ROOT_LIST, *forged, mode=mode)
    assert caught.value.reason is ChainReason.LIMIT_EXCEEDED
    assert "more than 64 signatures of CRLs" in str(caught.value)
    assert "Among the CRLs that were given" in explain(caught.value)


@pytest.mark.parametrize("mode", ["hard", "soft"])
def test_two_hundred_lists_of_another_scope_that_all_accuse_are_too_many(mode: str) -> None:
    elsewhere = crls.full_name(ELSEWHERE)
    forged = [scoped(elsewhere, entries=[crls.entry(42)], number=i, key=pki.ec_key("x")) for i in range(200)]
    refused(ChainReason.LIMIT_EXCEEDED, ROOT_LIST, *forged, mode=mode)


def test_two_hundred_deltas_that_all_must_be_verified_are_too_many() -> None:
    forged = [delta(number=i, key=pki.ec_key("x")) for i in range(6, 206)]
    refused(ChainReason.LIMIT_EXCEEDED, ROOT_LIST, base(), *forged)


def test_many_points_and_many_lists_are_too_much() -> None:
    lists = [
        RevocationList.parse(crls.crl(CA, extensions=[crls.number(i), crls.scope(crls.full_name(ELSEWHERE))]))
        for i in range(200)
    ]
    leaf = leaf_at(*(crls.point(crls.full_name(crls.url(f"http://{i}"))) for i in range(120)))
    said = refused(ChainReason.LIMIT_EXCEEDED, ROOT_LIST, *lists, leaf=leaf)
    assert "more than 20000 comparisons" in said


def test_list_that_many_points_lead_to_is_searched_once_for_each_thing_asked_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A large list takes a millisecond each time, and a certificate has room for thousands of points."""
    searched = []
    find = Entries.find

    def counted(self: Entries, *arguments: Any) -> Any:
        searched.append(self)
        return find(self, *arguments)

    monkeypatch.setattr(Entries, "find", counted)
    monkeypatch.setattr(Entries, "may_list", lambda self, serial: True)
    leaf = leaf_at(*(crls.point(crls.full_name(crls.url(f"http://{i}"))) for i in range(50)))
    ended = crls.crl(CA, next_update=NOW - DAY)
    refused(ChainReason.CRL_EXPIRED, ROOT_LIST, ended, leaf=leaf)
    assert len(searched) == 3  # that of the root, and the other for an answer and for an accusation


def test_stapled_response_does_not_excuse_a_signer_of_lists(provider: Any) -> None:
    """Only the leaf of the path itself."""
    point = crls.point(crls.full_name(HERE), issuers=[crls.directory(pki.name("Lists"))])
    other = signer("Lists", ROOT)
    authority = pki.authority("CA", ROOT, extensions=[*pki.ca(), crls.points(point)])
    path = [Certificate.parse(each.der) for each in (pki.server(authority), authority)]
    sent = Certificate.parse(other.der)
    (anchor,) = TrustStore.from_der(ROOT.der)

    def check(*more: bytes) -> None:
        policy = RevocationPolicy(crls=[scoped(crls.full_name(HERE), crls.INDIRECT, issuer=other), *more])
        status = revocation.StatusCheck(VerifyPolicy(), policy, NOW, provider, True, None)
        status.check(path, anchor, {sent.subject_name: [sent]})

    check(scoped(crls.USER_ONLY, issuer=ROOT))
    with pytest.raises(CertificateError) as caught:
        check()
    assert caught.value.reason is UNUSABLE


@pytest.mark.parametrize("count", [2, 4])
def test_signers_whose_lists_are_about_each_other_hold_each_other(count: int) -> None:
    leaf, signers, lists = circle(count)
    verified(*lists, leaf=leaf, others=[CA, *signers])


def test_what_was_taken_for_granted_while_a_signer_was_judged_is_forgotten_if_it_fails() -> None:
    """A's list clears B while A waits for B's list, which revokes A. Afterwards B's list needs another look too."""
    here = crls.full_name(HERE)
    names = {label: pki.name(f"Lists {label}") for label in "AB"}
    point = {label: crls.point(here, issuers=[crls.directory(name)]) for label, name in names.items()}
    a = signer("Lists A", ROOT, 100, extensions=[*SIGNER_USAGE, crls.points(point["B"])])
    b = signer("Lists B", ROOT, 101, extensions=[*SIGNER_USAGE, crls.points(point["A"])])
    by_a = scoped(here, crls.INDIRECT, issuer=a)
    authority = pki.authority("CA", ROOT, extensions=[*pki.ca(), crls.points(point["A"], point["B"])])
    rest: dict[str, Any] = {"leaf": pki.server(authority), "others": [authority, a, b]}
    for entries in ([], [crls.entry(99, crls.issued_by(ROOT.subject))]):
        verified(by_a, scoped(here, crls.INDIRECT, issuer=b, entries=entries), CA_LIST, **rest)
    accusing = scoped(here, crls.INDIRECT, issuer=b, entries=[crls.entry(100, crls.issued_by(ROOT.subject))])
    unknown(UNUSABLE, by_a, accusing, CA_LIST, **rest)


def test_signers_of_lists_about_signers_are_not_followed_for_ever() -> None:
    leaf, signers, lists = circle(6)
    assert "more than 4 deep" in unknown(UNUSABLE, *lists, leaf=leaf, others=[CA, *signers])


def test_signers_are_judged_within_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    other = signer("CA", ROOT)
    lists = ROOT_LIST, crls.crl(CA, key=other.key)
    monkeypatch.setattr(crl_signers, "SIGNERS", 0)
    assert "signers of CRLs to judge" in refused(ChainReason.LIMIT_EXCEEDED, *lists, others=[CA, other])
    monkeypatch.setattr(crl_signers, "SIGNERS", 2)
    leaf, signers, chained = circle(3)
    refused(ChainReason.LIMIT_EXCEEDED, *chained, leaf=leaf, others=[CA, *signers])
