"""What the matrix must know of a server: how to find and start it, and what it cannot do.

A peer is a server program that others wrote, or a small program of ours on a library that others
wrote (tests/interop/servers/). Each is one file of this folder.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from interop.cells import Cell
from lighttls import CipherSuite, LightTLSError, TLSSocket
from lighttls.testing import ec_key, issue
from support import pki

SERVERS = Path(__file__).parents[1] / "servers"

Setup = tuple[str, ...]
Word = str | Path


@dataclass(frozen=True)
class Lack:
    """Why a peer does not do what an axis asks for, and how that shows."""

    why: str  # stands in docs/interop.md
    error: type[LightTLSError] | None = None  # what ends the connection; None: it goes on without


class Refused(Exception):
    """A server that completes the handshake turns us away in its own protocol."""


class Files:
    """The certificates of a run as files, and a folder for whatever else a server needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        certificates = pki.shared()
        p384_server = issue("localhost", ec_key("secp384r1"), issuer=certificates.intermediate, dns_names=["localhost"])
        leaves = {"ecdsa": certificates.ecdsa_server, "ecdsa384": p384_server, "rsa": certificates.rsa_server}
        for kind, leaf in leaves.items():
            self.chain(kind).write_bytes(certificates.server_chain(leaf))
            self.key(kind).write_bytes(leaf.key.to_pem())
        self.clients.write_bytes(certificates.device_ca.to_pem())

    def chain(self, kind: str) -> Path:
        """PEM: the server's certificate with a key of that kind (`Cell.server_key`), and the intermediate."""
        return self.folder / f"{kind}-chain.pem"

    def key(self, kind: str) -> Path:
        """PEM, PKCS #8: the key of that certificate."""
        return self.folder / f"{kind}-key.pem"

    @property
    def clients(self) -> Path:
        """PEM: the authority of our client certificates."""
        return self.folder / "clients.pem"

    def write(self, name: str, text: str) -> Path:
        """A file of the peer's own, such as its configuration."""
        path = self.folder / name
        path.write_text(text)
        return path


class Peer:
    """One kind of server."""

    name: str
    in_ci = False
    ready: str | None = r"^ready (\d+)$"
    """The line of output that says the port. None: we choose the port and try until it answers."""
    settings: Mapping[str, Any] = MappingProxyType({})
    """What our configuration needs besides to meet it."""
    notes: Sequence[str] = ()
    """In which other ways it differs from what a client may expect; for docs/interop.md."""
    is_patient = True
    """Whether it waits for a record that comes in hundreds of pieces."""
    joins_fragments = True
    """Whether it takes handshake messages in pieces of any length, as RFC 5246 §6.2.1 has it."""

    lengths: Sequence[int] = (1, 1000, 20_000)
    """Bytes of application data that come and go at a time."""

    def missing(self) -> str:
        """What this machine lacks to run it; empty if nothing."""
        raise NotImplementedError

    def version(self) -> str:
        raise NotImplementedError

    def setup(self, cell: Cell, files: Files) -> Setup:
        """All that the process must know of a cell: cells with equal setups are run on one process."""
        raise NotImplementedError

    def command(self, setup: Setup, files: Files, port: int) -> Sequence[Word]:
        """What to run for a setup; `port` is 0 where the server chooses."""
        raise NotImplementedError

    def psk_setup(self, identity: str, key: bytes, files: Files) -> Setup | None:
        """As `setup`, for a process that shares a key with us; None if there is no such thing over TLS 1.2."""
        return None

    def lacks_psk(self, suite: CipherSuite) -> str:
        """Why it has not this suite with a pre-shared key; empty if it has."""
        return f"{self.name} has no pre-shared keys"

    def lacks(self, cell: Cell) -> dict[str, Lack]:
        """By axis of the matrix, what of this cell the peer may fail to do. Whatever is not here must work."""
        return {}

    def talk(self, tls: TLSSocket) -> None:
        """Application data both ways, short and longer than a record; here with a server that echoes."""
        for length in self.lengths:
            data = (bytes(range(256)) * length)[:length]
            tls.sendall(data)
            assert receive(tls, length) == data

    def seen(self, log: str) -> dict[str, str]:
        """What the server says of its latest connection: any of suite, group, resumed (yes, no), client (CN, or -)."""
        lines = re.findall(r"^connected (.*)$", log, re.MULTILINE)
        return dict(word.split("=", 1) for word in lines[-1].split()) if lines else {}


class OwnServer(Peer):
    """A program of tests/interop/servers/. They all have the same arguments, in pairs and any order:

    --chain, --key: PEM files · --clients: demand a certificate by this authority · --group: the preferred one

    They print `ready PORT`, for each handshake a line that `Peer.seen` reads (`connected suite=…`) or `failed …`, echo
    what they read, answer close_notify with theirs, and end when their standard input does.
    """

    def program(self, files: Files) -> Sequence[Word]:
        """The beginning of the command, after whatever had to be compiled."""
        raise NotImplementedError

    def setup(self, cell: Cell, files: Files) -> Setup:
        words = ["--chain", files.chain(cell.server_key), "--key", files.key(cell.server_key)]
        words += ["--group", cell.group.name.lower()]
        if cell.device != "none":
            words += ["--clients", files.clients]
        return tuple(map(str, words))

    def command(self, setup: Setup, files: Files, port: int) -> Sequence[Word]:
        return (*self.program(files), *setup)

    def seen(self, log: str) -> dict[str, str]:
        found = super().seen(log)
        assert "suite" in found, f"the server does not say what it saw: {log!r}"
        return found


def exchange_lines(tls: TLSSocket, step: int = 1) -> None:
    """Lines of text, for a server that answers each with itself, or with step -1 with its reverse."""
    for length in (1, 1000, 15_000):
        line = (b"0123456789abcdef" * length)[:length]
        tls.sendall(line + b"\n")
        assert receive(tls, length + 1) == line[::step] + b"\n"


def receive(tls: TLSSocket, length: int) -> bytes:
    """So many bytes; an early end is an error."""
    data = bytearray()
    while len(data) < length:
        part = tls.recv(length - len(data))
        assert part, f"the server closed after {len(data)} of {length} bytes"
        data += part
    return bytes(data)


def find(program: str) -> str | None:
    """A program's path; servers often stand in sbin, which not every user's PATH has."""
    return shutil.which(program) or shutil.which(program, path="/usr/local/sbin:/usr/sbin:/sbin")


def missing_program(*programs: str) -> str:
    """What to say if one of these is not there."""
    return ", ".join(f"no `{program}` here" for program in programs if find(program) is None)


@cache
def output(*command: Word) -> str:
    """What a command prints, on whichever stream."""
    done = subprocess.run(
        [str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    return done.stdout + done.stderr


def first(pattern: str, text: str) -> str:
    """The first group of the first match: how versions are picked from what programs say."""
    found = re.search(pattern, text)
    assert found, f"nothing like {pattern} in {text!r}"
    return found[1]


@cache
def debian_version(package: str) -> str:
    """The upstream version of an installed package, for programs that cannot say it."""
    full = output("dpkg-query", "-W", "-f", "${Version}", package)
    return full.rpartition(":")[2].rpartition("-")[0].partition("+")[0] or full


def no_ecdhe_psk_with_aes(library: str, suite: CipherSuite) -> str:
    """What `lacks_psk` says for the libraries that have all suites but those of RFC 8442."""
    return (
        f"{library} has no ECDHE_PSK with AES-GCM or AES-CCM" if suite.name.startswith("TLS_ECDHE_PSK_WITH_AES") else ""
    )
