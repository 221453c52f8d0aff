"""Writes DER (X.690), just enough to make certificates.

Each function returns one complete element. It is independent of the reader in `lighttls.x509`,
so that a mistake in one cannot hide behind the same mistake in the other.
"""

from __future__ import annotations


def element(tag: int, content: bytes) -> bytes:
    """Put tag and definite length in front of `content`."""
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content


def sequence(*items: bytes) -> bytes:
    return element(0x30, b"".join(items))


def set_of(*items: bytes) -> bytes:
    return element(0x31, b"".join(sorted(items)))


def explicit(number: int, content: bytes) -> bytes:
    """A constructed context tag around a whole element."""
    return element(0xA0 | number, content)


def implicit(number: int, content: bytes) -> bytes:
    """A primitive context tag in place of the element's own."""
    return element(0x80 | number, content)


def boolean(value: bool) -> bytes:
    return element(0x01, b"\xff" if value else b"\x00")


def integer(value: int) -> bytes:
    bits = (value if value >= 0 else ~value).bit_length()  # and one for the sign
    return element(0x02, value.to_bytes(bits // 8 + 1, "big", signed=True))


def bit_string(content: bytes, unused_bits: int = 0) -> bytes:
    return element(0x03, bytes((unused_bits,)) + content)


def named_bits(*numbers: int) -> bytes:
    """A BIT STRING of named bits without trailing zero bits (X.690 §11.2.2); bit 0 comes first."""
    if not numbers:
        return bit_string(b"")
    size = max(numbers) + 1
    padding = -size % 8
    value = sum(1 << (size - 1 - number) for number in set(numbers)) << padding
    return bit_string(value.to_bytes((size + padding) // 8, "big"), padding)


def octet_string(content: bytes) -> bytes:
    return element(0x04, content)


def null() -> bytes:
    return element(0x05, b"")


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    content = b""
    for arc in (first * 40 + second, *rest):
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.append(0x80 | arc & 0x7F)
        content += bytes(reversed(digits))
    return element(0x06, content)


def utf8_string(text: str) -> bytes:
    return element(0x0C, text.encode())


def printable_string(text: str) -> bytes:
    return element(0x13, text.encode("ascii"))
