"""Messages out of fragments: any cut, each header judged once and in time, bounded memory."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighttls.errors import IllegalParameter, UnexpectedMessage
from lighttls.messages import Joiner


def encoded(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + len(body).to_bytes(3, "big") + body


class Judge:
    """Notes every header; refuses the types it is told to."""

    def __init__(self, *refused: int) -> None:
        self.refused = refused
        self.seen: list[tuple[int, int]] = []

    def __call__(self, state: str, kind: int, length: int) -> None:
        assert state == "state"
        self.seen.append((kind, length))
        if kind in self.refused:
            raise UnexpectedMessage("refused")


def joined(joiner: Joiner, fragments: list[bytes]) -> list[bytes]:
    messages = []
    for fragment in fragments:
        joiner.feed(fragment)
        while (message := joiner.next("state")) is not None:
            messages.append(message)
    return messages


messages = st.lists(st.builds(encoded, st.integers(0, 255), st.binary(max_size=20)), min_size=1, max_size=5)


@settings(max_examples=60)
@given(messages=messages, data=st.data())
def test_messages_are_the_same_however_they_are_cut(messages: list[bytes], data: st.DataObject) -> None:
    """REC-16, REC-17."""
    stream = b"".join(messages)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(stream) - 1))))
    fragments = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    judge = Judge()
    joiner = Joiner(judge)
    assert joined(joiner, fragments) == messages
    assert judge.seen == [(message[0], len(message) - 4) for message in messages]
    assert not joiner.held


def test_every_single_cut_of_one_message() -> None:
    message = encoded(2, bytes(range(40)))
    for cut in range(1, len(message)):
        assert joined(Joiner(Judge()), [message[:cut], message[cut:]]) == [message]
    assert joined(Joiner(Judge()), [bytes((byte,)) for byte in message]) == [message]


def test_header_is_judged_as_soon_as_it_is_complete_and_before_the_body() -> None:
    """REC-22, HS-01: nobody waits for the body of a message that must not come."""
    judge = Judge(99)
    joiner = Joiner(judge)
    joiner.feed(encoded(99, bytes(1000))[:3])
    assert joiner.next("state") is None
    assert judge.seen == []
    joiner.feed(b"\xe8")
    with pytest.raises(UnexpectedMessage, match="refused"):
        joiner.next("state")
    assert judge.seen == [(99, 1000)]


def test_message_behind_a_refused_one_is_never_handed_out() -> None:
    joiner = Joiner(Judge(99))
    joiner.feed(encoded(2, b"first") + encoded(99, b"") + encoded(2, b"last"))
    assert joiner.next("state") == encoded(2, b"first")
    with pytest.raises(UnexpectedMessage):
        joiner.next("state")


def test_body_of_64_kib_passes_and_one_byte_more_is_refused_on_the_header() -> None:
    """REC-22."""
    longest = encoded(11, bytes(65_536))
    assert joined(Joiner(Judge()), [longest[:10_000], longest[10_000:]]) == [longest]
    joiner = Joiner(Judge())
    joiner.feed(encoded(11, bytes(65_537))[:4])
    with pytest.raises(IllegalParameter, match="65537 bytes, at most 65536"):
        joiner.next("state")


def test_judge_hears_of_a_message_that_is_too_long_before_it_is_refused() -> None:
    """A message that must not come at all is unexpected_message, however long it says it is."""
    joiner = Joiner(Judge(99))
    joiner.feed(bytes.fromhex("63ffffff"))
    with pytest.raises(UnexpectedMessage):
        joiner.next("state")


def test_empty_fragment_is_refused() -> None:
    """REC-13."""
    with pytest.raises(UnexpectedMessage, match="empty handshake record"):
        Joiner(Judge()).feed(b"")


def test_held_shows_bytes_that_wait_and_stays_the_same_object() -> None:
    """REC-19: the connection looks at it before keys change."""
    joiner = Joiner(Judge())
    held = joiner.held
    joiner.feed(encoded(2, b"whole") + b"\2")
    assert joiner.next("state") == encoded(2, b"whole")
    assert held == b"\2"
    joiner.feed(b"\0\0\0")
    assert joiner.next("state") == encoded(2, b"")
    assert not held
    assert joiner.held is held
