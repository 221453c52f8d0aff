"""MQTT for `lighttls demo modem`: paho-mqtt through a stream that the tests play, and the broker's life."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lighttls import TransportError
from lighttls.cli import mqtt
from support import require

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="paho-mqtt has no Unix sockets on Windows")

ACCEPTED = bytes.fromhex("20020000")  # CONNACK (MQTT 3.1.1, 3.2)
REFUSED = bytes.fromhex("20020005")  # not authorised
CONNECT, PUBLISH, DISCONNECT = 0x10, 0x32, 0xE0


class Broker:
    """A stream behind which somebody answers packets: by their first byte, with what is given."""

    def __init__(self, answers: dict[int, bytes]) -> None:
        self.answers = answers
        self.heard: list[bytes] = []
        self.waiting = b""

    def settimeout(self, seconds: float) -> None:
        self.seconds = seconds

    def sendall(self, data: bytes) -> None:
        self.heard.append(data)
        self.waiting += self.answers.get(data[0], b"")

    def recv(self, n: int) -> bytes:
        if not self.waiting:
            time.sleep(self.seconds)
            raise TransportError("nothing came", timed_out=True)
        data, self.waiting = self.waiting[:n], self.waiting[n:]
        return data


def published(broker: Any, limit: float = 5.0) -> dict[str, Any]:
    require.module("paho")
    return mqtt.publish_by_mqtt(broker, limit)


def test_publication_that_is_acknowledged_ends_with_a_disconnect() -> None:
    broker = Broker({CONNECT: ACCEPTED, PUBLISH: bytes.fromhex("40020001")})
    assert published(broker) == {"connack": 0, "puback": True}
    assert [packet[0] for packet in broker.heard] == [CONNECT, PUBLISH, DISCONNECT]
    assert b"demo/uptime" in broker.heard[1]


def test_broker_that_refuses_is_reported_and_nothing_is_published() -> None:
    broker = Broker({CONNECT: REFUSED})
    found = published(broker)
    assert found["connack"] >= 128
    assert found["puback"] is None
    assert PUBLISH not in [packet[0] for packet in broker.heard]


def test_broker_that_says_nothing_ends_in_a_timeout() -> None:
    began = time.monotonic()
    with pytest.raises(TransportError) as raised:
        published(Broker({}), limit=0.3)
    assert raised.value.timed_out
    assert time.monotonic() - began < 5


def test_broker_that_closes_leaves_what_it_never_said_open() -> None:
    broker = Broker({})
    broker.recv = lambda n: b""  # type: ignore[method-assign]
    assert published(broker) == {"connack": None, "puback": None}


def test_failure_of_the_stream_is_passed_on() -> None:
    class Broken(Broker):
        def recv(self, n: int) -> bytes:
            raise TransportError("the link broke")

    with pytest.raises(TransportError, match="the link broke"):
        published(Broken({}))


def test_what_is_missing_is_named_with_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt, "find_spec", lambda name: None)
    monkeypatch.setattr(mqtt, "_mosquitto", lambda: "/usr/sbin/mosquitto")
    assert "lighttls[demo]" in mqtt.missing()
    monkeypatch.setattr(mqtt, "_mosquitto", lambda: None)
    assert "apt-get install mosquitto" in mqtt.missing()


def test_broker_that_does_not_start_is_an_error_that_quotes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "broken"
    program.write_text('#!/bin/sh\necho "Error: no such listener" > "$(dirname "$2")/log"\n')
    program.chmod(0o755)
    monkeypatch.setattr(mqtt, "_mosquitto", lambda: str(program))
    monkeypatch.setattr(mqtt, "_START_LIMIT", 0.5)
    with (
        pytest.raises(TransportError, match="did not start; it says: Error: no such listener"),
        mqtt.broker(b"", b"", b""),
    ):
        pass


def test_program_ends_with_the_input_that_its_parent_holds() -> None:
    process = subprocess.Popen(["/bin/sh", "-c", mqtt._AS_LONG_AS_WE_LIVE, "sh", "sleep", "600"], stdin=subprocess.PIPE)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.2)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(5) > 128  # the signal that ended `sleep`
