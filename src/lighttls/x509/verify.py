"""The one question this room answers: is this chain good for this name, at this time?"""

from __future__ import annotations

from collections.abc import Iterable

from lighttls._typing import TYPE_CHECKING
from lighttls.crypto import CryptoProvider, default_provider
from lighttls.errors import CertificateError, ChainReason, ConfigurationError, UsageError
from lighttls.x509 import names
from lighttls.x509.certificate import PURPOSES, Certificate
from lighttls.x509.ordinary import ordinary_path
from lighttls.x509.path import Search
from lighttls.x509.policy import VerifyPolicy, seconds
from lighttls.x509.question import Question
from lighttls.x509.trust_store import TrustStore
from lighttls.x509.verdict import Attempt, ChainVerifier, VerificationRequest, VerifiedPath, refusal
from lighttls.x509.verified_signatures import Fact, VerifiedSignatures

if TYPE_CHECKING:
    from datetime import datetime

    from lighttls.x509.revocation import StatusCheck

_DEFAULT = VerifyPolicy()
_STATUS_REQUEST = 5  # IANA, TLS ExtensionType Values: status_request


def verify_chain(
    chain: Iterable[bytes | Certificate],
    trust: TrustStore,
    *,
    server_hostname: str | None,
    at: datetime | float,
    policy: VerifyPolicy = _DEFAULT,
    purpose: str = "server_auth",
    provider: CryptoProvider | None = None,
    ocsp_response: bytes | None = None,
    sct_list: bytes | None = None,
    unanswered: frozenset[int] = frozenset(),
    known_signatures: VerifiedSignatures | None = None,
) -> VerifiedPath:
    """Find a path from the first certificate of `chain` (DER, or parsed) to an anchor (RFC 5280 §6, 9525).

    The rest of `chain` is a set: order, duplicates and strangers do not matter. `at` is in seconds
    since 1970 UTC, or a datetime that knows its zone. `server_hostname` may be None only if the
    policy does not check it. `purpose` is what extendedKeyUsage must allow, "server_auth" or "client_auth", or "any"
    for whatever it allows. `ocsp_response` (DER), if there is one, must say that the leaf is good (RFC 6960); it and
    `sct_list`, which nothing here looks into, are handed to the policy's `verifier` as they are. `unanswered` are the
    numbers of TLS extensions that the peer was asked for and left out: its certificate may promise them (RFC 7633).
    Signatures in `known_signatures` are not verified again, and those of the path that is found are added to it;
    everything else is judged every time.

    Raises:
        CertificateError: refused; `reason` is the most telling one, `context["attempts"]` has every
            path that was tried and what ended it, and `explain` says what to do.
        ConfigurationError: `server_hostname`, `at` or `purpose` is none.
        UsageError: there is no certificate or no name to check.
    """
    sent = tuple(chain)
    if not sent:
        raise UsageError("the chain is empty")
    if purpose not in PURPOSES:
        raise ConfigurationError(f"purpose {purpose!r} is none of {', '.join(PURPOSES)}")
    now = seconds(at)
    reference = None
    if policy.check_hostname and not policy.insecure_skip_verify:
        if server_hostname is None:
            raise UsageError("no server_hostname to check; VerifyPolicy(check_hostname=False) does without")
        reference = names.reference_name(server_hostname)

    engine = default_provider() if provider is None else provider
    question = Question(sent, trust, reference, now, policy, purpose, engine)
    return judge_chain(question, server_hostname, ocsp_response, sct_list, unanswered, known_signatures)


def judge_chain(
    question: Question,
    server_hostname: str | None,
    ocsp_response: bytes | None,
    sct_list: bytes | None,
    unanswered: frozenset[int],
    known: VerifiedSignatures | None,
) -> VerifiedPath:
    """`verify_chain` for who has put the question."""
    try:
        verifier = question.policy.verifier
        if verifier is None:
            return _judge(question, ocsp_response, unanswered, known)
        request = VerificationRequest(
            tuple(each.der if isinstance(each, Certificate) else bytes(each) for each in question.chain),
            server_hostname,
            question.at,
            question.purpose,
            lambda: _judge(question, ocsp_response, unanswered, known),
            ocsp_response,
            sct_list,
        )
        return _ask(verifier, request)
    except CertificateError as error:
        error.context.setdefault("question", question)
        raise


def _judge(
    question: Question, ocsp_response: bytes | None, unanswered: frozenset[int], known: VerifiedSignatures | None
) -> VerifiedPath:
    """Our own verdict: a path, the name, and what the peer had to show besides."""
    first, *others = question.chain
    policy, engine, at = question.policy, question.provider, question.at
    leaf = first if isinstance(first, Certificate) else Certificate.parse(bytes(first), engine)
    if policy.insecure_skip_verify:
        return VerifiedPath((leaf,), None, False)
    found = None
    status = None
    checked: dict[Fact, bool] = {}
    if policy.revocation is None:
        found = ordinary_path(leaf, others, question.trust, at, policy, question.purpose, engine, known, checked)
    else:
        from lighttls.x509.revocation import StatusCheck  # late, since few owners give CRLs

        status = StatusCheck(policy, policy.revocation, at, engine, ocsp_response is not None, known)
    ordinary = found is not None
    if found is None:
        search = Search(question.trust, at, policy, question.purpose, engine, known, status, checked)
        found = search.run(leaf, others)
    try:
        if question.reference is not None:
            names.match(question.reference, leaf)
        if ocsp_response is not None or not ordinary:  # an ordinary certificate promises no features
            _judge_status(found, ocsp_response, unanswered, at, policy, engine, status)
    except CertificateError as error:
        raise refusal([Attempt(found.certificates, found.anchor, error.reason, 0, str(error))]) from error
    return found


def _judge_status(
    path: VerifiedPath,
    ocsp_response: bytes | None,
    unanswered: frozenset[int],
    at: int,
    policy: VerifyPolicy,
    provider: CryptoProvider,
    status: StatusCheck | None,
) -> None:
    """What the peer had to show besides its chain. Features that nobody asked for are not enforced (OCSP-17)."""
    if ocsp_response is not None:  # OCSP-09 to OCSP-14, CERT-19
        from lighttls.x509 import ocsp  # late, since few servers staple

        ocsp.check(ocsp_response, path, at, policy.time, provider, status)
    elif policy.revocation is not None and policy.revocation.ocsp == "require":
        raise CertificateError("no OCSP response is stapled, and the policy requires one", ChainReason.BAD_STATUS)
    missing = path.leaf.tls_features & unanswered
    if _STATUS_REQUEST in missing:  # OCSP-15
        raise CertificateError("no OCSP response is stapled, and the certificate promises one", ChainReason.BAD_STATUS)
    if missing:  # OCSP-16
        raise CertificateError(
            f"the server left out the TLS extensions {sorted(missing)}, which its certificate promises",
            ChainReason.MISSING_FEATURE,
        )


def _ask(verifier: ChainVerifier, request: VerificationRequest) -> VerifiedPath:
    """The application's verdict (CERT-23). Whatever it does besides returning a path is a refusal."""
    try:
        path = verifier.verify(request)
    except CertificateError:
        raise
    except Exception as cause:
        raise CertificateError(
            f"the application's verifier failed: {type(cause).__name__}: {cause}", ChainReason.REFUSED_BY_VERIFIER
        ) from cause
    if not isinstance(path, VerifiedPath):
        raise CertificateError(
            f"the application's verifier returned {type(path).__name__}, expected a VerifiedPath",
            ChainReason.REFUSED_BY_VERIFIER,
        )
    return path
