"""A function that signs digests, as a secure element does."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from lighttls.crypto import by_name
from lighttls.errors import BadSignature, ConfigurationError, SignerError
from lighttls.iana import SignatureScheme
from lighttls.keys import SignatureRequest, message_signer, raw_ecdsa
from lighttls.testing import ec_key

SCHEME = SignatureScheme.ECDSA_SECP256R1_SHA256


def request(message: bytes = b"all messages") -> SignatureRequest:
    return SignatureRequest(SCHEME, hashlib.sha256(message).digest(), message, (), ())


def test_function_sees_the_digest_and_its_answer_becomes_der() -> None:
    seen: list[bytes] = []

    def chip(digest: bytes) -> bytes:
        seen.append(digest)
        return bytes(31) + b"\5" + b"\xff" * 32

    encoded = raw_ecdsa(chip).sign(request())
    assert seen == [request().digest]
    assert decode_dss_signature(encoded) == (5, (1 << 256) - 1)


def test_signature_verifies_under_the_elements_key(provider: Any) -> None:
    key = ec_key()
    signature = raw_ecdsa(key.sign_digest).sign(request())
    provider.verify(SCHEME, key.spki, signature, request().message)


def test_buffer_that_the_driver_reuses_is_copied() -> None:
    buffer = bytearray(b"\1" * 64)
    encoded = raw_ecdsa(lambda digest: buffer).sign(request())
    buffer[:] = bytes(64)
    assert decode_dss_signature(encoded) == (int.from_bytes(b"\1" * 32, "big"),) * 2


def test_only_what_the_element_can_do_is_offered() -> None:
    assert raw_ecdsa(lambda digest: b"").signature_schemes == (SCHEME,)


def test_short_answer_is_the_signers_fault() -> None:
    with pytest.raises(SignerError, match="has 63 bytes"):
        raw_ecdsa(lambda digest: bytes(63)).sign(request())


@pytest.mark.parametrize("answer", [None, "0" * 64, 64, [0] * 64])
def test_answer_that_is_no_bytes_is_named_with_what_to_do(answer: Any) -> None:
    with pytest.raises(SignerError, match=f"returned {type(answer).__name__}, expected 64 bytes") as caught:
        raw_ecdsa(lambda digest: answer).sign(request())
    assert "r and s" in caught.value.hint


def test_engines_agree_that_a_flipped_bit_is_no_signature() -> None:
    key = ec_key()
    signature = raw_ecdsa(lambda digest: key.sign_digest(bytes(b ^ 1 for b in digest))).sign(request())
    with pytest.raises(BadSignature):
        by_name("pure").verify(SCHEME, key.spki, signature, request().message)


def test_message_signer_hands_on_scheme_and_message_and_its_answer() -> None:
    seen: list[tuple[SignatureScheme, bytes]] = []

    def service(scheme: SignatureScheme, message: bytes) -> bytearray:
        seen.append((scheme, message))
        return bytearray(b"a signature")

    signer = message_signer(service, signature_schemes=[SCHEME, 0x0804])
    assert signer.signature_schemes == (SCHEME, SignatureScheme.RSA_PSS_RSAE_SHA256)
    assert signer.sign(request()) == b"a signature"
    assert seen == [(SCHEME, b"all messages")]


@pytest.mark.parametrize("answer", [None, "signature", 64])
def test_message_signers_answer_that_is_no_bytes_is_named(answer: Any) -> None:
    signer = message_signer(lambda scheme, message: answer, signature_schemes=[SCHEME])
    with pytest.raises(SignerError, match=f"returned {type(answer).__name__}, expected bytes"):
        signer.sign(request())


@pytest.mark.parametrize("schemes", [[], None, [0xABCD], ["ecdsa"], 5])
def test_message_signer_without_schemes_it_could_use_is_refused(schemes: Any) -> None:
    with pytest.raises(ConfigurationError, match="signature_schemes"):
        message_signer(lambda scheme, message: b"", signature_schemes=schemes)


@pytest.mark.parametrize("make", [raw_ecdsa, lambda given: message_signer(given, signature_schemes=[SCHEME])])
def test_what_is_no_function_is_refused_when_it_is_given(make: Any) -> None:
    with pytest.raises(ConfigurationError, match="expected a function, not NoneType"):
        make(None)
