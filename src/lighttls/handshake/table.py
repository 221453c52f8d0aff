"""The machine on one page: what may come in each state, who handles it, and where it may lead.

Whatever is not in the table is an unexpected_message (SEQ-01 to SEQ-16, HS-02, HS-03, HS-10): a ServerKeyExchange
left out (SKE-01), a ChangeCipherSpec too early, twice or too late (CCS-03 to CCS-07), a NewSessionTicket that was not
announced, is missing, or comes elsewhere (TICKET-06 to TICKET-09), a Finished before its time (FIN-03, FIN-05),
application data before the server's Finished is verified (REC-21). With a pre-shared key no row takes a Certificate,
CertificateStatus or CertificateRequest (PSK-09, CR-01).
HelloRequest is skipped during a handshake until the server's ChangeCipherSpec (HS-06, CCS-08).
Data that we send early changes nothing here: the server's has to wait for its Finished all the same (FS-08).
CertificateStatus has its place after Certificate, in a state that only an announced one leads to (OCSP-04, OCSP-05);
behind a raw public key there is none (RPK-11).
No row leads back to a ClientHello (HS-12).
"""

from __future__ import annotations

from collections.abc import Callable

from lighttls._struct import struct
from lighttls._typing import Any, Final, TypeVar
from lighttls.errors import InternalError, UnexpectedMessage
from lighttls.handshake.inputs import ApplicationData, ChangeCipherSpec, SignatureReady
from lighttls.handshake.on_certificate import on_certificate
from lighttls.handshake.on_certificate_request import on_certificate_request
from lighttls.handshake.on_certificate_status import on_certificate_status, on_status_left_out
from lighttls.handshake.on_finished import (
    on_application_data,
    on_change_cipher_spec,
    on_change_cipher_spec_resumed,
    on_finished,
    on_finished_resumed,
    refuse_renegotiation,
)
from lighttls.handshake.on_new_session_ticket import on_new_session_ticket, on_renewed_ticket
from lighttls.handshake.on_psk import on_psk_done, on_psk_done_without_hint, on_psk_hint, on_psk_params
from lighttls.handshake.on_raw_public_key import on_raw_public_key
from lighttls.handshake.on_server_hello import on_server_hello
from lighttls.handshake.on_server_hello_done import (
    on_server_hello_done,
    on_server_hello_done_with_auth,
    on_signature_ready,
)
from lighttls.handshake.on_server_key_exchange import on_server_key_exchange
from lighttls.handshake.output import Output
from lighttls.handshake.states import (
    Connected,
    State,
    WaitCertificate,
    WaitCertificateStatus,
    WaitChangeCipherSpec,
    WaitChangeCipherSpecResumed,
    WaitFinished,
    WaitFinishedResumed,
    WaitPskDone,
    WaitPskHint,
    WaitPskParams,
    WaitRawPublicKey,
    WaitRequestOrDone,
    WaitServerHello,
    WaitServerHelloDone,
    WaitServerKeyExchange,
    WaitSignature,
    WaitTicket,
    WaitTicketResumed,
)
from lighttls.messages import (
    VERIFY_DATA_LENGTH,
    Certificate,
    CertificateRequest,
    CertificateStatus,
    Finished,
    HelloRequest,
    Message,
    NewSessionTicket,
    PskServerKeyExchange,
    RawPublicKey,
    ServerHello,
    ServerHelloDone,
    ServerKeyExchange,
)

_S = TypeVar("_S")
_M = TypeVar("_M")
_T = TypeVar("_T")


@struct
class Row:
    """In `state`, on `message`, `run` does the work and returns one of `targets`."""

    state: type
    message: type[Any]
    run: Callable[[Output, Any, Any], Any]
    targets: tuple[type, ...]
    length: int | None  # bytes that the message has, if they are always as many (REC-23)


def row(state: type[_S], message: type[_M], run: Callable[[Output, _S, _M], _T], *targets: type[_T]) -> Row:
    """A row whose handler fits its state, message and targets: the type checker sees to it."""
    empty = issubclass(message, Message) and not message.fields
    return Row(state, message, run, targets, VERIFY_DATA_LENGTH if message is Finished else 0 if empty else None)


def _skip(out: Output, state: _S, message: HelloRequest) -> _S:
    return state


# fmt: off
TABLE: Final = (
    #   while in                     on receiving          run                             to
    row(WaitServerHello,             ServerHello,          on_server_hello,                WaitCertificate,
                                                                                           WaitRawPublicKey,
                                                                                           WaitPskHint,
                                                                                           WaitPskParams,
                                                                                           WaitTicketResumed,
                                                                                           WaitChangeCipherSpecResumed),
    row(WaitCertificate,             Certificate,          on_certificate,                 WaitServerKeyExchange,
                                                                                           WaitCertificateStatus),
    row(WaitRawPublicKey,            RawPublicKey,         on_raw_public_key,              WaitServerKeyExchange),
    row(WaitCertificateStatus,       CertificateStatus,    on_certificate_status,          WaitServerKeyExchange),
    row(WaitCertificateStatus,       ServerKeyExchange,    on_status_left_out,             WaitRequestOrDone),
    row(WaitServerKeyExchange,       ServerKeyExchange,    on_server_key_exchange,         WaitRequestOrDone),
    row(WaitRequestOrDone,           CertificateRequest,   on_certificate_request,         WaitServerHelloDone),
    row(WaitRequestOrDone,           ServerHelloDone,      on_server_hello_done,           WaitTicket,
                                                                                           WaitChangeCipherSpec),
    row(WaitServerHelloDone,         ServerHelloDone,      on_server_hello_done_with_auth, WaitTicket,
                                                                                           WaitChangeCipherSpec,
                                                                                           WaitSignature),
    row(WaitSignature,               SignatureReady,       on_signature_ready,             WaitTicket,
                                                                                           WaitChangeCipherSpec),
    row(WaitTicket,                  NewSessionTicket,     on_new_session_ticket,          WaitChangeCipherSpec),
    row(WaitChangeCipherSpec,        ChangeCipherSpec,     on_change_cipher_spec,          WaitFinished),
    row(WaitFinished,                Finished,             on_finished,                    Connected),

    row(WaitPskHint,                 PskServerKeyExchange, on_psk_hint,                    WaitPskDone),
    row(WaitPskHint,                 ServerHelloDone,      on_psk_done_without_hint,       WaitTicket,
                                                                                           WaitChangeCipherSpec),
    row(WaitPskParams,               PskServerKeyExchange, on_psk_params,                  WaitPskDone),
    row(WaitPskDone,                 ServerHelloDone,      on_psk_done,                    WaitTicket,
                                                                                           WaitChangeCipherSpec),

    row(WaitTicketResumed,           NewSessionTicket,     on_renewed_ticket,              WaitChangeCipherSpecResumed),
    row(WaitChangeCipherSpecResumed, ChangeCipherSpec,     on_change_cipher_spec_resumed,  WaitFinishedResumed),
    row(WaitFinishedResumed,         Finished,             on_finished_resumed,            Connected),

    row(Connected,                   ApplicationData,      on_application_data,            Connected),
    row(Connected,                   HelloRequest,         refuse_renegotiation,           Connected),
    row(WaitServerHello,             HelloRequest,         _skip,                          WaitServerHello),
    row(WaitCertificate,             HelloRequest,         _skip,                          WaitCertificate),
    row(WaitRawPublicKey,            HelloRequest,         _skip,                          WaitRawPublicKey),
    row(WaitCertificateStatus,       HelloRequest,         _skip,                          WaitCertificateStatus),
    row(WaitServerKeyExchange,       HelloRequest,         _skip,                          WaitServerKeyExchange),
    row(WaitRequestOrDone,           HelloRequest,         _skip,                          WaitRequestOrDone),
    row(WaitServerHelloDone,         HelloRequest,         _skip,                          WaitServerHelloDone),
    row(WaitSignature,               HelloRequest,         _skip,                          WaitSignature),
    row(WaitTicket,                  HelloRequest,         _skip,                          WaitTicket),
    row(WaitChangeCipherSpec,        HelloRequest,         _skip,                          WaitChangeCipherSpec),
    row(WaitPskHint,                 HelloRequest,         _skip,                          WaitPskHint),
    row(WaitPskParams,               HelloRequest,         _skip,                          WaitPskParams),
    row(WaitPskDone,                 HelloRequest,         _skip,                          WaitPskDone),
    row(WaitTicketResumed,           HelloRequest,         _skip,                          WaitTicketResumed),
    row(WaitChangeCipherSpecResumed, HelloRequest,         _skip,                          WaitChangeCipherSpecResumed),
)
# fmt: on

_INDEX: Final[dict[tuple[type, type], Row]] = {(r.state, r.message): r for r in TABLE}
ROWS_BY_NUMBER: Final[dict[tuple[type, int], Row]] = {
    (r.state, r.message.handshake_type): r for r in TABLE if issubclass(r.message, Message)
}
"""The rows of handshake messages, by state and message type: the shape of a message hangs on what was agreed."""

ENDS_A_FLIGHT: Final = frozenset((ServerHelloDone, SignatureReady, Finished))
"""On these the server waits for us or is done: handshake bytes behind them are refused (REC-20)."""


def refuse(state: State, what: str) -> UnexpectedMessage:
    """The error for something that must not come now."""
    return UnexpectedMessage(f"the server sent {what} while the client was in state {type(state).__name__}")


def row_on(state: State, happening: object) -> Row:
    """The one row that fits. Raises UnexpectedMessage if there is none."""
    found = _INDEX.get((type(state), type(happening)))
    if found is None:
        raise refuse(state, type(happening).__name__)
    return found


def step(out: Output, row: Row, state: State, happening: object, joined: bytes | bytearray = b"") -> State:
    """Run a row that fits; `joined` are the handshake bytes that have come behind the message."""
    after: State = row.run(out, state, happening)
    if type(after) not in row.targets:
        raise InternalError(f"{row.run.__name__} led to {type(after).__name__}, which its row does not allow")
    if joined and row.message in ENDS_A_FLIGHT:  # REC-20
        raise UnexpectedMessage("the server sent handshake bytes after the last message of its flight")
    return after
