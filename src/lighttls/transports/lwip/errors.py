"""What fails below TLS when lwIP carries it, by layer."""

from __future__ import annotations

from typing import Final

from lighttls.errors import ConfigurationError, TransportError

MEM, ROUTE, USE, ABORTED, RESET, CLOSED, ARGUMENT = -1, -4, -8, -13, -14, -15, -16  # lwIP's err_t


class LwipError(TransportError):
    """The stack, or something behind it, failed. `layer` is the lowest layer that did not do its part.

    It is one of "link", "IP", "DNS" and "TCP"; in `context`, too. `PppError` has layers of its own.
    """

    def __init__(self, message: str, layer: str, *, timed_out: bool = False, hint: str | None = None) -> None:
        super().__init__(f"{layer}: {message}", timed_out=timed_out, hint=hint or _LAYER_HINTS[layer], layer=layer)
        self.layer = layer


def refused(error: int, address: str, port: int) -> LwipError:
    """Why lwIP did not even try to connect."""
    if error == ROUTE:
        return LwipError(f"there is no way to {address}", "IP", hint=_NO_ROUTE)
    return LwipError(f"cannot connect to {address} port {port}: {_meaning(error)}", "TCP")


def ended(error: int, established: bool) -> LwipError:
    """Why a connection is over."""
    if established:
        if error == ABORTED:
            return LwipError("the connection was given up, since the peer confirms nothing", "TCP", timed_out=True)
        return LwipError(f"the connection is lost: {_meaning(error)}", "TCP", hint=_LOST)
    if error == ABORTED:
        return LwipError("nobody answers", "TCP", timed_out=True, hint=_NO_ANSWER)
    return LwipError(f"not connected: {_meaning(error)}", "TCP")


def no_core(cause: ImportError) -> ConfigurationError:
    """lwIP was not built."""
    return ConfigurationError(
        f"lwIP is not built into this installation of lighttls ({cause})",
        hint="Get lwIP's source (`apt-get source lwip` does that), set LIGHTTLS_LWIP_SOURCE to its folder, and install "
        "lighttls again from its own source. docs/lwip.md has the commands.",
    )


def _meaning(error: int) -> str:
    return _MEANINGS.get(error, f"lwIP's error {error}")


_MEANINGS: Final = {
    MEM: "no memory",
    ROUTE: "no route",
    USE: "the port is in use",
    ABORTED: "it was aborted",
    RESET: "the peer reset it",
    CLOSED: "it was closed",
    ARGUMENT: "that is no address",
}
_LAYER_HINTS: Final = {
    "link": "What carries the frames is gone. Check the device, the cable, and that the interface is up.",
    "IP": "Check this host's address, its prefix and its gateway.",
    "DNS": "Check the name's spelling, and the addresses of the DNS servers; or give an address instead of the name.",
    "TCP": "Check host and port, that the server is running, and what firewalls let through.",
}
_NO_ROUTE = "Give the link an address of that kind, and a gateway if the target is outside its own network."
_NO_ANSWER = "Check the address, the gateway, and firewalls in between; a capture on the link shows what was asked."
_LOST = "Connect again: the session can be resumed. If it repeats, look into the server's log."
