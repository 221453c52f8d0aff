"""Signers that are a function: the shapes of a secure element and of a signing service."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lighttls.errors import ConfigurationError, SignerError
from lighttls.iana import SignatureScheme
from lighttls.keys.signer import SignatureRequest, der_from_raw


class _RawEcdsa:
    """ECDSA P-256 over a SHA-256 digest, by a function that returns r ‖ s."""

    signature_schemes: tuple[SignatureScheme, ...] = (SignatureScheme.ECDSA_SECP256R1_SHA256,)

    def __init__(self, sign_digest: Callable[[bytes], bytes]) -> None:
        self._sign_digest = _function(sign_digest, "raw_ecdsa")

    def sign(self, request: SignatureRequest) -> bytes:
        answer = self._sign_digest(request.digest)
        if not isinstance(answer, bytes | bytearray | memoryview):
            raise SignerError(
                f"the function given to raw_ecdsa returned {type(answer).__name__}, expected 64 bytes",
                hint="Let it return r and s, 32 bytes each, and raise an exception when there is no signature.",
            )
        return der_from_raw(bytes(answer))


def raw_ecdsa(sign_digest: Callable[[bytes], bytes]) -> _RawEcdsa:
    """A signer around `sign_digest`: 32-byte SHA-256 digest in, 64 bytes r ‖ s out (the ATECC608A's Sign command).

    The function may block. Whatever it raises becomes a SignerError of the handshake.
    Raises ConfigurationError for what is no function.
    """
    return _RawEcdsa(sign_digest)


class _MessageSigner:
    """Any scheme, by a function that hashes and signs."""

    def __init__(
        self,
        sign_message: Callable[[SignatureScheme, bytes], bytes],
        signature_schemes: Iterable[SignatureScheme],
    ) -> None:
        self._sign_message = _function(sign_message, "message_signer")
        try:
            self.signature_schemes = tuple(SignatureScheme(scheme) for scheme in signature_schemes)
        except (TypeError, ValueError) as error:
            raise ConfigurationError(f"message_signer: signature_schemes: {error}") from None
        if not self.signature_schemes:
            raise ConfigurationError("message_signer: signature_schemes is empty: say what the function can sign")

    def sign(self, request: SignatureRequest) -> bytes:
        answer = self._sign_message(request.scheme, request.message)
        if not isinstance(answer, bytes | bytearray | memoryview):
            raise SignerError(
                f"the function given to message_signer returned {type(answer).__name__}, expected bytes",
                hint="Let it return the signature (DER for ECDSA), and raise an exception when there is none.",
            )
        return bytes(answer)


def message_signer(
    sign_message: Callable[[SignatureScheme, bytes], bytes], *, signature_schemes: Iterable[SignatureScheme]
) -> _MessageSigner:
    """A signer around `sign_message`: scheme and whole message in, signature in wire form out (DER for ECDSA).

    For services and tokens that hash by themselves. `signature_schemes` is what it can do, most wanted first. The
    function may block. Whatever it raises becomes a SignerError of the handshake.
    Raises ConfigurationError for what is no function, and for schemes that are none.
    """
    return _MessageSigner(sign_message, signature_schemes)


def _function(given: Callable[..., bytes], where: str) -> Callable[..., bytes]:
    if not callable(given):
        raise ConfigurationError(f"{where}: expected a function, not {type(given).__name__}")
    return given
