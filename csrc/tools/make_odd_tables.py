"""Print the odd multiples of G that signature verification reads: p256_ or p384_odd_table_vartime.h.

Run from the root of the repository after a change here (the output is committed):

    python csrc/tools/make_odd_tables.py p256 > csrc/p256_odd_table_vartime.h
    python csrc/tools/make_odd_tables.py p384 > csrc/p384_odd_table_vartime.h
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


def odd_multiples(curve: Curve) -> list[Point]:
    """1, 3, 5, ..., 2^(WIDTH - 1) - 1 times G."""
    twice = add(curve, curve.base, curve.base)
    points = [curve.base]
    while len(points) < 1 << (WIDTH - 2):
        points.append(add(curve, points[-1], twice))
    return points


def print_table(name: str, curve: Curve, shift: int) -> None:
    points = odd_multiples(curve)
    print(f"static const uint64_t {name}_odd_multiples[{len(points)}][{2 * curve.words}] = {{")
    for point in points:
        words = [(value << shift) % curve.p >> 64 * i & 2**64 - 1 for value in point for i in range(curve.words)]
        rows = [", ".join(f"0x{word:016x}" for word in words[i : i + 4]) for i in range(0, len(words), 4)]
        print("    {" + ",\n     ".join(rows) + "},")
    print("};")


def main(name: str) -> None:
    curve = CURVES[name]
    guard = f"LT_{name.upper()}_ODD_TABLE_VARTIME_H"
    print(f"/* x and y of 1, 3, 5, ... times G, times 2^{name.upper()}_R_BITS: made by tools/make_odd_tables.py. */")
    print(f'#ifndef {guard}\n#define {guard}\n\n#include "inner.h"\n\n/* clang-format off */')
    for shift in curve.shifts:
        print(f"#if {name.upper()}_R_BITS == {shift}")
        print_table(name, curve, shift)
        print("#endif")
    print("/* clang-format on */\n\n#endif")


if __name__ == "__main__":
    main(sys.argv[1])
