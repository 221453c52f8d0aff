"""A host whose link is PPP over a line: a modem that has dialled, or any serial line with PPP at its other end."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Self

from lighttls.errors import LightTLSError
from lighttls.transports.driver import check_bounds
from lighttls.transports.lwip.host import BaseHost
from lighttls.transports.lwip.links import Link, check_link
from lighttls.transports.lwip.ppp import PppInterface
from lighttls.transports.lwip.stack import Stack, default_core

if TYPE_CHECKING:
    from lighttls.transports.at_modem import Modem

_PARTING: Final = 3.0  # seconds for the peer to confirm the end


class PppHost(BaseHost):
    """Brings PPP up over `line`, which carries bytes as they are, and connects by what the network gives: address, DNS.

    line            a `DataCall` of a modem, a `CallableLink`; the host owns it and closes it
    user, password  what the network wants to hear, and by which `authentication`: "pap", "chap", or "either"
    limit           seconds within which the link must be up
    core, clock     as `Stack` has them

    Raises LwipError, of which `PppError` says how far PPP came; the line's own errors pass as they are.
    """

    def __init__(
        self,
        line: Link,
        *,
        user: str = "",
        password: str = "",
        authentication: str = "",
        limit: float = 60.0,
        send_limit: float = 120.0,
        linger: float = 1.0,
        core: Any = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        check_link(line)
        try:
            check_bounds(limit=limit)
            stack = Stack(core, clock=clock)
        except BaseException:
            line.close()
            raise
        try:
            self.interface = PppInterface(stack, user=user, password=password, authentication=authentication)
            super().__init__(
                stack, self.interface, _Watched(line, self.interface), send_limit=send_limit, linger=linger
            )
            self._drive.do(self.interface.open)
            if not self._drive.wait_for(lambda: self.interface.up or None, limit):
                raise self.interface.late(limit)
        except BaseException:
            stack.close()
            line.close()
            raise

    @classmethod
    def dial(cls, modem: Modem, command: str = "ATD*99#", **settings: Any) -> Self:
        """Have an AT modem call the network, with user and password of its settings, and bring PPP up over the call.

        `settings` are those of PppHost. The modem does nothing else until the host is closed.
        """
        its = modem.settings
        settings["core"] = settings.get("core") or default_core()  # before the modem is troubled
        told: dict[str, Any] = {
            "user": its.user,
            "password": its.password,
            "authentication": its.authentication,
            "clock": modem.now,
        }
        line = modem.dial(command)
        try:
            return cls(line, **(told | settings))
        except BaseException:
            line.close()  # also for a setting that nobody knows
            raise

    def close(self) -> None:
        """Reset what is still connected, take leave of the network, and close the line. Closing twice is no error."""
        with suppress(LightTLSError):  # the link may be over already
            self._drive.do(self.interface.close)
            self._drive.wait_for(lambda: self.interface.finished or None, _PARTING)
        super().close()


class _Watched:
    """The line, until PPP over it ends: then that is what there is to say."""

    def __init__(self, line: Link, interface: PppInterface) -> None:
        self._line = line
        self._interface = interface

    def send(self, frame: bytes) -> None:
        self._line.send(frame)

    def receive(self, timeout: float) -> bytes | None:
        if (error := self._interface.error) is not None:
            raise error
        return self._line.receive(timeout)

    def close(self) -> None:
        self._line.close()
