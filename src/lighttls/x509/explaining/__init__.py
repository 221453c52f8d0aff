"""What to do about a refused chain, with the facts of this very chain.

One function (in `paths`, `rules` or `status`) for each reason that knows more than its standing explanation in
`errors.py`. They look closer than the verdict had to, and some ask what would have worked (`what_if`): all of it only
when somebody asks for an explanation. Whatever a certificate says here is the peer's word: shown, with control
characters escaped, and never believed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lighttls._typing import Final
from lighttls.errors import CertificateError, ChainReason
from lighttls.x509 import names
from lighttls.x509.certificate import Certificate
from lighttls.x509.explaining import paths, rules, status, what_if
from lighttls.x509.explaining.case import Case
from lighttls.x509.explaining.met import Constraint, constraints_met
from lighttls.x509.explaining.paths import MissingIssuer, missing_issuer
from lighttls.x509.question import Question
from lighttls.x509.verdict import Attempt

__all__ = ["SPECIFIC", "Constraint", "MissingIssuer", "advice", "constraints_met", "missing_issuer"]


def advice(error: CertificateError, question: Question) -> str:
    """What most likely happened and what to do. Never raises because of what a certificate says."""
    standing = error.reason.explanation
    attempt = error.context.get("attempt")
    specific = SPECIFIC.get(error.reason)
    if attempt is None and error.reason is ChainReason.REFUSED_BY_VERIFIER:  # it need not say where
        attempt = Attempt(tuple(what_if.sent(question)), None, error.reason, 0, str(error))
    if attempt is None or specific is None:
        return standing
    try:
        return _misplaced(question) or specific(Case(question, attempt), error.context.get("attempts", ())) or standing
    except CertificateError:  # a part that the verdict had no need to read is malformed
        return standing


def _misplaced(question: Question) -> str:
    """A word about a chain whose first certificate is not the server's own, which TLS wants there."""
    everyone = what_if.sent(question)
    if question.reference is None or len(everyone) < 2 or _is_for(question, everyone[0]):
        return ""
    for number, certificate in enumerate(everyone[1:], 2):
        if _is_for(question, certificate):
            return (
                f"The server sends its certificates in the wrong order: the one for {question.reference.text} is "
                f"number {number} and must be the first."
            )
    return ""


def _is_for(question: Question, certificate: Certificate) -> bool:
    assert question.reference is not None
    try:
        names.match(question.reference, certificate)
    except CertificateError:
        return False
    return True


SPECIFIC: Final[dict[ChainReason, Callable[[Case, Sequence[Attempt]], str]]] = {
    ChainReason.UNKNOWN_ISSUER: paths.unknown_issuer,
    ChainReason.SELF_SIGNED: paths.self_signed,
    ChainReason.BAD_SIGNATURE: paths.bad_signature,
    ChainReason.EXPIRED: paths.expired,
    ChainReason.NOT_YET_VALID: paths.not_yet_valid,
    ChainReason.MALFORMED: rules.malformed,
    ChainReason.NAME_MISMATCH: rules.name_mismatch,
    ChainReason.NOT_A_CA: rules.not_a_ca,
    ChainReason.PATH_TOO_LONG: rules.path_too_long,
    ChainReason.KEY_USAGE: rules.key_usage,
    ChainReason.EXTENDED_KEY_USAGE: rules.extended_key_usage,
    ChainReason.NAME_CONSTRAINTS: rules.name_constraints,
    ChainReason.PROFILE_VIOLATION: rules.profile_violation,
    ChainReason.UNKNOWN_CRITICAL_EXTENSION: rules.unknown_critical,
    ChainReason.WEAK_SIGNATURE: rules.weak_signature,
    ChainReason.WEAK_KEY: rules.weak_key,
    ChainReason.ALGORITHM_MISMATCH: rules.algorithm_mismatch,
    ChainReason.UNSUPPORTED_ALGORITHM: rules.unsupported,
    ChainReason.CERTIFICATE_POLICY: rules.certificate_policy,
    ChainReason.REVOKED: status.revoked,
    ChainReason.BAD_STATUS: status.bad_status,
    ChainReason.REVOCATION_UNKNOWN: status.revocation_unknown,
    ChainReason.CRL_EXPIRED: status.crl_expired,
    ChainReason.CRL_UNUSABLE: status.crl_unusable,
    ChainReason.MISSING_FEATURE: rules.missing_feature,
    ChainReason.LIMIT_EXCEEDED: rules.limit_exceeded,
    ChainReason.PIN_MISMATCH: rules.pin_mismatch,
    ChainReason.REFUSED_BY_VERIFIER: rules.refused_by_verifier,
}
"""Each gives its advice, or nothing where it has none to add; its docstring says what it adds (docs/x509.md)."""
