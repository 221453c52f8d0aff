"""How a rule becomes a test: what the server does wrong (or oddly), and what the client must make of it.

A case names its rule of docs/conformance.md; the name is the test's id. Each runs on
both engines, with the server's bytes at once and byte by byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from hostile import certificates, wire
from hostile.certificates import Credential
from hostile.link import Link, drive
from hostile.server import Server
from hostile.steps import data
from lighttls import ClientConfig, ClientConnection, Identity, SignaturePolicy, TrustStore, errors, software_key

ERRORS: dict[int, type[errors.LightTLSError]] = {
    wire.UNEXPECTED_MESSAGE: errors.UnexpectedMessage,
    wire.BAD_RECORD_MAC: errors.BadRecordMac,
    wire.RECORD_OVERFLOW: errors.RecordOverflow,
    wire.HANDSHAKE_FAILURE: errors.HandshakeFailure,
    wire.BAD_CERTIFICATE: errors.CertificateError,
    wire.UNSUPPORTED_CERTIFICATE: errors.CertificateError,
    wire.UNKNOWN_CA: errors.CertificateError,
    wire.CERTIFICATE_REVOKED: errors.CertificateError,
    wire.BAD_STATUS_RESPONSE: errors.CertificateError,
    wire.CERTIFICATE_UNKNOWN: errors.CertificateError,
    wire.CERTIFICATE_EXPIRED: errors.CertificateError,
    wire.ILLEGAL_PARAMETER: errors.IllegalParameter,
    wire.DECODE_ERROR: errors.DecodeError,
    wire.DECRYPT_ERROR: errors.DecryptError,
    wire.PROTOCOL_VERSION: errors.ProtocolVersion,
    wire.UNSUPPORTED_EXTENSION: errors.UnsupportedExtension,
    wire.NO_APPLICATION_PROTOCOL: errors.NoApplicationProtocol,
}

SECRET = b"application data that a client must not be given"

Leaf = str | Callable[[], Credential]

both_splits = pytest.mark.parametrize("split", [None, 1], ids=["at-once", "byte-by-byte"])


def client(provider: Any, *, host: str = certificates.HOST, identity: Any = None, **settings: Any) -> ClientConnection:
    """A client that trusts the test root and nothing else, unless `trust` says so. A name of a device is one too."""
    if isinstance(identity, str):
        device = certificates.device(identity)
        identity = Identity(device.chain, software_key(device.key_pem))
    settings.setdefault("trust", TrustStore.from_der(certificates.root()))
    return ClientConnection(ClientConfig(provider=provider, identity=identity, **settings), host)


def lenient(**allow: Any) -> dict[str, Any]:
    """Settings of a client that permits more below the test root (see `SignaturePolicy`)."""
    trust = TrustStore()
    trust.add(certificates.root(), allow=SignaturePolicy(**allow))
    return {"trust": trust}


class Case:
    """What the server does: arguments of `Server`, the leaf by name or maker, and the client's settings."""

    def __init__(
        self, rule: str, what: str, leaf: Leaf, settings: Mapping[str, Any] | None, script: dict[str, Any]
    ) -> None:
        self.name = f"{rule}-{what}".replace(" ", "-")
        self.leaf, self.settings, self.script = leaf, dict(settings or {}), script

    def __str__(self) -> str:
        return self.name

    def server(self) -> Server:
        return Server(certificates.leaf(self.leaf) if isinstance(self.leaf, str) else self.leaf(), **self.script)

    def drive(self, provider: Any, split: int | None) -> Link:
        return drive(client(provider, **self.settings), self.server(), split)


class Refused(Case):
    """The client must end the connection with this alert and this error.

    A script with a `tail` goes wrong after a good handshake: then `passed` is what the client may
    have been given before. Otherwise application data follows the server's Finished, and must not arrive.
    """

    def __init__(
        self,
        rule: str,
        what: str,
        alert: int,
        *,
        error: type[errors.LightTLSError] | None = None,
        leaf: Leaf = "p256",
        settings: Mapping[str, Any] | None = None,
        passed: bytes = b"",
        **script: Any,
    ) -> None:
        self.established = "tail" in script
        script.setdefault("tail", [data(SECRET)])
        super().__init__(rule, what, leaf, settings, script)
        self.alert, self.error, self.passed = alert, error or ERRORS[alert], passed

    def check(self, provider: Any, split: int | None) -> Link:
        link = self.drive(provider, split)
        check_refusal(link, self.alert, self.error)
        assert link.completed == self.established
        assert link.data == self.passed
        return link


class Tolerated(Case):
    """The client must go on: the handshake completes, and application data passes both ways."""

    def __init__(
        self, rule: str, what: str, *, leaf: Leaf = "p256", settings: Mapping[str, Any] | None = None, **script: Any
    ) -> None:
        super().__init__(rule, what, leaf, settings, script)

    def check(self, provider: Any, split: int | None) -> Link:
        link = self.drive(provider, split)
        check_alive(link)
        return link


def check_refusal(link: Link, alert: int, error: type[errors.LightTLSError]) -> None:
    """One fatal alert on the wire, the error raised, and nothing comes to life again (ALERT-14)."""
    connection = link.client
    assert isinstance(connection, ClientConnection)
    assert type(link.error) is error, f"{link.error!r}"
    assert link.error.alert == alert
    assert link.server.alerts == [(wire.FATAL, alert)]
    assert connection.is_closed
    assert not connection.is_established
    assert not connection.can_send_data
    calls = (lambda: connection.receive_data(b"\x16"), lambda: connection.send_data(b"x"), connection.receive_eof)
    for later in calls:
        with pytest.raises(error) as again:
            later()
        assert again.value is link.error
    assert connection.data_to_send() == b""


def check_alive(link: Link) -> None:
    """The connection is up, and carries data both ways."""
    connection = link.client
    assert isinstance(connection, ClientConnection)
    assert link.error is None, f"{link.error!r}"
    assert link.completed
    assert connection.is_established
    before = link.data
    connection.send_data(b"are you there?")
    link.run()
    assert link.data == before + b"are you there?"
    assert all(level == wire.WARNING for level, _ in link.server.alerts)
