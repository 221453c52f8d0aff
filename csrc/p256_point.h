/*
 * Points of P-256 in Jacobian coordinates: x = X/Z^2, y = Y/Z^3. No point has order 2, so doubling has no exception;
 * addition has equal and opposite points, and the multiplications in p256.c prove that they never meet one. Whether a
 * point is infinity says a mask. Coordinates are tight (see p256_field64.h), for which the last operation on each is a
 * product or a fold; bounds in comments are of values between. The including file has included p256_field.h.
 */
#ifndef LT_P256_POINT_H
#define LT_P256_POINT_H

#include "p256_bytes.h"

typedef struct {
    fe256 x, y, z;
    uint64_t infinite; /* all ones: infinity, whatever x, y and z are */
} p256_point;

/* What additions compute with, kept by the caller, who wipes it. */
typedef struct {
    fe256 a, b, c, d, e, f;
    p256_point sum;
} p256_scratch;

/** `mask` all ones: out = a; 0: unchanged. in: out tight, a tight, mask is a mask; out: out tight. */
static inline void p256_set_if(uint64_t mask, p256_point *out, const p256_point *a) {
    fe256_set_if(mask, &out->x, &a->x);
    fe256_set_if(mask, &out->y, &a->y);
    fe256_set_if(mask, &out->z, &a->z);
    out->infinite = lt_ct_select(mask, a->infinite, out->infinite);
}

/**
 * a = 2a, infinity included. M = 3 (X - Z^2)(X + Z^2), S = 4 X Y^2, X' = M^2 - 2S, Y' = M (S - X') - 8 Y^4.
 * in: a tight; out: a tight.
 */
static inline void p256_double(p256_point *a, p256_scratch *s) {
    fe256_square(&s->a, &a->z);
    fe256_add(&s->b, &a->x, &s->a); /* < 4p */
    fe256_sub(&s->a, &a->x, &s->a); /* < 4p */
    fe256_mul(&s->a, &s->a, &s->b);
    fe256_add(&s->b, &s->a, &s->a);
    fe256_add(&s->a, &s->a, &s->b); /* < 6p */
    fe256_fold(&s->a, &s->a);       /* M < 2^256 + 2^228 */
    fe256_square(&s->b, &a->y);
    fe256_add(&s->b, &s->b, &s->b); /* 2 Y^2 < 4p */
    fe256_add(&s->c, &a->y, &a->y); /* < 4p */
    fe256_mul(&a->z, &s->c, &a->z);
    fe256_mul(&s->c, &a->x, &s->b); /* S / 2 */
    fe256_square(&s->b, &s->b);     /* 4 Y^4 */
    fe256_square(&s->d, &s->a);
    fe256_sub(&s->d, &s->d, &s->c);
    fe256_sub(&s->d, &s->d, &s->c);
    fe256_sub(&s->d, &s->d, &s->c);
    fe256_sub(&s->d, &s->d, &s->c); /* < 10p */
    fe256_fold(&a->x, &s->d);
    fe256_add(&s->c, &s->c, &s->c);
    fe256_sub(&s->c, &s->c, &a->x); /* < 6p */
    fe256_mul(&s->a, &s->a, &s->c); /* 6p (2^256 + 2^228) < 16p^2 */
    fe256_sub(&s->a, &s->a, &s->b);
    fe256_sub(&s->a, &s->a, &s->b); /* < 6p */
    fe256_fold(&a->y, &s->a);
}

/**
 * The common end of both additions: s->a = U = X1 Z2^2, s->b = S = Y1 Z2^3, s->c = H = X2 Z1^2 - U,
 * s->d = R = Y2 Z1^3 - S. X = R^2 - H^3 - 2 U H^2, Y = R (U H^2 - X) - S H^3; sum.z is not touched. in: s->a tight,
 * s->b tight, s->c loose, s->c below 4p, s->d loose, s->d below 4p; out: s->sum.x tight, s->sum.y tight.
 */
static inline void p256_add_tail(p256_scratch *s) {
    fe256_square(&s->e, &s->c);
    fe256_mul(&s->f, &s->e, &s->c); /* H^3 */
    fe256_mul(&s->a, &s->a, &s->e); /* U H^2 */
    fe256_square(&s->e, &s->d);
    fe256_sub(&s->e, &s->e, &s->f);
    fe256_sub(&s->e, &s->e, &s->a);
    fe256_sub(&s->e, &s->e, &s->a); /* < 8p */
    fe256_fold(&s->sum.x, &s->e);
    fe256_sub(&s->a, &s->a, &s->sum.x); /* < 4p */
    fe256_mul(&s->a, &s->a, &s->d);
    fe256_mul(&s->b, &s->b, &s->f);
    fe256_sub(&s->a, &s->a, &s->b); /* < 4p */
    fe256_fold(&s->sum.y, &s->a);
    s->sum.infinite = 0;
}

/**
 * a = a + b, unless a = b or a = -b and neither is infinity.
 * in: a tight, b tight, a->infinite is a mask, b->infinite is a mask; out: a tight.
 */
static inline void p256_add(p256_point *a, const p256_point *b, p256_scratch *s) {
    uint64_t a_infinite = a->infinite;

    fe256_square(&s->e, &b->z);
    fe256_mul(&s->a, &a->x, &s->e); /* U */
    fe256_mul(&s->e, &s->e, &b->z);
    fe256_mul(&s->b, &a->y, &s->e); /* S */
    fe256_square(&s->e, &a->z);
    fe256_mul(&s->c, &b->x, &s->e);
    fe256_sub(&s->c, &s->c, &s->a); /* H < 4p */
    fe256_mul(&s->e, &s->e, &a->z);
    fe256_mul(&s->d, &b->y, &s->e);
    fe256_sub(&s->d, &s->d, &s->b); /* R < 4p */
    fe256_mul(&s->sum.z, &a->z, &b->z);
    fe256_mul(&s->sum.z, &s->sum.z, &s->c);
    p256_add_tail(s);
    p256_set_if(~b->infinite, a, &s->sum);
    p256_set_if(a_infinite, a, b);
}

/**
 * a = a + b, unless a = b or a = -b; `b_infinite` all ones: a stays, whatever b is.
 * in: a tight, b tight, a->infinite is a mask, b_infinite is a mask; out: a tight.
 */
static inline void p256_add_affine(p256_point *a, const p256_affine *b, uint64_t b_infinite, p256_scratch *s) {
    fe256 one;

    s->a = a->x; /* U */
    s->b = a->y; /* S */
    fe256_square(&s->e, &a->z);
    fe256_mul(&s->c, &b->x, &s->e);
    fe256_sub(&s->c, &s->c, &s->a); /* H < 4p */
    fe256_mul(&s->e, &s->e, &a->z);
    fe256_mul(&s->d, &b->y, &s->e);
    fe256_sub(&s->d, &s->d, &s->b); /* R < 4p */
    fe256_mul(&s->sum.z, &a->z, &s->c);
    p256_add_tail(s);

    fe256_from_words(&one, fe256_one);
    fe256_set_if(a->infinite, &s->sum.x, &b->x);
    fe256_set_if(a->infinite, &s->sum.y, &b->y);
    fe256_set_if(a->infinite, &s->sum.z, &one);
    p256_set_if(~b_infinite, a, &s->sum);
}

#endif
