"""The record layer of one connection: bytes to records and back (RFC 5246 §6).

Keys, nonces and sequence numbers live in the crypto engine; this room holds at most one
incomplete record and knows which direction is protected.
"""

from __future__ import annotations

from collections.abc import Callable

from lighttls.crypto.provider import RecordOpener, RecordSealer
from lighttls.errors import InternalError
from lighttls.iana import TLS12, ContentType
from lighttls.record.framing import HEADER_LENGTH, MAX_PLAINTEXT, frame, read_header

OpenData = Callable[[bytes], bytes | None]
SealData = Callable[[bytes | memoryview], bytes]

_USUAL = frozenset(content_type << 16 | TLS12 for content_type in ContentType)
"""How records start, as a number, that are good at any time: `read_header` need not look at them."""

_CHEAPER_COPIED = 4096  # bytes: a view of so few, and giving it up again, takes longer than a copy
_FIRST_VERSION = 0x0301  # REC-30: some servers balk at 0x0303 in the first record


class RecordLayer:
    """Cuts incoming bytes into records and makes outgoing ones."""

    __slots__ = (
        "_at",
        "_opener",
        "_plain_limit",
        "_ready",
        "_receive_limit",
        "_sealer",
        "_send_limit",
        "_short_received",
        "_short_sent",
        "_source",
        "_version",
        "_wanted",
        "held",
        "version_pinned",
    )

    def __init__(self) -> None:
        self.held = bytearray()  # what was received and not consumed; always the same object
        self._source: bytes | bytearray = self.held  # or what was fed last, until all complete records are taken
        self._at = 0  # start of what is not consumed yet in `_source`
        self._wanted = HEADER_LENGTH  # bytes that must be there before another look is worth it
        self._ready: list[tuple[int, bytes]] = []  # opened and not handed out, last first
        self._opener: RecordOpener | None = None
        self._sealer: RecordSealer | None = None
        self._version = _FIRST_VERSION  # of the next record that we send unprotected
        self._short_sent = self._short_received = 0  # what `short_bytes` says besides the engine
        self._plain_limit = self._send_limit = self._receive_limit = MAX_PLAINTEXT
        self.version_pinned = False  # set when the ServerHello has been read (REC-04)

    def read_with(self, opener: RecordOpener) -> None:
        """Open everything from the next record on (CCS-09). Nothing may be held in `ready` then."""
        self._opener = opener

    def write_with(self, sealer: RecordSealer) -> None:
        """Protect everything from here on (CCS-09)."""
        self._sealer = sealer

    def limit(self, unprotected: int, sent: int, received: int) -> None:
        """From the next record on take and send at most so many bytes of plaintext (SIZE-04, SIZE-12).

        `unprotected` holds both ways while there are no keys, the others, once there are, for what we send and receive.
        """
        self._plain_limit, self._send_limit, self._receive_limit = unprotected, sent, received

    @property
    def open_data(self) -> OpenData | None:
        """The engine's `open_data`; None where records are limited, since it takes the largest there are."""
        if self._opener is None:
            raise InternalError("nothing to open: the server's records are not protected")
        return self._opener.open_data if self._receive_limit == MAX_PLAINTEXT else None

    @property
    def seal_data(self) -> SealData:
        """The engine's `seal_data`; where records are limited, `seal` with that limit."""
        if self._sealer is None:
            raise InternalError("nothing to seal: our records are not protected")
        return self._sealer.seal_data if self._send_limit == MAX_PLAINTEXT else self._seal_limited

    def _seal_limited(self, data: bytes | memoryview) -> bytes:
        sealed = self.protect(ContentType.APPLICATION_DATA, data)
        self._short_sent += len(sealed)
        return sealed

    @property
    def short_bytes(self) -> tuple[int, int]:
        """Bytes that went through `seal_data`, and through `open_data`: nobody else counts them."""
        sent, received = self._short_sent, self._short_received
        if self._sealer is not None:
            sent += self._sealer.short_bytes
        if self._opener is not None:
            received += self._opener.short_bytes
        return sent, received

    def forget_keys(self) -> None:
        """Drop keys and what was held: the connection has failed (ALERT-15)."""
        self._short_sent, self._short_received = self.short_bytes
        self._opener = self._sealer = None
        self.forget_received()

    def forget_received(self) -> None:
        """Drop what was held: nothing will be read any more."""
        self._ready.clear()
        self.held.clear()
        self._source, self._at = self.held, 0

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes from the peer; they may end anywhere (REC-24). Call `next` until it returns None."""
        if type(data) is bytes and not self.held:
            self._source = data  # only the incomplete record at its end will be copied
        else:
            self.held += data

    def open_into(self, data: bytes | memoryview, out: memoryview) -> int:
        """Open the application data at the start of what is held and `data` straight to `out`; hold the rest.

        Returns how many bytes of `out` were written: none where records are limited, since the engine's `open_into`
        takes the largest there are; then `next` hands out everything.
        """
        if self._opener is None:
            raise InternalError("nothing to open: the server's records are not protected")
        if self._receive_limit < MAX_PLAINTEXT:
            self.feed(data)
            return 0
        if self.held:
            self.held += data
            with memoryview(self.held) as view:
                written, consumed = self._opener.open_into(view, out)
            del self.held[:consumed]
        else:
            written, consumed = self._opener.open_into(data, out)
            self.held += memoryview(data)[consumed:]
        if consumed:
            self._wanted = HEADER_LENGTH
        return written

    def next(self) -> tuple[int, bytes] | None:
        """The next record as (content type, plaintext), or None until more arrives.

        Raises UnexpectedMessage, ProtocolVersion, RecordOverflow, BadRecordMac.
        """
        if self._ready:
            return self._ready.pop()
        source, at = self._source, self._at
        if len(source) - at < self._wanted:
            self._compact()
            return None
        if self._opener is not None:
            return self._next_protected(self._opener)
        start = at + HEADER_LENGTH
        head = int.from_bytes(source[at:start], "big")  # content type, version, length
        length = head & 0xFFFF
        if head >> 16 not in _USUAL or length > self._plain_limit:
            read_header(source, at, self.version_pinned, self._plain_limit)
        end = start + length
        if len(source) < end:
            self._wait_for(length)
            return None
        self._at = end
        self._wanted = HEADER_LENGTH
        fragment = source[start:end]
        return head >> 32, fragment if type(fragment) is bytes else bytes(fragment)

    def _next_protected(self, opener: RecordOpener) -> tuple[int, bytes] | None:
        source, at = self._source, self._at
        if type(source) is bytes and len(source) <= _CHEAPER_COPIED:
            records, consumed = opener.open(source[at:], self._receive_limit)
        else:
            with memoryview(source) as whole, whole[at:] as view:
                records, consumed = opener.open(view, self._receive_limit)
        if not records:
            self._wait_for(source[at + 3] << 8 | source[at + 4])
            return None
        self._at = at + consumed
        self._wanted = HEADER_LENGTH
        if len(records) > 1:
            self._ready = records[:0:-1]
        return records[0]

    def _wait_for(self, length: int) -> None:
        self._wanted = HEADER_LENGTH + length
        self._compact()

    def _compact(self) -> None:
        if self._source is not self.held:
            if self._at < len(self._source):
                self.held += memoryview(self._source)[self._at :]
            self._source = self.held
        elif self._at:
            del self.held[: self._at]
        self._at = 0

    def protect(self, content_type: int, data: bytes | bytearray | memoryview) -> bytes:
        """Records that carry `data`, protected once keys are on. Raises UsageError at the key's budget (REC-26)."""
        if self._sealer is not None:
            return self._sealer.seal(content_type, data, self._send_limit)
        version, self._version = self._version, TLS12
        if type(data) is bytes and 0 < len(data) <= self._plain_limit:  # `frame`, without another call
            return (content_type << 32 | version << 16 | len(data)).to_bytes(HEADER_LENGTH, "big") + data
        return frame(content_type, version, bytes(data), self._plain_limit)

    def protect_last(self, content_type: int, data: bytes) -> bytes:
        """The record that ends the connection, an alert: the key's budget keeps room for it."""
        if self._sealer is not None:
            return self._sealer.close(content_type, data)
        return self.protect(content_type, data)
