/*
 * SHA-256 with the SHA extensions of x86. The instructions keep the state in two registers, from
 * high to low word A B E F and C D G H; sha256rnds2 does two rounds and yields the other register.
 */
#include "inner.h"

#if LT_X86_64
#include <immintrin.h>

#define LT_SHANI LT_TARGET("sse4.1,ssse3,sha")

typedef struct {
    __m128i abef;
    __m128i cdgh;
} words;

LT_SHANI LT_INLINE words four_rounds(words s, __m128i w, size_t t) {
    const __m128i k = _mm_loadu_si128((const __m128i *)(const void *)&lt_sha256_constants[t]);
    const __m128i wk = _mm_add_epi32(w, k);

    s.cdgh = _mm_sha256rnds2_epu32(s.cdgh, s.abef, wk);
    s.abef = _mm_sha256rnds2_epu32(s.abef, s.cdgh, _mm_shuffle_epi32(wk, 0x0e));
    return s;
}

/* w[t..t+4) of the message schedule from a = w[t-16..t-12), b, c and d = w[t-4..t). */
LT_SHANI LT_INLINE __m128i schedule(__m128i a, __m128i b, __m128i c, __m128i d) {
    const __m128i w7 = _mm_alignr_epi8(d, c, 4); /* w[t-7..t-3) */

    return _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(a, b), w7), d);
}

LT_SHANI LT_INLINE __m128i load_be(const uint8_t *p) {
    const __m128i swap = _mm_set_epi8(12, 13, 14, 15, 8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3);

    return _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), swap);
}

LT_SHANI LT_INLINE words compress(words s, const uint8_t *block) {
    __m128i w0 = load_be(block);
    __m128i w1 = load_be(block + 16);
    __m128i w2 = load_be(block + 32);
    __m128i w3 = load_be(block + 48);

    for (size_t t = 0; t < 48; t += 16) {
        s = four_rounds(s, w0, t);
        w0 = schedule(w0, w1, w2, w3);
        s = four_rounds(s, w1, t + 4);
        w1 = schedule(w1, w2, w3, w0);
        s = four_rounds(s, w2, t + 8);
        w2 = schedule(w2, w3, w0, w1);
        s = four_rounds(s, w3, t + 12);
        w3 = schedule(w3, w0, w1, w2);
    }
    s = four_rounds(s, w0, 48);
    s = four_rounds(s, w1, 52);
    s = four_rounds(s, w2, 56);
    return four_rounds(s, w3, 60);
}

/* see inner.h */
LT_SHANI void lt_sha256_blocks_ni(uint32_t state[8], const uint8_t *in, size_t blocks) {
    const __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)state), 0xb1);
    const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(state + 4)), 0x1b);
    words s;
    __m128i abef;
    __m128i ghcd;

    s.abef = _mm_alignr_epi8(badc, hgfe, 8);
    s.cdgh = _mm_blend_epi16(hgfe, badc, 0xf0);
    for (; blocks > 0; blocks--, in += 64) {
        const words before = s;

        s = compress(s, in);
        s.abef = _mm_add_epi32(s.abef, before.abef);
        s.cdgh = _mm_add_epi32(s.cdgh, before.cdgh);
    }
    abef = _mm_shuffle_epi32(s.abef, 0x1b);
    ghcd = _mm_shuffle_epi32(s.cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(abef, ghcd, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(ghcd, abef, 8));
}
#endif
