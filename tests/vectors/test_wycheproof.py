"""Wycheproof: published vectors full of edge cases (ORIGINS.md says whence).

They run on both engines, and on the native one once per implementation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lighttls.crypto import SUITES, CryptoProvider, Suite
from lighttls.errors import BadSignature, IllegalParameter
from lighttls.iana import CipherSuite, NamedGroup, SignatureScheme
from support.inside import Aead, hmac_tag, premaster_bytes
from support.wycheproof import (
    GENERATED_FILES,
    PKCS1,
    SIGNATURE_SCHEMES,
    cases,
    mismatches,
    public_key_of,
    unhex,
)

GCM = {
    128: SUITES[CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256],
    256: SUITES[CipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384],
}
CHACHA = SUITES[CipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256]


# ---- Key exchange --------------------------------------------------------------------------------


def shared(provider: CryptoProvider, group: NamedGroup, private: bytes, public: bytes) -> bytes | None:
    """ECDH, or None if the peer's public key is refused."""
    try:
        return premaster_bytes(provider.key_agreement(group, lambda _: private, public)[1])
    except IllegalParameter:
        return None


def test_x25519(implementation: CryptoProvider) -> None:
    """«acceptable» are twist, small and non-canonical points, which RFC 7748 takes, and all-zero results (SKE-10)."""

    def results() -> Iterator[tuple[int, bool]]:
        for _, test in cases("x25519_test"):
            expected = None if "ZeroSharedSecret" in test["flags"] else unhex(test, "shared")
            got = shared(implementation, NamedGroup.X25519, unhex(test, "private"), unhex(test, "public"))
            yield test["tcId"], got == expected

    assert mismatches("x25519_test", results()) == []


def ecdh_results(provider: CryptoProvider, name: str, group: NamedGroup, length: int) -> Iterator[tuple[int, bool]]:
    """The one «acceptable» is a compressed point, which we refuse (SKE-05)."""
    for _, test in cases(name):
        private = int(test["private"], 16).to_bytes(length, "big")
        expected = unhex(test, "shared") if test["result"] == "valid" else None
        yield test["tcId"], shared(provider, group, private, unhex(test, "public")) == expected


def test_ecdh_secp256r1(implementation: CryptoProvider) -> None:
    name = "ecdh_secp256r1_ecpoint_test"
    assert mismatches(name, ecdh_results(implementation, name, NamedGroup.SECP256R1, 32)) == []


def test_ecdh_secp384r1(implementation: CryptoProvider) -> None:
    name = "ecdh_secp384r1_ecpoint_test"
    assert mismatches(name, ecdh_results(implementation, name, NamedGroup.SECP384R1, 48)) == []


# ---- AEAD and HMAC -------------------------------------------------------------------------------


def aead_is_right(provider: CryptoProvider, suite: Suite, test: dict[str, Any]) -> bool:
    aead = Aead(provider, suite, unhex(test, "key"))
    nonce, aad, text = unhex(test, "iv"), unhex(test, "aad"), unhex(test, "msg")
    sealed = unhex(test, "ct") + unhex(test, "tag")
    if test["result"] == "valid":
        return aead.seal(nonce, aad, text) == sealed and aead.open(nonce, aad, sealed) == text
    return aead.open(nonce, aad, sealed) is None


def test_aes_gcm(implementation: CryptoProvider) -> None:
    tests = cases("aes_gcm_test")
    results = ((test["tcId"], aead_is_right(implementation, GCM[group["keySize"]], test)) for group, test in tests)
    assert mismatches("aes_gcm_test", results) == []


def test_chacha20_poly1305(implementation: CryptoProvider) -> None:
    tests = cases("chacha20_poly1305_test")
    results = ((test["tcId"], aead_is_right(implementation, CHACHA, test)) for _, test in tests)
    assert mismatches("chacha20_poly1305_test", results) == []


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_hmac(implementation: CryptoProvider, algorithm: str) -> None:
    name = f"hmac_{algorithm}_test"

    def results() -> Iterator[tuple[int, bool]]:
        for group, test in cases(name):
            tag = hmac_tag(implementation, algorithm, unhex(test, "key"), unhex(test, "msg"))
            same = tag[: group["tagSize"] // 8] == unhex(test, "tag")
            yield test["tcId"], same == (test["result"] == "valid")

    assert mismatches(name, results()) == []


# ---- Signatures ----------------------------------------------------------------------------------


def verifies(provider: CryptoProvider, scheme: SignatureScheme, spki: bytes, test: dict[str, Any]) -> bool:
    try:
        provider.verify(scheme, spki, unhex(test, "sig"), unhex(test, "msg"))
    except BadSignature:
        return False
    return True


@pytest.mark.parametrize("name", SIGNATURE_SCHEMES)
def test_signatures(implementation: CryptoProvider, name: str) -> None:
    """The one «acceptable» of each rsa_signature file is a DigestInfo without NULL, which is right (SKE-20)."""

    def results() -> Iterator[tuple[int, bool]]:
        for group, test in cases(name):
            spki = bytes.fromhex(group["publicKeyDer"])
            verified = verifies(implementation, SIGNATURE_SCHEMES[name][group["sha"]], spki, test)
            yield test["tcId"], verified == (test["result"] != "invalid")

    assert mismatches(name, results()) == []


@pytest.mark.parametrize("name", GENERATED_FILES)
def test_generated_pkcs1_signatures(provider: CryptoProvider, name: str) -> None:
    results = (
        (test["tcId"], verifies(provider, PKCS1[group["sha"]], public_key_of(group["privateKeyPkcs8"]), test))
        for group, test in cases(name)
    )
    assert mismatches(name, results) == []
