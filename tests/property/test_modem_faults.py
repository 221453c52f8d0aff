"""Whatever goes wrong between us and a modem: every byte arrives once and in order, or a TransportError says why not.

Bytes go both ways at once through every dialect and mode, while a random script of faults runs; the clock is virtual.
1 MiB passes each way through each, once with faults that lose nothing and once with any; the other scripts' transfers
are that long with LIGHTTLS_LONG=1, else short.
"""

from __future__ import annotations

import os
from random import Random

import pytest

from lighttls import LightTLSError, Stream, TransportError, explain
from lighttls.testing.modem import Faults
from lighttls.transports.at_modem import ModemError
from support import pki
from support.memory_server import MemoryServer
from support.modem import MODES, Recorder, TlsServer, modem

LONG = os.environ.get("LIGHTTLS_LONG") == "1"
WHOLE = 1 << 20
SHORT = WHOLE if LONG else 12_000
SCRIPTS = 25
PATIENCE = 30.0  # seconds, virtual, that one call of recv is given
GRACE = 2.5  # seconds that an answer under way may take beyond it
SEND_LIMIT = 1500.0  # ten times `Settings.send_limit`, and the answer to the last command
LAYERS = {"serial line", "module", "PDP context", "DNS", "TCP"}  # DNS: the loss of data is told later

each_mode = pytest.mark.parametrize(
    ("dialect", "settings"),
    MODES,
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else value,
)


def script(random: Random, settings: dict[str, object], size: int) -> Faults:
    """Some of all faults. Lost bytes are left out where nothing below TLS could tell: pushed data has no end mark."""
    ordinal = lambda: random.randint(12, 12 + size // 100)  # noqa: E731  # of a command, the bring-up being over

    def sometimes(value: object, otherwise: object = None, chance: float = 0.15) -> object:
        return value if random.random() < chance else otherwise

    access = settings.get("access", "buffer")
    counted = access == "buffer"
    if access == "transparent":  # nothing is counted there: what gets lost only TLS can tell
        return Faults(seed=random.randrange(1 << 30), split=random.choice([0.0, 0.3, 1.0]))
    place = random.randrange(1000, 3 * size)
    return Faults(
        seed=random.randrange(1 << 30),
        split=random.choice([0.0, 0.3, 1.0]),
        stray_news=random.choice([0.0, 0.05, 0.5]),
        bare_prompts=random.random() < 0.5,
        late_prompts=random.choice([0.0, 0.0, 0.7]),
        lost_prompts=sometimes([random.randint(1, size // 1000)], ()),
        send_fails=random.choice([0.0, 0.1, 0.5]),
        truncated=sometimes([ordinal()], ()),
        late_results=random.choice([0.0, 0.0, 0.2]),
        lost_news=random.choice([0.0, 0.3, 1.0]) if counted else 0.0,
        slow_news=random.choice([0.0, 0.0, 3.0]),
        echo_on_at=sometimes(ordinal()),
        reset_at=sometimes(ordinal()),
        silent_reset_at=sometimes(ordinal()),
        data_lost_at=sometimes(ordinal()),
        frozen_at=sometimes(ordinal(), chance=0.05),
        dropped_to_host=sometimes([place], ()) if counted else (),
        dropped_to_modem=sometimes([place], ()),
    )


def transfer(dialect: str, settings: dict[str, object], faults: Faults, seed: int, size: int) -> str:
    """Move bytes both ways under `faults`; "complete", or the layer that was blamed."""
    random = Random(seed)
    ours, theirs = random.randbytes(size), random.randbytes(size)
    peer = Recorder()
    line, simulated = modem(dialect, peer, faults=faults, baud=random.choice([0, 9600, 921600]), **settings)
    got = bytearray()
    failure: TransportError | None = None
    try:
        exchange(line, simulated, peer, random, ours, theirs, got)
    except TransportError as error:
        failure = error
    assert theirs.startswith(got), "wrong bytes came"
    assert ours.startswith(peer.heard), "wrong bytes went"
    if failure is None:
        assert (bytes(peer.heard), bytes(got)) == (ours, theirs)
        return "complete"
    assert isinstance(failure, ModemError)
    assert failure.layer in LAYERS
    assert str(failure)
    assert failure.hint
    return failure.layer


def exchange(line, simulated, peer, random: Random, ours: bytes, theirs: bytes, got: bytearray) -> None:
    connection = line.open_tcp("server.example", 443)
    sent, given, size = 0, 0, len(ours)
    while sent < size or len(got) < size:
        before = simulated.monotonic()
        if sent < size:
            sent += connection.send(ours[sent : sent + random.choice([1, 300, 5000])])
        assert simulated.monotonic() - before < SEND_LIMIT, "send did not keep its limit"
        if given < size:
            piece = theirs[given : given + random.choice([1, 1000, 4000])]
            peer.link.send(piece)
            given += len(piece)
        before = simulated.monotonic()
        timeout = 0 if sent < size or len(got) == given else PATIENCE
        data = connection.recv(random.choice([1, 100, 65536]), timeout)
        assert simulated.monotonic() - before < timeout + GRACE, "recv did not keep its timeout"
        assert data != b"", "the end of a stream that has none"
        assert data or not timeout, "a stream that stands still"
        got += data or b""
    simulated.timeline.run_until(simulated.monotonic() + 5)
    connection.close()


@each_mode
def test_random_faults_never_make_wrong_bytes_or_hang(dialect: str, settings: dict[str, object]) -> None:
    outcomes = []
    for number in range(SCRIPTS):
        random = Random(f"{dialect} {settings} {number}")
        size = SHORT if number else WHOLE
        outcomes.append(transfer(dialect, settings, script(random, settings, size), number, size))
    assert "transparent" in settings.values() or len(set(outcomes)) > 1, f"the scripts are all alike: {outcomes}"


@each_mode
def test_faults_that_lose_nothing_let_everything_through(dialect: str, settings: dict[str, object]) -> None:
    gentle = Faults(
        seed=5,
        split=1.0,
        stray_news=0.5,
        bare_prompts=True,
        send_fails=0.3,
        lost_news=0.0,
        slow_news=0.3,
        late_results=0.01,
    )
    assert transfer(dialect, settings, gentle, 1, WHOLE) == "complete"


class Impatient:
    """A modem's transport that takes None for a failure: under TLS nobody waits on a virtual clock."""

    def __init__(self, transport) -> None:
        self.send, self.close, self._transport = transport.send, transport.close, transport

    def recv(self, n: int, timeout: float | None) -> bytes:
        data = self._transport.recv(n, PATIENCE)
        if data is None:
            raise TimeoutError
        return data


@each_mode
def test_bytes_altered_or_lost_anywhere_under_tls_never_change_plaintext(
    dialect: str, settings: dict[str, object]
) -> None:
    """Here nothing is left out: any bits flip, any bytes vanish, in either direction, commands and payload alike."""
    text = Random(7).randbytes(3000)
    failures = {}
    for number in range(200 if LONG else 20):
        random = Random(f"{dialect} {settings} {number}")
        kind = random.choice(["flipped_to_host", "flipped_to_modem", "dropped_to_host", "dropped_to_modem"])
        faults = Faults(**{kind: [random.randrange(400, 5500)]})
        line, _ = modem(dialect, TlsServer(MemoryServer()), faults=faults, **settings)
        got = b""
        try:
            link = Impatient(line.open_tcp("server.example", 443))
            with Stream(link, pki.config(), "localhost", timeout=PATIENCE, hold_flight=0) as tls:
                tls.sendall(text)
                while len(got) < len(text):
                    got = (got + tls.recv(65536)).replace(b"got ", b"")
        except LightTLSError as error:
            failures[type(error)] = explain(error)
        assert text.startswith(got)
    assert len(failures) > 1
    assert all(failures.values())
