"""Print the multiples of G that key generation on P-384 reads: p384_table.c.

Run from the root of the repository after a change here (the output is committed):

    python csrc/tools/make_signed_comb_table.py > csrc/p384_table.c

Entry [u][m] is the sum of +-2^(64 i + 16 u) times G for i from 0 to 5: plus where bit i of m + 32 is set, else minus.
"""

from __future__ import annotations

from make_odd_tables import CURVES, Point, add

BLOCKS, TEETH, SPACING = 4, 6, 64
CURVE = CURVES["p384"]


def negative(point: Point) -> Point:
    return point[0], CURVE.p - point[1]


def table() -> list[list[Point]]:
    powers = [CURVE.base]  # powers[i] = 2^i times G
    while len(powers) < TEETH * SPACING:
        powers.append(add(CURVE, powers[-1], powers[-1]))
    blocks = []
    for first in range(0, SPACING, SPACING // BLOCKS):
        *lower, top = powers[first::SPACING]
        block = [top]
        for power in reversed(lower):
            block = [add(CURVE, entry, sign) for entry in block for sign in (negative(power), power)]
        blocks.append(block)
    return blocks


def words(point: Point) -> list[int]:
    """x and y times 2^384 for Montgomery's multiplication, as 64-bit words, least significant first."""
    return [(value << 384) % CURVE.p >> 64 * i & 2**64 - 1 for value in point for i in range(6)]


def print_block(block: list[Point]) -> None:
    print("    {")
    for entry in block:
        numbers = [f"0x{word:016x}" for word in words(entry)]
        rows = [", ".join(numbers[i : i + 4]) for i in range(0, len(numbers), 4)]
        print("        {" + ",\n         ".join(rows) + "},")
    print("    },")


def main() -> None:
    first, *others = table()
    print("/* x and y of multiples of G, times 2^384: made by tools/make_signed_comb_table.py. */")
    print('#include "p384_table.h"\n\n/* clang-format off */')
    print("const uint64_t lt_p384_table[P384_TABLE_BLOCKS][32][12] = {")
    print_block(first)
    print("#if P384_TABLE_BLOCKS > 1")
    for block in others:
        print_block(block)
    print("#endif\n};\n/* clang-format on */")


if __name__ == "__main__":
    main()
