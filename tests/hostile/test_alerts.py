"""Alerts from the server, the end of a connection, and what we say ourselves (ALERT)."""

from __future__ import annotations

import pytest

from hostile import certificates, wire
from hostile.cases import Refused, Tolerated, both_splits, check_alive, client
from hostile.link import Link, drive
from hostile.server import FIRST, SECOND, Server, Step
from hostile.steps import alert, data, fragment
from lighttls import errors
from lighttls.events import DataReceived, HandshakeCompleted, PeerClosed, WarningReceived

WARNING = alert(wire.WARNING, 90)
CLOSE_NOTIFY = alert(wire.WARNING, wire.CLOSE_NOTIFY)

IN_FIRST = ("hello", "certificate", "exchange", "done")
IN_SECOND = ("ccs", "finished")
EVERYWHERE = (*IN_FIRST, *IN_SECOND, "after the handshake")


def at(place: str, step: Step) -> dict[str, list[Step]]:
    """A script with one more step, before the message of that name or after the handshake."""
    if place == "after the handshake":
        return {"tail": [step]}
    names, flight, usual = (IN_FIRST, "first", FIRST) if place in IN_FIRST else (IN_SECOND, "second", SECOND)
    steps: list[Step] = list(usual)
    steps.insert(names.index(place), step)
    return {flight: steps}


REFUSED = [
    *(
        Refused("ALERT-01", f"{what} at {place}", wire.DECODE_ERROR, **at(place, fragment(wire.ALERT, body)))
        for place in ("hello", "ccs", "finished", "after the handshake")
        for what, body in (
            ("cut", b"\x02"),
            ("none", b""),
            ("two", b"\x01\x5a\x01\x5a"),
            ("three bytes", b"\x02\x28\x00"),
        )
    ),
    *(
        Refused("ALERT-02", f"level {level} at {place}", wire.ILLEGAL_PARAMETER, **at(place, alert(level, 40)))
        for place in ("hello", "ccs", "after the handshake")
        for level in (0, 3, 255)
    ),
    *(
        Refused(
            "ALERT-06",
            f"five warnings at {place}",
            wire.UNEXPECTED_MESSAGE,
            **at(place, lambda server: b"".join(WARNING(server) for _ in range(5))),
        )
        for place in EVERYWHERE
    ),
    Refused(
        "ALERT-06", "empty data does not reset", wire.UNEXPECTED_MESSAGE, tail=[*[WARNING] * 4, data(b""), WARNING]
    ),
]

TOLERATED = [
    *(
        Tolerated("ALERT-05", f"warning {number} at {place}", **at(place, alert(wire.WARNING, number)))
        for place in EVERYWHERE
        for number in (41, 90, 100, 110, 200)
    ),
    *(
        Tolerated("SNI-07", f"unrecognized_name at {place}", **at(place, alert(wire.WARNING, 112)))
        for place in ("hello", "certificate")
    ),
    Tolerated("ALERT-06", "four warnings", tail=[WARNING] * 4),
    Tolerated("ALERT-06", "four, data, four", tail=[*[WARNING] * 4, data(b"x"), *[WARNING] * 4]),
    Tolerated("ALERT-06", "four, handshake, four", first=[*[WARNING] * 4, "server_hello", *[WARNING] * 4, *FIRST[1:]]),
]


@both_splits
@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_broken_alert_is_refused(case, provider, split):
    case.check(provider, split)


@both_splits
@pytest.mark.parametrize("case", TOLERATED, ids=str)
def test_warning_is_reported_and_the_connection_goes_on(case, provider, split):
    link = case.check(provider, split)
    assert any(isinstance(event, WarningReceived) for event in link.events)


@both_splits
@pytest.mark.parametrize("number", [0, 10, 40, 42, 70, 90, 100, 112, 120, 200, 255])
@pytest.mark.parametrize("place", EVERYWHERE)
def test_fatal_alert_ends_the_connection_without_answer(provider, split, place, number):
    """ALERT-03, ALERT-04, ALERT-18: known or not, fatal is fatal; `close_notify` as a fatal alert too (ALERT-07)."""
    script = at(place, alert(wire.FATAL, number))
    if place != "after the handshake":
        script["tail"] = [data(b"must not pass")]
    link = drive(client(provider), Server(certificates.leaf(), **script), split)
    assert type(link.error) is errors.PeerAlert
    assert link.error.description == number
    assert link.error.alert is None
    assert errors.explain(link.error)
    assert link.server.alerts == []
    assert link.data == b""
    assert link.client.is_closed
    with pytest.raises(errors.PeerAlert):
        link.client.receive_data(b"\x17\x03\x03\x00\x01x")
    assert link.client.data_to_send() == b""


@both_splits
@pytest.mark.parametrize("place", EVERYWHERE[:-1])
def test_close_notify_in_the_handshake_is_answered_and_is_an_error(provider, split, place):
    """ALERT-08."""
    link = drive(client(provider), Server(certificates.leaf(), **at(place, CLOSE_NOTIFY)), split)
    assert isinstance(link.error, errors.LightTLSError)
    assert link.server.alerts == [(wire.WARNING, wire.CLOSE_NOTIFY)]
    assert not link.completed
    assert link.client.is_closed


@both_splits
def test_close_notify_ends_the_data_and_is_answered_once(provider, split):
    """ALERT-07, ALERT-09, ALERT-10: what follows is not even parsed."""
    script = [data(b"last words"), CLOSE_NOTIFY, data(b"ghost"), b"\xff" * 64, alert(wire.FATAL, 40)]
    link = drive(client(provider), Server(certificates.leaf(), tail=script), split)
    assert link.error is None
    assert link.events[1:] == [DataReceived(b"last words"), PeerClosed()]
    assert link.server.alerts == [(wire.WARNING, wire.CLOSE_NOTIFY)]
    assert link.client.receive_data(b"more") == []
    assert link.client.receive_eof() == []
    link.client.close()
    assert link.client.data_to_send() == b""


def connected(provider, **script) -> Link:
    return drive(client(provider), Server(certificates.leaf(), **script))


def test_data_queued_before_close_notify_still_leaves_and_none_after(provider):
    """ALERT-09: what is protected already goes out; later writes are refused."""
    link = connected(provider)
    link.server.play([CLOSE_NOTIFY])
    link.run()
    assert not link.client.can_send_data
    with pytest.raises(errors.LightTLSError):
        link.client.send_data(b"too late")
    assert link.client.data_to_send() == b""


def test_end_of_stream_after_the_handshake_is_truncation(provider):
    """ALERT-11."""
    link = connected(provider)
    with pytest.raises(errors.TruncatedStream):
        link.client.receive_eof()


@pytest.mark.parametrize("count", range(5))
def test_end_of_stream_in_the_handshake_is_an_error_that_names_the_state(provider, count):
    """ALERT-12."""
    connection = client(provider)
    link = drive(connection, Server(certificates.leaf(), first=FIRST[:count], second=[]))
    assert link.error is None
    state = connection.state
    assert state.startswith("Wait")
    with pytest.raises(errors.TruncatedStream, match=state):
        connection.receive_eof()
    assert connection.is_closed


def test_end_of_stream_inside_a_record_is_truncation(provider):
    """REC-24, ALERT-11."""
    link = connected(provider, tail=[b"\x17\x03\x03\x00\x40half"])
    assert link.error is None
    with pytest.raises(errors.TruncatedStream):
        link.client.receive_eof()


def test_close_sends_close_notify_once_and_nothing_after(provider):
    """ALERT-13."""
    link = connected(provider)
    link.client.close()
    link.client.close()
    link.run()
    assert link.server.alerts == [(wire.WARNING, wire.CLOSE_NOTIFY)]
    assert not link.client.can_send_data
    link.client.close()
    assert link.client.data_to_send() == b""


def test_close_after_a_fatal_alert_sends_nothing(provider):
    """ALERT-13."""
    link = Refused("SH-08", "", wire.ILLEGAL_PARAMETER, hello={"compression": 1}).check(provider, None)
    link.client.close()
    assert link.client.data_to_send() == b""


def test_data_still_arrives_after_our_close(provider):
    """RFC 5246 §7.2.1 closes our direction; the server's may still have bytes on the way."""
    link = connected(provider)
    link.client.close()
    link.run()
    link.server.play([data(b"on its way"), CLOSE_NOTIFY])
    link.run()
    assert link.error is None
    assert link.data == b"on its way"
    assert link.server.alerts == [(wire.WARNING, wire.CLOSE_NOTIFY)]


@both_splits
@pytest.mark.parametrize(
    ("step", "error"),
    [
        (b"\xff" * 64, errors.UnexpectedMessage),
        (b"\x17\x03\x03\x00\x20" + bytes(32), errors.BadRecordMac),
        (alert(wire.FATAL, 40), errors.PeerAlert),
    ],
    ids=["garbage", "forged-data", "fatal-alert"],
)
def test_error_after_our_close_sends_no_second_alert(provider, split, step, error):
    """ALERT-13: close_notify was our last word."""
    link = drive(client(provider), Server(certificates.leaf()), split)
    link.client.close()
    link.run()
    link.server.play([step])
    link.run()
    assert type(link.error) is error
    assert link.server.alerts == [(wire.WARNING, wire.CLOSE_NOTIFY)]
    assert link.data == b""


def test_hello_request_after_our_close_is_not_answered(provider):
    """ALERT-13, HS-09."""
    link = connected(provider)
    link.client.close()
    link.server.play([fragment(wire.HANDSHAKE, wire.HELLO_REQUEST_MESSAGE), data(b"on its way")])
    link.run()
    assert link.error is None
    assert link.data == b"on its way"
    assert link.server.alerts == [(wire.WARNING, wire.CLOSE_NOTIFY)]


def test_abort_sends_the_chosen_alert_and_ends(provider):
    link = connected(provider)
    link.client.abort(wire.INTERNAL_ERROR)
    link.run()
    assert link.server.alerts == [(wire.FATAL, wire.INTERNAL_ERROR)]
    assert link.client.is_closed
    assert not link.client.can_send_data


@both_splits
def test_hello_request_after_the_handshake_is_declined_with_a_warning(provider, split):
    """HS-09, HS-12: and the connection goes on."""
    ask = fragment(wire.HANDSHAKE, wire.HELLO_REQUEST_MESSAGE)
    link = drive(client(provider), Server(certificates.leaf(), tail=[ask, data(b"x"), ask]), split)
    assert link.server.alerts == [(wire.WARNING, wire.NO_RENEGOTIATION)] * 2
    assert link.events[0].__class__ is HandshakeCompleted
    check_alive(link)
