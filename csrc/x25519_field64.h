/*
 * Arithmetic modulo p = 2^255 - 19 for processors with a 64 x 64 -> 128 bit multiplication.
 *
 * A value is v[0] + 2^51 v[1] + 2^102 v[2] + 2^153 v[3] + 2^204 v[4]. It is not unique: limbs may be larger than
 * 51 bits. Products come out with limbs < 2^51 + 2^13 and go in with limbs < 2^54, so that sums and differences of
 * products need no carry. `out` may be an input everywhere.
 */
#ifndef LT_X25519_FIELD64_H
#define LT_X25519_FIELD64_H

#include "inner.h"

typedef struct {
    uint64_t v[5];
} fe25519;

#define FE25519_LOW51 (((uint64_t)1 << 51) - 1)

/** The low 255 bits of four little-endian words. in: any; out: limbs < 2^51. */
LT_INLINE void fe25519_from_words(fe25519 *out, const uint64_t w[4]) {
    out->v[0] = w[0] & FE25519_LOW51;
    out->v[1] = (w[0] >> 51 | w[1] << 13) & FE25519_LOW51;
    out->v[2] = (w[1] >> 38 | w[2] << 26) & FE25519_LOW51;
    out->v[3] = (w[2] >> 25 | w[3] << 39) & FE25519_LOW51;
    out->v[4] = (w[3] >> 12) & FE25519_LOW51;
}

/** The value in [0, p) as four little-endian words. in: limbs < 2^54; out: words < 2^64. */
static inline void fe25519_to_words(uint64_t w[4], const fe25519 *a) {
    uint64_t h[5], carry;

    /* One round of carries: h[0] < 2^51 + 19 * 2^4, the others < 2^51, so the value is below 2p. */
    carry = 0;
    for (int i = 0; i < 5; i++) {
        carry += a->v[i];
        h[i] = carry & FE25519_LOW51;
        carry >>= 51;
    }
    h[0] += 19 * carry;

    /* Value + 19 reaches 2^255 exactly if value >= p; then value - p = value + 19 - 2^255. */
    carry = 19;
    for (int i = 0; i < 5; i++) {
        carry = (carry + h[i]) >> 51;
    }
    carry *= 19;
    for (int i = 0; i < 5; i++) {
        carry += h[i];
        h[i] = carry & FE25519_LOW51;
        carry >>= 51;
    }
    w[0] = h[0] | h[1] << 51;
    w[1] = h[1] >> 13 | h[2] << 38;
    w[2] = h[2] >> 26 | h[3] << 25;
    w[3] = h[3] >> 39 | h[4] << 12;
    lt_wipe(h, sizeof h);
}

/** a + b. in: limbs < 2^53; out: limbs < 2^54. */
LT_INLINE void fe25519_add(fe25519 *out, const fe25519 *a, const fe25519 *b) {
    for (int i = 0; i < 5; i++) {
        out->v[i] = a->v[i] + b->v[i];
    }
}

/** a - b + 4p, negative in no limb. in: a limbs < 2^53, b limbs < 2^53 - 76; out: limbs < 2^54. */
LT_INLINE void fe25519_sub(fe25519 *out, const fe25519 *a, const fe25519 *b) {
    out->v[0] = a->v[0] + (((uint64_t)1 << 53) - 76) - b->v[0];
    for (int i = 1; i < 5; i++) {
        out->v[i] = a->v[i] + (((uint64_t)1 << 53) - 4) - b->v[i];
    }
}

/** Bring five columns of a product back to limbs. in: columns < 2^115, r4 < 2^111; out: limbs < 2^51 + 2^13. */
LT_INLINE void fe25519_carry(fe25519 *out, lt_u128 r0, lt_u128 r1, lt_u128 r2, lt_u128 r3, lt_u128 r4) {
    uint64_t low;

    r1 += (uint64_t)(r0 >> 51); /* each carry is below 2^64 */
    r2 += (uint64_t)(r1 >> 51);
    r3 += (uint64_t)(r2 >> 51);
    r4 += (uint64_t)(r3 >> 51);
    low = ((uint64_t)r0 & FE25519_LOW51) + 19 * (uint64_t)(r4 >> 51); /* < 2^51 + 19 * (2^59 + 1) < 2^64 */
    out->v[0] = low & FE25519_LOW51;
    out->v[1] = ((uint64_t)r1 & FE25519_LOW51) + (low >> 51); /* < 2^51 + 2^13 */
    out->v[2] = (uint64_t)r2 & FE25519_LOW51;
    out->v[3] = (uint64_t)r3 & FE25519_LOW51;
    out->v[4] = (uint64_t)r4 & FE25519_LOW51;
}

/** a * b. Columns: r0 < 77 * 2^108 < 2^115, r4 < 5 * 2^108 < 2^111. in: limbs < 2^54; out: limbs < 2^51 + 2^13. */
static inline void fe25519_mul(fe25519 *out, const fe25519 *a, const fe25519 *b) {
    uint64_t a0 = a->v[0], a1 = a->v[1], a2 = a->v[2], a3 = a->v[3], a4 = a->v[4];
    uint64_t b0 = b->v[0], b1 = b->v[1], b2 = b->v[2], b3 = b->v[3], b4 = b->v[4];
    uint64_t c1 = 19 * b1, c2 = 19 * b2, c3 = 19 * b3, c4 = 19 * b4; /* 2^255 = 19: columns 5 to 8 wrap around */

    lt_u128 r0 = (lt_u128)a0 * b0 + (lt_u128)a1 * c4 + (lt_u128)a2 * c3 + (lt_u128)a3 * c2 + (lt_u128)a4 * c1;
    lt_u128 r1 = (lt_u128)a0 * b1 + (lt_u128)a1 * b0 + (lt_u128)a2 * c4 + (lt_u128)a3 * c3 + (lt_u128)a4 * c2;
    lt_u128 r2 = (lt_u128)a0 * b2 + (lt_u128)a1 * b1 + (lt_u128)a2 * b0 + (lt_u128)a3 * c4 + (lt_u128)a4 * c3;
    lt_u128 r3 = (lt_u128)a0 * b3 + (lt_u128)a1 * b2 + (lt_u128)a2 * b1 + (lt_u128)a3 * b0 + (lt_u128)a4 * c4;
    lt_u128 r4 = (lt_u128)a0 * b4 + (lt_u128)a1 * b3 + (lt_u128)a2 * b2 + (lt_u128)a3 * b1 + (lt_u128)a4 * b0;

    fe25519_carry(out, r0, r1, r2, r3, r4);
}

/** a^2; columns as in fe25519_mul. in: limbs < 2^54; out: limbs < 2^51 + 2^13. */
static inline void fe25519_square(fe25519 *out, const fe25519 *a) {
    uint64_t a0 = a->v[0], a1 = a->v[1], a2 = a->v[2], a3 = a->v[3], a4 = a->v[4];
    uint64_t d0 = 2 * a0, d1 = 2 * a1, d2 = 2 * a2;
    uint64_t c3 = 19 * a3, c4 = 19 * a4;

    lt_u128 r0 = (lt_u128)a0 * a0 + (lt_u128)d1 * c4 + (lt_u128)d2 * c3;
    lt_u128 r1 = (lt_u128)d0 * a1 + (lt_u128)d2 * c4 + (lt_u128)a3 * c3;
    lt_u128 r2 = (lt_u128)d0 * a2 + (lt_u128)a1 * a1 + (lt_u128)(2 * a3) * c4;
    lt_u128 r3 = (lt_u128)d0 * a3 + (lt_u128)d1 * a2 + (lt_u128)a4 * c4;
    lt_u128 r4 = (lt_u128)d0 * a4 + (lt_u128)d1 * a3 + (lt_u128)a2 * a2;

    fe25519_carry(out, r0, r1, r2, r3, r4);
}

/** 121665 * a: (A - 2) / 4 of RFC 7748 section 5. in: limbs < 2^54; out: limbs < 2^51 + 2^13. */
LT_INLINE void fe25519_mul_a24(fe25519 *out, const fe25519 *a) {
    fe25519_carry(out, (lt_u128)a->v[0] * 121665, (lt_u128)a->v[1] * 121665, (lt_u128)a->v[2] * 121665,
                  (lt_u128)a->v[3] * 121665, (lt_u128)a->v[4] * 121665);
}

/** Swap a and b if `mask` is all ones, not if it is 0. in: limbs < 2^64; out: limbs < 2^64. */
LT_INLINE void fe25519_swap(uint64_t mask, fe25519 *a, fe25519 *b) {
    mask = lt_ct_hide(mask);
    for (int i = 0; i < 5; i++) {
        uint64_t difference = mask & (a->v[i] ^ b->v[i]);

        a->v[i] ^= difference;
        b->v[i] ^= difference;
    }
}

#endif
