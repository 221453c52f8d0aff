"""TLS over TCP, with the methods of a socket."""

from __future__ import annotations

import io
import socket
from contextlib import suppress
from time import monotonic

from lighttls._typing import IO, Any, Final
from lighttls.config import ClientConfig
from lighttls.errors import TransportError, UsageError
from lighttls.session import Session
from lighttls.transports.driver import check_address, check_bounds, check_session, octets
from lighttls.transports.held import LONGEST_HOLD, check_hold
from lighttls.transports.stream import Stream
from lighttls.x509 import reference_name

_SEND_SIZE: Final = 262144  # bytes that one `send` takes at most


def connect(
    address: tuple[str, int],
    config: ClientConfig,
    *,
    server_hostname: str | None = None,
    session: Session | None = None,
    timeout: float | None = None,
    deadline: float | None = None,
    hold_flight: float = LONGEST_HOLD,
) -> TLSSocket:
    """Connect to (host, port) by TCP and make the handshake.

    `server_hostname` is the name to ask for and to verify where it is not the host of `address`.
    `session`, `timeout`, `deadline` and `hold_flight` are those of `Stream`; the bounds cover the TCP connection too,
    but not the name's resolution, which the operating system bounds.

    Raises:
        ConfigurationError: an argument is none, or no certificate can verify the name; nothing was sent.
        TransportError: no connection, or the link broke; `timed_out` tells lateness from failure.
        CertificateError, ProtocolError, PeerAlert: the handshake failed.
    """
    check_address(address)
    check_bounds(timeout=timeout, deadline=deadline)
    check_hold(hold_flight)
    check_session(session)
    name = server_hostname or address[0]
    reference_name(name)  # refuses what the handshake would, before anybody is called
    began = monotonic()
    link = SocketTransport(_connect_tcp(address, timeout, None if deadline is None else began + deadline))
    if deadline is not None:
        deadline = max(deadline - (monotonic() - began), 1e-9)  # too late is no fault of the argument
    return TLSSocket(link, config, name, session=session, timeout=timeout, deadline=deadline, hold_flight=hold_flight)


class SocketTransport:
    """A connected stream socket as a transport."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.send_timeout: float | None = None  # seconds a send may wait for room

    def send(self, data: bytes) -> int:
        self.socket.settimeout(self.send_timeout)
        return self.socket.send(data)

    def recv(self, n: int, timeout: float | None) -> bytes | None:
        self.socket.settimeout(timeout)
        try:
            return self.socket.recv(n)
        except (TimeoutError, BlockingIOError):
            return None

    def close(self) -> None:
        self.socket.close()


class TLSSocket(Stream):
    """A TLS 1.2 client connection that is used like a connected socket. Made by `connect`.

    It belongs to one thread at a time. All its errors are LightTLSError.
    """

    def __init__(
        self,
        transport: SocketTransport,
        config: ClientConfig,
        server_hostname: str,
        *,
        session: Session | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        hold_flight: float = LONGEST_HOLD,
    ) -> None:
        self._link = transport
        self._files = 0  # made by makefile and still open
        self._close_when_unused = False
        super().__init__(
            transport,
            config,
            server_hostname,
            session=session,
            timeout=timeout,
            deadline=deadline,
            hold_flight=hold_flight,
        )

    def recv_into(self, buffer: bytearray | memoryview, nbytes: int = 0) -> int:
        """Receive into `buffer`, at most `nbytes` (0: as much as fits), and return how many bytes it was."""
        view = octets(buffer)
        if view.readonly:
            raise UsageError(f"cannot receive into {type(buffer).__name__}, which is read-only")
        data = self.recv(min(nbytes or len(view), len(view)))
        view[: len(data)] = data
        return len(data)

    def send(self, data: bytes | bytearray | memoryview) -> int:
        """Send the first 256 KiB of `data`, or all if it is less, and return how many bytes it was."""
        first = octets(data)[:_SEND_SIZE]
        self.sendall(first)
        return len(first)

    def shutdown(self, how: int) -> None:
        """End our direction with close_notify (SHUT_WR), or both (SHUT_RDWR); `recv` may follow the former."""
        if how == socket.SHUT_RD:
            raise UsageError(
                "TLS has no way to end the peer's direction alone", hint="Use SHUT_WR, SHUT_RDWR or close."
            )
        self._check_open()
        self._say_goodbye()
        if how == socket.SHUT_RDWR:
            self._driver.end_reading()
            with suppress(OSError):  # the peer may have ended it already
                self._link.socket.shutdown(how)

    def fileno(self) -> int:
        """The socket's descriptor, -1 after close. Before waiting on it, `flush`, and look whether `pending` is 0."""
        return self._link.socket.fileno()

    def close(self) -> None:
        """Send close_notify and close, once the last file made by `makefile` is closed as well."""
        self._close_when_unused = True
        if not self._files:
            super().close()

    def makefile(
        self,
        mode: str = "r",
        buffering: int | None = None,
        *,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> IO[Any]:
        """A file over this connection, as `socket.makefile` makes it; modes of "r", "w" and "b"."""
        if not mode or not set(mode) <= set("rwb"):
            raise UsageError(f"invalid mode {mode!r}; only r, w and b are allowed")
        self._check_open()
        reading, writing = "r" in mode or "w" not in mode, "w" in mode
        raw = _SocketFile(self, reading, writing)
        size = io.DEFAULT_BUFFER_SIZE if buffering is None or buffering < 0 else buffering
        if not size:
            if "b" not in mode:
                raw.close()
                raise UsageError("a text file cannot be unbuffered")
            return raw  # type: ignore[return-value]
        binary: Any
        if reading and writing:
            binary = io.BufferedRWPair(raw, raw, size)
        else:
            binary = io.BufferedReader(raw, size) if reading else io.BufferedWriter(raw, size)
        return binary if "b" in mode else io.TextIOWrapper(binary, encoding, errors, newline)

    def _file_closed(self) -> None:
        self._files -= 1
        if self._close_when_unused:
            self.close()

    def _bound_send(self, limit: float | None) -> None:
        self._link.send_timeout = limit


class _SocketFile(io.RawIOBase):
    """What `makefile` puts its buffers around."""

    def __init__(self, connection: TLSSocket, reading: bool, writing: bool) -> None:
        self._connection = connection
        self._reading = reading
        self._writing = writing
        connection._files += 1

    def readable(self) -> bool:
        return self._reading

    def writable(self) -> bool:
        return self._writing

    def readinto(self, buffer: Any) -> int:
        return self._connection.recv_into(buffer)

    def write(self, data: Any) -> int:
        return self._connection.send(data)

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._connection._file_closed()


def _connect_tcp(address: tuple[str, int], timeout: float | None, give_up: float | None) -> socket.socket:
    """Try each address of the host in turn; `give_up` is a moment of the monotonic clock."""
    host, port = address
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as cause:  # gaierror; a label too long
        raise TransportError(f"cannot look up {host!r} (port {port}): {cause}", hint=_NO_ADDRESS, host=host) from cause
    failure: OSError = OSError("the name has no addresses")
    for family, kind, protocol, _, sockaddr in found:
        left = None if give_up is None else give_up - monotonic()
        if left is not None and left <= 0:
            failure = TimeoutError("the deadline has passed")
            break
        link = socket.socket(family, kind, protocol)
        try:
            link.settimeout(min((s for s in (timeout, left) if s is not None), default=None))
            link.connect(sockaddr)
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # flights are whole: waiting gains nothing
            return link
        except OSError as cause:
            link.close()
            failure = cause
    late = isinstance(failure, TimeoutError)
    raise TransportError(
        f"cannot connect to {host} port {port}: {failure}",
        timed_out=late,
        hint=_NO_ANSWER if late else _REFUSED,
        host=host,
    ) from failure


_NO_ADDRESS = "Check the host's spelling, and that this device has a network and a working DNS."
_NO_ANSWER = "Nobody answers. Check address and port, the route, and firewalls in between."
_REFUSED = "Check address and port, that the server is running, and that this device has a network."
