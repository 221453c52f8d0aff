"""x509-limbo, development part: the public suite of path-validation cases, with BetterTLS.

Every case of the required tier must come out as the suite says. For the other tiers, where
implementations differ, limbo_choices.toml lists every case, and for each that is decided otherwise
the reason; a case that leaves its list by itself fails too.
"""

from __future__ import annotations

import gzip
import json
import tomllib
from datetime import datetime
from functools import cache
from pathlib import Path
from time import process_time
from typing import Any

import pytest

from lighttls.crypto.provider import CryptoProvider
from lighttls.errors import BadSignature, LightTLSError
from lighttls.x509 import RevocationPolicy, TrustStore, VerifyPolicy, certificates_from_pem, verify_chain
from support import engines, require

LATEST_CHAIN = datetime.fromisoformat("2026-11-20T00:00:00+00:00").timestamp()  # for cases that say "now"
DENIAL_OF_SERVICE_LIMIT_S = 5

CHOICES = tomllib.loads((Path(__file__).parent / "limbo_choices.toml").read_text(encoding="utf-8"))
"""For each tier but the required one: the cases that come out as the suite says, and those accepted against it."""
ACCEPTED = {case: reason for tier in CHOICES.values() for case, reason in tier.get("accepted", {}).items()}
"""Cases accepted although the suite expects FAILURE. None is refused against its SUCCESS."""


@cache
def suite() -> tuple[dict[str, dict[str, Any]], dict[str, list[str]]]:
    folder = require.vectors("x509-limbo")
    cases = json.loads(gzip.decompress((folder / "limbo-dev.json.gz").read_bytes()))["testcases"]
    tiers = json.loads((folder / "limbo-dev-tiers.json").read_text(encoding="utf-8"))
    return {case["id"]: case for case in cases}, tiers


def der_of(pem: str) -> bytes:
    (der,) = certificates_from_pem(pem, "limbo")
    return der


def outcome(case: dict[str, Any], provider: CryptoProvider) -> tuple[str, str]:
    """SUCCESS or FAILURE, and why."""
    name = case.get("expected_peer_name")
    depth = case.get("max_chain_depth")
    moment = case.get("validation_time")
    crls = case.get("crls")
    try:
        trust = TrustStore.from_pem("".join(case["trusted_certs"]))
        found = verify_chain(
            [der_of(case["peer_certificate"]), *map(der_of, case["untrusted_intermediates"])],
            trust,
            server_hostname=name["value"] if name else None,
            at=datetime.fromisoformat(moment) if moment else LATEST_CHAIN,
            policy=VerifyPolicy(
                check_hostname=name is not None,
                revocation=RevocationPolicy(crls=crls) if crls else None,
                **({} if depth is None else {"max_depth": depth}),
            ),
            purpose="server_auth" if case["validation_kind"] == "SERVER" else "client_auth",
            provider=provider,
        )
    except LightTLSError as error:  # a refusal of any kind; another exception is a bug and fails the test
        return "FAILURE", str(error)
    return "SUCCESS", f"path of {len(found.certificates)} to {found.anchor}"


@pytest.mark.parametrize(
    ("tier", "count"),
    [
        ("required", 528),
        ("crl", 5),
        ("max-chain-depth", 4),
        ("most-implementations-diverge", 20),
        ("not-a-server-certificate-case", 7),
        ("optional-pedantic", 11),
    ],
)
def test_limbo_tier_comes_out_as_expected_or_as_chosen(tier: str, count: int, provider: CryptoProvider) -> None:
    cases, tiers = suite()
    assert len(tiers[tier]) == count
    wrong = []
    for case_id in tiers[tier]:
        case = cases[case_id]
        start = process_time()
        result, why = outcome(case, provider)
        if process_time() - start > DENIAL_OF_SERVICE_LIMIT_S:
            wrong.append(f"{case_id}: took {process_time() - start:.1f} s")
        expected = "SUCCESS" if case_id in ACCEPTED else case["expected_result"]
        if result != expected:
            wrong.append(f"{case_id}: {result} instead of {expected}: {why[:300]}")
    assert wrong == []


def test_choices_list_every_case_outside_the_required_tier_and_accept_only_expected_failures() -> None:
    cases, tiers = suite()
    listed = {name: sorted([*tier["agree"], *tier.get("accepted", {})]) for name, tier in CHOICES.items()}
    assert listed == {name: sorted(ids) for name, ids in tiers.items() if name != "required"}
    assert {case for case in ACCEPTED if cases[case]["expected_result"] != "FAILURE"} == set()
    assert all(len(reason) > 20 for reason in ACCEPTED.values())


def test_limbo_case_is_refused_by_an_engine_that_refuses_every_signature() -> None:
    """The runner would notice: no case is accepted for want of a check."""
    cases, tiers = suite()

    class Refusing:
        def __getattr__(self, name: str) -> object:
            return getattr(engines.provider("pure"), name)

        def verify(self, *_: object) -> None:
            raise BadSignature("no")

    accepted = [case for case in tiers["required"] if outcome(cases[case], Refusing())[0] == "SUCCESS"]  # type: ignore[arg-type]
    assert accepted == []
