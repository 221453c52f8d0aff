"""The servers of the matrix, one file each; the order is that of docs/interop.md."""

from __future__ import annotations

from interop.peers.base import Peer
from interop.peers.openssl import OpenSSL

PEERS: tuple[Peer, ...] = (OpenSSL(),)
