"""Key exchange on P-384 against `cryptography`, once per implementation of the native engine."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lighttls.crypto import CryptoProvider, by_name
from lighttls.errors import IllegalParameter
from lighttls.iana import NamedGroup
from support import engines
from support.inside import KeyShare, premaster_bytes

PURE = by_name("pure")

pytestmark = pytest.mark.parametrize("implementation", [f"native:{mask}" for mask in engines.CPU_MASKS], indirect=True)

# The fixture says which implementation runs and is the same for every example of a test.
per_implementation = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

P = 2**384 - 2**128 - 2**96 + 2**32 - 1
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973


def last_sum_is_of_equal_points(blocks: int) -> int:
    """The one key k = n + 2 T whose comb of so many blocks adds T, of its last digits, to T (p384_multiply.h)."""
    positions = [64 * tooth + 64 - 64 // blocks for tooth in range(6)]
    for signs in range(64):
        digits = [1 if signs >> tooth & 1 else -1 for tooth in range(6)]
        k = ORDER + 2 * sum(digit << at for digit, at in zip(digits, positions, strict=True))
        bits = k >> 1 | 1 << 383
        if 0 < k < ORDER and all(bits >> at & 1 == (digit > 0) for digit, at in zip(digits, positions, strict=True)):
            return k
    raise AssertionError("there is one")


SPECIAL = [last_sum_is_of_equal_points(1), last_sum_is_of_equal_points(4), ORDER - 38, ORDER - 6]

scalars = st.one_of(
    st.integers(1, ORDER - 1),
    st.integers(1, 300),
    st.integers(ORDER - 300, ORDER - 1),
    st.integers(0, 383).map(lambda bit: 1 << bit),
    st.integers(0, 383).map(lambda bit: ORDER - (1 << bit)).filter(lambda scalar: scalar > 0),
    st.sampled_from([*SPECIAL, *(ORDER - k for k in SPECIAL)]),
)


def point(scalar: int) -> bytes:
    public = ec.derive_private_key(scalar, ec.SECP384R1()).public_key()
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


points = scalars.map(point)
damaged_points = st.builds(
    lambda good, at, change: good[:at] + bytes((good[at] ^ change,)) + good[at + 1 :],
    points,
    st.integers(0, 96),
    st.integers(1, 255),
)
# Coordinates around p and above.
large = st.integers(P - 3, 2**384 - 1) | st.just(2**384 - 1)
large_points = st.builds(
    lambda x, y, swapped: b"\4" + b"".join(c.to_bytes(48, "big") for c in ((y, x) if swapped else (x, y))),
    large,
    st.integers(0, 2**384 - 1),
    st.booleans(),
)
peers = st.one_of(points, damaged_points, large_points, st.binary(max_size=100))


def exchange(engine: CryptoProvider, scalar: int, peer: bytes) -> tuple[bytes, bytes | None]:
    """Our public key and the shared secret; None: the peer's key was refused."""
    share = KeyShare(engine, NamedGroup.SECP384R1, lambda size: scalar.to_bytes(size, "big"))
    try:
        return share.public, premaster_bytes(share.derive(peer))
    except IllegalParameter:
        return share.public, None


@per_implementation
@given(scalar=scalars, peer=peers)
@example(scalar=1, peer=point(1))
@example(scalar=2, peer=point(ORDER - 1))
@example(scalar=ORDER - 1, peer=point(ORDER - 1))
@example(scalar=ORDER - 2, peer=point(2))
@example(scalar=SPECIAL[0], peer=point(1))
@example(scalar=SPECIAL[1], peer=point(1))
@example(scalar=SPECIAL[2], peer=point(1))
@example(scalar=SPECIAL[3], peer=point(1))
@example(scalar=3, peer=b"\4" + b"\xff" * 96)
def test_p384_is_that_of_cryptography(implementation: CryptoProvider, scalar: int, peer: bytes) -> None:
    assert exchange(implementation, scalar, peer) == exchange(PURE, scalar, peer)
