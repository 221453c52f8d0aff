"""ServerKeyExchange and ClientKeyExchange where a pre-shared key takes part (RFC 4279 §2, RFC 5489 §2)."""

from __future__ import annotations

from lighttls.iana import HandshakeType
from lighttls.messages.base import Message, message
from lighttls.wire import Rest, Vector, field


@message(HandshakeType.SERVER_KEY_EXCHANGE)
class PskServerKeyExchange(Message):
    """A hint which identity to use, and with ECDHE_PSK the server's ephemeral key: `EcdhParams`, which nobody signs."""

    psk_identity_hint: bytes = field(Vector(0, 0xFFFF))
    params: bytes = field(Rest())


@message(HandshakeType.CLIENT_KEY_EXCHANGE)
class PskClientKeyExchange(Message):
    """Our identity, in the clear."""

    psk_identity: bytes = field(Vector(0, 0xFFFF))


@message(HandshakeType.CLIENT_KEY_EXCHANGE)
class EcdhePskClientKeyExchange(Message):
    """Our identity and our ephemeral public key."""

    psk_identity: bytes = field(Vector(0, 0xFFFF))
    public: bytes = field(Vector(1, 0xFF))
