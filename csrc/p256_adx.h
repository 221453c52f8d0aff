/* P-256 with instructions that not every processor has; p256.c chooses. */
#ifndef LT_P256_ADX_H
#define LT_P256_ADX_H

#include "inner.h"

/* Where the code exists, whatever the width of the portable limbs; running it needs LT_CPU_BMI2_ADX. */
#if LT_X86_64 && LT_INT128 && LT_GNUC
#define LT_P256_ADX 1
#else
#define LT_P256_ADX 0
#endif

/** As lt_p256_base and lt_p256. */
void lt_p256_base_adx(uint8_t out[65], const uint8_t scalar[32]);
LT_MUST_CHECK int lt_p256_adx(uint8_t out[32], const uint8_t scalar[32], const uint8_t peer[65]);

#endif
