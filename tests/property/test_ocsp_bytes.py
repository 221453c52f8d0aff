"""OCSP responses of any bytes: a verdict and nothing else, and never «good» for what its authority did not sign."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostile import certificates as pki
from hostile import ocsp
from lighttls import CertificateError, ChainReason, TimePolicy, TrustStore
from lighttls.crypto.pure import PureProvider
from lighttls.x509 import VerifiedPath, verify_chain
from lighttls.x509.ocsp import check

AT = int(ocsp.NOW.timestamp())
TIME = TimePolicy.required()


@cache
def path() -> VerifiedPath:
    return verify_chain(pki.leaf("p256").chain, TrustStore.from_der(pki.root()), server_hostname=pki.HOST, at=AT)


def refusal(response: bytes, provider: Any) -> ChainReason:
    with pytest.raises(CertificateError) as caught:
        check(response, path(), AT, TIME, provider, None)
    return caught.value.reason


@pytest.mark.parametrize("by", ["the issuer", "a delegate"])
def test_response_altered_in_any_byte_or_cut_anywhere_is_refused(provider: Any, by: str) -> None:
    """OCSP-09 to OCSP-11."""
    response = ocsp.response() if by == "the issuer" else ocsp.delegated()
    check(response, path(), AT, TIME, provider, None)
    for place in range(len(response)):
        refusal(response[:place], provider)
        for flip in (1, 0x80):
            altered = bytearray(response)
            altered[place] ^= flip
            refusal(bytes(altered), provider)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_as_a_bad_status(data: bytes) -> None:
    assert refusal(data, PureProvider()) is ChainReason.BAD_STATUS


@given(st.binary(max_size=40), st.integers(0, 1000), st.integers(0, 40))
def test_right_response_with_other_bytes_in_it_is_refused_as_a_bad_status(data: bytes, at: int, gone: int) -> None:
    response = right_response()
    at %= len(response)
    changed = response[:at] + data + response[at + gone :]
    if changed != response:
        assert refusal(changed, PureProvider()) is ChainReason.BAD_STATUS


@cache
def right_response() -> bytes:
    return ocsp.response()
