/*
 * Inversion modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1, by Fermat. The file that includes this defines fe (an element
 * of the field), fe_mul and fe_square, and names fe_square_times and fe_invert.
 */
#ifndef LT_P256_INVERT_H
#define LT_P256_INVERT_H

#include "inner.h"

/** a^(2^n), n > 0. Bounds as fe_square. */
LT_NOINLINE static void fe_square_times(fe *out, const fe *a, int n) {
    fe_square(out, a);
    for (int i = 1; i < n; i++) {
        fe_square(out, out);
    }
}

/**
 * a^(p - 2) = 1/a (0 for 0). From the top, p - 2 is 32 ones, 31 zeros and a one, 96 zeros, 94 ones, a zero and a one.
 * x<n> is a^(2^n - 1). in: tight; out: tight.
 */
LT_NOINLINE static void fe_invert(fe *out, const fe *a) {
    fe x2, x3, x15, x30, x32, t;

    fe_square(&t, a);
    fe_mul(&x2, &t, a);
    fe_square(&t, &x2);
    fe_mul(&x3, &t, a);
    fe_square_times(&t, &x3, 3);
    fe_mul(&x15, &t, &x3); /* 6 ones */
    fe_square_times(&t, &x15, 6);
    fe_mul(&t, &t, &x15); /* 12 ones */
    fe_square_times(&t, &t, 3);
    fe_mul(&x15, &t, &x3);
    fe_square_times(&t, &x15, 15);
    fe_mul(&x30, &t, &x15);
    fe_square_times(&t, &x30, 2);
    fe_mul(&x32, &t, &x2);

    fe_square_times(&t, &x32, 32);
    fe_mul(&t, &t, a);
    fe_square_times(&t, &t, 128);
    fe_mul(&t, &t, &x32);
    fe_square_times(&t, &t, 32);
    fe_mul(&t, &t, &x32);
    fe_square_times(&t, &t, 30);
    fe_mul(&t, &t, &x30);
    fe_square_times(&t, &t, 2);
    fe_mul(out, &t, a);

    lt_wipe(&x2, sizeof x2);
    lt_wipe(&x3, sizeof x3);
    lt_wipe(&x15, sizeof x15);
    lt_wipe(&x30, sizeof x30);
    lt_wipe(&x32, sizeof x32);
    lt_wipe(&t, sizeof t);
}

#endif
