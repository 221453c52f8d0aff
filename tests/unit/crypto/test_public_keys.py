"""Public keys that return are prepared by the native engine: when, how many, and that no verdict depends on it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lighttls.errors import BadSignature
from lighttls.iana import SignatureScheme
from support import engines, require

SCHEME = SignatureScheme.ECDSA_SECP256R1_SHA256
MESSAGE = b"lighttls"
ENOUGH = 4  # sights, for a key to be prepared
MOST = 8  # prepared keys


@cache
def signed(number: int = 0) -> tuple[bytes, bytes]:
    """A key of its own for each number, and a signature by it."""
    key = ec.generate_private_key(ec.SECP256R1())
    return spki(key), key.sign(MESSAGE, ec.ECDSA(hashes.SHA256()))


def spki(key: Any) -> bytes:
    encoded: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded


@pytest.fixture
def native() -> Any:
    require.native()
    return engines.provider("native")


def prepared(provider: Any) -> list[bytes]:
    return list(provider._public_keys.prepared)


def prepares() -> bool:
    """Whether this processor gains by it."""
    return bool(engines.cpu_features() & engines.CPU_FEATURES["ifma"])


needs_gain = pytest.mark.skipif(not prepares(), reason="this processor has no AVX-512 IFMA: no key is prepared on it")


def see(provider: Any, number: int, times: int = 1) -> None:
    for _ in range(times):
        provider.verify(SCHEME, *signed(number), MESSAGE)


@needs_gain
def test_key_is_prepared_at_its_fourth_good_signature(native: Any) -> None:
    see(native, 0, ENOUGH - 1)
    assert prepared(native) == []
    see(native, 0)
    assert prepared(native) == [signed(0)[0]]
    see(native, 0, 3)
    assert prepared(native) == [signed(0)[0]]


@needs_gain
def test_wrong_signatures_do_not_count(native: Any) -> None:
    for _ in range(2 * ENOUGH):
        with pytest.raises(BadSignature):
            native.verify(SCHEME, *signed(0), b"another")
    see(native, 0, ENOUGH - 1)
    assert prepared(native) == []


def test_verdicts_under_a_key_that_returns_are_the_same(native: Any) -> None:
    public, signature = signed(0)
    for _ in range(3 * ENOUGH):
        native.verify(SCHEME, public, signature, MESSAGE)
        native.verify(SCHEME, public, signature, memoryview(MESSAGE))
        for scheme, data, message in [
            (SCHEME, signature, b"another"),
            (SCHEME, signature[:-1], MESSAGE),
            (SCHEME, b"", MESSAGE),
            (SignatureScheme.ECDSA_SECP384R1_SHA384, signature, MESSAGE),
            (SignatureScheme.RSA_PKCS1_SHA256, signature, MESSAGE),
            (0x0807, signature, MESSAGE),
        ]:
            with pytest.raises(BadSignature):
                native.verify(scheme, public, data, message)


@needs_gain
def test_last_keys_are_kept_and_all_verify(native: Any) -> None:
    for number in range(MOST + 2):
        see(native, number, ENOUGH)
    assert prepared(native) == [signed(number)[0] for number in range(2, MOST + 2)]
    for number in range(MOST + 2):
        see(native, number)


def test_keys_that_are_seen_once_do_not_pile_up(native: Any) -> None:
    for number in range(70):
        see(native, number)
    assert len(native._public_keys._sights) <= 64


@pytest.mark.parametrize("kind", ["p384", "rsa"])
def test_other_keys_are_not_prepared(native: Any, kind: str) -> None:
    if kind == "rsa":
        key: Any = rsa.generate_private_key(65537, 2048)
        scheme, signature = SignatureScheme.RSA_PKCS1_SHA256, key.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    else:
        key = ec.generate_private_key(ec.SECP384R1())
        scheme, signature = SCHEME, key.sign(MESSAGE, ec.ECDSA(hashes.SHA256()))
    for _ in range(2 * ENOUGH):
        native.verify(scheme, spki(key), signature, MESSAGE)
    assert prepared(native) == []


def test_key_is_not_prepared_where_nothing_is_gained(native: Any) -> None:
    with engines.restricted("portable"):
        see(native, 0, 2 * ENOUGH)
    assert prepared(native) == []
    see(native, 0, 2 * ENOUGH)


@needs_gain
def test_prepared_key_verifies_under_a_smaller_mask(native: Any) -> None:
    see(native, 0, ENOUGH)
    for mask in engines.masks_here():
        with engines.restricted(mask):
            see(native, 0)
            with pytest.raises(BadSignature):
                native.verify(SCHEME, *signed(0), b"another")


def test_threads_may_share_an_engine(native: Any) -> None:
    signed_by_all = [signed(number) for number in range(3 * MOST)]

    def work(offset: int) -> None:
        for i in range(300):
            public, signature = signed_by_all[(offset + i // 5) % len(signed_by_all)]
            native.verify(SCHEME, public, signature, MESSAGE)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(0, 3 * MOST, 6)))
    assert len(prepared(native)) <= MOST
