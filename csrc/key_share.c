/*
 * Ephemeral key pairs and premaster secrets.
 *
 * A key share holds the private key in its first 32 bytes and the group in its fifth word (0: none). A premaster holds
 * the secret in its first 66 bytes and its length in its tenth word (0: none).
 */
#include "inner.h"

#define SHARE_GROUP   4
#define PREMASTER_LEN 9

LT_STATIC_ASSERT(share_holds_scalar, SHARE_GROUP * 8 >= 32);
LT_STATIC_ASSERT(premaster_holds_secret, PREMASTER_LEN * 8 >= LT_PREMASTER_MAX);

static uint8_t *share_scalar(lt_key_share *share) {
    return (uint8_t *)share->opaque;
}

static uint8_t *premaster_secret(lt_premaster *premaster) {
    return (uint8_t *)premaster->opaque;
}

/* see lighttls.h */
void lt_key_share_wipe(lt_key_share *share) {
    lt_wipe(share, sizeof *share);
}

/* see lighttls.h */
void lt_premaster_wipe(lt_premaster *premaster) {
    lt_wipe(premaster, sizeof *premaster);
}

/* see lighttls.h */
int lt_key_share_generate(lt_key_share *share, uint8_t *public_key, size_t public_key_cap, uint32_t group,
                          uint8_t *random32) {
    int status = LT_ERR_ARGUMENT;

    lt_key_share_wipe(share);
    lt_copy(share_scalar(share), random32, 32);
    lt_wipe(random32, 32);
    if (group == LT_X25519) {
        status = public_key_cap < 32 ? LT_ERR_SPACE : 32;
        if (status > 0) {
            lt_x25519_base(public_key, share_scalar(share));
        }
    } else if (group == LT_SECP256R1) {
        status = public_key_cap < 65 ? LT_ERR_SPACE : lt_ct_declassify(lt_p256_check_scalar(share_scalar(share)));
        if (status == LT_OK) {
            lt_p256_base(public_key, share_scalar(share));
            status = 65;
        }
    }
    lt_wipe_stack();
    if (status < 0) {
        lt_key_share_wipe(share);
        return status;
    }
    share->opaque[SHARE_GROUP] = group;
    return status;
}

/* see lighttls.h */
int lt_key_share_derive(lt_key_share *share, lt_premaster *premaster, const uint8_t *peer, size_t peer_len) {
    const uint64_t group = share->opaque[SHARE_GROUP];
    int status = LT_ERR_ARGUMENT; /* no private key, or one that was used already */

    lt_premaster_wipe(premaster);
    if (group == LT_X25519) {
        status = peer_len == 32 ? lt_x25519(premaster_secret(premaster), share_scalar(share), peer) : LT_ERR_POINT;
    } else if (group == LT_SECP256R1) {
        status = peer_len == 65 ? lt_p256(premaster_secret(premaster), share_scalar(share), peer) : LT_ERR_POINT;
    }
    lt_key_share_wipe(share);
    lt_wipe_stack();
    status = lt_ct_declassify(status);
    if (status != LT_OK) {
        lt_premaster_wipe(premaster);
        return status;
    }
    premaster->opaque[PREMASTER_LEN] = 32;
    return LT_OK;
}

/* see lighttls.h */
int lt_premaster_set(lt_premaster *premaster, uint8_t *secret, size_t secret_len) {
    lt_premaster_wipe(premaster);
    if (secret_len == 0 || secret_len > LT_PREMASTER_MAX) {
        lt_wipe(secret, secret_len);
        return LT_ERR_ARGUMENT;
    }
    lt_copy(premaster_secret(premaster), secret, secret_len);
    premaster->opaque[PREMASTER_LEN] = secret_len;
    lt_wipe(secret, secret_len);
    return LT_OK;
}

/* see lighttls.h */
int lt_test_premaster_get(const lt_premaster *premaster, uint8_t *out) {
    const size_t len = lt_premaster_len(premaster);

    if (len == 0 || len > LT_PREMASTER_MAX) {
        return LT_ERR_ARGUMENT;
    }
    lt_copy(out, lt_premaster_bytes(premaster), len);
    return (int)len;
}
