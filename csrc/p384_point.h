/*
 * Points of P-384 in Jacobian coordinates: x = X/Z^2, y = Y/Z^3. Infinity is not among them, and has no form: no
 * doubling leads there, as no point has order 2, and the multiplications in p384_multiply.h prove of each addition that
 * its points are neither equal nor opposite. What includes this names the field's operations fe_add, fe_sub, fe_mul and
 * fe_square; all take and give numbers below p.
 */
#ifndef LT_P384_POINT_H
#define LT_P384_POINT_H

#include "p384_field.h"

typedef struct {
    fe384 x, y, z;
} p384_point;

/* A point with Z = 1. */
typedef struct {
    fe384 x, y;
} p384_affine;

/* What point operations compute with, kept by the caller, who wipes it. */
typedef struct {
    fe384 a, b, c, d, e, f;
    p384_point twice;
} p384_scratch;

/** `mask` all ones: out = a; 0: unchanged. */
static inline void p384_set_if(uint64_t mask, p384_point *out, const p384_point *a) {
    fe384_set_if(mask, &out->x, &a->x);
    fe384_set_if(mask, &out->y, &a->y);
    fe384_set_if(mask, &out->z, &a->z);
}

/** `mask` all ones: y = -y; 0: unchanged. */
static inline void p384_negate_if(uint64_t mask, fe384 *y, p384_scratch *s) {
    static const uint64_t zero[6] = {0};

    fe384_from_words(&s->a, zero);
    fe_sub(&s->a, &s->a, y);
    fe384_set_if(mask, y, &s->a);
}

/** a = 2a. M = 3 (X - Z^2)(X + Z^2), S = 4 X Y^2, X' = M^2 - 2S, Y' = M (S - X') - 8 Y^4, Z' = 2 Y Z. */
LT_NOINLINE static void p384_double(p384_point *a, p384_scratch *s) {
    fe_square(&s->a, &a->z);
    fe_add(&s->b, &a->x, &s->a);
    fe_sub(&s->a, &a->x, &s->a);
    fe_mul(&s->a, &s->a, &s->b);
    fe_add(&s->b, &s->a, &s->a);
    fe_add(&s->a, &s->a, &s->b); /* M */
    fe_add(&s->b, &a->y, &a->y);
    fe_mul(&a->z, &s->b, &a->z);
    fe_square(&s->b, &s->b);
    fe_mul(&s->c, &a->x, &s->b); /* S */
    fe_square(&s->b, &a->y);
    fe_add(&s->b, &s->b, &s->b);
    fe_square(&s->b, &s->b); /* 4 Y^4 */
    fe_square(&a->x, &s->a);
    fe_sub(&a->x, &a->x, &s->c);
    fe_sub(&a->x, &a->x, &s->c);
    fe_sub(&s->c, &s->c, &a->x);
    fe_mul(&a->y, &s->a, &s->c);
    fe_sub(&a->y, &a->y, &s->b);
    fe_sub(&a->y, &a->y, &s->b);
}

/**
 * The common end of both additions. In: s->a = U = X1 Z2^2, s->b = S = Y1 Z2^3, s->c = H = X2 Z1^2 - U,
 * s->d = R = Y2 Z1^3 - S. X = R^2 - H^3 - 2 U H^2, Y = R (U H^2 - X) - S H^3; a->z is not touched.
 */
LT_NOINLINE static void p384_add_tail(p384_point *a, p384_scratch *s) {
    fe_square(&s->e, &s->c);
    fe_mul(&s->f, &s->e, &s->c); /* H^3 */
    fe_mul(&s->a, &s->a, &s->e); /* U H^2 */
    fe_square(&a->x, &s->d);
    fe_sub(&a->x, &a->x, &s->f);
    fe_sub(&a->x, &a->x, &s->a);
    fe_sub(&a->x, &a->x, &s->a);
    fe_sub(&s->a, &s->a, &a->x);
    fe_mul(&a->y, &s->a, &s->d);
    fe_mul(&s->b, &s->b, &s->f);
    fe_sub(&a->y, &a->y, &s->b);
}

/** a = a + b, unless a = b or a = -b: then Z becomes 0. */
LT_NOINLINE static void p384_add(p384_point *a, const p384_point *b, p384_scratch *s) {
    fe_square(&s->e, &b->z);
    fe_mul(&s->a, &a->x, &s->e); /* U */
    fe_mul(&s->e, &s->e, &b->z);
    fe_mul(&s->b, &a->y, &s->e); /* S */
    fe_square(&s->e, &a->z);
    fe_mul(&s->c, &b->x, &s->e);
    fe_sub(&s->c, &s->c, &s->a); /* H */
    fe_mul(&s->e, &s->e, &a->z);
    fe_mul(&s->d, &b->y, &s->e);
    fe_sub(&s->d, &s->d, &s->b); /* R */
    fe_mul(&a->z, &a->z, &b->z);
    fe_mul(&a->z, &a->z, &s->c);
    p384_add_tail(a, s);
}

/** The same with Z2 = 1. */
LT_NOINLINE static void p384_add_affine(p384_point *a, const p384_affine *b, p384_scratch *s) {
    s->a = a->x; /* U */
    s->b = a->y; /* S */
    fe_square(&s->e, &a->z);
    fe_mul(&s->c, &b->x, &s->e);
    fe_sub(&s->c, &s->c, &s->a); /* H */
    fe_mul(&s->e, &s->e, &a->z);
    fe_mul(&s->d, &b->y, &s->e);
    fe_sub(&s->d, &s->d, &s->b); /* R */
    fe_mul(&a->z, &a->z, &s->c);
    p384_add_tail(a, s);
}

/** out = a^(2^n), n > 0. */
static inline void p384_square_times(fe384 *out, const fe384 *a, int n) {
    fe_square(out, a);
    for (int i = 1; i < n; i++) {
        fe_square(out, out);
    }
}

/**
 * a^(p - 2) = 1/a. From the top, p - 2 is 255 ones, a zero, 32 ones, 64 zeros, 30 ones, a zero and a one. x<n> is
 * a^(2^n - 1).
 */
LT_NOINLINE static void p384_invert(fe384 *out, const fe384 *a) {
    fe384 x2, x15, x30, t, u;

    fe_square(&t, a);
    fe_mul(&x2, &t, a);
    fe_square(&t, &x2);
    fe_mul(&x15, &t, a); /* x3 */
    p384_square_times(&t, &x15, 3);
    fe_mul(&t, &t, &x15); /* x6 */
    p384_square_times(&u, &t, 6);
    fe_mul(&t, &u, &t); /* x12 */
    p384_square_times(&t, &t, 3);
    fe_mul(&x15, &t, &x15);
    p384_square_times(&t, &x15, 15);
    fe_mul(&x30, &t, &x15);
    p384_square_times(&t, &x30, 30);
    fe_mul(&t, &t, &x30); /* x60 */
    p384_square_times(&u, &t, 60);
    fe_mul(&t, &u, &t); /* x120 */
    p384_square_times(&u, &t, 120);
    fe_mul(&t, &u, &t); /* x240 */
    p384_square_times(&t, &t, 15);
    fe_mul(&t, &t, &x15); /* x255 */

    p384_square_times(&t, &t, 1 + 30);
    fe_mul(&t, &t, &x30);
    p384_square_times(&t, &t, 2);
    fe_mul(&t, &t, &x2);
    p384_square_times(&t, &t, 64 + 30);
    fe_mul(&t, &t, &x30);
    p384_square_times(&t, &t, 2);
    fe_mul(out, &t, a);

    lt_wipe(&x2, sizeof x2);
    lt_wipe(&x15, sizeof x15);
    lt_wipe(&x30, sizeof x30);
    lt_wipe(&t, sizeof t);
    lt_wipe(&u, sizeof u);
}

#endif
