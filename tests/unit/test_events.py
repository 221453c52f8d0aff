"""Events as values."""

from __future__ import annotations

from typing import Any

from lighttls import DataReceived, HandshakeCompleted, PeerClosed, WarningReceived


def test_data_is_compared_and_matched_but_never_shown() -> None:
    """PROF-05: application data does not belong into logs."""
    event = DataReceived(b"password")
    assert event == DataReceived(b"password")
    assert event != DataReceived(b"other")
    assert event != b"password"
    assert hash(event) == hash(DataReceived(b"password"))
    assert repr(event) == str(event) == "DataReceived(<8 bytes>)"
    match event:
        case DataReceived(data):
            assert data == b"password"


def test_summary_of_a_handshake_is_put_together_once_and_when_it_is_asked_for() -> None:
    asked = []

    def tell() -> Any:
        asked.append(1)
        return "what was agreed"

    event, other = HandshakeCompleted(None, tell), HandshakeCompleted("what was agreed")  # type: ignore[arg-type]
    assert not asked
    match event:
        case HandshakeCompleted(info):
            assert info == "what was agreed"
    assert event == other
    assert event != "what was agreed"
    assert hash(event) == hash(other)
    assert repr(event) == "HandshakeCompleted(info='what was agreed')"
    assert asked == [1]


def test_events_without_content_are_equal() -> None:
    assert PeerClosed() == PeerClosed()
    assert PeerClosed() != WarningReceived(0)


def test_warning_says_its_name_and_unknown_ones_their_number() -> None:
    assert str(WarningReceived(112)) == "warning alert unrecognized_name"
    assert str(WarningReceived(250)) == "warning alert 0xfa"
