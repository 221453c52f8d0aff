"""Profiles: named sets of defaults for what the ClientHello offers. Whatever a configuration sets itself wins."""

from __future__ import annotations

from lighttls._struct import struct
from lighttls._typing import Final
from lighttls.crypto.suites import DEFAULT_SUITES
from lighttls.iana import CipherSuite, NamedGroup, SignatureScheme


@struct
class Profile:
    """What is offered where the configuration does not say it, and in how many bytes."""

    cipher_suites: tuple[int, ...]
    groups: tuple[NamedGroup, ...]
    signature_schemes: tuple[SignatureScheme, ...]
    lean_hello: bool
    """No ec_point_formats (RFC 8422 §4), the SCSV instead of renegotiation_info (RFC 5746 §3.4), and the shortest ID
    beside a ticket (RFC 5077 §3.4)."""


DEFAULT: Final = Profile(
    cipher_suites=DEFAULT_SUITES,
    groups=(NamedGroup.X25519, NamedGroup.SECP256R1, NamedGroup.SECP384R1),
    signature_schemes=(
        SignatureScheme.ECDSA_SECP256R1_SHA256,
        SignatureScheme.RSA_PSS_RSAE_SHA256,
        SignatureScheme.RSA_PKCS1_SHA256,
        SignatureScheme.ECDSA_SECP384R1_SHA384,
        SignatureScheme.RSA_PSS_RSAE_SHA384,
        SignatureScheme.RSA_PKCS1_SHA384,
        SignatureScheme.ECDSA_SECP521R1_SHA512,
        SignatureScheme.RSA_PSS_RSAE_SHA512,
        SignatureScheme.RSA_PKCS1_SHA512,
    ),
    lean_hello=False,
)

# ECDSA alone, so that no server sends an RSA chain: that is half as long again. ChaCha20-Poly1305 first: its
# records are 8 bytes shorter than those of AES-GCM. P-256 is what nearly all ECDSA certificates hold; x25519 beside it
# takes 2 bytes here and saves 66 in the key exchange. SHA-384 is there for the authorities above P-256 leaves.
CELLULAR: Final = Profile(
    cipher_suites=(
        CipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ),
    groups=(NamedGroup.X25519, NamedGroup.SECP256R1),
    signature_schemes=(SignatureScheme.ECDSA_SECP256R1_SHA256, SignatureScheme.ECDSA_SECP384R1_SHA384),
    lean_hello=True,
)

PROFILES: Final = {"default": DEFAULT, "cellular": CELLULAR}
