"""ServerKeyExchange and ClientKeyExchange for ECDHE (RFC 8422 §5.4, §5.7)."""

from __future__ import annotations

from lighttls.iana import HandshakeType
from lighttls.messages.base import Message, message
from lighttls.wire import Rest, Structure, Uint, Vector, field, structure


@message(HandshakeType.SERVER_KEY_EXCHANGE)
class ServerKeyExchange(Message):
    """The server's ephemeral key; the shape of its body depends on the suite."""

    body: bytes = field(Rest())


@structure
class EcdhParams(Structure):
    """ServerECDHParams: a group and the server's ephemeral key on it (RFC 8422 §5.4)."""

    curve_type: int = field(Uint(1))
    named_curve: int = field(Uint(2))
    public: bytes = field(Vector(1, 0xFF))


@structure
class SignedEcdhParams(Structure):
    """A ServerKeyExchange body for ECDHE with a certificate (RFC 8422 §5.4).

    The point is not empty (SKE-04); the message ends neither before nor after its signature (SKE-26, SKE-27).
    """

    curve_type: int = field(Uint(1))
    named_curve: int = field(Uint(2))
    public: bytes = field(Vector(1, 0xFF))
    scheme: int = field(Uint(2))
    signature: bytes = field(Vector(0, 0xFFFF))

    def signed_params(self, body: bytes) -> bytes:
        """The part of `body` that is signed: ServerECDHParams as received (RFC 8422 §5.4)."""
        return body[: 4 + len(self.public)]


@message(HandshakeType.CLIENT_KEY_EXCHANGE)
class ClientKeyExchange(Message):
    """Our ephemeral public key (RFC 8422 §5.7)."""

    public: bytes = field(Vector(1, 0xFF))

    @staticmethod
    def encoded(public: bytes) -> bytes:
        """`ClientKeyExchange(public).encode()`, for a key of our own, without the object."""
        length = len(public)
        return (_CLIENT_KEY_EXCHANGE | (length + 1) << 8 | length).to_bytes(5, "big") + public


_CLIENT_KEY_EXCHANGE = HandshakeType.CLIENT_KEY_EXCHANGE << 32
