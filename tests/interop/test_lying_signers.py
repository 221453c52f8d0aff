"""Signers that lie, fail or come too late, in whole handshakes by both faces with OpenSSL on a socket.

Whatever the signer does: a clear error here, internal_error on the wire and nothing signed before it, a connection that
is closed, and a next one with a good signer that works.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import lighttls
from lighttls import (
    ClientConfig,
    ConfigurationError,
    Identity,
    KeyExchangeError,
    LightTLSError,
    SignatureScheme,
    SignerError,
    TransportError,
    aio,
    raw_ecdsa,
)
from lighttls.devices.atecc608a import Atecc608a, ChipKeyExchange, ChipSigner
from lighttls.testing import issue
from lighttls.testing.atecc608a import VirtualClock, locked_chip
from lighttls.testing.atecc608a import chip as simulation
from lighttls.testing.pki import PrivateKey, ec_key
from support import pki
from support.chips import Bench
from support.memory_server import MemoryServer

PATIENCE = 10.0  # seconds
INTERNAL_ERROR = b"\x15\x03\x03\x00\x02\x02\x50"
RANDOM, NONCE, SIGN, GENERATE, AGREE = 0x1B, 0x16, 0x41, 0x40, 0x43


class Site:
    """OpenSSL at a port, which wants a certificate; `heard` has each connection's bytes once its client has gone."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.heard: list[bytes] = []
        self.errors: list[str] = []
        self._gone = threading.Semaphore(0)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            with client:
                self._speak(client)
            self._gone.release()

    def _speak(self, client: socket.socket) -> None:
        client.settimeout(PATIENCE)
        server, heard = MemoryServer(ask_client=True), b""
        try:
            while data := client.recv(65536):
                heard += data
                server.receive(data)
                if server.established and (text := server.read()):
                    server.tls.write(text.upper())
                client.sendall(server.take())
        except ConnectionError:
            pass  # it has closed, perhaps with something of ours unread
        self.heard.append(heard)
        self.errors.append("" if server.error is None else str(server.error.reason))

    def wait_until_gone(self) -> None:
        assert self._gone.acquire(timeout=PATIENCE), "the connection was not closed"

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def site() -> Iterator[Site]:
    there = Site()
    yield there
    there.close()


def blocking(site: Site, config: ClientConfig, **limits: Any) -> bytes:
    with lighttls.connect(("127.0.0.1", site.port), config, server_hostname="localhost", **limits) as tls:
        tls.sendall(b"hello")
        return tls.recv(100)


def under_asyncio(site: Site, config: ClientConfig, **limits: Any) -> bytes:
    async def talk() -> bytes:
        reader, writer = await aio.open_connection(
            "127.0.0.1", site.port, config, server_hostname="localhost", **limits
        )
        writer.write(b"hello")
        answer = await reader.read(100)
        writer.close()
        await writer.wait_closed()
        return answer

    return asyncio.run(asyncio.wait_for(talk(), 3 * PATIENCE))


Face = Callable[..., bytes]
each_face = pytest.mark.parametrize("face", [blocking, under_asyncio])


def device(signer: Any) -> ClientConfig:
    """The shared PKI's device, whose key somebody else is said to have."""
    return pki.config(identity=Identity(chain(), signer))


def chain() -> tuple[bytes, ...]:
    shared = pki.shared()
    return (shared.ec_device.der, shared.device_ca.der)


def goes_well(face: Face, site: Site, config: ClientConfig) -> None:
    assert face(site, config, timeout=PATIENCE) == b"HELLO"
    site.wait_until_gone()


def fails(face: Face, site: Site, config: ClientConfig, kind: type[LightTLSError], **limits: Any) -> LightTLSError:
    """A handshake that must fail here, be told there, and be over at both ends."""
    began = time.monotonic()
    with pytest.raises(kind) as caught:
        face(site, config, **{"timeout": PATIENCE, **limits})
    site.wait_until_gone()
    assert time.monotonic() - began < PATIENCE
    assert lighttls.explain(caught.value)
    return caught.value


def is_told(site: Site) -> None:
    """The server heard internal_error, behind a ClientHello and nothing else."""
    hello = int.from_bytes(site.heard[-1][3:5], "big") + 5
    assert site.heard[-1][0] == 22
    assert site.heard[-1][hello:] == INTERNAL_ERROR
    assert site.errors[-1].endswith("ALERT_INTERNAL_ERROR")


# --- functions that sign, or do not -------------------------------------------------------------


def by_another_key(digest: bytes) -> bytes:
    return ec_key().sign_digest(digest)


def raising(error: Exception) -> Callable[[bytes], bytes]:
    def sign(digest: bytes) -> bytes:
        raise error

    return sign


class Never:
    """Puts its answer off, which faces cannot wait for."""

    signature_schemes = (SignatureScheme.ECDSA_SECP256R1_SHA256,)

    def sign(self, request: Any) -> None:
        return None


LIES: dict[str, tuple[Any, str]] = {
    "another key's": (raw_ecdsa(by_another_key), "does not verify under our own public key"),
    "zeros": (raw_ecdsa(lambda digest: bytes(64)), "does not verify"),
    "cut": (raw_ecdsa(lambda digest: bytes(63)), "63"),
    "too long": (raw_ecdsa(lambda digest: bytes(65)), "65"),
    "empty": (raw_ecdsa(lambda digest: b""), "0"),
    "no bytes": (raw_ecdsa(lambda digest: None), "NoneType"),
    "an error of the system": (raw_ecdsa(raising(OSError("NACK"))), "OSError: NACK"),
    "a bug": (raw_ecdsa(raising(ZeroDivisionError("division"))), "ZeroDivisionError"),
    "a timeout": (raw_ecdsa(raising(TimeoutError("the HSM is silent"))), "the HSM is silent"),
}


@each_face
@pytest.mark.parametrize("lie", LIES)
def test_signer_that_lies_is_told_and_the_next_connection_works(face: Face, lie: str, site: Site) -> None:
    signer, words = LIES[lie]
    assert words in str(fails(face, site, device(signer), SignerError))
    is_told(site)
    goes_well(face, site, pki.config(pki.shared().ec_device))


@each_face
def test_signer_that_never_answers_is_told_and_the_next_connection_works(face: Face, site: Site) -> None:
    error = fails(face, site, device(Never()), SignerError)
    assert "put its answer off" in lighttls.explain(error)
    is_told(site)
    goes_well(face, site, pki.config(pki.shared().ec_device))


@each_face
def test_signer_that_is_too_late_ends_by_the_deadline_and_the_next_connection_works(face: Face, site: Site) -> None:
    key = pki.shared().ec_device.key

    def late(digest: bytes) -> bytes:
        time.sleep(0.5)
        return key.sign_digest(digest)

    error = fails(face, site, device(raw_ecdsa(late)), TransportError, deadline=0.4)
    assert error.timed_out  # type: ignore[attr-defined]
    if face is blocking:  # an event loop notices when it has its turn again, and says goodbye
        assert len(site.heard[-1]) == int.from_bytes(site.heard[-1][3:5], "big") + 5  # a ClientHello, and no signature
    goes_well(face, site, device(raw_ecdsa(late)))


# --- the chip -----------------------------------------------------------------------------------


def of_chip(bench: Bench) -> ClientConfig:
    authority = pki.shared().device_ca
    leaf = issue("chip", PrivateKey(bench.simulated.memory.private_keys[0], "ec"), issuer=authority)
    return pki.config(identity=Identity((leaf.der, authority.der), ChipSigner(bench.chip)))


CHIP_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "does not wake": ({"no_wake": 99}, "no secure element answers"),
    "refuses its address": ({"refused_writes": 99}, "does not take Random"),
    "stops before it signs": ({"dies_in": NONCE}, "took Nonce and does not answer"),
    "stops while it signs": ({"dies_in": SIGN}, "took Sign and does not answer"),
    "answers altered": ({"garbled_answers": 99}, "arrive altered"),
    "cuts signatures": ({"signature": lambda digest: bytes(32)}, "32 bytes instead of 64"),
    "signs wrongly": ({"signature": lambda digest: b"\1" * 64}, "does not verify"),
    "fails its self-test": ({"self_test_failed": True}, "self-test failure"),
}


@each_face
@pytest.mark.parametrize("fault", CHIP_FAULTS)
def test_chip_in_trouble_is_told_and_the_next_connection_works(face: Face, fault: str, site: Site) -> None:
    changes, words = CHIP_FAULTS[fault]
    bench = Bench()
    config = of_chip(bench)
    for name, value in changes.items():
        setattr(bench.simulated.faults, name, value)
    assert words in str(fails(face, site, config, SignerError))
    is_told(site)
    bench.simulated.faults.__init__()  # type: ignore[misc]  # mended
    bench.simulated.cut_power()
    goes_well(face, site, config)


@each_face
def test_chip_whose_watchdog_never_lets_it_sign_is_told_and_the_next_connection_works(
    face: Face, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench()
    config = of_chip(bench)
    with monkeypatch.context() as slow:
        slow.setitem(simulation._TIMES, SIGN, (2000,) * 3)  # ms, of which the chip is awake for 1300
        assert "watchdog about to expire" in str(fails(face, site, config, SignerError))
    is_told(site)
    goes_well(face, site, config)


@each_face
def test_key_that_was_replaced_behind_its_certificate_is_told(face: Face, site: Site) -> None:
    bench = Bench()
    config = of_chip(bench)
    bench.chip.generate_key(0)
    assert "does not verify under our own public key" in str(fails(face, site, config, SignerError))
    is_told(site)
    with pytest.raises(ConfigurationError, match="does not belong to the certificate"):
        Identity(config.identity.chain, ChipSigner(bench.chip))  # type: ignore[union-attr]
    goes_well(face, site, of_chip(bench))


@each_face
@pytest.mark.parametrize("command", [GENERATE, AGREE])
def test_chip_that_stops_in_the_key_exchange_is_told_and_the_next_connection_works(
    face: Face, command: int, site: Site
) -> None:
    clock = VirtualClock()
    simulated = locked_chip(clock=clock)
    chip = Atecc608a(simulated, clock=clock, sleep=clock.sleep)
    config = pki.config(pki.shared().ec_device, key_exchange=ChipKeyExchange(chip))
    simulated.faults.dies_in = command
    assert "agreed on no key" in str(fails(face, site, config, KeyExchangeError))
    is_told(site)
    simulated.faults.dead = False
    simulated.cut_power()
    goes_well(face, site, config)
