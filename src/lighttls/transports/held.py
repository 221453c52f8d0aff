"""Our last flight, held back for a moment so that the first data leaves with it: one packet on the link, not two.

After a resumed handshake, and under False Start, our Finished is what we send last before data may follow. The server
waits for it, so it must not wait for data that may never come: whatever the owner does next sends it, and if the owner
does nothing, a timer.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock, Timer

from lighttls._typing import Final
from lighttls.errors import ConfigurationError

LONGEST_HOLD: Final = 0.05  # seconds

StartTimer = Callable[[float, Callable[[], None]], Callable[[], None]]


def start_timer(seconds: float, call: Callable[[], None]) -> Callable[[], None]:
    """Have `call` called after so long, in another thread; what is returned stops that, if it is not too late.

    Where no thread is to be had, it is called at once.
    """
    timer = Timer(seconds, call)
    timer.daemon = True
    try:
        timer.start()
    except RuntimeError:  # too many, a platform without any, or an interpreter that is about to end
        call()
    return timer.cancel


class HeldFlight:
    """Bytes that leave when their owner takes them along, or else by `send` when the time is over.

    `send` runs in the timer's thread, and `take` waits for its end, so an owner that takes before it does anything with
    the transport never meets the timer there.
    """

    __slots__ = ("_data", "_failure", "_send", "_stop_timer", "_turn")

    def __init__(self, data: bytes, send: Callable[[bytes], None], seconds: float, start: StartTimer) -> None:
        self._data = data
        self._send = send
        self._failure: BaseException | None = None
        self._turn = Lock()
        self._stop_timer = start(seconds, self._send_late)

    def take(self) -> bytes:
        """What is still here; the caller sends it now. Raises what the timer's `send` failed with."""
        self._stop_timer()
        with self._turn:
            data, self._data = self._data, b""
            if self._failure is not None:
                raise self._failure
        return data

    def _send_late(self) -> None:
        with self._turn:
            data, self._data = self._data, b""
            if data:
                try:
                    self._send(data)
                except BaseException as failure:  # it is the owner's, who finds it at the next step
                    self._failure = failure


def check_hold(seconds: object) -> None:
    """Raises ConfigurationError unless a flight may be held so long."""
    if type(seconds) not in (int, float) or not 0 <= seconds <= LONGEST_HOLD:  # type: ignore[operator]
        raise ConfigurationError(
            f"the setting hold_flight is a number of seconds from 0 to {LONGEST_HOLD}, not {seconds!r}",
            hint="The server waits for the flight that is held. 0 sends it at once.",
        )
