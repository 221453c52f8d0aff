"""Real servers, over links that cut what is sent as TCP and TLS allow, but seldom do.

As in test_matrix.py, a change meets the servers that CI has, and `make interop` all of them, for longer.
"""

from __future__ import annotations

from random import Random

import pytest

from interop.cells import CELLS, Cell
from interop.deliveries import by_bytes, shattered
from interop.peers import ALL, HERE
from interop.peers.base import Peer
from interop.stage import Stage
from interop.trial import attempt
from lighttls import CipherSuite, NamedGroup
from lighttls.crypto.provider import CryptoProvider
from support import engines, require

ROUNDS = {"BearSSL": 700}  # more than a thousand connections, as two rounds in three resume
FEW_ROUNDS = 60 if ALL else 12

PATIENT = [peer for peer in HERE if peer.is_patient]
JOINING = [peer for peer in HERE if peer.joins_fragments]


@pytest.mark.parametrize("resumption", ["ticket", "id"])
@pytest.mark.parametrize("peer", PATIENT, ids=lambda peer: peer.name)
def test_full_handshake_resumption_and_data_pass_byte_by_byte(
    peer: Peer, resumption: str, stage: Stage, provider: CryptoProvider
) -> None:
    require.peer(peer.missing())
    suite = CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
    cell = Cell(suite, NamedGroup.X25519, "ecdsa", resumption, "none")
    attempt(peer, cell, stage.server(peer, peer.setup(cell, stage.files)), provider, by_bytes)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("peer", JOINING, ids=lambda peer: peer.name)
def test_no_handshake_in_a_long_row_fails_with_messages_cut_at_random(peer: Peer, stage: Stage) -> None:
    """Any cell of the matrix, and any way to cut and join messages that RFC 5246 §6.2.1 has."""
    require.peer(peer.missing())
    require.native()
    for number in range(ROUNDS.get(peer.name, FEW_ROUNDS)):
        random = Random(number)
        cell = random.choice(CELLS)
        server = stage.server(peer, peer.setup(cell, stage.files))
        try:
            attempt(peer, cell, server, engines.provider("native"), shattered(random))
        except Exception as error:
            raise AssertionError(f"round {number}, {cell}: {type(error).__name__}: {error}") from error
