/*
 * AES-CCM with a nonce of 12 bytes (NIST SP 800-38C, RFC 3610 with L = 3) and a tag of 16 or 8, RFC 6655 section 3.
 *
 * The contracts are those of lt_aead_seal and its like. The length field has three bytes, so that a text must be
 * shorter than 2^24 bytes, and additional data shorter than 65 280: the callers' records are.
 */
#ifndef LT_CCM_H
#define LT_CCM_H

#include "inner.h"

void lt_ccm_init(lt_aead *aead, const uint8_t *key, size_t key_len);
void lt_ccm_seal(const lt_aead *aead, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, uint8_t *out,
                 const uint8_t *in, size_t in_len);
LT_MUST_CHECK int lt_ccm_open(const lt_aead *aead, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                              uint8_t *out, const uint8_t *in, size_t text_len);

void lt_ccm_wipe_stack(const lt_aead *aead);

/*
 * A message under way. CBC-MAC is one chain of blocks: while its next block goes through the cipher, so does a counter,
 * which costs nothing. Hence key stream is always one block ahead.
 */
typedef struct {
    uint8_t mac[16];     /* the chain so far */
    uint8_t stream[16];  /* key stream for the next block */
    uint8_t counter[16]; /* number 0 */
    uint32_t next;       /* number of the counter that goes through the cipher with the next block */
} lt_ccm_state;

/** What s->next makes of the last four bytes of s->counter, by exclusive or, as a little-endian word; and count. */
LT_INLINE uint32_t lt_ccm_count(lt_ccm_state *s) {
    uint32_t x = s->next++;

    return x << 24 | (x << 8 & 0xff0000) | (x >> 8 & 0xff00);
}

/*
 * Each of so many whole blocks, by implementation: out = in + stream, the chain takes up the plaintext (`in` when
 * sealing, else `out`), and both the chain and the next counter are encrypted.
 */
#if LT_X86_64
/* Needs LT_CPU_AESNI. */
void lt_ccm_ni_blocks(const lt_aes_key *key, lt_ccm_state *s, uint8_t *out, const uint8_t *in, size_t blocks,
                      int sealing);
#endif
#if LT_ARM64
/* Needs LT_CPU_ARM_AES. */
void lt_ccm_armv8_blocks(const lt_aes_key *key, lt_ccm_state *s, uint8_t *out, const uint8_t *in, size_t blocks,
                         int sealing);
#endif

#endif
