"""Real servers refuse us, or we them: it ends with an error of ours, and the server goes on to the next client."""

from __future__ import annotations

import os

import pytest

from interop.cells import Cell
from interop.peers import ALL, HERE
from interop.peers.base import OwnServer, Peer, Refused, receive
from interop.stage import Server, Stage
from interop.trial import attempt
from lighttls import (
    CertificateError,
    ChainReason,
    CipherSuite,
    ClientConfig,
    Identity,
    NamedGroup,
    PeerAlert,
    TLSSocket,
    TransportError,
    TruncatedStream,
    connect,
)
from lighttls.messages import HelloRequest
from lighttls.testing import ec_key, issue
from support import engines, pki, require

NATIVE = engines.provider("native")

CELL = Cell(CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, NamedGroup.X25519, "ecdsa", "none", "none")


def _name(peer: Peer) -> str:
    return peer.name


@pytest.fixture(params=HERE, ids=_name)
def peer(request: pytest.FixtureRequest) -> Peer:
    peer: Peer = request.param
    require.peer(peer.missing())
    require.native()
    return peer


@pytest.fixture
def server(peer: Peer, stage: Stage) -> Server:
    """Demands a certificate of our devices' authority."""
    return stage.server(peer, peer.setup(CELL, stage.files))


def dial(server: Server, config: ClientConfig, name: str = "localhost") -> TLSSocket:
    return connect(server.address, config, server_hostname=name, timeout=20, deadline=60)


@pytest.mark.parametrize("certificate", ["none", "of a stranger"])
def test_device_without_a_certificate_that_the_server_trusts_gets_no_answer(
    certificate: str, peer: Peer, server: Server
) -> None:
    """Most send an alert. BearSSL, and mbedTLS and wolfSSL when no certificate comes, close; nginx says it in HTTP."""
    stranger = issue("stranger", ec_key(), extended_key_usage=("client_auth",))
    identity = Identity.from_pem(stranger.to_pem() + stranger.key.to_pem())
    config = pki.config(identity=None if certificate == "none" else identity)
    with pytest.raises((PeerAlert, TruncatedStream, TransportError, Refused)), dial(server, config) as tls:
        peer.talk(tls)
    assert attempt(peer, CELL, server, NATIVE).lacks == {}


def test_server_of_another_name_is_refused_and_serves_on(peer: Peer, server: Server) -> None:
    with pytest.raises(CertificateError) as caught:
        dial(server, pki.config(pki.shared().ec_device), "other.example")
    assert caught.value.reason is ChainReason.NAME_MISMATCH
    assert attempt(peer, CELL, server, NATIVE).lacks == {}


if ALL:  # of the servers that CI has, none asks

    @pytest.mark.parametrize(
        "peer", [peer for peer in HERE if peer.name in ("Botan", "mbedTLS")], indirect=True, ids=_name
    )
    def test_server_that_asks_for_another_handshake_is_declined_and_data_go_on(peer: Peer, stage: Stage) -> None:
        """HS-09, HS-12. mbedTLS asks eight times. BearSSL and wolfSSL cannot ask and go on without."""
        server = stage.server(peer, (*peer.setup(CELL, stage.files), "--renegotiate", "yes"))
        with dial(server, pki.config(pki.shared().ec_device, trace=True)) as tls:
            peer.talk(tls)
            peer.talk(tls)
            trace = tls.connection.trace or ()
            asked = [entry for entry in trace if isinstance(entry.message, HelloRequest)]
        assert asked


@pytest.mark.parametrize("peer", [peer for peer in HERE if isinstance(peer, OwnServer)], indirect=True, ids=_name)
def test_hundred_kilobytes_come_back(peer: Peer, server: Server) -> None:
    data = os.urandom(100_000)
    with dial(server, pki.config(pki.shared().ec_device)) as tls:
        tls.sendall(data)
        assert receive(tls, len(data)) == data
