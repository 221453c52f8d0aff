"""Which list is about which certificate, and what follows (RFC 5280 section 6.3)."""

from __future__ import annotations

from typing import Any

import pytest

from lighttls.errors import CertificateError, ChainReason
from lighttls.iana import Alert
from lighttls.testing import der_writer as der
from lighttls.x509 import (
    RevocationList,
    RevocationPolicy,
    SignaturePolicy,
    TimePolicy,
    TrustStore,
    VerifyPolicy,
    verify_chain,
)
from support import certificates as pki
from support import crls
from support.revocation import (
    CA,
    CA_LIST,
    DAY,
    EXPIRED,
    LEAF,
    NAMING_42,
    NOW,
    REVOKED,
    ROOT,
    ROOT_LIST,
    UNKNOWN,
    UNUSABLE,
    refused,
    signer,
    unknown,
    verified,
)

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
