"""The contract of ClientConnection with its owner, with OpenSSL in memory at the other end."""

from __future__ import annotations

from array import array
from typing import Any

import pytest

from lighttls import (
    ClientConfig,
    ClientConnection,
    ConfigurationError,
    DataReceived,
    HandshakeCompleted,
    InternalError,
    PeerClosed,
    UsageError,
)
from support import pki
from support.memory_server import MemoryServer, client, connect, connected, records

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


def test_machine_does_not_move_before_the_client_hello(provider: Any) -> None:
    """No call of the face gets there: a mistake of ours would be named as one."""
    with pytest.raises(InternalError, match="before the ClientHello"):
        client(provider)._on_input(object(), [])


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


@pytest.mark.parametrize("config", [None, {}, "example.com", ClientConfig])
def test_configuration_that_is_none_is_named(config: Any) -> None:
    with pytest.raises(ConfigurationError, match="must be a ClientConfig, not "):
        ClientConnection(config, "example.com")
