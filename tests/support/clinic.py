"""What `lighttls doctor` is run with in tests: arguments, and the devices and servers that they name."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from support import certificates as kit
from support import patients, refused
from support.refused import LEAF, MIDDLE, ROOT
from support.terminal import Shown, Terminal, listening, showing


class Clinic:
    """Makes the arguments of a run, and what they name."""

    def __init__(self, terminal: Terminal, stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
        self.terminal, self._stack, self.patch = terminal, stack, monkeypatch

    def run(self, arguments: list[str], *more: str) -> Shown:
        return self.terminal.run("doctor", *arguments, *more)

    def using(self, thing: Any) -> Any:
        return self._stack.enter_context(thing)

    def at_end(self, call: Callable[[int], None], argument: int) -> None:
        self._stack.callback(call, argument)

    def file(self, name: str, content: bytes) -> str:
        return self.terminal.file(name, content)

    def modem(self, server: str = "host.example:1", model: str = "EC21", **situation: Any) -> list[str]:
        return self.line(self.using(patients.modem(model, **situation)), server)

    def dying_modem(self, server: str, command: str, **dying: Any) -> list[str]:
        """It is reset by that command, or ends as `dying` has it."""
        return self.line(self.using(patients.modem(dies_in=command, **dying)), server)

    def line(self, port: str, server: str = "host.example:1") -> list[str]:
        return [server, "--modem", port, "--registration-limit", "0", "--apn", "iot.example"]

    def chip(self, name: str) -> list[str]:
        return [self.somewhere(), "--i2c", f"support.patients:{name}"]

    def server(self, *chain: kit.Made, at: int = kit.NOW, **script: Any) -> list[str]:
        return [*self.behind(showing(*(chain or (LEAF, MIDDLE)), **script)), *self.trusting(), "--at", str(at)]

    def behind(self, server: Any) -> list[str]:
        return [self.using(listening(server)), "--servername", "host.example"]

    def trusting(self) -> list[str]:
        return ["--cafile", self.file("roots.pem", refused.pem([ROOT]))]

    def somewhere(self) -> str:
        """A server that takes connections, and is never spoken to."""
        listener = self.using(socket.create_server(("127.0.0.1", 0)))
        return f"127.0.0.1:{listener.getsockname()[1]}"

    def device(self, issuer: kit.Made = ROOT) -> str:
        return self.file("device.pem", refused.pem([patients.device(issuer)]))
