"""States of a handshake that tests of single handlers start from."""

from __future__ import annotations

from lighttls.crypto import Suite
from lighttls.handshake import Client
from lighttls.handshake.record_sizes import UNLIMITED
from lighttls.handshake.states import Agreed, Offer, Terms

CLIENT_RANDOM, SERVER_RANDOM = b"\1" * 32, b"\2" * 32


def agreed(client: Client, suite: Suite, extended: bool = True, ticket_announced: bool = False) -> Agreed:
    """What a ServerHello settled that starts a full handshake; `extended`: the master secret is (RFC 7627)."""
    terms = Terms(
        extended_master_secret=extended,
        secure_renegotiation=True,
        alpn_protocol=None,
        sizes=UNLIMITED,
        status_announced=False,
        sct_list=None,
        unanswered=frozenset(),
        ticket_announced=ticket_announced,
        server_raw_key=False,
        client_raw_key=False,
    )
    offer = Offer(client, CLIENT_RANDOM, None, b"", frozenset())
    return Agreed(offer=offer, suite=suite, server_random=SERVER_RANDOM, session_id=b"", terms=terms)
