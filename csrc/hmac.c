/* HMAC, RFC 2104. A key becomes two hash states, so that each tag costs no block for the pads. */
#include "inner.h"

static void absorb_pad(lt_hash_state *hash, uint32_t algorithm, const uint8_t *key, size_t key_len, uint8_t pad) {
    const size_t block_len = lt_hash_block_len(algorithm);
    uint8_t block[LT_HASH_BLOCK_MAX];

    for (size_t i = 0; i < key_len; i++) {
        block[i] = key[i] ^ pad;
    }
    for (size_t i = key_len; i < block_len; i++) {
        block[i] = pad;
    }
    lt_hash_begin(hash, algorithm);
    lt_hash_update(hash, block, block_len);
    lt_wipe(block, sizeof block);
}

/* see inner.h */
void lt_hmac_set_key(lt_hmac_key *hmac, uint32_t algorithm, const uint8_t *key, size_t key_len) {
    uint8_t hashed[LT_HASH_MAX];

    if (key_len > lt_hash_block_len(algorithm)) {
        lt_hash_state hash;

        lt_hash_begin(&hash, algorithm);
        lt_hash_update(&hash, key, key_len);
        lt_hash_end(&hash, hashed);
        key = hashed;
        key_len = lt_hash_len(algorithm);
    }
    absorb_pad(&hmac->inner, algorithm, key, key_len, 0x36);
    absorb_pad(&hmac->outer, algorithm, key, key_len, 0x5c);
    lt_wipe(hashed, sizeof hashed);
}

/* see inner.h */
void lt_hmac_end(const lt_hmac_key *hmac, lt_hash_state *hash, uint8_t *tag) {
    const size_t len = lt_hash_len(hash->algorithm);
    lt_hash_state outer = hmac->outer;

    lt_hash_end(hash, tag);
    lt_hash_update(&outer, tag, len);
    lt_hash_end(&outer, tag);
}

/* see lighttls.h */
int lt_hmac(uint8_t *tag, uint32_t algorithm, const uint8_t *key, size_t key_len, const uint8_t *in, size_t in_len) {
    const size_t len = lt_hash_len(algorithm);
    lt_hmac_key hmac;
    lt_hash_state hash;

    if (len == 0) {
        return LT_ERR_ARGUMENT;
    }
    lt_hmac_set_key(&hmac, algorithm, key, key_len);
    hash = hmac.inner;
    lt_hash_update(&hash, in, in_len);
    lt_hmac_end(&hmac, &hash, tag);
    lt_wipe(&hmac, sizeof hmac);
    lt_wipe_stack();
    return (int)len;
}
