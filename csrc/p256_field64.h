/*
 * Arithmetic modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1 for processors with a 64 x 64 -> 128 bit multiplication.
 *
 * A value a stands as a * 2^256 mod p (Montgomery form), always in [0, p), in four 64-bit limbs, least significant
 * first. `out` may be an input everywhere.
 */
#ifndef LT_P256_FIELD64_H
#define LT_P256_FIELD64_H

#include "inner.h"

typedef struct {
    uint64_t v[4];
} fe256;

#define P256_WORD0 UINT64_C(0xffffffffffffffff) /* p, least significant first */
#define P256_WORD1 UINT64_C(0x00000000ffffffff)
#define P256_WORD2 UINT64_C(0)
#define P256_WORD3 UINT64_C(0xffffffff00000001)

/** Four words, least significant first, already a value in this form. in: limbs < 2^64; out: limbs < 2^64. */
LT_INLINE void fe256_from_words(fe256 *out, const uint64_t w[4]) {
    for (int i = 0; i < 4; i++) {
        out->v[i] = w[i];
    }
}

/** The reverse. in: limbs < 2^64; out: limbs < 2^64. */
LT_INLINE void fe256_to_words(uint64_t w[4], const fe256 *a) {
    for (int i = 0; i < 4; i++) {
        w[i] = a->v[i];
    }
}

/** a + b + carry; leaves the new carry. in: limbs < 2^64, carry < 2^1; out: limbs < 2^64, carry < 2^1. */
LT_INLINE uint64_t fe256_add_limb(uint64_t a, uint64_t b, uint64_t *carry) {
    lt_u128 sum = (lt_u128)a + b + *carry;

    *carry = (uint64_t)(sum >> 64);
    return (uint64_t)sum;
}

/** a - b - borrow; leaves the new borrow. in: limbs < 2^64, borrow < 2^1; out: limbs < 2^64, borrow < 2^1. */
LT_INLINE uint64_t fe256_sub_limb(uint64_t a, uint64_t b, uint64_t *borrow) {
    lt_u128 difference = (lt_u128)a - b - *borrow;

    *borrow = (uint64_t)(difference >> 64) & 1;
    return (uint64_t)difference;
}

/** a * b + c + carry, at most 2^128 - 1; leaves the upper half. in: limbs < 2^64; out: limbs < 2^64. */
LT_INLINE uint64_t fe256_mul_limb(uint64_t a, uint64_t b, uint64_t c, uint64_t *carry) {
    lt_u128 sum = (lt_u128)a * b + c + *carry;

    *carry = (uint64_t)(sum >> 64);
    return (uint64_t)sum;
}

/** The number top * 2^256 + t modulo p, if it is below 2p. in: limbs < 2^64, top < 2^1; out: below p. */
LT_INLINE void fe256_subtract_p(fe256 *out, uint64_t t0, uint64_t t1, uint64_t t2, uint64_t t3, uint64_t top) {
    uint64_t borrow = 0, keep;
    uint64_t d0 = fe256_sub_limb(t0, P256_WORD0, &borrow);
    uint64_t d1 = fe256_sub_limb(t1, P256_WORD1, &borrow);
    uint64_t d2 = fe256_sub_limb(t2, P256_WORD2, &borrow);
    uint64_t d3 = fe256_sub_limb(t3, P256_WORD3, &borrow);

    keep = lt_ct_hide(0 - (borrow & ~top)); /* all ones if it was below p */
    out->v[0] = d0 ^ (keep & (d0 ^ t0));
    out->v[1] = d1 ^ (keep & (d1 ^ t1));
    out->v[2] = d2 ^ (keep & (d2 ^ t2));
    out->v[3] = d3 ^ (keep & (d3 ^ t3));
}

/** a + b. in: below p; out: below p. */
LT_INLINE void fe256_add(fe256 *out, const fe256 *a, const fe256 *b) {
    uint64_t carry = 0;
    uint64_t t0 = fe256_add_limb(a->v[0], b->v[0], &carry);
    uint64_t t1 = fe256_add_limb(a->v[1], b->v[1], &carry);
    uint64_t t2 = fe256_add_limb(a->v[2], b->v[2], &carry);
    uint64_t t3 = fe256_add_limb(a->v[3], b->v[3], &carry);

    fe256_subtract_p(out, t0, t1, t2, t3, carry);
}

/** a - b. in: below p; out: below p. */
LT_INLINE void fe256_sub(fe256 *out, const fe256 *a, const fe256 *b) {
    uint64_t borrow = 0, carry = 0, mask;
    uint64_t t0 = fe256_sub_limb(a->v[0], b->v[0], &borrow);
    uint64_t t1 = fe256_sub_limb(a->v[1], b->v[1], &borrow);
    uint64_t t2 = fe256_sub_limb(a->v[2], b->v[2], &borrow);
    uint64_t t3 = fe256_sub_limb(a->v[3], b->v[3], &borrow);

    mask = lt_ct_hide(0 - borrow);
    out->v[0] = fe256_add_limb(t0, mask & P256_WORD0, &carry);
    out->v[1] = fe256_add_limb(t1, mask & P256_WORD1, &carry);
    out->v[2] = fe256_add_limb(t2, mask & P256_WORD2, &carry);
    out->v[3] = fe256_add_limb(t3, mask & P256_WORD3, &carry);
}

/**
 * One step of Montgomery's reduction: t = (t + t[0] p) / 2^64. As -1/p = 1 (mod 2^64), t[0] itself is the quotient; the
 * sum clears limb 0, adds t[0] * 2^96, and t[0] times the top limb of p. in: limbs < 2^64; out: limbs < 2^64 (the
 * number is below 2^192 + p < 2^256).
 */
LT_INLINE void fe256_reduce_limb(uint64_t t[4]) {
    uint64_t q = t[0], carry = 0;
    lt_u128 top = (lt_u128)q * P256_WORD3;

    t[0] = fe256_add_limb(t[1], q << 32, &carry);
    t[1] = fe256_add_limb(t[2], q >> 32, &carry);
    t[2] = fe256_add_limb(t[3], (uint64_t)top, &carry);
    t[3] = (uint64_t)(top >> 64) + carry;
}

/**
 * t / 2^256 mod p for a product t of two values. The lower half leaves at most p, the upper half is below p.
 * in: limbs < 2^64, t <= (p - 1)^2; out: below p.
 */
LT_INLINE void fe256_reduce(fe256 *out, const uint64_t t[8]) {
    uint64_t low[4] = {t[0], t[1], t[2], t[3]}, carry = 0;

    fe256_reduce_limb(low);
    fe256_reduce_limb(low);
    fe256_reduce_limb(low);
    fe256_reduce_limb(low);
    low[0] = fe256_add_limb(low[0], t[4], &carry);
    low[1] = fe256_add_limb(low[1], t[5], &carry);
    low[2] = fe256_add_limb(low[2], t[6], &carry);
    low[3] = fe256_add_limb(low[3], t[7], &carry);
    fe256_subtract_p(out, low[0], low[1], low[2], low[3], carry);
}

/** a * b. in: below p; out: below p. */
static inline void fe256_mul(fe256 *out, const fe256 *a, const fe256 *b) {
    uint64_t t[8], carry = 0;

    t[0] = fe256_mul_limb(a->v[0], b->v[0], 0, &carry);
    t[1] = fe256_mul_limb(a->v[1], b->v[0], 0, &carry);
    t[2] = fe256_mul_limb(a->v[2], b->v[0], 0, &carry);
    t[3] = fe256_mul_limb(a->v[3], b->v[0], 0, &carry);
    t[4] = carry;
    for (int i = 1; i < 4; i++) {
        carry = 0;
        t[i] = fe256_mul_limb(a->v[0], b->v[i], t[i], &carry);
        t[i + 1] = fe256_mul_limb(a->v[1], b->v[i], t[i + 1], &carry);
        t[i + 2] = fe256_mul_limb(a->v[2], b->v[i], t[i + 2], &carry);
        t[i + 3] = fe256_mul_limb(a->v[3], b->v[i], t[i + 3], &carry);
        t[i + 4] = carry;
    }
    fe256_reduce(out, t);
}

/** a^2: the six mixed products once, doubled, and the four squares. in: below p; out: below p. */
static inline void fe256_square(fe256 *out, const fe256 *a) {
    uint64_t a0 = a->v[0], a1 = a->v[1], a2 = a->v[2], a3 = a->v[3];
    uint64_t t[8], carry = 0;
    lt_u128 square;

    t[1] = fe256_mul_limb(a0, a1, 0, &carry);
    t[2] = fe256_mul_limb(a0, a2, 0, &carry);
    t[3] = fe256_mul_limb(a0, a3, 0, &carry);
    t[4] = carry;
    carry = 0;
    t[3] = fe256_mul_limb(a1, a2, t[3], &carry);
    t[4] = fe256_mul_limb(a1, a3, t[4], &carry);
    t[5] = carry;
    carry = 0;
    t[5] = fe256_mul_limb(a2, a3, t[5], &carry);
    t[6] = carry;
    t[7] = t[6] >> 63;
    t[6] = t[6] << 1 | t[5] >> 63;
    t[5] = t[5] << 1 | t[4] >> 63;
    t[4] = t[4] << 1 | t[3] >> 63;
    t[3] = t[3] << 1 | t[2] >> 63;
    t[2] = t[2] << 1 | t[1] >> 63;
    t[1] = t[1] << 1;

    carry = 0;
    square = (lt_u128)a0 * a0;
    t[0] = (uint64_t)square;
    t[1] = fe256_add_limb(t[1], (uint64_t)(square >> 64), &carry);
    square = (lt_u128)a1 * a1;
    t[2] = fe256_add_limb(t[2], (uint64_t)square, &carry);
    t[3] = fe256_add_limb(t[3], (uint64_t)(square >> 64), &carry);
    square = (lt_u128)a2 * a2;
    t[4] = fe256_add_limb(t[4], (uint64_t)square, &carry);
    t[5] = fe256_add_limb(t[5], (uint64_t)(square >> 64), &carry);
    square = (lt_u128)a3 * a3;
    t[6] = fe256_add_limb(t[6], (uint64_t)square, &carry);
    t[7] = fe256_add_limb(t[7], (uint64_t)(square >> 64), &carry);
    fe256_reduce(out, t);
}

/** `mask` all ones: out = a; 0: unchanged. in: limbs < 2^64; out: limbs < 2^64. */
LT_INLINE void fe256_set_if(uint64_t mask, fe256 *out, const fe256 *a) {
    mask = lt_ct_hide(mask);
    for (int i = 0; i < 4; i++) {
        out->v[i] ^= mask & (out->v[i] ^ a->v[i]);
    }
}

/** All ones if a = 0, else 0. in: below p. */
LT_INLINE uint64_t fe256_is_zero(const fe256 *a) {
    return lt_ct_is_zero(a->v[0] | a->v[1] | a->v[2] | a->v[3]);
}

#endif
