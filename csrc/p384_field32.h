/* Arithmetic modulo p, see p384_field.h, for small processors. */
#ifndef LT_P384_FIELD32_H
#define LT_P384_FIELD32_H

#include "inner.h"

typedef struct {
    uint32_t v[12];
} fe384;

/** Six words, least significant first, already a value in this form. in: below p; out: below p, out = w. */
LT_INLINE void fe384_from_words(fe384 *out, const uint64_t w[6]) {
    for (int i = 0; i < 6; i++) {
        out->v[2 * i] = (uint32_t)w[i];
        out->v[2 * i + 1] = (uint32_t)(w[i] >> 32);
    }
}

/** The reverse. in: below p; out: below p, w = a. */
LT_INLINE void fe384_to_words(uint64_t w[6], const fe384 *a) {
    for (int i = 0; i < 6; i++) {
        w[i] = (uint64_t)a->v[2 * i + 1] << 32 | a->v[2 * i];
    }
}

/** `mask` all ones: out = a; 0: unchanged. in: out any, a any, mask is a mask; out: out is a or out. */
static inline void fe384_set_if(uint64_t mask, fe384 *out, const fe384 *a) {
    const uint32_t mask32 = (uint32_t)lt_ct_hide(mask);

    for (int i = 0; i < 12; i++) {
        out->v[i] ^= mask32 & (out->v[i] ^ a->v[i]);
    }
}

LT_INLINE uint32_t fe384_p_limb(int i) {
    return (uint32_t)(fe384_p[i / 2] >> i % 2 * 32);
}

/** in: a any, top < 2, 2^384 top + a < 2p; out: a below p, a = 2^384 top + a (mod p). */
LT_NOINLINE static void fe384_subtract_p(fe384 *a, uint32_t top) {
    fe384 difference;
    uint64_t borrow = 0;

    for (int i = 0; i < 12; i++) {
        uint64_t t = (uint64_t)a->v[i] - fe384_p_limb(i) - borrow;

        difference.v[i] = (uint32_t)t;
        borrow = t >> 63;
    }
    fe384_set_if(0 - (top | (borrow ^ 1)), a, &difference);
}

/** in: below p; out: below p, out = a + b (mod p). */
LT_NOINLINE static void fe384_add(fe384 *out, const fe384 *a, const fe384 *b) {
    uint64_t sum = 0;

    for (int i = 0; i < 12; i++) {
        sum += (uint64_t)a->v[i] + b->v[i];
        out->v[i] = (uint32_t)sum;
        sum >>= 32;
    }
    fe384_subtract_p(out, (uint32_t)sum);
}

/** in: below p; out: below p, out = a - b (mod p). */
LT_NOINLINE static void fe384_sub(fe384 *out, const fe384 *a, const fe384 *b) {
    uint64_t borrow = 0, sum = 0;
    uint32_t mask;

    for (int i = 0; i < 12; i++) {
        uint64_t t = (uint64_t)a->v[i] - b->v[i] - borrow;

        out->v[i] = (uint32_t)t;
        borrow = t >> 63;
    }
    mask = (uint32_t)lt_ct_hide(0 - borrow);
    for (int i = 0; i < 12; i++) {
        sum += (uint64_t)out->v[i] + (mask & fe384_p_limb(i));
        out->v[i] = (uint32_t)sum;
        sum >>= 32;
    }
}

/**
 * (2^32 - 1)^2 + 2 (2^32 - 1) = 2^64 - 1: no sum overflows. in: any; out: product = a b.
 */
static inline void fe384_product(uint32_t product[24], const fe384 *a, const fe384 *b) {
    for (int i = 0; i < 12; i++) {
        product[i] = 0;
    }
    for (int i = 0; i < 12; i++) {
        uint64_t carry = 0;

        for (int j = 0; j < 12; j++) {
            carry += (uint64_t)a->v[j] * b->v[i] + product[i + j];
            product[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        product[i + 12] = (uint32_t)carry;
    }
}

/**
 * product / 2^384 by Montgomery's reduction, column by column, least significant first. As -1/p = 1 (mod 2^32), what
 * the lowest column holds is its quotient q itself, which takes the place of that limb here. Adding q p clears the
 * column, subtracts q three and four columns further, and adds it one and twelve columns further. `carry` stands for a
 * carry of -2 to 2, plus 2. Writes over `product`. in: product any,
 * product < p^2; out: out below p, out = product / 2^384 (mod p).
 */
static inline void fe384_reduce(fe384 *out, uint32_t product[24]) {
    uint64_t carry = 2;

    for (int i = 0; i < 24; i++) {
        uint64_t column = ((uint64_t)1 << 33) - 2 + carry + product[i];

        if (i >= 1 && i < 13) {
            column += product[i - 1];
        }
        if (i >= 12) {
            column += product[i - 12];
        }
        if (i >= 3 && i < 15) {
            column -= product[i - 3];
        }
        if (i >= 4 && i < 16) {
            column -= product[i - 4];
        }
        if (i < 12) {
            product[i] = (uint32_t)column;
        } else {
            out->v[i - 12] = (uint32_t)column;
        }
        carry = column >> 32;
    }
    fe384_subtract_p(out, (uint32_t)carry - 2);
}

/** in: below p; out: below p, out = a b / 2^384 (mod p). */
LT_NOINLINE static void fe384_mul(fe384 *out, const fe384 *a, const fe384 *b) {
    uint32_t product[24];

    fe384_product(product, a, b);
    fe384_reduce(out, product);
}

/** in: below p; out: below p, out = a^2 / 2^384 (mod p). */
LT_INLINE void fe384_square(fe384 *out, const fe384 *a) {
    fe384_mul(out, a, a);
}

#endif
