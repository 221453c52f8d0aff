/* SHA-256 in portable C, FIPS 180-4 section 6.2: the reference for the faster ones. */
#include "inner.h"

const uint32_t lt_sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

#define CH(x, y, z)  ((z) ^ ((x) & ((y) ^ (z))))
#define MAJ(x, y, z) (((x) & (y)) | ((z) & ((x) | (y))))
#define SUM0(x)      (lt_rotr32(x, 2) ^ lt_rotr32(x, 13) ^ lt_rotr32(x, 22))
#define SUM1(x)      (lt_rotr32(x, 6) ^ lt_rotr32(x, 11) ^ lt_rotr32(x, 25))
#define SIGMA0(x)    (lt_rotr32(x, 7) ^ lt_rotr32(x, 18) ^ ((x) >> 3))
#define SIGMA1(x)    (lt_rotr32(x, 17) ^ lt_rotr32(x, 19) ^ ((x) >> 10))

/* One round leaves the new e in d and the new a in h; the caller turns the names instead of the values. */
#define ROUND(a, b, c, d, e, f, g, h, t)                                                                               \
    do {                                                                                                               \
        h += SUM1(e) + CH(e, f, g) + lt_sha256_constants[t] + w[t];                                                    \
        d += h;                                                                                                        \
        h += SUM0(a) + MAJ(a, b, c);                                                                                   \
    } while (0)

static void compress(uint32_t state[8], uint32_t w[64], const uint8_t *block) {
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];

    for (size_t t = 0; t < 16; t++) {
        w[t] = lt_load32_be(block + 4 * t);
    }
    for (size_t t = 16; t < 64; t++) {
        w[t] = SIGMA1(w[t - 2]) + w[t - 7] + SIGMA0(w[t - 15]) + w[t - 16];
    }
    for (size_t t = 0; t < 64; t += 8) {
        ROUND(a, b, c, d, e, f, g, h, t);
        ROUND(h, a, b, c, d, e, f, g, t + 1);
        ROUND(g, h, a, b, c, d, e, f, t + 2);
        ROUND(f, g, h, a, b, c, d, e, t + 3);
        ROUND(e, f, g, h, a, b, c, d, t + 4);
        ROUND(d, e, f, g, h, a, b, c, t + 5);
        ROUND(c, d, e, f, g, h, a, b, t + 6);
        ROUND(b, c, d, e, f, g, h, a, t + 7);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
}

/* see inner.h */
void lt_sha256_blocks(uint32_t state[8], const uint8_t *in, size_t blocks) {
    uint32_t w[64];

    for (; blocks > 0; blocks--, in += 64) {
        compress(state, w, in);
    }
    lt_wipe(w, sizeof w);
}
