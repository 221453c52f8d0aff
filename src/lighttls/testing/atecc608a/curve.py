"""P-256 for the simulated chip, by `cryptography`, which is imported when the first key is made."""

from __future__ import annotations

from typing import Any


class OffCurve(Exception):
    """A public key is no point of the curve."""


def new_key() -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def key_from(scalar: bytes) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())


def point_of(key: Any) -> bytes:
    """X ‖ Y."""
    numbers = key.public_key().public_numbers()
    return bytes(numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big"))


def sign(key: Any, digest: bytes) -> bytes:
    """r ‖ s."""
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.hashes import SHA256

    r, s = utils.decode_dss_signature(key.sign(digest, ec.ECDSA(utils.Prehashed(SHA256()))))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def verifies(point: bytes, digest: bytes, r_and_s: bytes) -> bool:
    """Raises OffCurve."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.hashes import SHA256

    signature = utils.encode_dss_signature(int.from_bytes(r_and_s[:32], "big"), int.from_bytes(r_and_s[32:], "big"))
    try:
        _public(point).verify(signature, digest, ec.ECDSA(utils.Prehashed(SHA256())))
    except InvalidSignature:
        return False
    return True


def shared_secret(key: Any, point: bytes) -> bytes:
    """Raises OffCurve."""
    from cryptography.hazmat.primitives.asymmetric import ec

    return bytes(key.exchange(ec.ECDH(), _public(point)))


def _public(point: bytes) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + point)
    except ValueError as cause:
        raise OffCurve from cause
