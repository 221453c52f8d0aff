/* SHA-256 for processors with AVX2 and RORX but without the SHA extensions; sha2_avx2.h has the rounds. */
#include "inner.h"

#if LT_X86_64
#include <immintrin.h>

#define LT_AVX2_BMI2 LT_TARGET("avx2,bmi2")

#define SHA2_ROUNDS 64
#define SUM0(x)     (lt_rotr32(x, 2) ^ lt_rotr32(x, 13) ^ lt_rotr32(x, 22))
#define SUM1(x)     (lt_rotr32(x, 6) ^ lt_rotr32(x, 11) ^ lt_rotr32(x, 25))

typedef uint32_t word;
typedef __m128i vector;

LT_INLINE uint32_t hide(uint32_t x) {
    return (uint32_t)lt_ct_hide(x);
}

LT_AVX2_BMI2 LT_INLINE __m128i load(const void *p) {
    return _mm_loadu_si128((const __m128i *)p);
}

LT_AVX2_BMI2 LT_INLINE __m128i load_be(const uint8_t *p) {
    return _mm_shuffle_epi8(load(p), _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3));
}

LT_AVX2_BMI2 LT_INLINE __m128i sigma0(__m128i x) {
    __m128i by7 = _mm_xor_si128(_mm_srli_epi32(x, 7), _mm_slli_epi32(x, 25));
    __m128i by18 = _mm_xor_si128(_mm_srli_epi32(x, 18), _mm_slli_epi32(x, 14));

    return _mm_xor_si128(_mm_xor_si128(by7, by18), _mm_srli_epi32(x, 3));
}

/* Of two words, each given twice in a row; the results are in the even words. A 64-bit shift then rotates 32 bits. */
LT_AVX2_BMI2 LT_INLINE __m128i sigma1(__m128i x) {
    __m128i turned = _mm_xor_si128(_mm_srli_epi64(x, 17), _mm_srli_epi64(x, 19));

    return _mm_xor_si128(turned, _mm_srli_epi32(x, 10));
}

/* w[t..t+4) of the message schedule from a = w[t-16..t-12), b, c and d = w[t-4..t). */
LT_AVX2_BMI2 LT_INLINE __m128i schedule(__m128i a, __m128i b, __m128i c, __m128i d) {
    const __m128i to_low = _mm_set_epi8(-1, -1, -1, -1, -1, -1, -1, -1, 11, 10, 9, 8, 3, 2, 1, 0);
    const __m128i to_high = _mm_set_epi8(11, 10, 9, 8, 3, 2, 1, 0, -1, -1, -1, -1, -1, -1, -1, -1);
    __m128i sum = _mm_add_epi32(_mm_add_epi32(a, _mm_alignr_epi8(d, c, 4)), sigma0(_mm_alignr_epi8(b, a, 4)));

    sum = _mm_add_epi32(sum, _mm_shuffle_epi8(sigma1(_mm_shuffle_epi32(d, 0xfa)), to_low));
    return _mm_add_epi32(sum, _mm_shuffle_epi8(sigma1(_mm_shuffle_epi32(sum, 0x50)), to_high));
}

/* wk[0..4) = w + the constants of the rounds from t on */
LT_AVX2_BMI2 LT_INLINE void put(uint32_t *wk, __m128i w, size_t t) {
    _mm_storeu_si128((__m128i *)(void *)wk, _mm_add_epi32(w, load(lt_sha256_constants + t)));
}

#include "sha2_avx2.h"

/* see inner.h */
LT_AVX2_BMI2 void lt_sha256_blocks_avx2(uint32_t state[8], const uint8_t *in, size_t blocks) {
    uint32_t wk[16];

    for (; blocks > 0; blocks--, in += 64) {
        compress(state, wk, in);
    }
    lt_wipe(wk, sizeof wk);
}
#endif
