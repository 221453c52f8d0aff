"""What tests must see or change inside an engine, and TLS 1.2's key derivation written a second time."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, NamedTuple

from lighttls.crypto import Suite

NUMBERS = {"sha256": 4, "sha384": 5, "sha512": 6}  # RFC 5246 §7.4.1.4.1


def core() -> tuple[Any, Any]:
    """ffi and lib of the C core."""
    from lighttls.crypto._core import ffi, lib

    return ffi, lib


def premaster_bytes(premaster: Any) -> bytes:
    """The secret inside a premaster of either engine."""
    if hasattr(premaster, "secret"):
        return bytes(premaster.secret)
    ffi, lib = core()
    out = ffi.new("uint8_t[66]")
    return bytes(ffi.buffer(out, lib.lt_test_premaster_get(premaster.context, out)))


def server_side(schedule: Any) -> tuple[Any, Any]:
    """Sealer and opener of the server: the client's keys, the other way round."""
    sealer, opener = schedule.record_keys()
    return type(sealer)(opener._keys), type(opener)(sealer._keys)


def set_sequence(direction: Any, number: int) -> None:
    """Make `number` the next sequence number of a sealer or opener."""
    if hasattr(direction._keys, "sequence"):
        direction._keys.sequence = number
    else:
        core()[1].lt_test_record_keys_sequence(direction._keys, number)


def prf(provider: Any, algorithm: str, secret: bytes, label: bytes, seed: bytes, length: int) -> bytes:
    """The PRF of one engine."""
    if provider.name == "pure":
        from lighttls.crypto import pure

        return pure.prf(algorithm, secret, label, seed, length)
    ffi, lib = core()
    out = ffi.new("uint8_t[]", length)
    status = lib.lt_test_prf(out, length, NUMBERS[algorithm], secret, len(secret), label, len(label), seed, len(seed))
    assert status == 0
    return bytes(ffi.buffer(out))


def expected_prf(algorithm: str, secret: bytes, label: bytes, seed: bytes, length: int) -> bytes:
    """RFC 5246 §5 once more, by the streaming interface of `hmac` instead of the one-shot one."""

    def mac(*parts: bytes) -> bytes:
        running = hmac.new(secret, digestmod=getattr(hashlib, algorithm))
        for part in parts:
            running.update(part)
        return running.digest()

    blocks: list[bytes] = []
    a = mac(label, seed)
    while sum(map(len, blocks)) < length:
        blocks.append(mac(a, label, seed))
        a = mac(a)
    return b"".join(blocks)[:length]


class KeyBlock(NamedTuple):
    client_key: bytes
    server_key: bytes
    client_iv: bytes
    server_iv: bytes


def expected_key_block(suite: Suite, master: bytes, client_random: bytes, server_random: bytes) -> KeyBlock:
    """RFC 5246 §6.3 without MAC keys."""
    lengths = (suite.key_length, suite.key_length, suite.fixed_iv_length, suite.fixed_iv_length)
    block = expected_prf(suite.prf_hash, master, b"key expansion", server_random + client_random, sum(lengths))
    parts = []
    for length in lengths:
        parts.append(block[:length])
        block = block[length:]
    return KeyBlock(*parts)
