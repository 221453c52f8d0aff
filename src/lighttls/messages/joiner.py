"""Puts handshake messages together from the fragments that records carry (RFC 5246 §6.2.1).

A message may be cut anywhere (REC-16), and a record may hold several (REC-17).
"""

from __future__ import annotations

from collections.abc import Callable

from lighttls._typing import Any
from lighttls.errors import IllegalParameter, UnexpectedMessage

MAX_BODY = 65_536  # REC-22: real messages stay far below, and memory must be bounded


class Joiner:
    """Holds at most one incomplete message.

    `judge(state, handshake_type, length)` sees each header once, as soon as it is complete and before
    any of the body is kept, and raises if that message must not come in this state.
    """

    __slots__ = ("_judge", "_wanted", "held")

    def __init__(self, judge: Callable[[Any, int, int], object]) -> None:
        self.held = bytearray()  # while bytes wait here no key may change and no other content come (REC-18, REC-19)
        self._judge = judge
        self._wanted = 0  # length of the judged message, 0 while its header is incomplete

    def feed(self, fragment: bytes) -> None:
        """Take one handshake record's plaintext. Raises UnexpectedMessage if it is empty (REC-13)."""
        if not fragment:
            raise UnexpectedMessage("the server sent an empty handshake record")
        self.held += fragment

    def next(self, state: Any) -> bytes | None:
        """The next complete message with its header, or None until more arrives.

        Raises IllegalParameter: longer than 64 KiB (REC-22); or what `judge` raises.
        """
        held = self.held
        if not self._wanted:
            if len(held) < 4:
                return None
            length = int.from_bytes(held[1:4], "big")
            self._judge(state, held[0], length)
            if length > MAX_BODY:
                raise IllegalParameter(
                    f"the server announces a handshake message of {length} bytes, at most {MAX_BODY} are taken"
                )
            self._wanted = 4 + length
        if len(held) < self._wanted:
            return None
        if len(held) == self._wanted:
            message = bytes(held)
            held.clear()
        else:
            message = bytes(held[: self._wanted])
            del held[: self._wanted]
        self._wanted = 0
        return message
