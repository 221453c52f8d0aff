"""Print the multiples of the base points that key generation reads: x25519_, p256_ or p256_window_table.h.

Run from the root of the repository after a change here (the output is committed):

    python csrc/tools/make_comb_tables.py x25519 > csrc/x25519_table.h
    python csrc/tools/make_comb_tables.py p256 > csrc/p256_table.h
    python csrc/tools/make_comb_tables.py p256_window > csrc/p256_window_table.h

In combs, entry [u][m - 1] is the sum of 2^(64 i + 32 u) times the base point over the bits i that are set in m,
1 <= m <= 15. In windows, entry [i][m - 1] is m 2^(12 i) times the base point, 1 <= m <= 32.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

Point = tuple[int, int]

P25519 = 2**255 - 19
D25519 = -121665 * pow(121666, -1, P25519) % P25519  # RFC 7748 section 4.1
B25519: Point = (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
)

P256 = 2**256 - 2**224 + 2**192 + 2**96 - 1  # SP 800-186 section 3.2.1.3
G256: Point = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)


def add_edwards(a: Point | None, b: Point) -> Point:
    """a + b on -x^2 + y^2 = 1 + d x^2 y^2; None is the neutral element."""
    if a is None:
        return b
    (x1, y1), (x2, y2) = a, b
    t = D25519 * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + t, -1, P25519)
    y = (y1 * y2 + x1 * x2) * pow(1 - t, -1, P25519)
    return x % P25519, y % P25519


def add_weierstrass(a: Point | None, b: Point) -> Point:
    """a + b on y^2 = x^3 - 3 x + b, a != -b; None is the neutral element."""
    if a is None:
        return b
    (x1, y1), (x2, y2) = a, b
    if a == b:
        slope = 3 * (x1 * x1 - 1) * pow(2 * y1, -1, P256) % P256
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, P256) % P256
    x = (slope * slope - x1 - x2) % P256
    return x, (slope * (x1 - x) - y1) % P256


def edwards_words(point: Point) -> list[int]:
    """y + x, y - x, 2 d x y."""
    x, y = point
    return [word for value in (y + x, y - x, 2 * D25519 * x * y) for word in words(value % P25519)]


def montgomery_words(point: Point, bits: int) -> list[int]:
    """x, y, times R = 2^bits for Montgomery's multiplication."""
    return [word for value in point for word in words((value << bits) % P256)]


def words(value: int) -> list[int]:
    """The 256-bit number as four 64-bit words, least significant first."""
    return [value >> 64 * i & 2**64 - 1 for i in range(4)]


def table(base: Point, add: Callable[[Point | None, Point], Point]) -> list[list[Point]]:
    """Both blocks of the comb."""
    powers = [base]  # powers[i] = 2^i times the base point
    while len(powers) < 256:
        powers.append(add(powers[-1], powers[-1]))
    blocks = []
    for u in range(2):
        block = []
        for m in range(1, 16):
            total = None
            for i in range(4):
                if m >> i & 1:
                    total = add(total, powers[64 * i + 32 * u])
            assert total is not None
            block.append(total)
        blocks.append(block)
    return blocks


def windows() -> list[list[Point]]:
    """1 to 32 times 2^(12 i) G, for i below 22."""
    blocks = []
    base = G256
    for _ in range(22):
        block = [base]
        while len(block) < 32:
            block.append(add_weierstrass(block[-1], base))
        blocks.append(block)
        for _ in range(12):
            base = add_weierstrass(base, base)
    return blocks


def print_table(curve: str, blocks: list[list[list[int]]]) -> None:
    shape = "".join(f"[{size}]" for size in (len(blocks), len(blocks[0]), len(blocks[0][0])))
    print(f"static const uint64_t {curve}_table{shape} = {{")
    for block in blocks:
        print("    {")
        for entry in block:
            rows = [", ".join(f"0x{word:016x}" for word in entry[i : i + 4]) for i in range(0, len(entry), 4)]
            print("        {" + ",\n         ".join(rows) + "},")
        print("    },")
    print("};")


def main(curve: str) -> None:
    what = {
        "x25519": "y + x, y - x and 2 d x y of multiples of the Edwards form of u = 9",
        "p256": "x and y of multiples of G, in the Montgomery forms of both widths",
        "p256_window": "x and y of multiples of G for p256_adx.c, times 2^256",
    }[curve]
    guard = f"LT_{curve.upper()}_TABLE_H"
    print(f"/* {what}: made by tools/make_comb_tables.py. */")
    print(f'#ifndef {guard}\n#define {guard}\n\n#include "inner.h"\n\n/* clang-format off */')
    if curve == "x25519":
        print_table(curve, [[edwards_words(point) for point in block] for block in table(B25519, add_edwards)])
    elif curve == "p256_window":
        print_table(curve, [[montgomery_words(point, 256) for point in block] for block in windows()])
    else:
        points = table(G256, add_weierstrass)
        print("#if LT_LIMB64")
        print_table(curve, [[montgomery_words(point, 260) for point in block] for block in points])
        print("#else")
        print_table(curve, [[montgomery_words(point, 256) for point in block] for block in points])
        print("#endif")
    print("/* clang-format on */\n\n#endif")


if __name__ == "__main__":
    main(sys.argv[1])
