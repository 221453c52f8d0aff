"""The programs in docs/secure-element.md, with simulated chips in place of those on the bus."""

from __future__ import annotations

import doctest

import pytest

from lighttls.devices.atecc608a import Atecc608a, chip
from lighttls.testing import chain_pem, issue
from lighttls.testing.atecc608a import TrustAndGo, blank_chip, locked_chip
from lighttls.testing.aws_iot_server import AwsIotServer
from lighttls.testing.pki import Pki, PrivateKey
from support.chips import SERIAL_NUMBER
from support.require import REPOSITORY

PACE = 0.05


def test_programs_on_the_page(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    pki = Pki()
    on_the_bus, certified = locked_chip(SERIAL_NUMBER, pace=PACE), TrustAndGo(pace=PACE)
    leaf = issue("pump-17", PrivateKey(on_the_bus.memory.private_keys[0], "ec"), issuer=pki.device_ca)
    (tmp_path / "root.pem").write_bytes(pki.root.to_pem())
    (tmp_path / "device.pem").write_bytes(chain_pem(leaf, pki.device_ca))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(chip, "LinuxI2C", lambda path, address: on_the_bus)
    server_leaf = pki.ecdsa_server
    with AwsIotServer([(pki.server_chain(server_leaf), server_leaf.key.to_pem())], pki.device_ca.to_pem()) as server:
        names = {
            "blank": Atecc608a(blank_chip(pace=PACE)),
            "another": Atecc608a(blank_chip(pace=PACE)),
            "trust_and_go": Atecc608a(certified.simulated),
            "microchip_root": certified.root,
            "endpoint": "localhost",
            "port": server.port,
        }
        page = str(REPOSITORY / "docs" / "secure-element.md")
        result = doctest.testfile(page, module_relative=False, globs=names)
    assert result.attempted > 20
    assert result.failed == 0
