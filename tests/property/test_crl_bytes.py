"""CRLs of any bytes: a verdict or a clear error, and never «good» for what the issuer did not sign."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighttls.crypto.pure import PureProvider
from lighttls.errors import CertificateError, ChainReason, ConfigurationError
from lighttls.testing import der_writer as der
from lighttls.x509 import RevocationList, RevocationPolicy, TrustStore, VerifyPolicy, verify_chain
from lighttls.x509.distinguished_name import normalise
from support import certificates as pki
from support import crls

ROOT = pki.root()
HERE = crls.full_name(crls.url("http://crl.example/1"))
POINTS = crls.points(crls.point(HERE), crls.point(crls.relative_name("2"), issuers=[crls.directory(ROOT.subject)]))
LEAF = pki.server(ROOT, extensions=[*pki.host("host.example"), POINTS], serial=der.integer(0x5A5A5A))


class Believing(PureProvider):
    """Takes every signature for right, so that mutations get further."""

    def verify(self, *_: object) -> None:
        pass


def judge(data: bytes, provider: PureProvider | None = None) -> ChainReason | None:
    """Why a path is refused whose status hangs on this list; None if it is not, and CRL_UNUSABLE if nobody reads it."""
    try:
        policy = VerifyPolicy(revocation=RevocationPolicy(crls=[data]))
    except ConfigurationError:
        return ChainReason.CRL_UNUSABLE
    trust = TrustStore.from_der(ROOT.der)
    try:
        verify_chain(
            [LEAF.der],
            trust,
            server_hostname="host.example",
            at=pki.NOW,
            policy=policy,
            provider=provider or Believing(),
        )
    except CertificateError as error:
        return error.reason
    return None


@cache
def good() -> bytes:
    """With something of everything, and the leaf not listed."""
    extensions = [crls.number(1), crls.scope(HERE, crls.INDIRECT), (crls.FRESHEST_CRL, False, der.sequence())]
    entries = [
        crls.entry(1, crls.reason(1)),
        crls.entry(2, crls.issued_by(pki.name("Other"))),
        crls.entry(0x5A5A5A),
        crls.entry(3, (crls.INVALIDITY_DATE, False, der.element(0x18, b"20260101000000Z")), crls.reason(4)),
    ]
    return crls.crl(ROOT, *entries, extensions=extensions)


POSSIBLE = {
    ChainReason.REVOKED,
    ChainReason.REVOCATION_UNKNOWN,
    ChainReason.CRL_EXPIRED,
    ChainReason.CRL_UNUSABLE,
}


def test_list_altered_in_any_byte_or_cut_anywhere_never_shows_a_certificate_to_be_good() -> None:
    """Of a changed list the signature does not fit any more; the changed signature fits nothing."""
    data = good()
    honest = PureProvider()
    assert judge(data, honest) is None
    for place in range(len(data)):
        assert judge(data[:place]) is ChainReason.CRL_UNUSABLE
        for flip in (1, 0x80):
            altered = bytearray(data)
            altered[place] ^= flip
            assert judge(bytes(altered)) in {None, *POSSIBLE}
            if place % 7 == 0:  # each costs a signature in Python
                assert judge(bytes(altered), honest) in POSSIBLE


@given(st.binary(max_size=300))
def test_any_bytes_are_no_list(data: bytes) -> None:
    assert judge(data) is ChainReason.CRL_UNUSABLE


@given(st.binary(max_size=40), st.integers(0, 1000), st.integers(0, 40))
def test_list_with_other_bytes_in_it_ends_in_a_verdict(data: bytes, at: int, gone: int) -> None:
    at %= len(good())
    assert judge(good()[:at] + data + good()[at + gone :]) in {None, *POSSIBLE}


TREES = st.recursive(
    st.sampled_from([der.null(), der.integer(5), der.oid(crls.CRL_NUMBER), der.octet_string(b"\x30\x00"), b"\x17\x00"]),
    lambda inner: st.builds(
        lambda tag, parts: der.element(tag, b"".join(parts)),
        st.sampled_from([0x30, 0x31, 0xA0, 0x04]),
        st.lists(inner, max_size=4),
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    "put",
    [
        lambda tree: {"entries_der": tree},
        lambda tree: {"entries_der": der.sequence(crls.entry(1), tree)},
        lambda tree: {"entries_der": der.sequence(crls.entry(1, tail=tree))},
        lambda tree: {"extensions": [crls.number(1), (crls.ISSUING_DISTRIBUTION_POINT, True, tree)]},
        lambda tree: {"extensions": [], "tail": tree},
        lambda tree: {"name": tree},
    ],
    ids=["entries", "an entry", "its extensions", "scope", "extensions", "issuer"],
)
@given(TREES)
def test_any_tree_in_any_place_ends_in_a_verdict(put: Callable[[bytes], dict[str, object]], tree: bytes) -> None:
    data = crls.crl(ROOT, **put(tree))  # type: ignore[arg-type]
    assert judge(data) in {None, *POSSIBLE}


@given(st.lists(st.integers(-(1 << 70), 1 << 70), min_size=1, max_size=200), st.integers(0, 199), st.data())
def test_what_is_listed_is_found_and_nothing_else(serials: list[int], which: int, data: st.DataObject) -> None:
    entries = [crls.entry(serial, *([crls.reason(1)] if data.draw(st.booleans()) else [])) for serial in serials]
    found = RevocationList.parse(crls.crl(ROOT, *entries, signature=der.bit_string(b"")))
    found.entries.read()
    wanted = serials[which % len(serials)]
    for serial in (wanted, wanted + 1, ~wanted, wanted << 8, wanted >> 8):
        assert (found.entries.find(serial, normalise(ROOT.subject)) is not None) is (serial in serials)


# ---- size -----------------------------------------------------------------------------------------


@cache
def giant() -> bytes:
    """A hundred thousand entries, 4 MB: as many as the largest public authorities have."""
    entry = crls.entry(1 << 120, crls.reason(5))
    place = entry.index(der.integer(1 << 120)) + 2
    entries = b"".join(
        entry[:place] + i.to_bytes(16, "big") + entry[place + 16 :] for i in range(1 << 121, (1 << 121) + 100_000)
    )
    return crls.crl(ROOT, entries_der=der.sequence(entries, crls.entry(0x5A5A5A)))


def test_giant_list_costs_a_walk_once_and_a_search_each_time() -> None:
    start = process_time()
    assert judge(giant()) is ChainReason.REVOKED
    assert process_time() - start < 3  # 0.1 s where this was written, a signature over it included
    one = RevocationList.parse(giant())
    one.entries.read()
    start = process_time()
    for i in range(20):
        assert one.entries.find((1 << 121) + 5000 * i, normalise(ROOT.subject)) is not None
        assert one.entries.find((1 << 122) + i, normalise(ROOT.subject)) is None
    assert process_time() - start < 2  # 0.03 s


def test_serial_number_that_is_everywhere_but_listed_nowhere_costs_one_walk() -> None:
    """A hundred thousand times its bytes, in extensions: each is looked at, no entry twice."""
    entry = crls.entry(7, (crls.UNKNOWN, False, der.integer(0x5A5A5A) * 4))
    data = crls.crl(ROOT, entries_der=der.sequence(entry * 25_000))
    start = process_time()
    assert judge(data) is None
    assert process_time() - start < 3  # 0.1 s


def test_lengths_that_lie_are_found_before_anything_is_read() -> None:
    for claimed in (0x7F, 0xFF, 0xFFFFFF, 0x7FFFFFFF):
        header = b"\x30" + (bytes((claimed,)) if claimed < 0x80 else b"\x84" + claimed.to_bytes(4, "big"))
        assert judge(crls.crl(ROOT, entries_der=header)) is ChainReason.CRL_UNUSABLE
    nested = b"".join(der.element(0x30, b"") for _ in range(1))
    for _ in range(2000):
        nested = der.element(0x30, nested)
    assert judge(crls.crl(ROOT, entries_der=nested)) is ChainReason.CRL_UNUSABLE
    assert judge(crls.crl(ROOT, name=nested)) is ChainReason.CRL_UNUSABLE
    assert judge(nested) is ChainReason.CRL_UNUSABLE
