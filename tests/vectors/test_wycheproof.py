"""Wycheproof: published vectors full of edge cases (ORIGINS.md says whence).

They run on both engines, and on the native one once per implementation.
"""

from __future__ import annotations

import functools
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from lighttls.crypto import SUITES, CryptoProvider, Suite
from lighttls.errors import BadSignature, IllegalParameter
from lighttls.iana import CipherSuite, NamedGroup, SignatureScheme
from support import require
from support.inside import Aead, hmac_tag, premaster_bytes

SKIPPED = {
    "aes_gcm_test": {
        "keySize 192": "TLS has no suite with AES-192",
        "ivSize other than 96": "TLS has 96-bit nonces only, and so has our interface",
    },
    "chacha20_poly1305_test": {"ivSize other than 96": "RFC 7905 has 96-bit nonces only, and so has our interface"},
    "rsa_pkcs1_2048_sig_gen_test": {"sha SHA-224": "no signature scheme with SHA-224"},
}
"""What does not run, and why: whole groups, by field and value. `mismatches` checks how many tests run for all that."""

GCM = {
    128: SUITES[CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256],
    256: SUITES[CipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384],
}
CHACHA = SUITES[CipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256]

PKCS1 = {
    "SHA-1": SignatureScheme.RSA_PKCS1_SHA1,
    "SHA-256": SignatureScheme.RSA_PKCS1_SHA256,
    "SHA-384": SignatureScheme.RSA_PKCS1_SHA384,
    "SHA-512": SignatureScheme.RSA_PKCS1_SHA512,
}
PSS = {
    "SHA-256": SignatureScheme.RSA_PSS_RSAE_SHA256,
    "SHA-384": SignatureScheme.RSA_PSS_RSAE_SHA384,
    "SHA-512": SignatureScheme.RSA_PSS_RSAE_SHA512,
}
ECDSA = {
    "SHA-256": SignatureScheme.ECDSA_SECP256R1_SHA256,
    "SHA-384": SignatureScheme.ECDSA_SECP384R1_SHA384,
    "SHA-512": SignatureScheme.ECDSA_SECP521R1_SHA512,
}


@functools.cache
def groups(name: str) -> list[dict[str, Any]]:
    with gzip.open(require.vectors(f"wycheproof/{name}.json.gz")) as file:
        found: list[dict[str, Any]] = json.load(file)["testGroups"]
    return found


def skipped(name: str, group: dict[str, Any]) -> bool:
    """Whether a group matches a line of SKIPPED."""
    for line in SKIPPED.get(name, {}):
        field, _, value = line.partition(" ")
        other_than = value.removeprefix("other than ")
        if str(group[field]) == value or (other_than != value and str(group[field]) != other_than):
            return True
    return False


def cases(name: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(group, test) of all that run."""
    for group in groups(name):
        if not skipped(name, group):
            for test in group["tests"]:
                yield group, test


def unhex(test: dict[str, Any], field: str) -> bytes:
    return bytes.fromhex(test[field])


def mismatches(results: Iterator[tuple[int, bool]], expected_count: int) -> list[int]:
    """The ids of tests that went wrong; as many as expected must have run."""
    seen = list(results)
    assert len(seen) == expected_count
    return [number for number, right in seen if not right]


# ---- Key exchange --------------------------------------------------------------------------------


def shared(provider: CryptoProvider, group: NamedGroup, private: bytes, public: bytes) -> bytes | None:
    """ECDH, or None if the peer's public key is refused."""
    try:
        return premaster_bytes(provider.key_share(group, lambda _: private).derive(public))
    except IllegalParameter:
        return None


def test_x25519(implementation: CryptoProvider) -> None:
    """«acceptable» are twist, small and non-canonical points, which RFC 7748 takes, and all-zero results (SKE-10)."""

    def results() -> Iterator[tuple[int, bool]]:
        for _, test in cases("x25519_test"):
            expected = None if "ZeroSharedSecret" in test["flags"] else unhex(test, "shared")
            got = shared(implementation, NamedGroup.X25519, unhex(test, "private"), unhex(test, "public"))
            yield test["tcId"], got == expected

    assert mismatches(results(), 518) == []


def ecdh_results(provider: CryptoProvider, name: str, group: NamedGroup, length: int) -> Iterator[tuple[int, bool]]:
    """The one «acceptable» is a compressed point, which we refuse (SKE-05)."""
    for _, test in cases(name):
        private = int(test["private"], 16).to_bytes(length, "big")
        expected = unhex(test, "shared") if test["result"] == "valid" else None
        yield test["tcId"], shared(provider, group, private, unhex(test, "public")) == expected


def test_ecdh_secp256r1(implementation: CryptoProvider) -> None:
    results = ecdh_results(implementation, "ecdh_secp256r1_ecpoint_test", NamedGroup.SECP256R1, 32)
    assert mismatches(results, 355) == []


def test_ecdh_secp384r1(provider: CryptoProvider) -> None:
    """Not in C, so that it does not depend on the processor."""
    results = ecdh_results(provider, "ecdh_secp384r1_ecpoint_test", NamedGroup.SECP384R1, 48)
    assert mismatches(results, 790) == []


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
    assert mismatches(results, 133) == []


def test_chacha20_poly1305(implementation: CryptoProvider) -> None:
    tests = cases("chacha20_poly1305_test")
    results = ((test["tcId"], aead_is_right(implementation, CHACHA, test)) for _, test in tests)
    assert mismatches(results, 316) == []


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_hmac(implementation: CryptoProvider, algorithm: str) -> None:
    def results() -> Iterator[tuple[int, bool]]:
        for group, test in cases(f"hmac_{algorithm}_test"):
            tag = hmac_tag(implementation, algorithm, unhex(test, "key"), unhex(test, "msg"))
            same = tag[: group["tagSize"] // 8] == unhex(test, "tag")
            yield test["tcId"], same == (test["result"] == "valid")

    assert mismatches(results(), 174) == []


# ---- Signatures ----------------------------------------------------------------------------------


def verifies(provider: CryptoProvider, scheme: SignatureScheme, spki: bytes, test: dict[str, Any]) -> bool:
    try:
        provider.verify(scheme, spki, unhex(test, "sig"), unhex(test, "msg"))
    except BadSignature:
        return False
    return True


SIGNATURE_FILES = [
    *((f"ecdsa_{curve}_test", ECDSA, count) for curve, count in (
        ("secp256r1_sha256", 484), ("secp256r1_sha512", 554), ("secp384r1_sha256", 472),
        ("secp384r1_sha384", 504), ("secp384r1_sha512", 542), ("secp521r1_sha512", 542),
    )),
    *((f"rsa_signature_{key}_test", PKCS1, count) for key, count in (
        ("2048_sha256", 259), ("2048_sha384", 258), ("2048_sha512", 259),
        ("3072_sha256", 259), ("3072_sha384", 259), ("3072_sha512", 260),
        ("4096_sha256", 258), ("4096_sha384", 259), ("4096_sha512", 259), ("8192_sha256", 258),
    )),
    *((f"rsa_pss_{key}_test", PSS, count) for key, count in (
        ("2048_sha256_mgf1_32", 108), ("2048_sha384_mgf1_48", 141), ("3072_sha256_mgf1_32", 108),
        ("4096_sha256_mgf1_32", 108), ("4096_sha384_mgf1_48", 141), ("4096_sha512_mgf1_64", 179),
    )),
]  # fmt: skip


@pytest.mark.parametrize(("name", "schemes", "count"), SIGNATURE_FILES, ids=[row[0] for row in SIGNATURE_FILES])
def test_signatures(implementation: CryptoProvider, name: str, schemes: dict[str, SignatureScheme], count: int) -> None:
    """The one «acceptable» of each rsa_signature file is a DigestInfo without NULL, which is right (SKE-20)."""

    def results() -> Iterator[tuple[int, bool]]:
        for group, test in cases(name):
            spki = bytes.fromhex(group["publicKeyDer"])
            verified = verifies(implementation, schemes[group["sha"]], spki, test)
            yield test["tcId"], verified == (test["result"] != "invalid")

    assert mismatches(results(), count) == []


@functools.cache
def public_key_of(pkcs8: str) -> bytes:
    """SubjectPublicKeyInfo of a private key, which is well known to be sound."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

    private_key = load_der_private_key(bytes.fromhex(pkcs8), None, unsafe_skip_rsa_key_validation=True)
    return private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(("size", "count"), [(2048, 35), (3072, 26), (4096, 24)])
def test_generated_pkcs1_signatures(provider: CryptoProvider, size: int, count: int) -> None:
    """All are right; «acceptable» means a weak hash or a small exponent here, which is for policies to judge."""
    tests = cases(f"rsa_pkcs1_{size}_sig_gen_test")
    results = (
        (test["tcId"], verifies(provider, PKCS1[group["sha"]], public_key_of(group["privateKeyPkcs8"]), test))
        for group, test in tests
    )
    assert mismatches(results, count) == []
