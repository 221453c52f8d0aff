/*
 * ChaCha20 with AVX-512, in two shapes.
 *
 * Words: register i holds word i of sixteen blocks, so that a quarter round works as in the scalar code; the key
 * stream is transposed when it is used. For what is long.
 * Rows: a register holds one row of the state matrix for each of four blocks, one block a lane; a quarter round works
 * on all columns at once, and lanes are rotated between columns and diagonals. Four blocks take hardly longer than one
 * would, and two such sets hardly longer than one: each waits for itself most of the time. For what is short.
 *
 * Nothing is wiped here: a named wipe would make memory of what can stay in registers. lt_aead_wipe_stack covers the
 * frames.
 */
#include "chacha20.h"

#if LT_X86_64
#include <immintrin.h>

#define LT_AVX512 LT_TARGET("avx512f,avx512bw,avx512dq,avx512vl")

/* Half a quarter round has two of these. */
#define STEP(a, b, d, n)                                                                                               \
    a = _mm512_add_epi32(a, b);                                                                                        \
    d = _mm512_rol_epi32(_mm512_xor_si512(d, a), n);

/* Rows of four blocks become blocks: block i takes lane i of each row. STORE(i, block) is called for each. */
#define AS_BLOCKS(STORE, a, b, c, d)                                                                                   \
    {                                                                                                                  \
        const __m512i low_ab = _mm512_shuffle_i32x4(a, b, 0x44); /* lanes 0 and 1 of both */                           \
        const __m512i low_cd = _mm512_shuffle_i32x4(c, d, 0x44);                                                       \
        const __m512i high_ab = _mm512_shuffle_i32x4(a, b, 0xee); /* lanes 2 and 3 */                                  \
        const __m512i high_cd = _mm512_shuffle_i32x4(c, d, 0xee);                                                      \
                                                                                                                       \
        STORE(0, _mm512_shuffle_i32x4(low_ab, low_cd, 0x88))                                                           \
        STORE(1, _mm512_shuffle_i32x4(low_ab, low_cd, 0xdd))                                                           \
        STORE(2, _mm512_shuffle_i32x4(high_ab, high_cd, 0x88))                                                         \
        STORE(3, _mm512_shuffle_i32x4(high_ab, high_cd, 0xdd))                                                         \
    }

/* ---- Four and eight blocks by rows ------------------------------------------------------------- */

/* Four words in each of the four lanes. */
LT_AVX512 LT_INLINE __m512i row(const void *words) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)words));
}

typedef struct {
    __m512i a;
    __m512i b;
    __m512i c;
    __m512i d;
} rows;

/* Counters go from `counter` to `counter` + 3. */
LT_AVX512 LT_INLINE rows start_rows(const uint8_t *key, const uint8_t *nonce, uint32_t counter) {
    const __m512i each = _mm512_set_epi32(0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0);
    const __m128i last = _mm_set_epi32((int)lt_load32_le(nonce + 8), (int)lt_load32_le(nonce + 4),
                                       (int)lt_load32_le(nonce), (int)counter);
    rows x = {row(lt_chacha20_constants), row(key), row(key + 16),
              _mm512_add_epi32(_mm512_broadcast_i32x4(last), each)};

    return x;
}

#define ROUND(x)                                                                                                       \
    STEP(x.a, x.b, x.d, 16)                                                                                            \
    STEP(x.c, x.d, x.b, 12)                                                                                            \
    STEP(x.a, x.b, x.d, 8)                                                                                             \
    STEP(x.c, x.d, x.b, 7)

/* Diagonals become columns, and again. b is ready last, so it stays and the others move. */
#define TO_DIAGONALS(x)                                                                                                \
    x.a = _mm512_shuffle_epi32(x.a, _MM_PERM_CBAD);                                                                    \
    x.d = _mm512_shuffle_epi32(x.d, _MM_PERM_BADC);                                                                    \
    x.c = _mm512_shuffle_epi32(x.c, _MM_PERM_ADCB);
#define TO_COLUMNS(x)                                                                                                  \
    x.a = _mm512_shuffle_epi32(x.a, _MM_PERM_ADCB);                                                                    \
    x.d = _mm512_shuffle_epi32(x.d, _MM_PERM_BADC);                                                                    \
    x.c = _mm512_shuffle_epi32(x.c, _MM_PERM_CBAD);

LT_AVX512 LT_INLINE void store_rows(uint8_t *stream, rows x, rows start) {
    const __m512i a = _mm512_add_epi32(x.a, start.a);
    const __m512i b = _mm512_add_epi32(x.b, start.b);
    const __m512i c = _mm512_add_epi32(x.c, start.c);
    const __m512i d = _mm512_add_epi32(x.d, start.d);

#define STORE(i, block) _mm512_storeu_si512(stream + 64 * i, block);
    AS_BLOCKS(STORE, a, b, c, d)
#undef STORE
}

/* see chacha20.h */
LT_AVX512 void lt_chacha20_avx512_four(uint8_t *stream, const uint8_t *key, const uint8_t *nonce, uint32_t counter) {
    const rows start = start_rows(key, nonce, counter);
    rows x = start;

    for (int i = 0; i < 10; i++) {
        ROUND(x)
        TO_DIAGONALS(x)
        ROUND(x)
        TO_COLUMNS(x)
    }
    store_rows(stream, x, start);
}

/* see chacha20.h */
LT_AVX512 void lt_chacha20_avx512_eight(uint8_t *stream, const uint8_t *key, const uint8_t *nonce, uint32_t counter) {
    const rows start_x = start_rows(key, nonce, counter);
    const rows start_y = start_rows(key, nonce, counter + 4);
    rows x = start_x;
    rows y = start_y;

    for (int i = 0; i < 10; i++) {
        ROUND(x)
        ROUND(y)
        TO_DIAGONALS(x)
        TO_DIAGONALS(y)
        ROUND(x)
        ROUND(y)
        TO_COLUMNS(x)
        TO_COLUMNS(y)
    }
    store_rows(stream, x, start_x);
    store_rows(stream + 256, y, start_y);
}

/* ---- Sixteen blocks by words ------------------------------------------------------------------- */

#define WORDS16(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)

#define STEP_WORDS(a, b, d, n) STEP(x[a], x[b], x[d], n)

/* Words g to g + 3 of sixteen blocks become rows: lane i of x[g + j] belongs to block 4 i + j. */
#define TRANSPOSE(g)                                                                                                   \
    {                                                                                                                  \
        const __m512i low01 = _mm512_unpacklo_epi32(x[g], x[g + 1]);                                                   \
        const __m512i high01 = _mm512_unpackhi_epi32(x[g], x[g + 1]);                                                  \
        const __m512i low23 = _mm512_unpacklo_epi32(x[g + 2], x[g + 3]);                                               \
        const __m512i high23 = _mm512_unpackhi_epi32(x[g + 2], x[g + 3]);                                              \
                                                                                                                       \
        x[g] = _mm512_unpacklo_epi64(low01, low23);                                                                    \
        x[g + 1] = _mm512_unpackhi_epi64(low01, low23);                                                                \
        x[g + 2] = _mm512_unpacklo_epi64(high01, high23);                                                              \
        x[g + 3] = _mm512_unpackhi_epi64(high01, high23);                                                              \
    }

/* out = in + 64 bytes of key stream, of which the first `left` are wanted. */
LT_AVX512 LT_INLINE void xor_block(uint8_t *out, const uint8_t *in, size_t left, __m512i stream) {
    if (left >= 64) {
        _mm512_storeu_si512(out, _mm512_xor_si512(_mm512_loadu_si512(in), stream));
    } else {
        __mmask64 wanted = ((uint64_t)1 << left) - 1;

        _mm512_mask_storeu_epi8(out, wanted, _mm512_xor_si512(_mm512_maskz_loadu_epi8(wanted, in), stream));
    }
}

/* out = in + key stream of up to sixteen blocks. */
LT_AVX512 LT_NOINLINE static void xor_sixteen(uint8_t *out, const uint8_t *in, size_t len, const uint32_t *state) {
    const __m512i each = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m512i x[16];

#define START(i) x[i] = _mm512_set1_epi32((int)state[i]);
    WORDS16(START)
#undef START
    x[12] = _mm512_add_epi32(x[12], each);
    for (int i = 0; i < 10; i++) {
        LT_CHACHA20_DOUBLE_ROUND(STEP_WORDS)
    }
    LT_READ_AGAIN;
#define ADD(i) x[i] = _mm512_add_epi32(x[i], _mm512_set1_epi32((int)state[i]));
    WORDS16(ADD)
#undef ADD
    x[12] = _mm512_add_epi32(x[12], each);
    TRANSPOSE(0)
    TRANSPOSE(4)
    TRANSPOSE(8)
    TRANSPOSE(12)
#define XOR_BLOCK(i, block)                                                                                            \
    if (len > at + 256 * i) {                                                                                          \
        xor_block(out + at + 256 * i, in + at + 256 * i, len - at - 256 * i, block);                                   \
    }
#define XOR_BLOCKS(j)                                                                                                  \
    {                                                                                                                  \
        const size_t at = 64 * j;                                                                                      \
                                                                                                                       \
        AS_BLOCKS(XOR_BLOCK, x[j], x[4 + j], x[8 + j], x[12 + j])                                                      \
    }
    XOR_BLOCKS(0)
    XOR_BLOCKS(1)
    XOR_BLOCKS(2)
    XOR_BLOCKS(3)
#undef XOR_BLOCKS
#undef XOR_BLOCK
}

/* see chacha20.h */
LT_AVX512 void lt_chacha20_avx512_xor(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *key,
                                      const uint8_t *nonce, uint32_t counter) {
    uint32_t state[16];

    lt_chacha20_start(state, key, nonce, counter);
    for (; len >= 1024; len -= 1024, in += 1024, out += 1024) {
        xor_sixteen(out, in, 1024, state);
        state[12] += 16;
    }
    if (len > 512) {
        xor_sixteen(out, in, len, state);
    } else if (len > 0) {
        uint8_t stream[512];

        if (len > 256) {
            lt_chacha20_avx512_eight(stream, key, nonce, state[12]);
        } else {
            lt_chacha20_avx512_four(stream, key, nonce, state[12]);
        }
        lt_xor(out, in, stream, len);
    }
}
#endif
