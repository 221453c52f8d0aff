"""Signature verification, by `cryptography`: all of the pure engine's, and what the C core leaves to it.

Everything here is public input, so nothing needs to run in constant time.
"""

from __future__ import annotations

from typing import Any, Final

from lighttls.crypto import _shared
from lighttls.errors import BadSignature
from lighttls.iana import SignatureScheme, name_of

_HASHES: Final = {
    SignatureScheme.RSA_PKCS1_SHA1: "SHA1",
    SignatureScheme.ECDSA_SHA1: "SHA1",
    SignatureScheme.RSA_PKCS1_SHA256: "SHA256",
    SignatureScheme.RSA_PKCS1_SHA384: "SHA384",
    SignatureScheme.RSA_PKCS1_SHA512: "SHA512",
    SignatureScheme.ECDSA_SECP256R1_SHA256: "SHA256",
    SignatureScheme.ECDSA_SECP384R1_SHA384: "SHA384",
    SignatureScheme.ECDSA_SECP521R1_SHA512: "SHA512",
    SignatureScheme.RSA_PSS_RSAE_SHA256: "SHA256",
    SignatureScheme.RSA_PSS_RSAE_SHA384: "SHA384",
    SignatureScheme.RSA_PSS_RSAE_SHA512: "SHA512",
}

_CURVES: Final = frozenset({"secp256r1", "secp384r1", "secp521r1"})

SIGNATURE_SCHEMES: Final = frozenset(int(scheme) for scheme in _HASHES)


def verify(scheme: int, spki: bytes, signature: bytes, message: bytes | bytearray | memoryview) -> None:
    """Check a signature; the contract is `CryptoProvider.verify` (SKE-14 to SKE-25)."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    try:
        hash_ = getattr(hashes, _HASHES[SignatureScheme(scheme)])()
    except (KeyError, ValueError):
        raise BadSignature(f"no signature scheme of ours: {name_of(SignatureScheme, scheme)}") from None
    key = _load(spki)
    message = bytes(message)
    name = SignatureScheme(scheme).name.lower()
    try:
        if name.startswith("ecdsa"):
            if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name not in _CURVES:
                raise BadSignature(f"{name} needs a key on P-256, P-384 or P-521")
            key.verify(signature, message, ec.ECDSA(hash_))
        elif not isinstance(key, rsa.RSAPublicKey):
            raise BadSignature(f"{name} needs an RSA key")
        elif name.startswith("rsa_pss"):
            pss = padding.PSS(mgf=padding.MGF1(hash_), salt_length=hash_.digest_size)
            key.verify(signature, message, pss, hash_)
        else:
            key.verify(signature, message, padding.PKCS1v15(), hash_)
    except (InvalidSignature, ValueError):  # ValueError: the key is too small for this hash (SKE-18)
        raise _shared.wrong_signature(scheme) from None


def _load(spki: bytes) -> Any:
    """Read a SubjectPublicKeyInfo in its one DER form: rsaEncryption, or an uncompressed point on a named curve.

    `cryptography` reads more than that (RSASSA-PSS keys, explicit parameters, compressed points) and forgets
    which it was; writing the key again shows it.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

    try:
        key = load_der_public_key(spki)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _shared.no_public_key() from error
    if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != bytes(spki):
        raise _shared.no_public_key()
    return key
