"""A recorded server, replayed: cut short anywhere, altered in any byte, delivered in any pieces.

With its randomness and clock fixed, a client says the same bytes each time, so what a server once
answered is right again. Then every prefix and every single-byte change of it must end before
Connected, and the way the bytes are cut must change nothing.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostile import certificates as pki
from hostile import wire
from hostile.link import drive, pieces
from hostile.server import FIRST, Server, Step
from hostile.steps import HELLO_REQUEST, alert, altered, data
from lighttls import ClientConfig, ClientConnection, Psk, TrustStore, errors
from lighttls.crypto.suites import DEFAULT_SUITES

NOW = time.time()
_TRUST = TrustStore.from_der(pki.root())  # one for all, since an anchor equals only itself
KEY = bytes(range(32))
ECDHE_PSK, PLAIN_PSK = 0xD001, 0x00A8
MINOR_VERSION = 2  # place of the first record's minor version, which may be anything (REC-03) and is not protected


def entropy() -> Callable[[int], bytes]:
    """The same random bytes in each connection."""
    drawn = 0

    def draw(count: int) -> bytes:
        nonlocal drawn
        drawn += 1
        return hashlib.shake_256(b"recorded %d" % drawn).digest(count)

    return draw


def fresh(provider: Any) -> ClientConnection:
    """The client of the recording: same randomness, same clock; it has a pre-shared key for servers that want one."""
    config = ClientConfig(
        trust=_TRUST,
        psk=Psk("a device", KEY),
        cipher_suites=(*DEFAULT_SUITES, ECDHE_PSK, PLAIN_PSK),
        provider=provider,
        insecure_entropy=entropy(),
        clock=lambda: NOW,
    )
    return ClientConnection(config, pki.HOST)


class Recording(NamedTuple):
    """What both sides said. `served` is the server's bytes; `turn` of them came before our second flight."""

    sent: bytes
    served: bytes
    turn: int


def record(provider: Any, *, leaf: str = "p256", **script: Any) -> Recording:
    server = Server(pki.leaf(leaf), **script)
    link = drive(fresh(provider), server)
    found, at = wire.split_records(link.served)[0], 0
    for kind, _, fragment in found:
        if kind == wire.CHANGE_CIPHER_SPEC:
            break
        at += 5 + len(fragment)
    return Recording(link.sent, link.served, at)


SCRIPTS: dict[str, dict[str, Any]] = {
    "ecdsa": {"suite": 0xC02B, "group": wire.X25519},
    "rsa with request": {"leaf": "rsa2048", "suite": 0xCCA8, "group": wire.P256, "request": True},
    "plain psk": {"suite": PLAIN_PSK, "psk": KEY},
    "plain psk with a hint": {"suite": PLAIN_PSK, "psk": KEY, "hint": b"plant 3"},
    "ecdhe psk": {"suite": ECDHE_PSK, "psk": KEY, "group": wire.P384},
}
_RECORDINGS: dict[tuple[str, str], Recording] = {}


@pytest.fixture(params=SCRIPTS)
def recording(request, provider) -> Recording:
    key = (request.param, provider.name)
    if key not in _RECORDINGS:
        _RECORDINGS[key] = record(provider, **SCRIPTS[request.param])
    return _RECORDINGS[key]


class Outcome(NamedTuple):
    events: list[Any]
    sent: bytes
    error: tuple[type, str] | None
    connection: ClientConnection


def replay(provider: Any, served: bytes, split: Any = None) -> Outcome:
    """Give a fresh client the server's bytes; whatever ends it must be a LightTLSError."""
    connection = fresh(provider)
    events = list(connection.initiate_connection())
    sent = connection.data_to_send()
    error = None
    for piece in pieces(served, split):
        try:
            events += connection.receive_data(piece)
        except errors.LightTLSError as caught:
            events += caught.events
            error = (type(caught), str(caught))
        sent += connection.data_to_send()
        if error is not None:
            break
    return Outcome([comparable(event) for event in events], sent, error, connection)


def comparable(event: Any) -> Any:
    """An event without what may depend on the cutting: byte counts so far."""
    info = getattr(event, "info", None)
    if info is None:
        return event
    counts = ("bytes_sent", "bytes_received")
    return [getattr(info, name) for name in type(info).__slots__ if name not in counts]


def completed(outcome: Outcome) -> bool:
    return any(isinstance(event, list) for event in outcome.events)


def test_replay_of_a_recording_connects(provider, recording):
    """Without this the tests below would prove nothing."""
    outcome = replay(provider, recording.served)
    assert outcome.error is None
    assert outcome.connection.is_established
    assert outcome.sent == recording.sent


def test_no_prefix_connects(provider, recording):
    """And each ends as truncation when the stream ends there (ALERT-12)."""
    for length in range(len(recording.served)):
        outcome = replay(provider, recording.served[:length])
        assert outcome.error is None, length
        assert not completed(outcome), length
        assert not outcome.connection.is_established
        with pytest.raises(errors.TruncatedStream):
            outcome.connection.receive_eof()


def places_of_headers(served: bytes) -> set[int]:
    found, at = set(), 0
    for _, _, fragment in wire.split_records(served)[0]:
        found |= set(range(at, at + 5))
        at += 5 + len(fragment)
    return found


def test_no_single_altered_byte_connects(provider, recording):
    """Every byte with four masks; the headers of records, which nothing authenticates before the keys, with eleven."""
    served, headers = recording.served, places_of_headers(recording.served)
    for place in range(len(served)):
        for mask in (
            (0xFF, 0x55, 0x03, *(1 << bit for bit in range(8))) if place in headers else (0x01, 0x10, 0x80, 0xFF)
        ):
            changed = bytearray(served)
            changed[place] ^= mask
            outcome = replay(provider, bytes(changed))
            expected = place == MINOR_VERSION
            assert completed(outcome) == expected, (place, mask, outcome.error)
            assert outcome.connection.is_established == expected


def test_no_removed_or_inserted_byte_connects(provider, recording):
    served = recording.served
    for place in range(len(served)):
        inserted = bytes([served[place] ^ 0x80])  # never the byte that stands there: what follows may be alike
        for changed in (served[:place] + served[place + 1 :], served[:place] + inserted + served[place:]):
            assert not completed(replay(provider, changed)), place


# --- however the input is cut ---------------------------------------------------------------------

WARNING = alert(wire.WARNING, 90)
CHATTER: tuple[Step, ...] = (data(b"one"), WARNING, data(b""), data(b"two" * 999), HELLO_REQUEST, data(b"three"))
ENDINGS: dict[str, dict[str, Any]] = {
    "close_notify": {"tail": (*CHATTER, alert(wire.WARNING, 0), data(b"ghost"))},
    "bad record": {
        "tail": (*CHATTER, altered(data(b"bad"), lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1])), data(b"x"))
    },
    "handshake message": {"tail": (*CHATTER, "server_hello_done", data(b"x"))},
    "oversized header": {"tail": (*CHATTER, b"\x17\x03\x03\xff\xff")},
    "wrong finished": {"edit": {"finished": lambda m: m[:-1] + bytes([m[-1] ^ 1])}, "tail": CHATTER},
    "data before finished": {"second": ("change_cipher_spec", data(b"x"), "finished")},
    "refused hello": {"first": (WARNING, HELLO_REQUEST, "server_hello"), "hello": {"compression": 1}},
    "warnings in the handshake": {
        "first": (
            WARNING,
            "server_hello",
            HELLO_REQUEST,
            "certificate",
            WARNING,
            "server_key_exchange",
            "server_hello_done",
        )
    },
    "coalesced": {"coalesce": True, "request": True, "tail": CHATTER},
    "not tls": {"first": (b"HTTP/1.1 400 Bad Request\r\n\r\n",)},
}


def stream(provider: Any, ending: str) -> Recording:
    key = (ending, provider.name)
    if key not in _RECORDINGS:
        _RECORDINGS[key] = record(provider, **ENDINGS[ending])
    return _RECORDINGS[key]


@pytest.mark.parametrize("ending", ENDINGS)
def test_byte_by_byte_is_the_same_as_at_once(provider, ending):
    served = stream(provider, ending).served
    assert replay(provider, served, 1)[:3] == replay(provider, served)[:3]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(draw=st.data(), ending=st.sampled_from(sorted(ENDINGS)))
def test_cutting_the_input_changes_neither_events_nor_errors_nor_answers(provider, draw, ending):
    served = stream(provider, ending).served
    cuts = draw.draw(st.lists(st.integers(1, len(served)), max_size=12))
    assert replay(provider, served, cuts)[:3] == replay(provider, served)[:3]


@pytest.mark.parametrize(
    "script", [{"tail": (HELLO_REQUEST, alert(2, 40))}, {"first": (*FIRST, alert(2, 40))}], ids=["declined", "flight"]
)
def test_fatal_alert_does_not_take_back_an_answer(provider, script):
    """What was owed before the alert leaves, whether or not the alert came in the same piece."""
    served = record(provider, **script).served
    assert replay(provider, served, 1)[:3] == replay(provider, served)[:3]
