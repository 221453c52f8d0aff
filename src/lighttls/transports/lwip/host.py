"""A host of its own: lwIP's TCP/IP over a link, in plain blocking calls, with transports for `lighttls.Stream`."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from lighttls.errors import ConfigurationError, LightTLSError
from lighttls.transports.driver import check_address, check_bounds
from lighttls.transports.lwip.addresses import check_name, is_address
from lighttls.transports.lwip.drive import Drive
from lighttls.transports.lwip.errors import LwipError
from lighttls.transports.lwip.links import Link, check_link
from lighttls.transports.lwip.stack import Connection, Listener, Stack


class BaseHost:
    """A stack with a link: what hosts over Ethernet, IP packets and PPP have in common.

    Connections may be used by different threads, each by one at a time. lwIP works only while a call of one of them
    waits: a host that nobody uses for minutes may find its connections ended by their peers.
    """

    def __init__(
        self, stack: Stack, interface: Any, link: Link, *, send_limit: float = 120.0, linger: float = 1.0
    ) -> None:
        check_bounds(send_limit=send_limit)
        if linger != 0:
            check_bounds(linger=linger)
        self.stack = stack
        self._drive = Drive(stack, interface, link)
        self._send_limit = send_limit
        self._linger = linger

    def open_tcp(self, host: str, port: int, *, timeout: float = 30.0) -> LwipTransport:
        """Connect to a host, by its name or address: a transport for `lighttls.Stream`.

        Raises LwipError, with `timed_out` if nobody answered within `timeout` seconds; lwIP itself gives up after 21.
        """
        check_address((host, port))
        check_bounds(timeout=timeout)
        address = host if is_address(host) else self.resolve(host, timeout=timeout)
        connection = self._drive.do(lambda: self.stack.connect(address, port))
        try:
            if not self._drive.wait_for(lambda: connection.established or None, timeout):
                raise LwipError(f"no answer from {host} port {port} within {timeout:g} s", "TCP", timed_out=True)
        except BaseException:
            self._quietly(connection.abort)
            raise
        return LwipTransport(self._drive, connection, self._send_limit, self._linger)

    def resolve(self, name: str, *, timeout: float = 30.0) -> str:
        """The address of a name, by the DNS servers that the host was given. Raises LwipError."""
        check_name(name)
        check_bounds(timeout=timeout)
        lookup = self._drive.do(lambda: self.stack.lookup(name))
        try:
            if (address := self._drive.wait_for(lookup.result, timeout)) is None:
                raise LwipError(f"no answer about {name!r} within {timeout:g} s", "DNS", timed_out=True)
        finally:
            self._quietly(lookup.abort)
        return address

    def listen(self, port: int = 0, *, backlog: int = 8) -> LwipListener:
        """Wait for callers at a port, 0 for any free one: to serve, or for tests."""
        return LwipListener(
            self._drive,
            self._drive.do(lambda: self.stack.listen(port, backlog=backlog)),
            self._send_limit,
            self._linger,
        )

    def close(self) -> None:
        """Reset what is still connected, and close the link. Closing twice is no error."""
        self._drive.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _quietly(self, what: Callable[[], None]) -> None:
        with suppress(LightTLSError):  # the link may be gone as well; what failed before is what counts
            self._drive.do(what)


class Host(BaseHost):
    """A host with fixed addresses, on a link that carries Ethernet frames, or IP packets if it says so in `packets`.

    link       a `Tap`, one end of `memory_links()`, a `CallableLink`; the host closes it, also if it fails here
    addresses  its own, each with its prefix: "192.0.2.7/24", "2001:db8::7/64"
    gateway    the router, or routers (one of IPv4, one of IPv6), to whatever is outside these networks
    dns        the DNS server, or servers, at most two; without any, connect by address
    packets    whether the link carries IP packets; by default what the link has under that name, else Ethernet
    mac        the Ethernet address; by default one that is drawn by lot
    send_limit how many seconds `send` waits for a peer that takes nothing
    linger     how many seconds `close` waits for the peer to confirm what was sent
    core       a copy of lwIP of its own, built by csrc/lwip/build_ffi.py; by default the one in lighttls
    """

    def __init__(
        self,
        link: Link,
        *addresses: str,
        gateway: str | tuple[str, ...] = (),
        dns: str | tuple[str, ...] = (),
        packets: bool | None = None,
        mac: bytes | None = None,
        mtu: int = 1500,
        send_limit: float = 120.0,
        linger: float = 1.0,
        core: Any = None,
    ) -> None:
        check_link(link)
        try:
            if not addresses:
                raise ConfigurationError("a host needs an address of its own, such as '192.0.2.7/24'")
            if packets is None:
                packets = bool(getattr(link, "packets", False))
            stack = Stack(core)
        except BaseException:
            link.close()
            raise
        try:
            interface = stack.add_interface(mac=None if packets else mac or _random_mac(), mtu=mtu)
            for address in addresses:
                interface.add_address(address)
            for router in (gateway,) if isinstance(gateway, str) else gateway:
                interface.set_gateway(router)
            stack.set_dns_servers(*((dns,) if isinstance(dns, str) else dns))
            super().__init__(stack, interface, link, send_limit=send_limit, linger=linger)
        except BaseException:
            stack.close()
            link.close()
            raise


class LwipTransport:
    """A TCP connection as a transport. Made by `open_tcp` and `LwipListener.accept`."""

    def __init__(self, drive: Drive, connection: Connection, send_limit: float, linger: float) -> None:
        self.connection = connection
        self._drive = drive
        self._send_limit = send_limit
        self._linger = linger
        self._closed = False

    def send(self, data: bytes) -> int:
        """As `Transport.send` says; raises LwipError when the peer takes nothing for `send_limit` seconds."""
        sent = self._drive.wait_for(lambda: self.connection.send(data) or None, self._send_limit) if data else 0
        if sent is None:
            raise LwipError(f"the peer has taken nothing for {self._send_limit:g} s", "TCP", timed_out=True)
        return sent

    def recv(self, n: int, timeout: float | None) -> bytes | None:
        """As `Transport.recv` says. What arrived before a failure is returned before that is raised.

        What is not asked for stays in lwIP, and the peer may send no more of it than the window allows.
        """
        return self._drive.wait_for(lambda: self.connection.receive(n), timeout, failed_too=True)

    def shutdown(self) -> None:
        """End our stream; the peer's goes on."""
        self._drive.do(self.connection.shutdown)

    def close(self) -> None:
        """Close, and wait for the peer to confirm what was sent, `linger` seconds at most."""
        if self._closed:
            return
        self._closed = True
        with suppress(LightTLSError):  # it is over anyhow
            self._drive.do(self._close)
            self._drive.wait_for(lambda: self._drive.stack.lingering == 0 or None, self._linger)

    def abort(self) -> None:
        """End it with a reset."""
        self._closed = True
        with suppress(LightTLSError):
            self._drive.do(self.connection.abort)

    def _close(self) -> None:
        # What was not read is thrown away: left there, it would make lwIP reset the connection and forget what we sent.
        while self.connection.waiting:
            self.connection.receive(self.connection.waiting)
        self.connection.close()


class LwipListener:
    """Callers, one after the other. Made by `listen`."""

    def __init__(self, drive: Drive, listener: Listener, send_limit: float, linger: float) -> None:
        self.port = listener.port
        self._listener = listener
        self._drive = drive
        self._send_limit = send_limit
        self._linger = linger

    def accept(self, timeout: float | None = None) -> LwipTransport | None:
        """The next caller; None if nobody called for so many seconds."""
        connection = self._drive.wait_for(self._listener.accept, timeout)
        return None if connection is None else LwipTransport(self._drive, connection, self._send_limit, self._linger)

    def close(self) -> None:
        """Stop listening. Closing twice is no error."""
        with suppress(LightTLSError):
            self._drive.do(self._listener.close)


def _random_mac() -> bytes:
    """One that nobody else has, as far as chance goes: locally administered, for one station (IEEE 802)."""
    drawn = os.urandom(6)
    return bytes([drawn[0] & 0xFC | 2]) + drawn[1:]
