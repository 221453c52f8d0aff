"""Ephemeral ECDH by `cryptography`, for the pure engine."""

from __future__ import annotations

from lighttls._typing import Any, Final
from lighttls.crypto import _shared
from lighttls.crypto.provider import Entropy
from lighttls.iana import NamedGroup

_COORDINATE: Final = {NamedGroup.SECP256R1: 32, NamedGroup.SECP384R1: 48}


def generate(group: int, entropy: Entropy) -> tuple[Any, bytes]:
    """A private key object of `cryptography` and the public key in wire form."""
    if group == NamedGroup.X25519:
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

        random = _shared.draw(entropy, 32)
        private = X25519PrivateKey.from_private_bytes(random)
        random[:] = bytes(32)
        return private, private.public_key().public_bytes_raw()
    return _generate_nist(group, entropy)


def _generate_nist(group: int, entropy: Entropy) -> tuple[Any, bytes]:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    curve = _curve(group)
    length = _COORDINATE[NamedGroup(group)]
    for _ in range(_shared.SCALAR_DRAWS):
        random = _shared.draw(entropy, length)
        scalar = int.from_bytes(random, "big")
        random[:] = bytes(length)
        try:
            private = ec.derive_private_key(scalar, curve)
        except ValueError:  # zero, or not below the order
            continue
        return private, private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    raise _shared.no_private_key(group)


def exchange(group: int, private: Any, peer: bytes) -> bytearray:
    """The shared secret, leading zeros kept (CAUTH-15).

    Raises IllegalParameter: `peer` is no acceptable public key (SKE-05 to SKE-11).
    """
    try:
        if group == NamedGroup.X25519:
            from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

            return bytearray(private.exchange(X25519PublicKey.from_public_bytes(peer)))  # ValueError: all zero

        from cryptography.hazmat.primitives.asymmetric import ec

        if len(peer) != 1 + 2 * _COORDINATE[NamedGroup(group)] or peer[0] != 4:
            raise ValueError("not an uncompressed point of this curve")
        point = ec.EllipticCurvePublicKey.from_encoded_point(_curve(group), peer)
        return bytearray(private.exchange(ec.ECDH(), point))
    except ValueError:
        raise _shared.unacceptable_point(group) from None


def _curve(group: int) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.SECP256R1() if group == NamedGroup.SECP256R1 else ec.SECP384R1()
