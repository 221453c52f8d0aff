/* The block function of SHA-384 and SHA-512 with AVX2 and RORX; sha2_avx2.h has the rounds. */
#include "inner.h"

#if LT_X86_64
#include <immintrin.h>

#define LT_AVX2_BMI2 LT_TARGET("avx2,bmi2")

#define SHA2_ROUNDS 80
#define SUM0(x)     (lt_rotr64(x, 28) ^ lt_rotr64(x, 34) ^ lt_rotr64(x, 39))
#define SUM1(x)     (lt_rotr64(x, 14) ^ lt_rotr64(x, 18) ^ lt_rotr64(x, 41))
#define hide        lt_ct_hide

typedef uint64_t word;
typedef __m256i vector;

LT_AVX2_BMI2 LT_INLINE __m256i load(const void *p) {
    return _mm256_loadu_si256((const __m256i *)p);
}

LT_AVX2_BMI2 LT_INLINE __m256i load_be(const uint8_t *p) {
    const __m128i swap = _mm_set_epi8(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);

    return _mm256_shuffle_epi8(load(p), _mm256_broadcastsi128_si256(swap));
}

LT_AVX2_BMI2 LT_INLINE __m256i sigma0(__m256i x) {
    const __m128i rotate8 = _mm_set_epi8(8, 15, 14, 13, 12, 11, 10, 9, 0, 7, 6, 5, 4, 3, 2, 1);
    __m256i by1 = _mm256_xor_si256(_mm256_srli_epi64(x, 1), _mm256_slli_epi64(x, 63));
    __m256i by8 = _mm256_shuffle_epi8(x, _mm256_broadcastsi128_si256(rotate8));

    return _mm256_xor_si256(by1, _mm256_xor_si256(by8, _mm256_srli_epi64(x, 7)));
}

LT_AVX2_BMI2 LT_INLINE __m128i sigma1(__m128i x) {
    __m128i by19 = _mm_xor_si128(_mm_srli_epi64(x, 19), _mm_slli_epi64(x, 45));
    __m128i by61 = _mm_xor_si128(_mm_srli_epi64(x, 61), _mm_slli_epi64(x, 3));

    return _mm_xor_si128(_mm_xor_si128(by19, by61), _mm_srli_epi64(x, 6));
}

/* Four words from the second of x on; y follows x. */
LT_AVX2_BMI2 LT_INLINE __m256i from_second(__m256i x, __m256i y) {
    return _mm256_alignr_epi8(_mm256_permute2x128_si256(x, y, 0x21), x, 8);
}

/* w[t..t+4) of the message schedule from a = w[t-16..t-12), b, c and d = w[t-4..t). */
LT_AVX2_BMI2 LT_INLINE __m256i schedule(__m256i a, __m256i b, __m256i c, __m256i d) {
    __m256i sum = _mm256_add_epi64(_mm256_add_epi64(a, from_second(c, d)), sigma0(from_second(a, b)));
    __m128i low = _mm_add_epi64(_mm256_castsi256_si128(sum), sigma1(_mm256_extracti128_si256(d, 1)));
    __m128i high = _mm_add_epi64(_mm256_extracti128_si256(sum, 1), sigma1(low)); /* they need the two before them */

    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

/* wk[0..4) = w + the constants of the rounds from t on */
LT_AVX2_BMI2 LT_INLINE void put(uint64_t *wk, __m256i w, size_t t) {
    _mm256_storeu_si256((__m256i *)(void *)wk, _mm256_add_epi64(w, load(lt_sha512_constants + t)));
}

#include "sha2_avx2.h"

/* see inner.h */
LT_AVX2_BMI2 void lt_sha512_blocks_avx2(uint64_t state[8], const uint8_t *in, size_t blocks) {
    uint64_t wk[16];

    for (; blocks > 0; blocks--, in += 128) {
        compress(state, wk, in);
    }
    lt_wipe(wk, sizeof wk);
}
#endif
