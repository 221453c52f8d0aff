/* P-256 with AVX-512 IFMA, for signature verification; p256_vartime.c chooses. */
#ifndef LT_P256_IFMA_VARTIME_H
#define LT_P256_IFMA_VARTIME_H

#include "p256_field.h"

/* Where the code exists; running it needs LT_CPU_IFMA. */
#if LT_X86_64 && LT_LIMB64 && LT_GNUC
#define LT_P256_IFMA 1
#else
#define LT_P256_IFMA 0
#endif

/**
 * digits1[i] 2^i G and digits2[i] 2^i Q, all for i < used added up: X and Z of the sum, whose x is X/Z^2. Digits are
 * those of ecdsa_vartime.h, at least one not 0; qx and qy are tight, and so are x and z. Z = 0: an addition met equal
 * or opposite points, and X says nothing.
 */
void lt_p256_sum_ifma_vartime(fe256 *x, fe256 *z, const int8_t *digits1, const int8_t *digits2, int used,
                              const fe256 *qx, const fe256 *qy);

/** x and y of LT_P256_MULTIPLES_WORDS words: 1, 3, ..., 15 times 2^(8 i) P for i < 32, with P = (x, y), both tight. */
void lt_p256_multiples_ifma_vartime(uint64_t *multiples, const fe256 *x, const fe256 *y);

/**
 * u1 G + u2 Q for scalars below n, with the multiples of Q that the former makes: X and Z^2 of the sum, tight. Z^2 = 0
 * as above.
 */
void lt_p256_sum_of_multiples_ifma_vartime(fe256 *x, fe256 *zz, const uint64_t u1[4], const uint64_t u2[4],
                                           const uint64_t *multiples);

#endif
