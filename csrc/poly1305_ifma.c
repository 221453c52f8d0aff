/*
 * Poly1305 with AVX-512 IFMA: eight blocks side by side, sixteen a turn.
 *
 * Numbers modulo p = 2^130 - 5 are v0 + 2^44 v1 + 2^88 v2, limbs of 44, 44 and 42 bits. VPMADD52 multiplies the low 52
 * bits of its inputs and adds the low or the high 52 bits of the product. The high half of a product at 2^(44 k) stands
 * for 2^(44 k + 52), which is 2^8 at the next limb. What lands at 2^132 or above comes down as 2^132 = 4 * 2^130 = 20:
 * that is in s1 and s2.
 *
 * With m the vector of eight blocks, a turn is h = (h + m) r^16 + m' r^8; at the end lane i takes what is left to it,
 * r^8 to r^1, and the lanes are summed.
 *
 * Nothing is wiped here: a named wipe would make memory of what can stay in registers. lt_aead_wipe_stack covers the
 * frame.
 */
#include "chacha20.h"

#if LT_X86_64
#include <immintrin.h>

#define LT_IFMA LT_TARGET("avx512f,avx512bw,avx512dq,avx512vl,avx512ifma")

#define BITS44 0xfffffffffffU
#define BITS42 0x3ffffffffffU

typedef struct {
    __m512i v0;
    __m512i v1;
    __m512i v2;
} limbs;

/* A factor, with 20 times its upper limbs. */
typedef struct {
    limbs r;
    __m512i s1;
    __m512i s2;
} factor;

/* Sums of halves of products, before carries: `low` at 2^(44 k), `high` at 2^(44 k + 52). */
typedef struct {
    limbs low;
    limbs high;
} sums;

LT_IFMA LT_INLINE __m512i times20(__m512i x) {
    return _mm512_slli_epi64(_mm512_add_epi64(x, _mm512_slli_epi64(x, 2)), 2);
}

/* in: limbs < 2^44 + 2^12; out: result.r = x, result.s1 = 20 x.v1, result.s2 = 20 x.v2. */
LT_IFMA LT_INLINE factor as_factor(limbs x) {
    factor f = {x, times20(x.v1), times20(x.v2)};

    return f;
}

#define MADD(sum, x, y)                                                                                                \
    d.low.v##sum = _mm512_madd52lo_epu64(d.low.v##sum, x, y);                                                          \
    d.high.v##sum = _mm512_madd52hi_epu64(d.high.v##sum, x, y);

/*
 * d + h f: three halves of products more.
 * in: d.low limbs < 2^63, d.high limbs < 2^63, h limbs < 2^47, f.r limbs < 2^44 + 2^12, f.s1 = 20 f.r.v1,
 * f.s2 = 20 f.r.v2; out: result.low limbs < d.low limbs + 3 2^52, result.high limbs < d.high limbs + 3 2^44,
 * result.low + 2^52 result.high = d.low + 2^52 d.high + h f.r (mod p).
 */
LT_IFMA LT_INLINE sums multiply_add(sums d, limbs h, factor f) {
    MADD(0, h.v1, f.s2)
    MADD(1, h.v1, f.r.v0)
    MADD(2, h.v1, f.r.v1)
    MADD(0, h.v2, f.s1)
    MADD(1, h.v2, f.s2)
    MADD(2, h.v2, f.r.v0)
    MADD(0, h.v0, f.r.v0)
    MADD(1, h.v0, f.r.v1)
    MADD(2, h.v0, f.r.v2)
    return d;
}

LT_IFMA LT_INLINE sums no_sums(void) {
    const __m512i zero = _mm512_setzero_si512();
    sums d = {{zero, zero, zero}, {zero, zero, zero}};

    return d;
}

/*
 * Sums of up to six halves as limbs again.
 * in: d.low limbs < 6 2^52, d.high limbs < 6 2^44, d.high.v2 < 6 2^40;
 * out: limbs < 2^44 + 2^12, result.v2 < 2^42, result = d.low + 2^52 d.high (mod p).
 */
LT_IFMA LT_INLINE limbs reduce(sums d) {
    const __m512i bits44 = _mm512_set1_epi64(BITS44);
    const __m512i bits42 = _mm512_set1_epi64(BITS42);
    limbs h;
    __m512i carry; /* < 2^55 */

    carry = _mm512_add_epi64(_mm512_srli_epi64(d.low.v0, 44), _mm512_slli_epi64(d.high.v0, 8));
    h.v0 = _mm512_and_si512(d.low.v0, bits44);
    h.v1 = _mm512_add_epi64(d.low.v1, carry);
    carry = _mm512_add_epi64(_mm512_srli_epi64(h.v1, 44), _mm512_slli_epi64(d.high.v1, 8));
    h.v1 = _mm512_and_si512(h.v1, bits44);
    h.v2 = _mm512_add_epi64(d.low.v2, carry);
    carry = _mm512_add_epi64(_mm512_srli_epi64(h.v2, 42), _mm512_slli_epi64(d.high.v2, 10));
    h.v2 = _mm512_and_si512(h.v2, bits42);
    h.v0 = _mm512_add_epi64(h.v0, _mm512_add_epi64(carry, _mm512_slli_epi64(carry, 2))); /* 2^130 is 5 */
    h.v1 = _mm512_add_epi64(h.v1, _mm512_srli_epi64(h.v0, 44));
    h.v0 = _mm512_and_si512(h.v0, bits44);
    return h;
}

/*
 * in: h limbs < 2^47, f.r limbs < 2^44 + 2^12, f.s1 = 20 f.r.v1, f.s2 = 20 f.r.v2;
 * out: limbs < 2^44 + 2^12, result.v2 < 2^42, result = h f.r (mod p).
 */
LT_IFMA LT_INLINE limbs multiply(limbs h, factor f) {
    return reduce(multiply_add(no_sums(), h, f));
}

/*
 * 128 bits and `top` at 2^88 as limbs.
 * in: top <= 2^42, top multiple of 2^40; out: limbs < 2^44, result = low + 2^64 high + 2^88 top.
 */
LT_IFMA LT_INLINE limbs split(__m512i low, __m512i high, __m512i top) {
    const __m512i bits44 = _mm512_set1_epi64(BITS44);
    limbs x;

    x.v0 = _mm512_and_si512(low, bits44);
    x.v1 = _mm512_and_si512(_mm512_or_si512(_mm512_srli_epi64(low, 44), _mm512_slli_epi64(high, 20)), bits44);
    x.v2 = _mm512_or_si512(_mm512_srli_epi64(high, 24), top);
    return x;
}

/* Eight blocks. Lanes hold blocks 0, 4, 1, 5, 2, 6, 3, 7: no shuffle across lanes is needed. in: any; out: limbs <
 * 2^44. */
LT_IFMA LT_INLINE limbs blocks8(const uint8_t *in) {
    __m512i first = _mm512_loadu_si512(in);
    __m512i second = _mm512_loadu_si512(in + 64);

    return split(_mm512_unpacklo_epi64(first, second), _mm512_unpackhi_epi64(first, second),
                 _mm512_set1_epi64((int64_t)1 << 40));
}

/* in: limbs < 2^63; out: result = x + y. */
LT_IFMA LT_INLINE limbs plus(limbs x, limbs y) {
    limbs sum = {_mm512_add_epi64(x.v0, y.v0), _mm512_add_epi64(x.v1, y.v1), _mm512_add_epi64(x.v2, y.v2)};

    return sum;
}

/* Lanes of x where the mask has a bit, of y elsewhere. */
LT_IFMA LT_INLINE limbs blend(__mmask8 mask, limbs x, limbs y) {
    limbs z = {_mm512_mask_blend_epi64(mask, y.v0, x.v0), _mm512_mask_blend_epi64(mask, y.v1, x.v1),
               _mm512_mask_blend_epi64(mask, y.v2, x.v2)};

    return z;
}

/*
 * Three limbs, as the portable code has them.
 * in: v0 < 2^48, v1 < 2^48, v2 < 2^48; out: poly->h[2] <= 4, poly->h = v0 + 2^44 v1 + 2^88 v2 (mod p).
 */
LT_INLINE void set_limbs(lt_poly1305 *poly, uint64_t v0, uint64_t v1, uint64_t v2) {
    v1 += v0 >> 44;
    v2 += v1 >> 44;
    v0 = (v0 & BITS44) + 5 * (v2 >> 42); /* < 2^44 + 2^9 */
    v1 = (v1 & BITS44) + (v0 >> 44);
    v2 = (v2 & BITS42) + (v1 >> 44); /* <= 2^42 */
    v0 &= BITS44;
    v1 &= BITS44;
    lt_poly1305_set_h(poly, v0 | v1 << 44, v1 >> 20 | v2 << 24, v2 >> 40);
}

/* The sum of the lanes. in: h limbs < 2^45; out: poly->h[2] <= 4. */
LT_IFMA LT_INLINE void sum_lanes(lt_poly1305 *poly, limbs h) {
    set_limbs(poly, (uint64_t)_mm512_reduce_add_epi64(h.v0), (uint64_t)_mm512_reduce_add_epi64(h.v1),
              (uint64_t)_mm512_reduce_add_epi64(h.v2));
}

/* see chacha20.h. in: poly any, poly->h[2] <= 4; out: poly->h[2] <= 4. */
LT_IFMA void lt_poly1305_ifma(lt_poly1305 *poly, const uint8_t *in, size_t in_len) {
    const __m512i zero = _mm512_setzero_si512();
    const limbs one = {_mm512_set1_epi64(1), zero, zero};
    const limbs r = split(_mm512_set1_epi64((int64_t)lt_poly1305_r(poly, 0)),
                          _mm512_set1_epi64((int64_t)lt_poly1305_r(poly, 1)), zero);
    const limbs r2 = multiply(r, as_factor(r));
    const limbs r4 = multiply(r2, as_factor(r2));
    const factor by8 = as_factor(multiply(r4, as_factor(r4)));
    limbs powers;
    /* h goes to lane 0, where the first block is. */
    limbs h = split(_mm512_maskz_set1_epi64(1, (int64_t)lt_poly1305_h(poly, 0)),
                    _mm512_maskz_set1_epi64(1, (int64_t)lt_poly1305_h(poly, 1)),
                    _mm512_maskz_set1_epi64(1, (int64_t)(lt_poly1305_h(poly, 2) << 40)));

    if (in_len >= 384) {
        const factor by16 = as_factor(multiply(by8.r, by8));

        /* invariant: h limbs < 2^44 + 2^12 */
        for (; in_len >= 384; in_len -= 256, in += 256) {
            h = reduce(multiply_add(multiply_add(no_sums(), blocks8(in + 128), by8), plus(h, blocks8(in)), by16));
        }
    }
    if (in_len >= 256) {
        h = multiply(plus(h, blocks8(in)), by8);
        in += 128;
    }
    /* Lanes have blocks 0, 4, 1, 5, 2, 6, 3, 7, need r to the 8, 4, 7, 3, 6, 2, 5, 1: bits of one less in the masks. */
    powers = multiply(blend(0x33, r2, r), as_factor(blend(0x0f, r2, one)));
    powers = multiply(powers, as_factor(blend(0x55, r4, one)));
    sum_lanes(poly, multiply(plus(h, blocks8(in)), as_factor(powers)));
}
#endif
