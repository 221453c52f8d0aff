"""Ephemeral keys from outside the engine: what a connection makes of them, right and wrong, and of the chip's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lighttls import (
    ClientConnection,
    ConfigurationError,
    IllegalParameter,
    KeyExchangeError,
    NamedGroup,
    explain,
)
from lighttls.crypto.provider import CryptoProvider
from lighttls.devices.atecc608a import ChipKeyExchange, Zone
from lighttls.handshake.ecdh_params import agree
from lighttls.handshake.states import Client
from lighttls.x509 import reference_name
from support import memory_server, pki
from support.chips import Bench
from support.memory_server import MemoryServer


class Element:
    """P-256 by `cryptography`, with what a test wants of it instead."""

    groups = (NamedGroup.SECP256R1,)

    def __init__(self, **instead: Callable[..., Any]) -> None:
        self._instead = instead
        self.secrets: list[bytearray] = []
        self.used = 0

    def generate(self, group: NamedGroup) -> bytes:
        self.used += 1
        self._key = ec.generate_private_key(ec.SECP256R1())
        public = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return self._instead["generate"](public) if "generate" in self._instead else public

    def derive(self, peer_public: bytes) -> bytearray:
        peer = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), peer_public)
        secret = bytearray(self._key.exchange(ec.ECDH(), peer))
        self.secrets.append(secret)
        return self._instead["derive"](secret) if "derive" in self._instead else secret


def client(provider: CryptoProvider, element: Any, **settings: Any) -> ClientConnection:
    return memory_server.client(provider, key_exchange=element, **settings)


def test_elements_secret_keys_the_connection_and_is_wiped(provider: CryptoProvider) -> None:
    element, server = Element(), MemoryServer()
    connection = client(provider, element)
    memory_server.connect(connection, server)
    assert connection.is_established
    assert connection.info.group is NamedGroup.SECP256R1
    assert element.secrets == [bytearray(32)]


def test_without_groups_only_those_of_the_element_are_offered(provider: CryptoProvider) -> None:
    assert pki.config(provider=provider, key_exchange=Element()).groups == (NamedGroup.SECP256R1,)


def test_group_that_the_element_lacks_is_the_engines(provider: CryptoProvider) -> None:
    element, server = Element(), MemoryServer()
    connection = client(provider, element, groups=[NamedGroup.X25519, NamedGroup.SECP256R1])
    memory_server.connect(connection, server)
    assert connection.is_established
    assert connection.info.group is NamedGroup.X25519
    assert element.used == 0


def refuse(*_: Any) -> Any:
    raise OSError("i2c bus")


@pytest.mark.parametrize(
    ("instead", "message"),
    [
        ({"generate": refuse}, "the key exchange failed: OSError: i2c bus"),
        ({"derive": refuse}, "the key exchange failed: OSError: i2c bus"),
        ({"generate": lambda public: public[1:]}, "generated no public key of secp256r1"),
        ({"generate": lambda public: b"\2" + public[1:]}, "generated no public key of secp256r1"),
        ({"generate": lambda public: None}, "generated no public key of secp256r1"),
        ({"derive": lambda secret: secret[:31]}, "derived no secret of secp256r1"),
        ({"derive": bytes}, "derived no secret of secp256r1"),
        ({"derive": lambda secret: bytearray(32)}, "derived no secret of secp256r1"),
        ({"derive": lambda secret: None}, "derived no secret of secp256r1"),
    ],
)
def test_element_that_fails_ends_the_handshake_with_internal_error(
    provider: CryptoProvider, instead: dict[str, Any], message: str
) -> None:
    connection, server = client(provider, Element(**instead)), MemoryServer()
    with pytest.raises(KeyExchangeError, match=message) as caught:
        memory_server.connect(connection, server)
    assert "secure element" in explain(caught.value)
    assert server.alert_from(connection) == "INTERNAL_ERROR"


@pytest.mark.parametrize(
    "instead",
    [{"derive": lambda secret: secret + b"more"}, {"generate": lambda public: public[1:]}],
    ids=["too-long-a-secret", "no-public-key"],
)
def test_secret_that_is_not_taken_is_wiped(provider: CryptoProvider, instead: dict[str, Any]) -> None:
    answered: list[bytearray] = []

    def derive(secret: bytearray) -> bytearray:
        answered.append(instead["derive"](secret) if "derive" in instead else secret)
        return answered[-1]

    connection = client(provider, Element(**instead | {"derive": derive}))
    with pytest.raises(KeyExchangeError):
        memory_server.connect(connection, MemoryServer())
    assert [any(each) for each in answered] == [False]


def test_wrong_secret_is_found_out_by_finished(provider: CryptoProvider) -> None:
    """Nobody is connected by it: the server cannot open our Finished."""
    connection = client(provider, Element(derive=lambda secret: bytearray(b"\1" * 32)))
    server = MemoryServer()
    connection.initiate_connection()
    server.receive(connection.data_to_send())
    connection.receive_data(server.take())
    server.receive(connection.data_to_send())
    assert server.error is not None
    assert not server.established


def test_point_off_the_curve_never_reaches_the_element(provider: CryptoProvider) -> None:
    element = Element()
    config = pki.config(provider=provider, key_exchange=element)
    with pytest.raises(IllegalParameter):
        agree(Client(config, provider, reference_name("localhost")), NamedGroup.SECP256R1, b"\4" + b"\1" * 64)
    assert element.used == 0


@pytest.mark.parametrize("wrong", [object(), "chip", Element.generate])
def test_what_is_no_key_exchange_is_refused(wrong: object) -> None:
    with pytest.raises(ConfigurationError, match="is no KeyExchange: that has groups, generate, derive"):
        pki.config(key_exchange=wrong)


# ---- the ATECC608A -----------------------------------------------------------------------------


def connect_by(bench: Bench) -> tuple[ClientConnection, MemoryServer]:
    connection = ClientConnection(pki.config(key_exchange=ChipKeyExchange(bench.chip)), "localhost")
    return connection, MemoryServer()


def test_chip_agrees_with_openssl_on_the_keys() -> None:
    bench = Bench()
    for _ in range(2):
        connection, server = connect_by(bench)
        memory_server.connect(connection, server)
        assert connection.is_established
        assert server.established
    assert bench.simulated.packets == {0x40: 2, 0x43: 2}


IO_KEY = b"between the chip and this device"


def with_io_key(key: bytes) -> Bench:
    bench = Bench()
    bench.simulated.memory.config[90:92] = b"\x02\x61"  # in slot 6, and no secret leaves in the clear
    bench.chip.write(Zone.DATA, key, slot=6)
    return bench


def test_secret_may_come_over_the_bus_encrypted() -> None:
    bench = with_io_key(IO_KEY)
    exchange = ChipKeyExchange(bench.chip, io_key=IO_KEY)
    exchange.check()
    connection, server = ClientConnection(pki.config(key_exchange=exchange), "localhost"), MemoryServer()
    memory_server.connect(connection, server)
    assert connection.is_established
    assert server.established
    connection, server = connect_by(bench)
    with pytest.raises(KeyExchangeError, match="status 0F"):
        memory_server.connect(connection, server)


def test_io_key_that_is_not_the_chips_is_found_before_a_handshake() -> None:
    ChipKeyExchange(Bench().chip).check()
    with pytest.raises(KeyExchangeError, match="not the one that belongs") as caught:
        ChipKeyExchange(with_io_key(bytes(32)).chip, io_key=IO_KEY).check()
    assert "io_key" in explain(caught.value)


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33), "text of thirty-two characters ...", 7])
def test_io_key_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="32 bytes"):
        ChipKeyExchange(Bench().chip, io_key=wrong)


@pytest.mark.parametrize("command", [0x40, 0x43], ids=["GenKey", "ECDH"])
@pytest.mark.parametrize("fault", ["dies_in", "watchdog_in"])
def test_chip_that_stops_ends_one_handshake_and_not_the_next(command: int, fault: str) -> None:
    bench = Bench()
    setattr(bench.simulated.faults, fault, command)
    connection, server = connect_by(bench)
    with pytest.raises(KeyExchangeError, match="the secure element agreed on no key") as caught:
        memory_server.connect(connection, server)
    assert "power, wiring" in explain(caught.value)
    assert server.alert_from(connection) == "INTERNAL_ERROR"
    bench.simulated.faults.dead = False
    again, server = connect_by(bench)
    memory_server.connect(again, server)
    assert again.is_established


def test_chip_knows_one_group() -> None:
    with pytest.raises(KeyExchangeError, match="does not know the group X25519"):
        ChipKeyExchange(Bench().chip).generate(NamedGroup.X25519)


def test_another_thread_waits_between_generate_and_derive() -> None:
    """Or its command might put something else where the private key is."""
    bench = Bench()
    exchange = ChipKeyExchange(bench.chip)
    exchange.generate(NamedGroup.SECP256R1)
    exchange.generate(NamedGroup.SECP256R1)  # a handshake that ended in between leaves nothing locked
    peer = b"\4" + bench.chip.public_key(0)
    thread = threading.Thread(target=bench.chip.nonce, args=(bytes(20),))
    thread.start()
    thread.join(0.1)
    assert thread.is_alive()
    assert len(exchange.derive(peer)) == 32
    thread.join(10)
    assert not thread.is_alive()
