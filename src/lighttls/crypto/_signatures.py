"""Signature verification, by `cryptography`: all of the pure engine's, and what the C core leaves to it.

Everything here is public input, so nothing needs to run in constant time.
"""

from __future__ import annotations

from lighttls._typing import Any, Final
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

_OIDS: Final = {
    "sha1": bytes.fromhex("06052b0e03021a"),
    "sha256": bytes.fromhex("0609608648016503040201"),
    "sha384": bytes.fromhex("0609608648016503040202"),
    "sha512": bytes.fromhex("0609608648016503040203"),
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
        elif len(signature) != (key.key_size + 7) // 8:  # SKE-21; OpenSSL takes PSS without leading zeros
            raise _shared.wrong_signature(scheme)
        elif name.startswith("rsa_pss"):
            pss = padding.PSS(mgf=padding.MGF1(hash_), salt_length=hash_.digest_size)
            key.verify(signature, message, pss, hash_)
        else:
            _verify_pkcs1(key, signature, message, hash_)
    except (InvalidSignature, ValueError):  # ValueError: the key is too small for this hash (SKE-18)
        raise _shared.wrong_signature(scheme) from None


def _verify_pkcs1(key: Any, signature: bytes, message: bytes, hash_: Any) -> None:
    """PKCS#1 v1.5; the DigestInfo has NULL parameters or none (SKE-20), of which `cryptography` knows the former."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    try:
        key.verify(signature, message, padding.PKCS1v15(), hash_)
    except InvalidSignature:
        digest = hashes.Hash(hash_)
        digest.update(message)
        algorithm = _der(0x30, _OIDS[hash_.name])
        expected = _der(0x30, algorithm + _der(0x04, digest.finalize()))
        if key.recover_data_from_signature(signature, padding.PKCS1v15(), None) != expected:
            raise


def _der(tag: int, contents: bytes) -> bytes:
    """A short element of DER."""
    return bytes((tag, len(contents))) + contents


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
