"""Sessions: what they are bound to, when one is offered, and what is kept of a handshake.

Resumption verifies no certificate: it trusts what an earlier handshake verified. So a session is
good only where that handshake's verdict would be ours too (RESUME-01). What the verdict hangs on, name, anchors,
policies, our own certificate or pre-shared key and what we offer, is hashed into the session's binding, which is also
its key in the store: under another policy it is not even found.
"""

from __future__ import annotations

from lighttls._typing import TYPE_CHECKING, Final
from lighttls.config import ClientConfig
from lighttls.errors import HandshakeFailure
from lighttls.handshake.output import LogKeys, Output
from lighttls.handshake.states import (
    Agreed,
    Client,
    Connected,
    FullHandshake,
    PeerVerified,
    PskHandshake,
    RawKeyVerified,
    Resumption,
    WaitChangeCipherSpecResumed,
    WaitTicketResumed,
)
from lighttls.identity import Identity
from lighttls.psk import Psk
from lighttls.session import DAY, MAX_TICKET, Session
from lighttls.x509 import signature_hash

if TYPE_CHECKING:
    from lighttls.crypto.provider import CryptoProvider
    from lighttls.x509 import RevocationPolicy

_BINDINGS_KEPT: Final = 64  # hosts; a device talks to a handful
_PURPOSE: Final = b"lighttls session binding 1"
_PURPOSE_OF_KEY: Final = b"lighttls session binding of a PSK"
_NEVER: Final = 0xFFFFFFFF  # the last second that a session can name


def binding(client: Client) -> bytes | None:
    """SHA-256 over name (SNI-04) and policies; None if a hook without a `policy_id` takes part: nothing is kept."""
    hooks = policy_ids(client.config)
    if hooks is None:
        return None
    kept: dict[tuple[bytes, str], bytes] = client.config.derived("bindings", lambda _: {})
    key = hooks, client.server.text
    known = kept.get(key)
    if known is None:
        if len(kept) >= _BINDINGS_KEPT:
            kept.clear()
        policies = client.config.derived("policies of a session", _policies)
        known = kept[key] = client.provider.digest("sha256", policies + hooks + client.server.text.encode())
    return known


def wants_tickets(config: ClientConfig, session: Session | None) -> bool:
    """Whether to offer session_ticket: if anybody would keep what comes, unless it is settled (TICKET-01)."""
    if config.offer_tickets is not None:
        return config.offer_tickets
    return config.sessions is not None or session is not None


def may_offer(client: Client, session: Session) -> bool:
    """Whether this session may be resumed here and now (RESUME-01, RESUME-02, RESUME-15)."""
    config, facts = client.config, session.facts
    now = _believed_time(config)
    return (
        not session.ended
        and facts.binding == binding(client)
        and facts.suite in config.cipher_suites  # CH-10
        and (facts.extended_master_secret == 1 or config.allow_non_ems_resumption)
        and (not facts.ticket or wants_tickets(config, session))
        and now is not None
        and facts.issued <= now < facts.expires
    )


def resume(out: Output, agreed: Agreed, session: Session) -> WaitTicketResumed | WaitChangeCipherSpecResumed:
    """The server took our session up: its master secret with the new randoms (RFC 5246 §6.3).

    RFC 7627 §5.3: with an extended master secret in one of the two handshakes and not in the other, the peer may be
    two, of which one only passes on what the other says.
    """
    if agreed.terms.extended_master_secret != (session.facts.extended_master_secret == 1):  # RESUME-10, RESUME-11
        had = "with" if session.facts.extended_master_secret else "without"
        raise HandshakeFailure(f"the server resumes a session {had} extended master secret as if it were the contrary")
    offer = agreed.offer
    client = offer.client
    schedule = out.schedule = client.provider.resume(
        agreed.suite, session.facts.master_secret, offer.random, agreed.server_random
    )
    if client.config.key_log is not None:
        out.do(LogKeys(offer.random, schedule))
    sealer, opener = schedule.record_keys()
    proof = Resumption(session)
    if agreed.terms.ticket_announced:
        return WaitTicketResumed(agreed, proof, schedule, sealer, opener)
    return WaitChangeCipherSpecResumed(agreed, proof, None, schedule, sealer, opener)


def session_of(state: Connected, now: float) -> Session | None:
    """What a completed handshake leaves to resume with, if anything; `now` is when its last message came."""
    agreed, proof = state.agreed, state.proof
    ticket = b"" if state.ticket is None else state.ticket.ticket
    hint = 0 if state.ticket is None else state.ticket.ticket_lifetime_hint
    if len(ticket) > MAX_TICKET:  # TICKET-20; an ID beside it is forgotten too (TICKET-17)
        return None
    if isinstance(proof, Resumption):  # TICKET-13, TICKET-14: without a new ticket the old session stays in use
        return proof.session.renewed(ticket, int(now), hint) if ticket else proof.session
    client = agreed.offer.client
    bound_to = binding(client)
    if bound_to is None or not _worth_keeping(state, proof) or not (ticket or agreed.session_id):
        return None
    peer = None if isinstance(proof, PskHandshake) else proof.peer
    return Session.new(
        suite=agreed.suite.code,
        extended_master_secret=agreed.terms.extended_master_secret,
        master_secret=state.schedule.master_secret(),
        ticket=ticket,
        session_id=b"" if ticket else agreed.session_id,  # TICKET-17
        binding=bound_to,
        server_name=client.server.text,
        max_fragment_length=agreed.terms.sizes.max_fragment_length or 0,
        issued=int(now),
        lifetime=hint if ticket else DAY,
        not_after=min(_not_after(peer), _lists_until(client.config, now)),
        raw_public_key=isinstance(peer, RawKeyVerified),
        end_point=end_point(client.provider, peer) or b"",
    )


def end_point(provider: CryptoProvider, peer: PeerVerified | RawKeyVerified | None) -> bytes | None:
    """The hash of the leaf that tls-server-end-point names (RFC 5929 §4.1).

    None if its signature names no hash, or there is no certificate (RPK-14).
    """
    if not isinstance(peer, PeerVerified):
        return None
    algorithm = signature_hash(peer.leaf)
    return None if algorithm is None else provider.digest(algorithm, peer.leaf.der)


def _not_after(peer: PeerVerified | RawKeyVerified | None) -> int:
    """When what was verified ends: with the first certificate; raw public keys (RPK-14) and shared ones have no end."""
    if not isinstance(peer, PeerVerified):
        return _NEVER
    return min(each.not_after for each in (peer.leaf, *peer.path.certificates))


def _lists_until(config: ClientConfig, now: float) -> int:
    """When the first CRL ends that the verdict may hang on: a session says that nothing has changed since."""
    revocation = config.verify.revocation
    until = None if revocation is None else revocation.settled_until(now)
    return _NEVER if until is None else until


def _worth_keeping(state: Connected, proof: FullHandshake | PskHandshake) -> bool:
    """A verdict that must be repeated is no verdict to resume by, nor is a lifetime without a clock to end it."""
    config = state.agreed.offer.client.config
    peer = proof.peer if isinstance(proof, FullHandshake) and isinstance(proof.peer, PeerVerified) else None
    return (
        (state.agreed.terms.extended_master_secret or config.allow_non_ems_resumption)
        and (peer is None or peer.path.time_checked)
        and _believed_time(config) is not None
    )


def _believed_time(config: ClientConfig) -> float | None:
    """The clock's time, None if `TimePolicy.floor` knows it to be wrong."""
    now, earliest = config.now(), config.verify.time.earliest
    return None if earliest is not None and now < earliest else now


def _policies(config: ClientConfig) -> bytes:
    """All settings that matter, each part behind its length, so that no two of them give the same bytes."""
    verify, identity = config.verify, config.identity
    anchors = sorted(
        _row(anchor.subject, anchor.der or anchor.spki, anchor.allow.sha1, anchor.allow.min_rsa_bits)
        for anchor in config.trust
    )
    return _row(
        _PURPOSE,
        _row(*anchors),
        _row(verify.time.checks_dates, *(() if verify.time.earliest is None else (verify.time.earliest,))),
        verify.check_hostname,
        verify.max_depth,
        _row(*sorted(verify.initial_policies or ())),
        verify.require_explicit_policy,
        verify.inhibit_policy_mapping,
        verify.inhibit_any_policy,
        _revocation(verify.revocation, config.provider),
        _row(*sorted(verify.pins)),
        _row(*(_row(host.encode(), *sorted(keys)) for host, keys in verify.raw_keys)),
        verify.insecure_skip_verify,
        (*identity.chain, identity.spki)[0] if isinstance(identity, Identity) else b"",
        _psk_id(config, config.psk) if isinstance(config.psk, Psk) else b"",
        _row(*config.alpn_protocols),
        _row(*config.cipher_suites),
        _row(*config.groups),
        _row(*config.signature_schemes),
        config.max_fragment_length or 0,
        config.request_ocsp,
        config.request_scts,
        config.insecure_allow_legacy_renegotiation,
        config.require_extended_master_secret,
        config.require_alpn,
    )


def _revocation(policy: RevocationPolicy | None, provider: CryptoProvider) -> bytes:
    """With other lists the verdict may be another; each counts by its hash."""
    if policy is None:
        return b""
    lists = sorted(provider.digest("sha256", one.der) for one in policy.crls)
    certificates = sorted(provider.digest("sha256", one.der) for one in policy.certificates)
    return _row(policy.mode.encode(), policy.ocsp.encode(), _row(*lists), _row(*certificates))


def _psk_id(config: ClientConfig, psk: Psk) -> bytes:
    """Identity and key, so that a session made with a key ends with it; the key hashed, for it is no policy."""
    secret = bytearray(_PURPOSE_OF_KEY)
    secret += psk.key  # bytes + bytearray would be bytes, which cannot be wiped
    hashed = config.provider.digest("sha256", secret)
    secret[:] = bytes(len(secret))
    return _row(psk.identity, hashed)


def policy_ids(config: ClientConfig) -> bytes | None:
    """What stands for the application's own judgement, asked each time: who changes how it judges changes this.

    None if there is a hook that cannot say.
    """
    verifier, identity, psk = config.verify.verifier, config.identity, config.psk
    if (
        verifier is None
        and (identity is None or isinstance(identity, Identity))
        and (psk is None or isinstance(psk, Psk))
    ):
        return _NO_HOOKS
    ids: list[bytes] = []
    selectors = (None if isinstance(each, Identity | Psk) else each for each in (config.identity, config.psk))
    for hook in (config.verify.verifier, *selectors):
        policy_id = b"" if hook is None else getattr(hook, "policy_id", b"")
        if hook is not None and not (isinstance(policy_id, bytes) and policy_id):
            return None
        ids.append(policy_id)
    return _row(*ids)


_NO_HOOKS: Final = b"\0\0\0\0" * 3  # what _row makes of three empty ones


def _row(*parts: bytes | int) -> bytes:
    """Parts behind their lengths; numbers and flags in decimal."""
    encoded = (part if isinstance(part, bytes) else b"%d" % part for part in parts)
    return b"".join(len(each).to_bytes(4, "big") + each for each in encoded)
