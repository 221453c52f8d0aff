"""Resident memory of an idle, established connection, beside one of `ssl`; each side in a process of its own.

Connections to one server share its certificates; to different ones each holds its own.
"""

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
BAR = 8 * 1024  # bytes
STATUS = Path("/proc/self/status")


def resident() -> int:
    """Bytes of this process in memory."""
    fields = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) * 1024


def bytes_per_connection(side: str, servers: str) -> int:
    """Make connections with "ssl" or an engine of ours to "one" or "different" servers, keep the clients only."""
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
            if servers == "different":
                context = world.server_context(known_intermediate=True)
            held.append(handshake(make_client, Server(context), ClientClock()))
        gc.collect()
        return (resident() - before) // CONNECTIONS


def in_own_process(side: str, servers: str) -> float:
    command = [sys.executable, "-m", "bench.bench_memory", side, servers]
    return float(subprocess.check_output(command, cwd=Path(__file__).parents[1]))


@pytest.mark.skipif(not STATUS.exists(), reason="only Linux tells a process's memory in /proc")
@pytest.mark.parametrize("servers", ["one", "different"])
def bench_idle_connection(benchmark: Any, report: Any, engine: str, servers: str) -> None:
    name = f"memory of an idle connection, {servers} server{'s' * (servers != 'one')} ({engine})"
    pairs = [(in_own_process(engine, servers), in_own_process("ssl", servers)) for _ in range(ROUNDS)]
    report(benchmark, name, summary(pairs), unit="KiB", scale=1 / 1024)
    if engine == "native":
        limit = summary([(ours, BAR) for ours, _ in pairs])
        report(benchmark, name, limit, against="the bar", unit="KiB", scale=1 / 1024, bar=1.0)
    benchmark.pedantic(in_own_process, args=(engine, servers), rounds=1)


if __name__ == "__main__":
    print(bytes_per_connection(sys.argv[1], sys.argv[2]))
