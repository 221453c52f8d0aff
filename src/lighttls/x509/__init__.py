"""X.509 chain validation, a room of its own that knows nothing of TLS.

    path = verify_chain(chain, TrustStore.from_file("roots.pem"), server_hostname="example.com", at=time.time())

In: certificates as DER. Out: the verified path, or a CertificateError that names every path tried
and what ended it.
"""

from lighttls._typing import TYPE_CHECKING
from lighttls.x509.certificate import Certificate
from lighttls.x509.names import ReferenceName, reference_name
from lighttls.x509.pem import certificates as certificates_from_pem
from lighttls.x509.policy import SignaturePolicy, TimePolicy, VerifyPolicy, seconds
from lighttls.x509.public_key import PublicKey
from lighttls.x509.public_key import parse as parse_public_key
from lighttls.x509.question import Question
from lighttls.x509.raw_keys import check_raw_key
from lighttls.x509.signatures import signature_hash, signature_scheme
from lighttls.x509.trust_store import Anchor, AnchorFault, TrustStore
from lighttls.x509.verdict import Attempt, ChainVerifier, VerificationRequest, VerifiedPath
from lighttls.x509.verified_signatures import VerifiedSignatures
from lighttls.x509.verify import judge_chain, verify_chain

if TYPE_CHECKING:
    from lighttls.x509.crl import RevocationList
    from lighttls.x509.explaining import Constraint, MissingIssuer
    from lighttls.x509.revocation_policy import RevocationPolicy

__all__ = [
    "Anchor",
    "AnchorFault",
    "Attempt",
    "Certificate",
    "ChainVerifier",
    "Constraint",
    "MissingIssuer",
    "PublicKey",
    "Question",
    "ReferenceName",
    "RevocationList",
    "RevocationPolicy",
    "SignaturePolicy",
    "TimePolicy",
    "TrustStore",
    "VerificationRequest",
    "VerifiedPath",
    "VerifiedSignatures",
    "VerifyPolicy",
    "certificates_from_pem",
    "check_raw_key",
    "judge_chain",
    "parse_public_key",
    "reference_name",
    "seconds",
    "signature_hash",
    "signature_scheme",
    "verify_chain",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Load when it is first asked for what few devices use: CRLs, and what is said to people."""
        if name in ("Constraint", "MissingIssuer"):
            from lighttls.x509 import explaining

            globals().update(Constraint=explaining.Constraint, MissingIssuer=explaining.MissingIssuer)
        elif name in ("RevocationList", "RevocationPolicy"):
            from lighttls.x509 import crl, revocation_policy

            globals().update(RevocationList=crl.RevocationList, RevocationPolicy=revocation_policy.RevocationPolicy)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return globals()[name]
