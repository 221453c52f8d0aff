"""Wycheproof's published vectors (ORIGINS.md says whence): which files and groups apply, and how many cases run."""

from __future__ import annotations

import functools
import gzip
import json
from collections.abc import Iterable, Iterator
from typing import Any

from lighttls.iana import SignatureScheme
from support import require

SKIPPED = {
    "aes_gcm_test": {
        "keySize 192": "TLS has no suite with AES-192",
        "ivSize other than 96": "TLS has 96-bit nonces only, and so has our interface",
    },
    "chacha20_poly1305_test": {"ivSize other than 96": "RFC 7905 has 96-bit nonces only, and so has our interface"},
    "rsa_pkcs1_2048_sig_gen_test": {"sha SHA-224": "no signature scheme with SHA-224"},
}
"""What does not run, and why: whole groups, by field and value. `mismatches` checks how many tests run for all that."""

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

ECDSA_FILES = {
    f"ecdsa_{curve}_test": count
    for curve, count in (
        ("secp256r1_sha256", 484), ("secp256r1_sha512", 554), ("secp384r1_sha256", 472),
        ("secp384r1_sha384", 504), ("secp384r1_sha512", 542), ("secp521r1_sha512", 542),
    )
}  # fmt: skip
PKCS1_FILES = {
    f"rsa_signature_{key}_test": count
    for key, count in (
        ("2048_sha256", 259), ("2048_sha384", 258), ("2048_sha512", 259),
        ("3072_sha256", 259), ("3072_sha384", 259), ("3072_sha512", 260),
        ("4096_sha256", 258), ("4096_sha384", 259), ("4096_sha512", 259), ("8192_sha256", 258),
    )
}  # fmt: skip
PSS_FILES = {
    f"rsa_pss_{key}_test": count
    for key, count in (
        ("2048_sha256_mgf1_32", 108), ("2048_sha384_mgf1_48", 141), ("3072_sha256_mgf1_32", 108),
        ("4096_sha256_mgf1_32", 108), ("4096_sha384_mgf1_48", 141), ("4096_sha512_mgf1_64", 179),
    )
}  # fmt: skip
GENERATED_FILES = {
    "rsa_pkcs1_2048_sig_gen_test": 35,
    "rsa_pkcs1_3072_sig_gen_test": 26,
    "rsa_pkcs1_4096_sig_gen_test": 24,
}
"""Signatures that are all right; «acceptable» means a weak hash or a small exponent, which is for policies to judge."""

SIGNATURE_SCHEMES = {
    **dict.fromkeys(ECDSA_FILES, ECDSA),
    **dict.fromkeys(PKCS1_FILES, PKCS1),
    **dict.fromkeys(PSS_FILES, PSS),
}
"""The scheme of a signature file's group is the one of its hash."""

COUNTS = {
    "x25519_test": 518,
    "ecdh_secp256r1_ecpoint_test": 355,
    "ecdh_secp384r1_ecpoint_test": 790,
    "aes_gcm_test": 133,
    "chacha20_poly1305_test": 316,
    **dict.fromkeys(("hmac_sha256_test", "hmac_sha384_test", "hmac_sha512_test"), 174),
    **ECDSA_FILES,
    **PKCS1_FILES,
    **PSS_FILES,
    **GENERATED_FILES,
}
"""How many cases of each file run."""


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


def mismatches(name: str, results: Iterable[tuple[int, bool]]) -> list[int]:
    """The ids of a file's tests that went wrong; as many as expected must have run."""
    seen = list(results)
    assert len(seen) == COUNTS[name]
    return [number for number, right in seen if not right]


@functools.cache
def public_key_of(pkcs8: str) -> bytes:
    """SubjectPublicKeyInfo of a private key, which is well known to be sound."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

    private_key = load_der_private_key(bytes.fromhex(pkcs8), None, unsafe_skip_rsa_key_validation=True)
    return private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
