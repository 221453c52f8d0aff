/* Protecting records, RFC 5246 section 6.2.3.3. */
#include "records.h"

/*
 * Records that one key may protect (REC-26). RFC 8446 section 5.5 bounds AES-GCM at 2^24.5 full records. CCM encrypts
 * each block twice: 2^24 full records are 2^35 blocks, whose collisions give an advantage of 2^-59 at most.
 */
LT_INLINE uint64_t budget(const lt_record_keys_inner *keys) {
    return (uint64_t)1 << (keys->aead.algorithm == LT_CHACHA20_POLY1305 ? 48 : 24);
}

/* One record to `out`; returns its end. The explicit nonce is the sequence number: no value repeats (REC-31). */
LT_INLINE uint8_t *seal_one(lt_record_keys_inner *keys, uint8_t *out, uint8_t content_type, const uint8_t *in,
                            size_t len) {
    size_t body = len + lt_record_overhead(keys);
    uint8_t *text = out + LT_HEADER_LEN + keys->explicit_len;
    uint8_t nonce[LT_NONCE_LEN];
    uint8_t aad[LT_AAD_LEN];

    out[0] = content_type;
    out[1] = 3;
    out[2] = 3;
    out[3] = (uint8_t)(body >> 8);
    out[4] = (uint8_t)body;
    if (keys->explicit_len != 0) {
        lt_store64_be(out + LT_HEADER_LEN, keys->sequence);
    }
    lt_record_nonce(nonce, keys, out + LT_HEADER_LEN);
    lt_record_aad(aad, keys, content_type, len);
    keys->sequence++;
    lt_aead_seal(&keys->aead, nonce, aad, sizeof aad, text, in, len);
    return out + LT_HEADER_LEN + body;
}

static ptrdiff_t seal_all(lt_record_keys_inner *inner, uint8_t *out, size_t out_cap, uint32_t content_type,
                          const uint8_t *in, size_t in_len, size_t fragment, uint32_t reserve, int counted) {
    size_t expansion = LT_HEADER_LEN + lt_record_overhead(inner);
    uint8_t *end = out;
    size_t left = in_len;
    size_t records = 1;

    if (inner->aead.algorithm == 0 || !lt_is_content_type(content_type) || fragment == 0 || fragment > LT_RECORD_MAX) {
        return LT_ERR_ARGUMENT;
    }
    if (in_len > fragment) {
        records = in_len / fragment + (in_len % fragment != 0);
    }
    if (in_len > out_cap || (out_cap - in_len) / expansion < records) {
        return LT_ERR_SPACE;
    }
    if (lt_overlap(out, in_len + records * expansion, in, in_len)) {
        return LT_ERR_ARGUMENT;
    }
    if (reserve > budget(inner) || inner->sequence > budget(inner) - reserve ||
        records > budget(inner) - reserve - inner->sequence) {
        return LT_ERR_SEQUENCE;
    }
    for (; records > 0; records--) {
        size_t len = left < fragment ? left : fragment;

        end = seal_one(inner, end, (uint8_t)content_type, in, len);
        left -= len;
        if (left > 0) { /* `in` may be NULL */
            in += len;
        }
    }
    lt_aead_wipe_stack(&inner->aead, in_len);
    inner->short_bytes += counted ? (size_t)(end - out) : 0;
    return end - out;
}

static ptrdiff_t take_and_seal(lt_record_keys *keys, uint8_t *out, size_t out_cap, uint32_t content_type,
                               const uint8_t *in, size_t in_len, size_t fragment, uint32_t reserve, int counted) {
    lt_record_keys_inner *inner = lt_record_keys_inside(keys);
    ptrdiff_t written;

    if (!lt_record_keys_take(inner)) {
        return LT_ERR_BUSY;
    }
    written = seal_all(inner, out, out_cap, content_type, in, in_len, fragment, reserve, counted);
    lt_record_keys_give_back(inner);
    return written;
}

/* see lighttls.h */
ptrdiff_t lt_records_seal(lt_record_keys *keys, uint8_t *out, size_t out_cap, uint32_t content_type, const uint8_t *in,
                          size_t in_len, size_t fragment, uint32_t reserve) {
    return take_and_seal(keys, out, out_cap, content_type, in, in_len, fragment, reserve, 0);
}

LT_STATIC_ASSERT(four_records_fit, LT_SEALED_DATA == 4 * (LT_RECORD_MAX + LT_RECORD_EXPANSION));

/* see lighttls.h */
ptrdiff_t lt_records_seal_data(lt_record_keys *keys, uint8_t *out, size_t out_cap, const uint8_t *in, size_t in_len) {
    return take_and_seal(keys, out, out_cap, 23, in, in_len, LT_RECORD_MAX, 1, 1);
}
