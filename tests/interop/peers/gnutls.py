"""`gnutls-serv`."""

from __future__ import annotations

from interop.cells import Cell
from interop.peers.base import (
    Files,
    Lack,
    Peer,
    Setup,
    Word,
    exchange_lines,
    find,
    first,
    missing_program,
    no_ecdhe_psk_with_aes,
    output,
)
from lighttls import CipherSuite, RecordOverflow, TLSSocket

PRIORITY = "NORMAL:-VERS-ALL:+VERS-TLS1.2:+AES-128-CCM-8:+AES-256-CCM-8:+ECDHE-PSK:+PSK"


class GnuTLS(Peer):
    name = "GnuTLS"
    in_ci = True
    notes = ("gnutls-serv has no option to listen on one address: while it runs, the network can reach it.",)
    ready = None

    def missing(self) -> str:
        return missing_program("gnutls-serv")

    def version(self) -> str:
        return first(r"gnutls-serv (\S+)", output("gnutls-serv", "--version"))

    def setup(self, cell: Cell, files: Files) -> Setup:
        manner = (
            ("--disable-client-cert",) if cell.device == "none" else ("--require-client-cert", "--verify-client-cert")
        )
        chain, key = files.chain(cell.server_key), files.key(cell.server_key)
        return ("--x509certfile", str(chain), "--x509keyfile", str(key), *manner)

    def command(self, setup: Setup, files: Files, port: int) -> list[Word]:
        words = (find("gnutls-serv") or "", "--echo", "--crlf", "--port", str(port), "--priority", PRIORITY)
        return [*words, "--x509cafile", files.clients, *setup]

    def psk_setup(self, identity: str, key: bytes, files: Files) -> Setup:
        return ("--pskpasswd", str(files.write("gnutls.psk", f"{identity}:{key.hex()}\n")), "--disable-client-cert")

    def lacks_psk(self, suite: CipherSuite) -> str:
        return no_ecdhe_psk_with_aes("GnuTLS", suite)

    def lacks(self, cell: Cell) -> dict[str, Lack]:
        if cell.max_fragment_length:
            return {"size": Lack("GnuTLS agrees to the length, then sends longer records", RecordOverflow)}
        return {}

    def talk(self, tls: TLSSocket) -> None:
        exchange_lines(tls)
