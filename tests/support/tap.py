"""A network namespace with a TAP device in it: the kernel as a peer, on a network that nobody else sees."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from typing import TypeVar

import pytest

from lighttls.transports.lwip import LwipError, Tap
from support import require

T = TypeVar("T")

KERNEL, OURS = "10.77.0.1", "10.77.0.2"
KERNEL_V6, OURS_V6 = "fd77::1", "fd77::2"

_CLONE_NEWNET = 0x40000000
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _SIOCSIFADDR, _SIOCSIFNETMASK, _SIOCGIFINDEX = 0x8913, 0x8914, 0x8916, 0x891C, 0x8933
_IFF_UP = 1


class Namespace:
    """`tap` is our end of the device "lwip0", whose other end has the addresses `KERNEL` and `KERNEL_V6`.

    A namespace belongs to a thread, so what is to happen inside is done by one of its own.
    """

    def __init__(self, *, packets: bool = False) -> None:
        self._thread = ThreadPoolExecutor(1)
        try:
            self.tap = self.inside(lambda: _prepare(packets))
        except BaseException:
            self._thread.shutdown()
            raise

    def inside(self, what: Callable[[], T]) -> T:
        return self._thread.submit(what).result()

    def listen(self, address: str = KERNEL, port: int = 0) -> socket.socket:
        """A listening socket of the namespace; any thread may use it."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        for _ in range(100):
            try:
                return self.inside(lambda: socket.create_server((address, port), family=family))
            except OSError as failure:
                if failure.errno != errno.EADDRNOTAVAIL:
                    raise
                time.sleep(0.05)  # an address of IPv6 becomes usable in a moment
        raise TimeoutError(f"{address} does not become usable")

    def close(self) -> None:
        self.tap.close()
        self._thread.shutdown()


@contextmanager
def namespace(*, packets: bool = False) -> Iterator[Namespace]:
    if sys.platform != "linux":
        pytest.skip(f"{require.NO_COMMAND_BRINGS}TAP devices: they are Linux's")
    try:
        made = Namespace(packets=packets)
    except PermissionError as cause:
        pytest.skip(f"{require.NO_COMMAND_BRINGS}network namespace for whoever is not root: {cause}")
    except LwipError as cause:
        pytest.skip(f"{require.NO_COMMAND_BRINGS}TAP device for us: {cause}")
    try:
        yield made
    finally:
        made.close()


@contextmanager
def relayed(made: Namespace, port: int) -> Iterator[int]:
    """A port of `KERNEL` behind which there is that port of 127.0.0.1, outside the namespace."""
    with ExitStack() as open_ones, made.listen() as listening:
        threads: list[threading.Thread] = []

        def accept() -> None:
            with suppress(OSError):  # closed at the end
                while True:
                    caller, _ = listening.accept()
                    server = socket.create_connection(("127.0.0.1", port))
                    open_ones.enter_context(caller)
                    open_ones.enter_context(server)
                    for source, sink in ((caller, server), (server, caller)):
                        threads.append(threading.Thread(target=_pour, args=(source, sink)))
                        threads[-1].start()

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield listening.getsockname()[1]
        finally:
            for thread in threads:
                thread.join(20)
            listening.shutdown(socket.SHUT_RDWR)
            acceptor.join(20)


def _pour(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):  # the other direction tells as well
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def _prepare(packets: bool) -> Tap:
    """In the thread that shall have the namespace."""
    import fcntl

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise PermissionError(code or errno.EPERM, os.strerror(code or errno.EPERM))
    tap = Tap("lwip0", packets=packets)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            for request, address in ((_SIOCSIFADDR, KERNEL), (_SIOCSIFNETMASK, "255.255.255.0")):
                where = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(address))
                fcntl.ioctl(control, request, _interface(b"lwip0", where))
            for name in (b"lo", b"lwip0"):
                flags = struct.unpack_from("=H", fcntl.ioctl(control, _SIOCGIFFLAGS, _interface(name)), 16)[0]
                fcntl.ioctl(control, _SIOCSIFFLAGS, _interface(name, struct.pack("=H", flags | _IFF_UP)))
            index = struct.unpack_from("=i", fcntl.ioctl(control, _SIOCGIFINDEX, _interface(b"lwip0")), 16)[0]
        if socket.has_ipv6 and os.path.exists("/proc/net/if_inet6"):
            with open("/proc/sys/net/ipv6/conf/lwip0/accept_dad", "w") as setting:  # addresses work at once
                setting.write("0")
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as control:
                where = struct.pack("=16sIi", socket.inet_pton(socket.AF_INET6, KERNEL_V6), 64, index)
                fcntl.ioctl(control, _SIOCSIFADDR, where)
    except BaseException:
        tap.close()
        raise
    return tap


def _interface(name: bytes, rest: bytes = b"") -> bytes:
    """struct ifreq: a name of 16 bytes, and 24 of whatever is asked."""
    return name.ljust(16, b"\0") + rest.ljust(24, b"\0")
