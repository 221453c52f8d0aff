/*
 * Arithmetic modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1 for small processors.
 *
 * A value a stands as a * 2^256 mod p (Montgomery form), always in [0, p), in eight 32-bit limbs, least significant
 * first. `out` may be an input everywhere. What p256_field64.h calls tight and loose is here
 *
 *   tight   value < p
 *   loose   value < p
 */
#ifndef LT_P256_FIELD32_H
#define LT_P256_FIELD32_H

#include "words32.h"

typedef struct {
    uint32_t v[8];
} fe256;

/* 2^256, b * 2^256 and 2^512 modulo p, in four words: one, the curve's b, and what leads into Montgomery form. */
static const uint64_t fe256_one[4] = {UINT64_C(0x0000000000000001), UINT64_C(0xffffffff00000000),
                                      UINT64_C(0xffffffffffffffff), UINT64_C(0x00000000fffffffe)};
static const uint64_t fe256_b[4] = {UINT64_C(0xd89cdf6229c4bddf), UINT64_C(0xacf005cd78843090),
                                    UINT64_C(0xe5a220abf7212ed6), UINT64_C(0xdc30061d04874834)};
static const uint64_t fe256_rr[4] = {UINT64_C(0x0000000000000003), UINT64_C(0xfffffffbffffffff),
                                     UINT64_C(0xfffffffffffffffe), UINT64_C(0x00000004fffffffd)};

static const uint32_t fe256_p[8] = {0xffffffff, 0xffffffff, 0xffffffff, 0, 0, 0, 1, 0xffffffff};

/** Four words, least significant first, already a value in this form. in: below p; out: below p, out = w. */
LT_INLINE void fe256_from_words(fe256 *out, const uint64_t w[4]) {
    words32_from_words(out->v, w);
}

/** The reverse. in: below p; out: below p, w = a. */
LT_INLINE void fe256_to_words(uint64_t w[4], const fe256 *a) {
    words32_to_words(w, a->v);
}

/** in: a any, top < 2, 2^256 top + a < 2p; out: a below p, a = 2^256 top + a (mod p). */
static inline void fe256_subtract_p(fe256 *a, uint32_t top) {
    uint32_t difference[8];
    uint32_t borrow = words32_sub(difference, a->v, fe256_p);

    words32_set_if(0 - (uint64_t)(top | (borrow ^ 1)), a->v, difference);
}

/** in: below p; out: below p, out = a + b (mod p). */
static inline void fe256_add(fe256 *out, const fe256 *a, const fe256 *b) {
    fe256_subtract_p(out, words32_add(out->v, a->v, b->v));
}

/** in: below p; out: below p, out = a - b (mod p). */
static inline void fe256_sub(fe256 *out, const fe256 *a, const fe256 *b) {
    uint32_t back[8];
    uint32_t borrow = words32_sub(out->v, a->v, b->v);

    (void)words32_add(back, out->v, fe256_p);
    words32_set_if(0 - (uint64_t)borrow, out->v, back);
}

/**
 * One step of Montgomery's reduction: t = (t + t[0] p) / 2^32. As -1/p = 1 (mod 2^32), t[0] itself is the quotient q;
 * the sum clears limb 0 and adds q * (2^96 + 2^192 - 2^224 + 2^256); below 2^224 + p it fits.
 * in: t any; out: t = (t + t[0] p) / 2^32.
 */
static inline void fe256_reduce_limb(uint32_t t[8]) {
    uint64_t q = t[0], carry;

    t[0] = t[1];
    t[1] = t[2];
    carry = t[3] + q;
    t[2] = (uint32_t)carry;
    carry = (carry >> 32) + t[4];
    t[3] = (uint32_t)carry;
    carry = (carry >> 32) + t[5];
    t[4] = (uint32_t)carry;
    carry = (carry >> 32) + t[6] + q;
    t[5] = (uint32_t)carry;
    carry = (carry >> 32) + t[7] + (q << 32) - q; /* at most 1 + (2^32 - 1) + (2^32 - 1)^2 < 2^64 */
    t[6] = (uint32_t)carry;
    t[7] = (uint32_t)(carry >> 32);
}

/** The lower half leaves at most p, the upper half is below p. in: below p; out: below p, out = a b / 2^256 (mod p). */
static inline void fe256_mul(fe256 *out, const fe256 *a, const fe256 *b) {
    uint32_t product[16];

    words32_mul(product, a->v, b->v);
    for (int i = 0; i < 8; i++) {
        fe256_reduce_limb(product);
    }
    fe256_subtract_p(out, words32_add(out->v, product, product + 8));
}

/** in: below p; out: below p, out = a^2 / 2^256 (mod p). */
static inline void fe256_square(fe256 *out, const fe256 *a) {
    fe256_mul(out, a, a);
}

/** The same value: sums and differences are below p already. in: below p; out: below p, out = a. */
LT_INLINE void fe256_fold(fe256 *out, const fe256 *a) {
    *out = *a;
}

/** `mask` all ones: out = a; 0: unchanged. in: out below p, a below p, mask is a mask; out: out is a or out. */
LT_INLINE void fe256_set_if(uint64_t mask, fe256 *out, const fe256 *a) {
    words32_set_if(mask, out->v, a->v);
}

#endif
