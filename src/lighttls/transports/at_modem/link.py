"""One TCP connection inside a module, as the driver knows it, and the names it may be opened to."""

from __future__ import annotations

from typing import Final, Protocol

from lighttls.errors import ConfigurationError, UsageError
from lighttls.transports.at_modem.results import ModemError
from lighttls.transports.at_modem.steps import Steps

_NAME_LIMIT: Final = 253  # characters of a host name (RFC 1035 §2.3.4)
_ALLOWED: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:")


class Speaker(Protocol):
    """The commands of one connection, as `Dialect` describes them: a dialect's own, or those of another kind."""

    def send(self, link: Link, data: bytes) -> Steps[int]: ...

    def read(self, link: Link) -> Steps[bytes]: ...

    def unacknowledged(self, link: Link) -> Steps[int | None]: ...

    def settle(self, link: Link) -> Steps[None]: ...

    def look(self, link: Link) -> Steps[None]: ...

    def release(self, link: Link) -> Steps[None]: ...


class Link:
    """Counters, marks and what the module pushed.

    readable   there may be unread data in the module: it said so, or nobody has looked since
    closed     the peer, or the network, ended it; what the module still holds can be read
    successor  its number was another's a moment ago, of which news may still come
    doubtful   news of an end came that may be that one's: ask the module
    unannounced  that it is closed was found by asking: data that is pushed may still come
    failure    why it is over at once, with whatever was under way
    abandoned  we have closed it; its number may soon be that of another connection
    """

    __slots__ = (
        "abandoned",
        "closed",
        "counted",
        "doubtful",
        "failure",
        "host",
        "number",
        "opened",
        "pushed",
        "readable",
        "received",
        "remaining",
        "sent",
        "speaker",
        "successor",
        "unannounced",
    )

    def __init__(self, number: int, host: str, *, successor: bool = False) -> None:
        self.number = number
        self.host = host
        self.opened: int | None = None  # the module's result of opening it, when that comes by itself
        self.pushed = bytearray()
        self.readable = True
        self.remaining = 0  # bytes that the module said it still holds
        self.closed = self.abandoned = self.doubtful = self.unannounced = False
        self.successor = successor
        self.failure: ModemError | None = None
        self.sent = 0  # bytes that the module took
        self.counted = 0  # of them those that the module has confirmed when asked for its own count
        self.received = 0  # bytes that it handed over
        self.speaker: Speaker | None = None  # who has its commands, if not the dialect

    def told_closed(self) -> None:
        """The module said that this number's connection has ended."""
        if self.successor:
            self.doubtful = True
        else:
            self.closed = True
            self.unannounced = False
        self.readable = True

    @property
    def stirred(self) -> bool:
        """Whether there is a reason to look at it."""
        return bool(self.readable or self.closed or self.failure or self.abandoned or self.pushed)

    def check(self) -> None:
        """Raises what ended it."""
        if self.failure is not None:
            raise self.failure


def check_host(host: str) -> None:
    """Raises ConfigurationError unless `host` can be a name or an address, and is safe inside quotes of a command."""
    if not isinstance(host, str) or not host:
        raise ConfigurationError(f"a host is a name or an address, not {host!r}")
    if len(host) > _NAME_LIMIT:
        raise ConfigurationError(
            f"the host name has {len(host)} characters, {_NAME_LIMIT} are the most there can be",
            hint="Nothing was sent.",
        )
    strange = sorted(set(host) - _ALLOWED)
    if strange:
        raise ConfigurationError(
            f"a host name for a modem cannot have {''.join(strange)!r} in it",
            hint="Nothing was sent. Write an international name in its ASCII form (xn--…).",
        )


def check_count(n: int) -> None:
    """Raises UsageError unless it can be a number of bytes to receive: none at all would look like the end."""
    if type(n) is not int or n < 1:
        raise UsageError(f"the number of bytes to receive is 1 or more, not {n!r}")


def check_port(port: int) -> None:
    """Raises ConfigurationError unless it can be a TCP port."""
    if type(port) is not int or not 0 < port < 65536:
        raise ConfigurationError(f"a port is a number from 1 to 65535, not {port!r}")
