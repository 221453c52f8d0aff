"""Requests for signatures, and raw ECDSA signatures as DER."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st

from lighttls.errors import SignerError, UsageError, explain
from lighttls.iana import SignatureScheme
from lighttls.keys import SignatureRequest
from lighttls.keys.signer import der_from_raw

SIZES = (32, 48, 66)


def request() -> SignatureRequest:
    return SignatureRequest(SignatureScheme.ECDSA_SECP256R1_SHA256, bytes(range(32)), b"messages", (b"ca",), (b"leaf",))


def deferred() -> tuple[SignatureRequest, list[tuple[SignatureRequest, Any]]]:
    """A request that an event carries, and the answers it was given."""
    answers: list[tuple[SignatureRequest, Any]] = []
    made = request()
    made.defer_to(lambda asked, outcome: answers.append((asked, outcome)))
    return made, answers


def raw(r: int, s: int, size: int) -> bytes:
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


@pytest.mark.parametrize("size", SIZES)
@settings(max_examples=60)
@given(data=st.data())
def test_der_holds_the_same_numbers_in_their_shortest_form(size: int, data: st.DataObject) -> None:
    """RFC 3279 §2.2.3; `cryptography` is the yardstick, both ways."""
    numbers = st.integers(0, (1 << 8 * size) - 1) | st.integers(0, 8 * size - 1).map(lambda bit: 1 << bit)
    r, s = data.draw(numbers), data.draw(numbers)
    encoded = der_from_raw(raw(r, s, size))
    assert encoded == encode_dss_signature(r, s)
    assert decode_dss_signature(encoded) == (r, s)


@pytest.mark.parametrize(
    ("r", "encoded"),
    [
        (0, "020100"),
        (1, "020101"),
        (0x7F, "02017f"),
        (0x80, "02020080"),  # the high bit would make it negative
        (0xFF00, "020300ff00"),
        ((1 << 256) - 1, "022100" + "ff" * 32),
        (1 << 255, "02210080" + "00" * 31),
        ((1 << 255) - 1, "02207f" + "ff" * 31),
    ],
)
def test_leading_zeros_go_and_a_high_bit_gets_one(r: int, encoded: str) -> None:
    """X.690 §8.3.2: shortest two's complement."""
    body = encoded + "020101"
    assert der_from_raw(raw(r, 1, 32)).hex() == f"30{len(body) // 2:02x}" + body


def test_long_signature_has_a_long_length() -> None:
    assert der_from_raw(b"\x7f" * 132)[:5].hex() == "30818802" + "42"


@pytest.mark.parametrize("length", [0, 1, 32, 63, 65, 70, 128, 133])
def test_raw_signature_of_impossible_length_is_the_signers_fault(length: int) -> None:
    with pytest.raises(SignerError, match=f"has {length} bytes"):
        der_from_raw(bytes(length))


@pytest.mark.parametrize(
    ("given", "advice"),
    [(b"", "cut"), (b"\x30", "cut"), (bytes(63), "cut"), (der_from_raw(b"\x7f" * 64), "DER already")],
)
def test_advice_tells_der_from_a_cut_answer(given: bytes, advice: str) -> None:
    with pytest.raises(SignerError) as caught:
        der_from_raw(given)
    assert advice in explain(caught.value)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_complete_hands_over_bytes_whatever_buffer_came(kind: Any) -> None:
    made, answers = deferred()
    made.complete(kind(b"signature"))
    assert answers == [(made, b"signature")]
    assert type(answers[0][1]) is bytes


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_complete_raw_hands_over_der(kind: Any) -> None:
    made, answers = deferred()
    made.complete_raw(kind(raw(1, 0x80, 32)))
    assert answers == [(made, bytes.fromhex("3007 020101 02020080"))]


def test_complete_raw_of_impossible_length_is_a_failure_of_the_signer() -> None:
    """It ends the handshake like any other wrong signature, so that the server hears of it."""
    made, answers = deferred()
    made.complete_raw(bytes(63))
    assert len(answers) == 1
    assert isinstance(answers[0][1], SignerError)


def test_fail_hands_over_its_cause() -> None:
    made, answers = deferred()
    cause = OSError("bus error")
    made.fail(cause)
    assert answers == [(made, cause)]


@pytest.mark.parametrize("call", ["complete", "complete_raw", "fail"])
@pytest.mark.parametrize("value", ["text", None, 64, [1, 2]])
def test_answer_of_a_wrong_type_is_a_usage_error_and_settles_nothing(call: str, value: Any) -> None:
    """bytes(64) would be 64 zeros."""
    made, answers = deferred()
    with pytest.raises(UsageError):
        getattr(made, call)(value)
    assert answers == []


def test_request_inside_sign_is_answered_by_what_sign_returns() -> None:
    made = request()
    for answer in (lambda: made.complete(b"x"), lambda: made.complete_raw(bytes(64)), lambda: made.fail(OSError())):
        with pytest.raises(UsageError, match="answers by what it returns"):
            answer()


def test_repr_shows_scheme_and_digest() -> None:
    assert repr(request()) == f"SignatureRequest(ECDSA_SECP256R1_SHA256, digest={bytes(range(32)).hex()})"
