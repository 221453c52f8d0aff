"""CertificateStatus: the OCSP response that the server announced, or nothing in its place (RFC 6066 §8).

The chain is judged here, when all that belongs to it is there.
"""

from __future__ import annotations

from lighttls.errors import DecodeError
from lighttls.handshake.on_certificate import verified_peer
from lighttls.handshake.on_server_key_exchange import on_server_key_exchange
from lighttls.handshake.output import Output
from lighttls.handshake.states import WaitCertificateStatus, WaitRequestOrDone, WaitServerKeyExchange
from lighttls.iana import OCSP
from lighttls.messages import CertificateStatus, ServerKeyExchange


def on_certificate_status(out: Output, state: WaitCertificateStatus, msg: CertificateStatus) -> WaitServerKeyExchange:
    """The response goes to whoever judges the chain, and into the info, as it is."""
    if msg.status_type != OCSP:  # OCSP-07
        raise DecodeError(f"the server sent a certificate status of type {msg.status_type}, we asked for OCSP ({OCSP})")
    return WaitServerKeyExchange(state.agreed, verified_peer(state.agreed, state.chain, state.leaf, msg.response))


def on_status_left_out(out: Output, state: WaitCertificateStatus, msg: ServerKeyExchange) -> WaitRequestOrDone:
    """A server may announce a status and then have none (OCSP-06)."""
    peer = verified_peer(state.agreed, state.chain, state.leaf, None)
    return on_server_key_exchange(out, WaitServerKeyExchange(state.agreed, peer), msg)
