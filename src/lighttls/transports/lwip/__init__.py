"""TLS over lwIP, for programs that bring their own TCP/IP: over Ethernet frames, IP packets or a modem's PPP."""

from lighttls.transports.lwip.errors import LwipError
from lighttls.transports.lwip.host import BaseHost, Host, LwipListener, LwipTransport
from lighttls.transports.lwip.links import CallableLink, Link, MemoryLink, Tap, memory_links
from lighttls.transports.lwip.ppp import PppError, PppInterface
from lighttls.transports.lwip.ppp_host import PppHost
from lighttls.transports.lwip.stack import Connection, Interface, Listener, Lookup, Stack

__all__ = [
    "BaseHost",
    "CallableLink",
    "Connection",
    "Host",
    "Interface",
    "Link",
    "Listener",
    "Lookup",
    "LwipError",
    "LwipListener",
    "LwipTransport",
    "MemoryLink",
    "PppError",
    "PppHost",
    "PppInterface",
    "Stack",
    "Tap",
    "memory_links",
]
