"""The faces of a connection: who moves the bytes, and how one waits for them. None of them knows TLS."""

from lighttls.transports.base import Transport
from lighttls.transports.driver import Driver, carrying, check_address, check_bounds, check_session
from lighttls.transports.held import LONGEST_HOLD, check_hold
from lighttls.transports.memory import MemoryTransport, memory_pair
from lighttls.transports.sockets import SocketTransport, TLSSocket, connect
from lighttls.transports.stream import Stream

__all__ = [
    "LONGEST_HOLD",
    "Driver",
    "MemoryTransport",
    "SocketTransport",
    "Stream",
    "TLSSocket",
    "Transport",
    "carrying",
    "check_address",
    "check_bounds",
    "check_hold",
    "check_session",
    "connect",
    "memory_pair",
]
