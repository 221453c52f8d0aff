"""A transport without a wire: two ends in one process, for tests and for servers in memory."""

from __future__ import annotations

from threading import Condition


class _Channel:
    """Bytes on their way in one direction."""

    def __init__(self) -> None:
        self.changed = Condition()
        self.waiting = bytearray()
        self.closed = False


class MemoryTransport:
    """One end of a pair made by `memory_pair`. The two ends may be used by different threads.

    There is no limit on what may lie in between, so `send` never waits.
    """

    def __init__(self, outgoing: _Channel, incoming: _Channel) -> None:
        self._outgoing = outgoing
        self._incoming = incoming

    def send(self, data: bytes) -> int:
        """Take all of `data`. Raises BrokenPipeError once either end is closed."""
        with self._outgoing.changed:
            if self._outgoing.closed:
                raise BrokenPipeError("the other end of the memory transport is closed")
            self._outgoing.waiting += data
            self._outgoing.changed.notify_all()
        return len(data)

    def recv(self, n: int, timeout: float | None) -> bytes | None:
        """As `Transport.recv` says; what was sent before a close is still delivered."""
        channel = self._incoming
        with channel.changed:
            channel.changed.wait_for(lambda: channel.waiting or channel.closed, timeout)
            if channel.waiting:
                data = bytes(channel.waiting[:n])
                del channel.waiting[:n]
                return data
            return b"" if channel.closed else None

    def close(self) -> None:
        """End both directions, for both ends."""
        for channel in (self._outgoing, self._incoming):
            with channel.changed:
                channel.closed = True
                channel.changed.notify_all()


def memory_pair() -> tuple[MemoryTransport, MemoryTransport]:
    """Two transports, each of which receives what the other sends."""
    there, back = _Channel(), _Channel()
    return MemoryTransport(there, back), MemoryTransport(back, there)
