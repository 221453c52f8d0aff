/* The AEAD of ChaCha20 and Poly1305, RFC 8439 section 2.8. */
#include "chacha20_poly1305.h"
#include "chacha20.h"

/*
 * The key stream begins with block 0, for the one-time key, and the text's blocks 1 and up. Code for vectors makes four
 * or eight blocks in the time of one: then the head of the stream has them all, and a short text needs no more.
 */
#define KEY_LEN  64
#define HEAD_LEN (LT_X86_64 ? 512 : KEY_LEN)

LT_INLINE int has(const lt_aead *aead, uint32_t features) {
    return (aead->features & features) == features;
}

/* Returns how many bytes of the head were made. */
static size_t make_head(uint8_t *head, const lt_aead *aead, const uint8_t *nonce, size_t text_len) {
#if LT_X86_64
    if (has(aead, LT_CPU_AVX512)) {
        if (text_len > 256 - KEY_LEN) {
            lt_chacha20_avx512_eight(head, aead->key.chacha20, nonce, 0);
            return 512;
        }
        lt_chacha20_avx512_four(head, aead->key.chacha20, nonce, 0);
        return 256;
    }
    if (has(aead, LT_CPU_AVX2)) {
        lt_chacha20_avx2_four(head, aead->key.chacha20, nonce, 0);
        return 256;
    }
#endif
    (void)text_len;
    for (size_t i = 0; i < KEY_LEN; i++) {
        head[i] = 0;
    }
    lt_chacha20_portable_xor(head, head, KEY_LEN, aead->key.chacha20, nonce, 0);
    return KEY_LEN;
}

static void xor_from(const lt_aead *aead, const uint8_t *nonce, uint32_t counter, uint8_t *out, const uint8_t *in,
                     size_t len) {
    const uint8_t *key = aead->key.chacha20;

#if LT_X86_64
    if (has(aead, LT_CPU_AVX512)) {
        lt_chacha20_avx512_xor(out, in, len, key, nonce, counter);
        return;
    }
    if (has(aead, LT_CPU_AVX2)) {
        lt_chacha20_avx2_xor(out, in, len, key, nonce, counter);
        return;
    }
#endif
#if LT_ARM64
    if (len >= LT_CHACHA20_NEON_CHUNK && has(aead, LT_CPU_NEON)) {
        size_t bulk = len & ~(size_t)(LT_CHACHA20_NEON_CHUNK - 1);

        lt_chacha20_neon_xor(out, in, bulk, key, nonce, counter);
        counter += (uint32_t)(bulk / 64);
        out += bulk;
        in += bulk;
        len -= bulk;
    }
#endif
    lt_chacha20_portable_xor(out, in, len, key, nonce, counter);
}

/* `made` bytes of the head are there. */
static void xor_text(const lt_aead *aead, const uint8_t *nonce, const uint8_t *head, size_t made, uint8_t *out,
                     const uint8_t *in, size_t len) {
    size_t first = made - KEY_LEN;

    if (len <= first) {
        lt_xor(out, in, head + KEY_LEN, len);
        return;
    }
    lt_xor(out, in, head + KEY_LEN, first);
    xor_from(aead, nonce, (uint32_t)(made / 64), out + first, in + first, len - first);
}

#if LT_X86_64
LT_INLINE int uses_poly1305_ifma(const lt_aead *aead, size_t len) {
    return len >= LT_POLY1305_IFMA_LONG && has(aead, LT_CPU_AVX512 | LT_CPU_IFMA);
}

LT_INLINE int uses_poly1305_avx2(const lt_aead *aead, size_t len) {
    return len >= LT_POLY1305_AVX2_LONG && has(aead, LT_CPU_AVX2) && !uses_poly1305_ifma(aead, len);
}
#endif

static void absorb_text(const lt_aead *aead, lt_poly1305 *poly, const uint8_t *text, size_t len) {
#if LT_X86_64
    size_t bulk = len & ~(size_t)(LT_POLY1305_UNIT - 1);

    if (uses_poly1305_ifma(aead, len)) {
        lt_poly1305_ifma(poly, text, bulk);
        text += bulk;
        len -= bulk;
    } else if (uses_poly1305_avx2(aead, len)) {
        lt_poly1305_avx2(poly, text, bulk);
        text += bulk;
        len -= bulk;
    }
#else
    (void)aead;
#endif
    lt_poly1305_absorb(poly, text, len);
}

/* The one-time key is the first half of block 0. */
static void make_tag(uint8_t *tag, const lt_aead *aead, const uint8_t *head, const uint8_t *aad, size_t aad_len,
                     const uint8_t *text, size_t text_len) {
    lt_poly1305 poly;
    uint8_t lengths[16];

    lt_poly1305_start(&poly, head);
    lt_poly1305_absorb(&poly, aad, aad_len);
    absorb_text(aead, &poly, text, text_len);
    lt_store64_le(lengths, aad_len);
    lt_store64_le(lengths + 8, text_len);
    lt_poly1305_absorb(&poly, lengths, sizeof lengths);
    lt_poly1305_finish(&poly, tag);
}

/* see chacha20_poly1305.h */
void lt_chacha20_poly1305_seal(const lt_aead *aead, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                               uint8_t *out, const uint8_t *in, size_t in_len) {
    uint8_t head[HEAD_LEN];
    size_t made = make_head(head, aead, nonce, in_len);

    xor_text(aead, nonce, head, made, out, in, in_len);
    make_tag(out + in_len, aead, head, aad, aad_len, out, in_len);
    lt_wipe(head, made);
}

/* see chacha20_poly1305.h. The tag is judged before anything is decrypted. */
int lt_chacha20_poly1305_open(const lt_aead *aead, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                              uint8_t *out, const uint8_t *in, size_t text_len) {
    uint8_t head[HEAD_LEN];
    uint8_t tag[LT_TAG_LEN];
    size_t made = make_head(head, aead, nonce, text_len);
    int accepted;

    make_tag(tag, aead, head, aad, aad_len, in, text_len);
    accepted = lt_ct_declassify(lt_equal(tag, in + text_len, LT_TAG_LEN));
    if (accepted) {
        xor_text(aead, nonce, head, made, out, in, text_len);
    } else {
        lt_wipe(out, text_len);
    }
    lt_wipe(head, made);
    lt_wipe(tag, sizeof tag);
    return accepted ? LT_OK : LT_ERR_AUTH;
}

/* see chacha20_poly1305.h */
void lt_chacha20_poly1305_wipe_stack(const lt_aead *aead, size_t len) {
#if LT_X86_64
    if (uses_poly1305_avx2(aead, len)) { /* spills 3 KiB of numbers that do not fit into sixteen registers */
        lt_wipe_stack();
        return;
    }
#endif
    (void)aead;
    (void)len;
    lt_wipe_stack_2048();
}
