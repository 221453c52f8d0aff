/*
 * Arithmetic modulo p = 2^255 - 19 for processors with a 64 x 64 -> 128 bit multiplication.
 *
 * A value is v[0] + 2^51 v[1] + 2^102 v[2] + 2^153 v[3] + 2^204 v[4]. It is not unique: limbs may be larger than
 * 51 bits. Products come out tight and go in loose, so that sums and differences of products need no carry:
 *
 *   tight   limbs < 2^51 + 2^13
 *   loose   limbs < 2^54
 *
 * `out` may be an input everywhere.
 */
#ifndef LT_X25519_FIELD64_H
#define LT_X25519_FIELD64_H

#include "inner.h"

typedef struct {
    uint64_t v[5];
} fe25519;

#define FE25519_LOW51 (((uint64_t)1 << 51) - 1)

/** The low 255 bits of four little-endian words. in: any; out: limbs < 2^51, out = w (mod 2^255). */
LT_INLINE void fe25519_from_words(fe25519 *out, const uint64_t w[4]) {
    out->v[0] = w[0] & FE25519_LOW51;
    out->v[1] = (w[0] >> 51 | w[1] << 13) & FE25519_LOW51;
    out->v[2] = (w[1] >> 38 | w[2] << 26) & FE25519_LOW51;
    out->v[3] = (w[2] >> 25 | w[3] << 39) & FE25519_LOW51;
    out->v[4] = (w[3] >> 12) & FE25519_LOW51;
}

/** The value in [0, p) as four little-endian words. in: limbs < 2^54; out: w < p, w = a (mod p). */
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

/** in: limbs < 2^53; out: limbs < 2^54, out = a + b. */
LT_INLINE void fe25519_add(fe25519 *out, const fe25519 *a, const fe25519 *b) {
    out->v[0] = a->v[0] + b->v[0];
    out->v[1] = a->v[1] + b->v[1];
    out->v[2] = a->v[2] + b->v[2];
    out->v[3] = a->v[3] + b->v[3];
    out->v[4] = a->v[4] + b->v[4];
}

/** Negative in no limb. in: a limbs < 2^53, b limbs < 2^53 - 76; out: limbs < 2^54, out = a - b + 4p. */
LT_INLINE void fe25519_sub(fe25519 *out, const fe25519 *a, const fe25519 *b) {
    out->v[0] = a->v[0] + (((uint64_t)1 << 53) - 76) - b->v[0];
    out->v[1] = a->v[1] + (((uint64_t)1 << 53) - 4) - b->v[1];
    out->v[2] = a->v[2] + (((uint64_t)1 << 53) - 4) - b->v[2];
    out->v[3] = a->v[3] + (((uint64_t)1 << 53) - 4) - b->v[3];
    out->v[4] = a->v[4] + (((uint64_t)1 << 53) - 4) - b->v[4];
}

/**
 * The top carry wraps around: 2^255 = 19. in: h0 < 2^51, h1 < 2^51, above < 2^59 + 2^58; out: out->v[0] < 2^51,
 * out->v[1] < 2^51 + 2^13, out->v[0] + 2^51 out->v[1] = h0 + 2^51 h1 + 19 above.
 */
LT_INLINE void fe25519_wrap(fe25519 *out, uint64_t h0, uint64_t h1, uint64_t above) {
    h0 += 19 * above; /* < 57 * 2^58 + 2^51 < 2^64 */
    out->v[0] = h0 & FE25519_LOW51;
    out->v[1] = h1 + (h0 >> 51);
}

/**
 * a * b, column by column, least significant first; columns 5 to 8 wrap around as 19 times columns 0 to 3. Columns with
 * carries are below 77 * 2^108 + 2^64 < 2^115, the last one below 5 * 2^108 + 2^64, so that less than 2^59 + 2^58 is
 * left above it. in: loose; out: tight, out = a b (mod p).
 */
static inline void fe25519_mul(fe25519 *out, const fe25519 *a, const fe25519 *b) {
    const uint64_t a0 = a->v[0], a1 = a->v[1], a2 = a->v[2], a3 = a->v[3], a4 = a->v[4];
    const uint64_t b0 = b->v[0], b1 = b->v[1], b2 = b->v[2], b3 = b->v[3], b4 = b->v[4];
    const uint64_t c1 = 19 * b1, c2 = 19 * b2, c3 = 19 * b3, c4 = 19 * b4;
    uint64_t h0, h1;
    lt_u128 r;

    r = (lt_u128)a0 * b0 + (lt_u128)a1 * c4 + (lt_u128)a2 * c3 + (lt_u128)a3 * c2 + (lt_u128)a4 * c1;
    h0 = (uint64_t)r & FE25519_LOW51;
    r >>= 51;
    r += (lt_u128)a0 * b1 + (lt_u128)a1 * b0 + (lt_u128)a2 * c4 + (lt_u128)a3 * c3 + (lt_u128)a4 * c2;
    h1 = (uint64_t)r & FE25519_LOW51;
    r >>= 51;
    r += (lt_u128)a0 * b2 + (lt_u128)a1 * b1 + (lt_u128)a2 * b0 + (lt_u128)a3 * c4 + (lt_u128)a4 * c3;
    out->v[2] = (uint64_t)r & FE25519_LOW51;
    r >>= 51;
    r += (lt_u128)a0 * b3 + (lt_u128)a1 * b2 + (lt_u128)a2 * b1 + (lt_u128)a3 * b0 + (lt_u128)a4 * c4;
    out->v[3] = (uint64_t)r & FE25519_LOW51;
    r >>= 51;
    r += (lt_u128)a0 * b4 + (lt_u128)a1 * b3 + (lt_u128)a2 * b2 + (lt_u128)a3 * b1 + (lt_u128)a4 * b0;
    out->v[4] = (uint64_t)r & FE25519_LOW51;
    fe25519_wrap(out, h0, h1, (uint64_t)(r >> 51));
}

/** As fe25519_mul. in: loose; out: tight, out = a^2 (mod p). */
static inline void fe25519_square(fe25519 *out, const fe25519 *a) {
    const uint64_t a0 = a->v[0], a1 = a->v[1], a2 = a->v[2], a3 = a->v[3], a4 = a->v[4];
    const uint64_t d0 = 2 * a0, d1 = 2 * a1, c3 = 19 * a3, c4 = 19 * a4, e4 = 2 * c4;
    uint64_t h0, h1;
    lt_u128 r;

    r = (lt_u128)a0 * a0 + (lt_u128)a1 * e4 + (lt_u128)(2 * a2) * c3;
    h0 = (uint64_t)r & FE25519_LOW51;
    r >>= 51;
    r += (lt_u128)d0 * a1 + (lt_u128)a2 * e4 + (lt_u128)a3 * c3;
    h1 = (uint64_t)r & FE25519_LOW51;
    r >>= 51;
    r += (lt_u128)d0 * a2 + (lt_u128)a1 * a1 + (lt_u128)a3 * e4;
    out->v[2] = (uint64_t)r & FE25519_LOW51;
    r >>= 51;
    r += (lt_u128)d0 * a3 + (lt_u128)d1 * a2 + (lt_u128)a4 * c4;
    out->v[3] = (uint64_t)r & FE25519_LOW51;
    r >>= 51;
    r += (lt_u128)d0 * a4 + (lt_u128)d1 * a3 + (lt_u128)a2 * a2;
    out->v[4] = (uint64_t)r & FE25519_LOW51;
    fe25519_wrap(out, h0, h1, (uint64_t)(r >> 51));
}

/** (A - 2) / 4 of RFC 7748 section 5. in: loose; out: tight, out = 121665 a (mod p). */
static inline void fe25519_mul_a24(fe25519 *out, const fe25519 *a) {
    uint64_t h[5];
    lt_u128 r = 0;

    for (int i = 0; i < 5; i++) {
        r += (lt_u128)a->v[i] * 121665;
        h[i] = (uint64_t)r & FE25519_LOW51;
        r >>= 51;
    }
    out->v[2] = h[2];
    out->v[3] = h[3];
    out->v[4] = h[4];
    fe25519_wrap(out, h[0], h[1], (uint64_t)r);
}

/**
 * Swap a and b if `mask` is all ones, not if it is 0.
 * in: any, mask is a mask; out: a is a or b, b is a or b, a + b = a + b.
 */
LT_INLINE void fe25519_swap(uint64_t mask, fe25519 *a, fe25519 *b) {
    mask = lt_ct_hide(mask);
    for (int i = 0; i < 5; i++) {
        uint64_t difference = mask & (a->v[i] ^ b->v[i]);

        a->v[i] ^= difference;
        b->v[i] ^= difference;
    }
}

#endif
