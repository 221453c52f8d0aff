"""A server on this machine that answers an HTTPS publish as AWS IoT Core does.

It speaks TLS 1.2 through Python's `ssl`, that is OpenSSL, in a process of its own: whoever
completes a handshake with it has met an implementation other than ours. It demands a client
certificate and accepts `POST /topics/<topic>?qos=0|1`; what a device may do wrong gets the
status that AWS gives it. This is the side that starts it; `_aws_iot_process` is the server.

    with AwsIotServer([(chain_pem, key_pem)], client_ca_pem) as server:
        ...("127.0.0.1", server.port)...

The process ends when its standard input ends, thus with its parent, however that ends.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Final, Self

from lighttls.errors import TransportError

_START_LIMIT: Final = 20.0  # seconds until the process must have said its port
_STOP_LIMIT: Final = 5.0  # seconds it may take to end


class AwsIotServer:
    """The server process, as a context manager; `port` is where it listens on 127.0.0.1.

    `chains` has a PEM chain and its PEM key for each kind of leaf: with an ECDSA and an RSA leaf,
    the client's suites decide which is used. Client certificates must descend from `client_ca`.
    """

    def __init__(self, chains: Iterable[tuple[bytes, bytes]], client_ca: bytes) -> None:
        self._chains = tuple(chains)
        self._client_ca = client_ca
        self.port = 0

    def __enter__(self) -> Self:
        with TemporaryDirectory(prefix="lighttls-server-") as folder:  # mode 0700; gone when the server has read it
            for number, (chain, key) in enumerate(self._chains):
                Path(folder, f"{number}.pem").write_bytes(chain + key)
            Path(folder, "clients.pem").write_bytes(self._client_ca)
            self._process = subprocess.Popen(
                [sys.executable, "-m", "lighttls.testing._aws_iot_process", folder],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": _import_path()},
            )
            try:
                self.port = self._first_line()
            except BaseException:
                self._stop()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _first_line(self) -> int:
        assert self._process.stdout is not None
        watchdog = threading.Timer(_START_LIMIT, self._process.kill)
        watchdog.start()
        try:
            line = self._process.stdout.readline()
        finally:
            watchdog.cancel()
        if not line:
            raise TransportError(
                f"the test server did not start: exit status {self._process.wait()}",
                hint="What it printed on standard error says why.",
            )
        return int(line)

    def _stop(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()  # its signal to end
        try:
            self._process.wait(timeout=_STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def _import_path() -> str:
    """Where the child finds this very package, installed or not."""
    here = str(Path(__file__).parents[2])
    return os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))
