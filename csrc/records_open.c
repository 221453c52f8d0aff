/* Opening records, RFC 5246 section 6.2.3.3. */
#include "records.h"

/* The body of one record of overhead + text_len bytes; text_len zeros in `out` if it is not authentic (REC-09). */
LT_INLINE int open_one(lt_record_keys_inner *keys, uint8_t *out, const uint8_t *record, size_t text_len) {
    const uint8_t *body = record + LT_HEADER_LEN;
    uint8_t nonce[LT_NONCE_LEN];
    uint8_t aad[LT_AAD_LEN];
    int status;

    lt_record_nonce(nonce, keys, body); /* whatever explicit part the peer chose (REC-32) */
    lt_record_aad(aad, keys, record[0], text_len);
    status = lt_aead_open(&keys->aead, nonce, aad, sizeof aad, out, body + keys->explicit_len, text_len);
    keys->sequence += status == LT_OK;
    return status;
}

LT_INLINE size_t body_len(const uint8_t *header) {
    return (size_t)header[3] << 8 | header[4];
}

/* What can be said before the body is there (REC-01, REC-04, REC-06, REC-08, REC-25). REC-07 follows from REC-06. */
LT_INLINE int judge_header(const lt_record_keys_inner *keys, const uint8_t *header, size_t limit) {
    size_t overhead = lt_record_overhead(keys);

    if (!lt_is_content_type(header[0])) {
        return LT_ERR_ARGUMENT;
    }
    if (header[1] != 3 || header[2] != 3) {
        return LT_ERR_VERSION;
    }
    if (body_len(header) > limit + overhead) {
        return LT_ERR_OVERFLOW;
    }
    if (body_len(header) < overhead) {
        return LT_ERR_AUTH;
    }
    return keys->sequence == UINT64_MAX ? LT_ERR_SEQUENCE : LT_OK;
}

static int open_many(lt_record_keys_inner *keys, lt_opened *out, const uint8_t *in, size_t in_len, size_t limit) {
    size_t overhead = lt_record_overhead(keys);
    size_t used = 0;
    size_t count = 0;
    size_t at = 0;
    int status = LT_OK;

    while (count < LT_SPANS && in_len - at >= LT_HEADER_LEN) {
        const uint8_t *record = in + at;
        size_t text_len;

        status = judge_header(keys, record, limit);
        if (status != LT_OK) {
            break;
        }
        text_len = body_len(record) - overhead;
        if (in_len - at - LT_HEADER_LEN < body_len(record) || LT_OPENED_DATA - used < text_len) {
            break;
        }
        status = open_one(keys, out->data + used, record, text_len);
        if (status != LT_OK) {
            break;
        }
        out->spans[3 * count] = record[0];
        out->spans[3 * count + 1] = (uint32_t)used;
        out->spans[3 * count + 2] = (uint32_t)text_len;
        count++;
        used += text_len;
        at += LT_HEADER_LEN + body_len(record);
        if (record[0] != 23) {
            break;
        }
    }
    if (count == 0 && status != LT_OK) {
        return status;
    }
    out->consumed = (uint32_t)at;
    out->count = (uint32_t)count;
    return (int)count;
}

/* see lighttls.h */
int lt_records_open(lt_record_keys *keys, lt_opened *out, const uint8_t *in, size_t in_len, size_t limit) {
    lt_record_keys_inner *inner = lt_record_keys_inside(keys);
    int status;

    if (!lt_record_keys_take(inner)) {
        return LT_ERR_BUSY;
    }
    if (inner->aead.algorithm == 0 || limit == 0 || limit > LT_RECORD_MAX || lt_overlap(out, sizeof *out, in, in_len)) {
        status = LT_ERR_ARGUMENT;
    } else {
        status = open_many(inner, out, in, in_len, limit);
        lt_aead_wipe_stack(&inner->aead, in_len);
    }
    lt_record_keys_give_back(inner);
    return status;
}

/* see lighttls.h */
int lt_records_open_data(lt_record_keys *keys, uint8_t *out, size_t out_cap, const uint8_t *in, size_t in_len) {
    lt_record_keys_inner *inner = lt_record_keys_inside(keys);
    size_t expansion;
    int status = 0;

    if (!lt_record_keys_take(inner)) {
        return LT_ERR_BUSY;
    }
    expansion = LT_HEADER_LEN + lt_record_overhead(inner);
    if (inner->aead.algorithm == 0 || lt_overlap(out, out_cap, in, in_len)) {
        status = LT_ERR_ARGUMENT;
    } else if (in_len > expansion && in_len <= expansion + LT_RECORD_MAX && in[0] == 23 &&
               LT_HEADER_LEN + body_len(in) == in_len && judge_header(inner, in, LT_RECORD_MAX) == LT_OK) {
        status = in_len - expansion > out_cap ? LT_ERR_SPACE : open_one(inner, out, in, in_len - expansion);
        if (status == LT_OK) {
            status = (int)(in_len - expansion);
            inner->short_bytes += in_len;
        }
        lt_aead_wipe_stack(&inner->aead, in_len);
    }
    lt_record_keys_give_back(inner);
    return status;
}

/* see lighttls.h */
uint64_t lt_record_keys_short_bytes(const lt_record_keys *keys) {
    return ((const lt_record_keys_inner *)keys)->short_bytes;
}

/* see lighttls.h */
ptrdiff_t lt_records_open_into(lt_record_keys *keys, uint8_t *out, size_t out_cap, size_t *consumed, const uint8_t *in,
                               size_t in_len) {
    lt_record_keys_inner *inner = lt_record_keys_inside(keys);
    size_t overhead;
    size_t used = 0;
    size_t at = 0;

    if (!lt_record_keys_take(inner)) {
        return LT_ERR_BUSY;
    }
    overhead = lt_record_overhead(inner);
    if (inner->aead.algorithm == 0 || lt_overlap(out, out_cap, in, in_len)) {
        lt_record_keys_give_back(inner);
        return LT_ERR_ARGUMENT;
    }
    while (in_len - at > LT_HEADER_LEN && in[at] == 23 && judge_header(inner, in + at, LT_RECORD_MAX) == LT_OK) {
        size_t text_len = body_len(in + at) - overhead;

        if (in_len - at - LT_HEADER_LEN < body_len(in + at) || text_len == 0 || text_len > out_cap - used ||
            open_one(inner, out + used, in + at, text_len) != LT_OK) {
            break;
        }
        used += text_len;
        at += LT_HEADER_LEN + overhead + text_len;
    }
    lt_aead_wipe_stack(&inner->aead, in_len);
    lt_record_keys_give_back(inner);
    *consumed = at;
    return (ptrdiff_t)used;
}
