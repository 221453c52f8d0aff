"""Lists of distribution points, of some reasons, of changes: what each covers, and what they say together."""

from __future__ import annotations

import pytest

from lighttls.errors import CertificateError, ChainReason
from lighttls.testing import der_writer as der
from lighttls.x509 import (
    TrustStore,
    verify_chain,
)
from support import certificates as pki
from support import crls
from support.revocation import (
    CA,
    CA_LIST,
    DAY,
    ELSEWHERE,
    EXPIRED,
    HERE,
    NOW,
    REVOKED,
    ROOT,
    ROOT_LIST,
    UNKNOWN,
    base,
    delta,
    leaf_at,
    refused,
    scoped,
    unknown,
    verified,
)

# ---- distribution points and scope ----------------------------------------------------------------


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
