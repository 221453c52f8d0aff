"""What each cipher suite stands for: AEAD, PRF hash, key exchange, and what proves the server's identity."""

from __future__ import annotations

from lighttls._struct import struct
from lighttls._typing import Final
from lighttls.iana import CipherSuite

SHA256: Final = "sha256"
SHA384: Final = "sha384"
SHA512: Final = "sha512"

AES_GCM: Final = "aes-gcm"
AES_CCM: Final = "aes-ccm"
CHACHA20_POLY1305: Final = "chacha20-poly1305"


@struct
class Suite:
    """One cipher suite's parameters (RFC 5288, 5289, 5487, 6655, 7251, 7905, 8442)."""

    code: CipherSuite
    key_type: str  # of the server's leaf: "ec", "rsa", or "" where a pre-shared key stands in its place
    ephemeral: bool  # whether ECDHE takes part; not with a plain pre-shared key
    aead: str
    key_length: int  # bytes
    fixed_iv_length: int  # bytes of the nonce that come from the key block
    explicit_nonce_length: int  # bytes of the nonce that travel in each record
    tag_length: int
    prf_hash: str
    record_limit: int  # records that one key may protect (REC-26)

    @property
    def expansion(self) -> int:
        """Bytes a protected record has beyond its plaintext, header not counted."""
        return self.explicit_nonce_length + self.tag_length

    @property
    def pre_shared(self) -> bool:
        """Whether both sides prove themselves by a pre-shared key, and no certificate is sent."""
        return not self.key_type


def _gcm(code: CipherSuite, key_type: str, key_length: int, prf_hash: str, *, ephemeral: bool = True) -> Suite:
    return Suite(code, key_type, ephemeral, AES_GCM, key_length, 4, 8, 16, prf_hash, 1 << 24)


def _chacha(code: CipherSuite, key_type: str, *, ephemeral: bool = True) -> Suite:
    return Suite(code, key_type, ephemeral, CHACHA20_POLY1305, 32, 12, 0, 16, SHA256, 1 << 48)


def _ccm(code: CipherSuite, key_type: str, key_length: int, tag_length: int, *, ephemeral: bool = True) -> Suite:
    return Suite(code, key_type, ephemeral, AES_CCM, key_length, 4, 8, tag_length, SHA256, 1 << 24)


# CH-04: nothing but AEAD, with an ephemeral key exchange or, where the caller has a key to give, a pre-shared one.
SUITES: Final[dict[int, Suite]] = {
    suite.code: suite
    for suite in (
        _gcm(CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ec", 16, SHA256),
        _gcm(CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "rsa", 16, SHA256),
        _gcm(CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "ec", 32, SHA384),
        _gcm(CipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "rsa", 32, SHA384),
        _chacha(CipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "ec"),
        _chacha(CipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "rsa"),
        _ccm(CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CCM, "ec", 16, 16),
        _ccm(CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CCM, "ec", 32, 16),
        _ccm(CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8, "ec", 16, 8),
        _ccm(CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8, "ec", 32, 8),
        _gcm(CipherSuite.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256, "", 16, SHA256),
        _gcm(CipherSuite.TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384, "", 32, SHA384),
        _chacha(CipherSuite.TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256, ""),
        _ccm(CipherSuite.TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256, "", 16, 16),
        _ccm(CipherSuite.TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256, "", 16, 8),
        _gcm(CipherSuite.TLS_PSK_WITH_AES_128_GCM_SHA256, "", 16, SHA256, ephemeral=False),
        _gcm(CipherSuite.TLS_PSK_WITH_AES_256_GCM_SHA384, "", 32, SHA384, ephemeral=False),
        _chacha(CipherSuite.TLS_PSK_WITH_CHACHA20_POLY1305_SHA256, "", ephemeral=False),
        _ccm(CipherSuite.TLS_PSK_WITH_AES_128_CCM, "", 16, 16, ephemeral=False),
        _ccm(CipherSuite.TLS_PSK_WITH_AES_256_CCM, "", 32, 16, ephemeral=False),
        _ccm(CipherSuite.TLS_PSK_WITH_AES_128_CCM_8, "", 16, 8, ephemeral=False),
        _ccm(CipherSuite.TLS_PSK_WITH_AES_256_CCM_8, "", 32, 8, ephemeral=False),
    )
}
"""Every suite we can speak, by code, in our order of preference (CH-05)."""

DEFAULT_SUITES: Final = tuple(code for code, suite in SUITES.items() if suite.aead != AES_CCM and not suite.pre_shared)
"""What is offered unless the caller lists suites: CCM serves small devices' servers, CCM_8's tag has 64 bits, a
pre-shared key proves who we are to everybody who has it, and a plain one protects no past traffic once it is known."""
