/* AES-GCM from the portable AES and GHASH: four blocks of key stream at a time, then the hash of what they made. */
#include "aes.h"
#include "gcm.h"

/* see gcm.h */
void lt_gcm_portable_init(lt_gcm *gcm, const uint8_t *key, size_t key_len) {
    lt_aes_planes planes;
    uint8_t blocks[64] = {0};

    gcm->rounds = lt_aes_portable_expand(gcm->round_keys, key, key_len);
    lt_aes_portable_slice(&planes, gcm->round_keys, gcm->rounds);
    lt_aes_portable_encrypt4(&planes, blocks, blocks);
    lt_copy(gcm->powers, blocks, 16);
    lt_wipe(&planes, sizeof planes);
    lt_wipe(blocks, sizeof blocks);
}

/* One message: round keys, the key stream of the next four counters and how much of it is used. */
typedef struct {
    lt_aes_planes planes;
    uint8_t counters[64];
    uint8_t stream[64];
    size_t used;
    uint32_t next;
} ctr_state;

static void ctr_refill(ctr_state *ctr) {
    for (int k = 0; k < 4; k++) {
        lt_store32_be(ctr->counters + 16 * k + 12, ctr->next++);
    }
    lt_aes_portable_encrypt4(&ctr->planes, ctr->stream, ctr->counters);
    ctr->used = 0;
}

/* Counter 1 belongs to the tag (SP 800-38D section 7.1 step 2); its key stream comes first and goes to `tag_mask`. */
static void ctr_start(ctr_state *ctr, const lt_gcm *gcm, const uint8_t *nonce, uint8_t *tag_mask) {
    lt_aes_portable_slice(&ctr->planes, gcm->round_keys, gcm->rounds);
    for (int k = 0; k < 4; k++) {
        lt_copy(ctr->counters + 16 * k, nonce, LT_NONCE_LEN);
    }
    ctr->next = 1;
    ctr_refill(ctr);
    lt_copy(tag_mask, ctr->stream, LT_TAG_LEN);
    ctr->used = LT_TAG_LEN;
}

static void ctr_xor(ctr_state *ctr, uint8_t *out, const uint8_t *in, size_t len) {
    while (len > 0) {
        size_t take;

        if (ctr->used == sizeof ctr->stream) {
            ctr_refill(ctr);
        }
        take = sizeof ctr->stream - ctr->used;
        take = take < len ? take : len;
        for (size_t i = 0; i < take; i++) {
            out[i] = in[i] ^ ctr->stream[ctr->used + i];
        }
        ctr->used += take;
        out += take;
        in += take;
        len -= take;
    }
}

/* tag = tag_mask + GHASH(aad, text, lengths in bits). */
static void make_tag(uint8_t *tag, const lt_gcm *gcm, const uint8_t *tag_mask, const uint8_t *aad, size_t aad_len,
                     const uint8_t *text, size_t text_len) {
    uint64_t y[2] = {0, 0};
    uint8_t lengths[16];

    lt_store64_be(lengths, (uint64_t)aad_len * 8);
    lt_store64_be(lengths + 8, (uint64_t)text_len * 8);
    lt_ghash_portable(y, gcm->powers, aad, aad_len);
    lt_ghash_portable(y, gcm->powers, text, text_len);
    lt_ghash_portable(y, gcm->powers, lengths, sizeof lengths);
    lt_store64_be(tag, y[0] ^ lt_load64_be(tag_mask));
    lt_store64_be(tag + 8, y[1] ^ lt_load64_be(tag_mask + 8));
    lt_wipe(y, sizeof y);
}

/* see gcm.h */
void lt_gcm_portable_seal(const lt_gcm *gcm, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, uint8_t *out,
                          const uint8_t *in, size_t in_len) {
    ctr_state ctr;
    uint8_t tag_mask[LT_TAG_LEN];

    ctr_start(&ctr, gcm, nonce, tag_mask);
    ctr_xor(&ctr, out, in, in_len);
    make_tag(out + in_len, gcm, tag_mask, aad, aad_len, out, in_len);
    lt_wipe(&ctr, sizeof ctr);
    lt_wipe(tag_mask, sizeof tag_mask);
}

/* see gcm.h. The tag is judged before anything is decrypted. */
int lt_gcm_portable_open(const lt_gcm *gcm, const uint8_t *nonce, const uint8_t *aad, size_t aad_len, uint8_t *out,
                         const uint8_t *in, size_t text_len) {
    ctr_state ctr;
    uint8_t tag_mask[LT_TAG_LEN];
    uint8_t tag[LT_TAG_LEN];
    int accepted;

    ctr_start(&ctr, gcm, nonce, tag_mask);
    make_tag(tag, gcm, tag_mask, aad, aad_len, in, text_len);
    accepted = lt_ct_declassify(lt_equal(tag, in + text_len, LT_TAG_LEN));
    if (accepted) {
        ctr_xor(&ctr, out, in, text_len);
    } else {
        lt_wipe(out, text_len);
    }
    lt_wipe(&ctr, sizeof ctr);
    lt_wipe(tag_mask, sizeof tag_mask);
    lt_wipe(tag, sizeof tag);
    return accepted ? LT_OK : LT_ERR_AUTH;
}
