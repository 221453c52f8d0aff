"""Driver and simulator against conversations typed from the makers' manuals. Neither has seen the other here."""

from __future__ import annotations

from itertools import pairwise

import pytest

from lighttls.testing.modem import MODULES, Network, SimulatedModem
from lighttls.transports.at_modem import Modem
from support.modem import Recorder
from support.transcripts import FOLDER, Replay, transcript

NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))
SETTINGS = {
    "quectel_buffer": ("quectel", "EC21", {}),
    "quectel_push": ("quectel", "EC21", {"access": "push"}),
    "quectel_transparent": ("quectel", "EC21", {"access": "transparent"}),
    "simcom_buffer": ("simcom", "SIM7600", {}),
    "sim800_buffer": ("sim800", "SIM800", {}),
    "ublox_binary": ("ublox", "SARA-U201", {}),
    "ublox_hex": ("ublox", "SARA-U201", {"hex_mode": True}),
}
"""Transcript -> dialect, simulated model, settings."""


def test_every_transcript_is_played() -> None:
    assert sorted(SETTINGS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_driver_says_what_the_transcript_says(name: str) -> None:
    dialect, _, settings = SETTINGS[name]
    sent, received = spoken(name)
    with Modem(
        Replay(transcript(name)), dialect, apn="apn.example", user="user", password="secret", **settings
    ) as modem:
        connection = modem.open_tcp("server.example", 8443)
        while sent:
            sent = sent[connection.send(sent) :]
        got = b""
        while piece := connection.recv(4096, 60):
            got += piece
        assert got == received
        connection.close()


@pytest.mark.parametrize("name", NAMES)
def test_simulator_answers_what_the_transcript_says(name: str) -> None:
    peer = Recorder()
    simulated = SimulatedModem(SETTINGS[name][1], Network(lambda host, port: peer), baud=0)
    assert SETTINGS[name][1] in MODULES
    answer = b""
    for number, (who, data) in enumerate(transcript(name)):
        if who == "modem":
            answer += simulated.read(4096, 10.0) if not answer else b""
            while len(answer) < len(data) and (more := simulated.read(4096, 10.0)):
                answer += more
            assert answer[: len(data)] == data, f"step {number}"
            answer = answer[len(data) :]
        else:
            assert answer == b"", f"step {number}"
            if who == "host":
                simulated.timeline.run_until(simulated.monotonic() + 0.06)  # u-blox: no data right after the prompt
                simulated.write(data)
            elif who == "peer":
                peer.link.send(data)
            else:
                peer.link.close()
    assert simulated.read(4096, 10.0) == answer == b""
    assert bytes(peer.heard) == spoken(name)[0]


def spoken(name: str) -> tuple[bytes, bytes]:
    """The payload in both directions: what follows a prompt, and what the peer says."""
    steps = transcript(name)
    sent = b"".join(
        step.data
        for before, step in pairwise(steps)
        if step.who == "host" and before.who == "modem" and before.data.strip() in (b">", b"@", b"CONNECT")
    )
    for step in steps:
        if step.who == "host" and step.data.startswith(b'AT+USOWR=0,5,"'):
            sent += bytes.fromhex(step.data.split(b'"')[1].decode())
    return sent, b"".join(step.data for step in steps if step.who == "peer")
