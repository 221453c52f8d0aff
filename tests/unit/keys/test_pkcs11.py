"""Keys in a token of SoftHSM 2: real signatures, real handshakes, and what is said when something is missing."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from interop.test_openssl import SServer
from lighttls import (
    ConfigurationError,
    Identity,
    SignatureRequest,
    SignatureScheme,
    SignerError,
    connect,
    explain,
    pkcs11_key,
)
from lighttls.crypto import default_provider
from lighttls.testing import Certificate, ec_key, issue, rsa_key
from support import pki, require

PIN = "1234"
TOKEN = "lighttls"
KINDS = {"p256": lambda: ec_key(), "p384": lambda: ec_key("secp384r1"), "rsa": lambda: rsa_key()}
IDS = {"p256": "01", "p384": "02", "rsa": "03", "p521": "04", "rsa1024": "05"}


class Token:
    """A token of SoftHSM with a key of each kind, labelled by its kind, and the certificates for them."""

    def __init__(self, folder: Path) -> None:
        pytest.importorskip("pkcs11", reason="no python-pkcs11 here: pip install -e '.[test]'")
        util = require.command("softhsm2-util")
        beside = Path(util).parents[1]
        self.module = next(beside.glob("lib*/**/softhsm/libsofthsm2.so"))
        (folder / "tokens").mkdir()
        self.settings = folder / "softhsm2.conf"
        self.settings.write_text(f"directories.tokendir = {folder / 'tokens'}\nobjectstore.backend = file\n")
        self._environment = {**os.environ, "SOFTHSM2_CONF": str(self.settings)}
        for label in (TOKEN, "empty", "never opened"):
            self._run(util, "--init-token", "--free", "--label", label, "--so-pin", PIN, "--pin", PIN)
        authority = pki.shared().device_ca
        self.certificates: dict[str, Certificate] = {}
        keys: dict[str, Any] = {kind: make() for kind, make in KINDS.items()}
        keys |= {"p521": ec_key("secp521r1"), "rsa1024": rsa_key(1024)}
        for kind, key in keys.items():
            file = folder / f"{kind}.pem"
            file.write_bytes(key.to_pem())
            self._run(util, "--import", str(file), "--token", TOKEN, "--pin", PIN, "--label", kind, "--id", IDS[kind])
            self.certificates[kind] = issue(f"token {kind}", key, issuer=authority)

    def _run(self, *command: str) -> None:
        subprocess.run(command, env=self._environment, check=True, capture_output=True, timeout=30)

    def identity(self, kind: str, signer: Any) -> Identity:
        return Identity([self.certificates[kind].der, pki.shared().device_ca.der], signer)


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Token]:
    made = Token(tmp_path_factory.mktemp("softhsm"))
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(made.settings)
    yield made
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


def key(token: Token, kind: str) -> Any:
    return pkcs11_key(token.module, token=TOKEN, pin=PIN, label=kind)


def request(scheme: SignatureScheme, message: bytes = b"message") -> SignatureRequest:
    bits = {4: 256, 5: 384, 6: 512}[scheme & 0xF if scheme >> 8 == 8 else scheme >> 8]
    return SignatureRequest(scheme, default_provider().digest(f"sha{bits}", message), message, (), ())


@pytest.mark.parametrize("kind", KINDS)
def test_every_scheme_of_a_key_makes_signatures_that_verify(token: Token, kind: str) -> None:
    signer = key(token, kind)
    spki = token.certificates[kind].key.spki
    for scheme in signer.signature_schemes:
        asked = request(scheme)
        default_provider().verify(scheme, spki, signer.sign(asked), asked.message)


@pytest.mark.parametrize("kind", KINDS)
def test_token_signs_a_real_handshake(token: Token, kind: str, tmp_path: Path) -> None:
    identity = token.identity(kind, key(token, kind))
    with (
        SServer(tmp_path, "-Verify", "2", "-verify_return_error") as server,
        connect(("localhost", server.port), pki.config(identity=identity), timeout=10) as tls,
    ):
        tls.sendall(b"hello\n")
        assert tls.recv(100) == b"olleh\n"
        assert tls.info.client_signature_scheme is identity.signature_schemes[0]
        assert server.wait_for("Peer certificate").endswith(f"token {kind}")


def test_key_is_chosen_by_its_id(token: Token) -> None:
    signer = pkcs11_key(str(token.module), token=TOKEN, pin=PIN, key_id=b"\3")
    assert SignatureScheme.RSA_PSS_RSAE_SHA256 in signer.signature_schemes


def test_key_that_is_not_the_certificates_ends_the_handshake_here(token: Token, tmp_path: Path) -> None:
    identity = Identity([token.certificates["p256"].der], key(token, "p384"))
    with SServer(tmp_path, "-verify", "2") as server, pytest.raises(SignerError, match="does not verify"):
        connect(("localhost", server.port), pki.config(identity=identity), timeout=10)


def test_lost_session_is_opened_again(token: Token) -> None:
    signer = key(token, "p256")
    signer._key.session.close()
    asked = request(SignatureScheme.ECDSA_SECP256R1_SHA256)
    default_provider().verify(asked.scheme, token.certificates["p256"].key.spki, signer.sign(asked), asked.message)


def test_token_that_went_away_is_a_signer_error_and_the_next_signature_works(
    token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pkcs11 import exceptions

    signer = key(token, "p256")
    asked = request(SignatureScheme.ECDSA_SECP256R1_SHA256)

    def gone(*_: Any) -> Any:
        raise exceptions.DeviceRemoved

    with monkeypatch.context() as patch:
        patch.setattr(signer, "_sign", gone)
        with pytest.raises(SignerError, match="the PKCS #11 token did not sign: DeviceRemoved"):
            signer.sign(asked)
    assert signer.sign(asked)


def test_threads_share_a_key(token: Token) -> None:
    signer = key(token, "p256")
    made: list[tuple[SignatureRequest, bytes]] = []

    def work(number: int) -> None:
        for count in range(10):
            asked = request(SignatureScheme.ECDSA_SECP256R1_SHA256, bytes((number, count)))
            made.append((asked, signer.sign(asked)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 40
    for asked, signature in made:
        default_provider().verify(asked.scheme, token.certificates["p256"].key.spki, signature, asked.message)


@pytest.mark.parametrize(
    ("changes", "message", "advice"),
    [
        ({"module": "/nowhere/lib.so"}, "the PKCS #11 library /nowhere/lib.so cannot be used", "Give the path"),
        ({"token": "other"}, "no single PKCS #11 token is named 'other'", "--list-slots"),
        ({"token": "never opened", "pin": "4321"}, "cannot be opened: PinIncorrect", "Check the PIN"),
        ({"label": "other"}, "has no single private key with label 'other'", "--list-objects"),
        ({"label": None, "key_id": b"\x77"}, r"has no single private key with id b'w'", "--list-objects"),
        ({"label": None}, "has no single private key", "--list-objects"),
        ({"token": "empty"}, "has no single private key", "--list-objects"),
        ({"label": "p521"}, "none we can use", ""),
        ({"label": "rsa1024"}, "none we can use", ""),
    ],
)
def test_what_is_missing_or_unusable_is_named(token: Token, changes: dict[str, Any], message: str, advice: str) -> None:
    settings = {"module": token.module, "token": TOKEN, "pin": PIN, "label": "p256"} | changes
    with pytest.raises(ConfigurationError, match=message) as caught:
        pkcs11_key(settings.pop("module"), **settings)
    assert advice in explain(caught.value)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(ConfigurationError, match="python-pkcs11 is not installed") as caught:
        pkcs11_key("/nowhere/lib.so", token=TOKEN)
    assert "pip install 'lighttls[pkcs11]'" in explain(caught.value)
