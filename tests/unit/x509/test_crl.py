"""Reading lists of revoked certificates (RFC 5280 section 5): what passes, what does not, and what is found in them."""

from __future__ import annotations

from typing import Any

import pytest

from lighttls.errors import CertificateError, ChainReason
from lighttls.testing import der_writer as der
from lighttls.x509 import RevocationList, certificates_from_pem
from lighttls.x509.crl_entries import Entry, reason_name
from lighttls.x509.distinguished_name import normalise
from lighttls.x509.distribution_points import ALL_REASONS, EVERYTHING
from support import certificates as pki
from support import crls

ISSUER = pki.root("Issuer")
NAME = normalise(ISSUER.subject)
OTHER = normalise(pki.name("Other"))
REVOKED_AT = pki.NOW - pki.DAY


def parsed(*entries: bytes, **fields: Any) -> RevocationList:
    """A list by ISSUER, its entries read."""
    found = RevocationList.parse(crls.crl(ISSUER, *entries, **fields))
    found.entries.read()
    return found


def refused(*entries: bytes, **fields: Any) -> str:
    """What the error says about such a list."""
    with pytest.raises(CertificateError) as caught:
        parsed(*entries, **fields)
    assert caught.value.reason in (ChainReason.MALFORMED, ChainReason.CRL_UNUSABLE)
    return str(caught.value)


# ---- the list -------------------------------------------------------------------------------------


def test_list_says_who_when_and_which_number() -> None:
    found = parsed(extensions=[crls.number(0x1234)])
    assert (found.version, found.issuer, found.issuer_name, found.number) == (2, ISSUER.subject, NAME, 0x1234)
    assert (found.this_update, found.next_update) == (pki.NOW - pki.DAY, pki.NOW + pki.DAY)
    assert (found.base_number, found.scope, found.scope_der) == (None, EVERYTHING, b"")
    assert (found.flaw, found.unknown_extension) == (None, None)
    assert str(found) == "CRL number 4660 of 'CN=Issuer'"


def test_list_is_equal_if_its_bytes_are() -> None:
    data = crls.crl(ISSUER)
    assert RevocationList.parse(data) == RevocationList.parse(data)
    assert len({RevocationList.parse(data), RevocationList.parse(data)}) == 1
    assert RevocationList.parse(data) != RevocationList.parse(crls.crl(ISSUER, crls.entry(1)))
    assert RevocationList.parse(data) != data


def test_signed_bytes_and_signature_are_those_of_the_list(provider: Any) -> None:
    found = parsed(crls.entry(5))
    provider.verify(0x0403, ISSUER.key.spki, found.signature, found.tbs)


def test_delta_names_its_base() -> None:
    found = parsed(extensions=[crls.number(7), crls.delta(5)])
    assert (found.number, found.base_number) == (7, 5)
    assert str(found) == "delta CRL number 7 of 'CN=Issuer'"


def test_number_as_long_as_a_list_can_hold_is_written_short() -> None:
    assert str(parsed(extensions=[crls.number(1 << 100_000)])) == f"CRL number 0x1{'0' * 21}… of 'CN=Issuer'"


def test_list_without_next_update_passes_here() -> None:
    assert parsed(next_update=None).next_update is None


def test_dates_may_be_generalized_times() -> None:
    """RFC 5280 §5.1.2.4 wants UTCTime before 2050; PKITS 4.4.13 has the other."""
    late = 2_600_000_000  # 2052
    assert parsed(next_update=late).next_update == late


@pytest.mark.parametrize(
    ("extensions", "flaw"),
    [
        ([], "has no cRLNumber, against RFC 5280 §5.2.3"),
        ([(crls.FRESHEST_CRL, False, der.sequence())], "has no cRLNumber, against RFC 5280 §5.2.3"),
        ([crls.number(1, critical=True)], "has a critical cRLNumber, against RFC 5280 §5.2.3"),
    ],
)
def test_what_breaks_the_profile_is_remembered(extensions: list[pki.Extension], flaw: str) -> None:
    assert parsed(extensions=extensions).flaw == flaw


def test_version_1_is_read_and_has_no_number() -> None:
    found = parsed(crls.entry(9), version=b"", extensions=[])
    assert (found.version, found.number) == (1, None)
    assert found.entries.find(9, NAME) == Entry(REVOKED_AT, None)


def test_unknown_extension_is_named_only_if_it_is_critical() -> None:
    assert parsed(extensions=[crls.number(1), (crls.UNKNOWN, False, b"")]).unknown_extension is None
    assert parsed(extensions=[crls.number(1), (crls.UNKNOWN, True, b"")]).unknown_extension == crls.UNKNOWN


@pytest.mark.parametrize(
    "oid", [crls.DELTA_CRL_INDICATOR, crls.ISSUING_DISTRIBUTION_POINT, pki.AUTHORITY_KEY_IDENTIFIER]
)
@pytest.mark.parametrize("critical", [False, True])
def test_extensions_that_are_processed_may_be_critical_or_not(oid: str, critical: bool) -> None:
    value = der.integer(1) if oid == crls.DELTA_CRL_INDICATOR else der.sequence()
    assert parsed(extensions=[crls.number(1), (oid, critical, value)]).unknown_extension is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"version": der.integer(0)}, "neither version 1 nor 2"),
        ({"version": der.integer(2)}, "neither version 1 nor 2"),
        ({"version": der.integer(1 << 90_000)}, "neither version 1 nor 2"),
        ({"version": b""}, "version 1 with extensions"),
        ({"name": der.set_of()}, "issuer"),
        ({"name": der.sequence(der.sequence())}, "name"),
        ({"after": b"\0"}, "bytes after the end"),
        ({"tail": der.null()}, "bytes after the extensions"),
        ({"extensions": [], "tail": der.explicit(0, der.sequence())}, "empty list of extensions"),
        ({"extensions": [], "tail": der.explicit(0, der.sequence() + der.null())}, "bytes after the extensions"),
        ({"extensions": [], "tail": der.explicit(1, der.sequence())}, "expected DER tag"),
        ({"extensions": [crls.number(1), crls.number(1)]}, "appears twice"),
        ({"extensions": [crls.number(-1)]}, "cRLNumber: negative"),
        ({"extensions": [(crls.CRL_NUMBER, False, der.integer(1) + b"\0")]}, "cRLNumber: bytes after"),
        ({"extensions": [crls.number(2), (crls.DELTA_CRL_INDICATOR, True, b"")]}, "DER ends"),
        ({"signature": der.octet_string(b"")}, "signature"),
        ({"signature": der.bit_string(b"x") + der.null()}, "bytes after the signature"),
        ({"extensions": [], "tail": der.explicit(0, der.sequence(der.null()))}, "an extension is not a SEQUENCE"),
        ({"outer": der.octet_string(b"")}, "signature algorithm"),
    ],
)
def test_list_of_another_form_is_malformed(fields: dict[str, Any], said: str) -> None:
    assert said in refused(**fields)


def test_signature_that_is_not_whole_bytes_fits_no_key() -> None:
    """PKITS 4.4.4: the rest of the list can be read."""
    assert parsed(signature=der.bit_string(b"\x80", 7)).signature == b""
    assert parsed(signature=b"\x03\x00").signature == b""


def test_empty_list_may_be_written_out() -> None:
    """RFC 5280 §5.1.2.6 wants it left out; it says the same."""
    assert parsed(entries_der=der.sequence()).entries.find(1, NAME) is None


# ---- its entries ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "serial",
    [0, 1, 127, 128, 255, 256, -1, -128, -129, 1 << 62, (1 << 159) - 1, -(1 << 160), 1 << 1200, (1 << 9000) + 5],
)
def test_serial_number_is_found_with_all_its_bits(serial: int) -> None:
    found = parsed(crls.entry(serial + 1), crls.entry(serial), crls.entry(serial - 1))
    assert found.entries.find(serial, NAME) == Entry(REVOKED_AT, None)
    assert found.entries.find(serial + 2, NAME) is None


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 128, 129, 300])
def test_every_entry_is_found_and_no_other(count: int) -> None:
    found = parsed(*(crls.entry(1000 + 3 * i, *([crls.reason(1)] if i % 3 == 0 else [])) for i in range(count)))
    listed = {serial for serial in range(990, 1010 + 3 * count) if found.entries.find(serial, NAME)}
    assert listed == {1000 + 3 * i for i in range(count)}


def test_bytes_of_a_serial_number_elsewhere_are_no_entry() -> None:
    """In an extension, and as the end of a longer serial number, with an entry behind."""
    wanted = 0x123456
    inside = crls.entry(1, (crls.UNKNOWN, False, der.integer(wanted) * 3))
    longer = crls.entry(int.from_bytes(b"\x01" + der.integer(wanted), "big"))
    assert parsed(inside, longer).entries.find(wanted, NAME) is None
    assert parsed(inside, longer).entries.may_list(wanted)
    assert parsed(inside, longer, crls.entry(wanted, crls.reason(4))).entries.find(wanted, NAME) == Entry(REVOKED_AT, 4)


def test_certificate_of_another_issuer_is_not_listed() -> None:
    assert parsed(crls.entry(5)).entries.find(5, OTHER) is None


@pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 5, 6, 8, 9, 10])
def test_reason_is_given_with_the_entry(code: int) -> None:
    entry = parsed(crls.entry(5, crls.reason(code))).entries.find(5, NAME)
    assert entry == Entry(REVOKED_AT, code)
    assert reason_name(code)[0].islower()
    assert reason_name(code) not in (reason_name(None), reason_name(7))


def test_reason_that_does_not_exist_is_a_revocation_all_the_same() -> None:
    huge = (crls.REASON_CODE, False, der.element(0x0A, b"\x01" + bytes(20_000)))
    entry = parsed(crls.entry(5, huge)).entries.find(5, NAME)
    assert entry is not None
    assert reason_name(entry.reason) == "a reason that has no name"


def test_many_forms_of_extensions_are_all_read() -> None:
    """More than are remembered."""
    dates = [(crls.INVALIDITY_DATE, False, der.element(0x18, b"2026010100%04dZ" % i)) for i in range(300)]
    found = parsed(*(crls.entry(i, dates[i], crls.reason(i % 2 + 3)) for i in range(300)))
    assert [found.entries.find(i, NAME) for i in range(300)] == [Entry(REVOKED_AT, i % 2 + 3) for i in range(300)]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (der.set_of(der.integer(1), pki.time(pki.NOW)), "does not begin with a serial number"),
        (der.sequence(der.octet_string(b"1"), pki.time(pki.NOW)), "does not begin with a serial number"),
        (der.sequence(), "DER ends"),
        (crls.entry(der.element(2, b"")), "empty INTEGER"),
        (crls.entry(der.element(2, b"\0\x01")), "shortest form"),
        (crls.entry(der.element(2, b"\xff\xff")), "shortest form"),
        (der.sequence(der.integer(1)), "DER ends"),
        (crls.entry(1, at=der.null()), "without a date"),
        (crls.entry(1, tail=der.null()), "extensions of an entry"),
        (crls.entry(1, tail=der.sequence()), "empty list of extensions"),
        (crls.entry(1, crls.reason(1), tail=der.null()), "extensions of an entry in a CRL: bytes after the end"),
        (crls.entry(1, crls.reason(1), crls.reason(1)), "appears twice"),
        (crls.entry(1, (crls.REASON_CODE, False, der.integer(1))), "reasonCode"),
        (crls.entry(1, (crls.UNKNOWN, True, b"")), f"the critical extension {crls.UNKNOWN}, which is not implemented"),
        (crls.entry(1, crls.issued_by(pki.name("Other"))), "names another issuer in a list that is not indirect"),
        (der.null(), "DER ends"),
        (b"\x30", "DER ends"),
        (b"\x30\x7f\x02\x01\x05", "longer than what holds it"),
        (b"\x30\x05\x02\x7f\x01\x17\x0d", "longer than what holds it"),
    ],
)
@pytest.mark.parametrize("before", [0, 100])
def test_one_malformed_entry_spoils_the_list(entry: bytes, said: str, before: int) -> None:
    others = [crls.entry(i) for i in range(before)]
    assert said in refused(*others, entry)
    if entry[:1] == b"\x30" and len(entry) > 7:
        assert said in refused(*others, entry, *others)


def test_extension_of_an_entry_in_version_1_spoils_the_list() -> None:
    assert "version 1 with extensions of an entry" in refused(crls.entry(1, crls.reason(1)), version=b"", extensions=[])


def test_date_that_is_none_spoils_the_list_where_it_is_needed() -> None:
    found = parsed(crls.entry(1, at=der.element(0x17, b"260230000000Z")), crls.entry(2))
    assert found.entries.find(2, NAME) == Entry(REVOKED_AT, None)
    with pytest.raises(CertificateError, match="calendar"):
        found.entries.find(1, NAME)


def test_entries_are_read_before_they_are_searched() -> None:
    with pytest.raises(ValueError, match="read comes"):
        RevocationList.parse(crls.crl(ISSUER, crls.entry(1))).entries.find(1, NAME)


# ---- whose certificates they are (indirect lists) -------------------------------------------------


def test_entry_belongs_to_the_issuer_that_it_or_one_before_names() -> None:
    """RFC 5280 §5.3.3: the list's issuer, until an entry says otherwise."""
    other, third = pki.name("Other"), pki.name("Third")
    found = parsed(
        crls.entry(1),
        crls.entry(2, crls.issued_by(other)),
        crls.entry(3),
        crls.entry(1, crls.reason(1)),
        crls.entry(4, crls.issued_by(third, other)),
        crls.entry(5, crls.issued_by(ISSUER.subject)),
        *(crls.entry(100 + i) for i in range(100)),
        extensions=[crls.number(1), crls.scope(crls.INDIRECT)],
    )

    def listed(name: bytes) -> list[int]:
        return [serial for serial in range(210) if found.entries.find(serial, normalise(name))]

    assert listed(ISSUER.subject) == [1, 5, *range(100, 200)]
    assert listed(other) == [1, 2, 3, 4]
    assert listed(third) == [4]
    assert found.entries.find(1, normalise(other)) == Entry(REVOKED_AT, 1)
    assert found.entries.find(1, NAME) == Entry(REVOKED_AT, None)


def test_issuer_of_an_entry_may_have_names_of_other_kinds_too() -> None:
    names = der.sequence(crls.url("http://x.example/"), crls.directory(pki.name("Other")))
    found = parsed(
        crls.entry(1, (crls.CERTIFICATE_ISSUER, True, names)),
        extensions=[crls.number(1), crls.scope(crls.INDIRECT)],
    )
    assert found.entries.find(1, OTHER)
    assert found.entries.find(1, NAME) is None


@pytest.mark.parametrize("value", [der.sequence(), der.null(), der.sequence(der.null()), b""])
def test_issuer_that_cannot_be_read_spoils_the_list(value: bytes) -> None:
    scope = [crls.number(1), crls.scope(crls.INDIRECT)]
    assert refused(crls.entry(1, (crls.CERTIFICATE_ISSUER, True, value)), extensions=scope)


# ---- what a list covers ---------------------------------------------------------------------------


def test_scope_says_which_certificates_and_reasons() -> None:
    fields = (crls.full_name(crls.url("http://x.example/1.crl")), crls.USER_ONLY, crls.reasons(3, 1, 2), crls.INDIRECT)
    found = parsed(extensions=[crls.number(1), crls.scope(*fields)])
    scope = found.scope
    assert (scope.only_user, scope.only_authorities, scope.only_attributes, scope.indirect) == (
        True,
        False,
        False,
        True,
    )
    assert scope.reasons == 0b110
    assert scope.name is not None
    assert scope.name.names(NAME) == {(6, b"http://x.example/1.crl")}
    assert found.scope_der == der.sequence(*fields)


def test_scope_with_a_relative_name_is_below_the_issuer() -> None:
    scope = parsed(extensions=[crls.number(1), crls.scope(crls.relative_name("CRL1"))]).scope
    assert scope.name is not None
    assert scope.name.names(NAME) == {(4, (*NAME, *normalise(pki.name("CRL1"))))}


@pytest.mark.parametrize(
    ("bits", "mask"), [((), 0), ((0,), 0), ((1,), 2), ((8,), 0x100), (range(9), ALL_REASONS), ((3, 15), 8)]
)
def test_reasons_are_the_named_bits(bits: tuple[int, ...], mask: int) -> None:
    assert parsed(extensions=[crls.number(1), crls.scope(crls.reasons(3, *bits))]).scope.reasons == mask


def test_false_that_is_written_out_passes() -> None:
    assert parsed(extensions=[crls.number(1), crls.scope(crls.flag(1, False))]).scope == EVERYTHING


@pytest.mark.parametrize(
    "fields",
    [
        (crls.USER_ONLY, crls.AUTHORITIES_ONLY),
        (crls.AUTHORITIES_ONLY, crls.ATTRIBUTES_ONLY),
        (crls.AUTHORITIES_ONLY, crls.USER_ONLY),
        (crls.INDIRECT, crls.INDIRECT),
        (crls.flag(6),),
        (der.implicit(1, b"\x01"),),
        (der.implicit(1, b""),),
        (der.implicit(3, b""),),
        (der.implicit(3, b"\x08\x80"),),
        (der.implicit(3, b"\x08\x00"),),
        (der.implicit(3, b"\x01"),),
        (der.implicit(3, b"\x01\x81"),),
        (der.implicit(3, b"\0\xff\xff\xff"),),
        (der.explicit(0, b""),),
        (der.explicit(0, der.explicit(0, b"")),),
        (der.explicit(0, der.explicit(0, der.null())),),
        (der.explicit(0, der.explicit(1, b"")),),
        (der.explicit(0, der.explicit(1, der.null())),),
        (der.explicit(0, der.explicit(2, crls.url("x"))),),
        (der.explicit(0, der.explicit(0, crls.url("x")) + der.null()),),
    ],
)
def test_scope_that_cannot_be_read_is_malformed(fields: tuple[bytes, ...]) -> None:
    assert refused(extensions=[crls.number(1), crls.scope(*fields)])


def test_list_is_no_certificate() -> None:
    with pytest.raises(CertificateError):
        RevocationList.parse(ISSUER.der)
    assert certificates_from_pem(ISSUER.der, "x") == [ISSUER.der]
