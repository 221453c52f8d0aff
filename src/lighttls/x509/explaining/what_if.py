"""What would have worked: the same question asked again with one thing changed, for explanations only.

Nothing here decides anything. The questions share the budgets of one verdict, so that an explanation costs no more than
the refusal did.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lighttls._typing import Final
from lighttls.crypto import CryptoProvider
from lighttls.errors import CertificateError, ChainReason, ConfigurationError
from lighttls.x509 import names
from lighttls.x509.certificate import Certificate
from lighttls.x509.path import Search
from lighttls.x509.policy import SignaturePolicy, VerifyPolicy
from lighttls.x509.question import Question
from lighttls.x509.trust_store import Anchor, TrustStore
from lighttls.x509.verdict import Attempt

TRIALS: Final = 4  # questions asked again for one explanation
ANCHORS_LOOKED_AT: Final = 1000  # the largest public stores have a few hundred


def sent(question: Question) -> list[Certificate]:
    """The certificates of the chain that can be read, in the order given."""
    readable = []
    for each in question.chain:
        try:
            readable.append(each if isinstance(each, Certificate) else Certificate.parse(bytes(each)))
        except CertificateError:
            continue
    return readable


class _Trial(Search):
    """A search with its share of the budgets."""

    def __init__(
        self, trust: TrustStore, at: int, policy: VerifyPolicy, purpose: str, provider: CryptoProvider
    ) -> None:
        super().__init__(trust, at, policy, purpose, provider)
        self._signatures_left //= TRIALS
        self._candidates_left //= TRIALS
        self._steps_left //= TRIALS


def with_store(question: Question, trust: TrustStore) -> CertificateError | None:
    """What refuses the chain if only `trust` is trusted; None if a path and the name are good then."""
    leaf, *others = question.chain
    provider = question.provider
    try:
        leaf = leaf if isinstance(leaf, Certificate) else Certificate.parse(bytes(leaf), provider)
        _Trial(trust, question.at, question.policy, question.purpose, provider).run(leaf, others)
        if question.reference is not None:
            names.match(question.reference, leaf)
    except CertificateError as error:
        return error
    return None


def with_anchor(question: Question, certificate: Certificate) -> CertificateError | None:
    """What refuses the chain if `certificate` is the one anchor."""
    try:
        trust = TrustStore.from_der(certificate.der)
    except ConfigurationError as error:  # its name cannot be read
        return CertificateError(str(error), ChainReason.MALFORMED)
    return with_store(question, trust)


def with_name_and_key(question: Question, certificate: Certificate) -> CertificateError | None:
    """What refuses the chain if the name and key of `certificate` are the one anchor, whatever its dates."""
    anchor = Anchor(certificate.subject, certificate.spki, b"", None, SignaturePolicy())
    return with_store(question, TrustStore.of(anchor))


def with_leniency(question: Question, anchor: Anchor, allow: SignaturePolicy) -> CertificateError | None:
    """What refuses the chain if below `anchor`, the only one, that much is allowed."""
    key = b"" if anchor.der else anchor.spki
    return with_store(question, TrustStore.of(Anchor(anchor.subject, key, anchor.der, anchor.label or None, allow)))


def anchor_that_would_do(question: Question, attempts: Sequence[Attempt]) -> Certificate | None:
    """A root that the peer sent, or a cross certificate of one, from which a path to the leaf is good.

    Those that stand highest are tried first. What issued the leaf itself is none of them unless it is self-signed: it
    would do as well, but nobody should be told to trust an intermediate.
    """
    height: dict[bytes, int] = {}
    for attempt in attempts:
        for depth, certificate in enumerate(attempt.certificates):
            height[certificate.der] = max(depth, height.get(certificate.der, 0))
    roots = {
        each.der: each
        for each in sent(question)[1:]
        if _could_be_anchor(each, question.at) and (height.get(each.der, 0) > 1 or each.self_issued)
    }
    highest_first = sorted(roots.values(), key=lambda each: -height.get(each.der, 0))
    for certificate in highest_first[:TRIALS]:
        if with_anchor(question, certificate) is None:
            return certificate
    return None


def anchors_by_key(question: Question, key_identifier: bytes) -> Iterator[Anchor]:
    """Anchors with this subjectKeyIdentifier, whatever their name."""
    for _, anchor in zip(range(ANCHORS_LOOKED_AT), question.trust, strict=False):
        try:
            certificate = anchor.certificate
            if certificate is not None and certificate.subject_key_identifier == key_identifier:
                yield anchor
        except CertificateError:
            continue


def _could_be_anchor(certificate: Certificate, at: int) -> bool:
    try:
        return certificate.is_ca and certificate.not_before <= at <= certificate.not_after
    except CertificateError:
        return False
