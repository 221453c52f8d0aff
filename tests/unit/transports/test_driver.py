"""`Driver`: the half that every face shares."""

from __future__ import annotations

import pytest

from lighttls import Identity, LightTLSError, SignerError, UnexpectedMessage, explain
from lighttls.transports import Driver
from support import pki
from support.memory_server import MemoryServer


def deferring() -> tuple[Driver, bytes]:
    """A client whose signer answers later, and the server's flight that asks for a signature."""
    identity = Identity.from_pem(pki.shared().device_chain(pki.shared().ec_device))
    driver = Driver(pki.config(identity=identity), "localhost")
    server = MemoryServer(ask_client=True)
    server.receive(driver.data_to_send())
    return driver, server.take()


def failure(driver: Driver) -> LightTLSError:
    with pytest.raises(LightTLSError) as caught:
        driver.take(1)
    return caught.value


def test_signature_that_is_put_off_ends_the_handshake_with_what_to_do() -> None:
    driver, flight = deferring()
    driver.feed(flight)
    error = failure(driver)
    assert isinstance(error, SignerError)
    assert "ClientConnection" in explain(error)


def test_failure_behind_a_request_for_a_signature_keeps_its_own_hint() -> None:
    driver, flight = deferring()
    driver.feed(flight + b"\x17\x03\x03\x00\x01x")  # data in the clear, in the middle of the handshake
    error = failure(driver)
    assert isinstance(error, UnexpectedMessage)
    assert error.hint == UnexpectedMessage.hint
