"""A full handshake that leaves something to resume with, for tests of what may come of it."""

from __future__ import annotations

from typing import Any

from hostile import certificates
from hostile.cases import check_alive, client
from hostile.link import drive
from hostile.server import Server
from lighttls import MemorySessionStore

TICKET = b"a ticket that nobody but its server can read"
SESSION_ID = bytes(range(100, 132))


class Earlier:
    """`known` is what the server remembers of it; `store()` is the client's store as it was then."""

    def __init__(
        self, provider: Any, by: str = "ticket", *, leaf: str = "p256", settings: Any = None, **script: Any
    ) -> None:
        gives = {"ticket": TICKET} if by == "ticket" else {"hello": {"session_id": SESSION_ID}}
        store = MemorySessionStore()
        self.link = drive(
            client(provider, sessions=store, **(settings or {})), Server(certificates.leaf(leaf), **gives | script)
        )
        check_alive(self.link)
        self.saved = dict(store._entries)
        self.known = {TICKET if by == "ticket" else SESSION_ID: self.link.server.master}

    def store(self) -> MemorySessionStore:
        store = MemorySessionStore()
        for key, data in self.saved.items():
            store.save(key, data)
        return store
