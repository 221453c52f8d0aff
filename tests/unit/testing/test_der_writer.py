"""DER by the examples of X.690 and of RFC 5280's world."""

from __future__ import annotations

import pytest

from lighttls.testing import der_writer as der


@pytest.mark.parametrize(
    ("made", "hexadecimal"),
    [
        (der.integer(0), "020100"),
        (der.integer(127), "02017f"),
        (der.integer(128), "02020080"),
        (der.integer(-128), "020180"),
        (der.integer(-129), "0202ff7f"),
        (der.boolean(True), "0101ff"),
        (der.boolean(False), "010100"),
        (der.null(), "0500"),
        (der.oid("1.2.840.113549.1.1.5"), "06092a864886f70d010105"),
        (der.oid("2.999.3"), "0603883703"),
        (der.oid("2.5.29.19"), "0603551d13"),
        (der.named_bits(0), "03020780"),
        (der.named_bits(5, 6), "03020106"),
        (der.named_bits(8), "0303070080"),
        (der.named_bits(), "030100"),
        (der.bit_string(b"\x0a\x3b", 4), "0303040a3b"),
        (der.octet_string(b"\x01"), "040101"),
        (der.sequence(der.null(), der.null()), "300405000500"),
        (der.set_of(der.integer(2), der.integer(1)), "3106020101020102"),
        (der.explicit(3, der.null()), "a3020500"),
        (der.implicit(2, b"a"), "820161"),
        (der.printable_string("US"), "13025553"),
        (der.utf8_string("é"), "0c02c3a9"),
        (der.element(4, bytes(127))[:2], "047f"),
        (der.element(4, bytes(128))[:3], "048180"),
        (der.element(4, bytes(256))[:4], "04820100"),
    ],
)
def test_element_has_the_shortest_header_and_the_bytes_of_x690(made: bytes, hexadecimal: str) -> None:
    assert made.hex() == hexadecimal
