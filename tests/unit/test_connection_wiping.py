"""Secrets of a handshake that fails: whatever was derived is wiped at once, not when the memory is needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lighttls import (
    Alert,
    ClientConnection,
    ConfigurationError,
    Identity,
    InternalError,
    LightTLSError,
    SignatureScheme,
    conversation,
)
from lighttls.crypto import CryptoProvider
from support import pki
from support.memory_server import MemoryServer, client, connect, connected

SERVER_HELLO_DONE = b"\x0e\0\0\0"


class Interrupted(BaseException):
    """What is no Exception, as KeyboardInterrupt is none."""


def fail(kind: type[BaseException]) -> Callable[..., Any]:
    def failing(*_: object) -> Any:
        raise kind("on purpose")

    return failing


class Signer:
    signature_schemes = (SignatureScheme.ECDSA_SECP256R1_SHA256,)

    def __init__(self, sign: Callable[..., Any]) -> None:
        self.sign = sign


@pytest.fixture
def made(provider: CryptoProvider, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The key schedules that the engine has made."""
    schedules: list[Any] = []

    def watched(make: Callable[..., Any]) -> Callable[..., Any]:
        def keep(*arguments: Any) -> Any:
            schedules.append(make(*arguments))
            return schedules[-1]

        return keep

    for name in ("key_schedule", "resume"):
        monkeypatch.setattr(type(provider), name, watched(getattr(type(provider), name)))
    return schedules


def check_wiped(made: list[Any]) -> None:
    (schedule,) = made
    with pytest.raises(InternalError):
        schedule.master_secret()


def device(provider: CryptoProvider, sign: Callable[..., Any]) -> ClientConnection:
    shared = pki.shared()
    identity = Identity.from_pem(shared.device_chain(shared.ec_device), Signer(sign))
    return ClientConnection(pki.config(identity=identity, provider=provider), "localhost")


@pytest.mark.parametrize("kind", [ValueError, Interrupted])
def test_signer_that_fails_leaves_no_master_secret(provider: CryptoProvider, made: list[Any], kind: Any) -> None:
    with pytest.raises((LightTLSError, Interrupted)):
        connect(device(provider, fail(kind)), MemoryServer(ask_client=True))
    check_wiped(made)


@pytest.mark.parametrize("kind", [ValueError, Interrupted])
def test_key_log_that_fails_leaves_no_master_secret(provider: CryptoProvider, made: list[Any], kind: Any) -> None:
    with pytest.raises((ConfigurationError, Interrupted)):
        connect(client(provider, key_log=fail(kind)), MemoryServer())
    check_wiped(made)


@pytest.mark.parametrize("kind", [ValueError, Interrupted])
def test_keys_that_are_not_made_leave_no_master_secret(
    provider: CryptoProvider, made: list[Any], monkeypatch: pytest.MonkeyPatch, kind: Any
) -> None:
    connected(provider)
    monkeypatch.setattr(type(made.pop()), "finish", fail(kind))
    with pytest.raises((InternalError, Interrupted)):
        connect(client(provider), MemoryServer())
    check_wiped(made)


def test_bytes_behind_a_flight_leave_no_master_secret(provider: CryptoProvider, made: list[Any]) -> None:
    """REC-20: the handler had done its work."""
    connection, server = client(provider), MemoryServer()
    connection.initiate_connection()
    server.receive(connection.data_to_send())
    flight = server.take()
    done = b"\x16\3\3\0\x04" + SERVER_HELLO_DONE
    assert flight.endswith(done)
    with pytest.raises(LightTLSError, match="after the last message of its flight"):
        connection.receive_data(flight.removesuffix(done) + b"\x16\3\3\0\x08" + SERVER_HELLO_DONE * 2)
    check_wiped(made)


def test_step_interrupted_behind_its_handler_leaves_no_master_secret(
    provider: CryptoProvider, made: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    take = conversation.step

    def step(*arguments: Any) -> Any:
        after = take(*arguments)
        if made:
            raise Interrupted
        return after

    monkeypatch.setattr(conversation, "step", step)
    with pytest.raises(Interrupted):
        connect(client(provider), MemoryServer())
    check_wiped(made)


def forge(connection: ClientConnection) -> None:
    with pytest.raises(LightTLSError):
        connection.receive_data(b"\x17\3\3\0\x20" + bytes(32))


@pytest.mark.parametrize("end", [forge, lambda c: c.abort(Alert.USER_CANCELED)], ids=["failed", "aborted"])
def test_connection_that_ended_keeps_no_master_secret(provider: CryptoProvider, made: list[Any], end: Any) -> None:
    end(connected(provider)[0])
    check_wiped(made)


def test_connection_closed_by_both_sides_keeps_no_master_secret(provider: CryptoProvider, made: list[Any]) -> None:
    connection, server = connected(provider)
    connection.close()
    (schedule,) = made
    assert any(schedule.master_secret())  # it still reads
    connection.receive_data(server.say_goodbye())
    check_wiped(made)
