"""Simulated modems with something behind them."""

from __future__ import annotations

import ssl
from typing import Any

from lighttls.testing.modem import Faults, Network, Peer, SimulatedModem
from lighttls.transports.at_modem import Modem
from support.memory_server import MemoryServer

FAMILIES = {
    "quectel": "EC21",
    "simcom": "SIM7600",
    "a7670": "A7670",
    "sim800": "SIM800",
    "ublox": "SARA-U201",
    "ublox-r4": "SARA-R4",
}
"""Dialect -> simulated model."""
MODES: list[tuple[str, dict[str, Any]]] = [(dialect, {}) for dialect in FAMILIES] + [
    ("quectel", {"access": "push"}),
    ("quectel", {"access": "transparent"}),
    ("simcom", {"access": "push"}),
    ("a7670", {"access": "push"}),
    ("sim800", {"access": "push"}),
    ("ublox", {"hex_mode": True}),
    ("ublox-r4", {"hex_mode": True}),
]
"""Every dialect with its own mode, then the others: settings of `Modem`."""


class Recorder(Peer):
    """Keeps what it hears, and says what it is given once it is connected."""

    def __init__(self, says: bytes = b"") -> None:
        self.says = says
        self.heard = bytearray()
        self.gone = False

    def opened(self, link: Any) -> None:
        super().opened(link)
        if self.says:
            link.send(self.says)

    def received(self, data: bytes) -> None:
        self.heard += data

    def closed(self) -> None:
        self.gone = True

    def say(self, data: bytes) -> None:
        self.link.send(data)

    def end(self) -> None:
        self.link.close()


class Far:
    """What a data call leads to: it keeps what it hears, and says what it is told."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.calls = self.ends = 0
        self.silent = False

    def begin(self, network: Any, to_host: Any, ended: Any) -> None:
        self.calls += 1
        self.say, self.leave = to_host, ended

    def end(self) -> None:
        self.ends += 1

    def transmit(self, data: bytes) -> None:
        self.heard += data


class TlsServer(Peer):
    """OpenSSL, which answers `got ` and what it heard, and closes when it hears nonsense."""

    def __init__(self, server: MemoryServer) -> None:
        self.server = server

    def received(self, data: bytes) -> None:
        failed = False
        try:
            self.server.receive(data)
            if self.server.established and (heard := self.server.read()):
                self.server.tls.write(b"got " + heard)
        except ssl.SSLError:
            failed = True
        if answer := self.server.take():
            self.link.send(answer)
        if self.server.got_close_notify or self.server.error or failed:
            self.link.close()


def modem(
    dialect: str,
    peer: Peer,
    *,
    faults: Faults | None = None,
    round_trip: float = 0.05,
    baud: int = 115200,
    **settings: Any,
) -> tuple[Modem, SimulatedModem]:
    """A modem whose every connection leads to `peer`."""
    network = Network(lambda host, port: peer, round_trip=round_trip)
    simulated = SimulatedModem(FAMILIES[dialect], network, baud=baud, faults=faults)
    return Modem(simulated, dialect, **settings), simulated
