"""What was agreed on a connection, and what it cost."""

from __future__ import annotations

from lighttls._struct import struct
from lighttls.iana import CipherSuite, NamedGroup, SignatureScheme
from lighttls.x509 import Anchor, VerifiedPath


@struct
class ConnectionInfo:
    """A snapshot of an established connection."""

    version: int  # always 0x0303
    cipher_suite: CipherSuite
    group: NamedGroup | None  # None in a resumed handshake, and with plain PSK: no forward secrecy (PSK-12)
    peer_signature_scheme: SignatureScheme | None  # None in a resumed handshake, and with any PSK
    client_signature_scheme: SignatureScheme | None
    alpn_protocol: str | None
    extended_master_secret: bool
    secure_renegotiation: bool
    session_resumed: bool
    server_hostname: str
    psk_identity: bytes | None  # ours, if a pre-shared key proved both sides, in this handshake: a resumed one has none
    peer_chain: tuple[bytes, ...]  # DER, as sent; empty in a resumed handshake, and with a raw or a pre-shared key
    peer_raw_public_key: bytes | None  # SubjectPublicKeyInfo (DER) that the server showed instead of a chain (RFC 7250)
    verified_path: VerifiedPath | None  # None in these cases; what began a resumed session had verified it, if any
    trust_anchor: Anchor | None  # None likewise, and under insecure_skip_verify
    time_checked: bool  # now, or by the handshake that began the session, and until its end; also True without a chain
    ocsp_response: bytes | None  # DER, as stapled; it was good, unless a verifier or insecure_skip_verify kept us out
    sct_list: bytes | None  # SignedCertificateTimestampList (RFC 6962 §3.3), as sent; its signatures are not verified
    requested_certificate_types: tuple[int, ...] | None  # None: the server did not ask for a certificate
    requested_ca_names: tuple[bytes, ...]  # DER names, as sent
    client_certificate_sent: bool
    max_fragment_length: int | None  # bytes, as agreed; None: not asked for, or not answered
    record_size_limit: int | None  # bytes the server takes in a record, as it said; None likewise
    early_bytes: int  # of application data, sent before the server's Finished was there (False Start)
    bytes_sent: int  # handed out by data_to_send so far
    bytes_received: int  # handed to receive_data so far, until the connection failed
    flights: int  # changes of direction in the handshake: 4 in a full one
    flight_times: tuple[float, ...]  # seconds from the ClientHello to the start of each flight, by the configured clock
