"""Raw public keys (RFC 7250) against `gnutls-serv`: the server's alone and both sides', ECDSA and RSA, resumed too, and
the program of docs/raw-public-keys.md.

GnuTLS is the only server here that speaks them over TLS 1.2.
"""

from __future__ import annotations

import doctest
from base64 import b64encode, encodebytes
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from interop.peers.base import Files, Peer, Setup, Word, exchange_lines
from interop.peers.gnutls import GnuTLS
from interop.peers.openssl import OpenSSL
from interop.stage import Server
from lighttls import (
    Alert,
    CertificateError,
    ChainReason,
    ClientConfig,
    ConnectionInfo,
    Identity,
    MemorySessionStore,
    PeerAlert,
    TrustStore,
    VerifyPolicy,
    connect,
    raw_ecdsa,
    software_key,
)
from lighttls.crypto.provider import CryptoProvider
from lighttls.testing.pki import PrivateKey
from support import pki, require

TLS12 = "NORMAL:-VERS-ALL:+VERS-TLS1.2"
RAW_SERVER, RAW_CLIENT = "+CTYPE-SRV-RAWPK", "+CTYPE-CLI-RAWPK"
NO_CLIENT, ANY_CLIENT = "--disable-client-cert", "--require-client-cert"
KEYS: dict[str, Callable[[], PrivateKey]] = {
    "ecdsa": lambda: pki.shared().ecdsa_server.key,
    "rsa": lambda: pki.shared().rsa_server.key,
}


def public_pem(spki: bytes) -> str:
    """RFC 7468 §13."""
    return f"-----BEGIN PUBLIC KEY-----\n{encodebytes(spki).decode()}-----END PUBLIC KEY-----\n"


class RawKeyServer(GnuTLS):
    """Has a key and no certificate."""

    def __init__(self, key: PrivateKey, *types: str) -> None:
        self._key = key
        self._priority = ":".join((TLS12, *types))

    def command(self, setup: Setup, files: Files, port: int) -> Sequence[Word]:
        public, private = files.write("raw.pub", public_pem(self._key.spki)), files.folder / "raw.key"
        private.write_bytes(self._key.to_pem())
        words = ["--echo", "--crlf", "--port", str(port), "--priority", self._priority, *setup]
        return [require.command("gnutls-serv"), *words, "--rawpkkeyfile", private, "--rawpkfile", public]


@contextmanager
def serving(peer: Peer, folder: Path, *options: str) -> Iterator[Server]:
    server = Server(peer, options, Files(folder), folder / "log")
    try:
        yield server
    finally:
        server.end()


def talk(server: Server, config: ClientConfig) -> ConnectionInfo:
    with connect(server.address, config, server_hostname="localhost", timeout=20, deadline=60) as tls:
        exchange_lines(tls)
        return tls.info


def believing(provider: CryptoProvider, *keys: bytes | str, **settings: Any) -> ClientConfig:
    """A client that knows these keys of the server, and no authority."""
    policy = VerifyPolicy(raw_keys={"localhost": keys})
    return ClientConfig(**{"trust": TrustStore.empty(), "verify": policy, "provider": provider} | settings)


@pytest.mark.parametrize("kind", KEYS)
def test_server_is_believed_by_its_key(kind: str, tmp_path: Path, provider: CryptoProvider) -> None:
    """RPK-01, RPK-09: given whole, by its digest, or beside an authority."""
    key = KEYS[kind]()
    digest = sha256(key.spki).digest()
    with serving(RawKeyServer(key, "-CTYPE-SRV-ALL", RAW_SERVER), tmp_path, NO_CLIENT) as server:
        for config in (
            believing(provider, key.spki),
            believing(provider, b64encode(digest).decode()),
            believing(provider, digest, trust=TrustStore.from_pem(pki.shared().root.to_pem())),
        ):
            info = talk(server, config)
            assert info.peer_raw_public_key == key.spki
            assert info.peer_chain == ()
    assert "(TLS1.2-X.509-Raw Public Key)" in (tmp_path / "log").read_text()


OURS: dict[str, Callable[[], tuple[Identity, bytes]]] = {
    "element": lambda: (
        Identity.raw_key(pki.shared().ec_device.key.spki, raw_ecdsa(pki.shared().ec_device.key.sign_digest)),
        pki.shared().ec_device.key.spki,
    ),
    "rsa": lambda: (
        Identity.raw_key(pki.shared().rsa_device.key.spki, software_key(pki.shared().rsa_device.key.to_pem())),
        pki.shared().rsa_device.key.spki,
    ),
}


@pytest.mark.parametrize("ours", OURS)
@pytest.mark.parametrize("kind", KEYS)
def test_both_sides_show_keys(kind: str, ours: str, tmp_path: Path, provider: CryptoProvider) -> None:
    """RPK-02, RPK-13."""
    key, (identity, spki) = KEYS[kind](), OURS[ours]()
    peer = RawKeyServer(key, "-CTYPE-ALL", RAW_SERVER, RAW_CLIENT)
    with serving(peer, tmp_path, ANY_CLIENT) as server:
        info = talk(server, believing(provider, key.spki, identity=identity))
        assert info.client_certificate_sent
        assert info.peer_raw_public_key == key.spki
    log = (tmp_path / "log").read_text()
    assert "(TLS1.2-Raw Public Key)" in log
    assert b64encode(spki).decode() in log.replace("\n", "")


def test_program_of_the_documentation(tmp_path: Path) -> None:
    key, device = KEYS["ecdsa"](), pki.shared().ec_device.key
    peer = RawKeyServer(key, "-CTYPE-ALL", RAW_SERVER, RAW_CLIENT)
    with serving(peer, tmp_path, ANY_CLIENT) as server:
        names = {"server_key": key.spki, "device_key": device.spki, "sign": device.sign_digest, "port": server.port}
        page = require.REPOSITORY / "docs" / "raw-public-keys.md"
        result = doctest.testfile(str(page), module_relative=False, globs=names)
    assert result.attempted > 0
    assert result.failed == 0


def test_key_of_theirs_goes_with_a_chain_of_ours(tmp_path: Path, provider: CryptoProvider) -> None:
    key, device = KEYS["ecdsa"](), pki.shared().ec_device
    identity = Identity.from_pem(pki.shared().device_chain(device) + device.key.to_pem())
    with serving(RawKeyServer(key, "-CTYPE-SRV-ALL", RAW_SERVER), tmp_path, ANY_CLIENT) as server:
        assert talk(server, believing(provider, key.spki, identity=identity)).client_certificate_sent


@pytest.mark.parametrize("options", [(), ("--noticket",)], ids=["ticket", "id"])
def test_session_with_raw_keys_is_resumed(options: tuple[str, ...], tmp_path: Path, provider: CryptoProvider) -> None:
    """RESUME-14: GnuTLS repeats the types, as RFC 7250 neither asks nor forbids."""
    key, (identity, _) = KEYS["ecdsa"](), OURS["element"]()
    config = believing(provider, key.spki, identity=identity, sessions=MemorySessionStore())
    peer = RawKeyServer(key, "-CTYPE-ALL", RAW_SERVER, RAW_CLIENT)
    with serving(peer, tmp_path, ANY_CLIENT, *options) as server:
        assert [talk(server, config).session_resumed for _ in range(3)] == [False, True, True]


def test_key_that_is_not_configured_is_refused(tmp_path: Path, provider: CryptoProvider) -> None:
    """RPK-09: whatever the key that is, and though the certificate of that key would lead to an anchor."""
    config = believing(provider, KEYS["rsa"]().spki, trust=TrustStore.from_pem(pki.shared().root.to_pem()))
    with serving(RawKeyServer(KEYS["ecdsa"](), "-CTYPE-SRV-ALL", RAW_SERVER), tmp_path, NO_CLIENT) as server:
        with pytest.raises(CertificateError) as caught:
            talk(server, config)
        assert caught.value.reason is ChainReason.UNKNOWN_RAW_KEY


def test_server_without_raw_keys_gives_up_where_nothing_else_is_taken(tmp_path: Path, provider: CryptoProvider) -> None:
    """RFC 7250 §4.2 wants this alert of it; whoever does not know the extension shows a chain (RPK-05)."""
    config = believing(provider, KEYS["ecdsa"]().spki)
    files = Files(tmp_path)
    chain, private = str(files.chain("ecdsa")), str(files.key("ecdsa"))
    with serving(GnuTLS(), tmp_path, NO_CLIENT, "--x509certfile", chain, "--x509keyfile", private) as server:
        with pytest.raises(PeerAlert) as caught:
            talk(server, config)
        assert caught.value.description == Alert.UNSUPPORTED_CERTIFICATE
    with serving(OpenSSL(), tmp_path, "-cert", chain, "-key", private) as server:
        with pytest.raises(CertificateError) as refused:
            talk(server, config)
        assert refused.value.reason is ChainReason.CERTIFICATE_TYPE


def test_server_without_certificates_refuses_a_client_without_raw_keys(
    tmp_path: Path, provider: CryptoProvider
) -> None:
    """Off unless configured: we list nothing (RPK-01)."""
    peer = RawKeyServer(KEYS["ecdsa"](), "-CTYPE-SRV-ALL", RAW_SERVER)
    with serving(peer, tmp_path, NO_CLIENT) as server, pytest.raises(PeerAlert):
        talk(server, pki.config(provider=provider))
