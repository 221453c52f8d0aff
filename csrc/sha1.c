/* SHA-1, FIPS 180-4 section 6.1, in one go: only for verifying old certificates, whose anchors must permit it. */
#include "inner.h"

#define BLOCK 64

static void compress(uint32_t state[5], const uint8_t block[BLOCK]) {
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], w[80];

    for (size_t t = 0; t < 16; t++) {
        w[t] = lt_load32_be(block + 4 * t);
    }
    for (size_t t = 16; t < 80; t++) {
        w[t] = lt_rotl32(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
    }
    for (size_t t = 0; t < 80; t++) {
        uint32_t mixed, next;

        if (t < 20) {
            mixed = ((b & c) ^ (~b & d)) + 0x5a827999;
        } else if (t < 40) {
            mixed = (b ^ c ^ d) + 0x6ed9eba1;
        } else if (t < 60) {
            mixed = ((b & c) ^ (b & d) ^ (c & d)) + 0x8f1bbcdc;
        } else {
            mixed = (b ^ c ^ d) + 0xca62c1d6;
        }
        next = lt_rotl32(a, 5) + mixed + e + w[t];
        e = d;
        d = c;
        c = lt_rotl32(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

/* see inner.h */
void lt_sha1(uint8_t digest[LT_SHA1_LEN], const uint8_t *in, size_t in_len) {
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    const uint64_t bits = (uint64_t)in_len << 3;
    uint8_t last[2 * BLOCK] = {0};
    size_t last_len;

    for (; in_len >= BLOCK; in_len -= BLOCK, in += BLOCK) {
        compress(state, in);
    }
    for (size_t i = 0; i < in_len; i++) {
        last[i] = in[i];
    }
    last[in_len] = 0x80;
    last_len = in_len < BLOCK - 8 ? BLOCK : 2 * BLOCK;
    lt_store64_be(last + last_len - 8, bits);
    for (size_t at = 0; at < last_len; at += BLOCK) {
        compress(state, last + at);
    }
    for (size_t i = 0; i < 5; i++) {
        lt_store32_be(digest + 4 * i, state[i]);
    }
}
