"""receive_data_into: application data straight to a buffer of the owner's."""

from __future__ import annotations

from typing import Any

import pytest

from lighttls import (
    BadRecordMac,
    ClientConnection,
    DataReceived,
    HandshakeCompleted,
    InternalError,
    PeerClosed,
    UsageError,
)
from support.memory_server import MemoryServer, client, connected, records

MESSAGES = [bytes([65 + number]) * size for number, size in enumerate((1, 16384, 40000, 5, 300, 16385, 2))]


def received(connection: ClientConnection, data: bytes, step: int, room: int) -> tuple[bytes, list[Any]]:
    """Everything in `data`, given `step` bytes at a time, as plaintext and the other events."""
    plaintext, others = b"", []
    buffer = bytearray(room)
    for at in range(0, len(data), step):
        written, events = connection.receive_data_into(data[at : at + step], buffer)
        plaintext += buffer[:written]
        for event in events:
            if isinstance(event, DataReceived):
                plaintext += event.data
            else:
                others.append(event)
    return plaintext, others


@pytest.mark.parametrize("room", [0, 1, 299, 16384, 65536, 1 << 20])
@pytest.mark.parametrize("step", [7, 16384, 65536, 1 << 20])
def test_data_comes_whole_and_in_order_however_it_is_cut(provider: Any, step: int, room: int) -> None:
    connection, server = connected(provider)
    stream = b"".join(map(server.seal, MESSAGES)) + server.say_goodbye()
    before = connection.info.bytes_received
    assert received(connection, stream, step, room) == (b"".join(MESSAGES), [PeerClosed()])
    assert connection.info.bytes_received == before + len(stream)


@pytest.mark.parametrize("room", [0, 65536])
@pytest.mark.parametrize("step", [7, 1 << 20])
def test_data_in_limited_records_comes_whole_and_in_order(provider: Any, step: int, room: int) -> None:
    """SIZE-04, SIZE-06: OpenSSL keeps to the length that was agreed, and would complain if we did not."""
    connection, server = connected(provider, max_fragment_length=512)
    assert connection.info.max_fragment_length == 512
    stream = b"".join(map(server.seal, MESSAGES)) + server.say_goodbye()
    assert max(map(len, records(stream))) == 5 + 512 + 24
    assert received(connection, stream, step, room) == (b"".join(MESSAGES), [PeerClosed()])


def test_data_is_sent_in_limited_records(provider: Any) -> None:
    """SIZE-06."""
    connection, server = connected(provider, max_fragment_length=1024)
    connection.send_data(bytes(5000))
    sent = connection.data_to_send()
    assert [len(one) - 5 - 24 for one in records(sent)] == [1024] * 4 + [904]
    server.receive(sent)
    assert server.read() == bytes(5000)


def test_complete_records_that_fit_make_no_event(provider: Any) -> None:
    connection, server = connected(provider)
    buffer = bytearray(65536)
    stream = server.seal(b"a" * 40000)
    assert connection.receive_data_into(stream[:-1], memoryview(buffer)) == (32768, [])
    assert connection.receive_data_into(stream[-1:], memoryview(buffer)[100:]) == (7232, [])
    assert buffer == b"a" * 32768 + bytes(32768)


def test_data_that_does_not_fit_comes_as_events_and_the_buffer_keeps_its_end(provider: Any) -> None:
    connection, server = connected(provider)
    buffer = bytearray(b"\xaa" * 150)
    stream = server.seal(b"1" * 100) + server.seal(b"2" * 51) + server.seal(b"3")
    written, events = connection.receive_data_into(stream, buffer)
    assert (written, events) == (100, [DataReceived(b"2" * 51), DataReceived(b"3")])
    assert buffer == b"1" * 100 + b"\xaa" * 50


def test_data_may_lie_in_the_buffer_itself(provider: Any) -> None:
    connection, server = connected(provider)
    stream = server.seal(b"data")
    buffer = bytearray(100)
    buffer[50 : 50 + len(stream)] = stream
    assert connection.receive_data_into(memoryview(buffer)[50 : 50 + len(stream)], buffer) == (4, [])
    assert buffer[:4] == b"data"


def test_handshake_can_be_driven_by_it(provider: Any) -> None:
    connection, server = client(provider), MemoryServer()
    buffer = bytearray(100)
    connection.initiate_connection()
    events: list[Any] = []
    while not connection.is_established:
        server.receive(connection.data_to_send())
        written, more = connection.receive_data_into(server.take(), buffer)
        assert written == 0
        events += more
    assert [type(event) for event in events] == [HandshakeCompleted]
    assert buffer == bytes(100)


def test_forged_record_fails_and_its_error_has_what_came_before(provider: Any) -> None:
    connection, server = connected(provider)
    good, forged = server.seal(b"good"), bytearray(server.seal(b"forged"))
    forged[-1] ^= 1
    buffer = bytearray(100)
    with pytest.raises(BadRecordMac) as failure:
        connection.receive_data_into(good + forged, buffer)
    assert failure.value.events == [DataReceived(b"good")]
    assert buffer == b"good" + bytes(96)  # what was made of the forgery is wiped
    assert len(records(connection.data_to_send())) == 1
    with pytest.raises(BadRecordMac):
        connection.receive_data_into(b"more", buffer)


@pytest.mark.parametrize("buffer", [b"read only", memoryview(b"read only"), "text", None])
def test_what_cannot_be_written_to_is_refused_and_changes_nothing(provider: Any, buffer: Any) -> None:
    connection, server = connected(provider)
    data = server.seal(b"data")
    with pytest.raises(UsageError):
        connection.receive_data_into(data, buffer)
    assert connection.receive_data_into(data, bytearray(4)) == (4, [])


def test_failure_that_is_kept_does_not_lock_the_callers_buffers(provider: Any) -> None:
    """Its traceback holds the frames of the call, and a memoryview there would forbid to resize them."""
    for receive in (
        lambda connection, data, _: connection.receive_data(data),
        lambda connection, data, buffer: connection.receive_data_into(data, buffer),
    ):
        connection, server = connected(provider)
        data, buffer = bytearray(server.seal(b"forged")), bytearray(100)
        data[-1] ^= 1
        for _ in range(2):
            with pytest.raises(BadRecordMac) as failure:
                receive(connection, data, buffer)
            data += b"x"
            buffer += b"x"
        assert failure.value.__traceback__


@pytest.mark.parametrize("way", ["_open_data", "_seal_data"])
def test_failure_of_the_engine_in_a_short_way_is_the_error_of_every_later_call(provider: Any, way: str) -> None:
    """The caller's buffer is free all the same."""
    connection, server = connected(provider)
    failure = InternalError("the engine's own words")

    def fails(_: bytes) -> bytes:
        raise failure

    setattr(connection, way, fails)
    data, sealed = bytearray(b"data"), server.seal(b"data")
    calls = [lambda: connection.send_data(data), lambda: connection.receive_data(sealed)]
    for call in (calls[way == "_open_data"], *calls, connection.receive_eof):
        with pytest.raises(InternalError) as caught:
            call()
        assert caught.value is failure
        data += b"x"
    assert connection.is_closed
    assert server.alert_from(connection) == "INTERNAL_ERROR"


@pytest.mark.parametrize("way", ["_open_data", "_seal_data"])
def test_interrupted_short_way_ends_the_connection(provider: Any, way: str) -> None:
    """A record may be lost then, which must not pass in silence."""
    connection, server = connected(provider)

    def interrupted(_: bytes) -> bytes:
        raise KeyboardInterrupt

    setattr(connection, way, interrupted)
    with pytest.raises(KeyboardInterrupt):
        connection.receive_data(server.seal(b"data")) if way == "_open_data" else connection.send_data(b"data")
    assert connection.is_closed
    with pytest.raises(InternalError, match="interrupted"):
        connection.send_data(b"more")
    with pytest.raises(InternalError, match="interrupted"):
        connection.receive_data(server.seal(b"more"))
