"""The driver's commands on the simulated chip, judged by `cryptography` and hashlib."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

from lighttls import UsageError, explain
from lighttls.devices.atecc608a import ChipError, ChipRefused, Zone, mixed_entropy
from lighttls.errors import BadSignature
from support.chips import SERIAL_NUMBER, Bench

DIGEST = hashlib.sha256(b"digest").digest()


def public(point: bytes) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + point)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_chip_says_what_it_is(bench: Bench) -> None:
    assert bench.chip.revision() == bytes.fromhex("00006002")
    assert bench.chip.serial_number() == SERIAL_NUMBER
    assert bench.chip.configuration().i2c_address == 0x60


def test_other_kind_of_chip_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lighttls.testing.atecc608a.commands.REVISION", bytes.fromhex("00005000"))
    with pytest.raises(ChipError, match="no ATECC608: its revision is 00 00 50 00"):
        bench.chip.revision()


def test_random_numbers_differ(bench: Bench) -> None:
    assert len({bench.chip.random() for _ in range(4)}) == 4


def test_random_number_of_an_unlocked_chip_is_refused() -> None:
    with pytest.raises(ChipError, match="before its configuration is locked"):
        Bench(locked=False).chip.random()


def test_signature_verifies_under_the_slots_public_key(bench: Bench) -> None:
    signature = bench.chip.sign(0, DIGEST)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    key = public(bench.chip.public_key(0))
    key.verify(utils.encode_dss_signature(r, s), DIGEST, ec.ECDSA(utils.Prehashed(SHA256())))


def test_chip_verifies_what_is_right_and_nothing_else(bench: Bench) -> None:
    key, signature = bench.chip.public_key(0), bench.chip.sign(0, DIGEST)
    bench.chip.verify(key, DIGEST, signature)
    with pytest.raises(BadSignature):
        bench.chip.verify(key, bytes(32), signature)


def test_chip_refuses_a_public_key_off_the_curve(bench: Bench) -> None:
    with pytest.raises(ChipRefused, match="ECC fault"):
        bench.chip.verify(b"\1" * 64, DIGEST, bench.chip.sign(0, DIGEST))


@pytest.mark.parametrize("size", [0, 31, 33, 48])
def test_digest_of_another_length_is_not_cut_to_fit(bench: Bench, size: int) -> None:
    with pytest.raises(UsageError, match="a digest has 32 bytes here"):
        bench.chip.sign(0, bytes(size))


def test_keys_agree_on_the_secret_that_cryptography_computes(bench: Bench) -> None:
    peer = ec.generate_private_key(ec.SECP256R1())
    numbers = peer.public_key().public_numbers()
    point = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    in_slot = bench.chip.generate_key(2)
    assert bench.chip.ecdh(2, point) == peer.exchange(ec.ECDH(), public(in_slot))
    ephemeral = bench.chip.generate_ephemeral()
    assert bench.chip.ecdh_ephemeral(point) == peer.exchange(ec.ECDH(), public(ephemeral))


IO_KEY = bytes(range(32))


def with_io_key(bench: Bench, *, only_encrypted: bool = False) -> Bench:
    memory = bench.simulated.memory
    memory.config[90:92] = bytes((2, 6 << 4 | only_encrypted))  # ChipOptions: there is one, in slot 6
    memory.slots[6][:32] = IO_KEY
    return bench


def test_encrypted_secret_is_the_same_and_never_on_the_bus(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    simulated = with_io_key(bench, only_encrypted=True).simulated
    seen = bytearray()

    def tapped(count: int, read: Callable[[int], bytes] = simulated.read) -> bytes:
        seen.extend(data := read(count))
        return data

    monkeypatch.setattr(simulated, "read", tapped)
    peer = ec.generate_private_key(ec.SECP256R1())
    numbers = peer.public_key().public_numbers()
    point = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    in_slot = bench.chip.generate_key(2)
    ephemeral = bench.chip.generate_ephemeral()
    for secret, key in (
        (bench.chip.ecdh_ephemeral(point, io_key=IO_KEY), ephemeral),
        (bench.chip.ecdh(2, point, io_key=IO_KEY), in_slot),
    ):
        assert secret == peer.exchange(ec.ECDH(), public(key))
        assert bytes(secret) not in bytes(seen)
    with pytest.raises(ChipRefused, match="execution error"):  # ECDHPROT
        bench.chip.ecdh(2, point)


def test_chip_without_an_io_key_encrypts_nothing(bench: Bench) -> None:
    bench.chip.generate_key(2)
    with pytest.raises(ChipRefused, match="ECDH: status 0F, execution error"):
        bench.chip.ecdh(2, bench.chip.public_key(0), io_key=IO_KEY)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_io_key_of_another_length_sends_nothing(bench: Bench, size: int) -> None:
    bench.chip.generate_key(2)
    with pytest.raises(UsageError, match="a key for I/O protection has 32 bytes here"):
        bench.chip.ecdh(2, bytes(64), io_key=bytes(size))
    assert 0x43 not in bench.simulated.packets


def test_configuration_says_where_the_io_key_is(bench: Bench) -> None:
    assert bench.chip.configuration().io_key_slot is None
    assert with_io_key(bench).chip.configuration().io_key_slot == 6


def test_ephemeral_key_serves_once_and_survives_a_signature(bench: Bench) -> None:
    bench.chip.generate_ephemeral()
    point = bench.chip.public_key(0)
    bench.chip.sign(0, DIGEST)
    bench.chip.ecdh_ephemeral(point)
    with pytest.raises(ChipRefused, match="ECDH: status 0F, execution error"):
        bench.chip.ecdh_ephemeral(point)


@pytest.mark.parametrize("slot", [0, 8])
def test_slot_that_is_not_for_ecdh_is_refused(bench: Bench, slot: int) -> None:
    with pytest.raises(ChipRefused, match="execution error"):
        bench.chip.ecdh(slot, bench.chip.public_key(0))


def test_public_key_of_an_empty_slot_is_refused(bench: Bench) -> None:
    assert bench.chip.key_is_valid(0)
    assert not bench.chip.key_is_valid(2)
    with pytest.raises(ChipRefused) as caught:
        bench.chip.public_key(2)
    assert "an empty slot" in explain(caught.value)


@pytest.mark.parametrize("size", [0, 1, 55, 63, 64, 65, 128, 200])
def test_chip_hashes_like_hashlib(bench: Bench, size: int) -> None:
    data = bytes(range(size))
    assert bench.chip.sha256(data) == hashlib.sha256(data).digest()


def test_counters_count(bench: Bench) -> None:
    assert [bench.chip.count(1), bench.chip.count(1), bench.chip.counter(1), bench.chip.counter(0)] == [1, 2, 2, 0]


def test_random_nonce_gives_the_chips_part(bench: Bench) -> None:
    assert len({bench.chip.nonce(bytes(20)) for _ in range(3)}) == 3


def test_self_test_names_what_failed(bench: Bench) -> None:
    bench.chip.self_test()
    bench.simulated.faults.self_test_failed = True
    with pytest.raises(ChipError, match="failed its self-test: ECDSA"):
        bench.chip.self_test()


@pytest.mark.parametrize("call", ["public_key", "key_is_valid", "generate_key"])
def test_slot_that_does_not_exist_is_a_usage_error(bench: Bench, call: str) -> None:
    with pytest.raises(UsageError, match="there is no slot 16"):
        getattr(bench.chip, call)(16)


def test_counter_that_does_not_exist_is_a_usage_error(bench: Bench) -> None:
    with pytest.raises(UsageError, match="there is no counter 2"):
        bench.chip.counter(2)


def test_chips_random_numbers_alone_decide_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """However bad the chip's numbers are, the system's are all in the result; and the other way round."""
    monkeypatch.setattr("lighttls.testing.atecc608a.commands.secrets.token_bytes", lambda count: bytes(count))
    poor_chip = mixed_entropy(bench.chip)
    assert len({poor_chip(32) for _ in range(100)}) == 100
    monkeypatch.undo()
    monkeypatch.setattr("lighttls.devices.atecc608a.chip.os.urandom", lambda count: bytes(count))
    first, second = mixed_entropy(bench.chip), mixed_entropy(Bench().chip)
    assert len({first(32), first(32), second(32), second(32)}) == 4


def test_entropy_without_a_chip_fails_and_falls_back_to_nothing(bench: Bench) -> None:
    bench.simulated.faults.dead = True
    with pytest.raises(ChipError):
        mixed_entropy(bench.chip)


@pytest.mark.parametrize("count", [0, 1, 16, 32, 100])
def test_mixed_entropy_gives_as_many_bytes_as_asked(bench: Bench, count: int) -> None:
    assert len(mixed_entropy(bench.chip)(count)) == count


def test_sleep_loses_the_registers_and_the_chip_wakes_again(bench: Bench) -> None:
    bench.chip.generate_ephemeral()
    bench.chip.sleep()
    with pytest.raises(ChipRefused):
        bench.chip.ecdh_ephemeral(bench.chip.public_key(0))
    assert bench.chip.read(Zone.CONFIG, length=4) == SERIAL_NUMBER[:4]
