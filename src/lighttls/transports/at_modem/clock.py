"""What a modem says of the time. The network gives it without any proof: it may serve as a hint, never as evidence."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

EARLIEST_YEAR: Final = 2025  # an earlier one is the clock's start value (1970, 1980, 2004), not the time
_TIME: Final = re.compile(r'"?(\d{2}|\d{4})/(\d\d)/(\d\d),(\d\d):(\d\d):(\d\d)(?:([+-])(\d\d?))?(?:,[01])?"?$')


def parse_time(text: str, *, local: bool = True) -> datetime | None:
    """`yy/MM/dd,hh:mm:ss±zz`, with zz in quarters of an hour, as UTC; None if the clock was never set.

    `local`: the time is that of the zone, so that the zone must be taken off (3GPP TS 27.007 §8.23).
    """
    found = _TIME.match(text.strip())
    if not found:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    if year < 100:
        year += 2000 if year < 70 else 1900
    zone = int(found[8] or 0) * (-15 if found[7] == "-" else 15)
    try:
        time = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        if local:
            time -= timedelta(minutes=zone)
    except (ValueError, OverflowError):
        return None
    return time if time.year >= EARLIEST_YEAR else None
