"""One certificate: its fields, and extensions judged one by one (RFC 5280 §4.1)."""

from __future__ import annotations

import tracemalloc

import pytest
from cryptography import x509 as reference

from lighttls.crypto.provider import CryptoProvider
from lighttls.errors import CertificateError, ChainReason
from lighttls.testing import der_writer as der
from lighttls.x509 import Certificate, checks
from lighttls.x509.cutting import peek_subject
from support import certificates as kit

KEY = kit.ec_key("certificate")
UNKNOWN = "1.3.6.1.4.1.55738.1"


def parse(**fields: object) -> Certificate:
    return Certificate.parse(kit.make("subject", KEY, **fields).der)  # type: ignore[arg-type]


def with_extension(oid: str, value: bytes) -> Certificate:
    return parse(extensions=[(oid, False, value)])


def test_fields_agree_with_another_parser() -> None:
    root = kit.root("Certificate Root")
    made = kit.server(root, "host.example", not_before=kit.NOW - 5, not_after=4_000_000_000)
    ours, theirs = Certificate.parse(made.der), reference.load_der_x509_certificate(made.der)
    assert ours.tbs == theirs.tbs_certificate_bytes
    assert ours.subject == theirs.subject.public_bytes()
    assert ours.issuer == theirs.issuer.public_bytes() == root.subject
    assert ours.signature == theirs.signature
    assert ours.serial_number == theirs.serial_number
    assert ours.not_before == theirs.not_valid_before_utc.timestamp()
    assert ours.not_after == theirs.not_valid_after_utc.timestamp()
    assert ours.spki == kit.ec_key("server").spki
    assert ours.version == 3
    assert ours.signature_algorithm == "ecdsa-with-SHA256"
    assert peek_subject(made.der) == ours.subject


@pytest.mark.parametrize("serial", [0, -5, 1 << 200])
def test_odd_serial_number_is_tolerated(serial: int) -> None:
    """Starfield's roots have 0, others a negative or long one."""
    assert parse(serial=der.integer(serial)).serial_number == serial


def test_version_1_is_the_default_and_has_no_extensions() -> None:
    certificate = parse(version=b"", tail=b"")
    assert certificate.version == 1
    assert certificate.extensions == {}
    assert not certificate.is_ca


def test_unique_identifiers_are_ignored() -> None:
    certificate = parse(
        version=der.explicit(0, der.integer(1)), tail=der.element(0x81, b"\0a") + der.element(0x82, b"\0b")
    )
    assert certificate.version == 2


EXTENSION = der.sequence(der.oid(UNKNOWN), der.octet_string(b""))


@pytest.mark.parametrize(
    "fields",
    [
        {"version": der.explicit(0, der.integer(0))},
        {"version": der.explicit(0, der.integer(3))},
        {"version": der.integer(2)},
        {"version": b"", "tail": der.explicit(3, der.sequence(EXTENSION))},  # extensions need version 3
        {"version": b"", "tail": der.element(0x81, b"\0")},
        {"tail": der.explicit(3, der.sequence())},
        {"tail": der.explicit(3, der.sequence(EXTENSION) + der.null())},
        {"tail": der.explicit(3, der.sequence(EXTENSION)) * 2},
        {"tail": der.element(0x82, b"\0b") + der.element(0x81, b"\0a")},
        {"tail": der.null()},
        {"tail": der.explicit(3, der.sequence(EXTENSION, EXTENSION))},  # RFC 5280 §4.2: no more than one instance
        {"tail": der.explicit(3, der.sequence(der.set_of(EXTENSION)))},
        {"tail": der.explicit(3, der.sequence(der.element(0x31, der.oid(UNKNOWN) + der.octet_string(b""))))},
        {"tail": der.explicit(3, der.sequence(der.sequence(der.octet_string(b"\x2a"), der.octet_string(b""))))},
        {"tail": der.explicit(3, der.sequence(der.sequence(der.element(6, b""), der.octet_string(b""))))},
        {"tail": der.explicit(3, der.sequence(der.sequence(der.null())))},
        {"tail": der.explicit(3, der.sequence(der.sequence(der.oid(UNKNOWN), der.null())))},
        {
            "tail": der.explicit(
                3, der.sequence(der.sequence(der.oid(UNKNOWN), der.boolean(False), der.octet_string(b"")))
            )
        },
        {
            "tail": der.explicit(
                3, der.sequence(der.sequence(der.oid(UNKNOWN), der.octet_string(b""), der.octet_string(b"")))
            )
        },
        {"serial": der.element(2, b"")},
        {"serial": der.octet_string(b"1")},
        {"outer": der.null()},
        {"inner": der.null()},
        {"more_dates": der.null()},
        {"after": der.null()},
    ],
)
def test_malformed_certificate_is_refused(fields: dict[str, bytes]) -> None:
    with pytest.raises(CertificateError) as caught:
        parse(**fields)
    assert caught.value.reason is ChainReason.MALFORMED


def test_bytes_after_the_certificate_are_refused() -> None:
    with pytest.raises(CertificateError, match="after the end"):
        Certificate.parse(kit.make("subject", KEY).der + b"\0")


def test_every_truncation_is_refused() -> None:
    whole = kit.server(kit.root("Certificate Root")).der
    for size in range(len(whole)):
        with pytest.raises(CertificateError):
            Certificate.parse(whole[:size])


def test_malformed_extension_is_judged_alone() -> None:
    certificate = parse(
        extensions=[(kit.KEY_USAGE, True, b"not DER"), *kit.host("host.example"), (UNKNOWN, False, b"whatever")]
    )
    assert certificate.subject_alt_name == ((2, b"host.example"),)
    with pytest.raises(CertificateError):
        certificate.key_usage  # noqa: B018
    with pytest.raises(CertificateError):  # and again: a failure is not remembered as absence
        certificate.key_usage  # noqa: B018


@pytest.mark.parametrize(
    ("value", "ca", "length"),
    [
        (der.sequence(), False, None),
        (der.sequence(der.boolean(True)), True, None),
        (der.sequence(der.boolean(True), der.integer(3)), True, 3),
        (der.sequence(der.boolean(False)), False, None),  # breaks DER; private authorities write it
        (der.sequence(der.integer(0)), False, 0),
    ],
)
def test_basic_constraints_say_who_is_an_authority_and_over_how_many_more(
    value: bytes, ca: bool, length: int | None
) -> None:
    constraints = with_extension(kit.BASIC_CONSTRAINTS, value).basic_constraints
    assert constraints is not None
    assert (constraints.ca, constraints.path_length) == (ca, length)


def test_absent_extensions_allow_everything_and_make_no_authority() -> None:
    certificate = parse()
    assert certificate.key_usage is None
    assert certificate.allows_digital_signature
    assert certificate.allows_cert_sign
    assert certificate.allows("server_auth")
    assert not certificate.is_ca


def test_key_usage_decides_about_signatures() -> None:
    """CERT-12."""
    assert with_extension(kit.KEY_USAGE, der.named_bits(0)).allows_digital_signature
    assert not with_extension(kit.KEY_USAGE, der.named_bits(2)).allows_digital_signature
    assert with_extension(kit.KEY_USAGE, der.named_bits(5, 8)).key_usage == {5, 8}
    assert not with_extension(kit.KEY_USAGE, der.named_bits()).allows_cert_sign


def test_extended_key_usage_decides_about_the_purpose() -> None:
    """CERT-13: anyExtendedKeyUsage is no permission in a leaf."""
    server, client, anything = ("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0")
    assert with_extension(kit.EXTENDED_KEY_USAGE, der.sequence(der.oid(client), der.oid(server))).allows("server_auth")
    assert not with_extension(kit.EXTENDED_KEY_USAGE, der.sequence(der.oid(client))).allows("server_auth")
    assert not with_extension(kit.EXTENDED_KEY_USAGE, der.sequence(der.oid(anything))).allows("server_auth")


def test_authority_information_access_tells_where_the_issuer_is() -> None:
    value = der.sequence(
        der.sequence(der.oid("1.3.6.1.5.5.7.48.1"), der.implicit(6, b"http://ocsp.example/")),
        der.sequence(der.oid("1.3.6.1.5.5.7.48.2"), der.implicit(6, b"http://ca.example/ca.der")),
    )
    assert with_extension(kit.AUTHORITY_INFO_ACCESS, value).ca_issuers == ("http://ca.example/ca.der",)
    assert parse().ca_issuers == ()


def general(tag: int, value: bytes = b"x") -> bytes:
    return der.sequence(der.element(tag, value))


POLICY = der.oid(UNKNOWN)
ODD_POLICIES = (
    der.sequence(),
    der.sequence(POLICY),
    der.sequence(der.set_of(POLICY)),
    der.sequence(der.sequence()),
    der.sequence(der.sequence(POLICY), der.sequence(POLICY)),  # RFC 5280 §4.2.1.4: no more than once
    der.sequence(der.sequence(POLICY, der.sequence())),
    der.sequence(der.sequence(POLICY, der.null())),
    der.sequence(der.sequence(POLICY, der.sequence(POLICY))),
    der.sequence(der.sequence(POLICY, der.sequence(der.element(0x31, POLICY + der.null())))),
    der.sequence(der.sequence(POLICY, der.sequence(der.sequence(POLICY)))),
    der.sequence(der.sequence(POLICY, der.sequence(der.sequence(POLICY, der.null(), der.null())))),
    der.sequence(der.sequence(POLICY, der.sequence(der.sequence(POLICY, der.null())), der.null())),
)
ODD_MAPPINGS = (
    der.sequence(),
    der.sequence(POLICY, POLICY),
    der.sequence(der.element(0x31, POLICY + POLICY)),
    der.sequence(der.sequence(POLICY)),
    der.sequence(der.sequence(POLICY, der.null())),
    der.sequence(der.sequence(POLICY, POLICY, POLICY)),
)


def test_policies_are_read_with_and_without_qualifiers() -> None:
    def qualified(kind: str) -> bytes:
        return der.sequence(POLICY, der.sequence(der.sequence(der.oid(kind), der.utf8_string("for people"))))

    cps, notice, other = "1.3.6.1.5.5.7.2.1", "1.3.6.1.5.5.7.2.2", "1.2.3.4"
    ours, any_policy = POLICY[2:], der.oid("2.5.29.32.0")
    for policy, understood in (
        (der.sequence(POLICY), True),
        (qualified(cps), True),
        (qualified(notice), True),
        (qualified(other), False),
    ):
        said = with_extension(kit.CERTIFICATE_POLICIES, der.sequence(policy, der.sequence(any_policy)))
        assert said.certificate_policies is not None
        assert said.certificate_policies.policies == {ours, any_policy[2:]}
        assert said.certificate_policies.understood is understood
    assert parse().certificate_policies is None


def test_what_an_authority_says_about_policies_is_read() -> None:
    other = der.oid("1.2.3.4")
    pairs = der.sequence(der.sequence(POLICY, other), der.sequence(other, POLICY), der.sequence(POLICY, other))
    mapped = with_extension(kit.POLICY_MAPPINGS, pairs).policy_mappings
    assert mapped == ((POLICY[2:], other[2:]), (other[2:], POLICY[2:]))
    assert parse().policy_mappings == ()
    for fields, expected in (
        ([der.implicit(0, b"\3"), der.implicit(1, b"\0")], (3, 0)),
        ([der.implicit(0, b"\0")], (0, None)),
        ([der.implicit(1, b"\1\0")], (None, 256)),
    ):
        said = with_extension(kit.POLICY_CONSTRAINTS, der.sequence(*fields)).policy_constraints
        assert said is not None
        assert (said.require_explicit_policy, said.inhibit_policy_mapping) == expected
    assert parse().policy_constraints is None
    assert with_extension(kit.INHIBIT_ANY_POLICY, der.integer(0)).inhibit_any_policy == 0
    assert parse().inhibit_any_policy is None


@pytest.mark.parametrize(
    ("oid", "attribute", "value"),
    [
        (kit.BASIC_CONSTRAINTS, "basic_constraints", der.sequence(der.boolean(True), der.integer(-1))),
        (kit.BASIC_CONSTRAINTS, "basic_constraints", der.sequence(der.boolean(True), der.integer(1), der.null())),
        (kit.BASIC_CONSTRAINTS, "basic_constraints", der.sequence(der.integer(1), der.boolean(True))),
        (kit.BASIC_CONSTRAINTS, "basic_constraints", der.sequence(der.element(1, b"\x01"))),
        (kit.KEY_USAGE, "key_usage", der.element(3, b"")),
        (kit.KEY_USAGE, "key_usage", der.element(3, b"\x01")),
        (kit.KEY_USAGE, "key_usage", der.element(3, b"\x01\x01")),  # a set bit among the unused
        (kit.KEY_USAGE, "key_usage", der.element(3, b"\x00\x01\x01\x01")),
        (kit.EXTENDED_KEY_USAGE, "extended_key_usage", der.sequence()),
        (kit.EXTENDED_KEY_USAGE, "extended_key_usage", der.sequence(der.null())),
        (kit.SUBJECT_ALT_NAME, "subject_alt_name", der.sequence()),
        (kit.SUBJECT_ALT_NAME, "subject_alt_name", general(0x87, b"12345")),
        (kit.SUBJECT_ALT_NAME, "subject_alt_name", general(0x89)),
        (kit.SUBJECT_ALT_NAME, "subject_alt_name", general(0xA2)),
        (kit.SUBJECT_ALT_NAME, "subject_alt_name", general(0xA4, der.sequence() + der.null())),
        (kit.SUBJECT_ALT_NAME, "subject_alt_name", b"host.example"),
        (kit.AUTHORITY_KEY_IDENTIFIER, "authority_key_identifier", der.sequence(der.null())),
        (kit.AUTHORITY_KEY_IDENTIFIER, "authority_key_identifier", der.sequence(der.implicit(0, b"1") * 2)),
        (kit.SUBJECT_KEY_IDENTIFIER, "subject_key_identifier", der.null()),
        (kit.NAME_CONSTRAINTS, "name_constraints", der.sequence()),
        (kit.NAME_CONSTRAINTS, "name_constraints", der.sequence(der.explicit(0, b""))),
        (kit.NAME_CONSTRAINTS, "name_constraints", der.sequence(der.explicit(0, der.null()))),
        (kit.NAME_CONSTRAINTS, "name_constraints", der.sequence(der.explicit(0, der.set_of(der.implicit(2, b"a"))))),
        (kit.NAME_CONSTRAINTS, "name_constraints", der.sequence(der.explicit(2, general(0x82)))),
        (kit.NAME_CONSTRAINTS, "name_constraints", der.sequence(*[der.explicit(n, general(0x82)) for n in (1, 0)])),
        (
            kit.NAME_CONSTRAINTS,
            "name_constraints",
            der.sequence(der.explicit(0, der.sequence(der.implicit(2, b"a"), der.implicit(0, b"\1")))),
        ),
        (kit.AUTHORITY_INFO_ACCESS, "ca_issuers", der.sequence()),
        (kit.AUTHORITY_INFO_ACCESS, "ca_issuers", der.sequence(der.null())),
        (kit.AUTHORITY_INFO_ACCESS, "ca_issuers", der.sequence(der.set_of(der.oid(UNKNOWN), der.implicit(6, b"")))),
        (
            kit.AUTHORITY_INFO_ACCESS,
            "ca_issuers",
            der.sequence(der.sequence(der.oid(UNKNOWN), der.implicit(6, b"") * 2)),
        ),
        *((kit.CERTIFICATE_POLICIES, "certificate_policies", value) for value in ODD_POLICIES),
        *((kit.POLICY_MAPPINGS, "policy_mappings", value) for value in ODD_MAPPINGS),
        (kit.POLICY_CONSTRAINTS, "policy_constraints", der.sequence()),
        (kit.POLICY_CONSTRAINTS, "policy_constraints", der.sequence(der.implicit(0, b"\xff"))),
        (kit.POLICY_CONSTRAINTS, "policy_constraints", der.sequence(der.implicit(0, b""))),
        (kit.POLICY_CONSTRAINTS, "policy_constraints", der.sequence(der.implicit(0, b"\1") * 2)),
        (kit.POLICY_CONSTRAINTS, "policy_constraints", der.sequence(der.implicit(1, b"\1"), der.implicit(0, b"\1"))),
        (kit.POLICY_CONSTRAINTS, "policy_constraints", der.sequence(der.implicit(2, b"\1"))),
        (kit.POLICY_CONSTRAINTS, "policy_constraints", der.sequence(der.integer(1))),
        (kit.INHIBIT_ANY_POLICY, "inhibit_any_policy", der.integer(-1)),
        (kit.INHIBIT_ANY_POLICY, "inhibit_any_policy", der.integer(1) + der.null()),
        (kit.INHIBIT_ANY_POLICY, "inhibit_any_policy", der.null()),
    ],
)
def test_malformed_extension_is_refused_when_it_is_read(oid: str, attribute: str, value: bytes) -> None:
    certificate = with_extension(oid, value)
    with pytest.raises(CertificateError) as caught:
        getattr(certificate, attribute)
    assert caught.value.reason is ChainReason.MALFORMED


def test_explicit_minimum_of_zero_in_name_constraints_is_tolerated() -> None:
    subtree = der.sequence(der.implicit(2, b"example"), der.implicit(0, b"\0"))
    constraints = with_extension(kit.NAME_CONSTRAINTS, der.sequence(der.explicit(0, subtree))).name_constraints
    assert constraints is not None
    assert constraints.permitted == ((2, b"example"),)


def test_certificate_is_its_bytes() -> None:
    made = kit.make("subject", KEY).der
    one, same, other = Certificate.parse(made), Certificate.parse(made), parse()
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != made


def test_certificate_names_itself_for_people() -> None:
    assert str(parse()) == "CN=subject"
    assert "serial 1" in str(Certificate.parse(kit.make(kit.name(""), KEY).der))
    assert "unreadable" in str(Certificate.parse(kit.make(der.sequence(der.null()), KEY).der))


def test_names_that_cannot_be_read_are_the_same_only_byte_by_byte(provider: CryptoProvider) -> None:
    one, other = der.sequence(der.null()), der.sequence(der.integer(1))
    same = Certificate.parse(kit.make(one, KEY).der, provider)
    assert same.self_issued
    different = Certificate.parse(kit.make(one, KEY, issuer_name=other).der, provider)
    with pytest.raises(CertificateError):
        _ = different.self_issued


def test_condensed_certificate_says_what_it_said_before(provider: CryptoProvider) -> None:
    made = kit.server(kit.root("Root"), "host.example").der
    one, other = Certificate.parse(made, provider), Certificate.parse(made)
    names = one.subject_alt_name
    one.condense()
    assert one.subject_alt_name == names == other.subject_alt_name
    assert one.extensions == other.extensions
    assert one.public_key == other.public_key
    assert one.subject_name == other.subject_name
    assert one.tbs == other.tbs


def test_extension_is_found_although_another_thread_reads_them_all_meanwhile(provider: CryptoProvider) -> None:
    made = kit.server(kit.root("Root"), extensions=[(kit.KEY_USAGE, True, der.named_bits(0))]).der
    certificate = Certificate.parse(made, provider)
    everything = checks.what_it_says(Certificate.parse(made, provider))

    class Filled(dict[bytes, object]):
        """Complete as soon as somebody has looked."""

        def __contains__(self, oid: object) -> bool:
            found = super().__contains__(oid)
            self.update(everything)
            certificate.checked = self
            return found

    certificate.said = Filled()
    assert certificate.key_usage == {0}


@pytest.mark.parametrize("critical", [False, True], ids=["usual", "unusual"])
def test_condensed_certificate_takes_no_memory_for_its_extensions(provider: CryptoProvider, critical: bool) -> None:
    def size(count: int) -> int:
        """Bytes beside those of the certificate itself."""
        made = kit.make("subject", KEY, extensions=[(f"1.2.{n}", critical, b"") for n in range(count)]).der
        Certificate.parse(made, provider)  # names and the like are shared
        tracemalloc.start()
        try:
            certificate = Certificate.parse(made, provider)
            assert len(certificate.extensions) == count
            certificate.condense()
            return tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()

    assert size(30) < size(1) + 200
