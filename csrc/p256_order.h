/*
 * Arithmetic modulo the order of P-256, n = 2^256 - 2^224 + 2^192 - 0x4319055258e8617b0c46353d039cdaaf, for signatures.
 * A signature takes few of these operations, so one width serves all processors; inversion alone is worth two.
 *
 * Numbers stand as they are, below n, in eight 32-bit limbs, least significant first. `out` may be an input everywhere.
 * Products are Montgomery's, a b / 2^256: who multiplies brings one factor times 2^256.
 */
#ifndef LT_P256_ORDER_H
#define LT_P256_ORDER_H

#include "invert64.h"
#include "words32.h"

typedef struct {
    uint32_t v[8];
} order256;

static const uint32_t order256_n[8] = {0xfc632551, 0xf3b9cac2, 0xa7179e84, 0xbce6faad,
                                       0xffffffff, 0xffffffff, 0,          0xffffffff};

/* 2^512 modulo n: a product with it makes of a number that number times 2^256. */
static const order256 order256_rr = {
    {0xbe79eea2, 0x83244c95, 0x49bd6fa6, 0x4699799c, 0x2b6bec59, 0x2845b239, 0xf3d95620, 0x66e12d94}};

/** in: a any, top < 2, 2^256 top + a < 2n; out: a below n, a = 2^256 top + a (mod n). */
static inline void order256_subtract_n(order256 *a, uint32_t top) {
    uint32_t difference[8];
    uint32_t borrow = words32_sub(difference, a->v, order256_n);

    words32_set_if(0 - (uint64_t)(top | (borrow ^ 1)), a->v, difference);
}

/** in: below n; out: below n, out = a + b (mod n). */
static inline void order256_add(order256 *out, const order256 *a, const order256 *b) {
    order256_subtract_n(out, words32_add(out->v, a->v, b->v));
}

/* One step of Montgomery's reduction: t + q n, where q makes limb 0 vanish. `carry` goes into limb 8, that of limb 8 is
 * returned; both are 0 or 1. */
static inline uint32_t order256_reduce_limb(uint32_t t[9], uint32_t carry) {
    const uint32_t q = t[0] * 0xee00bc4f; /* -1/n modulo 2^32 */
    uint64_t sum = 0;

    for (int i = 0; i < 8; i++) {
        sum += (uint64_t)q * order256_n[i] + t[i]; /* at most (2^32 - 1)^2 + 2 (2^32 - 1) = 2^64 - 1 */
        t[i] = (uint32_t)sum;
        sum >>= 32;
    }
    sum += (uint64_t)t[8] + carry;
    t[8] = (uint32_t)sum;
    return (uint32_t)(sum >> 32);
}

/** What is left is below (n^2 + 2^256 n) / 2^256 < 2n. in: below n; out: below n, out = a b / 2^256 (mod n). */
LT_NOINLINE static void order256_mul(order256 *out, const order256 *a, const order256 *b) {
    uint32_t product[16], carry = 0;

    words32_mul(product, a->v, b->v);
    for (int i = 0; i < 8; i++) {
        carry = order256_reduce_limb(product + i, carry);
    }
    for (int i = 0; i < 8; i++) {
        out->v[i] = product[8 + i];
    }
    order256_subtract_n(out, carry);
    lt_wipe(product, sizeof product);
}

/*
 * 2^256 / a, below n, 0 for 0: a product with it divides by a. Where there is no fast inversion, by Fermat: of a 2^256
 * the power n - 2 among Montgomery's products. The exponent is public.
 */
LT_NOINLINE static void order256_invert(order256 *out, const order256 *a) {
#if LT_LIMB64
    static const lt_modulus62 n = {
        {{0x33b9cac2fc632551, 0x339beab69c5e7a13, 0x3ffffffffffffffb, 0x3fffffc00000003f, 0xff}},
        UINT64_C(0x332e375511ff43b1)};
    static const order256 one = {{1, 0, 0, 0, 0, 0, 0, 0}};
    uint64_t w[4];

    order256_mul(out, a, &one); /* a / 2^256 */
    words32_to_words(w, out->v);
    lt_invert64(w, w, &n);
    words32_from_words(out->v, w);
    lt_wipe(w, sizeof w);
#else
    order256 base;

    order256_mul(&base, a, &order256_rr);
    *out = base;
    for (int i = 254; i >= 0; i--) {
        const uint32_t limb = i < 32 ? order256_n[0] - 2 : order256_n[i / 32];

        order256_mul(out, out, out);
        if ((limb >> i % 32 & 1) != 0) {
            order256_mul(out, out, &base);
        }
    }
    lt_wipe(&base, sizeof base);
#endif
}

#endif
