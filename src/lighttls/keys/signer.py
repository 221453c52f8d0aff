"""Who signs for us. The private key may be a file, a chip that signs digests, or a remote service.

One rule serves all: `Signer.sign(request)` returns the signature, and the handshake goes on; or it
returns None, a `SignatureRequested` event appears, and the handshake waits for
`request.complete(...)` or `request.fail(...)`.
"""

from __future__ import annotations

from collections.abc import Callable

from lighttls._typing import TYPE_CHECKING, Protocol
from lighttls.errors import SignerError, UsageError
from lighttls.iana import SignatureScheme

if TYPE_CHECKING:
    from lighttls.crypto.provider import CryptoProvider, Entropy


class SignatureRequest:
    """One signature we owe the server: the CertificateVerify of a handshake (RFC 5246 §7.4.8)."""

    __slots__ = ("_answer", "ca_names", "chain", "digest", "message", "provider", "random", "scheme")

    def __init__(
        self,
        scheme: SignatureScheme,
        digest: bytes,
        message: bytes,
        ca_names: tuple[bytes, ...],
        chain: tuple[bytes, ...],
        provider: CryptoProvider | None = None,
        random: Entropy | None = None,
    ) -> None:
        self.scheme = scheme
        self.digest = digest  # of `message`, with the scheme's hash
        self.message = message  # all handshake messages so far
        self.ca_names = ca_names  # DER names of authorities the server listed
        self.chain = chain  # our certificates, DER; empty for a raw public key
        self.provider = provider  # the connection's engine, for keys in memory; None where nobody said which
        self.random = random  # the connection's entropy; with `provider` only
        self._answer: Callable[[SignatureRequest, bytes | BaseException], None] | None = None

    def defer_to(self, answer: Callable[[SignatureRequest, bytes | BaseException], None]) -> None:
        """Hand the outcome to `answer`: the connection that waits for it says where it wants it."""
        self._answer = answer

    def complete(self, signature: bytes | bytearray | memoryview) -> None:
        """Give the signature in wire form (DER for ECDSA).

        Raises SignerError: it does not verify under our own public key; the connection has failed then.
        """
        self._settle(_octets(signature))

    def complete_raw(self, r_and_s: bytes | bytearray | memoryview) -> None:
        """Give an ECDSA signature as r and s, big-endian, equally long, one after the other. Raises as `complete`."""
        raw = _octets(r_and_s)
        try:
            outcome: bytes | BaseException = der_from_raw(raw)
        except SignerError as cause:
            outcome = cause
        self._settle(outcome)

    def fail(self, cause: BaseException) -> None:
        """Say that there will be no signature: the handshake ends with internal_error, and SignerError is raised."""
        if not isinstance(cause, BaseException):
            raise UsageError(f"the cause of a failure is an exception, not {type(cause).__name__}")
        self._settle(cause)

    def _settle(self, outcome: bytes | BaseException) -> None:
        if self._answer is None:
            raise UsageError("a signer answers by what it returns; only a request from an event is completed")
        self._answer(self, outcome)

    def __repr__(self) -> str:
        return f"SignatureRequest({self.scheme.name}, digest={self.digest.hex()})"


class Signer(Protocol):
    """Signs with the private key of an identity."""

    signature_schemes: tuple[SignatureScheme, ...]
    """What it can do, most wanted first."""

    def sign(self, request: SignatureRequest) -> bytes | None:
        """The signature in wire form, or None: it will be given by `request.complete` later."""


def _octets(given: bytes | bytearray | memoryview) -> bytes:
    if not isinstance(given, bytes | bytearray | memoryview):
        raise UsageError(f"a signature is bytes, not {type(given).__name__}")
    return bytes(given)


def der_from_raw(r_and_s: bytes) -> bytes:
    """An ECDSA signature r ‖ s as DER (RFC 3279 §2.2.3). Raises SignerError for an odd or impossible length."""
    size = len(r_and_s) // 2
    if len(r_and_s) not in (64, 96, 132):
        raise SignerError(
            f"a raw ECDSA signature has {len(r_and_s)} bytes; expected r and s of equal length, 64 for P-256",
            hint=_IS_DER if len(r_and_s) > 2 and (r_and_s[0], r_and_s[1]) == (0x30, len(r_and_s) - 2) else _IS_CUT,
        )
    body = _der_integer(r_and_s[:size]) + _der_integer(r_and_s[size:])
    head = b"\x30" + (bytes((len(body),)) if len(body) < 128 else bytes((0x81, len(body))))
    return head + body


_IS_DER = "This looks like DER already: give it to `complete`, or return it from a Signer of your own."
_IS_CUT = "r and s are 32 bytes each for P-256, zeros in front included. Look at the driver: was the answer cut?"


def _der_integer(value: bytes) -> bytes:
    short = value.lstrip(b"\0") or b"\0"
    if short[0] & 0x80:
        short = b"\0" + short
    return bytes((0x02, len(short))) + short
