"""The verdict about the server's chain, on the wire: each reason with its alert (CERT)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes

from hostile import certificates as pki
from hostile import wire
from hostile.cases import Refused, Tolerated, both_splits, check_alive, client, lenient
from hostile.certificates import Credential
from hostile.link import drive
from hostile.server import Server
from lighttls import VerifyPolicy, errors
from lighttls.iana import Alert


def with_sha1() -> Credential:
    return pki.reissue(pki.leaf(), algorithm=pki.ECDSA_SHA1, digest=hashes.SHA1())


class Verifier:
    """An application's verifier that answers as a test says."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def verify(self, request: object) -> object:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def asking(answer: object) -> dict[str, object]:
    return {"verify": VerifyPolicy(verifier=Verifier(answer))}


def refusal(alert: Alert | None = None) -> errors.CertificateError:
    return errors.CertificateError("not one of ours", errors.ChainReason.REFUSED_BY_VERIFIER, alert=alert)


REFUSED = [
    Refused("CERT-16", "leaf signed with sha-1", wire.BAD_CERTIFICATE, leaf=with_sha1),
    Refused(
        "CERT-16",
        "leaf signed with md5",
        wire.BAD_CERTIFICATE,
        leaf=lambda: pki.reissue(pki.leaf(), algorithm=pki.MD5_RSA),
    ),
    Refused(
        "CERT-16",
        "md5 where sha-1 is allowed",
        wire.BAD_CERTIFICATE,
        leaf=lambda: pki.reissue(pki.leaf(), algorithm=pki.MD5_RSA),
        settings=lenient(sha1=True),
    ),
    Refused("CERT-21", "unknown critical extension", wire.UNSUPPORTED_CERTIFICATE, leaf=lambda: pki.leaf(unknown=True)),
    Refused("CERT-21", "signed by a leaf", wire.BAD_CERTIFICATE, leaf=pki.under_a_leaf),
    Refused("CERT-21", "one authority too many", wire.BAD_CERTIFICATE, settings={"verify": VerifyPolicy(max_depth=0)}),
    Refused(
        "CERT-22", "pin not in the path", wire.BAD_CERTIFICATE, settings={"verify": VerifyPolicy(pins=[bytes(32)])}
    ),
    Refused("CERT-23", "verifier refuses", wire.CERTIFICATE_UNKNOWN, settings=asking(refusal())),
    Refused(
        "CERT-23",
        "verifier chooses its alert",
        wire.ACCESS_DENIED,
        error=errors.CertificateError,
        settings=asking(refusal(Alert.ACCESS_DENIED)),
    ),
    Refused("CERT-23", "verifier says nothing", wire.CERTIFICATE_UNKNOWN, settings=asking(None)),
    Refused("CERT-23", "verifier breaks", wire.CERTIFICATE_UNKNOWN, settings=asking(ZeroDivisionError())),
]

TOLERATED = [
    Tolerated("CERT-16", "sha-1 below an anchor that allows it", leaf=with_sha1, settings=lenient(sha1=True)),
    Tolerated("CERT-21", "unknown extension, not critical", leaf=lambda: pki.leaf(unknown=False)),
]


@both_splits
@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_chain_is_refused(case, provider, split):
    case.check(provider, split)


@both_splits
@pytest.mark.parametrize("case", TOLERATED, ids=str)
def test_odd_chain_is_borne(case, provider, split):
    case.check(provider, split)


def test_end_point_binding_needs_a_signature_algorithm_with_a_hash(provider):
    """EXP-05: Ed25519 has none (RFC 5929 §4.1); only an unverified chain can bring it here."""
    leaf = pki.reissue(pki.leaf(), algorithm=pki.ED25519)
    link = drive(client(provider, verify=VerifyPolicy(insecure_skip_verify=True)), Server(leaf))
    check_alive(link)
    with pytest.raises(errors.UsageError, match="not defined for the signature algorithm"):
        link.client.channel_binding("tls-server-end-point")
