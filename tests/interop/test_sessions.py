"""Sessions saved in one process and resumed in another, by ticket and by ID, against OpenSSL, GnuTLS and nginx.

The server is one process all along, as it is for a device that reboots; each client is a process of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from interop.device import OTHER_KEY, Device
from interop.peers import ALL
from interop.peers.base import Files, Peer, Setup, Word, find, missing_program
from interop.peers.gnutls import PRIORITY
from interop.stage import Server
from lighttls.crypto.provider import CryptoProvider
from support import require

HOUR = 3600
BY = ("ticket", "id")


class SessionPeer(Peer):
    """A server that remembers sessions by tickets, or by IDs alone, and takes certificates without asking for them."""

    program: str
    ready: str | None = None
    question = "over\n"
    ends: tuple[str, ...] = ("over\n",)


class OpenSSL(SessionPeer):
    program = "openssl"
    in_ci = True
    ready = r"^ACCEPT \S+:(\d+)$"
    ends = ("revo\n",)

    def command(self, setup: Setup, files: Files, port: int) -> Sequence[Word]:
        return [
            *("openssl", "s_server", "-accept", "127.0.0.1:0", "-tls1_2", "-rev"),
            *("-cert", files.chain("ecdsa"), "-cert_chain", files.chain("ecdsa"), "-key", files.key("ecdsa")),
            *("-CAfile", files.clients, "-verify", "2"),
            *(() if setup == ("ticket",) else ("-no_ticket",)),
        ]


class GnuTLS(SessionPeer):
    program = "gnutls-serv"
    in_ci = True

    def command(self, setup: Setup, files: Files, port: int) -> Sequence[Word]:
        return [
            *("gnutls-serv", "--echo", "--crlf", "--port", str(port), "--priority", PRIORITY),
            *("--x509certfile", files.chain("ecdsa"), "--x509keyfile", files.key("ecdsa")),
            *("--x509cafile", files.clients),
            *(() if setup == ("ticket",) else ("--noticket",)),
        ]


class Nginx(SessionPeer):
    """Says in its answer whether the session was resumed: r, or a dot."""

    program = "nginx"
    question = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    ends = ("\r\n\r\nr\n", "\r\n\r\n.\n")

    def command(self, setup: Setup, files: Files, port: int) -> Sequence[Word]:
        temporary = "client_body", "proxy", "fastcgi", "uwsgi", "scgi"
        text = f"""
            daemon off; master_process off; pid nginx.pid; error_log stderr;
            {"user root;" if os.geteuid() == 0 else ""}
            events {{}}
            http {{
                access_log off;
                {" ".join(f"{name}_temp_path {name};" for name in temporary)}
                server {{
                    listen 127.0.0.1:{port} ssl;
                    ssl_certificate {files.chain("ecdsa")}; ssl_certificate_key {files.key("ecdsa")};
                    ssl_client_certificate {files.clients}; ssl_verify_client optional;
                    ssl_protocols TLSv1.2; ssl_session_cache shared:sessions:1m;
                    ssl_session_tickets {"on" if setup == ("ticket",) else "off"};
                    return 200 "$ssl_session_reused\\n";
                }}
            }}
        """
        path = files.write("nginx.conf", text)
        return [find("nginx") or "nginx", "-p", files.folder, "-c", path, "-e", "stderr"]


PEERS: dict[str, SessionPeer] = {"OpenSSL": OpenSSL(), "GnuTLS": GnuTLS(), "nginx": Nginx()}
HERE = [name for name, peer in PEERS.items() if peer.in_ci or ALL]


class Site:
    """A server, and a device that visits it."""

    def __init__(self, peer: SessionPeer, by: str, folder: Path) -> None:
        require.peer(missing_program(peer.program))
        self.device = Device(folder, peer.question, *peer.ends)
        self._peer, self._setup, self._files, self._log = peer, (by,), Files(folder), folder / "log"

    @contextmanager
    def open(self) -> Iterator[Server]:
        server = Server(self._peer, self._setup, self._files, self._log)
        try:
            yield server
        finally:
            server.end()


@pytest.fixture(params=[(peer, by) for peer in HERE for by in BY], ids="-".join)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    peer, by = request.param
    return Site(PEERS[peer], by, tmp_path)


def test_session_of_one_process_is_resumed_by_another(site: Site, provider: CryptoProvider) -> None:
    device = site.device
    with site.open() as server:
        visits = [device.run(server, engine=provider.name) for _ in range(3)]
        assert visits == [False, True, True]
        assert device.warnings == ""


def test_server_that_lost_its_memory_leads_to_a_full_handshake(site: Site) -> None:
    """RESUME-03: its ticket key is new after a restart, and its cache empty."""
    for _ in range(2):
        with site.open() as server:
            assert [site.device.run(server) for _ in range(2)] == [False, True]


def test_session_is_not_resumed_after_its_end(site: Site) -> None:
    """RESUME-02, TICKET-15: by the device's clock. The server would still have it."""
    with site.open() as server:
        assert not site.device.run(server)
        assert site.device.run(server, later=100)
        assert not site.device.run(server, later=25 * HOUR)


def test_session_is_not_resumed_under_another_policy(site: Site) -> None:
    """RESUME-01: other anchors, another depth; the first session stays good for the first policy."""
    device = site.device
    with site.open() as server:
        assert not device.run(server)
        assert not device.run(server, roots=device.more_roots())
        assert not device.run(server, depth=5)
        assert device.run(server)
        assert device.run(server, roots=device.more_roots())


def test_session_is_not_resumed_with_another_identity(site: Site) -> None:
    """RESUME-01: each certificate of ours has its own session, and having none is one more."""
    device = site.device
    identities = [None, device.identity("ec_device"), device.identity("rsa_device")]
    with site.open() as server:
        for expected in (False, True):
            assert [device.run(server, identity=each) for each in identities] == [expected] * 3


def test_session_is_not_resumed_with_another_name(site: Site) -> None:
    """RESUME-01, SNI-04: also where the certificate's names are not looked at."""
    device = site.device
    with site.open() as server:
        for expected in (False, True):
            for name in ("localhost", "other.example"):
                assert device.run(server, host=name, checks_name=False) is expected


def test_altered_file_or_other_key_is_a_full_handshake_and_the_file_is_made_anew(site: Site) -> None:
    device = site.device
    with site.open() as server:
        assert not device.run(server)
        altered = bytearray(device.sessions.read_bytes())
        altered[-1] ^= 1
        device.sessions.write_bytes(altered)
        assert not device.run(server)
        assert "was altered" in device.warnings
        assert device.run(server)
        assert not device.run(server, key=OTHER_KEY)
        assert device.run(server, key=OTHER_KEY)
