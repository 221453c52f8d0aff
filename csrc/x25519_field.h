/* The field of X25519 at the width of this processor, and what is the same at every width. */
#ifndef LT_X25519_FIELD_H
#define LT_X25519_FIELD_H

#include "inner.h"

#if LT_LIMB64
#include "x25519_field64.h"
#else
#include "x25519_field32.h"
#endif

/** a^(2^n), n > 0. Bounds as fe25519_square. */
LT_NOINLINE static void fe25519_square_times(fe25519 *out, const fe25519 *a, int n) {
    fe25519_square(out, a);
    for (int i = 1; i < n; i++) {
        fe25519_square(out, out);
    }
}

/** a^(p - 2) = 1/a (0 for 0), p - 2 = 2^255 - 21. Names: x<n> is a^(2^n - 1). in: loose; out: tight. */
LT_NOINLINE static void fe25519_invert(fe25519 *out, const fe25519 *a) {
    fe25519 a11, x5, x10, x50, x100, t;

    fe25519_square(&t, a);            /* a^2 */
    fe25519_square_times(&x5, &t, 2); /* a^8 */
    fe25519_mul(&x5, &x5, a);         /* a^9 */
    fe25519_mul(&a11, &x5, &t);       /* a^11 */
    fe25519_square(&t, &a11);         /* a^22 */
    fe25519_mul(&x5, &x5, &t);        /* a^31 */
    fe25519_square_times(&t, &x5, 5); /* 5 + 5 ones */
    fe25519_mul(&x10, &t, &x5);
    fe25519_square_times(&t, &x10, 10); /* 20 */
    fe25519_mul(&x50, &t, &x10);
    fe25519_square_times(&t, &x50, 20); /* 40 */
    fe25519_mul(&t, &t, &x50);
    fe25519_square_times(&t, &t, 10); /* 50 */
    fe25519_mul(&x50, &t, &x10);
    fe25519_square_times(&t, &x50, 50); /* 100 */
    fe25519_mul(&x100, &t, &x50);
    fe25519_square_times(&t, &x100, 100); /* 200 */
    fe25519_mul(&t, &t, &x100);
    fe25519_square_times(&t, &t, 50); /* 250 */
    fe25519_mul(&t, &t, &x50);
    fe25519_square_times(&t, &t, 5); /* 2^255 - 32 + 11 */
    fe25519_mul(out, &t, &a11);

    lt_wipe(&a11, sizeof a11);
    lt_wipe(&x5, sizeof x5);
    lt_wipe(&x10, sizeof x10);
    lt_wipe(&x50, sizeof x50);
    lt_wipe(&x100, sizeof x100);
    lt_wipe(&t, sizeof t);
}

/** A private key as RFC 7748 section 5 clamps it: bit 254 set, a multiple of 8. */
LT_INLINE void x25519_scalar(uint64_t k[4], const uint8_t scalar[32]) {
    for (int i = 0; i < 4; i++) {
        k[i] = lt_load64_le(scalar + 8 * i);
    }
    k[0] &= ~(uint64_t)7;
    k[3] = (k[3] & (((uint64_t)1 << 63) - 1)) | (uint64_t)1 << 62;
}

#endif
