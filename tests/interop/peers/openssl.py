"""`openssl s_server`."""

from __future__ import annotations

from interop.cells import Cell
from interop.peers.base import (
    Files,
    Lack,
    Peer,
    Setup,
    Word,
    exchange_lines,
    first,
    missing_program,
    no_ecdhe_psk_with_aes,
    output,
)
from lighttls import CipherSuite, TLSSocket


class OpenSSL(Peer):
    name = "OpenSSL"
    in_ci = True
    notes = (
        "OpenSSL (so Node, nginx, Mosquitto and stunnel too) refuses a client certificate on a curve that the client "
        "does not offer as a group, with illegal_parameter.",
    )
    ready = r"^ACCEPT \S+:(\d+)$"

    def missing(self) -> str:
        return missing_program("openssl")

    def version(self) -> str:
        return first(r"OpenSSL (\S+)", output("openssl", "version"))

    def setup(self, cell: Cell, files: Files) -> Setup:
        strict = ("-Verify", "2", "-verify_return_error") if cell.device != "none" else ()
        chain, key = str(files.chain(cell.server_key)), str(files.key(cell.server_key))
        return ("-cert", chain, "-cert_chain", chain, "-key", key, *strict)

    def command(self, setup: Setup, files: Files, port: int) -> list[Word]:
        return [
            *("openssl", "s_server", "-accept", "127.0.0.1:0", "-tls1_2", "-rev"),
            *("-CAfile", files.clients, "-groups", "X25519:P-256:P-384"),
            *("-cipher", "ALL:@SECLEVEL=0"),  # CCM_8 with its 64-bit tag is at level 0 only
            *setup,
        ]

    def psk_setup(self, identity: str, key: bytes, files: Files) -> Setup:
        return ("-nocert", "-psk", key.hex(), "-psk_identity", identity)

    def lacks_psk(self, suite: CipherSuite) -> str:
        return no_ecdhe_psk_with_aes("OpenSSL", suite)

    def lacks(self, cell: Cell) -> dict[str, Lack]:
        if cell.record_size_limit:
            return {"size": Lack("OpenSSL has no record_size_limit")}
        return {}

    def talk(self, tls: TLSSocket) -> None:
        """-rev: each line comes back reversed."""
        exchange_lines(tls, -1)
