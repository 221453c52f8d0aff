"""One picture: bytes per second over the size of a message, for five libraries in the same rounds."""

from __future__ import annotations

import importlib
import importlib.util
import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench.bench_records import AES_128, Pair
from bench.picture import draw
from bench.sides import World
from support import require

SIZES = (16, 64, 256, 1350, 4096, 16384)
ROUNDS = 9
PICTURE = Path(".benchmarks", "throughput.svg")


class AeadAlone:
    """AES-128-GCM of `cryptography` with the nonce and additional data of a record, and nothing of TLS."""

    def __init__(self, direction: str, size: int, count: int) -> None:
        self._aead = AESGCM(os.urandom(16))
        self._opens = direction == "open"
        self._size, self._count = size, count

    def measured_round(self) -> float:
        texts = [os.urandom(self._size) for _ in range(self._count)]
        nonces = [os.urandom(12) for _ in texts]
        aad = os.urandom(13)
        work = self._aead.encrypt
        if self._opens:
            texts = [self._aead.encrypt(nonce, text, aad) for nonce, text in zip(nonces, texts, strict=True)]
            work = self._aead.decrypt
        began = time.thread_time_ns()
        for nonce, text in zip(nonces, texts, strict=True):
            work(nonce, text, aad)
        return (time.thread_time_ns() - began) / 1e9 / self._count


def sides(place: World, direction: str, size: int) -> dict[str, Callable[[], float]]:
    """Seconds per message of one round, by library."""
    count = max(20, min(400, (1 << 19) // size))
    makers: dict[str, Any] = {
        "lighttls": place.lighttls_client("native"),
        "ssl": place.ssl_client(),
        "pyOpenSSL": place.pyopenssl_client(),
    }
    if importlib.util.find_spec("rtls"):  # where its package has a build for the machine
        makers["rtls"] = place.ssl_client(importlib.import_module("rtls"))
    pairs = {name: Pair(make, place.fresh_server(), direction, size, count) for name, make in makers.items()}
    alone = AeadAlone(direction, size, count)
    return {name: pair.measured_round for name, pair in pairs.items()} | {
        "cryptography (AEAD alone)": alone.measured_round
    }


def bench_throughput_over_size(benchmark: Any, machine: dict[str, Any], world: Any, capsys: Any) -> None:
    require.native()
    place: World = world("ecdsa", suite=AES_128)
    curves: dict[str, dict[str, list[float]]] = {"seal": {}, "open": {}}
    for direction, lines in curves.items():
        for size in SIZES:
            rounds = sides(place, direction, size)
            seconds: dict[str, list[float]] = {name: [] for name in rounds}
            for number in range(ROUNDS):
                for name in list(rounds)[:: 1 if number % 2 else -1]:
                    seconds[name].append(rounds[name]())
            for name, measured in seconds.items():
                lines.setdefault(name, []).append(size / median(measured[1:]))  # the first round warms up
    PICTURE.parent.mkdir(exist_ok=True)
    draw(PICTURE, SIZES, curves, f"AES-128-GCM records, {machine['processor']}, {machine['processor_features']}")
    benchmark.extra_info.update(machine, bytes_per_second=curves, sizes=SIZES)
    with capsys.disabled():
        print(f"\nThroughput over size: {PICTURE}")
    benchmark.pedantic(sides(place, "seal", 16384)["lighttls"], rounds=3)
