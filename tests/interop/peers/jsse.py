"""Java's JSSE: servers/JsseServer.java."""

from __future__ import annotations

import subprocess

from interop.cells import Cell
from interop.peers.base import SERVERS, Files, Lack, OwnServer, Word, first, missing_program, output
from lighttls import PeerAlert


class Jsse(OwnServer):
    name = "JSSE"
    notes = (
        "JSSE sends no chain with a signature that the client does not offer: a client that offers ECDSA alone, as "
        '`profile="cellular"` does, gets no ECDSA certificate that an RSA authority has signed.',
    )

    def missing(self) -> str:
        return missing_program("java", "javac")

    def version(self) -> str:
        return first(r"openjdk version \"(\S+)\"", output("java", "-version"))

    def program(self, files: Files) -> list[Word]:
        if not (files.folder / "JsseServer.class").exists():
            command = ["javac", "-d", str(files.folder), str(SERVERS / "JsseServer.java")]
            subprocess.run(command, check=True, timeout=120)
        return ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1"]

    def command(self, setup: tuple[str, ...], files: Files, port: int) -> list[Word]:
        group = setup[setup.index("--group") + 1]
        groups = f"-Djdk.tls.namedGroups={','.join(dict.fromkeys((group, 'secp256r1')))}"
        return [*self.program(files), groups, "-cp", files.folder, "JsseServer", *setup]

    def lacks(self, cell: Cell) -> dict[str, Lack]:
        found = {}
        if "CCM" in cell.suite.name:
            found["suite"] = Lack("JSSE has no AES-CCM", PeerAlert)
        if cell.record_size_limit:
            found["size"] = Lack("JSSE has no record_size_limit")
        return found
