"""What waits to be sent: order, pieces, and nothing made of nothing."""

from __future__ import annotations

import pytest

from lighttls.errors import UsageError
from lighttls.record import Outbox, RecordLayer


def waiting(*records: bytes) -> Outbox:
    outbox = Outbox(RecordLayer())
    for record in records:
        outbox.add(record)
    return outbox


@pytest.mark.parametrize("size", [1, 2, 3, 5, 6, 7, None])
def test_pieces_of_any_size_put_together_are_what_was_queued(size: int | None) -> None:
    """REC-29."""
    outbox = waiting(b"one", b"two")
    pieces = []
    while piece := outbox.take(size):
        assert len(piece) <= (size or 6)
        pieces.append(piece)
    assert b"".join(pieces) == b"onetwo"


def test_no_bytes_asked_are_no_bytes_taken() -> None:
    outbox = waiting(b"one")
    assert outbox.take(0) == b""
    assert outbox.take(None) == b"one"


def test_negative_number_of_bytes_is_a_usage_error() -> None:
    outbox = waiting(b"one")
    with pytest.raises(UsageError, match="-1"):
        outbox.take(-1)
    assert outbox.take(None) == b"one"
