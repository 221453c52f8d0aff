"""What a byte carrier must offer so that TLS can run over it."""

from __future__ import annotations

from lighttls._typing import Protocol


class Transport(Protocol):
    """A reliable, ordered stream of bytes in both directions: a socket, a modem's TCP connection, a queue.

    Each method may raise OSError or TransportError when the link is broken; anything else becomes a TransportError.
    """

    def send(self, data: bytes) -> int | None:
        """Hand over bytes. Returns how many were taken, at least one; None means all of them.

        How long it may block is the transport's own rule; one that gives up raises TimeoutError. Right after a resumed
        handshake a call may come from another thread, but never two calls at a time; see `hold_flight` of `Stream`.
        """

    def recv(self, n: int, timeout: float | None) -> bytes | None:
        """Return what has arrived, at most `n` bytes, as soon as there is anything.

        None means that nothing came within `timeout` seconds (0: do not wait; None: wait as long as
        it takes). b"" is for the end of the stream only.
        """

    def close(self) -> None:
        """Give the link back. Closing twice is no error."""
