"""Names: equal as RFC 5280 §7.1 says, and written so that nothing in them acts on a terminal."""

from __future__ import annotations

import time

import pytest

from lighttls.errors import CertificateError
from lighttls.testing import der_writer as der
from lighttls.x509 import distinguished_name

CN, O, DC = "2.5.4.3", "2.5.4.10", "0.9.2342.19200300.100.1.25"  # noqa: E741 - the attribute is called O


def rdn(*pairs: tuple[str, int, bytes]) -> bytes:
    return der.set_of(*(der.sequence(der.oid(kind), der.element(tag, value)) for kind, tag, value in pairs))


def one(tag: int, value: bytes, kind: str = CN) -> bytes:
    return der.sequence(rdn((kind, tag, value)))


UTF8, PRINTABLE, TELETEX, IA5, UNIVERSAL, BMP = 0x0C, 0x13, 0x14, 0x16, 0x1C, 0x1E


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (one(PRINTABLE, b"Example CA"), one(UTF8, b"Example CA")),
        (one(PRINTABLE, b"Example CA"), one(PRINTABLE, b"eXAMPLE ca")),
        (one(PRINTABLE, b"  Example   CA "), one(PRINTABLE, b"Example CA")),
        (one(BMP, "Straße".encode("utf-16-be")), one(UTF8, b"STRASSE")),
        (one(TELETEX, "Müller".encode("latin-1")), one(UTF8, "MÜLLER".encode())),
        (one(UNIVERSAL, "CA".encode("utf-32-be")), one(IA5, b"ca")),
        (one(UTF8, "ﬁ".encode()), one(UTF8, b"FI")),  # compatibility decomposition
        (one(IA5, b"Example", DC), one(UTF8, b"example", DC)),
        (
            der.sequence(rdn((CN, UTF8, b"a"), (O, UTF8, b"b"))),
            der.sequence(rdn((O, PRINTABLE, b"B"), (CN, PRINTABLE, b"A"))),
        ),
        (  # DER sorts the parts by their encoding, which depends on the string types
            der.sequence(rdn((CN, UTF8, b"a"), (CN, PRINTABLE, b"b"))),
            der.sequence(rdn((CN, UTF8, b"b"), (CN, PRINTABLE, b"a"))),
        ),
    ],
)
def test_names_that_rfc_5280_calls_equal_have_one_normal_form(left: bytes, right: bytes) -> None:
    assert distinguished_name.normalise(left) == distinguished_name.normalise(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (one(UTF8, b"a"), one(UTF8, b"b")),
        (one(UTF8, b"a"), one(UTF8, b"a", O)),
        (one(UTF8, b"a b"), one(UTF8, b"ab")),
        (one(UTF8, b"\xff"), one(UTF8, b"\xfe")),
        (one(UTF8, b"\xff"), one(TELETEX, b"\xff")),  # undecodable stands for itself
        (one(0x04, b"a"), one(UTF8, b"a")),
        (
            der.sequence(rdn((CN, UTF8, b"a"), (O, UTF8, b"b"))),
            der.sequence(rdn((CN, UTF8, b"a")), rdn((O, UTF8, b"b"))),
        ),
        (der.sequence(), one(UTF8, b"")),
    ],
)
def test_different_names_have_different_normal_forms(left: bytes, right: bytes) -> None:
    assert distinguished_name.normalise(left) != distinguished_name.normalise(right)


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"\x30\x00\x00",
        der.sequence(der.set_of()),
        der.sequence(der.sequence()),
        der.sequence(der.set_of(der.null())),
        der.sequence(der.set_of(der.set_of(der.oid(CN), der.utf8_string("a")))),
        der.sequence(der.set_of(der.sequence(der.oid(CN)))),
        der.sequence(der.set_of(der.sequence(der.oid(CN), der.utf8_string("a"), der.null()))),
    ],
)
def test_what_is_no_name_is_malformed(encoded: bytes) -> None:
    with pytest.raises(CertificateError):
        distinguished_name.normalise(encoded)


def test_text_goes_from_the_most_specific_part_outwards() -> None:
    encoded = der.sequence(rdn(("2.5.4.6", PRINTABLE, b"US")), rdn((O, UTF8, b"Example")), rdn((CN, UTF8, b"Root 1")))
    assert distinguished_name.text(encoded) == "CN=Root 1, O=Example, C=US"


def test_text_escapes_what_a_terminal_acts_on() -> None:
    shown = distinguished_name.text(one(UTF8, b"\x1b[2J\nroot\xe2\x80\xae"))
    assert shown.isprintable()
    assert "\\u{1b}" in shown


def test_text_of_a_hostile_name_is_short() -> None:
    assert len(distinguished_name.text(one(UTF8, b"a" * 60_000))) <= 301
    assert len(distinguished_name.text(one(UTF8, b"a" * 70_000))) <= 301
    assert "#00" in distinguished_name.text(one(0x04, bytes(50_000)))


def test_long_value_stands_for_itself() -> None:
    """Unicode's normal form of 15,000 combining marks takes seconds; nobody's name is that long."""
    marks = ("a" + "\u0344" * 15_500 + "\u0334" * 15_500).encode()
    name = one(0x0C, marks)
    began = time.thread_time()
    assert marks in distinguished_name.normalise(name)[0]
    assert time.thread_time() - began < 0.5


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (one(UTF8, "Müller".encode()), "Müller"),
        (der.sequence(rdn((CN, UTF8, b"outer")), rdn((O, UTF8, b"b"), (CN, UTF8, b"inner"))), "inner"),
        (one(UTF8, b"b", O), ""),
        (one(UTF8, b"a\x1b[2J"), "a\\u{1b}[2J"),
        (der.sequence(), ""),
    ],
)
def test_common_name_is_the_most_specific_one_and_printable(name: bytes, expected: str) -> None:
    assert distinguished_name.common_name(name) == expected
