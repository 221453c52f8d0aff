"""What a verdict was about. A refusal keeps it, so that it can be explained when somebody asks, and not before."""

from __future__ import annotations

from lighttls._struct import struct
from lighttls._typing import TYPE_CHECKING
from lighttls.x509.certificate import Certificate
from lighttls.x509.names import ReferenceName
from lighttls.x509.policy import VerifyPolicy
from lighttls.x509.trust_store import TrustStore

if TYPE_CHECKING:
    from lighttls.crypto.provider import CryptoProvider
    from lighttls.errors import CertificateError


@struct
class Question:
    """Is this chain good for this name, at this time, under this policy?"""

    chain: tuple[bytes | Certificate, ...]
    """As it was given, leaf first."""
    trust: TrustStore
    reference: ReferenceName | None
    """The name that the leaf must have; None if no name was checked."""
    at: int
    """Seconds since 1970 UTC."""
    policy: VerifyPolicy
    purpose: str
    provider: CryptoProvider

    def advice(self, error: CertificateError) -> str:
        """What most likely happened and what to do, for the chain that `error` refused."""
        from lighttls.x509 import explaining  # late: a handshake has no use for it

        return explaining.advice(error, self)
