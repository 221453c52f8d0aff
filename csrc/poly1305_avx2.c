/*
 * Poly1305 with AVX2: four blocks side by side, eight a turn.
 *
 * Numbers modulo p = 2^130 - 5 are v0 + 2^26 v1 + ... + 2^104 v4: VPMULUDQ multiplies the low 32 bits of 64-bit lanes.
 * What lands at 2^130 or above comes down as 2^130 = 5: that is in s1 to s4.
 *
 * With m the vector of four blocks, a turn is h = (h + m) r^8 + m' r^4; at the end lane i takes what is left to it, r^4
 * to r^1, and the lanes are summed.
 *
 * Nothing is wiped here: a named wipe would make memory of what can stay in registers. lt_aead_wipe_stack covers the
 * frame.
 */
#include "chacha20.h"

#if LT_X86_64
#include <immintrin.h>

#define LT_AVX2 LT_TARGET("avx2")

#define BITS26 0x3ffffffU

typedef struct {
    __m256i v0;
    __m256i v1;
    __m256i v2;
    __m256i v3;
    __m256i v4;
} limbs;

/* A factor, with 5 times its upper limbs. */
typedef struct {
    limbs r;
    __m256i s1;
    __m256i s2;
    __m256i s3;
    __m256i s4;
} factor;

LT_AVX2 LT_INLINE __m256i times5(__m256i x) {
    return _mm256_add_epi64(x, _mm256_slli_epi64(x, 2));
}

/*
 * in: limbs < 2^26 + 2^11; out: result.r = x, result.s1 = 5 x.v1, result.s2 = 5 x.v2, result.s3 = 5 x.v3,
 * result.s4 = 5 x.v4.
 */
LT_AVX2 LT_INLINE factor as_factor(limbs x) {
    factor f = {x, times5(x.v1), times5(x.v2), times5(x.v3), times5(x.v4)};

    return f;
}

/*
 * d + h f, without carries: one product below 2^54 + 2^39 more, and up to four below five times that.
 * in: d limbs < 2^63, h limbs < 2^28, f.r limbs < 2^26 + 2^11, f.s1 = 5 f.r.v1, f.s2 = 5 f.r.v2, f.s3 = 5 f.r.v3,
 * f.s4 = 5 f.r.v4; out: result limbs < d limbs + 21 (2^54 + 2^39), result = d + h f.r (mod p).
 */
LT_AVX2 LT_INLINE limbs multiply_add(limbs d, limbs h, factor f) {
#define ADD(sum, i, factor) d.v##sum = _mm256_add_epi64(d.v##sum, _mm256_mul_epu32(h.v##i, factor));
    ADD(0, 1, f.s4)
    ADD(1, 1, f.r.v0)
    ADD(2, 1, f.r.v1)
    ADD(3, 1, f.r.v2)
    ADD(4, 1, f.r.v3)
    ADD(0, 2, f.s3)
    ADD(1, 2, f.s4)
    ADD(2, 2, f.r.v0)
    ADD(3, 2, f.r.v1)
    ADD(4, 2, f.r.v2)
    ADD(0, 3, f.s2)
    ADD(1, 3, f.s3)
    ADD(2, 3, f.s4)
    ADD(3, 3, f.r.v0)
    ADD(4, 3, f.r.v1)
    ADD(0, 4, f.s1)
    ADD(1, 4, f.s2)
    ADD(2, 4, f.s3)
    ADD(3, 4, f.s4)
    ADD(4, 4, f.r.v0)
    ADD(0, 0, f.r.v0)
    ADD(1, 0, f.r.v1)
    ADD(2, 0, f.r.v2)
    ADD(3, 0, f.r.v3)
    ADD(4, 0, f.r.v4)
#undef ADD
    return d;
}

/* Moves all but the low 26 bits of `from` to the next limb. */
#define CARRY(from, to)                                                                                                \
    to = _mm256_add_epi64(to, _mm256_srli_epi64(from, 26));                                                            \
    from = _mm256_and_si256(from, bits26);

/*
 * Ten products as limbs again. Carries are below 2^33.9, five times the last below 2^36.3.
 * in: limbs < 42 (2^54 + 2^39); out: limbs < 2^26 + 2^11, result = d (mod p).
 */
LT_AVX2 LT_INLINE limbs reduce(limbs d) {
    const __m256i bits26 = _mm256_set1_epi64x(BITS26);
    __m256i carry;

    /* Two chains at a time: 0 1 2 3 4 and 3 4 0 1. */
    CARRY(d.v0, d.v1)
    CARRY(d.v3, d.v4)
    CARRY(d.v1, d.v2)
    carry = _mm256_srli_epi64(d.v4, 26);
    d.v4 = _mm256_and_si256(d.v4, bits26);
    d.v0 = _mm256_add_epi64(d.v0, times5(carry));
    CARRY(d.v2, d.v3)
    CARRY(d.v0, d.v1)
    CARRY(d.v3, d.v4)
    return d;
}

LT_AVX2 LT_INLINE limbs nothing(void) {
    const __m256i zero = _mm256_setzero_si256();
    limbs x = {zero, zero, zero, zero, zero};

    return x;
}

/*
 * in: h limbs < 2^28, f.r limbs < 2^26 + 2^11, f.s1 = 5 f.r.v1, f.s2 = 5 f.r.v2, f.s3 = 5 f.r.v3, f.s4 = 5 f.r.v4;
 * out: limbs < 2^26 + 2^11, result = h f.r (mod p).
 */
LT_AVX2 LT_INLINE limbs multiply(limbs h, factor f) {
    return reduce(multiply_add(nothing(), h, f));
}

/*
 * 128 bits and `top` at 2^104 as limbs.
 * in: top <= 2^26, top multiple of 2^24; out: limbs < 2^26 + 2^24, result = low + 2^64 high + 2^104 top.
 */
LT_AVX2 LT_INLINE limbs split(__m256i low, __m256i high, __m256i top) {
    const __m256i bits26 = _mm256_set1_epi64x(BITS26);
    limbs x;

    x.v0 = _mm256_and_si256(low, bits26);
    x.v1 = _mm256_and_si256(_mm256_srli_epi64(low, 26), bits26);
    x.v2 = _mm256_and_si256(_mm256_or_si256(_mm256_srli_epi64(low, 52), _mm256_slli_epi64(high, 12)), bits26);
    x.v3 = _mm256_and_si256(_mm256_srli_epi64(high, 14), bits26);
    x.v4 = _mm256_or_si256(_mm256_srli_epi64(high, 40), top);
    return x;
}

/* Four blocks. Lanes hold blocks 0, 2, 1, 3: no shuffle across lanes is needed. in: any; out: limbs < 2^26. */
LT_AVX2 LT_INLINE limbs blocks4(const uint8_t *in) {
    __m256i first = _mm256_loadu_si256((const __m256i *)(const void *)in);
    __m256i second = _mm256_loadu_si256((const __m256i *)(const void *)(in + 32));

    return split(_mm256_unpacklo_epi64(first, second), _mm256_unpackhi_epi64(first, second),
                 _mm256_set1_epi64x(1 << 24));
}

/* in: limbs < 2^63; out: result = x + y. */
LT_AVX2 LT_INLINE limbs plus(limbs x, limbs y) {
    limbs sum = {_mm256_add_epi64(x.v0, y.v0), _mm256_add_epi64(x.v1, y.v1), _mm256_add_epi64(x.v2, y.v2),
                 _mm256_add_epi64(x.v3, y.v3), _mm256_add_epi64(x.v4, y.v4)};

    return sum;
}

/* Pairs of 32-bit words of x where `mask` has bits, of y elsewhere. */
#define BLEND(mask, x, y)                                                                                              \
    {_mm256_blend_epi32(y.v0, x.v0, mask), _mm256_blend_epi32(y.v1, x.v1, mask), _mm256_blend_epi32(y.v2, x.v2, mask), \
     _mm256_blend_epi32(y.v3, x.v3, mask), _mm256_blend_epi32(y.v4, x.v4, mask)}

LT_AVX2 LT_INLINE uint64_t sum_lanes(__m256i x) {
    __m128i two = _mm_add_epi64(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));

    return (uint64_t)_mm_cvtsi128_si64(_mm_add_epi64(two, _mm_unpackhi_epi64(two, two)));
}

/*
 * Five limbs, as the portable code has them. in: v0 < 2^29, v1 < 2^29, v2 < 2^29, v3 < 2^29, v4 < 2^29;
 * out: poly->h[2] <= 4, poly->h = v0 + 2^26 v1 + 2^52 v2 + 2^78 v3 + 2^104 v4 (mod p).
 */
LT_INLINE void set_limbs(lt_poly1305 *poly, uint64_t v0, uint64_t v1, uint64_t v2, uint64_t v3, uint64_t v4) {
    v1 += v0 >> 26;
    v2 += v1 >> 26;
    v3 += v2 >> 26;
    v4 += v3 >> 26;
    v0 = (v0 & BITS26) + 5 * (v4 >> 26); /* < 2^26 + 2^6 */
    v1 = (v1 & BITS26) + (v0 >> 26);     /* <= 2^26, and so on */
    v2 = (v2 & BITS26) + (v1 >> 26);
    v3 = (v3 & BITS26) + (v2 >> 26);
    v4 = (v4 & BITS26) + (v3 >> 26);
    v0 &= BITS26;
    v1 &= BITS26;
    v2 &= BITS26;
    v3 &= BITS26;
    lt_poly1305_set_h(poly, v0 | v1 << 26 | v2 << 52, v2 >> 12 | v3 << 14 | v4 << 40, v4 >> 24);
}

/* The sum of the lanes. in: h limbs < 2^27; out: poly->h[2] <= 4. */
LT_AVX2 LT_INLINE void set_sum(lt_poly1305 *poly, limbs h) {
    set_limbs(poly, sum_lanes(h.v0), sum_lanes(h.v1), sum_lanes(h.v2), sum_lanes(h.v3), sum_lanes(h.v4));
}

/*
 * All but the last 128 bytes; returns where those begin. Not inlined: compilers then spill more, clang so much that it
 * takes three times as long.
 * in: sum limbs < 2^27, r4 limbs < 2^26 + 2^11, r8 limbs < 2^26 + 2^11; out: sum limbs < 2^27.
 */
LT_AVX2 LT_NOINLINE static const uint8_t *turns(limbs *sum, const limbs *r4, const limbs *r8, const uint8_t *in,
                                                size_t in_len) {
    const factor by4 = as_factor(*r4);
    const factor by8 = as_factor(*r8);
    limbs h = *sum;

    /* invariant: h limbs < 2^27 */
    for (; in_len > 128; in_len -= 128, in += 128) {
        h = reduce(multiply_add(multiply_add(nothing(), blocks4(in + 64), by4), plus(h, blocks4(in)), by8));
    }
    *sum = h;
    return in;
}

/* see chacha20.h. in: poly any, poly->h[2] <= 4; out: poly->h[2] <= 4. */
LT_AVX2 void lt_poly1305_avx2(lt_poly1305 *poly, const uint8_t *in, size_t in_len) {
    const __m256i zero = _mm256_setzero_si256();
    const limbs one = {_mm256_set1_epi64x(1), zero, zero, zero, zero};
    const limbs r = split(_mm256_set1_epi64x((int64_t)lt_poly1305_r(poly, 0)),
                          _mm256_set1_epi64x((int64_t)lt_poly1305_r(poly, 1)), zero);
    const limbs r2 = multiply(r, as_factor(r));
    const limbs r4 = multiply(r2, as_factor(r2));
    const limbs r8 = multiply(r4, as_factor(r4));
    /* Lanes have blocks 0, 2, 1, 3 and need r to the 4, 2, 3, 1. */
    const limbs r2_or_1 = BLEND(0x33, r2, one);
    const limbs r2_or_r = BLEND(0x0f, r2, r);
    const limbs powers = multiply(r2_or_r, as_factor(r2_or_1));
    /* h goes to lane 0, where the first block is. */
    limbs h = split(_mm256_set_epi64x(0, 0, 0, (int64_t)lt_poly1305_h(poly, 0)),
                    _mm256_set_epi64x(0, 0, 0, (int64_t)lt_poly1305_h(poly, 1)),
                    _mm256_set_epi64x(0, 0, 0, (int64_t)(lt_poly1305_h(poly, 2) << 24)));

    in = turns(&h, &r4, &r8, in, in_len);
    h = multiply(plus(h, blocks4(in)), as_factor(r4));
    set_sum(poly, multiply(plus(h, blocks4(in + 64)), as_factor(powers)));
}
#endif
