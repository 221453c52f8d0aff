/*
 * The field of P-384, p = 2^384 - 2^128 - 2^96 + 2^32 - 1, at the width of this processor, and what is the same at
 * every width.
 *
 * A value a stands as a * 2^384 mod p (Montgomery form), always in [0, p), in 64-bit or 32-bit limbs, least significant
 * first: as p is that close to 2^384, there is no room for sums that wait to be reduced. `out` may be an input
 * everywhere.
 */
#ifndef LT_P384_FIELD_H
#define LT_P384_FIELD_H

#include "inner.h"

/* p itself; 2^384, b * 2^384 and 2^768 modulo p: one, the curve's b, and what leads into Montgomery form. */
static const uint64_t fe384_p[6] = {UINT64_C(0x00000000ffffffff), UINT64_C(0xffffffff00000000),
                                    UINT64_C(0xfffffffffffffffe), UINT64_C(0xffffffffffffffff),
                                    UINT64_C(0xffffffffffffffff), UINT64_C(0xffffffffffffffff)};
static const uint64_t fe384_one[6] = {
    UINT64_C(0xffffffff00000001), UINT64_C(0x00000000ffffffff), UINT64_C(0x0000000000000001), 0, 0, 0};
static const uint64_t fe384_b[6] = {UINT64_C(0x081188719d412dcc), UINT64_C(0xf729add87a4c32ec),
                                    UINT64_C(0x77f2209b1920022e), UINT64_C(0xe3374bee94938ae2),
                                    UINT64_C(0xb62b21f41f022094), UINT64_C(0xcd08114b604fbff9)};
static const uint64_t fe384_rr[6] = {UINT64_C(0xfffffffe00000001), UINT64_C(0x0000000200000000),
                                     UINT64_C(0xfffffffe00000000), UINT64_C(0x0000000200000000),
                                     UINT64_C(0x0000000000000001), 0};

#if LT_LIMB64
#include "p384_field64.h"
#else
#include "p384_field32.h"
#endif

/** All ones if a = 0, else 0. in: below p. */
static inline uint64_t fe384_is_zero(const fe384 *a) {
    uint64_t w[6], any = 0;

    fe384_to_words(w, a);
    for (int i = 0; i < 6; i++) {
        any |= w[i];
    }
    return lt_ct_is_zero(any);
}

/** The same value: sums and differences are below p already. in: below p; out: below p. */
LT_INLINE void fe384_fold(fe384 *out, const fe384 *a) {
    *out = *a;
}

#endif
