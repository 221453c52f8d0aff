"""Finished (RFC 5246 §7.4.9)."""

from __future__ import annotations

from lighttls._typing import Final
from lighttls.iana import HandshakeType
from lighttls.messages.base import Message, message
from lighttls.wire import Rest, field

VERIFY_DATA_LENGTH: Final = 12
"""With every suite of ours (RFC 5246 §7.4.9)."""


@message(HandshakeType.FINISHED)
class Finished(Message):
    """The proof that both sides saw the same handshake; a wrong length counts as wrong (FIN-02)."""

    verify_data: bytes = field(Rest())

    @staticmethod
    def encoded(verify_data: bytes) -> bytes:
        """`Finished(verify_data).encode()`, for verify_data of our own, without the object."""
        return _HEADER + verify_data


_HEADER = bytes((HandshakeType.FINISHED, 0, 0, VERIFY_DATA_LENGTH))
