"""What is said about a refused chain: the facts of this very one, and what to do."""

from __future__ import annotations

import warnings

import pytest

from lighttls.crypto.provider import CryptoProvider
from lighttls.errors import CertificateError, explain
from lighttls.x509 import TrustStore, verify_chain
from support import refused
from support.refused import Refused


def refusal(case: Refused, provider: CryptoProvider | None = None) -> CertificateError:
    trust = TrustStore.empty()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # one anchor is damaged
        for anchor in case.anchors:
            trust.add(anchor.der)
    with pytest.raises(CertificateError) as caught:
        verify_chain(
            [made.der for made in case.chain],
            trust,
            server_hostname=case.host,
            at=case.at,
            policy=case.policy,
            provider=provider,
        )
    return caught.value


@pytest.mark.parametrize("case", refused.CASES, ids=str)
def test_explanation_has_the_facts_of_the_chain(case: Refused, provider: CryptoProvider) -> None:
    error = refusal(case, provider)
    assert error.reason is case.reason, str(error)
    words = explain(error)
    assert [each for each in case.words if each not in words] == [], words
    assert explain(error) == words


@pytest.mark.parametrize("case", refused.CASES, ids=str)
def test_refusal_says_where_and_keeps_every_path(case: Refused) -> None:
    context = refusal(case).context
    attempt = context["attempt"]
    assert attempt in context["attempts"]
    assert attempt.reason is case.reason
    assert 0 <= context["depth"] == attempt.depth <= len(attempt.certificates)
