"""TLS over lwIP, for programs that bring their own TCP/IP: over Ethernet frames, IP packets or a modem's PPP."""

from lighttls.transports.lwip.errors import LwipError
from lighttls.transports.lwip.stack import Connection, Interface, Listener, Lookup, Stack

__all__ = [
    "Connection",
    "Interface",
    "Listener",
    "Lookup",
    "LwipError",
    "Stack",
]
