"""Signatures that have verified are not verified again, and nothing else is skipped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from lighttls.crypto.provider import CryptoProvider
from lighttls.errors import CertificateError, ChainReason
from lighttls.x509 import SignaturePolicy, TrustStore, VerifiedPath, VerifiedSignatures, verify_chain
from lighttls.x509 import verified_signatures as module
from support import certificates as kit
from support.certificates import Made

ROOT = kit.root("Root")
MIDDLE = kit.authority("Middle", ROOT)
LEAF = kit.server(MIDDLE)
SHA1_MIDDLE = kit.authority("Old Middle", ROOT, hash_name="sha1")
SHA1_LEAF = kit.server(SHA1_MIDDLE)


class Counting:
    """An engine that counts the signatures it verifies."""

    def __init__(self, provider: CryptoProvider) -> None:
        self._provider = provider
        self.count = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)

    def verify(self, *given: Any) -> None:
        self.count += 1
        self._provider.verify(*given)


@pytest.fixture
def engine(provider: CryptoProvider) -> Any:
    return Counting(provider)


def verify(
    engine: Any, known: VerifiedSignatures | None, chain: Sequence[Made], anchor: Made = ROOT, **given: Any
) -> VerifiedPath:
    trust = TrustStore.empty()
    trust.add(anchor.der, allow=given.pop("allow", None))
    return verify_chain(
        [made.der for made in chain],
        trust,
        **{"server_hostname": "host.example", "at": kit.NOW, **given},
        provider=engine,
        known_signatures=known,
    )


def refusal(*given: Any, **named: Any) -> ChainReason:
    with pytest.raises(CertificateError) as caught:
        verify(*given, **named)
    return caught.value.reason


def test_known_chain_costs_no_signature_and_known_intermediate_one(engine: Any) -> None:
    known = VerifiedSignatures()
    for made, expected in (
        ([LEAF, MIDDLE], 2),
        ([LEAF, MIDDLE], 2),
        ([kit.server(MIDDLE, serial=b"\2\1\2"), MIDDLE], 3),
    ):
        verify(engine, known, made)
        assert engine.count == expected


def test_without_a_memory_each_is_verified(engine: Any) -> None:
    for expected in (2, 4):
        verify(engine, None, [LEAF, MIDDLE])
        assert engine.count == expected


def test_signature_known_from_an_anchor_that_permits_sha1_is_refused_under_another(engine: Any) -> None:
    known = VerifiedSignatures()
    verify(engine, known, [SHA1_LEAF, SHA1_MIDDLE], allow=SignaturePolicy(sha1=True))
    verify(engine, known, [SHA1_LEAF, SHA1_MIDDLE], allow=SignaturePolicy(sha1=True))
    assert engine.count == 2
    assert refusal(engine, known, [SHA1_LEAF, SHA1_MIDDLE]) is ChainReason.WEAK_SIGNATURE
    stranger = kit.make("Root", kit.ec_key("another key"), extensions=kit.ca())
    reason = refusal(engine, known, [SHA1_LEAF, SHA1_MIDDLE], stranger, allow=SignaturePolicy(sha1=True))
    assert reason is ChainReason.BAD_SIGNATURE


def test_known_chain_is_judged_by_date_host_and_anchor_all_the_same(engine: Any) -> None:
    known = VerifiedSignatures()
    verify(engine, known, [LEAF, MIDDLE])
    assert refusal(engine, known, [LEAF, MIDDLE], at=kit.NOW + 9 * kit.DAY) is ChainReason.EXPIRED
    assert refusal(engine, known, [LEAF, MIDDLE], server_hostname="other.example") is ChainReason.NAME_MISMATCH
    assert refusal(engine, known, [LEAF, MIDDLE], kit.root("Another")) is ChainReason.UNKNOWN_ISSUER
    assert engine.count == 2


def test_wrong_signature_is_verified_every_time(engine: Any) -> None:
    known = VerifiedSignatures()
    forged = kit.server(MIDDLE, signature=LEAF.der[-70:-1] + bytes([LEAF.der[-1] ^ 1]))
    for expected in (1, 2):
        assert refusal(engine, known, [forged, MIDDLE]) is ChainReason.BAD_SIGNATURE
        assert engine.count == expected


def test_signatures_of_a_path_without_an_anchor_are_not_kept(engine: Any) -> None:
    """A stranger could fill the memory with them."""
    known = VerifiedSignatures()
    rogue = kit.root("Rogue")
    for expected in (1, 2):
        assert refusal(engine, known, [kit.server(rogue), rogue]) is ChainReason.SELF_SIGNED
        assert engine.count == expected


def test_number_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    known = VerifiedSignatures()
    a, b, c, d = ((b"key", der) for der in (b"a", b"b", b"c", b"d"))
    known.keep([a, b, c])
    known.keep([c])
    assert [fact in known for fact in (a, b, c)] == [True] * 3
    known.keep([d])
    assert [fact in known for fact in (a, b, c, d)] == [False, False, False, True]


def test_signature_known_under_one_key_is_verified_under_another_of_the_same_name(engine: Any) -> None:
    known = VerifiedSignatures()
    verify(engine, known, [LEAF, MIDDLE])
    reason = refusal(engine, known, [LEAF, MIDDLE], kit.make("Root", kit.ec_key("another key"), extensions=kit.ca()))
    assert reason is ChainReason.BAD_SIGNATURE
    assert engine.count == 3


def test_another_signature_on_a_known_certificate_is_verified(engine: Any) -> None:
    known = VerifiedSignatures()
    verify(engine, known, [LEAF, MIDDLE])
    changed = kit.server(MIDDLE, signature=LEAF.der[-70:-1] + bytes([LEAF.der[-1] ^ 1]))
    assert refusal(engine, known, [changed, MIDDLE]) is ChainReason.BAD_SIGNATURE
    assert engine.count == 3


def test_signature_of_an_anchor_that_is_the_leaf_is_neither_verified_nor_known(engine: Any) -> None:
    known = VerifiedSignatures()
    alone = kit.server(ROOT)
    verify(engine, known, [alone], alone)
    assert engine.count == 0
    verify(engine, known, [alone])
    assert engine.count == 1
