"""What handlers may do: send a message, change keys, emit an event. They are performed after the handler returned.

A handler that raises has therefore sent nothing (CERT-25).
"""

from __future__ import annotations

from collections.abc import Callable

from lighttls._struct import struct
from lighttls._typing import TYPE_CHECKING
from lighttls.events import Event
from lighttls.handshake.transcript import Transcript
from lighttls.messages import Message

if TYPE_CHECKING:
    from lighttls.crypto.provider import KeySchedule, RecordOpener, RecordSealer
    from lighttls.handshake.states import RecordSizes


Send = tuple[type[Message], bytes]
"""Queue one handshake message: its kind, and the whole of it, header included."""


@struct
class LimitRecords:
    """Keep records to these sizes, both ways, from the next one on."""

    sizes: RecordSizes


@struct
class WriteWith:
    """Send ChangeCipherSpec and protect what we send from here on (CCS-10)."""

    sealer: RecordSealer


@struct
class ReadWith:
    """Open what we receive from here on."""

    opener: RecordOpener


@struct
class Emit:
    """Tell the owner."""

    event: Event


@struct
class StartEarly:
    """Take application data from here on, before the server's Finished (RFC 7918)."""


@struct
class Complete:
    """The handshake is over: tell the owner, with all that is known."""


@struct
class LogKeys:
    """Hand the master secret to the key log (PROF-06)."""

    client_random: bytes
    schedule: KeySchedule


@struct
class Refuse:
    """Answer a HelloRequest with warning no_renegotiation (HS-09)."""


Action = Send | LimitRecords | WriteWith | ReadWith | Emit | StartEarly | Complete | LogKeys | Refuse


class Output:
    """Collects what a handler wants done, in order; empty again before the next one runs."""

    __slots__ = ("actions", "do", "schedule", "transcript")

    do: Callable[[Action], None]
    """Have something else done than to send a message."""

    def __init__(self, transcript: Transcript) -> None:
        self.transcript = transcript
        self.actions: list[Action] = []
        self.do = self.actions.append
        self.schedule: KeySchedule | None = None  # that a handler has derived, also one that failed

    def wipe(self) -> None:
        """Do nothing of it, and wipe what was derived: the connection has ended, perhaps before a state held that."""
        self.actions.clear()
        if self.schedule is not None:
            self.schedule.wipe()

    def send(self, message: Message) -> None:
        """Send a handshake message; it enters the transcript at once (HS-11)."""
        self.send_encoded(type(message), message.encode())

    def send_encoded(self, kind: type[Message], encoded: bytes) -> None:
        """The same, for who has its bytes already."""
        self.transcript.add(encoded)
        self.do((kind, encoded))
