"""What is said about a stapled response that does not do: whose demand, which certificate, what is to be given."""

from __future__ import annotations

import pytest
from cryptography.x509.ocsp import OCSPResponseStatus

from hostile import certificates as pki
from hostile import ocsp
from lighttls import RevocationPolicy, VerifyPolicy, explain
from lighttls.errors import CertificateError, ChainReason
from lighttls.x509 import Certificate, TrustStore, verify_chain

LEAF = pki.leaf("p256")
STAPLER = pki.leaf("p256", features=(5,))
OF_ROOT = ocsp.crl("root")
RESPONDER = ocsp.delegate()


def explained(
    response: bytes | None,
    revocation: RevocationPolicy | None = None,
    leaf: pki.Credential = LEAF,
    unanswered: frozenset[int] = frozenset(),
) -> str:
    with pytest.raises(CertificateError) as caught:
        verify_chain(
            leaf.chain,
            TrustStore.from_der(pki.root()),
            server_hostname=pki.HOST,
            at=ocsp.NOW.timestamp(),
            policy=VerifyPolicy(revocation=revocation),
            ocsp_response=response,
            unanswered=unanswered,
        )
    assert caught.value.reason is ChainReason.BAD_STATUS
    return explain(caught.value)


def test_missing_response_is_blamed_on_who_demands_it() -> None:
    promised = explained(None, leaf=STAPLER, unanswered=frozenset((5,)))
    assert "certificate has OCSP must-staple" in promised
    assert "Your policy" not in promised
    demanded = explained(None, RevocationPolicy(crls=[OF_ROOT], ocsp="require", mode="soft"))
    assert "Your policy demands stapling" in demanded
    assert 'RevocationPolicy(ocsp="require")' in demanded
    assert "must-staple" not in demanded


@pytest.mark.parametrize(
    "response", [ocsp.response(pki.leaf("p256/other", host="other.example")), ocsp.response(status=ocsp.UNKNOWN)]
)
def test_response_about_another_certificate_is_told_which_one_was_wanted(response: bytes) -> None:
    serial = Certificate.parse(LEAF.chain[0]).serial_number
    assert f"about the serial number {serial:x} of 'test intermediate'" in explained(response)


@pytest.mark.parametrize("since", [ocsp.DAY / 2, -9 * ocsp.DAY])
def test_response_of_another_time_is_blamed_on_a_clock_or_on_an_old_answer(since: object) -> None:
    said = explained(ocsp.response(since=since, until=None))  # type: ignore[arg-type]
    assert "If this device's clock is right, the server staples what it fetched long ago" in said


def by_delegate() -> bytes:
    return ocsp.response(responder=RESPONDER, key="p256/responder", sent=(RESPONDER,))


def test_responder_of_unknown_status_is_told_what_to_give() -> None:
    said = explained(by_delegate(), RevocationPolicy(crls=[OF_ROOT]))
    assert "the responder's has no ocsp-nocheck. Give the CRL of 'test intermediate'" in said


def test_responder_that_is_revoked_is_told_who_must_answer() -> None:
    said = explained(by_delegate(), RevocationPolicy(crls=[OF_ROOT, ocsp.crl("intermediate", RESPONDER)]))
    assert "'test intermediate' must answer with another one" in said


def test_other_faults_have_the_standing_explanation() -> None:
    assert explained(ocsp.refusal(OCSPResponseStatus.TRY_LATER)).endswith(ChainReason.BAD_STATUS.explanation)
