"""Resident memory of an idle, established connection, beside one of `ssl`; each side in a process of its own."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from bench.compare import summary
from bench.sides import ClientClock, Server, World, handshake

CONNECTIONS = 400
WARM_UP = 50  # the first ones pay for what all share, and for room that freed servers leave to the next
ROUNDS = 3
STATUS = Path("/proc/self/status")


def resident() -> int:
    """Bytes of this process in memory."""
    fields = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) * 1024


def bytes_per_connection(side: str) -> int:
    """Make connections with "ssl" or an engine of ours, keep the clients only, and see what they take."""
    with TemporaryDirectory() as folder:
        world = World("ecdsa", Path(folder))
        make_client = world.ssl_client() if side == "ssl" else world.lighttls_client(side)
        context = world.server_context()
        held = []
        before = 0
        for number in range(WARM_UP + CONNECTIONS):
            if number == WARM_UP:
                gc.collect()
                before = resident()
            held.append(handshake(make_client, Server(context), ClientClock()))
        gc.collect()
        return (resident() - before) // CONNECTIONS


def in_own_process(side: str) -> float:
    command = [sys.executable, "-m", "bench.bench_memory", side]
    return float(subprocess.check_output(command, cwd=Path(__file__).parents[1]))


@pytest.mark.skipif(not STATUS.exists(), reason="only Linux tells a process's memory in /proc")
def bench_idle_connection(benchmark: Any, report: Any, engine: str) -> None:
    pairs = [(in_own_process(engine), in_own_process("ssl")) for _ in range(ROUNDS)]
    report(benchmark, f"memory of an idle connection ({engine})", summary(pairs), unit="KiB", scale=1 / 1024)
    benchmark.pedantic(in_own_process, args=(engine,), rounds=1)


if __name__ == "__main__":
    print(bytes_per_connection(sys.argv[1]))
