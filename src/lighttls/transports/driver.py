"""The half of every face that is the same: from bytes to plaintext, and when to raise.

A face moves bytes, and waits in its own way. What arrives it gives to `Driver.feed`; then it
sends `Driver.data_to_send()`, which is an alert if the bytes were refused; then it asks for
plaintext with `Driver.take`. An error waits here until everything that came before it is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lighttls.config import ClientConfig
from lighttls.connection import ClientConnection
from lighttls.errors import ConfigurationError, LightTLSError, TransportError, UsageError
from lighttls.events import DataReceived, Event, HandshakeCompleted, PeerClosed, SignatureRequested
from lighttls.session import Session


class Driver:
    """One connection, the plaintext that nobody has asked for yet, and the error behind it."""

    __slots__ = ("_completed", "_plaintext", "connection", "ended", "error")

    def __init__(self, config: ClientConfig, server_hostname: str, session: Session | None = None) -> None:
        self.connection = ClientConnection(config, server_hostname, session=session)
        self.error: LightTLSError | None = None
        self.ended = False  # cleanly: the peer closed, or the owner reads no further
        self._completed = False
        self._plaintext = bytearray()
        self._run(self.connection.initiate_connection)

    @property
    def ready(self) -> bool:
        """Whether data may be sent: the handshake is complete, or False Start does not wait for its end.

        Raises what made the handshake fail.
        """
        if self.error and not self._completed:
            raise self.error
        return self._completed or self.may_send

    @property
    def may_send(self) -> bool:
        """Whether data may be sent now. In the handshake our last flight is queued then, and can wait for that data."""
        return self.connection.can_send_data

    @property
    def pending(self) -> int:
        """Bytes of plaintext that `take` would return now."""
        return len(self._plaintext)

    def feed(self, data: bytes) -> None:
        """Take bytes from the transport; b"" is the end of its stream."""
        if data:
            self._run(lambda: self.connection.receive_data(data))
        else:
            self._run(self.connection.receive_eof)
            self.ended = self.error is None

    def end_reading(self) -> None:
        """The owner ends the peer's direction: what is cut off then is no truncation."""
        self.ended = self.error is None

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Queue application data. Raises what ended the connection, and what `ClientConnection.send_data` raises."""
        if self.error:
            raise self.error
        self.connection.send_data(octets(data))

    def data_to_send(self) -> bytes:
        """Bytes for the transport, in one piece."""
        return self.connection.data_to_send()

    def give_up(self, failure: TransportError) -> None:
        """Bytes for the transport are lost, or some of them: nothing may follow, not even close_notify."""
        self.error = self.error or failure
        self.connection.close()
        self.connection.data_to_send()

    def take(self, n: int) -> bytes | None:
        """At most `n` bytes of plaintext; b"" after a clean end, None if more bytes must be fed first.

        Raises what ended the connection, once all plaintext before it is taken.
        """
        if self._plaintext:
            data = bytes(self._plaintext[:n])
            del self._plaintext[:n]
            return data
        if self.ended:
            return b""
        if self.error:
            raise self.error
        return None

    def _run(self, step: Callable[[], list[Event]]) -> None:
        try:
            events = step()
        except LightTLSError as error:
            self.error = error
            events = error.events
        for event in events:
            match event:
                case DataReceived(data=data):
                    self._plaintext += data
                case HandshakeCompleted():
                    self._completed = True
                case PeerClosed():
                    self.ended = True
                case SignatureRequested(request=request):
                    self._refuse(request.fail)

    def _refuse(self, fail: Callable[[BaseException], None]) -> None:
        """Faces cannot wait for a signature that is given later: say so, and let the handshake end."""
        refusal = UsageError("the signer returned no signature")
        try:
            fail(refusal)
        except LightTLSError as error:
            if error.__cause__ is refusal:  # else the connection had failed before, of something else
                error.hint = _NO_DEFERRED_SIGNATURES
            self.error = error


def octets(data: bytes | bytearray | memoryview) -> memoryview:
    """Any buffer as a flat row of bytes. Raises UsageError if it is none, or a memoryview that was released."""
    try:
        return memoryview(data).cast("B")
    except (TypeError, ValueError) as cause:
        raise UsageError(f"expected bytes or another contiguous buffer, got {type(data).__name__}: {cause}") from cause


def check_address(address: object) -> None:
    """Raises ConfigurationError unless it is a (host, port) that can be called."""
    if not (isinstance(address, tuple | list) and len(address) == 2 and isinstance(address[0], str)):
        raise ConfigurationError(f"an address is a pair (host, port), such as ('example.com', 443), not {address!r}")
    port = address[1]
    if type(port) is not int or not 0 < port < 65536:
        raise ConfigurationError(f"a port is a number from 1 to 65535, not {port!r}")


def check_bounds(**bounds: object) -> None:
    """Raises ConfigurationError unless each bound is None or a positive number of seconds."""
    for name, seconds in bounds.items():
        if seconds is not None and not (type(seconds) in (int, float) and seconds > 0):  # type: ignore[operator]
            raise ConfigurationError(f"the setting {name} is a positive number of seconds or None, not {seconds!r}")


def check_session(session: object) -> None:
    """Raises ConfigurationError unless it is a Session or None."""
    if session is not None and not isinstance(session, Session):
        raise ConfigurationError(f"the session must be a Session, not {type(session).__name__}")


@contextmanager
def carrying(doing: str) -> Iterator[None]:
    """Around a call of the transport: whatever it raises leaves as TransportError."""
    try:
        yield
    except TransportError:
        raise
    except TimeoutError as cause:
        raise TransportError(f"{doing} took too long", timed_out=True, hint=SILENCE) from cause
    except OSError as cause:
        raise TransportError(f"the link broke while {doing}: {cause}") from cause
    except Exception as cause:
        raise TransportError(f"the transport failed while {doing}: {type(cause).__name__}: {cause}") from cause


SILENCE = "The link is slow or dead, or the server is stuck. Check the link, or allow it more time."
_NO_DEFERRED_SIGNATURES = (
    "The identity has no signer, or that put its answer off, which only ClientConnection can wait for. Give a signer "
    "whose sign() returns the signature (or key= to Identity.from_file), or drive ClientConnection yourself and answer "
    "the SignatureRequested event."
)
