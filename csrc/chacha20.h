/* ChaCha20 and Poly1305, RFC 8439. */
#ifndef LT_CHACHA20_H
#define LT_CHACHA20_H

#include "inner.h"

/** out = in + key stream from block `counter` on (RFC 8439 section 2.4); out may be in. */
void lt_chacha20_portable_xor(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *key, const uint8_t *nonce,
                              uint32_t counter);

#if LT_X86_64
/** The same with AVX2, for len a multiple of 512 only. */
void lt_chacha20_avx2_xor(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *key, const uint8_t *nonce,
                          uint32_t counter);
#endif

#if LT_ARM64
#define LT_CHACHA20_NEON_CHUNK 256

/** The same with NEON, for len a multiple of LT_CHACHA20_NEON_CHUNK only. Needs LT_CPU_NEON. */
void lt_chacha20_neon_xor(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *key, const uint8_t *nonce,
                          uint32_t counter);
#endif

/* Poly1305 of one message; wiped by lt_poly1305_finish. */
typedef struct {
#if LT_LIMB64
    uint64_t r[2];
    uint64_t h[3];
#else
    uint32_t r[4];
    uint32_t h[5];
#endif
    uint8_t s[16];
} lt_poly1305;

/** Start with the one-time key r, s of 32 bytes. */
void lt_poly1305_start(lt_poly1305 *poly, const uint8_t *key);

/** Absorb `in` and zeros up to a multiple of 16 bytes, as the AEAD construction pads its parts. */
void lt_poly1305_absorb(lt_poly1305 *poly, const uint8_t *in, size_t in_len);

/** Write the tag of 16 bytes and wipe the state. */
void lt_poly1305_finish(lt_poly1305 *poly, uint8_t *tag);

#endif
