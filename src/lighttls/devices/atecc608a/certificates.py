"""Certificates rebuilt from the 72 bytes in which the chip keeps them.

A slot holds what differs from device to device: signature, dates, the signer's number. The rest is in a template, and
the public key comes from the chip. Rebuilt wrongly, by another template or with another key, a certificate parses and
nobody accepts it; so its signature is verified here before anything else sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha1, sha256
from typing import Final

from lighttls.crypto import default_provider
from lighttls.devices.atecc608a import der
from lighttls.devices.atecc608a.chip import Atecc608a
from lighttls.devices.atecc608a.errors import ChipError
from lighttls.devices.atecc608a.zones import Zone
from lighttls.errors import BadSignature, UsageError
from lighttls.iana import SignatureScheme
from lighttls.x509 import Certificate

COMPRESSED_SIZE: Final = 72
_SERIAL_SIZE: Final = 16
_SCHEME: Final = SignatureScheme.ECDSA_SECP256R1_SHA256


class CertificateMismatch(ChipError):
    """What the chip stores is no certificate for the key it has."""

    hint = (
        "Either a new key was made in the slot since the certificate was issued, or the certificate is of another kind "
        "than the template. Have a certificate issued for the key that is there (certification_request)."
    )


class Compressed:
    """The stored 72 bytes, taken apart. Raises CertificateMismatch: they are none."""

    def __init__(self, stored: bytes) -> None:
        if len(stored) != COMPRESSED_SIZE or stored[70] & 0x0F > 2 or stored in (b"\0" * 72, b"\xff" * 72):
            raise CertificateMismatch("the chip stores no compressed certificate there")
        self.signature = stored[:64]
        self.dates = stored[64:67]
        self.signer_id = stored[67:69]
        self.template_id = stored[69] >> 4
        self.chain_id = stored[69] & 0x0F
        self.serial_source = stored[70] >> 4
        self.has_long_years = stored[70] & 0x0F > 0
        self.year_bits = stored[71:72]

    def validity(self, *, generalized_end: bool) -> bytes:
        """Both dates as a Validity; without an end it is the last moment there is (RFC 5280 §4.1.2.5)."""
        bits = int.from_bytes(self.dates, "big")
        year, month, day, hour, lasts = bits >> 19, bits >> 15 & 15, bits >> 10 & 31, bits >> 5 & 31, bits & 31
        if self.has_long_years:
            year |= (self.year_bits[0] >> 6) << 5
            lasts |= (self.year_bits[0] >> 4 & 3) << 5
        rest = f"{month:02}{day:02}{hour:02}0000Z"
        end = _time(2000 + year + lasts, rest, generalized_end) if lasts else _time(9999, "1231235959Z", True)
        return der.sequence(_time(2000 + year, rest, False), end)

    def serial_number(self, public_key: bytes, device: bytes) -> bytes:
        """The certificate's, as its source says. Raises CertificateMismatch: from none that is known."""
        if self.serial_source == 0x8:
            return b"\x40" + device
        if self.serial_source == 0x9:
            return b"\x40" + self.signer_id
        if self.serial_source not in (0xA, 0xB):
            raise CertificateMismatch(f"its serial number has the source {self.serial_source:X}, unknown here")
        named = public_key if self.serial_source == 0xA else device
        years = bytes((self.year_bits[0] & 0xF0,)) if self.has_long_years else b""
        digest = sha256(named + self.dates + years).digest()[:_SERIAL_SIZE]
        return bytes((digest[0] & 0x7F | 0x40,)) + digest[1:]


class Subject:
    """What a template is filled in with."""

    def __init__(self, public_key: bytes, issuer_key: bytes, device: bytes, signer_id: bytes, eui48: str) -> None:
        self.public_key = public_key
        self.issuer_key = issuer_key
        self._words = {"serial": device.hex().upper(), "signer": signer_id.hex().upper(), "eui48": eui48}

    def fill(self, text: str) -> str:
        return text.format(**self._words)


Extension = Callable[[Subject], bytes]
"""Makes one Extension (RFC 5280 §4.1)."""


class Template:
    """A kind of certificate. `issuer` and `subject` may hold {serial}, {signer} and {eui48}.

    With `generalized_end` notAfter is always a GeneralizedTime, as Microchip has it, else from 2050 on.
    """

    def __init__(
        self,
        *,
        template_id: int,
        chain_id: int = 0,
        issuer: der.Name,
        subject: der.Name,
        extensions: Sequence[Extension],
        generalized_end: bool = True,
    ) -> None:
        self.template_id = template_id
        self.chain_id = chain_id
        self.issuer = tuple(issuer)
        self.subject = tuple(subject)
        self.extensions = tuple(extensions)
        self.generalized_end = generalized_end

    def rebuild(self, stored: bytes, *, public_key: bytes, issuer_key: bytes, device: bytes, eui48: str = "") -> bytes:
        """The certificate (DER) for `public_key`, from the 72 bytes `stored` and the chip's serial number `device`.

        Keys are 64 bytes X ‖ Y. Raises CertificateMismatch: above all, the issuer's key does not verify it.
        """
        if len(public_key) != 64 or len(issuer_key) != 64:
            raise UsageError("a public key has 64 bytes here: X and Y")
        parts = Compressed(stored)
        if (parts.template_id, parts.chain_id) != (self.template_id, self.chain_id):
            raise CertificateMismatch(
                f"the stored certificate is of template {parts.template_id}, chain {parts.chain_id}; "
                f"expected was {self.template_id}, {self.chain_id}"
            )
        filled = Subject(public_key, issuer_key, device, parts.signer_id, eui48)
        signed = der.sequence(
            der.element(0xA0, der.unsigned(b"\x02")),
            der.unsigned(parts.serial_number(public_key, device)),
            der.ECDSA_WITH_SHA256,
            der.name([(kind, filled.fill(text)) for kind, text in self.issuer]),
            parts.validity(generalized_end=self.generalized_end),
            der.name([(kind, filled.fill(text)) for kind, text in self.subject]),
            der.spki(public_key),
            der.element(0xA3, der.sequence(*(extension(filled) for extension in self.extensions))),
        )
        signature = der.signature(parts.signature)
        try:
            default_provider().verify(_SCHEME, der.spki(issuer_key), signature, signed)
        except BadSignature as cause:
            raise CertificateMismatch("the certificate that the chip stores does not fit the key in it") from cause
        return der.sequence(signed, der.ECDSA_WITH_SHA256, der.bit_string(signature))


def _time(year: int, rest: str, generalized: bool) -> bytes:
    if generalized or year >= 2050:
        return der.element(0x18, f"{year}{rest}".encode())
    return der.element(0x17, f"{year % 100:02}{rest}".encode())


def _extension(identifier: str, value: bytes, critical: bool = False) -> bytes:
    return der.sequence(der.oid(identifier), der.element(0x01, b"\xff") if critical else b"", der.octet_string(value))


def key_usage(bits: bytes) -> Extension:
    """keyUsage, critical; `bits` are unused bits and bits of the BIT STRING."""
    return lambda _: _extension("2.5.29.15", der.element(0x03, bits), critical=True)


def no_authority(_: Subject) -> bytes:
    """basicConstraints of an end entity, critical."""
    return _extension("2.5.29.19", der.sequence(), critical=True)


def authority(_: Subject) -> bytes:
    """basicConstraints of an authority for end entities alone, critical."""
    return _extension("2.5.29.19", der.sequence(der.element(0x01, b"\xff"), der.unsigned(b"\0")), critical=True)


def subject_key_id(subject: Subject) -> bytes:
    return _extension("2.5.29.14", der.octet_string(_key_id(subject.public_key)))


def authority_key_id(subject: Subject) -> bytes:
    return _extension("2.5.29.35", der.sequence(der.element(0x80, _key_id(subject.issuer_key))))


def eui48_name(subject: Subject) -> bytes:
    """subjectAltName with the device's EUI-48 in a directory name, as Microchip has it.

    The underscore makes it no proper PrintableString (X.680 §41.4); the bytes must be as they were signed.
    """
    directory = der.name([("serialNumber", subject.fill("eui48_{eui48}"))])
    return _extension("2.5.29.17", der.sequence(der.element(0xA4, directory)))


def _key_id(public_key: bytes) -> bytes:
    """RFC 5280 §4.2.1.2 (1): SHA-1 as a name, not as a proof."""
    return sha1(b"\x04" + public_key, usedforsecurity=False).digest()


_O: Final = ("O", "Microchip Technology Inc")
_SIGNER_NAME: Final = (_O, ("CN", "Crypto Authentication Signer {signer}"))
_DEVICE_USAGE: Final = key_usage(b"\x03\x88")  # digitalSignature, keyAgreement

TRUST_AND_GO_SIGNER: Final = Template(
    template_id=1,
    issuer=(_O, ("CN", "Crypto Authentication Root CA 002")),
    subject=_SIGNER_NAME,
    extensions=(key_usage(b"\x01\x86"), authority, subject_key_id, authority_key_id),
)
TRUST_AND_GO_DEVICES: Final = (
    Template(
        template_id=2,
        issuer=_SIGNER_NAME,
        subject=(_O, ("CN", "{serial} ATECC")),
        extensions=(no_authority, _DEVICE_USAGE, subject_key_id, authority_key_id),
    ),
    Template(
        template_id=3,
        issuer=_SIGNER_NAME,
        subject=(_O, ("CN", "sn{serial}")),
        extensions=(eui48_name, no_authority, _DEVICE_USAGE, subject_key_id, authority_key_id),
    ),
)

_EUI48_SLOT, _DEVICE_SLOT, _SIGNER_KEY_SLOT, _SIGNER_SLOT = 5, 10, 11, 12


def stored_public_key(chip: Atecc608a, slot: int) -> bytes:
    """A public key that is kept as data: X and Y, 32 bytes each, behind four zeros each."""
    padded = chip.read(Zone.DATA, slot)
    return padded[4:36] + padded[40:72]


def trust_and_go_chain(chip: Atecc608a, *, root: bytes) -> tuple[bytes, bytes]:
    """The certificates (DER) of a chip that Microchip sold with them: the device's, then the signer's.

    `root` is the certificate (DER) of "Crypto Authentication Root CA 002", whose key verifies the signer's.
    Raises CertificateMismatch.
    """
    root_key = Certificate.parse(root).spki[-64:]
    device = chip.serial_number()
    signer_key = stored_public_key(chip, _SIGNER_KEY_SLOT)
    signer = TRUST_AND_GO_SIGNER.rebuild(
        chip.read(Zone.DATA, _SIGNER_SLOT), public_key=signer_key, issuer_key=root_key, device=device
    )
    stored = chip.read(Zone.DATA, _DEVICE_SLOT)
    template_id = Compressed(stored).template_id
    template = next((one for one in TRUST_AND_GO_DEVICES if one.template_id == template_id), None)
    if template is None:
        raise CertificateMismatch(f"the device's certificate is of template {template_id}, unknown here")
    eui48 = ""
    if eui48_name in template.extensions:
        eui48 = chip.read(Zone.DATA, _EUI48_SLOT, length=12).decode("ascii", "replace")
    leaf = template.rebuild(stored, public_key=chip.public_key(0), issuer_key=signer_key, device=device, eui48=eui48)
    return leaf, signer
