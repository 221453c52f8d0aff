"""The servers of the matrix, one file each; the order is that of docs/interop.md."""

from __future__ import annotations

import os

from interop.peers.base import Peer
from interop.peers.bearssl import BearSSL
from interop.peers.botan import Botan
from interop.peers.gnutls import GnuTLS
from interop.peers.go import Go
from interop.peers.jsse import Jsse
from interop.peers.mbedtls import MbedTLS
from interop.peers.mosquitto import Mosquitto
from interop.peers.nginx import Nginx
from interop.peers.node import Node
from interop.peers.nss import NSS
from interop.peers.openssl import OpenSSL
from interop.peers.stunnel import Stunnel
from interop.peers.tlslite import TlsliteNg
from interop.peers.wolfssl import WolfSSL

PEERS: tuple[Peer, ...] = (
    OpenSSL(),
    GnuTLS(),
    NSS(),
    Botan(),
    MbedTLS(),
    WolfSSL(),
    BearSSL(),
    Go(),
    Jsse(),
    Node(),
    TlsliteNg(),
    Nginx(),
    Mosquitto(),
    Stunnel(),
)

ALL = "LIGHTTLS_INTEROP" in os.environ
"""Whether this is `make interop`, which meets them all; a change meets those that CI has."""

HERE = tuple(peer for peer in PEERS if ALL or peer.in_ci)
