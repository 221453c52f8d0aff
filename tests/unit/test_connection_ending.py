"""How a connection ends: closed by either side, cut off, or failed; what is said then, kept and raised."""

from __future__ import annotations

import os
import ssl
from typing import Any

import pytest

from lighttls import (
    Alert,
    BadRecordMac,
    CertificateError,
    ChainReason,
    ClientConnection,
    ConfigurationError,
    DataReceived,
    EntropyError,
    InternalError,
    LightTLSError,
    PeerAlert,
    PeerClosed,
    TruncatedStream,
    UsageError,
    VerifyPolicy,
    explain,
)
from lighttls.handshake import table
from lighttls.handshake.states import WaitServerHello
from lighttls.messages import ServerHello
from support import inside
from support.memory_server import MemoryServer, client, connect, connected, records

# ---- closing -----------------------------------------------------------------------------------


def test_close_tells_the_server_and_ends_sending(provider: Any) -> None:
    """ALERT-13."""
    connection, server = connected(provider)
    connection.send_data(b"last words")
    connection.close()
    assert connection.is_closed
    assert not connection.can_send_data
    assert connection.state == "Closed"
    with pytest.raises(UsageError, match="in state Closed"):
        connection.send_data(b"more")
    server.receive(connection.data_to_send())
    assert server.read() == b"last words"
    assert server.got_close_notify
    for again in (connection.close, lambda: connection.abort(Alert.INTERNAL_ERROR)):
        again()
        assert connection.data_to_send() == b""


def test_data_still_arrives_after_our_close_until_the_server_closes(provider: Any) -> None:
    connection, server = connected(provider)
    in_flight = server.seal(b"in flight")
    connection.close()
    assert connection.receive_data(in_flight) == [DataReceived(b"in flight")]
    connection.data_to_send()
    assert connection.receive_data(server.say_goodbye()) == [PeerClosed()]
    assert connection.data_to_send() == b""  # one close_notify is enough (ALERT-09)
    assert connection.receive_eof() == []


def test_server_that_closes_is_answered_and_what_follows_is_ignored(provider: Any) -> None:
    """ALERT-07, ALERT-09, ALERT-10."""
    connection, server = connected(provider)
    events = connection.receive_data(server.seal(b"data") + server.say_goodbye() + b"garbage")
    assert events == [DataReceived(b"data"), PeerClosed()]
    assert connection.state == "Closed"
    assert not connection.can_send_data
    assert connection.receive_data(b"more garbage") == []
    server.receive(connection.data_to_send())
    server.tls.unwrap()
    assert connection.receive_eof() == []
    assert connection.is_established  # what was agreed stays readable
    assert connection.info.server_hostname == "localhost"


@pytest.mark.parametrize("end", [ClientConnection.close, lambda c: c.abort(Alert.USER_CANCELED)])
def test_ended_before_it_began(provider: Any, end: Any) -> None:
    connection = client(provider)
    end(connection)
    assert connection.state == "Closed"
    assert connection.data_to_send() == b""
    with pytest.raises(UsageError):
        connection.initiate_connection()
    assert connection.receive_eof() == []


@pytest.mark.parametrize(
    ("end", "level_and_description"),
    [(ClientConnection.close, b"\1\0"), (lambda c: c.abort(Alert.USER_CANCELED), b"\2\x5a")],
    ids=["close", "abort"],
)
def test_ended_during_the_handshake_says_so_and_ignores_the_rest(
    provider: Any, end: Any, level_and_description: bytes
) -> None:
    connection, server = client(provider), MemoryServer()
    connection.initiate_connection()
    server.receive(connection.data_to_send())
    end(connection)
    assert connection.data_to_send() == b"\x15\3\3\0\2" + level_and_description
    assert connection.is_closed
    assert not connection.is_established
    assert connection.receive_data(server.take()) == []
    assert connection.receive_eof() == []
    assert connection.data_to_send() == b""


def test_abort_sends_the_chosen_alert_and_hears_nothing_more(provider: Any) -> None:
    connection, server = connected(provider)
    connection.abort(Alert.ACCESS_DENIED)
    assert server.alert_from(connection) == "ACCESS_DENIED"
    assert not connection.can_send_data
    assert connection.state == "Closed"
    assert connection.receive_data(b"whatever") == []
    assert connection.receive_eof() == []


@pytest.mark.parametrize(
    ("given", "where"),
    [
        (None, " during the handshake, in state Start,"),
        (0, " during the handshake, in state WaitServerHello,"),
        (3, " during the handshake, in state WaitServerHello,"),
        (500, " during the handshake, in state WaitCertificate,"),
        (-1, " during the handshake, in state WaitRequestOrDone,"),
        (100_000, " during the handshake, in state WaitChangeCipherSpec,"),
    ],
)
def test_end_of_stream_during_the_handshake_names_the_state(provider: Any, given: int | None, where: str) -> None:
    """ALERT-12. `given` is how much of its first flight the server could send; it is not told anything more."""
    connection, server = client(provider), MemoryServer()
    if given is not None:
        connection.initiate_connection()
        server.receive(connection.data_to_send())
        connection.receive_data(server.take()[:given])
        connection.data_to_send()
    with pytest.raises(TruncatedStream) as caught:
        connection.receive_eof()
    assert str(caught.value) == f"the stream ended{where} without close_notify"
    assert caught.value.alert is None
    assert connection.data_to_send() == b""
    assert connection.state == "Failed"


def test_end_of_stream_without_close_notify_is_truncation(provider: Any) -> None:
    """ALERT-11: also when half a record had arrived."""
    connection, server = connected(provider)
    connection.receive_data(server.seal(b"half")[:10])
    with pytest.raises(TruncatedStream, match=r"^the stream ended without close_notify$"):
        connection.receive_eof()
    with pytest.raises(TruncatedStream):
        connection.receive_data(b"late")
    assert connection.data_to_send() == b""


# ---- errors ------------------------------------------------------------------------------------


def refused(provider: Any) -> tuple[ClientConnection, MemoryServer, CertificateError]:
    connection, server = client(provider, "other.example"), MemoryServer()
    with pytest.raises(CertificateError) as caught:
        connect(connection, server)
    return connection, server, caught.value


def test_error_leaves_one_alert_and_is_raised_by_every_later_call(provider: Any) -> None:
    connection, _, error = refused(provider)
    assert (connection.state, connection.is_closed, connection.can_send_data) == ("Failed", True, False)
    request: Any = None
    for call in (
        lambda: connection.receive_data(b"more"),
        lambda: connection.receive_data(b""),
        lambda: connection.receive_eof(),
        lambda: connection.send_data(b"data"),
        lambda: connection.complete_signature(request, b"signature"),
    ):
        with pytest.raises(CertificateError) as again:
            call()
        assert again.value is error
    with pytest.raises(UsageError):
        connection.initiate_connection()
    with pytest.raises(UsageError):
        _ = connection.info
    connection.close()
    connection.abort(Alert.INTERNAL_ERROR)
    assert connection.data_to_send(3) == b"\x15\3\3"
    assert connection.data_to_send() == b"\0\2\2\x2a"  # fatal bad_certificate, in the clear (ALERT-14)
    assert connection.data_to_send() == b""


def test_server_hears_the_alert_of_a_failed_handshake(provider: Any) -> None:
    connection, server, error = refused(provider)
    assert error.alert is Alert.BAD_CERTIFICATE
    assert server.alert_from(connection) == "BAD_CERTIFICATE"


def test_error_carries_what_was_earned_before_it(provider: Any) -> None:
    connection, server = connected(provider)
    good = server.seal(b"one") + server.seal(b"two")
    bad = bytearray(server.seal(b"three"))
    bad[-1] ^= 1
    with pytest.raises(BadRecordMac) as caught:
        connection.receive_data(good + bad)
    assert caught.value.events == [DataReceived(b"one"), DataReceived(b"two")]
    assert server.alert_from(connection) == "BAD_RECORD_MAC"  # under the current keys (ALERT-14)


def test_bad_record_alone_fails_the_short_way_too(provider: Any) -> None:
    connection, server = connected(provider)
    bad = bytearray(server.seal(b"three"))
    bad[-1] ^= 1
    with pytest.raises(BadRecordMac) as caught:
        connection.receive_data(bytes(bad))
    assert caught.value.events == []
    assert server.alert_from(connection) == "BAD_RECORD_MAC"
    with pytest.raises(BadRecordMac) as again:
        connection.send_data(b"x")
    assert again.value is caught.value


def test_fatal_alert_of_the_server_is_an_error_with_advice_and_no_answer(provider: Any) -> None:
    """ALERT-03: pending writes are dropped."""
    connection, server = client(provider), MemoryServer(ask_client=True)
    with pytest.raises(PeerAlert) as caught:
        connect(connection, server)
    assert caught.value.description == Alert.HANDSHAKE_FAILURE
    assert caught.value.alert is None
    assert "client certificate" in explain(caught.value)
    assert connection.data_to_send() == b""
    assert isinstance(server.error, ssl.SSLError)


@pytest.mark.parametrize("highest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_fallback_signal_is_refused_by_a_server_that_speaks_more(provider: Any, highest: ssl.TLSVersion) -> None:
    """CH-11, ALERT-18: OpenSSL's word for it, and what we say to it."""
    connection, server = client(provider, insecure_fallback_scsv=True), MemoryServer(highest=highest)
    if highest == ssl.TLSVersion.TLSv1_2:
        connect(connection, server)
        assert connection.is_established
        return
    with pytest.raises(PeerAlert) as caught:
        connect(connection, server)
    assert caught.value.description == Alert.INAPPROPRIATE_FALLBACK
    assert "Do not set the fallback signal" in explain(caught.value)


def test_random_source_that_fails_leaves_a_connection_that_can_be_tried_again(provider: Any) -> None:
    answers = iter([b"short"])

    def source(count: int) -> bytes:
        return next(answers, None) or os.urandom(count)

    connection = client(provider, insecure_entropy=source)
    with pytest.raises(EntropyError):
        connection.initiate_connection()
    assert connection.state == "Start"
    assert connection.data_to_send() == b""
    connect(connection, MemoryServer())
    assert connection.is_established


def test_random_source_that_repeats_itself_ends_the_handshake(provider: Any) -> None:
    connection, server = client(provider, insecure_entropy=lambda count: b"\7" * count), MemoryServer()
    with pytest.raises(EntropyError, match="the same bytes twice"):
        connect(connection, server)
    assert server.alert_from(connection) == "INTERNAL_ERROR"


def test_exception_that_is_not_ours_becomes_an_internal_error(provider: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a LightTLSError leaves the connection, and the server is told."""

    def broken(out: Any, state: Any, message: Any) -> Any:
        raise KeyError("bug")

    row = table.Row(WaitServerHello, ServerHello, broken, (), None)
    monkeypatch.setitem(table.ROWS_BY_NUMBER, (WaitServerHello, 2), row)
    connection, server = client(provider), MemoryServer()
    with pytest.raises(InternalError, match="KeyError: 'bug'") as caught:
        connect(connection, server)
    assert isinstance(caught.value.__cause__, KeyError)
    assert server.alert_from(connection) == "INTERNAL_ERROR"


def test_worn_out_key_refuses_data_and_closes(provider: Any) -> None:
    """REC-26: what was sealed before still leaves, and the server sees a clean end."""
    connection, server = connected(provider)
    limit = connection._state.agreed.suite.record_limit  # type: ignore[union-attr]
    inside.set_sequence(connection._records._sealer, limit - 1)
    with pytest.raises(UsageError, match="as many records as its key may protect"):
        connection.send_data(b"one more")
    assert connection.state == "Closed"
    assert not connection.can_send_data
    (record,) = records(connection.data_to_send())
    assert record[0] == 21  # close_notify, for which the budget keeps room
    assert connection.receive_data(server.seal(b"reading goes on")) == [DataReceived(b"reading goes on")]


@pytest.mark.parametrize("end", ["fails", "closes", "aborts"])
def test_ended_connection_keeps_no_keys(provider: Any, end: str) -> None:
    """ALERT-15: neither in the record layer nor in a state of the handshake."""
    connection, server = client(provider), MemoryServer()
    connection.initiate_connection()
    server.receive(connection.data_to_send())
    connection.receive_data(server.take())
    assert connection.state == "WaitChangeCipherSpec"
    if end == "fails":
        with pytest.raises(TruncatedStream):
            connection.receive_eof()
    elif end == "closes":
        connection.close()
    else:
        connection.abort(Alert.USER_CANCELED)
    assert connection._state is None
    with pytest.raises(InternalError):
        _ = connection._records.seal_data


# ---- what callbacks and verifiers may do ---------------------------------------------------------------


def test_stream_cut_after_our_own_close_is_still_truncated(provider: Any) -> None:
    """ALERT-11: whoever cuts the link must not pass for the server's end of data."""
    connection, server = connected(provider)
    connection.close()
    connection.receive_data(server.seal(b"half of the answer")[:-3])
    with pytest.raises(TruncatedStream):
        connection.receive_eof()


@pytest.mark.parametrize("alert", [300, -1, "x", Alert.CLOSE_NOTIFY, Alert.NO_CERTIFICATE])
def test_impossible_alert_of_a_verifier_becomes_internal_error(provider: Any, alert: Any) -> None:
    """ALERT-16: and the connection has failed all the same."""

    class Verifier:
        def verify(self, request: Any) -> Any:
            raise CertificateError("no", ChainReason.REFUSED_BY_VERIFIER, alert=alert)

    connection, server = client(provider, verify=VerifyPolicy(verifier=Verifier())), MemoryServer()
    with pytest.raises(CertificateError) as caught:
        connect(connection, server)
    assert caught.value.alert is Alert.INTERNAL_ERROR
    assert connection.state == "Failed"
    assert server.alert_from(connection) == "INTERNAL_ERROR"


@pytest.mark.parametrize("alert", [300, "x", None, Alert.CLOSE_NOTIFY, Alert.EXPORT_RESTRICTION])
def test_abort_with_an_impossible_alert_changes_nothing(provider: Any, alert: Any) -> None:
    connection, _ = connected(provider)
    with pytest.raises(UsageError, match="no alert that ends a connection"):
        connection.abort(alert)
    assert connection.can_send_data


def test_failing_key_log_does_not_show_the_secret(provider: Any) -> None:
    """PROF-05."""

    def log(line: str) -> None:
        raise ValueError(f"cannot write {line}")

    connection, server = client(provider, key_log=log), MemoryServer()
    with pytest.raises(ConfigurationError, match="key_log failed with ValueError") as caught:
        connect(connection, server)
    assert "CLIENT_RANDOM" not in str(caught.value) + explain(caught.value)
    assert server.alert_from(connection) == "INTERNAL_ERROR"


def test_clock_that_fails_ends_the_connection_from_the_start(provider: Any) -> None:
    connection = client(provider, clock=lambda: 1 / 0)
    with pytest.raises(ConfigurationError, match="clock failed"):
        connection.initiate_connection()
    assert connection.state == "Failed"


def test_interrupted_step_is_not_taken_up_again(provider: Any) -> None:
    class Verifier:
        def verify(self, request: Any) -> Any:
            raise KeyboardInterrupt

    connection, server = client(provider, verify=VerifyPolicy(verifier=Verifier())), MemoryServer()
    with pytest.raises(KeyboardInterrupt):
        connect(connection, server)
    with pytest.raises(InternalError, match="interrupted"):
        connection.receive_data(b"")
    assert server.alert_from(connection) == "INTERNAL_ERROR"


def test_error_raised_again_does_not_grow(provider: Any) -> None:
    connection, _ = connected(provider)
    depths = []
    for _ in range(3):
        with pytest.raises(LightTLSError) as caught:
            connection.receive_data(b"\x17\3\3\0\1x")
        depths.append(len(caught.traceback))
    assert depths[1] == depths[2] <= depths[0]


@pytest.mark.parametrize(
    "use",
    [
        lambda c: c.close(),
        lambda c: c.abort(Alert.USER_CANCELED),
        lambda c: c.receive_data(b""),
        lambda c: c.receive_eof(),
        lambda c: c.complete_signature(None, b""),
    ],
    ids=["close", "abort", "receive_data", "receive_eof", "complete_signature"],
)
def test_callback_that_uses_its_own_connection_is_refused(provider: Any, use: Any) -> None:
    """It finds the connection half-way through a step; nothing of the flight may follow an alert it asked for."""
    refused: list[Exception] = []

    def log(line: str) -> None:
        with pytest.raises(UsageError, match="must not use the connection") as caught:
            use(connection)
        refused.append(caught.value)

    connection, server = client(provider, key_log=log), MemoryServer()
    connect(connection, server)
    assert connection.is_established
    assert len(refused) == 1
    connection.send_data(b"all is well")
    server.receive(connection.data_to_send())
    assert server.read() == b"all is well"


def test_keys_are_gone_after_the_server_closed(provider: Any) -> None:
    connection, server = connected(provider)
    connection.receive_data(server.say_goodbye() + bytes(1000))
    assert not connection._held
    with pytest.raises(UsageError):
        connection.export_keying_material("EXPERIMENTAL mine", None, 32)
