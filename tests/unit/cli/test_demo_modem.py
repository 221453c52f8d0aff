"""`lighttls demo modem`: real OpenSSL behind a simulated modem, its JSON, its exit status, and that nothing stays."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from lighttls.cli import board, demo_modem, main, mqtt
from lighttls.cli.flights import Flight
from support import require
from support.terminal import Shown

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")

BAUD = 115200
RUN_KEYS = [
    *("tls_version", "cipher_suite", "group", "session_resumed", "server_chain", "trust_anchor"),
    *("client_certificate_sent", "signatures_made", "bytes_sent", "bytes_received", "flights", "handshake_ms"),
    *("http_status", "response", "mqtt"),
]


def left_behind() -> tuple[int, int]:
    """Threads and open files of this process."""
    return threading.active_count(), len(os.listdir("/dev/fd"))


def nothing_new(before: tuple[int, int]) -> bool:
    return all(now <= then for now, then in zip(left_behind(), before, strict=True))


def shown(*words: str) -> Shown:
    """What a command prints, and its exit status."""
    out, err = [], []
    with pytest.MonkeyPatch().context() as patch:
        patch.setattr(
            "builtins.print", lambda *what, file=None, **_: (err if file else out).append(" ".join(map(str, what)))
        )
        status = main(list(words))
    return Shown(status, "\n".join(out), "\n".join(err))


@pytest.fixture(scope="module")
def told() -> Shown:
    """One `demo modem --json`, after which no thread, file or child process is left."""
    before, children = left_behind(), []

    class Child(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *words: Any, **options: Any) -> None:
            super().__init__(*words, **options)
            children.append(self)

    with pytest.MonkeyPatch().context() as patch:
        patch.setattr(subprocess, "Popen", Child)
        found = shown("demo", "modem", "--json")
    patience = time.monotonic() + 5
    while time.monotonic() < patience and not nothing_new(before):  # threads of TCP connections see the end themselves
        time.sleep(0.01)
    assert nothing_new(before)
    assert children
    assert all(child.returncode is not None for child in children)
    return found


@pytest.fixture(scope="module")
def report(told: Shown) -> dict[str, Any]:
    return told.data


def test_json_is_one_object_that_says_ok(told: Shown, report: dict[str, Any]) -> None:
    assert (told.status, told.err) == (0, "")
    assert report["ok"] is True
    assert list(report) == ["ok", "layers", "runs"]
    assert [list(run) for run in report["runs"]] == [RUN_KEYS, RUN_KEYS]


def test_layers_say_what_carried_what_and_where_the_key_is(report: dict[str, Any]) -> None:
    layers = {layer["layer"]: layer for layer in report["layers"]}
    assert list(layers) == ["serial line", "AT commands", "TCP", "TLS", "application", "key"]
    assert layers["serial line"]["baud"] == BAUD
    assert layers["serial line"]["opened_by"] == ("pyserial" if find_spec("serial") else "os.open")
    assert (layers["AT commands"]["dialect"], layers["AT commands"]["module"]) == ("quectel", "EC21")
    assert len(layers["TCP"]["host"]) > 100
    assert "OpenSSL" in layers["TLS"]["server"]
    assert (layers["key"]["home"], layers["key"]["slot"]) == ("ATECC608A", 0)


def test_full_run_is_signed_by_the_chip_and_the_resumed_one_by_nobody(report: dict[str, Any]) -> None:
    full, resumed = report["runs"]
    assert [run["http_status"] for run in report["runs"]] == [200, 200]
    assert (full["session_resumed"], full["client_certificate_sent"], full["signatures_made"]) == (False, True, 1)
    assert full["trust_anchor"]["signature_algorithm"] == "sha1WithRSAEncryption"
    assert len(full["server_chain"]) == 2
    assert (resumed["session_resumed"], resumed["client_certificate_sent"]) == (True, False)
    assert (resumed["signatures_made"], resumed["server_chain"], resumed["trust_anchor"]) == (0, [], None)


def test_both_runs_publish_by_mqtt_and_the_second_is_resumed(report: dict[str, Any]) -> None:
    require.peer(mqtt.missing())
    assert [run["mqtt"] for run in report["runs"]] == [
        {"connack": 0, "puback": True, "session_resumed": False, "signatures_made": 1},
        {"connack": 0, "puback": True, "session_resumed": True, "signatures_made": 0},
    ]


def test_flights_hold_every_byte_and_keep_to_the_lines_speed(report: dict[str, Any]) -> None:
    for run in report["runs"]:
        flights = run["flights"]
        assert [set(flight) for flight in flights] == [{"direction", "bytes", "serial_bytes", "at_ms"}] * len(flights)
        for direction in ("sent", "received"):
            moved = sum(flight["bytes"] for flight in flights if flight["direction"] == direction)
            assert moved == run[f"bytes_{direction}"]
        assert [flight["direction"] for flight in flights[:4]] == ["sent", "received"] * 2
        assert flights[0]["at_ms"] == 0.0
        for this, following in pairwise(flights):
            assert this["serial_bytes"] > this["bytes"]
            # One direction of the line carries the payload; the rest of the dialogue goes both ways.
            assert following["at_ms"] - this["at_ms"] >= this["bytes"] * 10 / BAUD * 1000 * 0.9
    full, resumed = (sum(flight["serial_bytes"] for flight in run["flights"]) for run in report["runs"])
    assert resumed < full / 2


def test_story_fits_a_terminal_and_needs_neither_pyserial_nor_mqtt(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(board, "find_spec", lambda name: None)
    monkeypatch.setattr(mqtt, "missing", lambda: "somebody took it")
    drawing = tmp_path / "demo.svg"
    story = shown("demo", "modem", "--svg", str(drawing))
    assert story.status == 0
    assert f"drawn in {drawing}" in story.out
    titles = [text.text or "" for text in ElementTree.parse(drawing).iter("{http://www.w3.org/2000/svg}text")]
    assert [title.split()[0] for title in titles if "handshake" in title] == ["Full", "Resumed"]
    assert "opened by os.open" in story.out
    assert "no MQTT, since somebody took it" in story.out
    assert "CONNACK" not in story.out
    assert story.out.split()[-1] == "ok"
    assert len(story.out.splitlines()) < 60
    assert max(map(len, story.out.splitlines())) <= 120


# ---- what goes wrong is said, and ends -------------------------------------------------------------------------------


class Elsewhere:
    """In place of the server: a port of our choice."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __call__(self, *_: Any) -> Elsewhere:
        return self

    def __enter__(self) -> Elsewhere:
        return self

    def __exit__(self, *_: Any) -> None:
        pass


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def fails(limits: Callable[[pytest.MonkeyPatch], None], port: int) -> Shown:
    with pytest.MonkeyPatch().context() as patch:
        patch.setattr(demo_modem, "AwsIotServer", Elsewhere(port))
        patch.setattr(mqtt, "missing", lambda: "not needed here")
        limits(patch)
        found = shown("demo", "modem", "--json")
    assert found.status == 1
    assert found.data["ok"] is False
    return found


def test_server_that_says_nothing_ends_it_after_the_silence_allowed() -> None:
    with silent_port() as port:
        found = fails(lambda patch: patch.setattr(demo_modem, "_SILENCE", 0.5), port)
    assert "TransportError: Nothing came for 0.5 s" in found.err
    assert found.data["layers"][0]["layer"] == "serial line"


def test_everything_ends_at_the_demos_own_limit() -> None:
    with silent_port() as port:
        began = time.monotonic()
        found = fails(lambda patch: patch.setattr(demo_modem, "_LIMIT", 1.5), port)
    assert "The time that the demo gives itself is over" in found.err
    assert time.monotonic() - began < 15


def test_server_that_is_not_there_is_named_by_its_layer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "ModemError: TCP:" in fails(lambda patch: None, port).err


def test_system_without_pseudo_terminals_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "openpty")
    found = shown("demo", "modem")
    assert found.status == 1
    assert "This system has no pseudo-terminals" in found.err


CHANGES: dict[str, Callable[[dict[str, Any], dict[str, Any]], Any]] = {
    "publish refused": lambda full, resumed: resumed.update(http_status=403),
    "first run resumed": lambda full, resumed: full.update(session_resumed=True),
    "no client certificate": lambda full, resumed: full.update(client_certificate_sent=False),
    "signed elsewhere": lambda full, resumed: full.update(signatures_made=0),
    "another root": lambda full, resumed: full["trust_anchor"].update(signature_algorithm="sha256WithRSAEncryption"),
    "second run not resumed": lambda full, resumed: resumed.update(session_resumed=False),
    "MQTT refused": lambda full, resumed: full.update(mqtt={"connack": 135, "puback": None}),
    "MQTT not acknowledged": lambda full, resumed: resumed.update(mqtt={"connack": 0, "puback": None}),
    "signed again": lambda full, resumed: resumed.update(signatures_made=1),
}


@pytest.mark.parametrize("change", CHANGES)
def test_ok_is_said_only_if_everything_went_as_it_must(report: dict[str, Any], change: str) -> None:
    runs = deepcopy(report["runs"])
    assert demo_modem._as_expected(runs)
    CHANGES[change](*runs)
    assert not demo_modem._as_expected(runs)


def test_drawing_that_cannot_be_written_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(demo_modem, "_tell", lambda report, say: [("Title", [Flight("sent", 0.0)])])
    found = shown("demo", "modem", "--json", "--svg", str(tmp_path / "nowhere" / "demo.svg"))
    assert (found.status, found.data["ok"]) == (1, False)
    assert "nowhere/demo.svg: No such file or directory" in found.err


def test_svg_without_the_modem_is_a_wrong_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["demo", "--svg", "demo.svg"])
    assert ended.value.code == 2
    assert "--svg belongs to" in capsys.readouterr().err


def test_story_that_does_not_exist_is_a_wrong_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["demo", "carrier-pigeon"])
    assert ended.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


def test_interruption_ends_it_without_a_traceback() -> None:
    """Ctrl-C while the handshake runs: the exit status says so, and nothing else is said."""
    command = [sys.executable, "-u", "-m", "lighttls", "demo", "modem"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored by what a shell starts with &
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=30)
    assert (child.returncode, said) == (130, "")
