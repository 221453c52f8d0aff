"""Certification requests (PKCS #10, RFC 2986) that the chip signs itself: its key never leaves it."""

from __future__ import annotations

from base64 import encodebytes
from hashlib import sha256

from lighttls.devices.atecc608a import der
from lighttls.devices.atecc608a.chip import Atecc608a
from lighttls.devices.atecc608a.signer import check_signature


def certification_request(chip: Atecc608a, slot: int, subject: der.Name) -> bytes:
    """A request (DER) for the key in `slot`, named `subject`: `[("O", "Example"), ("CN", "pump-17")]`.

    The slot must be allowed to sign digests from outside (`Configuration.signs_digests`).

    Raises ChipError; SignerError: the signature does not fit the slot's public key, so that no authority would take it.
    """
    key = der.spki(chip.public_key(slot))
    info = der.sequence(der.unsigned(b"\0"), der.name(subject), key, der.element(0xA0))
    signature = der.signature(chip.sign(slot, sha256(info).digest()))
    check_signature(slot, key, signature, info)
    return der.sequence(info, der.ECDSA_WITH_SHA256, der.bit_string(signature))


def request_pem(request: bytes) -> str:
    """The request as PEM, as authorities take it."""
    text = encodebytes(request).replace(b"\n", b"")
    lines = [text[at : at + 64].decode() for at in range(0, len(text), 64)]
    return "\n".join(("-----BEGIN CERTIFICATE REQUEST-----", *lines, "-----END CERTIFICATE REQUEST-----", ""))
