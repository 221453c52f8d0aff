/*
 * ChaCha20 with NEON: four blocks side by side. During the rounds register i holds word i of each of the four, so that
 * a quarter round works as in the scalar code. Before and after, a register holds a row of four words of one block:
 * in this form the state is kept, and added to what the rounds and a transposition made of it.
 *
 * Nothing is wiped here: it all stays in registers, and lt_aead_wipe_stack covers the frame where it does not.
 */
#include "chacha20.h"

#if LT_ARM64
#include <arm_neon.h>

/* Rotation by 16 swaps halves; others shift left and insert what leaves at the top. */
#define ROTATE16(x)   vreinterpretq_u32_u16(vrev32q_u16(vreinterpretq_u16_u32(x)))
#define ROTATE(x, by) vsriq_n_u32(vshlq_n_u32(x, by), x, 32 - (by))

#define QUARTER_ROUND(a, b, c, d)                                                                                      \
    x[a] = vaddq_u32(x[a], x[b]);                                                                                      \
    x[d] = ROTATE16(veorq_u32(x[d], x[a]));                                                                            \
    x[c] = vaddq_u32(x[c], x[d]);                                                                                      \
    x[b] = veorq_u32(x[b], x[c]);                                                                                      \
    x[b] = ROTATE(x[b], 12);                                                                                           \
    x[a] = vaddq_u32(x[a], x[b]);                                                                                      \
    x[d] = veorq_u32(x[d], x[a]);                                                                                      \
    x[d] = ROTATE(x[d], 8);                                                                                            \
    x[c] = vaddq_u32(x[c], x[d]);                                                                                      \
    x[b] = veorq_u32(x[b], x[c]);                                                                                      \
    x[b] = ROTATE(x[b], 7);

LT_INLINE void xor16(uint8_t *out, const uint8_t *in, uint64x2_t words, uint32x4_t row) {
    uint32x4_t stream = vaddq_u32(vreinterpretq_u32_u64(words), row);

    vst1q_u8(out, veorq_u8(vld1q_u8(in), vreinterpretq_u8_u32(stream)));
}

/*
 * Words x[0..3] of four blocks: 16 bytes go to each of the four places 64 bytes apart. `row` is that part of the first
 * block's state, from one block to the next it grows by `step`.
 */
LT_INLINE void xor_quarter(uint8_t *out, const uint8_t *in, const uint32x4_t *x, uint32x4_t row, uint32x4_t step) {
    uint64x2_t even01 = vreinterpretq_u64_u32(vtrn1q_u32(x[0], x[1]));
    uint64x2_t even23 = vreinterpretq_u64_u32(vtrn1q_u32(x[2], x[3]));
    uint64x2_t odd01 = vreinterpretq_u64_u32(vtrn2q_u32(x[0], x[1]));
    uint64x2_t odd23 = vreinterpretq_u64_u32(vtrn2q_u32(x[2], x[3]));

    xor16(out, in, vtrn1q_u64(even01, even23), row);
    row = vaddq_u32(row, step);
    xor16(out + 64, in + 64, vtrn1q_u64(odd01, odd23), row);
    row = vaddq_u32(row, step);
    xor16(out + 128, in + 128, vtrn2q_u64(even01, even23), row);
    row = vaddq_u32(row, step);
    xor16(out + 192, in + 192, vtrn2q_u64(odd01, odd23), row);
}

#define SPREAD(i, row)                                                                                                 \
    x[i] = vdupq_laneq_u32(row, 0);                                                                                    \
    x[(i) + 1] = vdupq_laneq_u32(row, 1);                                                                              \
    x[(i) + 2] = vdupq_laneq_u32(row, 2);                                                                              \
    x[(i) + 3] = vdupq_laneq_u32(row, 3);

/* see chacha20.h */
void lt_chacha20_neon_xor(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *key, const uint8_t *nonce,
                          uint32_t counter) {
    static const uint32_t constants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}; /* "expand 32-byte k" */
    static const uint32_t ascending[4] = {0, 1, 2, 3};
    const uint32x4_t none = vdupq_n_u32(0);
    const uint32x4_t one = vsetq_lane_u32(1, none, 0);
    const uint32x4_t four = vsetq_lane_u32(4, none, 0);
    const uint32x4_t row0 = vld1q_u32(constants);
    const uint32x4_t row1 = vreinterpretq_u32_u8(vld1q_u8(key));
    const uint32x4_t row2 = vreinterpretq_u32_u8(vld1q_u8(key + 16));
    uint32x4_t row3 = vdupq_n_u32(counter);
    uint32x4_t x[16];

    row3 = vsetq_lane_u32(lt_load32_le(nonce), row3, 1);
    row3 = vsetq_lane_u32(lt_load32_le(nonce + 4), row3, 2);
    row3 = vsetq_lane_u32(lt_load32_le(nonce + 8), row3, 3);
    for (; len > 0; len -= LT_CHACHA20_NEON_CHUNK, in += LT_CHACHA20_NEON_CHUNK, out += LT_CHACHA20_NEON_CHUNK) {
        SPREAD(0, row0)
        SPREAD(4, row1)
        SPREAD(8, row2)
        SPREAD(12, row3)
        x[12] = vaddq_u32(x[12], vld1q_u32(ascending));
        for (int i = 0; i < 10; i++) {
            QUARTER_ROUND(0, 4, 8, 12)
            QUARTER_ROUND(1, 5, 9, 13)
            QUARTER_ROUND(2, 6, 10, 14)
            QUARTER_ROUND(3, 7, 11, 15)
            QUARTER_ROUND(0, 5, 10, 15)
            QUARTER_ROUND(1, 6, 11, 12)
            QUARTER_ROUND(2, 7, 8, 13)
            QUARTER_ROUND(3, 4, 9, 14)
        }
        xor_quarter(out, in, x, row0, none);
        xor_quarter(out + 16, in + 16, x + 4, row1, none);
        xor_quarter(out + 32, in + 32, x + 8, row2, none);
        xor_quarter(out + 48, in + 48, x + 12, row3, one);
        row3 = vaddq_u32(row3, four);
    }
}
#endif
