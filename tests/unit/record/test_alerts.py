"""Alerts as they stand in a record."""

from __future__ import annotations

import pytest

from lighttls.errors import DecodeError, IllegalParameter
from lighttls.iana import AlertLevel
from lighttls.record import read_alert


def test_level_and_description_are_read_and_unknown_descriptions_survive() -> None:
    """ALERT-04, ALERT-05."""
    assert read_alert(b"\1\0") == (AlertLevel.WARNING, 0)
    assert read_alert(b"\2\x28") == (AlertLevel.FATAL, 40)
    assert read_alert(b"\2\xff") == (AlertLevel.FATAL, 255)


@pytest.mark.parametrize("fragment", [b"", b"\2", b"\2\x28\1", b"\2\x28\1\0"])
def test_anything_but_one_whole_alert_is_a_decode_error(fragment: bytes) -> None:
    """ALERT-01."""
    with pytest.raises(DecodeError, match=f"{len(fragment)} bytes, expected 2"):
        read_alert(fragment)


@pytest.mark.parametrize("level", [0, 3, 255])
def test_unknown_level_is_illegal(level: int) -> None:
    """ALERT-02."""
    with pytest.raises(IllegalParameter, match=f"level {level}"):
        read_alert(bytes((level, 40)))
