/*
 * ChaCha20 with AVX2, in two shapes; see chacha20_avx512.c for both. Words: eight blocks. Rows: two blocks a register,
 * twice, so that neither waits for itself.
 *
 * Nothing is wiped here: a named wipe would make memory of what can stay in registers, twice as much as is spilled
 * anyway. lt_aead_wipe_stack covers the frames.
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

#define ROTATE_16(x) rotate16(x)
#define ROTATE_12(x) _mm256_or_si256(_mm256_slli_epi32(x, 12), _mm256_srli_epi32(x, 20))
#define ROTATE_8(x)  rotate8(x)
#define ROTATE_7(x)  _mm256_or_si256(_mm256_slli_epi32(x, 7), _mm256_srli_epi32(x, 25))

#define STEP(a, b, d, n)                                                                                               \
    a = _mm256_add_epi32(a, b);                                                                                        \
    d = _mm256_xor_si256(d, a);                                                                                        \
    d = ROTATE_##n(d);

LT_AVX2 LT_INLINE __m256i load256(const uint8_t *p) {
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

LT_AVX2 LT_INLINE void store256(uint8_t *p, __m256i x) {
    _mm256_storeu_si256((__m256i *)(void *)p, x);
}

/* ---- Four blocks by rows ----------------------------------------------------------------------- */

/* Four words in both lanes. */
LT_AVX2 LT_INLINE __m256i row(const void *words) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)words));
}

#define ROUND(a, b, c, d)                                                                                              \
    STEP(a[0], b[0], d[0], 16)                                                                                         \
    STEP(a[1], b[1], d[1], 16)                                                                                         \
    STEP(c[0], d[0], b[0], 12)                                                                                         \
    STEP(c[1], d[1], b[1], 12)                                                                                         \
    STEP(a[0], b[0], d[0], 8)                                                                                          \
    STEP(a[1], b[1], d[1], 8)                                                                                          \
    STEP(c[0], d[0], b[0], 7)                                                                                          \
    STEP(c[1], d[1], b[1], 7)

/* b is ready last, so it stays and the others move. */
#define TURN(x, order)                                                                                                 \
    x[0] = _mm256_shuffle_epi32(x[0], order);                                                                          \
    x[1] = _mm256_shuffle_epi32(x[1], order);

/* Blocks 2 i and 2 i + 1. */
#define STORE_TWO(i)                                                                                                   \
    {                                                                                                                  \
        const __m256i row0 = _mm256_add_epi32(a[i], start[0]);                                                         \
        const __m256i row1 = _mm256_add_epi32(b[i], start[1]);                                                         \
        const __m256i row2 = _mm256_add_epi32(c[i], start[2]);                                                         \
        const __m256i row3 = _mm256_add_epi32(d[i], start[3 + i]);                                                     \
                                                                                                                       \
        store256(stream + 128 * i, _mm256_permute2x128_si256(row0, row1, 0x20));                                       \
        store256(stream + 128 * i + 32, _mm256_permute2x128_si256(row2, row3, 0x20));                                  \
        store256(stream + 128 * i + 64, _mm256_permute2x128_si256(row0, row1, 0x31));                                  \
        store256(stream + 128 * i + 96, _mm256_permute2x128_si256(row2, row3, 0x31));                                  \
    }

/* see chacha20.h */
LT_AVX2 void lt_chacha20_avx2_four(uint8_t *stream, const uint8_t *key, const uint8_t *nonce, uint32_t counter) {
    const __m256i last = _mm256_broadcastsi128_si256(_mm_set_epi32(
        (int)lt_load32_le(nonce + 8), (int)lt_load32_le(nonce + 4), (int)lt_load32_le(nonce), (int)counter));
    const __m256i start[5] = {row(lt_chacha20_constants), row(key), row(key + 16),
                              _mm256_add_epi32(last, _mm256_set_epi32(0, 0, 0, 1, 0, 0, 0, 0)),
                              _mm256_add_epi32(last, _mm256_set_epi32(0, 0, 0, 3, 0, 0, 0, 2))};
    __m256i a[2] = {start[0], start[0]};
    __m256i b[2] = {start[1], start[1]};
    __m256i c[2] = {start[2], start[2]};
    __m256i d[2] = {start[3], start[4]};

    for (int i = 0; i < 10; i++) {
        ROUND(a, b, c, d)
        TURN(a, 0x93)
        TURN(d, 0x4e)
        TURN(c, 0x39)
        ROUND(a, b, c, d)
        TURN(a, 0x39)
        TURN(d, 0x4e)
        TURN(c, 0x93)
    }
    STORE_TWO(0)
    STORE_TWO(1)
}

/* ---- Eight blocks by words --------------------------------------------------------------------- */

#define WORDS16(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

#define STEP_WORDS(a, b, d, n) STEP(x[a], x[b], x[d], n)

/* Words g to g + 3 become rows: x[g + j] has words g to g + 3 of block j in its lower lane, of block j + 4 in the
 * other. */
#define TRANSPOSE(g)                                                                                                   \
    {                                                                                                                  \
        const __m256i low01 = _mm256_unpacklo_epi32(x[g], x[g + 1]);                                                   \
        const __m256i high01 = _mm256_unpackhi_epi32(x[g], x[g + 1]);                                                  \
        const __m256i low23 = _mm256_unpacklo_epi32(x[g + 2], x[g + 3]);                                               \
        const __m256i high23 = _mm256_unpackhi_epi32(x[g + 2], x[g + 3]);                                              \
                                                                                                                       \
        x[g] = _mm256_unpacklo_epi64(low01, low23);                                                                    \
        x[g + 1] = _mm256_unpackhi_epi64(low01, low23);                                                                \
        x[g + 2] = _mm256_unpacklo_epi64(high01, high23);                                                              \
        x[g + 3] = _mm256_unpackhi_epi64(high01, high23);                                                              \
    }

/* 32 bytes of key stream for blocks j and j + 4, from rows g and g + 4 on. */
#define XOR_TWO(g, j)                                                                                                  \
    xor32(out + 64 * j + 4 * g, in + 64 * j + 4 * g, _mm256_permute2x128_si256(x[g + j], x[g + 4 + j], 0x20));         \
    xor32(out + 64 * j + 4 * g + 256, in + 64 * j + 4 * g + 256,                                                       \
          _mm256_permute2x128_si256(x[g + j], x[g + 4 + j], 0x31));

LT_AVX2 LT_INLINE void xor32(uint8_t *out, const uint8_t *in, __m256i stream) {
    store256(out, _mm256_xor_si256(load256(in), stream));
}

/* out = in + eight blocks from the one on that `state` tells. */
LT_AVX2 LT_NOINLINE static void xor_eight(uint8_t *out, const uint8_t *in, const uint32_t *state) {
    const __m256i each = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
    __m256i x[16];

#define START(i) x[i] = _mm256_set1_epi32((int)state[i]);
    WORDS16(START)
#undef START
    x[12] = _mm256_add_epi32(x[12], each);
    for (int i = 0; i < 10; i++) {
        LT_CHACHA20_DOUBLE_ROUND(STEP_WORDS)
    }
    LT_READ_AGAIN;
#define ADD(i) x[i] = _mm256_add_epi32(x[i], _mm256_set1_epi32((int)state[i]));
    WORDS16(ADD)
#undef ADD
    x[12] = _mm256_add_epi32(x[12], each);
    TRANSPOSE(0)
    TRANSPOSE(4)
    XOR_TWO(0, 0)
    XOR_TWO(0, 1)
    XOR_TWO(0, 2)
    XOR_TWO(0, 3)
    TRANSPOSE(8)
    TRANSPOSE(12)
    XOR_TWO(8, 0)
    XOR_TWO(8, 1)
    XOR_TWO(8, 2)
    XOR_TWO(8, 3)
}

/* see chacha20.h */
LT_AVX2 void lt_chacha20_avx2_xor(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *key, const uint8_t *nonce,
                                  uint32_t counter) {
    uint32_t state[16];
    uint8_t rest[512];

    lt_chacha20_start(state, key, nonce, counter);
    for (; len >= 512; len -= 512, in += 512, out += 512) {
        xor_eight(out, in, state);
        state[12] += 8;
    }
    if (len > 256) {
        lt_copy(rest, in, len);
        xor_eight(rest, rest, state);
        lt_copy(out, rest, len);
    } else if (len > 0) {
        lt_chacha20_avx2_four(rest, key, nonce, state[12]);
        lt_xor(out, in, rest, len);
    }
}
#endif
