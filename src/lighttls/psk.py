"""Pre-shared keys: our identity and key, and how one of several is chosen (RFC 4279 §5).

Whoever has the key can play either side of it, and can read what was recorded under plain PSK. So a key belongs to one
client and one server and to no third: a group that shares one cannot tell its members apart. Nor does a device that is
client and server use one key for both, or what it says can be sent back to it as its peer's answer (PSK-13, RFC 9257
§4). This library is a client only and never sees the other role. A key is drawn at random; a password is none, since
one recorded handshake of plain PSK, or one attempt of a false server with ECDHE_PSK, lets it be guessed offline.
"""

from __future__ import annotations

from collections.abc import Callable

from lighttls._struct import struct
from lighttls._typing import Final, NoReturn
from lighttls.crypto.suites import CHACHA20_POLY1305, Suite
from lighttls.errors import ConfigurationError
from lighttls.iana import CipherSuite

SHORTEST_KEY: Final = 16  # bytes (PSK-03)
SHORTEST_KEY_OF_AES_256: Final = 24
LONGEST_KEY: Final = 128
LONGEST_IDENTITY: Final = 65_535  # bytes (PSK-02)


class Psk:
    """An identity, which the server sees and everybody on the way, and the key that goes with it.

    An identity given as text is sent in UTF-8, as RFC 4279 §5.1 wants it; bytes are sent as they are, for servers that
    know no text. The key has 16 to 128 bytes, with AES-256 at least 24, all of them random (RFC 4279 §7.2). It is
    copied, shows in no repr, and is overwritten when the last reference to this object goes; a `bytearray` that was
    handed in stays the caller's to wipe. It cannot be pickled, nor copied: a copy would wipe the key of both.
    Raises ConfigurationError.
    """

    __slots__ = ("identity", "key")

    identity: bytes
    key: bytearray

    def __init__(self, identity: str | bytes, key: bytes | bytearray) -> None:
        self.key = bytearray()
        self.identity = _identity(identity)
        if not isinstance(key, bytes | bytearray):
            raise ConfigurationError(
                f"a pre-shared key must be bytes, not {type(key).__name__}",
                hint="A password is no key: it can be guessed. Draw 16 or 32 random bytes for each device.",
            )
        if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
            raise ConfigurationError(
                f"a pre-shared key of {len(key)} bytes was given, it needs {SHORTEST_KEY} to {LONGEST_KEY}"
            )
        self.key = bytearray(key)

    def __repr__(self) -> str:
        return f"Psk({self.identity!r}, key of {len(self.key)} bytes)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Psk is neither pickled nor copied: make another one from its identity and key")

    def __del__(self) -> None:
        self.key[:] = bytes(len(self.key))


@struct
class PskRequest:
    """What is known when a key is needed: what a PSK selector is asked."""

    server_hostname: str
    cipher_suite: CipherSuite
    identity_hint: bytes | None  # as sent, at most 128 bytes; anybody can have put it there (PSK-04)


PskSelector = Callable[[PskRequest], Psk | None]
"""Chooses one of several pre-shared keys; None if there is none for this server, which ends the handshake.

Sessions are kept only if the function has an attribute `policy_id`, bytes that change whenever it would choose
otherwise.
"""


def check_strength(psk: Psk, suite: Suite) -> None:
    """A key should be no weaker than the cipher. Raises ConfigurationError (PSK-03)."""
    is_aes_256 = suite.key_length == 32 and suite.aead != CHACHA20_POLY1305
    if is_aes_256 and len(psk.key) < SHORTEST_KEY_OF_AES_256:
        raise ConfigurationError(
            f"a pre-shared key of {len(psk.key)} bytes was given, {suite.code.name} needs {SHORTEST_KEY_OF_AES_256}"
        )


def _identity(identity: str | bytes) -> bytes:
    if not isinstance(identity, str | bytes):
        raise ConfigurationError(f"a PSK identity must be text or bytes, not {type(identity).__name__}")
    try:
        encoded = identity.encode() if isinstance(identity, str) else identity
    except UnicodeEncodeError as cause:
        raise ConfigurationError(f"a PSK identity must have a form in UTF-8: {cause.reason}") from cause
    if len(encoded) > LONGEST_IDENTITY:
        raise ConfigurationError(
            f"a PSK identity of {len(encoded)} bytes was given, at most {LONGEST_IDENTITY} can be sent"
        )
    return encoded
