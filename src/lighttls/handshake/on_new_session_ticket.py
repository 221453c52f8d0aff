"""NewSessionTicket: kept until the server's Finished, which covers it, is verified (TICKET-11, TICKET-16).

RFC 5077 §3.3. Ticket and lifetime may be anything; what is made of them is settled in `resumption`.
"""

from __future__ import annotations

from lighttls.handshake.output import Output
from lighttls.handshake.states import (
    WaitChangeCipherSpec,
    WaitChangeCipherSpecResumed,
    WaitTicket,
    WaitTicketResumed,
)
from lighttls.messages import NewSessionTicket


def on_new_session_ticket(out: Output, state: WaitTicket, msg: NewSessionTicket) -> WaitChangeCipherSpec:
    """The ticket of a session that begins."""
    return WaitChangeCipherSpec(state.agreed, state.proof, msg, state.our_verify_data, state.schedule, state.opener)


def on_renewed_ticket(out: Output, state: WaitTicketResumed, msg: NewSessionTicket) -> WaitChangeCipherSpecResumed:
    """A new ticket for the session that is being resumed."""
    return WaitChangeCipherSpecResumed(state.agreed, state.proof, msg, state.schedule, state.sealer, state.opener)
