"""tlslite-ng: servers/tlslite_server.py."""

from __future__ import annotations

import importlib.util
import sys
from importlib import metadata

from interop.cells import Cell
from interop.peers.base import SERVERS, Files, Lack, OwnServer, Word


class TlsliteNg(OwnServer):
    name = "tlslite-ng"
    in_ci = True
    lengths = (1, 700, 2500)  # its AES is Python: 20,000 bytes would take half a second

    def missing(self) -> str:
        return "" if importlib.util.find_spec("tlslite") else "no tlslite-ng here"

    def version(self) -> str:
        return metadata.version("tlslite-ng")

    def program(self, files: Files) -> list[Word]:
        return [sys.executable, SERVERS / "tlslite_server.py"]

    def lacks(self, cell: Cell) -> dict[str, Lack]:
        if cell.max_fragment_length:
            return {"size": Lack("tlslite-ng has no max_fragment_length")}
        return {}
