/*
 * AES-GCM with the AES instructions and PMULL of ARMv8.
 *
 * Eight counters are in flight to hide the latency of AESE; between their rounds the hash of eight blocks of
 * ciphertext goes on (when sealing, those of the previous turn). What is left, at most 127 bytes, is done together
 * with the tag's own counter in one pass.
 */
#include "aes.h"
#include "gcm.h"
#include "ghash_armv8.h"

#if LT_ARM64
#define CHUNK LT_GCM_ARMV8_CHUNK

/* Written out so that every compiler keeps the lanes in registers. */
#define LANES8(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)

#define START(i) b[i] = counter_block(counter, i);
#define ROUND(i) b[i] = lt_aese_aesmc(b[i], key);
#define LAST(i)  b[i] = veorq_u8(lt_aese(b[i], key), last_key);

LT_ARM_AES LT_INLINE uint8x16_t round_key(const lt_gcm *gcm, uint32_t round) {
    return vld1q_u8(gcm->round_keys + 16 * round);
}

/* counter + add. A counter is four words in the machine's order, of which the last counts (SP 800-38D section 6.2). */
LT_ARM_AES LT_INLINE uint32x4_t later(uint32x4_t counter, uint32_t add) {
    return vaddq_u32(counter, vsetq_lane_u32(add, vdupq_n_u32(0), 3));
}

LT_ARM_AES LT_INLINE uint8x16_t counter_block(uint32x4_t counter, uint32_t add) {
    return vrev32q_u8(vreinterpretq_u8_u32(later(counter, add)));
}

LT_ARM_AES LT_INLINE uint32x4_t first_counter(const uint8_t *nonce) {
    uint64_t last = (uint64_t)1 << 56 | lt_load32_le(nonce + 8); /* the bytes 0, 0, 0, 1 after the nonce */
    uint64x2_t block = vcombine_u64(vcreate_u64(lt_load64_le(nonce)), vcreate_u64(last));

    return vreinterpretq_u32_u8(vrev32q_u8(vreinterpretq_u8_u64(block)));
}

/* Key stream of eight counters. */
LT_ARM_AES LT_INLINE void stream8(const lt_gcm *gcm, uint32x4_t counter, uint8x16_t *b) {
    const uint8x16_t last_key = round_key(gcm, gcm->rounds);
    uint8x16_t key;

    LANES8(START)
    for (uint32_t round = 0; round < gcm->rounds - 1; round++) {
        key = round_key(gcm, round);
        LANES8(ROUND)
    }
    key = round_key(gcm, gcm->rounds - 1);
    LANES8(LAST)
}

/* Key stream of eight counters and, in the gaps, the hash of 128 bytes at `text`; returns the new y. */
LT_ARM_AES LT_INLINE uint8x16_t stream8_hash8(const lt_gcm *gcm, uint32x4_t counter, uint8x16_t *b, uint8x16_t y,
                                              const uint8_t *text) {
    const uint8x16_t last_key = round_key(gcm, gcm->rounds);
    lt_ghash_sum sum = lt_ghash_zero();
    uint8x16_t key;

    LANES8(START)
#define ROUND_AND_HASH(i)                                                                                              \
    key = round_key(gcm, i);                                                                                           \
    LANES8(ROUND)                                                                                                      \
    lt_ghash_add(&sum, gcm, 8 - (i), veorq_u8(y, vrbitq_u8(vld1q_u8(text + 16 * (i)))));                               \
    y = vdupq_n_u8(0);
    ROUND_AND_HASH(0)
    ROUND_AND_HASH(1)
    ROUND_AND_HASH(2)
    ROUND_AND_HASH(3)
    ROUND_AND_HASH(4)
    ROUND_AND_HASH(5)
    ROUND_AND_HASH(6)
    ROUND_AND_HASH(7)
#undef ROUND_AND_HASH
    for (uint32_t round = 8; round < gcm->rounds - 1; round++) {
        key = round_key(gcm, round);
        LANES8(ROUND)
    }
    key = round_key(gcm, gcm->rounds - 1);
    LANES8(LAST)
    return lt_ghash_reduce(sum);
}

LT_ARM_AES LT_INLINE uint8x16_t hash8(const lt_gcm *gcm, uint8x16_t y, const uint8_t *text) {
    lt_ghash_sum sum = lt_ghash_zero();

    for (size_t i = 0; i < 8; i++) {
        lt_ghash_add(&sum, gcm, 8 - i, veorq_u8(y, vrbitq_u8(vld1q_u8(text + 16 * i))));
        y = vdupq_n_u8(0);
    }
    return lt_ghash_reduce(sum);
}

/* ---- Beginning and end of a message --------------------------------------------------------------- */

/* len <= 16 bytes, padded with zeros. */
LT_ARM_AES LT_INLINE uint8x16_t load_padded(const uint8_t *p, size_t len) {
    uint8_t block[16] = {0};
    uint8x16_t x;

    if (len == 16) {
        return vld1q_u8(p);
    }
    lt_copy(block, p, len);
    x = vld1q_u8(block);
    lt_wipe(block, sizeof block);
    return x;
}

LT_ARM_AES LT_INLINE uint8x16_t hash_aad(const lt_gcm *gcm, const uint8_t *aad, size_t aad_len) {
    uint8x16_t y = vdupq_n_u8(0);

    while (aad_len > 0) {
        size_t take = aad_len < 16 ? aad_len : 16;
        lt_ghash_sum sum = lt_ghash_zero();

        lt_ghash_add(&sum, gcm, 1, veorq_u8(y, vrbitq_u8(load_padded(aad, take))));
        y = lt_ghash_reduce(sum);
        aad += take;
        aad_len -= take;
    }
    return y;
}

/* Key stream of `first` for the tag and of eight counters from `counter` on, in this order. */
LT_ARM_AES LT_INLINE void stream9(const lt_gcm *gcm, uint32x4_t first, uint32x4_t counter, uint8_t *stream) {
    const uint8x16_t last_key = round_key(gcm, gcm->rounds);
    uint8x16_t tag = counter_block(first, 0);
    uint8x16_t key;
    uint8x16_t b[8];

    LANES8(START)
    for (uint32_t round = 0; round < gcm->rounds - 1; round++) {
        key = round_key(gcm, round);
        tag = lt_aese_aesmc(tag, key);
        LANES8(ROUND)
    }
    key = round_key(gcm, gcm->rounds - 1);
    vst1q_u8(stream, veorq_u8(lt_aese(tag, key), last_key));
    LANES8(LAST)
#define KEEP(i) vst1q_u8(stream + 16 + 16 * (i), b[i]);
    LANES8(KEEP)
#undef KEEP
}

/*
 * The last len < 128 bytes of the text and the tag: out = in + stream; the hash is over `out` when sealing, else over
 * `in`. aad_len and text_len: as hashed.
 */
LT_ARM_AES static uint8x16_t finish(const lt_gcm *gcm, const uint8_t *nonce, uint32x4_t counter, uint8x16_t y,
                                    size_t aad_len, size_t text_len, uint8_t *out, const uint8_t *in, size_t len,
                                    int sealing) {
    uint8_t stream[9 * 16];
    uint8_t lengths[16];
    const uint8_t *hashed = sealing ? out : in;
    lt_ghash_sum sum = lt_ghash_zero();
    size_t exponent = (len + 15) / 16 + 1; /* at most eight blocks and the lengths */
    uint8x16_t tag;

    stream9(gcm, first_counter(nonce), counter, stream);
    for (size_t at = 0; at < len; at += 16) {
        size_t take = len - at < 16 ? len - at : 16;

        if (take == 16) {
            vst1q_u8(out + at, veorq_u8(vld1q_u8(in + at), vld1q_u8(stream + 16 + at)));
        } else {
            for (size_t i = at; i < len; i++) {
                out[i] = in[i] ^ stream[16 + i];
            }
        }
        lt_ghash_add(&sum, gcm, exponent--, veorq_u8(y, vrbitq_u8(load_padded(hashed + at, take))));
        y = vdupq_n_u8(0);
    }
    lt_store64_be(lengths, (uint64_t)aad_len * 8);
    lt_store64_be(lengths + 8, (uint64_t)text_len * 8);
    lt_ghash_add(&sum, gcm, 1, veorq_u8(y, vrbitq_u8(vld1q_u8(lengths))));
    tag = veorq_u8(vrbitq_u8(lt_ghash_reduce(sum)), vld1q_u8(stream));
    lt_wipe(stream, sizeof stream);
    return tag;
}

#define XOR_OUT(i) vst1q_u8(out + 16 * (i), veorq_u8(vld1q_u8(in + 16 * (i)), b[i]));

/* see gcm.h */
LT_ARM_AES void lt_gcm_armv8_seal(const lt_gcm *gcm, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                                  uint8_t *out, const uint8_t *in, size_t in_len) {
    uint32x4_t counter = later(first_counter(nonce), 1);
    uint8x16_t y = hash_aad(gcm, aad, aad_len);
    size_t left = in_len;
    uint8x16_t b[8];

    if (left >= CHUNK) {
        stream8(gcm, counter, b);
        LANES8(XOR_OUT)
        for (;;) {
            counter = later(counter, 8);
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
    vst1q_u8(out + left, finish(gcm, nonce, counter, y, aad_len, in_len, out, in, left, 1));
}

/* see gcm.h. Decrypts while it hashes; what it wrote is wiped if the tag is wrong. */
LT_ARM_AES int lt_gcm_armv8_open(const lt_gcm *gcm, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                                 uint8_t *out, const uint8_t *in, size_t text_len) {
    const uint8_t *received = in + text_len;
    uint8_t *start = out;
    uint32x4_t counter = later(first_counter(nonce), 1);
    uint8x16_t y = hash_aad(gcm, aad, aad_len);
    size_t left = text_len;
    uint8x16_t b[8];
    uint8x16_t difference;

    for (; left >= CHUNK; left -= CHUNK, in += CHUNK, out += CHUNK) {
        y = stream8_hash8(gcm, counter, b, y, in);
        LANES8(XOR_OUT)
        counter = later(counter, 8);
    }
    difference = veorq_u8(finish(gcm, nonce, counter, y, aad_len, text_len, out, in, left, 0), vld1q_u8(received));
    if (lt_ct_declassify(vmaxvq_u8(difference) != 0)) {
        lt_wipe(start, text_len);
        return LT_ERR_AUTH;
    }
    return LT_OK;
}

/* ---- The key -------------------------------------------------------------------------------------- */

/* see gcm.h */
LT_ARM_AES void lt_gcm_armv8_init(lt_gcm *gcm, const uint8_t *key, size_t key_len) {
    uint8x16_t h = vdupq_n_u8(0);

    gcm->rounds = lt_aes_armv8_expand(gcm->round_keys, key, key_len);
    for (uint32_t round = 0; round < gcm->rounds - 1; round++) {
        h = lt_aese_aesmc(h, round_key(gcm, round));
    }
    h = veorq_u8(lt_aese(h, round_key(gcm, gcm->rounds - 1)), round_key(gcm, gcm->rounds));
    lt_ghash_set_powers(gcm, vrbitq_u8(h));
}
#endif
