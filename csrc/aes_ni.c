/* AES with AES-NI: key expansion and single blocks; the bulk is in gcm_ni.c and ccm_ni.c. */
#include "aes.h"

#if LT_X86_64
#include <immintrin.h>

#define LT_AESNI LT_TARGET("sse2,aes")

LT_AESNI static uint32_t sub_word(uint32_t x) {
    /* The second word of the operand goes to the first of the result, through the S-box. */
    return (uint32_t)_mm_cvtsi128_si32(_mm_aeskeygenassist_si128(_mm_set1_epi32((int)x), 0));
}

/* see aes.h */
uint32_t lt_aes_ni_expand(uint8_t *round_keys, const uint8_t *key, size_t key_len) {
    return lt_aes_expand(round_keys, key, key_len, sub_word);
}

/* see aes.h */
LT_AESNI void lt_aes_ni_encrypt(const uint8_t *round_keys, uint32_t rounds, uint8_t *out, const uint8_t *in) {
    const __m128i *keys = (const __m128i *)(const void *)round_keys;
    __m128i x = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(const void *)in), _mm_loadu_si128(keys));

    for (uint32_t round = 1; round < rounds; round++) {
        x = _mm_aesenc_si128(x, _mm_loadu_si128(keys + round));
    }
    _mm_storeu_si128((__m128i *)(void *)out, _mm_aesenclast_si128(x, _mm_loadu_si128(keys + rounds)));
}
#endif
