"""Simulated modems: good enough to develop without the hardware, and to meet every fault on purpose."""

from lighttls.testing.modem.faults import Faults
from lighttls.testing.modem.module import LATENCY, Situation
from lighttls.testing.modem.network import Connection, Echo, Network, Peer, PeerLink, TcpPeer, tcp
from lighttls.testing.modem.ppp import PppNetwork
from lighttls.testing.modem.pty import Pty
from lighttls.testing.modem.simulator import MODULES, SerialLine, SimulatedModem
from lighttls.testing.modem.timeline import RealTimeline, Timeline

__all__ = [
    "LATENCY",
    "MODULES",
    "Connection",
    "Echo",
    "Faults",
    "Network",
    "Peer",
    "PeerLink",
    "PppNetwork",
    "Pty",
    "RealTimeline",
    "SerialLine",
    "SimulatedModem",
    "Situation",
    "TcpPeer",
    "Timeline",
    "tcp",
]
