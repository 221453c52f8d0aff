"""Whatever carries them, the bytes are the same: nothing below TLS adds, loses, alters or reorders any of them.

With entropy and clock fixed on both sides and RSA PKCS #1 v1.5 signatures, which have no randomness, a connection is a
constant. What passes without a wire is the reference; over every carrier of `support.carriers` a full handshake with a
client certificate and a resumed one, and the data after each, must be the same bytes both ways. OpenSSL draws its own
randomness: with it events and lengths are the same.
"""

from __future__ import annotations

import hashlib
import re
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import pytest
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hostile import certificates, keys, wire
from hostile.server import Server
from hostile.steps import alert
from interop.test_openssl import SServer
from lighttls import ClientConfig, ClientConnection, Identity, MemorySessionStore, TrustStore, software_key
from lighttls.events import DataReceived, HandshakeCompleted, PeerClosed, SessionAvailable
from lighttls.transports import driver
from support import pki
from support.carriers import BY_TCP, IN_PROCESS, LAST, LINES, Site
from support.memory_server import MemoryServer
from support.require import REPOSITORY

NOW = time.time()
PKCS1 = 0x0401  # rsa_pkcs1_sha256
SUITE = 0xC02F  # TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
TICKET = b"what only its server can read"
AT_ONCE = 8
COUNTS = ("bytes_sent", "bytes_received")  # so far, which depends on how the bytes are cut
CARRIERS = BY_TCP | IN_PROCESS

each_carrier = pytest.mark.parametrize("carrier", CARRIERS)


def entropy(label: str) -> Callable[[int], bytes]:
    """The same bytes in every run, others at each draw."""
    drawn = 0

    def draw(count: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return hashlib.shake_256(f"{label} {drawn}".encode()).digest(count)

    return draw


# --- the scripted server -----------------------------------------------------------------------------


class Scripted(Server):
    """The hostile server on its best behaviour: it echoes, and at the last line it says goodbye."""

    def receive(self, data: bytes) -> None:
        super().receive(data)
        if self.received.endswith(LAST) and self.echo:
            self.echo = False
            self.outgoing += alert(wire.WARNING, 0)(self)


def scripted() -> Site:
    """It takes back the session of the connection before."""
    draw, servers = entropy("server"), list[Scripted]()

    def make() -> Scripted:
        ephemeral = keys.Ephemeral(wire.X25519)
        ephemeral.private = x25519.X25519PrivateKey.from_private_bytes(draw(32))
        ephemeral.public = ephemeral.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        server = Scripted(
            certificates.leaf("rsa2048"),
            suite=SUITE,
            scheme=PKCS1,
            ephemeral=ephemeral,
            hello={"random": draw(32)},
            request=wire.certificate_request(schemes=(PKCS1,)),
            ticket=TICKET,
            lifetime=3600,
            known={TICKET: servers[-1].master} if servers else {},
        )
        servers.append(server)
        return server

    return Site(certificates.HOST, make)


def scripted_client(**settings: Any) -> ClientConfig:
    device = certificates.device("rsa2048/device")
    return ClientConfig(
        trust=trust(),
        identity=Identity(device.chain, software_key(device.key_pem)),
        sessions=MemorySessionStore(),
        insecure_entropy=entropy("client"),
        clock=lambda: NOW,
        **settings,
    )


@cache
def trust() -> TrustStore:
    """One for all, since an anchor equals only itself."""
    return TrustStore.from_der(certificates.root())


# --- OpenSSL -------------------------------------------------------------------------------------------


class OpenSSL:
    """In memory; it echoes, and at the last line it says goodbye."""

    def __init__(self, server: MemoryServer) -> None:
        self.server = server
        self.gone = False

    def receive(self, data: bytes) -> None:
        self.server.receive(data)
        assert self.server.error is None, self.server.error
        if not self.server.established or self.gone:
            return
        heard = self.server.read()
        if heard == LAST:
            self.gone = True
            with suppress(ssl.SSLWantReadError):  # it would wait for the client's close_notify
                self.server.tls.unwrap()
        elif heard:
            self.server.tls.write(heard)

    def take(self) -> bytes:
        return self.server.take()


def openssl() -> Site:
    first = MemoryServer(pki.shared().rsa_server, ask_client=True)
    return Site("localhost", lambda: OpenSSL(first.again()))


def openssl_client() -> ClientConfig:
    return pki.config(pki.shared().rsa_device, sessions=MemorySessionStore(), cipher_suites=[SUITE])


class Process:
    """An `openssl s_server`, which answers each line with the same line reversed, and closes at the last."""

    host = "localhost"

    def __init__(self, folder: Path) -> None:
        self._server = SServer(folder, "-Verify", "2", "-verify_return_error")

    def __enter__(self) -> Process:
        self._server.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()

    @contextmanager
    def listening(self) -> Iterator[int]:
        yield self._server.port


# --- what a connection looks like ----------------------------------------------------------------------


class Watched(ClientConnection):
    """Keeps what passes between the face above it and the carrier below, and what is told."""

    made: ClassVar[list[Watched]] = []

    def __init__(self, config: ClientConfig, *given: Any, **settings: Any) -> None:
        super().__init__(config, *given, **settings)
        self.config, self.sent, self.received = config, b"", b""
        self.events: list[Any] = []
        self.made.append(self)

    def receive_data(self, data: bytes) -> list[Any]:
        self.received += data
        told = super().receive_data(data)
        self.events += told
        return told

    def data_to_send(self, max_bytes: int | None = None) -> bytes:
        data = super().data_to_send(max_bytes)
        self.sent += data
        return data

    @property
    def data(self) -> list[bytes]:
        return [event.data for event in self.events if isinstance(event, DataReceived)]

    def contents(self) -> list[Any]:
        """The events, without what depends on how the bytes are cut."""
        return [comparable(event) for event in self.events]

    def shape(self) -> tuple[Any, ...]:
        """The kinds of the events; type and length of each record that went, and of each that came."""
        directions = []
        for stream in (self.sent, self.received):
            records, rest = wire.split_records(stream)
            assert not rest
            directions.append([(kind, len(fragment)) for kind, _, fragment in records])
        return [type(event) for event in self.events], *directions


def comparable(event: Any) -> Any:
    match event:
        case HandshakeCompleted(info=info):
            return [getattr(info, name) for name in type(info).__slots__ if name not in COUNTS]
        case SessionAvailable(session=session):
            return session.to_bytes()
    return event


def twice(carrier: str, site: Any, config: ClientConfig) -> list[Watched]:
    """A full handshake and a resumed one over one carrier; what left one end is what came to the other."""
    with site, CARRIERS[carrier](site) as talk:
        talk(config)
        talk(config)
    made = [each for each in Watched.made if each.config is config]
    if isinstance(site, Site):
        assert [each.heard for each in site.connections] == [each.sent for each in made]
        assert [each.said for each in site.connections] == [each.received for each in made]
    return made


@pytest.fixture(scope="module", autouse=True)
def _watched() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(driver, "ClientConnection", Watched)
        yield
    Watched.made.clear()


class Runs:
    """What each carrier made of one site. The references come first, since making them makes the certificates too."""

    def __init__(
        self, references: dict[str, list[Watched]], run: Callable[[str], list[Watched]], pool: ThreadPoolExecutor
    ) -> None:
        self.references = references
        self._run = run
        self._under_way = {name: pool.submit(run, name) for name in BY_TCP}

    def of(self, carrier: str) -> list[Watched]:
        return self._under_way[carrier].result() if carrier in BY_TCP else self._run(carrier)


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    """Carriers in real time mostly wait, so some of them run at a time.

    Their servers are then started by several threads. Twice in many runs of all tests execve refused one with EFAULT,
    always here; with vfork, which has a process to be share the memory of all those threads, that is not far to seek.
    """
    pool = ThreadPoolExecutor(AT_ONCE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "_USE_VFORK", False)
        yield pool
        pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="module")
def with_script(pool: ThreadPoolExecutor, _watched: None) -> Runs:
    def run(name: str) -> list[Watched]:
        return twice(name, scripted(), scripted_client())

    return Runs(dict.fromkeys(CARRIERS, run("no-wire")), run, pool)


@pytest.fixture(scope="module")
def with_openssl(pool: ThreadPoolExecutor, tmp_path_factory: pytest.TempPathFactory, _watched: None) -> Runs:
    """In memory, or `openssl s_server` where a carrier gets to TCP."""

    def run(name: str) -> list[Watched]:
        return twice(name, Process(tmp_path_factory.mktemp(name)) if name in BY_TCP else openssl(), openssl_client())

    return Runs(dict.fromkeys(IN_PROCESS, run("no-wire")) | dict.fromkeys(BY_TCP, run("socket")), run, pool)


# --- the tests -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("runs", "carrier"), [("with_script", "no-wire"), ("with_openssl", "no-wire"), ("with_openssl", "socket")]
)
def test_references_are_a_mutual_handshake_and_a_resumed_one(
    request: pytest.FixtureRequest, runs: str, carrier: str
) -> None:
    """Without this the tests below would prove little."""
    full, resumed = request.getfixturevalue(runs).references[carrier]
    assert full.info.client_certificate_sent
    assert full.info.client_signature_scheme is not None
    assert not full.info.session_resumed
    assert resumed.info.session_resumed
    for each in (full, resumed):
        assert [len(data) for data in each.data[: len(LINES)]] == [len(line) for line in LINES]
        assert isinstance(each.events[-1], PeerClosed)


@each_carrier
def test_scripted_connections_are_the_same_bytes_over_every_carrier(with_script: Runs, carrier: str) -> None:
    check_same(with_script.of(carrier), with_script.references[carrier])


def test_scripted_connections_are_the_same_bytes_on_every_engine(with_script: Runs, provider: Any) -> None:
    check_same(twice("no-wire", scripted(), scripted_client(provider=provider)), with_script.references["no-wire"])


@each_carrier
def test_openssl_has_the_same_events_and_lengths_over_every_carrier(with_openssl: Runs, carrier: str) -> None:
    """RSA signatures are all of one length, so the lengths are the same, not only nearly."""
    for ours, reference in zip(with_openssl.of(carrier), with_openssl.references[carrier], strict=True):
        assert ours.shape() == reference.shape()
        assert [len(data) for data in ours.data] == [len(data) for data in reference.data]


def check_same(connections: list[Watched], references: list[Watched]) -> None:
    for ours, reference in zip(connections, references, strict=True):
        assert ours.sent == reference.sent
        assert ours.received == reference.received
        assert ours.contents() == reference.contents()


def test_page_on_transports_names_every_carrier() -> None:
    page = (REPOSITORY / "docs" / "transports.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)…?` \|.*\| (in memory|`s_server`) \|$", page, re.MULTILINE))

    def row(carrier: str) -> str:
        return max(
            (name for name in rows if carrier == name or (carrier.startswith(name) and name[-1] == "-")), key=len
        )

    assert {row(carrier) for carrier in CARRIERS} == set(rows)
    assert all((rows[row(carrier)] == "`s_server`") == (carrier in BY_TCP) for carrier in CARRIERS)
