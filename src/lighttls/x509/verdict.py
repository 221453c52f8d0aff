"""What comes out: a verified path, or every path that was tried and what ended it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lighttls._struct import struct
from lighttls._typing import TYPE_CHECKING, Final, Protocol
from lighttls.errors import CertificateError, ChainReason
from lighttls.x509.certificate import Certificate
from lighttls.x509.trust_store import Anchor

if TYPE_CHECKING:
    from lighttls.x509.explaining import Constraint, MissingIssuer


@struct
class VerifiedPath:
    """A chain that was accepted."""

    certificates: tuple[Certificate, ...]
    """Leaf first, without the anchor; just the leaf if nothing was verified."""
    anchor: Anchor | None
    """Where the path ends. None only after `insecure_skip_verify`, or if the own verifier has none."""
    time_checked: bool
    """Dates were compared with a time. If False the verdict must be repeated when the time is known."""

    @property
    def leaf(self) -> Certificate:
        """The certificate of the peer itself."""
        return self.certificates[0]

    @property
    def constraints(self) -> list[Constraint]:
        """What narrowed the path and was met; worked out when it is asked for."""
        from lighttls.x509.explaining import constraints_met  # late: a handshake has no use for it

        return constraints_met(self)


class VerificationRequest:
    """What a `ChainVerifier` is asked: is this chain good for this host at this time?"""

    __slots__ = ("_judge", "at", "chain", "ocsp_response", "purpose", "sct_list", "server_hostname")

    chain: tuple[bytes, ...]
    """DER, leaf first, as the peer sent it."""
    server_hostname: str | None
    at: int
    """Seconds since 1970 UTC."""
    purpose: str
    ocsp_response: bytes | None
    """DER, as the peer stapled it; only `verify` looks into it."""
    sct_list: bytes | None
    """SignedCertificateTimestampList (RFC 6962 §3.3), as the peer sent it; nobody looks into it."""

    def __init__(
        self,
        chain: tuple[bytes, ...],
        server_hostname: str | None,
        at: int,
        purpose: str,
        judge: Callable[[], VerifiedPath],
        ocsp_response: bytes | None = None,
        sct_list: bytes | None = None,
    ) -> None:
        self.chain = chain
        self.server_hostname = server_hostname
        self.at = at
        self.purpose = purpose
        self._judge = judge
        self.ocsp_response = ocsp_response
        self.sct_list = sct_list

    def verify(self) -> VerifiedPath:
        """Our own verdict by the same policy, for verifiers that add to it."""
        return self._judge()


class ChainVerifier(Protocol):
    """The application's own judge of chains.

    With an attribute `policy_id`, bytes that stand for how it judges and change whenever that does, sessions are kept
    and resumed while it stays the same; without one, each connection is verified.
    """

    def verify(self, request: VerificationRequest) -> VerifiedPath:
        """Return the accepted path, or raise CertificateError, whose `alert` the peer will hear."""


@struct
class Attempt:
    """One path that was tried, and what ended it."""

    certificates: tuple[Certificate, ...]
    """Leaf first, the last one is where the path ended; without the anchor."""
    anchor: Anchor | None
    """The anchor it reached, if it did."""
    reason: ChainReason
    depth: int
    """Index of the certificate at fault, leaf 0; the number of certificates if it is the anchor."""
    detail: str

    def __str__(self) -> str:
        steps = [str(certificate) for certificate in self.certificates]
        if self.anchor is not None:
            steps.append(str(self.anchor))
        return f"{' <- '.join(steps)}: {self.culprit}: {self.detail}"

    @property
    def reached_anchor(self) -> bool:
        """An anchor's key, and not just its name, continues the path."""
        return self.anchor is not None and self.reason is not ChainReason.BAD_SIGNATURE

    @property
    def missing_issuer(self) -> MissingIssuer | None:
        """The certificate to look for, if the path ended because nothing leads on."""
        from lighttls.x509.explaining import missing_issuer  # late: a handshake has no use for it

        return missing_issuer(self)

    @property
    def culprit(self) -> str:
        """Who is at fault, for people."""
        if self.depth == len(self.certificates):
            return f"anchor '{self.anchor}'"
        return f"{'intermediate' if self.depth else 'leaf'} '{self.certificates[self.depth]}'"


# From the most telling to the least: a fault that somebody can mend comes before one that only says
# that nothing was found. What ended a path that reached an anchor comes before all others.
_TELLING: Final = {
    reason: rank
    for rank, reason in enumerate(
        (
            ChainReason.REVOKED,
            ChainReason.CRL_EXPIRED,
            ChainReason.CRL_UNUSABLE,
            ChainReason.REVOCATION_UNKNOWN,
            ChainReason.WEAK_SIGNATURE,
            ChainReason.WEAK_KEY,
            ChainReason.EXPIRED,
            ChainReason.NOT_YET_VALID,
            ChainReason.NAME_CONSTRAINTS,
            ChainReason.CERTIFICATE_POLICY,
            ChainReason.MISSING_FEATURE,
            ChainReason.PIN_MISMATCH,
            ChainReason.PATH_TOO_LONG,
            ChainReason.EXTENDED_KEY_USAGE,
            ChainReason.KEY_USAGE,
            ChainReason.NOT_A_CA,
            ChainReason.PROFILE_VIOLATION,
            ChainReason.UNKNOWN_CRITICAL_EXTENSION,
            ChainReason.ALGORITHM_MISMATCH,
            ChainReason.UNSUPPORTED_ALGORITHM,
            ChainReason.MALFORMED,
            ChainReason.BAD_SIGNATURE,
            ChainReason.SELF_SIGNED,
            ChainReason.UNKNOWN_ISSUER,
        )
    )
}

_ATTEMPTS_IN_TEXT: Final = 3
_TEXT_LIMIT: Final = 2000  # characters: names in it are the peer's choice


def telling(attempt: Attempt) -> tuple[bool, int, int]:
    """A key that sorts attempts, the most telling first."""
    rank = _TELLING.get(attempt.reason, len(_TELLING))
    return not attempt.reached_anchor, rank, -len(attempt.certificates)


def refusal(attempts: Sequence[Attempt]) -> CertificateError:
    """The error for a chain of which no path was accepted: the most telling reason, and all attempts."""
    best = min(attempts, key=telling)
    if attempts[-1].reason is ChainReason.LIMIT_EXCEEDED:
        best = attempts[-1]  # the search is incomplete, so nothing else can be said for certain
    text = f"{best.culprit}: {best.detail}"
    others = [attempt for attempt in attempts if attempt is not best]
    if others:
        shown = "; ".join(str(attempt) for attempt in others[:_ATTEMPTS_IN_TEXT])
        more = len(others) - _ATTEMPTS_IN_TEXT
        text += f" (also tried: {shown}{f'; and {more} more' if more > 0 else ''})"
    return CertificateError(text[:_TEXT_LIMIT], best.reason, attempts=tuple(attempts), attempt=best, depth=best.depth)
