/* ChaCha20, RFC 8439 section 2.3 and 2.4: one block at a time. */
#include "chacha20.h"

/* see chacha20.h */
const uint32_t lt_chacha20_constants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};

LT_INLINE void quarter_round(uint32_t *x, int a, int b, int c, int d) {
    x[a] += x[b];
    x[d] = lt_rotl32(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = lt_rotl32(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = lt_rotl32(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = lt_rotl32(x[b] ^ x[c], 7);
}

LT_PIECE void block(uint32_t *x, const uint32_t *state) {
    for (int i = 0; i < 16; i++) {
        x[i] = state[i];
    }
    for (int i = 0; i < 10; i++) {
        quarter_round(x, 0, 4, 8, 12);
        quarter_round(x, 1, 5, 9, 13);
        quarter_round(x, 2, 6, 10, 14);
        quarter_round(x, 3, 7, 11, 15);
        quarter_round(x, 0, 5, 10, 15);
        quarter_round(x, 1, 6, 11, 12);
        quarter_round(x, 2, 7, 8, 13);
        quarter_round(x, 3, 4, 9, 14);
    }
    for (int i = 0; i < 16; i++) {
        x[i] += state[i];
    }
}

/* see chacha20.h */
void lt_chacha20_portable_xor(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *key, const uint8_t *nonce,
                              uint32_t counter) {
    uint32_t state[16];
    uint32_t x[16];

    lt_chacha20_start(state, key, nonce, counter);
    for (; len >= 64; len -= 64, in += 64, out += 64) {
        block(x, state);
        for (int i = 0; i < 16; i++) {
            lt_store32_le(out + 4 * i, lt_load32_le(in + 4 * i) ^ x[i]);
        }
        state[12]++;
    }
    if (len > 0) {
        uint8_t stream[64];

        block(x, state);
        for (int i = 0; i < 16; i++) {
            lt_store32_le(stream + 4 * i, x[i]);
        }
        for (size_t i = 0; i < len; i++) {
            out[i] = in[i] ^ stream[i];
        }
        lt_wipe(stream, sizeof stream);
    }
    lt_wipe(state, sizeof state);
    lt_wipe(x, sizeof x);
}
