/*
 * AES encryption without tables, in constant time: bit slicing over four blocks.
 *
 * Word b of the state holds bit b of all 64 bytes of the four blocks. The byte in row r and column c
 * of block k (FIPS 197 section 3.4) is at bit position 16 r + 4 c + k, so that ShiftRows rotates
 * 16-bit lanes by multiples of 4 and MixColumns rotates whole words by multiples of 16.
 *
 * The S-box inverts in a tower of fields, GF(2^8) over GF(16) over GF(4), whose bases stand at the functions
 * below; leaving the tower is merged with the affine map. The two changes of basis were searched
 * over all towers of this shape and all isomorphisms for the fewest XORs (23 in both together).
 */
#include "aes.h"

/* ---- S-box on bit planes ----------------------------------------------------------------------- */

/* GF(4): x = x[1] w + x[0], w^2 = w + 1. */
LT_INLINE void gf4_multiply(uint64_t *out, const uint64_t *a, const uint64_t *b) {
    uint64_t high = a[1] & b[1];
    uint64_t low = a[0] & b[0];
    uint64_t sum = (a[1] ^ a[0]) & (b[1] ^ b[0]);

    out[1] = sum ^ low;
    out[0] = low ^ high;
}

/* GF(16): x = X[1] z + X[0] over GF(4), z^2 = z + w + 1; bits in order X[0], X[1]. */
LT_INLINE void gf16_multiply(uint64_t *out, const uint64_t *a, const uint64_t *b) {
    uint64_t a_sum[2] = {a[0] ^ a[2], a[1] ^ a[3]};
    uint64_t b_sum[2] = {b[0] ^ b[2], b[1] ^ b[3]};
    uint64_t high[2];
    uint64_t low[2];
    uint64_t sum[2];

    gf4_multiply(high, a + 2, b + 2);
    gf4_multiply(low, a, b);
    gf4_multiply(sum, a_sum, b_sum);
    out[3] = sum[1] ^ low[1];
    out[2] = sum[0] ^ low[0];
    out[1] = low[1] ^ high[0]; /* (w + 1) (x w + y) = y w + x + y */
    out[0] = low[0] ^ high[1] ^ high[0];
}

/* The inverse of A z + B is (A z + A + B) / D with D = (w + 1) A^2 + A B + B^2 in GF(4); 0 goes to 0. */
LT_INLINE void gf16_invert(uint64_t *out, const uint64_t *x) {
    uint64_t sum[2] = {x[0] ^ x[2], x[1] ^ x[3]};
    uint64_t norm[2];

    gf4_multiply(norm, x, x + 2);
    norm[1] ^= x[3] ^ x[2] ^ x[1];
    norm[0] ^= x[2] ^ x[1] ^ x[0];
    norm[0] ^= norm[1]; /* in GF(4) the inverse is the square */
    gf4_multiply(out + 2, x + 2, norm);
    gf4_multiply(out, sum, norm);
}

/* GF(256) over GF(16): y^2 = y + n, n = w z + w (bits 1010); D = n A^2 + A B + B^2, as above. */
LT_PIECE void sub_bytes(uint64_t *s) {
    uint64_t x[8];
    uint64_t sum[4];
    uint64_t norm[4];
    uint64_t inverse[4];
    uint64_t t1, t2, t3, t4, t5, t6;

    /* Into the tower. */
    t1 = s[1] ^ s[5];
    t2 = s[2] ^ s[3];
    t3 = s[5] ^ s[7];
    t4 = s[6] ^ t1;
    t5 = s[4] ^ t2;
    x[0] = s[0] ^ t4;
    x[1] = s[1] ^ s[7];
    x[2] = s[2] ^ s[7];
    x[3] = s[2] ^ s[4];
    x[4] = s[1];
    x[5] = t2 ^ t3;
    x[6] = t4 ^ t5;
    x[7] = t3;

    gf16_multiply(norm, x, x + 4);
    norm[0] ^= x[5] ^ x[0] ^ x[1] ^ x[2];
    norm[1] ^= x[4] ^ x[1] ^ x[2] ^ x[3];
    norm[2] ^= x[5] ^ x[6] ^ x[7] ^ x[2] ^ x[3];
    norm[3] ^= x[4] ^ x[7] ^ x[3];
    gf16_invert(inverse, norm);
    for (int i = 0; i < 4; i++) {
        sum[i] = x[i] ^ x[i + 4];
    }
    gf16_multiply(x + 4, x + 4, inverse);
    gf16_multiply(x, sum, inverse);

    /* Out of the tower and through the affine map; its constant 0x63 inverts bits 0, 1, 5 and 6. */
    t1 = x[0] ^ x[4];
    t2 = x[2] ^ x[3];
    t3 = x[1] ^ t1;
    t4 = x[4] ^ x[6];
    t5 = x[6] ^ t1;
    t6 = x[2] ^ x[7];
    s[0] = ~(t1 ^ t2);
    s[1] = ~t3;
    s[2] = t3 ^ t6;
    s[3] = t2 ^ t5;
    s[4] = t5;
    s[5] = ~(t2 ^ x[4] ^ x[5]);
    s[6] = ~t4;
    s[7] = x[2] ^ t4;
}

/* ---- Bytes to bit planes and back --------------------------------------------------------------- */

LT_INLINE void swap_bits(uint64_t *a, uint64_t *b, uint64_t mask, unsigned shift) {
    uint64_t t = ((*a >> shift) ^ *b) & mask;

    *a ^= t << shift;
    *b ^= t;
}

/* Bit b of byte i of word j goes to bit j of byte i of word b, and back. */
LT_PIECE void transpose(uint64_t *s) {
    for (int i = 0; i < 8; i += 2) {
        swap_bits(&s[i], &s[i + 1], 0x5555555555555555, 1);
    }
    for (int i = 0; i < 8; i += 4) {
        swap_bits(&s[i], &s[i + 2], 0x3333333333333333, 2);
        swap_bits(&s[i + 1], &s[i + 3], 0x3333333333333333, 2);
    }
    for (int i = 0; i < 4; i++) {
        swap_bits(&s[i], &s[i + 4], 0x0f0f0f0f0f0f0f0f, 4);
    }
}

/* Bytes 3 2 1 0 to 0 3 0 2 0 1 0 0. */
LT_INLINE uint64_t spread(uint32_t x) {
    uint64_t y = x;

    y = (y | y << 16) & 0x0000ffff0000ffff;
    return (y | y << 8) & 0x00ff00ff00ff00ff;
}

LT_INLINE uint32_t gather(uint64_t x) {
    x &= 0x00ff00ff00ff00ff;
    x = (x | x >> 8) & 0x0000ffff0000ffff;
    return (uint32_t)(x | x >> 16);
}

/* Bit position 8 i + j is byte i of word j: words k and k + 4 hold columns 0, 2 and 1, 3 of block k. */
LT_PIECE void load_block(uint64_t *s, int k, const uint8_t *in) {
    s[k] = spread(lt_load32_le(in)) | spread(lt_load32_le(in + 8)) << 8;
    s[k + 4] = spread(lt_load32_le(in + 4)) | spread(lt_load32_le(in + 12)) << 8;
}

LT_PIECE void store_block(uint8_t *out, const uint64_t *s, int k) {
    lt_store32_le(out, gather(s[k]));
    lt_store32_le(out + 4, gather(s[k + 4]));
    lt_store32_le(out + 8, gather(s[k] >> 8));
    lt_store32_le(out + 12, gather(s[k + 4] >> 8));
}

/* ---- Cipher ------------------------------------------------------------------------------------- */

LT_INLINE void add_round_key(uint64_t *s, const uint64_t *key) {
    for (int i = 0; i < 8; i++) {
        s[i] ^= key[i];
    }
}

/* Row r moves r columns to the left: its lane turns right by 4 r bits. */
LT_INLINE void shift_rows(uint64_t *s) {
    for (int i = 0; i < 8; i++) {
        uint64_t x = s[i];

        s[i] = (x & 0x000000000000ffff) | (x & 0x00000000fff00000) >> 4 | (x & 0x00000000000f0000) << 12 |
               (x & 0x0000ff0000000000) >> 8 | (x & 0x000000ff00000000) << 8 | (x & 0xf000000000000000) >> 12 |
               (x & 0x0fff000000000000) << 4;
    }
}

/* a[r] becomes 2 (a[r] + a[r+1]) + a[r+1] + (a[r+2] + a[r+3]); doubling moves planes up, x^8 = x^4 + x^3 + x + 1. */
LT_INLINE void mix_columns(uint64_t *s) {
    uint64_t pair[8];
    uint64_t rest[8];

    for (int i = 0; i < 8; i++) {
        uint64_t next = lt_rotr64(s[i], 16);

        pair[i] = s[i] ^ next;
        rest[i] = next ^ lt_rotr64(pair[i], 32);
    }
    s[0] = rest[0] ^ pair[7];
    s[1] = rest[1] ^ pair[0] ^ pair[7];
    s[2] = rest[2] ^ pair[1];
    s[3] = rest[3] ^ pair[2] ^ pair[7];
    s[4] = rest[4] ^ pair[3] ^ pair[7];
    s[5] = rest[5] ^ pair[4];
    s[6] = rest[6] ^ pair[5];
    s[7] = rest[7] ^ pair[6];
}

/* see aes.h */
void lt_aes_portable_encrypt4(const lt_aes_planes *planes, uint8_t *out, const uint8_t *in) {
    uint64_t s[8];
    uint32_t round;

    for (int k = 0; k < 4; k++) {
        load_block(s, k, in + 16 * k);
    }
    transpose(s);
    add_round_key(s, planes->planes[0]);
    for (round = 1; round < planes->rounds; round++) {
        sub_bytes(s);
        shift_rows(s);
        mix_columns(s);
        add_round_key(s, planes->planes[round]);
    }
    sub_bytes(s);
    shift_rows(s);
    add_round_key(s, planes->planes[round]);
    transpose(s);
    for (int k = 0; k < 4; k++) {
        store_block(out + 16 * k, s, k);
    }
    lt_wipe(s, sizeof s);
}

/* see aes.h */
void lt_aes_portable_slice(lt_aes_planes *planes, const uint8_t *round_keys, uint32_t rounds) {
    planes->rounds = rounds;
    for (uint32_t round = 0; round <= rounds; round++) {
        uint64_t *s = planes->planes[round];

        for (int k = 0; k < 4; k++) {
            load_block(s, k, round_keys + 16 * round);
        }
        transpose(s);
    }
}

/* ---- Key expansion ------------------------------------------------------------------------------ */

static uint32_t sub_word(uint32_t x) {
    uint64_t s[8] = {x, 0, 0, 0, 0, 0, 0, 0};

    transpose(s);
    sub_bytes(s);
    transpose(s);
    x = (uint32_t)s[0];
    lt_wipe(s, sizeof s);
    return x;
}

/* see aes.h */
uint32_t lt_aes_portable_expand(uint8_t *round_keys, const uint8_t *key, size_t key_len) {
    return lt_aes_expand(round_keys, key, key_len, sub_word);
}
