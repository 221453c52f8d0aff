"""Random servers, mostly wrong ones: how their bytes are cut makes no difference, nor who was met before them."""

from __future__ import annotations

import random
from typing import Any

import pytest

from hostile import certificates as pki
from hostile import wire
from hostile.link import Link, Split
from hostile.server import FIRST, FIRST_WITH_REQUEST, SECOND, Server, Step
from hostile.steps import HELLO_REQUEST, alert, data, fragment, message
from lighttls import ClientConfig, ClientConnection, HandshakeCompleted, TrustStore
from support.require import LONG

SCRIPTS = 400 if LONG else 25  # for each seed
SETTINGS: list[dict[str, Any]] = [
    {},
    {"alpn_protocols": ("mqtt",), "require_alpn": True},
    {"request_ocsp": True, "request_scts": True},
    {"max_fragment_length": 1024},
    {"record_size_limit": 512},
    {"offer_tickets": True},
    {"insecure_allow_legacy_renegotiation": True},
    {"false_start": True},
]
ANSWERS = [
    *((wire.RENEGOTIATION_INFO, body) for body in (b"\0", b"\1\0", b"")),
    *((wire.EXTENDED_MASTER_SECRET, body) for body in (b"", b"\0")),
    *((wire.ALPN, body) for body in (b"\0\5\4mqtt", b"\0\3\2h2", b"\0\0")),
    *((5, body) for body in (b"", b"\0")),
    *((18, body) for body in (b"\0\5\0\3sct", b"\0\0")),
    *((1, body) for body in (b"\2", b"\1")),
    *((28, body) for body in (b"\2\0", b"\0\1")),
    *((wire.SESSION_TICKET, body) for body in (b"", b"x")),
    *((11, body) for body in (b"\1\0", b"\1\1")),
    *((number, b"") for number in (0, 10, 13, 43, 0x0A0A)),
]
PIECES = (b"\0", b"\0\0\0", b"\2\0", bytes(8), b"\x0e\0\0\0", b"\x14\0\0\x0c" + bytes(12), b"\0\0\0\0\x16")


def stray(dice: random.Random) -> Step:
    """What does not belong there, or what may stand anywhere."""
    steps: list[Step] = [
        HELLO_REQUEST,
        alert(wire.WARNING, dice.choice([90, 112, 100, 0])),
        data(b"x" * dice.randrange(3)),
        wire.record(dice.choice([0, 20, 21, 22, 23, 24, 255]), bytes(dice.randrange(4))),
        message(wire.handshake(dice.randrange(25), bytes(dice.randrange(3)))),
        fragment(wire.HANDSHAKE, dice.choice((b"", *PIECES))),
        fragment(wire.CHANGE_CIPHER_SPEC, dice.choice([b"\1", b"\2", b"\1\1"])),
        dice.randbytes(dice.randrange(8)),
    ]
    return steps[dice.randrange(len(steps))]


def disturbed(dice: random.Random, steps: tuple[Step, ...]) -> list[Step]:
    """Some of `steps` left out or doubled, strays among them, sometimes in another order."""
    found: list[Step] = []
    for step in steps:
        found += [stray(dice)] * (dice.random() < 0.15)
        found += [step] * dice.choices([0, 1, 2], [4, 92, 4])[0]
    found += [stray(dice)] * (dice.random() < 0.1)
    if dice.random() < 0.05:
        dice.shuffle(found)
    return found


def script(dice: random.Random) -> dict[str, Any]:
    """Arguments of a server whose bytes are cut alike each time: with RSA signatures always have the same length."""
    made: dict[str, Any] = {"coalesce": dice.random() < 0.4, "tail": [data(b"hello"), data(b"more")]}
    made["hello"] = {"random": dice.randbytes(32)}
    if dice.random() < 0.6:
        answers = [each for each in ANSWERS[:4:3] if dice.random() < 0.9] + dice.sample(ANSWERS, dice.randrange(3))
        dice.shuffle(answers)
        made["hello"]["extensions"] = answers
        made["extended_master_secret"] = ANSWERS[3] in answers
    first = FIRST_WITH_REQUEST if dice.random() < 0.2 else FIRST
    if dice.random() < 0.6:
        made |= {"first": disturbed(dice, first), "second": disturbed(dice, SECOND)}
    if dice.random() < 0.3:
        made["fragment"] = dice.choice([1, 2, 3, 4, 5, 7, 64, 200, 1000])
    return made


def outcome(config: ClientConfig, played: dict[str, Any], split: Split) -> tuple[Any, ...]:
    server = Server(pki.leaf("rsa2048"), **played)
    connection = ClientConnection(config, pki.HOST)
    link = Link(connection, server, split)
    complaint = ""
    try:
        link.start()
    except AssertionError as wrong:  # a server whose own transcript is not the client's any more
        complaint = str(wrong)
    events = [
        (event.info.alpn_protocol, event.info.extended_master_secret, event.info.sct_list, event.info.flights)
        if isinstance(event, HandshakeCompleted)
        else repr(event)
        for event in link.events
    ]
    records = [(content_type, version, len(plaintext)) for content_type, version, plaintext in server.client_records]
    return complaint, type(link.error), server.alerts, events, link.data, records, connection.state


@pytest.mark.parametrize("seed", range(4))
def test_how_bytes_are_cut_and_who_came_before_make_no_difference(provider: Any, seed: int) -> None:
    dice = random.Random(seed)
    trust = TrustStore.from_der(pki.root())
    shared = [ClientConfig(provider=provider, trust=trust, **settings) for settings in SETTINGS]
    completed = 0
    for _ in range(SCRIPTS):
        number, played = dice.randrange(len(SETTINGS)), script(dice)
        alone = outcome(ClientConfig(provider=provider, trust=trust, **SETTINGS[number]), played, None)
        for split in (None, 1, dice.randrange(2, 60)):
            assert outcome(shared[number], played, split) == alone, (SETTINGS[number], played)
        completed += any(isinstance(event, tuple) for event in alone[3])
    assert SCRIPTS // 10 < completed < SCRIPTS
