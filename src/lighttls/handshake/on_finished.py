"""ChangeCipherSpec, Finished, and what comes after the handshake (RFC 5246 §7.1, §7.4.9)."""

from __future__ import annotations

from lighttls.errors import DecryptError
from lighttls.events import DataReceived
from lighttls.handshake.inputs import ApplicationData, ChangeCipherSpec
from lighttls.handshake.output import Complete, Emit, Output, ReadWith, Refuse
from lighttls.handshake.states import Connected, FinishedVerified, WaitChangeCipherSpec, WaitFinished
from lighttls.messages import Finished, HelloRequest


def on_change_cipher_spec(out: Output, state: WaitChangeCipherSpec, msg: ChangeCipherSpec) -> WaitFinished:
    """Read keys become active here and nowhere else (CCS-09)."""
    out.do(ReadWith(state.opener))
    return WaitFinished(state.agreed, state.peer, state.exchange, state.auth, state.our_verify_data, state.schedule)


def on_finished(out: Output, state: WaitFinished, msg: Finished) -> Connected:
    """1. Compare in constant time. 2. Forget what only the handshake needed (FIN-08). 3. Tell the owner (FIN-07)."""
    # 1.
    client = state.agreed.offer.client
    # the label of the server: our own Finished, sent back, does not fit (FIN-04)
    expected = state.schedule.finished(True, out.transcript.digest(state.agreed.suite.prf_hash))
    if not client.provider.equal(expected, msg.verify_data):  # FIN-01, FIN-02
        raise DecryptError("the server's Finished does not fit the handshake we saw")
    finished = FinishedVerified(state.our_verify_data, msg.verify_data)
    # 2. The master secret stays for exporters, in the engine.
    out.transcript.clear()
    client.config.note_completed(client.server.text, state.agreed.suite.code)
    # 3.
    out.do(Complete())
    return Connected(state.agreed, state.peer, state.exchange, finished, state.auth, state.schedule)


def on_application_data(out: Output, state: Connected, msg: ApplicationData) -> Connected:
    """Data for the owner; an empty record is legal and means nothing (REC-14)."""
    if msg.data:
        out.do(Emit(DataReceived(msg.data)))
    return state


def refuse_renegotiation(out: Output, state: Connected, msg: HelloRequest) -> Connected:
    """We never renegotiate (HS-09)."""
    out.do(Refuse())
    return state
