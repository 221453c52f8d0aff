/* Arithmetic modulo p, see p384_field.h, for processors with a 64 x 64 -> 128 bit multiplication. */
#ifndef LT_P384_FIELD64_H
#define LT_P384_FIELD64_H

#include "inner.h"

typedef struct {
    uint64_t v[6];
} fe384;

/** Six words, least significant first, already a value in this form. in: below p; out: below p, out = w. */
LT_INLINE void fe384_from_words(fe384 *out, const uint64_t w[6]) {
    for (int i = 0; i < 6; i++) {
        out->v[i] = w[i];
    }
}

/** The reverse. in: below p; out: below p, w = a. */
LT_INLINE void fe384_to_words(uint64_t w[6], const fe384 *a) {
    for (int i = 0; i < 6; i++) {
        w[i] = a->v[i];
    }
}

/** `mask` all ones: out = a; 0: unchanged. in: out any, a any, mask is a mask; out: out is a or out. */
LT_INLINE void fe384_set_if(uint64_t mask, fe384 *out, const fe384 *a) {
    mask = lt_ct_hide(mask);
    for (int i = 0; i < 6; i++) {
        out->v[i] ^= mask & (out->v[i] ^ a->v[i]);
    }
}

/** a + (p & mask), modulo 2^384. */
LT_INLINE void fe384_add_p(fe384 *out, const fe384 *a, uint64_t mask) {
    lt_u128 t;

    mask = lt_ct_hide(mask);
    t = (lt_u128)a->v[0] + (mask & fe384_p[0]);
    out->v[0] = (uint64_t)t;
    t = (lt_u128)a->v[1] + (mask & fe384_p[1]) + (uint64_t)(t >> 64);
    out->v[1] = (uint64_t)t;
    t = (lt_u128)a->v[2] + (mask & fe384_p[2]) + (uint64_t)(t >> 64);
    out->v[2] = (uint64_t)t;
    t = (lt_u128)a->v[3] + mask + (uint64_t)(t >> 64);
    out->v[3] = (uint64_t)t;
    t = (lt_u128)a->v[4] + mask + (uint64_t)(t >> 64);
    out->v[4] = (uint64_t)t;
    t = (lt_u128)a->v[5] + mask + (uint64_t)(t >> 64);
    out->v[5] = (uint64_t)t;
}

/**
 * a + b: a + b + (2^384 - p) is p less and 2^384 more; without a carry at the end p must come back. Here 2^384 - p is
 * fe384_one. in: below p; out: below p, out = a + b (mod p).
 */
LT_NOINLINE static void fe384_add(fe384 *out, const fe384 *a, const fe384 *b) {
    lt_u128 t = (lt_u128)a->v[0] + b->v[0] + fe384_one[0];
    fe384 sum;

    sum.v[0] = (uint64_t)t;
    t = (lt_u128)a->v[1] + b->v[1] + fe384_one[1] + (uint64_t)(t >> 64);
    sum.v[1] = (uint64_t)t;
    t = (lt_u128)a->v[2] + b->v[2] + fe384_one[2] + (uint64_t)(t >> 64);
    sum.v[2] = (uint64_t)t;
    t = (lt_u128)a->v[3] + b->v[3] + (uint64_t)(t >> 64);
    sum.v[3] = (uint64_t)t;
    t = (lt_u128)a->v[4] + b->v[4] + (uint64_t)(t >> 64);
    sum.v[4] = (uint64_t)t;
    t = (lt_u128)a->v[5] + b->v[5] + (uint64_t)(t >> 64);
    sum.v[5] = (uint64_t)t;
    fe384_add_p(out, &sum, 0 - (1 - (uint64_t)(t >> 64)));
}

/** in: below p; out: below p, out = a - b (mod p). */
LT_NOINLINE static void fe384_sub(fe384 *out, const fe384 *a, const fe384 *b) {
    lt_u128 t = (lt_u128)a->v[0] - b->v[0]; /* upper half: 0, or all ones for a borrow */
    fe384 difference;

    difference.v[0] = (uint64_t)t;
    t = (lt_u128)a->v[1] - b->v[1] - (uint64_t)(t >> 127);
    difference.v[1] = (uint64_t)t;
    t = (lt_u128)a->v[2] - b->v[2] - (uint64_t)(t >> 127);
    difference.v[2] = (uint64_t)t;
    t = (lt_u128)a->v[3] - b->v[3] - (uint64_t)(t >> 127);
    difference.v[3] = (uint64_t)t;
    t = (lt_u128)a->v[4] - b->v[4] - (uint64_t)(t >> 127);
    difference.v[4] = (uint64_t)t;
    t = (lt_u128)a->v[5] - b->v[5] - (uint64_t)(t >> 127);
    difference.v[5] = (uint64_t)t;
    fe384_add_p(out, &difference, (uint64_t)(t >> 64));
}

/* row[0..5] += a * factor, then row[6] what is carried out. (2^64 - 1)^2 + 2 (2^64 - 1) = 2^128 - 1: no overflow. */
LT_INLINE void fe384_row(uint64_t *row, const fe384 *a, uint64_t factor) {
    lt_u128 t = (lt_u128)a->v[0] * factor + row[0];

    row[0] = (uint64_t)t;
    t = (lt_u128)a->v[1] * factor + row[1] + (uint64_t)(t >> 64);
    row[1] = (uint64_t)t;
    t = (lt_u128)a->v[2] * factor + row[2] + (uint64_t)(t >> 64);
    row[2] = (uint64_t)t;
    t = (lt_u128)a->v[3] * factor + row[3] + (uint64_t)(t >> 64);
    row[3] = (uint64_t)t;
    t = (lt_u128)a->v[4] * factor + row[4] + (uint64_t)(t >> 64);
    row[4] = (uint64_t)t;
    t = (lt_u128)a->v[5] * factor + row[5] + (uint64_t)(t >> 64);
    row[5] = (uint64_t)t;
    row[6] = (uint64_t)(t >> 64);
}

/** in: any; out: product = a b. */
LT_INLINE void fe384_product(uint64_t product[12], const fe384 *a, const fe384 *b) {
    for (int i = 0; i < 6; i++) {
        product[i] = 0;
    }
    fe384_row(product, a, b->v[0]);
    fe384_row(product + 1, a, b->v[1]);
    fe384_row(product + 2, a, b->v[2]);
    fe384_row(product + 3, a, b->v[3]);
    fe384_row(product + 4, a, b->v[4]);
    fe384_row(product + 5, a, b->v[5]);
}

/* What Montgomery's reduction goes on with from limb to limb. */
typedef struct {
    uint64_t limb, x0, x1;
} fe384_division;

/**
 * The next limb of Q; see fe384_quotient. in: low < 2^64, s->limb < 2^64, s->x0 < 2^64, s->x1 < 2^33;
 * out: s->x1 < 2^33, 2^64 (2^64 s->limb + s->x0 + 2^64 s->x1) - (2^384 - p) s->limb =
 * 2^64 s->limb + s->x0 + 2^64 s->x1 - low.
 */
LT_INLINE void fe384_divide(fe384_division *s, uint64_t low) {
    const lt_u128 difference = ((lt_u128)1 << 64) + low - s->x0; /* (1 - b) 2^64 + d */
    const uint64_t d = (uint64_t)difference, b = 1 - (uint64_t)(difference >> 64);
    const uint64_t d0 = (uint32_t)d, d1 = d >> 32;
    const uint64_t h = (uint32_t)(d0 + d1), c = (d0 + d1) >> 32;
    const lt_u128 x = ((lt_u128)h << 64) + (d0 << 32) + s->limb + s->x1 + b - c - h;

    s->limb = (h << 32) + d0;
    s->x0 = (uint64_t)x;
    s->x1 = (uint64_t)(x >> 64);
}

/**
 * Montgomery's reduction of a number L below 2^384 is (L + Q p) / 2^384, Q being what makes it whole. With
 * M = 2^384 - p = 2^128 + 2^96 - 2^32 + 1 that is Q - N, where N = (Q M - L) / 2^384 = floor(Q M / 2^384) < M. This
 * returns the six limbs of Q, and M - N in three. `q` may be `low`.
 *
 * Let N after some limbs of Q be l 2^64 + x, l the last of those limbs. The next limb q of Q must make the lowest limb
 * of N + q M that of L: as 1/M = 2^32 + 1 (mod 2^64), it is (2^32 + 1) d, d being the limb of L less x. With b for the
 * borrow of that difference, c for the carry of d + 2^32 d, and h for floor(q / 2^32), the new x is
 *
 *     floor((2^32 q (2^64 - 1) + q + 2^64 l + x) / 2^64) = 2^32 q + l + floor(x / 2^64) + b - c - h
 *
 * where, with d = d1 2^32 + d0, q = 2^32 h + d0 and c 2^32 + h = d0 + d1.
 * in: low any; out: rest[2] < 2, (2^384 - p) q + 2^384 rest = low + 2^384 (2^384 - p).
 */
LT_INLINE void fe384_quotient(uint64_t q[6], uint64_t rest[3], const uint64_t low[6]) {
    const lt_u128 bit64 = (lt_u128)1 << 64;
    fe384_division s;
    lt_u128 n, t;

    s.limb = 0;
    s.x0 = 0;
    s.x1 = 0;
    fe384_divide(&s, low[0]);
    q[0] = s.limb;
    fe384_divide(&s, low[1]);
    q[1] = s.limb;
    fe384_divide(&s, low[2]);
    q[2] = s.limb;
    fe384_divide(&s, low[3]);
    q[3] = s.limb;
    fe384_divide(&s, low[4]);
    q[4] = s.limb;
    fe384_divide(&s, low[5]);
    q[5] = s.limb;
    n = (lt_u128)s.limb + s.x1;      /* N = 2^64 n + x0 */
    t = bit64 + fe384_one[0] - s.x0; /* fe384_one is M */
    rest[0] = (uint64_t)t;
    t = bit64 - 1 + fe384_one[1] - (uint64_t)n + (uint64_t)(t >> 64);
    rest[1] = (uint64_t)t;
    rest[2] = (uint64_t)(t >> 64) - (uint64_t)(n >> 64);
}

/**
 * product / 2^384, the upper half U plus Q - N: below 2p, as U < p and Q - N <= p. Added up is U + Q + (M - N), which
 * is p less and 2^384 more; without a carry at the end p must come back. in: any, product < p^2; out: below p,
 * out = product / 2^384 (mod p).
 */
LT_INLINE void fe384_reduce(fe384 *out, const uint64_t product[12]) {
    uint64_t q[6], rest[3];
    fe384 sum;
    lt_u128 t;

    fe384_quotient(q, rest, product);
    t = (lt_u128)product[6] + q[0] + rest[0];
    sum.v[0] = (uint64_t)t;
    t = (lt_u128)product[7] + q[1] + rest[1] + (uint64_t)(t >> 64);
    sum.v[1] = (uint64_t)t;
    t = (lt_u128)product[8] + q[2] + rest[2] + (uint64_t)(t >> 64);
    sum.v[2] = (uint64_t)t;
    t = (lt_u128)product[9] + q[3] + (uint64_t)(t >> 64);
    sum.v[3] = (uint64_t)t;
    t = (lt_u128)product[10] + q[4] + (uint64_t)(t >> 64);
    sum.v[4] = (uint64_t)t;
    t = (lt_u128)product[11] + q[5] + (uint64_t)(t >> 64);
    sum.v[5] = (uint64_t)t;
    fe384_add_p(out, &sum, 0 - (1 - (uint64_t)(t >> 64)));
}

/**
 * a * b / 2^384. Not inlined: copies in each point operation cost code and gain nothing.
 * in: below p; out: below p, out = a b / 2^384 (mod p).
 */
LT_NOINLINE static void fe384_mul(fe384 *out, const fe384 *a, const fe384 *b) {
    uint64_t product[12];

    fe384_product(product, a, b);
    fe384_reduce(out, product);
}

/** a^2 / 2^384. in: below p; out: below p, out = a^2 / 2^384 (mod p). */
LT_NOINLINE static void fe384_square(fe384 *out, const fe384 *a) {
    uint64_t product[12];

    fe384_product(product, a, a);
    fe384_reduce(out, product);
}

#endif
