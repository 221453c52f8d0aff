"""The chip as an identity's signer, and requests for certificates that it signs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from lighttls import ConfigurationError, Identity, SignerError, explain
from lighttls.devices.atecc608a import ChipRefused, ChipSigner, certification_request, der, request_pem
from lighttls.testing import ec_key, issue
from support import require
from support.chips import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_signer_proves_itself_before_the_first_handshake(bench: Bench) -> None:
    ChipSigner(bench.chip).check()


@pytest.mark.parametrize("r", [1, 0x7F, 0x80, 0xFF, 1 << 247, 1 << 248, (1 << 255) - 1, 1 << 255, (1 << 256) - 1])
@pytest.mark.parametrize("s", [1, 0x80, (1 << 248) - 1, 1 << 255])
def test_signature_is_in_der_as_short_as_its_numbers(r: int, s: int) -> None:
    """RFC 5246 §4.7: a verifier that is strict refuses zeros in front, and takes a first bit of one for a minus."""
    assert der.signature(r.to_bytes(32, "big") + s.to_bytes(32, "big")) == encode_dss_signature(r, s)


@pytest.mark.parametrize("wrong", [lambda digest: bytes(64), lambda digest: b"\1" * 64, lambda digest: b"\xff" * 64])
def test_signer_that_lies_is_found_out_before_the_first_handshake(bench: Bench, wrong) -> None:
    signer = ChipSigner(bench.chip)
    bench.simulated.faults.signature = wrong
    with pytest.raises(SignerError, match="slot 0 made a signature that does not fit its public key"):
        signer.check()


@pytest.mark.parametrize("wrong", [lambda digest: bytes(64), lambda digest: b"\1" * 64, lambda digest: b"\xff" * 64])
def test_request_whose_signature_no_authority_would_take_is_not_handed_out(bench: Bench, wrong) -> None:
    bench.simulated.faults.signature = wrong
    with pytest.raises(SignerError, match="slot 0 made a signature that does not fit its public key"):
        certification_request(bench.chip, 0, [("CN", "pump-17")])


def test_public_key_that_is_no_point_of_the_curve_is_found_out(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.chip, "public_key", lambda slot: bytes(63) + b"\1")
    with pytest.raises(SignerError, match="does not fit its public key"):
        ChipSigner(bench.chip).check()


def test_slot_without_a_key_is_refused_at_once(bench: Bench) -> None:
    with pytest.raises(ChipRefused):
        ChipSigner(bench.chip, slot=1)


def test_certificate_that_does_not_fit_the_slots_key_is_refused_at_once(bench: Bench) -> None:
    with pytest.raises(ConfigurationError, match="does not belong to the certificate") as caught:
        Identity([issue("device", ec_key()).der], ChipSigner(bench.chip))
    assert "different pairs" in explain(caught.value)


@pytest.mark.parametrize(
    "subject",
    [
        [("CN", "pump-17")],
        [("C", "JP"), ("ST", "Tōkyō"), ("L", "Minato"), ("O", "Example"), ("OU", "Pumps"), ("CN", "pump-17")],
        [("serialNumber", "0123A1B2C3D4E5F6EE"), ("CN", "x" * 64)],
    ],
    ids=["short", "long", "serial"],
)
def test_request_is_what_openssl_and_cryptography_accept(bench: Bench, subject, tmp_path: Path) -> None:
    pem = request_pem(certification_request(bench.chip, 0, subject))
    found = x509.load_pem_x509_csr(pem.encode())
    assert found.is_signature_valid
    assert [attribute.value for attribute in found.subject] == [text for _, text in subject]
    key = found.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.public_numbers().x.to_bytes(32, "big") == bench.chip.public_key(0)[:32]
    file = tmp_path / "request.pem"
    file.write_text(pem)
    command = [require.command("openssl"), "req", "-in", str(file), "-verify", "-noout"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert "OK" in done.stdout + done.stderr
