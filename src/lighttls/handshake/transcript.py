"""All handshake messages of a connection, as on the wire (HS-11).

They are kept raw, since the hash is known only from the ServerHello on, and the signature of our
CertificateVerify may need another one (CAUTH-10). A handshake hashes them twice; that is a
few microseconds, and nothing has to be copied or resumed. Freed at Finished.
"""

from __future__ import annotations

from collections.abc import Callable

from lighttls._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lighttls.crypto.provider import CryptoProvider


class Transcript:
    """Messages in order, both directions, without HelloRequest."""

    __slots__ = ("_digest", "_digest_of", "_provider", "_raw", "add")

    add: Callable[[bytes], None]
    """Append one message with its header."""

    def __init__(self, provider: CryptoProvider) -> None:
        self._provider = provider
        self._raw = bytearray()
        self._digest = b""
        self._digest_of: tuple[str, int] | None = None  # its algorithm, and of how many bytes it is
        self.add = self._raw.extend

    def digest(self, algorithm: str) -> bytes:
        """The hash of everything so far. The session hash and our Finished's are mostly the same, and computed once."""
        wanted = algorithm, len(self._raw)
        if wanted != self._digest_of:
            self._digest = self._provider.digest(algorithm, bytes(self._raw))  # a copy costs less than a view does
            self._digest_of = wanted
        return self._digest

    def raw(self) -> bytes:
        """Everything so far, for a signature."""
        return bytes(self._raw)

    def clear(self) -> None:
        """Forget it all: the handshake is complete."""
        self._raw.clear()
        self._digest, self._digest_of = b"", None
