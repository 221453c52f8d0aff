"""Servers that remember sessions, and policies that sessions are bound to."""

from __future__ import annotations

import ssl
from typing import Any

from lighttls import (
    ClientConnection,
    RevocationPolicy,
    VerifyPolicy,
)
from support import crls, pki
from support.memory_server import MemoryServer, connect


class Site:
    """An OpenSSL server that remembers its sessions from connection to connection."""

    def __init__(self, *, tickets: bool = True, **settings: Any) -> None:
        options = settings.pop("options", 0) | (0 if tickets else ssl.OP_NO_TICKET)
        self._first = MemoryServer(options=options, **settings)

    def connect(self, connection: ClientConnection) -> tuple[list[Any], MemoryServer]:
        server = self._first.again()
        events = connect(connection, server)
        return events, server

    def visit(self, connection: ClientConnection) -> bool:
        """Connect, and part in peace; whether the session was resumed, on which both sides must agree."""
        _, server = self.connect(connection)
        resumed = connection.info.session_resumed
        assert server.tls.session_reused is resumed
        connection.close()
        server.receive(connection.data_to_send())
        server.read()
        connection.receive_data(server.say_goodbye())
        return resumed


def revoking(mode: str = "soft", **settings: Any) -> VerifyPolicy:
    return VerifyPolicy(revocation=RevocationPolicy(mode=mode, **settings))


def revocation_list(number: int = 1, *, until: int = 1 << 32) -> bytes:
    """Of the shared root; it lists nothing."""
    return crls.crl(pki.shared().root, extensions=[crls.number(number)], next_update=until)  # type: ignore[arg-type]
