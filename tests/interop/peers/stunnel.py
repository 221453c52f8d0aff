"""stunnel, with `cat` behind it."""

from __future__ import annotations

from interop.cells import Cell
from interop.peers.base import Files, Lack, Peer, Setup, Word, find, first, missing_program, output

CONFIGURATION = """\
foreground = yes
pid =
syslog = no
[echo]
accept = 127.0.0.1:{port}
exec = {cat}
cert = {chain}
key = {key}
sslVersion = TLSv1.2
ciphers = ALL:@SECLEVEL=0
curves = X25519:P-256:P-384
{strict}
"""


class Stunnel(Peer):
    name = "stunnel"
    ready = None

    def missing(self) -> str:
        return missing_program("stunnel", "cat")

    def version(self) -> str:
        return first(r"stunnel (\S+)", output("stunnel", "-version"))

    def setup(self, cell: Cell, files: Files) -> Setup:
        return (cell.server_key, "strict" if cell.device != "none" else "open")

    def command(self, setup: Setup, files: Files, port: int) -> list[Word]:
        kind, manner = setup
        text = CONFIGURATION.format(
            port=port,
            cat=find("cat"),
            chain=files.chain(kind),
            key=files.key(kind),
            strict=f"CAfile = {files.clients}\nverifyChain = yes\nrequireCert = yes" if manner == "strict" else "",
        )
        return ["stunnel", files.write(f"stunnel-{kind}-{manner}.conf", text)]

    def lacks(self, cell: Cell) -> dict[str, Lack]:
        return {"size": Lack("OpenSSL has no record_size_limit")} if cell.record_size_limit else {}
