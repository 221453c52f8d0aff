"""The servers of the matrix, one file each; the order is that of docs/interop.md."""

from __future__ import annotations

from interop.peers.base import Peer
from interop.peers.bearssl import BearSSL
from interop.peers.botan import Botan
from interop.peers.gnutls import GnuTLS
from interop.peers.mbedtls import MbedTLS
from interop.peers.mosquitto import Mosquitto
from interop.peers.openssl import OpenSSL
from interop.peers.tlslite import TlsliteNg
from interop.peers.wolfssl import WolfSSL

PEERS: tuple[Peer, ...] = (
    OpenSSL(),
    GnuTLS(),
    Botan(),
    MbedTLS(),
    WolfSSL(),
    BearSSL(),
    TlsliteNg(),
    Mosquitto(),
)
