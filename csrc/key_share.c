/*
 * Ephemeral key pairs and premaster secrets.
 *
 * A key share holds the private key in its first 48 bytes and the group in its seventh word (0: none). A premaster
 * holds the secret in its first 260 bytes and its length in its last word (0: none).
 */
#include "inner.h"

#define SHARE_GROUP 6

/* What a group's keys are made of, in bytes. */
typedef struct {
    size_t scalar_len; /* that of the shared secret too */
    size_t public_len;
} group_sizes;

LT_STATIC_ASSERT(share_holds_scalar, SHARE_GROUP * 8 >= 48);
LT_STATIC_ASSERT(premaster_holds_secret, LT_PREMASTER_LEN * 8 >= LT_PREMASTER_MAX);
LT_STATIC_ASSERT(premaster_holds_length, sizeof(lt_premaster) == 8 * (LT_PREMASTER_LEN + 1));
LT_STATIC_ASSERT(ecdh_and_psk_fit, 2 + LT_ECDH_MAX + 2 + LT_PSK_MAX <= LT_PREMASTER_MAX);

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

/* All 0 if there is no such group. */
static group_sizes sizes_of(uint64_t group) {
    static const group_sizes none = {0, 0}, x25519 = {32, 32}, p256 = {32, 65}, p384 = {48, 97};

    return group == LT_X25519 ? x25519 : group == LT_SECP256R1 ? p256 : group == LT_SECP384R1 ? p384 : none;
}

static int check_scalar(uint32_t group, const uint8_t *scalar) {
    int status = LT_OK;

    if (group == LT_SECP256R1) {
        status = lt_p256_check_scalar(scalar);
    } else if (group == LT_SECP384R1) {
        status = lt_p384_check_scalar(scalar);
    }
    return lt_ct_declassify(status);
}

/* see lighttls.h */
int lt_key_share_generate(lt_key_share *share, uint8_t *public_key, size_t public_key_cap, uint32_t group,
                          uint8_t *random, size_t random_len) {
    const group_sizes sizes = sizes_of(group);
    int status = LT_ERR_ARGUMENT;

    lt_key_share_wipe(share);
    if (sizes.scalar_len != 0 && random_len == sizes.scalar_len) {
        lt_copy(share_scalar(share), random, random_len);
        status = public_key_cap < sizes.public_len ? LT_ERR_SPACE : check_scalar(group, share_scalar(share));
    }
    lt_wipe(random, random_len);
    if (status == LT_OK) {
        if (group == LT_X25519) {
            lt_x25519_base(public_key, share_scalar(share));
        } else if (group == LT_SECP256R1) {
            lt_p256_base(public_key, share_scalar(share));
        } else {
            lt_p384_base(public_key, share_scalar(share));
        }
    }
    lt_wipe_stack();
    if (status != LT_OK) {
        lt_key_share_wipe(share);
        return status;
    }
    share->opaque[SHARE_GROUP] = group;
    return (int)sizes.public_len;
}

/* see lighttls.h */
int lt_key_share_derive(lt_key_share *share, lt_premaster *premaster, const uint8_t *peer, size_t peer_len) {
    const uint64_t group = share->opaque[SHARE_GROUP];
    const group_sizes sizes = sizes_of(group);
    int status = LT_ERR_ARGUMENT; /* no private key, or one that was used already */

    lt_premaster_wipe(premaster);
    if (sizes.public_len != 0 && peer_len != sizes.public_len) {
        status = LT_ERR_POINT;
    } else if (group == LT_X25519) {
        status = lt_x25519(premaster_secret(premaster), share_scalar(share), peer);
    } else if (group == LT_SECP256R1) {
        status = lt_p256(premaster_secret(premaster), share_scalar(share), peer);
    } else if (group == LT_SECP384R1) {
        status = lt_p384(premaster_secret(premaster), share_scalar(share), peer);
    }
    lt_key_share_wipe(share);
    lt_wipe_stack();
    status = lt_ct_declassify(status);
    if (status != LT_OK) {
        lt_premaster_wipe(premaster);
        return status;
    }
    premaster->opaque[LT_PREMASTER_LEN] = sizes.scalar_len;
    return LT_OK;
}

/* The way of what is asked for as it should be, which shares work between the two. */
static int agree_on_x25519(uint8_t *public_key, lt_premaster *premaster, uint8_t random[32], const uint8_t peer[32]) {
    const group_sizes sizes = sizes_of(LT_X25519);
    int status;

    lt_premaster_wipe(premaster);
    status = lt_x25519_agree(public_key, premaster_secret(premaster), random, peer);
    lt_wipe(random, sizes.scalar_len);
    lt_wipe_stack();
    status = lt_ct_declassify(status);
    if (status != LT_OK) {
        lt_premaster_wipe(premaster);
        return status;
    }
    premaster->opaque[LT_PREMASTER_LEN] = sizes.scalar_len;
    return (int)sizes.public_len;
}

/* see lighttls.h */
int lt_key_agree(uint8_t *public_key, size_t public_key_cap, lt_premaster *premaster, uint32_t group, uint8_t *random,
                 size_t random_len, const uint8_t *peer, size_t peer_len) {
    lt_key_share share; /* wiped by whichever function comes last */
    int len, status;

    if (group == LT_X25519 && random_len == 32 && peer_len == 32 && public_key_cap >= 32) {
        return agree_on_x25519(public_key, premaster, random, peer);
    }
    len = status = lt_key_share_generate(&share, public_key, public_key_cap, group, random, random_len);
    if (len < 0) {
        lt_premaster_wipe(premaster);
    } else {
        status = lt_key_share_derive(&share, premaster, peer, peer_len);
    }
    return status < 0 ? status : len;
}

/* see lighttls.h */
int lt_premaster_set(lt_premaster *premaster, uint8_t *secret, size_t secret_len) {
    lt_premaster_wipe(premaster);
    if (secret_len == 0 || secret_len > LT_ECDH_MAX) {
        lt_wipe(secret, secret_len);
        return LT_ERR_ARGUMENT;
    }
    lt_copy(premaster_secret(premaster), secret, secret_len);
    premaster->opaque[LT_PREMASTER_LEN] = secret_len;
    lt_wipe(secret, secret_len);
    return LT_OK;
}

static void put_length(uint8_t *out, size_t len) {
    out[0] = (uint8_t)(len >> 8);
    out[1] = (uint8_t)len;
}

/* From the `other_len` bytes that the premaster begins with: their length, they, the key's length, the key. */
static void append_psk(lt_premaster *premaster, size_t other_len, const uint8_t *key, size_t key_len) {
    uint8_t *secret = premaster_secret(premaster);

    for (size_t i = other_len; i > 0; i--) {
        secret[i + 1] = secret[i - 1];
    }
    put_length(secret, other_len);
    put_length(secret + 2 + other_len, key_len);
    lt_copy(secret + 4 + other_len, key, key_len);
    premaster->opaque[LT_PREMASTER_LEN] = 4 + other_len + key_len;
    lt_wipe_stack();
}

/* see lighttls.h */
int lt_premaster_set_psk(lt_premaster *premaster, const uint8_t *key, size_t key_len) {
    lt_premaster_wipe(premaster);
    if (key_len == 0 || key_len > LT_PSK_MAX) {
        return LT_ERR_ARGUMENT;
    }
    append_psk(premaster, key_len, key, key_len);
    return LT_OK;
}

/* see lighttls.h */
int lt_premaster_add_psk(lt_premaster *premaster, const uint8_t *key, size_t key_len) {
    const size_t other_len = lt_premaster_len(premaster);

    if (key_len == 0 || key_len > LT_PSK_MAX || other_len == 0 || other_len > LT_ECDH_MAX) {
        lt_premaster_wipe(premaster);
        return LT_ERR_ARGUMENT;
    }
    append_psk(premaster, other_len, key, key_len);
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
