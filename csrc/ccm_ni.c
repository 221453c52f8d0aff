/* The blocks of AES-CCM with AES-NI: the chain and a counter side by side, in the time that the chain takes. */
#include "ccm.h"

#if LT_X86_64
#include <immintrin.h>

#define LT_AESNI LT_TARGET("sse2,aes")

LT_AESNI LT_INLINE __m128i load(const uint8_t *p) {
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

LT_AESNI LT_INLINE void store(uint8_t *p, __m128i x) {
    _mm_storeu_si128((__m128i *)(void *)p, x);
}

/* see ccm.h */
LT_AESNI void lt_ccm_ni_blocks(const lt_aes_key *key, lt_ccm_state *s, uint8_t *out, const uint8_t *in, size_t blocks,
                               int sealing) {
    const __m128i counter = load(s->counter);
    __m128i mac = load(s->mac);
    __m128i stream = load(s->stream);

    for (; blocks > 0; blocks--, in += 16, out += 16) {
        __m128i text = load(in);
        __m128i mixed = _mm_xor_si128(text, stream);
        __m128i round_key = load(key->round_keys);

        store(out, mixed);
        mac = _mm_xor_si128(_mm_xor_si128(mac, sealing ? text : mixed), round_key);
        stream = _mm_xor_si128(_mm_xor_si128(counter, _mm_set_epi32((int)lt_ccm_count(s), 0, 0, 0)), round_key);
        for (uint32_t round = 1; round < key->rounds; round++) {
            round_key = load(key->round_keys + 16 * round);
            mac = _mm_aesenc_si128(mac, round_key);
            stream = _mm_aesenc_si128(stream, round_key);
        }
        round_key = load(key->round_keys + 16 * key->rounds);
        mac = _mm_aesenclast_si128(mac, round_key);
        stream = _mm_aesenclast_si128(stream, round_key);
    }
    store(s->mac, mac);
    store(s->stream, stream);
}
#endif
