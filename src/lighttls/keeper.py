"""The sessions of one connection: which one is offered, what is kept, and what must never be resumed again."""

from __future__ import annotations

import warnings

from lighttls.errors import ConfigurationError
from lighttls.handshake import Client, Connected, resumption
from lighttls.session import Session


class SessionKeeper:
    """Between one connection and the store of its configuration, if there is one."""

    __slots__ = ("_binding", "_client", "_given", "_hooks", "_offered", "_ours", "keeps", "wants_tickets")

    def __init__(self, client: Client, given: Session | None) -> None:
        self._client = client
        self._given = given
        self._hooks: bytes | None = None  # what stood for the application's judgement when the handshake began
        self._binding: bytes | None = None  # as it was then, if anything may hang on it
        self._offered: Session | None = None  # until the server prefers a full handshake
        self._ours: Session | None = None  # what this connection has left to resume with
        self.wants_tickets = resumption.wants_tickets(client.config, given)  # whether the ClientHello asks for one
        self.keeps = client.config.sessions is not None or self.wants_tickets  # whether `keep` has anything to do

    def choose(self) -> Session | None:
        """The session to offer: the one that was given, else what the store has; none that may not be resumed here."""
        config = self._client.config
        self._hooks = resumption.policy_ids(config)
        if config.sessions is None and self._given is None:
            return None
        self._binding = resumption.binding(self._client)
        for candidate in (self._given, self._stored()):
            if candidate is not None and resumption.may_offer(self._client, candidate):
                self._offered = candidate
                break
        return self._offered

    def keep(self, state: Connected, now: float) -> Session | None:
        """After the handshake: save what is new (RESUME-16), and return it. What the server refused is forgotten."""
        offered = self._offered
        session = self.session_of(state, now)
        if session is not None and session is offered:  # resumed, and unchanged
            return None
        if session is not None:
            self._ask("save", self._binding, session.to_bytes())
        elif not state.resumed:
            self._delete(offered)
        if not state.resumed:
            self._offered = None
        return session

    def session_of(self, state: Connected, now: float) -> Session | None:
        """What the connection left to resume with, always the same object.

        Nothing, if the application has changed how it judges since the handshake began: who knows which way was used?
        """
        if self._ours is None and self._hooks == resumption.policy_ids(self._client.config):
            self._ours = resumption.session_of(state, now)
        return self._ours

    def drop(self) -> None:
        """The connection has failed: its session is resumed no more, wherever it is (ALERT-15, TICKET-19)."""
        for session in (self._offered, self._ours):
            if session is not None:
                session.end()
                self._delete(session)

    def _stored(self) -> Session | None:
        data = self._ask("load", self._binding)
        if data is None:
            return None
        try:
            return Session.from_bytes(data)
        except ConfigurationError as cause:
            _warn("load", cause)
            return None

    def _delete(self, session: Session | None) -> None:
        """Take a session out of the store, unless another connection has put another one in its place."""
        stored = None if session is None else self._stored()
        if stored is not None and session is not None and stored.facts.master_secret == session.facts.master_secret:
            self._ask("delete", self._binding)

    def _ask(self, what: str, key: bytes | None, *data: bytes) -> bytes | None:
        """A store's trouble is a warning: the connection can do without it."""
        store = self._client.config.sessions
        if store is None or key is None:
            return None
        try:
            found: bytes | None = getattr(store, what)(key, *data)
            if found is not None and not isinstance(found, bytes):
                raise TypeError(
                    f"{type(store).__name__}.{what} returned {type(found).__name__}, expected bytes or None"
                )
        except Exception as cause:
            _warn(what, cause)
            return None
        return found


def _warn(what: str, cause: Exception) -> None:
    warnings.warn(f"the session store failed to {what}: {cause}", RuntimeWarning, stacklevel=3)
