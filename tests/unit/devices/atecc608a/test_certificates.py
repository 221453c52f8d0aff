"""Certificates rebuilt from 72 bytes, against those that the simulator wrote whole before it shortened them."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from lighttls import Identity, UsageError, explain
from lighttls.devices.atecc608a import (
    Atecc608a,
    CertificateMismatch,
    ChipSigner,
    Template,
    certificates,
    trust_and_go_chain,
)
from lighttls.devices.atecc608a.certificates import Compressed
from lighttls.testing.atecc608a import TrustAndGo, VirtualClock

KINDS: dict[str, dict[str, Any]] = {
    "with an EUI-48": {},
    "without": {"template": 2},
    "without an end": {"years": 0},
    "late years": {"format_version": 1, "start": (2055, 12, 31, 23), "years": 100},
    "leap day": {"start": (2024, 2, 29, 0), "years": 4},
}


def made(**settings: Any) -> tuple[TrustAndGo, Atecc608a]:
    clock = VirtualClock()
    kit = TrustAndGo(clock=clock, **settings)
    return kit, Atecc608a(kit.simulated, clock=clock, sleep=clock.sleep)


@pytest.mark.parametrize("kind", KINDS)
def test_chain_is_rebuilt_to_the_byte(kind: str) -> None:
    kit, chip = made(**KINDS[kind])
    assert trust_and_go_chain(chip, root=kit.root) == (kit.device, kit.signer)


def test_chain_makes_an_identity_with_the_chips_key() -> None:
    kit, chip = made()
    identity = Identity(trust_and_go_chain(chip, root=kit.root), ChipSigner(chip))
    identity_key = x509.load_der_x509_certificate(kit.signer).public_key()
    x509.load_der_x509_certificate(identity.chain[0]).verify_directly_issued_by(
        x509.load_der_x509_certificate(kit.signer)
    )
    assert identity_key


@pytest.mark.parametrize(
    ("dates", "text"),
    [("95A0BC", b"181108050000Z\x18\x0f20461108050000Z"), ("95A09F", b"181108040000Z\x18\x0f20491108040000Z")],
)
def test_dates_of_microchips_samples(dates: str, text: bytes) -> None:
    stored = b"\1" * 64 + bytes.fromhex(dates) + bytes.fromhex("C15A 30 A0 00")
    assert Compressed(stored).validity(generalized_end=True).endswith(text)


@pytest.mark.parametrize(("years", "end"), [(28, b"\x17\x0d461108050000Z"), (31, b"\x17\x0d491108050000Z")])
def test_end_before_2050_is_a_utc_time_where_the_template_follows_rfc_5280(years: int, end: bytes) -> None:
    """RFC 5280 §4.1.2.5; Microchip's own templates do not."""
    stored = b"\1" * 64 + bytes((0x95, 0xA0, 0xA0 | years)) + bytes.fromhex("C15A 30 A0 00")
    assert Compressed(stored).validity(generalized_end=False).endswith(end)


def test_new_key_in_the_slot_is_told_from_the_certificates() -> None:
    kit, chip = made()
    chip.generate_key(0)
    with pytest.raises(CertificateMismatch, match="does not fit the key in it") as caught:
        trust_and_go_chain(chip, root=kit.root)
    assert "a new key was made in the slot" in explain(caught.value)


def test_signer_under_another_root_is_refused() -> None:
    _, chip = made()
    other, _ = made()
    with pytest.raises(CertificateMismatch, match="does not fit the key in it"):
        trust_and_go_chain(chip, root=other.root)


def test_every_byte_of_the_stored_form_counts() -> None:
    """Whichever bit is altered: the certificate is refused, not rebuilt as another one."""
    kit, chip = made()
    stored = bytes(kit.simulated.memory.slots[10])
    for place in range(72):
        if place == 71:  # not used in this format
            continue
        kit.simulated.memory.slots[10][:] = stored[:place] + bytes((stored[place] ^ 0x10,)) + stored[place + 1 :]
        with pytest.raises(CertificateMismatch):
            trust_and_go_chain(chip, root=kit.root)


@pytest.mark.parametrize("stored", [b"\xff" * 72, b"\0" * 72, b"\1" * 71], ids=["blank", "zeros", "short"])
def test_slot_without_a_certificate_is_named(stored: bytes) -> None:
    with pytest.raises(CertificateMismatch, match="no compressed certificate there"):
        Compressed(stored)


@pytest.mark.parametrize(("template", "found"), [(0x50, 5), (0x10, 1)])
def test_template_that_is_not_known_is_named(template: int, found: int) -> None:
    kit, chip = made()
    kit.simulated.memory.slots[10][69] = template
    with pytest.raises(CertificateMismatch, match=f"of template {found}, unknown here"):
        trust_and_go_chain(chip, root=kit.root)


@pytest.mark.parametrize("change", [{"template_id": 4}, {"chain_id": 1}])
def test_template_must_be_the_one_it_was_made_by(change: dict[str, int]) -> None:
    _, chip = made(template=2)
    own = certificates.TRUST_AND_GO_DEVICES[0]
    settings = {"template_id": 2, "issuer": own.issuer, "subject": own.subject, "extensions": own.extensions}
    with pytest.raises(CertificateMismatch, match="expected was"):
        Template(**(settings | change)).rebuild(
            chip.read(certificates.Zone.DATA, 10), public_key=bytes(64), issuer_key=bytes(64), device=bytes(9)
        )


def serial(source: int, form: int = 0) -> bytes:
    stored = b"\1" * 64 + bytes.fromhex("95A0BC C15A 30") + bytes((source << 4 | form, 0x50))
    return Compressed(stored).serial_number(b"\7" * 64, bytes.fromhex("0123a1b2c3d4e5f6ee"))


def test_serial_number_by_source() -> None:
    assert serial(8).hex() == "400123a1b2c3d4e5f6ee"
    assert serial(9).hex() == "40c15a"
    hashed = {serial(source, form) for source in (0xA, 0xB) for form in (0, 1)}
    assert len(hashed) == 4
    assert all(len(one) == 16 and one[0] >> 6 == 1 for one in hashed)
    with pytest.raises(CertificateMismatch, match="has the source 0"):
        serial(0)


def test_key_of_another_size_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="64 bytes"):
        certificates.TRUST_AND_GO_SIGNER.rebuild(bytes(72), public_key=bytes(65), issuer_key=bytes(64), device=b"")


@given(st.binary(min_size=72, max_size=72))
def test_any_72_bytes_are_refused_as_a_certificate(stored: bytes) -> None:
    key = bytes.fromhex(  # the base point
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    )
    for template in (certificates.TRUST_AND_GO_SIGNER, *certificates.TRUST_AND_GO_DEVICES):
        with pytest.raises(CertificateMismatch):
            template.rebuild(stored, public_key=key, issuer_key=key, device=bytes(9))
