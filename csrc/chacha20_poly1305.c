/* The AEAD of ChaCha20 and Poly1305, RFC 8439 section 2.8. */
#include "chacha20_poly1305.h"
#include "chacha20.h"

/* Blocks 1 and up over the text; long runs go to AVX2 if the key was set with it. */
static void xor_text(const lt_aead *aead, const uint8_t *nonce, uint8_t *out, const uint8_t *in, size_t len) {
    uint32_t counter = 1;

#if LT_X86_64
    if (len >= 512 && (aead->features & LT_CPU_AVX2) != 0) {
        size_t bulk = len & ~(size_t)511;

        lt_chacha20_avx2_xor(out, in, bulk, aead->key.chacha20, nonce, counter);
        counter += (uint32_t)(bulk / 64);
        out += bulk;
        in += bulk;
        len -= bulk;
    }
#endif
#if LT_ARM64
    if (len >= LT_CHACHA20_NEON_CHUNK && (aead->features & LT_CPU_NEON) != 0) {
        size_t bulk = len & ~(size_t)(LT_CHACHA20_NEON_CHUNK - 1);

        lt_chacha20_neon_xor(out, in, bulk, aead->key.chacha20, nonce, counter);
        counter += (uint32_t)(bulk / 64);
        out += bulk;
        in += bulk;
        len -= bulk;
    }
#endif
    lt_chacha20_portable_xor(out, in, len, aead->key.chacha20, nonce, counter);
}

/* The one-time key is the first half of block 0. */
static void make_tag(uint8_t *tag, const lt_aead *aead, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                     const uint8_t *text, size_t text_len) {
    lt_poly1305 poly;
    uint8_t key[32] = {0};
    uint8_t lengths[16];

    lt_chacha20_portable_xor(key, key, sizeof key, aead->key.chacha20, nonce, 0);
    lt_poly1305_start(&poly, key);
    lt_poly1305_absorb(&poly, aad, aad_len);
    lt_poly1305_absorb(&poly, text, text_len);
    lt_store64_le(lengths, aad_len);
    lt_store64_le(lengths + 8, text_len);
    lt_poly1305_absorb(&poly, lengths, sizeof lengths);
    lt_poly1305_finish(&poly, tag);
    lt_wipe(key, sizeof key);
}

/* see chacha20_poly1305.h */
void lt_chacha20_poly1305_seal(const lt_aead *aead, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                               uint8_t *out, const uint8_t *in, size_t in_len) {
    xor_text(aead, nonce, out, in, in_len);
    make_tag(out + in_len, aead, nonce, aad, aad_len, out, in_len);
}

/* see chacha20_poly1305.h. The tag is judged before anything is decrypted. */
int lt_chacha20_poly1305_open(const lt_aead *aead, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                              uint8_t *out, const uint8_t *in, size_t text_len) {
    uint8_t tag[LT_TAG_LEN];
    int accepted;

    make_tag(tag, aead, nonce, aad, aad_len, in, text_len);
    accepted = lt_ct_declassify(lt_equal(tag, in + text_len, LT_TAG_LEN));
    if (accepted) {
        xor_text(aead, nonce, out, in, text_len);
    } else {
        lt_wipe(out, text_len);
    }
    lt_wipe(tag, sizeof tag);
    return accepted ? LT_OK : LT_ERR_AUTH;
}
