"""Print the odd multiples of G that signature verification reads: p256_ or p384_odd_table_vartime.h, and
p256_multiples_table_vartime.h with those of 2^(8 i) G.

Run from the root of the repository after a change here (the output is committed):

    python csrc/tools/make_odd_tables.py p256 > csrc/p256_odd_table_vartime.h
    python csrc/tools/make_odd_tables.py p384 > csrc/p384_odd_table_vartime.h
    python csrc/tools/make_odd_tables.py p256_multiples > csrc/p256_multiples_table_vartime.h
"""

from __future__ import annotations

import sys
from typing import NamedTuple

Point = tuple[int, int]


class Curve(NamedTuple):
    """y^2 = x^3 - 3x + b modulo p, SP 800-186 section 3.2.1."""

    p: int
    base: Point
    words: int
    shifts: tuple[int, ...]  # bits of Montgomery's R in the kinds of field arithmetic that there are


CURVES = {
    "p256": Curve(
        2**256 - 2**224 + 2**192 + 2**96 - 1,
        (
            0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
            0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
        ),
        4,
        (260, 256),
    ),
    "p384": Curve(
        2**384 - 2**128 - 2**96 + 2**32 - 1,
        (
            0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
            0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
        ),
        6,
        (384,),
    ),
}

WIDTH = 7  # G_WIDTH of the C files


def add(curve: Curve, a: Point, b: Point) -> Point:
    """a + b, a != -b."""
    (x1, y1), (x2, y2), p = a, b, curve.p
    if a == b:
        slope = 3 * (x1 * x1 - 1) * pow(2 * y1, -1, p) % p
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, p) % p
    x = (slope * slope - x1 - x2) % p
    return x, (slope * (x1 - x) - y1) % p


def odd_multiples(curve: Curve, base: Point, count: int) -> list[Point]:
    """1, 3, 5, ... times a point."""
    twice = add(curve, base, base)
    points = [base]
    while len(points) < count:
        points.append(add(curve, points[-1], twice))
    return points


def blocks_of_multiples(curve: Curve) -> list[Point]:
    """1, 3, ..., 15 times 2^(8 i) G, for i below 32: what lt_p256_multiples_ifma_vartime makes of G."""
    points, base = [], curve.base
    for _ in range(32):
        points += odd_multiples(curve, base, 8)
        for _ in range(8):
            base = add(curve, base, base)
    return points


def print_table(name: str, curve: Curve, points: list[Point], shift: int) -> None:
    print(f"static const uint64_t {name}[{len(points)}][{2 * curve.words}] = {{")
    for point in points:
        words = [(value << shift) % curve.p >> 64 * i & 2**64 - 1 for value in point for i in range(curve.words)]
        rows = [", ".join(f"0x{word:016x}" for word in words[i : i + 4]) for i in range(0, len(words), 4)]
        print("    {" + ",\n     ".join(rows) + "},")
    print("};")


def print_head(what: str, guard: str) -> None:
    print(f"/* {what}: made by tools/make_odd_tables.py. */")
    print(f'#ifndef {guard}\n#define {guard}\n\n#include "inner.h"\n\n/* clang-format off */')


def main(name: str) -> None:
    if name == "p256_multiples":
        curve = CURVES["p256"]
        print_head(
            "1, 3, ..., 15 times 2^(8 i) G for p256_multiples_ifma_vartime.c", "LT_P256_MULTIPLES_TABLE_VARTIME_H"
        )
        print_table("p256_multiples_of_g", curve, blocks_of_multiples(curve), 260)
    else:
        curve = CURVES[name]
        macro = f"{name.upper()}_R_BITS"
        print_head(f"x and y of 1, 3, 5, ... times G, times 2^{macro}", f"LT_{name.upper()}_ODD_TABLE_VARTIME_H")
        for shift in curve.shifts:
            print(f"#if {macro} == {shift}")
            print_table(f"{name}_odd_multiples", curve, odd_multiples(curve, curve.base, 1 << (WIDTH - 2)), shift)
            print("#endif")
    print("/* clang-format on */\n\n#endif")


if __name__ == "__main__":
    main(sys.argv[1])
