"""MQTT for the demo: Mosquitto, and paho-mqtt, whose client publishes through a TLS stream of ours.

paho-mqtt wants a socket of its own, and a stream over a modem is none. So it gets a Unix socket in a folder that only
we can enter, and what it says there is carried through the stream.
"""

from __future__ import annotations

import select
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any, Final

from lighttls.errors import TransportError
from lighttls.transports import Stream

_START_LIMIT: Final = 10.0  # seconds until the broker must take connections
_STOP_LIMIT: Final = 5.0  # seconds it may take to end
_TURN: Final = 0.02  # seconds that one side is listened to before the other
_TOPIC: Final = "demo/uptime"
_PAYLOAD: Final = b'{"uptime":42}'
_AS_LONG_AS_WE_LIVE: Final = '"$@" & read -r nothing; kill $!; wait $!'
"""Run a program until standard input ends, thus until its parent ends, however that ends."""


def missing() -> str:
    """What this machine lacks for MQTT, and the command that brings it; empty if nothing."""
    if _mosquitto() is None:
        return "there is no mosquitto here: apt-get install mosquitto"
    if find_spec("paho") is None:
        return "paho-mqtt is not installed: pip install 'lighttls[demo]'"
    return ""


def _mosquitto() -> str | None:
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/local/sbin:/usr/sbin:/opt/homebrew/sbin")


@contextmanager
def broker(chain: bytes, key: bytes, client_ca: bytes) -> Iterator[int]:
    """Mosquitto, speaking TLS 1.2 and demanding a certificate by `client_ca` (all PEM); the port it listens on."""
    with TemporaryDirectory(prefix="lighttls-mqtt-") as name, socket.socket() as finder:
        folder = Path(name)
        for file, data in (("chain.pem", chain), ("key.pem", key), ("clients.pem", client_ca)):
            (folder / file).write_bytes(data)
        finder.bind(("127.0.0.1", 0))
        port: int = finder.getsockname()[1]
        finder.close()
        settings = [
            f"listener {port} 127.0.0.1",
            "user root",  # else, started by root, it becomes a user who cannot read these files
            "allow_anonymous true",  # as far as passwords go
            "require_certificate true",
            "tls_version tlsv1.2",
            f"cafile {folder / 'clients.pem'}",
            f"certfile {folder / 'chain.pem'}",
            f"keyfile {folder / 'key.pem'}",
            f"log_dest file {folder / 'log'}",
        ]
        (folder / "mosquitto.conf").write_text("\n".join(settings) + "\n")
        process = subprocess.Popen(
            ["/bin/sh", "-c", _AS_LONG_AS_WE_LIVE, "sh", str(_mosquitto()), "-c", str(folder / "mosquitto.conf")],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _await(port, folder / "log")
            yield port
        finally:
            assert process.stdin is not None
            process.stdin.close()  # its signal to end
            try:
                process.wait(_STOP_LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await(port: int, log: Path) -> None:
    """Wait until somebody takes connections on a port."""
    end = monotonic() + _START_LIMIT
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError as cause:
            if monotonic() > end:
                said = log.read_text(errors="replace").strip().rpartition("\n")[2] if log.exists() else "nothing"
                raise TransportError(f"mosquitto did not start; it says: {said}") from cause
            sleep(0.05)


def publish_by_mqtt(tls: Stream, limit: float) -> dict[str, Any]:
    """Connect to the broker behind `tls`, publish once at least (QoS 1), and disconnect, in `limit` seconds at most.

    `connack` is the broker's reason code, 0 if it accepts; `puback` whether it has acknowledged the publication. Both
    are None if that never came.
    """
    paho: Any = import_module("paho.mqtt.client")
    seen: dict[str, Any] = {"connack": None, "puback": None}
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="demo", transport="unix")

    def connected(_: Any, __: Any, flags: Any, reason: Any, properties: Any) -> None:
        seen["connack"] = reason.value
        if not reason.is_failure:
            client.publish(_TOPIC, _PAYLOAD, qos=1)

    def published(*_: Any) -> None:
        seen["puback"] = True
        client.disconnect()

    client.on_connect, client.on_publish = connected, published
    with TemporaryDirectory(prefix="lighttls-mqtt-") as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/mqtt")
        listener.listen(1)
        client.connect(f"{folder}/mqtt")
        local, _ = listener.accept()
        with local:
            client.loop_start()
            try:
                _carry(local, tls, monotonic() + limit)
            finally:
                client.disconnect()  # so that it does not try again
                client.loop_stop()
                client.on_connect = client.on_publish = None  # which know the client: it frees its sockets when it goes
    return seen


def _carry(local: socket.socket, tls: Stream, until: float) -> None:
    """Move bytes both ways until one side ends. Raises TransportError: that has not happened in time."""
    tls.settimeout(_TURN)
    while True:
        if select.select([local], [], [], 0)[0]:
            data = local.recv(4096)
            if not data:
                return
            tls.sendall(data)
        try:
            data = tls.recv(4096)
        except TransportError as error:
            if not error.timed_out or monotonic() > until:
                raise
        else:
            if not data:
                return
            local.sendall(data)
