"""NewSessionTicket (RFC 5077 §3.3)."""

from __future__ import annotations

from lighttls.iana import HandshakeType
from lighttls.messages.base import Message, message
from lighttls.wire import Uint, Vector, field


@message(HandshakeType.NEW_SESSION_TICKET)
class NewSessionTicket(Message):
    """What to resume with (TICKET-10). The ticket is opaque (TICKET-02), and may be empty (TICKET-13)."""

    ticket_lifetime_hint: int = field(Uint(4))  # seconds; 0: the server does not say
    ticket: bytes = field(Vector(0, 0xFFFF))
