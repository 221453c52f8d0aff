/* One face over the AEADs and their implementations. */
#include "inner.h"
#include "ccm.h"
#include "chacha20_poly1305.h"
#include "gcm.h"
#include "gcm_vaes.h"

#define GCM_NI      (LT_CPU_AESNI | LT_CPU_CLMUL)
#define GCM_VAES512 (GCM_NI | LT_CPU_VAES | LT_CPU_AVX512)

/* see inner.h */
size_t lt_aead_key_len(uint32_t algorithm) {
    switch (algorithm) {
    case LT_AES_128_GCM:
    case LT_AES_128_CCM:
    case LT_AES_128_CCM_8:
        return 16;
    case LT_AES_256_GCM:
    case LT_AES_256_CCM:
    case LT_AES_256_CCM_8:
    case LT_CHACHA20_POLY1305:
        return 32;
    default:
        return 0;
    }
}

/* see inner.h */
size_t lt_aead_tag_len(uint32_t algorithm) {
    if (algorithm == LT_AES_128_CCM_8 || algorithm == LT_AES_256_CCM_8) {
        return 8;
    }
    return lt_aead_key_len(algorithm) == 0 ? 0 : LT_TAG_LEN;
}

LT_INLINE int is_ccm(uint32_t algorithm) {
    return algorithm >= LT_AES_128_CCM;
}

#if LT_X86_64
LT_INLINE int uses_gcm_vaes512(const lt_aead *aead) {
    return (aead->features & GCM_VAES512) == GCM_VAES512;
}

LT_INLINE int uses_gcm_ni(const lt_aead *aead) {
    return (aead->features & GCM_NI) == GCM_NI;
}
#endif

#if LT_ARM64
LT_INLINE int uses_gcm_armv8(const lt_aead *aead) {
    return (aead->features & LT_CPU_ARM_AES) != 0;
}
#endif

/* see inner.h */
int lt_aead_init(lt_aead *aead, uint32_t algorithm, const uint8_t *key, size_t key_len) {
    if (key_len == 0 || key_len != lt_aead_key_len(algorithm)) {
        return LT_ERR_ARGUMENT;
    }
    aead->algorithm = algorithm;
    aead->features = lt_cpu_features();
    if (algorithm == LT_CHACHA20_POLY1305) {
        lt_copy(aead->key.chacha20, key, key_len);
        return LT_OK;
    }
    if (is_ccm(algorithm)) {
        lt_ccm_init(aead, key, key_len);
        return LT_OK;
    }
#if LT_X86_64
    if (uses_gcm_vaes512(aead)) {
        lt_gcm_vaes512_init(&aead->key.gcm, key, key_len);
        return LT_OK;
    }
    if (uses_gcm_ni(aead)) {
        lt_gcm_ni_init(&aead->key.gcm, key, key_len);
        return LT_OK;
    }
#endif
#if LT_ARM64
    if (uses_gcm_armv8(aead)) {
        lt_gcm_armv8_init(&aead->key.gcm, key, key_len);
        return LT_OK;
    }
#endif
    lt_gcm_portable_init(&aead->key.gcm, key, key_len);
    return LT_OK;
}

/* see inner.h */
void lt_aead_seal(const lt_aead *aead, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, uint8_t *out,
                  const uint8_t *in, size_t in_len) {
    if (aead->algorithm == LT_CHACHA20_POLY1305) {
        lt_chacha20_poly1305_seal(aead, nonce, aad, aad_len, out, in, in_len);
        return;
    }
    if (is_ccm(aead->algorithm)) {
        lt_ccm_seal(aead, nonce, aad, aad_len, out, in, in_len);
        return;
    }
#if LT_X86_64
    if (uses_gcm_vaes512(aead)) {
        lt_gcm_vaes512_seal(&aead->key.gcm, nonce, aad, aad_len, out, in, in_len);
        return;
    }
    if (uses_gcm_ni(aead)) {
        lt_gcm_ni_seal(&aead->key.gcm, nonce, aad, aad_len, out, in, in_len);
        return;
    }
#endif
#if LT_ARM64
    if (uses_gcm_armv8(aead)) {
        lt_gcm_armv8_seal(&aead->key.gcm, nonce, aad, aad_len, out, in, in_len);
        return;
    }
#endif
    lt_gcm_portable_seal(&aead->key.gcm, nonce, aad, aad_len, out, in, in_len);
}

/* see inner.h */
int lt_aead_open(const lt_aead *aead, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, uint8_t *out,
                 const uint8_t *in, size_t text_len) {
    if (aead->algorithm == LT_CHACHA20_POLY1305) {
        return lt_chacha20_poly1305_open(aead, nonce, aad, aad_len, out, in, text_len);
    }
    if (is_ccm(aead->algorithm)) {
        return lt_ccm_open(aead, nonce, aad, aad_len, out, in, text_len);
    }
#if LT_X86_64
    if (uses_gcm_vaes512(aead)) {
        return lt_gcm_vaes512_open(&aead->key.gcm, nonce, aad, aad_len, out, in, text_len);
    }
    if (uses_gcm_ni(aead)) {
        return lt_gcm_ni_open(&aead->key.gcm, nonce, aad, aad_len, out, in, text_len);
    }
#endif
#if LT_ARM64
    if (uses_gcm_armv8(aead)) {
        return lt_gcm_armv8_open(&aead->key.gcm, nonce, aad, aad_len, out, in, text_len);
    }
#endif
    return lt_gcm_portable_open(&aead->key.gcm, nonce, aad, aad_len, out, in, text_len);
}

/* see inner.h. AES-NI keeps short messages in registers; for those a wipe would be a good part of the cost. */
void lt_aead_wipe_stack(const lt_aead *aead, size_t len) {
    if (aead->algorithm == LT_CHACHA20_POLY1305) {
        lt_chacha20_poly1305_wipe_stack(aead, len);
        return;
    }
    if (is_ccm(aead->algorithm)) {
        lt_ccm_wipe_stack(aead);
        return;
    }
#if LT_X86_64
    if (uses_gcm_ni(aead)) {
        if (aead->key.gcm.vaes && !uses_gcm_vaes512(aead) && len >= LT_VAES_CHUNK) {
            lt_wipe_stack_2048();
        } else if (len >= LT_GCM_NI_CHUNK) {
            lt_wipe_stack_512();
        }
        return;
    }
#endif
#if LT_ARM64
    if (uses_gcm_armv8(aead)) {
        lt_wipe_stack_2048();
        return;
    }
#endif
    (void)len;
    lt_wipe_stack();
}

/* see lighttls.h */
int lt_test_aead_seal(uint32_t algorithm, const uint8_t *key, size_t key_len, const uint8_t *nonce, const uint8_t *aad,
                      size_t aad_len, uint8_t *out, const uint8_t *in, size_t in_len) {
    lt_aead aead;

    if (lt_aead_init(&aead, algorithm, key, key_len) != LT_OK) {
        return LT_ERR_ARGUMENT;
    }
    lt_aead_seal(&aead, nonce, aad, aad_len, out, in, in_len);
    lt_wipe(&aead, sizeof aead);
    return LT_OK;
}

/* see lighttls.h */
int lt_test_aead_open(uint32_t algorithm, const uint8_t *key, size_t key_len, const uint8_t *nonce, const uint8_t *aad,
                      size_t aad_len, uint8_t *out, const uint8_t *in, size_t in_len) {
    lt_aead aead;
    int status;

    if (in_len < lt_aead_tag_len(algorithm) || lt_aead_init(&aead, algorithm, key, key_len) != LT_OK) {
        return LT_ERR_ARGUMENT;
    }
    status = lt_aead_open(&aead, nonce, aad, aad_len, out, in, in_len - lt_aead_tag_len(algorithm));
    lt_wipe(&aead, sizeof aead);
    return status;
}
