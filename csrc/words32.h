/*
 * 256-bit numbers as eight 32-bit words, least significant first: what both curves need on processors whose
 * widest multiplication is 32 x 32 -> 64 bits.
 */
#ifndef LT_WORDS32_H
#define LT_WORDS32_H

#include "inner.h"

/** Split four 64-bit words. in: any; out: out = w. */
LT_INLINE void words32_from_words(uint32_t out[8], const uint64_t w[4]) {
    for (int i = 0; i < 4; i++) {
        out[2 * i] = (uint32_t)w[i];
        out[2 * i + 1] = (uint32_t)(w[i] >> 32);
    }
}

/** Join to four 64-bit words. in: any; out: w = a. */
LT_INLINE void words32_to_words(uint64_t w[4], const uint32_t a[8]) {
    for (int i = 0; i < 4; i++) {
        w[i] = (uint64_t)a[2 * i + 1] << 32 | a[2 * i];
    }
}

/** Returns the carry. in: any; out: result < 2, out + 2^256 result = a + b. */
static inline uint32_t words32_add(uint32_t out[8], const uint32_t a[8], const uint32_t b[8]) {
    uint64_t carry = 0;

    for (int i = 0; i < 8; i++) {
        carry += (uint64_t)a[i] + b[i];
        out[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return (uint32_t)carry;
}

/** Returns the borrow. in: any; out: result < 2, out - 2^256 result = a - b. */
static inline uint32_t words32_sub(uint32_t out[8], const uint32_t a[8], const uint32_t b[8]) {
    uint64_t borrow = 0;

    for (int i = 0; i < 8; i++) {
        uint64_t difference = (uint64_t)a[i] - b[i] - borrow;

        out[i] = (uint32_t)difference;
        borrow = difference >> 63;
    }
    return (uint32_t)borrow;
}

/** (2^32 - 1)^2 + 2 (2^32 - 1) = 2^64 - 1: no sum overflows. in: any; out: out = a b. */
static inline void words32_mul(uint32_t out[16], const uint32_t a[8], const uint32_t b[8]) {
    for (int i = 0; i < 8; i++) {
        out[i] = 0;
    }
    for (int i = 0; i < 8; i++) {
        uint64_t carry = 0;

        for (int j = 0; j < 8; j++) {
            carry += (uint64_t)a[j] * b[i] + out[i + j];
            out[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        out[i + 8] = (uint32_t)carry;
    }
}

/** `mask` all ones: out = a; 0: unchanged. in: out any, a any, mask is a mask; out: out is a or out. */
LT_INLINE void words32_set_if(uint64_t mask, uint32_t out[8], const uint32_t a[8]) {
    uint32_t mask32 = (uint32_t)lt_ct_hide(mask);

    for (int i = 0; i < 8; i++) {
        out[i] ^= mask32 & (out[i] ^ a[i]);
    }
}

#endif
