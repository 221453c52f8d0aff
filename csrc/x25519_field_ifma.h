/*
 * Arithmetic modulo p = 2^255 - 19 with AVX-512 IFMA: four elements at a time, one in each lane of 64 bits.
 *
 * A value is as in x25519_field64.h: l0 + 2^51 l1 + 2^102 l2 + 2^153 l3 + 2^204 l4. The instructions multiply
 * 52 bits by 52 and add either half of the product, so limbs go into products below 2^52. Products come out as columns,
 * limbs below 2^61; sums and differences of these go into the next ones after one fe4_carry. The functions need
 * LT_CPU_IFMA.
 */
#ifndef LT_X25519_FIELD_IFMA_H
#define LT_X25519_FIELD_IFMA_H

#include "lanes_ifma.h"
#include "x25519_field.h"

typedef struct {
    lanes l0, l1, l2, l3, l4;
} fe4;

/** in: c < 2^63, d < 2^56, above < 2^58; out: result = c + 2 d + 19 above. */
LT_IFMA LT_INLINE lanes wrapped(lanes c, lanes d, lanes above) {
    d = _mm256_add_epi64(d, above);
    c = _mm256_add_epi64(_mm256_add_epi64(c, above), _mm256_slli_epi64(above, 4));
    return _mm256_add_epi64(_mm256_add_epi64(c, d), d);
}

/**
 * The same values with carries taken, all at once: below 2^13, and 19 times that out of l4.
 * in: any; out: limbs < 2^51 + 2^18, result = a (mod p).
 */
LT_IFMA LT_INLINE fe4 fe4_carry(fe4 a) {
    const lanes low = lanes_of(FE25519_LOW51);
    fe4 out;

    out.l0 = _mm256_madd52lo_epu64(_mm256_and_si256(a.l0, low), _mm256_srli_epi64(a.l4, 51), lanes_of(19));
    out.l1 = _mm256_add_epi64(_mm256_and_si256(a.l1, low), _mm256_srli_epi64(a.l0, 51));
    out.l2 = _mm256_add_epi64(_mm256_and_si256(a.l2, low), _mm256_srli_epi64(a.l1, 51));
    out.l3 = _mm256_add_epi64(_mm256_and_si256(a.l3, low), _mm256_srli_epi64(a.l2, 51));
    out.l4 = _mm256_add_epi64(_mm256_and_si256(a.l4, low), _mm256_srli_epi64(a.l3, 51));
    return out;
}

/** in: limbs < 2^63; out: result = a + b. */
LT_IFMA LT_INLINE fe4 fe4_add(fe4 a, fe4 b) {
    fe4 out;

    out.l0 = _mm256_add_epi64(a.l0, b.l0);
    out.l1 = _mm256_add_epi64(a.l1, b.l1);
    out.l2 = _mm256_add_epi64(a.l2, b.l2);
    out.l3 = _mm256_add_epi64(a.l3, b.l3);
    out.l4 = _mm256_add_epi64(a.l4, b.l4);
    return out;
}

/** 2^n p in every lane, to subtract from: no limb is below 2^(n + 51) - 19 2^n. n <= 12. */
LT_IFMA LT_INLINE fe4 fe4_multiple_of_p(int n) {
    const lanes others = lanes_of(FE25519_LOW51 << n);

    return (fe4){lanes_of((FE25519_LOW51 - 18) << n), others, others, others, others};
}

#define LO _mm256_madd52lo_epu64
#define HI _mm256_madd52hi_epu64

/**
 * a * b + c. Lower halves of limb products stand in their column, upper halves, worth 2^52, count twice in the next
 * one. Columns 5 to 9 wrap around as 19 times columns 0 to 4. A column takes at most 77 lower and 190 upper halves that
 * way. Limbs 0 are used last: a carry has them last.
 * in: a limbs < 2^52, b limbs < 2^52, c limbs < 2^62; out: result limbs < c limbs + 267 2^52, result = a b + c (mod p).
 */
LT_IFMA LT_INLINE fe4 fe4_columns(fe4 a, fe4 b, fe4 c) {
    const lanes zero = _mm256_setzero_si256();
    lanes c0, c1, c2, c3, c4, c5, c6, c7, c8; /* lower halves */
    lanes d1, d2, d3, d4, d5, d6, d7, d8, d9; /* upper halves */
    fe4 out;

    d5 = HI(zero, a.l1, b.l3);
    c4 = LO(c.l4, a.l1, b.l3);
    d6 = HI(zero, a.l1, b.l4);
    c5 = LO(zero, a.l1, b.l4);
    d4 = HI(zero, a.l1, b.l2);
    c3 = LO(c.l3, a.l1, b.l2);
    d7 = HI(zero, a.l2, b.l4);
    c6 = LO(zero, a.l2, b.l4);
    d5 = HI(d5, a.l2, b.l2);
    c4 = LO(c4, a.l2, b.l2);
    d6 = HI(d6, a.l2, b.l3);
    c5 = LO(c5, a.l2, b.l3);
    d3 = HI(zero, a.l1, b.l1);
    d4 = HI(d4, a.l2, b.l1);
    c2 = LO(c.l2, a.l1, b.l1);
    c3 = LO(c3, a.l2, b.l1);
    d5 = HI(d5, a.l3, b.l1);
    c4 = LO(c4, a.l3, b.l1);
    d6 = HI(d6, a.l3, b.l2);
    d7 = HI(d7, a.l3, b.l3);
    d8 = HI(zero, a.l3, b.l4);
    c5 = LO(c5, a.l3, b.l2);
    c6 = LO(c6, a.l3, b.l3);
    c7 = LO(zero, a.l3, b.l4);
    d5 = HI(d5, a.l0, b.l4);
    d2 = HI(zero, a.l0, b.l1);
    d3 = HI(d3, a.l0, b.l2);
    d4 = HI(d4, a.l0, b.l3);
    c1 = LO(c.l1, a.l0, b.l1);
    c2 = LO(c2, a.l0, b.l2);
    c3 = LO(c3, a.l0, b.l3);
    c4 = LO(c4, a.l0, b.l4);
    d5 = HI(d5, a.l4, b.l0);
    d6 = HI(d6, a.l4, b.l1);
    d7 = HI(d7, a.l4, b.l2);
    d8 = HI(d8, a.l4, b.l3);
    c5 = LO(c5, a.l4, b.l1);
    c6 = LO(c6, a.l4, b.l2);
    c7 = LO(c7, a.l4, b.l3);
    c8 = LO(zero, a.l4, b.l4);
    d9 = HI(zero, a.l4, b.l4);
    d1 = HI(zero, a.l0, b.l0);
    d2 = HI(d2, a.l1, b.l0);
    d3 = HI(d3, a.l2, b.l0);
    d4 = HI(d4, a.l3, b.l0);
    c0 = LO(c.l0, a.l0, b.l0);
    c1 = LO(c1, a.l1, b.l0);
    c2 = LO(c2, a.l2, b.l0);
    c3 = LO(c3, a.l3, b.l0);
    c4 = LO(c4, a.l4, b.l0);

    c5 = _mm256_add_epi64(_mm256_add_epi64(c5, d5), d5);
    c6 = _mm256_add_epi64(_mm256_add_epi64(c6, d6), d6);
    c7 = _mm256_add_epi64(_mm256_add_epi64(c7, d7), d7);
    c8 = _mm256_add_epi64(_mm256_add_epi64(c8, d8), d8);
    out.l0 = wrapped(c0, zero, c5);
    out.l1 = wrapped(c1, d1, c6);
    out.l2 = wrapped(c2, d2, c7);
    out.l3 = wrapped(c3, d3, c8);
    out.l4 = wrapped(c4, d4, _mm256_add_epi64(d9, d9));
    return out;
}

#undef LO
#undef HI

/** in: a limbs < 2^52, b limbs < 2^52; out: limbs < 267 2^52, result = a b (mod p). */
LT_IFMA LT_INLINE fe4 fe4_mul(fe4 a, fe4 b) {
    const lanes zero = _mm256_setzero_si256();
    const fe4 nothing = {zero, zero, zero, zero, zero};

    return fe4_columns(a, b, nothing);
}

/** Four elements. in, out: any limbs. */
LT_IFMA LT_INLINE fe4 fe4_from(const fe25519 *a, const fe25519 *b, const fe25519 *c, const fe25519 *d) {
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
LT_IFMA LT_INLINE void fe4_to(fe25519 out[4], fe4 a) {
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
    lt_wipe(limbs, sizeof limbs);
}

#endif
