"""Writes the DER (X.690) that certificates and requests on P-256 consist of; each function makes one element."""

from __future__ import annotations

from collections.abc import Sequence

Name = Sequence[tuple[str, str]]
"""A distinguished name: its attributes in order, such as ("O", "Example"). Each is an RDN of its own."""

_ATTRIBUTES = {
    "CN": "2.5.4.3",
    "serialNumber": "2.5.4.5",
    "C": "2.5.4.6",
    "L": "2.5.4.7",
    "ST": "2.5.4.8",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
}
_PRINTABLE_ONLY = ("C", "serialNumber")  # X.520; the others are UTF8String (RFC 5280 §4.1.2.4)


def element(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def sequence(*parts: bytes) -> bytes:
    return element(0x30, *parts)


def unsigned(number: bytes) -> bytes:
    """An INTEGER from a big-endian number of any length."""
    short = number.lstrip(b"\0") or b"\0"
    return element(0x02, b"\0" if short[0] & 0x80 else b"", short)


def bit_string(content: bytes) -> bytes:
    return element(0x03, b"\0", content)


def octet_string(content: bytes) -> bytes:
    return element(0x04, content)


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    content = bytearray()
    for arc in (first * 40 + second, *rest):
        for shift in range(arc.bit_length() // 7 * 7, -1, -7):
            if arc >> shift or not shift:
                content.append(arc >> shift & 0x7F | (0x80 if shift else 0))
    return element(0x06, bytes(content))


def name(attributes: Name) -> bytes:
    """A Name. Raises KeyError for an attribute that is not known here."""
    return sequence(
        *(
            element(
                0x31,
                sequence(oid(_ATTRIBUTES[kind]), element(0x13 if kind in _PRINTABLE_ONLY else 0x0C, text.encode())),
            )
            for kind, text in attributes
        )
    )


def spki(point: bytes) -> bytes:
    """SubjectPublicKeyInfo of a key on P-256, from X ‖ Y (RFC 5480)."""
    return sequence(_ID_P256, bit_string(b"\x04" + point))


def signature(r_and_s: bytes) -> bytes:
    """Ecdsa-Sig-Value (RFC 3279 §2.2.3) from r ‖ s."""
    half = len(r_and_s) // 2
    return sequence(unsigned(r_and_s[:half]), unsigned(r_and_s[half:]))


ECDSA_WITH_SHA256 = sequence(oid("1.2.840.10045.4.3.2"))
_ID_P256 = sequence(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7"))
