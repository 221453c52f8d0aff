"""What a connection has cost so far, and the summary that shows it."""

from __future__ import annotations

from collections.abc import Callable

from lighttls.handshake import Connected, FullHandshake, PeerVerified, PskHandshake, RawKeyVerified, Resumption
from lighttls.iana import TLS12
from lighttls.info import ConnectionInfo


class Ledger:
    """Counts flights of one connection, and the bytes it receives the long way."""

    __slots__ = ("_clock", "_flight_times", "_started", "bytes_received", "last_sent")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started = 0.0
        self.last_sent: bool | None = None  # which way the last handshake record went
        self._flight_times: list[float] = []
        self.bytes_received = 0

    def note_flight(self, sent: bool) -> None:
        """A handshake record goes this way: a flight starts when the direction changes."""
        if sent is self.last_sent:
            return
        now = self._clock()
        if self.last_sent is None:
            self._started = now
        self.last_sent = sent
        self._flight_times.append(now - self._started)

    @property
    def latest(self) -> float:
        """When the last flight so far began, by the clock."""
        return self._started + self._flight_times[-1]

    def info(self, state: Connected, hostname: str, sent: int, received_short: int, early: int) -> ConnectionInfo:
        """A snapshot."""
        agreed = state.agreed
        full = state.proof if isinstance(state.proof, FullHandshake) else None
        psk = state.proof if isinstance(state.proof, PskHandshake) else None
        auth = None if full is None else full.auth
        peer = None if full is None else full.peer
        chain = peer if isinstance(peer, PeerVerified) else None
        path = None if chain is None else chain.path
        return ConnectionInfo(
            version=TLS12,
            cipher_suite=agreed.suite.code,
            group=full.exchange.group if full is not None else psk.group if psk is not None else None,
            peer_signature_scheme=None if full is None else full.exchange.scheme,
            client_signature_scheme=None if auth is None else auth.scheme,
            alpn_protocol=None if agreed.alpn_protocol is None else agreed.alpn_protocol.decode("ascii"),
            extended_master_secret=agreed.extended_master_secret,
            secure_renegotiation=agreed.secure_renegotiation,
            session_resumed=isinstance(state.proof, Resumption),
            server_hostname=hostname,
            psk_identity=None if psk is None else psk.identity,
            peer_chain=() if chain is None else chain.chain,
            peer_raw_public_key=peer.spki if isinstance(peer, RawKeyVerified) else None,
            verified_path=path,
            trust_anchor=None if path is None else path.anchor,
            time_checked=path is None or path.time_checked,
            ocsp_response=None if chain is None else chain.ocsp_response,
            sct_list=None if full is None else agreed.sct_list,  # SCT-05
            requested_certificate_types=None if auth is None else auth.certificate_types,
            requested_ca_names=() if auth is None else auth.ca_names,
            client_certificate_sent=auth is not None and auth.identity is not None,
            max_fragment_length=agreed.sizes.max_fragment_length,
            record_size_limit=agreed.sizes.record_size_limit,
            early_bytes=early,
            bytes_sent=sent,
            bytes_received=self.bytes_received + received_short,
            flights=len(self._flight_times),
            flight_times=tuple(self._flight_times),
        )
