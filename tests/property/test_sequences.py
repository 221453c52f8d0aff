"""Which messages may come in which order: a list written from the RFCs, held against the table and the wire.

The list below stands on RFC 5246 §7.3 and §7.4 and knows nothing of
`handshake/table.py`. The walker compares both ways, the pairs outside of the table are tried one by
one, in the machine and with real bytes, and a random walk plays orders that nobody thought of.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest

from hostile import certificates as pki
from hostile import ocsp, wire
from hostile.cases import ERRORS, check_refusal, client
from hostile.link import drive
from hostile.server import Server, Step
from hostile.sessions import Earlier
from hostile.steps import HELLO_REQUEST, alert, data, message
from lighttls import Psk, VerifyPolicy, errors
from lighttls.handshake import TABLE, row_on
from support.require import LONG

HELLO = ("ServerHello", "Certificate", "ServerKeyExchange")
END = ("ChangeCipherSpec", "Finished")

LEGAL = {
    "full": (*HELLO, "ServerHelloDone", *END),
    "full with client authentication": (*HELLO, "CertificateRequest", "ServerHelloDone", *END),
    # «The same, no identity» is the same from the server; with a deferred signature our own turn takes longer.
    "full with a deferred signature": (*HELLO, "CertificateRequest", "ServerHelloDone", "SignatureReady", *END),
}
# With a status announced in the ServerHello it may come, and may be left out all the same (RFC 6066 §8).
LEGAL_ANNOUNCED = LEGAL | {
    f"{name}, with a status": (*sequence[:2], "CertificateStatus", *sequence[2:]) for name, sequence in LEGAL.items()
}
# With a ticket announced it must come, right before ChangeCipherSpec (RFC 5077 §3.3).
LEGAL_WITH_TICKET = {
    f"{name}, with a ticket": (*sequence[:-2], "NewSessionTicket", *END) for name, sequence in LEGAL.items()
}
# Resumed: no certificates and no key exchange, and the server finishes first (RFC 5246 §7.3, RFC 5077 §3.1).
RESUMED = {"resumed": ("ServerHello", *END)}
RESUMED_WITH_TICKET = {"resumed, with a new ticket": ("ServerHello", "NewSessionTicket", *END)}
# With a raw public key it comes in a Certificate of another shape, and no status behind it (RFC 7250 §3).
LEGAL_WITH_RAW_KEY = {
    f"{name}, with a raw key": (sequence[0], "RawPublicKey", *sequence[2:]) for name, sequence in LEGAL.items()
}
# With a pre-shared key: no certificates; a key exchange with a hint, and always with ECDHE (RFC 4279 §2, RFC 5489 §2).
ECDHE_PSK = {"ecdhe psk": ("ServerHello", "ServerKeyExchange", "ServerHelloDone", *END)}
PLAIN_PSK = {"psk": ("ServerHello", "ServerHelloDone", *END), "psk, with a hint": ECDHE_PSK["ecdhe psk"]}
PLAIN_PSK_WITH_TICKET = {
    f"{name}, with a ticket": (*sequence[:-2], "NewSessionTicket", *END) for name, sequence in PLAIN_PSK.items()
}
EVERY = {
    **LEGAL_ANNOUNCED,
    **LEGAL_WITH_TICKET,
    **{
        f"{name}, with a ticket": (*sequence[:-2], "NewSessionTicket", *END)
        for name, sequence in LEGAL_ANNOUNCED.items()
    },
    **LEGAL_WITH_RAW_KEY,
    **{
        f"{name}, with a ticket": (*sequence[:-2], "NewSessionTicket", *END)
        for name, sequence in LEGAL_WITH_RAW_KEY.items()
    },
    **RESUMED,
    **RESUMED_WITH_TICKET,
    **{  # the table knows the other shape of this message by another name
        name: tuple("PskServerKeyExchange" if each == "ServerKeyExchange" else each for each in sequence)
        for name, sequence in (PLAIN_PSK | PLAIN_PSK_WITH_TICKET).items()
    },
}
AFTERWARDS = ("ApplicationData", "HelloRequest")

START, CONNECTED = "WaitServerHello", "Connected"


def paths(state: str, passed: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every way through the table from `state` to Connected, without the rows that stay where they are."""
    if state == CONNECTED:
        yield passed
        return
    for row in TABLE:
        if row.state.__name__ == state:
            for target in row.targets:
                if target is not row.state:
                    yield from paths(target.__name__, (*passed, row.message.__name__))


def states_along(sequence: tuple[str, ...]) -> list[set[str]]:
    """The states that the table allows before each message of a sequence, and after the last."""
    current = {START}
    along = [current]
    for name in sequence:
        current = {
            target.__name__
            for row in TABLE
            if row.state.__name__ in current and row.message.__name__ == name
            for target in row.targets
        }
        along.append(current)
    return along


def test_every_path_through_the_table_is_legal():
    assert sorted(set(paths(START))) == sorted(EVERY.values())


@pytest.mark.parametrize("sequence", EVERY.values(), ids=EVERY)
def test_every_legal_sequence_is_a_path_through_the_table(sequence):
    assert CONNECTED in states_along(sequence)[-1]


def test_every_state_of_the_table_can_be_reached():
    reachable = set().union(*(states for sequence in EVERY.values() for states in states_along(sequence)))
    assert {row.state.__name__ for row in TABLE} == reachable
    assert {target.__name__ for row in TABLE for target in row.targets} <= reachable


def test_hello_request_is_skipped_until_change_cipher_spec_and_nothing_else_stays_in_its_state():
    """HS-06, CCS-08."""
    staying = {(row.state.__name__, row.message.__name__) for row in TABLE if row.targets == (row.state,)}
    before_keys = {row.state.__name__ for row in TABLE} - {"WaitFinished", "WaitFinishedResumed", CONNECTED}
    expected = {(state, "HelloRequest") for state in before_keys} | {(CONNECTED, name) for name in AFTERWARDS}
    assert staying == expected


STATES = sorted({row.state for row in TABLE}, key=lambda kind: kind.__name__)
INPUTS = sorted({row.message for row in TABLE}, key=lambda kind: kind.__name__)
OUTSIDE = [(s, m) for s in STATES for m in INPUTS if (s, m) not in {(row.state, row.message) for row in TABLE}]


@pytest.mark.parametrize(("state", "happening"), OUTSIDE, ids=lambda kind: kind.__name__)
def test_machine_refuses_every_pair_outside_of_the_table(state, happening):
    """SEQ-01 to SEQ-16, PSK-09: before any handler could look at what the message says."""
    with pytest.raises(errors.UnexpectedMessage):
        row_on(object.__new__(state), object.__new__(happening))


# --- the same on the wire ------------------------------------------------------------------------

STEPS: dict[str, Step] = {
    "ServerHello": "server_hello",
    "Certificate": "certificate",
    "RawPublicKey": message(wire.raw_public_key(pki.spki())),
    "ServerKeyExchange": "server_key_exchange",
    "CertificateRequest": "certificate_request",
    "NewSessionTicket": "new_session_ticket",
    "ServerHelloDone": "server_hello_done",
    "ChangeCipherSpec": "change_cipher_spec",
    "Finished": "finished",
    "HelloRequest": HELLO_REQUEST,
    "ApplicationData": data(b"not in turn"),
}
STRANGERS: dict[str, Step] = {
    "ClientHello": message(wire.handshake(1, b"\x03\x03" + bytes(32) + b"\x00\x00\x02\xc0\x2b\x01\x00")),
    "CertificateVerify": message(wire.handshake(15, b"\x04\x03\x00\x01s")),
    "ClientKeyExchange": message(wire.handshake(16, b"\x20" + bytes(32))),
    "CertificateStatus": message(wire.certificate_status(ocsp.response(pki.leaf()))),
    "Unknown": message(wire.handshake(99, b"")),
}
ANY = STEPS | STRANGERS
SHAPES_OF_CERTIFICATE = {"Certificate", "RawPublicKey"}


def script(sequence: tuple[str, ...]) -> tuple[list[Step], list[Step]]:
    """The steps of a sequence, in the server's two flights."""
    end = sequence.index("ServerHelloDone") + 1 if "ServerHelloDone" in sequence else len(sequence)
    return [ANY[name] for name in sequence[:end]], [ANY[name] for name in sequence[end:]]


class Agreed(NamedTuple):
    """What the hellos settle: the sequences that are legal then, and how each side is made to say so."""

    legal: dict[str, tuple[str, ...]]
    settings: dict[str, object]
    script: dict[str, object]
    resumed: bool = False

    def connect(self, provider, split, **script):
        """The client against this script; in a resumed handshake with a session that both sides know."""
        earlier = EARLIER(provider) if self.resumed else None
        settings = self.settings | ({"sessions": earlier.store()} if earlier else {})
        known = {"known": earlier.known} if earlier else {}
        return drive(client(provider, **settings), Server(pki.leaf(), **self.script, **known, **script), split)


EARLIER = cache(Earlier)
KEY = bytes(range(32))


def psk(suite: int) -> dict[str, object]:
    return {"trust": None, "psk": Psk("a device", KEY), "cipher_suites": (suite,)}


AGREED = {
    "nothing": Agreed(LEGAL, {}, {}),
    "a status": Agreed(LEGAL_ANNOUNCED, {"request_ocsp": True}, {"extra": [(wire.STATUS_REQUEST, b"")]}),
    "a raw key": Agreed(
        LEGAL_WITH_RAW_KEY,
        {"verify": VerifyPolicy(raw_keys={pki.HOST: pki.spki()}), "request_ocsp": True},
        {"extra": [(wire.SERVER_CERTIFICATE_TYPE, b"\x02"), (wire.STATUS_REQUEST, b"")]},
    ),
    "a ticket": Agreed(LEGAL_WITH_TICKET, {"offer_tickets": True}, {"ticket": b"ticket"}),
    "resumption": Agreed(RESUMED, {}, {}, resumed=True),
    "resumption and a ticket": Agreed(RESUMED_WITH_TICKET, {}, {"ticket": b"another"}, resumed=True),
    "plain PSK": Agreed(PLAIN_PSK, psk(0x00A8), {"psk": KEY}),
    "plain PSK and a ticket": Agreed(
        PLAIN_PSK_WITH_TICKET, psk(0x00A8) | {"offer_tickets": True}, {"psk": KEY, "ticket": b"ticket"}
    ),
    "ECDHE_PSK": Agreed(ECDHE_PSK, psk(0xD001), {"psk": KEY}),
}
TRIED = {
    "nothing": ("full", "full with client authentication"),
    "a status": ("full, with a status",),
    "a raw key": ("full, with a raw key", "full with client authentication, with a raw key"),
    "a ticket": ("full, with a ticket",),
    "resumption": RESUMED,
    "resumption and a ticket": RESUMED_WITH_TICKET,
    "plain PSK": PLAIN_PSK,
    "plain PSK and a ticket": ("psk, with a ticket",),
    "ECDHE_PSK": ECDHE_PSK,
}


def outside_on_the_wire() -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Each place of each legal sequence with each message that may not come there, by what was agreed."""
    for agreed, sequence in ((agreed, AGREED[agreed].legal[name]) for agreed, names in TRIED.items() for name in names):
        legal = AGREED[agreed].legal
        for place in range(len(sequence) + 1):
            here = {
                other[place] for other in legal.values() if other[:place] == sequence[:place] and place < len(other)
            }
            if "ChangeCipherSpec" not in sequence[:place]:
                here.add("HelloRequest")
            if place == len(sequence):
                here = set(AFTERWARDS)
            if here & SHAPES_OF_CERTIFICATE:  # the other shape has the same number, and is malformed (RPK-10)
                here |= SHAPES_OF_CERTIFICATE
            yield from ((agreed, sequence[:place], name) for name in ANY if name not in here)


@pytest.mark.parametrize(
    ("agreed", "before", "wrong"),
    list(outside_on_the_wire()),
    ids=lambda value: f"{len(value)}-{value[-1] if value else 'start'}" if isinstance(value, tuple) else value,
)
def test_wrong_message_on_the_wire_is_unexpected(provider, agreed, before, wrong):
    """Also with the right Finished for the transcript that both sides saw."""
    first, second = script(before)
    (second if "server_hello_done" in first else first).append(ANY[wrong])
    link = AGREED[agreed].connect(provider, None, first=first, second=second)
    check_refusal(link, wire.UNEXPECTED_MESSAGE, ERRORS[wire.UNEXPECTED_MESSAGE])
    assert link.data == b""


# --- a random walk ----------------------------------------------------------------------------------

WARNING = alert(wire.WARNING, 90)
SILENT: dict[str, Step] = {"HelloRequest": HELLO_REQUEST, "Warning": WARNING}
EVERYTHING = ANY | SILENT
# Sixteen seeds make 20 000 orders in CI, and a third of it at a desk.
ORDERS_A_SEED = {"native": 1000, "pure": 250} if LONG or os.environ.get("CI") else {"native": 300, "pure": 100}


def mutated(dice: random.Random, sequence: list[str]) -> list[str]:
    """One change: drop, repeat, swap, move or put in something."""
    place = dice.randrange(len(sequence) + 1)
    kind = dice.choice(("drop", "repeat", "swap", "put in", "put in a silent one", "shuffle"))
    if kind == "put in":
        sequence.insert(place, dice.choice(list(EVERYTHING)))
    elif kind == "put in a silent one":
        sequence.insert(place, dice.choice(list(SILENT)))
    elif kind == "shuffle" and dice.random() < 0.2:
        dice.shuffle(sequence)
    elif place < len(sequence):
        if kind == "drop":
            del sequence[place]
        elif kind == "repeat":
            sequence.insert(place, sequence[place])
        elif kind == "swap" and place:
            sequence[place - 1 : place + 1] = reversed(sequence[place - 1 : place + 1])
    return sequence


def random_order(dice: random.Random, legal: dict[str, tuple[str, ...]]) -> tuple[list[str], list[str]]:
    """What the server sends before and after our flight."""
    start = list(dice.choice([sequence for sequence in legal.values() if "SignatureReady" not in sequence]))
    for _ in range(dice.choice((0, 1, 1, 2, 3, 8))):
        start = mutated(dice, start)
    turn = start.index("ServerHelloDone") + 1 if "ServerHelloDone" in start else len(start)
    if dice.random() < 0.1:
        turn = dice.randrange(len(start) + 1)
    return start[:turn], start[turn:]


def judged(first: list[str], second: list[str], legal: dict[str, tuple[str, ...]]) -> tuple[bool, bytes]:
    """Whether an order completes the handshake, and what data passes after it, by the list above."""
    beginnings = {sequence[:length] for sequence in legal.values() for length in range(len(sequence) + 1)}
    spoken: tuple[str, ...] = ()
    completed, passed, warnings = False, b"", 0
    for place, name in enumerate((*first, *second)):
        if place == len(first) and "ServerHelloDone" not in spoken and not completed:
            return False, b""  # the client has not answered, so the second flight never comes
        warnings = warnings + 1 if name == "Warning" else 0
        if name == "Warning" and warnings <= 4:
            continue
        if name == "HelloRequest" and (completed or "ChangeCipherSpec" not in spoken):
            continue
        if completed and name == "ApplicationData":
            passed += b"not in turn"
            continue
        spoken = (*spoken, name)
        # Without keys: sent before our flight, in a handshake that has one before the server's.
        early = name == "ChangeCipherSpec" and place < len(first) and "ServerHelloDone" in spoken
        if spoken not in beginnings or early:
            return completed, passed
        completed = spoken in legal.values()
    return completed, passed + b"in turn" if completed else b""


@pytest.mark.parametrize("seed", range(16))
def test_only_legal_orders_reach_application_data(provider, seed):
    dice = random.Random(seed)
    agreed = list(AGREED.values())[seed % len(AGREED)]
    reached = 0
    for _ in range(ORDERS_A_SEED[provider.name]):
        first, second = random_order(dice, agreed.legal)
        link = agreed.connect(
            provider,
            dice.choice((None, None, 1, 7)),
            first=[EVERYTHING[n] for n in first],
            second=[EVERYTHING[n] for n in second],
            tail=[data(b"in turn")],
        )
        completed, passed = judged(first, second, agreed.legal)
        assert (link.completed, link.data) == (completed, passed), (first, second, link.error)
        assert link.error is None or isinstance(link.error, errors.LightTLSError)
        reached += completed
    assert reached >= 5
