"""ClientConnection: bytes in, bytes and events out. The only place where the rooms meet.

    received bytes ─► record layer ─► joiner ─► handshake table ─► actions ─► events, bytes to send

`receive_data` walks that line record by record. Handlers of the handshake return what they want
done; it is done here, after they returned, so that a handler that raises has sent nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from lighttls.config import ClientConfig
from lighttls.errors import (
    ConfigurationError,
    DecodeError,
    IllegalParameter,
    InternalError,
    LightTLSError,
    PeerAlert,
    TruncatedStream,
    UnexpectedMessage,
    UsageError,
)
from lighttls.events import DataReceived, Event, HandshakeCompleted, PeerClosed, SignatureRequested, WarningReceived
from lighttls.handshake import (
    ENDS_A_FLIGHT,
    Action,
    ApplicationData,
    ChangeCipherSpec,
    Client,
    Complete,
    Connected,
    Emit,
    LogKeys,
    Output,
    ReadWith,
    Refuse,
    Send,
    SignatureReady,
    State,
    Transcript,
    WaitSignature,
    WriteWith,
    exporter,
    may_come,
    refuse,
    send_client_hello,
    step,
    wipe_secrets,
)
from lighttls.iana import Alert, AlertLevel, ContentType, HandshakeType, name_of
from lighttls.info import ConnectionInfo
from lighttls.keys import SignatureRequest
from lighttls.ledger import Ledger
from lighttls.messages import MESSAGES, Finished, HelloRequest, Joiner, ServerHello
from lighttls.record import OpenData, Outbox, Patience, RecordLayer, SealData, fatal_alert, read_alert
from lighttls.trace import TraceEntry
from lighttls.x509 import reference_name

_new = object.__new__


class ClientConnection:
    """One TLS 1.2 connection without I/O (RFC 5246).

    Call `initiate_connection`, carry `data_to_send()` to the server and what it answers to
    `receive_data`, until `is_established`; then `send_data` takes application data. A connection
    belongs to one thread at a time. After an error send `data_to_send()` once more: it holds the
    alert for the server.

    `server_hostname` is a DNS name (A-labels) or an IP address. Raises ConfigurationError if it
    can be neither, or `config` is no ClientConfig.
    """

    def __init__(self, config: ClientConfig, server_hostname: str) -> None:
        if not isinstance(config, ClientConfig):
            raise ConfigurationError(f"the configuration must be a ClientConfig, not {type(config).__name__}")
        self._client = Client(config, config.provider, reference_name(server_hostname))
        self._hostname = server_hostname
        self._state: State | None = None
        self._error: LightTLSError | None = None
        self._records = RecordLayer()
        self._held = self._records.held
        self._joiner = Joiner(self._judge_header)
        self._joined = self._joiner.held
        self._transcript = Transcript(config.provider)
        self._patience = Patience()
        self._ledger = Ledger(config.now)
        self._outbox = Outbox(self._records)
        self._write_closed = False
        self._read_closed = False
        self._busy = False  # inside a step, which may ask callbacks
        # Bound methods of the engine's keys: for sending while application data may be sent, for receiving
        # while besides nothing is held and nothing is being counted.
        self._seal_data: SealData | None = None
        self._open_data: OpenData | None = None
        self.trace: list[TraceEntry] | None = [] if config.trace else None

    # ---- what the owner asks ------------------------------------------------------------------

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
    def can_send_data(self) -> bool:
        """Whether `send_data` takes application data now."""
        return self._seal_data is not None

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be sent any more: closed by either side, or failed."""
        return self._write_closed or self._error is not None

    @property
    def info(self) -> ConnectionInfo:
        """What was agreed, with the byte counts so far. Raises UsageError before the handshake is complete."""
        if type(self._state) is not Connected:
            raise UsageError("there is no information before the handshake is complete")
        return self._ledger.info(self._state, self._hostname)

    def export_keying_material(self, label: str, context: bytes | None, length: int) -> bytes:
        """Secrets for the application, `length` bytes (RFC 5705 §4); no context and an empty one differ.

        Raises UsageError: not connected, no extended master secret (EMS-07), or a label of TLS itself (EXP-02).
        """
        return exporter.keying_material(self._connected("keying material"), label, context, length)

    def channel_binding(self, kind: str) -> bytes:
        """What ties an authentication above TLS to this connection: "tls-unique", "tls-server-end-point" (RFC 5929)
        or "tls-exporter" (RFC 9266).

        Raises UsageError: not connected, an unknown kind, or no extended master secret where it is needed.
        """
        return exporter.channel_binding(self._connected("a channel binding"), kind)

    def _connected(self, wanted: str) -> Connected:
        state = self._state
        if type(state) is not Connected or self.is_closed:
            raise UsageError(f"there is no {wanted.removeprefix('a ')} in state {self.state}")
        return state

    # ---- what the owner does ------------------------------------------------------------------

    def initiate_connection(self) -> list[Event]:
        """Queue the ClientHello. Raises EntropyError, UsageError when called twice."""
        if self._state is not None or self.is_closed:
            raise UsageError(f"a connection is initiated once, and this one is in state {self.state}")
        self._refuse_callbacks()
        out = Output(self._transcript)
        self._busy = True
        try:
            self._state = send_client_hello(out, self._client)
        finally:
            self._busy = False
        return self._guarded(lambda events: self._perform(out.actions, events))

    def receive_data(self, data: bytes | bytearray | memoryview) -> list[Event]:
        """Take bytes from the peer and return what they mean (RFC 5246 §6).

        `data` may end anywhere, also inside a record; it is copied. Empty input changes nothing.
        What comes after the peer's close_notify is ignored (ALERT-10).

        Raises:
            LightTLSError: the connection has failed; `error.events` holds what was earned before.
                Send `data_to_send()`, then close. Every later call raises the same error; its events
                are those of the first time.
        """
        open_data = self._open_data
        if open_data is not None and type(data) is bytes:
            # The short way for one application_data record: the row (Connected, ApplicationData).
            try:
                plaintext = open_data(data)
            except LightTLSError as error:
                self._ledger.bytes_received += len(data)
                self._fail(error, [])
                raise
            if plaintext is not None:
                self._ledger.bytes_received += len(data)
                event = _new(DataReceived)  # its constructor takes as long as all of this
                event.data = plaintext
                return [event]
        if self._error is not None:
            raise self._error.with_traceback(None)
        self._refuse_callbacks()
        if self._state is None and not self._read_closed:
            raise UsageError("call initiate_connection first: the client speaks first in TLS")
        octets = _octets(data)
        self._ledger.bytes_received += len(octets)
        if self._read_closed:
            return []
        self._records.feed(octets)
        return self._guarded(self._read_records)

    def receive_data_into(
        self, data: bytes | bytearray | memoryview, buffer: bytearray | memoryview
    ) -> tuple[int, list[Event]]:
        """Like `receive_data`, for bulk: application data goes straight to `buffer`, without a copy.

        Returns how many bytes of `buffer` were written, and the events that come after those bytes; among them is the
        application data that did not fit. A buffer of 64 KiB or more for 64 KiB of `data` keeps it from happening.

        Raises:
            UsageError: `buffer` cannot be written to.
            LightTLSError: as `receive_data`; `error.events` begins with what is in `buffer`.
        """
        target = _octets(buffer)
        if isinstance(target, bytes) or target.readonly:
            raise UsageError(f"a buffer to write to is needed, not {type(buffer).__name__}")
        if type(self._state) is not Connected or self._error or self._read_closed or self._joined or self._patience:
            return 0, self.receive_data(data)
        self._refuse_callbacks()
        octets = _octets(data)
        self._ledger.bytes_received += len(octets)
        written = 0

        def open_and_read(events: list[Event]) -> None:
            nonlocal written
            written = self._records.open_into(octets, target)
            self._read_records(events)

        try:
            events = self._guarded(open_and_read)
        except LightTLSError as error:
            if written:
                error.events.insert(0, DataReceived(bytes(target[:written])))
            raise
        return written, events

    def receive_eof(self) -> list[Event]:
        """The transport reached its end.

        Raises TruncatedStream unless close_notify came first (ALERT-11, ALERT-12), also when we had closed our side.
        """
        if self._error is not None:
            raise self._error.with_traceback(None)
        self._refuse_callbacks()
        if self._read_closed:
            return []
        where = "" if self.is_established else f" during the handshake, in state {self.state},"
        error = TruncatedStream(f"the stream ended{where} without close_notify")
        self._fail(error, [])
        raise error

    def send_data(self, data: bytes | bytearray | memoryview) -> None:
        """Queue application data.

        Raises UsageError: not connected, closed, or the key has protected as many records as it may
        (REC-26; close_notify is queued then). On a connection that has failed: the error it failed with.
        """
        seal_data = self._seal_data
        if seal_data is None:
            if self._error is not None:
                raise self._error.with_traceback(None)
            raise UsageError(f"no data can be sent in state {self.state}")
        octets = data if type(data) is bytes else _octets(data)
        if not octets:
            return
        try:
            sealed = seal_data(octets)
        except UsageError:
            self.close()
            raise
        outbox = self._outbox  # Outbox.add, without another call
        if outbox.first:
            outbox.later.append(sealed)
        else:
            outbox.first = sealed

    def data_to_send(self, max_bytes: int | None = None) -> bytes:
        """Bytes for the server, whole flights in one piece; b"" when there is nothing.

        `max_bytes` bounds the piece; the rest comes with the next call. Raises UsageError if it is negative.
        """
        outbox = self._outbox
        data = outbox.first
        if max_bytes is None and type(data) is bytes and not outbox.later:
            outbox.first = b""  # the usual case, without another call
        else:
            data = outbox.take(max_bytes)
        self._ledger.bytes_sent += len(data)
        return data

    def close(self) -> None:
        """Queue close_notify; nothing can be sent after it (ALERT-13). Does nothing when closed or failed."""
        self._refuse_callbacks()
        if self.is_closed:
            return
        if self._state is not None:
            self._outbox.add_last_alert(Alert.CLOSE_NOTIFY, fatal=False)
        if not self.is_established:
            self._read_closed = True
            self._forget_keys()
        self._shut_writing()

    def abort(self, alert: Alert) -> None:
        """Queue a fatal alert of the owner's choice and end here. Does nothing when closed or failed.

        Raises UsageError: not an alert that may be sent as a fatal one (ALERT-16).
        """
        if fatal_alert(alert) != alert:
            raise UsageError(f"{alert!r} is no alert that ends a connection")
        self._refuse_callbacks()
        if self.is_closed:
            return
        if self._state is not None:
            self._outbox.add_last_alert(alert, fatal=True)
        self._shut_writing()
        self._read_closed = True
        self._forget_keys()

    def complete_signature(self, request: SignatureRequest, signature: bytes | bytearray | memoryview) -> None:
        """Give the signature a `SignatureRequested` event asked for, in wire form.

        Raises SignerError: it does not verify. UnexpectedMessage: the server did not wait. The connection has
        failed then. UsageError: nobody waits for this signature.
        """
        self._settle_signature(request, bytes(_octets(signature)))

    def _settle_signature(self, request: SignatureRequest, outcome: bytes | BaseException) -> None:
        if self._error is not None:
            raise self._error.with_traceback(None)
        self._refuse_callbacks()
        state = self._state
        if type(state) is not WaitSignature or state.request is not request:
            raise UsageError("the connection does not wait for this signature")
        self._guarded(lambda events: self._advance(SignatureReady(outcome), events))

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

    def _refuse_callbacks(self) -> None:
        """A signer, verifier, clock or key log that calls the connection it is asked by finds it half-way."""
        if self._busy:
            raise UsageError("a callback must not use the connection that is calling it")

    def _read_records(self, events: list[Event]) -> None:
        self._open_data = None
        while not self._read_closed and (record := self._records.next()) is not None:
            self._on_record(record[0], record[1], events)
        if self._read_closed:
            self._records.forget_received()
        elif type(self._state) is Connected and not (self._held or self._joined or self._patience):
            self._open_data = self._records.open_data

    def _on_record(self, content_type: int, fragment: bytes, events: list[Event]) -> None:
        self._patience.on_record(content_type, fragment)
        if content_type == ContentType.HANDSHAKE:
            self._ledger.note_flight(sent=False)
            self._joiner.feed(fragment)
            while (raw := self._joiner.next()) is not None:
                self._on_message(raw, events)
        elif content_type == ContentType.ALERT:
            self._on_alert(*read_alert(fragment), events)
        elif self._joined:  # REC-18, REC-19
            raise UnexpectedMessage(f"{name_of(ContentType, content_type)} came in the middle of a handshake message")
        elif content_type == ContentType.CHANGE_CIPHER_SPEC:
            self._on_change_cipher_spec(fragment, events)
        else:
            self._advance(ApplicationData(fragment), events)

    def _judge_header(self, number: int, length: int) -> None:
        """Refuse a message that must not come now before its body is kept (HS-01, HS-02, REC-23)."""
        message = MESSAGES.get(number)
        if message is None or self._state is None or not may_come(self._state, message):
            raise refuse(self._state, name_of(HandshakeType, number))  # type: ignore[arg-type]
        if not message.fields and length:  # REC-23, HS-07, SHD-01
            raise DecodeError(f"{message.__name__} announces {length} bytes, expected none")

    def _on_message(self, raw: bytes, events: list[Event]) -> None:
        message = MESSAGES[raw[0]].parse(raw[4:])
        self._note(False, message, len(raw))
        if type(message) is HelloRequest:
            self._patience.on_hello_request()
        elif type(message) is not Finished:  # its own handler sees the transcript without it (RFC 5246 §7.4.9)
            self._transcript.add(raw)
        self._advance(message, events)
        if type(message) is ServerHello:
            self._records.version_pinned = True

    def _on_change_cipher_spec(self, fragment: bytes, events: list[Event]) -> None:
        if len(fragment) != 1:  # CCS-01
            raise DecodeError(f"ChangeCipherSpec has {len(fragment)} bytes, expected 1")
        if fragment[0] != 1:  # CCS-02
            raise IllegalParameter(f"ChangeCipherSpec has the value {fragment[0]}, expected 1")
        self._note(False, None, 1)
        self._advance(ChangeCipherSpec(), events)

    def _on_alert(self, level: AlertLevel, description: int, events: list[Event]) -> None:
        name = name_of(Alert, description)
        if level == AlertLevel.FATAL:  # ALERT-03, ALERT-04; close_notify too (ALERT-07). What is queued stays:
            # otherwise what is sent would hang on how the input was cut.
            raise PeerAlert(
                f"the server ended the connection with the alert {name} (in state {self.state})", description
            )
        if description != Alert.CLOSE_NOTIFY:  # ALERT-05
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

    def _advance(self, happening: object, events: list[Event]) -> None:
        before = self._state
        if before is None:
            raise InternalError("a record was read before the ClientHello")
        out = Output(self._transcript)
        try:
            after = step(out, before, happening)
            if after is not before and type(after) in ENDS_A_FLIGHT and self._joined:  # REC-20
                raise UnexpectedMessage("the server sent handshake bytes after the last message of its flight")
        except BaseException:
            out.wipe()
            raise
        self._state = after
        self._perform(out.actions, events)

    # ---- what handlers want done --------------------------------------------------------------------

    def _perform(self, actions: list[Action], events: list[Event]) -> None:
        for action in actions:
            match action:
                case Send(message, encoded):
                    self._outbox.add_message(encoded)
                    self._note(True, message, len(encoded))
                case WriteWith(sealer):
                    self._flush_flight()
                    self._outbox.add_change_cipher_spec()
                    self._note(True, None, 1)
                    self._records.write_with(sealer)
                case ReadWith(opener):
                    self._records.read_with(opener)
                case Emit(event):
                    if type(event) is SignatureRequested:
                        event.request.defer_to(self._settle_signature)
                    events.append(event)
                case LogKeys(client_random, schedule):
                    self._client.config.log_keys(client_random, schedule)
                case Refuse():
                    if not self._write_closed:
                        self._outbox.add_warning(Alert.NO_RENEGOTIATION)
                case Complete():
                    self._seal_data = self._records.seal_data
                    events.append(HandshakeCompleted(self.info))
        if type(self._state) is not WaitSignature:  # a flight leaves in one piece
            self._flush_flight()

    def _flush_flight(self) -> None:
        if self._outbox.flush_flight():
            self._ledger.note_flight(sent=True)

    def _shut_writing(self) -> None:
        self._write_closed = True
        self._seal_data = None
        self._outbox.drop_flight()

    def _fail(self, error: LightTLSError, events: list[Event]) -> None:
        """Queue the alert, drop the keys; what was earned before travels with the error."""
        error.events = events
        self._error = error
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
        self._transcript.clear()
        if self._state is not None:
            wipe_secrets(self._state)
        if type(self._state) is not Connected:
            self._state = None

    def _note(self, sent: bool, message: object, size: int) -> None:
        if self.trace is not None:
            self.trace.append(TraceEntry(sent, message, size, self._client.config.now()))  # type: ignore[arg-type]


def _octets(data: bytes | bytearray | memoryview) -> bytes | memoryview:
    """Any buffer as a flat row of bytes."""
    if type(data) is bytes:
        return data
    try:
        return memoryview(data).cast("B")
    except (TypeError, ValueError) as cause:  # ValueError: a memoryview that was released
        raise UsageError(f"expected bytes or another contiguous buffer, got {type(data).__name__}") from cause
