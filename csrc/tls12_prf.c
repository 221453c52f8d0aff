/* The pseudorandom function of TLS 1.2, RFC 5246 section 5. */
#include "inner.h"

static void absorb(lt_hash_state *hash, const lt_prf_seed *seed) {
    lt_hash_update(hash, seed->label, seed->label_len);
    lt_hash_update(hash, seed->first, seed->first_len);
    lt_hash_update(hash, seed->second, seed->second_len);
}

/* see inner.h */
void lt_prf(uint8_t *out, size_t out_len, const lt_hmac_key *key, const lt_prf_seed *seed) {
    const size_t hash_len = lt_hash_len(key->inner.algorithm);
    uint8_t a[LT_HASH_MAX]; /* A(i): P_hash is HMAC(A(1) + seed) + HMAC(A(2) + seed) + ... */
    uint8_t part[LT_HASH_MAX];
    lt_hash_state hash = key->inner;

    absorb(&hash, seed);
    lt_hmac_end(key, &hash, a);
    while (out_len > 0) {
        const size_t part_len = out_len < hash_len ? out_len : hash_len;

        hash = key->inner;
        lt_hash_update(&hash, a, hash_len);
        absorb(&hash, seed);
        lt_hmac_end(key, &hash, part);
        lt_copy(out, part, part_len);
        out += part_len;
        out_len -= part_len;
        if (out_len > 0) {
            hash = key->inner;
            lt_hash_update(&hash, a, hash_len);
            lt_hmac_end(key, &hash, a);
        }
    }
    lt_wipe(a, sizeof a);
    lt_wipe(part, sizeof part);
}

/* see lighttls.h */
int lt_test_prf(uint8_t *out, size_t out_len, uint32_t algorithm, const uint8_t *secret, size_t secret_len,
                const uint8_t *label, size_t label_len, const uint8_t *seed, size_t seed_len) {
    lt_prf_seed parts = {0};
    lt_hmac_key key;

    if (algorithm != LT_SHA256 && algorithm != LT_SHA384) {
        return LT_ERR_ARGUMENT;
    }
    parts.label = label;
    parts.label_len = label_len;
    parts.first = seed;
    parts.first_len = seed_len;
    lt_hmac_set_key(&key, algorithm, secret, secret_len);
    lt_prf(out, out_len, &key, &parts);
    lt_wipe(&key, sizeof key);
    return LT_OK;
}
