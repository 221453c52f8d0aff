/*
 * GHASH with PCLMULQDQ: what the accelerated GCM files share.
 *
 * Blocks are loaded backwards, so that the coefficient of x^0 is the top bit of the register. A
 * carryless product of two such values is one place too low; the table of powers makes up for it by
 * holding x H^i in place of H^i. A sum of up to sixteen products is reduced once:
 * (y + b0) H^16 + b1 H^15 + ... + b15 H.
 *
 * The table begins with H^16 down to H^1. lt_gcm_ni_init goes on with sixteen words of 64 bits, the two halves of each
 * power added up for Karatsuba's middle product; gcm_vaes512.c with H^20, H^24, H^28, H^32 and eight such words, of
 * H^4, H^8 ... H^32.
 */
#ifndef LT_GHASH_CLMUL_H
#define LT_GHASH_CLMUL_H

#include "inner.h"

#if LT_X86_64
#include <immintrin.h>

#define LT_CLMUL LT_TARGET("ssse3,pclmul")

#define LT_GHASH_POLYNOMIAL 0xc200000000000000u /* see lt_ghash_reduce */
#define LT_GHASH_FOLDED     (16 * 16)           /* the sixteen words in the table */

/*
 * Compilers gather products that are written apart; on a processor with a short queue that costs a sixth of the speed.
 * They do not know what this does to the sum.
 */
#if LT_GNUC
#define LT_KEEP_APART(sum) __asm__("" : "+x"((sum).high), "+x"((sum).middle), "+x"((sum).low))
#else
#define LT_KEEP_APART(sum) (void)0
#endif

LT_CLMUL LT_INLINE __m128i lt_load128(const uint8_t *p) {
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

LT_CLMUL LT_INLINE void lt_store128(uint8_t *p, __m128i x) {
    _mm_storeu_si128((__m128i *)(void *)p, x);
}

LT_CLMUL LT_INLINE __m128i lt_reverse128(__m128i x) {
    return _mm_shuffle_epi8(x, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

LT_CLMUL LT_INLINE __m128i lt_swap_halves(__m128i x) {
    return _mm_shuffle_epi32(x, 0x4e);
}

/* A sum of unreduced products by Karatsuba; `middle` still lacks high + low. */
typedef struct {
    __m128i high;
    __m128i middle;
    __m128i low;
} lt_ghash_sum;

LT_CLMUL LT_INLINE lt_ghash_sum lt_ghash_zero(void) {
    lt_ghash_sum sum = {_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};

    return sum;
}

/* sum += x H^exponent, 0 < exponent <= 16 */
LT_CLMUL LT_INLINE void lt_ghash_add(lt_ghash_sum *sum, const lt_gcm *gcm, size_t exponent, __m128i x) {
    __m128i power = lt_load128(gcm->powers + 16 * (16 - exponent));
    __m128i folded_power = _mm_xor_si128(power, lt_swap_halves(power));
    __m128i folded = _mm_xor_si128(x, lt_swap_halves(x));

    sum->high = _mm_xor_si128(sum->high, _mm_clmulepi64_si128(x, power, 0x11));
    sum->low = _mm_xor_si128(sum->low, _mm_clmulepi64_si128(x, power, 0x00));
    sum->middle = _mm_xor_si128(sum->middle, _mm_clmulepi64_si128(folded, folded_power, 0x00));
}

/*
 * The field's polynomial runs backwards here: 1 + (x^63 + x^62 + x^57) x^64 + x^128. Adding the multiple of it that
 * clears the lowest 64 bits takes `low` to the place of `middle`, and once more to that of `high`.
 */
LT_CLMUL LT_INLINE __m128i lt_ghash_reduce(lt_ghash_sum sum) {
    const __m128i polynomial = _mm_set_epi64x(0, (long long)LT_GHASH_POLYNOMIAL);
    __m128i middle = _mm_xor_si128(sum.middle, _mm_xor_si128(sum.high, sum.low));

    middle =
        _mm_xor_si128(_mm_xor_si128(middle, lt_swap_halves(sum.low)), _mm_clmulepi64_si128(sum.low, polynomial, 0x00));
    return _mm_xor_si128(_mm_xor_si128(sum.high, lt_swap_halves(middle)),
                         _mm_clmulepi64_si128(middle, polynomial, 0x00));
}

/* x H^exponent */
LT_CLMUL LT_INLINE __m128i lt_ghash_times(const lt_gcm *gcm, size_t exponent, __m128i x) {
    lt_ghash_sum sum = lt_ghash_zero();

    lt_ghash_add(&sum, gcm, exponent, x);
    return lt_ghash_reduce(sum);
}

/** Fill gcm->powers from the 16 bytes of H. */
void lt_ghash_clmul_powers(lt_gcm *gcm, const uint8_t *h);
#endif

#endif
