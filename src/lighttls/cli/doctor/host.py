"""DNS and TCP by this computer's own network, where no modem is asked."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import Final

from lighttls.cli.doctor.walk import Walk
from lighttls.errors import TransportError
from lighttls.transports import SocketTransport

_PATIENCE: Final = 15.0  # seconds that each address may take to answer


def connect(walk: Walk, host: str, port: int, at_end: ExitStack, *, is_name: bool) -> SocketTransport:
    """A TCP connection to the first address that takes it."""
    addresses = [host]
    if is_name:
        with walk.asking("DNS"):
            addresses = _resolved(host, port)
        walk.passed("DNS", f"{host} is {', '.join(addresses[:3])}{' …' if len(addresses) > 3 else ''}")
    else:
        walk.not_asked("DNS", f"{host} is an address")
    with walk.asking("TCP"):
        link = at_end.enter_context(_connected(addresses, port))
    walk.passed("TCP", f"connected to {link.getpeername()[0]} port {port}")
    return SocketTransport(link)


def _resolved(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as cause:
        raise TransportError(f"{host} has no address: {cause}", hint=_NO_ADDRESS) from cause
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def _connected(addresses: list[str], port: int) -> socket.socket:
    failure: OSError = OSError("no address")
    for address in addresses:
        try:
            return socket.create_connection((address, port), _PATIENCE)
        except OSError as cause:
            failure = cause
    late = isinstance(failure, TimeoutError)
    tried = addresses[0] if len(addresses) == 1 else f"any of {len(addresses)} addresses"
    raise TransportError(
        f"no connection to {tried} port {port}: {failure}", timed_out=late, hint=_SILENT if late else _REFUSED
    ) from failure


_NO_ADDRESS: Final = (
    "Check the name's spelling. If it is right, this computer has no working DNS or no network: see whether it finds "
    "any other name."
)
_REFUSED: Final = (
    "Check the port, that the server is running and listens there, and that this computer has a route to it."
)
_SILENT: Final = (
    "Nobody answers. Check address and port, and which firewalls lie in between: many let only some ports through."
)
