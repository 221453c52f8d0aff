/* The field of P-256 at the width of this processor, and what is the same at every width. */
#ifndef LT_P256_FIELD_H
#define LT_P256_FIELD_H

#include "inner.h"

#if LT_LIMB64
#include "p256_field64.h"
#else
#include "p256_field32.h"
#endif

/** a^(2^n), n > 0. Bounds as fe256_square. */
LT_NOINLINE static void fe256_square_times(fe256 *out, const fe256 *a, int n) {
    fe256_square(out, a);
    for (int i = 1; i < n; i++) {
        fe256_square(out, out);
    }
}

/**
 * a^(p - 2) = 1/a (0 for 0). From the top, p - 2 is 32 ones, 31 zeros and a one, 96 zeros, 94 ones, a zero and a one.
 * x<n> is a^(2^n - 1). in: tight; out: tight.
 */
LT_NOINLINE static void fe256_invert(fe256 *out, const fe256 *a) {
    fe256 x2, x3, x15, x30, x32, t;

    fe256_square(&t, a);
    fe256_mul(&x2, &t, a);
    fe256_square(&t, &x2);
    fe256_mul(&x3, &t, a);
    fe256_square_times(&t, &x3, 3);
    fe256_mul(&x15, &t, &x3); /* 6 ones */
    fe256_square_times(&t, &x15, 6);
    fe256_mul(&t, &t, &x15); /* 12 ones */
    fe256_square_times(&t, &t, 3);
    fe256_mul(&x15, &t, &x3);
    fe256_square_times(&t, &x15, 15);
    fe256_mul(&x30, &t, &x15);
    fe256_square_times(&t, &x30, 2);
    fe256_mul(&x32, &t, &x2);

    fe256_square_times(&t, &x32, 32);
    fe256_mul(&t, &t, a);
    fe256_square_times(&t, &t, 128);
    fe256_mul(&t, &t, &x32);
    fe256_square_times(&t, &t, 32);
    fe256_mul(&t, &t, &x32);
    fe256_square_times(&t, &t, 30);
    fe256_mul(&t, &t, &x30);
    fe256_square_times(&t, &t, 2);
    fe256_mul(out, &t, a);

    lt_wipe(&x2, sizeof x2);
    lt_wipe(&x3, sizeof x3);
    lt_wipe(&x15, sizeof x15);
    lt_wipe(&x30, sizeof x30);
    lt_wipe(&x32, sizeof x32);
    lt_wipe(&t, sizeof t);
}

#endif
