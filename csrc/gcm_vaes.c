/*
 * AES-GCM on two blocks per register: sixteen counters in flight, and between their rounds the hash of the sixteen
 * blocks before. The hash stays two lanes wide, as gcm_vaes512.c explains for four: the powers are H^16, H^14 ... H^2
 * in both lanes, but H^16, H^15 ... H^1 for the last sixteen blocks.
 */
#include "gcm_vaes.h"

#if LT_X86_64
#define LT_VAES LT_TARGET("avx2,aes,pclmul,vaes,vpclmulqdq")

#define LANES8(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)

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

/* counter + add in both lanes. */
LT_VAES LT_INLINE __m256i counter_twice(__m128i counter, int add) {
    return reverse256(_mm256_broadcastsi128_si256(_mm_add_epi32(counter, _mm_set_epi32(0, 0, 0, add))));
}

/* Two lanes of lt_ghash_sum. */
typedef struct {
    __m256i high;
    __m256i middle;
    __m256i low;
} wide_sum;

LT_VAES LT_INLINE wide_sum wide_zero(void) {
    wide_sum sum = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};

    return sum;
}

LT_VAES LT_INLINE __m256i swap_halves256(__m256i x) {
    return _mm256_shuffle_epi32(x, 0x4e);
}

/* folded: the halves of `power`, added up, in the lower halves. */
LT_VAES LT_INLINE void wide_add(wide_sum *sum, __m256i x, __m256i power, __m256i folded) {
    __m256i folded_x = _mm256_xor_si256(x, swap_halves256(x));

    sum->middle = _mm256_xor_si256(sum->middle, _mm256_clmulepi64_epi128(folded_x, folded, 0x00));
    sum->high = _mm256_xor_si256(sum->high, _mm256_clmulepi64_epi128(x, power, 0x11));
    sum->low = _mm256_xor_si256(sum->low, _mm256_clmulepi64_epi128(x, power, 0x00));
}

/* Lane by lane what lt_ghash_reduce does. */
LT_VAES LT_INLINE __m256i wide_reduce(wide_sum sum) {
    const __m256i polynomial = _mm256_broadcastsi128_si256(_mm_set_epi64x(0, (long long)LT_GHASH_POLYNOMIAL));
    __m256i middle = _mm256_xor_si256(sum.middle, _mm256_xor_si256(sum.high, sum.low));

    middle = _mm256_xor_si256(_mm256_xor_si256(middle, swap_halves256(sum.low)),
                              _mm256_clmulepi64_epi128(sum.low, polynomial, 0x00));
    return _mm256_xor_si256(_mm256_xor_si256(sum.high, swap_halves256(middle)),
                            _mm256_clmulepi64_epi128(middle, polynomial, 0x00));
}

LT_VAES LT_INLINE __m128i both_lanes(__m256i x) {
    return _mm_xor_si128(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
}

/* Blocks 2 i and 2 i + 1 of a chunk that is not the last. */
LT_VAES LT_INLINE void hash_blocks(wide_sum *sum, const lt_gcm *gcm, size_t i, __m256i y, const uint8_t *text) {
    __m256i x = reverse256(load256(text + 32 * i));
    __m256i power = _mm256_broadcastsi128_si256(lt_load128(gcm->powers + 32 * i));
    __m256i folded = _mm256_set1_epi64x((long long)lt_load64_le(gcm->powers + LT_GHASH_FOLDED + 16 * i));

    wide_add(sum, i == 0 ? _mm256_xor_si256(x, y) : x, power, folded);
}

LT_VAES LT_INLINE __m128i hash_last_chunk(const lt_gcm *gcm, __m256i y, const uint8_t *text) {
    wide_sum sum = wide_zero();
    lt_ghash_sum narrow;

    for (size_t i = 0; i < 8; i++) {
        __m256i x = _mm256_xor_si256(reverse256(load256(text + 32 * i)), y);
        __m256i power = load256(gcm->powers + 32 * i);

        wide_add(&sum, x, power, _mm256_xor_si256(power, swap_halves256(power)));
        y = _mm256_setzero_si256();
    }
    narrow.high = both_lanes(sum.high);
    narrow.middle = both_lanes(sum.middle);
    narrow.low = both_lanes(sum.low);
    return lt_ghash_reduce(narrow);
}

/*
 * out = in + key stream of sixteen counters, the first of which is 16 n + 2; counters 16 n to 16 n + 15 differ in four
 * bits only, which are added after reversing. If `text` is given, its 256 bytes are hashed in the gaps.
 */
LT_VAES LT_INLINE __m256i chunk(const lt_gcm *gcm, __m128i counter, __m256i y, const uint8_t *text, uint8_t *out,
                                const uint8_t *in) {
    __m256i key = round_key(gcm, 0);
    __m256i these = _mm256_xor_si256(counter_twice(counter, -2), key);
    __m256i next = _mm256_xor_si256(counter_twice(counter, 14), key);
    wide_sum sum = wide_zero();
    __m256i b[8];

#define START(i)                                                                                                       \
    b[i] = _mm256_xor_si256((i) < 7 ? these : next,                                                                    \
                            _mm256_set_epi32((2 * (i) + 3) % 16 << 24, 0, 0, 0, (2 * (i) + 2) % 16 << 24, 0, 0, 0));
    LANES8(START)
#undef START
#define ROUND_AND_HASH(i)                                                                                              \
    key = round_key(gcm, (i) + 1);                                                                                     \
    LANES8(ROUND)                                                                                                      \
    if (text != NULL) {                                                                                                \
        hash_blocks(&sum, gcm, i, y, text);                                                                            \
        LT_KEEP_APART(sum);                                                                                            \
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

/* see gcm_vaes.h. The hash runs one chunk behind. */
LT_VAES void lt_gcm_vaes_chunks(const lt_gcm *gcm, __m128i *counter, __m128i *y, uint8_t *out, const uint8_t *in,
                                const uint8_t *text, size_t len) {
    const __m128i sixteen = _mm_set_epi32(0, 0, 0, 16);
    __m256i hash = _mm256_inserti128_si256(_mm256_setzero_si256(), *y, 0);
    __m128i count = *counter;

    chunk(gcm, count, hash, NULL, out, in);
    for (size_t at = LT_VAES_CHUNK; at < len; at += LT_VAES_CHUNK) {
        count = _mm_add_epi32(count, sixteen);
        hash = chunk(gcm, count, hash, text + at - LT_VAES_CHUNK, out + at, in + at);
    }
    *counter = _mm_add_epi32(count, sixteen);
    *y = hash_last_chunk(gcm, hash, text + len - LT_VAES_CHUNK);
}
#endif
