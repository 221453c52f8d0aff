"""Certificates as the C core cuts and reads them, against Python: the same numbers, or a refusal by both.

What it says of them beyond that is true, or it says nothing.
"""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lighttls.crypto import by_name
from lighttls.errors import CertificateError
from lighttls.testing import der_writer as der
from lighttls.x509 import Certificate, cutting, public_key, signatures
from support import certificates as kit
from support import facts, require

ROOT = kit.root("Root")
LEAF = kit.server(ROOT, "host.example", bytes(4), not_before=kit.NOW - 5, not_after=4_000_000_000)
FUZZED = require.REPOSITORY / "tests" / "fuzz" / "corpus" / "certificate"
SEEDS = (ROOT.der, LEAF.der, *(path.read_bytes() for path in sorted(FUZZED.iterdir())))
IN_C = {"extensions": 32, "bytes": 0xFFFF}
"""What the C core leaves to Python beyond."""


def in_python(data: bytes) -> list[int] | None:
    try:
        row = cutting.cut(data)
    except CertificateError:
        return None
    return row[: facts.HEAD] + row[cutting.FIRST_EXTENSION :]


def in_c(data: bytes) -> list[int] | None:
    require.native()
    row = facts.row_in_c(data)
    return None if row is None else row[: facts.HEAD] + row[cutting.FIRST_EXTENSION :]


def row_of(made: kit.Made) -> list[int]:
    require.native()
    row = facts.row_in_c(made.der)
    assert row is not None
    return row


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


@given(altered())
def test_what_the_c_core_says_of_a_certificate_is_what_python_reads(data: bytes) -> None:
    require.native()
    row = facts.row_in_c(data)
    if row is not None:
        facts.check_facts(data, row)


def test_the_engine_hands_on_extensions_where_there_are_no_facts() -> None:
    require.native()
    for data in SEEDS:
        row = facts.row_in_c(data)
        assert by_name("native").cut_certificate(data) == (row and row[: 20 if row[facts.FACTS] else None])


def test_facts_have_the_same_numbers_on_both_sides() -> None:
    require.native()
    from lighttls.crypto._core import lib

    assert lib.LT_CUT_HEAD == cutting.FIRST_EXTENSION
    assert cutting.PURPOSES == {"server_auth": lib.LT_FACT_SERVER_AUTH, "client_auth": lib.LT_FACT_CLIENT_AUTH}
    for name in ("ORDINARY", "AUTHORITY", "CERT_SIGN", "DIGITAL_SIGNATURE", "KEY"):
        assert getattr(cutting, name) == getattr(lib, f"LT_FACT_{name}"), name


AIA, FEATURE = "1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.1.24"
OCSP, HTTP = der.oid("1.3.6.1.5.5.7.48.1"), der.implicit(6, b"http://ocsp.example")
SERVER_AUTH, CPS = der.oid("1.3.6.1.5.5.7.3.1"), der.sequence(der.oid("1.3.6.1.5.5.7.2.1"), der.element(0x16, b"x"))
POLICY = der.oid("2.23.140.1.2.1")


def strings(*contents: bytes) -> bytes:
    return der.sequence(*(der.element(0x04, each) for each in contents))


USUAL = {
    "none": [],
    "subjectKeyIdentifier": [("2.5.29.14", False, der.octet_string(b"id"))],
    "keyUsage": [("2.5.29.15", True, der.bit_string(b"\xa0", 5))],
    "keyUsage of two bytes": [("2.5.29.15", False, der.bit_string(b"\x04\x80", 7))],
    "subjectAltName": [("2.5.29.17", True, der.sequence(*(der.implicit(n, b"name") for n in (1, 2, 6, 7))))],
    "an IPv6 address": [("2.5.29.17", False, der.sequence(der.implicit(7, bytes(16))))],
    "empty basicConstraints": [("2.5.29.19", True, der.sequence())],
    "an authority": [("2.5.29.19", True, der.sequence(der.boolean(True), der.integer(127)))],
    "policies": [("2.5.29.32", False, der.sequence(der.sequence(POLICY, der.sequence(CPS)), der.sequence(OCSP)))],
    "authorityKeyIdentifier": [("2.5.29.35", False, der.sequence(der.implicit(0, b"id")))],
    "all of authorityKeyIdentifier": [
        ("2.5.29.35", False, der.sequence(der.implicit(0, b"id"), der.explicit(1, b""), der.implicit(2, b"\1")))
    ],
    "extendedKeyUsage": [("2.5.29.37", True, der.sequence(SERVER_AUTH, POLICY))],
    "authorityInfoAccess": [(AIA, False, der.sequence(der.sequence(OCSP, HTTP)))],
    "cRLDistributionPoints": [("2.5.29.31", False, b"anything")],
    "an unknown one": [("1.2.3", False, b"anything")],
    "unknown ones near known ones": [("2.5.28.15", False, b""), ("1.3.6.1.5.5.7.1.3", False, b"")],
}

UNUSUAL = {
    "critical subjectKeyIdentifier": ("2.5.29.14", True, der.octet_string(b"id")),
    "subjectKeyIdentifier of another type": ("2.5.29.14", False, der.integer(1)),
    "bytes after subjectKeyIdentifier": ("2.5.29.14", False, der.octet_string(b"id") + b"\0"),
    "keyUsage without bits": ("2.5.29.15", True, der.bit_string(b"")),
    "keyUsage of three bytes": ("2.5.29.15", True, der.bit_string(bytes(3))),
    "keyUsage with nine unused bits": ("2.5.29.15", True, der.element(3, b"\x09\x80")),
    "keyUsage with bits that are not in use": ("2.5.29.15", True, der.element(3, b"\x05\xb0")),
    "bytes after keyUsage": ("2.5.29.15", True, der.bit_string(b"\xa0", 5) + b"\0"),
    "no name": ("2.5.29.17", False, der.sequence()),
    "a directory name": ("2.5.29.17", False, der.sequence(der.explicit(4, der.sequence()))),
    "an address of five bytes": ("2.5.29.17", False, der.sequence(der.implicit(7, bytes(5)))),
    "a name that is cut": ("2.5.29.17", False, der.sequence(b"\x82\x05abc")),
    "bytes after the names": ("2.5.29.17", False, der.sequence(der.implicit(2, b"a")) + b"\0"),
    "FALSE spelt out": ("2.5.29.19", True, der.sequence(der.boolean(False))),
    "a flag of two bytes": ("2.5.29.19", True, der.sequence(der.element(1, b"\xff\xff"))),
    "a negative path length": ("2.5.29.19", True, der.sequence(der.boolean(True), der.integer(-1))),
    "a path length of two bytes": ("2.5.29.19", True, der.sequence(der.boolean(True), der.integer(128))),
    "bytes after the path length": ("2.5.29.19", True, der.sequence(der.boolean(True), der.integer(1), der.null())),
    "bytes after basicConstraints": ("2.5.29.19", True, der.sequence() + b"\0"),
    "nameConstraints": ("2.5.29.30", True, b""),
    "critical cRLDistributionPoints": ("2.5.29.31", True, b""),
    "critical policies": ("2.5.29.32", True, der.sequence(der.sequence(POLICY))),
    "no policy": ("2.5.29.32", False, der.sequence()),
    "a policy twice": ("2.5.29.32", False, der.sequence(der.sequence(POLICY), der.sequence(POLICY))),
    "nine policies": ("2.5.29.32", False, der.sequence(*(der.sequence(der.oid(f"1.2.{n}")) for n in range(9)))),
    "a policy of another type": ("2.5.29.32", False, der.sequence(der.null())),
    "a policy without OID": ("2.5.29.32", False, der.sequence(der.sequence())),
    "empty qualifiers": ("2.5.29.32", False, der.sequence(der.sequence(POLICY, der.sequence()))),
    "a qualifier of another type": ("2.5.29.32", False, der.sequence(der.sequence(POLICY, der.sequence(der.null())))),
    "a qualifier without kind": ("2.5.29.32", False, der.sequence(der.sequence(POLICY, der.sequence(der.sequence())))),
    "a qualifier without value": (
        "2.5.29.32",
        False,
        der.sequence(der.sequence(POLICY, der.sequence(der.sequence(POLICY)))),
    ),
    "a qualifier with two values": (
        "2.5.29.32",
        False,
        der.sequence(der.sequence(POLICY, der.sequence(der.sequence(POLICY, der.null(), der.null())))),
    ),
    "a qualifier with a long tag": (
        "2.5.29.32",
        False,
        der.sequence(der.sequence(POLICY, der.sequence(der.sequence(POLICY, b"\x1f\x00")))),
    ),
    "bytes after qualifiers": ("2.5.29.32", False, der.sequence(der.sequence(POLICY, der.sequence(CPS), der.null()))),
    "policyMappings": ("2.5.29.33", False, b""),
    "critical authorityKeyIdentifier": ("2.5.29.35", True, der.sequence()),
    "fields out of order": ("2.5.29.35", False, der.sequence(der.implicit(2, b"\1"), der.implicit(0, b"id"))),
    "a field that is cut": ("2.5.29.35", False, der.sequence(b"\x80\x05abc")),
    "authorityKeyIdentifier of another type": ("2.5.29.35", False, der.null()),
    "policyConstraints": ("2.5.29.36", False, b""),
    "no purpose": ("2.5.29.37", False, der.sequence()),
    "an empty purpose": ("2.5.29.37", False, der.sequence(der.element(6, b""))),
    "a purpose of another type": ("2.5.29.37", False, der.sequence(der.null())),
    "inhibitAnyPolicy": ("2.5.29.54", False, b""),
    "a critical stranger": ("1.2.3", True, b""),
    "a critical stranger among the standard ones": ("2.5.29.99", True, b""),
    "critical authorityInfoAccess": (AIA, True, der.sequence(der.sequence(OCSP, HTTP))),
    "empty authorityInfoAccess": (AIA, False, der.sequence()),
    "a place that is no URI": (AIA, False, der.sequence(der.sequence(OCSP, der.implicit(2, b"host")))),
    "a place without method": (AIA, False, der.sequence(der.sequence(HTTP))),
    "bytes after a place": (AIA, False, der.sequence(der.sequence(OCSP, HTTP, der.null()))),
    "tlsFeature": (FEATURE, False, der.sequence(der.integer(5))),
}


@pytest.mark.parametrize("listed", USUAL.values(), ids=USUAL)
def test_usual_extensions_are_facts(listed: list[kit.Extension]) -> None:
    made = kit.make("subject", kit.ec_key("facts"), extensions=listed)
    row = row_of(made)
    assert row[facts.FACTS] & cutting.ORDINARY
    facts.check_facts(made.der, row)


@pytest.mark.parametrize("one", UNUSUAL.values(), ids=UNUSUAL)
@pytest.mark.parametrize("first", [False, True], ids=["last", "first"])
def test_unusual_extensions_are_left_to_python(one: kit.Extension, first: bool) -> None:
    others = kit.host("host.example") if one[0] != "2.5.29.17" else []
    made = kit.make("subject", kit.ec_key("facts"), extensions=[one, *others] if first else [*others, one])
    row = row_of(made)
    assert row[facts.FACTS] == 0
    facts.check_facts(made.der, row)


def test_names_and_algorithms_that_are_unusual_are_left_to_python() -> None:
    key = kit.ec_key("facts")
    other = kit.ALGORITHMS["ec", "sha384"]
    for fields in ({"issuer_name": der.sequence()}, {"inner": other}, {"outer": other}):
        row = row_of(kit.make("subject", key, **fields))  # type: ignore[arg-type]
        assert row[facts.FACTS] == 0
    assert row_of(kit.make(der.sequence(), key, kit.root("Root")))[facts.FACTS] == 0


def usual_scheme(identifier: bytes) -> int:
    """What the C core should say of an AlgorithmIdentifier: PKCS#1 and ECDSA with SHA-2 have a number, the rest 0."""
    algorithm = signatures.ALGORITHMS.get(identifier)
    if algorithm is None or algorithm.scheme is None or algorithm.sha1 or "PSS" in algorithm.name:
        return 0
    return algorithm.scheme


def test_signature_schemes_are_those_of_sha2_without_parameters_of_their_own() -> None:
    for identifier in signatures.ALGORITHMS:
        row = row_of(kit.make("subject", kit.ec_key("facts"), inner=identifier, outer=identifier))
        assert row[facts.FACTS] & cutting.ORDINARY
        assert row[facts.SCHEME] == usual_scheme(identifier)
        for at in range(len(identifier)):
            for flipped in (1, 3, 6, 7, 0x10):
                changed = identifier[:at] + bytes((identifier[at] ^ flipped,)) + identifier[at + 1 :]
                found = facts.row_in_c(kit.make("subject", kit.ec_key("facts"), inner=changed, outer=changed).der)
                assert found is None or found[facts.SCHEME] == usual_scheme(changed), (identifier.hex(), at, flipped)


RSA = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.null())


def rsa_spki(modulus: int) -> bytes:
    return der.sequence(RSA, der.bit_string(der.sequence(der.integer(modulus), der.integer(65537))))


@pytest.mark.parametrize(
    ("form", "spki"),
    [
        (256, kit.ec_key("usual").spki),
        *(
            (bits, rsa_spki(modulus))
            for bits in (2048, 3072, 4096)
            for modulus in ((1 << bits) - 1, (1 << bits - 1) + 1)
        ),
    ],
    ids=lambda value: value if isinstance(value, int) else "",
)
def test_keys_of_a_usual_form_are_what_python_reads_whatever_is_changed(form: int, spki: bytes) -> None:
    assert row_of(kit.make("subject", kit.ec_key("facts"), spki=spki))[facts.KEY_FORM] == form
    for at in (*range(36), *range(len(spki) - 7, len(spki))):
        for flipped in (1, 0x80, 0xFF):
            changed = bytearray(spki)
            changed[at] ^= flipped
            data = kit.make("subject", kit.ec_key("facts"), spki=bytes(changed)).der
            found = facts.row_in_c(data)
            if found is not None and found[facts.KEY_FORM]:
                assert public_key.parse(bytes(changed)) == public_key.FORMS[found[facts.KEY_FORM]], at


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


NAMED_WRONG = kit.server(ROOT, "host.example", issuer_name=der.sequence(der.null()))


def test_certificates_are_read_alike_whoever_cuts() -> None:
    for data in (*filter(in_c, SEEDS), NAMED_WRONG.der):
        ours, theirs = Certificate.parse(data, by_name("native")), Certificate.parse(data)
        for field in facts.ALIKE:
            assert reading(ours, field) == reading(theirs, field), field
