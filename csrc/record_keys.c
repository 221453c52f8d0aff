/* The life of one direction's traffic keys. */
#include "records.h"

/* see inner.h */
size_t lt_record_fixed_iv_len(uint32_t aead) {
    switch (aead) {
    case LT_AES_128_GCM:
    case LT_AES_256_GCM:
    case LT_AES_128_CCM:
    case LT_AES_256_CCM:
    case LT_AES_128_CCM_8:
    case LT_AES_256_CCM_8:
        return 4;
    case LT_CHACHA20_POLY1305:
        return 12;
    default:
        return 0;
    }
}

/* see inner.h */
int lt_record_keys_init(lt_record_keys *keys, uint32_t aead, const uint8_t *key, const uint8_t *fixed_iv) {
    lt_record_keys_inner *inner = lt_record_keys_inside(keys);

    if (lt_aead_init(&inner->aead, aead, key, lt_aead_key_len(aead)) != LT_OK) {
        return LT_ERR_ARGUMENT;
    }
    lt_copy(inner->fixed_iv, fixed_iv, lt_record_fixed_iv_len(aead));
    inner->explicit_len = aead == LT_CHACHA20_POLY1305 ? 0 : LT_EXPLICIT_LEN;
    inner->overhead = (uint16_t)(inner->explicit_len + lt_aead_tag_len(aead));
    inner->sequence = 0;
    inner->short_bytes = 0;
    inner->taken = 0;
    return LT_OK;
}

/* see lighttls.h */
void lt_record_keys_wipe(lt_record_keys *keys) {
    lt_wipe(keys, sizeof *keys);
}

/* see lighttls.h */
void lt_test_record_keys_sequence(lt_record_keys *keys, uint64_t sequence) {
    lt_record_keys_inside(keys)->sequence = sequence;
}
