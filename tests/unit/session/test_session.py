"""Session: there and back as bytes, its times, and what it does not show."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighttls import ConfigurationError, Session
from lighttls.session import DAY, MAX_AGE, MAX_TICKET

NOW = 1_800_000_000
LATER = NOW + 365 * DAY
SECRET = bytes(range(48))

USUAL: dict[str, Any] = {
    "suite": 0xC02B,
    "extended_master_secret": True,
    "master_secret": SECRET,
    "ticket": b"a ticket",
    "session_id": b"",
    "binding": bytes(32),
    "server_name": "server.example",
    "max_fragment_length": 0,
    "raw_public_key": False,
    "issued": NOW,
    "lifetime": 0,
    "not_after": LATER,
    "end_point": b"\1" * 32,
}


def session(**changes: Any) -> Session:
    made = Session.new(**USUAL | changes)
    assert made is not None
    return made


@given(
    ticket=st.binary(min_size=1, max_size=300),
    by_id=st.booleans(),
    ems=st.booleans(),
    name=st.text(min_size=1, max_size=60),
    lifetime=st.integers(0, 0xFFFFFFFF),
    fragment=st.sampled_from([0, 512, 4096]),
)
def test_session_comes_back_from_its_bytes(
    ticket: bytes, by_id: bool, ems: bool, name: str, lifetime: int, fragment: int
) -> None:
    given_by = {"ticket": b"", "session_id": ticket[:32]} if by_id else {"ticket": ticket}
    made = session(
        extended_master_secret=ems, server_name=name, lifetime=lifetime, max_fragment_length=fragment, **given_by
    )
    again = Session.from_bytes(made.to_bytes())
    assert again == made
    assert again.to_bytes() == made.to_bytes()
    assert again.has_ticket is not by_id
    assert again.server_name == name


def test_bytes_hold_what_is_needed_and_nothing_of_the_connection() -> None:
    """RESUME-17: no ALPN protocol, no record_size_limit, no verify_data."""
    assert set(session().facts.fields) == {
        *("layout", "suite", "extended_master_secret", "master_secret", "ticket", "session_id", "binding"),
        *(
            "server_name",
            "max_fragment_length",
            "raw_public_key",
            "established",
            "issued",
            "expires",
            "latest",
            "end_point",
        ),
    }


@pytest.mark.parametrize(
    ("lifetime", "not_after", "expires"),
    [
        (0, LATER, NOW + DAY),
        (1, LATER, NOW + 1),
        (7200, LATER, NOW + 7200),
        (MAX_AGE, LATER, NOW + MAX_AGE),
        (MAX_AGE + 1, LATER, NOW + MAX_AGE),
        (0xFFFFFFFF, LATER, NOW + MAX_AGE),
        (0, NOW + 10, NOW + 10),
        (7200, NOW + 10, NOW + 10),
    ],
)
def test_session_ends_with_the_hint_the_age_or_the_first_certificate(
    lifetime: int, not_after: int, expires: int
) -> None:
    """TICKET-12, TICKET-15, RESUME-02."""
    assert session(lifetime=lifetime, not_after=not_after).expires == expires


@pytest.mark.parametrize(
    "changes",
    [{"not_after": NOW}, {"not_after": NOW - 1}, {"issued": -1}, {"issued": 1 << 32}, {"server_name": "a" * 256}],
)
def test_session_without_a_time_to_live_is_none(changes: dict[str, Any]) -> None:
    assert Session.new(**USUAL | changes) is None


def test_renewed_ticket_keeps_secret_and_age_and_ends_no_later() -> None:
    """TICKET-18."""
    first = session(lifetime=7200)
    second = first.renewed(b"another", NOW + 3600, MAX_AGE)
    assert second is not None
    assert second.expires == NOW + MAX_AGE
    assert second.facts.established == NOW
    assert second.facts.master_secret == SECRET
    assert second.facts.ticket == b"another"
    assert Session.from_bytes(second.to_bytes()) == second
    assert second.renewed(b"late", NOW + MAX_AGE, 7200) is None
    assert second.renewed(b"clock ran back", NOW - 1, 7200) is None


def test_ticket_takes_the_place_of_an_id_when_it_renews() -> None:
    """TICKET-17."""
    renewed = session(ticket=b"", session_id=b"id").renewed(b"ticket", NOW, 0)
    assert renewed is not None
    assert (renewed.facts.ticket, renewed.facts.session_id) == (b"ticket", b"")


def test_longest_session_fits_its_bound() -> None:
    longest = session(ticket=bytes(MAX_TICKET), server_name="a" * 255, end_point=bytes(64))
    assert len(longest.to_bytes()) < MAX_TICKET + 512
    assert Session.from_bytes(longest.to_bytes()) == longest


def test_no_cut_and_no_addition_is_a_session() -> None:
    data = session().to_bytes()
    for length in range(len(data)):
        with pytest.raises(ConfigurationError):
            Session.from_bytes(data[:length])
    with pytest.raises(ConfigurationError, match="left over"):
        Session.from_bytes(data + b"\0")


@given(place=st.integers(0, 10_000), value=st.integers(1, 255))
def test_altered_byte_is_another_session_or_none(place: int, value: int) -> None:
    data = bytearray(session().to_bytes())
    data[place % len(data)] ^= value
    try:
        altered = Session.from_bytes(bytes(data))
    except ConfigurationError:
        return
    assert altered != session()
    assert altered.to_bytes() == bytes(data)


@pytest.mark.parametrize(
    "changes",
    [
        {"ticket": b"", "session_id": b""},
        {"ticket": b"t", "session_id": b"i"},
    ],
)
def test_bytes_without_exactly_one_of_ticket_and_id_are_none(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="what they say cannot be"):
        Session.from_bytes(session(**changes).to_bytes())


@pytest.mark.parametrize(("name", "by"), [("issued", -1), ("expires", MAX_AGE), ("latest", 1), ("established", 1)])
def test_times_that_contradict_each_other_are_no_session(name: str, by: int) -> None:
    facts = session(lifetime=MAX_AGE).facts
    object.__setattr__(facts, name, getattr(facts, name) + by)
    with pytest.raises(ConfigurationError, match="what they say cannot be"):
        Session.from_bytes(facts.build())


def test_other_layout_is_named_as_another_version() -> None:
    with pytest.raises(ConfigurationError, match="another version"):
        Session.from_bytes(b"\1" + session().to_bytes()[1:])


def test_server_name_that_is_no_text_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no text"):
        Session.from_bytes(session().to_bytes().replace(b"server.example", b"\xff" * 14))


def test_repr_shows_name_and_end_and_no_secret() -> None:
    made = session()
    for shown in (repr(made), repr(made.facts), repr([made])):
        assert SECRET.hex() not in shown
        assert repr(SECRET)[2:-1] not in shown
        assert "a ticket" not in shown
    assert repr(made) == f"<Session with server.example by ticket, until {NOW + DAY}>"
    assert "by ID" in repr(session(ticket=b"", session_id=b"id"))


def test_sessions_of_equal_bytes_are_equal() -> None:
    assert session() == session()
    assert hash(session()) == hash(session())
    assert session() != session(issued=NOW + 1)
    assert session() != SECRET
