"""Messages in the wrong place: missing, twice, too early, never heard of (SEQ, HS)."""

from __future__ import annotations

import pytest

from hostile import certificates as pki
from hostile import wire
from hostile.cases import SECRET, Refused, Tolerated, both_splits, check_alive, client
from hostile.link import drive
from hostile.server import FIRST, FIRST_WITH_REQUEST, SECOND, Server
from hostile.steps import HELLO_REQUEST, data, message
from lighttls import ClientConfig, ClientConnection, Identity, TrustStore, errors

BODIES = {
    "hello_request": b"",
    "client_hello": b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x02\xc0\x2b" + b"\x01\x00",
    "new_session_ticket": bytes(4) + b"\x00\x01t",
    "certificate_verify": b"\x04\x03\x00\x01s",
    "client_key_exchange": b"\x20" + bytes(32),
    "certificate_status": b"\x01\x00\x00\x01s",
    "finished": bytes(12),
}
NUMBERS = {
    "client_hello": 1,
    "new_session_ticket": 4,
    "certificate_verify": 15,
    "client_key_exchange": 16,
    "finished": 20,
    "certificate_status": 22,
}
FOREIGN = {name: wire.handshake(number, BODIES[name]) for name, number in NUMBERS.items()}
NEVER_FROM_A_SERVER = (1, 3, 5, 6, 8, 15, 16, 21, 23, 24, 25, 67, 203, 254)
UNKNOWN = (7, 9, 10, 17, 19, 99, 255)

RULE_BEFORE = {
    "server_hello": "SEQ-01",
    "certificate": "SEQ-02",
    "server_key_exchange": "SEQ-04",
    "certificate_request": "SEQ-06",
    "server_hello_done": "SEQ-06",
}


def sent_before(name: str, value: bytes) -> list:
    """The first flight with a foreign message before the one of that name."""
    place = FIRST_WITH_REQUEST.index(name)
    return [*FIRST_WITH_REQUEST[:place], message(value), *FIRST_WITH_REQUEST[place:]]


def without(name: str) -> list[str]:
    return [step for step in FIRST_WITH_REQUEST if step != name]


def twice(name: str) -> list[str]:
    place = FIRST_WITH_REQUEST.index(name)
    return [*FIRST_WITH_REQUEST[:place], name, *FIRST_WITH_REQUEST[place:]]


def swapped(place: int) -> list[str]:
    flight = list(FIRST_WITH_REQUEST)
    flight[place : place + 2] = reversed(flight[place : place + 2])
    return flight


REFUSED = [
    *(
        Refused(RULE_BEFORE[after], f"without {name}", wire.UNEXPECTED_MESSAGE, first=without(name))
        for name, after in (
            ("server_hello", "server_hello"),
            ("certificate", "certificate"),
            ("server_key_exchange", "server_key_exchange"),
        )
    ),
    Refused(
        "SKE-01",
        "done in its place",
        wire.UNEXPECTED_MESSAGE,
        first=["server_hello", "certificate", "server_hello_done"],
    ),
    Refused(
        "SKE-01",
        "request in its place",
        wire.UNEXPECTED_MESSAGE,
        first=["server_hello", "certificate", "certificate_request"],
    ),
    *(
        Refused("HS-03", f"{name} twice", wire.UNEXPECTED_MESSAGE, first=twice(name))
        for name in FIRST_WITH_REQUEST[:-1]
    ),
    *(
        Refused("SEQ-01", f"{name} first", wire.UNEXPECTED_MESSAGE, first=[name, *FIRST])
        for name in FIRST_WITH_REQUEST[1:]
    ),
    *(
        Refused(
            "SEQ-07" if place == 3 else "SEQ-02",
            f"{FIRST_WITH_REQUEST[place]} after its successor",
            wire.UNEXPECTED_MESSAGE,
            first=swapped(place),
        )
        for place in range(4)
    ),
    *(
        Refused(RULE_BEFORE[name], f"{foreign} before {name}", wire.UNEXPECTED_MESSAGE, first=sent_before(name, value))
        for name in FIRST_WITH_REQUEST
        for foreign, value in FOREIGN.items()
    ),
    *(
        Refused(
            "HS-02",
            f"type {number} before {name}",
            wire.UNEXPECTED_MESSAGE,
            first=sent_before(name, wire.handshake(number, body)),
        )
        for number in NEVER_FROM_A_SERVER
        for name in ("server_hello", "certificate")
        for body in (b"",)
    ),
    *(
        Refused(
            "HS-01",
            f"type {number} before {name}",
            wire.UNEXPECTED_MESSAGE,
            first=sent_before(name, wire.handshake(number, b"??")),
        )
        for number in UNKNOWN
        for name in ("server_hello", "server_hello_done")
    ),
    *(
        Refused("SEQ-13", f"{what} before ccs", wire.UNEXPECTED_MESSAGE, second=[message(value), *SECOND])
        for what, value in {**FOREIGN, "done": wire.SERVER_HELLO_DONE_MESSAGE}.items()
    ),
    *(
        Refused("SEQ-13", f"{name} before ccs", wire.UNEXPECTED_MESSAGE, second=[name, *SECOND])
        for name in ("server_hello", "certificate", "server_key_exchange", "certificate_request")
    ),
    *(
        Refused(
            "SEQ-16",
            f"{what} before finished",
            wire.UNEXPECTED_MESSAGE,
            second=["change_cipher_spec", message(value), "finished"],
        )
        for what, value in {**FOREIGN, "done": wire.SERVER_HELLO_DONE_MESSAGE}.items()
        if what != "finished"
    ),
    *(
        Refused(
            "FIN-05",
            f"finished after {FIRST[place]}",
            wire.UNEXPECTED_MESSAGE,
            first=[*FIRST[: place + 1], "finished", *FIRST[place + 1 :]],
        )
        for place in range(3)
    ),
    Refused(
        "TICKET-06",
        "ticket nobody announced",
        wire.UNEXPECTED_MESSAGE,
        second=[message(FOREIGN["new_session_ticket"]), *SECOND],
    ),
    Refused(
        "OCSP-04",
        "status nobody acknowledged",
        wire.UNEXPECTED_MESSAGE,
        first=sent_before("server_key_exchange", FOREIGN["certificate_status"]),
    ),
    *(
        Refused("HS-10", f"{what} after the handshake", wire.UNEXPECTED_MESSAGE, tail=[message(value)])
        for what, value in {
            **FOREIGN,
            "done": wire.SERVER_HELLO_DONE_MESSAGE,
            "unknown": wire.handshake(99, b""),
        }.items()
    ),
    *(
        Refused("HS-10", f"{name} after the handshake", wire.UNEXPECTED_MESSAGE, tail=[name])
        for name in ("server_hello", "certificate", "server_key_exchange", "certificate_request", "finished")
    ),
    Refused("HS-07", "body before hello", wire.DECODE_ERROR, first=[message(b"\x00\x00\x00\x01x"), *FIRST]),
    Refused("HS-07", "body before ccs", wire.DECODE_ERROR, second=[message(b"\x00\x00\x00\x01x"), *SECOND]),
    Refused("HS-07", "body after the handshake", wire.DECODE_ERROR, tail=[message(b"\x00\x00\x00\x01x")]),
    Refused("HS-08", "33 before hello", wire.UNEXPECTED_MESSAGE, first=[*[HELLO_REQUEST] * 33, *FIRST]),
]

TOLERATED = [
    *(
        Tolerated("HS-06", f"before {name}", request=True, first=sent_before(name, wire.HELLO_REQUEST_MESSAGE))
        for name in FIRST_WITH_REQUEST
    ),
    Tolerated("HS-06", "before ccs", second=[HELLO_REQUEST, *SECOND]),
    Tolerated("HS-08", "32 in the handshake", first=[*[HELLO_REQUEST] * 32, *FIRST]),
]


@both_splits
@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_message_out_of_place_is_refused(case, provider, split):
    script = case.script
    asks = "certificate_request" in script.get("first", ())
    link = case.check(provider, split)
    assert asks or link.server.client_chain is None  # CAUTH-02


@both_splits
@pytest.mark.parametrize("case", TOLERATED, ids=str)
def test_hello_request_in_the_handshake_is_skipped(case, provider, split):
    link = case.check(provider, split)
    assert link.server.alerts == []


@both_splits
@pytest.mark.parametrize("count", [1, 32])
def test_hello_requests_within_the_limit_are_declined_after_the_handshake(provider, split, count):
    """HS-08, HS-09."""
    link = drive(client(provider), Server(pki.leaf(), tail=[HELLO_REQUEST] * count), split)
    assert link.server.alerts == [(wire.WARNING, wire.NO_RENEGOTIATION)] * count
    check_alive(link)


@both_splits
@pytest.mark.parametrize("before", [0, 16, 32])
def test_hello_requests_over_the_limit_are_refused_wherever_they_came(provider, split, before):
    """HS-08: 33 over the whole connection; data between them does not count them anew."""
    asked = [HELLO_REQUEST, data(b"x")] * (33 - before)
    script = {"first": [*[HELLO_REQUEST] * before, *FIRST], "tail": asked}
    link = drive(client(provider), Server(pki.leaf(), **script), split)
    assert type(link.error) is errors.UnexpectedMessage
    declined = [(wire.WARNING, wire.NO_RENEGOTIATION)] * (32 - before)
    assert link.server.alerts == [*declined, (wire.FATAL, wire.UNEXPECTED_MESSAGE)]
    assert link.data == b"x" * (32 - before)


@pytest.mark.parametrize(
    "what",
    [
        "change_cipher_spec",
        "server_hello_done",
        message(wire.handshake(wire.FINISHED, bytes(12))),
        wire.record(23, SECRET),
    ],
    ids=["ccs", "done", "finished", "data"],
)
@both_splits
def test_nothing_may_come_while_a_signature_is_awaited(provider, split, what):
    """SEQ-11: the server has our Certificate at most, so its turn has not come."""
    identity = Identity(pki.device().chain, None)
    config = ClientConfig(trust=TrustStore.from_der(pki.root()), provider=provider, identity=identity)
    connection = ClientConnection(config, pki.HOST)
    link = drive(connection, Server(pki.leaf(), request=True, first=[*FIRST_WITH_REQUEST, what]), split)
    assert type(link.error) is errors.UnexpectedMessage
    assert link.server.alerts == [(wire.FATAL, wire.UNEXPECTED_MESSAGE)]
    assert link.data == b""
