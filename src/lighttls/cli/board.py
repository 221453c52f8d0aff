"""The board of `lighttls demo modem`: an EC21 on a serial line and an ATECC608A, both simulated."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from time import monotonic
from typing import Any, Final

from lighttls.cli.flights import CountedLine
from lighttls.devices.atecc608a import Atecc608a, ChipSigner, trust_and_go_chain
from lighttls.errors import ConfigurationError
from lighttls.identity import Identity
from lighttls.testing.atecc608a import TrustAndGo
from lighttls.testing.modem import Network, Pty, RealTimeline, SimulatedModem, TcpPeer
from lighttls.transports.at_modem import Modem

BAUD: Final = 115200
ROUND_TRIP: Final = 0.1  # seconds: what LTE has on an ordinary day
MODULE: Final = "EC21"
_REGISTRATION_LIMIT: Final = 10.0  # seconds; the simulated network is there at once
_SIGN: Final = 0x41


class Chip:
    """An ATECC608A as Microchip sells it: key and certificates in it, under a root made for it."""

    def __init__(self) -> None:
        self._kit = TrustAndGo()
        self._chip = Atecc608a(self._kit.simulated)
        self.root = self._kit.root  # DER
        self.serial_number = self._chip.serial_number().hex()

    def identity(self) -> Identity:
        """The certificates, put together from the chip's short forms, and the chip to sign for them."""
        return Identity(trust_and_go_chain(self._chip, root=self.root), ChipSigner(self._chip, slot=0))

    @property
    def signatures_made(self) -> int:
        return self._kit.simulated.packets.get(_SIGN, 0)


class SerialLine:
    """The modem at the end of its line, and what is known of the line."""

    def __init__(self, modem: Modem, counted: CountedLine, name: str, opened_by: str) -> None:
        self.modem = modem
        self.counted = counted
        self.name = name
        self.opened_by = opened_by


@contextmanager
def serial_line(behind: Mapping[int, int], deadline: float) -> Iterator[SerialLine]:
    """A modem on a pseudo-terminal. `behind` says which port of this machine stands for which port of the endpoint.

    Nothing passes after `deadline` (of `time.monotonic`). Raises ConfigurationError: there are no pseudo-terminals.
    """
    if not hasattr(os, "openpty"):
        raise ConfigurationError(
            "this system has no pseudo-terminals, and the simulated modem needs one",
            hint="Run it on Linux or macOS; `lighttls demo` runs everywhere.",
        )
    network = Network(lambda host, port: TcpPeer("127.0.0.1", behind[port]), round_trip=ROUND_TRIP)
    with Pty(SimulatedModem(MODULE, network, baud=BAUD, timeline=RealTimeline())) as pty:
        file, opened_by = _opened(pty.name)
        counted = CountedLine(file, BAUD, deadline)
        with Modem(
            counted, registration_limit=_REGISTRATION_LIMIT, send_limit=max(1.0, deadline - monotonic())
        ) as modem:
            yield SerialLine(modem, counted, pty.name, opened_by)


def _opened(name: str) -> tuple[Any, str]:
    """The port by pyserial, which users have, or as a plain file: a pseudo-terminal needs no settings."""
    if find_spec("serial") is not None:
        return import_module("serial").Serial(name, BAUD, timeout=0, exclusive=True), "pyserial"
    descriptor = os.open(name, os.O_RDWR | os.O_NOCTTY)
    return open(descriptor, "r+b", buffering=0), "os.open"
