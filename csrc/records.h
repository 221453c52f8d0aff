/* What sealing and opening records share: the inside of lt_record_keys, nonces, additional data. */
#ifndef LT_RECORDS_H
#define LT_RECORDS_H

#include "inner.h"

#if defined(_MSC_VER) && !defined(__clang__)
#include <intrin.h>
#endif

#define LT_HEADER_LEN   5
#define LT_EXPLICIT_LEN 8 /* GCM and CCM: the part of the nonce that travels, RFC 5288 section 3 */
#define LT_AAD_LEN      13

/* One direction. The sequence number is the one of the next record. */
typedef struct {
    uint64_t sequence;
    uint64_t short_bytes;           /* see lt_record_keys_short_bytes */
    uint8_t fixed_iv[LT_NONCE_LEN]; /* GCM and CCM: 4 bytes of salt */
    uint16_t explicit_len;          /* LT_EXPLICIT_LEN or 0 */
    uint16_t overhead;              /* explicit nonce and tag */
    uint32_t taken;                 /* 1 while a call uses the keys */
    lt_aead aead;
} LT_MAY_ALIAS lt_record_keys_inner;

LT_STATIC_ASSERT(record_keys_fit, sizeof(lt_record_keys_inner) <= sizeof(lt_record_keys));

LT_INLINE lt_record_keys_inner *lt_record_keys_inside(lt_record_keys *keys) {
    return (lt_record_keys_inner *)keys;
}

/**
 * Take the keys for one call; 0 if another thread has them. Two calls at once would use one nonce twice, which
 * gives GCM's key away: that must fail, not depend on callers who keep the rules.
 */
LT_INLINE int lt_record_keys_take(lt_record_keys_inner *keys) {
#if defined(__GNUC__) || defined(__clang__)
    return __atomic_exchange_n(&keys->taken, 1U, __ATOMIC_ACQUIRE) == 0;
#elif defined(_MSC_VER)
    return _InterlockedExchange((volatile long *)&keys->taken, 1) == 0;
#else
    int was_free = keys->taken == 0;
    keys->taken = 1;
    return was_free;
#endif
}

/** Give them back. */
LT_INLINE void lt_record_keys_give_back(lt_record_keys_inner *keys) {
#if defined(__GNUC__) || defined(__clang__)
    __atomic_store_n(&keys->taken, 0U, __ATOMIC_RELEASE);
#elif defined(_MSC_VER)
    (void)_InterlockedExchange((volatile long *)&keys->taken, 0);
#else
    keys->taken = 0;
#endif
}

/** Bytes between the header and the end of a record that are not text. */
LT_INLINE size_t lt_record_overhead(const lt_record_keys_inner *keys) {
    return keys->overhead;
}

/** RFC 5288 section 3, RFC 6655 section 3: salt and the record's explicit part. RFC 7905 section 2: IV xor sequence
 * (REC-31, REC-33). */
LT_INLINE void lt_record_nonce(uint8_t *nonce, const lt_record_keys_inner *keys, const uint8_t *explicit_part) {
    lt_copy(nonce, keys->fixed_iv, 4);
    if (keys->explicit_len != 0) {
        lt_copy(nonce + 4, explicit_part, LT_EXPLICIT_LEN);
    } else {
        lt_store64_be(nonce + 4, lt_load64_be(keys->fixed_iv + 4) ^ keys->sequence);
    }
}

/** RFC 5246 section 6.2.3.3 (REC-34): sequence number, type, version 3.3, length of the plaintext. */
LT_INLINE void lt_record_aad(uint8_t *aad, const lt_record_keys_inner *keys, uint8_t content_type, size_t text_len) {
    lt_store64_be(aad, keys->sequence);
    aad[8] = content_type;
    aad[9] = 3;
    aad[10] = 3;
    aad[11] = (uint8_t)(text_len >> 8);
    aad[12] = (uint8_t)text_len;
}

/** The four content types of RFC 5246; heartbeat (24) is none of them (REC-01). */
LT_INLINE int lt_is_content_type(uint32_t type) {
    return type - 20 <= 3;
}

#endif
