"""The stated bounds of the field arithmetic in csrc/ hold, and a planted mistake of any kind is found.

contracts.py says what contracts can say. Every path through a function is taken, with its pointers equal in every way
they may be, and the numbers on it are polynomials with bounds; nothing is sampled. Vector code is run in one lane that
stands for all, on the instructions as model/immintrin.h has them: bounds hold in every lane, and so do equations of
what stays in its lane. Which lane a shuffle or blend takes is not looked into, nor is which power of r meets which
block: published vectors and comparison with the portable code speak for that.

What this proves is about the C source under the rules of C for a compiler that follows them. Not proven is inline
assembly, the ADX code of P-256 and P-384: tests compare it with the portable code.
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
X86 = ("-D__x86_64__=1",)
MULTIPLES = "p256_multiples_ifma_vartime.c"

FILES = [
    ("x25519.c", ()),
    ("x25519.c", (FORCE_32BIT,)),
    ("x25519_base.c", ()),
    ("x25519_base.c", (FORCE_32BIT,)),
    ("p256.c", ()),
    ("p256.c", (FORCE_32BIT,)),
    ("p384.c", ()),
    ("p384.c", (FORCE_32BIT,)),
    ("signing_key.c", ()),
    ("poly1305.c", ()),
    ("poly1305.c", (FORCE_32BIT,)),
    ("poly1305_avx2.c", X86),
    ("poly1305_ifma.c", X86),
    ("x25519_ifma.c", X86),
    ("p256_ifma_vartime.c", X86),
    (MULTIPLES, X86),
]

MUST_HOLD = {
    "x25519.c": {"fe25519_mul", "fe25519_square", "fe25519_mul_a24", "fe25519_to_words", "fe25519_sub", "ladder_step"},
    "x25519_base.c": {"fe25519_invert", "edwards_double", "edwards_add", "read_table"},
    "p256.c": {"fe256_mul", "fe256_to_words", "fe256_sub", "fe256_fold", "p256_double", "p256_add", "p256_add_affine"},
    "p384.c": {"fe384_add", "fe384_sub", "fe384_product", "fe384_set_if", "fe384_reduce", "fe384_mul"},
    "signing_key.c": {"words32_mul", "order256_subtract_n", "order256_add", "order256_mul"},
    "poly1305.c": {"absorb_blocks"},
    "poly1305_avx2.c": {"multiply_add", "reduce", "multiply", "split", "set_limbs", "turns", "lt_poly1305_avx2"},
    "poly1305_ifma.c": {"multiply_add", "reduce", "multiply", "split", "set_limbs", "lt_poly1305_ifma"},
    "x25519_ifma.c": {
        "fe4_carry",
        "fe4_columns",
        "fe4_mul",
        "begin_step",
        "end_step",
        "read_comb_lanes",
        "invert_element",
        "write_product",
        "run_comb",
        "end_comb",
        "lt_x25519_ifma",
        "lt_x25519_base_ifma",
        "lt_x25519_agree_ifma",
    },
    "p256_ifma_vartime.c": {"fe4_mul", "fe4_carry", "fe4_difference", "prepare", "double_times", "add_to", "set_t"},
    MULTIPLES: {"double_each", "add_tail", "add_each", "add_affine"},
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
    ("p256_order.h", "signing_key.c", (), "order256_mul", "0xee00bc4f", "0xee00bc4e"),
    ("p256_order.h", "signing_key.c", (), "order256_mul", "(uint64_t)t[8] + carry", "t[8]"),
    ("p256_order.h", "signing_key.c", (), "order256_mul", "order256_subtract_n(out, carry)",
     "order256_subtract_n(out, 0)"),
    ("p256_order.h", "signing_key.c", (), "order256_mul", "< 2n. in: below n;", "< 2n. in: any;"),
    ("p256_order.h", "signing_key.c", (), "order256_subtract_n", "0xa7179e84,", "0xa7179e85,"),
    ("p256_order.h", "signing_key.c", (), "order256_subtract_n", "top | (borrow ^ 1)", "borrow ^ 1"),
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
    ("p384_field64.h", "p384.c", (), "fe384_quotient", "fe384_divide(&s, low[3]);",
     "q[3] = 0;\n    fe384_divide(&s, low[3]);"),
    ("p384_field64.h", "p384.c", (), "fe384_reduce", "in: any, product < p^2", "in: any, product < 2p^2"),
    ("p384_field64.h", "p384.c", (), "fe384_reduce", "product[9] + q[3] + (uint64_t)(t >> 64)", "product[9] + q[3]"),
    ("p384_field32.h", "p384.c", (FORCE_32BIT,), "fe384_reduce", "product < p^2", "product < 2p^2"),
    ("p384_field32.h", "p384.c", (FORCE_32BIT,), "fe384_reduce", "i >= 3 && i < 15", "i >= 3 && i < 14"),
    ("p384_field32.h", "p384.c", (FORCE_32BIT,), "fe384_reduce", "carry = 2;", "carry = 1;"),
    ("p384_field32.h", "p384.c", (FORCE_32BIT,), "fe384_subtract_p", "top | (borrow ^ 1)", "borrow ^ 1"),
    ("p384_field32.h", "p384.c", (FORCE_32BIT,), "fe384_product", "product[i + 12] = (uint32_t)carry;",
     "product[i + 12] = 0;"),
    ("poly1305_avx2.c", "poly1305_avx2.c", X86, "multiply_add", "ADD(1, 4, f.s2)", "ADD(0, 4, f.s2)"),
    ("poly1305_avx2.c", "poly1305_avx2.c", X86, "multiply_add", "ADD(1, 2, f.s4)", "ADD(1, 2, f.s3)"),
    ("poly1305_avx2.c", "poly1305_avx2.c", X86, "multiply_add", "ADD(4, 4, f.r.v0)", ""),
    ("poly1305_avx2.c", "poly1305_avx2.c", X86, "multiply_add", "d limbs < 2^63", "d limbs < 2^64"),
    ("poly1305_avx2.c", "poly1305_avx2.c", X86, "multiply_add", "d limbs + 21 (2^54", "d limbs + 20 (2^54"),
    ("poly1305_avx2.c", "poly1305_avx2.c", X86, "as_factor", "_mm256_slli_epi64(x, 2)", "_mm256_slli_epi64(x, 3)"),
    ("poly1305_avx2.c", "poly1305_avx2.c", X86, "reduce", "CARRY(d.v2, d.v3)", ""),
    ("poly1305_avx2.c", "poly1305_avx2.c", X86, "reduce", "CARRY(d.v0, d.v1)\n    CARRY(d.v3, d.v4)\n    return",
     "return"),
    ("poly1305_avx2.c", "poly1305_avx2.c", X86, "reduce", "_mm256_srli_epi64(d.v4, 26)", "_mm256_srli_epi64(d.v4, 25)"),
    ("poly1305_avx2.c", "poly1305_avx2.c", X86, "reduce", "times5(carry)", "carry"),
    ("poly1305_avx2.c", "poly1305_avx2.c", X86, "reduce", "limbs < 42 (2^54", "limbs < 420 (2^54"),
    ("poly1305_avx2.c", "poly1305_avx2.c", X86, "multiply", "in: h limbs < 2^28", "in: h limbs < 2^33"),
    ("poly1305_avx2.c", "poly1305_avx2.c", X86, "split", "_mm256_slli_epi64(high, 12)", "_mm256_slli_epi64(high, 13)"),
    ("poly1305_avx2.c", "poly1305_avx2.c", X86, "split", "top <= 2^26, top multiple of 2^24",
     "top <= 2^26, top multiple of 2^23"),
    ("poly1305_avx2.c", "poly1305_avx2.c", X86, "set_limbs", "v3 += v2 >> 26;", ""),
    ("poly1305_avx2.c", "poly1305_avx2.c", X86, "set_sum", "h limbs < 2^27;", "h limbs < 2^28;"),
    ("poly1305_avx2.c", "poly1305_avx2.c", X86, "turns", "r8 limbs < 2^26 + 2^11", "r8 limbs < 2^27"),
    ("poly1305_avx2.c", "poly1305_avx2.c", X86, "turns", "invariant: h limbs < 2^27", "invariant: h limbs < 2^28"),
    ("poly1305_avx2.c", "poly1305_avx2.c", X86, "lt_poly1305_avx2",
     "h = multiply(plus(h, blocks4(in)), as_factor(r4));",
     "h = plus(plus(plus(h, blocks4(in)), h), plus(h, h));"),
    ("poly1305_ifma.c", "poly1305_ifma.c", X86, "multiply_add", "MADD(1, h.v2, f.s2)", "MADD(1, h.v2, f.s1)"),
    ("poly1305_ifma.c", "poly1305_ifma.c", X86, "multiply_add",
     "h limbs < 2^47, f.r limbs < 2^44 + 2^12, f.s1 = 20 f.r.v1,\n * f.s2 = 20 f.r.v2; out: result.low",
     "h limbs < 2^53, f.r limbs < 2^44 + 2^12, f.s1 = 20 f.r.v1,\n * f.s2 = 20 f.r.v2; out: result.low"),
    ("poly1305_ifma.c", "poly1305_ifma.c", X86, "multiply_add", "d.high limbs + 3 2^44", "d.high limbs + 3 2^42"),
    ("poly1305_ifma.c", "poly1305_ifma.c", X86, "multiply_add",
     "    d.high.v##sum = _mm512_madd52hi_epu64(d.high.v##sum, x, y);",
     "    d.high.v##sum = _mm512_madd52hi_epu64(d.low.v##sum, x, y);"),
    ("poly1305_ifma.c", "poly1305_ifma.c", X86, "as_factor", "_mm512_slli_epi64(x, 2)), 2)",
     "_mm512_slli_epi64(x, 2)), 3)"),
    ("poly1305_ifma.c", "poly1305_ifma.c", X86, "reduce", "d.high.v2 < 6 2^40", "d.high.v2 < 6 2^44"),
    ("poly1305_ifma.c", "poly1305_ifma.c", X86, "reduce", "_mm512_slli_epi64(d.high.v1, 8)",
     "_mm512_slli_epi64(d.high.v1, 9)"),
    ("poly1305_ifma.c", "poly1305_ifma.c", X86, "reduce", "_mm512_srli_epi64(h.v2, 42)", "_mm512_srli_epi64(h.v2, 44)"),
    ("poly1305_ifma.c", "poly1305_ifma.c", X86, "reduce", "h.v1 = _mm512_add_epi64(h.v1, _mm512_srli_epi64(h.v0, 44));",
     ""),
    ("poly1305_ifma.c", "poly1305_ifma.c", X86, "split", "_mm512_srli_epi64(high, 24)", "_mm512_srli_epi64(high, 23)"),
    ("poly1305_ifma.c", "poly1305_ifma.c", X86, "set_limbs", "5 * (v2 >> 42)", "5 * (v2 >> 43)"),
    ("poly1305_ifma.c", "poly1305_ifma.c", X86, "set_limbs", "v2 < 2^48; out", "v2 < 2^64; out"),
    ("poly1305_ifma.c", "poly1305_ifma.c", X86, "sum_lanes", "h limbs < 2^45;", "h limbs < 2^46;"),
    ("poly1305_ifma.c", "poly1305_ifma.c", X86, "lt_poly1305_ifma", "invariant: h limbs < 2^44 + 2^12",
     "invariant: h limbs < 2^44"),
    ("poly1305_ifma.c", "poly1305_ifma.c", X86, "lt_poly1305_ifma",
     "maskz_set1_epi64(1, (int64_t)(lt_poly1305_h(poly, 2) << 40))",
     "set1_epi64((int64_t)lt_poly1305_h(poly, 2))"),
    ("x25519_field_ifma.h", "x25519_ifma.c", X86, "wrapped", "_mm256_slli_epi64(above, 4)",
     "_mm256_slli_epi64(above, 3)"),
    ("x25519_field_ifma.h", "x25519_ifma.c", X86, "wrapped", "above < 2^58", "above < 2^60"),
    ("x25519_field_ifma.h", "x25519_ifma.c", X86, "fe4_carry", "out: limbs < 2^51 + 2^18",
     "out: limbs < 2^51 + 2^17"),
    ("x25519_field_ifma.h", "x25519_ifma.c", X86, "fe4_carry", "_mm256_srli_epi64(a.l4, 51), lanes_of(19)",
     "_mm256_srli_epi64(a.l4, 51), lanes_of(1)"),
    ("x25519_field_ifma.h", "x25519_ifma.c", X86, "fe4_carry", "_mm256_srli_epi64(a.l2, 51)",
     "_mm256_srli_epi64(a.l2, 50)"),
    ("x25519_field_ifma.h", "x25519_ifma.c", X86, "fe4_columns", "in: a limbs < 2^52, b limbs < 2^52, c",
     "in: a limbs < 2^53, b limbs < 2^52, c"),
    ("x25519_field_ifma.h", "x25519_ifma.c", X86, "fe4_columns", "c limbs < 2^62;", "c limbs < 2^64;"),
    ("x25519_field_ifma.h", "x25519_ifma.c", X86, "fe4_columns", "    d7 = HI(d7, a.l4, b.l2);\n", ""),
    ("x25519_field_ifma.h", "x25519_ifma.c", X86, "fe4_columns", "_mm256_add_epi64(d9, d9)", "d9"),
    ("x25519_field_ifma.h", "x25519_ifma.c", X86, "fe4_columns", "c5 = LO(c5, a.l3, b.l2);",
     "c5 = LO(c4, a.l3, b.l2);"),
    ("x25519_field_ifma.h", "x25519_ifma.c", X86, "fe4_columns", "c limbs + 267 2^52", "c limbs + 266 2^52"),
    ("x25519_ifma.c", "x25519_ifma.c", X86, "begin_step", "    sums = fe4_carry(sums); ", "    "),
    ("x25519_ifma.c", "x25519_ifma.c", X86, "begin_step", "fe4_add(first, fe4_multiple_of_p(10))", "first"),
    ("x25519_ifma.c", "x25519_ifma.c", X86, "begin_step", "fe4_add(first, fe4_multiple_of_p(10))",
     "fe4_add(first, fe4_multiple_of_p(9))"),
    ("x25519_ifma.c", "x25519_ifma.c", X86, "end_step", "u limbs < 2^51 + 2^18", "u limbs < 2^52"),
    ("x25519_ifma.c", "x25519_ifma.c", X86, "end_step", "fe4_multiple_of_p(1)", "fe4_multiple_of_p(2)"),
    ("x25519_ifma.c", "x25519_ifma.c", X86, "lt_x25519_ifma", "fe4_carry(fe4_from(&sum, &one, &difference, &one))",
     "fe4_from(&sum, &one, &difference, &one)"),
    ("x25519_ifma.c", "x25519_ifma.c", X86, "run_comb", "    left = fe4_carry(left);\n", ""),
    ("x25519_ifma.c", "x25519_ifma.c", X86, "run_comb", "fe4_add(p, fe4_multiple_of_p(10))", "p"),
    ("x25519_ifma.c", "x25519_ifma.c", X86, "run_comb", "? 32 + position", "? 33 + position"),
    ("x25519_ifma.c", "x25519_ifma.c", X86, "read_comb_lanes", "_mm256_srli_epi64(w3, 12)",
     "_mm256_srli_epi64(w3, 11)"),
    ("x25519_ifma.c", "x25519_ifma.c", X86, "read_comb_lanes", "_mm256_slli_epi64(w1, 13)), low)",
     "_mm256_slli_epi64(w1, 13)), w1)"),
    ("x25519_ifma.c", "x25519_ifma.c", X86, "end_comb", "fe25519_sub(z, &ends[2], &ends[1]);",
     "fe25519_add(z, &ends[0], &ends[0]); fe25519_add(z, z, z); fe25519_add(z, z, z);"),
    ("x25519_ifma.c", "x25519_ifma.c", X86, "lt_x25519_agree_ifma", "left), fe4_multiple_of_p(11))",
     "left), fe4_multiple_of_p(10))"),
    ("x25519_ifma.c", "x25519_ifma.c", X86, "lt_x25519_agree_ifma", "fe25519_mul(&inverse, &z, &base_z);",
     "fe25519_add(&inverse, &z, &base_z); fe25519_add(&inverse, &inverse, &base_z);"),
    ("p256_field_ifma.h", "p256_ifma_vartime.c", X86, "fe4_mul", "in: a tight, b tight; out: columns",
     "in: a limbs < 2^53, b tight; out: columns"),
    ("p256_field_ifma.h", "p256_ifma_vartime.c", X86, "fe4_mul", "    c7 = HI(c7, a.l4, b.l2);\n", ""),
    ("p256_field_ifma.h", "p256_ifma_vartime.c", X86, "fe4_mul", "c8 = LO(c8, c4, p4);", "c8 = LO(c8, c4, p3);"),
    ("p256_field_ifma.h", "p256_ifma_vartime.c", X86, "fe4_mul", "f4 = HI(f4, c2, p1);", "f4 = HI(f4, c1, p1);"),
    ("p256_field_ifma.h", "p256_ifma_vartime.c", X86, "fe4_mul", "    column = _mm256_and_si256(column, low);",
     "    column = _mm256_and_si256(column, column);"),
    ("p256_field_ifma.h", "p256_ifma_vartime.c", X86, "fe4_mul", "value < 2^256 + 2^253: what", "value < 2^256: what"),
    ("p256_field_ifma.h", "p256_ifma_vartime.c", X86, "fe4_carry", "value < 2^256 + 2^254: what",
     "value < 2^256: what"),
    ("p256_field_ifma.h", "p256_ifma_vartime.c", X86, "fe4_difference", "_mm256_slli_epi64(above, 36)",
     "_mm256_slli_epi64(above, 37)"),
    ("p256_field_ifma.h", "p256_ifma_vartime.c", X86, "fe4_difference", "((uint64_t)1 << 48) - 16 - 512)",
     "((uint64_t)1 << 48) - 16)"),
    ("p256_field_ifma.h", "p256_ifma_vartime.c", X86, "fe4_difference", "b below 2^260 - 2^230", "b below 2^261"),
    ("p256_ifma_vartime.c", "p256_ifma_vartime.c", X86, "prepare", "y limbs < 2^57", "y limbs < 2^58"),
    ("p256_ifma_vartime.c", "p256_ifma_vartime.c", X86, "double_times", "fe4_add(EVERYWHERE(third, 1), ",
     "fe4_add(fe4_times8(EVERYWHERE(third, 1)), "),
    ("p256_ifma_vartime.c", "p256_ifma_vartime.c", X86, "double_times", "gagz = fe4_carry(first);", "gagz = first;"),
    ("p256_ifma_vartime.c", "p256_ifma_vartime.c", X86, "add_to", "squares = fe4_carry(second);", "squares = second;"),
    (MULTIPLES, MULTIPLES, X86, "double_each", "fe4_times8(p->t), fe4_zero()",
     "fe4_times8(fe4_add(p->t, p->t)), fe4_zero()"),
    (MULTIPLES, MULTIPLES, X86, "double_each", "m = fe4_difference(", "m = fe4_add("),
    (MULTIPLES, MULTIPLES, X86, "add_tail", "hhh = fe4_carry(fe4_mul(hh, h))", "hhh = fe4_mul(hh, h)"),
    (MULTIPLES, MULTIPLES, X86, "add_affine", "negative ^ 15", "~negative"),
    ("p256_ifma_vartime.c", "p256_ifma_vartime.c", X86, "set_t", "in: p->yxzd tight; out: p->t",
     "in: p->yxzd limbs < 2^53; out: p->t"),
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
