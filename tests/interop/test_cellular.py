"""The profile cellular, resumption, False Start and the end of a connection, against OpenSSL, GnuTLS and nginx."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from interop.peers.base import Files, Setup, Word, missing_program
from interop.stage import Server
from interop.test_sessions import BY, HERE, PEERS, GnuTLS, OpenSSL, SessionPeer
from lighttls import ClientConfig, ConnectionInfo, MemorySessionStore, Stream
from lighttls.crypto.provider import CryptoProvider
from lighttls.transports import SocketTransport
from support import pki, require

HELLO = 97  # bytes; the name "localhost" is 42 shorter than that of docs/bytes.md, which has one of 140


class Counted(SocketTransport):
    """What left in one piece, by its length."""

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(socket.create_connection(address, 20))
        self.pieces: list[int] = []

    def send(self, data: bytes) -> int:
        self.pieces.append(len(data))
        return super().send(data)


class Site:
    """A server that is visited."""

    def __init__(self, peer: SessionPeer, server: Server) -> None:
        self.peer, self.server = peer, server

    def visit(self, config: ClientConfig, *, cut: bool = False) -> tuple[ConnectionInfo, list[int]]:
        """Ask, hear the answer, and part, or cut the link; what was agreed, and our pieces."""
        link = Counted(self.server.address)
        with Stream(link, config, "localhost", timeout=20, deadline=60) as tls:
            tls.sendall(self.peer.question.encode())
            answer = b""
            while not answer.endswith(tuple(end.encode() for end in self.peer.ends)):
                part = tls.recv(1000)
                assert part, answer
                answer += part
            info = tls.info
            if cut:
                link.socket.shutdown(socket.SHUT_RDWR)
        return info, link.pieces


class OpenSSLWithoutQuestions(OpenSSL):
    """Asks for no certificate: false start is not for those who send one."""

    def command(self, setup: Setup, files: Files, port: int) -> Sequence[Word]:
        return [word for word in super().command(setup, files, port) if word not in ("-verify", "2")]


class GnuTLSWithoutQuestions(GnuTLS):
    def command(self, setup: Setup, files: Files, port: int) -> Sequence[Word]:
        return [*super().command(setup, files, port), "--disable-client-cert"]


KINDS: dict[str, SessionPeer] = {
    **PEERS,
    "open OpenSSL": OpenSSLWithoutQuestions(),
    "open GnuTLS": GnuTLSWithoutQuestions(),
}


@pytest.fixture(params=[(peer, by) for peer in HERE for by in BY], ids="-".join)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    name, by = request.param
    peer = KINDS[name]
    require.peer(missing_program(peer.program))
    server = Server(peer, (by,), Files(tmp_path), tmp_path / "log")
    try:
        yield Site(peer, server)
    finally:
        server.end()


def cellular(provider: CryptoProvider, **settings: object) -> ClientConfig:
    return pki.config(profile="cellular", provider=provider, **settings)


def test_session_is_resumed_and_finished_leaves_with_the_data(site: Site, provider: CryptoProvider) -> None:
    config = cellular(provider, sessions=MemorySessionStore())
    info, pieces = site.visit(config)
    assert not info.session_resumed
    assert (pieces[0], len(pieces)) == (HELLO + 5, 4)  # hello; our flight; data; close_notify
    info, pieces = site.visit(config)
    assert info.session_resumed
    assert len(pieces) == 3


@pytest.mark.parametrize("site", [("open OpenSSL", "id"), ("open GnuTLS", "id")], indirect=True, ids="-".join)
def test_false_start_sends_data_with_our_finished(site: Site, provider: CryptoProvider) -> None:
    config = cellular(provider, false_start=True)
    early = [site.visit(config) for _ in range(3)]
    question = len(site.peer.question)
    assert [info.early_bytes for info, _ in early] == [0, question, question]
    assert [len(pieces) for _, pieces in early] == [4, 3, 3]


@pytest.mark.parametrize("site", [("OpenSSL", "id")], indirect=True, ids="-".join)
def test_openssl_forgets_the_id_of_a_connection_that_just_ends(site: Site, provider: CryptoProvider) -> None:
    """So `close` sends close_notify. docs/bytes.md and docs/sessions.md say so."""
    config = cellular(provider, sessions=MemorySessionStore())
    ends = [False, False, True, False]  # whether the link is cut
    assert [site.visit(config, cut=cut)[0].session_resumed for cut in ends] == [False, True, True, False]


@pytest.mark.parametrize("site", [("OpenSSL", "ticket"), ("GnuTLS", "id")], indirect=True, ids="-".join)
def test_tickets_and_other_servers_survive_a_cut(site: Site, provider: CryptoProvider) -> None:
    config = cellular(provider, sessions=MemorySessionStore())
    assert [site.visit(config, cut=True)[0].session_resumed for _ in range(3)] == [False, True, True]
