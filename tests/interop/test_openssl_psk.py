"""What test_psk.py leaves to one server, `openssl s_server -nocert`: the program of docs/pre-shared-keys.md, lengths of
keys and identities, refusals as they are explained, and whom a session may serve."""

from __future__ import annotations

import doctest
from typing import Any

import pytest

from interop.peers import PEERS
from interop.stage import Server, Stage
from lighttls import (
    Alert,
    CipherSuite,
    ClientConfig,
    ConnectionInfo,
    MemorySessionStore,
    PeerAlert,
    Psk,
    connect,
    explain,
)
from lighttls.crypto.provider import CryptoProvider
from support import require

OPENSSL = next(peer for peer in PEERS if peer.name == "OpenSSL")
IDENTITY, KEY = "device 7", bytes(range(32))
PLAIN, ECDHE = (
    CipherSuite.TLS_PSK_WITH_AES_128_GCM_SHA256,
    CipherSuite.TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256,
)
both_suites = pytest.mark.parametrize("suite", [PLAIN, ECDHE], ids=["plain", "ecdhe"])


def server(stage: Stage, identity: str = IDENTITY, key: bytes = KEY, *more: str) -> Server:
    require.peer(OPENSSL.missing())
    return stage.server(OPENSSL, ("-nocert", "-psk_identity", identity, "-psk", key.hex(), *more))


def talk(to: Server, suite: CipherSuite, **settings: Any) -> ConnectionInfo:
    settings = {"trust": None, "psk": Psk(IDENTITY, KEY), "cipher_suites": [suite]} | settings
    with connect(to.address, ClientConfig(**settings), server_hostname="localhost", timeout=20, deadline=60) as tls:
        OPENSSL.talk(tls)
        return tls.info


def test_program_of_the_documentation(stage: Stage) -> None:
    names = {"endpoint": "127.0.0.1", "port": server(stage).port, "key": KEY.hex()}
    page = require.REPOSITORY / "docs" / "pre-shared-keys.md"
    result = doctest.testfile(str(page), module_relative=False, globs=names)
    assert result.attempted > 0
    assert result.failed == 0


@both_suites
@pytest.mark.parametrize("size", [16, 64, 128])
def test_key_of_every_length_makes_the_same_premaster_secret(
    suite: CipherSuite, size: int, stage: Stage, provider: CryptoProvider
) -> None:
    """PSK-03: beyond a block of SHA-256 and of SHA-384 too."""
    key = bytes(range(size))
    talk(server(stage, IDENTITY, key), suite, psk=Psk(IDENTITY, key), provider=provider)


@both_suites
def test_identity_of_128_bytes_in_utf8_is_understood(suite: CipherSuite, stage: Stage) -> None:
    """PSK-02: RFC 4279 §5.3 wants as many to work."""
    identity = "Gerät " * 18 + "no"  # 6 letters, 7 bytes
    assert len(identity.encode()) == 128
    assert talk(server(stage, identity), suite, psk=Psk(identity, KEY)).psk_identity == identity.encode()


@both_suites
def test_refusal_of_a_wrong_key_is_explained(suite: CipherSuite, stage: Stage) -> None:
    """ALERT-18: what OpenSSL says is that a record was altered."""
    with pytest.raises(PeerAlert) as caught:
        talk(server(stage), suite, psk=Psk(IDENTITY, bytes(32)))
    assert caught.value.description == Alert.BAD_RECORD_MAC
    assert "refused our pre-shared key" in explain(caught.value)


@both_suites
@pytest.mark.parametrize("options", [(), ("-no_ticket",)], ids=["ticket", "id"])
def test_session_is_resumed_with_the_key_it_began_with_and_no_other(
    suite: CipherSuite, options: tuple[str, ...], stage: Stage, provider: CryptoProvider
) -> None:
    """RESUME-01: s_server would resume it for anybody, for it asks for no key again."""
    sessions = MemorySessionStore()

    def again(**settings: Any) -> ConnectionInfo:
        return talk(server(stage, IDENTITY, KEY, *options), suite, sessions=sessions, provider=provider, **settings)

    first = again()
    assert (first.session_resumed, first.psk_identity, first.flights) == (False, IDENTITY.encode(), 4)
    second = again()
    assert (second.session_resumed, second.psk_identity, second.flights) == (True, None, 3)
    assert second.bytes_received < first.bytes_received
    assert not again(psk=Psk("device 8", KEY)).session_resumed  # s_server looks at nothing but the key
    with pytest.raises(PeerAlert):
        again(psk=Psk(IDENTITY, bytes(32)))
    assert again().session_resumed
