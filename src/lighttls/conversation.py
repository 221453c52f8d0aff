"""The inside of a connection: the only place where the rooms meet.

    received bytes ─► record layer ─► joiner ─► handshake table ─► actions ─► events, bytes to send

That line is walked record by record. Handlers of the handshake return what they want done; it is
done here, after they returned, so that a handler that raises has sent nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from lighttls._typing import Final, NoReturn
from lighttls.config import ClientConfig
from lighttls.errors import (
    ConfigurationError,
    DecodeError,
    DecryptError,
    IllegalParameter,
    InternalError,
    LightTLSError,
    PeerAlert,
    TruncatedStream,
    UnexpectedMessage,
    UsageError,
)
from lighttls.events import (
    Event,
    HandshakeCompleted,
    PeerClosed,
    SessionAvailable,
    SignatureRequested,
    WarningReceived,
)
from lighttls.handshake import (
    ROWS_BY_NUMBER,
    ApplicationData,
    ChangeCipherSpec,
    Client,
    Complete,
    Connected,
    Emit,
    LimitRecords,
    LogKeys,
    Output,
    ReadWith,
    Row,
    SignatureReady,
    StartEarly,
    State,
    Transcript,
    WaitChangeCipherSpecResumed,
    WaitFinishedResumed,
    WaitSignature,
    WaitTicketResumed,
    WriteWith,
    psk_advice,
    refuse,
    row_on,
    step,
    wipe_secrets,
)
from lighttls.iana import Alert, AlertLevel, ContentType, HandshakeType, name_of
from lighttls.info import ConnectionInfo
from lighttls.keeper import SessionKeeper
from lighttls.keys import SignatureRequest
from lighttls.ledger import Ledger
from lighttls.messages import Finished, HelloRequest, Joiner, ServerHello
from lighttls.record import OpenData, Outbox, Patience, RecordLayer, SealData, fatal_alert, read_alert
from lighttls.session import Session
from lighttls.trace import TraceEntry
from lighttls.x509 import reference_name


class Conversation:
    """What one connection knows, and what it does about what it receives. `ClientConnection` is its face."""

    def __init__(self, config: ClientConfig, server_hostname: str, *, session: Session | None = None) -> None:
        if not isinstance(config, ClientConfig):
            raise ConfigurationError(f"the configuration must be a ClientConfig, not {type(config).__name__}")
        self._client = Client(config, config.provider, reference_name(server_hostname))
        if session is not None and not isinstance(session, Session):
            raise ConfigurationError(f"the session must be a Session, not {type(session).__name__}")
        self._sessions = SessionKeeper(self._client, session)
        self._hostname = server_hostname
        self._state: State | None = None
        self._error: LightTLSError | None = None
        self._records = RecordLayer()
        self._held = self._records.held
        self._joiner = Joiner(_judge_header)
        self._joined = self._joiner.held
        self._transcript = Transcript(config.provider)
        self._output = Output(self._transcript)
        self._patience = Patience()
        self._ledger = Ledger(config.now)
        self._outbox = Outbox(self._records)
        self._flight: list[bytes] = []  # handshake messages of ours that leave in one record
        self._write_closed = False
        self._read_closed = False
        self._busy = False  # inside a step, which may ask callbacks
        # Bound methods of the engine's keys: for sending while application data may be sent, for receiving
        # while besides nothing is held and nothing is being counted.
        self._seal_data: SealData | None = None
        self._open_data: OpenData | None = None
        self._early_bytes = 0  # of application data, sent before the server's Finished
        self.trace: list[TraceEntry] | None = [] if config.trace else None

    # ---- where it stands ---------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """Where the connection stands, for people."""
        if self._error is not None:
            return "Failed"
        if self.is_closed:
            return "Closed"
        return "Start" if self._state is None else type(self._state).__name__

    @property
    def is_established(self) -> bool:
        """Whether the handshake is complete and the connection has not failed."""
        return type(self._state) is Connected and self._error is None

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be sent any more: closed by either side, or failed."""
        return self._write_closed or self._error is not None

    @property
    def info(self) -> ConnectionInfo:
        """What was agreed, with the byte counts so far. Raises UsageError before the handshake is complete."""
        if type(self._state) is not Connected:
            raise UsageError("there is no information before the handshake is complete")
        return self._snapshot(self._state, *self._records.short_bytes)()

    def _snapshot(self, state: Connected, sealed_short: int, opened_short: int) -> Callable[[], ConnectionInfo]:
        outbox = self._outbox
        sent = outbox.added + sealed_short - (outbox.waiting if outbox.first else 0)
        return self._ledger.snapshot(state, self._hostname, sent, opened_short, self._early_bytes)

    # ---- from records to the table -----------------------------------------------------------------

    def _guarded(self, work: Callable[[list[Event]], None]) -> list[Event]:
        """Run `work`; whatever it raises ends the connection, and only a LightTLSError leaves."""
        events: list[Event] = []
        self._busy = True
        try:
            work(events)
        except LightTLSError as error:
            self._fail(error, events)
            raise
        except Exception as cause:
            bug = InternalError(f"{type(cause).__name__}: {cause}")
            self._fail(bug, events)
            raise bug from cause
        except BaseException:  # a step that was interrupted half-way cannot be taken up again
            self._fail(InternalError("interrupted by the program"), events)
            raise
        finally:
            self._busy = False
        return events

    def _refuse_callback(self) -> NoReturn:
        """A signer, verifier, clock or key log that calls the connection it is asked by finds it half-way."""
        raise UsageError("a callback must not use the connection that is calling it")

    def _read_records(self, events: list[Event]) -> None:
        self._open_data = None
        records, patience = self._records, self._patience
        while not self._read_closed:
            record = records.next()
            if record is None:
                break
            content_type, fragment = record
            self._on_record(content_type, fragment, events)
        if self._read_closed:
            self._records.forget_received()
        elif type(self._state) is Connected and not (
            self._held or self._joined or patience.empty_records or patience.warnings
        ):
            self._open_data = records.open_data

    def _on_record(self, content_type: int, fragment: bytes, events: list[Event]) -> None:
        patience = self._patience
        if not fragment or patience.empty_records or patience.warnings:
            patience.on_record(content_type, fragment)
        if content_type == _HANDSHAKE:
            if self._ledger.last_sent is not False:
                self._ledger.note_flight(sent=False)
            if not self._joined and int.from_bytes(fragment[1:4], "big") == len(fragment) - 4:
                self._on_message(fragment, events)
                return
            self._joiner.feed(fragment)
            while self._joined and (raw := self._joiner.next(self._state)) is not None:
                self._on_message(raw, events)
        elif content_type == _ALERT:
            self._on_alert(*read_alert(fragment), events)
        elif self._joined:  # REC-18, REC-19
            raise UnexpectedMessage(f"{name_of(ContentType, content_type)} came in the middle of a handshake message")
        elif content_type == _CHANGE_CIPHER_SPEC:
            self._on_change_cipher_spec(fragment, events)
        else:
            self._on_input(ApplicationData(fragment), events)

    def _on_message(self, raw: bytes, events: list[Event]) -> None:
        """One handshake message, header included."""
        state = self._state
        row = ROWS_BY_NUMBER.get((type(state), raw[0]))
        if row is None or (row.length is not None and row.length != len(raw) - 4):
            row = _judge_header(state, raw[0], len(raw) - 4)
        kind = row.message
        message = kind.parse(raw[4:])
        if self.trace is not None:
            self._note(self.trace, False, message, len(raw))
        if kind is HelloRequest:
            self._patience.on_hello_request()
        elif kind is not Finished:  # its own handler sees the transcript without it (RFC 5246 §7.4.9)
            self._transcript.add(raw)
        self._state = step(self._output, row, state, message, self._joined)  # type: ignore[arg-type] # it fits
        if self._output.actions:
            self._perform(events)
        if kind is ServerHello:
            self._records.version_pinned = True

    def _on_input(self, happening: object, events: list[Event]) -> None:
        """What is no handshake message."""
        state = self._state
        if state is None:
            raise InternalError("a record was read before the ClientHello")
        self._state = step(self._output, row_on(state, happening), state, happening, self._joined)
        if self._output.actions:
            self._perform(events)

    def _on_change_cipher_spec(self, fragment: bytes, events: list[Event]) -> None:
        if len(fragment) != 1:  # CCS-01
            raise DecodeError(f"ChangeCipherSpec has {len(fragment)} bytes, expected 1")
        if fragment[0] != 1:  # CCS-02
            raise IllegalParameter(f"ChangeCipherSpec has the value {fragment[0]}, expected 1")
        if self.trace is not None:
            self._note(self.trace, False, None, 1)
        self._on_input(_SWITCH, events)

    def _on_alert(self, level: AlertLevel, description: int, events: list[Event]) -> None:
        name = name_of(Alert, description)
        if level == AlertLevel.FATAL:  # ALERT-03, ALERT-04; close_notify too (ALERT-07). What is queued stays:
            # otherwise what is sent would hang on how the input was cut.
            raise PeerAlert(
                f"the server ended the connection with the alert {name} (in state {self.state})",
                description,
                hint=psk_advice(self._state, description),
            )
        if description != Alert.CLOSE_NOTIFY:  # ALERT-05, SNI-07
            self._patience.on_warning()
            events.append(WarningReceived(description))
            return
        if not self.is_established:  # ALERT-08
            self._outbox.add_last_alert(Alert.CLOSE_NOTIFY, fatal=False)
            raise PeerAlert(
                f"the server closed the connection during the handshake (in state {self.state})", description
            )
        if not self._write_closed:  # ALERT-09
            self._outbox.add_last_alert(Alert.CLOSE_NOTIFY, fatal=False)
        self._shut_writing()
        self._read_closed = True
        self._forget_keys()
        events.append(PeerClosed())

    def _settle_signature(self, request: SignatureRequest, outcome: bytes | BaseException) -> None:
        if self._error is not None:
            raise self._error.with_traceback(None)
        if self._busy:
            self._refuse_callback()
        state = self._state
        if type(state) is not WaitSignature or state.request is not request:
            raise UsageError("the connection does not wait for this signature")
        self._guarded(lambda events: self._on_input(SignatureReady(outcome), events))

    # ---- what handlers want done --------------------------------------------------------------------

    def _perform(self, events: list[Event]) -> None:
        outbox, flight = self._outbox, self._flight
        for action in self._output.actions:  # a `match` by class takes several times as long
            if type(action) is tuple:  # Send
                kind, encoded = action
                flight.append(encoded)
                if self.trace is not None:
                    self._note(self.trace, True, kind.parse(encoded[4:]), len(encoded))
            elif type(action) is WriteWith:
                if flight:
                    self._flush_flight()
                outbox.add_change_cipher_spec()
                if self.trace is not None:
                    self._note(self.trace, True, None, 1)
                self._records.write_with(action.sealer)
            elif type(action) is ReadWith:
                self._records.read_with(action.opener)
            elif type(action) is Complete:
                self._complete(events)
            elif type(action) is Emit:
                if type(action.event) is SignatureRequested:
                    action.event.request.defer_to(self._settle_signature)
                events.append(action.event)
            elif type(action) is LogKeys:
                self._client.config.log_keys(action.client_random, action.schedule)
            elif type(action) is LimitRecords:
                self._records.limit(action.sizes.unprotected, action.sizes.sent, action.sizes.received)
            elif type(action) is StartEarly:
                self._seal_data = self._seal_early
            elif not self._write_closed:  # Refuse, the last of the closed union Action
                outbox.add_warning(Alert.NO_RENEGOTIATION)
        self._output.actions.clear()
        if flight and type(self._state) is not WaitSignature:  # a flight leaves in one piece
            self._flush_flight()

    def _complete(self, events: list[Event]) -> None:
        if self._flight:
            self._flush_flight()
        self._seal_data = self._records.seal_data
        state: Connected = self._state  # type: ignore[assignment] # whose rows alone ask for this
        sealed_short = self._records.short_bytes[0] if self._early_bytes else 0  # no other way was open yet
        events.append(HandshakeCompleted(None, self._snapshot(state, sealed_short, 0)))
        if self._sessions.keeps and (session := self._sessions.keep(state, self._ledger.latest)) is not None:
            events.append(SessionAvailable(session))

    def _seal_early(self, data: bytes | memoryview) -> bytes:
        """What is sent under False Start is counted: the owner is told of it (FS-06)."""
        sealed = self._records.seal_data(data)
        self._early_bytes += len(data)
        return sealed

    def _flush_flight(self) -> None:
        """Queue the flight in one record (HS-13). Whoever calls has looked that there is one (REC-28)."""
        self._outbox.add(self._records.protect(_HANDSHAKE, b"".join(self._flight)))
        self._flight.clear()
        if self._ledger.last_sent is not True:
            self._ledger.note_flight(sent=True)

    def _shut_writing(self) -> None:
        self._write_closed = True
        self._seal_data = None
        self._flight.clear()

    def _fail(self, error: LightTLSError, events: list[Event]) -> None:
        """Queue the alert, drop the keys; what was earned before travels with the error."""
        error.events = events
        if type(error) is not TruncatedStream or type(self._state) in _RESUMING:
            self._sessions.drop()
        self._error = error
        if self._early_bytes and type(self._state) is not Connected:  # FS-07
            error.context["early_bytes"] = self._early_bytes
            error.args = (f"{error}; {self._early_bytes} bytes of data had been sent already (False Start)",)
        if not isinstance(error, PeerAlert | TruncatedStream):
            alert = error.alert = fatal_alert(error.alert)
            if not self._write_closed:
                self._outbox.add_last_alert(alert, fatal=True)  # ALERT-14
        self._shut_writing()
        self._forget_keys()

    def _forget_keys(self) -> None:
        """Drop what the connection will not need any more (ALERT-15)."""
        self._open_data = None
        self._records.forget_keys()
        self._output.wipe()
        self._transcript.clear()
        if self._state is not None:
            wipe_secrets(self._state)
        if type(self._state) is not Connected:
            self._state = None

    def _note(self, trace: list[TraceEntry], sent: bool, message: object, size: int) -> None:
        trace.append(TraceEntry(sent, message, size, self._client.config.now()))  # type: ignore[arg-type]


def _judge_header(state: State | None, number: int, length: int) -> Row:
    """The row of a message; refuse one that must not come now before its body is kept (HS-01, HS-02, REC-23)."""
    row = ROWS_BY_NUMBER.get((type(state), number))
    if row is None:
        raise refuse(state, name_of(HandshakeType, number))  # type: ignore[arg-type]
    if row.length is not None and length != row.length:
        if row.message is Finished:  # FIN-02
            raise DecryptError(f"the server's Finished announces {length} bytes, expected {row.length}")
        raise DecodeError(f"{row.message.__name__} announces {length} bytes, expected none")  # HS-07, SHD-01
    return row


# An enum's member takes longer to look up than what is done with it here.
_HANDSHAKE: Final = int(ContentType.HANDSHAKE)
_ALERT: Final = int(ContentType.ALERT)
_CHANGE_CIPHER_SPEC: Final = int(ContentType.CHANGE_CIPHER_SPEC)

_SWITCH: Final = ChangeCipherSpec()  # all are alike

_RESUMING = frozenset((WaitTicketResumed, WaitChangeCipherSpecResumed, WaitFinishedResumed))
"""Where the end of the stream, too, ends a session (TICKET-19): the server had taken it, and came to no end with it.

Elsewhere that ends no session (ALERT-11): links break, and it has nothing to do with what was agreed.
"""
