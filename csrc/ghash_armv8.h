/*
 * GHASH with PMULL: sums of up to nine products, reduced once:
 * (y + b0) H^8 + b1 H^7 + ... + b7 H.
 *
 * Blocks are loaded with the bits of every byte reversed (RBIT), after which the coefficient of x^i is bit i of the
 * register, and a carryless product is that of the field before its reduction (NIST SP 800-38D section 6.3).
 */
#ifndef LT_GHASH_ARMV8_H
#define LT_GHASH_ARMV8_H

#include "armv8.h"

#if LT_ARM64
#define LT_GHASH_POWERS 9

/* H^exponent takes 24 bytes of gcm->powers: itself, and the sum of its halves. */
#define LT_GHASH_POWER_LEN 24
LT_STATIC_ASSERT(ghash_powers_fit, LT_GHASH_POWERS *LT_GHASH_POWER_LEN <= sizeof((lt_gcm *)0)->powers);

/* A sum of unreduced products by Karatsuba; `middle` still lacks high + low. */
typedef struct {
    uint8x16_t high;
    uint8x16_t middle;
    uint8x16_t low;
} lt_ghash_sum;

LT_ARM_AES LT_INLINE lt_ghash_sum lt_ghash_zero(void) {
    lt_ghash_sum sum;

    sum.high = sum.middle = sum.low = vdupq_n_u8(0);
    return sum;
}

/* The sum of the halves, in both halves. */
LT_ARM_AES LT_INLINE uint8x16_t lt_fold_halves(uint8x16_t x) {
    return veorq_u8(x, vextq_u8(x, x, 8));
}

/* sum += x H^exponent, 0 < exponent <= LT_GHASH_POWERS */
LT_ARM_AES LT_INLINE void lt_ghash_add(lt_ghash_sum *sum, const lt_gcm *gcm, size_t exponent, uint8x16_t x) {
    const uint8_t *entry = gcm->powers + LT_GHASH_POWER_LEN * (exponent - 1);
    uint8x16_t power = vld1q_u8(entry);
    uint8x16_t folded_power = vcombine_u8(vld1_u8(entry + 16), vdup_n_u8(0));

    sum->low = veorq_u8(sum->low, lt_pmull(x, power));
    sum->high = veorq_u8(sum->high, lt_pmull2(x, power));
    sum->middle = veorq_u8(sum->middle, lt_pmull(lt_fold_halves(x), folded_power));
}

/* x^128 = x^7 + x^2 + x + 1 =: r. With words w3 to w0, high to low: w3 r x^64 comes down first, then (the new) w2 r. */
LT_ARM_AES LT_INLINE uint8x16_t lt_ghash_reduce(lt_ghash_sum sum) {
    const uint8x16_t none = vdupq_n_u8(0);
    const uint8x16_t r = vreinterpretq_u8_u64(vdupq_n_u64(0x87));
    uint8x16_t middle = veorq_u8(sum.middle, veorq_u8(sum.high, sum.low));
    uint8x16_t high = veorq_u8(sum.high, vextq_u8(middle, none, 8));
    uint8x16_t low = veorq_u8(sum.low, vextq_u8(none, middle, 8));
    uint8x16_t from_top = lt_pmull2(high, r);

    high = veorq_u8(high, vextq_u8(from_top, none, 8));
    low = veorq_u8(low, vextq_u8(none, from_top, 8));
    return veorq_u8(low, lt_pmull(high, r));
}

/** Fill gcm->powers from H, its bytes reversed as above. */
LT_ARM_AES LT_INLINE void lt_ghash_set_powers(lt_gcm *gcm, uint8x16_t h) {
    uint8x16_t power = h;

    for (size_t exponent = 1; exponent <= LT_GHASH_POWERS; exponent++) {
        uint8_t *entry = gcm->powers + LT_GHASH_POWER_LEN * (exponent - 1);
        lt_ghash_sum sum = lt_ghash_zero();

        vst1q_u8(entry, power);
        vst1_u8(entry + 16, vget_low_u8(lt_fold_halves(power)));
        lt_ghash_add(&sum, gcm, 1, power); /* the first entry is H by now */
        power = lt_ghash_reduce(sum);
    }
}
#endif

#endif
