"""CertificateRequest: which certificate, and with which scheme to sign (RFC 5246 §7.4.4)."""

from __future__ import annotations

from lighttls.handshake.output import Output
from lighttls.handshake.states import ClientAuth, WaitRequestOrDone, WaitServerHelloDone
from lighttls.iana import ClientCertificateType, SignatureScheme
from lighttls.identity import Identity
from lighttls.messages import CertificateRequest

_TYPE_OF_KEY = {"rsa": ClientCertificateType.RSA_SIGN, "ec": ClientCertificateType.ECDSA_SIGN}


def on_certificate_request(out: Output, state: WaitRequestOrDone, msg: CertificateRequest) -> WaitServerHelloDone:
    """Choose; if nothing fits we go on with an empty list and let the server decide (CR-09, CAUTH-01).

    Unknown types and schemes are skipped (CR-06); the CA names are handed on raw (CR-08) and do not filter a
    single identity, since servers list too little (CAUTH-08).
    """
    identity = state.agreed.offer.client.config.identity
    scheme = None if identity is None else _choose_scheme(identity, msg)
    auth = ClientAuth(
        certificate_types=tuple(msg.certificate_types),
        ca_names=msg.certificate_authorities,
        identity=identity if scheme is not None else None,
        scheme=scheme,
    )
    return WaitServerHelloDone(state.agreed, state.peer, state.exchange, auth)


def _choose_scheme(identity: Identity, msg: CertificateRequest) -> SignatureScheme | None:
    if _TYPE_OF_KEY[identity.leaf.public_key.kind] not in msg.certificate_types:  # CAUTH-05
        return None
    offered = msg.supported_signature_algorithms
    return next((scheme for scheme in identity.signature_schemes if scheme in offered), None)  # CAUTH-06
