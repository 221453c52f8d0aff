"""What a connection has cost so far, and the summary that shows it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from lighttls.handshake import (
    Agreed,
    Connected,
    FullHandshake,
    PeerVerified,
    PskHandshake,
    RawKeyVerified,
    Resumption,
)
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
        """A handshake record goes this way, and the last one did not: a flight starts."""
        now = self._clock()
        if self.last_sent is None:
            self._started = now
        self.last_sent = sent
        self._flight_times.append(now - self._started)

    @property
    def latest(self) -> float:
        """When the last flight so far began, by the clock."""
        return self._started + self._flight_times[-1]

    def snapshot(
        self, state: Connected, hostname: str, sent: int, received_short: int, early: int
    ) -> Callable[[], ConnectionInfo]:
        """What gives the summary as it is now. It keeps no secret that the connection wipes."""
        received = self.bytes_received + received_short
        return partial(_summary, state.agreed, state.proof, hostname, early, sent, received, tuple(self._flight_times))


def _summary(
    agreed: Agreed,
    proof: FullHandshake | PskHandshake | Resumption,
    hostname: str,
    early: int,
    sent: int,
    received: int,
    flight_times: tuple[float, ...],
) -> ConnectionInfo:
    terms = agreed.terms
    full = proof if type(proof) is FullHandshake else None
    psk = proof if type(proof) is PskHandshake else None
    auth = None if full is None else full.auth
    peer = None if full is None else full.peer
    chain = peer if type(peer) is PeerVerified else None
    path = None if chain is None else chain.path
    return ConnectionInfo(  # by position, which takes a third of the time: in the order of its fields
        TLS12,
        agreed.suite.code,
        full.exchange.group if full is not None else psk.group if psk is not None else None,
        None if full is None else full.exchange.scheme,
        None if auth is None else auth.scheme,
        None if terms.alpn_protocol is None else terms.alpn_protocol.decode("ascii"),
        terms.extended_master_secret,
        terms.secure_renegotiation,
        full is None and psk is None,  # session_resumed
        hostname,
        None if psk is None else psk.identity,
        () if chain is None else chain.chain,  # peer_chain
        peer.spki if type(peer) is RawKeyVerified else None,
        path,
        None if path is None else path.anchor,
        path is None or path.time_checked,
        None if chain is None else chain.ocsp_response,
        None if full is None else terms.sct_list,  # SCT-05
        None if auth is None else auth.certificate_types,
        () if auth is None else auth.ca_names,
        auth is not None and auth.identity is not None,  # client_certificate_sent
        terms.sizes.max_fragment_length,
        terms.sizes.record_size_limit,
        early,
        sent,
        received,
        len(flight_times),
        flight_times,
    )
