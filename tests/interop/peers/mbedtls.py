"""mbedTLS, by tests/interop/servers/mbedtls_server.c."""

from __future__ import annotations

from interop.cells import Cell
from interop.peers.base import Lack, no_ecdhe_psk_with_aes
from interop.peers.compiled import Compiled
from lighttls import CipherSuite, RecordOverflow


class MbedTLS(Compiled):
    name = "mbedTLS"
    source = "mbedtls_server.c"
    header = "mbedtls/version.h"
    release = "MBEDTLS_VERSION_MAJOR == 2"
    package = "libmbedtls-dev"
    libraries = ("-lmbedtls", "-lmbedx509", "-lmbedcrypto")
    joins_fragments = False
    notes = ("mbedTLS wants each handshake message in one record.",)

    def lacks_psk(self, suite: CipherSuite) -> str:
        return no_ecdhe_psk_with_aes("mbedTLS", suite)

    def lacks(self, cell: Cell) -> dict[str, Lack]:
        if cell.record_size_limit:
            return {"size": Lack("mbedTLS has no record_size_limit")}
        if cell.max_fragment_length == 512:
            return {"size": Lack("mbedTLS agrees to 512 bytes and sends longer messages in one record", RecordOverflow)}
        return {}
