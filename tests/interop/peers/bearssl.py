"""BearSSL, by tests/interop/servers/bearssl_server.c."""

from __future__ import annotations

from types import MappingProxyType

from interop.cells import Cell
from interop.peers.base import Files, Lack
from interop.peers.compiled import Compiled


class BearSSL(Compiled):
    name = "BearSSL"
    source = "bearssl_server.c"
    header = "bearssl.h"
    package = "libbearssl-dev"
    libraries = ("-lbearssl",)
    notes = ("BearSSL has no extended master secret: its sessions are kept only under `allow_non_ems_resumption`.",)
    settings = MappingProxyType({"allow_non_ems_resumption": True})  # it has no extended master secret

    def psk_setup(self, identity: str, key: bytes, files: Files) -> None:
        return None

    def lacks(self, cell: Cell) -> dict[str, Lack]:
        found = {}
        if cell.resumption == "ticket":
            found["resumption"] = Lack("BearSSL has no session tickets")
        if cell.record_size_limit:
            found["size"] = Lack("BearSSL has no record_size_limit")
        return found
