"""Servers that run: started when a cell needs them, ended by their process, and none waited for without an end."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from interop.peers.base import Files, Peer, Setup

START = 30  # seconds that a server may take; a Java program compiles itself first
STOP = 10
LOG = 8192  # bytes of output that are looked at: one connection's and more


class Server:
    """One process of a peer, listening on 127.0.0.1."""

    def __init__(self, peer: Peer, setup: Setup, files: Files, log: Path) -> None:
        self._log = log
        for attempt in (1, 2, 3):  # between choosing a port and listening on it, somebody else may take it
            self.port = 0 if peer.ready else _free_port()
            command = [str(word) for word in peer.command(setup, files, self.port)]
            with log.open("wb") as sink:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=sink, stderr=sink, cwd=files.folder
                )
            try:
                self._wait_until_ready(peer.ready)
                return
            except ServerEnded:
                self.end()
                if peer.ready or attempt == 3:
                    raise
            except BaseException:
                self.end()
                raise

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    def log(self) -> str:
        """The end of what it has printed so far, without a line that is still being written."""
        with self._log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LOG))
            return file.read().decode(errors="replace").rpartition("\n")[0] + "\n"

    def runs(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        """Close its standard input, terminate it, and if that is of no use kill it."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.terminate()
        try:
            self._process.wait(STOP)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP)

    def _wait_until_ready(self, pattern: str | None) -> None:
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            if pattern is None:
                with suppress(OSError), socket.create_connection(self.address, timeout=1):
                    return
            elif found := re.search(pattern, self.log(), re.MULTILINE):
                self.port = int(found[1])
                return
            if self._process.poll() is not None:
                raise ServerEnded(f"ended with status {self._process.returncode}: {self.log()}")
            time.sleep(0.01)
        raise AssertionError(f"not ready after {START} s: {self.log()}")


class ServerEnded(AssertionError):
    """A server ended before it listened."""


class Stage:
    """The servers of one peer at a time, one for each setup."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._peer: Peer | None = None
        self._servers: dict[Setup, Server] = {}
        self._started = 0

    def server(self, peer: Peer, setup: Setup) -> Server:
        """The one that runs, or a new one if there is none any more."""
        if peer is not self._peer:
            self.clear()
            self._peer = peer
        if setup in self._servers and not self._servers[setup].runs():
            self._servers.pop(setup).end()
        if setup not in self._servers:
            self._started += 1
            log = self.files.folder / f"{type(peer).__name__}-{self._started}.log"
            self._servers[setup] = Server(peer, setup, self.files, log)
        return self._servers[setup]

    def clear(self) -> None:
        """End them all."""
        while self._servers:
            _, server = self._servers.popitem()
            server.end()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
