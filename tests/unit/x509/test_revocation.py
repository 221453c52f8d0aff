"""Which list is about which certificate, whose word counts, and what follows (RFC 5280 section 6.3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from lighttls.errors import CertificateError, ChainReason, explain
from lighttls.iana import Alert
from lighttls.testing import der_writer as der
from lighttls.x509 import (
    Certificate,
    RevocationList,
    RevocationPolicy,
    SignaturePolicy,
    TimePolicy,
    TrustStore,
    VerifiedPath,
    VerifyPolicy,
    crl_signers,
    revocation,
    verify_chain,
)
from lighttls.x509.crl_entries import Entries
from support import certificates as pki
from support import crls

NOW, DAY = pki.NOW, pki.DAY
UNKNOWN, EXPIRED, UNUSABLE = ChainReason.REVOCATION_UNKNOWN, ChainReason.CRL_EXPIRED, ChainReason.CRL_UNUSABLE
REVOKED = ChainReason.REVOKED

ROOT = pki.root()
CA = pki.authority("CA", ROOT, serial=der.integer(7))
LEAF = pki.server(CA, serial=der.integer(42))
HERE, ELSEWHERE = crls.url("http://crl.example/1"), crls.url("http://crl.example/2")

ROOT_LIST = crls.crl(ROOT)
CA_LIST = crls.crl(CA)
NAMING_42 = crls.crl(CA, crls.entry(42, crls.reason(crls.KEY_COMPROMISE)))


def leaf_at(*points: bytes, **fields: Any) -> pki.Made:
    """A leaf of CA with these distribution points."""
    extensions = [*pki.host("host.example"), crls.points(*points)]
    return pki.server(CA, **{"serial": der.integer(42), "extensions": extensions, **fields})


def verified(
    *lists: bytes | RevocationList,
    leaf: pki.Made = LEAF,
    others: Sequence[pki.Made] = (CA,),
    roots: Sequence[pki.Made] = (ROOT,),
    trust: TrustStore | None = None,
    mode: str = "hard",
    at: int = NOW,
    certificates: Sequence[pki.Made] = (),
    provider: Any = None,
    **policy: Any,
) -> VerifiedPath:
    if trust is None:
        trust = TrustStore.empty()
        for root in roots:
            trust.add(root.der)
    checked = RevocationPolicy(crls=lists, certificates=[each.der for each in certificates], mode=mode)
    return verify_chain(
        [leaf.der, *(each.der for each in others)],
        trust,
        server_hostname="host.example",
        at=at,
        policy=VerifyPolicy(revocation=checked, **policy),
        provider=provider,
    )


def refused(reason: ChainReason, *lists: bytes | RevocationList, **rest: Any) -> str:
    """What the error says that this reason must have."""
    with pytest.raises(CertificateError) as caught:
        verified(*lists, **rest)
    assert caught.value.reason is reason, str(caught.value)
    return str(caught.value)


def unknown(reason: ChainReason, *lists: bytes | RevocationList, **rest: Any) -> str:
    """As `refused`; and in soft mode the path passes."""
    verified(*lists, mode="soft", **rest)
    return refused(reason, *lists, **rest)


# ---- one list for each certificate ----------------------------------------------------------------


def test_path_passes_if_current_lists_cover_all_of_it_and_list_nothing(provider: Any) -> None:
    found = verified(ROOT_LIST, CA_LIST, provider=provider)
    assert [each.serial_number for each in found.certificates] == [42, 7]


@pytest.mark.parametrize("mode", ["hard", "soft"])
def test_revoked_leaf_is_refused(mode: str, provider: Any) -> None:
    with pytest.raises(CertificateError) as caught:
        verified(ROOT_LIST, NAMING_42, mode=mode, provider=provider)
    assert caught.value.reason is REVOKED
    assert caught.value.alert is Alert.CERTIFICATE_REVOKED
    assert caught.value.context["depth"] == 0
    assert str(caught.value) == (
        "leaf 'CN=server': revoked on 2026-05-31T00:00:00Z (keyCompromise), says the CRL number 1 of 'CN=CA'"
    )


@pytest.mark.parametrize("mode", ["hard", "soft"])
def test_revoked_authority_is_refused(mode: str) -> None:
    with pytest.raises(CertificateError) as caught:
        verified(crls.crl(ROOT, crls.entry(7)), CA_LIST, mode=mode)
    assert (caught.value.reason, caught.value.context["depth"]) == (REVOKED, 1)
    assert "intermediate 'CN=CA': revoked on 2026-05-31T00:00:00Z (no reason given)" in str(caught.value)


def test_entry_of_another_certificate_does_no_harm() -> None:
    verified(ROOT_LIST, crls.crl(CA, crls.entry(43), crls.entry(7)))


@pytest.mark.parametrize("lists", [[], [ROOT_LIST], [CA_LIST]])
def test_certificate_without_a_list_is_unknown(lists: list[bytes]) -> None:
    said = unknown(UNKNOWN, *lists)
    assert "no CRL that was given covers what" in said


def test_error_of_an_unknown_status_has_its_alert_and_advice() -> None:
    with pytest.raises(CertificateError) as caught:
        verified(ROOT_LIST)
    assert caught.value.alert is Alert.CERTIFICATE_UNKNOWN
    assert caught.value.context["depth"] == 0
    assert "RevocationPolicy(crls=" in caught.value.hint


def test_anchor_needs_no_answer_and_may_be_revoked() -> None:
    """Whoever trusts it decides; nobody else can (RFC 5280 §6.1)."""
    verified(crls.crl(ROOT, crls.entry(1)), leaf=pki.server(ROOT, serial=der.integer(42)), others=())


def test_leaf_that_is_an_anchor_itself_needs_no_answer() -> None:
    verified(leaf=LEAF, roots=[LEAF])


def test_list_of_a_namesake_with_another_key_proves_nothing() -> None:
    said = unknown(UNUSABLE, ROOT_LIST, crls.crl(CA, crls.entry(42), key=pki.ec_key("stranger")))
    assert "signed by a key that no certificate of its issuer here has" in said


def test_list_signed_by_another_than_it_names_proves_nothing() -> None:
    """The anchor's key, above the issuer, is not the issuer's either."""
    unknown(UNUSABLE, ROOT_LIST, crls.crl(CA, key=ROOT.key))
    unknown(UNUSABLE, crls.crl(ROOT, key=CA.key), CA_LIST)
    stranger = signer("Stranger", ROOT)
    unknown(UNUSABLE, ROOT_LIST, crls.crl(CA, key=stranger.key), certificates=[stranger])
    below = pki.authority("Below", CA, serial=der.integer(8))
    rest: dict[str, Any] = {"leaf": pki.server(below), "others": [CA, below]}
    verified(ROOT_LIST, CA_LIST, crls.crl(below), **rest)
    unknown(UNUSABLE, ROOT_LIST, CA_LIST, crls.crl(below, key=CA.key), **rest)


def test_list_that_was_altered_proves_nothing() -> None:
    data = crls.crl(CA, crls.entry(41))
    assert unknown(UNUSABLE, ROOT_LIST, data.replace(der.integer(41) + b"\x17", der.integer(42) + b"\x17"))


def test_names_are_compared_as_section_7_1_says() -> None:
    verified(ROOT_LIST, crls.crl(CA, name=pki.name(" cA ")))
    refused(REVOKED, ROOT_LIST, crls.crl(CA, crls.entry(42), name=pki.name("ca")))


@pytest.mark.parametrize("serial", [-1, -128, 0, 1 << 159, 1 << 300])
def test_odd_serial_numbers_are_compared_with_all_their_bits(serial: int) -> None:
    leaf = pki.server(CA, serial=der.integer(serial))
    verified(ROOT_LIST, crls.crl(CA, crls.entry(serial + 256), crls.entry(-serial + 1)), leaf=leaf)
    refused(REVOKED, ROOT_LIST, crls.crl(CA, crls.entry(serial)), leaf=leaf)


# ---- what spoils a list ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"extensions": [crls.number(1), (crls.UNKNOWN, True, b"")]}, "critical extension 2.25.1"),
        ({"extensions": []}, "has no cRLNumber"),
        ({"extensions": [crls.number(1, critical=True)]}, "has a critical cRLNumber"),
        ({"entries_der": der.sequence(crls.entry(1, (crls.UNKNOWN, True, b"")))}, "critical extension 2.25.1"),
        ({"entries_der": der.sequence(der.null())}, "cannot be used"),
        ({"inner": pki.ALGORITHMS["ec", "sha384"]}, "ecdsa-with-SHA384 inside"),
        ({"hash_name": "sha1"}, "signed with ecdsa-with-SHA1"),
        ({"outer": pki.ALGORITHMS["rsa", "md5"], "inner": pki.ALGORITHMS["rsa", "md5"]}, "md5WithRSAEncryption"),
        ({"signature": der.bit_string(b"\x80", 7)}, "no certificate of its issuer"),
        ({"outer": der.sequence(der.oid("2.25.9")), "inner": der.sequence(der.oid("2.25.9"))}, "signed with 2.25.9"),
    ],
)
def test_list_that_cannot_be_used_proves_nothing(fields: dict[str, Any], said: str) -> None:
    assert said in unknown(UNUSABLE, ROOT_LIST, crls.crl(CA, **fields))


@pytest.mark.parametrize("fields", [{"extensions": []}, {"extensions": [crls.number(1, critical=True)]}])
def test_what_a_careless_list_lists_is_revoked_all_the_same(fields: dict[str, Any]) -> None:
    refused(REVOKED, ROOT_LIST, crls.crl(CA, crls.entry(42), **fields), mode="soft")


def test_unknown_critical_extension_leaves_open_what_an_entry_means() -> None:
    """RFC 5280 §5.2: MUST NOT use that CRL to determine the status of certificates."""
    fields = {"extensions": [crls.number(1), (crls.UNKNOWN, True, b"")]}
    unknown(UNUSABLE, ROOT_LIST, crls.crl(CA, crls.entry(42), **fields))


def test_useless_list_beside_a_good_one_does_no_harm() -> None:
    bad = [
        crls.crl(CA, extensions=[]),
        crls.crl(CA, key=pki.ec_key("stranger")),
        crls.crl(CA, next_update=NOW - 1000),
        crls.crl(CA, extensions=[crls.number(9), (crls.UNKNOWN, True, b"")]),
        crls.crl(CA, this_update=NOW + 1000),
    ]
    verified(ROOT_LIST, *bad, CA_LIST)


@pytest.mark.parametrize("usage", [(5,), (0, 5)])
def test_issuer_without_crl_sign_may_not_sign_lists(usage: tuple[int, ...]) -> None:
    constraints = pki.ca()[0]
    careless = pki.authority("CA", ROOT, extensions=[constraints, (pki.KEY_USAGE, True, der.named_bits(*usage))])
    leaf = pki.server(careless)
    said = unknown(UNUSABLE, ROOT_LIST, crls.crl(careless), leaf=leaf, others=[careless])
    assert "'CN=CA', whose keyUsage does not allow it to sign CRLs" in said


def test_anchor_without_crl_sign_may_not_sign_lists() -> None:
    constraints = pki.ca()[0]
    usage = (pki.KEY_USAGE, True, der.named_bits(5))
    root = pki.make("Root", ROOT.key, extensions=[constraints, usage])
    leaf = pki.server(root)
    unknown(UNUSABLE, crls.crl(root), leaf=leaf, others=(), roots=[root])


def test_issuer_without_key_usage_may_sign_lists() -> None:
    old = pki.authority("CA", ROOT, extensions=pki.ca()[:1])
    verified(ROOT_LIST, crls.crl(old), leaf=pki.server(old), others=[old])


def test_anchor_that_is_a_name_and_a_key_signs_lists() -> None:
    trust = TrustStore.empty()
    trust.add_anchor(CA.subject, CA.key.spki)
    verified(CA_LIST, trust=trust, others=())
    refused(REVOKED, NAMING_42, trust=trust, others=())


def test_leniency_below_an_anchor_does_not_reach_lists() -> None:
    trust = TrustStore.empty()
    trust.add(ROOT.der, allow=SignaturePolicy(sha1=True, min_rsa_bits=1024))
    weak = pki.make("CA", pki.rsa_key("weak CA", 1024), ROOT, extensions=pki.ca(), hash_name="sha1")
    leaf = pki.server(weak, serial=der.integer(42))
    for hash_name, said in (("sha256", "RSA key of 1024 bits"), ("sha1", "signed with sha1WithRSAEncryption")):
        one = crls.crl(weak, crls.entry(42), hash_name=hash_name)
        assert said in unknown(UNUSABLE, ROOT_LIST, one, leaf=leaf, others=[weak], trust=trust)


# ---- dates ----------------------------------------------------------------------------------------


def test_clock_may_be_five_minutes_off() -> None:
    verified(ROOT_LIST, crls.crl(CA, next_update=NOW - 300))
    verified(ROOT_LIST, crls.crl(CA, this_update=NOW + 300))


def test_list_of_the_past_shows_nothing_to_be_good() -> None:
    said = unknown(EXPIRED, ROOT_LIST, crls.crl(CA, next_update=NOW - 301))
    assert "ended on 2026-05-31T23:54:59Z, and the time is taken as 2026-06-01T00:00:00Z" in said


def test_list_of_the_future_shows_nothing_to_be_good() -> None:
    said = unknown(EXPIRED, ROOT_LIST, crls.crl(CA, this_update=NOW + 301))
    assert "is from 2026-06-01T00:05:01Z, and the clock says 2026-06-01T00:00:00Z" in said


def test_list_that_names_no_end_shows_nothing_to_be_good() -> None:
    assert "does not say when the next one comes" in unknown(EXPIRED, ROOT_LIST, crls.crl(CA, next_update=None))


@pytest.mark.parametrize("dates", [{"next_update": NOW - DAY}, {"this_update": NOW + DAY}, {"next_update": None}])
@pytest.mark.parametrize("mode", ["hard", "soft"])
def test_revoked_stays_revoked_whatever_the_dates(dates: dict[str, Any], mode: str) -> None:
    refused(REVOKED, ROOT_LIST, crls.crl(CA, crls.entry(42), **dates), mode=mode)


def test_hold_needs_a_current_list() -> None:
    """Whoever is on hold may come back."""
    on_hold = crls.entry(42, crls.reason(crls.HOLD))
    refused(REVOKED, ROOT_LIST, crls.crl(CA, on_hold), mode="soft")
    unknown(EXPIRED, ROOT_LIST, crls.crl(CA, on_hold, next_update=NOW - DAY))
    newer = crls.crl(CA, this_update=NOW - 10, extensions=[crls.number(2)])
    verified(ROOT_LIST, crls.crl(CA, on_hold), newer)


def test_newest_of_several_lists_is_asked_first() -> None:
    newer = crls.crl(CA, extensions=[crls.number(2)])
    on_hold = crls.crl(CA, crls.entry(42, crls.reason(crls.HOLD)), extensions=[crls.number(3)])
    refused(REVOKED, ROOT_LIST, newer, on_hold)
    verified(ROOT_LIST, crls.crl(CA, extensions=[crls.number(4)]), on_hold)


def test_fault_of_the_newest_list_is_told() -> None:
    ended, unnumbered = crls.crl(CA, next_update=NOW - DAY), {"extensions": []}
    unknown(UNUSABLE, ROOT_LIST, ended, crls.crl(CA, this_update=NOW - 10, **unnumbered))
    unknown(EXPIRED, ROOT_LIST, ended, crls.crl(CA, this_update=NOW - 9 * DAY, **unnumbered))


def test_unset_clock_takes_a_list_that_lasts_beyond_the_floor() -> None:
    """Of certificates and lists alike: what begins later than such a clock is not too early."""
    time = TimePolicy.floor(NOW)
    verified(ROOT_LIST, CA_LIST, time=time, at=0)
    unknown(EXPIRED, ROOT_LIST, crls.crl(CA, next_update=NOW - 301), time=time, at=0)
    unknown(EXPIRED, ROOT_LIST, crls.crl(CA, this_update=NOW + 301), time=time, at=NOW)


def test_dates_that_are_not_to_be_checked_are_not_those_of_lists_either() -> None:
    """The verdict says that it must be repeated when the time is known (CERT-26)."""
    old = crls.crl(CA, this_update=NOW - 9 * DAY, next_update=NOW - 8 * DAY)
    assert not verified(ROOT_LIST, old, time=TimePolicy.insecure_until_checked()).time_checked
    refused(REVOKED, ROOT_LIST, NAMING_42, time=TimePolicy.insecure_until_checked())


# ---- distribution points and scope ----------------------------------------------------------------


def scoped(*fields: bytes, entries: Sequence[bytes] = (), issuer: pki.Made = CA, number: int = 1, **more: Any) -> bytes:
    return crls.crl(issuer, *entries, extensions=[crls.number(number), crls.scope(*fields)], **more)


@pytest.mark.parametrize(
    ("points", "fields"),
    [
        ([crls.point(crls.full_name(HERE))], []),
        ([crls.point(crls.full_name(HERE))], [crls.full_name(HERE)]),
        ([crls.point(crls.full_name(ELSEWHERE, HERE))], [crls.full_name(HERE, crls.url("ldap://x"))]),
        ([crls.point(crls.full_name(ELSEWHERE)), crls.point(crls.full_name(HERE))], [crls.full_name(HERE)]),
        ([crls.point(crls.relative_name("1"))], [crls.relative_name("1")]),
        (
            [crls.point(crls.relative_name("1"))],
            [crls.full_name(crls.directory(pki.name("1", ("2.5.4.3", der.utf8_string("CA")))))],
        ),
        ([crls.point(crls.full_name(HERE))], [crls.full_name(crls.directory(CA.subject))]),  # the point that is implied
        ([crls.point(crls.full_name(HERE))], [crls.full_name(HERE), crls.USER_ONLY]),
        ([crls.point(crls.full_name(HERE))], [crls.USER_ONLY]),
    ],
)
def test_list_covers_the_leaf_if_a_name_of_it_is_one_of_the_point(points: list[bytes], fields: list[bytes]) -> None:
    verified(ROOT_LIST, scoped(*fields), leaf=leaf_at(*points))


@pytest.mark.parametrize(
    ("points", "fields"),
    [
        ([crls.point(crls.full_name(HERE))], [crls.full_name(ELSEWHERE)]),
        ([crls.point(crls.full_name(HERE))], [crls.relative_name("1")]),
        ([crls.point(crls.relative_name("1"))], [crls.relative_name("2")]),
        ([crls.point(crls.full_name(HERE))], [crls.AUTHORITIES_ONLY]),
        ([crls.point(crls.full_name(HERE))], [crls.ATTRIBUTES_ONLY]),
        (
            [crls.point(crls.full_name(HERE), issuers=[crls.directory(CA.subject)])],
            [crls.full_name(HERE)],
        ),  # not indirect
        ([crls.point(issuers=[crls.directory(CA.subject)])], [crls.full_name(ELSEWHERE), crls.INDIRECT]),
        ([crls.point(issuers=[crls.url("x")])], [crls.full_name(HERE), crls.INDIRECT]),
    ],
)
def test_list_of_another_scope_says_nothing_good(points: list[bytes], fields: list[bytes]) -> None:
    assert "covers" in unknown(UNKNOWN, ROOT_LIST, scoped(*fields), leaf=leaf_at(*points))


def test_list_of_a_point_does_not_cover_a_certificate_without_points() -> None:
    unknown(UNKNOWN, ROOT_LIST, scoped(crls.full_name(HERE)))


@pytest.mark.parametrize("fields", [[crls.full_name(ELSEWHERE)], [crls.AUTHORITIES_ONLY], [crls.reasons(3)]])
def test_list_of_another_scope_that_lists_the_certificate_revokes_it(fields: list[bytes]) -> None:
    """An issuer gives each serial number once."""
    one = scoped(*fields, entries=[crls.entry(42)])
    refused(REVOKED, ROOT_LIST, one, leaf=leaf_at(crls.point(crls.full_name(HERE))), mode="soft")


def test_entries_of_another_scope_that_prove_nothing_do_no_harm() -> None:
    elsewhere = crls.full_name(ELSEWHERE)
    leaf = leaf_at(crls.point(crls.full_name(HERE)))
    for one in (
        scoped(crls.ATTRIBUTES_ONLY, entries=[crls.entry(42)]),  # attribute certificates have numbers of their own
        scoped(elsewhere, entries=[crls.entry(42)], key=pki.ec_key("stranger")),
        scoped(elsewhere, entries=[crls.entry(42, crls.reason(crls.HOLD))], next_update=NOW - DAY),
        scoped(elsewhere, entries=[crls.entry(1, (crls.UNKNOWN, False, der.integer(42)))]),
        scoped(elsewhere, entries=[crls.entry(42), der.null()]),
        crls.crl(CA, crls.entry(42, crls.reason(crls.REMOVE)), extensions=[crls.number(3), crls.delta(2)]),
    ):
        unknown(UNKNOWN, ROOT_LIST, one, leaf=leaf)


def test_authorities_and_others_may_have_lists_of_their_own() -> None:
    root_of = {"issuer": ROOT}
    verified(scoped(crls.AUTHORITIES_ONLY, **root_of), scoped(crls.USER_ONLY))
    unknown(UNKNOWN, scoped(crls.USER_ONLY, **root_of), scoped(crls.USER_ONLY))


def test_all_reasons_must_be_covered() -> None:
    half, other_half = scoped(crls.reasons(3, 1, 2, 3, 4)), scoped(crls.reasons(3, 0, 5, 6, 7, 8))
    assert "only some of the reasons" in unknown(UNKNOWN, ROOT_LIST, half)
    verified(ROOT_LIST, half, other_half)
    verified(ROOT_LIST, half, scoped(crls.reasons(3, 4, 5, 6, 7, 8)))
    refused(REVOKED, ROOT_LIST, half, scoped(crls.reasons(3, 5, 6, 7, 8), entries=[crls.entry(42)]))


def test_reasons_of_the_point_bound_what_its_list_covers() -> None:
    some, rest = crls.reasons(1, 1, 2), crls.reasons(1, 3, 4, 5, 6, 7, 8)
    name, other_name = crls.full_name(HERE), crls.full_name(ELSEWHERE)
    leaf = leaf_at(crls.point(name, some), crls.point(other_name, rest))
    unknown(UNKNOWN, ROOT_LIST, scoped(name), leaf=leaf)
    verified(ROOT_LIST, scoped(name), scoped(other_name), leaf=leaf)


@pytest.mark.parametrize("critical", [True, False])
def test_critical_distribution_points_are_processed(critical: bool) -> None:
    extensions = [*pki.host("host.example"), crls.points(crls.point(crls.full_name(HERE)), critical=critical)]
    leaf = pki.server(CA, extensions=extensions)
    verified(ROOT_LIST, CA_LIST, leaf=leaf)
    unknown(UNKNOWN, ROOT_LIST, leaf=leaf)
    trust = TrustStore.from_der(ROOT.der)
    assert verify_chain([leaf.der, CA.der], trust, server_hostname="host.example", at=NOW)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        der.sequence(),
        der.sequence(der.null()),
        der.sequence(der.sequence()),
        der.sequence(der.element(0x31, crls.full_name(HERE))),
        der.sequence(crls.point(reasons=crls.reasons(1, 1))),
        der.sequence(der.sequence(crls.reasons(1, 1), crls.full_name(HERE))),
        der.sequence(crls.point(der.explicit(0, b""))),
        der.sequence(der.sequence(der.explicit(2, b""))),
        der.sequence(der.sequence(der.explicit(2, der.null()))),
        der.sequence(der.sequence(crls.full_name(HERE), der.explicit(3, b""))),
        der.sequence(crls.point(crls.full_name(HERE))) + b"\0",
    ],
)
@pytest.mark.parametrize("mode", ["hard", "soft"])
def test_distribution_points_that_cannot_be_read_end_the_path(value: bytes, mode: str) -> None:
    leaf = pki.server(CA, extensions=[*pki.host("host.example"), (crls.CRL_DISTRIBUTION_POINTS, False, value)])
    refused(ChainReason.MALFORMED, ROOT_LIST, CA_LIST, leaf=leaf, mode=mode)
    trust = TrustStore.from_der(ROOT.der)  # without a revocation policy nobody looks
    assert verify_chain([leaf.der, CA.der], trust, server_hostname="host.example", at=NOW)
    leaf = pki.server(CA, extensions=[*pki.host("host.example"), (crls.CRL_DISTRIBUTION_POINTS, True, value)])
    with pytest.raises(CertificateError) as caught:  # unless it is critical
        verify_chain([leaf.der, CA.der], trust, server_hostname="host.example", at=NOW)
    assert caught.value.reason is ChainReason.MALFORMED


# ---- delta lists ----------------------------------------------------------------------------------


def delta(*entries: bytes, number: int = 8, base: int = 5, more: Sequence[pki.Extension] = (), **fields: Any) -> bytes:
    extensions = [crls.number(number), crls.delta(base), *more]
    return crls.crl(CA, *entries, **{"extensions": extensions, "this_update": NOW - 10, **fields})


def base(*entries: bytes, number: int = 5, **fields: Any) -> bytes:
    return crls.crl(CA, *entries, **{"extensions": [crls.number(number)], **fields})


def test_delta_adds_revocations_to_its_base() -> None:
    verified(ROOT_LIST, base(), delta(crls.entry(41)))
    said = refused(REVOKED, ROOT_LIST, base(), delta(crls.entry(42, crls.reason(3))))
    assert "(affiliationChanged), says the delta CRL number 8 of 'CN=CA'" in said


def test_delta_takes_a_revocation_back() -> None:
    on_hold, removed = crls.entry(42, crls.reason(crls.HOLD)), crls.entry(42, crls.reason(crls.REMOVE))
    verified(ROOT_LIST, base(on_hold), delta(removed))
    refused(REVOKED, ROOT_LIST, base(on_hold), delta())
    refused(REVOKED, ROOT_LIST, base(on_hold), delta(removed, next_update=NOW - DAY))
    careless = base(on_hold, extensions=[crls.number(5, critical=True)])
    refused(REVOKED, ROOT_LIST, careless, delta(removed))
    some = crls.scope(crls.reasons(3, 1, 6))
    lists = base(on_hold, extensions=[crls.number(5), some]), delta(removed, more=[some])
    unknown(UNKNOWN, ROOT_LIST, *lists)
    refused(REVOKED, ROOT_LIST, base(on_hold), delta(removed, key=pki.ec_key("stranger")))


def test_delta_makes_an_old_base_current() -> None:
    old = base(next_update=NOW - DAY)
    verified(ROOT_LIST, old, delta())
    unknown(EXPIRED, ROOT_LIST, old, delta(next_update=NOW - DAY))
    refused(REVOKED, ROOT_LIST, base(crls.entry(42), next_update=NOW - DAY), delta())


def test_delta_alone_shows_nothing_to_be_good() -> None:
    unknown(UNKNOWN, ROOT_LIST, delta())


def test_delta_alone_revokes() -> None:
    refused(REVOKED, ROOT_LIST, delta(crls.entry(42)), mode="soft")


@pytest.mark.parametrize(
    "other",
    [
        delta(base=6),
        delta(number=5),
        delta(extensions=[crls.delta(5)]),
        delta(more=[crls.scope(crls.USER_ONLY)]),
        delta(more=[(crls.UNKNOWN, True, b"")]),
        delta(key=pki.ec_key("stranger")),
        delta(name=ROOT.subject),
        delta(der.null()),
        delta(inner=pki.ALGORITHMS["ec", "sha384"]),
    ],
)
def test_delta_of_another_list_does_not_make_this_one_current(other: bytes) -> None:
    unknown(EXPIRED, ROOT_LIST, base(next_update=NOW - DAY), other)
    verified(ROOT_LIST, base(), other)


def test_list_without_a_number_has_no_delta() -> None:
    unknown(EXPIRED, ROOT_LIST, crls.crl(CA, extensions=[], next_update=NOW - DAY), delta(base=0))


def test_newest_delta_counts() -> None:
    old, new = delta(crls.entry(42, crls.reason(crls.HOLD)), this_update=NOW - 20), delta(number=9)
    verified(ROOT_LIST, base(), old, new)
    verified(ROOT_LIST, base(), new, old)


def test_delta_has_the_same_scope_as_its_base() -> None:
    scope = crls.scope(crls.USER_ONLY)
    old = scoped(crls.USER_ONLY, number=5, next_update=NOW - DAY)
    verified(ROOT_LIST, old, delta(more=[scope]))


# ---- who signs lists ------------------------------------------------------------------------------


SIGNER_USAGE = [(pki.KEY_USAGE, True, der.named_bits(6))]


def signer(subject: str, issuer: pki.Made, serial: int = 99, **fields: Any) -> pki.Made:
    """A certificate with a key of its own that is for signing lists."""
    given = {"extensions": SIGNER_USAGE, "serial": der.integer(serial), **fields}
    return pki.make(subject, pki.ec_key(f"lists of {subject}"), issuer, **given)


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


# ---- the search -----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("mode", ["hard", "soft"])
def test_path_over_a_revoked_certificate_is_given_up_for_another(order: int, mode: str) -> None:
    again = pki.authority("CA", ROOT, serial=der.integer(8))
    found = verified(crls.crl(ROOT, crls.entry(7)), CA_LIST, others=[CA, again][::order], mode=mode)
    assert found.certificates[1].serial_number == 8


def test_path_of_unknown_status_is_given_up_for_one_that_is_known() -> None:
    old_root = pki.root("Old root")
    cross = pki.make("CA", CA.key, old_root, extensions=pki.ca(), serial=der.integer(9), not_after=NOW + 9 * DAY)
    found = verified(ROOT_LIST, CA_LIST, others=[cross, CA], roots=[old_root, ROOT])
    assert found.certificates[1].serial_number == 7


def test_revoked_is_told_before_unknown() -> None:
    refused(REVOKED, NAMING_42)


def test_authority_that_is_revoked_is_told_before_its_leaf() -> None:
    assert refused(REVOKED, crls.crl(ROOT, crls.entry(7)), NAMING_42).startswith("intermediate 'CN=CA'")


def test_verdict_is_formed_anew_each_time_and_signatures_are_verified_once(provider: Any) -> None:
    class Counting:
        verified = 0

        def __getattr__(self, name: str) -> object:
            return getattr(provider, name)

        def verify(self, *arguments: Any) -> None:
            self.verified += 1
            provider.verify(*arguments)

    counting = Counting()
    lists = [RevocationList.parse(each) for each in (ROOT_LIST, CA_LIST)]
    policy = VerifyPolicy(revocation=RevocationPolicy(crls=lists))
    trust = TrustStore.from_der(ROOT.der)

    def verify(leaf: pki.Made, at: int = NOW) -> int:
        before = counting.verified
        host = "host.example"
        verify_chain([leaf.der, CA.der], trust, server_hostname=host, at=at, policy=policy, provider=counting)  # type: ignore[arg-type]
        return counting.verified - before

    assert verify(LEAF) == 4
    assert verify(LEAF) == 2
    with pytest.raises(CertificateError) as caught:
        verify(pki.server(CA, not_after=NOW + 9 * DAY), NOW + DAY + 301)
    assert caught.value.reason is ChainReason.EXPIRED  # the authority


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


def circle(count: int) -> tuple[pki.Made, list[pki.Made], list[bytes]]:
    """A leaf whose status the first of some signers knows, whose own status the next one knows, and so on."""

    def point(number: int) -> bytes:
        name = pki.name(f"Lists {number % count}")
        return crls.point(crls.full_name(HERE), issuers=[crls.directory(name)])

    signers = [
        signer(f"Lists {i}", ROOT, 100 + i, extensions=[*SIGNER_USAGE, crls.points(point(i + 1))]) for i in range(count)
    ]
    lists = [scoped(crls.full_name(HERE), crls.INDIRECT, issuer=each) for each in signers]
    return leaf_at(point(0)), signers, [scoped(crls.AUTHORITIES_ONLY, issuer=ROOT), *lists]


def test_signers_are_judged_within_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    other = signer("CA", ROOT)
    lists = ROOT_LIST, crls.crl(CA, key=other.key)
    monkeypatch.setattr(crl_signers, "SIGNERS", 0)
    assert "signers of CRLs to judge" in refused(ChainReason.LIMIT_EXCEEDED, *lists, others=[CA, other])
    monkeypatch.setattr(crl_signers, "SIGNERS", 2)
    leaf, signers, chained = circle(3)
    refused(ChainReason.LIMIT_EXCEEDED, *chained, leaf=leaf, others=[CA, *signers])
