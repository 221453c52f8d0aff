"""Private keys in memory, through `cryptography` (imported when a key is loaded)."""

from __future__ import annotations

from lighttls._typing import Any
from lighttls.errors import ConfigurationError
from lighttls.iana import SignatureScheme
from lighttls.keys.signer import SignatureRequest

_ECDSA = {
    "secp256r1": (SignatureScheme.ECDSA_SECP256R1_SHA256,),
    "secp384r1": (SignatureScheme.ECDSA_SECP384R1_SHA384, SignatureScheme.ECDSA_SECP256R1_SHA256),
}
_RSA = (
    SignatureScheme.RSA_PSS_RSAE_SHA256,
    SignatureScheme.RSA_PKCS1_SHA256,
    SignatureScheme.RSA_PSS_RSAE_SHA384,
    SignatureScheme.RSA_PKCS1_SHA384,
    SignatureScheme.RSA_PSS_RSAE_SHA512,
    SignatureScheme.RSA_PKCS1_SHA512,
)
_ECDSA_ALL = (
    SignatureScheme.ECDSA_SECP256R1_SHA256,
    SignatureScheme.ECDSA_SECP384R1_SHA384,
    SignatureScheme.ECDSA_SECP521R1_SHA512,
)


class _SoftwareKey:
    """An RSA or EC private key held by `cryptography`."""

    def __init__(self, key: Any, public_key: bytes, schemes: tuple[SignatureScheme, ...]) -> None:
        self._key = key
        self.public_key = public_key  # SubjectPublicKeyInfo, DER
        self.signature_schemes = schemes

    def sign(self, request: SignatureRequest) -> bytes:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, padding

        scheme = request.scheme
        known: tuple[hashes.HashAlgorithm, ...] = (hashes.SHA256(), hashes.SHA384(), hashes.SHA512())
        algorithm = next(a for a in known if a.digest_size == len(request.digest))
        if scheme in _ECDSA_ALL:  # CAUTH-13: OpenSSL hashes key and message into the random nonce
            signature = self._key.sign(request.message, ec.ECDSA(algorithm))
        elif scheme >> 8 == 8:  # rsa_pss_rsae_*
            pss = padding.PSS(padding.MGF1(algorithm), padding.PSS.DIGEST_LENGTH)
            signature = self._key.sign(request.message, pss, algorithm)
        else:
            signature = self._key.sign(request.message, padding.PKCS1v15(), algorithm)
        return bytes(signature)


def software_key(pem: bytes, password: bytes | None = None) -> _SoftwareKey:
    """A signer from a PEM private key: RSA of at least 2048 bits, or EC on P-256 or P-384.

    Raises ConfigurationError: not a private key, a wrong password, or a kind we cannot use.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    try:
        key = serialization.load_pem_private_key(pem, password)
    except (ValueError, TypeError, UnsupportedAlgorithm) as cause:
        raise ConfigurationError(f"the private key cannot be read: {cause}") from cause
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _ECDSA:
        first = _ECDSA[key.curve.name]
        schemes = (*first, *(s for s in _ECDSA_ALL if s not in first))
    elif isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
        schemes = _RSA
    else:
        raise ConfigurationError("the private key is none we can use: RSA from 2048 bits, or EC on P-256 or P-384")
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return _SoftwareKey(key, key.public_key().public_bytes(serialization.Encoding.DER, form), schemes)
