"""aead_seal: how a file of sessions is sealed, by the engine that protects records."""

from __future__ import annotations

import os
from collections.abc import Callable

from lighttls._typing import TYPE_CHECKING, Final
from lighttls.errors import ConfigurationError, LightTLSError

if TYPE_CHECKING:
    from lighttls.crypto.provider import CryptoProvider

_HEAD: Final = b"\1"  # how it is sealed: AES-256-GCM
_SALT: Final = 32
_LENGTH: Final = 8
_CONTENT: Final = 23  # application_data: the engine opens many such records at once
_PIECE: Final = 1 << 14


def aead_seal(
    key: bytes, provider: CryptoProvider | None = None
) -> tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]:
    """A pair (seal, unseal) of a 32-byte secret key, which must outlive the file: `FileSessionStore(path, *pair)`.

    AES-256-GCM under keys that are derived anew from a 32-byte salt each time, so that no nonce repeats however
    often it is sealed. Raises ConfigurationError if `key` has another length.
    """
    if len(key) != 32:
        raise ConfigurationError(f"aead_seal: the key has {len(key)} bytes; it must be 32 random ones")
    secret = bytes(key)

    def engine() -> CryptoProvider:
        if provider is not None:
            return provider
        from lighttls.crypto import default_provider  # not before it is needed: it loads the C core

        return default_provider()

    def seal(data: bytes) -> bytes:
        salt = os.urandom(_SALT)
        sealer, _ = engine().at_rest(secret, salt)
        return _HEAD + salt + sealer.seal(_CONTENT, len(data).to_bytes(_LENGTH, "big") + data, _PIECE)

    def unseal(data: bytes) -> bytes:
        head, salt, rest = data[:1], data[1 : 1 + _SALT], data[1 + _SALT :]
        if head != _HEAD or len(salt) != _SALT or not rest:
            raise ConfigurationError("this was not sealed by aead_seal")
        _, opener = engine().at_rest(secret, salt)
        parts: list[bytes] = []
        while rest:
            try:
                records, consumed = opener.open(rest, _PIECE)
            except LightTLSError as cause:
                raise ConfigurationError("this was sealed with another key, or altered") from cause
            if not consumed:  # inside a record
                raise ConfigurationError("this was cut short")
            parts += [plaintext for _, plaintext in records]
            rest = rest[consumed:]
        whole = b"".join(parts)
        if int.from_bytes(whole[:_LENGTH], "big") != len(whole) - _LENGTH:  # records were cut off at the end
            raise ConfigurationError("this was cut short")
        return whole[_LENGTH:]

    return seal, unseal
