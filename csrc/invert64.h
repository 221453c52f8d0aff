/* Inversion modulo an odd number below 2^256 in constant time, for processors that multiply 64 x 64 bits. */
#ifndef LT_INVERT64_H
#define LT_INVERT64_H

#include "inner.h"

/* Numbers for inversion: v[0] + 2^62 v[1] + ... + 2^248 v[4]. The lower four limbs are in [0, 2^62), the top one has
 * the sign. */
typedef struct {
    int64_t v[5];
} lt_signed62;

typedef struct {
    lt_signed62 m;
    uint64_t inverse; /* 1/m modulo 2^62 */
} lt_modulus62;

/**
 * 1/a modulo m, 0 for 0: a and the result are below m. `out` may be `a`. The time tells nothing of a.
 * in: words < 2^64; out: words < 2^64.
 */
void lt_invert64(uint64_t out[4], const uint64_t a[4], const lt_modulus62 *modulus);

#endif
