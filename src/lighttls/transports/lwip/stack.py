"""lwIP as a TCP/IP stack without I/O: frames in, frames out, and when it wants to be asked again.

    frames  ─►  Interface.receive         Stack.connect ─► Connection.send, Connection.receive
    frames  ◄─  Interface.frames_to_send  Stack.run, Stack.next_timeout: what time brings

Nothing here waits or calls back. After frames came in, or time has passed, look what has changed: a connection's
`established`, `room`, `waiting`. Whatever was done, look for frames that want to leave.

The extension keeps all its state in globals, so a copy of it is one stack: at most one `Stack` over each at a time,
until it is closed, or nobody refers to it and its parts any more. It belongs to one thread at a time; `Host` is the
face for several threads.
"""

from __future__ import annotations

import time
import weakref
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from lighttls.errors import ConfigurationError, UsageError
from lighttls.transports.lwip.addresses import is_address
from lighttls.transports.lwip.errors import ARGUMENT, LwipError, ended, no_core, refused

_NOTHING_DUE: Final = 0xFFFFFFFF
_LONGEST_FRAME: Final = 65549  # an IP packet of 65535 bytes in an Ethernet header
_ESTABLISHED: Final = 1
_END: Final = 2
_DNS_SERVERS: Final = 2


def default_core() -> Any:
    """The extension that was built with lighttls. Raises ConfigurationError if it was not."""
    try:
        from lighttls.transports.lwip import _core  # type: ignore[attr-defined,unused-ignore]
    except ImportError as cause:
        raise no_core(cause) from cause
    return _core


class Stack:
    """`core` is a module built by csrc/lwip/build_ffi.py, by default lighttls's own; `clock` counts seconds upwards."""

    def __init__(self, core: Any = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.core = core or default_core()
        self.lib = self.core.lib
        self.ffi = self.core.ffi
        left: Callable[[], Stack | None] | None = getattr(self.core, "stack", None)
        if left is not None and left() is not None:
            raise UsageError("this copy of lwIP is in use by another Stack", hint="Close that first.")
        self._clock = clock
        self._open = True
        self._interfaces: weakref.WeakSet[Any] = weakref.WeakSet()
        self._handles: weakref.WeakSet[Handle] = weakref.WeakSet()
        # frees what the garbage collector found: in our own thread, or, when a Stack itself is found, in the next one's
        self._unowned: deque[Callable[[], None]] = self.core.__dict__.setdefault("unowned", deque())
        self.lib.lw_start()
        if left is not None:
            self._forget()
            self.lib.lw_dns_forget()
        self._epoch = clock() - self.lib.lw_now() / 1000  # lwIP's time goes on where the last Stack left it
        self.features = frozenset(self.ffi.string(self.lib.lw_features()).decode().split())
        self.set_dns_servers()
        self.core.stack = weakref.ref(self)

    # --- time --------------------------------------------------------------------------------------

    def run(self) -> float | None:
        """Do what is due by now. Returns the seconds until something is due again, None if nothing will be."""
        self.tick()
        self._free_unowned()
        left = self.lib.lw_run()
        return None if left == _NOTHING_DUE else left / 1000

    def tick(self) -> None:
        """Tell lwIP the time. Whatever may start a timer does so first."""
        if not self._open:
            raise UsageError("the stack is closed")
        self.lib.lw_clock(int((self._clock() - self._epoch) * 1000) & 0xFFFFFFFF)

    @property
    def lingering(self) -> int:
        """How many connections were closed while the peer has yet to confirm what was sent."""
        return int(self.lib.lw_lingering()) if self._open else 0

    # --- links -------------------------------------------------------------------------------------

    def add_interface(self, *, mac: bytes | None, mtu: int = 1500) -> Interface:
        """Something that carries Ethernet frames (`mac`: our six bytes) or IP packets (`mac` is None)."""
        if mac is not None and len(mac) != 6:
            raise ConfigurationError(f"a MAC address has 6 bytes, not {len(mac)}")
        if type(mtu) is not int or not 576 <= mtu <= 65535:
            raise ConfigurationError(f"an MTU is a number from 576 to 65535, not {mtu!r}")
        self.tick()
        handle = self.lib.lw_link_new(self.ffi.NULL if mac is None else mac, mtu)
        if not handle:
            raise MemoryError
        interface = Interface(self, handle)
        self.adopt(interface)
        return interface

    def adopt(self, interface: Any) -> None:
        """Have `interface.remove()` called when the stack is closed."""
        self._interfaces.add(interface)

    # --- what connects -----------------------------------------------------------------------------

    def connect(self, address: str, port: int) -> Connection:
        """Call a TCP peer. It is under way when this returns; `Connection.established` tells when it is there.

        Raises LwipError if there is no way to that address.
        """
        if not is_address(address):
            raise refused(ARGUMENT, address, port)
        self.tick()
        error = self.ffi.new("int *")
        handle = self.lib.lw_connect(address.encode(), port, error)
        if not handle:
            raise refused(error[0], address, port)
        return Connection(self, handle)

    def listen(self, port: int = 0, *, backlog: int = 8) -> Listener:
        """Wait for TCP callers at every address; port 0 is any free one. `backlog` (1 to 255) of them may wait."""
        if type(port) is not int or not 0 <= port < 65536:
            raise ConfigurationError(f"a port is a number from 0, for any, to 65535, not {port!r}")
        if type(backlog) is not int or not 0 < backlog < 256:
            raise ConfigurationError(f"a backlog is a number from 1 to 255, not {backlog!r}")
        self.tick()
        error = self.ffi.new("int *")
        handle = self.lib.lw_listen(port, backlog, error)
        if not handle:
            raise LwipError(
                f"cannot listen at port {port}: lwIP's error {error[0]}", "TCP", hint="Choose another port."
            )
        return Listener(self, handle)

    def keep(self, handle: Handle, free: Callable[[], None]) -> weakref.finalize[..., Any]:
        """Have it closed with the stack, and freed some time after nobody refers to it any more."""
        self._handles.add(handle)
        return self.free_later(handle, free)

    def free_later(self, owner: object, free: Callable[[], None]) -> weakref.finalize[..., Any]:
        """Have `free` called, by us, some time after nobody refers to `owner` any more."""
        finalizer = weakref.finalize(owner, self._unowned.append, free)  # runs in any thread
        finalizer.atexit = False
        return finalizer

    # --- DNS ---------------------------------------------------------------------------------------

    def set_dns_servers(self, *addresses: str) -> None:
        """Who is asked for names: at most two."""
        if len(addresses) > _DNS_SERVERS:
            raise ConfigurationError(f"lwIP asks at most {_DNS_SERVERS} DNS servers, not {len(addresses)}")
        if "dns" not in self.features:
            if addresses:
                raise ConfigurationError("this lwIP was built without DNS", hint="Give addresses instead of names.")
            return
        for number, address in enumerate([*addresses, *["0.0.0.0"] * (_DNS_SERVERS - len(addresses))]):
            if not is_address(address) or self.lib.lw_dns_server(number, address.encode()):
                raise ConfigurationError(f"the DNS server {address!r} is no IP address")

    def lookup(self, name: str) -> Lookup:
        """Ask for a name's address."""
        self.tick()
        handle = self.lib.lw_lookup_new(name.encode("ascii"))
        if not handle:
            raise MemoryError
        return Lookup(self, handle, name)

    # --- the end -----------------------------------------------------------------------------------

    def reset(self) -> None:
        """Reset every connection and close what listens; the frames that tell the peers want to leave after this."""
        self.tick()
        for handle in list(self._handles):
            handle.abort()
        self._forget()

    def close(self) -> None:
        """Reset what is left and remove the links. Whatever belonged to the stack raises UsageError from now on."""
        if not self._open:
            return
        self.reset()
        for interface in list(self._interfaces):
            interface.remove()
        self._free_unowned()
        self.lib.lw_dns_forget()
        self._open = False
        self.core.stack = None

    def _forget(self) -> None:
        self.lib.lw_forget()
        self._free_unowned()

    def _free_unowned(self) -> None:
        while self._unowned:
            self._unowned.popleft()()


class Interface:
    """One link of a stack. Made by `Stack.add_interface`."""

    def __init__(self, stack: Stack, handle: Any) -> None:
        self._stack = stack
        self._handle = handle
        self._finalizer = stack.free_later(self, partial(stack.lib.lw_link_free, handle))
        self._frame = bytearray(_LONGEST_FRAME)
        self._buffer = stack.ffi.from_buffer("uint8_t[]", self._frame, require_writable=True)
        self._output = stack.lib.lw_link_output
        self._input = stack.lib.lw_link_input

    def add_address(self, address: str) -> None:
        """An address with its prefix, such as "192.0.2.7/24" or "2001:db8::7/64"."""
        host, slash, prefix = address.partition("/")
        if not (slash and is_address(host) and prefix.isascii() and prefix.isdecimal() and len(prefix) < 4):
            raise ConfigurationError(f"{address!r} is no address with its prefix, such as '192.0.2.7/24'")
        self._stack.tick()
        if self._stack.lib.lw_link_add_address(self._live(), host.encode(), int(prefix)):
            raise ConfigurationError(
                f"the link cannot have the address {address!r}",
                hint="A link has one IPv4 address and two IPv6 addresses, and IPv6 prefixes have 64 bits.",
            )

    def set_gateway(self, address: str) -> None:
        """The router that reaches what is outside the link's own networks."""
        if not is_address(address) or self._stack.lib.lw_link_set_gateway(self._live(), address.encode()):
            raise ConfigurationError(f"the gateway {address!r} is no IP address")

    def receive(self, frame: bytes) -> None:
        """A frame, or packet, that came over the link. One that makes no sense is dropped."""
        self._input(self._live(), frame, len(frame))

    def frames_to_send(self) -> list[bytes]:
        """What wants to leave over the link, oldest first. If that is lost, it is sent again as TCP does."""
        frames = []
        handle, output, buffer, frame = self._live(), self._output, self._buffer, self._frame
        while length := output(handle, buffer, _LONGEST_FRAME):
            frames.append(bytes(frame[:length]))
        return frames

    def remove(self) -> None:
        """Take the link out of the stack: connections over it end. Doing so twice is no error."""
        if self._handle:
            handle, self._handle = self._handle, None
            self._finalizer.detach()
            self._stack.tick()
            self._stack.lib.lw_link_free(handle)

    def _live(self) -> Any:
        if not self._handle:
            raise UsageError("the link was removed from the stack")
        return self._handle


class Handle:
    """Something of lwIP's that lives until it is closed here, or nobody refers to it any more."""

    def __init__(self, stack: Stack, handle: Any, free: Callable[[Any], None]) -> None:
        self._stack = stack
        self._lib = stack.lib
        self._handle: Any = handle
        self._free = free
        self._finalizer = stack.keep(self, lambda: free(handle))

    def abort(self) -> None:
        """Free it at once. Doing so twice, or after it was closed, is no error."""
        self._end(self._free)

    def _end(self, how: Callable[[Any], None]) -> None:
        if self._handle is not None:
            handle, self._handle = self._handle, None
            self._finalizer.detach()
            self._stack.tick()
            how(handle)

    def _live(self) -> Any:
        if self._handle is None:
            raise UsageError(f"the {type(self).__name__.lower()} was closed")
        return self._handle


class Connection(Handle):
    """A TCP connection of a stack. Made by `Stack.connect` and `Listener.accept`.

    It is reset when nobody refers to it any more.
    """

    def __init__(self, stack: Stack, handle: Any) -> None:
        super().__init__(stack, handle, stack.lib.lw_conn_free)
        self._buffer = bytearray()  # grows to the most that was taken at once
        self._view: Any = None
        self._shut = False
        self.port = int(self._lib.lw_conn_port(handle))
        self.peer_port = int(self._lib.lw_conn_peer_port(handle))

    @property
    def established(self) -> bool:
        """Whether the peer has answered. Raises LwipError if the connection failed."""
        self.check()
        return bool(self._lib.lw_conn_status(self._handle) & _ESTABLISHED)

    @property
    def waiting(self) -> int:
        """Bytes that arrived and were not taken. There are never more than the window allows."""
        return int(self._lib.lw_conn_waiting(self._live()))

    @property
    def room(self) -> int:
        """Bytes that `send` would take now."""
        return int(self._lib.lw_conn_room(self._live()))

    def check(self) -> None:
        """Raises LwipError if the connection has failed, UsageError if it was closed here."""
        self._check(self._lib.lw_conn_error(self._live()))

    def send(self, data: bytes) -> int:
        """Send as much of `data` as there is room for. Returns how many bytes that was, perhaps none."""
        handle = self._live()
        if self._shut:
            raise UsageError("our end of the stream was sent already: nothing can follow it")
        self._stack.tick()
        sent = int(self._lib.lw_conn_send(handle, data, len(data)))
        self._check(sent)
        return sent

    def receive(self, n: int) -> bytes | None:
        """At most `n` bytes of what arrived, which lets the peer send as many more; b"" at the end of the stream.

        None if nothing is there yet. What arrived before the connection failed is returned before that is raised.
        """
        handle = self._live()
        if n < 1:
            raise UsageError(f"at least one byte can be received, not {n}")
        if waiting := self._lib.lw_conn_waiting(handle):
            self._stack.tick()
            size = min(n, waiting)
            if len(self._buffer) < size:
                self._buffer = bytearray(size)
                self._view = self._stack.ffi.from_buffer("uint8_t[]", self._buffer, require_writable=True)
            taken = self._lib.lw_conn_receive(handle, self._view, size)
            return bytes(memoryview(self._buffer)[:taken])
        if self._lib.lw_conn_status(handle) & _END:
            return b""
        self._check(self._lib.lw_conn_error(handle))
        return None

    def shutdown(self) -> None:
        """Send the end of our stream, after all that was sent before. The peer's goes on."""
        handle = self._live()
        self._stack.tick()
        self._check(self._lib.lw_conn_shutdown(handle))
        self._shut = True

    def close(self) -> None:
        """Close it. What was sent is still delivered while the stack is driven. Closing twice is no error."""

        def close_and_free(handle: Any) -> None:
            self._lib.lw_conn_close(handle)
            self._free(handle)

        self._end(close_and_free)

    def _check(self, error: int) -> None:
        if error < 0:
            raise ended(error, bool(self._lib.lw_conn_status(self._handle) & _ESTABLISHED))


class Listener(Handle):
    """Waits for callers. Made by `Stack.listen`."""

    def __init__(self, stack: Stack, handle: Any) -> None:
        super().__init__(stack, handle, stack.lib.lw_listener_free)
        self.port = int(self._lib.lw_listener_port(handle))

    def accept(self) -> Connection | None:
        """The next caller, if there is one."""
        self._stack.tick()
        handle = self._lib.lw_accept(self._live())
        return Connection(self._stack, handle) if handle else None

    def close(self) -> None:
        """Stop listening; who called and was not accepted is reset. Closing twice is no error."""
        self.abort()


class Lookup(Handle):
    """A question to the DNS. Made by `Stack.lookup`."""

    def __init__(self, stack: Stack, handle: Any, name: str) -> None:
        super().__init__(stack, handle, stack.lib.lw_lookup_free)
        self._name = name

    def result(self) -> str | None:
        """The address, None if there is no answer yet. Raises LwipError if there is no address, or nobody answered."""
        address = self._stack.ffi.new("char[46]")
        found = self._lib.lw_lookup_result(self._live(), address, 46)
        if found < 0:
            raise LwipError(f"no address for {self._name!r}", "DNS")
        return self._stack.ffi.string(address).decode() if found else None
