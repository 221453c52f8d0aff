"""CertificateRequest: which certificate, and with which scheme to sign (RFC 5246 §7.4.4)."""

from __future__ import annotations

from lighttls.errors import ConfigurationError
from lighttls.handshake.output import Output
from lighttls.handshake.states import ClientAuth, WaitRequestOrDone, WaitServerHelloDone
from lighttls.identity import Identity, IdentityRequest, IdentitySelector
from lighttls.messages import CertificateRequest


def on_certificate_request(out: Output, state: WaitRequestOrDone, msg: CertificateRequest) -> WaitServerHelloDone:
    """Choose; if nothing fits we go on with an empty list and let the server decide (CR-09, CAUTH-01).

    Unknown types and schemes are skipped (CR-06); the CA names are handed on raw (CR-08) and do not filter a
    single identity, since servers list too little (CAUTH-08). A selector sees all of it; what it chose is sent
    only if the server takes such a key and one of its schemes.
    """
    client = state.agreed.offer.client
    request = IdentityRequest(
        server_hostname=client.server.text,
        certificate_types=tuple(msg.certificate_types),
        signature_schemes=msg.supported_signature_algorithms,
        ca_names=msg.certificate_authorities,
        raw_public_key=state.agreed.terms.client_raw_key,
    )
    identity = _chosen(client.config.identity, request)
    scheme = None if identity is None else request.scheme_for(identity)  # CAUTH-05, CAUTH-06
    auth = ClientAuth(
        certificate_types=request.certificate_types,
        ca_names=request.ca_names,
        identity=identity if scheme is not None else None,
        scheme=scheme,
    )
    return WaitServerHelloDone(state.agreed, state.peer, state.exchange, auth)


def _chosen(configured: Identity | IdentitySelector | None, request: IdentityRequest) -> Identity | None:
    if configured is None or isinstance(configured, Identity):
        return configured
    try:
        chosen = configured(request)
    except Exception as cause:
        raise ConfigurationError(f"the configured identity selector failed: {type(cause).__name__}: {cause}") from cause
    if chosen is not None and not isinstance(chosen, Identity):
        raise ConfigurationError(
            f"the configured identity selector returned {type(chosen).__name__}, expected an Identity or None"
        )
    return chosen
