"""PPP over a serial line (RFC 1661): a modem in data mode as a link of lwIP's stack, without I/O.

    bytes of the line  ─►  PppInterface.receive           open, close, lost: what becomes of the line
    bytes of the line  ◄─  PppInterface.frames_to_send    up, error: what became of the link

LCP agrees on the link, PAP or CHAP says who we are, IPCP gives us our address and the DNS servers. A byte that changes
on the line costs its frame, whose checksum is wrong, and TCP sends it again. A peer that has gone without a word is
noticed by LCP's echo requests, after two minutes.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from lighttls.errors import ConfigurationError, UsageError
from lighttls.transports.lwip.errors import LwipError
from lighttls.transports.lwip.stack import Stack

METHODS: Final = {"none": 0, "pap": 1, "chap": 2, "either": 3}
_PIECE: Final = 4096  # bytes that are handed out at once
_OURS, _THEIRS, _DNS = 0, 1, 2
_ESTABLISHING, _AUTHENTICATING, _NETWORK, _RUNNING = 6, 7, 9, 10  # lwIP's phases
_CLOSED_BY_US: Final = 5
_CONNECTION_LOST: Final = 6


class PppError(LwipError):
    """PPP did not come up, or ended. `code` is lwIP's number, None if it has none.

    `layer` is one of "serial line", "PPP link", "PPP authentication" and "IP".
    """

    def __init__(
        self, message: str, layer: str, hint: str, *, code: int | None = None, timed_out: bool = False
    ) -> None:
        super().__init__(message, layer, hint=hint, timed_out=timed_out)
        self.code = code
        if code is not None:
            self.context["code"] = code


class PppInterface:
    """A link of `stack` over a line that is there already. `open` begins to speak.

    `user` and `password` are what the network wants to hear, `authentication` how: "pap", "chap", or "either", as it
    asks.
    """

    def __init__(self, stack: Stack, *, user: str = "", password: str = "", authentication: str = "") -> None:
        kind = authentication or ("either" if user else "none")
        if "ppp" not in stack.features:
            raise ConfigurationError("this lwIP was built without PPP", hint="Build it from its source: docs/lwip.md.")
        if kind not in METHODS:
            raise ConfigurationError(f"authentication is none, pap, chap or either, not {authentication!r}")
        if not all(text.isascii() and "\0" not in text and len(text) < 256 for text in (user, password)):
            raise ConfigurationError("PPP's user name and password are ASCII of at most 255 characters")
        self._stack = stack
        self._lib = stack.lib
        self._piece = bytearray(_PIECE)
        self._buffer = stack.ffi.from_buffer("uint8_t[]", self._piece, require_writable=True)
        stack.tick()
        self._handle = self._lib.lw_ppp_new(METHODS[kind], user.encode(), password.encode())
        if not self._handle:
            raise MemoryError
        self._finalizer = stack.free_later(self, partial(self._lib.lw_ppp_free, self._handle))
        stack.adopt(self)

    def open(self) -> None:
        """Begin. The line is in data mode, and what it carries from now on is PPP."""
        self._stack.tick()
        if self._lib.lw_ppp_open(self._live()):
            raise UsageError("PPP is open already")

    def close(self) -> None:
        """Ask the peer to end the link. It is over when `finished`; packets of before are still to be carried."""
        self._stack.tick()
        self._lib.lw_ppp_close(self._live())

    def lost(self) -> None:
        """The line is gone: end at once."""
        if self._handle:
            self._stack.tick()
            self._lib.lw_ppp_lost(self._handle)

    def receive(self, frame: bytes) -> None:
        """Bytes that came over the line, cut anywhere."""
        for start in range(0, len(frame), _PIECE):
            piece = frame[start : start + _PIECE]
            self._lib.lw_ppp_input(self._live(), piece, len(piece))

    def frames_to_send(self) -> list[bytes]:
        """Bytes for the line, in order. What of them is lost, TCP sends again."""
        pieces = []
        handle, output, buffer, piece = self._live(), self._lib.lw_ppp_output, self._buffer, self._piece
        while length := output(handle, buffer, _PIECE):
            pieces.append(bytes(piece[:length]))
        return pieces

    def remove(self) -> None:
        """Take the link out of the stack: connections over it end. Doing so twice is no error."""
        if self._handle:
            handle, self._handle = self._handle, None
            self._finalizer.detach()
            self._stack.tick()
            self._lib.lw_ppp_free(handle)

    # --- what has become of it -----------------------------------------------------------------------

    @property
    def up(self) -> bool:
        """Whether it has an address, and carries packets."""
        return bool(self._lib.lw_ppp_is_up(self._live()))

    @property
    def phase(self) -> int:
        return int(self._lib.lw_ppp_phase(self._live()))

    @property
    def finished(self) -> bool:
        """Whether it has not begun, or is over."""
        return self.phase == 0

    @property
    def error(self) -> PppError | None:
        """Why it is over, or about to be; None if it is not, or has not begun."""
        code = int(self._lib.lw_ppp_error(self._live()))
        return _ended(code, int(self._lib.lw_ppp_furthest(self._handle))) if code else None

    def late(self, seconds: float) -> PppError:
        """It is not up after so many seconds: how far it came says what is to blame."""
        layer, text, hint = _NO_ANSWER
        furthest = int(self._lib.lw_ppp_furthest(self._live()))
        for phase, *found in _WAITS:
            if furthest >= phase:
                layer, text, hint = found
        return PppError(f"{text} within {seconds:g} s", layer, hint, timed_out=True)

    @property
    def address(self) -> str:
        """Our address; empty while there is none."""
        return self._address(_OURS)

    @property
    def peer(self) -> str:
        """The address at the other end; empty while there is none."""
        return self._address(_THEIRS)

    @property
    def dns_server(self) -> str:
        """The DNS server that the network named, which lwIP asks from now on; empty if it named none."""
        return self._address(_DNS)

    def _address(self, which: int) -> str:
        text = self._stack.ffi.new("char[16]")
        failed = self._lib.lw_ppp_address(self._live(), which, text, 16)
        return "" if failed else self._stack.ffi.string(text).decode()

    def _live(self) -> Any:
        if not self._handle:
            raise UsageError("the link was removed from the stack")
        return self._handle


def _ended(code: int, furthest: int) -> PppError:
    layer, text, hint = _ENDS.get(code, ("PPP link", f"it ended with lwIP's error {code}", _DIAL_AGAIN))
    unanswered = code == _CONNECTION_LOST and furthest <= _ESTABLISHING
    if unanswered:
        layer, text, hint = _NO_ANSWER
    elif code == _CONNECTION_LOST and furthest < _RUNNING:  # nobody says why
        text, hint = "the other side ended it before it gave an address", f"{_USER} {_APN}"
    return PppError(text, layer, hint, code=code, timed_out=unanswered)


_DIAL_AGAIN: Final = "Dial again: TLS sessions can be resumed."
_APN: Final = "Check the APN, and whether the SIM's contract has data; the modem may also need another PDP context."
_USER: Final = "Check user= and password= of the APN, and authentication=: some networks take PAP alone, or CHAP alone."
_LINE: Final = (
    "Check that the modem is in data mode on this port, the baud rate, the cable, and flow control; then dial again."
)
_NO_ANSWER: Final = ("PPP link", "nobody answers in PPP", _LINE)
_WAITS: Final = (
    (_AUTHENTICATING, "PPP authentication", "no answer to user name and password", _USER),
    (_NETWORK, "IP", "the network gave no address", _APN),
)
_ENDS: Final = {
    1: ("PPP link", "lwIP refuses these settings", "Check authentication=, user= and password=."),
    2: ("PPP link", "it could not be started", _DIAL_AGAIN),
    3: ("serial line", "the line cannot be used", _LINE),
    4: ("PPP link", "no memory", "Close connections that are not needed any more."),
    _CLOSED_BY_US: ("PPP link", "it was closed by us", _DIAL_AGAIN),
    _CONNECTION_LOST: ("PPP link", "the other side ended it", _APN),
    7: ("PPP authentication", "the network refuses user name or password", _USER),
    8: ("PPP link", "the two sides do not agree on how to use it", _APN),
    9: ("serial line", "nobody answers any more at the other end of the line", _LINE),
    10: ("PPP link", "nothing was sent for too long", _DIAL_AGAIN),
    11: ("PPP link", "its time was up", _DIAL_AGAIN),
    12: ("serial line", "our own bytes come back", "The modem is not in data mode and echoes. Dial again."),
}
"""lwIP's PPPERR_… -> layer, what happened, what to do."""
