/*
 * AES-GCM on two blocks per register: sixteen counters in flight, the hash of sixteen blocks of
 * ciphertext between their rounds. The scheme is that of gcm_ni.c, twice as wide.
 */
#include "gcm_vaes.h"

#if LT_X86_64
#define LT_VAES LT_TARGET("avx2,aes,pclmul,vaes,vpclmulqdq")

#define LANES8(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)

#define START(i) b[i] = _mm256_xor_si256(counter_blocks(counter, 2 * (i)), key);
#define ROUND(i) b[i] = _mm256_aesenc_epi128(b[i], key);
#define LAST(i)  b[i] = _mm256_aesenclast_epi128(b[i], key);

LT_VAES LT_INLINE __m256i load256(const uint8_t *p) {
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

LT_VAES LT_INLINE __m256i round_key(const lt_gcm *gcm, uint32_t round) {
    return _mm256_broadcastsi128_si256(lt_load128(gcm->round_keys + 16 * round));
}

LT_VAES LT_INLINE __m256i reverse256(__m256i x) {
    return _mm256_shuffle_epi8(
        x, _mm256_broadcastsi128_si256(_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)));
}

/* Counters `add` and `add` + 1 from `counter` on. */
LT_VAES LT_INLINE __m256i counter_blocks(__m256i counter, int add) {
    return reverse256(_mm256_add_epi32(counter, _mm256_set_epi32(0, 0, 0, add + 1, 0, 0, 0, add)));
}

/* Two lanes of unreduced products. */
typedef struct {
    __m256i high;
    __m256i middle;
    __m256i low;
} wide_sum;

LT_VAES LT_INLINE wide_sum wide_zero(void) {
    wide_sum sum = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};

    return sum;
}

/* Blocks 2 i and 2 i + 1 of sixteen: their powers, H^(16 - 2 i) and the next, lie side by side. */
LT_VAES LT_INLINE void wide_add(wide_sum *sum, const lt_gcm *gcm, size_t i, __m256i x) {
    __m256i power = load256(gcm->powers + 32 * i);
    __m256i folded_power = _mm256_xor_si256(power, _mm256_shuffle_epi32(power, 0x4e));
    __m256i folded = _mm256_xor_si256(x, _mm256_shuffle_epi32(x, 0x4e));

    sum->high = _mm256_xor_si256(sum->high, _mm256_clmulepi64_epi128(x, power, 0x11));
    sum->low = _mm256_xor_si256(sum->low, _mm256_clmulepi64_epi128(x, power, 0x00));
    sum->middle = _mm256_xor_si256(sum->middle, _mm256_clmulepi64_epi128(folded, folded_power, 0x00));
}

LT_VAES LT_INLINE __m128i both_lanes(__m256i x) {
    return _mm_xor_si128(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
}

LT_VAES LT_INLINE __m128i wide_reduce(wide_sum wide) {
    lt_ghash_sum sum = {both_lanes(wide.high), both_lanes(wide.middle), both_lanes(wide.low)};

    return lt_ghash_reduce(sum);
}

/* y goes into the first of the blocks. */
LT_VAES LT_INLINE __m256i text_blocks(const uint8_t *text, size_t i, __m128i y) {
    __m256i x = reverse256(load256(text + 32 * i));

    return i == 0 ? _mm256_xor_si256(x, _mm256_inserti128_si256(_mm256_setzero_si256(), y, 0)) : x;
}

/* out = in + key stream of sixteen counters; if `text` is given, its 256 bytes are hashed in the gaps. */
LT_VAES LT_INLINE __m128i chunk(const lt_gcm *gcm, __m128i start, __m128i y, const uint8_t *text, uint8_t *out,
                                const uint8_t *in) {
    __m256i counter = _mm256_broadcastsi128_si256(start);
    __m256i key = round_key(gcm, 0);
    wide_sum sum = wide_zero();
    __m256i b[8];

    LANES8(START)
#define ROUND_AND_HASH(i)                                                                                              \
    key = round_key(gcm, (i) + 1);                                                                                     \
    LANES8(ROUND)                                                                                                      \
    if (text != NULL) {                                                                                                \
        wide_add(&sum, gcm, i, text_blocks(text, i, y));                                                               \
    }
    ROUND_AND_HASH(0)
    ROUND_AND_HASH(1)
    ROUND_AND_HASH(2)
    ROUND_AND_HASH(3)
    ROUND_AND_HASH(4)
    ROUND_AND_HASH(5)
    ROUND_AND_HASH(6)
    ROUND_AND_HASH(7)
#undef ROUND_AND_HASH
    for (uint32_t round = 9; round < gcm->rounds; round++) {
        key = round_key(gcm, round);
        LANES8(ROUND)
    }
    key = round_key(gcm, gcm->rounds);
    LANES8(LAST)
#define XOR_OUT(i)                                                                                                     \
    _mm256_storeu_si256((__m256i *)(void *)(out + 32 * (i)), _mm256_xor_si256(load256(in + 32 * (i)), b[i]));
    LANES8(XOR_OUT)
#undef XOR_OUT
    return text != NULL ? wide_reduce(sum) : y;
}

LT_VAES LT_INLINE __m128i next_counter(__m128i counter) {
    return _mm_add_epi32(counter, _mm_set_epi32(0, 0, 0, 16));
}

/* see gcm_vaes.h. The hash runs one chunk behind. */
LT_VAES void lt_gcm_vaes_seal(const lt_gcm *gcm, __m128i *counter, __m128i *y, uint8_t *out, const uint8_t *in,
                              size_t len) {
    __m128i count = *counter;
    __m128i hash = *y;
    wide_sum sum = wide_zero();

    chunk(gcm, count, hash, NULL, out, in);
    for (size_t at = LT_VAES_CHUNK; at < len; at += LT_VAES_CHUNK) {
        count = next_counter(count);
        hash = chunk(gcm, count, hash, out + at - LT_VAES_CHUNK, out + at, in + at);
    }
    for (size_t i = 0; i < 8; i++) {
        wide_add(&sum, gcm, i, text_blocks(out + len - LT_VAES_CHUNK, i, hash));
    }
    *counter = next_counter(count);
    *y = wide_reduce(sum);
}

/* see gcm_vaes.h */
LT_VAES void lt_gcm_vaes_open(const lt_gcm *gcm, __m128i *counter, __m128i *y, uint8_t *out, const uint8_t *in,
                              size_t len) {
    __m128i count = *counter;
    __m128i hash = *y;

    for (size_t at = 0; at < len; at += LT_VAES_CHUNK) {
        hash = chunk(gcm, count, hash, in + at, out + at, in + at);
        count = next_counter(count);
    }
    *counter = count;
    *y = hash;
}
#endif
