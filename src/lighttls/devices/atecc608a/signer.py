"""The chip in a handshake: its slot as the signer of an Identity, and its curve arithmetic as a key exchange."""

from __future__ import annotations

import os
from contextlib import ExitStack
from hashlib import sha256
from typing import Final

from lighttls.crypto import default_provider
from lighttls.devices.atecc608a import der
from lighttls.devices.atecc608a.chip import Atecc608a
from lighttls.devices.atecc608a.errors import ChipError
from lighttls.errors import ConfigurationError, KeyExchangeError, LightTLSError, SignerError
from lighttls.iana import NamedGroup, SignatureScheme
from lighttls.keys import SignatureRequest


def check_signature(slot: int, public_key: bytes, signature: bytes, message: bytes) -> None:
    """Raises SignerError: what the slot signed does not verify with its own key, a SubjectPublicKeyInfo."""
    try:
        default_provider().verify(SignatureScheme.ECDSA_SECP256R1_SHA256, public_key, signature, message)
    except LightTLSError as cause:  # also a key that is no point of the curve
        raise SignerError(
            f"slot {slot} made a signature that does not fit its public key",
            hint="The bus alters data, or the chip is broken. Replace it if this stays so.",
        ) from cause


class ChipSigner:
    """Signs with the private key in a slot: `Identity(chain, ChipSigner(chip, slot=0))`.

    The slot's public key is read at once, so that Identity refuses a certificate that does not fit it. The chip signs
    32 bytes and no more: ecdsa_secp256r1_sha256 is all it can do, and no other digest is cut to fit.
    Raises ChipError: no chip, or no key in that slot.
    """

    signature_schemes: tuple[SignatureScheme, ...] = (SignatureScheme.ECDSA_SECP256R1_SHA256,)

    def __init__(self, chip: Atecc608a, slot: int = 0) -> None:
        self._chip = chip
        self._slot = slot
        self.public_key = der.spki(chip.public_key(slot))  # SubjectPublicKeyInfo, DER

    def sign(self, request: SignatureRequest) -> bytes:
        """Sign the handshake's digest. The signature is checked against the certificate before it leaves."""
        try:
            return der.signature(self._chip.sign(self._slot, request.digest))
        except ChipError as cause:
            raise SignerError(f"the secure element did not sign: {cause}", hint=cause.hint) from cause

    def check(self) -> None:
        """Sign random bytes and verify that in software, to know before the first handshake that slot and key work.

        Raises ChipError; SignerError: the chip's signatures do not fit its own public key.
        """
        message = os.urandom(32)
        signature = der.signature(self._chip.sign(self._slot, sha256(message).digest()))
        check_signature(self._slot, self.public_key, signature, message)


class ChipKeyExchange:
    """Ephemeral ECDH on P-256 in the chip: `ClientConfig(key_exchange=ChipKeyExchange(chip))`.

    The private key lives in a register of the chip for one handshake. The secret comes back over the bus, in the clear
    unless `io_key` is given: the 32 bytes of the chip's I/O protection key, under which it is encrypted then. That
    keeps it from who listens on the bus, not from who puts other bytes on it, nor from who can read this computer's
    copy of the key. It takes 0.2 s and more; the engine's own is as safe against everyone who cannot tap the bus.
    """

    groups: tuple[NamedGroup, ...] = (NamedGroup.SECP256R1,)

    def __init__(self, chip: Atecc608a, *, io_key: bytes | None = None) -> None:
        if io_key is not None and (not isinstance(io_key, bytes) or len(io_key) != 32):
            raise ConfigurationError("the key for I/O protection is 32 bytes")
        self._chip = chip
        self._io_key = io_key
        self._held = ExitStack()  # the chip's lock between `generate` and `derive`

    def generate(self, group: NamedGroup) -> bytes:
        """Make the key, and keep the chip to this thread until `derive`: another command might take the register."""
        if group not in self.groups:
            raise KeyExchangeError(f"the chip does not know the group {group.name}", hint="Offer secp256r1 alone.")
        with ExitStack() as stack:
            stack.enter_context(self._chip.lock)
            self._held.close()  # this thread's own, of a handshake that ended in between
            try:
                public = self._chip.generate_ephemeral()
            except ChipError as cause:
                raise _no_key(cause) from cause
            self._held = stack.pop_all()
        return b"\x04" + public

    def derive(self, peer_public: bytes) -> bytearray:
        """The secret, for which the chip's key is used up."""
        with self._held:
            try:
                return self._chip.ecdh_ephemeral(peer_public[1:], io_key=self._io_key)
            except ChipError as cause:
                raise _no_key(cause) from cause

    def check(self) -> None:
        """See that the chip's arithmetic is right and `io_key` the chip's own, to know it before the first handshake.

        The secret shared with the curve's base point is the x-coordinate of the public key.
        Raises KeyExchangeError.
        """
        public = self.generate(NamedGroup.SECP256R1)
        if self.derive(b"\x04" + _BASE_POINT) != public[1:33]:
            raise KeyExchangeError("the secret of the chip is not the one that belongs to its key", hint=_WRONG_SECRET)


_BASE_POINT: Final = bytes.fromhex(
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)  # of P-256 (FIPS 186-4 §D.1.2.3)
_WRONG_SECRET: Final = (
    "If io_key was given, most likely it is not what is in the chip's slot. Else the bus alters data, or the chip is "
    "broken."
)


def _no_key(cause: ChipError) -> KeyExchangeError:
    return KeyExchangeError(f"the secure element agreed on no key: {cause}", hint=cause.hint)
