"""ClientConnection: bytes in, bytes and events out. What happens to them in between is in conversation.py."""

from __future__ import annotations

from lighttls.conversation import Conversation
from lighttls.errors import InternalError, LightTLSError, TruncatedStream, UsageError
from lighttls.events import DataReceived, Event
from lighttls.handshake import Connected, exporter, send_client_hello, silence_advice
from lighttls.iana import Alert
from lighttls.keys import SignatureRequest
from lighttls.record import fatal_alert
from lighttls.session import Session

_new = object.__new__


class ClientConnection(Conversation):
    """One TLS 1.2 connection without I/O (RFC 5246).

    Call `initiate_connection`, carry `data_to_send()` to the server and what it answers to
    `receive_data`, until `is_established`; then `send_data` takes application data. A connection
    belongs to one thread at a time. After an error send `data_to_send()` once more: it holds the
    alert for the server.

    `server_hostname` is a DNS name (A-labels) or an IP address. Raises ConfigurationError if it
    can be neither, or `config` is no ClientConfig. `session` is offered before what the configuration's store has,
    if it may be resumed under this configuration; otherwise the handshake is a full one.
    """

    # ---- what the owner asks ------------------------------------------------------------------

    @property
    def can_send_data(self) -> bool:
        """Whether `send_data` takes application data now; under False Start that is so before `is_established`."""
        return self._seal_data is not None

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

    def export_session(self) -> Session | None:
        """What to resume this connection's session with; None if the server gave nothing, or the policy forbids it.

        Raises UsageError: not connected.
        """
        return self._sessions.session_of(self._connected("a session"), self._ledger.latest)

    def _connected(self, wanted: str) -> Connected:
        state = self._state
        if type(state) is not Connected or self.is_closed:
            raise UsageError(f"there is no {wanted.removeprefix('a ')} in state {self.state}")
        return state

    # ---- what the owner does ------------------------------------------------------------------

    def initiate_connection(self) -> list[Event]:
        """Queue the ClientHello. Raises EntropyError, UsageError when called twice."""
        if self._state is not None or self._write_closed or self._error is not None:
            raise UsageError(f"a connection is initiated once, and this one is in state {self.state}")
        if self._busy:
            self._refuse_callback()
        self._busy = True
        try:
            session = self._sessions.choose()
            wants_tickets = self._sessions.wants_tickets
            self._state = send_client_hello(self._output, self._client, session, wants_tickets=wants_tickets)
        finally:
            self._busy = False
        return self._guarded(self._perform)

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
                if plaintext is not None:  # the engine has counted it
                    event = _new(DataReceived)  # its constructor takes as long as all of this
                    event.data = plaintext
                    return [event]
            except LightTLSError as error:
                self._ledger.bytes_received += len(data)
                self._fail(error, [])
                raise
            except BaseException:  # the record may be lost
                self._fail(InternalError("interrupted by the program"), [])
                raise
        if self._error is not None:
            raise self._error.with_traceback(None)
        if self._busy:
            self._refuse_callback()
        if self._read_closed:
            self._ledger.bytes_received += len(_octets(data))
            return []
        if self._state is None:
            raise UsageError("call initiate_connection first: the client speaks first in TLS")
        if type(data) is bytes:
            self._ledger.bytes_received += len(data)
            self._records.feed(data)
        else:
            with memoryview(_octets(data)) as octets:  # released: a traceback that is kept must not lock the caller's
                self._ledger.bytes_received += len(octets)
                self._records.feed(octets)
        return self._guarded(self._read_records)

    def receive_data_into(
        self, data: bytes | bytearray | memoryview, buffer: bytearray | memoryview
    ) -> tuple[int, list[Event]]:
        """Like `receive_data`, for bulk: application data goes straight to `buffer`, without a copy.

        Returns how many bytes of `buffer` were written, and the events that come after those bytes; among them is the
        application data that did not fit. A buffer of 16 KiB more than `data` keeps it from happening.

        Raises:
            UsageError: `buffer` cannot be written to.
            LightTLSError: as `receive_data`; `error.events` begins with what is in `buffer`.
        """
        with memoryview(_octets(buffer)) as target:  # released in the end, whatever traceback is kept
            if target.readonly:
                raise UsageError(f"a buffer to write to is needed, not {type(buffer).__name__}")
            return self._receive_into(data, target)

    def _receive_into(self, data: bytes | bytearray | memoryview, target: memoryview) -> tuple[int, list[Event]]:
        if type(self._state) is not Connected or self._error or self._read_closed or self._joined or self._patience:
            return 0, self.receive_data(data)
        if self._busy:
            self._refuse_callback()
        octets = bytes(_octets(data))  # a copy of what might lie in `buffer`
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
        if self._busy:
            self._refuse_callback()
        if self._read_closed:
            return []
        where = "" if self.is_established else f" during the handshake, in state {self.state},"
        error = TruncatedStream(f"the stream ended{where} without close_notify", hint=silence_advice(self._state))
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
            outbox = self._outbox  # Outbox.add, without another call or another count
            if outbox.first:
                outbox.later.append(sealed)
            else:
                outbox.first = sealed
        except BaseException as error:
            if isinstance(octets, memoryview):
                octets.release()  # a traceback that somebody keeps must not lock the caller's buffer
            if isinstance(error, UsageError):
                self.close()
            elif isinstance(error, LightTLSError):  # a record may be missing from the stream
                self._fail(error, [])
            else:
                self._fail(InternalError("interrupted by the program"), [])
            raise

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
        return data

    def close(self) -> None:
        """Queue close_notify; nothing can be sent after it (ALERT-13). Does nothing when closed or failed."""
        if self._busy:
            self._refuse_callback()
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
        if self._busy:
            self._refuse_callback()
        if self.is_closed:
            return
        if self._state is not None:
            self._outbox.add_last_alert(alert, fatal=True)
        self._sessions.drop()
        self._shut_writing()
        self._read_closed = True
        self._forget_keys()

    def complete_signature(self, request: SignatureRequest, signature: bytes | bytearray | memoryview) -> None:
        """Give the signature a `SignatureRequested` event asked for, in wire form.

        Raises SignerError: it does not verify. UnexpectedMessage: the server did not wait. The connection has
        failed then. UsageError: nobody waits for this signature.
        """
        self._settle_signature(request, bytes(_octets(signature)))


def _octets(data: bytes | bytearray | memoryview) -> bytes | memoryview:
    """Any buffer as a flat row of bytes."""
    if type(data) is bytes:
        return data
    try:
        return memoryview(data).cast("B")
    except (TypeError, ValueError) as cause:  # ValueError: a memoryview that was released
        raise UsageError(f"expected bytes or another contiguous buffer, got {type(data).__name__}") from cause
