"""What a connection tells its owner. A closed union of small classes, made for `match`.

Instances are immutable by convention.
"""

from __future__ import annotations

from collections.abc import Callable

from lighttls._struct import struct
from lighttls._typing import TYPE_CHECKING
from lighttls.iana import Alert, name_of
from lighttls.keys import SignatureRequest
from lighttls.session import Session

if TYPE_CHECKING:
    from lighttls.info import ConnectionInfo


class HandshakeCompleted:
    """The server's Finished has been verified: application data may flow."""

    __match_args__ = ("info",)
    __slots__ = ("_info", "_tell")

    def __init__(self, info: ConnectionInfo | None, tell: Callable[[], ConnectionInfo] | None = None) -> None:
        """`tell` is for a connection: what is not looked at need not be put together."""
        self._info = info
        self._tell = tell

    @property
    def info(self) -> ConnectionInfo:
        """What was agreed, and what it had cost when the handshake was complete."""
        if self._info is None and self._tell is not None:
            self._info, self._tell = self._tell(), None
        return self._info  # type: ignore[return-value] # one of the two was there

    def __eq__(self, other: object) -> bool:
        return type(other) is HandshakeCompleted and other.info == self.info

    def __hash__(self) -> int:
        return hash(self.info)

    def __repr__(self) -> str:
        return f"HandshakeCompleted(info={self.info!r})"


class DataReceived:
    """Application data from one record; never empty, and never shown by `repr`."""

    __match_args__ = ("data",)
    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __eq__(self, other: object) -> bool:
        return type(other) is DataReceived and other.data == self.data

    def __hash__(self) -> int:
        return hash(self.data)

    def __repr__(self) -> str:
        return f"DataReceived(<{len(self.data)} bytes>)"


@struct
class SignatureRequested:
    """The handshake waits until `request` is completed or failed."""

    request: SignatureRequest


@struct
class SessionAvailable:
    """There is something new to resume with. A configured store has it already."""

    session: Session


@struct
class PeerClosed:
    """The server sent close_notify: a clean end of its data."""


@struct
class WarningReceived:
    """The server sent a warning alert with this number; the connection goes on."""

    description: int

    def __str__(self) -> str:
        return f"warning alert {name_of(Alert, self.description)}"


Event = HandshakeCompleted | DataReceived | SignatureRequested | SessionAvailable | PeerClosed | WarningReceived
