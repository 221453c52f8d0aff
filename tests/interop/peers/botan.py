"""Botan 2, by tests/interop/servers/botan_server.cpp."""

from __future__ import annotations

from interop.cells import Cell
from interop.peers.base import Lack
from interop.peers.compiled import CXX, Compiled
from lighttls import CipherSuite


class Botan(Compiled):
    name = "Botan"
    source = "botan_server.cpp"
    header = "botan/tls_server.h"
    package = "libbotan-2-dev"
    libraries = ("-lbotan-2",)
    compiler = (*CXX, "-isystem/usr/include/botan-2")

    def lacks_psk(self, suite: CipherSuite) -> str:
        return ""

    def lacks(self, cell: Cell) -> dict[str, Lack]:
        if cell.size == "none":
            return {}
        wanted = "max_fragment_length" if cell.max_fragment_length else "record_size_limit"
        return {"size": Lack(f"Botan 2 has no {wanted}")}
