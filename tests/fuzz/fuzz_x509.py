"""Fuzzing of the x509 room by atheris, which is libFuzzer for Python: PYTHONPATH=src:tests python -m fuzz.fuzz_x509 …

The arguments are libFuzzer's: folders to read inputs from, the first of which takes new ones, and options. Half of
the changes are libFuzzer's own, half know DER (der_mutations.py); what one input means stands in x509_target.py.
"""

from __future__ import annotations

import sys
from random import Random

import atheris

with atheris.instrument_imports(include=["lighttls"]):
    from fuzz import der_mutations, x509_target

from fuzz import x509_seeds

OTHERS = [seed[2:] for seed in x509_seeds.seeds()]


def changed(data: bytes, max_size: int, seed: int) -> bytes:
    """One input made of another (libFuzzer's custom mutator)."""
    random = Random(seed)
    if random.random() < 0.5 or len(data) < 3:
        changed: bytes = atheris.Mutate(data, max_size)
        return changed
    return data[:2] + der_mutations.mutated(data[2:], random, OTHERS)[: max_size - 2]


if __name__ == "__main__":
    atheris.Setup(sys.argv, x509_target.judge, custom_mutator=changed)
    atheris.Fuzz()
