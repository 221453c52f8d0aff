/*
 * Sums of multiples of two points of P-256 with AVX-512 IFMA, for signature verification: products of a doubling or of
 * an addition that do not need each other stand in the four lanes.
 *
 * Points are Jacobian, x = X/Z^2, y = Y/Z^3, with D = Z^2 and, where it is needed, T = Z^3. The formulas take neither
 * infinity nor equal or opposite points. If an addition meets such, its Z is 0, and so is every Z after it, since each
 * is a product with the one before: one look at the end is enough.
 */
#include "p256_ifma_vartime.h"

#if LT_P256_IFMA
#include "p256_field_ifma.h"

#define P256_R_BITS 260
#include "p256_curve_vartime.h"

#define Q_MULTIPLES 8

/* A point, and what is added to one. */
typedef struct {
    fe4 yxzd; /* lanes Y X Z D */
    fe4 t;    /* T in lanes 2 and 3 */
} point4;

LT_IFMA LT_INLINE lanes shifts(uint64_t s0, uint64_t s1, uint64_t s2, uint64_t s3) {
    return _mm256_set_epi64x((long long)s3, (long long)s2, (long long)s1, (long long)s0);
}

/* Lane `lane` of a in all lanes. */
#define EVERYWHERE(a, lane) FE4_PERMUTE(a, FE4_LANES(lane, lane, lane, lane))

/** T = Z D. in: p->yxzd tight; out: p->t tight. */
LT_IFMA LT_INLINE void set_t(point4 *p) {
    p->t = fe4_carry(fe4_mul(EVERYWHERE(p->yxzd, 2), EVERYWHERE(p->yxzd, 3)));
}

/**
 * What a doubling takes beside Y: lanes 4 X, X - D, 2 Z, 3 (X + D). X is x - y in lanes 0, 1 and 3, 2 Z is x in lane 2,
 * D is d in lanes 1 and 3.
 * in: x limbs < 2^56, x.l4 < 2^48 + 2^46, y limbs < 2^57, y.l4 < 2^49 + 2^46, d limbs < 2^56, d.l4 < 2^48 + 2^46;
 * out: tight.
 */
LT_IFMA LT_INLINE fe4 prepare(fe4 x, fe4 y, fe4 d) {
    const lanes by = shifts(2, 0, 1, 1);
    fe4 plus = fe4_add(x, FE4_ONLY(d, 8)), minus = FE4_ONLY(y, 11);

    plus = fe4_add(fe4_shift(plus, by), FE4_ONLY(plus, 8));
    minus = fe4_add(fe4_shift(minus, by), FE4_ONLY(minus, 8));
    return fe4_difference(plus, fe4_add(minus, FE4_ONLY(d, 2)));
}

/**
 * p = 2^times p, times > 0. Each time G = Y^2, A = 3 (X - D)(X + D), B = 4 X G; then Z' = 2 Y Z, X' = A^2 - 2 B,
 * Y' = 3 A B - A^3 - 8 G^2. in: p->yxzd tight; out: p->yxzd tight, p->t tight.
 */
LT_IFMA LT_NOINLINE static void double_times(point4 *p, int times) {
    fe4 y = EVERYWHERE(p->yxzd, 0), gagz = p->yxzd, bagd = p->yxzd, plus, minus, first, second, third, half;
    fe4 next = prepare(FE4_PERMUTE(p->yxzd, FE4_LANES(1, 1, 2, 1)), fe4_zero(), EVERYWHERE(p->yxzd, 3));

    /* invariant: y tight, gagz tight, bagd tight, next tight */
    for (; times > 0; times--) {
        half = FE4_PERMUTE(next, FE4_LANES(3, 3, 3, 2));
        first = fe4_mul(FE4_BLEND(y, next, 2), FE4_BLEND(y, half, 10));
        gagz = fe4_carry(first); /* G A G Z' */
        second = fe4_mul(FE4_BLEND(gagz, next, 1), gagz);
        bagd = fe4_carry(second); /* B A^2 G^2 D' */
        next = FE4_BLEND(EVERYWHERE(second, 1), EVERYWHERE(first, 3), 4);
        minus = EVERYWHERE(second, 0);
        next = prepare(next, fe4_add(minus, minus), EVERYWHERE(second, 3));
        third = fe4_mul(EVERYWHERE(gagz, 1), bagd); /* AB A^3 . . */
        plus = EVERYWHERE(third, 0);
        plus = fe4_add(plus, fe4_add(plus, plus));
        minus = fe4_add(EVERYWHERE(third, 1), fe4_times8(EVERYWHERE(second, 2)));
        y = fe4_difference(plus, minus);
    }
    plus = fe4_add(FE4_ONLY(next, 2), FE4_ONLY(EVERYWHERE(bagd, 3), 10)); /* . X . D */
    plus = fe4_difference(FE4_BLEND(plus, EVERYWHERE(gagz, 3), 4), fe4_zero());
    p->yxzd = FE4_BLEND(plus, y, 1);
    set_t(p);
}

/**
 * p = p + q, without T. U = X D_q, S = Y T_q, H = X_q D - U, R = Y_q T - S, V = U H^2; then Z' = Z Z_q H,
 * X' = R^2 - H^3 - 2 V, W = V - X', Y' = R W - S H^3. in: p->yxzd tight, p->t tight, q tight; out: p->yxzd tight.
 */
LT_IFMA LT_NOINLINE static void add_to(point4 *p, const point4 *q) {
    fe4 first, second, third, fourth, left, right, plus, minus, rhsu, squares, wxz;

    left = FE4_BLEND(q->yxzd, FE4_PERMUTE(p->yxzd, FE4_LANES(0, 1, 0, 1)), 12);
    right = FE4_BLEND(FE4_PERMUTE(p->t, FE4_LANES(3, 3, 3, 3)), EVERYWHERE(p->yxzd, 3), 2);
    right = FE4_BLEND(FE4_BLEND(right, q->t, 4), q->yxzd, 8);
    first = fe4_mul(left, right); /* of Y_q X_q Y X and T D T_q D_q */
    rhsu = fe4_difference(first, FE4_ONLY(FE4_PERMUTE(first, FE4_LANES(2, 3, 2, 3)), 3)); /* R H S U */

    left = FE4_BLEND(FE4_PERMUTE(rhsu, FE4_LANES(0, 1, 1, 1)), p->yxzd, 4);  /* R H Z H */
    right = FE4_BLEND(FE4_PERMUTE(rhsu, FE4_LANES(0, 1, 2, 2)), q->yxzd, 4); /* R H Z_q S */
    second = fe4_mul(left, right);
    squares = fe4_carry(second); /* R^2 H^2 ZZ_q SH */

    left = FE4_BLEND(FE4_BLEND(rhsu, EVERYWHERE(squares, 3), 1), squares, 4); /* SH H ZZ_q U */
    right = FE4_BLEND(EVERYWHERE(squares, 1), EVERYWHERE(rhsu, 1), 4);        /* H^2 H^2 H H^2 */
    third = fe4_mul(left, right);                                             /* SH^3 H^3 Z' V */
    left = EVERYWHERE(third, 3);
    right = EVERYWHERE(second, 0);
    minus = FE4_PERMUTE(third, FE4_LANES(1, 1, 2, 2));
    minus = fe4_add(minus, FE4_ONLY(fe4_add(left, left), 3)); /* H^3 + 2V in lanes 0 and 1, Z' */
    plus = FE4_BLEND(fe4_add(minus, FE4_ONLY(left, 1)), right, 2);
    minus = FE4_ONLY(FE4_BLEND(right, minus, 2), 3);
    wxz = fe4_difference(plus, minus); /* W X' Z' . */

    fourth = fe4_mul(FE4_BLEND(wxz, rhsu, 1), wxz); /* RW . D' . */
    minus = FE4_ONLY(EVERYWHERE(third, 0), 1);
    p->yxzd = FE4_BLEND(wxz, fe4_difference(FE4_PERMUTE(fourth, FE4_LANES(0, 0, 0, 2)), minus), 9);
}

/* 1, 3, 5, ... times a point. */
LT_IFMA static void make_multiples(point4 multiples[Q_MULTIPLES], const fe256 *x, const fe256 *y, const fe256 *one) {
    point4 twice;

    multiples[0].yxzd = fe4_from(y, x, one, one);
    multiples[0].t = fe4_from(one, one, one, one);
    twice = multiples[0];
    double_times(&twice, 1);
    for (int i = 1; i < Q_MULTIPLES; i++) {
        multiples[i] = multiples[i - 1];
        add_to(&multiples[i], &twice);
        set_t(&multiples[i]);
    }
}

/* p = 2^doublings p + q, or q if p is infinity, which `doublings` below 0 says. */
LT_IFMA static void go_on(point4 *p, int doublings, const point4 *q) {
    if (doublings < 0) {
        *p = *q;
        return;
    }
    if (doublings > 0) {
        double_times(p, doublings);
    } else {
        set_t(p);
    }
    add_to(p, q);
}

/* see p256_ifma_vartime.h */
LT_IFMA void lt_p256_sum_ifma_vartime(fe256 *x, fe256 *z, const int8_t *digits1, const int8_t *digits2, int used,
                                      const fe256 *qx, const fe256 *qy) {
    point4 multiples[Q_MULTIPLES], p;
    fe256 one, coordinates[4];
    int doublings = -1; /* since the last addition */

    fe256_from_words(&one, fe256_one);
    make_multiples(multiples, qx, qy, &one);
    p = multiples[0];
    for (int i = used; i-- > 0;) {
        doublings += doublings >= 0;
        for (int which = 0; which < 2; which++) {
            const int digit = which == 0 ? digits1[i] : digits2[i], entry = (digit < 0 ? -digit : digit) / 2;
            point4 q;

            if (digit == 0) {
                continue;
            }
            q = multiples[which == 0 ? 0 : entry];
            if (which == 0) { /* of G, with Z = 1 as well */
                fe256 gx, gy;

                fe256_from_words(&gx, p256_odd_multiples[entry]);
                fe256_from_words(&gy, p256_odd_multiples[entry] + WORDS);
                q.yxzd = fe4_from(&gy, &gx, &one, &one);
            }
            if (digit < 0) {
                q.yxzd = FE4_BLEND(q.yxzd, fe4_difference(fe4_zero(), q.yxzd), 1);
            }
            go_on(&p, doublings, &q);
            doublings = 0;
        }
    }
    if (doublings > 0) {
        double_times(&p, doublings);
    }
    fe4_to(coordinates, p.yxzd);
    *x = coordinates[1];
    *z = coordinates[2];
}
#endif
