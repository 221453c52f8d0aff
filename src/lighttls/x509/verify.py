"""The one question this room answers: is this chain good for this name, at this time?"""

from __future__ import annotations

from collections.abc import Iterable

from lighttls._typing import TYPE_CHECKING
from lighttls.crypto.provider import CryptoProvider
from lighttls.errors import CertificateError, ChainReason, ConfigurationError, UsageError
from lighttls.x509 import names
from lighttls.x509.certificate import PURPOSES, Certificate
from lighttls.x509.path import Search
from lighttls.x509.policy import VerifyPolicy, seconds
from lighttls.x509.trust_store import TrustStore
from lighttls.x509.verdict import Attempt, ChainVerifier, VerificationRequest, VerifiedPath, refusal

if TYPE_CHECKING:
    from datetime import datetime

_DEFAULT = VerifyPolicy()


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
) -> VerifiedPath:
    """Find a path from the first certificate of `chain` (DER, or parsed) to an anchor (RFC 5280 §6, 9525).

    The rest of `chain` is a set: order, duplicates and strangers do not matter. `at` is in seconds
    since 1970 UTC, or a datetime that knows its zone. `server_hostname` may be None only if the
    policy does not check it. `ocsp_response` and `sct_list` are for the policy's `verifier`, which is handed them
    as they are; nothing else looks into them.

    Raises:
        CertificateError: refused; `reason` is the most telling one, `context["attempts"]` has every
            path that was tried and what ended it.
        ConfigurationError: `server_hostname`, `at` or `purpose` is none.
        UsageError: there is no certificate or no name to check.
    """
    sent = tuple(chain)
    if not sent:
        raise UsageError("the chain is empty")
    certificates = tuple(each.der if isinstance(each, Certificate) else bytes(each) for each in sent)
    if purpose not in PURPOSES:
        raise ConfigurationError(f"purpose {purpose!r} is none of {', '.join(PURPOSES)}")
    now = seconds(at)
    reference = None
    if policy.check_hostname and not policy.insecure_skip_verify:
        if server_hostname is None:
            raise UsageError("no server_hostname to check; VerifyPolicy(check_hostname=False) does without")
        reference = names.reference_name(server_hostname)

    def judge() -> VerifiedPath:
        engine = _default_provider() if provider is None else provider
        leaf = sent[0] if isinstance(sent[0], Certificate) else Certificate.parse(certificates[0], engine)
        if policy.insecure_skip_verify:
            return VerifiedPath((leaf,), None, False)
        found = Search(trust, now, policy, purpose, engine).run(leaf, sent[1:])
        if reference is not None:
            try:
                names.match(reference, leaf)
            except CertificateError as error:
                raise refusal([Attempt(found.certificates, found.anchor, error.reason, 0, str(error))]) from error
        return found

    if policy.verifier is not None:
        request = VerificationRequest(certificates, server_hostname, now, purpose, judge, ocsp_response, sct_list)
        return _ask(policy.verifier, request)
    return judge()


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


def _default_provider() -> CryptoProvider:
    from lighttls.crypto import default_provider  # not before it is needed: it loads the C core

    return default_provider()
