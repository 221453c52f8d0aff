"""Code points of TLS 1.2, by the numbers IANA registered for them.

A value on the wire may be any number: messages keep plain integers, and these enums name the
ones we know. Numbers: IANA's registries of TLS; RFC 5246, 6066, 7250, 7301, 7627, 8422, 8446, 9325.
"""

from enum import IntEnum

from lighttls._typing import Final

TLS12: Final = 0x0303


class ContentType(IntEnum):
    """What a record carries (RFC 5246 §6.2.1)."""

    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION_DATA = 23


class HandshakeType(IntEnum):
    """What a handshake message is (RFC 5246 §7.4)."""

    HELLO_REQUEST = 0
    CLIENT_HELLO = 1
    SERVER_HELLO = 2
    NEW_SESSION_TICKET = 4
    CERTIFICATE = 11
    SERVER_KEY_EXCHANGE = 12
    CERTIFICATE_REQUEST = 13
    SERVER_HELLO_DONE = 14
    CERTIFICATE_VERIFY = 15
    CLIENT_KEY_EXCHANGE = 16
    FINISHED = 20
    CERTIFICATE_STATUS = 22


class AlertLevel(IntEnum):
    """How serious an alert is (RFC 5246 §7.2)."""

    WARNING = 1
    FATAL = 2


class Alert(IntEnum):
    """Alert descriptions (RFC 5246 §7.2, 6066 §9, 7301 §3.2, 7507, 4279)."""

    CLOSE_NOTIFY = 0
    UNEXPECTED_MESSAGE = 10
    BAD_RECORD_MAC = 20
    DECRYPTION_FAILED = 21
    RECORD_OVERFLOW = 22
    DECOMPRESSION_FAILURE = 30
    HANDSHAKE_FAILURE = 40
    NO_CERTIFICATE = 41
    BAD_CERTIFICATE = 42
    UNSUPPORTED_CERTIFICATE = 43
    CERTIFICATE_REVOKED = 44
    CERTIFICATE_EXPIRED = 45
    CERTIFICATE_UNKNOWN = 46
    ILLEGAL_PARAMETER = 47
    UNKNOWN_CA = 48
    ACCESS_DENIED = 49
    DECODE_ERROR = 50
    DECRYPT_ERROR = 51
    EXPORT_RESTRICTION = 60
    PROTOCOL_VERSION = 70
    INSUFFICIENT_SECURITY = 71
    INTERNAL_ERROR = 80
    INAPPROPRIATE_FALLBACK = 86
    USER_CANCELED = 90
    NO_RENEGOTIATION = 100
    MISSING_EXTENSION = 109
    UNSUPPORTED_EXTENSION = 110
    CERTIFICATE_UNOBTAINABLE = 111
    UNRECOGNIZED_NAME = 112
    BAD_CERTIFICATE_STATUS_RESPONSE = 113
    BAD_CERTIFICATE_HASH_VALUE = 114
    UNKNOWN_PSK_IDENTITY = 115
    CERTIFICATE_REQUIRED = 116
    NO_APPLICATION_PROTOCOL = 120


class CipherSuite(IntEnum):
    """The suites we speak: ECDHE or a pre-shared key, with an AEAD (RFC 5289, 5487, 6655, 7251, 7905, 8442)."""

    TLS_PSK_WITH_AES_128_GCM_SHA256 = 0x00A8
    TLS_PSK_WITH_AES_256_GCM_SHA384 = 0x00A9
    TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 = 0xC02B
    TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 = 0xC02C
    TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 = 0xC02F
    TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 = 0xC030
    TLS_PSK_WITH_AES_128_CCM = 0xC0A4
    TLS_PSK_WITH_AES_256_CCM = 0xC0A5
    TLS_PSK_WITH_AES_128_CCM_8 = 0xC0A8
    TLS_PSK_WITH_AES_256_CCM_8 = 0xC0A9
    TLS_ECDHE_ECDSA_WITH_AES_128_CCM = 0xC0AC
    TLS_ECDHE_ECDSA_WITH_AES_256_CCM = 0xC0AD
    TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8 = 0xC0AE
    TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8 = 0xC0AF
    TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 = 0xCCA8
    TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 = 0xCCA9
    TLS_PSK_WITH_CHACHA20_POLY1305_SHA256 = 0xCCAB
    TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256 = 0xCCAC
    TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256 = 0xD001
    TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384 = 0xD002
    TLS_ECDHE_PSK_WITH_AES_128_CCM_8_SHA256 = 0xD003
    TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256 = 0xD005


RENEGOTIATION_SCSV: Final = 0x00FF
"""A signal in the list of suites, and never chosen: as much as an empty renegotiation_info (RFC 5746 §3.3)."""

FALLBACK_SCSV: Final = 0x5600
"""A signal in the list of suites, and never chosen: the client tried a higher version before (RFC 7507)."""


class NamedGroup(IntEnum):
    """Groups for ECDHE and curves of certificate keys (RFC 8422 §5.1.1)."""

    SECP256R1 = 23
    SECP384R1 = 24
    SECP521R1 = 25
    X25519 = 29


class SignatureScheme(IntEnum):
    """A signature algorithm and its hash (RFC 8446 §4.2.3; in TLS 1.2 ECDSA binds the hash only)."""

    RSA_PKCS1_SHA1 = 0x0201
    ECDSA_SHA1 = 0x0203
    RSA_PKCS1_SHA256 = 0x0401
    RSA_PKCS1_SHA384 = 0x0501
    RSA_PKCS1_SHA512 = 0x0601
    ECDSA_SECP256R1_SHA256 = 0x0403
    ECDSA_SECP384R1_SHA384 = 0x0503
    ECDSA_SECP521R1_SHA512 = 0x0603
    RSA_PSS_RSAE_SHA256 = 0x0804
    RSA_PSS_RSAE_SHA384 = 0x0805
    RSA_PSS_RSAE_SHA512 = 0x0806


class ExtensionType(IntEnum):
    """Hello extensions (RFC 6066, 5246, 5746, 7250, 7301, 7627, 8422)."""

    SERVER_NAME = 0
    MAX_FRAGMENT_LENGTH = 1
    STATUS_REQUEST = 5
    SUPPORTED_GROUPS = 10
    EC_POINT_FORMATS = 11
    SIGNATURE_ALGORITHMS = 13
    APPLICATION_LAYER_PROTOCOL_NEGOTIATION = 16
    SIGNED_CERTIFICATE_TIMESTAMP = 18
    CLIENT_CERTIFICATE_TYPE = 19
    SERVER_CERTIFICATE_TYPE = 20
    EXTENDED_MASTER_SECRET = 23
    RECORD_SIZE_LIMIT = 28
    SESSION_TICKET = 35
    SIGNATURE_ALGORITHMS_CERT = 50
    RENEGOTIATION_INFO = 0xFF01


FRAGMENT_LENGTHS: Final = {512: 1, 1024: 2, 2048: 3, 4096: 4}
"""Lengths in bytes that max_fragment_length can ask for, and the codes that do (RFC 6066 §4)."""


OCSP: Final = 1
"""The only kind of certificate status (RFC 6066 §8)."""


class CertificateType(IntEnum):
    """What a Certificate message carries (RFC 7250 §7)."""

    X509 = 0
    OPENPGP = 1
    RAW_PUBLIC_KEY = 2


class ClientCertificateType(IntEnum):
    """What a server may ask of a client certificate's key (RFC 5246 §7.4.4, 8422 §5.5)."""

    RSA_SIGN = 1
    ECDSA_SIGN = 64


def name_of(enum: type[IntEnum], value: int) -> str:
    """Name a code point for people: lower case if known, else hexadecimal."""
    try:
        return enum(value).name.lower()
    except ValueError:
        return f"0x{value:02x}" if value < 256 else f"0x{value:04x}"
