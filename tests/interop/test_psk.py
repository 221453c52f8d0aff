"""Pre-shared keys with real servers: every suite, resumed by ticket and by ID; wrong keys, unknown names, hints.

What a server has not is tried as well. As in test_matrix.py, a change meets the servers that CI has, and `make interop`
all of them; the results stand in docs/interop.md.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from interop.cells import Cell
from interop.peers import HERE
from interop.peers.base import Peer
from interop.stage import Server, Stage
from lighttls import (
    Alert,
    CipherSuite,
    ClientConfig,
    ConnectionInfo,
    HandshakeFailure,
    MemorySessionStore,
    NamedGroup,
    PeerAlert,
    Psk,
    PskRequest,
    TruncatedStream,
    connect,
)
from lighttls.crypto.provider import CryptoProvider
from lighttls.crypto.suites import SUITES
from lighttls.iana import name_of
from support import require

IDENTITY, KEY = "device 7", bytes(range(32))
PSK = Psk(IDENTITY, KEY)
Choice = Callable[[PskRequest], Psk | None]
PSK_SUITES = [suite for suite in SUITES if SUITES[suite].pre_shared]
COMMON_SUITE = CipherSuite.TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256
CERTIFICATE_CELL = Cell(CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, NamedGroup.X25519, "none", "none", "none")

HINTS = {"OpenSSL": "-psk_hint", "GnuTLS": "--pskhint", "Botan": "--hint", "wolfSSL": "--hint"}


def start(peer: Peer, stage: Stage, *more: str) -> Server:
    """A process that shares our key, or has certificates alone if it cannot."""
    require.peer(peer.missing())
    setup = peer.psk_setup(IDENTITY, KEY, stage.files)
    return stage.server(peer, (*setup, *more) if setup else peer.setup(CERTIFICATE_CELL, stage.files))


def talk(peer: Peer, server: Server, config: ClientConfig | None = None, psk: Psk | Choice = PSK) -> ConnectionInfo:
    """By the suite that all have who have any."""
    config = config or ClientConfig(trust=None, psk=psk, cipher_suites=[COMMON_SUITE])
    with connect(server.address, config, server_hostname="localhost", timeout=20, deadline=60) as tls:
        peer.talk(tls)
        return tls.info


def attempt(
    peer: Peer, server: Server, suite: CipherSuite, resumption: str, provider: CryptoProvider
) -> tuple[dict[str, str], bool]:
    """What was lacking, by axis of the matrix, and whether the connection ended for it."""
    config = ClientConfig(
        trust=None,
        psk=PSK,
        cipher_suites=[suite],
        sessions=MemorySessionStore(1) if resumption != "none" else None,
        offer_tickets=resumption == "ticket",
        provider=provider,
    )
    lack = peer.lacks_psk(suite)
    try:
        info = talk(peer, server, config)
    except PeerAlert as error:
        if not lack:
            raise
        return {"suite": f"{lack} (its alert: {name_of(Alert, error.description)})"}, True
    assert not lack, "it has it after all"
    assert (info.cipher_suite, info.psk_identity) == (suite, IDENTITY.encode())
    assert (info.group is None) is suite.name.startswith("TLS_PSK_")
    if resumption != "none":
        assert talk(peer, server, config).session_resumed
    return {}, False


@pytest.mark.parametrize("peer", HERE, ids=lambda peer: peer.name)
def test_every_suite_that_a_server_has_works_and_is_resumed(
    peer: Peer, stage: Stage, provider: CryptoProvider, results: dict[str, dict[str, object]]
) -> None:
    server = start(peer, stage)
    seen = []
    for suite in PSK_SUITES:
        for resumption in ("none", "ticket", "id"):
            seen.append((suite.name, resumption, *attempt(peer, server, suite, resumption, provider)))
    if provider.name == "native":
        results.setdefault(peer.name, {"version": peer.version()})["psk"] = seen


SHARING = [peer for peer in HERE if not peer.lacks_psk(COMMON_SUITE)]


@pytest.mark.parametrize("peer", SHARING, ids=lambda peer: peer.name)
def test_wrong_key_ends_the_handshake(peer: Peer, stage: Stage) -> None:
    server = start(peer, stage)
    with pytest.raises(PeerAlert) as caught:
        talk(peer, server, psk=Psk(IDENTITY, bytes(32)))
    assert caught.value.description == Alert.BAD_RECORD_MAC
    assert talk(peer, server).psk_identity == IDENTITY.encode()


@pytest.mark.parametrize("peer", [peer for peer in SHARING if peer.name != "OpenSSL"], ids=lambda peer: peer.name)
def test_unknown_name_ends_the_handshake(peer: Peer, stage: Stage) -> None:
    """s_server looks at the key alone; wolfSSL says nothing."""
    server = start(peer, stage)
    with pytest.raises((PeerAlert, TruncatedStream)):
        talk(peer, server, psk=Psk("device 8", KEY))
    assert talk(peer, server).psk_identity == IDENTITY.encode()


@pytest.mark.parametrize("peer", [peer for peer in HERE if peer.name in HINTS], ids=lambda peer: peer.name)
def test_hint_reaches_whoever_chooses_the_key(peer: Peer, stage: Stage) -> None:
    asked: list[PskRequest] = []

    def choose(request: PskRequest) -> Psk | None:
        asked.append(request)
        return PSK if request.identity_hint == b"plant 3" else None

    server = start(peer, stage, HINTS[peer.name], "plant 3")
    assert talk(peer, server, psk=choose).psk_identity == IDENTITY.encode()
    assert asked == [PskRequest("localhost", COMMON_SUITE, b"plant 3")]
    with pytest.raises(HandshakeFailure):
        talk(peer, start(peer, stage), psk=choose)
