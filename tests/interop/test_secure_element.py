"""Mutual TLS with the key in the simulated ATECC608A, against a real `openssl s_server`."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interop.test_openssl import SServer
from lighttls import (
    ClientConfig,
    ClientConnection,
    ConfigurationError,
    Identity,
    NamedGroup,
    SignatureRequested,
    SignatureScheme,
    SignerError,
    connect,
    explain,
)
from lighttls.crypto.provider import CryptoProvider
from lighttls.devices.atecc608a import Atecc608a, ChipSigner, mixed_entropy, trust_and_go_chain
from lighttls.testing import issue
from lighttls.testing.atecc608a import TrustAndGo, locked_chip
from lighttls.testing.pki import PrivateKey
from support import memory_server, pki
from support.chips import Bench
from support.memory_server import MemoryServer

RANDOM, NONCE, SIGN = 0x1B, 0x16, 0x41


def chain_for(simulated: Any) -> tuple[bytes, bytes]:
    """A certificate for the key in slot 0, and its authority's."""
    authority = pki.shared().device_ca
    leaf = issue("chip", PrivateKey(simulated.memory.private_keys[0], "ec"), issuer=authority)
    return leaf.der, authority.der


def settings(bench: Bench, **more: Any) -> ClientConfig:
    return pki.config(identity=Identity(chain_for(bench.simulated), ChipSigner(bench.chip)), **more)


def handshake(config: ClientConfig) -> tuple[ClientConnection, MemoryServer, list[Any]]:
    connection, server = ClientConnection(config, "localhost"), MemoryServer(ask_client=True)
    return connection, server, memory_server.connect(connection, server)


# ---- against openssl s_server, in the chip's own time ------------------------------------------


def test_chip_signs_a_mutual_handshake(provider: CryptoProvider, tmp_path: Path) -> None:
    simulated = locked_chip()
    chip = Atecc608a(simulated)
    identity = Identity(chain_for(simulated), ChipSigner(chip))
    config = pki.config(identity=identity, provider=provider, insecure_entropy=mixed_entropy(chip))
    with SServer(tmp_path, "-Verify", "2", "-verify_return_error") as server:
        for _ in range(2):
            with connect(("localhost", server.port), config, timeout=10) as tls:
                tls.sendall(b"hello\n")
                assert tls.recv(100) == b"olleh\n"
                assert tls.info.client_certificate_sent
                assert tls.info.client_signature_scheme is SignatureScheme.ECDSA_SECP256R1_SHA256
        seen = server.summary()
    assert seen["Peer certificate"] == "CN = chip"
    assert simulated.packets[SIGN] == 2


def test_certificate_rebuilt_from_the_chip_is_accepted(tmp_path: Path) -> None:
    kit = TrustAndGo(pace=0.1)
    chip = Atecc608a(kit.simulated)
    identity = Identity(trust_and_go_chain(chip, root=kit.root), ChipSigner(chip))
    root = tmp_path / "root.pem"
    root.write_text(ssl.DER_cert_to_PEM_cert(kit.root))
    options = ("-Verify", "3", "-verify_return_error", "-CAfile", str(root))
    with (
        SServer(tmp_path, *options) as server,
        connect(("localhost", server.port), pki.config(identity=identity), timeout=10) as tls,
    ):
        tls.sendall(b"hello\n")
        assert tls.recv(100) == b"olleh\n"


# ---- a chip in trouble: no wrong bytes leave, the server is told, the next connection works -----


def fails(bench: Bench, config: ClientConfig, message: str, alert: str = "INTERNAL_ERROR") -> SignerError:
    """Run a handshake that must fail; then mend the chip, and run one that must not."""
    connection, server = ClientConnection(config, "localhost"), MemoryServer(ask_client=True)
    with pytest.raises(SignerError, match=message) as caught:
        memory_server.connect(connection, server)
    assert server.alert_from(connection) == alert
    bench.simulated.faults.__init__()  # type: ignore[misc]  # all mended
    bench.simulated.cut_power()
    again, _, _ = handshake(config)
    assert again.is_established
    assert again.info.client_certificate_sent
    return caught.value


FAULTS: dict[str, tuple[dict[str, object], str, str]] = {
    "no wake": ({"no_wake": 99}, "no secure element answers on the bus", "0x60 on blank chips"),
    "no acknowledgement": ({"refused_writes": 99}, "the chip does not take Random", "power, wiring"),
    "CRC errors of its answers": ({"garbled_answers": 99}, "arrive altered", "pull-up"),
    "CRC errors of commands": ({"garbled_commands": 99}, "CRC or communication error", "bus speed"),
    "self-test": ({"self_test_failed": True}, "self-test failure", "Cut its power"),
    "stops in Random": ({"dies_in": RANDOM}, "took Random and does not answer", "power, wiring"),
    "stops in Nonce": ({"dies_in": NONCE}, "took Nonce and does not answer", "power, wiring"),
    "stops in Sign": ({"dies_in": SIGN}, "took Sign and does not answer", "power, wiring"),
    "short signature": ({"signature": lambda digest: bytes(32)}, "32 bytes instead of 64", "power, wiring"),
    "status for a signature": ({"signature": lambda digest: b"\x0f"}, "execution error", "not for this use"),
    "zeros for a signature": ({"signature": lambda digest: bytes(64)}, "does not verify", "does not belong"),
    "wrong signature": ({"signature": lambda digest: b"\1" * 64}, "does not verify", "does not belong"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_chip_in_trouble_ends_one_handshake_and_not_the_next(fault: str) -> None:
    changes, message, advice = FAULTS[fault]
    bench = Bench()
    config = settings(bench)
    for name, value in changes.items():
        setattr(bench.simulated.faults, name, value)
    assert advice in explain(fails(bench, config, message))
    assert bench.clock.now < 15


def test_signature_with_another_slots_key_never_leaves() -> None:
    """A chip whose key was replaced after the program started."""
    bench = Bench()
    config = settings(bench)
    bench.chip.generate_key(0)
    connection, server = ClientConnection(config, "localhost"), MemoryServer(ask_client=True)
    with pytest.raises(SignerError, match="does not verify under our own public key"):
        memory_server.connect(connection, server)
    assert server.alert_from(connection) == "INTERNAL_ERROR"
    with pytest.raises(ConfigurationError, match="does not belong to the certificate"):
        Identity(config.identity.chain, ChipSigner(bench.chip))  # type: ignore[union-attr]


@pytest.mark.parametrize("fault", ["watchdog_in", "restart_before"])
def test_lost_registers_cost_time_and_no_handshake(fault: str) -> None:
    bench = Bench()
    config = settings(bench)
    setattr(bench.simulated.faults, fault, SIGN)
    connection, _, _ = handshake(config)
    assert connection.is_established


def test_late_signature_of_a_chip_completes_a_waiting_handshake() -> None:
    """The handshake waits for the event's answer while a thread, or a loop, has the chip sign."""
    bench = Bench()
    config = pki.config(identity=Identity(chain_for(bench.simulated), None))
    connection, server, (event,) = handshake(config)
    assert isinstance(event, SignatureRequested)
    request = event.request
    bench.clock.sleep(3600)
    request.complete_raw(bench.chip.sign(0, request.digest))
    server.run(connection)
    assert connection.is_established
    assert server.established


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: request.complete_raw(bytes(64)),
        lambda request: request.complete_raw(bytes(63)),
        lambda request: request.complete(b""),
        lambda request: request.fail(TimeoutError("the chip took too long")),
    ],
    ids=["wrong", "cut", "empty", "none"],
)
def test_late_and_wrong_signature_ends_the_handshake(answer: Callable[[Any], None]) -> None:
    bench = Bench()
    config = pki.config(identity=Identity(chain_for(bench.simulated), None))
    connection, server, (event,) = handshake(config)
    with pytest.raises(SignerError):
        answer(event.request)
    assert server.alert_from(connection) == "INTERNAL_ERROR"
    again, _, _ = handshake(settings(bench, groups=[NamedGroup.SECP256R1]))
    assert again.is_established
