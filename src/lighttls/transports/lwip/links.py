"""What can carry a host's frames: a TAP or TUN device of Linux, a queue in memory, two callables of your own."""

from __future__ import annotations

import errno
import os
import sys
import weakref
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Final, Protocol

from lighttls.errors import ConfigurationError, UsageError
from lighttls.transports.lwip.errors import LwipError

_TUNSETIFF: Final = 0x400454CA  # linux/if_tun.h
_IFF_TUN: Final = 0x0001
_IFF_TAP: Final = 0x0002
_IFF_NO_PI: Final = 0x1000
_LONGEST: Final = 65549
_FULL: Final = (errno.EAGAIN, errno.ENOBUFS)


class Link(Protocol):
    """Something that carries frames, or packets, whole and perhaps not at all. A broken one raises OSError."""

    def send(self, frame: bytes) -> None:
        """Take a frame and do not wait: where there is no room it is dropped, and TCP sends it again."""

    def receive(self, timeout: float) -> bytes | None:
        """The next frame; None if there is none for so many seconds, b"" if there will never be one."""

    def close(self) -> None:
        """Give it back. Closing twice is no error."""


class Tap:
    """A TAP device of Linux, or with `packets` a TUN device: a network interface whose other end is this program.

    It is made if there is none of that name, which takes root; then it has to be given an address and be set up. One
    that was made for a user (`ip tuntap add dev tap0 mode tap user NAME`) can be used by that user. It is given back
    when it is closed, or nobody refers to it any more.
    """

    def __init__(self, name: str, *, packets: bool = False) -> None:
        if sys.platform != "linux":
            raise ConfigurationError(
                f"TAP devices are Linux's; this is {sys.platform}", hint="Give a Link of your own."
            )
        import fcntl
        import select

        encoded = name.encode()
        if not 0 < len(encoded) < 16 or not name.isprintable() or {" ", "/", ":"} & set(name):
            raise ConfigurationError(
                f"an interface's name has 1 to 15 characters, none of them blank, / or :: {name!r}"
            )
        self.name = name
        self.packets = packets
        try:
            self._file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as cause:
            raise LwipError(f"cannot open /dev/net/tun: {cause.strerror}", "link", hint=_NO_TUN) from cause
        flags = (_IFF_TUN if packets else _IFF_TAP) | _IFF_NO_PI
        request = encoded.ljust(16, b"\0") + flags.to_bytes(2, sys.byteorder) + bytes(22)  # struct ifreq
        try:
            fcntl.ioctl(self._file, _TUNSETIFF, request)
        except OSError as cause:
            os.close(self._file)
            hint = _OTHER_KIND if cause.errno == errno.EINVAL else _NOT_OURS
            raise LwipError(f"cannot use the interface {name}: {cause.strerror}", "link", hint=hint) from cause
        self._give_back = weakref.finalize(self, os.close, self._file)
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)

    def send(self, frame: bytes) -> None:
        try:
            os.write(self._descriptor(), frame)
        except OSError as cause:
            if cause.errno in _FULL:
                return
            hint = f"Set it up: ip link set {self.name} up" if cause.errno == errno.EIO else None
            raise LwipError(
                f"the interface {self.name} takes no frames: {cause.strerror}", "link", hint=hint
            ) from cause

    def receive(self, timeout: float) -> bytes | None:
        descriptor = self._descriptor()
        try:
            if timeout and not self._poll.poll(timeout * 1000):
                return None
            return os.read(descriptor, _LONGEST)
        except BlockingIOError:
            return None
        except OSError as cause:
            raise LwipError(f"the interface {self.name} is gone: {cause.strerror}", "link") from cause

    def close(self) -> None:
        self._file = -1
        self._give_back()

    def _descriptor(self) -> int:
        if self._file < 0:
            raise UsageError(f"the interface {self.name} was closed")
        return self._file


class CallableLink:
    """A link made of two functions: `send(frame)`, and `receive(timeout)` as `Link` has them."""

    def __init__(
        self,
        send: Callable[[bytes], object],
        receive: Callable[[float], bytes | None],
        close: Callable[[], object] = lambda: None,
    ) -> None:
        self._send = send
        self._receive = receive
        self._close = close

    def send(self, frame: bytes) -> None:
        self._send(frame)

    def receive(self, timeout: float) -> bytes | None:
        return self._receive(timeout)

    def close(self) -> None:
        self._close()


class MemoryLink:
    """One end of a pair made by `memory_links`. The ends may be in different threads."""

    def __init__(self, there: SimpleQueue[bytes], here: SimpleQueue[bytes]) -> None:
        self._there = there
        self._here = here
        self._ended = False

    def send(self, frame: bytes) -> None:
        if self._there.qsize() < _MOST_WAITING:
            self._there.put(frame)

    def receive(self, timeout: float) -> bytes | None:
        if self._ended:
            return b""
        try:
            frame = self._here.get(timeout=timeout) if timeout > 0 else self._here.get_nowait()
        except Empty:
            return None
        self._ended = not frame
        return frame

    def close(self) -> None:
        """End it for both."""
        self._there.put(b"")
        self._here.put(b"")


def check_link(link: object) -> None:
    """Raises ConfigurationError unless it has what a Link has."""
    if not all(callable(getattr(link, name, None)) for name in ("send", "receive", "close")):
        raise ConfigurationError(
            f"a link has send, receive and close, and {link!r} has not",
            hint='Tap("tap0") is one, and CallableLink(send, receive) makes one of two functions.',
        )


def memory_links() -> tuple[MemoryLink, MemoryLink]:
    """Two ends of a wire in one process: for two hosts, each with a copy of lwIP of its own."""
    there: SimpleQueue[bytes] = SimpleQueue()
    back: SimpleQueue[bytes] = SimpleQueue()
    return MemoryLink(there, back), MemoryLink(back, there)


_MOST_WAITING: Final = 1024  # frames; further ones are dropped
_NO_TUN: Final = "Load the driver (modprobe tun), and run as root or have the device made for you: see docs/lwip.md."
_OTHER_KIND: Final = "Is it of that kind? A TUN device takes packets=True, a TAP device does not (ip -d link shows it)."
_NOT_OURS: Final = (
    "Run as root, or have it made for you (ip tuntap add dev NAME mode tap user YOU); one program uses it."
)
