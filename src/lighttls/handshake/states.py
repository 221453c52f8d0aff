"""Handshake states: each holds exactly what is known on entering it."""

from __future__ import annotations

from lighttls._struct import secret, struct
from lighttls._typing import TYPE_CHECKING
from lighttls.iana import NamedGroup, SignatureScheme

if TYPE_CHECKING:
    from lighttls.config import ClientConfig
    from lighttls.crypto.provider import CryptoProvider, KeySchedule, Premaster, RecordOpener, RecordSealer
    from lighttls.crypto.suites import Suite
    from lighttls.identity import Identity
    from lighttls.keys import SignatureRequest
    from lighttls.messages import NewSessionTicket
    from lighttls.session import Session
    from lighttls.x509 import Certificate, PublicKey, ReferenceName, VerifiedPath


@struct
class Client:
    """Who we are and whom we want to reach: fixed before the first byte."""

    config: ClientConfig
    provider: CryptoProvider
    server: ReferenceName


@struct
class Offer:
    """What our ClientHello said."""

    client: Client
    random: bytes
    session: Session | None  # that we offer to resume
    session_id: bytes  # as sent: its ID, or with a ticket a random one whose echo tells that it was taken (TICKET-03)
    extension_types: frozenset[int]


@struct
class RecordSizes:
    """The most plaintext a record may carry, in bytes, and what the server answered (see `record_sizes`)."""

    unprotected: int  # both ways, from the record after the ServerHello's on (SIZE-05)
    sent: int  # by us, protected
    received: int  # by us, protected
    max_fragment_length: int | None  # None: not asked for, or not answered
    record_size_limit: int | None  # as the server said it


@struct
class Terms:
    """What the extensions of a ServerHello come to. Connections that got the same answers share it."""

    extended_master_secret: bool
    secure_renegotiation: bool
    alpn_protocol: bytes | None
    sizes: RecordSizes
    status_announced: bool  # a CertificateStatus may come (OCSP-04)
    sct_list: bytes | None  # the server's signed certificate timestamps, as sent
    unanswered: frozenset[int]  # extensions of ours that the server left out
    ticket_announced: bool  # NewSessionTicket comes before ChangeCipherSpec (TICKET-06, TICKET-07)
    server_raw_key: bool  # the server's Certificate carries a raw public key (RFC 7250)
    client_raw_key: bool  # so does ours, if the server wants one


@struct
class Agreed:
    """What stands since the ServerHello."""

    offer: Offer
    suite: Suite
    server_random: bytes
    session_id: bytes  # the server's; empty: it will not know us again by one
    terms: Terms


# Proof values: each is made in one function, right after its check. `Connected` takes `FinishedVerified`, and with it
# `FullHandshake`, which takes the first two, `PskHandshake`, or `Resumption`.


@struct
class PeerVerified:
    """The server's chain leads to an anchor and names the host (made in `on_certificate`)."""

    chain: tuple[bytes, ...]  # DER, as sent
    leaf: Certificate
    path: VerifiedPath
    ocsp_response: bytes | None  # DER, as stapled

    @property
    def spki(self) -> bytes:
        """The server's SubjectPublicKeyInfo (DER)."""
        return self.leaf.spki

    @property
    def public_key(self) -> PublicKey:
        """What kind of key that is."""
        return self.leaf.public_key


@struct
class RawKeyVerified:
    """The server's raw public key is one of those configured for the host (made in `on_raw_public_key`)."""

    spki: bytes
    public_key: PublicKey


@struct
class KeyExchangeVerified:
    """The server signed its ephemeral key, and ECDH is done (made in `on_server_key_exchange`)."""

    group: NamedGroup
    scheme: SignatureScheme
    our_public: bytes
    premaster: Premaster = secret()


@struct
class PskHandshake:
    """Our identity and key are named and used (made in `on_psk`): the server's Finished is what proves the peer."""

    identity: bytes  # as sent
    group: NamedGroup | None  # of ECDHE; None with plain PSK


@struct
class Resumption:
    """The server goes on with a session that we offered, unchanged (made in `resumption`)."""

    session: Session


@struct
class FinishedVerified:
    """The server's Finished fits our view of the handshake (made in `on_finished`)."""

    client_verify_data: bytes  # 12 bytes each, kept for channel bindings (RI-07)
    server_verify_data: bytes


@struct
class ClientAuth:
    """What came of a CertificateRequest."""

    certificate_types: tuple[int, ...]
    ca_names: tuple[bytes, ...]
    identity: Identity | None  # None: we send an empty list
    scheme: SignatureScheme | None


@struct
class FullHandshake:
    """How the peer was verified here and now."""

    peer: PeerVerified | RawKeyVerified
    exchange: KeyExchangeVerified
    auth: ClientAuth | None


# States, in the order in which a full handshake passes them, then those of a pre-shared key, and then a resumed one's.


@struct
class WaitServerHello:
    """The ClientHello is out."""

    offer: Offer


@struct
class WaitCertificate:
    """Version, suite and extensions are agreed."""

    agreed: Agreed


@struct
class WaitRawPublicKey:
    """The same, and the server shows a raw public key instead of a chain (RFC 7250)."""

    agreed: Agreed


@struct
class WaitCertificateStatus:
    """The server's leaf fits what was agreed, and an OCSP response on it may follow."""

    agreed: Agreed
    chain: tuple[bytes, ...]
    leaf: Certificate


@struct
class WaitServerKeyExchange:
    """The server's chain or raw key is good."""

    agreed: Agreed
    peer: PeerVerified | RawKeyVerified


@struct
class WaitRequestOrDone:
    """The server's ephemeral key is good."""

    agreed: Agreed
    peer: PeerVerified | RawKeyVerified
    exchange: KeyExchangeVerified


@struct
class WaitServerHelloDone:
    """The server asked for a certificate."""

    agreed: Agreed
    peer: PeerVerified | RawKeyVerified
    exchange: KeyExchangeVerified
    auth: ClientAuth


@struct
class WaitSignature:
    """Everything but our CertificateVerify is ready; its signature comes from outside."""

    agreed: Agreed
    peer: PeerVerified | RawKeyVerified
    exchange: KeyExchangeVerified
    auth: ClientAuth
    identity: Identity
    request: SignatureRequest
    schedule: KeySchedule = secret()


@struct
class WaitTicket:
    """Our Finished is out, and the server has announced a ticket."""

    agreed: Agreed
    proof: FullHandshake | PskHandshake
    our_verify_data: bytes
    schedule: KeySchedule = secret()
    opener: RecordOpener = secret()


@struct
class WaitChangeCipherSpec:
    """Our Finished is out, and so is the server's ticket if it announced one."""

    agreed: Agreed
    proof: FullHandshake | PskHandshake
    ticket: NewSessionTicket | None
    our_verify_data: bytes
    schedule: KeySchedule = secret()
    opener: RecordOpener = secret()


@struct
class WaitFinished:
    """The server's records are protected from here on."""

    agreed: Agreed
    proof: FullHandshake | PskHandshake
    ticket: NewSessionTicket | None
    our_verify_data: bytes
    schedule: KeySchedule = secret()


@struct
class WaitPskHint:
    """Plain PSK is agreed: the server may have a hint which identity to use."""

    agreed: Agreed


@struct
class WaitPskParams:
    """ECDHE_PSK is agreed: the server's ephemeral key must come."""

    agreed: Agreed


@struct
class WaitPskDone:
    """The server's hint is there, and its ephemeral key, if it has one, is good."""

    agreed: Agreed
    hint: bytes | None
    group: NamedGroup | None  # None, like our key and the secret: plain PSK
    our_public: bytes
    shared: Premaster | None = secret()


@struct
class WaitTicketResumed:
    """The server goes on with our session, and has announced a new ticket for it."""

    agreed: Agreed
    proof: Resumption
    schedule: KeySchedule = secret()
    sealer: RecordSealer = secret()
    opener: RecordOpener = secret()


@struct
class WaitChangeCipherSpecResumed:
    """The server goes on with our session; it finishes first (RFC 5246 §7.3)."""

    agreed: Agreed
    proof: Resumption
    ticket: NewSessionTicket | None
    schedule: KeySchedule = secret()
    sealer: RecordSealer = secret()
    opener: RecordOpener = secret()


@struct
class WaitFinishedResumed:
    """The server's records are protected from here on; ours are not yet."""

    agreed: Agreed
    proof: Resumption
    ticket: NewSessionTicket | None
    schedule: KeySchedule = secret()
    sealer: RecordSealer = secret()


@struct
class Connected:
    """The handshake is complete."""

    agreed: Agreed
    proof: FullHandshake | PskHandshake | Resumption
    finished: FinishedVerified
    ticket: NewSessionTicket | None
    schedule: KeySchedule = secret()

    @property
    def resumed(self) -> bool:
        """Whether an earlier handshake verified the peer."""
        return isinstance(self.proof, Resumption)


State = (
    WaitServerHello
    | WaitCertificate
    | WaitRawPublicKey
    | WaitCertificateStatus
    | WaitServerKeyExchange
    | WaitRequestOrDone
    | WaitServerHelloDone
    | WaitSignature
    | WaitTicket
    | WaitChangeCipherSpec
    | WaitFinished
    | WaitPskHint
    | WaitPskParams
    | WaitPskDone
    | WaitTicketResumed
    | WaitChangeCipherSpecResumed
    | WaitFinishedResumed
    | Connected
)

_WITHOUT_SECRETS = (
    WaitServerHello
    | WaitCertificate
    | WaitRawPublicKey
    | WaitCertificateStatus
    | WaitServerKeyExchange
    | WaitPskHint
    | WaitPskParams
)


def wipe_secrets(state: State) -> None:
    """Wipe the secrets that a state holds: the connection has ended (FIN-08).

    The premaster secret is gone where there is a schedule: that was derived from it, and wiped it.
    """
    if isinstance(state, WaitRequestOrDone | WaitServerHelloDone):
        state.exchange.premaster.wipe()
    elif isinstance(state, WaitPskDone):
        if state.shared is not None:
            state.shared.wipe()
    elif not isinstance(state, _WITHOUT_SECRETS):
        state.schedule.wipe()
