/*
 * AES-GCM with AES-NI and PCLMULQDQ.
 *
 * Eight counters are in flight to hide the latency of AESENC; between their rounds the hash of eight
 * blocks of ciphertext goes on (when sealing, those of the previous turn). What is left, at most 127
 * bytes, is done together with the tag's own counter in one pass, so that a short record costs one
 * latency of AES and one reduction.
 */
#include "aes.h"
#include "gcm.h"
#include "gcm_vaes.h"

#if LT_X86_64
#define LT_NI LT_TARGET("ssse3,aes,pclmul")
#define CHUNK LT_GCM_NI_CHUNK

/* Written out so that every compiler keeps the lanes in registers. */
#define LANES4(X) X(0) X(1) X(2) X(3)
#define LANES8(X) LANES4(X) X(4) X(5) X(6) X(7)

#define START(i) b[i] = _mm_xor_si128(counter_block(counter, i), key);
#define ROUND(i) b[i] = _mm_aesenc_si128(b[i], key);
#define LAST(i)  b[i] = _mm_aesenclast_si128(b[i], key);

LT_NI LT_INLINE __m128i round_key(const lt_gcm *gcm, uint32_t round) {
    return lt_load128(gcm->round_keys + 16 * round);
}

/* `counter` is kept reversed, its lowest 32 bits count (SP 800-38D section 6.2). */
LT_NI LT_INLINE __m128i counter_block(__m128i counter, int add) {
    return lt_reverse128(_mm_add_epi32(counter, _mm_set_epi32(0, 0, 0, add)));
}

/* lt_ghash_add with a power whose halves were added up before. */
LT_NI LT_INLINE void add_folded(lt_ghash_sum *sum, const lt_gcm *gcm, size_t exponent, __m128i x) {
    __m128i power = lt_load128(gcm->powers + 16 * (16 - exponent));
    __m128i folded_power =
        _mm_loadl_epi64((const __m128i *)(const void *)(gcm->powers + LT_GHASH_FOLDED + 8 * (16 - exponent)));
    __m128i folded = _mm_xor_si128(x, lt_swap_halves(x));

    sum->middle = _mm_xor_si128(sum->middle, _mm_clmulepi64_si128(folded, folded_power, 0x00));
    sum->high = _mm_xor_si128(sum->high, _mm_clmulepi64_si128(x, power, 0x11));
    sum->low = _mm_xor_si128(sum->low, _mm_clmulepi64_si128(x, power, 0x00));
}

/* Key stream of eight counters, nothing else. */
LT_NI LT_INLINE void stream8(const lt_gcm *gcm, __m128i counter, __m128i *b) {
    __m128i key = round_key(gcm, 0);

    LANES8(START)
    for (uint32_t round = 1; round < gcm->rounds; round++) {
        key = round_key(gcm, round);
        LANES8(ROUND)
    }
    key = round_key(gcm, gcm->rounds);
    LANES8(LAST)
}

/* Key stream of eight counters and, in the gaps, the hash of 128 bytes at `text`; returns the new y. */
LT_NI LT_INLINE __m128i stream8_hash8(const lt_gcm *gcm, __m128i counter, __m128i *b, __m128i y, const uint8_t *text) {
    lt_ghash_sum sum = lt_ghash_zero();
    __m128i key = round_key(gcm, 0);
    /* `counter` is 8 n + 2. Counters 8 n to 8 n + 7 differ in three bits only, which are added after reversing. */
    __m128i these = _mm_xor_si128(counter_block(counter, -2), key);
    __m128i next = _mm_xor_si128(counter_block(counter, 6), key);

#define START_AT(i) b[i] = _mm_xor_si128((i) < 6 ? these : next, _mm_set_epi32((((i) + 2) & 7) << 24, 0, 0, 0));
    LANES8(START_AT)
#undef START_AT
#define ROUND_AND_HASH(i)                                                                                              \
    key = round_key(gcm, (i) + 1);                                                                                     \
    LANES8(ROUND)                                                                                                      \
    add_folded(&sum, gcm, 8 - (i), _mm_xor_si128(y, lt_reverse128(lt_load128(text + 16 * (i)))));                      \
    LT_KEEP_APART(sum);                                                                                                \
    y = _mm_setzero_si128();
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
    return lt_ghash_reduce(sum);
}

LT_NI LT_INLINE __m128i hash8(const lt_gcm *gcm, __m128i y, const uint8_t *text) {
    lt_ghash_sum sum = lt_ghash_zero();

    lt_ghash_add(&sum, gcm, 8, _mm_xor_si128(y, lt_reverse128(lt_load128(text))));
    for (size_t i = 1; i < 8; i++) {
        lt_ghash_add(&sum, gcm, 8 - i, lt_reverse128(lt_load128(text + 16 * i)));
    }
    return lt_ghash_reduce(sum);
}

/* ---- Less than a block: no byte outside is touched ------------------------------------------------ */

/* 0 < len < 16 bytes, padded with zeros; overlapping loads, because a copy loop costs more than the cipher. */
LT_NI LT_INLINE __m128i load_partial(const uint8_t *p, size_t len) {
    uint64_t low;
    uint64_t high = 0;

    if (len >= 8) {
        low = lt_load64_le(p);
        high = (lt_load64_le(p + len - 8) >> 8 * (15 - len)) >> 8;
    } else if (len >= 4) {
        low = lt_load32_le(p) | (uint64_t)lt_load32_le(p + len - 4) << 8 * (len - 4);
    } else {
        low = p[0] | (uint64_t)p[len / 2] << 8 * (len / 2) | (uint64_t)p[len - 1] << 8 * (len - 1);
    }
    return _mm_set_epi64x((long long)high, (long long)low);
}

LT_NI LT_INLINE void store_partial(uint8_t *p, size_t len, __m128i x) {
    uint64_t low = (uint64_t)_mm_cvtsi128_si64(x);
    uint64_t high = (uint64_t)_mm_cvtsi128_si64(_mm_srli_si128(x, 8));

    if (len >= 8) {
        lt_store64_le(p, low);
        lt_store64_le(p + len - 8, low >> 8 * (len - 8) | (high << 8 * (15 - len)) << 8);
    } else if (len >= 4) {
        lt_store32_le(p, (uint32_t)low);
        lt_store32_le(p + len - 4, (uint32_t)(low >> 8 * (len - 4)));
    } else {
        p[0] = (uint8_t)low;
        p[len / 2] = (uint8_t)(low >> 8 * (len / 2));
        p[len - 1] = (uint8_t)(low >> 8 * (len - 1));
    }
}

/* The first len bytes of x, then zeros. */
LT_NI LT_INLINE __m128i keep_bytes(__m128i x, size_t len) {
    static const uint8_t mask[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    return _mm_and_si128(x, lt_load128(mask + 16 - len));
}

/* ---- Beginning and end of a message --------------------------------------------------------------- */

/* Counter 1, reversed. */
LT_NI LT_INLINE __m128i first_counter(const uint8_t *nonce) {
    uint64_t high = lt_load64_be(nonce);
    uint64_t low = (uint64_t)lt_load32_be(nonce + 8) << 32 | 1;

    return _mm_set_epi64x((long long)high, (long long)low);
}

LT_NI LT_INLINE __m128i hash_aad(const lt_gcm *gcm, const uint8_t *aad, size_t aad_len) {
    __m128i y = _mm_setzero_si128();

    while (aad_len > 0) {
        size_t take = aad_len < 16 ? aad_len : 16;
        __m128i block = take == 16 ? lt_load128(aad) : load_partial(aad, take);
        lt_ghash_sum sum = lt_ghash_zero();

        lt_ghash_add(&sum, gcm, 1, _mm_xor_si128(y, lt_reverse128(block)));
        y = lt_ghash_reduce(sum);
        aad += take;
        aad_len -= take;
    }
    return y;
}

/* stream[0] belongs to the tag, stream[1] to [8] to the rest of the text; half of them if these suffice. */
LT_NI LT_INLINE void stream_tail(const lt_gcm *gcm, __m128i first, __m128i counter, size_t len, __m128i *stream) {
    __m128i key = round_key(gcm, 0);
    __m128i tag = _mm_xor_si128(lt_reverse128(first), key);
    __m128i b[8];

    if (len <= CHUNK / 2) {
        LANES4(START)
        for (uint32_t round = 1; round < gcm->rounds; round++) {
            key = round_key(gcm, round);
            tag = _mm_aesenc_si128(tag, key);
            LANES4(ROUND)
        }
        key = round_key(gcm, gcm->rounds);
        LANES4(LAST)
#define KEEP(i) stream[(i) + 1] = b[i];
        LANES4(KEEP)
    } else {
        LANES8(START)
        for (uint32_t round = 1; round < gcm->rounds; round++) {
            key = round_key(gcm, round);
            tag = _mm_aesenc_si128(tag, key);
            LANES8(ROUND)
        }
        key = round_key(gcm, gcm->rounds);
        LANES8(LAST)
        LANES8(KEEP)
#undef KEEP
    }
    stream[0] = _mm_aesenclast_si128(tag, key);
}

/*
 * The last len < 128 bytes of the text and the tag: out = in + stream; the hash is over `out` when
 * sealing, else over `in`. total_bits: lengths of AAD and text, as hashed.
 */
LT_NI LT_INLINE __m128i finish(const lt_gcm *gcm, __m128i first, __m128i counter, __m128i y, __m128i total_bits,
                               uint8_t *out, const uint8_t *in, size_t len, int sealing) {
    __m128i stream[9];
    lt_ghash_sum sum = lt_ghash_zero();
    size_t exponent = (len + 15) / 16 + 1; /* at most eight blocks and the lengths */
    size_t i;
    __m128i tag;

    stream_tail(gcm, first, counter, len, stream);
    for (i = 1; len >= 16; i++, len -= 16, in += 16, out += 16) {
        __m128i from = lt_load128(in);
        __m128i to = _mm_xor_si128(from, stream[i]);

        lt_store128(out, to);
        lt_ghash_add(&sum, gcm, exponent--, _mm_xor_si128(y, lt_reverse128(sealing ? to : from)));
        y = _mm_setzero_si128();
    }
    if (len > 0) {
        __m128i from = load_partial(in, len);
        __m128i to = keep_bytes(_mm_xor_si128(from, stream[i]), len);

        store_partial(out, len, to);
        lt_ghash_add(&sum, gcm, exponent--, _mm_xor_si128(y, lt_reverse128(sealing ? to : from)));
        y = _mm_setzero_si128();
    }
    lt_ghash_add(&sum, gcm, 1, _mm_xor_si128(y, total_bits));
    tag = _mm_xor_si128(lt_reverse128(lt_ghash_reduce(sum)), stream[0]);
    lt_wipe(stream, sizeof stream);
    return tag;
}

LT_NI LT_INLINE __m128i bits(size_t aad_len, size_t text_len) {
    return _mm_set_epi64x((long long)((uint64_t)aad_len * 8), (long long)((uint64_t)text_len * 8));
}

#define XOR_OUT(i) lt_store128(out + 16 * (i), _mm_xor_si128(lt_load128(in + 16 * (i)), b[i]));

/* see gcm.h */
LT_NI void lt_gcm_ni_seal(const lt_gcm *gcm, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, uint8_t *out,
                          const uint8_t *in, size_t in_len) {
    const __m128i eight = _mm_set_epi32(0, 0, 0, 8);
    __m128i first = first_counter(nonce);
    __m128i counter = _mm_add_epi32(first, _mm_set_epi32(0, 0, 0, 1));
    __m128i y = hash_aad(gcm, aad, aad_len);
    size_t left = in_len;
    __m128i b[8];

    if (gcm->vaes && left >= LT_VAES_CHUNK) {
        size_t bulk = left & ~(size_t)(LT_VAES_CHUNK - 1);

        lt_gcm_vaes_chunks(gcm, &counter, &y, out, in, out, bulk);
        in += bulk;
        out += bulk;
        left -= bulk;
    }
    if (left >= CHUNK) {
        stream8(gcm, counter, b);
        LANES8(XOR_OUT)
        for (;;) {
            counter = _mm_add_epi32(counter, eight);
            in += CHUNK;
            out += CHUNK;
            left -= CHUNK;
            if (left < CHUNK) {
                break;
            }
            y = stream8_hash8(gcm, counter, b, y, out - CHUNK);
            LANES8(XOR_OUT)
        }
        y = hash8(gcm, y, out - CHUNK);
    }
    lt_store128(out + left, finish(gcm, first, counter, y, bits(aad_len, in_len), out, in, left, 1));
}

/* see gcm.h. Decrypts while it hashes; what it wrote is wiped if the tag is wrong. */
LT_NI int lt_gcm_ni_open(const lt_gcm *gcm, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, uint8_t *out,
                         const uint8_t *in, size_t text_len) {
    const __m128i eight = _mm_set_epi32(0, 0, 0, 8);
    const uint8_t *received = in + text_len;
    uint8_t *start = out;
    __m128i first = first_counter(nonce);
    __m128i counter = _mm_add_epi32(first, _mm_set_epi32(0, 0, 0, 1));
    __m128i y = hash_aad(gcm, aad, aad_len);
    size_t left = text_len;
    __m128i b[8];
    __m128i tag;

    if (gcm->vaes && left >= LT_VAES_CHUNK) {
        size_t bulk = left & ~(size_t)(LT_VAES_CHUNK - 1);

        lt_gcm_vaes_chunks(gcm, &counter, &y, out, in, in, bulk);
        in += bulk;
        out += bulk;
        left -= bulk;
    }
    for (; left >= CHUNK; left -= CHUNK, in += CHUNK, out += CHUNK) {
        y = stream8_hash8(gcm, counter, b, y, in);
        LANES8(XOR_OUT)
        counter = _mm_add_epi32(counter, eight);
    }
    tag = finish(gcm, first, counter, y, bits(aad_len, text_len), out, in, left, 0);
    if (!lt_ct_declassify(_mm_movemask_epi8(_mm_cmpeq_epi8(tag, lt_load128(received))) == 0xffff)) {
        lt_wipe(start, text_len);
        return LT_ERR_AUTH;
    }
    return LT_OK;
}

/* see gcm.h */
LT_NI void lt_gcm_ni_init(lt_gcm *gcm, const uint8_t *key, size_t key_len) {
    uint8_t h[16] = {0};

    gcm->vaes = lt_cpu_has(LT_CPU_VAES);
    gcm->rounds = lt_aes_ni_expand(gcm->round_keys, key, key_len);
    lt_aes_ni_encrypt(gcm->round_keys, gcm->rounds, h, h);
    lt_ghash_clmul_powers(gcm, h);
    for (size_t i = 0; i < 16; i++) {
        __m128i power = lt_load128(gcm->powers + 16 * i);

        _mm_storel_epi64((__m128i *)(void *)(gcm->powers + LT_GHASH_FOLDED + 8 * i),
                         _mm_xor_si128(power, lt_swap_halves(power)));
    }
    lt_wipe(h, sizeof h);
}
#endif
