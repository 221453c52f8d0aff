/*
 * Arithmetic modulo p = 2^384 - 2^128 - 2^96 + 2^32 - 1, in variable time.
 *
 * A value a stands as a * 2^384 mod p (Montgomery form), always in [0, p), in limbs of LT_LIMB_BITS bits, least
 * significant first. `out` may be an input everywhere.
 */
#ifndef LT_P384_FIELD_VARTIME_H
#define LT_P384_FIELD_VARTIME_H

#include "vartime.h"

#define FE384_LIMBS LT_LIMBS(384)

typedef struct {
    lt_limb v[FE384_LIMBS];
} fe384;

/* -1/p modulo a limb: p is 2^32 - 1 modulo 2^64. */
#if LT_LIMB64
#define FE384_MINUS_INVERSE UINT64_C(0x100000001)
#else
#define FE384_MINUS_INVERSE 1u
#endif

/* p itself; 2^384, b * 2^384 and 2^768 modulo p: one, the curve's b, and what leads into Montgomery form. */
static const uint64_t fe384_p[6] = {UINT64_C(0x00000000ffffffff), UINT64_C(0xffffffff00000000),
                                    UINT64_C(0xfffffffffffffffe), UINT64_C(0xffffffffffffffff),
                                    UINT64_C(0xffffffffffffffff), UINT64_C(0xffffffffffffffff)};
static const uint64_t fe384_one[6] = {UINT64_C(0xffffffff00000001), UINT64_C(0x00000000ffffffff),
                                      UINT64_C(0x0000000000000001), UINT64_C(0x0000000000000000),
                                      UINT64_C(0x0000000000000000), UINT64_C(0x0000000000000000)};
static const uint64_t fe384_b[6] = {UINT64_C(0x081188719d412dcc), UINT64_C(0xf729add87a4c32ec),
                                    UINT64_C(0x77f2209b1920022e), UINT64_C(0xe3374bee94938ae2),
                                    UINT64_C(0xb62b21f41f022094), UINT64_C(0xcd08114b604fbff9)};
static const uint64_t fe384_rr[6] = {UINT64_C(0xfffffffe00000001), UINT64_C(0x0000000200000000),
                                     UINT64_C(0xfffffffe00000000), UINT64_C(0x0000000200000000),
                                     UINT64_C(0x0000000000000001), UINT64_C(0x0000000000000000)};

LT_INLINE lt_limb fe384_p_limb(int i) {
    return (lt_limb)(fe384_p[i * LT_LIMB_BITS / 64] >> i * LT_LIMB_BITS % 64);
}

/** Six words, least significant first, already a value in this form. */
static inline void fe384_from_words(fe384 *out, const uint64_t w[6]) {
    for (int i = 0; i < FE384_LIMBS; i++) {
        out->v[i] = (lt_limb)(w[i * LT_LIMB_BITS / 64] >> i * LT_LIMB_BITS % 64);
    }
}

/** The reverse. */
static inline void fe384_to_words(uint64_t w[6], const fe384 *a) {
    for (int i = 0; i < 6; i++) {
        w[i] = 0;
    }
    for (int i = 0; i < FE384_LIMBS; i++) {
        w[i * LT_LIMB_BITS / 64] |= (uint64_t)a->v[i] << i * LT_LIMB_BITS % 64;
    }
}

/** The same value: it is below p already. */
LT_INLINE void fe384_fold(fe384 *out, const fe384 *a) {
    *out = *a;
}

/* The number top * 2^384 + a modulo p, if it is below 2p. */
static inline void fe384_subtract_p(fe384 *out, const lt_limb a[FE384_LIMBS], lt_limb top) {
    lt_limb difference[FE384_LIMBS], borrow = 0;
    const lt_limb *from = difference;

    for (int i = 0; i < FE384_LIMBS; i++) {
        lt_two_limbs t = (lt_two_limbs)a[i] - fe384_p_limb(i) - borrow;

        difference[i] = (lt_limb)t;
        borrow = (lt_limb)(t >> LT_LIMB_BITS) & 1;
    }
    if (borrow > top) {
        from = a;
    }
    for (int i = 0; i < FE384_LIMBS; i++) {
        out->v[i] = from[i];
    }
}

/** a + b. in: below p; out: below p. */
static inline void fe384_add(fe384 *out, const fe384 *a, const fe384 *b) {
    lt_limb sum[FE384_LIMBS], carry = 0;

    for (int i = 0; i < FE384_LIMBS; i++) {
        lt_two_limbs t = (lt_two_limbs)a->v[i] + b->v[i] + carry;

        sum[i] = (lt_limb)t;
        carry = (lt_limb)(t >> LT_LIMB_BITS);
    }
    fe384_subtract_p(out, sum, carry);
}

/** a - b, and p more if that is below 0. in: below p; out: below p. */
static inline void fe384_sub(fe384 *out, const fe384 *a, const fe384 *b) {
    lt_limb borrow = 0, carry = 0;

    for (int i = 0; i < FE384_LIMBS; i++) {
        lt_two_limbs t = (lt_two_limbs)a->v[i] - b->v[i] - borrow;

        out->v[i] = (lt_limb)t;
        borrow = (lt_limb)(t >> LT_LIMB_BITS) & 1;
    }
    if (borrow != 0) {
        for (int i = 0; i < FE384_LIMBS; i++) {
            lt_two_limbs t = (lt_two_limbs)out->v[i] + fe384_p_limb(i) + carry;

            out->v[i] = (lt_limb)t;
            carry = (lt_limb)(t >> LT_LIMB_BITS);
        }
    }
}

/**
 * a * b / 2^384: each limb of b is multiplied in, then a multiple of p clears the lowest limb, which goes. What is kept
 * stays below 2p. Not inlined: twelve copies in a point's addition cost stack and gain nothing. in: below p; out: below
 * p.
 */
LT_NOINLINE static void fe384_mul(fe384 *out, const fe384 *a, const fe384 *b) {
    lt_limb t[FE384_LIMBS + 1] = {0};

    for (int i = 0; i < FE384_LIMBS; i++) {
        const lt_limb factor = b->v[i];
        const lt_limb q = (t[0] + a->v[0] * factor) * FE384_MINUS_INVERSE;
        lt_two_limbs product = (lt_two_limbs)a->v[0] * factor + t[0];
        lt_two_limbs multiple = (lt_two_limbs)q * fe384_p_limb(0) + (lt_limb)product;

        for (int j = 1; j < FE384_LIMBS; j++) {
            product = (lt_two_limbs)a->v[j] * factor + t[j] + (lt_limb)(product >> LT_LIMB_BITS);
            multiple = (lt_two_limbs)q * fe384_p_limb(j) + (lt_limb)product + (lt_limb)(multiple >> LT_LIMB_BITS);
            t[j - 1] = (lt_limb)multiple;
        }
        multiple = (multiple >> LT_LIMB_BITS) + (product >> LT_LIMB_BITS) + t[FE384_LIMBS];
        t[FE384_LIMBS - 1] = (lt_limb)multiple;
        t[FE384_LIMBS] = (lt_limb)(multiple >> LT_LIMB_BITS);
    }
    fe384_subtract_p(out, t, t[FE384_LIMBS]);
}

/** a^2 / 2^384. in: below p; out: below p. */
static inline void fe384_square(fe384 *out, const fe384 *a) {
    fe384_mul(out, a, a);
}

#endif
