"""Distinguished names: compared as RFC 5280 section 7.1 says, and written for people.

A name is compared in a normal form: one entry per relative name, with letter case folded, runs of
white space reduced and the string type forgotten, so that a PrintableString equals the UTF8String
that a reissued certificate uses for the same words. A value that cannot be decoded stands for
itself, byte by byte. The normal form only leads a search; the signature decides.
"""

from __future__ import annotations

from lighttls._struct import struct
from lighttls._typing import Final
from lighttls.x509 import der

Name = tuple[bytes, ...]
"""The normal form of a distinguished name, outermost relative name first."""


@struct
class RelativeName:
    """One relative name, and how much can be said of it."""

    normal: bytes
    """The normal form."""
    types: list[bytes]
    """Sorted."""
    readable: bool
    """Every value is text that can be compared; else the normal form has bytes that stand for themselves."""


EMAIL_ADDRESS: Final = der.oid("1.2.840.113549.1.9.1")

_CODECS: Final = {
    0x0C: "utf-8",  # UTF8String
    0x12: "ascii",  # NumericString
    0x13: "ascii",  # PrintableString; what its alphabet lacks (* @ _ &) is found in the wild and harmless
    0x14: "latin-1",  # TeletexString, as everybody reads it
    0x16: "ascii",  # IA5String
    0x1A: "ascii",  # VisibleString
    0x1C: "utf-32-be",  # UniversalString
    0x1E: "utf-16-be",  # BMPString
}

_ASCII_COMPATIBLE: Final = frozenset(("ascii", "latin-1", "utf-8"))

_COMMON_NAME: Final = der.oid("2.5.4.3")
_SHORT: Final = {
    _COMMON_NAME: "CN",
    der.oid("2.5.4.5"): "serialNumber",
    der.oid("2.5.4.6"): "C",
    der.oid("2.5.4.7"): "L",
    der.oid("2.5.4.8"): "ST",
    der.oid("2.5.4.10"): "O",
    der.oid("2.5.4.11"): "OU",
    der.oid("0.9.2342.19200300.100.1.25"): "DC",
    EMAIL_ADDRESS: "emailAddress",
}

_TEXT_LIMIT: Final = 300  # characters of a name in a message: a hostile name must not fill a log


def attributes(name: bytes) -> list[list[tuple[bytes, int, bytes]]]:
    """The relative names of a Name (DER), each a list of (type, string tag, value)."""
    relative_names = []
    for tag, at, stop in der.items(name, der.SEQUENCE, "name"):
        if tag != der.SET or at == stop:
            raise der.malformed("name: a relative name is not a SET of attributes")
        relative_name = []
        for pair_tag, pair_at, pair_stop in der.elements(name, at, stop):
            if pair_tag != der.SEQUENCE:
                raise der.malformed("name: an attribute is not a SEQUENCE")
            type_at, type_stop = der.expect(name, pair_at, pair_stop, der.OID, "name attribute type")
            value_tag, value_at, value_stop = der.read(name, type_stop, pair_stop)
            if value_stop != pair_stop:
                raise der.malformed("name: bytes after an attribute's value")
            relative_name.append((name[type_at:type_stop], value_tag, name[value_at:value_stop]))
        relative_names.append(relative_name)
    return relative_names


_LONGEST_FOLDED: Final = 1024  # bytes; Unicode's normal form costs the square of a run of combining marks
_MEMO_ENTRIES: Final = 64
_MEMO_NAME: Final = 512  # bytes; longer names are not remembered
_memo: dict[bytes, Name] = {}  # a chain names each authority twice, and the same ones come back with every connection


def normalise(name: bytes) -> Name:
    """The form in which two names are equal if RFC 5280 section 7.1 calls them equal."""
    known = _memo.get(name)
    if known is None:
        known = _normal_form(name)
        if len(name) <= _MEMO_NAME:
            if len(_memo) >= _MEMO_ENTRIES:
                _memo.clear()
            _memo[name] = known
    return known


def _normal_form(name: bytes) -> Name:
    normal = []
    for relative_name in attributes(name):
        if len(relative_name) == 1:
            kind, tag, value = relative_name[0]
            normal.append(kind + _comparable(tag, value))
        else:
            pairs = sorted(kind + _comparable(tag, value) for kind, tag, value in relative_name)
            # a length before each pair keeps two different sets from running together
            normal.append(b"\x31" + b"".join(len(pair).to_bytes(4, "big") + pair for pair in pairs))
    return tuple(normal)


def outline(name: bytes) -> list[RelativeName]:
    """The relative names of a Name (DER) one by one, for `may_be_equal`."""
    return [
        RelativeName(
            normal=normal,
            types=sorted(kind for kind, _, _ in parts),
            readable=all(_comparable(tag, value)[0] == 0 for _, tag, value in parts),
        )
        for normal, parts in zip(normalise(name), attributes(name), strict=True)
    ]


def may_be_equal(left: RelativeName, right: RelativeName) -> bool:
    """Whether two relative names are equal for all that can be told: a value that is no text may be any text."""
    return left.normal == right.normal or (left.types == right.types and not (left.readable and right.readable))


def email_addresses(name: bytes) -> list[bytes]:
    """The values of emailAddress attributes, an old place for what subjectAltName holds now."""
    return [value for relative in attributes(name) for kind, _, value in relative if kind == EMAIL_ADDRESS]


def text(name: bytes) -> str:
    """Write a Name (DER) for people, most specific first: "CN=Amazon Root CA 1, O=Amazon, C=US"."""
    if len(name) > 65536:
        return "(a name of more than 64 KiB)"
    parts = [
        f"{_SHORT.get(kind) or der.dotted(kind)}={_readable(tag, value)}"
        for relative_name in reversed(attributes(name))
        for kind, tag, value in relative_name
    ]
    written = ", ".join(parts)
    return written if len(written) <= _TEXT_LIMIT else written[:_TEXT_LIMIT] + "…"


def common_name(name: bytes) -> str:
    """The most specific commonName of a Name (DER), for people; empty without one. Raises CertificateError."""
    for relative_name in reversed(attributes(name)):
        for kind, tag, value in relative_name:
            if kind == _COMMON_NAME:
                return _readable(tag, value[:_TEXT_LIMIT])
    return ""


def printable(words: str) -> str:
    """Escape what a terminal or a log might act on."""
    return "".join(c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in words)


def _comparable(tag: int, value: bytes) -> bytes:
    codec = _CODECS.get(tag)
    if codec is None or len(value) > _LONGEST_FOLDED:
        return b"\x01%c" % tag + value
    if codec in _ASCII_COMPATIBLE and value.isascii():
        return b"\x00" + b" ".join(value.lower().split())
    try:
        words = value.decode(codec)
    except UnicodeDecodeError:
        return b"\x01%c" % tag + value
    if not words.isascii():
        from unicodedata import normalize  # a megabyte of tables; most names are ASCII

        words = normalize("NFKC", normalize("NFKC", words).casefold())
    return b"\x00" + " ".join(words.lower().split()).encode()


def _readable(tag: int, value: bytes) -> str:
    try:
        return printable(value.decode(_CODECS[tag]))
    except (KeyError, UnicodeDecodeError):
        return "#" + value[:64].hex()
