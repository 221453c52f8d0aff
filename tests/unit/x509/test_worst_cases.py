"""A stranger's chain ends in a verdict within a second, whatever it costs by its making."""

from __future__ import annotations

from time import process_time

import pytest

from lighttls.crypto import by_name
from lighttls.crypto.provider import CryptoProvider
from lighttls.errors import CertificateError, ChainReason
from support import require, worst_chains
from vectors.test_limbo import outcome, suite

LIMIT_S = 1.0

ENDS = {
    "the same on P-521": None,
    "ten deep, each with eight namesakes": None,
    "ten deep, each with many constraints": None,
    "long names in every alphabet": None,
    "policies that map to each other": None,
    "the largest RSA keys": ChainReason.BAD_SIGNATURE,
}
"""How a case ends if not by a budget; None is a path that was found."""


@pytest.mark.parametrize("case", worst_chains.CASES)
def test_worst_case_ends_within_a_second(case: str) -> None:
    require.native()
    provider = by_name("native")
    hostile = worst_chains.CASES[case]()
    began = process_time()
    found = hostile.verdict(provider)
    took = process_time() - began
    reason = found.reason if isinstance(found, CertificateError) else None
    assert reason is ENDS.get(case, ChainReason.LIMIT_EXCEEDED), found
    assert took < LIMIT_S


def test_denial_of_service_cases_of_limbo_end_within_a_second(provider: CryptoProvider) -> None:
    cases, _ = suite()
    hostile = [
        case
        for name, case in cases.items()
        if name.startswith("pathological::") or "denial-of-service" in (case.get("features") or ())
    ]
    assert len(hostile) == 7
    for case in hostile:
        began = process_time()
        outcome(case, provider)
        assert process_time() - began < LIMIT_S, case["id"]
