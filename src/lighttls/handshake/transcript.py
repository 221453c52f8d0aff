"""All handshake messages of a connection, as on the wire (HS-11).

They are kept raw, since the hash is known only from the ServerHello on, and the signature of our
CertificateVerify may need another one (CAUTH-10). The suite's hash goes on from one digest to the next. Freed at
Finished.
"""

from __future__ import annotations

from collections.abc import Callable

from lighttls._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lighttls.crypto.provider import CryptoProvider, RunningDigest


class Transcript:
    """Messages in order, both directions, without HelloRequest."""

    __slots__ = ("_algorithm", "_digest", "_hashed", "_provider", "_raw", "_running", "add")

    add: Callable[[bytes], None]
    """Append one message with its header."""

    _algorithm: str  # that was asked for first: where there is a session hash, the suite's
    _hashed: int
    _digest: bytes  # of the first so many bytes, by that algorithm

    def __init__(self, provider: CryptoProvider) -> None:
        self._provider = provider
        self._raw = bytearray()
        self._running: RunningDigest | None = None  # the rest is there when this is
        self.add = self._raw.extend

    def digest(self, algorithm: str) -> bytes:
        """The hash of everything so far. The session hash and our Finished's are mostly the same, and computed once."""
        raw, running = self._raw, self._running
        if running is None:
            self._algorithm, self._hashed = algorithm, 0
            running = self._running = self._provider.running_digest(algorithm)
        elif algorithm != self._algorithm:
            return self._provider.digest(algorithm, bytes(raw))
        if self._hashed != len(raw) or not raw:
            self._digest = running.on(bytes(raw[self._hashed :]))
            self._hashed = len(raw)
        return self._digest

    def raw(self) -> bytes:
        """Everything so far, for a signature."""
        return bytes(self._raw)

    def clear(self) -> None:
        """Forget it all: the handshake is complete."""
        self._raw.clear()
        self._running, self._digest = None, b""
