"""Signers that are a function: the shape of a secure element."""

from __future__ import annotations

from collections.abc import Callable

from lighttls.errors import SignerError
from lighttls.iana import SignatureScheme
from lighttls.keys.signer import SignatureRequest, der_from_raw


class _RawEcdsa:
    """ECDSA P-256 over a SHA-256 digest, by a function that returns r ‖ s."""

    signature_schemes: tuple[SignatureScheme, ...] = (SignatureScheme.ECDSA_SECP256R1_SHA256,)

    def __init__(self, sign_digest: Callable[[bytes], bytes]) -> None:
        self._sign_digest = sign_digest

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
    """
    return _RawEcdsa(sign_digest)
