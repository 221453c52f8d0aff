"""A walker over DER, as strict as X.690 section 10 and no larger than X.509 needs.

Nothing is decoded into a tree: a caller asks for the element at an offset and gets the offsets of
its contents, so that raw parts (a name, a key, the signed bytes) are slices of the certificate.
Tag numbers above 30 and lengths above four bytes do not occur in certificates and are refused.
"""

from __future__ import annotations

from lighttls._typing import Final
from lighttls.errors import CertificateError, ChainReason

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OID: Final = 0x06
UTC_TIME: Final = 0x17
GENERALIZED_TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31

_DAYS_BEFORE_MONTH: Final = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
_DAYS_IN_MONTH: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def malformed(text: str) -> CertificateError:
    """The error for bytes that do not have the shape they should."""
    return CertificateError(text, ChainReason.MALFORMED)


def read(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Return tag, start and end of the contents of the element at `at`; it must end by `end`."""
    start = at + 2
    if start > end:
        raise malformed("DER ends inside an element's header")
    tag = data[at]
    length = data[at + 1]
    if tag & 0x1F == 0x1F:
        raise malformed("DER with a tag number above 30")
    if length >= 0x80:
        count = length - 0x80
        if not 1 <= count <= 4 or start + count > end:
            raise malformed("DER length is indefinite, too long or cut off")
        length = int.from_bytes(data[start : start + count], "big")
        # X.690 10.1: the shortest form that holds the length
        if length < 0x80 or length >> (8 * (count - 1)) == 0:
            raise malformed("DER length is not in its shortest form")
        start += count
    stop = start + length
    if stop > end:
        raise malformed("DER element is longer than what holds it")
    return tag, start, stop


def expect(data: bytes, at: int, end: int, tag: int, what: str) -> tuple[int, int]:
    """Return start and end of the contents of the element at `at`, which must have `tag`."""
    found, start, stop = read(data, at, end)
    if found != tag:
        raise malformed(f"{what}: expected DER tag {tag:#04x}, found {found:#04x}")
    return start, stop


def whole(data: bytes, tag: int, what: str) -> int:
    """Return where the contents start of the one element that `data` must consist of."""
    start, stop = expect(data, 0, len(data), tag, what)
    if stop != len(data):
        raise malformed(f"{what}: bytes after the end")
    return start


def items(data: bytes, tag: int, what: str) -> list[tuple[int, int, int]]:
    """List (tag, start, end) of the elements inside the one element that `data` must consist of."""
    at = whole(data, tag, what)
    return elements(data, at, len(data))


def elements(data: bytes, at: int, end: int) -> list[tuple[int, int, int]]:
    """List (tag, start, end) of the elements that fill `data[at:end]`."""
    found = []
    while at < end:
        element = read(data, at, end)
        found.append(element)
        at = element[2]
    return found


def integer(data: bytes, start: int, stop: int, what: str) -> int:
    """Decode the contents of an INTEGER in its shortest form (X.690 8.3.2)."""
    if start == stop:
        raise malformed(f"{what}: empty INTEGER")
    if stop - start > 1 and (
        (data[start] == 0 and data[start + 1] < 0x80) or (data[start] == 0xFF and data[start + 1] >= 0x80)
    ):
        raise malformed(f"{what}: INTEGER is not in its shortest form")
    return int.from_bytes(data[start:stop], "big", signed=True)


def boolean(data: bytes, start: int, stop: int, what: str) -> bool:
    """Decode the contents of a BOOLEAN; DER knows 00 and FF only (X.690 11.1)."""
    if stop - start != 1 or data[start] not in (0, 0xFF):
        raise malformed(f"{what}: BOOLEAN is neither 00 nor FF")
    return data[start] == 0xFF


def octet_aligned_bits(data: bytes, start: int, stop: int, what: str) -> bytes:
    """Return the bytes of a BIT STRING that holds whole bytes, as keys and signatures do."""
    if start == stop or data[start] != 0:
        raise malformed(f"{what}: BIT STRING is empty or does not hold whole bytes")
    return data[start + 1 : stop]


def time(tag: int, text: bytes) -> int:
    """Seconds since 1970 UTC of a UTCTime or GeneralizedTime in the form of RFC 5280 4.1.2.5.

    GeneralizedTime before 2050 is tolerated: it is unambiguous, and some roots have it.
    """
    if tag == UTC_TIME and len(text) == 13:
        digits = (b"19" if text[0] >= 0x35 else b"20") + text
    elif tag == GENERALIZED_TIME and len(text) == 15:
        digits = text
    else:
        raise malformed("a date is neither YYMMDDHHMMSSZ nor YYYYMMDDHHMMSSZ")
    if digits[14] != 0x5A or not digits[:14].isdigit():
        raise malformed("a date is not all digits followed by Z")
    number = int(digits[:14])
    number, second = divmod(number, 100)
    number, minute = divmod(number, 100)
    number, hour = divmod(number, 100)
    number, day = divmod(number, 100)
    year, month = divmod(number, 100)
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if (
        year == 0
        or not 1 <= month <= 12
        or not 1 <= day <= _DAYS_IN_MONTH[month - 1]
        or (month == 2 and day == 29 and not leap)
        or hour > 23
        or minute > 59
        or second > 59
    ):
        raise malformed("a date does not exist in the calendar")
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400  # since 0001-01-01
    days += _DAYS_BEFORE_MONTH[month - 1] + day - 1 + (leap and month > 2)
    return ((days - 719162) * 24 + hour) * 3600 + minute * 60 + second


def element(tag: int, contents: bytes) -> bytes:
    """Encode one element."""
    size = len(contents)
    if size < 0x80:
        return bytes((tag, size)) + contents
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + contents


def oid(dotted: str) -> bytes:
    """Encode the contents of an OBJECT IDENTIFIER written with dots (X.690 8.19)."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    encoded = bytearray()
    for arc in (first * 40 + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        encoded += bytes(reversed(groups))
    return bytes(encoded)


def dotted(encoded: bytes) -> str:
    """Write the contents of an OBJECT IDENTIFIER with dots, for people."""
    arcs = []
    arc = 0
    for byte in encoded[:64]:
        arc = arc << 7 | byte & 0x7F
        if byte < 0x80:
            arcs.append(arc)
            arc = 0
    if not arcs:
        return encoded[:64].hex()
    first = min(arcs[0] // 40, 2)
    return ".".join(str(arc) for arc in (first, arcs[0] - first * 40, *arcs[1:]))
