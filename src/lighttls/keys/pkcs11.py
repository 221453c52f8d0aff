"""Private keys in a PKCS #11 token: smart card, HSM, TPM, SoftHSM. The extra `pkcs11` is imported when it is used."""

from __future__ import annotations

from os import PathLike, fspath

from lighttls._typing import Any, Final
from lighttls.errors import ConfigurationError, SignerError
from lighttls.iana import SignatureScheme
from lighttls.keys.signer import SignatureRequest, der_from_raw

_ECDSA: Final = {  # EC parameters (DER of the curve's object identifier) -> schemes, the curve's own first
    bytes.fromhex("06082a8648ce3d030107"): (
        SignatureScheme.ECDSA_SECP256R1_SHA256,
        SignatureScheme.ECDSA_SECP384R1_SHA384,
        SignatureScheme.ECDSA_SECP521R1_SHA512,
    ),
    bytes.fromhex("06052b81040022"): (
        SignatureScheme.ECDSA_SECP384R1_SHA384,
        SignatureScheme.ECDSA_SECP256R1_SHA256,
        SignatureScheme.ECDSA_SECP521R1_SHA512,
    ),
}
_RSA_PSS: Final = (
    SignatureScheme.RSA_PSS_RSAE_SHA256,
    SignatureScheme.RSA_PSS_RSAE_SHA384,
    SignatureScheme.RSA_PSS_RSAE_SHA512,
)
_RSA_PKCS1: Final = (
    SignatureScheme.RSA_PKCS1_SHA256,
    SignatureScheme.RSA_PKCS1_SHA384,
    SignatureScheme.RSA_PKCS1_SHA512,
)
_DIGEST_INFO: Final = {  # by the length of the digest: what stands before it (RFC 8017 §9.2, note 1)
    32: bytes.fromhex("3031300d060960864801650304020105000420"),
    48: bytes.fromhex("3041300d060960864801650304020205000430"),
    64: bytes.fromhex("3051300d060960864801650304020305000440"),
}
_SMALLEST_RSA: Final = 2048

_NO_PACKAGE: Final = "Install it with the extra: pip install 'lighttls[pkcs11]'."
_NO_MODULE: Final = "Give the path of the token's PKCS #11 library, such as /usr/lib/softhsm/libsofthsm2.so."
_NO_TOKEN: Final = "See what is there: pkcs11-tool --module … --list-slots."
_NO_KEY: Final = "See what is there: pkcs11-tool --module … --login --list-objects."


class _Pkcs11Key:
    """One private key of one token, in a session that is opened again when the token was away."""

    def __init__(self, module: str, token: str, pin: str | None, label: str | None, key_id: bytes | None) -> None:
        self._where = (module, token, pin, label, key_id)
        self._key = self._find()
        self._kind, self.signature_schemes = self._abilities()

    def sign(self, request: SignatureRequest) -> bytes:
        from pkcs11 import exceptions

        try:
            try:
                return self._sign(request)
            except (
                exceptions.SessionHandleInvalid,
                exceptions.SessionClosed,
                exceptions.UserNotLoggedIn,
                exceptions.KeyHandleInvalid,
                exceptions.ObjectHandleInvalid,
                exceptions.DeviceRemoved,
                exceptions.TokenNotPresent,
            ):
                self._key = self._find()
                return self._sign(request)
        except (exceptions.PKCS11Error, ConfigurationError) as cause:
            raise SignerError(
                f"the PKCS #11 token did not sign: {_said(cause)}", hint="Look at the token and its library."
            ) from cause

    def _sign(self, request: SignatureRequest) -> bytes:
        from pkcs11 import MGF, Mechanism

        if self._kind == "ec":
            return der_from_raw(bytes(self._key.sign(request.digest, mechanism=Mechanism.ECDSA)))
        if request.scheme in _RSA_PKCS1:
            block = _DIGEST_INFO[len(request.digest)] + request.digest
            return bytes(self._key.sign(block, mechanism=Mechanism.RSA_PKCS))
        size = len(request.digest)  # RFC 8446 §4.2.3: the salt is as long as the digest
        bits = 8 * size
        parameters = (getattr(Mechanism, f"SHA{bits}"), getattr(MGF, f"SHA{bits}"), size)
        return bytes(self._key.sign(request.digest, mechanism=Mechanism.RSA_PKCS_PSS, mechanism_param=parameters))

    def _find(self) -> Any:
        """Open a session and find the key in it. Raises ConfigurationError, which names what is not there."""
        module, token, pin, label, key_id = self._where
        try:
            import pkcs11
            from pkcs11 import exceptions
        except ImportError as cause:
            raise ConfigurationError("the package python-pkcs11 is not installed", hint=_NO_PACKAGE) from cause
        try:
            library = pkcs11.lib(module)
        except (exceptions.PKCS11Error, RuntimeError, OSError) as cause:
            raise ConfigurationError(
                f"the PKCS #11 library {module} cannot be used: {_said(cause)}", hint=_NO_MODULE
            ) from cause
        try:
            found = library.get_token(token_label=token)
            try:
                session = found.open(user_pin=pin)
            except exceptions.UserAlreadyLoggedIn:  # by another session of this program, which counts for all
                session = found.open()
        except (exceptions.NoSuchToken, exceptions.MultipleTokensReturned) as cause:
            raise ConfigurationError(f"no single PKCS #11 token is named {token!r}", hint=_NO_TOKEN) from cause
        except exceptions.PKCS11Error as cause:
            raise ConfigurationError(
                f"the PKCS #11 token {token!r} cannot be opened: {_said(cause)}",
                hint="Check the PIN; most tokens lock themselves after a few wrong ones.",
            ) from cause
        try:
            return session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, label=label, id=key_id)
        except (exceptions.NoSuchKey, exceptions.MultipleObjectsReturned) as cause:
            wanted = " and ".join(f"{name} {value!r}" for name, value in (("label", label), ("id", key_id)) if value)
            raise ConfigurationError(
                f"the PKCS #11 token {token!r} has no single private key{f' with {wanted}' if wanted else ''}",
                hint=_NO_KEY,
            ) from cause

    def _abilities(self) -> tuple[str, tuple[SignatureScheme, ...]]:
        from pkcs11 import Attribute, KeyType, Mechanism

        key, token = self._key, self._where[1]
        if key.key_type == KeyType.EC:
            schemes = _ECDSA.get(bytes(key[Attribute.EC_PARAMS]))
            if schemes is not None:
                return "ec", schemes
        elif key.key_type == KeyType.RSA and key.key_length >= _SMALLEST_RSA:
            knows_pss = Mechanism.RSA_PKCS_PSS in key.session.token.slot.get_mechanisms()
            return "rsa", (*(_RSA_PSS if knows_pss else ()), *_RSA_PKCS1)
        raise ConfigurationError(
            f"the private key in the PKCS #11 token {token!r} is none we can use: "
            "RSA from 2048 bits, or EC on P-256 or P-384"
        )


def _said(cause: BaseException) -> str:
    """python-pkcs11 names many errors by their class alone."""
    return str(cause) or type(cause).__name__


def pkcs11_key(
    module: str | PathLike[str],
    *,
    token: str,
    pin: str | None = None,
    label: str | None = None,
    key_id: bytes | None = None,
) -> _Pkcs11Key:
    """A signer from a private key in a PKCS #11 token: RSA of at least 2048 bits, or EC on P-256 or P-384.

    `module` is the path of the token's library, `token` the token's label; `label` and `key_id` choose among several
    keys. The PIN is kept, since a token that was away wants it again. Each signature is checked against the
    certificate's key before it leaves, as from every signer.
    Raises ConfigurationError: no such library, token or key, or a wrong PIN.
    """
    return _Pkcs11Key(fspath(module), token, pin, label, key_id)
