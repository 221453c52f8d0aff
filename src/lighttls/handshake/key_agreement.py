"""Ephemeral ECDH outside the engine, in a secure element. Loaded when it is needed, by few."""

from __future__ import annotations

from lighttls._typing import TYPE_CHECKING
from lighttls.errors import KeyExchangeError
from lighttls.iana import NamedGroup

if TYPE_CHECKING:
    from lighttls.crypto.provider import CryptoProvider, Premaster
    from lighttls.keys import KeyExchange

_LENGTHS = {  # of a public key in wire form and of a secret
    NamedGroup.SECP256R1: (65, 32),
    NamedGroup.SECP384R1: (97, 48),
    NamedGroup.X25519: (32, 32),
}
_RAISED = "That came from the key exchange, not from TLS. Look at the driver or the bus of the secure element."
_WRONG = "The secure element or its driver is broken: no key may be built on such an answer."


def agree_outside(
    provider: CryptoProvider, exchange: KeyExchange, group: NamedGroup, peer_public: bytes
) -> tuple[bytes, Premaster]:
    """Our public key and the secret. Raises KeyExchangeError: the element failed, or gave what cannot be."""
    public_length, secret_length = _LENGTHS[group]
    try:
        public = exchange.generate(group)
        secret = exchange.derive(peer_public)
    except KeyExchangeError:
        raise
    except Exception as cause:  # a chip on a bus can fail in any way
        raise KeyExchangeError(f"the key exchange failed: {type(cause).__name__}: {cause}", hint=_RAISED) from cause
    faulty = None
    if not isinstance(secret, bytearray) or len(secret) != secret_length or not sum(secret):  # `any` would end early
        faulty = "derived no secret"
    elif not isinstance(public, bytes) or len(public) != public_length or (public_length != 32 and public[0] != 4):
        faulty = "generated no public key"
    if faulty is not None:
        if isinstance(secret, bytearray):
            secret[:] = bytes(len(secret))
        raise KeyExchangeError(f"the key exchange {faulty} of {group.name.lower()}", hint=_WRONG)
    return public, provider.premaster(secret)
