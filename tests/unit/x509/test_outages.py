"""Outages that a path builder could have prevented, rebuilt with the names and dates of then and keys of today.

In each of them servers sent what they always had, and clients failed on the day that an old root ended or left the
stores, although a good path was there. Roots and cross certificates have the dates of the real ones.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from lighttls import explain
from lighttls.crypto.provider import CryptoProvider
from lighttls.errors import CertificateError, ChainReason
from lighttls.testing import der_writer as der
from lighttls.x509 import RevocationPolicy, SignaturePolicy, TrustStore, VerifiedPath, VerifyPolicy, verify_chain
from support import certificates as kit
from support import crls
from support.certificates import Made

HOST = "host.example"
ZERO = der.integer(0)
ORDINARY = VerifyPolicy()

Verify = Callable[..., VerifiedPath]


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp())


def name(common_name: str, organisation: str = "") -> bytes:
    return kit.name(common_name, *([("2.5.4.10", der.printable_string(organisation))] if organisation else []))


def authority(subject: bytes, key: str, issuer: Made | None, since: str, until: str, **fields: object) -> Made:
    given = {"extensions": kit.ca(), "not_before": moment(since), "not_after": moment(until), **fields}
    return kit.make(subject, kit.ec_key(key), issuer, **given)  # type: ignore[arg-type]


def server(issuer: Made, since: str, until: str) -> Made:
    return kit.server(issuer, HOST, not_before=moment(since), not_after=moment(until))


@pytest.fixture
def verify(provider: CryptoProvider) -> Verify:
    """What a client with these anchors says to these certificates, on that day."""

    def run(at: str, sent: list[Made], *anchors: Made | TrustStore, policy: VerifyPolicy = ORDINARY) -> VerifiedPath:
        trust = TrustStore.empty()
        for anchor in anchors:
            if isinstance(anchor, TrustStore):
                trust = anchor
            else:
                trust.add(anchor.der)
        chain = [made.der for made in sent]
        return verify_chain(chain, trust, server_hostname=HOST, at=moment(at), policy=policy, provider=provider)

    return run


def ends_at(found: VerifiedPath) -> str:
    return str(found.anchor).partition(",")[0]


def refusal(run: Callable[[], VerifiedPath]) -> CertificateError:
    with pytest.raises(CertificateError) as caught:
        run()
    return caught.value


class TestAddTrust2020:
    """30 May 2020, 10:48:38 UTC: AddTrust's root ends, and with it the cross certificate for USERTrust's key.

    Servers sent that certificate, some the root as well. OpenSSL 1.0.2 and GnuTLS 3.6.13 followed it to its end.
    """

    END = "2020-05-30T10:48:38Z"
    BEFORE, AFTER = END, "2020-05-30T10:48:39Z"

    ADDTRUST = authority(
        name("AddTrust External CA Root", "AddTrust AB"),
        "addtrust",
        None,
        "2000-05-30T10:48:38Z",
        END,
        hash_name="sha1",
    )
    USERTRUST_NAME = name("USERTrust RSA Certification Authority", "The USERTRUST Network")
    USERTRUST = authority(USERTRUST_NAME, "usertrust", None, "2010-02-01T00:00:00Z", "2038-01-18T23:59:59Z")
    CROSS = authority(USERTRUST_NAME, "usertrust", ADDTRUST, "2000-05-30T10:48:38Z", END)
    SECTIGO = authority(
        name("Sectigo RSA Domain Validation Secure Server CA", "Sectigo Limited"),
        "sectigo",
        USERTRUST,
        "2018-11-02T00:00:00Z",
        "2030-12-31T23:59:59Z",
    )
    LEAF = server(SECTIGO, "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z")
    SENT = (
        [LEAF, SECTIGO, CROSS],
        [LEAF, SECTIGO, CROSS, ADDTRUST],
        [LEAF, ADDTRUST, CROSS, SECTIGO],
        [LEAF, SECTIGO],
        [LEAF, SECTIGO, CROSS, USERTRUST],
    )

    @pytest.mark.parametrize("sent", SENT)
    def test_client_that_trusts_usertrust_never_noticed(self, verify: Verify, sent: list[Made]) -> None:
        for day in (self.BEFORE, self.AFTER):
            for anchors in ([self.USERTRUST], [self.ADDTRUST, self.USERTRUST], [self.USERTRUST, self.ADDTRUST]):
                assert ends_at(verify(day, sent, *anchors)) == "CN=USERTrust RSA Certification Authority"

    def test_client_that_trusts_addtrust_alone_holds_out_to_the_last_second(self, verify: Verify) -> None:
        assert ends_at(verify(self.BEFORE, self.SENT[0], self.ADDTRUST)) == "CN=AddTrust External CA Root"

    @pytest.mark.parametrize("sent", SENT[:3])
    def test_client_that_trusts_addtrust_alone_hears_what_ended_and_when(
        self, verify: Verify, sent: list[Made]
    ) -> None:
        error = refusal(lambda: verify(self.AFTER, sent, self.ADDTRUST))
        assert error.reason is ChainReason.EXPIRED
        assert "USERTrust RSA Certification Authority" in str(error)
        assert f"expired on {self.END}" in str(error)
        assert "'USERTrust RSA Certification Authority' has a root of its own" in explain(error)
        assert "in your trust store that root would do" in explain(error)

    def test_root_that_the_server_sends_in_vain_is_named_as_the_one_to_add(self, verify: Verify) -> None:
        error = refusal(lambda: verify(self.AFTER, self.SENT[4], self.ADDTRUST))
        assert "A path over 'USERTrust RSA Certification Authority' would have worked" in explain(error)

    def test_client_that_trusts_addtrust_alone_hears_which_root_is_missing_if_the_cross_certificate_is(
        self, verify: Verify
    ) -> None:
        error = refusal(lambda: verify(self.AFTER, self.SENT[3], self.ADDTRUST))
        assert error.reason is ChainReason.UNKNOWN_ISSUER
        assert "is missing has the subject 'CN=USERTrust RSA Certification Authority" in explain(error)


class TestDstRootX3In2021:
    """30 September 2021, 14:01:15 UTC: DST Root CA X3 ends; its cross certificate for ISRG Root X1 goes on to 2024.

    Let's Encrypt had it made so for old Android, which looks at no root's dates. OpenSSL 1.0.2 had both roots in its
    store, preferred the certificate that was sent, and failed at the root that had ended.
    """

    END = "2021-09-30T14:01:15Z"
    BEFORE, AFTER = END, "2021-09-30T14:01:16Z"
    CROSS_END = "2024-09-30T18:14:03Z"

    DST = authority(
        name("DST Root CA X3", "Digital Signature Trust Co."),
        "dst",
        None,
        "2000-09-30T21:12:19Z",
        END,
        hash_name="sha1",
    )
    X1_NAME = name("ISRG Root X1", "Internet Security Research Group")
    X1 = authority(X1_NAME, "x1", None, "2015-06-04T11:04:38Z", "2035-06-04T11:04:38Z")
    CROSS = authority(X1_NAME, "x1", DST, "2021-01-20T19:14:03Z", CROSS_END)
    R3_NAME = name("R3", "Let's Encrypt")
    R3 = authority(R3_NAME, "r3", X1, "2020-09-04T00:00:00Z", "2025-09-15T16:00:00Z")
    R3_BY_DST = authority(R3_NAME, "r3", DST, "2020-10-07T19:21:40Z", "2021-09-29T19:21:40Z")
    LEAF = server(R3, "2021-09-01T00:00:00Z", "2024-12-01T00:00:00Z")
    SENT = ([LEAF, R3, CROSS], [LEAF, R3, CROSS, DST], [LEAF, R3], [LEAF, R3, CROSS, X1], [LEAF, R3_BY_DST, R3, CROSS])

    @pytest.mark.parametrize("sent", SENT)
    def test_client_that_trusts_x1_never_noticed(self, verify: Verify, sent: list[Made]) -> None:
        for day in (self.BEFORE, self.AFTER, "2024-10-01T00:00:00Z"):
            for anchors in ([self.X1], [self.DST, self.X1], [self.X1, self.DST]):
                assert ends_at(verify(day, sent, *anchors)) == "CN=ISRG Root X1"

    def test_client_that_trusts_dst_alone_hears_that_its_root_ended(self, verify: Verify) -> None:
        assert ends_at(verify(self.BEFORE, self.SENT[0], self.DST)) == "CN=DST Root CA X3"
        error = refusal(lambda: verify(self.AFTER, self.SENT[0], self.DST))
        assert error.reason is ChainReason.EXPIRED
        assert "anchor 'CN=DST Root CA X3" in str(error)
        assert f"expired on {self.END}" in str(error)
        assert "a root in your trust store ended 1 second ago" in explain(error)
        assert "A path over 'ISRG Root X1' would have worked" in explain(error)

    def test_name_and_key_without_dates_do_what_old_android_did(self, verify: Verify) -> None:
        """RFC 5280 §6.1.1 (d) gives an anchor no dates; the cross certificate has some."""
        trust = TrustStore.empty()
        trust.add_anchor(self.DST.subject, self.DST.key.spki, label="DST Root CA X3")
        assert ends_at(verify("2024-09-30T18:14:03Z", self.SENT[0], trust)) == "DST Root CA X3"
        error = refusal(lambda: verify("2024-09-30T18:14:04Z", self.SENT[0], trust))
        assert error.reason is ChainReason.EXPIRED
        assert f"expired on {self.CROSS_END}" in str(error)

    def test_server_that_still_sends_the_old_intermediate_is_refused_with_its_date(self, verify: Verify) -> None:
        """R3 by DST ended a day before its root; nothing leads from its key to X1 unless the other R3 is sent."""
        error = refusal(lambda: verify("2021-09-30T00:00:00Z", [self.LEAF, self.R3_BY_DST], self.X1, self.DST))
        assert error.reason is ChainReason.EXPIRED
        assert "expired on 2021-09-29T19:21:40Z" in str(error)


class TestSmallRootsWithdrawnIn2015:
    """Stores dropped roots with 1024 bits; servers went on sending VeriSign's G5 as signed by such a root.

    OpenSSL 1.0.1 looked at what was sent only, so that certifi had to keep a second, weak bundle for years.
    """

    AT = "2015-06-01T00:00:00Z"
    LONG = ("2006-11-08T00:00:00Z", "2036-07-16T23:59:59Z")
    SMALL = kit.make(
        name("Class 3 Public Primary Certification Authority", "VeriSign, Inc."),
        kit.rsa_key("pca3", 1024),
        extensions=kit.ca(),
        hash_name="sha1",
        not_before=moment("1996-01-29T00:00:00Z"),
        not_after=moment("2028-08-01T23:59:59Z"),
    )
    G5_NAME = name("VeriSign Class 3 Public Primary Certification Authority - G5", "VeriSign, Inc.")
    G5 = authority(G5_NAME, "g5", None, *LONG, hash_name="sha1")
    CROSS = authority(G5_NAME, "g5", SMALL, "2006-11-08T00:00:00Z", "2021-11-07T23:59:59Z", hash_name="sha1")
    ISSUER = authority(
        name("Symantec Class 3 Secure Server CA - G4"), "g4", G5, "2013-10-31T00:00:00Z", "2023-10-30T23:59:59Z"
    )
    LEAF = server(ISSUER, "2015-01-01T00:00:00Z", "2016-01-01T00:00:00Z")
    SENT = (LEAF, ISSUER, CROSS)

    def test_g5_in_the_store_ends_the_path(self, verify: Verify) -> None:
        for anchors in ([self.G5], [self.SMALL, self.G5]):
            assert ends_at(verify(self.AT, [*self.SENT], *anchors)).endswith("- G5")

    def test_small_root_alone_is_refused_for_its_key_or_the_signature_below_it(self, verify: Verify) -> None:
        error = refusal(lambda: verify(self.AT, [*self.SENT], self.SMALL))
        assert error.reason in (ChainReason.WEAK_KEY, ChainReason.WEAK_SIGNATURE)

    def test_small_root_passes_for_an_owner_who_says_so(self, verify: Verify) -> None:
        trust = TrustStore.empty()
        trust.add(self.SMALL.der, allow=SignaturePolicy(sha1=True, min_rsa_bits=1024))
        assert ends_at(verify(self.AT, [*self.SENT], trust)).startswith("CN=Class 3 Public")


class TestAmazonAndStarfield:
    """What AWS sends: Amazon's root signed by Starfield's G2, and that by Starfield Class 2, with serial number 0.

    Clients trust one of the three. Stores dropped Starfield Class 2 for its SHA-1 signature, which does not matter.
    """

    AT = "2026-06-01T00:00:00Z"
    CLASS_2 = authority(
        kit.name("", ("2.5.4.11", der.printable_string("Starfield Class 2 Certification Authority"))),
        "class 2",
        None,
        "2004-06-29T17:39:16Z",
        "2034-06-29T17:39:16Z",
        hash_name="sha1",
        serial=ZERO,
    )
    G2_NAME = name("Starfield Services Root Certificate Authority - G2", "Starfield Technologies, Inc.")
    G2 = authority(G2_NAME, "g2", None, "2009-09-01T00:00:00Z", "2037-12-31T23:59:59Z", serial=ZERO)
    G2_BY_CLASS_2 = authority(G2_NAME, "g2", CLASS_2, "2009-09-02T00:00:00Z", "2034-06-28T17:39:16Z")
    ROOT_NAME = name("Amazon Root CA 1", "Amazon")
    ROOT = authority(ROOT_NAME, "amazon", None, "2015-05-26T00:00:00Z", "2038-01-17T00:00:00Z")
    ROOT_BY_G2 = authority(ROOT_NAME, "amazon", G2, "2015-05-25T12:00:00Z", "2037-12-31T01:00:00Z")
    ISSUER = authority(
        name("Amazon RSA 2048 M01", "Amazon"), "m01", ROOT, "2022-08-23T00:00:00Z", "2030-08-23T00:00:00Z"
    )
    LEAF = server(ISSUER, "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")
    SENT = (LEAF, ISSUER, ROOT_BY_G2, G2_BY_CLASS_2)

    @pytest.mark.parametrize(("anchor", "length"), [(ROOT, 2), (G2, 3), (CLASS_2, 4)])
    def test_any_of_the_three_roots_is_enough(self, verify: Verify, anchor: Made, length: int) -> None:
        assert len(verify(self.AT, [*self.SENT], anchor).certificates) == length

    def test_shortest_path_is_taken_where_all_are_trusted(self, verify: Verify) -> None:
        found = verify(self.AT, [*self.SENT], self.CLASS_2, self.G2, self.ROOT)
        assert ends_at(found) == "CN=Amazon Root CA 1"


class TestBaltimore2025:
    """12 May 2025: Baltimore CyberTrust Root ends. Azure's servers had moved to another root, devices had not."""

    BALTIMORE = authority(
        name("Baltimore CyberTrust Root", "Baltimore"),
        "baltimore",
        None,
        "2000-05-12T18:46:00Z",
        "2025-05-12T23:59:00Z",
        hash_name="sha1",
    )
    G2 = authority(
        name("DigiCert Global Root G2", "DigiCert Inc"), "dg2", None, "2013-08-01T12:00:00Z", "2038-01-15T12:00:00Z"
    )
    OLD = authority(name("Microsoft RSA TLS CA 01"), "ms", BALTIMORE, "2020-07-21T23:00:00Z", "2024-10-08T07:00:00Z")
    NEW = authority(name("Microsoft Azure TLS Issuing CA 01"), "mz", G2, "2020-07-29T12:30:00Z", "2026-06-27T23:59:59Z")

    def test_both_roots_bridge_the_move(self, verify: Verify) -> None:
        for day, issuer in (("2023-01-01T00:00:00Z", self.OLD), ("2025-06-01T00:00:00Z", self.NEW)):
            leaf = server(issuer, "2022-06-01T00:00:00Z", "2026-01-01T00:00:00Z")
            assert len(verify(day, [leaf, issuer], self.BALTIMORE, self.G2).certificates) == 2

    def test_old_root_alone_hears_the_name_of_the_new_one(self, verify: Verify) -> None:
        leaf = server(self.NEW, "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
        error = refusal(lambda: verify("2025-06-01T00:00:00Z", [leaf, self.NEW], self.BALTIMORE))
        assert error.reason is ChainReason.UNKNOWN_ISSUER
        assert "is missing has the subject 'CN=DigiCert Global Root G2" in explain(error)


class TestGlobalSign2016:
    """13 October 2016: GlobalSign revokes a cross certificate of its root R2.

    Its responders took all that R2 had issued for revoked as well, and clients kept that for days. Revoked is that
    certificate and not its key: where the root itself is in the store, the path over it holds (rule 3).
    """

    AT = "2016-10-13T12:00:00Z"
    R1 = authority(name("GlobalSign Root CA"), "gs1", None, "1998-09-01T12:00:00Z", "2028-01-28T12:00:00Z")
    R2_NAME = name("GlobalSign", "GlobalSign Root CA - R2")
    R2 = authority(R2_NAME, "gs2", None, "2006-12-15T08:00:00Z", "2021-12-15T08:00:00Z")
    CROSS = authority(R2_NAME, "gs2", R1, "2016-01-01T00:00:00Z", "2021-12-15T08:00:00Z", serial=der.integer(77))
    ISSUER = authority(name("AlphaSSL CA - SHA256 - G2"), "alpha", R2, "2014-02-20T10:00:00Z", "2024-02-20T10:00:00Z")
    LEAF = server(ISSUER, "2016-01-01T00:00:00Z", "2017-01-01T00:00:00Z")

    @pytest.fixture
    def policy(self) -> VerifyPolicy:
        dates = {"this_update": moment("2016-10-13T00:00:00Z"), "next_update": moment("2016-10-20T00:00:00Z")}
        revoked = crls.entry(77, at=moment("2016-10-13T00:00:00Z"))
        lists = [crls.crl(self.R1, revoked, **dates), *(crls.crl(each, **dates) for each in (self.R2, self.ISSUER))]  # type: ignore[arg-type]
        return VerifyPolicy(revocation=RevocationPolicy(crls=lists))

    def test_root_in_the_store_makes_up_for_its_revoked_cross_certificate(
        self, verify: Verify, policy: VerifyPolicy
    ) -> None:
        for anchors in ([self.R2], [self.R1, self.R2], [self.R2, self.R1]):
            found = verify(self.AT, [self.LEAF, self.ISSUER, self.CROSS], *anchors, policy=policy)
            assert found.anchor is not None
            assert found.anchor.der == self.R2.der

    def test_client_without_it_hears_that_the_cross_certificate_is_revoked(
        self, verify: Verify, policy: VerifyPolicy
    ) -> None:
        error = refusal(lambda: verify(self.AT, [self.LEAF, self.ISSUER, self.CROSS], self.R1, policy=policy))
        assert error.reason is ChainReason.REVOKED
        assert error.context["depth"] == 2
