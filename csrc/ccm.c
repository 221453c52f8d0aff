/* AES-CCM: how a message becomes blocks, and the portable cipher under it. */
#include "ccm.h"
#include "aes.h"

LT_INLINE int has(const lt_aead *aead, uint32_t feature) {
    return (aead->features & feature) != 0;
}

LT_INLINE int uses_portable(const lt_aead *aead) {
    return !(LT_X86_64 && has(aead, LT_CPU_AESNI)) && !(LT_ARM64 && has(aead, LT_CPU_ARM_AES));
}

/* see ccm.h */
void lt_ccm_init(lt_aead *aead, const uint8_t *key, size_t key_len) {
    lt_aes_key *aes = &aead->key.aes;

#if LT_X86_64
    if (has(aead, LT_CPU_AESNI)) {
        aes->rounds = lt_aes_ni_expand(aes->round_keys, key, key_len);
        return;
    }
#endif
#if LT_ARM64
    if (has(aead, LT_CPU_ARM_AES)) {
        aes->rounds = lt_aes_armv8_expand(aes->round_keys, key, key_len);
        return;
    }
#endif
    aes->rounds = lt_aes_portable_expand(aes->round_keys, key, key_len);
}

/* Two of the four blocks that bit slicing encrypts at once stay unused: the chain has no more to do. */
static void portable_blocks(const lt_aes_planes *planes, lt_ccm_state *s, uint8_t *out, const uint8_t *in,
                            size_t blocks, int sealing) {
    uint8_t lanes[64] = {0};

    for (; blocks > 0; blocks--, in += 16, out += 16) {
        lt_copy(lanes + 16, s->counter, 12);
        lt_store32_le(lanes + 28, lt_load32_le(s->counter + 12) ^ lt_ccm_count(s));
        for (size_t i = 0; i < 16; i++) {
            out[i] = in[i] ^ s->stream[i];
            lanes[i] = s->mac[i] ^ (sealing ? in[i] : out[i]);
        }
        lt_aes_portable_encrypt4(planes, lanes, lanes);
        lt_copy(s->mac, lanes, 16);
        lt_copy(s->stream, lanes + 16, 16);
    }
    lt_wipe(lanes, sizeof lanes);
}

/* `planes` are the portable cipher's, unused by others. */
static void run_blocks(const lt_aead *aead, const lt_aes_planes *planes, lt_ccm_state *s, uint8_t *out,
                       const uint8_t *in, size_t blocks, int sealing) {
#if LT_X86_64
    if (has(aead, LT_CPU_AESNI)) {
        lt_ccm_ni_blocks(&aead->key.aes, s, out, in, blocks, sealing);
        return;
    }
#endif
#if LT_ARM64
    if (has(aead, LT_CPU_ARM_AES)) {
        lt_ccm_armv8_blocks(&aead->key.aes, s, out, in, blocks, sealing);
        return;
    }
#endif
    (void)aead;
    portable_blocks(planes, s, out, in, blocks, sealing);
}

/* One block for the chain only; beside it goes counter number `counter`. `block` is wiped. */
static void absorb(const lt_aead *aead, const lt_aes_planes *planes, lt_ccm_state *s, uint8_t *block,
                   uint32_t counter) {
    uint8_t unused[16];

    s->next = counter;
    run_blocks(aead, planes, s, unused, block, 1, 1);
    lt_wipe(unused, sizeof unused);
    lt_wipe(block, 16);
}

/*
 * B_0 and the additional data behind its length, RFC 3610 section 2.2. Key stream 1 is for the text; where there is
 * none, key stream 0, which is the tag's.
 */
static void begin(const lt_aead *aead, const lt_aes_planes *planes, lt_ccm_state *s, const uint8_t *nonce,
                  const uint8_t *aad, size_t aad_len, size_t text_len) {
    uint32_t counter = text_len > 0;
    uint8_t block[16] = {0};
    size_t at = 2;

    s->counter[0] = 2; /* the length of the length field, less one */
    lt_copy(s->counter + 1, nonce, LT_NONCE_LEN);
    block[0] = (uint8_t)((aad_len > 0 ? 0x42u : 2u) | (lt_aead_tag_len(aead->algorithm) - 2) / 2 << 3);
    lt_copy(block + 1, nonce, LT_NONCE_LEN);
    block[13] = (uint8_t)(text_len >> 16);
    block[14] = (uint8_t)(text_len >> 8);
    block[15] = (uint8_t)text_len;
    absorb(aead, planes, s, block, counter);
    block[0] = (uint8_t)(aad_len >> 8);
    block[1] = (uint8_t)aad_len;
    while (aad_len > 0) {
        size_t take = aad_len < 16 - at ? aad_len : 16 - at;

        lt_copy(block + at, aad, take);
        absorb(aead, planes, s, block, counter);
        aad += take;
        aad_len -= take;
        at = 0;
    }
}

/* The whole message: out gets len bytes, `tag` 16, of which the AEAD's length count. */
static void run(const lt_aead *aead, uint8_t *tag, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                uint8_t *out, const uint8_t *in, size_t len, int sealing) {
    lt_aes_planes planes;
    lt_ccm_state s = {{0}, {0}, {0}, 0};
    uint8_t block[16] = {0};

    if (uses_portable(aead)) {
        lt_aes_portable_slice(&planes, aead->key.aes.round_keys, aead->key.aes.rounds);
    }
    begin(aead, &planes, &s, nonce, aad, aad_len, len);
    if (len > 0) {
        size_t bulk = (len - 1) & ~(size_t)15;

        run_blocks(aead, &planes, &s, out, in, bulk / 16, sealing);
        for (size_t i = bulk; i < len; i++) { /* the last 1 to 16 bytes */
            out[i] = in[i] ^ s.stream[i - bulk];
            block[i - bulk] = sealing ? in[i] : out[i];
        }
        absorb(aead, &planes, &s, block, 0);
    }
    for (size_t i = 0; i < 16; i++) {
        tag[i] = s.mac[i] ^ s.stream[i];
    }
    lt_wipe(&s, sizeof s);
    if (uses_portable(aead)) {
        lt_wipe(&planes, sizeof planes);
    }
}

/* see ccm.h */
void lt_ccm_seal(const lt_aead *aead, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, uint8_t *out,
                 const uint8_t *in, size_t in_len) {
    uint8_t tag[16];

    run(aead, tag, nonce, aad, aad_len, out, in, in_len, 1);
    lt_copy(out + in_len, tag, lt_aead_tag_len(aead->algorithm));
    lt_wipe(tag, sizeof tag); /* a short tag's other half is nobody's business */
}

/* see ccm.h. The tag is over the plaintext: what was written is wiped if it is wrong. */
int lt_ccm_open(const lt_aead *aead, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, uint8_t *out,
                const uint8_t *in, size_t text_len) {
    uint8_t tag[16];
    int accepted;

    run(aead, tag, nonce, aad, aad_len, out, in, text_len, 0);
    accepted = lt_ct_declassify(lt_equal(tag, in + text_len, lt_aead_tag_len(aead->algorithm)));
    lt_wipe(tag, sizeof tag);
    if (!accepted) {
        lt_wipe(out, text_len);
        return LT_ERR_AUTH;
    }
    return LT_OK;
}

/* see ccm.h */
void lt_ccm_wipe_stack(const lt_aead *aead) {
    if (uses_portable(aead)) {
        lt_wipe_stack();
    } else {
        lt_wipe_stack_2048();
    }
}
