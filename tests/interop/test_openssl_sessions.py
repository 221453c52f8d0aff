"""Sessions against the system's `openssl s_server`: saved in one process, resumed in another, by ticket and by ID.

The server is one process all along, as it is for a device that reboots; each client is a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lighttls
from interop.test_openssl import SServer
from lighttls.crypto.provider import CryptoProvider
from support import pki

SOURCE = str(Path(lighttls.__file__).parents[1])

CLIENT = """
import json, sys
from lighttls import ClientConfig, FileSessionStore, TrustStore, VerifyPolicy, aead_seal, connect
from lighttls.crypto import by_name

port, roots, sessions, key, engine, depth = sys.argv[1:]
config = ClientConfig(
    trust=TrustStore.from_file(roots),
    sessions=FileSessionStore(sessions, *aead_seal(bytes.fromhex(key))),
    provider=by_name(engine),
    verify=VerifyPolicy(max_depth=int(depth)),
)
with connect(("127.0.0.1", int(port)), config, server_hostname="localhost", timeout=20, deadline=60) as tls:
    tls.sendall(b"over\\n")
    answer = b""
    while not answer.endswith(b"\\n"):
        answer += tls.recv(100)
    info = tls.info
    print(json.dumps([info.session_resumed, info.flights, info.bytes_received, answer.decode()]))
"""
KEY, OTHER_KEY = "11" * 32, "22" * 32


class Device:
    """What is left of a device between two runs: its file of sessions, its roots and its key."""

    def __init__(self, folder: Path, provider: CryptoProvider) -> None:
        self.sessions = folder / "sessions"
        self._roots = folder / "roots.pem"
        self._roots.write_bytes(pki.shared().root.to_pem())
        self._engine = provider.name
        self.warnings = ""

    def run(self, server: SServer, *, key: str = KEY, depth: int = 10) -> bool:
        """One process that connects, has a line reversed, and parts; whether it resumed."""
        arguments = (server.port, self._roots, self.sessions, key, self._engine, depth)
        done = subprocess.run(
            [sys.executable, "-c", CLIENT, *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": SOURCE},
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.warnings = done.stderr
        assert done.returncode == 0, done.stderr
        resumed, flights, received, answer = json.loads(done.stdout)
        assert answer == "revo\n"
        assert flights == (3 if resumed else 4)
        assert received < 400 if resumed else received > 1000
        assert isinstance(resumed, bool)
        return resumed


@pytest.mark.parametrize("options", [(), ("-no_ticket",)], ids=["ticket", "id"])
def test_session_of_one_process_is_resumed_by_another(
    options: tuple[str, ...], tmp_path: Path, provider: CryptoProvider
) -> None:
    device = Device(tmp_path, provider)
    with SServer(tmp_path, *options) as server:
        assert [device.run(server) for _ in range(3)] == [False, True, True]
        assert device.warnings == ""
        # Under another policy a full handshake, and resumed once more under the first one.
        assert not device.run(server, depth=5)
        assert device.run(server)


def test_server_that_lost_its_memory_leads_to_a_full_handshake(tmp_path: Path, provider: CryptoProvider) -> None:
    """RESUME-03: its ticket key is new after a restart."""
    device = Device(tmp_path, provider)
    for _ in range(2):
        with SServer(tmp_path) as server:
            assert [device.run(server) for _ in range(2)] == [False, True]


def test_altered_file_or_other_key_is_a_full_handshake_and_the_file_is_made_anew(
    tmp_path: Path, provider: CryptoProvider
) -> None:
    device = Device(tmp_path, provider)
    with SServer(tmp_path) as server:
        assert not device.run(server)
        altered = bytearray(device.sessions.read_bytes())
        altered[-1] ^= 1
        device.sessions.write_bytes(altered)
        assert not device.run(server)
        assert "was altered" in device.warnings
        assert device.run(server)
        assert not device.run(server, key=OTHER_KEY)
        assert device.run(server, key=OTHER_KEY)
