"""`cryptography`'s own verifier, written in Rust: cryptography.x509.verification."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address

import cryptography
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from support.judges import Question, Verdict

REFUSALS = (
    VerificationError,
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
)
"""All but the first come of certificates that it cannot read."""


def judge(question: Question) -> Verdict | None:
    """It has no server verdict without a name, and no CRLs."""
    if question.crls or (question.server and question.name is None):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        try:
            builder = PolicyBuilder().store(Store([x509.load_der_x509_certificate(der) for der in question.anchors]))
            builder = builder.time(datetime.fromtimestamp(question.at, UTC).replace(tzinfo=None))
            if question.depth is not None:
                builder = builder.max_chain_depth(question.depth)
            leaf, *others = map(x509.load_der_x509_certificate, (question.leaf, *question.others))
            if question.server and question.name:
                kind, text = question.name
                subject = x509.DNSName(text) if kind == "DNS" else x509.IPAddress(ip_address(text))
                builder.build_server_verifier(subject).verify(leaf, others)
            else:
                builder.build_client_verifier().verify(leaf, others)
        except REFUSALS as error:
            return Verdict(False, str(error))
    return Verdict(True, "")


class Pyca:
    name = "cryptography"

    def version(self) -> str:
        return cryptography.__version__

    def missing(self) -> str:
        return ""

    def verdicts(self, questions: Sequence[Question]) -> list[Verdict | None]:
        return [judge(question) for question in questions]
