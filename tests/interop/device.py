"""A device that reboots: each connection is a process of its own, and a sealed file is all that one leaves the next."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import lighttls
from interop.stage import Server
from lighttls.crypto import default_provider
from support import pki

CLIENT = """
import json, sys, time
from lighttls import ClientConfig, FileSessionStore, Identity, TrustStore, VerifyPolicy, aead_seal, connect
from lighttls.crypto import by_name

a = json.loads(sys.argv[1])
config = ClientConfig(
    trust=TrustStore.from_file(a["roots"]),
    identity=Identity.from_file(a["identity"]) if a["identity"] else None,
    sessions=FileSessionStore(a["sessions"], *aead_seal(bytes.fromhex(a["key"]))),
    provider=by_name(a["engine"]),
    clock=lambda: time.time() + a["later"],
    verify=VerifyPolicy(max_depth=a["depth"], check_hostname=a["checks_name"]),
)
with connect(("127.0.0.1", a["port"]), config, server_hostname=a["host"], timeout=20, deadline=60) as tls:
    tls.sendall(a["question"].encode())
    answer = b""
    while not answer.endswith(tuple(end.encode() for end in a["ends"])):
        part = tls.recv(1000)
        assert part, answer
        answer += part
    info = tls.info
    print(json.dumps([info.session_resumed, info.flights, info.bytes_received]))
"""
KEY, OTHER_KEY = "11" * 32, "22" * 32
SOURCE = str(Path(lighttls.__file__).parents[1])


class Device:
    """What is left of it between two runs: its files. `question` is what it sends, `ends` how an answer may end."""

    def __init__(self, folder: Path, question: str, *ends: str) -> None:
        self.sessions = folder / "sessions"
        self.warnings = ""
        self._folder = folder
        self._usual: dict[str, Any] = {
            "roots": self._file("roots.pem", pki.shared().root.to_pem()),
            "identity": None,
            "sessions": str(self.sessions),
            "key": KEY,
            "engine": default_provider().name,
            "later": 0,
            "depth": 10,
            "checks_name": True,
            "host": "localhost",
            "question": question,
            "ends": ends,
        }

    def more_roots(self) -> str:
        """The usual anchor, and another one."""
        return self._file("more-roots.pem", pki.shared().root.to_pem() + pki.shared().device_ca.to_pem())

    def identity(self, name: str) -> str:
        """A certificate chain and its key."""
        device = getattr(pki.shared(), name)
        return self._file(f"{name}.pem", pki.shared().device_chain(device) + device.key.to_pem())

    def run(self, server: Server, **changes: Any) -> bool:
        """One process that connects, asks and parts; whether it resumed. The length of the handshake must agree."""
        done = subprocess.run(
            [sys.executable, "-c", CLIENT, json.dumps(self._usual | {"port": server.port} | changes)],
            env={**os.environ, "PYTHONPATH": SOURCE},
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.warnings = done.stderr
        assert done.returncode == 0, done.stderr
        resumed, flights, received = json.loads(done.stdout)
        assert flights == (3 if resumed else 4)
        assert received < 800 if resumed else received > 1000, received
        assert isinstance(resumed, bool)
        return resumed

    def _file(self, name: str, data: bytes) -> str:
        path = self._folder / name
        path.write_bytes(data)
        return str(path)
