"""The programs in README.md and docs/ do what they say, against OpenSSL."""

from __future__ import annotations

import doctest
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import ocsp

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


def write_revocation(pki: Pki, folder: Path) -> None:
    """A list of each authority that lists nobody, and a response about the server that says good."""
    root, authority, leaf = (
        x509.load_der_x509_certificate(each.der) for each in (pki.root, pki.intermediate, pki.ecdsa_server)
    )
    keys = [load_pem_private_key(each.key.to_pem(), None) for each in (pki.root, pki.intermediate)]
    now, day = datetime.now(UTC), timedelta(days=1)
    for name, issuer, key in zip(("root.crl", "ca.crl"), (root, authority), keys, strict=True):
        empty = x509.CertificateRevocationListBuilder(issuer.subject, now - day, now + day)
        crl = empty.add_extension(x509.CRLNumber(1), False).sign(key, SHA256())
        (folder / name).write_bytes(crl.public_bytes(Encoding.PEM))
    good = ocsp.OCSPResponseBuilder().add_response(
        leaf, authority, SHA1(), ocsp.OCSPCertStatus.GOOD, now - day, now + day, None, None
    )
    response = good.responder_id(ocsp.OCSPResponderEncoding.HASH, authority).sign(keys[1], SHA256())
    (folder / "response.der").write_bytes(response.public_bytes(Encoding.DER))


@pytest.mark.parametrize("page", ["README.md", "docs/sessions.md", "docs/transports.md", "docs/x509.md"])
def test_program_on_a_page(page: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    if page == "docs/transports.md" and sys.platform == "win32":
        pytest.skip("Windows has no pseudo-terminals")
    pki = Pki()
    (tmp_path / "root.pem").write_bytes(pki.root.to_pem())
    (tmp_path / "device.pem").write_bytes(pki.device_chain(pki.ec_device))
    (tmp_path / "device.key").write_bytes(pki.ec_device.key.to_pem())
    monkeypatch.chdir(tmp_path)
    leaf = pki.ecdsa_server
    (tmp_path / "chain.pem").write_bytes(pki.server_chain(leaf))
    write_revocation(pki, tmp_path)
    with AwsIotServer([(pki.server_chain(leaf), leaf.key.to_pem())], pki.device_ca.to_pem()) as server:
        names = {"chip": Chip(pki.ec_device.key), "key": bytes(range(32)), "endpoint": "localhost", "port": server.port}
        result = doctest.testfile(str(REPOSITORY / page), module_relative=False, globs=names)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/architecture.md",
        "docs/bytes.md",
        "docs/lwip.md",
        "docs/pre-shared-keys.md",
        "docs/raw-public-keys.md",
        "docs/secure-element.md",
        "docs/sessions.md",
        "docs/transports.md",
        "docs/x509.md",
    ],
)
def test_links_lead_somewhere(page: str) -> None:
    path = REPOSITORY / page
    links = [target for target in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8")) if "://" not in target]
    assert links
    assert not [target for target in links if not (path.parent / target).exists()]


def test_readme_leads_to_every_page() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    pages = [f"docs/{path.name}" for path in (REPOSITORY / "docs").glob("*.md")]
    assert not [page for page in pages if f"]({page})" not in readme]


def test_page_on_transports_names_tests_that_exist() -> None:
    page = (REPOSITORY / "docs" / "transports.md").read_text(encoding="utf-8")
    tests = REPOSITORY / "tests"
    modem = ("unit/transports/*/test_*.py", "hostile/test_*modem*.py", "property/test_*.py")
    chip = ("unit/*/atecc608a/test_*.py", "hostile/test_*chip*.py", "interop/test_lying_signers.py")
    patterns = modem + chip
    files = [path for pattern in patterns for path in tests.glob(pattern)]
    written = "".join(path.read_text(encoding="utf-8") for path in files)
    named = set(re.findall(r"`(test_\w+)`", page))
    assert len(named) > 30
    assert not [name for name in named if f"def {name}(" not in written]
