"""The handshake: typed states, one table, one handler for each row."""

from lighttls.handshake import exporter, resumption
from lighttls.handshake.client_hello import send_client_hello
from lighttls.handshake.inputs import ApplicationData, ChangeCipherSpec, SignatureReady
from lighttls.handshake.on_psk import advice as psk_advice
from lighttls.handshake.output import (
    Action,
    Complete,
    Emit,
    LimitRecords,
    LogKeys,
    Output,
    ReadWith,
    Refuse,
    StartEarly,
    WriteWith,
)
from lighttls.handshake.silence import advice as silence_advice
from lighttls.handshake.states import (
    Agreed,
    Client,
    Connected,
    FullHandshake,
    PeerVerified,
    PskHandshake,
    RawKeyVerified,
    Resumption,
    State,
    WaitChangeCipherSpecResumed,
    WaitFinishedResumed,
    WaitSignature,
    WaitTicketResumed,
    wipe_secrets,
)
from lighttls.handshake.table import ENDS_A_FLIGHT, ROWS_BY_NUMBER, TABLE, Row, refuse, row_on, step
from lighttls.handshake.transcript import Transcript

__all__ = [
    "ENDS_A_FLIGHT",
    "ROWS_BY_NUMBER",
    "TABLE",
    "Action",
    "Agreed",
    "ApplicationData",
    "ChangeCipherSpec",
    "Client",
    "Complete",
    "Connected",
    "Emit",
    "FullHandshake",
    "LimitRecords",
    "LogKeys",
    "Output",
    "PeerVerified",
    "PskHandshake",
    "RawKeyVerified",
    "ReadWith",
    "Refuse",
    "Resumption",
    "Row",
    "SignatureReady",
    "StartEarly",
    "State",
    "Transcript",
    "WaitChangeCipherSpecResumed",
    "WaitFinishedResumed",
    "WaitSignature",
    "WaitTicketResumed",
    "WriteWith",
    "exporter",
    "psk_advice",
    "refuse",
    "resumption",
    "row_on",
    "send_client_hello",
    "silence_advice",
    "step",
    "wipe_secrets",
]
