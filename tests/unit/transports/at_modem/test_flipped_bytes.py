"""TLS over a modem whose link flips one byte, in every dialect, mode and stage: refused, and the link is suspected."""

from __future__ import annotations

from typing import Any

import pytest

from lighttls import Alert, BadRecordMac, DecryptError, LightTLSError, PeerAlert, Stream, Transport, explain
from support import pki
from support.memory_server import MemoryServer
from support.modem import MODES, TlsServer, modem

HELLO_DONE = 9  # bytes of a ServerHelloDone with its header; in front of it stands the server's signature


class Altered(TlsServer):
    """OpenSSL behind a link that flips a bit in the n-th flight of one side, `before` bytes ahead of its end."""

    def __init__(self, whose: str, number: int, before: int) -> None:
        super().__init__(MemoryServer())
        self._whose, self._left, self._before = whose, number, before
        self._said = 0  # bytes
        self.faults: Any = None

    def received(self, data: bytes) -> None:
        if self._is_next("client"):  # each of ours is short enough for one command
            data = data[: -self._before] + bytes((data[-self._before] ^ 1,)) + data[len(data) - self._before + 1 :]
        super().received(data)

    def opened(self, link: Any) -> None:
        super().opened(link)
        self.link = Counting(link, self)

    def says(self, data: bytes) -> None:
        self._said += len(data)
        if self._is_next("server"):
            self.faults.flipped_payload = [self._said - self._before]  # on the serial line

    def _is_next(self, whose: str) -> bool:
        self._left -= whose == self._whose
        return whose == self._whose and self._left == 0


class Counting:
    """A peer's link that tells what is sent over it."""

    def __init__(self, link: Any, owner: Altered) -> None:
        self.close, self._send, self._owner = link.close, link.send, owner

    def send(self, data: bytes) -> None:
        self._owner.says(data)
        self._send(data)


@pytest.mark.parametrize(
    ("whose", "number", "before", "kind"),
    [
        ("server", 1, HELLO_DONE + 5, DecryptError),  # its signature
        ("server", 2, 5, BadRecordMac),  # its Finished
        ("server", 3, 5, BadRecordMac),  # its data
        ("client", 1, 60, LightTLSError),  # somewhere in our ClientHello: what it means is the server's to say
        ("client", 2, 5, PeerAlert),  # our Finished
        ("client", 3, 5, PeerAlert),  # our data
    ],
    ids=["signature", "finished", "data", "our-hello", "our-finished", "our-data"],
)
@pytest.mark.parametrize(
    ("dialect", "settings"),
    MODES,
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else value,
)
def test_flipped_byte_is_refused_and_the_link_is_suspect(
    dialect: str, settings: dict[str, Any], whose: str, number: int, before: int, kind: type[LightTLSError]
) -> None:
    peer = Altered(whose, number, before)
    line, simulated = modem(dialect, peer, **settings)
    peer.faults = simulated.faults
    with pytest.raises(kind) as caught:
        talk(line.open_tcp("server.example", 443))
    if kind is PeerAlert:
        assert caught.value.description == Alert.BAD_RECORD_MAC  # type: ignore[attr-defined]
    assert "link" in explain(caught.value), explain(caught.value)
    simulated.timeline.run_until(simulated.monotonic() + 1)  # the server has heard of it, too
    assert line.open_tcp("server.example", 443).send(b"x") == 1  # the modem itself goes on


def talk(link: Transport) -> None:
    with Stream(link, pki.config(), "localhost", hold_flight=0) as tls:
        tls.sendall(b"hello")
        tls.recv(100)
