"""Who makes the ephemeral keys: usually the crypto engine, or a secure element that does ECDH."""

from __future__ import annotations

from lighttls._typing import Protocol
from lighttls.iana import NamedGroup


class KeyExchange(Protocol):
    """Ephemeral ECDH outside the engine: `ClientConfig(key_exchange=…)`.

    `derive` follows `generate` at once, in the same thread. Whatever they raise becomes a KeyExchangeError of the
    handshake. One object serves all connections of its configuration; where these are in several threads, it locks from
    `generate` to `derive`.
    """

    groups: tuple[NamedGroup, ...]
    """What it can do, most wanted first."""

    def generate(self, group: NamedGroup) -> bytes:
        """Make a key pair and return the public key in wire form: 04 X Y, or 32 bytes for x25519."""

    def derive(self, peer_public: bytes) -> bytearray:
        """The secret shared with `peer_public`, an x-coordinate in full length; the private key is used up.

        The engine has found `peer_public` to be a point of the group. The caller wipes the result.
        """
