"""Several connections of one modem, opened and closed while faults run: none gets a byte or an end of another.

News may be so late that the connection they speak of is over, and its number another's.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from random import Random

import pytest

from lighttls.testing.modem import Faults, Network, SimulatedModem
from lighttls.transports.at_modem import Modem, ModemError
from support.modem import FAMILIES, MODES, Recorder

SCRIPTS = 500 if os.environ.get("LIGHTTLS_LONG") == "1" else 20
STEPS = 120
AT_ONCE = 4


@dataclass
class Conversation:
    connection: object
    peer: Recorder
    ours: bytes = b""  # what the module took, and what a send that failed may have left
    theirs: bytes = b""
    got: bytes = b""
    ended: bool = False

    def check(self) -> None:
        assert self.ours.startswith(bytes(self.peer.heard)), "wrong bytes went"
        assert self.theirs.startswith(self.got), "wrong bytes came"

    def step(self, random: Random) -> bool:
        """Do something; False: it was closed."""
        match random.choices(("send", "say", "receive", "end", "close"), (32, 25, 28, 3, 6))[0]:
            case "send":
                data, before = random.randbytes(random.choice([1, 50, 1460, 3000])), self.ours
                self.ours += data
                self.ours = before + data[: self.connection.send(data)]
            case "say":
                if not self.peer.gone and not self.ended:
                    data = random.randbytes(random.choice([1, 50, 1500, 4000]))
                    self.theirs += data
                    self.peer.say(data)
            case "receive":
                data = self.connection.recv(random.choice([1, 100, 65536]), random.choice([0, 0.5, 5]))
                assert data != b"" or (self.ended and self.got == self.theirs), "an end too early"
                self.got += data or b""
            case "end":
                self.ended = True
                self.peer.end()
            case "close":
                self.connection.close()
                return False
        return True


def script(random: Random) -> Faults:
    def sometimes(chance: float = 0.12) -> int | None:
        return random.randint(12, 100) if random.random() < chance else None

    return Faults(
        seed=random.randrange(1 << 30),
        split=random.choice([0.0, 1.0]),
        stray_news=random.choice([0.0, 0.05]),
        late_prompts=random.choice([0.0, 0.7]),
        late_results=random.choice([0.0, 0.2]),
        send_fails=random.choice([0.0, 0.3]),
        slow_news=random.choice([0.0, 0.5, 3.0, 3.0]),
        echo_on_at=sometimes(),
        reset_at=sometimes(),
        data_lost_at=sometimes(),
    )


@pytest.mark.parametrize(
    ("dialect", "settings"),
    [(dialect, settings) for dialect, settings in MODES if settings.get("access") != "transparent"],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else value,
)
def test_connections_that_come_and_go_never_get_each_others_bytes_or_end(
    dialect: str, settings: dict[str, object]
) -> None:
    steps = 0
    for number in range(SCRIPTS):
        random = Random(f"{dialect} {settings} {number}")
        steps += come_and_go(dialect, settings, script(random), random)
    assert steps > SCRIPTS * STEPS / 4, "hardly anything happened"


def come_and_go(dialect: str, settings: dict[str, object], faults: Faults, random: Random) -> int:
    """How many steps of conversations did what they should."""
    peers: list[Recorder] = []

    def dial(host: str, port: int) -> Recorder:
        peers.append(Recorder())
        return peers[-1]

    network = Network(dial, round_trip=random.choice([0.05, 0.5, 2]))
    simulated = SimulatedModem(FAMILIES[dialect], network, baud=random.choice([0, 9600, 115200]), faults=faults)
    line = Modem(simulated, dialect, **settings)
    running: list[Conversation] = []
    done = 0
    for _ in range(STEPS):
        chosen = None
        try:
            if not running or (len(running) < AT_ONCE and random.random() < 0.08):
                connection = line.open_tcp("server.example", 7)
                running.append(Conversation(connection, peers[-1]))
                continue
            chosen = random.choice(running)
            if not chosen.step(random):
                running.remove(chosen)
            done += 1
        except ModemError:
            if chosen:
                chosen.connection.close()
                running.remove(chosen)
        for each in [*running, *([chosen] if chosen else [])]:
            each.check()
    return done
