"""wolfSSL, by tests/interop/servers/wolfssl_server.c."""

from __future__ import annotations

from interop.cells import Cell
from interop.peers.base import Lack
from interop.peers.compiled import Compiled
from lighttls import CipherSuite, PeerAlert, TruncatedStream


class WolfSSL(Compiled):
    name = "wolfSSL"
    source = "wolfssl_server.c"
    header = "wolfssl/options.h"
    package = "libwolfssl-dev"
    libraries = ("-lwolfssl",)
    joins_fragments = False
    notes = ("wolfSSL wants the four bytes of a handshake message's header in one record.",)

    def lacks_psk(self, suite: CipherSuite) -> str:
        if "CHACHA20" in suite.name or suite == CipherSuite.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256:
            return ""
        return "wolfSSL, as Debian builds it, has no more than three suites with pre-shared keys"

    def lacks(self, cell: Cell) -> dict[str, Lack]:
        found = {}
        if cell.suite == CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_CCM:
            found["suite"] = Lack("wolfSSL has AES_256_CCM_8, but not AES_256_CCM", PeerAlert)
        if cell.device not in ("none", cell.server_key.removesuffix("384")):
            found["device"] = Lack(
                "wolfSSL asks for client certificates with the suite's kind of key only, and ends when none comes",
                TruncatedStream,
            )
        if cell.record_size_limit:
            found["size"] = Lack("wolfSSL has no record_size_limit")
        return found
