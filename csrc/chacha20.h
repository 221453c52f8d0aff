/* ChaCha20 and Poly1305, RFC 8439. */
#ifndef LT_CHACHA20_H
#define LT_CHACHA20_H

#include "inner.h"

/** out = in + key stream from block `counter` on (RFC 8439 section 2.4); out may be in. */
void lt_chacha20_portable_xor(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *key, const uint8_t *nonce,
                              uint32_t counter);

#if LT_X86_64
/** The same with AVX-512. */
void lt_chacha20_avx512_xor(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *key, const uint8_t *nonce,
                            uint32_t counter);

/** 256 or 512 bytes of key stream from block `counter` on, in half the time of 1024. */
void lt_chacha20_avx512_four(uint8_t *stream, const uint8_t *key, const uint8_t *nonce, uint32_t counter);
void lt_chacha20_avx512_eight(uint8_t *stream, const uint8_t *key, const uint8_t *nonce, uint32_t counter);

/** The same with AVX2. */
void lt_chacha20_avx2_xor(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *key, const uint8_t *nonce,
                          uint32_t counter);
void lt_chacha20_avx2_four(uint8_t *stream, const uint8_t *key, const uint8_t *nonce, uint32_t counter);
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

#if LT_X86_64
/* From so many bytes on they are worth their powers of r. */
#define LT_POLY1305_IFMA_LONG 256
#define LT_POLY1305_AVX2_LONG 512
#define LT_POLY1305_UNIT      128

/** The same with AVX-512 IFMA or AVX2, for in_len a multiple of LT_POLY1305_UNIT only, and not 0. */
void lt_poly1305_ifma(lt_poly1305 *poly, const uint8_t *in, size_t in_len);
void lt_poly1305_avx2(lt_poly1305 *poly, const uint8_t *in, size_t in_len);
#endif

/** Write the tag of 16 bytes and wipe the state. */
void lt_poly1305_finish(lt_poly1305 *poly, uint8_t *tag);

/* ---- For the implementations -------------------------------------------------------------------- */

/* "expand 32-byte k": the first row of the state. */
extern const uint32_t lt_chacha20_constants[4];

/** The state of block `counter`, RFC 8439 section 2.3. */
LT_INLINE void lt_chacha20_start(uint32_t state[16], const uint8_t *key, const uint8_t *nonce, uint32_t counter) {
    for (int i = 0; i < 4; i++) {
        state[i] = lt_chacha20_constants[i];
    }
    for (int i = 0; i < 8; i++) {
        state[4 + i] = lt_load32_le(key + 4 * i);
    }
    state[12] = counter;
    for (int i = 0; i < 3; i++) {
        state[13 + i] = lt_load32_le(nonce + 4 * i);
    }
}

/*
 * Two rounds. STEP(a, b, d, n) is a quarter of a quarter round: word a += word b, word d = (word d ^ word a) <<< n. Two
 * quarter rounds go side by side: one would wait for itself, and four need more registers than there are.
 */
#define LT_CHACHA20_DOUBLE_ROUND(STEP)                                                                                 \
    LT_CHACHA20_QUARTERS(STEP, 0, 4, 8, 12, 1, 5, 9, 13)                                                               \
    LT_CHACHA20_QUARTERS(STEP, 2, 6, 10, 14, 3, 7, 11, 15)                                                             \
    LT_CHACHA20_QUARTERS(STEP, 0, 5, 10, 15, 1, 6, 11, 12)                                                             \
    LT_CHACHA20_QUARTERS(STEP, 2, 7, 8, 13, 3, 4, 9, 14)
#define LT_CHACHA20_QUARTERS(STEP, a, b, c, d, e, f, g, h)                                                             \
    STEP(a, b, d, 16)                                                                                                  \
    STEP(e, f, h, 16)                                                                                                  \
    STEP(c, d, b, 12)                                                                                                  \
    STEP(g, h, f, 12)                                                                                                  \
    STEP(a, b, d, 8)                                                                                                   \
    STEP(e, f, h, 8)                                                                                                   \
    STEP(c, d, b, 7)                                                                                                   \
    STEP(g, h, f, 7)

/*
 * What lies in memory is to be read again where it is used: broadcast by the instruction that adds it, it costs
 * nothing. Compilers rather keep sixteen broadcast words from before the rounds, on the stack.
 */
#if LT_GNUC
#define LT_READ_AGAIN __asm__ volatile("" : : : "memory")
#else
#define LT_READ_AGAIN (void)0
#endif

/** out = in + stream. */
LT_INLINE void lt_xor(uint8_t *out, const uint8_t *in, const uint8_t *stream, size_t len) {
    for (; len >= 8; len -= 8, out += 8, in += 8, stream += 8) {
        lt_store64_le(out, lt_load64_le(in) ^ lt_load64_le(stream));
    }
    for (size_t i = 0; i < len; i++) {
        out[i] = in[i] ^ stream[i];
    }
}

/* r and h as words of 64 bits, however they are held; the last of h is at most 4. */
LT_INLINE uint64_t lt_poly1305_r(const lt_poly1305 *poly, int i) {
#if LT_LIMB64
    return poly->r[i];
#else
    return (uint64_t)poly->r[2 * i + 1] << 32 | poly->r[2 * i];
#endif
}

LT_INLINE uint64_t lt_poly1305_h(const lt_poly1305 *poly, int i) {
#if LT_LIMB64
    return poly->h[i];
#else
    return i == 2 ? poly->h[4] : (uint64_t)poly->h[2 * i + 1] << 32 | poly->h[2 * i];
#endif
}

LT_INLINE void lt_poly1305_set_h(lt_poly1305 *poly, uint64_t h0, uint64_t h1, uint64_t h2) {
#if LT_LIMB64
    poly->h[0] = h0;
    poly->h[1] = h1;
    poly->h[2] = h2;
#else
    poly->h[0] = (uint32_t)h0;
    poly->h[1] = (uint32_t)(h0 >> 32);
    poly->h[2] = (uint32_t)h1;
    poly->h[3] = (uint32_t)(h1 >> 32);
    poly->h[4] = (uint32_t)h2;
#endif
}

#endif
