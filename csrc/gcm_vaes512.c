/*
 * AES-GCM on four blocks per register: AVX-512 with VAES and VPCLMULQDQ.
 *
 * Long texts go in chunks of 32 blocks: 32 counters are in flight, and between their rounds the hash of the chunk
 * before goes on. Registers of the hash stay four lanes wide from chunk to chunk, each lane the hash of every fourth
 * block; so a chunk needs the powers H^32, H^28 ... H^4 only, one reduction for all lanes, and no sum across them.
 * With y[j] in lane j, what stands for the hash so far is the sum of y[j] H^-j; block j of the next chunk takes the
 * factor up. The last sixteen blocks of the last chunk are multiplied with H^16, H^15 ... H^1, which ends that.
 *
 * Up to sixteen blocks at a time are left. Masks keep loads and stores inside the text: no byte outside is touched.
 */
#include "gcm.h"
#include "ghash_clmul.h"

#if LT_X86_64
#define LT_VAES512 LT_TARGET("avx512f,avx512bw,avx512dq,avx512vl,aes,pclmul,vaes,vpclmulqdq")

#define CHUNK    512
#define STEP     256
#define LAST_MAX 240 /* with the block of lengths sixteen blocks */

/* Where the table of powers goes on: H^20, H^24 ..., then the folded H^4, H^8 ... (ghash_clmul.h). */
#define STRIDES (16 * 16)
#define FOLDED  (20 * 16)

/* Written out so that every compiler keeps the lanes in registers. */
#define LANES4(X) X(0) X(1) X(2) X(3)
#define LANES8(X) LANES4(X) X(4) X(5) X(6) X(7)

/* a + b + c */
#define XOR3(a, b, c) _mm512_ternarylogic_epi64(a, b, c, 0x96)

LT_VAES512 LT_INLINE __m512i load512(const uint8_t *p) {
    return _mm512_loadu_si512(p);
}

LT_VAES512 LT_INLINE __m512i in_all_lanes(__m128i x) {
    return _mm512_broadcast_i32x4(x);
}

LT_VAES512 LT_INLINE __m512i round_key(const lt_gcm *gcm, uint32_t round) {
    return in_all_lanes(lt_load128(gcm->round_keys + 16 * round));
}

LT_VAES512 LT_INLINE __m512i reverse512(__m512i x) {
    return _mm512_shuffle_epi8(x, in_all_lanes(_mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)));
}

LT_VAES512 LT_INLINE __m512i swap_halves512(__m512i x) {
    return _mm512_shuffle_epi32(x, 0x4e);
}

LT_VAES512 LT_INLINE __m512i fold512(__m512i x) {
    return _mm512_xor_si512(x, swap_halves512(x));
}

/* Counters of four blocks in a row, reversed; their lowest 32 bits count. */
LT_VAES512 LT_INLINE __m512i add_to_counters(__m512i counters, int a, int b, int c, int d) {
    return _mm512_add_epi32(counters, _mm512_set_epi32(0, 0, 0, d, 0, 0, 0, c, 0, 0, 0, b, 0, 0, 0, a));
}

/* ---- Hash ----------------------------------------------------------------------------------------- */

/* Four lanes of lt_ghash_sum. */
typedef struct {
    __m512i high;
    __m512i middle;
    __m512i low;
} sum512;

LT_VAES512 LT_INLINE sum512 zero512(void) {
    sum512 sum = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};

    return sum;
}

LT_VAES512 LT_INLINE void add512(sum512 *sum, __m512i x, __m512i power) {
    sum->high = _mm512_xor_si512(sum->high, _mm512_clmulepi64_epi128(x, power, 0x11));
    sum->low = _mm512_xor_si512(sum->low, _mm512_clmulepi64_epi128(x, power, 0x00));
    sum->middle = _mm512_xor_si512(sum->middle, _mm512_clmulepi64_epi128(fold512(x), fold512(power), 0x00));
}

/* Lane by lane what lt_ghash_reduce does. */
LT_VAES512 LT_INLINE __m512i reduce512(sum512 sum) {
    const __m512i polynomial = in_all_lanes(_mm_set_epi64x(0, (long long)LT_GHASH_POLYNOMIAL));
    __m512i middle = XOR3(sum.middle, sum.high, sum.low);

    middle = XOR3(middle, swap_halves512(sum.low), _mm512_clmulepi64_epi128(sum.low, polynomial, 0x00));
    return XOR3(sum.high, swap_halves512(middle), _mm512_clmulepi64_epi128(middle, polynomial, 0x00));
}

LT_VAES512 LT_INLINE __m128i sum_of_lanes(__m512i x) {
    __m256i half = _mm256_xor_si256(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64(x, 1));

    return _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

LT_VAES512 LT_INLINE lt_ghash_sum narrow(sum512 sum) {
    lt_ghash_sum narrowed = {sum_of_lanes(sum.high), sum_of_lanes(sum.middle), sum_of_lanes(sum.low)};

    return narrowed;
}

/* H^exponent, and its halves added up; exponents 4, 8 ... 32. */
LT_VAES512 LT_INLINE __m512i stride_power(const lt_gcm *gcm, size_t exponent) {
    size_t at = exponent > 16 ? STRIDES + 4 * (exponent - 20) : 16 * (16 - exponent);

    return in_all_lanes(lt_load128(gcm->powers + at));
}

LT_VAES512 LT_INLINE __m512i stride_folded(const lt_gcm *gcm, size_t exponent) {
    return _mm512_set1_epi64((long long)lt_load64_le(gcm->powers + FOLDED + 2 * (exponent - 4)));
}

/* Hash a chunk of which nothing follows in the loop below: y in four lanes in, in one out. */
LT_VAES512 LT_INLINE __m128i hash_last_chunk(const lt_gcm *gcm, __m512i y, const uint8_t *text) {
    sum512 sum = zero512();

    for (size_t i = 0; i < 4; i++) {
        add512(&sum, _mm512_xor_si512(y, reverse512(load512(text + 64 * i))), stride_power(gcm, 16 - 4 * i));
        y = _mm512_setzero_si512();
    }
    y = reduce512(sum);
    sum = zero512();
    for (size_t i = 0; i < 4; i++) {
        add512(&sum, _mm512_xor_si512(y, reverse512(load512(text + STEP + 64 * i))), load512(gcm->powers + 64 * i));
        y = _mm512_setzero_si512();
    }
    return lt_ghash_reduce(narrow(sum));
}

/* ---- Chunks ----------------------------------------------------------------------------------------- */

#define ROUND(i)   b[i] = _mm512_aesenc_epi128(b[i], key);
#define LAST(i)    b[i] = _mm512_aesenclast_epi128(b[i], key);
#define XOR_OUT(i) _mm512_storeu_si512(out + 64 * (i), _mm512_xor_si512(b[i], load512(in + 64 * (i))));

/*
 * Counters 32 n to 32 n + 31 differ in the five lowest bits only, which are added after reversing. The text begins
 * with counter 2, so a chunk ends with two counters of the next 32.
 */
#define LOW_BITS(i, a, b, c, d)                                                                                        \
    _mm512_xor_si512(i,                                                                                                \
                     _mm512_set_epi32((d) << 24, 0, 0, 0, (c) << 24, 0, 0, 0, (b) << 24, 0, 0, 0, (a) << 24, 0, 0, 0))
#define START(i) b[i] = LOW_BITS(now, 4 * (i) + 2, 4 * (i) + 3, 4 * (i) + 4, 4 * (i) + 5);
#define START_CHUNK                                                                                                    \
    now = _mm512_xor_si512(next, key);                                                                                 \
    counters = add_to_counters(counters, 32, 32, 32, 32);                                                              \
    next = reverse512(counters);                                                                                       \
    LANES4(START)                                                                                                      \
    START(4)                                                                                                           \
    START(5)                                                                                                           \
    START(6)                                                                                                           \
    b[7] = LOW_BITS(_mm512_mask_xor_epi64(now, 0xf0, next, key), 30, 31, 0, 1);

/* Two registers at a time, so that three terms are added at once. */
#define HASH(i)                                                                                                        \
    x = reverse512(load512(text + 64 * (i)));                                                                          \
    x = (i) == 0 ? _mm512_xor_si512(x, y) : x;                                                                         \
    high = _mm512_clmulepi64_epi128(x, stride_power(gcm, 32 - 4 * (i)), 0x11);                                         \
    low = _mm512_clmulepi64_epi128(x, stride_power(gcm, 32 - 4 * (i)), 0x00);                                          \
    middle = _mm512_clmulepi64_epi128(fold512(x), stride_folded(gcm, 32 - 4 * (i)), 0x00);
#define HASH_AND_ADD(i)                                                                                                \
    {                                                                                                                  \
        __m512i high_before = high;                                                                                    \
        __m512i middle_before = middle;                                                                                \
        __m512i low_before = low;                                                                                      \
        HASH(i)                                                                                                        \
        sum.high = XOR3(sum.high, high_before, high);                                                                  \
        sum.middle = XOR3(sum.middle, middle_before, middle);                                                          \
        sum.low = XOR3(sum.low, low_before, low);                                                                      \
    }

#define ROUNDS(i)                                                                                                      \
    key = round_key(gcm, i);                                                                                           \
    LANES8(ROUND)

/*
 * The whole chunks of a text, len a positive multiple of CHUNK; returns the hash. first: counter 1, reversed. The hash
 * is over `text`: `out` when sealing, else `in`; it runs one chunk behind.
 */
LT_VAES512 LT_NOINLINE static __m128i do_chunks(const lt_gcm *gcm, __m128i first, __m128i aad_hash, uint8_t *out,
                                                const uint8_t *in, const uint8_t *text, size_t len) {
    __m512i counters = in_all_lanes(_mm_xor_si128(first, _mm_set_epi32(0, 0, 0, 1)));
    __m512i next = reverse512(counters);
    __m512i y = _mm512_zextsi128_si512(aad_hash);
    __m512i key = round_key(gcm, 0);
    __m512i now;
    __m512i b[8];

    START_CHUNK
    for (uint32_t round = 1; round < gcm->rounds; round++) {
        ROUNDS(round)
    }
    key = round_key(gcm, gcm->rounds);
    LANES8(LAST)
    LANES8(XOR_OUT)
    for (len -= CHUNK; len > 0; len -= CHUNK, text += CHUNK) {
        sum512 sum = zero512();
        __m512i x, high, middle, low;

        in += CHUNK;
        out += CHUNK;
        key = round_key(gcm, 0);
        START_CHUNK
        ROUNDS(1)
        HASH(0)
        ROUNDS(2)
        HASH_AND_ADD(1)
        ROUNDS(3)
        HASH(2)
        ROUNDS(4)
        HASH_AND_ADD(3)
        ROUNDS(5)
        HASH(4)
        ROUNDS(6)
        HASH_AND_ADD(5)
        ROUNDS(7)
        HASH(6)
        ROUNDS(8)
        HASH_AND_ADD(7)
        ROUNDS(9)
        y = reduce512(sum);
        for (uint32_t round = 10; round < gcm->rounds; round++) {
            ROUNDS(round)
        }
        key = round_key(gcm, gcm->rounds);
        LANES8(LAST)
        LANES8(XOR_OUT)
    }
    return hash_last_chunk(gcm, y, text);
}

/* ---- The rest ----------------------------------------------------------------------------------------- */

/* The bytes of register i that belong to a text of `len` bytes, len > 64 i. */
LT_INLINE __mmask64 bytes_inside(size_t len, size_t i) {
    size_t left = len - 64 * i;

    return left >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << left) - 1;
}

LT_VAES512 LT_INLINE __m128i load_some(const uint8_t *p, size_t len) {
    return _mm_maskz_loadu_epi8((__mmask16)((1u << len) - 1), p);
}

LT_VAES512 LT_INLINE __m128i hash_aad(const lt_gcm *gcm, const uint8_t *aad, size_t aad_len) {
    __m128i y = _mm_setzero_si128();

    while (aad_len > 0) {
        size_t take = aad_len < 16 ? aad_len : 16;
        lt_ghash_sum sum = lt_ghash_zero();

        lt_ghash_add(&sum, gcm, 1, _mm_xor_si128(y, lt_reverse128(load_some(aad, take))));
        y = lt_ghash_reduce(sum);
        aad += take;
        aad_len -= take;
    }
    return y;
}

/*
 * What follows the chunks, `left` < CHUNK bytes, and the tag. A message of up to LAST_MAX bytes takes one turn: one
 * latency of AES and one reduction. The tag's own counter goes along in every turn.
 */
LT_VAES512 LT_INLINE __m128i finish(const lt_gcm *gcm, __m128i first, uint32_t counter, __m128i y, __m128i total_bits,
                                    uint8_t *out, const uint8_t *in, size_t left, int sealing) {
    __m512i base = in_all_lanes(_mm_xor_si128(first, _mm_set_epi32(0, 0, 0, 1)));
    __m512i counters =
        add_to_counters(_mm512_or_si512(base, _mm512_maskz_set1_epi32(0x1111, (int)counter)), 0, 1, 2, 3);

    for (;;) {
        size_t len = left < STEP ? left : STEP;
        int last = left <= LAST_MAX;
        const uint8_t *power = gcm->powers + 16 * (16 - (len + 15) / 16 - (last ? 1 : 0));
        __m512i key = round_key(gcm, 0);
        __m128i tag = _mm_xor_si128(lt_reverse128(first), _mm512_castsi512_si128(key));
        sum512 wide = zero512();
        __m512i carried = _mm512_zextsi128_si512(y);
        lt_ghash_sum sum;
        __m512i b[4];

#define START_REST(i)                                                                                                  \
    b[i] = _mm512_xor_si512(reverse512(add_to_counters(counters, 4 * (i), 4 * (i), 4 * (i), 4 * (i))), key);
        LANES4(START_REST)
#undef START_REST
        for (uint32_t round = 1; round < gcm->rounds; round++) {
            key = round_key(gcm, round);
            tag = _mm_aesenc_si128(tag, _mm512_castsi512_si128(key));
            LANES4(ROUND)
        }
        key = round_key(gcm, gcm->rounds);
        tag = _mm_aesenclast_si128(tag, _mm512_castsi512_si128(key));
        LANES4(LAST)
#define XOR_AND_HASH(i)                                                                                                \
    if (len > 64 * (i)) {                                                                                              \
        __mmask64 inside = bytes_inside(len, i);                                                                       \
        __m512i from = _mm512_maskz_loadu_epi8(inside, in + 64 * (i));                                                 \
        __m512i to = _mm512_maskz_mov_epi8(inside, _mm512_xor_si512(from, b[i]));                                      \
                                                                                                                       \
        _mm512_mask_storeu_epi8(out + 64 * (i), inside, to);                                                           \
        add512(&wide, _mm512_xor_si512(carried, reverse512(sealing ? to : from)), load512(power + 64 * (i)));          \
        carried = _mm512_setzero_si512();                                                                              \
    }
        LANES4(XOR_AND_HASH)
#undef XOR_AND_HASH
        sum = narrow(wide);
        if (last) {
            lt_ghash_add(&sum, gcm, 1, len == 0 ? _mm_xor_si128(y, total_bits) : total_bits);
            return _mm_xor_si128(lt_reverse128(lt_ghash_reduce(sum)), tag);
        }
        y = lt_ghash_reduce(sum);
        counters = add_to_counters(counters, 16, 16, 16, 16);
        in += len;
        out += len;
        left -= len;
    }
}

/* Counter 1, reversed. */
LT_VAES512 LT_INLINE __m128i first_counter(const uint8_t *nonce) {
    uint64_t high = lt_load64_be(nonce);
    uint64_t low = (uint64_t)lt_load32_be(nonce + 8) << 32 | 1;

    return _mm_set_epi64x((long long)high, (long long)low);
}

/* The tag of a message, whose text goes from `in` to `out`. */
LT_VAES512 LT_INLINE __m128i process(const lt_gcm *gcm, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                                     uint8_t *out, const uint8_t *in, size_t len, int sealing) {
    __m128i total_bits = _mm_set_epi64x((long long)((uint64_t)aad_len * 8), (long long)((uint64_t)len * 8));
    __m128i first = first_counter(nonce);
    __m128i y = hash_aad(gcm, aad, aad_len);
    size_t chunks = len & ~(size_t)(CHUNK - 1);

    if (chunks > 0) {
        y = do_chunks(gcm, first, y, out, in, sealing ? out : in, chunks);
        in += chunks;
        out += chunks;
    }
    return finish(gcm, first, (uint32_t)(2 + chunks / 16), y, total_bits, out, in, len - chunks, sealing);
}

/* see gcm.h */
LT_VAES512 void lt_gcm_vaes512_init(lt_gcm *gcm, const uint8_t *key, size_t key_len) {
    __m128i power;

    lt_gcm_ni_init(gcm, key, key_len);
    power = lt_load128(gcm->powers);
    for (size_t exponent = 20; exponent <= 32; exponent += 4) {
        power = lt_ghash_times(gcm, 4, power);
        lt_store128(gcm->powers + STRIDES + 4 * (exponent - 20), power);
    }
    for (size_t exponent = 4; exponent <= 32; exponent += 4) {
        __m512i folded = fold512(stride_power(gcm, exponent));

        _mm_storel_epi64((__m128i *)(void *)(gcm->powers + FOLDED + 2 * (exponent - 4)),
                         _mm512_castsi512_si128(folded));
    }
}

/* see gcm.h */
LT_VAES512 void lt_gcm_vaes512_seal(const lt_gcm *gcm, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                                    uint8_t *out, const uint8_t *in, size_t in_len) {
    __m128i tag = process(gcm, nonce, aad, aad_len, out, in, in_len, 1);

    lt_store128(out + in_len, tag);
}

/* see gcm.h. Decrypts while it hashes; what it wrote is wiped if the tag is wrong. */
LT_VAES512 int lt_gcm_vaes512_open(const lt_gcm *gcm, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                                   uint8_t *out, const uint8_t *in, size_t text_len) {
    __m128i tag = process(gcm, nonce, aad, aad_len, out, in, text_len, 0);

    if (!lt_ct_declassify(_mm_movemask_epi8(_mm_cmpeq_epi8(tag, lt_load128(in + text_len))) == 0xffff)) {
        lt_wipe(out, text_len);
        return LT_ERR_AUTH;
    }
    return LT_OK;
}
#endif
