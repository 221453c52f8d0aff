"""Certificates as the C core cuts them, against the cutter in Python: the same numbers, or a refusal by both."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from lighttls.crypto import by_name
from lighttls.errors import CertificateError
from lighttls.testing import der_writer as der
from lighttls.x509 import Certificate, cutting
from support import certificates as kit
from support import require

ROOT = kit.root("Root")
LEAF = kit.server(ROOT, "host.example", bytes(4), not_before=kit.NOW - 5, not_after=4_000_000_000)
FUZZED = require.REPOSITORY / "tests" / "fuzz" / "corpus" / "certificate"
SEEDS = (ROOT.der, LEAF.der, *(path.read_bytes() for path in sorted(FUZZED.iterdir())))
IN_C = {"extensions": 32, "bytes": 0xFFFF}
"""What the C core leaves to Python beyond."""


def in_python(data: bytes) -> list[int] | None:
    try:
        return cutting.cut(data)
    except CertificateError:
        return None


def in_c(data: bytes) -> list[int] | None:
    require.native()
    return by_name("native").cut_certificate(data)


def date(text: str) -> bytes:
    return der.element(0x17 if len(text) == 13 else 0x18, text.encode())


@st.composite
def altered(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data) - 1))
        data[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=3))
        if not data:
            break
    return bytes(data)


@given(altered() | st.binary(max_size=80))
@example(b"")
def test_both_give_the_same_numbers(data: bytes) -> None:
    assert in_c(data) == in_python(data)


@st.composite
def dates(draw: st.DrawFn) -> bytes:
    """Something near a date."""
    digits = draw(st.sampled_from([2, 4]))
    year = f"{draw(st.integers(0, 10**digits - 1)):0{digits}}"
    text = year + "".join(f"{draw(st.integers(0, most)):02}" for most in (13, 32, 24, 60, 60))
    return der.element(0x17 if digits == 2 else 0x18, (text + draw(st.sampled_from("ZZZ+"))).encode())


@given(dates(), dates())
@example(date("240229235959Z"), date("20240229235959Z"))
@example(date("230229235959Z"), date("19000229235959Z"))
@example(date("500101000000Z"), date("491231235959Z"))
@example(date("20000229000000Z"), date("00000101000000Z"))
@example(date("00010101000000Z"), date("99991231235959Z"))
def test_both_read_the_same_dates(one: bytes, other: bytes) -> None:
    data = kit.make("subject", kit.ec_key("dates"), validity=der.sequence(one, other)).der
    assert in_c(data) == in_python(data)


def test_large_certificates_are_left_to_python() -> None:
    for extensions in (
        [(f"1.2.{number}", False, b"") for number in range(IN_C["extensions"] + 1)],
        [("1.2.3", False, bytes(IN_C["bytes"]))],
    ):
        data = kit.make("subject", kit.ec_key("large"), extensions=extensions).der
        assert in_c(data) is None
        assert Certificate.parse(data, by_name("native")) == Certificate.parse(data)


def reading(certificate: Certificate, field: str) -> object:
    """What a field says, or why it cannot be read: a few are read when they are first asked for."""
    try:
        return getattr(certificate, field)
    except CertificateError as error:
        return str(error)


def test_certificates_are_read_alike_whoever_cuts() -> None:
    for data in filter(in_c, SEEDS):
        ours, theirs = Certificate.parse(data, by_name("native")), Certificate.parse(data)
        for field in Certificate.__slots__:
            assert reading(ours, field) == reading(theirs, field), field
