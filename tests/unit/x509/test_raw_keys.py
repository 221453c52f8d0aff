"""Which raw public keys a host may show: the forms they are given in, and those that are refused at once."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest

from lighttls import ConfigurationError, VerifyPolicy
from lighttls.testing import Certificate as Issued
from lighttls.testing import ec_key, issue, rsa_key
from lighttls.x509 import Certificate


def spki_of(key: Any) -> bytes:
    issued: Issued = issue("holder", key)
    return Certificate.parse(issued.der).spki


KEY, NEXT = spki_of(ec_key()), spki_of(ec_key())


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (KEY, {KEY}),
        (bytearray(KEY), {KEY}),
        ([KEY, NEXT], {KEY, NEXT}),
        (sha256(KEY).digest(), {sha256(KEY).digest()}),
        (b64encode(sha256(KEY).digest()).decode(), {sha256(KEY).digest()}),
        ((KEY, b64encode(sha256(NEXT).digest()).decode()), {KEY, sha256(NEXT).digest()}),
    ],
)
def test_keys_are_der_or_digests_one_or_several(given: Any, kept: set[bytes]) -> None:
    policy = VerifyPolicy(raw_keys={"a.example": given})
    assert policy.raw_keys_of("a.example") == kept
    assert policy.raw_keys_of("b.example") == frozenset()


@pytest.mark.parametrize(
    ("host", "name"),
    [("A.Example.", "a.example"), ("192.0.2.1", "192.0.2.1"), ("[2001:db8::1]", "2001:db8::1")],
)
def test_hosts_are_names_or_addresses_in_the_form_for_comparison(host: str, name: str) -> None:
    assert VerifyPolicy(raw_keys={host: KEY}).raw_keys_of(name) == {KEY}


def test_order_makes_no_difference() -> None:
    one = VerifyPolicy(raw_keys={"a.example": [KEY, NEXT], "b.example": KEY})
    other = VerifyPolicy(raw_keys={"b.example": KEY, "a.example": (NEXT, KEY)})
    assert one == other
    assert hash(one) == hash(other)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"a.example": []}, "no key for a.example"),
        ({"a.example": KEY, "A.example": NEXT}, "two entries for A.example"),
        ({"a.example": KEY[:-1]}, "raw key for a.example"),
        ({"a.example": KEY + b"\0"}, "bytes after the end"),
        ({"a.example": b""}, "raw key for a.example"),
        ({"a.example": "not base64!"}, "not base64"),
        ({"a.example": "YWJj"}, "3 bytes"),
        ({"a.example": 7}, "is int"),
        ({"a.example": [7]}, "is int"),
        ({"a.example": spki_of(rsa_key(1024))}, "1024 bits"),
        ({"b\u00fccher.example": KEY}, "A-labels"),
        ({b"a.example": KEY}, "must be a string"),
        (KEY, "raw_keys"),
    ],
)
def test_what_is_no_key_of_a_host_is_refused(given: Any, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why):
        VerifyPolicy(raw_keys=given)


def test_certificate_is_no_raw_key() -> None:
    with pytest.raises(ConfigurationError) as caught:
        VerifyPolicy(raw_keys={"a.example": issue("holder", ec_key()).der})
    assert "openssl pkey" in caught.value.hint
