"""What the engines share: how they draw entropy, and what they say when they refuse, in the same words."""

from __future__ import annotations

from lighttls._typing import Final
from lighttls.crypto.provider import Entropy
from lighttls.crypto.suites import SUITES
from lighttls.errors import (
    BadKey,
    BadRecordMac,
    BadSignature,
    DecryptError,
    EntropyError,
    IllegalParameter,
    InternalError,
    ProtocolVersion,
    RecordOverflow,
    UnexpectedMessage,
    UsageError,
)
from lighttls.iana import CipherSuite, ContentType, NamedGroup, SignatureScheme, name_of

CONTENT_TYPES: Final = frozenset(int(known) for known in ContentType)

SCALAR_DRAWS: Final = 8
"""Random bytes that are no private key come with a chance of 2^-32 at most: eight in a row is a broken source."""

RANDOM_LENGTH: Final = 32
MASTER_LENGTH: Final = 48
VERIFY_DATA_LENGTH: Final = 12  # RFC 5246 §7.4.9
SUITE_AT_REST: Final = SUITES[CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]
KEY_AT_REST_LENGTH: Final = 32
MAX_ECDH: Final = 66  # bytes of a shared secret
MAX_PSK: Final = 128  # bytes of a pre-shared key: RFC 4279 §5.3 wants 64, and more where it is easy
MAX_PLAINTEXT: Final = 1 << 14  # RFC 5246 §6.2.1; as many are legal (REC-10)


def draw(entropy: Entropy, length: int) -> bytearray:
    """Take exactly `length` random bytes, in a buffer that the caller wipes: the source's own if it can be."""
    return drawn(entropy(length), length)


def drawn(random: bytes | bytearray, length: int) -> bytearray:
    """The same with what the source gave."""
    if len(random) != length:
        raise EntropyError(f"the entropy source returned {len(random)} bytes, {length} were asked for")
    return random if isinstance(random, bytearray) else bytearray(random)


def check_lengths(client_random: bytes, server_random: bytes, master_secret: bytes | None = None) -> None:
    """Before C reads 32, 32 and 48 bytes of whatever it was given."""
    if not len(client_random) == len(server_random) == RANDOM_LENGTH:
        raise InternalError(f"a random has {RANDOM_LENGTH} bytes, not {len(client_random)} and {len(server_random)}")
    if master_secret is not None and len(master_secret) != MASTER_LENGTH:
        raise InternalError(f"a master secret has {MASTER_LENGTH} bytes, not {len(master_secret)}")


def secret_at_rest(key: bytes) -> bytes:
    """The master secret that stands for a key of kept data: no connection has one with this end but by chance."""
    if len(key) != KEY_AT_REST_LENGTH:
        raise InternalError(f"a key for kept data has {KEY_AT_REST_LENGTH} bytes, not {len(key)}")
    return bytes(key) + b"lighttls at rest"


def check_limit(limit: int) -> None:
    if not 0 < limit <= MAX_PLAINTEXT:
        raise InternalError(f"a record has 1 to {MAX_PLAINTEXT} bytes of plaintext, not up to {limit}")


def exporter_context(context: bytes | None) -> bytes:
    """What follows the randoms in an exporter's seed: nothing, or the context behind its length (EXP-01)."""
    if context is None:
        return b""
    if len(context) > 0xFFFF:
        raise UsageError(f"an exporter's context has at most 65535 bytes, not {len(context)}")
    return len(context).to_bytes(2, "big") + context


def bad_record() -> BadRecordMac:
    return BadRecordMac("a record failed authentication")  # REC-09: nothing that depends on secret bytes


def wrong_finished() -> DecryptError:
    return DecryptError("the server's Finished does not fit the handshake we saw")  # FIN-01, FIN-02


def long_record(length: int, limit: int) -> RecordOverflow:
    return RecordOverflow(f"a protected record announces {length} bytes, too many for a plaintext of at most {limit}")


def wrong_version(version: int) -> ProtocolVersion:
    return ProtocolVersion(f"a record carries version {version:#06x}, expected 0x0303")


def unknown_type(content_type: int) -> UnexpectedMessage:
    return UnexpectedMessage(f"a record has unknown content type {content_type}")


def worn_out_key() -> UsageError:
    return UsageError("this connection has sent as many records as its key may protect (REC-26); open a new one")


def keys_in_use() -> UsageError:
    return UsageError("two threads use one connection at the same time; a connection belongs to one thread at a time")


def unacceptable_point(group: int) -> IllegalParameter:
    return IllegalParameter(f"the server's public key is not acceptable for {name_of(NamedGroup, group)}")


def no_public_key() -> BadKey:
    return BadKey("the public key is malformed, not on its curve, or not written in its usual form")


def wrong_signature(scheme: int) -> BadSignature:
    return BadSignature(f"the {name_of(SignatureScheme, scheme)} signature is wrong")


def no_private_key(group: int) -> EntropyError:
    return EntropyError(f"{SCALAR_DRAWS} draws of entropy gave no private key for {name_of(NamedGroup, group)}")


def foreign_premaster() -> InternalError:
    return InternalError("this premaster secret belongs to another engine")


def unknown_group(engine: str, group: int) -> InternalError:
    return InternalError(f"the {engine} engine has no group {group}")
