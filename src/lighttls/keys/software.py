"""Private keys in memory, read by `cryptography` (imported when a key is loaded), which also signs with most of them.

On P-256 the connection's engine signs if it can. What it takes of the key is wiped; what Python and `cryptography` had
of it when it was read is not.
"""

from __future__ import annotations

from lighttls._typing import TYPE_CHECKING, Any
from lighttls.errors import ConfigurationError
from lighttls.iana import SignatureScheme
from lighttls.keys.signer import SignatureRequest

if TYPE_CHECKING:
    from lighttls.crypto.provider import CryptoProvider, SigningKey

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
        self._ways = {scheme: _way(scheme) for scheme in schemes}  # made now: it would take half as long as a signature

    def sign(self, request: SignatureRequest) -> bytes:
        return bytes(self._key.sign(request.digest, *self._ways[request.scheme]))


class _P256Key(_SoftwareKey):
    """The same on P-256: an engine that signs has the private key, too, from the first signature on."""

    def __init__(self, key: Any, public_key: bytes, schemes: tuple[SignatureScheme, ...]) -> None:
        super().__init__(key, public_key, schemes)
        self._in_engine: tuple[CryptoProvider | None, SigningKey | None] = None, None  # the one that signed last

    def sign(self, request: SignatureRequest) -> bytes:
        if request.provider is None or request.random is None:
            return super().sign(request)
        engine, key = self._in_engine
        if engine is not request.provider:
            key = self._enter(request.provider)
            self._in_engine = request.provider, key
        return super().sign(request) if key is None else key.sign(request.digest, request.random(32))

    def _enter(self, provider: CryptoProvider) -> SigningKey | None:
        return provider.signing_key(bytearray(self._key.private_numbers().private_value.to_bytes(32, "big")))


def _way(scheme: SignatureScheme) -> tuple[Any, ...]:
    """What `cryptography` is told besides the digest: with the message it would hash all of that once more."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

    number = scheme & 0xFF if scheme >> 8 == 8 else scheme >> 8
    algorithm: hashes.HashAlgorithm = (hashes.SHA256(), hashes.SHA384(), hashes.SHA512())[number - 4]
    hashed = utils.Prehashed(algorithm)
    if scheme in _ECDSA_ALL:  # CAUTH-13: OpenSSL hashes key and message into the random nonce
        return (ec.ECDSA(hashed),)
    if scheme >> 8 == 8:  # rsa_pss_rsae_*
        return padding.PSS(padding.MGF1(algorithm), padding.PSS.DIGEST_LENGTH), hashed
    return padding.PKCS1v15(), hashed


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
    kind = _P256Key if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp256r1" else _SoftwareKey
    return kind(key, key.public_key().public_bytes(serialization.Encoding.DER, form), schemes)
