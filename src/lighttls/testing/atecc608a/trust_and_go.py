"""A simulated chip that has its certificates in it, as Microchip sells them, under a root made for it.

The certificates are written here and signed; the chip gets the 72 bytes of each that it would keep. It shares nothing
with the driver that puts them together again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

from lighttls.testing import der_writer as der
from lighttls.testing.atecc608a import curve
from lighttls.testing.atecc608a.chip import SimulatedChip
from lighttls.testing.atecc608a.factory import locked_chip
from lighttls.testing.pki import SUBJECT_KEY_ID, PrivateKey, issue

_OTP = {2: b"wdNxAjae", 3: b"KQp2ZkD8"}  # what tells templates apart to Microchip's library
_ECDSA_SHA256 = der.sequence(der.oid("1.2.840.10045.4.3.2"))
_O = "Microchip Technology Inc"
_ROOT = "Crypto Authentication Root CA 002"
_SIGNER_ID = b"\xc1\x5a"
_SERIAL_FROM_KEY = 0xA0

_Date = tuple[int, int, int, int]  # year, month, day, hour


class TrustAndGo:
    """`simulated` is the chip; `device` and `signer` are the certificates (DER) whose short forms it holds.

    `root` is their root's certificate. `template` is 3 (with an EUI-48) or 2.
    """

    def __init__(
        self,
        *,
        template: int = 3,
        start: _Date = (2018, 11, 8, 5),
        years: int = 28,
        format_version: int = 0,
        clock: Callable[[], float] = time.monotonic,
        pace: float = 1.0,
    ) -> None:
        root, signer = curve.new_key(), curve.new_key()
        root_point = curve.point_of(root)
        root_name = (("O", _O), ("CN", _ROOT))
        key_id = (SUBJECT_KEY_ID, False, der.octet_string(_key_id(root_point)))  # the one that the signer's names
        self.root = issue(root_name, PrivateKey(root, "ec"), ca=True, extensions=[key_id]).der
        self.simulated: SimulatedChip = locked_chip(clock=clock, pace=pace)
        memory = self.simulated.memory
        memory.config[20 + 2 * 5 : 22 + 2 * 5] = b"\0\0"  # slot 5 is open: it has the EUI-48
        serial, eui48 = memory.serial_number.hex().upper(), b"0004A3C1D2E3"
        signer_point, device_point = curve.point_of(signer), curve.point_of(memory.private_keys[0])
        issuer_name = _name(f"Crypto Authentication Signer {_SIGNER_ID.hex().upper()}")
        basics = _extension("2.5.29.19", True, der.sequence())
        usage = _extension("2.5.29.15", True, der.named_bits(0, 4))
        identifiers = _key_ids(device_point, signer_point)
        extensions: tuple[bytes, ...] = (basics, usage, *identifiers)
        name = f"{serial} ATECC"
        if template == 3:
            extensions = (_eui48_name(eui48), *extensions)
            name = f"sn{serial}"
        self.signer, signer_short = _make(
            (2018, 11, 8, 4),
            31,
            0,
            signed_by=root,
            template=1,
            issuer=_name(_ROOT),
            subject=issuer_name,
            point=signer_point,
            extensions=(
                _extension("2.5.29.15", True, der.named_bits(0, 5, 6)),
                _extension("2.5.29.19", True, der.sequence(der.boolean(True), der.integer(0))),
                *_key_ids(signer_point, root_point),
            ),
        )
        self.device, device_short = _make(
            start,
            years,
            format_version,
            signed_by=signer,
            template=template,
            issuer=issuer_name,
            subject=_name(name),
            point=device_point,
            extensions=extensions,
        )
        memory.otp[:8] = _OTP[template]
        memory.slots[5][:12] = eui48
        memory.slots[10][:] = device_short
        memory.slots[11][:] = b"\0" * 4 + signer_point[:32] + b"\0" * 4 + signer_point[32:]
        memory.slots[12][:] = signer_short


def _make(
    start: _Date,
    years: int,
    format_version: int,
    *,
    signed_by: Any,
    template: int,
    issuer: bytes,
    subject: bytes,
    point: bytes,
    extensions: tuple[bytes, ...],
) -> tuple[bytes, bytes]:
    """A certificate, and its short form."""
    year, month, day, hour = start
    since = year - 2000
    bits = (since % 32) << 19 | month << 15 | day << 10 | hour << 5 | years % 32
    dates = bits.to_bytes(3, "big")
    high = bytes(((since // 32) << 6 | (years // 32) << 4,)) if format_version else b"\0"
    hashed = hashlib.sha256(point + dates + (high if format_version else b"")).digest()[:16]
    serial = int.from_bytes(hashed, "big") & (1 << 127) - 1 | 1 << 126
    rest = f"{month:02}{day:02}{hour:02}0000Z"
    end = f"{year + years}{rest}" if years else "99991231235959Z"
    begin = (0x17, f"{year % 100:02}{rest}") if year < 2050 else (0x18, f"{year}{rest}")
    signed = der.sequence(
        der.explicit(0, der.integer(2)),
        der.integer(serial),
        _ECDSA_SHA256,
        issuer,
        der.sequence(der.element(begin[0], begin[1].encode()), der.element(0x18, end.encode())),
        subject,
        der.sequence(
            der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.2.840.10045.3.1.7")), der.bit_string(b"\x04" + point)
        ),
        der.explicit(3, der.sequence(*extensions)),
    )
    raw = curve.sign(signed_by, hashlib.sha256(signed).digest())
    r, s = (der.integer(int.from_bytes(half, "big")) for half in (raw[:32], raw[32:]))
    whole = der.sequence(signed, _ECDSA_SHA256, der.bit_string(der.sequence(r, s)))
    return whole, raw + dates + _SIGNER_ID + bytes((template << 4, _SERIAL_FROM_KEY | format_version)) + high


def _name(common_name: str) -> bytes:
    parts = (("2.5.4.10", _O), ("2.5.4.3", common_name))
    return der.sequence(*(der.set_of(der.sequence(der.oid(kind), der.utf8_string(text))) for kind, text in parts))


def _extension(identifier: str, critical: bool, value: bytes) -> bytes:
    return der.sequence(der.oid(identifier), *([der.boolean(True)] if critical else []), der.octet_string(value))


def _key_ids(own: bytes, issuers: bytes) -> tuple[bytes, bytes]:
    return (
        _extension("2.5.29.14", False, der.octet_string(_key_id(own))),
        _extension("2.5.29.35", False, der.sequence(der.implicit(0, _key_id(issuers)))),
    )


def _key_id(point: bytes) -> bytes:
    return hashlib.sha1(b"\x04" + point, usedforsecurity=False).digest()


def _eui48_name(eui48: bytes) -> bytes:
    number = der.element(0x13, b"eui48_" + eui48)
    directory = der.sequence(der.set_of(der.sequence(der.oid("2.5.4.5"), number)))
    return _extension("2.5.29.17", False, der.sequence(der.explicit(4, directory)))
