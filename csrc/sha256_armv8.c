/* SHA-256 with the instructions of ARMv8: the state in two registers, four rounds at a time. */
#include "armv8.h"

#if LT_ARM64
typedef struct {
    uint32x4_t abcd;
    uint32x4_t efgh;
} words;

LT_ARM_SHA2 LT_INLINE words four_rounds(words s, uint32x4_t w, size_t t) {
    const uint32x4_t wk = vaddq_u32(w, vld1q_u32(lt_sha256_constants + t));
    words next;

    next.abcd = lt_sha256h(s.abcd, s.efgh, wk);
    next.efgh = lt_sha256h2(s.efgh, s.abcd, wk);
    return next;
}

/* w[t..t+4) of the message schedule from a = w[t-16..t-12), b, c and d = w[t-4..t). */
LT_ARM_SHA2 LT_INLINE uint32x4_t schedule(uint32x4_t a, uint32x4_t b, uint32x4_t c, uint32x4_t d) {
    return lt_sha256su1(lt_sha256su0(a, b), c, d);
}

LT_ARM_SHA2 LT_INLINE uint32x4_t load_be(const uint8_t *p) {
    return vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(p)));
}

LT_ARM_SHA2 LT_INLINE words compress(words s, const uint8_t *block) {
    uint32x4_t w0 = load_be(block);
    uint32x4_t w1 = load_be(block + 16);
    uint32x4_t w2 = load_be(block + 32);
    uint32x4_t w3 = load_be(block + 48);

    for (size_t t = 0; t < 48; t += 16) {
        s = four_rounds(s, w0, t);
        w0 = schedule(w0, w1, w2, w3);
        s = four_rounds(s, w1, t + 4);
        w1 = schedule(w1, w2, w3, w0);
        s = four_rounds(s, w2, t + 8);
        w2 = schedule(w2, w3, w0, w1);
        s = four_rounds(s, w3, t + 12);
        w3 = schedule(w3, w0, w1, w2);
    }
    s = four_rounds(s, w0, 48);
    s = four_rounds(s, w1, 52);
    s = four_rounds(s, w2, 56);
    return four_rounds(s, w3, 60);
}

/* see inner.h */
LT_ARM_SHA2 void lt_sha256_blocks_armv8(uint32_t state[8], const uint8_t *in, size_t blocks) {
    words s;

    s.abcd = vld1q_u32(state);
    s.efgh = vld1q_u32(state + 4);
    for (; blocks > 0; blocks--, in += 64) {
        const words before = s;

        s = compress(s, in);
        s.abcd = vaddq_u32(s.abcd, before.abcd);
        s.efgh = vaddq_u32(s.efgh, before.efgh);
    }
    vst1q_u32(state, s.abcd);
    vst1q_u32(state + 4, s.efgh);
}
#endif
