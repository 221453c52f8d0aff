"""Microchip's own compiled library drives the simulated chip; what it finds is compared with our driver.

docs/secure-element.md calls the simulation faithful for the commands of this run and for no others, and lists them.
"""

from __future__ import annotations

import ctypes as c
import hashlib
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

from lighttls.devices.atecc608a import Atecc608a, Zone
from lighttls.testing.atecc608a import SimulatedChip, TrustAndGo, blank_chip, locked_chip
from support import microchip
from support.require import REPOSITORY

PACE = 0.02  # of the chip's time: the library waits on the real clock
DIGEST = hashlib.sha256(b"digest").digest()
CHECKED = {
    "Info": 0x30,
    "Read": 0x02,
    "Write": 0x12,
    "Random": 0x1B,
    "GenKey": 0x40,
    "Nonce": 0x16,
    "Sign": 0x41,
    "Verify": 0x45,
    "ECDH": 0x43,
    "SHA": 0x47,
    "Counter": 0x24,
    "Lock": 0x17,
    "SelfTest": 0x77,
    "UpdateExtra": 0x20,
}
REFUSED = 0xF4 - 0x100  # ATCA_EXECUTION_ERROR


@cache
def library() -> microchip.Library:
    return microchip.library()


class Driven:
    """A simulated chip with both drivers: the library now, ours afterwards or in between."""

    def __init__(self, simulated: SimulatedChip) -> None:
        self.simulated = simulated
        self.theirs = library()
        self.ours = Atecc608a(simulated)


@pytest.fixture
def both() -> Iterator[Driven]:
    driven = Driven(locked_chip(pace=PACE))
    with driven.theirs.driving(driven.simulated):
        yield driven


def test_identity_is_read(both: Driven) -> None:
    assert both.theirs.fill(4, "atcab_info") == both.ours.revision()
    assert both.theirs.fill(9, "atcab_read_serial_number") == both.ours.serial_number()
    assert both.theirs.fill(128, "atcab_read_config_zone") == both.ours.read(Zone.CONFIG)


def test_random_numbers_are_drawn(both: Driven) -> None:
    assert len({both.theirs.fill(32, "atcab_random") for _ in range(3)}) == 3


def test_signature_is_made_and_judged(both: Driven) -> None:
    key = both.theirs.fill(64, "atcab_get_pubkey", 0)
    assert key == both.ours.public_key(0)
    signature = both.theirs.fill(64, "atcab_sign", 0, DIGEST)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + key)
    point.verify(utils.encode_dss_signature(r, s), DIGEST, ec.ECDSA(utils.Prehashed(SHA256())))
    both.ours.verify(key, DIGEST, signature)
    verified = c.c_bool()
    both.theirs.call("atcab_verify_extern", DIGEST, both.ours.sign(0, DIGEST), key, c.byref(verified))
    assert verified.value
    both.theirs.call("atcab_verify_extern", bytes(32), signature, key, c.byref(verified))
    assert not verified.value


def test_stored_public_key_verifies(both: Driven) -> None:
    key = both.ours.public_key(0)
    both.theirs.call("atcab_write_pubkey", 14, key)
    assert both.theirs.fill(64, "atcab_read_pubkey", 14) == key
    both.simulated.memory.config[96 + 28] = 0x30  # slot 14 is for a public key to verify with
    verified = c.c_bool()
    both.theirs.call("atcab_verify_stored", DIGEST, both.ours.sign(0, DIGEST), 14, c.byref(verified))
    assert verified.value


def test_keys_agree(both: Driven) -> None:
    in_slot = both.theirs.fill(64, "atcab_genkey", 2)
    peer = both.ours.public_key(0)
    assert both.theirs.fill(32, "atcab_ecdh", 2, peer) == both.ours.ecdh(2, peer)
    ephemeral = both.theirs.fill(64, "atcab_genkey", 0xFFFF)
    assert both.theirs.fill(32, "atcab_ecdh_tempkey", in_slot) == both.ours.ecdh(2, ephemeral)


def test_keys_agree_behind_the_io_key(both: Driven) -> None:
    io_key = hashlib.sha256(b"I/O protection").digest()
    both.simulated.memory.config[90:92] = b"\x02\x60"  # in slot 6
    both.ours.write(Zone.DATA, io_key, slot=6)
    in_slot = both.theirs.fill(64, "atcab_genkey", 2)
    peer = both.ours.public_key(0)
    secret = both.ours.ecdh(2, peer, io_key=io_key)
    assert both.theirs.fill(32, "atcab_ecdh_ioenc", 2, peer, after=(io_key,)) == secret == both.ours.ecdh(2, peer)
    ephemeral = both.theirs.fill(64, "atcab_genkey", 0xFFFF)
    secret = both.theirs.fill(32, "atcab_ecdh_tempkey_ioenc", in_slot, after=(io_key,))
    assert secret == both.ours.ecdh(2, ephemeral)


def test_data_are_written_and_read(both: Driven) -> None:
    content = bytes(range(48))
    both.theirs.call("atcab_write_bytes_zone", 2, 8, 20, content, len(content))
    assert both.theirs.fill(48, "atcab_read_bytes_zone", 2, 8, 20, after=(48,)) == content
    assert both.ours.read(Zone.DATA, 8, offset=20, length=48) == content
    both.ours.write(Zone.DATA, content, 10, offset=24)
    assert both.theirs.fill(72, "atcab_read_bytes_zone", 2, 10, 0, after=(72,))[24:] == content


@pytest.mark.parametrize("size", [0, 63, 64, 130])
def test_hashes_are_computed(both: Driven, size: int) -> None:
    data = bytes(range(size))
    assert both.theirs.fill(32, "atcab_sha", size, data) == hashlib.sha256(data).digest()


def test_counters_count(both: Driven) -> None:
    value = c.c_uint32()
    both.theirs.call("atcab_counter_increment", 1, c.byref(value))
    assert value.value == both.ours.counter(1) == 1
    both.ours.count(1)
    both.theirs.call("atcab_counter_read", 1, c.byref(value))
    assert value.value == 2


def test_self_test_passes_or_names_what_failed(both: Driven) -> None:
    result = c.c_uint8(0xFF)
    both.theirs.call("atcab_selftest", 0x3B, 0, c.byref(result))
    assert result.value == 0
    both.ours.self_test()


def test_blank_chip_is_configured_and_locked() -> None:
    driven = Driven(blank_chip(pace=PACE))
    with driven.theirs.driving(driven.simulated):
        wanted = bytearray(driven.ours.read(Zone.CONFIG))
        wanted[20:22] = b"\x83\x20"
        driven.theirs.call("atcab_write_config_zone", bytes(wanted))
        locked = c.c_bool(True)
        for zone, lock in ((0, "atcab_lock_config_zone"), (1, "atcab_lock_data_zone")):
            driven.theirs.call("atcab_is_locked", zone, c.byref(locked))
            assert not locked.value
            driven.theirs.call(lock)
            driven.theirs.call("atcab_is_locked", zone, c.byref(locked))
            assert locked.value
        key = driven.theirs.fill(64, "atcab_genkey", 0)
        driven.theirs.call("atcab_lock_data_slot", 0)
        assert driven.theirs.status("atcab_genkey", 0, c.create_string_buffer(64)) == REFUSED
        assert driven.ours.public_key(0) == key
        assert driven.ours.configuration().slot_locked(0)


def rebuilt(driven: Driven, which: str, *after: Any) -> bytes:
    size = c.c_size_t()
    driven.theirs.call(f"tng_atcacert_max_{which}_cert_size", c.byref(size))
    buffer = c.create_string_buffer(size.value)
    driven.theirs.call(f"tng_atcacert_read_{which}_cert", buffer, c.byref(size), *after)
    return buffer.raw[: size.value]


@pytest.mark.parametrize(
    "kind",
    [{}, {"template": 2}, {"years": 0}, {"format_version": 2, "years": 40, "start": (2039, 1, 2, 3)}],
    ids=["template 3", "template 2", "no end", "late years"],
)
def test_certificates_are_rebuilt_as_the_simulator_wrote_them(kind: dict[str, Any]) -> None:
    kit = TrustAndGo(pace=PACE, **kind)
    driven = Driven(kit.simulated)
    with driven.theirs.driving(kit.simulated):
        assert rebuilt(driven, "device", None) == kit.device
        # The library knows one root: the signer's certificate differs in that key's name, and in nothing else.
        root = driven.theirs.fill(64, "tng_atcacert_root_public_key")
        theirs, ours = (hashlib.sha1(b"\x04" + key).digest() for key in (root, root_key(kit)))
        assert rebuilt(driven, "signer").replace(theirs, ours) == kit.signer


def root_key(kit: TrustAndGo) -> bytes:
    at = kit.root.index(b"\x03\x42\x00\x04") + 4
    return kit.root[at : at + 64]


def test_page_claims_the_commands_that_the_library_sends_here_and_no_others(both: Driven) -> None:
    both.theirs.opcodes.clear()
    for exercise in (
        test_identity_is_read,
        test_random_numbers_are_drawn,
        test_signature_is_made_and_judged,
        test_keys_agree,
        test_keys_agree_behind_the_io_key,
        test_data_are_written_and_read,
        test_counters_count,
        test_self_test_passes_or_names_what_failed,
    ):
        exercise(both)
    test_hashes_are_computed(both, 130)
    test_blank_chip_is_configured_and_locked()
    assert both.theirs.opcodes == set(CHECKED.values())
    page = (REPOSITORY / "docs" / "secure-element.md").read_text(encoding="utf-8")
    claim = next(text for text in page.split("\n\n") if text.startswith("**Checked with Microchip's library**"))
    assert [name.strip(" .\n") for name in claim.partition(":")[2].split(",")] == list(CHECKED)
