"""A simulated modem at one end of a serial line: in memory on a virtual clock, or in real time behind a pty."""

from __future__ import annotations

from typing import Final

from lighttls.errors import ConfigurationError
from lighttls.testing.modem.faults import Faults, NoisyLine
from lighttls.testing.modem.module import Module, Situation
from lighttls.testing.modem.network import Network
from lighttls.testing.modem.quectel import Ec21
from lighttls.testing.modem.simcom import A7670, Sim800, Sim7600
from lighttls.testing.modem.timeline import Timeline
from lighttls.testing.modem.ublox import SaraR4, SaraU201

MODULES: Final[dict[str, type[Module]]] = {
    "EC21": Ec21,
    "SIM7600": Sim7600,
    "A7670": A7670,
    "SIM800": Sim800,
    "SARA-U201": SaraU201,
    "SARA-R4": SaraR4,
}
_TICK: Final = 1e-6  # seconds: what is too short to change a floating-point clock would never pass
_BITS: Final = 10  # of a byte on the line: start, eight, stop


class SerialLine:
    """Both directions between host and module, with the time that bytes take."""

    def __init__(self, timeline: Timeline, baud: int, faults: Faults) -> None:
        self.timeline = timeline
        self.seconds_per_byte = _BITS / baud if baud else 0.0
        self.to_host = bytearray()  # arrived
        self.bytes_to_host = self.bytes_to_module = 0
        self.module: Module
        self._faults = faults
        self._noise_to_host = NoisyLine(faults.flipped_to_host, faults.dropped_to_host)
        self._noise_to_module = NoisyLine(faults.flipped_to_modem, faults.dropped_to_modem)
        self._free_to_host = self._free_to_module = 0.0

    def from_module(self, data: bytes) -> None:
        self.bytes_to_host += len(data)
        self._free_to_host = max(self._free_to_host, self.timeline.now)
        for piece in self._faults.pieces(data):
            self._free_to_host += len(piece) * self.seconds_per_byte
            arrived = self._noise_to_host.through(piece)
            self.timeline.at(self._free_to_host, lambda arrived=arrived: self.to_host.extend(arrived))  # type: ignore[misc]

    def from_host(self, data: bytes) -> None:
        self.bytes_to_module += len(data)
        self._free_to_module = max(self._free_to_module, self.timeline.now)
        for piece in self._faults.pieces(data):
            self._free_to_module += len(piece) * self.seconds_per_byte
            arrived = self._noise_to_module.through(piece)
            self.timeline.at(self._free_to_module, lambda arrived=arrived: self.module.receive(arrived))  # type: ignore[misc]


class SimulatedModem:
    """A module on a serial line. `model` is one of `MODULES`; `baud` 0 is a line that takes no time.

    It is a port for `Modem` itself: reading moves the virtual clock to the next byte, or by the timeout, so that hours
    pass in an instant, and the same script has the same end every time. For real time give it to `Pty`.
    """

    def __init__(
        self,
        model: str,
        network: Network,
        *,
        baud: int = 115200,
        faults: Faults | None = None,
        situation: Situation | None = None,
        timeline: Timeline | None = None,
    ) -> None:
        if model not in MODULES:
            raise ConfigurationError(f"there is no simulated module {model!r}", hint=f"There are {', '.join(MODULES)}.")
        self.timeline = timeline or Timeline()
        self.network = network
        network.timeline = self.timeline
        self.faults = faults or Faults()
        self.line = SerialLine(self.timeline, baud, self.faults)
        self.module = MODULES[model](
            self.timeline, network, self.line.from_module, faults=self.faults, situation=situation
        )
        self.line.module = self.module
        self.closed = False

    def monotonic(self) -> float:
        return self.timeline.now

    def write(self, data: bytes) -> None:
        if self.closed:
            raise OSError("the port is closed")
        self.line.from_host(bytes(data))

    def read(self, n: int, timeout: float | None) -> bytes:
        """As the `read` of a port; with None it returns b"" if nothing will ever happen."""
        timeline, waiting = self.timeline, self.line.to_host
        end = None if timeout is None else timeline.now + (max(timeout, _TICK) if timeout else 0.0)
        while not waiting:
            due = timeline.next_event()
            if due is None or (end is not None and due > end):
                if end is not None:
                    timeline.run_until(end)
                elif due is None:
                    raise OSError("nothing will ever come")
                break
            timeline.run_until(due)
        data = bytes(waiting[:n])
        del waiting[:n]
        return data

    def close(self) -> None:
        self.closed = True
