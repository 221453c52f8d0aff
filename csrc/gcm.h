/*
 * AES-GCM with a nonce of 12 bytes, NIST SP 800-38D and RFC 5116 section 5: one function set per
 * implementation. aead.c chooses; a key works with the implementation that set it only.
 *
 * seal: out gets in_len bytes of ciphertext and the tag of 16.
 * open: `in` is text_len bytes of ciphertext and the tag; LT_OK, or LT_ERR_AUTH with out wiped.
 * in_len stays far below the 2^36 - 32 bytes that one nonce allows: the callers' records are short.
 */
#ifndef LT_GCM_H
#define LT_GCM_H

#include "inner.h"

void lt_gcm_portable_init(lt_gcm *gcm, const uint8_t *key, size_t key_len);
void lt_gcm_portable_seal(const lt_gcm *gcm, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, uint8_t *out,
                          const uint8_t *in, size_t in_len);
LT_MUST_CHECK int lt_gcm_portable_open(const lt_gcm *gcm, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                                       uint8_t *out, const uint8_t *in, size_t text_len);

/** y = (y + block) H for each block of `in`, the last one padded with zeros; y[0] holds the first eight bytes. */
void lt_ghash_portable(uint64_t *y, const uint8_t *h, const uint8_t *in, size_t in_len);

#if LT_X86_64
#define LT_GCM_NI_CHUNK 128 /* shorter messages need no loop */

/* Needs LT_CPU_AESNI and LT_CPU_CLMUL. */
void lt_gcm_ni_init(lt_gcm *gcm, const uint8_t *key, size_t key_len);
void lt_gcm_ni_seal(const lt_gcm *gcm, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, uint8_t *out,
                    const uint8_t *in, size_t in_len);
LT_MUST_CHECK int lt_gcm_ni_open(const lt_gcm *gcm, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                                 uint8_t *out, const uint8_t *in, size_t text_len);

/* Needs LT_CPU_VAES and LT_CPU_AVX512 as well. */
void lt_gcm_vaes512_init(lt_gcm *gcm, const uint8_t *key, size_t key_len);
void lt_gcm_vaes512_seal(const lt_gcm *gcm, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, uint8_t *out,
                         const uint8_t *in, size_t in_len);
LT_MUST_CHECK int lt_gcm_vaes512_open(const lt_gcm *gcm, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                                      uint8_t *out, const uint8_t *in, size_t text_len);
#endif

#if LT_ARM64
#define LT_GCM_ARMV8_CHUNK 128

/* Needs LT_CPU_ARM_AES. */
void lt_gcm_armv8_init(lt_gcm *gcm, const uint8_t *key, size_t key_len);
void lt_gcm_armv8_seal(const lt_gcm *gcm, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, uint8_t *out,
                       const uint8_t *in, size_t in_len);
LT_MUST_CHECK int lt_gcm_armv8_open(const lt_gcm *gcm, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                                    uint8_t *out, const uint8_t *in, size_t text_len);
#endif

#endif
