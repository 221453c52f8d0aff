"""NIST PKITS: 249 subtests of RFC 5280's path validation, those that need DSA aside.

The certificates are of the PyPI package cryptography-vectors; what should come out, with which
settings, is in `pkits/expected.json`. They are for no purpose and no host: neither is checked here.
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
from lighttls.x509 import TrustStore, VerifiedPath, VerifyPolicy, verify_chain
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

CRLS = frozenset(
    [
        *(f"4.4.{n}" for n in (1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 15, 18, 20, 21)),
        *("4.5.2", "4.5.5", "4.5.7", "4.7.4", "4.7.5"),
        *(f"4.14.{n}" for n in (2, 3, 6, 8, 9, 11, 12, 14, 15, 16, 17, 20, 21, 23, 26, 27, 31, 32, 34, 35)),
        *(f"4.15.{n}" for n in (1, 3, 4, 6, 9, 10)),
    ]
)
"""Invalid only by their CRLs, which are not looked at here: the paths are valid without."""


@cache
def suite() -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((require.vectors("pkits") / "expected.json").read_text(encoding="utf-8"))
    return cases


@cache
def certificate(name: str) -> bytes:
    return Path(require.pkits() / "certs" / f"{name}.crt").read_bytes()


def validate(case: dict[str, Any], provider: CryptoProvider) -> VerifiedPath:
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
            check_hostname=False, initial_policies=wanted, **{FLAGS[flag]: True for flag in case["flags"]}
        ),
        provider=provider,
    )


def outcome(case: dict[str, Any], provider: CryptoProvider) -> tuple[bool, str]:
    """Whether the path is valid, and if not, why."""
    try:
        return True, str(validate(case, provider))
    except CertificateError as error:
        return False, f"{error.reason.value}: {error}"


def test_pkits_comes_out_as_it_should(provider: CryptoProvider) -> None:
    cases = suite()
    assert len(cases) == 249
    wrong = []
    for case in cases:
        valid, why = outcome(case, provider)
        expected = case["should_validate"] or case["id"] in CRLS
        if case["id"] not in DSA and valid is not expected:
            wrong.append(f"{case['title']}: {'accepted' if valid else 'refused'}: {why[:300]}")
    assert wrong == []


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
