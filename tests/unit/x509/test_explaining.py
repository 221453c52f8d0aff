"""What is said about a refused chain: the facts of this very one, and what to do."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import lighttls
from lighttls.crypto.provider import CryptoProvider
from lighttls.errors import CertificateError, ChainReason, explain
from lighttls.x509 import TrustStore, VerificationRequest, VerifiedPath, verify_chain
from lighttls.x509.explaining import what_if
from lighttls.x509.path import SIGNATURES
from support import certificates as kit
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


def test_what_would_have_worked_is_asked_a_few_times_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many roots a hostile chain carries."""
    asked = []
    real = what_if.with_store
    monkeypatch.setattr(what_if, "with_store", lambda *question: asked.append(question) or real(*question))
    roots = [kit.root(f"Stranger {number}") for number in range(12)]
    late = refused.middle(**refused.EXPIRED)
    case = Refused("many roots", ChainReason.EXPIRED, (refused.LEAF, late, *roots), ())
    assert "Nothing that the server sent leads anywhere else" in explain(refusal(case))
    assert len(asked) == what_if.TRIALS


def test_explanation_costs_no_more_signatures_than_a_verdict_may(provider: CryptoProvider) -> None:
    """Sixty strangers with the name of the issuer, each a root to try."""
    verified = []

    class Counting:
        def __getattr__(self, name: str) -> object:
            return getattr(provider, name)

        def verify(self, *arguments: object) -> None:
            verified.append(arguments)
            provider.verify(*arguments)  # type: ignore[arg-type]

    strangers = [kit.make("Middle", kit.ec_key(f"Stranger {number}"), extensions=kit.ca()) for number in range(60)]
    case = Refused("many", ChainReason.EXPIRED, (refused.LEAF, *strangers, refused.middle(**refused.EXPIRED)), ())
    error = refusal(case, Counting())  # type: ignore[arg-type]
    assert error.reason is ChainReason.EXPIRED
    verified.clear()
    explain(error)
    assert 4 < len(verified) <= SIGNATURES


def test_nothing_is_explained_before_somebody_asks() -> None:
    """A refused handshake costs a device no more than it must."""
    chain, root = ([made.der for made in made_of] for made_of in ((refused.LEAF,), (refused.ROOT,)))
    program = f"""
import sys
from lighttls.errors import CertificateError, ChainReason, explain
from lighttls.x509 import TrustStore, verify_chain
try:
    verify_chain({chain}, TrustStore.from_der({root[0]}), server_hostname="host.example", at={kit.NOW})
except CertificateError as error:
    before = "lighttls.x509.explaining" in sys.modules
    explain(error)
    print(before, "lighttls.x509.explaining" in sys.modules)
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(lighttls.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "False True\n"


def test_hint_of_an_application_stands_as_it_is() -> None:
    class Refuser:
        def verify(self, request: VerificationRequest) -> VerifiedPath:
            raise CertificateError("not one of ours", ChainReason.UNKNOWN_ISSUER, hint="Call the plant.")

    case = Refused("own", ChainReason.UNKNOWN_ISSUER, (refused.LEAF,), (), settings={"verifier": Refuser()})
    assert explain(refusal(case)) == "Not one of ours. Call the plant."


class Distrustful:
    def verify(self, request: VerificationRequest) -> VerifiedPath:
        raise ValueError("the moon is not full")


@pytest.mark.parametrize(
    ("chain", "by_itself"),
    [
        ((refused.LEAF, refused.MIDDLE), "Without it lighttls finds a good path and the right name."),
        ((refused.LEAF,), "Without it lighttls would refuse it too: leaf 'CN=server': its issuer 'CN=Middle' is not"),
    ],
)
def test_word_of_the_own_verifier_is_held_against_our_own(chain: tuple[kit.Made, ...], by_itself: str) -> None:
    case = Refused("own", ChainReason.REFUSED_BY_VERIFIER, chain, (), settings={"verifier": Distrustful()})
    words = explain(refusal(case))
    assert "ValueError: the moon is not full. The word of Distrustful, the application's own verifier, counts" in words
    assert by_itself in words


def test_other_refusals_of_the_own_verifier_have_the_standing_explanation() -> None:
    class Refuser:
        def verify(self, request: VerificationRequest) -> VerifiedPath:
            raise CertificateError("not today", ChainReason.EXPIRED)

    case = Refused("own", ChainReason.EXPIRED, (refused.LEAF,), (), settings={"verifier": Refuser()})
    assert explain(refusal(case)) == f"Not today. {ChainReason.EXPIRED.explanation}"


def test_missing_issuer_is_told_as_data() -> None:
    case = next(case for case in refused.CASES if case.what == "intermediate")
    attempt = refusal(case).context["attempt"]
    missing = attempt.missing_issuer
    assert (missing.subject, missing.subject_text) == (refused.MIDDLE.subject, "CN=Middle")
    assert (missing.key_identifier, missing.urls) == (b"\xab" * 20, ("http://ca.example/middle.der",))
    other = next(case for case in refused.CASES if case.reason is ChainReason.EXPIRED)
    assert refusal(other).context["attempt"].missing_issuer is None


def test_extension_that_cannot_be_read_is_named() -> None:
    broken = [*kit.host("host.example"), (kit.AUTHORITY_INFO_ACCESS, False, b"\x04\x00")]
    case = Refused("aia", ChainReason.MALFORMED, (kit.server(refused.MIDDLE, extensions=broken), refused.MIDDLE), ())
    assert "The extension authorityInfoAccess of 'server' cannot be read" in explain(refusal(case))


def test_anchor_that_is_a_name_and_a_key_has_the_standing_explanation() -> None:
    small = kit.make("Root", kit.rsa_key("small anchor", 1024), extensions=kit.ca())
    trust = TrustStore.empty()
    trust.add_anchor(small.subject, small.key.spki)
    with pytest.raises(CertificateError) as caught:
        verify_chain([kit.server(small).der], trust, server_hostname="host.example", at=kit.NOW)
    assert explain(caught.value).endswith(ChainReason.WEAK_KEY.explanation)


def test_empty_store_is_told_from_one_that_lacks_a_root() -> None:
    case = Refused("empty", ChainReason.UNKNOWN_ISSUER, (refused.LEAF, refused.MIDDLE), (), anchors=())
    assert "The trust store is empty" in explain(refusal(case))


def test_unreadable_stranger_does_not_stop_an_explanation() -> None:
    with pytest.raises(CertificateError) as caught:
        verify_chain(
            [refused.LEAF.der, refused.middle(**refused.EXPIRED).der, b"garbage"],
            TrustStore.from_der(refused.ROOT.der),
            server_hostname="host.example",
            at=kit.NOW,
        )
    assert "still sends an intermediate" in explain(caught.value)
