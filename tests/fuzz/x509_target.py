"""What fuzzing does with one input: the x509 room reads it, and nothing but a verdict may come of it.

The first byte is the kind of the input, the second one holds choices, the rest is what a stranger sent:

    c  a certificate         read in every part, by the cutter in Python and by the one in C
    p  certificates in a row a chain, leaf first; choices: who checks signatures, which anchors there are
    o  an OCSP response      about a leaf that is good
    r  lists in a row        CRLs, for a chain that is good; choices: hard or soft mode, with distribution points or not
    t  a bundle of roots     PEM or DER

A believing engine takes every signature for good, so that an input that was changed gets as far as it can. Where the
real one judges, only the chain that was never changed may pass.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache
from warnings import catch_warnings, simplefilter

from lighttls import explain
from lighttls.crypto import by_name
from lighttls.errors import CertificateError, ConfigurationError
from lighttls.testing import der_writer as der
from lighttls.x509 import (
    Certificate,
    RevocationPolicy,
    TimePolicy,
    TrustStore,
    VerifiedPath,
    VerifyPolicy,
    ocsp,
    verify_chain,
)
from lighttls.x509.cutting import peek_subject
from support import certificates as kit
from support import crls
from support.facts import ALIKE, check_facts, row_in_c

BELIEVING = 1
WITH_LAST_AS_ANCHOR = 2
WITHOUT_CLOCK = 4
WITHOUT_NAME = 8
SOFT = 2
WITH_POINTS = 4

TEXT_LIMIT = 2000
HOST = "host.example"
NATIVE = by_name("native")

SUBTREES = kit.constraints([der.implicit(2, b"example"), der.implicit(7, bytes(8))], [der.implicit(1, b"x.example")])
ROOT = kit.root("Root")
MIDDLE = kit.authority("Middle", ROOT, extensions=[*kit.ca(1), SUBTREES])
LEAF = kit.server(MIDDLE, HOST, f"*.{HOST}", bytes(4))
POINTED_LEAF = kit.server(
    MIDDLE,
    extensions=[
        *kit.host(HOST),
        crls.points(
            crls.point(crls.full_name(crls.url("http://example/all.crl"))),
            crls.point(crls.relative_name("part"), crls.reasons(1, 1, 2), [crls.directory(ROOT.subject)]),
        ),
    ],
)
SIGNED = (LEAF.der, MIDDLE.der, ROOT.der)


class Believing:
    """The native engine, but every signature verifies."""

    def __getattr__(self, name: str) -> object:
        return getattr(NATIVE, name)

    def verify(self, *_: object) -> None:
        return None


def check_refusal(error: CertificateError) -> None:
    """Every reader of a refusal gets something to read, and not too much of it."""
    assert error.alert is not None
    check_text(str(error))
    assert explain(error).replace("\n", " ").isprintable()
    for attempt in error.context.get("attempts", ()):
        missing = attempt.missing_issuer
        assert missing is None or all(url.isprintable() for url in missing.urls)


def check_text(text: str) -> None:
    assert 0 < len(text) <= TEXT_LIMIT
    assert text.isprintable(), "a stranger's bytes in a message"


def judge_certificate(_: int, data: bytes) -> None:
    try:
        certificate = Certificate.parse(data)
    except CertificateError as error:
        check_refusal(error)
        assert NATIVE.cut_certificate(data) is None
        return
    in_c = Certificate.parse(data, NATIVE)
    if (row := row_in_c(data)) is not None:
        check_facts(data, row)
    for part in ALIKE:
        assert said(in_c, part) == said(certificate, part), part
    assert peek_subject(data) == certificate.subject
    assert str(certificate).isprintable()


def said(certificate: Certificate, part: str) -> object:
    """What a certificate says in one of its parts, or why that cannot be read."""
    try:
        return getattr(certificate, part)
    except CertificateError as error:
        check_refusal(error)
        return str(error)


def judge_chain(choices: int, data: bytes) -> None:
    chain = row(data)
    believing = bool(choices & BELIEVING)
    trust = TrustStore.from_der(ROOT.der)
    own_anchor = bool(choices & WITH_LAST_AS_ANCHOR) and len(chain) > 1
    if own_anchor:
        with catch_warnings(record=True) as doubts:
            simplefilter("always")
            try:
                trust.add(chain[-1])
            except ConfigurationError:
                return
        for doubt in doubts:
            check_text(str(doubt.message))
    policy = VerifyPolicy(
        time=TimePolicy.insecure_until_checked() if choices & WITHOUT_CLOCK else TimePolicy.required(),
        check_hostname=not choices & WITHOUT_NAME,
    )
    engine = Believing() if believing else NATIVE
    try:
        found = verify_chain(chain, trust, server_hostname=HOST, at=kit.NOW, policy=policy, provider=engine)  # type: ignore[arg-type]
    except CertificateError as error:
        check_refusal(error)
        return
    assert found.leaf.der == chain[0]
    assert all(each.detail.isprintable() and each.origin.isprintable() for each in found.constraints)
    assert believing or own_anchor or chain[0] in SIGNED, "accepted what nobody signed"


def judge_response(choices: int, data: bytes) -> None:
    engine = Believing() if choices & BELIEVING else NATIVE
    try:
        ocsp.check(data, good_path(), kit.NOW, TimePolicy.required(), engine, None)  # type: ignore[arg-type]
    except CertificateError as error:
        check_refusal(error)


def judge_lists(choices: int, data: bytes) -> None:
    engine = Believing() if choices & BELIEVING else NATIVE
    try:
        lists = RevocationPolicy(crls=row(data), mode="soft" if choices & SOFT else "hard")
    except ConfigurationError as error:
        check_text(str(error))
        return
    leaf = POINTED_LEAF if choices & WITH_POINTS else LEAF
    try:
        verify_chain(
            (leaf.der, MIDDLE.der, ROOT.der),
            TrustStore.from_der(ROOT.der),
            server_hostname=HOST,
            at=kit.NOW,
            policy=VerifyPolicy(revocation=lists),
            provider=engine,  # type: ignore[arg-type]
        )
    except CertificateError as error:
        check_refusal(error)


def judge_bundle(_: int, data: bytes) -> None:
    try:
        trust = TrustStore.from_pem(data)
    except ConfigurationError as error:
        check_text(str(error))
        return
    for anchor in trust:
        assert trust.named(anchor.name)
        assert str(anchor).isprintable()
        with suppress(CertificateError):
            assert anchor.spki
    with suppress(CertificateError):
        verify_chain((LEAF.der, MIDDLE.der), trust, server_hostname=HOST, at=kit.NOW, provider=NATIVE)


@cache
def good_path() -> VerifiedPath:
    trust = TrustStore.from_der(ROOT.der)
    return verify_chain((LEAF.der, MIDDLE.der), trust, server_hostname=HOST, at=kit.NOW, provider=NATIVE)


def row(data: bytes) -> list[bytes]:
    """Certificates or lists: whole elements with two bytes for their length, and whatever follows the last of them."""
    found = []
    while len(data) > 4 and data[0] == 0x30 and data[1] == 0x82 and len(found) < 16:
        end = 4 + int.from_bytes(data[2:4], "big")
        found.append(data[:end])
        data = data[end:]
    return [*found, data] if data or not found else found


KINDS: dict[bytes, Callable[[int, bytes], None]] = {
    b"c": judge_certificate,
    b"p": judge_chain,
    b"o": judge_response,
    b"r": judge_lists,
    b"t": judge_bundle,
}


def judge(data: bytes) -> None:
    """Whatever escapes from here is a finding."""
    kind = KINDS.get(data[:1])
    if kind is not None and len(data) > 1:
        kind(data[1], data[2:])
