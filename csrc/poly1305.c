/*
 * Poly1305, RFC 8439 section 2.5: h = (h + block + 2^128) r modulo p = 2^130 - 5.
 *
 * h is held in full machine words and a short top word. Clamping leaves every word of r below 2^60
 * (2^28) and, the first apart, divisible by 4; so a product that lands at 2^128 or above can be
 * brought down at once: 2^128 r_i = 2^130 r_i / 4 = 5 r_i / 4 =: s_i.
 */
#include "chacha20.h"

/* see chacha20.h */
void lt_poly1305_start(lt_poly1305 *poly, const uint8_t *key) {
#if LT_LIMB64
    poly->r[0] = lt_load64_le(key) & 0x0ffffffc0fffffff;
    poly->r[1] = lt_load64_le(key + 8) & 0x0ffffffc0ffffffc;
    poly->h[0] = poly->h[1] = poly->h[2] = 0;
#else
    poly->r[0] = lt_load32_le(key) & 0x0fffffff;
    for (int i = 1; i < 4; i++) {
        poly->r[i] = lt_load32_le(key + 4 * i) & 0x0ffffffc;
    }
    for (int i = 0; i < 5; i++) {
        poly->h[i] = 0;
    }
#endif
    lt_copy(poly->s, key + 16, 16);
}

#if LT_LIMB64
/* *x += y + carry; returns the carry. Written with comparisons: sums of 128 bits are twice as slow with gcc. */
LT_INLINE uint64_t add(uint64_t *x, uint64_t y, uint64_t carry) {
    uint64_t sum = *x + y;
    uint64_t over = sum < y;

    *x = sum + carry;
    return over + (*x < carry);
}

/**
 * in: poly->h any, poly->h[2] <= 4, poly->r[0] < 2^60, poly->r[1] < 2^60, poly->r[1] multiple of 4;
 * out: poly->h[2] <= 4.
 */
static void absorb_blocks(lt_poly1305 *poly, const uint8_t *in, size_t blocks) {
    uint64_t r0 = poly->r[0];
    uint64_t r1 = poly->r[1];
    uint64_t s1 = r1 + (r1 >> 2);
    uint64_t h0 = poly->h[0];
    uint64_t h1 = poly->h[1];
    uint64_t h2 = poly->h[2];

    /* invariant: h2 <= 4, h0 + 2^64 h1 + 2^128 h2 =
     * (h0 + 2^64 h1 + 2^128 h2 + block + 2^128) (r0 + 2^64 r1) (mod p) */
    for (; blocks > 0; blocks--, in += 16) {
        uint64_t carry = add(&h0, lt_load64_le(in), 0);
        lt_u128 d0;
        lt_u128 d1;

        h2 += 1 + add(&h1, lt_load64_le(in + 8), carry); /* <= 6 */

        d0 = (lt_u128)h0 * r0 + (lt_u128)h1 * s1;           /* < 2^125.2 */
        d1 = (lt_u128)h0 * r1 + (lt_u128)h1 * r0 + h2 * s1; /* h2 s1 < 2^63; < 2^125.1 */
        d1 += (uint64_t)(d0 >> 64);
        h2 = h2 * r0 + (uint64_t)(d1 >> 64); /* < 2^62.6 + 2^61.1 < 2^63.1 */
        h0 = (uint64_t)d0;
        h1 = (uint64_t)d1;

        carry = add(&h0, (h2 & ~(uint64_t)3) + (h2 >> 2), 0); /* 2^130 is 5: four times and once h2 >> 2 */
        h2 = (h2 & 3) + add(&h1, 0, carry);
    }
    poly->h[0] = h0;
    poly->h[1] = h1;
    poly->h[2] = h2;
}

/* see chacha20.h */
void lt_poly1305_finish(lt_poly1305 *poly, uint8_t *tag) {
    uint64_t h0 = poly->h[0];
    uint64_t h1 = poly->h[1];
    /* h < 2p. h + 5 reaches 2^130 exactly if h >= p, and is h - p above it. */
    lt_u128 g0 = (lt_u128)h0 + 5;
    lt_u128 g1 = (lt_u128)h1 + (uint64_t)(g0 >> 64);
    uint64_t g2 = poly->h[2] + (uint64_t)(g1 >> 64);
    uint64_t below = lt_ct_is_zero(g2 >> 2);

    h0 = lt_ct_select(below, h0, (uint64_t)g0);
    h1 = lt_ct_select(below, h1, (uint64_t)g1);
    g0 = (lt_u128)h0 + lt_load64_le(poly->s);
    lt_store64_le(tag, (uint64_t)g0);
    lt_store64_le(tag + 8, h1 + lt_load64_le(poly->s + 8) + (uint64_t)(g0 >> 64));
    lt_wipe(poly, sizeof *poly);
}
#else
LT_INLINE uint64_t wide(uint32_t a, uint32_t b) {
    return (uint64_t)a * b;
}

/**
 * in: poly->h any, poly->h[4] <= 4, poly->r[0] < 2^28, poly->r[1] < 2^28, poly->r[2] < 2^28, poly->r[3] < 2^28,
 * poly->r[1] multiple of 4, poly->r[2] multiple of 4, poly->r[3] multiple of 4; out: poly->h[4] <= 4.
 */
static void absorb_blocks(lt_poly1305 *poly, const uint8_t *in, size_t blocks) {
    const uint32_t *r = poly->r;
    uint32_t *h = poly->h;
    uint32_t s1 = r[1] + (r[1] >> 2);
    uint32_t s2 = r[2] + (r[2] >> 2);
    uint32_t s3 = r[3] + (r[3] >> 2);

    /* invariant: poly->h[4] <= 4, poly->h = (poly->h + block + 2^128) (poly->r) (mod p) */
    for (; blocks > 0; blocks--, in += 16) {
        uint64_t d[4];
        uint64_t carry = 0;

        for (int i = 0; i < 4; i++) {
            carry += (uint64_t)h[i] + lt_load32_le(in + 4 * i);
            h[i] = (uint32_t)carry;
            carry >>= 32;
        }
        h[4] += 1 + (uint32_t)carry; /* <= 6 */

        /* at most four products below 2^60.4 and one below 2^33: no overflow */
        d[0] = wide(h[0], r[0]) + wide(h[1], s3) + wide(h[2], s2) + wide(h[3], s1);
        d[1] = wide(h[0], r[1]) + wide(h[1], r[0]) + wide(h[2], s3) + wide(h[3], s2) + wide(h[4], s1);
        d[2] = wide(h[0], r[2]) + wide(h[1], r[1]) + wide(h[2], r[0]) + wide(h[3], s3) + wide(h[4], s2);
        d[3] = wide(h[0], r[3]) + wide(h[1], r[2]) + wide(h[2], r[1]) + wide(h[3], r[0]) + wide(h[4], s3);
        h[4] *= r[0]; /* < 2^30.6 */
        for (int i = 0; i < 4; i++) {
            carry = i == 0 ? 0 : d[i - 1] >> 32;
            d[i] += carry;
        }
        h[4] += (uint32_t)(d[3] >> 32); /* < 2^31.9 */

        carry = (uint64_t)(h[4] & ~(uint32_t)3) + (h[4] >> 2); /* 2^130 is 5: four times and once h[4] >> 2 */
        for (int i = 0; i < 4; i++) {
            carry += (uint32_t)d[i];
            h[i] = (uint32_t)carry;
            carry >>= 32;
        }
        h[4] = (h[4] & 3) + (uint32_t)carry;
    }
}

/* see chacha20.h */
void lt_poly1305_finish(lt_poly1305 *poly, uint8_t *tag) {
    uint32_t g[4];
    uint64_t carry = 5;
    uint64_t below;

    /* h < 2p. h + 5 reaches 2^130 exactly if h >= p, and is h - p above it. */
    for (int i = 0; i < 4; i++) {
        carry += poly->h[i];
        g[i] = (uint32_t)carry;
        carry >>= 32;
    }
    below = lt_ct_is_zero((poly->h[4] + carry) >> 2);
    carry = 0;
    for (int i = 0; i < 4; i++) {
        carry += lt_ct_select(below, poly->h[i], g[i]) + lt_load32_le(poly->s + 4 * i);
        lt_store32_le(tag + 4 * i, (uint32_t)carry);
        carry >>= 32;
    }
    lt_wipe(g, sizeof g);
    lt_wipe(poly, sizeof *poly);
}
#endif

/* see chacha20.h */
void lt_poly1305_absorb(lt_poly1305 *poly, const uint8_t *in, size_t in_len) {
    absorb_blocks(poly, in, in_len / 16);
    if (in_len % 16 != 0) {
        uint8_t block[16] = {0};

        lt_copy(block, in + (in_len - in_len % 16), in_len % 16);
        absorb_blocks(poly, block, 1);
        lt_wipe(block, sizeof block);
    }
}
