"""Round trips saved against real servers: the first data leave in one piece with our Finished."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial

import pytest

from interop.cells import Cell
from interop.deliveries import HEADER, dial
from interop.peers import HERE
from interop.peers.base import Peer
from interop.stage import Server, Stage
from lighttls import CipherSuite, ClientConfig, ConnectionInfo, MemorySessionStore, NamedGroup
from lighttls.crypto.provider import CryptoProvider
from lighttls.iana import ContentType
from lighttls.profiles import DEFAULT
from lighttls.transports import SocketTransport
from support import pki, require

SUITE = CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256

Connect = Callable[[ClientConfig], tuple[ConnectionInfo, list[bytes]]]


class Recording(SocketTransport):
    """Keeps what was sent, piece by piece."""

    def __init__(self, connected: socket.socket, pieces: list[bytes]) -> None:
        super().__init__(connected)
        self._pieces = pieces

    def send(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return super().send(data)


@pytest.fixture(params=HERE, ids=lambda peer: peer.name)
def connect(request: pytest.FixtureRequest, stage: Stage) -> Connect:
    """One connection to a peer and a talk with it; its info and what we sent."""
    peer: Peer = request.param
    require.peer(peer.missing())
    cell = Cell(SUITE, NamedGroup.SECP256R1, "none", "none", "none")
    server: Server = stage.server(peer, peer.setup(cell, stage.files))

    def once(config: ClientConfig) -> tuple[ConnectionInfo, list[bytes]]:
        pieces: list[bytes] = []
        make = partial(Recording, pieces=pieces)
        with dial(make, server.address, config, server_hostname="localhost", timeout=20, deadline=60) as tls:
            peer.talk(tls)
            return tls.info, pieces

    return once


def test_data_leave_with_finished_in_a_false_start_but_not_in_the_first_handshake(
    connect: Connect, provider: CryptoProvider
) -> None:
    """RFC 7918."""
    config = pki.config(cipher_suites=[SUITE], false_start=True, provider=provider)
    for known in (False, True):
        info, (_, finished, *_) = connect(config)
        assert not info.session_resumed
        assert (_content_types(finished)[-1] == ContentType.APPLICATION_DATA) is known


def test_data_leave_with_finished_in_a_resumed_handshake(connect: Connect, provider: CryptoProvider) -> None:
    config = pki.config(
        profile="cellular",
        signature_schemes=DEFAULT.signature_schemes,  # JSSE sends no chain with a signature that we do not offer: RSA
        sessions=MemorySessionStore(1),
        allow_non_ems_resumption=True,
        provider=provider,
    )
    for resumed in (False, True):
        info, (_, finished, *_) = connect(config)
        assert info.session_resumed is resumed
        assert (_content_types(finished)[-1] == ContentType.APPLICATION_DATA) is resumed


def _content_types(piece: bytes) -> list[int]:
    """Of the whole records in it."""
    found = []
    while piece:
        found.append(piece[0])
        piece = piece[HEADER + int.from_bytes(piece[3:HEADER], "big") :]
    return found
