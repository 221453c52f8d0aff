"""The engines against each other, and against hashlib and `cryptography`, on inputs that hypothesis makes up.

The native engine runs once per implementation. Where engines may differ: speed, timing, and how many
records one call of `open` returns when there are more than fit the engine's buffer.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lighttls.crypto import SUITES, CryptoProvider, by_name
from lighttls.errors import IllegalParameter, LightTLSError
from lighttls.iana import NamedGroup
from support import engines
from support.inside import (
    Aead,
    KeyShare,
    expected_prf,
    hmac_tag,
    premaster_bytes,
    prf,
    server_side,
    server_verify_data,
)

PURE = by_name("pure")

pytestmark = pytest.mark.parametrize("implementation", [f"native:{mask}" for mask in engines.CPU_MASKS], indirect=True)

# The fixture says which implementation runs and is the same for every example of a test.
per_implementation = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

algorithms = st.sampled_from(["sha256", "sha384", "sha512"])
suites = st.sampled_from(list(SUITES.values()))
around_blocks = st.one_of(
    st.binary(max_size=300), st.integers(0, 1200).map(lambda size: bytes(i * 7 & 0xFF for i in range(size)))
)


# ---- Hashes and what is made of them -------------------------------------------------------------


@per_implementation
@given(algorithm=algorithms, data=around_blocks)
def test_digest_is_that_of_hashlib(implementation: CryptoProvider, algorithm: str, data: bytes) -> None:
    assert implementation.digest(algorithm, data) == hashlib.new(algorithm, data).digest()


@per_implementation
@given(algorithm=algorithms, key=around_blocks, data=around_blocks)
def test_hmac_is_that_of_the_standard_library(
    implementation: CryptoProvider, algorithm: str, key: bytes, data: bytes
) -> None:
    assert hmac_tag(implementation, algorithm, key, data) == hmac.digest(key, data, algorithm)


@per_implementation
@given(
    algorithm=st.sampled_from(["sha256", "sha384"]),
    secret=st.binary(max_size=200),
    label=st.binary(max_size=40),
    seed=around_blocks,
    length=st.integers(0, 300),
)
def test_prf_is_the_one_of_the_rfc(
    implementation: CryptoProvider, algorithm: str, secret: bytes, label: bytes, seed: bytes, length: int
) -> None:
    expected = expected_prf(algorithm, secret, label, seed, length)
    assert prf(implementation, algorithm, secret, label, seed, length) == expected


# ---- AEAD ----------------------------------------------------------------------------------------


@per_implementation
@given(
    suite=suites,
    key=st.binary(min_size=32, max_size=32),
    nonce=st.binary(min_size=12, max_size=12),
    aad=st.binary(max_size=70),
    text=around_blocks,
    flip=st.none() | st.integers(0),
)
def test_aead_is_that_of_cryptography(
    implementation: CryptoProvider, suite: Any, key: bytes, nonce: bytes, aad: bytes, text: bytes, flip: int | None
) -> None:
    native, pure = (Aead(engine, suite, key[: suite.key_length]) for engine in (implementation, PURE))
    sealed = pure.seal(nonce, aad, text)
    assert native.seal(nonce, aad, text) == sealed
    assert native.open(nonce, aad, sealed) == text
    if flip is not None:
        altered = bytearray(sealed)
        altered[flip // 8 % len(sealed)] ^= 1 << flip % 8
        assert native.open(nonce, aad, bytes(altered)) is None


@per_implementation
@given(suite=suites, size=st.integers(0, 16384), start=st.integers(0, 255))
def test_aead_of_long_texts_is_that_of_cryptography(
    implementation: CryptoProvider, suite: Any, size: int, start: int
) -> None:
    """Sizes around every stride that an implementation may have."""
    key, nonce = bytes(range(suite.key_length)), bytes(12)
    text = bytes(i * 31 + start & 0xFF for i in range(size))
    native, pure = (Aead(engine, suite, key) for engine in (implementation, PURE))
    sealed = native.seal(nonce, b"", text)
    assert sealed == pure.seal(nonce, b"", text)
    assert native.open(nonce, b"", sealed) == text


# ---- Key exchange --------------------------------------------------------------------------------


def exchange(engine: CryptoProvider, group: NamedGroup, scalar: bytes, peer: bytes) -> tuple[bytes, bytes | None]:
    """Our public key and the shared secret; None: the peer's key was refused."""
    share = KeyShare(engine, group, lambda _: scalar)
    try:
        return share.public, premaster_bytes(share.derive(peer))
    except IllegalParameter:
        return share.public, None


P25519 = 2**255 - 19
u_coordinates = st.one_of(
    st.binary(min_size=32, max_size=32),
    # 0 and 1, p - 1 to p + 1 and everything above: low order and not canonical, with and without the top bit.
    st.sampled_from([0, 1, 2, 9, *range(P25519 - 2, 2**255), *range(P25519 + 2**255 - 2, 2**256)]).map(
        lambda u: u.to_bytes(32, "little")
    ),
    st.binary(max_size=40),
)


@per_implementation
@given(scalar=st.binary(min_size=32, max_size=32), peer=u_coordinates)
def test_x25519_is_that_of_cryptography(implementation: CryptoProvider, scalar: bytes, peer: bytes) -> None:
    ours = exchange(implementation, NamedGroup.X25519, scalar, peer)
    assert ours == exchange(PURE, NamedGroup.X25519, scalar, peer)


P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
scalars = st.one_of(
    st.integers(1, P256_ORDER - 1),
    st.integers(1, 300),
    st.integers(P256_ORDER - 300, P256_ORDER - 1),
    st.integers(0, 255).map(lambda bit: min(1 << bit, P256_ORDER - 1)),
)


def point(scalar: int) -> bytes:
    public = ec.derive_private_key(scalar, ec.SECP256R1()).public_key()
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


points = scalars.map(point)
damaged_points = st.builds(
    lambda good, at, change: good[:at] + bytes((good[at] ^ change,)) + good[at + 1 :],
    points,
    st.integers(0, 64),
    st.integers(1, 255),
)
# Coordinates of p and above with what would be a point if they were reduced.
P256 = 2**256 - 2**224 + 2**192 + 2**96 - 1
large_points = st.builds(
    lambda x, y: b"\4" + x.to_bytes(32, "big") + y.to_bytes(32, "big"),
    st.integers(P256 - 3, 2**256 - 1),
    st.integers(0, 2**256 - 1),
)
peers = st.one_of(points, damaged_points, large_points, st.binary(max_size=70))


@per_implementation
@given(scalar=scalars, peer=peers)
@example(scalar=1, peer=point(1))
@example(scalar=2, peer=point(P256_ORDER - 1))
@example(scalar=P256_ORDER - 1, peer=point(P256_ORDER - 1))
@example(scalar=P256_ORDER - 2, peer=point(2))
def test_p256_is_that_of_cryptography(implementation: CryptoProvider, scalar: int, peer: bytes) -> None:
    secret = scalar.to_bytes(32, "big")
    ours = exchange(implementation, NamedGroup.SECP256R1, secret, peer)
    assert ours == exchange(PURE, NamedGroup.SECP256R1, secret, peer)


# ---- Key schedule and records --------------------------------------------------------------------


@per_implementation
@given(
    suite=suites,
    secret=st.binary(min_size=1, max_size=66),
    randoms=st.binary(min_size=64, max_size=64),
    session_hash=st.none() | st.binary(min_size=48, max_size=48),
    context=st.none() | st.binary(max_size=100),
)
def test_key_schedules_are_the_same(
    implementation: CryptoProvider,
    suite: Any,
    secret: bytes,
    randoms: bytes,
    session_hash: bytes | None,
    context: bytes | None,
) -> None:
    length = 48 if suite.prf_hash == "sha384" else 32
    session_hash = session_hash and session_hash[:length]
    results = []
    for engine in (implementation, PURE):
        premaster = engine.premaster(bytearray(secret))
        schedule = engine.key_schedule(suite, premaster, randoms[:32], randoms[32:], session_hash)
        results.append(
            (
                schedule.master_secret(),
                schedule.finished(randoms[:length]),
                schedule.finish(randoms[:length])[0],
                schedule.export(b"label", context, 77),
                schedule.record_keys()[0].seal(23, b"data", 100),
                schedule.finish(randoms[:length])[1].seal(23, b"data", 100),
                server_side(schedule)[0].seal(23, b"data", 100),
            )
        )
        schedule.check_finished(randoms[:length], server_verify_data(schedule, suite, randoms[:length]))
    assert results[0] == results[1]


def opened(opener: Any, data: bytes, limit: int) -> tuple[list[tuple[int, bytes]], type[LightTLSError] | None, str]:
    """All records up to the first that is refused, and how it is refused."""
    records: list[tuple[int, bytes]] = []
    while True:
        try:
            result = opener.open(data, limit)
        except LightTLSError as error:
            return records, type(error), str(error)
        if not result[0]:
            return records, None, ""
        records += result[0]
        data = data[result[1] :]


pieces = st.lists(st.tuples(st.sampled_from([20, 21, 22, 23, 23, 23]), st.binary(max_size=60)), max_size=6)
damages = st.lists(st.tuples(st.integers(0), st.integers(1, 255)), max_size=1)


@per_implementation
@given(
    suite=suites,
    pieces=pieces,
    limit=st.integers(1, 40),
    read_limit=st.integers(30, 60),
    damages=damages,
    cut=st.none() | st.integers(0),
)
def test_records_are_sealed_and_opened_alike(
    implementation: CryptoProvider,
    suite: Any,
    pieces: list[tuple[int, bytes]],
    limit: int,
    read_limit: int,
    damages: list[tuple[int, int]],
    cut: int | None,
) -> None:
    native, pure = (engine.resume(suite, bytes(48), bytes(32), bytes(32)) for engine in (implementation, PURE))
    ours, theirs = native.record_keys()[0], pure.record_keys()[0]
    stream = bytearray()
    for content_type, data in pieces:
        sealed = ours.seal(content_type, data, limit)
        assert sealed == theirs.seal(content_type, data, limit)
        stream += sealed
    for at, change in damages if stream else []:
        stream[at % len(stream)] ^= change
    if cut is not None:
        del stream[cut % (len(stream) + 1) :]
    data = bytes(stream)
    result = opened(server_side(native)[1], data, read_limit)
    assert result == opened(server_side(pure)[1], data, read_limit)
    if not damages and cut is None and limit <= read_limit:
        assert result[1] is None
        assert b"".join(content for _, content in result[0]) == b"".join(content for _, content in pieces)
