"""Moves frames between a stack and its link while somebody waits, for any number of threads.

Whoever has to wait drives: it sleeps until a frame comes or a timer is due, gives lwIP what there is, and looks whether
that is what it waited for. While one thread sleeps on the link, others that wait sleep on it, and look whenever it has
been at work. Nobody works in the background: a host that nobody waits for stands still.

A signal handler, or a function of the link, may call the host in the very thread that works for it. Closing it then
takes effect when that work is done, since lwIP is in the middle of something; anything else is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Condition, get_ident
from time import monotonic
from typing import Any, Final, NoReturn, TypeVar

from lighttls.errors import TransportError, UsageError
from lighttls.transports.lwip.errors import LwipError
from lighttls.transports.lwip.links import Link
from lighttls.transports.lwip.stack import Stack

T = TypeVar("T")

_LONGEST_SLEEP: Final = 0.25  # seconds: how late one thread may notice what another has done
_AT_ONCE: Final = 64  # frames that are taken from the link before anybody looks at what they brought


class Drive:
    """`interface` is what `Stack.add_interface` made, or anything else with `receive` and `frames_to_send`."""

    def __init__(self, stack: Stack, interface: Any, link: Link) -> None:
        self.stack = stack
        self._interface = interface
        self._link = link
        self._turn = Condition()  # held by whoever is inside lwIP
        self._inside: int | None = None  # which thread that is
        self._asleep: int | None = None  # which thread sleeps on the link
        self._closing = self._closed = False
        self._failure: TransportError | None = None

    def do(self, what: Callable[[], T]) -> T:
        """Call `what`, which may use the stack, and send the frames that come of it."""
        with self._at_work():
            self._check()
            try:
                return what()
            finally:
                self._send_frames()

    def wait_for(self, what: Callable[[], T | None], timeout: float | None, *, failed_too: bool = False) -> T | None:
        """Drive until `what` returns something else than None; None if it did not within so many seconds.

        `what` may use the stack; what it raises is raised here. So is what the link raises: an OSError of it becomes a
        LwipError, for everybody from now on; anything else is the caller's own, and the link may still be good. With
        `failed_too` what lwIP has is looked at first even though the link has failed.
        """
        end = None if timeout is None else monotonic() + timeout
        if self._asleep == get_ident():
            raise _busy()
        with self._at_work():
            over = False
            while True:
                if self._closing or not failed_too:
                    self._check()
                found = what()
                self._send_frames()
                if found is not None or over:
                    return found
                self._check()
                left = None if end is None else max(end - monotonic(), 0.0)
                over = left == 0.0
                if self._asleep is None:
                    self._sleep(left)
                else:
                    self._inside = None
                    self._turn.wait(_LONGEST_SLEEP if left is None else min(left, _LONGEST_SLEEP))
                    self._inside = get_ident()

    def close(self) -> None:
        """Tell the peers, and close stack and link, as soon as nobody sleeps on it. Closing twice is no error."""
        if self._closing:
            return
        self._closing = True
        if get_ident() in (self._inside, self._asleep):
            return  # this thread does it when its work is done
        with self._turn:
            self._turn.wait_for(lambda: self._asleep is None)
            self._finish()

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        """Have lwIP for this thread alone."""
        if self._inside == get_ident():
            raise _busy()
        with self._turn:
            self._inside = get_ident()
            try:
                yield
            finally:
                self._inside = None
                if self._closing and self._asleep is None:
                    self._finish()

    def _finish(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self.stack.reset()
            with suppress(LwipError):  # the link may be gone already
                self._send_frames()
        finally:
            try:
                self.stack.close()
            finally:
                self._link.close()

    def _sleep(self, left: float | None) -> None:
        """Wait for a frame or a timer, at most so many seconds, and give lwIP what came."""
        due = self.stack.run()
        self._send_frames()
        longest = min(wait for wait in (left, due, _LONGEST_SLEEP) if wait is not None)
        self._inside, self._asleep = None, get_ident()
        self._turn.release()
        try:
            frame = self._from_link(longest)
        finally:
            self._turn.acquire()
            self._inside, self._asleep = get_ident(), None
            self._turn.notify_all()
        self._check()  # it may have been closed meanwhile
        taken = 0
        while frame:
            self._interface.receive(frame)
            taken += 1
            if taken == _AT_ONCE:
                return
            frame = self._from_link(0.0)
        if frame is not None:
            self._fail(LwipError("the link has ended", "link"))

    def _from_link(self, timeout: float) -> bytes | None:
        try:
            return self._link.receive(timeout)
        except OSError as cause:
            self._fail(LwipError(f"the link broke: {cause}", "link"), cause)
        except LwipError as failure:
            self._fail(failure)

    def _send_frames(self) -> None:
        if self._failure is not None:
            return
        for frame in self._interface.frames_to_send():
            try:
                self._link.send(frame)
            except OSError as cause:
                self._fail(LwipError(f"the link broke: {cause}", "link"), cause)
            except LwipError as failure:
                self._fail(failure)

    def _fail(self, failure: TransportError, cause: BaseException | None = None) -> NoReturn:
        self._failure = failure
        raise failure from cause or failure.__cause__

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._closing:
            raise UsageError("the host was closed")


def _busy() -> UsageError:
    return UsageError(
        "the host is at work in this thread", hint="A link's functions and signal handlers may only close it."
    )
