"""TLS over anything that carries bytes, in plain blocking calls."""

from __future__ import annotations

from contextlib import suppress
from time import monotonic
from types import TracebackType

from lighttls._typing import Final, Self
from lighttls.config import ClientConfig
from lighttls.connection import ClientConnection
from lighttls.errors import LightTLSError, TransportError, UsageError
from lighttls.info import ConnectionInfo
from lighttls.session import Session
from lighttls.transports.base import Transport
from lighttls.transports.driver import SILENCE, Driver, carrying, check_bounds, octets
from lighttls.transports.held import LONGEST_HOLD, HeldFlight, check_hold, start_timer

_RECEIVE_SIZE: Final = 32768  # bytes asked of the transport at a time: room for a full record and the start of another
_SEND_SIZE: Final = 262144  # bytes of plaintext that are sealed at a time, which bounds the memory of a large sendall
_REASON_RECEIVES: Final = 8  # receives after a failed send: an alert may lie behind data, but not behind a flood


class Stream:
    """A TLS 1.2 client connection over `transport`; the handshake is done when the constructor returns.

    `session` is offered before what the configuration's store has. After a resumed handshake our last flight waits for
    the first `sendall`, `recv`, `flush` or `close`, and leaves in one piece with what that sends. If there is none for
    `hold_flight` seconds, a timer's thread calls `transport.send`, and everything else waits for it; 0 sends the flight
    at once, for transports that must be called from one thread only.

    If the configuration has `false_start` and its conditions hold, the constructor returns when data may be sent; our
    flight waits likewise. The server's last one is then read by `recv`, which raises what the constructor would have
    raised. Until then there is no `info`, no session is kept, and nothing is known to have arrived.

    `timeout` bounds each wait without progress, `deadline` everything that is done with the
    connection, handshake and data alike; both in seconds, None for no bound. Exceeding one raises
    TransportError with `timed_out` set. The stream owns the transport and closes it, also when
    the handshake fails. Of a failed handshake the error has the trace, if the configuration asks for
    one, in `context["trace"]`.

    Plaintext that came before an error is delivered before the error is raised. A stream belongs
    to one thread at a time.
    """

    def __init__(
        self,
        transport: Transport,
        config: ClientConfig,
        server_hostname: str,
        *,
        session: Session | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        hold_flight: float = LONGEST_HOLD,
    ) -> None:
        self._transport = transport
        self._closed = False
        self._held: HeldFlight | None = None
        try:
            check_bounds(timeout=timeout, deadline=deadline)
            check_hold(hold_flight)
            self._timeout = timeout
            self.setdeadline(deadline)
            self._driver = Driver(config, server_hostname, session)
            self._handshake(hold_flight)
        except BaseException:
            self._close_transport()
            raise

    @property
    def connection(self) -> ClientConnection:
        """The connection behind this face: for its trace, `export_session` and the like. Do not feed it."""
        return self._driver.connection

    @property
    def info(self) -> ConnectionInfo:
        """What was agreed, and what it cost so far. Raises UsageError before the handshake is complete."""
        return self._driver.connection.info

    @property
    def pending(self) -> int:
        """Bytes that `recv` would return without waiting."""
        return self._driver.pending

    def settimeout(self, seconds: float | None) -> None:
        """Bound each wait without progress from now on."""
        self._timeout = seconds

    def setdeadline(self, seconds: float | None) -> None:
        """Bound everything from now on, counted from this call; None removes the bound."""
        self._deadline = None if seconds is None else monotonic() + seconds

    def recv(self, n: int) -> bytes:
        """Return at most `n` bytes as soon as there are any; b"" after the peer's close_notify."""
        if n < 1:
            return b""
        if self._held is not None:
            with suppress(LightTLSError):  # what failed waits in the driver, behind the data that came before it
                self._flush()
        while (data := self._driver.take(n)) is None:
            self._check_open()
            self._receive()
        return data

    def sendall(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of `data`. After an error nobody knows how much of it arrived; the connection is over."""
        view = octets(data)
        for start in range(0, len(view), _SEND_SIZE):
            self._send_some(view[start : start + _SEND_SIZE])

    def flush(self) -> None:
        """Send what `hold_flight` holds back. Everything else leaves at once by itself."""
        self._check_open()
        self._flush()

    def close(self) -> None:
        """Send close_notify, as far as the transport still lets us, and close the transport."""
        if self._closed:
            return
        with suppress(LightTLSError):  # the peer may be gone, or the connection have failed: we leave all the same
            self._say_goodbye()
        self._close_transport()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _handshake(self, hold_flight: float) -> None:
        try:
            self._flush()
            while not self._driver.ready:
                self._driver.feed(self._wait_for_bytes())
                if hold_flight and self._driver.may_send:
                    self._hold(hold_flight)
                else:
                    self._answer()
        except LightTLSError as error:
            if self.connection.trace is not None:
                error.context["trace"] = self.connection.trace
            raise

    def _send_some(self, data: memoryview) -> None:
        self._check_open()
        self._driver.send(data)
        self._flush()

    def _say_goodbye(self) -> None:
        self._driver.connection.close()
        self._flush()

    def _close_transport(self) -> None:
        self._closed = True
        with suppress(Exception):  # whatever it is, we are done with it, and the first failure counts
            self._transport.close()

    def _check_open(self) -> None:
        if self._closed:
            raise UsageError("this connection was closed by us")

    def _receive(self) -> None:
        """Wait for bytes, take them in, and send what they ask for."""
        self._driver.feed(self._wait_for_bytes())
        self._answer()

    def _answer(self) -> None:
        """Send what the server's bytes ask for: the next flight, or an alert."""
        try:
            self._flush()
        except TransportError:
            if not self._driver.error:  # else the alert is lost, but the reason for it counts
                raise

    def _wait_for_bytes(self) -> bytes:
        limit = bound = self._limit()
        give_up = None if limit is None else monotonic() + limit
        while True:
            data = self._receive_some(limit)
            if data is not None:
                return data
            if give_up is not None:  # a transport may return early; then it waits for the rest
                limit = give_up - monotonic()
                if limit <= 0:
                    late = f"nothing came for {bound:g} s" if bound == self._timeout else _DEADLINE
                    raise TransportError(late, timed_out=True, hint=SILENCE)

    def _receive_some(self, limit: float | None) -> bytes | None:
        with carrying("receiving"):
            return self._transport.recv(_RECEIVE_SIZE, limit)

    def _hold(self, seconds: float) -> None:
        data = self._driver.data_to_send()
        if data:
            self._held = HeldFlight(data, self._send_bytes, seconds, self._start_timer)

    def _flush(self) -> None:
        """Send everything that is held and queued. Failing in the middle of it ends the connection."""
        data = self._driver.data_to_send()
        if not data and self._held is None:
            return
        try:
            if self._held is not None:
                held, self._held = self._held, None
                data = held.take() + data
            self._send_bytes(data)
        except TransportError as failure:
            self._listen_for_reason()
            reason = self._driver.error
            self._driver.give_up(failure)
            if reason:
                raise reason from failure
            raise
        except BaseException:
            self._driver.give_up(TransportError("interrupted while sending"))
            raise

    def _send_bytes(self, data: bytes) -> None:
        while data:
            self._bound_send(self._limit())
            with carrying("sending"):
                sent = self._transport.send(data)
            if sent is None:
                return
            if not isinstance(sent, int) or not 0 < sent <= len(data):
                raise TransportError(f"the transport says that it took {sent!r} of {len(data)} bytes", hint=_FAULTY)
            data = data[sent:]

    _start_timer = staticmethod(start_timer)

    def _bound_send(self, limit: float | None) -> None:
        """Tell the transport how long its next send may block, if it is of a kind that can be told."""

    def _listen_for_reason(self) -> None:
        """A peer that refuses us sends its alert and closes: a failed send may have that alert waiting behind it."""
        with suppress(TransportError):
            for _ in range(_REASON_RECEIVES):
                self._limit()  # raises when the deadline has passed
                if self._driver.error or not (data := self._receive_some(0)):
                    return
                self._driver.feed(data)

    def _limit(self) -> float | None:
        """Seconds that the next wait may take."""
        if self._deadline is None:
            return self._timeout
        left = self._deadline - monotonic()
        if left <= 0:
            raise TransportError(_DEADLINE, timed_out=True, hint=SILENCE)
        return left if self._timeout is None else min(left, self._timeout)


_DEADLINE = "the deadline has passed"
_FAULTY = "That is a fault of the transport: `send` returns how many bytes it took, at least one, or None for all."
