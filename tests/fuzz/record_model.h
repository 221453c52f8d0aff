/*
 * A second record layer, written from RFC 5246 section 6.2.3.3, RFC 5288 section 3, RFC 6655 section 3 and RFC 7905
 * section 2 over the portable AEAD: what the core must say to a stream, and write, to the last byte of lt_opened.
 */
#ifndef LT_FUZZ_RECORD_MODEL_H
#define LT_FUZZ_RECORD_MODEL_H

#include "fuzz.h"

/* Which calls for application data come first, if any. */
enum { NO_SHORT_WAY, DATA, INTO };

typedef struct {
    uint32_t aead;
    uint32_t mask, other_mask;
    size_t limit;
    uint64_t sequence; /* of the first record */
    size_t chunk;
    int short_way;
    uint8_t key[32], iv[12];
} setting;

static size_t explicit_len(const setting *s) {
    return s->aead == LT_CHACHA20_POLY1305 ? 0 : 8;
}

static inline size_t tag_len(const setting *s) {
    return s->aead == LT_AES_128_CCM_8 || s->aead == LT_AES_256_CCM_8 ? 8 : 16;
}

static inline size_t overhead(const setting *s) {
    return explicit_len(s) + tag_len(s);
}

static inline size_t key_len(const setting *s) {
    return s->aead == LT_AES_128_GCM || s->aead == LT_AES_128_CCM || s->aead == LT_AES_128_CCM_8 ? 16 : 32;
}

/* `explicit_part` of GCM and CCM is read from the record. */
static inline void model_nonce(uint8_t nonce[12], uint8_t aad[13], const setting *s, uint64_t sequence, uint32_t type,
                               size_t len, const uint8_t *explicit_part) {
    for (int i = 0; i < 8; i++) {
        aad[i] = (uint8_t)(sequence >> (56 - 8 * i));
    }
    aad[8] = (uint8_t)type;
    aad[9] = aad[10] = 3;
    aad[11] = (uint8_t)(len >> 8);
    aad[12] = (uint8_t)len;
    memcpy(nonce, s->iv, 12);
    for (int i = 0; i < 8; i++) {
        nonce[4 + i] = s->aead == LT_CHACHA20_POLY1305 ? s->iv[4 + i] ^ aad[i] : explicit_part[i];
    }
}

/* Returns the record's length. */
static inline size_t model_seal(uint8_t *out, const setting *s, uint64_t sequence, uint32_t type, const uint8_t *in,
                                size_t len) {
    const size_t body = len + overhead(s);
    uint8_t nonce[12], aad[13];

    out[0] = (uint8_t)type;
    out[1] = out[2] = 3;
    out[3] = (uint8_t)(body >> 8);
    out[4] = (uint8_t)body;
    for (size_t i = 0; i < explicit_len(s); i++) {
        out[5 + i] = (uint8_t)(sequence >> (56 - 8 * i));
    }
    model_nonce(nonce, aad, s, sequence, type, len, out + 5);
    lt_cpu_restrict(0);
    REQUIRE(lt_test_aead_seal(s->aead, s->key, key_len(s), nonce, aad, 13, out + 5 + explicit_len(s), in, len) ==
            LT_OK);
    return 5 + body;
}

/* What the record at `at` comes to: its status, if LT_OK its length on the wire. 0: it is not complete. */
static inline int model_open_one(lt_opened *out, size_t used, const setting *s, uint64_t sequence, const uint8_t *at,
                                 size_t left, size_t *size) {
    size_t body, len;
    uint8_t nonce[12], aad[13];

    *size = 0;
    if (left < 5) {
        return LT_OK;
    }
    body = (size_t)at[3] << 8 | at[4];
    if (at[0] < 20 || at[0] > 23) {
        return LT_ERR_ARGUMENT;
    }
    if (at[1] != 3 || at[2] != 3) {
        return LT_ERR_VERSION;
    }
    if (body > s->limit + overhead(s)) {
        return LT_ERR_OVERFLOW;
    }
    if (body < overhead(s)) {
        return LT_ERR_AUTH;
    }
    if (sequence == UINT64_MAX) {
        return LT_ERR_SEQUENCE;
    }
    len = body - overhead(s);
    if (left - 5 < body || sizeof out->data - used < len) {
        return LT_OK;
    }
    model_nonce(nonce, aad, s, sequence, at[0], len, at + 5);
    lt_cpu_restrict(0);
    if (lt_test_aead_open(s->aead, s->key, key_len(s), nonce, aad, 13, out->data + used, at + 5 + explicit_len(s),
                          len + tag_len(s)) != LT_OK) {
        memset(out->data + used, 0, len);
        return LT_ERR_AUTH;
    }
    *size = 5 + body;
    return LT_OK;
}

static inline int model_open(lt_opened *out, const setting *s, uint64_t sequence, const uint8_t *in, size_t in_len) {
    size_t at = 0, used = 0, size;
    uint32_t count = 0;

    if (s->limit == 0 || s->limit > LT_RECORD_MAX) {
        return LT_ERR_ARGUMENT;
    }
    while (count < LT_SPANS) {
        const int status = model_open_one(out, used, s, sequence + count, in + at, in_len - at, &size);

        if (status != LT_OK && count == 0) {
            return status;
        }
        if (size == 0) {
            break;
        }
        out->spans[3 * count] = in[at];
        out->spans[3 * count + 1] = (uint32_t)used;
        out->spans[3 * count + 2] = (uint32_t)(size - 5 - overhead(s));
        used += size - 5 - overhead(s);
        count++;
        at += size;
        if (in[at - size] != 23) {
            break;
        }
    }
    out->consumed = (uint32_t)at;
    out->count = count;
    return (int)count;
}

/* What lt_records_open_data returns: it knows one shape only, and its limit is that of the protocol. */
static inline int model_open_data(lt_opened *out, size_t out_cap, const setting *s, uint64_t sequence,
                                  const uint8_t *in, size_t in_len) {
    setting largest = *s;
    size_t size;
    int status;

    largest.limit = LT_RECORD_MAX;
    if (in_len < 5 || in[0] != 23 || in[1] != 3 || in[2] != 3 || in_len != 5 + ((size_t)in[3] << 8 | in[4]) ||
        in_len <= 5 + overhead(s) || in_len > LT_RECORD_MAX + 5 + overhead(s) || sequence == UINT64_MAX) {
        return 0;
    }
    if (in_len - 5 - overhead(s) > out_cap) {
        return LT_ERR_SPACE;
    }
    status = model_open_one(out, 0, &largest, sequence, in, in_len, &size);
    return status == LT_OK ? (int)(size - 5 - overhead(s)) : status;
}

/* The same of lt_records_open_into; `one` is room for a record. What fails is wiped from `out`, which keeps the rest.
 */
static inline size_t model_open_into(uint8_t *out, size_t out_cap, size_t *consumed, lt_opened *one, const setting *s,
                                     const uint8_t *in, size_t in_len) {
    setting largest = *s;
    uint64_t sequence = s->sequence;
    size_t used = 0, size;

    largest.limit = LT_RECORD_MAX;
    *consumed = 0;
    while (in_len - *consumed > 5 && in[*consumed] == 23) {
        const uint8_t *const record = in + *consumed;
        const size_t body = (size_t)record[3] << 8 | record[4], len = body - overhead(s);
        int status;

        if (body <= overhead(s) || len > out_cap - used) {
            break;
        }
        status = model_open_one(one, 0, &largest, sequence, record, in_len - *consumed, &size);
        if (status == LT_ERR_AUTH) {
            memset(out + used, 0, len);
        }
        if (size == 0) {
            break;
        }
        memcpy(out + used, one->data, len);
        used += len;
        *consumed += size;
        sequence++;
    }
    return used;
}

#endif
