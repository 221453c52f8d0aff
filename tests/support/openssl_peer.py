"""A TLS 1.2 server by OpenSSL (Python's `ssl`) on one end of a transport, in a thread."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self, TypeVar

from lighttls.testing import Certificate
from lighttls.transports import Transport
from support import pki

T = TypeVar("T")


@cache
def context(leaf: Certificate | None = None, *, ask_client: bool = False) -> ssl.SSLContext:
    """Server settings with `leaf` of the shared PKI (default: its ECDSA server)."""
    certificates = pki.shared()
    leaf = leaf or certificates.ecdsa_server
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.maximum_version = ssl.TLSVersion.TLSv1_2
    with TemporaryDirectory() as folder:
        chain = Path(folder, "chain.pem")
        chain.write_bytes(certificates.server_chain(leaf) + leaf.key.to_pem())
        server.load_cert_chain(chain)
    if ask_client:
        server.verify_mode = ssl.CERT_REQUIRED
        server.load_verify_locations(cadata=certificates.device_ca.to_pem().decode())
    return server


class OpenSSLPeer:
    """Makes the handshake, then runs `talk`; as a context manager it waits for the end of both.

    `error` is what ended it, such as an `ssl.SSLError` that names the client's alert.
    """

    def __init__(
        self, transport: Transport, talk: Callable[[OpenSSLPeer], None], settings: ssl.SSLContext | None = None
    ) -> None:
        self.transport = transport
        self.error: Exception | None = None
        self._talk = talk
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = (settings or context()).wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind:
            self.transport.close()  # or the thread might wait for ever for what a failed test did not send
        self._thread.join(20)
        assert not self._thread.is_alive()

    def recv(self, n: int = 65536) -> bytes:
        """Plaintext from the client; b"" after its close_notify."""
        try:
            return self._until_done(lambda: self._tls.read(n))
        except ssl.SSLZeroReturnError:
            return b""

    def send(self, data: bytes) -> None:
        self._tls.write(data)
        self._flush()

    def sealed(self, data: bytes) -> bytes:
        """Protect `data` without sending it."""
        self._tls.write(data)
        return self._outgoing.read()

    def say_goodbye(self) -> None:
        """Send close_notify without waiting for the client's."""
        with suppress(ssl.SSLWantReadError):
            self._tls.unwrap()
        with suppress(OSError):  # a client that said goodbye first need not wait for this
            self._flush()

    def _run(self) -> None:
        try:
            self._until_done(self._tls.do_handshake)
            self._talk(self)
        except (ssl.SSLError, OSError) as error:
            self.error = error
            with suppress(OSError):
                self._flush()  # the alert
        finally:
            self.transport.close()

    def _until_done(self, step: Callable[[], T]) -> T:
        while True:
            try:
                result = step()
                self._flush()
                return result
            except ssl.SSLWantReadError:
                self._flush()
                data = self.transport.recv(65536, 20)
                if data:
                    self._incoming.write(data)
                elif data is None:
                    raise TimeoutError("the client sent nothing") from None
                else:
                    self._incoming.write_eof()

    def _flush(self) -> None:
        if data := self._outgoing.read():
            self.transport.send(data)
