/* X25519 with instructions that not every processor has; x25519.c and x25519_base.c choose. */
#ifndef LT_X25519_IFMA_H
#define LT_X25519_IFMA_H

#include "inner.h"

/* Where the code exists; running it needs LT_CPU_IFMA. */
#if LT_X86_64 && LT_LIMB64 && LT_GNUC
#define LT_X25519_IFMA 1
#else
#define LT_X25519_IFMA 0
#endif

/** As lt_x25519_base, lt_x25519 and lt_x25519_agree. */
void lt_x25519_base_ifma(uint8_t out[32], const uint8_t scalar[32]);
LT_MUST_CHECK int lt_x25519_ifma(uint8_t out[32], const uint8_t scalar[32], const uint8_t u[32]);
LT_MUST_CHECK int lt_x25519_agree_ifma(uint8_t public[32], uint8_t secret[32], const uint8_t scalar[32],
                                       const uint8_t u[32]);

#endif
