"""The contract of ClientConnection with its owner, with OpenSSL in memory at the other end."""

from __future__ import annotations

import os
import ssl
from array import array
from typing import Any

import pytest

from lighttls import (
    Alert,
    BadRecordMac,
    CertificateError,
    ClientConnection,
    ConfigurationError,
    DataReceived,
    EntropyError,
    HandshakeCompleted,
    InternalError,
    PeerAlert,
    PeerClosed,
    TruncatedStream,
    UsageError,
    explain,
)
from lighttls.handshake import table
from lighttls.handshake.states import WaitServerHello
from lighttls.messages import ServerHello
from support import inside, pki
from support.memory_server import MemoryServer, connect


def client(provider: Any, host: str = "localhost", **settings: Any) -> ClientConnection:
    return ClientConnection(pki.config(provider=provider, **settings), host)


def connected(provider: Any, **settings: Any) -> tuple[ClientConnection, MemoryServer]:
    connection, server = client(provider, **settings), MemoryServer()
    connect(connection, server)
    assert connection.is_established
    assert server.established
    return connection, server


def records(data: bytes) -> list[bytes]:
    """The whole records in `data`."""
    found = []
    while data:
        end = 5 + int.from_bytes(data[3:5], "big")
        found.append(data[:end])
        data = data[end:]
    return found


# ---- states and wrong calls --------------------------------------------------------------------


def test_new_connection_has_nothing_to_say_and_takes_nothing(provider: Any) -> None:
    connection = client(provider)
    assert (connection.state, connection.is_established, connection.can_send_data) == ("Start", False, False)
    assert not connection.is_closed
    assert connection.data_to_send() == b""
    with pytest.raises(UsageError, match="initiate_connection first"):
        connection.receive_data(b"x")
    with pytest.raises(UsageError, match="in state Start"):
        connection.send_data(b"x")
    with pytest.raises(UsageError, match="before the handshake is complete"):
        _ = connection.info


def test_states_of_a_handshake_have_the_tables_names(provider: Any) -> None:
    connection, server = client(provider), MemoryServer()
    connection.initiate_connection()
    seen = [connection.state]
    while not connection.is_established:
        server.receive(connection.data_to_send())
        for byte in server.take():
            connection.receive_data(bytes((byte,)))
            if seen[-1] != connection.state:
                seen.append(connection.state)
    assert seen == [
        "WaitServerHello",
        "WaitCertificate",
        "WaitServerKeyExchange",
        "WaitRequestOrDone",
        "WaitChangeCipherSpec",
        "WaitFinished",
        "Connected",
    ]


def test_wrong_calls_leave_the_connection_as_it_was(provider: Any) -> None:
    connection, server = client(provider), MemoryServer()
    with pytest.raises(UsageError):
        connection.receive_data(b"too early")
    connection.initiate_connection()
    request: Any = object()

    def misuse() -> None:
        with pytest.raises(UsageError):
            connection.initiate_connection()
        with pytest.raises(UsageError):
            connection.receive_data("text")  # type: ignore[arg-type]
        with pytest.raises(UsageError):
            connection.send_data("text" if connection.can_send_data else b"early")  # type: ignore[arg-type]
        with pytest.raises(UsageError):
            connection.complete_signature(request, b"nobody asked")

    while not connection.is_established:
        misuse()
        server.receive(connection.data_to_send())
        connection.receive_data(server.take())
    misuse()
    connection.send_data(b"still alive")
    server.receive(connection.data_to_send())
    assert server.read() == b"still alive"


@pytest.mark.parametrize("host", ["", "a..b", "käse.example", "-a.example", "a b", "1:2", "x" * 64, "1.2.3.400"])
def test_what_is_no_host_name_is_refused_at_once(provider: Any, host: str) -> None:
    with pytest.raises(ConfigurationError, match="server_hostname"):
        client(provider, host)


def test_handshake_completes_with_one_event_that_holds_the_info(provider: Any) -> None:
    connection, server = client(provider), MemoryServer()
    (event,) = connect(connection, server)
    assert isinstance(event, HandshakeCompleted)
    assert event.info.cipher_suite == connection.info.cipher_suite
    assert connection.can_send_data


def test_one_configuration_serves_connections_that_run_side_by_side(provider: Any) -> None:
    config = pki.config(provider=provider)
    pairs = [(ClientConnection(config, "localhost"), MemoryServer()) for _ in range(3)]
    for connection, _ in pairs:
        connection.initiate_connection()
    for _ in range(2):
        for connection, server in pairs:
            server.receive(connection.data_to_send())
            connection.receive_data(server.take())
    assert all(connection.is_established for connection, _ in pairs)


# ---- bytes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 16384, 16385, 50_000])
def test_data_goes_both_ways(provider: Any, size: int) -> None:
    connection, server = connected(provider)
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    connection.send_data(data)
    server.receive(connection.data_to_send())
    assert server.read() == data
    events = connection.receive_data(server.seal(data))
    assert b"".join(event.data for event in events) == data


def test_bytes_one_by_one_give_the_same_events(provider: Any) -> None:
    connection, server = client(provider), MemoryServer()
    events = connection.initiate_connection()
    for _ in range(2):
        server.receive(connection.data_to_send())
        for byte in server.take():
            events += connection.receive_data(bytes((byte,)))
    for byte in server.seal(b"first") + server.seal(b"second") + server.say_goodbye():
        events += connection.receive_data(bytes((byte,)))
    assert [type(event) for event in events] == [HandshakeCompleted, DataReceived, DataReceived, PeerClosed]
    assert [event.data for event in events[1:3]] == [b"first", b"second"]


BUFFERS = [
    bytes,
    bytearray,
    memoryview,
    lambda data: array("B", data),
    lambda data: memoryview(array("H", data)),
    lambda data: memoryview(b"\0\0" + data + b"\0")[2:-1],
]


@pytest.mark.parametrize("buffer", BUFFERS, ids=["bytes", "bytearray", "memoryview", "array", "shorts", "slice"])
def test_any_buffer_is_taken_and_copied(provider: Any, buffer: Any) -> None:
    connection, server = connected(provider)
    data = b"sixteen bytes ok"
    connection.send_data(buffer(data))
    server.receive(connection.data_to_send())
    assert server.read() == data

    sealed = server.seal(data) + server.seal(data)  # an even number of bytes, whatever the suite
    assert connection.receive_data(buffer(sealed)) == [DataReceived(data)] * 2


def test_buffer_may_change_after_the_call(provider: Any) -> None:
    connection, server = connected(provider)
    outgoing, incoming = bytearray(b"outgoing"), bytearray(server.seal(b"incoming"))
    connection.send_data(outgoing)
    outgoing[:] = bytes(8)
    assert connection.receive_data(incoming[:9]) == []
    tail = incoming[9:]
    events = connection.receive_data(tail)
    tail[:] = bytes(len(tail))
    assert events == [DataReceived(b"incoming")]
    server.receive(connection.data_to_send())
    assert server.read() == b"outgoing"


@pytest.mark.parametrize("what", ["text", 5, None, [1], memoryview(b"abcd")[::2]])
def test_what_is_no_buffer_is_a_usage_error(provider: Any, what: Any) -> None:
    connection, server = connected(provider)
    for call in (connection.send_data, connection.receive_data):
        with pytest.raises(UsageError, match="expected bytes or another contiguous buffer"):
            call(what)
    assert connection.receive_data(server.seal(b"x")) == [DataReceived(b"x")]


def test_nothing_in_and_nothing_out_change_nothing(provider: Any) -> None:
    connection, server = client(provider), MemoryServer()
    connection.initiate_connection()
    assert connection.receive_data(b"") == []
    server.run(connection)
    for empty in (b"", bytearray(), memoryview(b"")):
        assert connection.receive_data(empty) == []
        connection.send_data(empty)
    assert connection.data_to_send() == b""
    assert connection.is_established


@pytest.mark.parametrize("step", [1, 7, 100, 5000])
def test_bytes_to_send_come_in_pieces_as_small_as_asked(provider: Any, step: int) -> None:
    connection, server = connected(provider)
    for number in range(5):
        connection.send_data(bytes((number,)) * 300)
    assert connection.data_to_send(0) == b""
    pieces = []
    while piece := connection.data_to_send(step):
        pieces.append(piece)
    assert all(len(piece) == step for piece in pieces[:-1])
    assert len(pieces[-1]) <= step
    server.receive(b"".join(pieces))
    assert server.read() == b"".join(bytes((number,)) * 300 for number in range(5))


def test_each_flight_leaves_in_one_piece(provider: Any) -> None:
    """HS-13."""
    connection, server = client(provider), MemoryServer()
    connection.initiate_connection()
    hello = connection.data_to_send()
    assert [record[0] for record in records(hello)] == [22]
    assert connection.data_to_send() == b""
    server.receive(hello)
    connection.receive_data(server.take())
    assert [record[0] for record in records(connection.data_to_send())] == [22, 20, 22]
    assert connection.data_to_send() == b""


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

    row = table.Row(WaitServerHello, ServerHello, broken, ())
    monkeypatch.setitem(table._INDEX, (WaitServerHello, ServerHello), row)
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
        _ = connection._records.seal
