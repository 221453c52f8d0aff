"""The program in README.md does what it says, against OpenSSL."""

from __future__ import annotations

import doctest
import re

import pytest

from lighttls.testing.aws_iot_server import AwsIotServer
from lighttls.testing.pki import Pki
from support.require import REPOSITORY


class Chip:
    """A secure element: it signs, and that is all."""

    def __init__(self, key) -> None:
        self._key = key

    def sign(self, slot: int, digest: bytes) -> bytes:
        assert slot == 0
        return self._key.sign_digest(digest)


def test_readme_program(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    pki = Pki()
    (tmp_path / "root.pem").write_bytes(pki.root.to_pem())
    (tmp_path / "device.pem").write_bytes(pki.device_chain(pki.ec_device))
    monkeypatch.chdir(tmp_path)
    leaf = pki.ecdsa_server
    with AwsIotServer([(pki.server_chain(leaf), leaf.key.to_pem())], pki.device_ca.to_pem()) as server:
        names = {"chip": Chip(pki.ec_device.key), "endpoint": "localhost", "port": server.port}
        result = doctest.testfile(str(REPOSITORY / "README.md"), module_relative=False, globs=names)
    assert result.attempted > 0
    assert result.failed == 0


def test_readme_links_lead_somewhere() -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    links = [target for target in re.findall(r"\]\(([^)#]+)", text) if "://" not in target]
    assert len(links) > 3
    assert not [target for target in links if not (REPOSITORY / target).exists()]
