"""NIST PKITS: 249 subtests of RFC 5280's path validation, those that need DSA aside.

The certificates and CRLs are of the PyPI package cryptography-vectors; what should come out, with
which settings, is in `pkits/expected.json`. They are for no purpose and no host: neither is checked
here. Every certificate needs a CRL that says that it is good.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lighttls.crypto.provider import CryptoProvider
from lighttls.errors import BadSignature, CertificateError, ChainReason
from lighttls.x509 import RevocationList, RevocationPolicy, TrustStore, VerifiedPath, VerifyPolicy, verify_chain
from support import engines, require

AT = datetime(2011, 4, 15, tzinfo=UTC)
POLICIES = {f"NIST-test-policy-{number}": f"2.16.840.1.101.3.2.1.48.{number}" for number in range(1, 11)}
FLAGS = {
    "SetInitialExplicitPolicy": "require_explicit_policy",
    "SetInitialPolicyMappingInhibit": "inhibit_policy_mapping",
    "SetInitialInhibitAnyPolicy": "inhibit_any_policy",
}
DSA = frozenset(("4.1.4", "4.1.5"))
"""Valid, and refused: DSA is not implemented, since TLS 1.2 servers have no such keys any more."""

CRL_FAULTS = (ChainReason.CRL_EXPIRED, ChainReason.CRL_UNUSABLE)


@cache
def suite() -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((require.vectors("pkits") / "expected.json").read_text(encoding="utf-8"))
    return cases


@cache
def certificate(name: str) -> bytes:
    return Path(require.pkits() / "certs" / f"{name}.crt").read_bytes()


def revocation_list(name: str) -> RevocationList:
    """Read anew each time, since a list remembers which keys have verified it."""
    return RevocationList.parse(Path(require.pkits() / "crls" / f"{name}.crl").read_bytes())


def validate(case: dict[str, Any], provider: CryptoProvider, mode: str = "hard") -> VerifiedPath:
    names = case["initial_policy_set"]
    wanted = None if names is None else [POLICIES[name] for listed in names for name in listed.split(",")]
    anchor, *below = case["certs"]
    return verify_chain(
        [certificate(name) for name in reversed(below)],
        TrustStore.from_der(certificate(anchor)),
        server_hostname=None,
        at=AT,
        purpose="any",
        policy=VerifyPolicy(
            check_hostname=False,
            initial_policies=wanted,
            revocation=RevocationPolicy(crls=map(revocation_list, case["crls"]), mode=mode),
            **{FLAGS[flag]: True for flag in case["flags"]},
        ),
        provider=provider,
    )


def outcome(case: dict[str, Any], provider: CryptoProvider, mode: str = "hard") -> tuple[bool, str]:
    """Whether the path is valid, and if not, why."""
    try:
        return True, str(validate(case, provider, mode))
    except CertificateError as error:
        return False, f"{error.reason.value}: {error}"


def test_pkits_comes_out_as_it_should(provider: CryptoProvider) -> None:
    cases = suite()
    assert len(cases) == 249
    wrong = []
    for case in cases:
        valid, why = outcome(case, provider)
        if case["id"] not in DSA and valid is not case["should_validate"]:
            wrong.append(f"{case['title']}: {'accepted' if valid else 'refused'}: {why[:300]}")
    assert wrong == []


def test_pkits_in_soft_mode_passes_what_is_unknown_and_refuses_all_else(provider: CryptoProvider) -> None:
    """Nothing that is revoked passes, and nothing is refused in soft mode that is not in hard mode."""
    unknown = tuple(f"{reason.value}: " for reason in (ChainReason.REVOCATION_UNKNOWN, *CRL_FAULTS))
    passed = []
    for case in suite():
        (hard, why), (soft, why_soft) = outcome(case, provider), outcome(case, provider, "soft")
        assert soft is (hard or why.startswith(unknown)), case["title"]
        assert soft or why_soft == why
        if soft and not hard:
            passed.append(case["id"])
    assert passed == [
        *(
            "4.4.1",
            "4.4.4",
            "4.4.5",
            "4.4.6",
            "4.4.8",
            "4.4.9",
            "4.4.10",
            "4.4.11",
            "4.4.12",
            "4.4.21",
            "4.7.4",
            "4.7.5",
        ),
        *("4.14.3", "4.14.8", "4.14.9", "4.14.11", "4.14.12", "4.14.14", "4.14.17", "4.14.26", "4.14.27", "4.14.35"),
        *("4.15.1", "4.15.10"),
    ]


def test_pkits_paths_with_dsa_are_refused_for_their_keys(provider: CryptoProvider) -> None:
    cases = [case for case in suite() if case["id"] in DSA]
    assert len(cases) == len(DSA)
    for case in cases:
        with pytest.raises(CertificateError) as caught:
            validate(case, provider)
        assert caught.value.reason is ChainReason.UNSUPPORTED_ALGORITHM


def test_pkits_path_is_refused_by_an_engine_that_refuses_every_signature() -> None:
    """The runner would notice: no path is accepted for want of a check."""

    class Refusing:
        def __getattr__(self, name: str) -> object:
            return getattr(engines.provider("pure"), name)

        def verify(self, *_: object) -> None:
            raise BadSignature("no")

    assert [case["id"] for case in suite() if outcome(case, Refusing())[0]] == []  # type: ignore[arg-type]
