"""Hashes, key agreement and premaster secrets of both engines."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from lighttls.crypto import SUITES, CryptoProvider, Suite, by_name
from lighttls.errors import EntropyError, IllegalParameter, InternalError
from lighttls.iana import CipherSuite, NamedGroup
from support.inside import KeyShare, premaster_bytes

X25519, P256, P384 = int(NamedGroup.X25519), int(NamedGroup.SECP256R1), int(NamedGroup.SECP384R1)
GROUPS = {"x25519": X25519, "secp256r1": P256, "secp384r1": P384}
SCALAR_LENGTH = {X25519: 32, P256: 32, P384: 48}
SHARE_LENGTH = {X25519: 32, P256: 65, P384: 97}
ORDER = {
    P256: 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    P384: 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
}

every_group = pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
nist_group = pytest.mark.parametrize("group", [P256, P384], ids=["secp256r1", "secp384r1"])


def counting(start: int = 1):  # type: ignore[no-untyped-def]
    """An entropy source whose draws differ and can be told in advance."""
    state = [start]

    def draw(length: int) -> bytes:
        state[0] += 1
        return hashlib.shake_128(state[0].to_bytes(4, "big")).digest(length)

    return draw


@pytest.mark.parametrize("size", [0, 1, 55, 56, 63, 64, 65, 111, 112, 119, 127, 128, 129, 1000])
@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
def test_digest_is_that_of_hashlib(implementation: CryptoProvider, algorithm: str, size: int) -> None:
    data = bytes(range(256)) * 4
    expected = hashlib.new(algorithm, data[:size], usedforsecurity=False).digest()
    assert implementation.digest(algorithm, data[:size]) == expected
    assert implementation.digest(algorithm, bytearray(data[:size])) == expected


@every_group
def test_both_sides_derive_the_same_secret(implementation: CryptoProvider, group: int) -> None:
    entropy = counting()
    ours, theirs = KeyShare(implementation, group, entropy), KeyShare(implementation, group, entropy)
    assert (ours.group, len(ours.public)) == (group, SHARE_LENGTH[group])
    assert ours.public != theirs.public
    secret = premaster_bytes(ours.derive(theirs.public))
    assert secret == premaster_bytes(theirs.derive(ours.public))
    assert len(secret) == SCALAR_LENGTH[group]


@every_group
def test_every_agreement_has_a_key_pair_of_its_own(provider: CryptoProvider, group: int) -> None:
    """SKE-29: fresh for each handshake, never reused."""
    entropy = counting()
    peer = KeyShare(provider, group, counting(100)).public
    ours = {provider.key_agreement(group, entropy, peer)[0] for _ in range(3)}
    assert len(ours) == 3


@every_group
def test_public_key_of_the_wrong_length_is_refused(implementation: CryptoProvider, group: int) -> None:
    """SKE-06, SKE-09."""
    peer = KeyShare(implementation, group, counting(100)).public
    for wrong in (b"", peer[:1], peer[:-1], peer + b"\0", peer[: len(peer) // 2 + 1]):
        with pytest.raises(IllegalParameter):
            KeyShare(implementation, group, counting()).derive(wrong)


@nist_group
@pytest.mark.parametrize("form", [0, 2, 3, 5, 6, 7, 0x84])
def test_point_in_another_form_is_refused(implementation: CryptoProvider, group: int, form: int) -> None:
    """SKE-05."""
    peer = KeyShare(implementation, group, counting(100)).public
    for wrong in (bytes((form,)) + peer[1:], bytes((form,)) + peer[1 : len(peer) // 2 + 1]):
        with pytest.raises(IllegalParameter):
            KeyShare(implementation, group, counting()).derive(wrong)


@nist_group
def test_point_off_the_curve_is_refused(implementation: CryptoProvider, group: int) -> None:
    """SKE-08, the invalid curve attack."""
    peer = bytearray(KeyShare(implementation, group, counting(100)).public)
    peer[-1] ^= 1
    with pytest.raises(IllegalParameter):
        KeyShare(implementation, group, counting()).derive(bytes(peer))


def test_coordinate_not_below_p_is_refused(implementation: CryptoProvider) -> None:
    """SKE-07: x = 0 is on P-256, so x = p would be too if it were reduced."""
    p = 2**256 - 2**224 + 2**192 + 2**96 - 1
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    y = pow(b, (p + 1) // 4, p)
    y_bytes = y.to_bytes(32, "big")
    KeyShare(implementation, P256, counting()).derive(b"\4" + bytes(32) + y_bytes)
    with pytest.raises(IllegalParameter):
        KeyShare(implementation, P256, counting()).derive(b"\4" + p.to_bytes(32, "big") + y_bytes)


@pytest.mark.parametrize("point", [0, 1, 2**255 - 19, 2**255 - 18, 2**255 - 20, 2**255, 2**255 + 1])
def test_x25519_result_of_all_zeros_is_refused(implementation: CryptoProvider, point: int) -> None:
    """SKE-10: points of low order, written canonically and not."""
    with pytest.raises(IllegalParameter):
        KeyShare(implementation, X25519, counting()).derive(point.to_bytes(32, "little"))


def test_x25519_ignores_the_top_bit_and_takes_u_above_p(implementation: CryptoProvider) -> None:
    """SKE-11."""
    low = (9).to_bytes(32, "little")
    for same in (9 + 2**255, 9 + 2**255 - 19):
        secret = premaster_bytes(KeyShare(implementation, X25519, counting()).derive(same.to_bytes(32, "little")))
        assert secret == premaster_bytes(KeyShare(implementation, X25519, counting()).derive(low))


@nist_group
def test_scalar_outside_the_range_is_drawn_again(implementation: CryptoProvider, group: int) -> None:
    length = SCALAR_LENGTH[group]
    draws = [bytes(length), ORDER[group].to_bytes(length, "big"), b"\xff" * length, (1).to_bytes(length, "big")]
    share = KeyShare(implementation, group, lambda n: draws.pop(0))
    assert draws == []
    largest = (ORDER[group] - 1).to_bytes(length, "big")
    negated = KeyShare(implementation, group, lambda n: largest).public
    assert share.public[: 1 + length] == negated[: 1 + length]  # G and -G
    assert share.public[1 + length :] != negated[1 + length :]


@nist_group
def test_source_that_never_gives_a_scalar_is_an_entropy_error(provider: CryptoProvider, group: int) -> None:
    asked = []

    def stuck(length: int) -> bytes:
        asked.append(length)
        return b"\xff" * length

    with pytest.raises(EntropyError, match="8 draws"):
        KeyShare(provider, group, stuck)
    assert asked == [SCALAR_LENGTH[group]] * 8


@every_group
@pytest.mark.parametrize("difference", [-1, 1])
def test_source_of_the_wrong_length_is_an_entropy_error(provider: CryptoProvider, group: int, difference: int) -> None:
    with pytest.raises(EntropyError, match="were asked for"):
        KeyShare(provider, group, lambda n: bytes(n + difference))


@every_group
def test_random_bytes_in_a_bytearray_are_wiped(provider: CryptoProvider, group: int) -> None:
    given = []

    def entropy(length: int) -> bytearray:
        given.append(bytearray(b"\x01" * length))
        return given[0]

    provider.key_agreement(group, entropy, KeyShare(provider, group, counting()).public)
    assert given == [bytearray(SCALAR_LENGTH[group])]


@every_group
def test_threads_that_agree_on_keys_at_once_do_not_disturb_each_other(provider: CryptoProvider, group: int) -> None:
    """The memory that scalars are drawn into waits between calls, and serves one at a time."""
    peer = KeyShare(provider, group, counting()).public

    def agree(number: int) -> tuple[bytes, bytes]:
        public, premaster = provider.key_agreement(group, lambda n: bytes((number,)) * n, peer)
        return public, premaster_bytes(premaster)

    numbers = [1, 2, 3, 4] * 25
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(agree, numbers)) == [agree(number) for number in numbers[:4]] * 25


def test_group_that_no_engine_has_is_refused(provider: CryptoProvider) -> None:
    with pytest.raises(InternalError, match="no group 25"):
        provider.key_agreement(25, counting(), bytes(133))


def test_premaster_from_outside_is_moved(provider: CryptoProvider) -> None:
    secret = bytearray(range(48))
    premaster = provider.premaster(secret)
    assert premaster_bytes(premaster) == bytes(range(48))
    assert secret == bytes(48)


@pytest.mark.parametrize("key", [b"\x0f", bytes(range(16)), bytes(range(64)), b"\xff" * 128], ids=len)
def test_premaster_of_a_key_alone_has_zeros_in_the_place_of_ecdh(provider: CryptoProvider, key: bytes) -> None:
    """RFC 4279 §2: uint16 N, N zeros, uint16 N, the key."""
    length = f"{len(key):04x}"
    expected = bytes.fromhex(length + "00" * len(key) + length + key.hex())
    assert premaster_bytes(provider.psk_premaster(key, None)) == expected
    kept = bytearray(key)
    assert premaster_bytes(provider.psk_premaster(kept, None)) == expected
    assert kept == key


@pytest.mark.parametrize("group", [X25519, 23, 24])
def test_premaster_of_ecdh_and_a_key_holds_both_behind_their_lengths(provider: CryptoProvider, group: int) -> None:
    """RFC 5489 §2."""
    ours = KeyShare(provider, group, counting())
    theirs = KeyShare(provider, group, counting(7))
    secret = premaster_bytes(theirs.derive(ours.public))
    key = bytes(range(16))
    mixed = provider.psk_premaster(key, ours.derive(theirs.public))
    assert premaster_bytes(mixed) == len(secret).to_bytes(2, "big") + secret + b"\0\x10" + key
    assert len(secret) == {X25519: 32, 23: 32, 24: 48}[group]


def test_premaster_without_ecdh_or_with_a_key_in_it_is_not_taken_for_one_of_ecdh(provider: CryptoProvider) -> None:
    """So that a mistake cannot turn ECDHE_PSK into plain PSK."""
    wiped = provider.premaster(bytearray(b"\1" * 32))
    wiped.wipe()
    for wrong in (wiped, provider.psk_premaster(bytes(64), None)):
        with pytest.raises(InternalError):
            provider.psk_premaster(bytes(16), wrong)
        assert not any(premaster_bytes(wrong))


@pytest.mark.parametrize("length", [0, 129])
def test_key_of_an_impossible_length_leaves_no_ecdh_secret_behind(provider: CryptoProvider, length: int) -> None:
    with pytest.raises(InternalError):
        provider.psk_premaster(bytes(length), None)
    shared = provider.premaster(bytearray(b"\1" * 32))
    with pytest.raises(InternalError):
        provider.psk_premaster(bytes(length), shared)
    assert not any(premaster_bytes(shared))


SUITE: Suite = SUITES[CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]


def test_premaster_is_wiped_by_the_key_schedule(provider: CryptoProvider) -> None:
    """FIN-08."""
    premaster = provider.premaster(bytearray(b"\x01" * 32))
    provider.key_schedule(SUITE, premaster, bytes(32), bytes(32), None)
    assert not any(premaster_bytes(premaster))
    wiped = provider.premaster(bytearray(b"\x01" * 32))
    wiped.wipe()
    assert not any(premaster_bytes(wiped))


def test_premaster_of_the_other_engine_is_refused() -> None:
    pure = by_name("pure")
    native = pytest.importorskip("lighttls.crypto.native", reason="native engine not built").NativeProvider()
    for ours, theirs in ((pure, native), (native, pure)):
        with pytest.raises(InternalError, match="another engine"):
            ours.key_schedule(SUITE, theirs.premaster(bytearray(32)), bytes(32), bytes(32), None)
        with pytest.raises(InternalError, match="another engine"):
            ours.psk_premaster(bytes(16), theirs.premaster(bytearray(32)))
