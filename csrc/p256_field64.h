/*
 * Arithmetic modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1 for processors with a 64 x 64 -> 128 bit multiplication.
 *
 * A value a stands as a * 2^260 mod p (Montgomery form) in v[0] + 2^52 v[1] + 2^104 v[2] + 2^156 v[3] + 2^208 v[4].
 * Five limbs of 52 bits need no carry flags, which compilers handle badly, and R = 2^260 > 16p leaves room above p:
 * sums and differences go into products as they are. Two kinds of values:
 *
 *   tight   limbs < 2^52, value < 2p - 2^223: what products and fe256_fold return
 *   loose   limbs < 2^56, value < 16p: sums and differences of tight ones
 *
 * A product takes any two whose values multiply to less than 16p^2, such as two sums or differences of two tight
 * values each (< 4p). `out` may be an input everywhere.
 */
#ifndef LT_P256_FIELD64_H
#define LT_P256_FIELD64_H

#include "inner.h"

typedef struct {
    uint64_t v[5];
} fe256;

#define FE256_LOW52 (((uint64_t)1 << 52) - 1)

/* 2^260, b * 2^260 and 2^520 modulo p, in four words: one, the curve's b, and what leads into Montgomery form. */
static const uint64_t fe256_one[4] = {UINT64_C(0x0000000000000010), UINT64_C(0xfffffff000000000),
                                      UINT64_C(0xffffffffffffffff), UINT64_C(0x0000000fffffffef)};
static const uint64_t fe256_b[4] = {UINT64_C(0x89cdf6229c4bddfd), UINT64_C(0xcf005cca8843090d),
                                    UINT64_C(0x5a220abf7212ed6a), UINT64_C(0xc30061dd48748341)};
static const uint64_t fe256_rr[4] = {UINT64_C(0x0000000000000300), UINT64_C(0xfffffbffffffff00),
                                     UINT64_C(0xfffffffffffffeff), UINT64_C(0x000004fffffffdff)};

/** Four words, least significant first. in: any; out: tight, out = w. */
LT_INLINE void fe256_from_words(fe256 *out, const uint64_t w[4]) {
    out->v[0] = w[0] & FE256_LOW52;
    out->v[1] = (w[0] >> 52 | w[1] << 12) & FE256_LOW52;
    out->v[2] = (w[1] >> 40 | w[2] << 24) & FE256_LOW52;
    out->v[3] = (w[2] >> 28 | w[3] << 36) & FE256_LOW52;
    out->v[4] = w[3] >> 16;
}

/** The value in [0, p) as four words, least significant first. in: tight; out: w < p, w = a (mod p). */
static inline void fe256_to_words(uint64_t w[4], const fe256 *a) {
    static const uint64_t p[5] = {FE256_LOW52, 0x00000fffffffffff, 0, 0x0000001000000000, 0x0000ffffffff0000};
    uint64_t d[5], borrow = 0, keep;

    for (int i = 0; i < 5; i++) {
        uint64_t difference = a->v[i] - p[i] - borrow;

        d[i] = difference & FE256_LOW52;
        borrow = difference >> 63;
    }
    keep = lt_ct_hide(0 - borrow); /* all ones if the value was below p */
    for (int i = 0; i < 5; i++) {
        d[i] ^= keep & (d[i] ^ a->v[i]);
    }
    w[0] = d[0] | d[1] << 52;
    w[1] = d[1] >> 12 | d[2] << 40;
    w[2] = d[2] >> 24 | d[3] << 28;
    w[3] = d[3] >> 36 | d[4] << 16;
    lt_wipe(d, sizeof d);
}

/** in: limbs < 2^55; out: limbs < 2^56, out = a + b. */
LT_INLINE void fe256_add(fe256 *out, const fe256 *a, const fe256 *b) {
    out->v[0] = a->v[0] + b->v[0];
    out->v[1] = a->v[1] + b->v[1];
    out->v[2] = a->v[2] + b->v[2];
    out->v[3] = a->v[3] + b->v[3];
    out->v[4] = a->v[4] + b->v[4];
}

/**
 * The value grows by less than 2p. 2p is written with limbs that no tight b exceeds: a tight b has
 * v[4] < (2p - 2^223) / 2^208 < 2^49 - 2^17 - 1. in: a limbs < 2^56 - 2^53, b tight; out: limbs < 2^56,
 * out = a - b + 2p.
 */
LT_INLINE void fe256_sub(fe256 *out, const fe256 *a, const fe256 *b) {
    out->v[0] = a->v[0] + (((uint64_t)1 << 53) - 2) - b->v[0];
    out->v[1] = a->v[1] + (((uint64_t)1 << 52) + ((uint64_t)1 << 45) - 2) - b->v[1];
    out->v[2] = a->v[2] + (((uint64_t)1 << 52) - 1) - b->v[2];
    out->v[3] = a->v[3] + (((uint64_t)1 << 52) + ((uint64_t)1 << 37) - 1) - b->v[3];
    out->v[4] = a->v[4] + (((uint64_t)1 << 49) - ((uint64_t)1 << 17) - 1) - b->v[4];
}

/**
 * The same residue, tight: what stands above 2^256 comes back times 2^256 - p = 2^224 - 2^192 - 2^96 + 1, written
 * without negative limbs. The value ends below 2^256 + 2^4 * 2^224. in: loose; out: tight, out = a (mod p).
 */
LT_INLINE void fe256_fold(fe256 *out, const fe256 *a) {
    uint64_t t0 = a->v[0], t1 = a->v[1], t2 = a->v[2], t3 = a->v[3], t4 = a->v[4], above;

    t1 += t0 >> 52;
    t2 += t1 >> 52;
    t3 += t2 >> 52;
    t4 += t3 >> 52;
    above = t4 >> 48; /* < 16 */
    t0 = (t0 & FE256_LOW52) + above;
    t1 = (t1 & FE256_LOW52) + above * (((uint64_t)1 << 52) - ((uint64_t)1 << 44)) + (t0 >> 52);
    t2 = (t2 & FE256_LOW52) + above * (((uint64_t)1 << 52) - 1) + (t1 >> 52);
    t3 = (t3 & FE256_LOW52) + above * (((uint64_t)1 << 52) - ((uint64_t)1 << 36) - 1) + (t2 >> 52);
    t4 = (t4 & (((uint64_t)1 << 48) - 1)) + above * (((uint64_t)1 << 16) - 1) + (t3 >> 52);
    out->v[0] = t0 & FE256_LOW52;
    out->v[1] = t1 & FE256_LOW52;
    out->v[2] = t2 & FE256_LOW52;
    out->v[3] = t3 & FE256_LOW52;
    out->v[4] = t4; /* < 2^48 + 2^20 + 2^5 */
}

/**
 * Montgomery's reduction, column by column, least significant first. As -1/p = 1 (mod 2^52), the lowest 52 bits of a
 * column are its quotient q. Adding q p = q (2^96 - 1) + 2^36 q 2^156 + (2^48 - 2^16) q 2^208 clears them: q 2^96 goes
 * into the next column as q 2^44, the other two terms (fe256_high_part) go three and four columns further. Returns what
 * the next column starts with. in: column < 2^115; out: q < 2^52, result < 2^97.
 */
LT_INLINE lt_u128 fe256_clear(uint64_t *q, lt_u128 column) {
    *q = (uint64_t)column & FE256_LOW52;
    return ((lt_u128)*q << 44) + (uint64_t)(column >> 52);
}

/** What quotients leave three and four columns further. in: q3 < 2^52, q4 < 2^52; out: result < 2^101. */
LT_INLINE lt_u128 fe256_high_part(uint64_t q3, uint64_t q4) {
    return ((lt_u128)q3 << 36) + (lt_u128)q4 * (((uint64_t)1 << 48) - ((uint64_t)1 << 16));
}

/**
 * Below 16p^2 / 2^260 + p = 2p - p (2^256 - p) / 2^256 < 2p - 2^223. Columns stay below
 * 5 * 2^112 + 2^102. in: limbs < 2^56, a b < 16p^2; out: tight, out = a b / 2^260 (mod p).
 */
static inline void fe256_mul(fe256 *out, const fe256 *a, const fe256 *b) {
    const uint64_t a0 = a->v[0], a1 = a->v[1], a2 = a->v[2], a3 = a->v[3], a4 = a->v[4];
    const uint64_t b0 = b->v[0], b1 = b->v[1], b2 = b->v[2], b3 = b->v[3], b4 = b->v[4];
    uint64_t q0, q1, q2, q3, q4;
    lt_u128 r;

    r = (lt_u128)a0 * b0;
    r = fe256_clear(&q0, r);
    r += (lt_u128)a0 * b1 + (lt_u128)a1 * b0;
    r = fe256_clear(&q1, r);
    r += (lt_u128)a0 * b2 + (lt_u128)a1 * b1 + (lt_u128)a2 * b0;
    r = fe256_clear(&q2, r);
    r += (lt_u128)a0 * b3 + (lt_u128)a1 * b2 + (lt_u128)a2 * b1 + (lt_u128)a3 * b0 + fe256_high_part(q0, 0);
    r = fe256_clear(&q3, r);
    r += (lt_u128)a0 * b4 + (lt_u128)a1 * b3 + (lt_u128)a2 * b2 + (lt_u128)a3 * b1 + (lt_u128)a4 * b0;
    r += fe256_high_part(q1, q0);
    r = fe256_clear(&q4, r);
    r += (lt_u128)a1 * b4 + (lt_u128)a2 * b3 + (lt_u128)a3 * b2 + (lt_u128)a4 * b1 + fe256_high_part(q2, q1);
    out->v[0] = (uint64_t)r & FE256_LOW52;
    r = (r >> 52) + (lt_u128)a2 * b4 + (lt_u128)a3 * b3 + (lt_u128)a4 * b2 + fe256_high_part(q3, q2);
    out->v[1] = (uint64_t)r & FE256_LOW52;
    r = (r >> 52) + (lt_u128)a3 * b4 + (lt_u128)a4 * b3 + fe256_high_part(q4, q3);
    out->v[2] = (uint64_t)r & FE256_LOW52;
    r = (r >> 52) + (lt_u128)a4 * b4 + fe256_high_part(0, q4);
    out->v[3] = (uint64_t)r & FE256_LOW52;
    out->v[4] = (uint64_t)(r >> 52);
}

/** As fe256_mul. in: limbs < 2^56, value < 4p; out: tight, out = a^2 / 2^260 (mod p). */
static inline void fe256_square(fe256 *out, const fe256 *a) {
    const uint64_t a0 = a->v[0], a1 = a->v[1], a2 = a->v[2], a3 = a->v[3], a4 = a->v[4];
    const uint64_t d0 = 2 * a0, d1 = 2 * a1, d2 = 2 * a2, d3 = 2 * a3;
    uint64_t q0, q1, q2, q3, q4;
    lt_u128 r;

    r = (lt_u128)a0 * a0;
    r = fe256_clear(&q0, r);
    r += (lt_u128)d0 * a1;
    r = fe256_clear(&q1, r);
    r += (lt_u128)d0 * a2 + (lt_u128)a1 * a1;
    r = fe256_clear(&q2, r);
    r += (lt_u128)d0 * a3 + (lt_u128)d1 * a2 + fe256_high_part(q0, 0);
    r = fe256_clear(&q3, r);
    r += (lt_u128)d0 * a4 + (lt_u128)d1 * a3 + (lt_u128)a2 * a2 + fe256_high_part(q1, q0);
    r = fe256_clear(&q4, r);
    r += (lt_u128)d1 * a4 + (lt_u128)d2 * a3 + fe256_high_part(q2, q1);
    out->v[0] = (uint64_t)r & FE256_LOW52;
    r = (r >> 52) + (lt_u128)d2 * a4 + (lt_u128)a3 * a3 + fe256_high_part(q3, q2);
    out->v[1] = (uint64_t)r & FE256_LOW52;
    r = (r >> 52) + (lt_u128)d3 * a4 + fe256_high_part(q4, q3);
    out->v[2] = (uint64_t)r & FE256_LOW52;
    r = (r >> 52) + (lt_u128)a4 * a4 + fe256_high_part(0, q4);
    out->v[3] = (uint64_t)r & FE256_LOW52;
    out->v[4] = (uint64_t)(r >> 52);
}

/** `mask` all ones: out = a; 0: unchanged. in: out any, a any, mask is a mask; out: out is a or out. */
LT_INLINE void fe256_set_if(uint64_t mask, fe256 *out, const fe256 *a) {
    mask = lt_ct_hide(mask);
    out->v[0] ^= mask & (out->v[0] ^ a->v[0]);
    out->v[1] ^= mask & (out->v[1] ^ a->v[1]);
    out->v[2] ^= mask & (out->v[2] ^ a->v[2]);
    out->v[3] ^= mask & (out->v[3] ^ a->v[3]);
    out->v[4] ^= mask & (out->v[4] ^ a->v[4]);
}

#endif
