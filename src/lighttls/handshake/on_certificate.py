"""The server's Certificate: does its leaf fit what was agreed, and does a path lead to an anchor? (RFC 5246 §7.4.2)"""

from __future__ import annotations

from lighttls.errors import CertificateError, ChainReason, DecodeError, IllegalParameter
from lighttls.handshake.known_certificates import KnownCertificates
from lighttls.handshake.output import Output
from lighttls.handshake.states import (
    Agreed,
    PeerVerified,
    WaitCertificate,
    WaitCertificateStatus,
    WaitServerKeyExchange,
)
from lighttls.iana import ExtensionType
from lighttls.messages import Certificate as CertificateMessage
from lighttls.x509 import Certificate, PublicKey, Question, judge_chain, seconds

_MAX_CERTIFICATES = 16  # CERT-05


def on_certificate(
    out: Output, state: WaitCertificate, msg: CertificateMessage
) -> WaitServerKeyExchange | WaitCertificateStatus:
    """1. Bounds of the list. 2. The leaf fits suite and groups. 3. A path to an anchor that names the host.

    3. waits for the OCSP response if one was announced: a verifier is to see both.
    """
    # 1.
    chain = msg.certificate_list
    if not chain:  # CERT-02
        raise DecodeError("the server sent an empty certificate list")
    if len(chain) > _MAX_CERTIFICATES:
        raise CertificateError(
            f"the server sent {len(chain)} certificates, at most 16 are taken", ChainReason.LIMIT_EXCEEDED
        )
    # 2.
    leaf = _leaf(KnownCertificates.of(state.agreed.offer.client.config), chain[0])
    judge_key(state.agreed, leaf.public_key, "the server's certificate")
    if not leaf.allows_digital_signature:  # CERT-12
        raise CertificateError(
            "the server's certificate does not allow digital signatures, which ECDHE needs", ChainReason.KEY_USAGE
        )
    # 3.
    if state.agreed.terms.status_announced:
        return WaitCertificateStatus(state.agreed, chain, leaf)
    return WaitServerKeyExchange(state.agreed, verified_peer(state.agreed, chain, leaf, None))


def _leaf(known: KnownCertificates, der: bytes) -> Certificate:
    """Parse the leaf, its key included, which is read on first use (CERT-06)."""
    try:
        leaf = known.parse(der)
        _ = leaf.public_key
    except CertificateError as cause:
        raise DecodeError(f"the server's certificate cannot be read: {cause}", hint=cause.hint) from cause
    return leaf


def judge_key(agreed: Agreed, key: PublicKey, whose: str) -> None:
    """Whether the server's key fits the suite and the curves that we offered."""
    if key.kind != agreed.suite.key_type:  # CERT-07 to CERT-09
        raise IllegalParameter(
            f"{whose} has a key of kind {key.kind}, "
            f"but the suite {agreed.suite.code.name} needs {agreed.suite.key_type}"
        )
    if key.kind == "ec" and key.curve not in agreed.offer.client.config.groups:  # CERT-10
        raise IllegalParameter(f"{whose} has a key on a curve that we did not offer")
    if key.kind == "ec" and not key.uncompressed:  # CERT-11; whether it is on the curve shows when it is used
        raise IllegalParameter(f"{whose} has a key that is no uncompressed point of its curve")


def verified_peer(
    agreed: Agreed, chain: tuple[bytes, ...], leaf: Certificate, ocsp_response: bytes | None
) -> PeerVerified:
    """The verdict on the chain."""
    client = agreed.offer.client
    known = KnownCertificates.of(client.config)
    unanswered = agreed.terms.unanswered
    if agreed.terms.status_announced and ocsp_response is None:  # a status that was announced and left out is none
        unanswered |= {ExtensionType.STATUS_REQUEST}
    policy = client.config.verify
    question = Question(
        (leaf, *known.look_up(chain[1:])),
        client.config.trust,
        client.server if policy.check_hostname and not policy.insecure_skip_verify else None,
        seconds(client.config.now()),
        policy,
        "server_auth",
        client.provider,
    )
    path = judge_chain(question, client.server.text, ocsp_response, agreed.terms.sct_list, unanswered, known.signatures)
    if policy.verifier is None:  # an own verifier's path is not known to be verified
        known.keep(path)
    return PeerVerified(known.share(chain), leaf, path, ocsp_response)
