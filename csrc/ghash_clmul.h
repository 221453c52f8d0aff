/*
 * GHASH with PCLMULQDQ: what the accelerated GCM files share.
 *
 * Blocks are loaded backwards, so that the coefficient of x^0 is the top bit of the register. A
 * carryless product of two such values is one place too low; the table of powers makes up for it by
 * holding x H^i in place of H^i, H^16 first. A sum of up to sixteen products is reduced once:
 * (y + b0) H^16 + b1 H^15 + ... + b15 H.
 */
#ifndef LT_GHASH_CLMUL_H
#define LT_GHASH_CLMUL_H

#include "inner.h"

#if LT_X86_64
#include <immintrin.h>

#define LT_CLMUL LT_TARGET("ssse3,pclmul")

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
 * The field's polynomial runs backwards here: 1 + (x^63 + x^62 + x^57) x^64 + x^128. Adding the
 * multiple of it that clears the lowest 64 bits, twice, leaves the sum in the upper 128.
 */
LT_CLMUL LT_INLINE __m128i lt_ghash_reduce(lt_ghash_sum sum) {
    const __m128i polynomial = _mm_set_epi64x(0, (long long)0xc200000000000000u);
    __m128i middle = _mm_xor_si128(sum.middle, _mm_xor_si128(sum.high, sum.low));
    __m128i high = _mm_xor_si128(sum.high, _mm_srli_si128(middle, 8));
    __m128i low = _mm_xor_si128(sum.low, _mm_slli_si128(middle, 8));

    low = _mm_xor_si128(lt_swap_halves(low), _mm_clmulepi64_si128(low, polynomial, 0x00));
    low = _mm_xor_si128(lt_swap_halves(low), _mm_clmulepi64_si128(low, polynomial, 0x00));
    return _mm_xor_si128(high, low);
}

/** Fill gcm->powers from the 16 bytes of H. */
void lt_ghash_clmul_powers(lt_gcm *gcm, const uint8_t *h);
#endif

#endif
