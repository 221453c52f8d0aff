"""The faces of a connection: who moves the bytes, and how one waits for them. None of them knows TLS."""

from lighttls.transports.base import Transport
from lighttls.transports.driver import Driver, carrying, check_address, check_bounds
from lighttls.transports.memory import MemoryTransport, memory_pair
from lighttls.transports.sockets import SocketTransport, TLSSocket, connect
from lighttls.transports.stream import Stream

__all__ = [
    "Driver",
    "MemoryTransport",
    "SocketTransport",
    "Stream",
    "TLSSocket",
    "Transport",
    "carrying",
    "check_address",
    "check_bounds",
    "connect",
    "memory_pair",
]
