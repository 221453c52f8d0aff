/*
 * ChaCha20 with AVX2: eight blocks side by side. Register i holds word i of each of the eight states,
 * so that a quarter round works as in the scalar code; the key stream is transposed when it is used.
 *
 * Nothing is wiped here: a named wipe would make memory of what can stay in registers, twice as much as is spilled
 * anyway. lt_aead_wipe_stack covers the frame.
 */
#include "chacha20.h"

#if LT_X86_64
#include <immintrin.h>

#define LT_AVX2 LT_TARGET("avx2")

/* Rotations by 16 and 8 are shuffles of bytes; others need two shifts. */
LT_AVX2 LT_INLINE __m256i rotate16(__m256i x) {
    return _mm256_shuffle_epi8(
        x, _mm256_broadcastsi128_si256(_mm_set_epi8(13, 12, 15, 14, 9, 8, 11, 10, 5, 4, 7, 6, 1, 0, 3, 2)));
}

LT_AVX2 LT_INLINE __m256i rotate8(__m256i x) {
    return _mm256_shuffle_epi8(
        x, _mm256_broadcastsi128_si256(_mm_set_epi8(14, 13, 12, 15, 10, 9, 8, 11, 6, 5, 4, 7, 2, 1, 0, 3)));
}

#define QUARTER_ROUND(a, b, c, d)                                                                                      \
    x[a] = _mm256_add_epi32(x[a], x[b]);                                                                               \
    x[d] = rotate16(_mm256_xor_si256(x[d], x[a]));                                                                     \
    x[c] = _mm256_add_epi32(x[c], x[d]);                                                                               \
    x[b] = _mm256_xor_si256(x[b], x[c]);                                                                               \
    x[b] = _mm256_or_si256(_mm256_slli_epi32(x[b], 12), _mm256_srli_epi32(x[b], 20));                                  \
    x[a] = _mm256_add_epi32(x[a], x[b]);                                                                               \
    x[d] = rotate8(_mm256_xor_si256(x[d], x[a]));                                                                      \
    x[c] = _mm256_add_epi32(x[c], x[d]);                                                                               \
    x[b] = _mm256_xor_si256(x[b], x[c]);                                                                               \
    x[b] = _mm256_or_si256(_mm256_slli_epi32(x[b], 7), _mm256_srli_epi32(x[b], 25));

LT_AVX2 LT_INLINE void xor32(uint8_t *out, const uint8_t *in, __m256i stream) {
    __m256i text = _mm256_loadu_si256((const __m256i *)(const void *)in);

    _mm256_storeu_si256((__m256i *)(void *)out, _mm256_xor_si256(text, stream));
}

/* Eight words x[0..7] of eight blocks: 32 bytes go to each of the eight places 64 bytes apart. */
LT_AVX2 LT_INLINE void xor_half(uint8_t *out, const uint8_t *in, const __m256i *x) {
    __m256i pairs[8];
    __m256i fours[8];

    for (int i = 0; i < 8; i += 4) {
        pairs[i] = _mm256_unpacklo_epi32(x[i], x[i + 1]);
        pairs[i + 1] = _mm256_unpackhi_epi32(x[i], x[i + 1]);
        pairs[i + 2] = _mm256_unpacklo_epi32(x[i + 2], x[i + 3]);
        pairs[i + 3] = _mm256_unpackhi_epi32(x[i + 2], x[i + 3]);
        fours[i] = _mm256_unpacklo_epi64(pairs[i], pairs[i + 2]);
        fours[i + 1] = _mm256_unpackhi_epi64(pairs[i], pairs[i + 2]);
        fours[i + 2] = _mm256_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
        fours[i + 3] = _mm256_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
    }
    /* fours[i] and fours[i + 4]: words 0 to 3 and 4 to 7 of block i (lower lane) and of block i + 4 (upper). */
    for (int i = 0; i < 4; i++) {
        xor32(out + 64 * i, in + 64 * i, _mm256_permute2x128_si256(fours[i], fours[i + 4], 0x20));
        xor32(out + 64 * (i + 4), in + 64 * (i + 4), _mm256_permute2x128_si256(fours[i], fours[i + 4], 0x31));
    }
}

/* see chacha20.h */
LT_AVX2 void lt_chacha20_avx2_xor(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *key, const uint8_t *nonce,
                                  uint32_t counter) {
    static const uint32_t constants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}; /* "expand 32-byte k" */
    __m256i state[16];
    __m256i x[16];

    for (int i = 0; i < 4; i++) {
        state[i] = _mm256_set1_epi32((int)constants[i]);
    }
    for (int i = 0; i < 8; i++) {
        state[4 + i] = _mm256_set1_epi32((int)lt_load32_le(key + 4 * i));
    }
    state[12] = _mm256_add_epi32(_mm256_set1_epi32((int)counter), _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0));
    for (int i = 0; i < 3; i++) {
        state[13 + i] = _mm256_set1_epi32((int)lt_load32_le(nonce + 4 * i));
    }
    for (; len > 0; len -= 512, in += 512, out += 512) {
        for (int i = 0; i < 16; i++) {
            x[i] = state[i];
        }
        for (int i = 0; i < 10; i++) {
            QUARTER_ROUND(0, 4, 8, 12)
            QUARTER_ROUND(1, 5, 9, 13)
            QUARTER_ROUND(2, 6, 10, 14)
            QUARTER_ROUND(3, 7, 11, 15)
            QUARTER_ROUND(0, 5, 10, 15)
            QUARTER_ROUND(1, 6, 11, 12)
            QUARTER_ROUND(2, 7, 8, 13)
            QUARTER_ROUND(3, 4, 9, 14)
        }
        for (int i = 0; i < 16; i++) {
            x[i] = _mm256_add_epi32(x[i], state[i]);
        }
        xor_half(out, in, x);
        xor_half(out + 32, in + 32, x + 8);
        state[12] = _mm256_add_epi32(state[12], _mm256_set1_epi32(8));
    }
}
#endif
