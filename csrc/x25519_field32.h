/*
 * Arithmetic modulo p = 2^255 - 19 for small processors.
 *
 * A value is any 256-bit number in eight 32-bit limbs; what exceeds 2^256 = 38 (mod p) is folded back at once. Every
 * limb may be anything, so no sequence of operations can overflow. `out` may be an input everywhere. What
 * x25519_field64.h calls tight and loose is here
 *
 *   tight   limbs < 2^32
 *   loose   limbs < 2^32
 */
#ifndef LT_X25519_FIELD32_H
#define LT_X25519_FIELD32_H

#include "words32.h"

typedef struct {
    uint32_t v[8];
} fe25519;

/** The low 255 bits of four little-endian words. in: any; out: out < 2^255, out = w (mod 2^255). */
LT_INLINE void fe25519_from_words(fe25519 *out, const uint64_t w[4]) {
    words32_from_words(out->v, w);
    out->v[7] &= 0x7fffffff;
}

/** Returns the carry. in: any; out: result < 2, out + 2^256 result = a + addend. */
static inline uint32_t fe25519_add_small(fe25519 *out, const fe25519 *a, uint32_t addend) {
    uint64_t carry = addend;

    for (int i = 0; i < 8; i++) {
        carry += a->v[i];
        out->v[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return (uint32_t)carry;
}

/**
 * a + 38 * excess: what stands above 2^256 comes back. If the sum overflows, less than 2^23 is left of it, so that 38
 * more fit in limb 0. in: any, excess < 2^17; out: a = a + 38 excess (mod p).
 */
static inline void fe25519_fold(fe25519 *a, uint32_t excess) {
    uint32_t carry = fe25519_add_small(a, a, 38 * excess);

    a->v[0] += 38 * carry;
}

/** The value in [0, p) as four little-endian words. in: any; out: w < p, w = a (mod p). */
static inline void fe25519_to_words(uint64_t w[4], const fe25519 *a) {
    fe25519 low = *a, above;
    uint32_t top = low.v[7] >> 31;

    /* 2^255 = 19: now below 2^255 + 19. Adding 19 reaches 2^255 exactly if the value is not below p. */
    low.v[7] &= 0x7fffffff;
    (void)fe25519_add_small(&low, &low, 19 * top);
    (void)fe25519_add_small(&above, &low, 19);
    top = above.v[7] >> 31;
    above.v[7] &= 0x7fffffff;
    words32_set_if(0 - (uint64_t)top, low.v, above.v);
    words32_to_words(w, low.v);
    lt_wipe(&low, sizeof low);
    lt_wipe(&above, sizeof above);
}

/** in: any; out: out = a + b (mod p). */
static inline void fe25519_add(fe25519 *out, const fe25519 *a, const fe25519 *b) {
    fe25519_fold(out, words32_add(out->v, a->v, b->v));
}

/**
 * A borrow added 2^256 = 38, which is taken off again. If that borrows once more, limb 0 is at least 2^32 - 38
 * and gives the next 38 by itself. in: any; out: out = a - b (mod p).
 */
static inline void fe25519_sub(fe25519 *out, const fe25519 *a, const fe25519 *b) {
    uint32_t borrow = words32_sub(out->v, a->v, b->v);
    uint64_t less = 38 * (uint64_t)borrow;

    for (int i = 0; i < 8; i++) {
        uint64_t difference = (uint64_t)out->v[i] - less;

        out->v[i] = (uint32_t)difference;
        less = difference >> 63;
    }
    out->v[0] -= 38 * (uint32_t)less;
}

/** Upper half times 38 onto the lower: carries stay < 2^38. in: any; out: out = a b (mod p). */
static inline void fe25519_mul(fe25519 *out, const fe25519 *a, const fe25519 *b) {
    uint32_t product[16];
    uint64_t carry = 0;

    words32_mul(product, a->v, b->v);
    for (int i = 0; i < 8; i++) {
        carry += (uint64_t)product[i + 8] * 38 + product[i];
        out->v[i] = (uint32_t)carry;
        carry >>= 32;
    }
    fe25519_fold(out, (uint32_t)carry); /* carry <= 38 */
}

/** in: any; out: out = a^2 (mod p). */
static inline void fe25519_square(fe25519 *out, const fe25519 *a) {
    fe25519_mul(out, a, a);
}

/** (A - 2) / 4 of RFC 7748 section 5. in: any; out: out = 121665 a (mod p). */
static inline void fe25519_mul_a24(fe25519 *out, const fe25519 *a) {
    uint64_t carry = 0;

    for (int i = 0; i < 8; i++) {
        carry += (uint64_t)a->v[i] * 121665;
        out->v[i] = (uint32_t)carry;
        carry >>= 32;
    }
    fe25519_fold(out, (uint32_t)carry); /* carry < 121665 < 2^17 */
}

/**
 * Swap a and b if `mask` is all ones, not if it is 0.
 * in: any, mask is a mask; out: a is a or b, b is a or b, a + b = a + b.
 */
LT_INLINE void fe25519_swap(uint64_t mask, fe25519 *a, fe25519 *b) {
    uint32_t mask32 = (uint32_t)lt_ct_hide(mask);

    for (int i = 0; i < 8; i++) {
        uint32_t difference = mask32 & (a->v[i] ^ b->v[i]);

        a->v[i] ^= difference;
        b->v[i] ^= difference;
    }
}

#endif
