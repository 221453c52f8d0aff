"""The core's ECDSA signatures, bit for bit, against RFC 6979 written down in Python, and against `cryptography`.

`cryptography` verifies all of them, and makes the same ones itself where nothing is added to the nonce.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lighttls.crypto.provider import CryptoProvider, SigningKey
from lighttls.errors import InternalError
from support import engines, require

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
HASHES = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}

thorough = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
scalars = st.one_of(st.integers(1, 8), st.integers(N - 8, N - 1), st.integers(1, N - 1))


@pytest.fixture(params=engines.CPU_MASKS)
def core(request: pytest.FixtureRequest) -> Iterator[CryptoProvider]:
    """Each implementation of the native engine, the only one that signs by itself."""
    require.native()
    require.cpu_features(request.param)
    with engines.restricted(request.param):
        yield engines.provider("native")


def signing_key(core: CryptoProvider, scalar: int) -> SigningKey:
    taken = bytearray(scalar.to_bytes(32, "big"))
    key = core.signing_key(taken)
    assert taken == bytes(32)
    assert key is not None
    return key


def nonce(scalar: int, algorithm: str, digest: bytes, extra: bytes) -> int:
    """RFC 6979 §3.2, with the additional data of §3.6."""
    z = int.from_bytes(digest[:32], "big") % N
    seed = scalar.to_bytes(32, "big") + z.to_bytes(32, "big") + extra
    k, v = bytes(len(digest)), b"\1" * len(digest)
    for mark in (b"\0", b"\1"):
        k = hmac.digest(k, v + mark + seed, algorithm)
        v = hmac.digest(k, v, algorithm)
    while True:
        v = hmac.digest(k, v, algorithm)
        if 0 < int.from_bytes(v[:32], "big") < N:
            return int.from_bytes(v[:32], "big")
        k = hmac.digest(k, v + b"\0", algorithm)
        v = hmac.digest(k, v, algorithm)


def sign(scalar: int, algorithm: str, digest: bytes, extra: bytes) -> bytes:
    k = nonce(scalar, algorithm, digest, extra)
    r = ec.derive_private_key(k, ec.SECP256R1()).public_key().public_numbers().x % N
    z = int.from_bytes(digest[:32], "big")
    return encode_dss_signature(r, (z + r * scalar) * pow(k, -1, N) % N)


@thorough
@example(scalar=1, algorithm="sha256", message=None, extra=b"")
@example(scalar=N - 1, algorithm="sha512", message=None, extra=b"\xff" * 32)
@given(scalars, st.sampled_from(sorted(HASHES)), st.one_of(st.none(), st.binary(max_size=40)), st.binary(max_size=200))
def test_signature_is_that_of_rfc_6979(
    core: CryptoProvider, scalar: int, algorithm: str, message: bytes | None, extra: bytes
) -> None:
    """Without a message the digest is all ones, which is above the order."""
    key = signing_key(core, scalar)
    size = HASHES[algorithm].digest_size
    digest = b"\xff" * size if message is None else hashlib.new(algorithm, message).digest()
    signature = key.sign(digest, extra)
    assert signature == sign(scalar, algorithm, digest, extra)
    theirs = ec.derive_private_key(scalar, ec.SECP256R1())
    theirs.public_key().verify(signature, digest, ec.ECDSA(Prehashed(HASHES[algorithm])))


@thorough
@given(scalars, st.sampled_from(sorted(HASHES)), st.binary(max_size=40))
def test_signature_with_nothing_added_is_that_of_cryptography(
    core: CryptoProvider, scalar: int, algorithm: str, message: bytes
) -> None:
    key = signing_key(core, scalar)
    theirs = ec.derive_private_key(scalar, ec.SECP256R1())
    expected = theirs.sign(message, ec.ECDSA(HASHES[algorithm], deterministic_signing=True))
    assert key.sign(hashlib.new(algorithm, message).digest(), b"") == expected


@pytest.mark.parametrize("scalar", [bytes(32), N.to_bytes(32, "big"), b"\xff" * 32, b"\1" * 31, b"\1" * 33])
def test_what_is_no_private_key_is_an_error_and_wiped(core: CryptoProvider, scalar: bytes) -> None:
    taken = bytearray(scalar)
    with pytest.raises(InternalError):
        core.signing_key(taken)
    assert taken == bytes(len(scalar))


@pytest.mark.parametrize("size", [0, 20, 31, 33, 65])
def test_digest_of_another_length_is_an_error(core: CryptoProvider, size: int) -> None:
    key = signing_key(core, 1)
    with pytest.raises(InternalError):
        key.sign(bytes(size), b"")


def test_pure_engine_leaves_signing_to_cryptography() -> None:
    taken = bytearray(b"\1" * 32)
    assert engines.provider("pure").signing_key(taken) is None
    assert taken == bytes(32)
