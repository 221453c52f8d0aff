"""Path building: anchors first, a set and no chain, out of every failure again (x509 facts, rules 1 to 9)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from time import process_time

import pytest

from lighttls.crypto.provider import CryptoProvider
from lighttls.errors import CertificateError, ChainReason, explain
from lighttls.testing import der_writer as der
from lighttls.x509 import (
    Certificate,
    SignaturePolicy,
    TimePolicy,
    TrustStore,
    VerifiedPath,
    VerifyPolicy,
    checks,
    path,
    verify_chain,
)
from support import certificates as kit
from support.certificates import Made

ROOT = kit.root("Root")
MIDDLE = kit.authority("Middle", ROOT)
LEAF = kit.server(MIDDLE)
EXPIRED = {"not_before": kit.NOW - 9, "not_after": kit.NOW - 1}
RSA_SHA1 = kit.ALGORITHMS["rsa", "sha1"]

Verify = Callable[..., VerifiedPath]


@pytest.fixture
def verify(provider: CryptoProvider) -> Verify:
    """`verify_chain` for host.example at the kit's time, on each engine, with certificates as they were made."""

    def run(chain: Sequence[Made], *anchors: Made | TrustStore, **options: object) -> VerifiedPath:
        given = {"server_hostname": "host.example", "at": kit.NOW, **options}
        trust = anchors[0] if anchors and isinstance(anchors[0], TrustStore) else store(*anchors)  # type: ignore[arg-type]
        return verify_chain([made.der for made in chain], trust, provider=provider, **given)  # type: ignore[arg-type]

    return run


def store(*anchors: Made, **options: object) -> TrustStore:
    trust = TrustStore.empty()
    for anchor in anchors:
        trust.add(anchor.der, **options)  # type: ignore[arg-type]
    return trust


def names(found: VerifiedPath) -> list[str]:
    return [str(step) for step in (*found.certificates, found.anchor)]


def refused(reason: ChainReason, run: Callable[[], VerifiedPath]) -> CertificateError:
    with pytest.raises(CertificateError) as caught:
        run()
    assert caught.value.reason is reason, str(caught.value)
    return caught.value


class TestFinding:
    def test_leaf_and_intermediate_lead_to_the_root(self, verify: Verify) -> None:
        found = verify([LEAF, MIDDLE], ROOT)
        assert names(found) == ["CN=server", "CN=Middle", "CN=Root"]
        assert found.leaf is found.certificates[0]
        assert found.time_checked

    def test_order_duplicates_strangers_and_the_root_do_not_matter(self, verify: Verify) -> None:
        """CERT-24."""
        stranger = kit.root("Stranger")
        found = verify([LEAF, ROOT, stranger, MIDDLE, MIDDLE, LEAF], ROOT)
        assert names(found) == ["CN=server", "CN=Middle", "CN=Root"]

    def test_unreadable_stranger_does_not_matter(self, verify: Verify, provider: CryptoProvider) -> None:
        found = verify_chain(
            [LEAF.der, b"garbage", MIDDLE.der],
            store(ROOT),
            server_hostname="host.example",
            at=kit.NOW,
            provider=provider,
        )
        assert len(found.certificates) == 2

    def test_intermediate_may_be_the_anchor(self, verify: Verify) -> None:
        assert names(verify([LEAF], MIDDLE)) == ["CN=server", "CN=Middle"]

    def test_anchor_stops_the_path_although_a_cross_certificate_leads_on(self, verify: Verify) -> None:
        """Rule 1: AddTrust 2020. The sent chain ends at an expired root; a shorter path was there all along."""
        old = kit.root("Old Root", **EXPIRED)
        cross = kit.make("Root", kit.ec_key("Root"), old, extensions=kit.ca(), **EXPIRED)  # type: ignore[arg-type]
        assert names(verify([LEAF, MIDDLE, cross, old], ROOT, old)) == ["CN=server", "CN=Middle", "CN=Root"]

    def test_expired_anchor_is_left_for_a_cross_certificate_that_holds(self, verify: Verify) -> None:
        """Rules 3 and 6: the anchor itself expired, the same key lives on under another root."""
        ended = kit.root("Root", **EXPIRED)
        new = kit.root("New Root")
        cross = kit.make("Root", kit.ec_key("Root"), new, extensions=kit.ca())
        assert names(verify([LEAF, MIDDLE, cross], ended, new)) == ["CN=server", "CN=Middle", "CN=Root", "CN=New Root"]

    def test_search_goes_on_after_every_kind_of_bad_candidate(self, verify: Verify) -> None:
        """Rule 3: same name, same key, each unusable in its own way; the last one is good."""
        key = kit.ec_key("Middle")
        bad = [
            kit.make("Middle", key, ROOT, extensions=kit.ca(), **EXPIRED),  # type: ignore[arg-type]
            kit.make("Middle", key, ROOT, extensions=kit.ca(), not_before=kit.NOW + 9),
            kit.make("Middle", key, ROOT),
            kit.make("Middle", key, ROOT, extensions=[*kit.ca()[:1], (kit.KEY_USAGE, True, der.named_bits(6))]),
            kit.make("Middle", key, ROOT, extensions=[*kit.ca(), ("1.2.3.4", True, b"")]),
            kit.make("Middle", key, ROOT, extensions=[*kit.ca(), (kit.NAME_CONSTRAINTS, True, b"")]),
            kit.make("Middle", key, ROOT, extensions=[*kit.ca(), kit.constraints([der.implicit(2, b"other.example")])]),
            kit.make("Middle", key, ROOT, extensions=kit.ca(), signature=b"forged"),
            kit.make("Middle", key, ROOT, extensions=kit.ca(), outer=kit.ALGORITHMS["ec", "sha384"]),
            kit.make("Middle", kit.ec_key("impostor"), ROOT, extensions=kit.ca()),
        ]
        for position in (0, len(bad)):
            chain = [LEAF, *bad[:position], MIDDLE, *bad[position:]]
            assert names(verify(chain, ROOT)) == ["CN=server", "CN=Middle", "CN=Root"]

    def test_key_identifiers_order_candidates_and_never_exclude_one(self, verify: Verify) -> None:
        """Rule 4: an authorityKeyIdentifier that fits nobody."""
        wrong = (kit.AUTHORITY_KEY_IDENTIFIER, False, der.sequence(der.implicit(0, b"wrong")))
        leaf = kit.server(MIDDLE, extensions=[*kit.host("host.example"), wrong])
        assert len(verify([leaf, MIDDLE], ROOT).certificates) == 2

    def test_matching_key_identifier_is_tried_first(self, verify: Verify, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(path, "SIGNATURES", 3)  # enough only if the right one is the first
        marked = [*kit.ca(), (kit.SUBJECT_KEY_IDENTIFIER, False, der.octet_string(b"right"))]
        right = kit.make("Middle", kit.ec_key("Middle"), ROOT, extensions=marked)
        wrong = [kit.make("Middle", kit.ec_key(f"wrong {n}"), ROOT, extensions=kit.ca()) for n in range(5)]
        points = (kit.AUTHORITY_KEY_IDENTIFIER, False, der.sequence(der.implicit(0, b"right")))
        leaf = kit.server(right, extensions=[*kit.host("host.example"), points])
        assert len(verify([leaf, *wrong, right], ROOT).certificates) == 2

    def test_only_a_leaf_that_is_an_authority_may_sign_certificates(self, verify: Verify) -> None:
        """RFC 5280 4.2.1.3, 4.2.1.9."""

        def leaf(bits: tuple[int, ...], *more: kit.Extension) -> Made:
            usage = (kit.KEY_USAGE, True, der.named_bits(*bits))
            return kit.server(ROOT, extensions=[*kit.host("host.example"), usage, *more])

        authority, none = ((kit.BASIC_CONSTRAINTS, True, der.sequence(*parts)) for parts in ([der.boolean(True)], []))
        for good in (leaf((0,)), leaf((0,), none), leaf((0, 5), authority)):
            assert len(verify([good], ROOT).certificates) == 1
        for bad in (leaf((0, 5)), leaf((0, 5), none)):
            refused(ChainReason.KEY_USAGE, lambda bad=bad: verify([bad], ROOT))  # type: ignore[misc]

    def test_key_identifier_that_cannot_be_read_does_not_end_the_search(self, verify: Verify) -> None:
        identified = (kit.AUTHORITY_KEY_IDENTIFIER, False, der.sequence(der.implicit(0, b"id")))
        leaf = kit.server(MIDDLE, extensions=[*kit.host("host.example"), identified])
        broken = (kit.SUBJECT_KEY_IDENTIFIER, False, b"no DER")
        unreadable = kit.make("Middle", kit.ec_key("Middle"), ROOT, extensions=[*kit.ca(), broken])
        for others in ([unreadable, MIDDLE], [MIDDLE, unreadable]):
            assert names(verify([leaf, *others], ROOT)) == ["CN=server", "CN=Middle", "CN=Root"]

    def test_any_purpose_is_enough_for_an_authority(self, verify: Verify) -> None:
        anything = (kit.EXTENDED_KEY_USAGE, False, der.sequence(der.oid("2.5.29.37.0")))
        middle = kit.authority("Middle", ROOT, extensions=[*kit.ca(), anything])
        assert len(verify([LEAF, middle], ROOT).certificates) == 2

    def test_names_are_compared_without_case_and_string_type(self, verify: Verify) -> None:
        spelled = kit.name("", ("2.5.4.3", der.element(0x13, b"MIDDLE")))
        leaf = kit.server(MIDDLE, issuer_name=spelled)
        assert len(verify([leaf, MIDDLE], ROOT).certificates) == 2

    def test_anchor_may_be_a_name_and_a_key(self, verify: Verify) -> None:
        trust = TrustStore.empty()
        trust.add_anchor(ROOT.subject, ROOT.key.spki)
        assert len(verify([LEAF, MIDDLE], trust).certificates) == 2

    def test_version_1_certificate_is_an_anchor(self, verify: Verify) -> None:
        v1 = kit.make("Root", kit.ec_key("Root"), version=b"")
        assert len(verify([LEAF, MIDDLE], v1).certificates) == 2

    def test_self_signed_server_is_accepted_when_it_is_in_the_store(self, verify: Verify) -> None:
        own = kit.make("server", kit.ec_key("server"), extensions=kit.host("host.example"))
        found = verify([own], own)
        assert found.certificates == (found.anchor.certificate,)  # type: ignore[union-attr]

    def test_server_in_the_store_is_no_authority(self, verify: Verify) -> None:
        own = kit.make("server", kit.ec_key("server"), extensions=kit.host("host.example"))
        forged = kit.make("other", kit.ec_key("other"), own, extensions=kit.host("host.example"))
        refused(ChainReason.NOT_A_CA, lambda: verify([forged], own))

    def test_key_of_a_trusted_server_cannot_claim_another_name(self, verify: Verify) -> None:
        """A leaf in the store counts byte for byte, not as name and key."""
        own = kit.make("server", kit.ec_key("server"), extensions=kit.host("mine.example"))
        claim = kit.make("server", kit.ec_key("server"), extensions=kit.host("host.example"))
        refused(ChainReason.NOT_A_CA, lambda: verify([claim], own))

    def test_signatures_with_every_algorithm_verify(self, verify: Verify) -> None:
        for signer, options in (
            (kit.rsa_key("every"), {}),
            (kit.ec_key("P-384", kit.ec.SECP384R1), {"hash_name": "sha384"}),
            (kit.ec_key("P-521", kit.ec.SECP521R1), {}),
        ):
            root = kit.make("Root", signer, extensions=kit.ca())
            leaf = kit.server(root, **options)
            assert len(verify([leaf], root).certificates) == 1

    @pytest.mark.parametrize("null", [der.null(), b""])
    def test_pss_with_the_usual_parameters_verifies(self, verify: Verify, null: bytes) -> None:
        digest = der.sequence(der.oid("2.16.840.1.101.3.4.2.1"), null)
        algorithm = der.sequence(
            der.oid("1.2.840.113549.1.1.10"),
            der.sequence(
                der.explicit(0, digest),
                der.explicit(1, der.sequence(der.oid("1.2.840.113549.1.1.8"), digest)),
                der.explicit(2, der.integer(32)),
            ),
        )
        root = kit.make("Root", kit.rsa_key("pss"), extensions=kit.ca())
        leaf = kit.server(root, inner=algorithm, outer=algorithm, pss=True)
        assert len(verify([leaf], root).certificates) == 1


class TestRefusing:
    def test_missing_intermediate_is_named_with_the_place_to_get_it(self, verify: Verify) -> None:
        places = der.sequence(der.sequence(der.oid("1.3.6.1.5.5.7.48.2"), der.implicit(6, b"http://ca.example/m.der")))
        leaf = kit.server(MIDDLE, extensions=[*kit.host("host.example"), (kit.AUTHORITY_INFO_ACCESS, False, places)])
        error = refused(ChainReason.UNKNOWN_ISSUER, lambda: verify([leaf], ROOT))
        assert "CN=Middle" in str(error)
        assert "http://ca.example/m.der" in explain(error)

    def test_root_that_is_not_in_the_store_is_a_dead_end(self, verify: Verify) -> None:
        """Rule 7."""
        refused(ChainReason.SELF_SIGNED, lambda: verify([LEAF, MIDDLE, ROOT], kit.root("Other")))

    def test_self_signed_server_is_refused(self, verify: Verify) -> None:
        own = kit.make("server", kit.ec_key("server"), extensions=kit.host("host.example"))
        refused(ChainReason.SELF_SIGNED, lambda: verify([own], ROOT))

    def test_empty_store_trusts_nobody(self, verify: Verify) -> None:
        refused(ChainReason.UNKNOWN_ISSUER, lambda: verify([LEAF, MIDDLE]))

    def test_root_with_the_right_name_and_another_key_does_not_verify(self, verify: Verify) -> None:
        """CERT-17."""
        impostor = kit.make("Root", kit.ec_key("impostor"), extensions=kit.ca())
        error = refused(ChainReason.BAD_SIGNATURE, lambda: verify([LEAF, MIDDLE], impostor))
        assert error.context["depth"] == 1

    @pytest.mark.parametrize("part", ["tbs", "signature"])
    def test_altered_certificate_does_not_verify(self, verify: Verify, part: str) -> None:
        at = LEAF.der.index(b"host.example") if part == "tbs" else -1
        altered = bytearray(LEAF.der)
        altered[at] ^= 1
        with pytest.raises(CertificateError):
            verify([Made(bytes(altered), LEAF.subject, LEAF.key), MIDDLE], ROOT)

    @pytest.mark.parametrize("who", ["leaf", "middle", "root"])
    @pytest.mark.parametrize(
        ("dates", "reason"),
        [
            (EXPIRED, ChainReason.EXPIRED),
            ({"not_before": kit.NOW + 1}, ChainReason.NOT_YET_VALID),
        ],
    )
    def test_dates_hold_for_every_certificate(
        self, verify: Verify, who: str, dates: dict[str, int], reason: ChainReason
    ) -> None:
        """CERT-18, and rule 6: the anchor's dates count too."""
        root = kit.root("Root", **(dates if who == "root" else {}))
        middle = kit.authority("Middle", root, **(dates if who == "middle" else {}))
        leaf = kit.server(middle, **(dates if who == "leaf" else {}))
        error = refused(reason, lambda: verify([leaf, middle], root))
        assert error.context["depth"] == ("leaf", "middle", "root").index(who)
        policy = VerifyPolicy(time=TimePolicy.insecure_until_checked())
        assert not verify([leaf, middle], root, policy=policy).time_checked

    @pytest.mark.parametrize(
        ("extensions", "reason"),
        [
            ([], ChainReason.NOT_A_CA),
            ([(kit.BASIC_CONSTRAINTS, True, der.sequence())], ChainReason.NOT_A_CA),
            ([*kit.ca()[:1], (kit.KEY_USAGE, True, der.named_bits(0))], ChainReason.KEY_USAGE),
            ([*kit.ca(), ("1.2.3.4", True, b"")], ChainReason.UNKNOWN_CRITICAL_EXTENSION),
            (
                [*kit.ca(), (kit.EXTENDED_KEY_USAGE, False, der.sequence(der.oid("1.3.6.1.5.5.7.3.2")))],
                ChainReason.EXTENDED_KEY_USAGE,
            ),
            ([*kit.ca(), kit.constraints([der.implicit(2, b"other.example")])], ChainReason.NAME_CONSTRAINTS),
            ([*kit.ca(), kit.constraints((), [der.implicit(2, b"example")])], ChainReason.NAME_CONSTRAINTS),
            ([*kit.ca(), (kit.POLICY_CONSTRAINTS, True, der.sequence())], ChainReason.MALFORMED),
            ([*kit.ca(), (kit.SUBJECT_KEY_IDENTIFIER, True, der.octet_string(b"x"))], ChainReason.PROFILE_VIOLATION),
            ([*kit.ca(), (kit.AUTHORITY_INFO_ACCESS, False, b"")], ChainReason.MALFORMED),
            ([*kit.ca(), (kit.SUBJECT_ALT_NAME, False, b"")], ChainReason.MALFORMED),
        ],
    )
    @pytest.mark.parametrize("who", ["middle", "root"])
    def test_authority_must_be_one_for_this_use(
        self, verify: Verify, who: str, extensions: list[kit.Extension], reason: ChainReason
    ) -> None:
        root = kit.make("Root", kit.ec_key("Root"), extensions=extensions if who == "root" else kit.ca())
        middle = kit.authority("Middle", root, extensions=extensions if who == "middle" else kit.ca())
        refused(reason, lambda: verify([kit.server(middle), middle], root))

    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            (
                {"extensions": [*kit.host("host.example"), ("1.2.3.4", True, b"")]},
                ChainReason.UNKNOWN_CRITICAL_EXTENSION,
            ),
            (
                {
                    "extensions": [
                        *kit.host("host.example"),
                        (kit.EXTENDED_KEY_USAGE, False, der.sequence(der.oid("1.3.6.1.5.5.7.3.2"))),
                    ]
                },
                ChainReason.EXTENDED_KEY_USAGE,
            ),
            (
                {"extensions": [*kit.host("host.example"), (kit.KEY_USAGE, True, der.named_bits(0, 5))]},
                ChainReason.KEY_USAGE,
            ),
            (
                {"extensions": [*kit.host("host.example"), kit.constraints([der.implicit(2, b"example")])]},
                ChainReason.PROFILE_VIOLATION,
            ),
            ({"extensions": [(kit.SUBJECT_ALT_NAME, False, b"x")]}, ChainReason.MALFORMED),
            ({"extensions": kit.host("other.example")}, ChainReason.NAME_MISMATCH),
            ({"extensions": []}, ChainReason.NAME_MISMATCH),
            ({"issuer_name": kit.name("")}, ChainReason.PROFILE_VIOLATION),
            ({"inner": kit.ALGORITHMS["ec", "sha384"]}, ChainReason.ALGORITHM_MISMATCH),
            ({"outer": kit.ALGORITHMS["ec", "sha384"]}, ChainReason.ALGORITHM_MISMATCH),
            (
                {"inner": der.sequence(der.oid("1.2.3")), "outer": der.sequence(der.oid("1.2.3"))},
                ChainReason.UNSUPPORTED_ALGORITHM,
            ),
            ({"spki": der.sequence(der.null())}, ChainReason.MALFORMED),
        ],
    )
    def test_leaf_must_be_fit_for_its_use(self, verify: Verify, fields: dict[str, object], reason: ChainReason) -> None:
        error = refused(reason, lambda: verify([kit.server(MIDDLE, **fields), MIDDLE], ROOT))
        assert error.context["depth"] == 0

    def test_empty_subject_needs_a_critical_subject_alt_name(self, verify: Verify) -> None:
        """RFC 5280 §4.2.1.6."""
        nameless = kit.make(kit.name(""), kit.ec_key("server"), MIDDLE, extensions=kit.host("host.example"))
        refused(ChainReason.PROFILE_VIOLATION, lambda: verify([nameless, MIDDLE], ROOT))
        (oid, _, value) = kit.host("host.example")[0]
        nameless = kit.make(kit.name(""), kit.ec_key("server"), MIDDLE, extensions=[(oid, True, value)])
        assert len(verify([nameless, MIDDLE], ROOT).certificates) == 2

    def test_path_length_counts_authorities_that_are_not_self_issued(self, verify: Verify) -> None:
        root = kit.make("Root", kit.ec_key("Root"), extensions=kit.ca(path_length=1))
        rolled_over = kit.make("Root", kit.ec_key("Root 2"), root, extensions=kit.ca())
        one = kit.authority("Middle", rolled_over, extensions=kit.ca(path_length=0))
        assert len(verify([kit.server(one), one, rolled_over], root).certificates) == 3
        two = kit.authority("Middle 2", one)
        refused(ChainReason.PATH_TOO_LONG, lambda: verify([kit.server(two), two, one, rolled_over], root))

    def test_depth_counts_authorities_between_leaf_and_anchor(self, verify: Verify) -> None:
        verify([LEAF, MIDDLE], ROOT, policy=VerifyPolicy(max_depth=1))
        refused(ChainReason.PATH_TOO_LONG, lambda: verify([LEAF, MIDDLE], ROOT, policy=VerifyPolicy(max_depth=0)))

    def test_most_telling_reason_is_of_a_path_that_reached_an_anchor(self, verify: Verify) -> None:
        """Rule 3: report the best error, not the last; CERT-15."""
        ended = kit.root("Root", **EXPIRED)
        other = kit.authority("Middle", kit.root("Unknown"))
        error = refused(ChainReason.EXPIRED, lambda: verify([LEAF, MIDDLE, other], ended))
        attempts = error.context["attempts"]
        assert [attempt.reason for attempt in attempts] == [ChainReason.EXPIRED, ChainReason.UNKNOWN_ISSUER]
        assert "also tried" in str(error)
        assert all("CN=server" in str(attempt) for attempt in attempts)

    def test_reason_of_a_path_without_anchor_gives_way_to_one_with(self, verify: Verify) -> None:
        """Of itself "expired" would tell more than "key usage", but it is about a path that led nowhere."""
        no_signer = [*kit.ca()[:1], (kit.KEY_USAGE, True, der.named_bits(0))]
        root = kit.make("Root", kit.ec_key("Root"), extensions=no_signer)
        side = kit.make("Middle", kit.ec_key("Middle"), kit.root("Unknown"), extensions=kit.ca(), **EXPIRED)  # type: ignore[arg-type]
        refused(ChainReason.KEY_USAGE, lambda: verify([LEAF, side, MIDDLE], root))

    def test_most_telling_reason_is_not_lost_among_many_others(self, verify: Verify) -> None:
        """More strangers than failures are kept; what matters is tried last."""
        strangers = [kit.make("Middle", kit.ec_key(f"Stranger {n}"), ROOT, extensions=kit.ca()) for n in range(40)]
        late = kit.make("Middle", kit.ec_key("Middle"), ROOT, extensions=kit.ca(), **EXPIRED)  # type: ignore[arg-type]
        error = refused(ChainReason.EXPIRED, lambda: verify([LEAF, *strangers, late], ROOT))
        assert len(error.context["attempts"]) == path.ATTEMPTS_KEPT
        assert error.context["attempt"].certificates[1].der == late.der

    def test_duplicates_are_tried_once(self, verify: Verify) -> None:
        error = refused(ChainReason.UNKNOWN_ISSUER, lambda: verify([LEAF, MIDDLE, MIDDLE, MIDDLE]))
        assert len(error.context["attempts"]) == 1


class TestSignaturePolicy:
    """CERT-16: SHA-1 and RSA-1024 below one anchor that allows them, and nowhere else."""

    RSA_ROOT = kit.make("RSA Root", kit.rsa_key("root"), extensions=kit.ca(), hash_name="sha1")
    SHA1_MIDDLE = kit.make("Middle", kit.ec_key("Middle"), RSA_ROOT, extensions=kit.ca(), hash_name="sha1")

    def test_root_signed_with_sha1_needs_no_permission(self, verify: Verify) -> None:
        """Rule 5."""
        leaf = kit.server(self.RSA_ROOT)
        found = verify([leaf], self.RSA_ROOT)
        assert found.anchor is not None
        assert found.anchor.signature_algorithm == "sha1WithRSAEncryption"

    def test_anchors_own_signature_need_not_verify(self, verify: Verify) -> None:
        broken = kit.make("Root", kit.ec_key("Root"), extensions=kit.ca(), signature=b"broken")
        assert len(verify([LEAF, MIDDLE], TrustStore.from_der(broken.der)).certificates) == 2

    def test_sha1_below_the_anchor_is_refused_with_the_way_to_allow_it(self, verify: Verify) -> None:
        error = refused(ChainReason.WEAK_SIGNATURE, lambda: verify([LEAF, self.SHA1_MIDDLE], self.RSA_ROOT))
        assert error.context["depth"] == 1
        assert "sha1WithRSAEncryption" in str(error)
        assert "SignaturePolicy(sha1=True)" in explain(error)

    def test_sha1_below_the_anchor_that_allows_it_is_accepted(self, verify: Verify) -> None:
        trust = store(self.RSA_ROOT, allow=SignaturePolicy(sha1=True))
        assert len(verify([LEAF, self.SHA1_MIDDLE], trust).certificates) == 2

    def test_permission_does_not_make_a_wrong_signature_right(self, verify: Verify) -> None:
        trust = store(self.RSA_ROOT, allow=SignaturePolicy(sha1=True))
        forged = kit.make(
            "Middle", kit.ec_key("Middle"), self.RSA_ROOT, extensions=kit.ca(), hash_name="sha1", signature=bytes(256)
        )
        refused(ChainReason.BAD_SIGNATURE, lambda: verify([LEAF, forged], trust))

    def test_permission_of_one_anchor_does_not_reach_another(self, verify: Verify) -> None:
        lenient = kit.root("Lenient Root")
        trust = store(lenient, allow=SignaturePolicy(sha1=True, min_rsa_bits=1024))
        trust.add(self.RSA_ROOT.der)
        refused(ChainReason.WEAK_SIGNATURE, lambda: verify([LEAF, self.SHA1_MIDDLE], trust))
        assert len(verify([kit.server(lenient)], trust).certificates) == 1

    def test_weak_path_is_left_for_a_strong_one(self, verify: Verify) -> None:
        found = verify([LEAF, self.SHA1_MIDDLE, MIDDLE], self.RSA_ROOT, ROOT)
        assert names(found) == ["CN=server", "CN=Middle", "CN=Root"]

    def test_sha1_with_ecdsa_is_sha1_too(self, verify: Verify) -> None:
        leaf = kit.server(ROOT, hash_name="sha1")
        refused(ChainReason.WEAK_SIGNATURE, lambda: verify([leaf], ROOT))
        assert verify([leaf], store(ROOT, allow=SignaturePolicy(sha1=True))).certificates

    def test_md5_never_passes(self, verify: Verify) -> None:
        leaf = kit.server(self.RSA_ROOT, hash_name="md5")
        trust = store(self.RSA_ROOT, allow=SignaturePolicy(sha1=True, min_rsa_bits=1024))
        error = refused(ChainReason.WEAK_SIGNATURE, lambda: verify([leaf], trust))
        assert "md5WithRSAEncryption" in str(error)

    @pytest.mark.parametrize("inside_and_outside", [("sha1", "sha256"), ("sha256", "sha1")])
    def test_inner_and_outer_algorithm_must_agree(self, verify: Verify, inside_and_outside: tuple[str, str]) -> None:
        inner, outer = (kit.ALGORITHMS["rsa", name] for name in inside_and_outside)
        leaf = kit.server(self.RSA_ROOT, hash_name=inside_and_outside[1], inner=inner, outer=outer)
        refused(ChainReason.ALGORITHM_MISMATCH, lambda: verify([leaf], self.RSA_ROOT))

    def test_rsa_1024_root_needs_permission(self, verify: Verify) -> None:
        small = kit.make("Small Root", kit.rsa_key("small", 1024), extensions=kit.ca())
        leaf = kit.server(small)
        refused(ChainReason.WEAK_KEY, lambda: verify([leaf], small))
        assert verify([leaf], store(small, allow=SignaturePolicy(min_rsa_bits=1024))).certificates

    def test_rsa_1024_leaf_needs_permission_of_its_anchor(self, verify: Verify) -> None:
        leaf = kit.make("server", kit.rsa_key("small", 1024), ROOT, extensions=kit.host("host.example"))
        refused(ChainReason.WEAK_KEY, lambda: verify([leaf], ROOT))
        assert verify([leaf], store(ROOT, allow=SignaturePolicy(min_rsa_bits=1024))).certificates

    @pytest.mark.parametrize(("modulus", "exponent"), [((1 << 2047) | 1, 4), (1 << 2047, 3), ((1 << 2047) | 1, 1)])
    def test_rsa_key_with_even_numbers_is_refused_everywhere(self, verify: Verify, modulus: int, exponent: int) -> None:
        numbers = (der.element(2, n.to_bytes(n.bit_length() // 8 + 1, "big")) for n in (modulus, exponent))
        spki = der.sequence(
            der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null()), der.bit_string(der.sequence(*numbers))
        )
        leaf = kit.server(ROOT, spki=spki)
        refused(ChainReason.WEAK_KEY, lambda: verify([leaf], ROOT))
        middle = kit.authority("Middle", ROOT, spki=spki)
        refused(ChainReason.WEAK_KEY, lambda: verify([LEAF, middle], ROOT))


class TestBudgets:
    """Rule 8: hostile chains end, and say why."""

    def test_circle_of_cross_signatures_ends(self, verify: Verify) -> None:
        a, b = kit.ec_key("A"), kit.ec_key("B")
        a_by_itself, b_by_itself = kit.make("A", a, extensions=kit.ca()), kit.make("B", b, extensions=kit.ca())
        circle = [
            kit.make("A", a, b_by_itself, extensions=kit.ca()),
            kit.make("B", b, a_by_itself, extensions=kit.ca()),
        ]
        refused(ChainReason.UNKNOWN_ISSUER, lambda: verify([kit.server(a_by_itself), *circle], ROOT))

    def test_signatures_run_out(self, verify: Verify) -> None:
        namesakes = [
            kit.make("Middle", kit.ec_key("namesake"), ROOT, serial=der.integer(n), spki=spki(n)) for n in range(120)
        ]
        error = refused(ChainReason.LIMIT_EXCEEDED, lambda: verify([LEAF, *namesakes], ROOT))
        assert "100 signatures" in str(error)

    def test_signature_is_verified_once_per_key(self, verify: Verify, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(path, "SIGNATURES", 2)
        marked = [*kit.host("host.example"), (kit.AUTHORITY_KEY_IDENTIFIER, False, der.sequence(der.implicit(0, b"1")))]
        expired = [
            kit.make(
                "Middle",
                kit.ec_key("Middle"),
                ROOT,
                extensions=[*kit.ca(), (kit.SUBJECT_KEY_IDENTIFIER, False, der.octet_string(b"1"))],
                serial=der.integer(n),
                **EXPIRED,  # type: ignore[arg-type]
            )
            for n in range(4)
        ]
        leaf = kit.server(MIDDLE, extensions=marked)
        assert len(verify([leaf, *expired, MIDDLE], ROOT).certificates) == 2

    def test_candidates_run_out(self, verify: Verify, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(path, "CANDIDATES", 1)
        far = kit.authority("Far", MIDDLE)
        error = refused(ChainReason.LIMIT_EXCEEDED, lambda: verify([kit.server(far), MIDDLE, far], ROOT))
        assert "candidates" in str(error)

    def test_steps_with_names_run_out(self, verify: Verify, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(path, "STEPS", 5)
        subtrees = [der.implicit(2, b"x%d.example" % n) for n in range(6)]
        middle = kit.authority("Middle", ROOT, extensions=[*kit.ca(), kit.constraints((), subtrees)])
        error = refused(ChainReason.LIMIT_EXCEEDED, lambda: verify([LEAF, middle], ROOT))
        assert "more than 5 steps" in str(error)

    def test_self_issued_certificates_have_a_limit_of_their_own(
        self, verify: Verify, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """They count for no path length, so a long line of them would be free."""
        line = [kit.make("Line", kit.ec_key("line 0"), extensions=kit.ca())]
        for n in range(1, 4):
            line.append(kit.make("Line", kit.ec_key(f"line {n}"), line[-1], extensions=kit.ca()))
        leaf = kit.server(line[-1])
        assert len(verify([leaf, *line], line[0]).certificates) == 4
        monkeypatch.setattr(path, "LONGEST_PATH", 3)
        refused(ChainReason.PATH_TOO_LONG, lambda: verify([leaf, *line], line[0]))

    def test_signatures_that_nobody_would_permit_are_bounded_too(self, verify: Verify) -> None:
        """They are not verified, so any order of namesakes looks like a path until the candidates run out."""
        root = kit.make("Line", kit.ec_key("line 0"), extensions=kit.ca())
        line = [
            kit.make("Line", kit.ec_key(f"line {n}"), root, extensions=kit.ca(), hash_name="sha1") for n in range(1, 40)
        ]
        start = process_time()
        error = refused(ChainReason.LIMIT_EXCEEDED, lambda: verify([kit.server(root, hash_name="sha1"), *line], ROOT))
        assert "candidates" in str(error)
        assert len(error.context["attempts"]) <= path.ATTEMPTS_KEPT + 1
        assert len(str(error)) <= 2000
        assert process_time() - start < 5


def spki(number: int) -> bytes:
    """A key that no signature verifies under: a P-256 key's encoding with another x."""
    good = kit.ec_key("namesake").spki
    return good[:-64] + number.to_bytes(32, "big") + good[-32:]


class TestPins:
    @pytest.mark.parametrize("pinned", ["server", "Middle", "Root"])
    def test_any_key_of_the_path_may_be_pinned(self, verify: Verify, pinned: str) -> None:
        """CERT-22."""
        policy = VerifyPolicy(pins=[sha256(kit.ec_key(pinned).spki).digest()])
        assert verify([LEAF, MIDDLE], ROOT, policy=policy).certificates

    def test_path_without_a_pinned_key_is_refused(self, verify: Verify) -> None:
        policy = VerifyPolicy(pins=[sha256(b"another").digest()])
        refused(ChainReason.PIN_MISMATCH, lambda: verify([LEAF, MIDDLE], ROOT, policy=policy))

    def test_pinned_server_in_the_store_is_held_to_its_pin_too(self, verify: Verify) -> None:
        own = kit.make("server", kit.ec_key("server"), extensions=kit.host("host.example"))
        policy = VerifyPolicy(pins=[sha256(b"another").digest()])
        refused(ChainReason.PIN_MISMATCH, lambda: verify([own], own, policy=policy))


class TestCondensedMeanwhile:
    """Another thread may condense a certificate that it forgets while this one judges it."""

    @staticmethod
    def judged(chain: Sequence[Made], provider: CryptoProvider, **options: object) -> VerifiedPath:
        certificates = [Certificate.parse(made.der, provider) for made in chain]

        class Forgetful:
            """An engine during whose verifications every certificate is condensed."""

            def __getattr__(self, name: str) -> object:
                return getattr(provider, name)

            def verify(self, *arguments: object) -> None:
                for certificate in certificates:
                    certificate.condense()
                provider.verify(*arguments)  # type: ignore[arg-type]

        given = {"server_hostname": "host.example", "at": kit.NOW, "provider": Forgetful(), **options}
        return verify_chain(certificates, store(ROOT), **given)  # type: ignore[arg-type]

    def test_path_is_found(self, provider: CryptoProvider) -> None:
        assert names(self.judged([LEAF, MIDDLE], provider)) == ["CN=server", "CN=Middle", "CN=Root"]

    def test_constraints_of_an_intermediate_still_count(self, provider: CryptoProvider) -> None:
        excluding = kit.constraints(excluded=[der.implicit(2, b"host.example")])
        middle = kit.authority("Middle", ROOT, extensions=[*kit.ca(), excluding])
        chain = [kit.server(middle), middle]
        refused(ChainReason.NAME_CONSTRAINTS, lambda: self.judged(chain, provider))

    def test_demand_of_an_intermediate_for_a_policy_counts_at_whatever_moment(
        self, provider: CryptoProvider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        read = checks.what_it_says

        def read_and_forget(certificate: Certificate) -> dict[bytes, object]:
            said = read(certificate)
            certificate.condense()
            return said

        monkeypatch.setattr(checks, "what_it_says", read_and_forget)
        demand = (kit.POLICY_CONSTRAINTS, True, der.sequence(der.implicit(0, b"\0")))
        middle = kit.authority("Middle", ROOT, extensions=[*kit.ca(), demand])
        chain = [kit.server(middle), middle]
        refused(ChainReason.CERTIFICATE_POLICY, lambda: self.judged(chain, provider))

    def test_usage_of_an_intermediate_still_counts(self, provider: CryptoProvider) -> None:
        middle = kit.authority("Middle", ROOT, extensions=[kit.ca()[0], (kit.KEY_USAGE, True, der.named_bits(0))])
        chain = [kit.server(middle), middle]
        refused(ChainReason.KEY_USAGE, lambda: self.judged(chain, provider))
