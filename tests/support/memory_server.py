"""OpenSSL as a TLS 1.2 server on two memory buffers: a real peer without transport, thread or clock."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lighttls import ClientConnection, Session
from lighttls.crypto import CryptoProvider
from lighttls.testing import Certificate
from support import pki

NO_EXTENDED_MASTER_SECRET = 1  # SSL_OP_NO_EXTENDED_MASTER_SECRET, which the module `ssl` does not name


class MemoryServer:
    """With `ask_client` it asks for a certificate, and with `insist` goes on only if it gets one.

    `error` is what ended its handshake, such as an `ssl.SSLError` that names the client's alert.
    """

    def __init__(
        self,
        leaf: Certificate | None = None,
        *,
        ask_client: bool = False,
        insist: bool = True,
        alpn: Sequence[str] = (),
        key_log: Path | None = None,
        options: int = 0,
        highest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
    ) -> None:
        certificates = pki.shared()
        leaf = leaf or certificates.ecdsa_server
        settings = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        settings.minimum_version, settings.maximum_version = ssl.TLSVersion.TLSv1_2, highest
        settings.options |= options
        with TemporaryDirectory() as folder:
            chain = Path(folder, "chain.pem")
            chain.write_bytes(certificates.server_chain(leaf) + leaf.key.to_pem())
            settings.load_cert_chain(chain)
        if ask_client:
            settings.verify_mode = ssl.CERT_REQUIRED if insist else ssl.CERT_OPTIONAL
            settings.load_verify_locations(cadata=certificates.device_ca.to_pem().decode())
        if alpn:
            settings.set_alpn_protocols(list(alpn))
        if key_log:
            settings.keylog_filename = str(key_log)
        self._open(settings)

    def _open(self, settings: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = settings.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.established = False
        self.got_close_notify = False
        self.error: ssl.SSLError | None = None

    def again(self) -> MemoryServer:
        """Another connection to the same site, which knows the sessions of this one."""
        other = object.__new__(MemoryServer)
        other._open(self.tls.context)
        return other

    def receive(self, data: bytes) -> None:
        """Take the client's bytes, and go on with the handshake if there still is one."""
        self._incoming.write(data)
        if self.established or self.error:
            return
        try:
            self.tls.do_handshake()
            self.established = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self.error = error

    def take(self) -> bytes:
        """What it has for the client."""
        return self._outgoing.read()

    def read(self, count: int = 1 << 20) -> bytes:
        """The client's data so far, which may be none."""
        data = b""
        try:
            while piece := self.tls.read(count):
                data += piece
            self.got_close_notify = True
        except ssl.SSLWantReadError:
            pass
        return data

    def seal(self, data: bytes) -> bytes:
        """`data` as records for the client."""
        self.tls.write(data)
        return self.take()

    def say_goodbye(self) -> bytes:
        """close_notify for the client, without waiting for its own."""
        with suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        return self.take()

    def alert_from(self, client: ClientConnection) -> str:
        """The alert in what the client still has to send, by OpenSSL's name for it; empty if none."""
        self._incoming.write(client.data_to_send())
        try:
            if self.established:
                self.tls.read(1)
            else:
                self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return ""
        except ssl.SSLError as error:
            return str(error.reason).partition("ALERT_")[2]
        return ""

    def run(self, client: ClientConnection) -> list[Any]:
        """Carry bytes both ways until neither side has any; the client's events."""
        events: list[Any] = []
        while True:
            sent = client.data_to_send()
            if sent:
                self.receive(sent)
            reply = self.take()
            if not sent and not reply:
                return events
            events += client.receive_data(reply)


def connect(client: ClientConnection, server: MemoryServer) -> list[Any]:
    """Start the client and run the handshake as far as it goes."""
    return client.initiate_connection() + server.run(client)


def client(
    provider: CryptoProvider,
    host: str = "localhost",
    *,
    device: Certificate | None = None,
    session: Session | None = None,
    **settings: Any,
) -> ClientConnection:
    """A connection to the shared PKI's servers that is `device` if given."""
    return ClientConnection(pki.config(device, provider=provider, **settings), host, session=session)


def connected(provider: CryptoProvider, **settings: Any) -> tuple[ClientConnection, MemoryServer]:
    """Both ends after a good handshake."""
    connection, server = client(provider, **settings), MemoryServer()
    connect(connection, server)
    assert connection.is_established
    assert server.established
    return connection, server


def records(data: bytes) -> list[bytes]:
    """The whole records in `data`."""
    found = []
    while data:
        end = 5 + int.from_bytes(data[3:5], "big")
        found.append(data[:end])
        data = data[end:]
    return found
