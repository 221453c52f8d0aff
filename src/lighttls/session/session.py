"""Session: what it takes to resume, by ticket (RFC 5077) or by session ID (RFC 5246 §7.3), as bytes.

Whoever can write these bytes decides with whom a later connection talks, and whoever can read
them can read it: they hold the master secret, and resumption verifies no certificate. What was verified
is bound to them by a hash over the name, the anchors and the policies of that time (see
`handshake.resumption`), and by the time at which the first certificate of the path ends.
"""

from __future__ import annotations

from lighttls._typing import Final, Protocol
from lighttls.errors import ConfigurationError, DecodeError
from lighttls.wire import Fixed, Structure, Uint, Vector, field, structure

DAY: Final = 86_400  # seconds; how long an ID lives, and a ticket of which the server says nothing
MAX_AGE: Final = 7 * DAY  # since the full handshake, whatever the server hints (TICKET-15, RFC 9325 §3.4)
MAX_TICKET: Final = 1 << 14  # bytes of a ticket that are kept (TICKET-20)

_LONGEST_NAME: Final = 255
_LAYOUT: Final = 2  # the first byte; another number is another version of lighttls


@structure
class Facts(Structure):
    """What a session consists of (RESUME-17), in the order in which it is written.

    Times are seconds since 1970 UTC. A ticket is there or an ID, never both (TICKET-17).
    """

    layout: int = field(Uint(1))
    suite: int = field(Uint(2))
    extended_master_secret: int = field(Uint(1))  # 0 or 1
    master_secret: bytes = field(Fixed(48))
    ticket: bytes = field(Vector(0, MAX_TICKET))
    session_id: bytes = field(Vector(0, 32))
    binding: bytes = field(Fixed(32))  # SHA-256 of name and policies
    server_name: bytes = field(Vector(1, _LONGEST_NAME))
    max_fragment_length: int = field(Uint(2))  # 0: none was agreed
    raw_public_key: int = field(Uint(1))  # 1: that is what was verified, and no chain (RFC 7250)
    established: int = field(Uint(4))  # when the server was verified
    issued: int = field(Uint(4))  # when this ticket or ID came
    expires: int = field(Uint(4))
    latest: int = field(Uint(4))  # no renewed ticket lasts longer
    end_point: bytes = field(Vector(0, 64))  # the tls-server-end-point binding (RFC 5929); empty if there is none

    def __repr__(self) -> str:
        return "<Facts of a session>"


class Session:
    """One session with one server, ready for `ClientConnection(..., session=...)` or a store.

    It is offered only by a configuration that would verify as strictly, to the same name, until it expires. What
    ends a connection by a fatal alert ends its session: this object is not offered again. Its `repr` shows no secret;
    `to_bytes` does.
    """

    __slots__ = ("_ended", "facts")

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._ended = False

    @classmethod
    def new(
        cls,
        *,
        suite: int,
        extended_master_secret: bool,
        master_secret: bytes,
        ticket: bytes,
        session_id: bytes,
        binding: bytes,
        server_name: str,
        max_fragment_length: int,
        issued: int,
        lifetime: int,
        not_after: int,
        raw_public_key: bool,
        end_point: bytes,
    ) -> Session | None:
        """The session of a full handshake that ended at `issued`; None if it has no time to live, or cannot be written.

        `lifetime` is what the server hints, in seconds, however much (TICKET-12); 0 means that it does not
        (TICKET-15, RFC 5077 §3.3).
        """
        name = server_name.encode()
        latest = min(issued + MAX_AGE, not_after)
        expires = min(issued + (lifetime or DAY), latest)
        if not 0 <= issued < expires <= latest <= 0xFFFFFFFF or len(name) > _LONGEST_NAME:
            return None
        return cls(
            Facts(
                layout=_LAYOUT,
                suite=suite,
                extended_master_secret=int(extended_master_secret),
                master_secret=master_secret,
                ticket=ticket,
                session_id=session_id,
                binding=binding,
                server_name=name,
                max_fragment_length=max_fragment_length,
                raw_public_key=int(raw_public_key),
                established=issued,
                issued=issued,
                expires=expires,
                latest=latest,
                end_point=end_point,
            )
        )

    def renewed(self, ticket: bytes, issued: int, lifetime: int) -> Session | None:
        """The same with a new ticket; master secret and age stay those of the full handshake (TICKET-18)."""
        expires = min(issued + (lifetime or DAY), self.facts.latest)
        if not self.facts.established <= issued < expires:
            return None
        values = {name: getattr(self.facts, name) for name in Facts.fields}
        return Session(Facts(**values | {"ticket": ticket, "session_id": b"", "issued": issued, "expires": expires}))

    @classmethod
    def from_bytes(cls, data: bytes) -> Session:
        """Read what `to_bytes` wrote. Raises ConfigurationError: these bytes are none, or of another version."""
        if data[:1] != bytes((_LAYOUT,)):
            raise ConfigurationError("these bytes are no session, or one of another version of lighttls")
        try:
            facts = Facts.parse(bytes(data))
        except DecodeError as cause:
            raise ConfigurationError(f"these bytes are no session: {cause}") from cause
        try:
            facts.server_name.decode()
        except UnicodeDecodeError as cause:
            raise ConfigurationError("these bytes are no session: their server name is no text") from cause
        times = (facts.established, facts.issued, facts.expires, facts.latest, facts.established + MAX_AGE)
        if (
            list(times) != sorted(times)
            or facts.extended_master_secret > 1
            or facts.raw_public_key > 1
            or bool(facts.ticket) is bool(facts.session_id)
        ):
            raise ConfigurationError("these bytes are no session: what they say cannot be")
        return cls(facts)

    def to_bytes(self) -> bytes:
        """Everything, the master secret included. Keep it as you would keep a private key."""
        return self.facts.build()

    @property
    def server_name(self) -> str:
        """The host it was made with, as it was verified."""
        return self.facts.server_name.decode()

    @property
    def expires(self) -> int:
        """When it is offered no longer, in seconds since 1970 UTC."""
        return self.facts.expires

    @property
    def has_ticket(self) -> bool:
        """Whether the server keeps nothing of it: the ticket holds all. Otherwise it is known to it by an ID."""
        return bool(self.facts.ticket)

    @property
    def ended(self) -> bool:
        """Whether a connection with it has failed, so that it must not be resumed (RFC 5246 §7.2.2)."""
        return self._ended

    def end(self) -> None:
        """Never offer this object again."""
        self._ended = True

    def __eq__(self, other: object) -> bool:
        return type(other) is Session and other.facts == self.facts

    def __hash__(self) -> int:
        return hash(self.facts)

    def __repr__(self) -> str:
        return f"<Session with {self.server_name} by {'ticket' if self.has_ticket else 'ID'}, until {self.expires}>"


class SessionStore(Protocol):
    """Where sessions are kept between connections: `ClientConfig(sessions=...)`.

    `key` is 32 bytes that stand for a server name and the policies it is verified by; `data` is what
    `Session.to_bytes` gives. A store may forget anything at any time. Whatever it raises becomes a RuntimeWarning,
    and the connection goes on without it.
    """

    def load(self, key: bytes) -> bytes | None:
        """The bytes last saved under `key`, or None."""

    def save(self, key: bytes, data: bytes) -> None:
        """Keep `data` under `key`, in place of what was there."""

    def delete(self, key: bytes) -> None:
        """Forget `key`, which need not be there."""
