"""ServerHelloDone: our flight (RFC 5246 §7.4.5 to §7.4.9)."""

from __future__ import annotations

from lighttls._typing import TYPE_CHECKING
from lighttls.errors import BadSignature, EntropyError, SignerError
from lighttls.events import SignatureRequested
from lighttls.handshake.false_start import may_start_early
from lighttls.handshake.inputs import SignatureReady
from lighttls.handshake.on_finished import send_finished
from lighttls.handshake.output import Emit, LogKeys, Output, StartEarly
from lighttls.handshake.states import (
    Agreed,
    ClientAuth,
    FullHandshake,
    PskHandshake,
    WaitChangeCipherSpec,
    WaitRequestOrDone,
    WaitServerHelloDone,
    WaitSignature,
    WaitTicket,
)
from lighttls.iana import SignatureScheme
from lighttls.identity import Identity
from lighttls.keys import SignatureRequest
from lighttls.messages import Certificate, CertificateVerify, ClientKeyExchange, RawPublicKey, ServerHelloDone

if TYPE_CHECKING:
    from lighttls.crypto.provider import KeySchedule, Premaster

_RAISED = "That came from the signer, not from TLS. Look at its driver, the bus, or the service that signs."
_GAVE_UP = "Whoever had to sign did not. Look at the chip or the service that signs."
_WRONG_TYPE = "Let sign() return the signature in wire form (DER for ECDSA), or None to give it later."
_NO_DER = "64 bytes look like r and s, which raw_ecdsa or complete_raw takes. Elsewhere an ECDSA signature is DER."

_HASH_OF_SCHEME = {4: "sha256", 5: "sha384", 6: "sha512"}


def on_server_hello_done(
    out: Output, state: WaitRequestOrDone, msg: ServerHelloDone
) -> WaitTicket | WaitChangeCipherSpec:
    """Nobody asked for a certificate: ClientKeyExchange, ChangeCipherSpec, Finished (CAUTH-02)."""
    agreed, peer, exchange = state.agreed, state.peer, state.exchange
    out.send_encoded(ClientKeyExchange, ClientKeyExchange.encoded(exchange.our_public))  # CAUTH-14
    schedule = derive_keys(out, agreed, exchange.premaster)
    after = send_last_flight(out, agreed, FullHandshake(peer, exchange, None), schedule)
    if agreed.offer.client.config.false_start and may_start_early(agreed, peer):  # FS-01
        out.do(StartEarly())
    return after


def on_server_hello_done_with_auth(
    out: Output, state: WaitServerHelloDone, msg: ServerHelloDone
) -> WaitTicket | WaitChangeCipherSpec | WaitSignature:
    """Certificate, ClientKeyExchange, [CertificateVerify], ChangeCipherSpec, Finished (CAUTH-03)."""
    auth = state.auth
    out.send(_certificate(auth.identity))
    out.send_encoded(ClientKeyExchange, ClientKeyExchange.encoded(state.exchange.our_public))  # CAUTH-14
    schedule = derive_keys(out, state.agreed, state.exchange.premaster)
    if auth.identity is not None and auth.scheme is not None:  # CAUTH-09
        request = _signature_request(out, state.agreed, auth, auth.identity, auth.scheme)
        signature = _ask_signer(auth.identity, request)
        if signature is None:
            out.do(Emit(SignatureRequested(request)))
            return WaitSignature(state.agreed, state.peer, state.exchange, auth, auth.identity, request, schedule)
        _send_certificate_verify(out, state.agreed, auth.identity, request, signature)
    return send_last_flight(out, state.agreed, FullHandshake(state.peer, state.exchange, auth), schedule)


def _certificate(identity: Identity | None) -> Certificate | RawPublicKey:
    if identity is None:  # CAUTH-01; with raw public keys too, since RFC 7250 has no form of its own for it (RPK-13)
        return Certificate(())
    return RawPublicKey(identity.spki) if identity.is_raw_key else Certificate(identity.chain)  # RPK-13, CAUTH-04


def on_signature_ready(out: Output, state: WaitSignature, ready: SignatureReady) -> WaitTicket | WaitChangeCipherSpec:
    """The deferred signature: CertificateVerify, ChangeCipherSpec, Finished."""
    if not isinstance(ready.outcome, bytes):
        hint = ready.outcome.hint if isinstance(ready.outcome, SignerError) else _GAVE_UP
        raise SignerError(f"the signer gave up: {ready.outcome}", hint=hint) from ready.outcome
    _send_certificate_verify(out, state.agreed, state.identity, state.request, ready.outcome)
    return send_last_flight(out, state.agreed, FullHandshake(state.peer, state.exchange, state.auth), state.schedule)


def derive_keys(out: Output, agreed: Agreed, premaster: Premaster) -> KeySchedule:
    """The master secret, right behind ClientKeyExchange, and its copy for the key log."""
    offer = agreed.offer
    # RFC 7627 §3: the session hash ends with ClientKeyExchange (EMS-03).
    session_hash = out.transcript.digest(agreed.suite.prf_hash) if agreed.terms.extended_master_secret else None
    client = offer.client
    schedule = out.schedule = client.provider.key_schedule(
        agreed.suite, premaster, offer.random, agreed.server_random, session_hash
    )
    if client.config.key_log is not None:
        out.do(LogKeys(offer.random, schedule))
    return schedule


def _signature_request(
    out: Output, agreed: Agreed, auth: ClientAuth, identity: Identity, scheme: SignatureScheme
) -> SignatureRequest:
    """What is signed: all messages up to ClientKeyExchange, hashed by the scheme's own hash (CAUTH-10)."""
    algorithm = _HASH_OF_SCHEME[scheme & 0xF if scheme >> 8 == 8 else scheme >> 8]
    client = agreed.offer.client
    return SignatureRequest(
        scheme,
        out.transcript.digest(algorithm),
        out.transcript.raw(),
        auth.ca_names,
        identity.chain,
        client.provider,
        client.config.random,
    )


def _ask_signer(identity: Identity, request: SignatureRequest) -> bytes | None:
    if identity.signer is None:
        return None
    try:
        signature = identity.signer.sign(request)
    except SignerError:
        raise
    except Exception as cause:  # CAUTH-16: a chip on a bus can fail in any way, and a remote signer has TLS errors
        hint = cause.hint if isinstance(cause, EntropyError) else _RAISED  # a key in memory draws from our source
        raise SignerError(f"the signer failed: {type(cause).__name__}: {cause}", hint=hint) from cause
    if signature is not None and not isinstance(signature, bytes | bytearray):
        raise SignerError(f"the signer returned {type(signature).__name__}, expected bytes or None", hint=_WRONG_TYPE)
    return None if signature is None else bytes(signature)


def _send_certificate_verify(
    out: Output, agreed: Agreed, identity: Identity, request: SignatureRequest, signature: bytes
) -> None:
    """Check our own signature before it leaves: a wrong key is an error here, not a dead link there (CAUTH-12)."""
    try:
        agreed.offer.client.provider.verify(request.scheme, identity.spki, signature, request.message)
    except BadSignature as cause:
        bare = len(signature) == 64 and request.scheme == SignatureScheme.ECDSA_SECP256R1_SHA256
        raise SignerError(
            "the signature does not verify under our own public key",
            hint=_NO_DER if bare and signature[0] != 0x30 else None,
        ) from cause
    out.send(CertificateVerify(request.scheme, signature))


def send_last_flight(
    out: Output, agreed: Agreed, proof: FullHandshake | PskHandshake, schedule: KeySchedule
) -> WaitTicket | WaitChangeCipherSpec:
    """Switch our side to the new keys; the other direction's are kept for the server's ChangeCipherSpec."""
    verify_data, sealer, opener = schedule.finish(out.transcript.digest(agreed.suite.prf_hash))
    send_finished(out, sealer, verify_data)
    if agreed.terms.ticket_announced:
        return WaitTicket(agreed, proof, verify_data, schedule, opener)
    return WaitChangeCipherSpec(agreed, proof, None, verify_data, schedule, opener)
