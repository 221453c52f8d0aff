"""Who signs, seen by the connection: at once or later, slow, failing, lying, and never twice."""

from __future__ import annotations

import hashlib
import os
import time
from typing import Any

import pytest

from lighttls import (
    Alert,
    ClientConnection,
    HandshakeCompleted,
    Identity,
    InternalError,
    SignatureRequest,
    SignatureRequested,
    SignatureScheme,
    SignerError,
    TransportError,
    TruncatedStream,
    UsageError,
    explain,
    software_key,
)
from lighttls.errors import PeerAlert
from lighttls.testing import Certificate, ec_key
from support import pki
from support.memory_server import MemoryServer, connect

ECDSA_SHA256 = SignatureScheme.ECDSA_SECP256R1_SHA256


class Element:
    """A signer that does what it is told."""

    signature_schemes: tuple[SignatureScheme, ...] = (ECDSA_SHA256,)

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self.asked: list[SignatureRequest] = []

    def sign(self, request: SignatureRequest) -> Any:
        self.asked.append(request)
        return self._answer(request)


def device(kind: str = "ec") -> Certificate:
    shared = pki.shared()
    return shared.ec_device if kind == "ec" else shared.rsa_device


def client(provider: Any, signer: Any, kind: str = "ec", **settings: Any) -> ClientConnection:
    identity = Identity.from_pem(pki.shared().device_chain(device(kind)), signer)
    return ClientConnection(pki.config(identity=identity, provider=provider, **settings), "localhost")


def waiting(provider: Any, kind: str = "ec", **settings: Any) -> tuple[ClientConnection, MemoryServer, Any]:
    """A connection that waits for its deferred signature, and the request."""
    connection, server = client(provider, None, kind, **settings), MemoryServer(ask_client=True)
    (event,) = connect(connection, server)
    assert isinstance(event, SignatureRequested)
    return connection, server, event.request


def signed(request: SignatureRequest, kind: str = "ec") -> bytes:
    signature: bytes = software_key(device(kind).key.to_pem()).sign(request)
    return signature


def finish(connection: ClientConnection, server: MemoryServer) -> None:
    (event,) = server.run(connection)
    assert isinstance(event, HandshakeCompleted)
    assert server.established


# ---- at once -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_signer_that_answers_is_asked_once_and_the_handshake_goes_on(provider: Any, kind: Any) -> None:
    element = Element(lambda request: kind(signed(request)))
    connection, server = client(provider, element), MemoryServer(ask_client=True)
    (event,) = connect(connection, server)
    assert isinstance(event, HandshakeCompleted)
    assert event.info.client_certificate_sent
    assert event.info.client_signature_scheme is ECDSA_SHA256
    assert len(element.asked) == 1


def test_request_holds_all_that_a_remote_signer_needs(provider: Any) -> None:
    """CAUTH-10: the messages themselves, and their digest by the scheme's own hash."""
    element = Element(signed)
    connection, server = client(provider, element), MemoryServer(ask_client=True)
    connect(connection, server)
    (request,) = element.asked
    shared = pki.shared()
    assert request.scheme is ECDSA_SHA256
    assert request.digest == hashlib.sha256(request.message).digest()
    assert request.message[0] == 1  # ClientHello, without a record header
    assert request.message[-37:-32].hex() == "10000021" + "20"  # up to ClientKeyExchange with an x25519 key
    assert shared.ec_device.der in request.message
    assert request.chain == (shared.ec_device.der, shared.device_ca.der)
    assert request.ca_names == ()  # the module `ssl` cannot make OpenSSL name any


NOT_OURS = "does not verify under our own public key"
OTHER_KEY = "private key does not belong"


@pytest.mark.parametrize(
    ("answer", "what", "advice"),
    [
        (lambda request: 1 / 0, "the signer failed: ZeroDivisionError", "driver, the bus"),
        (lambda request: b"signature".decode(), "the signer returned str", "Let sign() return"),
        (lambda request: 64, "the signer returned int", "Let sign() return"),
        (lambda request: b"", NOT_OURS, OTHER_KEY),
        (lambda request: b"\x30\x06\x02\x01\x01\x02\x01\x01", NOT_OURS, OTHER_KEY),
        (lambda request: software_key(ec_key().to_pem()).sign(request), NOT_OURS, OTHER_KEY),
        (lambda request: b"\1" * 64, NOT_OURS, "look like r and s"),
        (lambda request: request.complete(b"signature"), "the signer failed: UsageError", "driver, the bus"),
    ],
    ids=["raises", "text", "number", "empty", "nonsense", "another-key", "r-and-s", "answers-twice"],
)
def test_signer_that_fails_or_lies_ends_the_handshake_with_internal_error(
    provider: Any, answer: Any, what: str, advice: str
) -> None:
    """CAUTH-12, CAUTH-16: nothing of our flight leaves, so that the server sees an alert and no bad signature."""
    connection, server = client(provider, Element(answer), trace=True), MemoryServer(ask_client=True)
    with pytest.raises(SignerError, match=what) as caught:
        connect(connection, server)
    assert advice in explain(caught.value)
    assert connection.trace is not None
    assert [entry.name for entry in connection.trace if entry.sent] == ["ClientHello"]
    assert connection.data_to_send() == b"\x15\3\3\0\2\2\x50"


@pytest.mark.parametrize(
    "cause",
    [
        OSError("i2c bus"),
        TransportError("the signing service timed out", timed_out=True),
        TruncatedStream("the signing service went away"),
        PeerAlert("the signing service refused us", Alert.ACCESS_DENIED),
        UsageError("wrong"),
    ],
    ids=lambda cause: type(cause).__name__,
)
def test_whatever_a_signer_raises_is_a_signer_error_and_the_server_is_told(provider: Any, cause: Exception) -> None:
    """Also errors of lighttls itself, which a remote signer's own connection raises."""

    def answer(request: SignatureRequest) -> bytes:
        raise cause

    connection, server = client(provider, Element(answer)), MemoryServer(ask_client=True)
    with pytest.raises(SignerError, match=str(cause)) as caught:
        connect(connection, server)
    assert caught.value.__cause__ is cause
    assert server.alert_from(connection) == "INTERNAL_ERROR"


def test_signer_error_of_a_signer_passes_as_it_is(provider: Any) -> None:
    mine = SignerError("slot 0 is locked", hint="Unlock slot 0.")

    def answer(request: SignatureRequest) -> bytes:
        raise mine

    connection = client(provider, Element(answer))
    with pytest.raises(SignerError) as caught:
        connect(connection, MemoryServer(ask_client=True))
    assert caught.value is mine


def test_random_source_that_fails_when_a_key_in_memory_signs_is_what_the_advice_is_about(provider: Any) -> None:
    """Not the signer's driver. An engine that does not sign by itself does not draw for it, either."""
    drawn: list[int] = []

    def source(count: int) -> bytes:
        drawn.append(count)
        return os.urandom(count) if len(drawn) < 3 else b""  # ClientHello, ephemeral key, signature

    signer = software_key(device().key.to_pem())
    connection, server = client(provider, signer, insecure_entropy=source), MemoryServer(ask_client=True)
    if provider.name == "pure":
        connect(connection, server)
        assert len(drawn) == 2
        return
    with pytest.raises(SignerError, match="EntropyError: the random source gave 0 bytes") as caught:
        connect(connection, server)
    assert "The random source is broken" in explain(caught.value)
    assert drawn == [32, 32, 32]
    assert server.alert_from(connection) == "INTERNAL_ERROR"


def test_server_that_does_not_ask_gets_no_certificate_and_the_signer_no_request(provider: Any) -> None:
    """CAUTH-02."""
    element = Element(signed)
    connection = client(provider, element)
    connect(connection, MemoryServer())
    assert connection.is_established
    assert not connection.info.client_certificate_sent
    assert element.asked == []


# ---- later -------------------------------------------------------------------------------------


@pytest.mark.parametrize("signer", [None, Element(lambda request: None)], ids=["no-signer", "returns-none"])
def test_deferred_signature_waits_and_then_the_flight_leaves_in_one_piece(provider: Any, signer: Any) -> None:
    connection, server = client(provider, signer), MemoryServer(ask_client=True)
    (event,) = connect(connection, server)
    assert isinstance(event, SignatureRequested)
    assert connection.state == "WaitSignature"
    assert connection.data_to_send() == b""
    assert connection.receive_data(b"") == []
    event.request.complete(signed(event.request))
    assert connection.state == "WaitChangeCipherSpec"
    finish(connection, server)
    assert connection.info.client_signature_scheme is ECDSA_SHA256


def raw(request: SignatureRequest) -> bytes:
    return device().key.sign_digest(request.digest)


@pytest.mark.parametrize(
    "complete",
    [
        lambda connection, request: request.complete(signed(request)),
        lambda connection, request: request.complete(bytearray(signed(request))),
        lambda connection, request: request.complete_raw(raw(request)),
        lambda connection, request: request.complete_raw(memoryview(raw(request))),
        lambda connection, request: connection.complete_signature(request, signed(request)),
        lambda connection, request: connection.complete_signature(request, memoryview(signed(request))),
    ],
    ids=["complete", "bytearray", "raw", "raw-memoryview", "by-connection", "by-connection-memoryview"],
)
def test_every_way_to_complete_a_signature(provider: Any, complete: Any) -> None:
    connection, server, request = waiting(provider)
    complete(connection, request)
    finish(connection, server)


def test_deferred_rsa_signature_is_pss_first(provider: Any) -> None:
    connection, server, request = waiting(provider, "rsa")
    assert request.scheme is SignatureScheme.RSA_PSS_RSAE_SHA256
    request.complete(signed(request, "rsa"))
    finish(connection, server)


def test_failure_reported_later_ends_the_handshake(provider: Any) -> None:
    connection, server, request = waiting(provider)
    cause = OSError("element unplugged")
    with pytest.raises(SignerError, match="the signer gave up: element unplugged") as caught:
        request.fail(cause)
    assert caught.value.__cause__ is cause
    assert "the service that signs" in explain(caught.value)
    assert connection.state == "Failed"
    assert server.alert_from(connection) == "INTERNAL_ERROR"
    with pytest.raises(SignerError) as again:
        request.complete(b"too late")
    assert again.value is caught.value


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: request.complete(b"nonsense"),
        lambda request: request.complete(software_key(ec_key().to_pem()).sign(request)),
        lambda request: request.complete_raw(bytes(64)),
        lambda request: request.complete_raw(bytes(63)),
    ],
    ids=["nonsense", "another-key", "zeros", "odd-length"],
)
def test_wrong_signature_given_later_ends_the_handshake(provider: Any, answer: Any) -> None:
    connection, server, request = waiting(provider)
    with pytest.raises(SignerError) as caught:
        answer(request)
    assert not isinstance(caught.value, InternalError)
    assert connection.state == "Failed"
    assert server.alert_from(connection) == "INTERNAL_ERROR"


def test_answer_of_a_wrong_type_changes_nothing(provider: Any) -> None:
    connection, server, request = waiting(provider)
    for call in (request.complete, request.complete_raw, lambda x: connection.complete_signature(request, x)):
        with pytest.raises(UsageError):
            call("text")
    with pytest.raises(UsageError):
        request.fail("bus error")
    request.complete(signed(request))
    finish(connection, server)


def test_second_answer_is_a_usage_error_and_changes_nothing(provider: Any) -> None:
    connection, server, request = waiting(provider)
    signature = signed(request)
    request.complete(signature)
    for call in (
        lambda: request.complete(signature),
        lambda: request.complete_raw(bytes(64)),
        lambda: request.fail(OSError()),
        lambda: connection.complete_signature(request, signature),
    ):
        with pytest.raises(UsageError, match="does not wait for this signature"):
            call()
    finish(connection, server)
    with pytest.raises(UsageError):
        request.complete(signature)
    assert connection.is_established


def test_request_of_another_connection_is_a_usage_error_for_both(provider: Any) -> None:
    first, first_server, first_request = waiting(provider)
    second, second_server, second_request = waiting(provider)
    with pytest.raises(UsageError):
        first.complete_signature(second_request, signed(second_request))
    assert (first.state, second.state) == ("WaitSignature", "WaitSignature")
    second_request.complete(signed(second_request))
    first_request.complete(signed(first_request))
    finish(first, first_server)
    finish(second, second_server)


@pytest.mark.parametrize("end", [ClientConnection.close, lambda c: c.abort(Alert.USER_CANCELED)])
def test_signature_for_a_closed_connection_is_a_usage_error(provider: Any, end: Any) -> None:
    connection, _, request = waiting(provider)
    end(connection)
    alert = connection.data_to_send()
    assert alert[0] == 21
    assert len(alert) == 7
    with pytest.raises(UsageError):
        request.complete(signed(request))
    assert connection.data_to_send() == b""


def test_end_of_stream_while_waiting_names_the_state(provider: Any) -> None:
    connection, _, request = waiting(provider)
    with pytest.raises(TruncatedStream, match="WaitSignature") as caught:
        connection.receive_eof()
    with pytest.raises(TruncatedStream) as again:
        request.complete(signed(request))
    assert again.value is caught.value


def test_slow_signer_shows_in_the_times_of_the_flights(provider: Any) -> None:
    """The wait lies before our second flight, by the configured clock and no other."""
    base = time.time()
    ticks = [base]
    connection, server, request = waiting(provider, clock=lambda: ticks[0])
    ticks[0] = base + 30
    request.complete(signed(request))
    finish(connection, server)
    assert connection.info.flights == 4
    assert connection.info.flight_times == (0, 0, 30, 30)
