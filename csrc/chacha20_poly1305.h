/* ChaCha20-Poly1305 as an AEAD; the contracts are those of lt_aead_seal and its like. */
#ifndef LT_CHACHA20_POLY1305_H
#define LT_CHACHA20_POLY1305_H

#include "inner.h"

void lt_chacha20_poly1305_seal(const lt_aead *aead, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                               uint8_t *out, const uint8_t *in, size_t in_len);
LT_MUST_CHECK int lt_chacha20_poly1305_open(const lt_aead *aead, const uint8_t *nonce, const uint8_t *aad,
                                            size_t aad_len, uint8_t *out, const uint8_t *in, size_t text_len);

void lt_chacha20_poly1305_wipe_stack(const lt_aead *aead, size_t len);

#endif
