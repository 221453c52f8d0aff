"""stunnel, with `cat` behind it."""

from __future__ import annotations

from interop.cells import Cell
from interop.peers.base import (
    Files,
    Lack,
    Peer,
    Setup,
    Word,
    find,
    first,
    missing_program,
    no_ecdhe_psk_with_aes,
    output,
)
from lighttls import CipherSuite

CONFIGURATION = """\
foreground = yes
pid =
syslog = no
[echo]
accept = 127.0.0.1:{port}
exec = {cat}
sslVersion = TLSv1.2
ciphers = ALL:@SECLEVEL=0
curves = X25519:P-256:P-384
{keys}
"""


class Stunnel(Peer):
    name = "stunnel"
    ready = None
    is_patient = False
    notes = ("stunnel ends a connection after a hundred reads in a row without a whole record.",)

    def missing(self) -> str:
        return missing_program("stunnel", "cat")

    def version(self) -> str:
        return first(r"stunnel (\S+)", output("stunnel", "-version"))

    def setup(self, cell: Cell, files: Files) -> Setup:
        return (cell.server_key, "strict" if cell.device != "none" else "open")

    def command(self, setup: Setup, files: Files, port: int) -> list[Word]:
        kind, manner = setup
        if manner == "psk":
            keys = f"PSKsecrets = {files.folder / kind}"
        else:
            keys = f"cert = {files.chain(kind)}\nkey = {files.key(kind)}"
        if manner == "strict":
            keys += f"\nCAfile = {files.clients}\nverifyChain = yes\nrequireCert = yes"
        text = CONFIGURATION.format(port=port, cat=find("cat"), keys=keys)
        return ["stunnel", files.write(f"stunnel-{kind}-{manner}.conf", text)]

    def psk_setup(self, identity: str, key: bytes, files: Files) -> Setup:
        return (files.write("stunnel.psk", f"{identity}:{key.hex()}\n").name, "psk")

    def lacks_psk(self, suite: CipherSuite) -> str:
        return no_ecdhe_psk_with_aes("OpenSSL", suite)

    def lacks(self, cell: Cell) -> dict[str, Lack]:
        return {"size": Lack("OpenSSL has no record_size_limit")} if cell.record_size_limit else {}
