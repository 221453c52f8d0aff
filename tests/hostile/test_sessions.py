"""Resumption by ticket and by session ID: what a server may do with a session, and what it may not (RESUME, TICKET)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from hostile import certificates, keys, wire
from hostile.cases import Leaf, Refused, Tolerated, both_splits, check_alive, client
from hostile.link import Link, drive
from hostile.server import FIRST, RESUMED, SECOND, Server
from hostile.sessions import SESSION_ID, TICKET, Earlier
from hostile.steps import HELLO_REQUEST, data, message
from lighttls import MemorySessionStore, errors

FULL = {"first": FIRST}  # the server does not go on with the session, although it knows it
OTHER_ID = bytes(32)


def session_ids(data: bytes) -> dict[str, Any]:
    return {"hello": {"session_id": data}}


class Second:
    """Mixed into a case: a second handshake, by a client that has a session of a first one."""

    by: str
    earlier: Mapping[str, Any]
    settings: dict[str, Any]
    leaf: Leaf
    script: dict[str, Any]
    store: MemorySessionStore

    def drive(self, provider: Any, split: int | None) -> Link:
        first = Earlier(provider, self.by, settings=self.settings, **self.earlier)
        self.store = first.store()
        server = Server(certificates.leaf(self.leaf), **{"known": first.known} | self.script)
        return drive(client(provider, sessions=self.store, **self.settings), server, split)


class RefusedAgain(Second, Refused):
    """The second connection is refused, and its session is gone (ALERT-15, TICKET-19)."""

    def __init__(
        self, rule: str, what: str, alert: int, *, by: str = "ticket", earlier: Any = None, **rest: Any
    ) -> None:
        super().__init__(rule, f"{what} by {by}", alert, **rest)
        self.by, self.earlier = by, earlier or {}

    def check(self, provider: Any, split: int | None) -> Link:
        link = super().check(provider, split)
        assert len(self.store) == 0
        return link


class ToleratedAgain(Second, Tolerated):
    """The second connection works, resumed or not."""

    def __init__(
        self, rule: str, what: str, *, resumed: bool, by: str = "ticket", earlier: Any = None, **rest: Any
    ) -> None:
        super().__init__(rule, f"{what} by {by}", **rest)
        self.by, self.earlier, self.resumed = by, earlier or {}, resumed

    def check(self, provider: Any, split: int | None) -> Link:
        link = super().check(provider, split)
        assert link.client.info.session_resumed is link.server.resumes is self.resumed
        return link


def flipped(name: str, place: int = -1) -> dict[str, Callable[[bytes], bytes]]:
    def change(value: bytes) -> bytes:
        changed = bytearray(value)
        changed[place] ^= 1
        return bytes(changed)

    return {name: change}


def finished_without_ticket(server: Server) -> bytes:
    """Over the transcript as if NewSessionTicket did not belong to it."""
    without = server.transcript.replace(wire.new_session_ticket(b"new"), b"")
    assert without != server.transcript
    value = keys.verify_data(server.suite.hash, server.master, b"server finished", without)
    return message(wire.handshake(wire.FINISHED, value))(server)


TICKETED = ["server_hello", "new_session_ticket", "change_cipher_spec", "finished"]

REFUSED = [
    *(
        case
        for by in ("ticket", "id")
        for case in (
            # Another id, or none, is a full handshake: what comes in a resumed one is refused.
            RefusedAgain(
                "RESUME-07",
                "ccs after another id",
                wire.UNEXPECTED_MESSAGE,
                by=by,
                first=RESUMED,
                **session_ids(OTHER_ID),
            ),
            RefusedAgain(
                "RESUME-07", "ccs after no id", wire.UNEXPECTED_MESSAGE, by=by, first=RESUMED, **session_ids(b"")
            ),
            RefusedAgain("RESUME-08", "other suite", wire.ILLEGAL_PARAMETER, by=by, hello={"suite": 0xC02C}),
            RefusedAgain("RESUME-09", "TLS 1.1", wire.PROTOCOL_VERSION, by=by, hello={"version": 0x0302}),
            RefusedAgain("RESUME-09", "TLS 1.3", wire.PROTOCOL_VERSION, by=by, hello={"version": 0x0304}),
            RefusedAgain(
                "RESUME-10",
                "extended master secret gone",
                wire.HANDSHAKE_FAILURE,
                by=by,
                extended_master_secret=False,
            ),
            RefusedAgain(
                "RESUME-11",
                "extended master secret new",
                wire.HANDSHAKE_FAILURE,
                by=by,
                earlier={"extended_master_secret": False},
                settings={"allow_non_ems_resumption": True},
            ),
            RefusedAgain("SH-08", "compression", wire.ILLEGAL_PARAMETER, by=by, hello={"compression": 1}),
            RefusedAgain("RI-05", "renegotiation info gone", wire.HANDSHAKE_FAILURE, by=by, hello={"extensions": []}),
            RefusedAgain(
                "RI-05",
                "renegotiation info not empty",
                wire.HANDSHAKE_FAILURE,
                by=by,
                hello={"extensions": [(wire.RENEGOTIATION_INFO, b"\x01x"), (wire.EXTENDED_MASTER_SECRET, b"")]},
            ),
            RefusedAgain(
                "ALPN-05",
                "protocol not offered",
                wire.ILLEGAL_PARAMETER,
                by=by,
                settings={"alpn_protocols": ["mqtt"]},
                alpn=b"h2",
            ),
            RefusedAgain("FIN-01", "wrong finished", wire.DECRYPT_ERROR, by=by, edit=flipped("finished")),
            RefusedAgain(
                "FIN-03", "finished without ccs", wire.UNEXPECTED_MESSAGE, by=by, first=["server_hello", "finished"]
            ),
            RefusedAgain(
                "EMS-06",
                "keys of another master secret",
                wire.BAD_RECORD_MAC,
                by=by,
                wrong_write_master=lambda server: bytes(48),
            ),
            RefusedAgain("CCS-04", "ccs before hello", wire.UNEXPECTED_MESSAGE, by=by, first=[*SECOND, *RESUMED]),
            RefusedAgain(
                "SEQ-15", "certificate after hello", wire.UNEXPECTED_MESSAGE, by=by, first=["server_hello", *FIRST[1:]]
            ),
            RefusedAgain(
                "SEQ-15", "done after hello", wire.UNEXPECTED_MESSAGE, by=by, first=["server_hello", FIRST[-1]]
            ),
            RefusedAgain(
                "CCS-06",
                "ccs twice",
                wire.UNEXPECTED_MESSAGE,
                by=by,
                first=["server_hello", "change_cipher_spec", "change_cipher_spec", "finished"],
            ),
            RefusedAgain(
                "CCS-08",
                "hello request after ccs",
                wire.UNEXPECTED_MESSAGE,
                by=by,
                first=["server_hello", "change_cipher_spec", HELLO_REQUEST, "finished"],
            ),
            RefusedAgain(
                "REC-21",
                "data before finished",
                wire.UNEXPECTED_MESSAGE,
                by=by,
                first=["server_hello", "change_cipher_spec", data(b"early"), "finished"],
            ),
            RefusedAgain("HS-10", "ticket afterwards", wire.UNEXPECTED_MESSAGE, by=by, tail=["new_session_ticket"]),
        )
    ),
    RefusedAgain(
        "TICKET-04",
        "ticket after another id",
        wire.UNEXPECTED_MESSAGE,
        ticket=b"new",
        first=TICKETED,
        **session_ids(OTHER_ID),
    ),
    *(
        RefusedAgain(
            "RESUME-12",
            f"max fragment length {what}",
            wire.ILLEGAL_PARAMETER,
            settings={"max_fragment_length": 1024},
            earlier={"extra": before},
            extra=[(wire.MAX_FRAGMENT_LENGTH, after)],
        )
        for what, before, after in (
            ("new", [], b"\x02"),
            ("other", [(wire.MAX_FRAGMENT_LENGTH, b"\x02")], b"\x01"),
        )
    ),
    RefusedAgain(
        "RESUME-12",
        "record longer than the max fragment length of the session",
        wire.RECORD_OVERFLOW,
        settings={"max_fragment_length": 512},
        earlier={"extra": [(wire.MAX_FRAGMENT_LENGTH, b"\x01")], "fragment": 512},
        tail=[data(bytes(513))],
    ),
    *(
        case
        for kind, again in (("full", Refused), ("resumed", RefusedAgain))
        for case in (
            again(
                "TICKET-05",
                f"{kind} answer not empty",
                wire.DECODE_ERROR,
                settings={"offer_tickets": True},
                extra=[(wire.SESSION_TICKET, b"\x00")],
            ),
            again(
                "TICKET-06",
                f"{kind} not announced",
                wire.UNEXPECTED_MESSAGE,
                settings={"offer_tickets": True},
                **({"second": TICKETED[1:]} if kind == "full" else {"first": TICKETED}),
            ),
            again(
                "TICKET-07",
                f"{kind} announced and left out",
                wire.UNEXPECTED_MESSAGE,
                settings={"offer_tickets": True},
                ticket=b"new",
                **({"second": SECOND} if kind == "full" else {"first": RESUMED}),
            ),
            again(
                "TICKET-08",
                f"{kind} behind ccs",
                wire.UNEXPECTED_MESSAGE,
                settings={"offer_tickets": True},
                ticket=b"new",
                **(
                    {"second": ["change_cipher_spec", "new_session_ticket", "finished"]}
                    if kind == "full"
                    else {"first": ["server_hello", "change_cipher_spec", "new_session_ticket", "finished"]}
                ),
            ),
            again(
                "TICKET-09",
                f"{kind} twice",
                wire.UNEXPECTED_MESSAGE,
                settings={"offer_tickets": True},
                ticket=b"new",
                **(
                    {"second": ["new_session_ticket", *TICKETED[1:]]}
                    if kind == "full"
                    else {"first": [*TICKETED[:2], *TICKETED[1:]]}
                ),
            ),
            *(
                again(
                    "TICKET-10",
                    f"{kind} {what}",
                    wire.DECODE_ERROR,
                    settings={"offer_tickets": True},
                    ticket=b"new",
                    edit={"new_session_ticket": lambda _, body=body: body},
                )
                for what, body in (
                    ("empty body", wire.handshake(wire.NEW_SESSION_TICKET, b"")),
                    ("lifetime alone", wire.handshake(wire.NEW_SESSION_TICKET, bytes(4))),
                    ("length too long", wire.new_session_ticket(b"new", length=4)),
                    ("length too short", wire.new_session_ticket(b"new", length=2)),
                    ("byte too many", wire.new_session_ticket(b"new", tail=b"x")),
                )
            ),
            again(
                "TICKET-11",
                f"{kind} not in the transcript",
                wire.DECRYPT_ERROR,
                settings={"offer_tickets": True},
                ticket=b"new",
                **(
                    {"second": [*TICKETED[1:3], finished_without_ticket]}
                    if kind == "full"
                    else {"first": [*TICKETED[:3], finished_without_ticket]}
                ),
            ),
        )
    ),
    Refused("SH-14", "ticket answered, none asked for", wire.UNSUPPORTED_EXTENSION, ticket=b"new"),
    Refused(
        "TICKET-08",
        "in the first flight",
        wire.UNEXPECTED_MESSAGE,
        settings={"offer_tickets": True},
        ticket=b"new",
        first=[*FIRST[:3], "new_session_ticket", FIRST[3]],
    ),
    Refused(
        "REC-20",
        "ticket behind the done message in its record",
        wire.UNEXPECTED_MESSAGE,
        settings={"offer_tickets": True},
        ticket=b"new",
        first=[*FIRST, "new_session_ticket"],
        coalesce=True,
    ),
]

TOLERATED = [
    *(
        case
        for by in ("ticket", "id")
        for case in (
            ToleratedAgain("RESUME-04", "our id echoed", resumed=True, by=by),
            ToleratedAgain("RESUME-04", "ticket and ccs in a flight", resumed=True, by=by, ticket=b"new"),
            ToleratedAgain(
                "REC-17", "ticket in the record of the hello", resumed=True, by=by, ticket=b"n", coalesce=True
            ),
            ToleratedAgain("REC-16", "records of a byte", resumed=True, by=by, ticket=b"new", fragment=1),
            ToleratedAgain("RESUME-06", "another id", resumed=False, by=by, known={}, **session_ids(OTHER_ID)),
            ToleratedAgain("RESUME-06", "no id", resumed=False, by=by, known={}),
            ToleratedAgain("RESUME-13", "server name", resumed=True, by=by, extra=[(wire.SERVER_NAME, b"")]),
            ToleratedAgain("TICKET-13", "empty ticket", resumed=True, by=by, ticket=b""),
            ToleratedAgain("TICKET-14", "no ticket", resumed=True, by=by),
            ToleratedAgain(
                "ALPN-07",
                "another protocol",
                resumed=True,
                by=by,
                settings={"alpn_protocols": ["mqtt", "h2"]},
                earlier={"alpn": b"mqtt"},
                alpn=b"h2",
            ),
            ToleratedAgain(
                "ALPN-07",
                "no protocol",
                resumed=True,
                by=by,
                settings={"alpn_protocols": ["mqtt"]},
                earlier={"alpn": b"mqtt"},
            ),
            ToleratedAgain(
                "HS-06",
                "hello request after hello",
                resumed=True,
                by=by,
                first=["server_hello", HELLO_REQUEST, *SECOND],
            ),
            ToleratedAgain(
                "SCT-05",
                "timestamps",
                resumed=True,
                by=by,
                settings={"request_scts": True},
                extra=[(wire.SIGNED_CERTIFICATE_TIMESTAMP, wire.vec16(wire.vec16(b"sct")))],
            ),
        )
    ),
    *(
        ToleratedAgain(
            "RESUME-12",
            f"max fragment length {what}",
            resumed=True,
            settings={"max_fragment_length": 512},
            earlier={"extra": [(wire.MAX_FRAGMENT_LENGTH, b"\x01")], "fragment": 512},
            extra=extra,
            fragment=512,
        )
        for what, extra in (("repeated", [(wire.MAX_FRAGMENT_LENGTH, b"\x01")]), ("not repeated", []))
    ),
    *(
        Tolerated(
            rule,
            what,
            settings={"offer_tickets": True},
            **script,
        )
        for rule, what, script in (
            ("RESUME-05", "an id though we sent none", session_ids(SESSION_ID)),
            ("TICKET-12", "longest lifetime", {"ticket": b"new", "lifetime": 0xFFFFFFFF}),
            ("TICKET-13", "full, empty ticket", {"ticket": b""}),
            ("TICKET-20", "longest ticket that a message holds", {"ticket": bytes(65_530)}),
            ("HS-06", "hello request before the ticket", {"ticket": b"n", "second": [HELLO_REQUEST, *TICKETED[1:]]}),
            (
                "HS-06",
                "hello request behind the ticket",
                {"ticket": b"n", "second": ["new_session_ticket", HELLO_REQUEST, *SECOND]},
            ),
            ("REC-16", "ticket in records of a byte", {"ticket": b"new", "fragment": 1}),
        )
    ),
    *(
        ToleratedAgain(
            "RESUME-04",
            suite.name,
            resumed=True,
            settings={"cipher_suites": [suite.code]},
            leaf={"ec": "p256", "rsa": "rsa2048"}[suite.key_type],
            earlier={"leaf": {"ec": "p256", "rsa": "rsa2048"}[suite.key_type], "suite": suite.code},
            suite=suite.code,
        )
        for suite in keys.SUITES.values()
    ),
]


@both_splits
@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_wrong_resumption_is_refused(case, provider, split):
    """An announced ticket is all that may come in its place (CCS-05, SEQ-12, SEQ-14)."""
    case.check(provider, split)


@both_splits
@pytest.mark.parametrize("case", TOLERATED, ids=str)
def test_server_may_resume_or_not(case, provider, split):
    case.check(provider, split)


# --- what we offer, and what we keep ------------------------------------------------------------------


def again(provider: Any, earlier: Earlier, store: Any = None, **script: Any) -> Link:
    """Another connection of the same client; the server has forgotten everything unless told."""
    store = earlier.store() if store is None else store
    return drive(client(provider, sessions=store), Server(certificates.leaf("p256"), **script))


def test_hello_asks_for_a_ticket_only_if_somebody_would_keep_it(provider):
    """TICKET-01, CH-03."""
    for settings, expected in (
        ({}, None),
        ({"sessions": MemorySessionStore()}, b""),
        ({"offer_tickets": True}, b""),
        ({"sessions": MemorySessionStore(), "offer_tickets": False}, None),
    ):
        hello = drive(client(provider, **settings), Server(certificates.leaf("p256"))).server.client_hello
        assert hello.get(wire.SESSION_TICKET) == expected
        assert hello.session_id == b""


def test_ticket_is_offered_as_it_came_with_a_fresh_id(provider):
    """TICKET-01, TICKET-02, TICKET-03, CH-10: everything else is as in the first hello."""
    earlier = Earlier(provider)
    hellos = [again(provider, earlier, known=earlier.known).server.client_hello for _ in range(2)]
    first = earlier.link.server.client_hello
    for hello in hellos:
        assert hello.get(wire.SESSION_TICKET) == TICKET
        assert len(hello.session_id) == 32
        others = [[e for e in each.extensions if e[0] != wire.SESSION_TICKET] for each in (first, hello)]
        assert others[0] == others[1]
        assert hello.types == first.types
        assert hello.suites == first.suites
        assert hello.extensions[-1][1]  # CH-08
    assert hellos[0].session_id != hellos[1].session_id


def test_id_is_offered_as_it_came_and_a_ticket_asked_for(provider):
    """CH-03."""
    earlier = Earlier(provider, "id")
    hello = again(provider, earlier, known=earlier.known).server.client_hello
    assert hello.session_id == SESSION_ID
    assert hello.get(wire.SESSION_TICKET) == b""


def test_full_handshake_after_an_offer_takes_the_place_of_the_old_session(provider):
    """RESUME-03, RESUME-16."""
    earlier = Earlier(provider)
    store = earlier.store()
    link = again(provider, earlier, store, ticket=b"another")
    check_alive(link)
    third = again(provider, earlier, store, known={b"another": link.server.master})
    check_alive(third)
    assert third.client.info.session_resumed


def test_session_that_the_server_refused_without_another_is_not_offered_again(provider):
    earlier = Earlier(provider)
    store = earlier.store()
    check_alive(again(provider, earlier, store))
    assert len(store) == 0


def test_renewed_ticket_replaces_the_old_one_and_keeps_the_master_secret(provider):
    """TICKET-18, TICKET-16."""
    earlier = Earlier(provider)
    store = earlier.store()
    check_alive(again(provider, earlier, store, known=earlier.known, ticket=b"renewed"))
    link = again(provider, earlier, store, known={b"renewed": earlier.known[TICKET]})
    check_alive(link)
    assert link.client.info.session_resumed


def test_ticket_comes_before_the_id_that_came_with_it(provider):
    """TICKET-17."""
    earlier = Earlier(provider, hello={"session_id": SESSION_ID})
    hello = again(provider, earlier, known=earlier.known).server.client_hello
    assert hello.get(wire.SESSION_TICKET) == TICKET
    assert hello.session_id != SESSION_ID


@pytest.mark.parametrize(("length", "kept"), [(1 << 14, 1), ((1 << 14) + 1, 0)])
def test_ticket_over_the_limit_is_not_kept(provider, length, kept):
    """TICKET-20."""
    store = MemorySessionStore()
    check_alive(drive(client(provider, sessions=store), Server(certificates.leaf("p256"), ticket=bytes(length))))
    assert len(store) == kept


def test_renewed_ticket_over_the_limit_leaves_the_old_one(provider):
    """TICKET-14, TICKET-20."""
    earlier = Earlier(provider)
    store = earlier.store()
    check_alive(again(provider, earlier, store, known=earlier.known, ticket=bytes((1 << 14) + 1)))
    link = again(provider, earlier, store, known=earlier.known)
    check_alive(link)
    assert link.client.info.session_resumed


@pytest.mark.parametrize("script", [{"edit": flipped("finished")}, {"second": ["new_session_ticket"]}], ids=str)
def test_ticket_counts_only_after_the_servers_finished(provider, script):
    """TICKET-16, RESUME-16."""
    store = MemorySessionStore()
    link = drive(client(provider, sessions=store), Server(certificates.leaf("p256"), ticket=b"new", **script))
    assert not link.completed
    assert len(store) == 0


def test_resumed_handshake_ends_with_our_finished_in_one_piece(provider):
    """CCS-10, HS-13, FIN-06."""
    earlier = Earlier(provider)
    link = again(provider, earlier, known=earlier.known)
    kinds = [kind for kind, _, _ in link.server.client_records]
    assert kinds == [wire.HANDSHAKE, wire.CHANGE_CIPHER_SPEC, wire.HANDSHAKE]
    assert [message[0] for message in link.server.client_messages] == [wire.CLIENT_HELLO, wire.FINISHED]


def test_protocol_and_record_size_are_agreed_anew_and_the_fragment_length_is_kept(provider):
    """ALPN-09, SIZE-15."""
    sizes = {"max_fragment_length": 512}, {"record_size_limit": 1000}
    answers = [(wire.MAX_FRAGMENT_LENGTH, b"\x01")], [(wire.RECORD_SIZE_LIMIT, wire.u16(700))]
    for size, answer, kept in zip(sizes, answers, ((512, None), (None, None)), strict=True):
        settings = {"alpn_protocols": ["mqtt", "h2"], **size}
        earlier = Earlier(provider, settings=settings, alpn=b"mqtt", extra=answer, fragment=512)
        link = drive(
            client(provider, sessions=earlier.store(), **settings),
            Server(certificates.leaf("p256"), known=earlier.known, alpn=b"h2"),
        )
        check_alive(link)
        info = link.client.info
        assert info.session_resumed
        assert info.alpn_protocol == "h2"
        assert (info.max_fragment_length, info.record_size_limit) == kept


@pytest.mark.parametrize("by", ["ticket", "id"])
def test_resumed_flight_with_any_byte_altered_or_cut_anywhere_never_connects(provider, by):
    """FIN-01, TICKET-11: the server's Finished covers the hellos and the ticket."""
    earlier = Earlier(provider, by)
    minor_version = 2  # of the first record may be anything (REC-03) and is not protected
    place, length = 0, 1
    while place < length:
        connection = client(provider, sessions=earlier.store())
        server = Server(certificates.leaf("p256"), known=earlier.known, ticket=b"new")
        connection.initiate_connection()
        server.receive(connection.data_to_send())
        flight = bytearray(server.take())
        length = len(flight)
        connection.receive_data(bytes(flight[:place]))
        assert not connection.is_established
        flight[place] ^= 1
        try:
            connection.receive_data(bytes(flight[place:]))
        except errors.LightTLSError:
            assert not connection.is_established
        assert connection.is_established is (place == minor_version)
        place += 1
    assert length > 100
