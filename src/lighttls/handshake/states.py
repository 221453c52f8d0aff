"""Handshake states: each holds exactly what is known on entering it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lighttls._struct import secret, struct
from lighttls.iana import NamedGroup, SignatureScheme

if TYPE_CHECKING:
    from lighttls.config import ClientConfig
    from lighttls.crypto.provider import CryptoProvider, KeySchedule, Premaster, RecordOpener
    from lighttls.crypto.suites import Suite
    from lighttls.identity import Identity
    from lighttls.keys import SignatureRequest
    from lighttls.x509 import Certificate, ReferenceName, VerifiedPath


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
class Agreed:
    """What stands since the ServerHello."""

    offer: Offer
    suite: Suite
    server_random: bytes
    extended_master_secret: bool
    secure_renegotiation: bool
    alpn_protocol: bytes | None
    sizes: RecordSizes
    status_announced: bool  # a CertificateStatus may come (OCSP-04)
    sct_list: bytes | None  # the server's signed certificate timestamps, as sent


# Proof values: each is made in one function, right after its check, and `Connected` takes all three.


@struct
class PeerVerified:
    """The server's chain leads to an anchor and names the host (made in `on_certificate`)."""

    chain: tuple[bytes, ...]  # DER, as sent
    leaf: Certificate
    path: VerifiedPath
    ocsp_response: bytes | None  # DER, as stapled


@struct
class KeyExchangeVerified:
    """The server signed its ephemeral key, and ECDH is done (made in `on_server_key_exchange`)."""

    group: NamedGroup
    scheme: SignatureScheme
    our_public: bytes
    premaster: Premaster = secret()


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


# States, in the order in which a full handshake passes them.


@struct
class WaitServerHello:
    """The ClientHello is out."""

    offer: Offer


@struct
class WaitCertificate:
    """Version, suite and extensions are agreed."""

    agreed: Agreed


@struct
class WaitCertificateStatus:
    """The server's leaf fits what was agreed, and an OCSP response on it may follow."""

    agreed: Agreed
    chain: tuple[bytes, ...]
    leaf: Certificate


@struct
class WaitServerKeyExchange:
    """The server's chain is good."""

    agreed: Agreed
    peer: PeerVerified


@struct
class WaitRequestOrDone:
    """The server's ephemeral key is good."""

    agreed: Agreed
    peer: PeerVerified
    exchange: KeyExchangeVerified


@struct
class WaitServerHelloDone:
    """The server asked for a certificate."""

    agreed: Agreed
    peer: PeerVerified
    exchange: KeyExchangeVerified
    auth: ClientAuth


@struct
class WaitSignature:
    """Everything but our CertificateVerify is ready; its signature comes from outside."""

    agreed: Agreed
    peer: PeerVerified
    exchange: KeyExchangeVerified
    auth: ClientAuth
    identity: Identity
    request: SignatureRequest
    schedule: KeySchedule = secret()


@struct
class WaitChangeCipherSpec:
    """Our Finished is out."""

    agreed: Agreed
    peer: PeerVerified
    exchange: KeyExchangeVerified
    auth: ClientAuth | None
    our_verify_data: bytes
    schedule: KeySchedule = secret()
    opener: RecordOpener = secret()


@struct
class WaitFinished:
    """The server's records are protected from here on."""

    agreed: Agreed
    peer: PeerVerified
    exchange: KeyExchangeVerified
    auth: ClientAuth | None
    our_verify_data: bytes
    schedule: KeySchedule = secret()


@struct
class Connected:
    """The handshake is complete."""

    agreed: Agreed
    peer: PeerVerified
    exchange: KeyExchangeVerified
    finished: FinishedVerified
    auth: ClientAuth | None
    schedule: KeySchedule = secret()


State = (
    WaitServerHello
    | WaitCertificate
    | WaitCertificateStatus
    | WaitServerKeyExchange
    | WaitRequestOrDone
    | WaitServerHelloDone
    | WaitSignature
    | WaitChangeCipherSpec
    | WaitFinished
    | Connected
)


def wipe_secrets(state: State) -> None:
    """Wipe the secrets that a state holds: the connection has ended (FIN-08)."""
    if not isinstance(state, WaitServerHello | WaitCertificate | WaitCertificateStatus | WaitServerKeyExchange):
        state.exchange.premaster.wipe()
    if isinstance(state, WaitSignature | WaitChangeCipherSpec | WaitFinished | Connected):
        state.schedule.wipe()
