"""The stated bounds of the field arithmetic in csrc/ hold, and a planted mistake of any kind is found.

contracts.py says what contracts can say. Every path through a function is taken, with its pointers equal in every way
they may be, and the numbers on it are polynomials with bounds; nothing is sampled. What this proves is about
the C source under the rules of C for a compiler that follows them; inline assembly is not looked into.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bounds.check import check_function, check_unit
from bounds.source import Unit, parse
from support import require

CSRC = require.REPOSITORY / "csrc"
FORCE_32BIT = "-DLT_FORCE_32BIT"

FILES = [
    ("x25519.c", ()),
    ("x25519.c", (FORCE_32BIT,)),
    ("x25519_base.c", ()),
    ("x25519_base.c", (FORCE_32BIT,)),
    ("p256.c", ()),
    ("p256.c", (FORCE_32BIT,)),
    ("p384.c", ()),
    ("p384.c", (FORCE_32BIT,)),
    ("poly1305.c", ()),
    ("poly1305.c", (FORCE_32BIT,)),
]

MUST_HOLD = {
    "x25519.c": {"fe25519_mul", "fe25519_square", "fe25519_mul_a24", "fe25519_to_words", "fe25519_sub", "ladder_step"},
    "x25519_base.c": {"fe25519_invert", "edwards_double", "edwards_add", "read_table"},
    "p256.c": {"fe256_mul", "fe256_to_words", "fe256_sub", "fe256_fold", "p256_double", "p256_add", "p256_add_affine"},
    "p384.c": {"fe384_add", "fe384_sub", "fe384_product", "fe384_set_if", "fe384_reduce", "fe384_mul"},
    "poly1305.c": {"absorb_blocks"},
}
"""Functions that must be among those with a contract: a comment that no longer parses would pass unseen otherwise."""


def unit(path: Path, flags: tuple[str, ...]) -> Unit:
    require.command("gcc")
    return parse(path, flags)


@pytest.mark.parametrize(("name", "flags"), FILES, ids=lambda value: "".join(value))
def test_stated_bounds_and_equations_hold(name: str, flags: tuple[str, ...]) -> None:
    reports = check_unit(unit(CSRC / name, flags))
    assert {report.function: report.findings for report in reports if report.findings} == {}
    assert {report.function for report in reports} >= MUST_HOLD[name]


MUTANTS = [
    # file that is changed, how it is compiled, function that must fail, what stands there, what is planted
    ("x25519_field64.h", "x25519.c", (), "fe25519_mul", "r >>= 51;\n    r += (lt_u128)a0 * b2",
     "r += (lt_u128)a0 * b2"),
    ("x25519_field64.h", "x25519.c", (), "fe25519_mul", "c3 = 19 * b3", "c3 = 18 * b3"),
    ("x25519_field64.h", "x25519.c", (), "fe25519_mul", "  loose   limbs < 2^54", "  loose   limbs < 2^58"),
    ("x25519_field64.h", "x25519.c", (), "fe25519_square", "e4 = 2 * c4", "e4 = c4"),
    ("x25519_field64.h", "x25519.c", (), "fe25519_sub", "b limbs < 2^53 - 76", "b limbs < 2^53"),
    ("x25519_field64.h", "x25519.c", (), "fe25519_sub", "<< 53) - 76) - b", "<< 53) - 75) - b"),
    ("x25519_field64.h", "x25519.c", (), "fe25519_add", "in: limbs < 2^53", "in: limbs < 2^54"),
    ("x25519_field64.h", "x25519.c", (), "fe25519_wrap", "above < 2^59 + 2^58", "above < 2^60"),
    ("x25519_field64.h", "x25519.c", (), "fe25519_wrap", "out->v[1] < 2^51 + 2^13", "out->v[1] < 2^51 + 2^12"),
    ("x25519_field64.h", "x25519.c", (), "fe25519_to_words", "carry = 19;", "carry = 18;"),
    ("x25519_field64.h", "x25519.c", (), "fe25519_to_words", "h[0] += 19 * carry;", "h[0] += carry;"),
    ("x25519_field64.h", "x25519.c", (), "fe25519_from_words", "w[2] << 26", "w[2] << 25"),
    ("x25519_field64.h", "x25519.c", (), "fe25519_swap", "b->v[i] ^= difference;", ""),
    ("x25519_field64.h", "x25519.c", (), "ladder_step", "  tight   limbs < 2^51 + 2^13", "  tight   limbs < 2^53"),
    ("x25519.c", "x25519.c", (), "ladder_step", "fe25519_mul_a24(&s->a, &s->e);", "fe25519_add(&s->a, &s->e, &s->e);"),
    ("x25519_base.c", "x25519_base.c", (), "edwards_double", "fe25519_add(&s->f, &s->f, &s->a);",
     "fe25519_add(&s->f, &s->f, &s->a);\n    fe25519_add(&s->f, &s->f, &s->a);"),
    ("words32.h", "x25519.c", (FORCE_32BIT,), "words32_mul", "uint64_t carry = 0;\n\n        for",
     "uint64_t carry = 1;\n\n        for"),
    ("words32.h", "x25519.c", (FORCE_32BIT,), "words32_sub", "difference >> 63", "difference >> 62 & 2"),
    ("x25519_field32.h", "x25519.c", (FORCE_32BIT,), "fe25519_fold", "a->v[0] += 38 * carry;", ""),
    ("x25519_field32.h", "x25519.c", (FORCE_32BIT,), "fe25519_fold", "excess < 2^17", "excess < 2^28"),
    ("x25519_field32.h", "x25519.c", (FORCE_32BIT,), "fe25519_sub", "out->v[0] -= 38 * (uint32_t)less;", ""),
    ("x25519_field32.h", "x25519.c", (FORCE_32BIT,), "fe25519_mul", "product[i + 8] * 38", "product[i + 8] * 19"),
    ("x25519_field32.h", "x25519.c", (FORCE_32BIT,), "fe25519_to_words", "&low, 19);\n    top", "&low, 18);\n    top"),
    ("p256_field64.h", "p256.c", (), "fe256_mul", "a b < 16p^2", "a b < 32p^2"),
    ("p256_field64.h", "p256.c", (), "fe256_mul", "in: limbs < 2^56, a b", "in: limbs < 2^63, a b"),
    ("p256_field64.h", "p256.c", (), "fe256_mul", "(lt_u128)a4 * b1 + fe256_high_part(q2, q1)",
     "(lt_u128)a4 * b1 + fe256_high_part(q1, q2)"),
    ("p256_field64.h", "p256.c", (), "fe256_square", "value < 4p", "value < 5p"),
    ("p256_field64.h", "p256.c", (), "fe256_fold", "t3 += t2 >> 52;", ""),
    ("p256_field64.h", "p256.c", (), "fe256_fold", "  loose   limbs < 2^56", "  loose   limbs < 2^64"),
    ("p256_field64.h", "p256.c", (), "fe256_sub", "- ((uint64_t)1 << 17) - 1) - b->v[4]",
     "- ((uint64_t)1 << 17) - 2) - b->v[4]"),
    ("p256_field64.h", "p256.c", (), "fe256_sub", "tight   limbs < 2^52, value < 2p - 2^223",
     "tight   limbs < 2^52, value < 2p + 2^226"),
    ("p256_field64.h", "p256.c", (), "fe256_to_words", "0x0000001000000000", "0x0000001000000001"),
    ("p256_field64.h", "p256.c", (), "fe256_clear", "result < 2^97", "result < 2^95"),
    ("p256_point.h", "p256.c", (), "p256_double", "fe256_fold(&s->a, &s->a);       /* M", "/* M"),
    ("p256_point.h", "p256.c", (), "p256_add_tail", "s->d below 4p", "s->d below 5p"),
    ("p256_point.h", "p256.c", (), "p256_add", "fe256_mul(&s->a, &a->x, &s->e); /* U */",
     "s->a = a->x;\n fe256_add(&s->a, &s->a, &s->e);"),
    ("p256_field32.h", "p256.c", (FORCE_32BIT,), "fe256_reduce_limb", "t[6] + q;", "t[6];"),
    ("p256_field32.h", "p256.c", (FORCE_32BIT,), "fe256_subtract_p", "top | (borrow ^ 1)", "borrow ^ 1"),
    ("p256_field32.h", "p256.c", (FORCE_32BIT,), "fe256_subtract_p", "2^256 top + a < 2p", "2^256 top + a < 2p + 1"),
    ("p256_field32.h", "p256.c", (FORCE_32BIT,), "fe256_sub", "words32_set_if(0 - (uint64_t)borrow",
     "words32_set_if(0 * (uint64_t)borrow"),
    ("p256_field32.h", "p256.c", (FORCE_32BIT,), "fe256_mul", "i < 8; i++) {\n        fe256_reduce",
     "i < 7; i++) {\n        fe256_reduce"),
    ("poly1305.c", "poly1305.c", (), "absorb_blocks", "poly->r[0] < 2^60", "poly->r[0] < 2^62"),
    ("poly1305.c", "poly1305.c", (), "absorb_blocks", "h2 = (h2 & 3) +", "h2 = (h2 & 7) +"),
    ("poly1305.c", "poly1305.c", (), "absorb_blocks", "invariant: h2 <= 4,", "invariant: h2 <= 3,"),
    ("poly1305.c", "poly1305.c", (), "absorb_blocks", "invariant: h2 <= 4,", "invariant: h2 <= 400,"),
    ("poly1305.c", "poly1305.c", (), "absorb_blocks", "d1 += (uint64_t)(d0 >> 64);", ""),
    ("poly1305.c", "poly1305.c", (), "absorb_blocks", "carry = add(&h0, (h2", "carry = 0; (void)add(&h0, (h2"),
    ("poly1305.c", "poly1305.c", (FORCE_32BIT,), "absorb_blocks", "poly->r[0] < 2^28", "poly->r[0] < 2^30"),
    ("poly1305.c", "poly1305.c", (FORCE_32BIT,), "absorb_blocks", "h[4] += (uint32_t)(d[3] >> 32);", ""),
    ("poly1305.c", "poly1305.c", (FORCE_32BIT,), "absorb_blocks", "h[4] = (h[4] & 3) +", "h[4] +="),
    ("p384_field64.h", "p384.c", (), "fe384_add", "+ b->v[5] + (uint64_t)(t >> 64)", "+ b->v[5]"),
    ("p384_field64.h", "p384.c", (), "fe384_sub", "(lt_u128)a->v[3] - b->v[3] - (uint64_t)(t >> 127)",
     "(lt_u128)a->v[3] - b->v[3]"),
    ("p384_field64.h", "p384.c", (), "fe384_divide", "s->x1 + b - c - h", "s->x1 - b - c - h"),
    ("p384_field64.h", "p384.c", (), "fe384_divide", "s->x1 + b - c - h", "s->x1 + b - h"),
    ("p384_field64.h", "p384.c", (), "fe384_divide", "(h << 32) + d0;", "(h << 32) + d1;"),
    ("p384_field64.h", "p384.c", (), "fe384_divide", "out: s->x1 < 2^33", "out: s->x1 < 2^32"),
    ("p384_field64.h", "p384.c", (), "fe384_quotient", "out: rest[2] < 2,", "out: rest[2] < 1,"),
    ("p384_field64.h", "p384.c", (), "fe384_quotient", "bit64 - 1 + fe384_one[1]", "bit64 + fe384_one[1]"),
    ("p384_field64.h", "p384.c", (), "fe384_quotient", "- (uint64_t)(n >> 64);", ";"),
    ("p384_field64.h", "p384.c", (), "fe384_reduce", "in: any, product < p^2", "in: any, product < 2p^2"),
    ("p384_field64.h", "p384.c", (), "fe384_reduce", "product[9] + q[3] + (uint64_t)(t >> 64)", "product[9] + q[3]"),
    ("p384_field32.h", "p384.c", (FORCE_32BIT,), "fe384_reduce", "product < p^2", "product < 2p^2"),
    ("p384_field32.h", "p384.c", (FORCE_32BIT,), "fe384_reduce", "i >= 3 && i < 15", "i >= 3 && i < 14"),
    ("p384_field32.h", "p384.c", (FORCE_32BIT,), "fe384_reduce", "carry = 2;", "carry = 1;"),
    ("p384_field32.h", "p384.c", (FORCE_32BIT,), "fe384_subtract_p", "top | (borrow ^ 1)", "borrow ^ 1"),
    ("p384_field32.h", "p384.c", (FORCE_32BIT,), "fe384_product", "product[i + 12] = (uint32_t)carry;",
     "product[i + 12] = 0;"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "compiled", "flags", "function", "original", "planted"),
    MUTANTS,
    ids=[f"{row[0]}-{row[3]}-{i}" for i, row in enumerate(MUTANTS)],
)
def test_planted_mistake_is_found(
    tmp_path: Path, changed: str, compiled: str, flags: tuple[str, ...], function: str, original: str, planted: str
) -> None:
    for header in (*CSRC.glob("*.h"), CSRC / compiled):
        shutil.copy(header, tmp_path)
    source = (tmp_path / changed).read_text()
    assert source.count(original) == 1, "the planted mistake no longer fits the source"
    (tmp_path / changed).write_text(source.replace(original, planted))
    assert check_function(unit(tmp_path / compiled, flags), function).findings


def test_function_with_inline_assembly_is_not_called_proven() -> None:
    """Its bounds are assumed where it is called; the vectors and sanitizers are what speaks for it."""
    adx = unit(CSRC / "p256_field_adx.h", ())
    assert "not proven" in check_function(adx, "fe256adx_add").findings[0]
