"""The two sides of every comparison, in memory: TLS clients behind one shape, and OpenSSL as their server."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from lighttls import ClientConfig, ClientConnection, Identity, TrustStore
from lighttls.crypto import by_name
from lighttls.session import SessionStore
from lighttls.testing.pki import Certificate, PrivateKey, chain_pem, ec_key, issue, rsa_key

HOST = "server.example"
READ_SIZE = 65536


class ClientClock:
    """Seconds of CPU that this thread has spent inside `with clock:`; as a call, a timer for pytest-benchmark."""

    def __init__(self) -> None:
        self._spent = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        began = time.thread_time_ns()
        try:
            yield
        finally:
            self._spent += time.thread_time_ns() - began

    def __call__(self) -> float:
        return self._spent / 1e9


class Client(Protocol):
    """A TLS client without I/O."""

    @property
    def established(self) -> bool:
        """The handshake is over."""

    @property
    def resumed(self) -> bool:
        """The server went on with an earlier session."""

    def start(self) -> bytes:
        """The first flight."""

    def receive(self, flight: bytes) -> bytes:
        """Our answer to the server's flight."""

    def send_each(self, messages: Iterable[bytes]) -> None:
        """Protect messages one by one and take their records."""

    def receive_each(self, records: Iterable[bytes], size: int) -> None:
        """Open what arrives piece by piece, `size` bytes of plaintext in each."""


class LightTLSClient:
    def __init__(self, config: ClientConfig) -> None:
        self._connection = ClientConnection(config, HOST)

    @property
    def established(self) -> bool:
        return self._connection.is_established

    @property
    def resumed(self) -> bool:
        return self._connection.info.session_resumed

    def start(self) -> bytes:
        self._connection.initiate_connection()
        return self._connection.data_to_send()

    def receive(self, flight: bytes) -> bytes:
        self._connection.receive_data(flight)
        return self._connection.data_to_send()

    def send_each(self, messages: Iterable[bytes]) -> None:
        send, take = self._connection.send_data, self._connection.data_to_send
        for message in messages:
            send(message)
            take()

    def receive_each(self, records: Iterable[bytes], size: int) -> None:
        receive = self._connection.receive_data
        for piece in records:
            left = size
            for event in receive(piece):
                left -= len(event.data)
            assert left == 0


class BufferLightTLSClient(LightTLSClient):
    """Receives to a buffer of the owner's."""

    def receive_each(self, records: Iterable[bytes], size: int) -> None:
        receive, buffer = self._connection.receive_data_into, bytearray(size)
        for piece in records:
            assert receive(piece, buffer) == (size, [])


class SslClient:
    """A client of the `ssl` module, or of a module of the same shape."""

    def __init__(self, module: ModuleType, context: Any, session: Any = None) -> None:
        self._want_read = module.SSLWantReadError
        self._incoming, self._outgoing = module.MemoryBIO(), module.MemoryBIO()
        given = {} if session is None else {"session": session}
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=HOST, **given)
        self.established = False

    @property
    def resumed(self) -> bool:
        return bool(self._tls.session_reused)

    @property
    def session(self) -> Any:
        """What the next client may resume with. OpenSSL forgets the sessions of connections that were not closed."""
        with suppress(self._want_read):
            self._tls.unwrap()
        return self._tls.session

    def start(self) -> bytes:
        return self.receive(b"")

    def receive(self, flight: bytes) -> bytes:
        self._incoming.write(flight)
        with suppress(self._want_read):
            self._tls.do_handshake()
            self.established = True
        return self._outgoing.read()

    def send_each(self, messages: Iterable[bytes]) -> None:
        send, take = self._tls.write, self._outgoing.read
        for message in messages:
            send(message)
            take()

    def receive_each(self, records: Iterable[bytes], size: int) -> None:
        give, read = self._incoming.write, self._tls.read
        for piece in records:
            give(piece)
            left = size
            while left:
                left -= len(read(READ_SIZE))


class BufferSslClient(SslClient):
    """Receives to a buffer of the owner's."""

    def receive_each(self, records: Iterable[bytes], size: int) -> None:
        give, read, buffer = self._incoming.write, self._tls.read, memoryview(bytearray(size))
        for piece in records:
            give(piece)
            done = 0
            while done < size:
                done += read(size - done, buffer[done:])


class PyOpenSslClient:
    """A client of pyOpenSSL, which keeps OpenSSL's shape: bytes go in and out of its own BIOs."""

    def __init__(self, connection: Any, session: Any = None) -> None:
        connection.set_tlsext_host_name(HOST.encode())
        self._master_before = b""
        if session is not None:
            connection.set_session(session[0])
            self._master_before = session[1]
        connection.set_connect_state()
        self._tls = connection
        self.established = False

    @property
    def resumed(self) -> bool:
        return bool(self._tls.master_key() == self._master_before)

    @property
    def session(self) -> Any:
        """What the next client may resume with. OpenSSL forgets the sessions of connections that were not closed."""
        self._tls.shutdown()
        return self._tls.get_session(), self._tls.master_key()

    def start(self) -> bytes:
        return self.receive(b"")

    def receive(self, flight: bytes) -> bytes:
        from OpenSSL import SSL

        if flight:
            self._tls.bio_write(flight)
        with suppress(SSL.WantReadError):
            self._tls.do_handshake()
            self.established = True
        with suppress(SSL.WantReadError):
            return bytes(self._tls.bio_read(READ_SIZE))
        return b""

    def send_each(self, messages: Iterable[bytes]) -> None:
        send, take = self._tls.send, self._tls.bio_read
        for message in messages:
            send(message)
            take(READ_SIZE)

    def receive_each(self, records: Iterable[bytes], size: int) -> None:
        give, read = self._tls.bio_write, self._tls.recv
        for piece in records:
            give(piece)
            left = size
            while left:
                left -= len(read(READ_SIZE))


class Server:
    """OpenSSL's side of one connection."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def receive(self, flight: bytes) -> bytes:
        self._incoming.write(flight)
        with suppress(ssl.SSLWantReadError):
            self._tls.do_handshake()
        return self._outgoing.read()

    def seal(self, message: bytes) -> bytes:
        self._tls.write(message)
        return self._outgoing.read()

    def close(self) -> None:
        """OpenSSL forgets the sessions of connections that were not closed."""
        with suppress(ssl.SSLWantReadError):
            self._tls.unwrap()


def handshake(make_client: Callable[[], Client], server: Server, clock: ClientClock) -> Client:
    """Connect, counting the client's time only."""
    with clock.running():
        client = make_client()
        flight = client.start()
    while not client.established:
        answer = server.receive(flight)
        with clock.running():
            flight = client.receive(answer)
    if flight:  # a resumed handshake ends with the client's Finished
        server.receive(flight)
    return client


class World:
    """A root, an intermediate and a device authority on one kind of key, and contexts for both sides.

    Each server context gets new certificates, so that nothing of them can come from a cache, or, if asked for, a new
    leaf below the same intermediate. ECDSA's are on new keys, which are made quickly; RSA's keys return, as nothing is
    kept for them on either side. The server takes what the client likes best, or `suite` (by OpenSSL's name) whatever
    that is.
    """

    def __init__(self, kind: str, folder: Path, *, client_certificate: bool = False, suite: str | None = None) -> None:
        self._suite = suite
        make_key: Callable[[], PrivateKey] = rsa_key if kind == "rsa" else ec_key
        self._folder = folder
        self._wants_client = client_certificate
        self._root = issue("Benchmark Root", make_key(), ca=True)
        self._server_keys = (rsa_key(), rsa_key()) if kind == "rsa" else None
        device_ca = issue("Device CA", make_key(), ca=True)
        device = issue("device", make_key(), issuer=device_ca, extended_key_usage=("client_auth",))
        self._put("root.pem", self._root.to_pem())
        self._put("device-ca.pem", device_ca.to_pem())
        self._put("device.pem", device.to_pem() + device.key.to_pem())
        self._known_intermediate = self._new_intermediate()

    def _put(self, name: str, data: bytes) -> None:
        (self._folder / name).write_bytes(data)

    def _path(self, name: str) -> str:
        return str(self._folder / name)

    def _new_intermediate(self) -> Certificate:
        key = self._server_keys[0] if self._server_keys else ec_key()
        return issue("Benchmark CA", key, issuer=self._root, ca=True)

    def _chain(self, known_intermediate: bool) -> list[Certificate]:
        intermediate = self._known_intermediate if known_intermediate else self._new_intermediate()
        key = self._server_keys[1] if self._server_keys else ec_key()
        leaf = issue(HOST, key, issuer=intermediate, dns_names=(HOST,), extended_key_usage=("server_auth",))
        return [leaf, intermediate]

    def server_context(self, *, known_intermediate: bool = False, tickets: bool = True) -> ssl.SSLContext:
        """A TLS 1.2 server with a new leaf and, unless told otherwise, a new intermediate."""
        chain = self._chain(known_intermediate)
        self._put("chain.pem", chain_pem(*chain))
        self._put("leaf.key", chain[0].key.to_pem())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        if not tickets:
            context.options |= ssl.OP_NO_TICKET
        if self._suite:
            context.set_ciphers(self._suite)
        context.load_cert_chain(self._path("chain.pem"), self._path("leaf.key"))
        if self._wants_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self._path("device-ca.pem"))
        return context

    def fresh_server(self, *, known_intermediate: bool = False) -> Server:
        return Server(self.server_context(known_intermediate=known_intermediate))

    def lighttls_client(
        self, provider: str, client: type[LightTLSClient] = LightTLSClient, *, sessions: SessionStore | None = None
    ) -> Callable[[], Client]:
        """Makes clients of one configuration, everything in it being the default."""
        identity = Identity.from_file(self._path("device.pem")) if self._wants_client else None
        config = ClientConfig(
            trust=TrustStore.from_file(self._path("root.pem")),
            identity=identity,
            provider=by_name(provider),
            sessions=sessions,
        )
        return lambda: client(config)

    def ssl_client(self, module: ModuleType = ssl, client: type[SslClient] = SslClient) -> Callable[[], Client]:
        """The same of `ssl`, or of a module of the same shape."""
        context = module.create_default_context(cafile=self._path("root.pem"))
        if self._wants_client:
            context.load_cert_chain(self._path("device.pem"))
        return lambda: client(module, context)

    def resuming_ssl_client(self) -> Callable[[], Client]:
        """The same of `ssl`, each client going on with the session of the one before."""
        context = ssl.create_default_context(cafile=self._path("root.pem"))
        return _resuming(lambda session: SslClient(ssl, context, session))

    def pyopenssl_client(self) -> Callable[[], Client]:
        """The same of pyOpenSSL."""
        make = self._pyopenssl()
        return lambda: make(None)

    def resuming_pyopenssl_client(self) -> Callable[[], Client]:
        """The same, each client going on with the session of the one before."""
        return _resuming(self._pyopenssl())

    def _pyopenssl(self) -> Callable[[Any], PyOpenSslClient]:
        from OpenSSL import SSL

        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.load_verify_locations(self._path("root.pem"))
        context.set_verify(SSL.VERIFY_PEER)
        return lambda session: PyOpenSslClient(SSL.Connection(context), session)


def _resuming(make: Callable[[Any], Any]) -> Callable[[], Client]:
    last: list[Any] = []

    def make_next() -> Client:
        before = last.pop().session if last else None
        last.append(make(before))
        client: Client = last[0]
        return client

    return make_next
