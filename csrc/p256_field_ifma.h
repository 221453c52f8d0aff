/*
 * Arithmetic modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1 with AVX-512 IFMA: four elements at a time, one in each lane
 * of 64 bits.
 *
 * A value is as in p256_field64.h, a * 2^260 mod p, in l0 + 2^52 l1 + 2^104 l2 + 2^156 l3 + 2^208 l4. The instructions
 * multiply 52 bits by 52 and add either half of the product. Two kinds of values:
 *
 *   tight     limbs < 2^52, value < 2^256 + 2^254: what products take
 *   columns   limbs < 2^56, value < 2^256 + 2^253: what they leave
 *
 * fe4_carry makes columns tight, and fe4_difference does so with differences of small multiples of columns. The
 * functions need LT_CPU_IFMA.
 */
#ifndef LT_P256_FIELD_IFMA_H
#define LT_P256_FIELD_IFMA_H

#include "lanes_ifma.h"
#include "p256_field.h"

typedef struct {
    lanes l0, l1, l2, l3, l4;
} fe4;

/** in: limbs < 2^62; out: result = a + b. */
LT_IFMA LT_INLINE fe4 fe4_add(fe4 a, fe4 b) {
    a.l0 = _mm256_add_epi64(a.l0, b.l0);
    a.l1 = _mm256_add_epi64(a.l1, b.l1);
    a.l2 = _mm256_add_epi64(a.l2, b.l2);
    a.l3 = _mm256_add_epi64(a.l3, b.l3);
    a.l4 = _mm256_add_epi64(a.l4, b.l4);
    return a;
}

/* Lane i times 2^(lane i of bits), which is 0, 1 or 2. */
LT_IFMA LT_INLINE fe4 fe4_shift(fe4 a, lanes bits) {
    a.l0 = _mm256_sllv_epi64(a.l0, bits);
    a.l1 = _mm256_sllv_epi64(a.l1, bits);
    a.l2 = _mm256_sllv_epi64(a.l2, bits);
    a.l3 = _mm256_sllv_epi64(a.l3, bits);
    a.l4 = _mm256_sllv_epi64(a.l4, bits);
    return a;
}

/** in: limbs < 2^57; out: result = 8 a. */
LT_IFMA LT_INLINE fe4 fe4_times8(fe4 a) {
    a.l0 = _mm256_slli_epi64(a.l0, 3);
    a.l1 = _mm256_slli_epi64(a.l1, 3);
    a.l2 = _mm256_slli_epi64(a.l2, 3);
    a.l3 = _mm256_slli_epi64(a.l3, 3);
    a.l4 = _mm256_slli_epi64(a.l4, 3);
    return a;
}

LT_IFMA LT_INLINE fe4 fe4_zero(void) {
    const lanes zero = _mm256_setzero_si256();

    return (fe4){zero, zero, zero, zero, zero};
}

/* The same values with carries taken out of all limbs but the highest. */
LT_IFMA LT_INLINE fe4 carried(fe4 a) {
    const lanes low = lanes_of(FE256_LOW52);

    a.l1 = _mm256_add_epi64(a.l1, _mm256_srli_epi64(a.l0, 52));
    a.l0 = _mm256_and_si256(a.l0, low);
    a.l2 = _mm256_add_epi64(a.l2, _mm256_srli_epi64(a.l1, 52));
    a.l1 = _mm256_and_si256(a.l1, low);
    a.l3 = _mm256_add_epi64(a.l3, _mm256_srli_epi64(a.l2, 52));
    a.l2 = _mm256_and_si256(a.l2, low);
    a.l4 = _mm256_add_epi64(a.l4, _mm256_srli_epi64(a.l3, 52));
    a.l3 = _mm256_and_si256(a.l3, low);
    return a;
}

/** in: columns; out: tight, result = a. */
LT_IFMA LT_INLINE fe4 fe4_carry(fe4 a) {
    return carried(a);
}

/**
 * a - b + 16p, less the multiple of p that its highest limb tells. 16p is written with limbs that neither b nor that
 * multiple exceed. What stands above 2^256 comes back times 2^256 - p = 2^224 - 2^192 - 2^96 + 1.
 * in: a limbs < 2^60, a below 2^260, b limbs < 2^60, b below 2^260 - 2^230; out: tight, result = a - b (mod p).
 */
LT_IFMA LT_INLINE fe4 fe4_difference(fe4 a, fe4 b) {
    lanes above;

#define SUBTRACT(limb, of_16p) a.limb = _mm256_add_epi64(a.limb, _mm256_sub_epi64(lanes_of(of_16p), b.limb))
    SUBTRACT(l0, ((uint64_t)1 << 61) + ((uint64_t)1 << 56) - 16);
    SUBTRACT(l1, ((uint64_t)1 << 61) + ((uint64_t)1 << 48) - 16 - 512);
    SUBTRACT(l2, ((uint64_t)1 << 61) - 512);
    SUBTRACT(l3, ((uint64_t)1 << 61) + ((uint64_t)1 << 40) - 512);
    SUBTRACT(l4, ((uint64_t)1 << 52) - ((uint64_t)1 << 20) - 512);
#undef SUBTRACT
    above = _mm256_srli_epi64(a.l4, 48); /* < 32 */
    a.l0 = _mm256_add_epi64(a.l0, above);
    a.l1 = _mm256_sub_epi64(a.l1, _mm256_slli_epi64(above, 44));
    a.l3 = _mm256_sub_epi64(a.l3, _mm256_slli_epi64(above, 36));
    a.l4 = _mm256_add_epi64(_mm256_and_si256(a.l4, lanes_of(((uint64_t)1 << 48) - 1)), _mm256_slli_epi64(above, 16));
    return carried(a);
}

/* A column's quotient q, its lowest 52 bits, stays in it. What was above them goes to the next column, and so does q
 * 2^96. */
#define CLEAR(next, column)                                                                                            \
    next = _mm256_add_epi64(next, _mm256_srli_epi64(column, 52));                                                      \
    column = _mm256_and_si256(column, low);                                                                            \
    next = LO(next, column, p1)
#define LO _mm256_madd52lo_epu64
#define HI _mm256_madd52hi_epu64

/**
 * Montgomery's multiplication as in p256_field64.h: the lowest 52 bits of columns 0 to 4 are their quotients q, and
 * adding q p = q (2^96 - 1) + 2^36 q 2^156 + (2^48 - 2^16) q 2^208 clears them. Upper halves of products count in the
 * next column. in: a tight, b tight; out: columns, result = a b / 2^260 (mod p).
 */
LT_IFMA LT_INLINE fe4 fe4_mul(fe4 a, fe4 b) {
    const lanes zero = _mm256_setzero_si256(), low = lanes_of(FE256_LOW52), p3 = lanes_of((uint64_t)1 << 36);
    const lanes p4 = lanes_of(((uint64_t)1 << 48) - ((uint64_t)1 << 16)), p1 = lanes_of((uint64_t)1 << 44);
    lanes c0, c1, c2, c3, c4, c5, c6, c7, c8, c9; /* columns, some in parts for more speed */
    lanes d1, d2, d3, d4, d5, d6, d7, d8, e2, e3, e4, f4, f5;

    c0 = LO(zero, a.l0, b.l0);
    c1 = LO(zero, a.l0, b.l1);
    d1 = LO(zero, a.l1, b.l0);
    c1 = HI(c1, a.l0, b.l0);
    c2 = LO(zero, a.l0, b.l2);
    d2 = LO(zero, a.l1, b.l1);
    e2 = LO(zero, a.l2, b.l0);
    c2 = HI(c2, a.l0, b.l1);
    d2 = HI(d2, a.l1, b.l0);
    c3 = LO(zero, a.l0, b.l3);
    d3 = LO(zero, a.l1, b.l2);
    e3 = LO(zero, a.l2, b.l1);
    c3 = LO(c3, a.l3, b.l0);
    d3 = HI(d3, a.l0, b.l2);
    e3 = HI(e3, a.l1, b.l1);
    c3 = HI(c3, a.l2, b.l0);
    c4 = HI(zero, a.l0, b.l3);
    d4 = HI(zero, a.l1, b.l2);
    e4 = HI(zero, a.l2, b.l1);
    c4 = LO(c4, a.l1, b.l3);
    d4 = LO(d4, a.l2, b.l2);
    e4 = HI(e4, a.l3, b.l0);
    c4 = LO(c4, a.l0, b.l4);
    d4 = LO(d4, a.l4, b.l0);
    e4 = LO(e4, a.l3, b.l1);

    d1 = LO(d1, c0, p1); /* c0 < 2^52 */
    c1 = _mm256_add_epi64(c1, d1);
    e2 = HI(e2, c0, p1);
    d3 = LO(d3, c0, p3);
    f4 = LO(zero, c0, p4);
    e4 = HI(e4, c0, p3);
    c2 = _mm256_add_epi64(_mm256_add_epi64(c2, d2), e2);
    CLEAR(c2, c1);
    e3 = HI(e3, c1, p1);
    f4 = LO(f4, c1, p3);
    c3 = _mm256_add_epi64(_mm256_add_epi64(c3, d3), e3);
    CLEAR(c3, c2);
    f4 = HI(f4, c2, p1);
    c4 = _mm256_add_epi64(_mm256_add_epi64(c4, d4), _mm256_add_epi64(e4, f4));
    CLEAR(c4, c3);

    c5 = LO(zero, a.l1, b.l4);
    d5 = LO(zero, a.l2, b.l3);
    c5 = LO(c5, a.l3, b.l2);
    d5 = HI(d5, a.l0, b.l4);
    c5 = HI(c5, a.l2, b.l2);
    d5 = HI(d5, a.l1, b.l3);
    c5 = LO(c5, a.l4, b.l1);
    d5 = HI(d5, a.l3, b.l1);
    c5 = HI(c5, a.l4, b.l0);
    c6 = LO(zero, a.l2, b.l4);
    d6 = LO(zero, a.l3, b.l3);
    c6 = LO(c6, a.l4, b.l2);
    d6 = HI(d6, a.l1, b.l4);
    c6 = HI(c6, a.l2, b.l3);
    d6 = HI(d6, a.l3, b.l2);
    c6 = HI(c6, a.l4, b.l1);
    c7 = LO(zero, a.l3, b.l4);
    d7 = LO(zero, a.l4, b.l3);
    c7 = HI(c7, a.l2, b.l4);
    d7 = HI(d7, a.l3, b.l3);
    c7 = HI(c7, a.l4, b.l2);
    c8 = LO(zero, a.l4, b.l4);
    d8 = HI(zero, a.l3, b.l4);
    c8 = HI(c8, a.l4, b.l3);
    c9 = HI(zero, a.l4, b.l4);

    CLEAR(c5, c4);
    d5 = HI(d5, c0, p4);
    d5 = HI(d5, c1, p3);
    c5 = LO(c5, c1, p4);
    f5 = LO(zero, c2, p3);
    f5 = HI(f5, c3, p1);
    d6 = HI(d6, c1, p4);
    d6 = HI(d6, c2, p3);
    c6 = LO(c6, c2, p4);
    d6 = LO(d6, c3, p3);
    c6 = HI(c6, c4, p1);
    c7 = HI(c7, c2, p4);
    d7 = HI(d7, c3, p3);
    c7 = LO(c7, c3, p4);
    d7 = LO(d7, c4, p3);
    d8 = HI(d8, c3, p4);
    d8 = HI(d8, c4, p3);
    c8 = LO(c8, c4, p4);
    c9 = HI(c9, c4, p4);
    c5 = _mm256_add_epi64(_mm256_add_epi64(c5, d5), f5);
    c6 = _mm256_add_epi64(c6, d6);
    c7 = _mm256_add_epi64(c7, d7);
    c8 = _mm256_add_epi64(c8, d8);
#undef CLEAR
    return (fe4){c5, c6, c7, c8, c9};
}

#undef LO
#undef HI

/** Four elements. in, out: any limbs. */
LT_IFMA LT_INLINE fe4 fe4_from(const fe256 *a, const fe256 *b, const fe256 *c, const fe256 *d) {
    fe4 out;

#define GATHER(i) _mm256_set_epi64x((long long)d->v[i], (long long)c->v[i], (long long)b->v[i], (long long)a->v[i])
    out.l0 = GATHER(0);
    out.l1 = GATHER(1);
    out.l2 = GATHER(2);
    out.l3 = GATHER(3);
    out.l4 = GATHER(4);
#undef GATHER
    return out;
}

/** The elements in all four lanes. in, out: any limbs. */
LT_IFMA LT_INLINE void fe4_to(fe256 out[4], fe4 a) {
    uint64_t limbs[5][4];

    _mm256_storeu_si256((lanes *)(void *)limbs[0], a.l0);
    _mm256_storeu_si256((lanes *)(void *)limbs[1], a.l1);
    _mm256_storeu_si256((lanes *)(void *)limbs[2], a.l2);
    _mm256_storeu_si256((lanes *)(void *)limbs[3], a.l3);
    _mm256_storeu_si256((lanes *)(void *)limbs[4], a.l4);
    for (int i = 0; i < 5; i++) {
        for (int lane = 0; lane < 4; lane++) {
            out[lane].v[i] = limbs[i][lane];
        }
    }
}

#endif
