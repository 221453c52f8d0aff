"""Commands run in this process, for their output; and the hostile server on a socket, for commands that connect."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from hostile.certificates import Credential
from hostile.server import Server
from lighttls.cli import main
from support import certificates as kit
from support import refused
from support.certificates import Made
from support.refused import ROOT, Refused


class Shown:
    """What a command printed."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    @property
    def words(self) -> str:
        """All that was printed, without line breaks."""
        return " ".join(self.out.split())

    @property
    def data(self) -> dict[str, Any]:
        return json.loads(self.out)


class Terminal:
    """Runs commands in a folder of their own."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys

    def file(self, name: str, content: bytes) -> str:
        (self.folder / name).write_bytes(content)
        return str(self.folder / name)

    def run(self, *arguments: str) -> Shown:
        status = main(arguments)
        out, err = self._capsys.readouterr()
        return Shown(status, out, err)

    def verify(self, chain: Iterable[Made], *more: str, anchors: Iterable[Made] = (ROOT,), at: int = kit.NOW) -> Shown:
        return self.run("verify", self.file("chain.pem", refused.pem(chain)), *self._common(anchors, at), *more)

    def explain(
        self,
        server: Server,
        *more: str,
        anchors: Iterable[Made] = (ROOT,),
        at: int = kit.NOW,
        host: str = "host.example",
    ) -> Shown:
        with listening(server) as address:
            return self.run("explain", address, "--servername", host, *self._common(anchors, at), *more)

    def options(self, case: Refused) -> list[str]:
        """What the command line says for the settings of a case."""
        files = (self.file(f"{number}.crl", crl) for number, crl in enumerate(case.crls))
        return [*case.options, *(word for file in files for word in ("--crl", file))]

    def _common(self, anchors: Iterable[Made], at: int) -> list[str]:
        roots = refused.pem(anchors)
        trust = ["--cafile", self.file("roots.pem", roots)] if roots else []
        return [*trust, "--at", str(at)]


@contextmanager
def listening(server: Server) -> Iterator[str]:
    """The hostile server for one connection on loopback, as HOST:PORT."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client, suppress(OSError):  # a client that refused us is gone
                client.settimeout(20)
                while data := client.recv(65536):
                    server.receive(data)
                    client.sendall(server.take())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        thread.join(20)
        assert not thread.is_alive()


def showing(*chain: Made, **script: object) -> Server:
    return Server(Credential(tuple(made.der for made in chain), chain[0].key.private), **script)  # type: ignore[arg-type]
