"""Resumption of what a pre-shared key began: bound to identity and key, and ended by neither certificate nor dates."""

from __future__ import annotations

from typing import Any

import pytest

from hostile import certificates as pki
from hostile import keys, wire
from hostile.cases import Refused, both_splits, check_alive, client
from hostile.link import Link, drive
from hostile.server import Server
from hostile.sessions import SESSION_ID, TICKET, Earlier
from hostile.steps import message
from hostile.test_psk import ECDHE, IDENTITY, KEY, PLAIN, psk
from lighttls import ClientConfig, ClientConnection, Psk, Session, TrustStore, UsageError

DAY = 86_400
NOW = 1_790_000_000


def clock() -> float:
    return NOW


def earlier(provider: Any, by: str = "ticket", suite: int = ECDHE, key: Any = None, **settings: Any) -> Earlier:
    settings = psk(suite, **({} if key is None else {"key": key}), **settings)
    return Earlier(provider, by, settings=settings, psk=KEY)


def again(provider: Any, before: Earlier, split: int | None = None, **settings: Any) -> Link:
    connection = client(provider, sessions=before.store(), **settings)
    return drive(connection, Server(pki.leaf(), psk=KEY, known=before.known), split)


@both_splits
@pytest.mark.parametrize("by", ["ticket", "id"])
@pytest.mark.parametrize("suite", keys.PSK_SUITES.values(), ids=lambda suite: suite.name)
def test_session_of_a_pre_shared_key_is_resumed(suite, by, provider, split):
    """RESUME-04, EXP-05: no key exchange, no identity on the wire again, and no certificate that could be bound to."""
    before = earlier(provider, by, suite.code)
    link = again(provider, before, split, **psk(suite.code))
    check_alive(link)
    assert link.server.resumes
    assert [each[0] for each in link.server.client_messages] == [wire.CLIENT_HELLO, wire.FINISHED]
    info = link.client.info
    assert (info.session_resumed, info.psk_identity, info.group, info.peer_chain) == (True, None, None, ())
    with pytest.raises(UsageError, match="nor without one"):
        link.client.channel_binding("tls-server-end-point")
    assert link.client.channel_binding("tls-unique")


def offer(provider: Any, before: Earlier, **settings: Any) -> wire.ClientHello:
    """The ClientHello of a client that has the session in its store and gets it in its hand as well."""
    (saved,) = before.saved.values()
    settings.setdefault("trust", TrustStore.from_der(pki.root()))
    config = ClientConfig(provider=provider, sessions=before.store(), **settings)
    connection = ClientConnection(config, pki.HOST, session=Session.from_bytes(saved))
    connection.initiate_connection()
    return wire.ClientHello(connection.data_to_send()[5:])


OTHERS = {
    "another identity": {"key": Psk("Gerät 8", KEY)},
    "the same as bytes": {"key": Psk(b"Ger\xe4t 7", KEY)},
    "another key": {"key": Psk(IDENTITY, KEY[::-1])},
    "a longer key": {"key": Psk(IDENTITY, KEY + b"\0")},
    "a selector": {"key": lambda request: Psk(IDENTITY, KEY)},
    "other protocols": {"alpn_protocols": ("mqtt",)},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("by", ["ticket", "id"])
def test_session_is_not_offered_under_another_identity_or_key(provider, by, other):
    """RESUME-01: neither from the store nor from the hand."""
    before = earlier(provider, by)
    same = offer(provider, before, **psk(ECDHE))
    assert (SESSION_ID if by == "id" else TICKET) in (same.session_id, same.get(wire.SESSION_TICKET))
    hello = offer(provider, before, **psk(ECDHE, **other))
    assert (hello.session_id, hello.get(wire.SESSION_TICKET)) == (b"", b"")


def test_session_of_a_key_is_not_offered_by_who_has_none(provider):
    """RESUME-01, CH-10."""
    assert offer(provider, earlier(provider)).get(wire.SESSION_TICKET) == b""


def test_session_of_a_certificate_is_not_offered_once_there_is_a_key(provider):
    """RESUME-01: what began before is not what would be chosen now."""
    settings = {"psk": Psk(IDENTITY, KEY), "cipher_suites": (ECDHE, 0xC02B)}
    assert offer(provider, Earlier(provider), **settings).get(wire.SESSION_TICKET) == b""


class Chooser:
    """A selector with a policy_id, as an application's own hook has to have one."""

    def __init__(self, policy_id: Any) -> None:
        self.policy_id = policy_id

    def __call__(self, request: object) -> Psk:
        return Psk(IDENTITY, KEY)


@pytest.mark.parametrize(("first", "second", "resumed"), [(b"a", b"a", True), (b"a", b"b", False)])
def test_session_of_a_selector_is_bound_to_its_policy_id(provider, first, second, resumed):
    """RESUME-01."""
    before = earlier(provider, key=Chooser(first))
    link = again(provider, before, **psk(ECDHE, key=Chooser(second)))
    check_alive(link)
    assert link.client.info.session_resumed == resumed


@pytest.mark.parametrize("policy_id", [None, b"", "text"])
def test_session_of_a_selector_without_a_policy_id_is_not_kept(provider, policy_id):
    """RESUME-01: nobody could say later what it would choose."""
    assert earlier(provider, key=Chooser(policy_id)).saved == {}


def test_key_does_not_stand_in_the_session_or_its_place_in_the_store(provider):
    """RESUME-17, PROF-05."""
    ((place, saved),) = earlier(provider).saved.items()
    assert len(place) == 32
    for kept in (place, saved):
        assert not any(KEY[start : start + 8] in kept for start in range(len(KEY) - 7))


@pytest.mark.parametrize(
    ("lifetime", "expected"), [(0, DAY), (60, 60), (2**32 - 1, 7 * DAY)], ids=["unsaid", "minute", "for ever"]
)
def test_session_lives_as_long_as_the_server_says_and_a_week_at_most(provider, lifetime, expected):
    """TICKET-15, RESUME-02: no certificate ends it."""
    connection = client(provider, clock=clock, **psk(PLAIN, offer_tickets=True))
    check_alive(drive(connection, Server(pki.leaf(), psk=KEY, ticket=TICKET, lifetime=lifetime)))
    assert connection.export_session().expires == NOW + expected


def test_refused_session_leads_to_a_full_handshake(provider):
    """RESUME-03: with the key again."""
    before = earlier(provider)
    before.known.clear()
    link = again(provider, before, **psk(ECDHE))
    check_alive(link)
    assert not link.client.info.session_resumed
    assert link.server.client_identity == IDENTITY.encode()


RESUMED_WRONG = {
    "hint": message(wire.handshake(wire.SERVER_KEY_EXCHANGE, b"\x00\x00")),
    "done": "server_hello_done",
    "certificate": "certificate",
}


@both_splits
@pytest.mark.parametrize("suite", [PLAIN, ECDHE])
@pytest.mark.parametrize("what", RESUMED_WRONG)
def test_key_exchange_in_a_resumed_handshake_is_refused(provider, what, suite, split):
    """SEQ-15."""
    before = earlier(provider, suite=suite)
    case = Refused(
        "SEQ-15",
        what,
        wire.UNEXPECTED_MESSAGE,
        settings=psk(suite, sessions=before.store()),
        psk=KEY,
        known=before.known,
        first=["server_hello", RESUMED_WRONG[what], "change_cipher_spec", "finished"],
    )
    case.check(provider, split)


@both_splits
def test_resumption_with_another_suite_of_the_same_key_is_refused(provider, split):
    """RESUME-08."""
    suites = (ECDHE, PLAIN)
    before = Earlier(provider, settings=psk(*suites), psk=KEY)
    case = Refused(
        "RESUME-08",
        "plain for ecdhe",
        wire.ILLEGAL_PARAMETER,
        settings=psk(*suites, sessions=before.store()),
        psk=KEY,
        known=before.known,
        hello={"suite": PLAIN},
    )
    case.check(provider, split)
