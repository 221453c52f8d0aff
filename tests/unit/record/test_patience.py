"""Records that are legal one by one: how many in a row, and what starts the count anew."""

from __future__ import annotations

import pytest

from lighttls.errors import UnexpectedMessage
from lighttls.record import Patience

DATA, ALERT, HANDSHAKE = 23, 21, 22


def test_32_empty_records_pass_and_the_next_is_refused() -> None:
    """REC-14, REC-15."""
    patience = Patience()
    for _ in range(32):
        patience.on_record(DATA, b"")
    with pytest.raises(UnexpectedMessage, match="32 empty records"):
        patience.on_record(DATA, b"")


@pytest.mark.parametrize("content_type", [DATA, ALERT, HANDSHAKE])
def test_any_record_with_content_starts_the_count_of_empty_ones_anew(content_type: int) -> None:
    """REC-15."""
    patience = Patience()
    for _ in range(3):
        for _ in range(32):
            patience.on_record(DATA, b"")
        patience.on_record(content_type, b"\1")


def test_4_warnings_pass_and_the_next_is_refused() -> None:
    """ALERT-06."""
    patience = Patience()
    for _ in range(4):
        patience.on_record(ALERT, b"\1\x5a")
        patience.on_warning()
    patience.on_record(ALERT, b"\1\x5a")
    with pytest.raises(UnexpectedMessage, match="4 warning alerts"):
        patience.on_warning()


def test_content_of_another_type_starts_the_count_of_warnings_anew_and_an_empty_record_does_not() -> None:
    """ALERT-06."""
    patience = Patience()
    for _ in range(3):
        for _ in range(4):
            patience.on_warning()
        patience.on_record(DATA, b"x")
    for _ in range(4):
        patience.on_warning()
    patience.on_record(DATA, b"")
    with pytest.raises(UnexpectedMessage):
        patience.on_warning()


def test_32_hello_requests_pass_on_the_whole_connection() -> None:
    """HS-08."""
    patience = Patience()
    for _ in range(32):
        patience.on_record(HANDSHAKE, b"\0\0\0\0")
        patience.on_hello_request()
        patience.on_record(DATA, b"x")
    with pytest.raises(UnexpectedMessage, match="32 HelloRequests"):
        patience.on_hello_request()


def test_true_while_a_count_runs_that_content_would_end() -> None:
    patience = Patience()
    assert not patience
    patience.on_record(DATA, b"")
    assert patience
    patience.on_record(DATA, b"x")
    assert not patience
    patience.on_warning()
    assert patience
    patience.on_record(DATA, b"x")
    patience.on_hello_request()
    assert not patience
