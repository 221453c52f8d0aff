"""What a configuration remembers between connections: each server is met as if it were the first one.

Kept are what a ServerHello's extensions come to, extension blocks and certificates that were read, and signatures of
chains that were verified. Hostile servers come before and after good ones, at once and in pieces, in one thread and
in several.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from hostile import certificates as pki
from hostile import wire
from hostile.link import Link, Split, drive
from hostile.server import FIRST, Server
from hostile.sessions import TICKET
from hostile.steps import HELLO_REQUEST, data
from lighttls import ClientConfig, ClientConnection, HandshakeCompleted, TrustStore

RENEGOTIATION, MASTER = (wire.RENEGOTIATION_INFO, b"\x00"), (wire.EXTENDED_MASTER_SECRET, b"")
ALPN = (wire.ALPN, b"\x00\x05\x04mqtt")
STATUS, SCTS, POINTS = 5, 18, 11
SCT_LIST = b"\x00\x05\x00\x03sct"
YEARS = 11 * 366 * 86_400


def hello(*extensions: tuple[int, bytes], **more: Any) -> dict[str, Any]:
    """Extensions of a ServerHello, and a server that keeps to them."""
    with_master = MASTER in extensions
    return {"hello": {"extensions": list(extensions)}, "extended_master_secret": with_master, **more}


# What each server does; those whose answers differ in little stand together.
SERVERS: dict[str, dict[str, Any]] = {
    "good": hello(RENEGOTIATION, MASTER),
    "another order": hello(MASTER, RENEGOTIATION),
    "twice": hello(RENEGOTIATION, MASTER, RENEGOTIATION),
    "no block": {"hello": {"extensions": None}, "extended_master_secret": False},
    "empty block": hello(),
    "no secure renegotiation": hello(MASTER),
    "spliced renegotiation": hello((wire.RENEGOTIATION_INFO, b"\x01x"), MASTER),
    "no extended master secret": hello(RENEGOTIATION),
    "extended master secret with a body": hello(RENEGOTIATION, (wire.EXTENDED_MASTER_SECRET, b"\x00")),
    "protocol": hello(RENEGOTIATION, MASTER, ALPN),
    "other protocol": hello(RENEGOTIATION, MASTER, (wire.ALPN, b"\x00\x03\x02h2")),
    "protocol that nobody offered": hello(RENEGOTIATION, MASTER, (wire.ALPN, b"\x00\x05\x04coap")),
    "two protocols": hello(RENEGOTIATION, MASTER, (wire.ALPN, b"\x00\x08\x04mqtt\x02h2")),
    "points": hello(RENEGOTIATION, MASTER, (POINTS, b"\x01\x00")),
    "compressed points alone": hello(RENEGOTIATION, MASTER, (POINTS, b"\x01\x01")),
    "timestamps": hello(RENEGOTIATION, MASTER, (SCTS, SCT_LIST)),
    "broken timestamps": hello(RENEGOTIATION, MASTER, (SCTS, SCT_LIST[:-1])),
    "status announced": hello(RENEGOTIATION, MASTER, (STATUS, b"")),
    "ticket announced": hello(RENEGOTIATION, MASTER, (wire.SESSION_TICKET, b""), ticket=TICKET),
    "ticket not announced": hello(RENEGOTIATION, MASTER, ticket=TICKET),
    "ticket announced and not sent": hello(
        RENEGOTIATION, MASTER, (wire.SESSION_TICKET, b""), second=["change_cipher_spec", "finished"]
    ),
    "unasked": hello(RENEGOTIATION, MASTER, (43, b"\x03\x04")),
    "bytes behind the block": {"edit": {"server_hello": lambda m: m[:3] + bytes((m[3] + 1,)) + m[4:] + b"\x00"}},
    "other suite": hello(RENEGOTIATION, MASTER, suite=0xCCA9),
    "hello requests": {"first": [step for each in FIRST for step in (HELLO_REQUEST, each)]},
    "wrong finished": {"edit": {"finished": lambda m: m[:-1] + bytes((m[-1] ^ 1,))}},
    "wrong signature": {"ske": {"signature": b"\x30\x06\x02\x01\x01\x02\x01\x01"}},
    "altered leaf": {"edit": {"certificate": lambda m: m[:-1] + bytes((m[-1] ^ 1,))}},
}
LEAVES: dict[str, Callable[[], pki.Credential]] = {
    "other host": lambda: pki.leaf(host="other.example"),
    "other purpose": lambda: pki.leaf(purposes=(pki.CLIENT_AUTH,)),
    "key that may not sign": lambda: pki.leaf(digital_signature=False),
}
ELSEWHERE, LATER = "good, asked for another name", "good, years later"
NAMES = [*SERVERS, *LEAVES, ELSEWHERE, LATER]


class Clock:
    """Each thread has its own time."""

    def __init__(self) -> None:
        self._of_thread = threading.local()

    def later(self, seconds: float) -> None:
        self._of_thread.later = seconds

    def __call__(self) -> float:
        return pki._NOW.timestamp() + getattr(self._of_thread, "later", 0)


def configuration(provider: Any) -> ClientConfig:
    return ClientConfig(
        provider=provider,
        trust=TrustStore.from_der(pki.root()),
        alpn_protocols=("mqtt", "h2"),
        offer_tickets=True,
        request_scts=True,
        clock=Clock(),
    )


def meet(config: ClientConfig, name: str, split: Split = None) -> tuple[Any, ...]:
    """What came of a connection to that server."""
    server = Server(LEAVES.get(name, pki.leaf)(), **SERVERS.get(name, {}), tail=[data(b"hello")])
    clock = config.clock
    assert isinstance(clock, Clock)
    clock.later(YEARS if name == LATER else 0)
    connection = ClientConnection(config, "elsewhere.example" if name == ELSEWHERE else pki.HOST)
    return outcome(drive(connection, server, split))


def outcome(link: Link) -> tuple[Any, ...]:
    infos = [event.info for event in link.events if isinstance(event, HandshakeCompleted)]
    agreed = [
        (
            info.cipher_suite,
            info.alpn_protocol,
            info.extended_master_secret,
            info.sct_list,
            info.session_resumed,
            info.server_hostname,
            info.flights,
            info.peer_chain,
        )
        for info in infos
    ]
    sent = [message[0] for message in link.server.client_messages]
    assert isinstance(link.client, ClientConnection)
    return repr(link.error), link.server.alerts, agreed, link.data, sent, link.client.state


@pytest.fixture
def alone(provider: Any) -> dict[str, tuple[Any, ...]]:
    """What comes of each server where nothing is remembered."""
    found = {name: meet(configuration(provider), name) for name in NAMES}
    assert sum(each[-1] == "Connected" for each in found.values()) == 10
    assert len({repr(each) for each in found.values()}) > 25
    return found


def walk(seed: int) -> list[str]:
    """Every server often, in an order that brings most pairs."""
    names = NAMES * 6
    random.Random(seed).shuffle(names)
    return names


def test_every_server_is_judged_as_if_it_were_the_first(provider: Any, alone: dict[str, Any]) -> None:
    """SH-12 to SH-18, ALPN-03 to ALPN-06, EMS-05, RI-02, TICKET-06, TICKET-07, SCT-02, CERT-15."""
    config = configuration(provider)
    for number, name in enumerate(walk(1)):
        assert meet(config, name, split=(None, 1, 7)[number % 3]) == alone[name], name


def test_good_server_after_each_other_one_and_the_reverse(provider: Any, alone: dict[str, Any]) -> None:
    """Whoever comes first to a configuration gains nothing for the second, and takes nothing from it."""
    for name in NAMES:
        config = configuration(provider)
        for each in (name, "good", name):
            assert meet(config, each) == alone[each], f"{each}, with {name} first"


def test_threads_that_share_a_configuration_are_judged_each_for_itself(provider: Any, alone: dict[str, Any]) -> None:
    config = configuration(provider)
    wrong: list[str] = []
    ended = []

    def meet_all(seed: int) -> None:
        wrong.extend(name for name in walk(seed)[:60] if meet(config, name) != alone[name])
        ended.append(seed)

    threads = [threading.Thread(target=meet_all, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert sorted(ended) == [0, 1, 2, 3]
