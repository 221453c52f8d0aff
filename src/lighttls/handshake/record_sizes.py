"""How long records may be: max_fragment_length (RFC 6066 §4) and record_size_limit (RFC 8449).

The first is a length that we ask for; once the server repeats it, it binds both sides and every
record. With the second each side says what it takes, and only protected records are meant. A
server that answers neither is held to 2^14 bytes and may use them.
"""

from __future__ import annotations

from lighttls._typing import Final
from lighttls.config import LARGEST_SIZE_LIMIT, SMALLEST_SIZE_LIMIT, ClientConfig
from lighttls.errors import IllegalParameter
from lighttls.handshake.states import RecordSizes
from lighttls.iana import FRAGMENT_LENGTHS, ExtensionType
from lighttls.messages.extensions import MaxFragmentLength, RecordSizeLimit
from lighttls.session import Session

UNLIMITED: Final = RecordSizes(LARGEST_SIZE_LIMIT, LARGEST_SIZE_LIMIT, LARGEST_SIZE_LIMIT, None, None)
"""Neither extension was answered (SIZE-07)."""


def agreed_sizes(config: ClientConfig, answers: dict[int, bytes], resumed: Session | None = None) -> RecordSizes:
    """What the ServerHello's answers to our two extensions come to, in a new session or in a resumed one.

    record_size_limit is negotiated afresh each time; max_fragment_length belongs to the session (SIZE-15).
    """
    fragment = answers.get(ExtensionType.MAX_FRAGMENT_LENGTH)
    limit = answers.get(ExtensionType.RECORD_SIZE_LIMIT)
    if fragment is not None and limit is not None:  # SIZE-14
        raise IllegalParameter("the server answered both max_fragment_length and record_size_limit")
    held = resumed.facts.max_fragment_length if resumed is not None else 0
    if fragment is not None:
        sizes = _fragment_length(config, fragment)
        if resumed is not None and sizes.max_fragment_length != held:  # RESUME-12
            raise IllegalParameter("the server resumes a session with another max_fragment_length than it had")
        return sizes
    if limit is not None:
        return _size_limits(config, limit)
    return RecordSizes(held, held, held, held, None) if held else UNLIMITED  # RESUME-12


def _fragment_length(config: ClientConfig, body: bytes) -> RecordSizes:
    answered = MaxFragmentLength.parse(body).max_fragment_length
    length = config.max_fragment_length
    if length is None or answered != FRAGMENT_LENGTHS[length]:  # SIZE-03
        raise IllegalParameter(f"the server answered max_fragment_length with code {answered}, we asked for {length}")
    return RecordSizes(length, length, length, length, None)  # SIZE-04, SIZE-06


def _size_limits(config: ClientConfig, body: bytes) -> RecordSizes:
    theirs = RecordSizeLimit.parse(body).record_size_limit
    if theirs < SMALLEST_SIZE_LIMIT:  # SIZE-10
        raise IllegalParameter(f"the server's record_size_limit is {theirs}, at least {SMALLEST_SIZE_LIMIT} is allowed")
    ours = config.record_size_limit or LARGEST_SIZE_LIMIT
    return RecordSizes(LARGEST_SIZE_LIMIT, min(theirs, LARGEST_SIZE_LIMIT), ours, None, theirs)  # SIZE-11 to SIZE-13
