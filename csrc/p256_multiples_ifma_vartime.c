/*
 * Sums of multiples of G and of a point whose multiples are in a table as well, with AVX-512 IFMA: most of a fresh
 * point's additions and doublings wait for the one before; with tables, four that are independent stand in the lanes.
 *
 * An odd scalar k below 2^256 is the sum of (2 b - 1) 2^t for t < 256, b being its bit t + 1, or 1 for t = 255; for an
 * even one it is n - k, and all is negated. Four such terms make an odd digit d_j of magnitude 1 to 15, so that k is
 * the sum of d_j 2^(4 j) for j < 64. Block i of a table, i < 32, holds 1, 3, ..., 15 times 2^(8 i) P: the digits with
 * odd j are added up, then come 4 doublings, then the digits with even j. Lane l has the blocks 8 l to 8 l + 7, whose
 * digits lie in one word of the scalar.
 *
 * Points stand as X, Y, D = Z^2 and T = Z^3, x = X/D, y = Y/T. The formulas take neither infinity nor equal or opposite
 * points. If an addition meets such, its D is 0, and so is every D after it, since each is a product with the one
 * before: one look at the end is enough.
 */
#include "p256_ifma_vartime.h"

#if LT_P256_IFMA
#include "p256_field_ifma.h"
#include "p256_multiples_table_vartime.h"
#include "vartime.h"

#define P256_R_BITS 260
#include "p256_curve_vartime.h"

#define MULTIPLES 8 /* in a block */
#define PER_LANE  8 /* blocks */
#define ENTRY     8 /* words */

/* Four points. */
typedef struct {
    fe4 x, y, d, t;
} points;

/* ---- Points, lane by lane -------------------------------------------------------------------------- */

/**
 * p = 2 p. G = Y^2, B = X G, M = 3 (X - D)(X + D); X' = M^2 - 8 B, Y' = M (4 B - X') - 8 G^2, D' = 4 G D,
 * T' = 8 Y G T. in: tight; out: tight.
 */
LT_IFMA LT_NOINLINE static void double_each(points *p) {
    fe4 g = fe4_carry(fe4_mul(p->y, p->y)), a, b, m;

    a = fe4_mul(fe4_difference(p->x, p->d), fe4_difference(fe4_add(p->x, p->d), fe4_zero()));
    b = fe4_mul(p->x, g);
    m = fe4_difference(fe4_add(a, fe4_add(a, a)), fe4_zero());
    b = fe4_add(b, b);
    b = fe4_add(b, b); /* 4 B */
    p->x = fe4_difference(fe4_mul(m, m), fe4_add(b, b));
    p->t = fe4_mul(fe4_carry(fe4_mul(p->y, g)), p->t);
    p->t = fe4_difference(fe4_times8(p->t), fe4_zero());
    p->d = fe4_mul(g, p->d);
    p->d = fe4_add(p->d, p->d);
    p->d = fe4_difference(fe4_add(p->d, p->d), fe4_zero());
    p->y = fe4_difference(fe4_mul(m, fe4_difference(b, p->x)), fe4_times8(fe4_mul(g, g)));
}

/**
 * The end of both additions: V = U H^2, X' = R^2 - H^3 - 2 V, Y' = R (V - X') - S H^3, D' = D H^2, T' = T H^3.
 * in: p tight, u tight, s tight, h tight, r tight; out: tight.
 */
LT_IFMA LT_INLINE void add_tail(points *p, fe4 u, fe4 s, fe4 h, fe4 r) {
    const fe4 hh = fe4_carry(fe4_mul(h, h)), hhh = fe4_carry(fe4_mul(hh, h)), v = fe4_mul(u, hh);

    p->x = fe4_difference(fe4_mul(r, r), fe4_add(hhh, fe4_add(v, v)));
    p->d = fe4_carry(fe4_mul(p->d, hh));
    p->t = fe4_carry(fe4_mul(p->t, hhh));
    p->y = fe4_difference(fe4_mul(r, fe4_difference(v, p->x)), fe4_mul(s, hhh));
}

/** p = p + q. U = X D_q, S = Y T_q, H = X_q D - U, R = Y_q T - S. in: p tight, q tight; out: tight. */
LT_IFMA LT_NOINLINE static void add_each(points *p, const points *q) {
    const fe4 u = fe4_carry(fe4_mul(p->x, q->d)), s = fe4_carry(fe4_mul(p->y, q->t));
    const fe4 h = fe4_difference(fe4_mul(q->x, p->d), u), r = fe4_difference(fe4_mul(q->y, p->t), s);

    p->d = fe4_carry(fe4_mul(p->d, q->d));
    p->t = fe4_carry(fe4_mul(p->t, q->t));
    add_tail(p, u, s, h, r);
}

/** p = p + (x, y), or - (x, y) in the lanes of `negative`. in: p tight, x tight, y tight; out: tight. */
LT_IFMA LT_NOINLINE static void add_affine(points *p, const fe4 *x, const fe4 *y, __mmask8 negative) {
    const fe4 h = fe4_difference(fe4_mul(*x, p->d), p->x), s = fe4_mul(*y, p->t);
    const fe4 r = fe4_difference(FE4_ONLY(s, (__mmask8)(negative ^ 15)), fe4_add(p->y, FE4_ONLY(s, negative)));

    add_tail(p, p->x, p->y, h, r);
}

/* ---- Sums ------------------------------------------------------------------------------------------ */

/* Multiple number `which` of a block, x and then y; `block` is the lane's own number of it. */
static const uint64_t *entry_of(const uint64_t *multiples, int lane, int block, unsigned which) {
    return multiples + ((size_t)(PER_LANE * lane + block) * MULTIPLES + which) * ENTRY;
}

/* The entries that a scalar's digits stand for, in the order of their use, and the lanes that have them negative. */
typedef struct {
    const uint64_t *entries[2 * PER_LANE][4];
    unsigned char negative[2 * PER_LANE];
} terms;

/* They are fetched from here on: between handshakes, caches have been used for other things. */
static void find_terms(terms *out, const uint64_t k[4], const uint64_t *multiples) {
    uint64_t odd[5] = {k[0], k[1], k[2], k[3], 1};
    const int even = (k[0] & 1) == 0;

    if (even) {
        (void)lt_limbs_subtract_vartime(odd, order, k, 4);
    }
    for (int i = 0; i < 2 * PER_LANE; i++) {
        const int block = i % PER_LANE, shift = 8 * block + (i < PER_LANE ? 4 : 0);
        unsigned negative = even ? 15 : 0;

        for (int lane = 0; lane < 4; lane++) {
            const uint64_t digits = odd[lane] >> 1 | odd[lane + 1] << 63;
            const unsigned digit = (unsigned)(digits >> shift) & 15; /* (d_j + 15) / 2 */
            const unsigned below = digit < 8;
            const uint64_t *entry = entry_of(multiples, lane, block, below ? 7 - digit : digit - 8);

            __builtin_prefetch(entry);
            out->entries[i][lane] = entry;
            negative ^= below << lane;
        }
        out->negative[i] = (unsigned char)negative;
    }
}

/* The element of these words in every lane. */
LT_IFMA static fe4 all_of(const uint64_t words[4]) {
    fe256 a;

    fe256_from_words(&a, words);
    return fe4_from(&a, &a, &a, &a);
}

/* Four elements of four words each, as fe256_from_words takes them. */
LT_IFMA LT_INLINE fe4 gather(const uint64_t *a, const uint64_t *b, const uint64_t *c, const uint64_t *d) {
    const lanes low = lanes_of(FE256_LOW52);
    const lanes wa = _mm256_loadu_si256((const lanes *)(const void *)a);
    const lanes wb = _mm256_loadu_si256((const lanes *)(const void *)b);
    const lanes wc = _mm256_loadu_si256((const lanes *)(const void *)c);
    const lanes wd = _mm256_loadu_si256((const lanes *)(const void *)d);
    const lanes ab0 = _mm256_unpacklo_epi64(wa, wb), ab1 = _mm256_unpackhi_epi64(wa, wb);
    const lanes cd0 = _mm256_unpacklo_epi64(wc, wd), cd1 = _mm256_unpackhi_epi64(wc, wd);
    const lanes w0 = _mm256_permute2x128_si256(ab0, cd0, 0x20), w2 = _mm256_permute2x128_si256(ab0, cd0, 0x31);
    const lanes w1 = _mm256_permute2x128_si256(ab1, cd1, 0x20), w3 = _mm256_permute2x128_si256(ab1, cd1, 0x31);
    fe4 out;

    out.l0 = _mm256_and_si256(w0, low);
    out.l1 = _mm256_and_si256(_mm256_or_si256(_mm256_srli_epi64(w0, 52), _mm256_slli_epi64(w1, 12)), low);
    out.l2 = _mm256_and_si256(_mm256_or_si256(_mm256_srli_epi64(w1, 40), _mm256_slli_epi64(w2, 24)), low);
    out.l3 = _mm256_and_si256(_mm256_or_si256(_mm256_srli_epi64(w2, 28), _mm256_slli_epi64(w3, 36)), low);
    out.l4 = _mm256_srli_epi64(w3, 16);
    return out;
}

/* p = p + the terms number i, or these alone if i is 0. */
LT_IFMA static void add_terms(points *p, const terms *t, int i) {
    const uint64_t *const *e = t->entries[i];
    const __mmask8 negative = t->negative[i];
    const fe4 x = gather(e[0], e[1], e[2], e[3]), y = gather(e[0] + 4, e[1] + 4, e[2] + 4, e[3] + 4);

    if (i == 0) {
        p->x = x;
        p->y = FE4_BLEND(y, fe4_difference(fe4_zero(), y), negative);
        p->d = p->t = all_of(fe256_one);
    } else {
        add_affine(p, &x, &y, negative);
    }
}

/* p = p + p with its lanes in another order. */
#define ADD_LANES(p, order)                                                                                            \
    add_each((p), &(const points){FE4_PERMUTE((p)->x, (order)), FE4_PERMUTE((p)->y, (order)),                          \
                                  FE4_PERMUTE((p)->d, (order)), FE4_PERMUTE((p)->t, (order))})

/* see p256_ifma_vartime.h */
LT_IFMA void lt_p256_sum_of_multiples_ifma_vartime(fe256 *x, fe256 *zz, const uint64_t u1[4], const uint64_t u2[4],
                                                   const uint64_t *multiples) {
    fe256 lane[4];
    points g, q;
    terms of_g, of_q;

    find_terms(&of_g, u1, p256_multiples_of_g[0]);
    find_terms(&of_q, u2, multiples);
    for (int i = 0; i < 2 * PER_LANE; i++) {
        for (int times = i == PER_LANE ? 4 : 0; times > 0; times--) {
            double_each(&g);
            double_each(&q);
        }
        add_terms(&g, &of_g, i);
        add_terms(&q, &of_q, i);
    }
    add_each(&g, &q);
    ADD_LANES(&g, FE4_LANES(2, 3, 0, 1));
    ADD_LANES(&g, FE4_LANES(1, 0, 3, 2));
    fe4_to(lane, g.x);
    *x = lane[0];
    fe4_to(lane, g.d);
    *zz = lane[0];
}

/* ---- Tables ------------------------------------------------------------------------------------------ */

/* out = 1/a, not 0, in Montgomery form like a. */
static void invert(fe256 *out, const fe256 *a) {
    lt_modulus modulus;
    uint64_t w[4];
    fe256 rr;

    lt_modulus_set_vartime(&modulus, field_p, 4);
    fe256_to_words(w, a);
    lt_modulus_invert_vartime(w, w, &modulus);
    fe256_from_words(&rr, fe256_rr);
    fe256_from_words(out, w); /* 1/(a R^2), had it been in Montgomery form */
    fe256_mul(out, out, &rr);
    fe256_mul(out, out, &rr);
}

/* 1/a in each lane, with one inversion (Montgomery). a and the result are tight. */
LT_IFMA static fe4 invert_each(fe4 a) {
    fe256 each[4], product[4], inverse, out[4];

    fe4_to(each, a);
    product[0] = each[0];
    for (int i = 1; i < 4; i++) {
        fe256_mul(&product[i], &product[i - 1], &each[i]);
    }
    invert(&inverse, &product[3]);
    for (int i = 3; i > 0; i--) {
        fe256_mul(&out[i], &inverse, &product[i - 1]);
        fe256_mul(&inverse, &inverse, &each[i]);
    }
    out[0] = inverse;
    return fe4_difference(fe4_from(&out[0], &out[1], &out[2], &out[3]), fe4_zero());
}

/* Write a coordinate of the entries of all lanes. */
LT_IFMA static void put(uint64_t *multiples, int block, int which, int at, fe4 a) {
    fe256 lane[4];

    fe4_to(lane, a);
    for (int i = 0; i < 4; i++) {
        fe256_to_words(multiples + ((PER_LANE * i + block) * MULTIPLES + which) * ENTRY + at, &lane[i]);
    }
}

/* One block of each lane, of which `base` has the points: with one inversion for all of it. */
LT_IFMA static void make_block(uint64_t *multiples, int block, const points *base) {
    points made[MULTIPLES], twice = *base;
    fe4 products[MULTIPLES], inverse;

    double_each(&twice);
    made[0] = *base;
    products[0] = base->t;
    for (int i = 1; i < MULTIPLES; i++) {
        made[i] = made[i - 1];
        add_each(&made[i], &twice);
        products[i] = fe4_carry(fe4_mul(products[i - 1], made[i].t));
    }
    inverse = invert_each(products[MULTIPLES - 1]);
    for (int i = MULTIPLES; i-- > 0;) {
        fe4 t = inverse, z; /* 1/Z^3, 1/Z */

        if (i > 0) {
            t = fe4_carry(fe4_mul(inverse, products[i - 1]));
            inverse = fe4_carry(fe4_mul(inverse, made[i].t));
        }
        z = fe4_carry(fe4_mul(made[i].d, t));
        put(multiples, block, i, 0, fe4_carry(fe4_mul(made[i].x, fe4_carry(fe4_mul(z, z)))));
        put(multiples, block, i, 4, fe4_carry(fe4_mul(made[i].y, t)));
    }
}

/* see p256_ifma_vartime.h */
LT_IFMA void lt_p256_multiples_ifma_vartime(uint64_t *multiples, const fe256 *x, const fe256 *y) {
    points base;

    base.x = fe4_from(x, x, x, x);
    base.y = fe4_from(y, y, y, y);
    base.d = base.t = all_of(fe256_one);
    for (int lane = 1; lane < 4; lane++) { /* 2^64 times the point of the lane below */
        const __mmask8 from_here = (__mmask8)(15 << lane & 15);
        points higher = base;

        for (int i = 0; i < 8 * PER_LANE; i++) {
            double_each(&higher);
        }
        base.x = FE4_BLEND(base.x, higher.x, from_here);
        base.y = FE4_BLEND(base.y, higher.y, from_here);
        base.d = FE4_BLEND(base.d, higher.d, from_here);
        base.t = FE4_BLEND(base.t, higher.t, from_here);
    }
    for (int block = 0; block < PER_LANE; block++) {
        make_block(multiples, block, &base);
        for (int i = 0; i < 8; i++) {
            double_each(&base);
        }
    }
}
#endif
