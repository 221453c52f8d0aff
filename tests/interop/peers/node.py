"""Node, with the OpenSSL inside it: servers/node_server.js."""

from __future__ import annotations

from interop.cells import Cell
from interop.peers.base import (
    SERVERS,
    Files,
    Lack,
    OwnServer,
    Setup,
    Word,
    missing_program,
    no_ecdhe_psk_with_aes,
    output,
)
from lighttls import CipherSuite


class Node(OwnServer):
    name = "Node"
    joins_fragments = False
    notes = (
        "Node looks for the session ID itself, in the first record: it resumes by no ID if that is half a ClientHello.",
    )

    def missing(self) -> str:
        return missing_program("node")

    def version(self) -> str:
        return output("node", "-p", "`${process.versions.node} (OpenSSL ${process.versions.openssl})`").strip()

    def program(self, files: Files) -> list[Word]:
        return ["node", SERVERS / "node_server.js"]

    def psk_setup(self, identity: str, key: bytes, files: Files) -> Setup:
        return ("--psk", key.hex(), "--identity", identity)

    def lacks_psk(self, suite: CipherSuite) -> str:
        return no_ecdhe_psk_with_aes("OpenSSL", suite)

    def lacks(self, cell: Cell) -> dict[str, Lack]:
        return {"size": Lack("OpenSSL has no record_size_limit")} if cell.record_size_limit else {}
