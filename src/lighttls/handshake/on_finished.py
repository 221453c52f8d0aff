"""ChangeCipherSpec, Finished, and what comes after the handshake (RFC 5246 §7.1, §7.4.9).

In a full handshake we finish first, in a resumed one the server does, and our Finished covers its own (RFC 5246 §7.3).
"""

from __future__ import annotations

from collections.abc import Callable

from lighttls._typing import TYPE_CHECKING
from lighttls.events import DataReceived
from lighttls.handshake.inputs import ApplicationData, ChangeCipherSpec
from lighttls.handshake.output import Complete, Emit, Output, ReadWith, Refuse, WriteWith
from lighttls.handshake.states import (
    Agreed,
    Connected,
    FinishedVerified,
    WaitChangeCipherSpec,
    WaitChangeCipherSpecResumed,
    WaitFinished,
    WaitFinishedResumed,
)
from lighttls.messages import Finished, HelloRequest

if TYPE_CHECKING:
    from lighttls.crypto.provider import KeySchedule, RecordSealer


_COMPLETE = Complete()


def on_change_cipher_spec(out: Output, state: WaitChangeCipherSpec, msg: ChangeCipherSpec) -> WaitFinished:
    """Read keys become active here and nowhere else (CCS-09)."""
    out.do(ReadWith(state.opener))
    return WaitFinished(state.agreed, state.proof, state.ticket, state.our_verify_data, state.schedule)


def on_change_cipher_spec_resumed(
    out: Output, state: WaitChangeCipherSpecResumed, msg: ChangeCipherSpec
) -> WaitFinishedResumed:
    """The same, before we have switched ourselves."""
    out.do(ReadWith(state.opener))
    return WaitFinishedResumed(state.agreed, state.proof, state.ticket, state.schedule, state.sealer)


def on_finished(out: Output, state: WaitFinished, msg: Finished) -> Connected:
    """1. The server's proof. 2. The end."""
    finished = _verified(out, state.agreed, state.schedule, msg, state.our_verify_data)
    client = state.agreed.offer.client
    if client.config.false_start:
        client.config.note_completed(client.server.text, state.agreed.suite.code)
    _complete(out)
    return Connected(state.agreed, state.proof, finished, state.ticket, state.schedule)


def on_finished_resumed(out: Output, state: WaitFinishedResumed, msg: Finished) -> Connected:
    """1. The server's proof. 2. Ours: ChangeCipherSpec and Finished, over the server's Finished too. 3. The end."""

    def answer() -> bytes:
        out.transcript.add(msg.encode())
        verify_data = state.schedule.finished(out.transcript.digest(state.agreed.suite.prf_hash))
        send_finished(out, state.sealer, verify_data)
        return verify_data

    finished = _verified(out, state.agreed, state.schedule, msg, answer)
    _complete(out)
    return Connected(state.agreed, state.proof, finished, state.ticket, state.schedule)


def send_finished(out: Output, sealer: RecordSealer, verify_data: bytes) -> None:
    """ChangeCipherSpec, and our Finished as the first message under the new keys (CCS-10, FIN-06)."""
    out.do(WriteWith(sealer))
    out.send_encoded(Finished, Finished.encoded(verify_data))


def _verified(
    out: Output, agreed: Agreed, schedule: KeySchedule, msg: Finished, ours: bytes | Callable[[], bytes]
) -> FinishedVerified:
    """Judge the server's verify_data (FIN-01, FIN-02); only then ask for our own, if it is not there yet.

    The label is the server's: our own Finished, sent back, does not fit (FIN-04).
    """
    schedule.check_finished(out.transcript.digest(agreed.suite.prf_hash), msg.verify_data)
    return FinishedVerified(ours if isinstance(ours, bytes) else ours(), msg.verify_data)


def _complete(out: Output) -> None:
    """Forget what only the handshake needed (FIN-08), and tell the owner (FIN-07).

    The master secret stays for exporters, in the engine.
    """
    out.transcript.clear()
    out.do(_COMPLETE)


def on_application_data(out: Output, state: Connected, msg: ApplicationData) -> Connected:
    """Data for the owner; an empty record is legal and means nothing (REC-14)."""
    if msg.data:
        out.do(Emit(DataReceived(msg.data)))
    return state


def refuse_renegotiation(out: Output, state: Connected, msg: HelloRequest) -> Connected:
    """We never renegotiate (HS-09)."""
    out.do(Refuse())
    return state
