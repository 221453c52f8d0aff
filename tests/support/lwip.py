"""lwIP for tests: built once into the user's cache, as two modules, so that two stacks can face each other."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from lighttls.transports.lwip import Connection, Interface, Stack
from support import require
from support.require import REPOSITORY

NAMES = ("lwip_one", "lwip_two")
_ONE_AT_A_TIME = threading.Lock()
KEPT = 86_400.0  # seconds after its last use that a build may be thrown away
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lighttls" / "lwip"


def source() -> Path:
    """lwIP's source tree: LIGHTTLS_LWIP_SOURCE, or what `make deps` fetched."""
    named = os.environ.get("LIGHTTLS_LWIP_SOURCE")
    found = [Path(named)] if named else sorted(CACHE.glob("lwip-*/src/core/tcp_in.c"))
    if not found:
        return require.missing("no source of lwIP here", "make deps, or set LIGHTTLS_LWIP_SOURCE")
    return found[-1] if named else found[-1].parents[2]


@cache
def cores() -> tuple[ModuleType, ModuleType]:
    """Two copies of the extension: those in LIGHTTLS_LWIP_MODULES, or else built from the source."""
    given = os.environ.get("LIGHTTLS_LWIP_MODULES")
    folder = Path(given) if given else folder_of(source(), *NAMES)
    one, two = (_load(folder, name) for name in NAMES)
    return one, two


@contextlib.contextmanager
def held() -> Iterator[tuple[ModuleType, ModuleType]]:
    """Both copies, for as long as no other thread of this process has them."""
    with _ONE_AT_A_TIME:
        yield cores()


@cache
def library_core() -> ModuleType:
    """The extension over the library that Debian built."""
    if not Path("/usr/include/lwip/lwipopts.h").exists():
        require.missing("no lwIP of Debian's here", "make deps")
    return _load(folder_of(Path("system"), "lwip_library"), "lwip_library")


def folder_of(tree: Path, *names: str) -> Path:
    """Where modules of those names are, built unless they are there already: by one process, while others wait."""
    if sys.platform == "win32":
        pytest.skip("lwIP is not built on Windows: the shim takes its random numbers from POSIX")
    import fcntl

    require.command("gcc")
    shim = REPOSITORY / "csrc" / "lwip"
    digest = hashlib.sha256(f"{sys.version} {tree}".encode())
    for path in sorted([*shim.rglob("*.[ch]"), shim / "build_ffi.py", *tree.glob("src/**/*.[ch]")]):
        digest.update(path.read_bytes())
    folder = CACHE / f"built-{digest.hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            command = [sys.executable, str(shim / "build_ffi.py"), "--source", str(tree), "--into", str(folder), *names]
            done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
            assert done.returncode == 0, done.stdout + done.stderr
            (folder / "done").touch()
            for old in CACHE.glob("built-*/lock"):
                if time.time() - old.stat().st_mtime > KEPT:
                    shutil.rmtree(old.parent, ignore_errors=True)
    return folder


def _load(folder: Path, name: str) -> ModuleType:
    path = next(found for suffix in EXTENSION_SUFFIXES if (found := folder / (name + suffix)).exists())
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Together:
    """Two stacks on one clock, with something between them."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.stacks = tuple(Stack(core, clock=self.clock) for core in cores())

    def step(self) -> bool:
        """Carry what waits on both sides; False if nothing did."""
        raise NotImplementedError

    def run(self, until: Callable[[], object], *, patience: float = 300.0) -> None:
        """Carry what waits and let time pass until something is so; `patience` is in seconds of that time."""
        end = self.clock.seconds + patience
        while not until():
            if not self.step():
                waits = [wait for stack in self.stacks if (wait := stack.run()) is not None]
                self.clock.seconds += max(min(waits, default=1.0), 0.001)
                assert self.clock.seconds < end, "nothing happens any more"


class Wire(Together):
    """Two stacks with a link between them: 10.77.0.1 and fd77::1 at one end, 10.77.0.2 and fd77::2 at the other.

    `mishap` is asked about each frame, and returns what arrives in its place: nothing, itself, copies.
    """

    def __init__(self, *, packets: bool = False, mtu: int = 1500) -> None:
        super().__init__()
        self.ends: list[Interface] = []
        self.mishap: Callable[[bytes], list[bytes]] = lambda frame: [frame]
        self.carried = 0
        for number, stack in enumerate(self.stacks, 1):
            end = stack.add_interface(mac=None if packets else bytes([2, 0, 0, 0, 0, number]), mtu=mtu)
            end.add_address(f"10.77.0.{number}/24")
            end.add_address(f"fd77::{number}/64")
            self.ends.append(end)

    def step(self) -> bool:
        moved = False
        for here, there in (self.ends, self.ends[::-1]):
            for frame in here.frames_to_send():
                moved = True
                for arrived in self.mishap(frame):
                    self.carried += 1
                    there.receive(arrived)
        return moved

    def pass_time(self, seconds: float) -> None:
        end = self.clock.seconds + seconds
        self.run(lambda: self.clock.seconds >= end, patience=seconds + 60)

    def close(self) -> None:
        for stack in self.stacks:
            stack.close()


@contextlib.contextmanager
def wired(**settings: object) -> Iterator[Wire]:
    wire = Wire(**settings)  # type: ignore[arg-type]
    try:
        yield wire
    finally:
        wire.close()


def unreliable(
    seed: int, *, lost: float = 0.0, doubled: float = 0.0, swapped: float = 0.0
) -> Callable[[bytes], list[bytes]]:
    """Mishaps by chance, the same in each run: how often a frame is lost, comes twice, or after its successor."""
    chance = random.Random(seed)
    held: list[bytes] = []

    def mishap(frame: bytes) -> list[bytes]:
        if chance.random() < lost:
            return []
        if not held and chance.random() < swapped:
            held.append(frame)
            return []
        arriving = [frame, *held]
        held.clear()
        return arriving * 2 if chance.random() < doubled else arriving

    return mishap


def payload(size: int, name: str = "payload") -> bytes:
    return hashlib.shake_256(name.encode()).digest(size)


def joined(wire: Wire, address: str = "10.77.0.2") -> tuple[Connection, Connection]:
    """A connection from the first stack to the second: both ends."""
    listener = wire.stacks[1].listen()
    ours = wire.stacks[0].connect(address, listener.port)
    wire.run(lambda: ours.established)
    theirs: list[Connection] = []
    wire.run(lambda: (one := listener.accept()) is not None and not theirs.append(one))
    listener.close()
    return ours, theirs[0]


class Pour:
    """`data` from one end to the other, as fast as both take it."""

    def __init__(self, source: Connection, sink: Connection, data: bytes, piece: int = 65536) -> None:
        self._source, self._sink, self._data, self._piece = source, sink, data, piece
        self._sent = 0
        self.arrived = bytearray()

    def __call__(self) -> bool:
        while self._sent < len(self._data):
            taken = self._source.send(self._data[self._sent : self._sent + self._piece])
            if not taken:
                break
            self._sent += taken
        while data := self._sink.receive(self._piece):
            self.arrived += data
        return len(self.arrived) >= len(self._data)


def pour(wire: Wire, source: Connection, sink: Connection, data: bytes, piece: int = 65536) -> None:
    poured = Pour(source, sink, data, piece)
    wire.run(poured)
    assert poured.arrived == data
