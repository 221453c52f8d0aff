"""Handshake messages as values: their type byte, and the way from bytes and back."""

from __future__ import annotations

from collections.abc import Callable

from lighttls._typing import ClassVar, TypeVar, dataclass_transform
from lighttls.iana import HandshakeType
from lighttls.wire import Fixed, Nested, Structure, Uint, Vector, field, structure


class Message(Structure):
    """A handshake message (RFC 5246 §7.4)."""

    __slots__ = ()
    handshake_type: ClassVar[HandshakeType]

    def encode(self) -> bytes:
        """The message with its 4-byte header, as it enters the transcript (HS-11)."""
        body = self.build()
        return (self.handshake_type << 24 | len(body)).to_bytes(4, "big") + body


_M = TypeVar("_M", bound=Message)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def message(handshake_type: HandshakeType) -> Callable[[type[_M]], type[_M]]:
    """Declare the structure of a handshake message. Several may share a number: what was agreed tells them apart."""

    def declare(cls: type[_M]) -> type[_M]:
        made = structure(cls)
        made.handshake_type = handshake_type
        return made

    return declare


@structure
class Extension(Structure):
    """One hello extension within its block (SH-12), its body not yet looked into (RFC 5246 §7.4.1.4)."""

    extension_type: int = field(Uint(2))
    data: bytes = field(Vector(0, 0xFFFF))


RANDOM = Fixed(32)
EXTENSION = Nested(Extension)
