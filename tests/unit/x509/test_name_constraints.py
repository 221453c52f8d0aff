"""Name constraints of one authority against one name (RFC 5280 §4.2.1.10)."""

from __future__ import annotations

import pytest

from lighttls.errors import CertificateError, ChainReason
from lighttls.testing import der_writer as der
from lighttls.x509 import Certificate, name_constraints
from lighttls.x509.extensions import NameConstraints
from support import certificates as kit

MAIL, DNS, DIRECTORY, URI, IP = 1, 2, 4, 6, 7
ROOT = kit.root("Constraining Root")
AUTHORITY = Certificate.parse(ROOT.der)


def unlimited(count: int) -> None:
    """A budget without end."""


def leaf(*names: bytes, subject: bytes | None = None) -> Certificate:
    extensions = [(kit.SUBJECT_ALT_NAME, True, der.sequence(*names))] if names else []
    made = kit.make(kit.name("") if subject is None else subject, kit.ec_key("server"), ROOT, extensions=extensions)
    return Certificate.parse(made.der)


def allowed(rules: NameConstraints, *below: Certificate) -> bool:
    try:
        name_constraints.check(rules, AUTHORITY, below, unlimited)
    except CertificateError as error:
        if error.reason is not ChainReason.NAME_CONSTRAINTS:
            raise
        return False
    return True


def permits(kind: int, base: bytes, name: bytes) -> bool:
    return allowed(NameConstraints(((kind, base),), ()), leaf(element(kind, name)))


def excludes(kind: int, base: bytes, name: bytes) -> bool:
    return not allowed(NameConstraints((), ((kind, base),)), leaf(element(kind, name)))


def element(kind: int, value: bytes) -> bytes:
    return der.explicit(4, value) if kind == DIRECTORY else der.implicit(kind, value)


@pytest.mark.parametrize(
    ("kind", "base", "name", "inside"),
    [
        (DNS, b"example.com", b"example.com", True),
        (DNS, b"example.com", b"WWW.Example.com", True),
        (DNS, b"example.com", b"a.b.example.com", True),
        (DNS, b"example.com", b"notexample.com", False),
        (DNS, b"example.com", b"com", False),
        (DNS, b"", b"anything.example", True),
        (DNS, b".example.com", b"www.example.com", True),
        (DNS, b".example.com", b"example.com", False),
        (DNS, b".example.com", b"www.example.org", False),
        (DNS, b"example.com", b"*.example.com", True),
        (DNS, b"example.com", b"*.sub.example.com", True),
        (DNS, b"example.com", b"*.example.org", False),
        (DNS, b".example.com", b"*.example.com", True),
        (DNS, b".example.com", b"*.example.org", False),
        (DNS, b"example.com", b"some_name.example.com", True),
        (DNS, b"_x.example.com", b"a._X.example.com", True),
        (DNS, b"x.example.com", b"_.example.com", False),
        (IP, bytes((192, 0, 2, 0, 255, 255, 255, 0)), bytes((192, 0, 2, 7)), True),
        (IP, bytes((192, 0, 2, 0, 255, 255, 255, 0)), bytes((192, 0, 3, 7)), False),
        (IP, bytes((192, 0, 2, 9, 255, 255, 255, 0)), bytes((192, 0, 2, 7)), True),
        (IP, bytes(8), bytes((192, 0, 2, 7)), True),
        (IP, bytes(8), bytes(16), False),
        (IP, bytes(15) + b"\1" + b"\xff" * 16, bytes(15) + b"\1", True),
        (IP, bytes(15) + b"\1" + b"\xff" * 16, bytes(16), False),
        (DIRECTORY, kit.name("foo"), kit.name("FOO"), True),
        (DIRECTORY, kit.name("foo"), kit.name("bar"), False),
        (DIRECTORY, kit.name(""), kit.name("bar"), True),
        (DIRECTORY, kit.name("bar", ("2.5.4.10", der.utf8_string("x"))), kit.name("bar"), False),
        (
            DIRECTORY,
            kit.name("", ("2.5.4.10", der.utf8_string("x"))),
            kit.name("bar", ("2.5.4.10", der.element(0x13, b"X"))),
            True,
        ),
        (MAIL, b"example.com", b"a@EXAMPLE.com", True),
        (MAIL, b"example.com", b"!~@example.com", True),
        (MAIL, b"example.com", b"a@www.example.com", False),
        (MAIL, b".example.com", b"a@www.example.com", True),
        (MAIL, b".example.com", b"a@example.com", False),
        (MAIL, b"a@example.com", b"a@example.com", True),
        (MAIL, b"a@example.com", b"A@example.com", False),
        (MAIL, b"*@example.com", b"a@example.com", False),
        (MAIL, b"", b"a@example.com", True),
        (URI, b"", b"https://example.com/", True),
        (URI, b"example.com", b"https://user@Example.com:8443/path", True),
        (URI, b"example.com", b"https://www.example.com/", False),
        (URI, b".example.com", b"https://www.example.com?q", True),
    ],
)
def test_name_is_inside_or_outside_a_subtree(kind: int, base: bytes, name: bytes, inside: bool) -> None:
    assert permits(kind, base, name) is inside
    assert excludes(kind, base, name) is inside


def test_wildcard_must_lie_wholly_in_what_is_permitted() -> None:
    """CVE-2025-61727: "*.example.com" speaks for more than foo.example.com."""
    assert not permits(DNS, b"foo.example.com", b"*.example.com")


def test_wildcard_must_not_touch_what_is_excluded() -> None:
    assert excludes(DNS, b"foo.example.com", b"*.example.com")
    assert not excludes(DNS, b"a.foo.example.com", b"*.example.com")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (DNS, b"exa mple.com"),
        (DNS, b".example.com"),
        (DNS, b"example.com."),
        (DNS, b"www..example.com"),
        (DNS, b"w*.example.com"),
        (DNS, b"*.-a.example.com"),
        (DNS, b"\xc3\xa4.example.com"),
        (MAIL, b"example.com"),
        (MAIL, b"a@b@example.com"),
        (MAIL, b"a@-"),
        (MAIL, b"@example.com"),
        (MAIL, b"a b@example.com"),
        (MAIL, b"a\x7f@example.com"),
        (MAIL, b"\xc3\xa4@example.com"),
        (URI, b"urn:example"),
        (URI, b"https://example.org\\@example.com/"),  # a browser goes to example.org
        (URI, b"https://example.com/ "),
        (URI, b"https://ex%61mple.com/"),
        (URI, b"https://192.0.2.1/"),
        (URI, b"https://[::1]/"),
    ],
)
def test_malformed_name_is_neither_permitted_nor_let_through_by_exclusions(kind: int, name: bytes) -> None:
    base = b"example.com"
    assert not permits(kind, base, name)
    assert excludes(kind, base, name)


@pytest.mark.parametrize("kind", [0, 3, 5, 8])
def test_form_that_we_cannot_compare_is_refused_only_if_a_name_has_it(kind: int) -> None:
    rules = NameConstraints((), ((kind, b"x"),))
    tag = 0x80 | kind | (0x20 if kind in (0, 3, 5) else 0)
    assert allowed(rules, leaf(der.implicit(DNS, b"host.example")))
    assert not allowed(rules, leaf(der.element(tag, b"x")))


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        (DNS, b"*.example.com"),
        (DNS, b"exa mple"),
        (DNS, b"example.com."),
        (DNS, b"."),
        (DNS, b".-example.com"),
        (IP, bytes(4)),
        (IP, bytes(16)),
        (IP, bytes(4) + bytes((255, 0, 255, 0))),
        (MAIL, b"a@b@c"),
        (MAIL, b"a@"),
        (MAIL, b"@example.com"),
        (MAIL, b"a b@example.com"),
        (MAIL, b"a@.example.com"),
        (MAIL, b"-example.com"),
        (MAIL, b".-example.com"),
        (MAIL, b"."),
        (URI, b"-example.com"),
        (URI, b".-example.com"),
        (URI, b"https://example.com"),
        (URI, b"."),
        (DIRECTORY, b"\x30\x02\x05\x00"),
    ],
)
def test_malformed_constraint_counts_against_every_certificate(kind: int, base: bytes) -> None:
    with pytest.raises(CertificateError) as caught:
        name_constraints.check(NameConstraints((), ((kind, base),)), AUTHORITY, [leaf()], unlimited)
    assert caught.value.reason is ChainReason.MALFORMED


def test_other_kinds_of_names_are_not_touched() -> None:
    rules = NameConstraints(((IP, bytes((192, 0, 2, 0, 255, 255, 255, 0))),), ((MAIL, b"example.com"),))
    assert allowed(rules, leaf(der.implicit(DNS, b"host.example")))
    assert allowed(rules, leaf(der.implicit(DNS, b"mal formed")))


def test_one_of_several_permitted_subtrees_is_enough() -> None:
    rules = NameConstraints(((DNS, b"a.example"), (DNS, b"b.example")), ())
    assert allowed(rules, leaf(der.implicit(DNS, b"b.example"), der.implicit(DNS, b"x.a.example")))
    assert not allowed(rules, leaf(der.implicit(DNS, b"b.example"), der.implicit(DNS, b"c.example")))


def test_exclusion_wins_over_permission() -> None:
    rules = NameConstraints(((DNS, b"example"),), ((DNS, b"bad.example"),))
    assert allowed(rules, leaf(der.implicit(DNS, b"good.example")))
    assert not allowed(rules, leaf(der.implicit(DNS, b"bad.example")))


def test_subject_counts_as_a_directory_name_and_its_mail_as_mail() -> None:
    subject = kit.name("x", ("1.2.840.113549.1.9.1", der.element(0x16, b"a@example.com")))
    assert not allowed(NameConstraints(((DIRECTORY, kit.name("y")),), ()), leaf(subject=subject))
    assert not allowed(NameConstraints((), ((MAIL, b"example.com"),)), leaf(subject=subject))
    with_new_place = leaf(der.implicit(MAIL, b"b@other.example"), subject=subject)
    assert allowed(NameConstraints((), ((MAIL, b"example.com"),)), with_new_place)


def test_self_issued_authority_is_exempt_and_a_self_issued_leaf_is_not() -> None:
    rules = NameConstraints(((DNS, b"permitted.example"),), ())
    extensions = kit.host("outside.example")
    self_issued = Certificate.parse(kit.make("Same", kit.ec_key("x"), extensions=extensions).der)
    inside = leaf(der.implicit(DNS, b"permitted.example"))
    assert allowed(rules, inside, self_issued)
    assert not allowed(rules, self_issued)
    authority = Certificate.parse(kit.make("Other", kit.ec_key("x"), ROOT, extensions=extensions).der)
    assert not allowed(rules, inside, authority)


@pytest.mark.parametrize(
    ("names", "cost"),
    [
        ([], 0),
        ([(DNS, b"a.example"), (DNS, b"b.example")], 2 * (1 + 3)),
        ([(DNS, b"a.example"), (IP, bytes((192, 0, 2, 1)))], 1 + 3 + 1 + 1),
        ([(URI, b"https://a.example/")] * 5, 5),
    ],
)
def test_every_rule_every_name_and_every_comparison_is_paid_for(names: list[tuple[int, bytes]], cost: int) -> None:
    """A name is charged for the rules of its kind, and also if there are none."""
    spent: list[int] = []
    rules = NameConstraints(
        ((DNS, b"a.example"), (DNS, b"b.example")), ((DNS, b"c.example"), (IP, bytes(4) + b"\xff" * 4))
    )
    certificate = leaf(*(element(kind, name) for kind, name in names))
    name_constraints.check(rules, AUTHORITY, [certificate], spent.append)
    assert sum(spent) == 4 + cost


def test_long_rules_and_names_are_paid_for_by_their_length() -> None:
    spent: list[int] = []
    rule, name = b"a" * 60 + b".com", b"b." * 64 + b"example"
    rules = NameConstraints((), ((DNS, b"c.example"), (URI, rule)))
    name_constraints.check(rules, AUTHORITY, [leaf(element(DNS, name))], spent.append)
    assert sum(spent) == 1 + 2 + (1 + len(name) // 64) + 1


def test_budget_ends_the_work_before_a_rule_is_prepared() -> None:
    class SpentError(Exception):
        pass

    def refuse(count: int) -> None:
        raise SpentError

    malformed = NameConstraints((), ((DNS, b"exa mple"),))
    with pytest.raises(SpentError):
        name_constraints.check(malformed, AUTHORITY, [leaf()], refuse)


ORGANISATION, CN, IDENTIFIER = "2.5.4.10", "2.5.4.3", "2.5.4.45"
UTF8, PRINTABLE, BMP, OCTETS, BITS = 0x0C, 0x13, 0x1E, 0x04, 0x03


def directory(*relative_names: tuple[str, int, bytes]) -> bytes:
    """A Name, outermost relative name first: type, string tag, value."""
    parts = (der.sequence(der.oid(kind), der.element(tag, value)) for kind, tag, value in relative_names)
    return der.sequence(*map(der.set_of, parts))


EVIL = (ORGANISATION, UTF8, b"Evil")


@pytest.mark.parametrize(
    ("base", "name"),
    [
        ([EVIL], [(ORGANISATION, UTF8, b"Evil\xff"), (CN, UTF8, b"x")]),
        ([EVIL], [(ORGANISATION, PRINTABLE, b"Ev\xecl")]),
        ([EVIL], [(ORGANISATION, BMP, b"\0E\0v\0i\0l\0")]),
        ([EVIL], [(ORGANISATION, OCTETS, b"Evil")]),
        ([EVIL], [(ORGANISATION, UTF8, b" " * 1024 + b"Evil")]),
        ([EVIL, (CN, UTF8, b"x")], [EVIL, (CN, UTF8, b"\xff")]),
        ([(ORGANISATION, UTF8, b"\xff")], [EVIL]),
        ([EVIL], [(ORGANISATION, 0x81, b"Evil")]),
    ],
)
def test_name_that_may_be_an_excluded_one_in_another_spelling_is_refused(
    base: list[tuple[str, int, bytes]], name: list[tuple[str, int, bytes]]
) -> None:
    """A value that is no readable text cannot be compared with one that is."""
    excluded = NameConstraints((), ((DIRECTORY, directory(*base)),))
    assert not allowed(excluded, leaf(subject=directory(*name)))
    assert not allowed(excluded, leaf(element(DIRECTORY, directory(*name))))
    with pytest.raises(CertificateError, match="may be in an excluded subtree: a value in one of them is no readable"):
        name_constraints.check(excluded, AUTHORITY, [leaf(subject=directory(*name))], unlimited)


@pytest.mark.parametrize(
    "name",
    [
        [(ORGANISATION, UTF8, b"Good"), (CN, UTF8, b"\xff")],
        [(CN, UTF8, b"\xff")],
        [(IDENTIFIER, BITS, b"\0\1"), EVIL],
        [],
    ],
)
def test_unreadable_value_elsewhere_does_no_harm(name: list[tuple[str, int, bytes]]) -> None:
    """What stands before or beside it shows that the name is another one."""
    assert allowed(NameConstraints((), ((DIRECTORY, directory(EVIL)),)), leaf(subject=directory(*name)))


def test_unreadable_value_is_in_no_permitted_subtree() -> None:
    rules = NameConstraints(((DIRECTORY, directory(EVIL)),), ())
    assert not allowed(rules, leaf(subject=directory((ORGANISATION, UTF8, b"Evil\xff"))))


def test_doubts_about_long_names_are_paid_for() -> None:
    spent: list[int] = []
    long = directory(*[EVIL] * 50)
    rules = NameConstraints((), ((DIRECTORY, long),) * 7)
    name_constraints.check(rules, AUTHORITY, [leaf(subject=directory(*[EVIL] * 49))], spent.append)
    prepared = 7 * (1 + len(long) // 4)
    assert sum(spent) == prepared + 1 + len(directory(*[EVIL] * 49)) // 4 + 7 + prepared + 7 * 50


def test_refusal_names_the_authority_and_the_name() -> None:
    with pytest.raises(CertificateError, match=r"dNSName bad\.example .* nameConstraints of 'CN=Constraining Root'"):
        name_constraints.check(
            NameConstraints((), ((DNS, b"bad.example"),)),
            AUTHORITY,
            [leaf(der.implicit(DNS, b"bad.example"))],
            unlimited,
        )
