/*
 * GHASH without tables, in constant time (NIST SP 800-38D section 6.4).
 *
 * A carryless product is made of ordinary ones: with operands of which only every fourth bit may be
 * set, at most 8 products of bits meet in a column, a sum that four bits hold; its lowest bit is the
 * carryless result. Needs a multiplier whose time does not depend on its operands, as in every 64-bit
 * processor and in Cortex-M4 (not M3).
 */
#include "gcm.h"

#define EVERY_FOURTH 0x1111111111111111u

LT_INLINE uint64_t wide(uint32_t a, uint32_t b) {
    return (uint64_t)a * b;
}

/* 32 x 32 -> 63 bits, carryless. */
LT_PIECE uint64_t multiply32(uint32_t a, uint32_t b) {
    uint32_t a4[4];
    uint32_t b4[4];
    uint64_t product = 0;

    for (int i = 0; i < 4; i++) {
        a4[i] = a & (uint32_t)(EVERY_FOURTH << i);
        b4[i] = b & (uint32_t)(EVERY_FOURTH << i);
    }
    for (int i = 0; i < 4; i++) {
        uint64_t columns = wide(a4[0], b4[i]) ^ wide(a4[1], b4[(i + 3) & 3]) ^ wide(a4[2], b4[(i + 2) & 3]) ^
                           wide(a4[3], b4[(i + 1) & 3]);

        product |= columns & (EVERY_FOURTH << i);
    }
    return product;
}

/* 64 x 64 -> 127 bits: Karatsuba, out[0] the upper half. */
LT_INLINE void multiply64(uint64_t *out, uint64_t a, uint64_t b) {
    uint32_t a1 = (uint32_t)(a >> 32);
    uint32_t b1 = (uint32_t)(b >> 32);
    uint64_t high = multiply32(a1, b1);
    uint64_t low = multiply32((uint32_t)a, (uint32_t)b);
    uint64_t middle = multiply32(a1 ^ (uint32_t)a, b1 ^ (uint32_t)b) ^ high ^ low;

    out[0] = high ^ middle >> 32;
    out[1] = low ^ middle << 32;
}

/*
 * x^128 = x^7 + x^2 + x + 1. Bits run backwards, the coefficient of x^0 is the top bit, so that a
 * factor x is a shift to the right: what leaves `from` at its lower end enters the word behind.
 */
LT_INLINE void fold(uint64_t from, uint64_t *to, uint64_t *behind) {
    *to ^= from ^ from >> 1 ^ from >> 2 ^ from >> 7;
    *behind ^= from << 63 ^ from << 62 ^ from << 57;
}

static void multiply_by_h(uint64_t *y, uint64_t h0, uint64_t h1) {
    uint64_t high[2];
    uint64_t low[2];
    uint64_t middle[2];
    uint64_t v[4];

    multiply64(high, y[0], h0);
    multiply64(low, y[1], h1);
    multiply64(middle, y[0] ^ y[1], h0 ^ h1);
    middle[0] ^= high[0] ^ low[0];
    middle[1] ^= high[1] ^ low[1];
    high[1] ^= middle[0];
    low[0] ^= middle[1];

    /* 255 bits of product: one step up puts x^0 at the top of 256. */
    v[0] = high[0] << 1 | high[1] >> 63;
    v[1] = high[1] << 1 | low[0] >> 63;
    v[2] = low[0] << 1 | low[1] >> 63;
    v[3] = low[1] << 1;
    fold(v[3], &v[1], &v[2]);
    fold(v[2], &v[0], &v[1]);
    y[0] = v[0];
    y[1] = v[1];
}

/* see gcm.h */
void lt_ghash_portable(uint64_t *y, const uint8_t *h, const uint8_t *in, size_t in_len) {
    uint64_t h0 = lt_load64_be(h);
    uint64_t h1 = lt_load64_be(h + 8);

    for (; in_len >= 16; in += 16, in_len -= 16) {
        y[0] ^= lt_load64_be(in);
        y[1] ^= lt_load64_be(in + 8);
        multiply_by_h(y, h0, h1);
    }
    if (in_len > 0) {
        uint8_t block[16] = {0};

        lt_copy(block, in, in_len);
        y[0] ^= lt_load64_be(block);
        y[1] ^= lt_load64_be(block + 8);
        multiply_by_h(y, h0, h1);
    }
}
