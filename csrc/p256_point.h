/*
 * Points of P-256 in Jacobian coordinates: x = X/Z^2, y = Y/Z^3, infinity is Z = 0. The order of the curve is prime, so
 * doubling has no exception; addition has one, two equal points, and the multiplications in p256.c prove that they
 * never meet it. Infinity is handled by masks. Inputs and outputs are field values below p throughout.
 */
#ifndef LT_P256_POINT_H
#define LT_P256_POINT_H

#include "p256_field.h"

typedef struct {
    fe256 x, y, z;
} p256_point;

/* A point that is not infinity, with Z = 1. */
typedef struct {
    fe256 x, y;
} p256_affine;

/* What additions compute with, kept by the caller, who wipes it. */
typedef struct {
    fe256 a, b, c, d, e, f;
    p256_point sum;
} p256_scratch;

/* 2^256 mod p: one, in Montgomery form. */
static const uint64_t p256_one[4] = {UINT64_C(0x0000000000000001), UINT64_C(0xffffffff00000000),
                                     UINT64_C(0xffffffffffffffff), UINT64_C(0x00000000fffffffe)};

/** `mask` all ones: out = a; 0: unchanged. */
static inline void p256_set_if(uint64_t mask, p256_point *out, const p256_point *a) {
    fe256_set_if(mask, &out->x, &a->x);
    fe256_set_if(mask, &out->y, &a->y);
    fe256_set_if(mask, &out->z, &a->z);
}

/** out = 2a, infinity included. With M = 3 (X - Z^2)(X + Z^2), S = 4 X Y^2: X' = M^2 - 2S, Y' = M (S - X') - 8 Y^4. */
static inline void p256_double(p256_point *out, const p256_point *a, p256_scratch *s) {
    fe256_square(&s->a, &a->z);
    fe256_add(&s->b, &a->x, &s->a);
    fe256_sub(&s->a, &a->x, &s->a);
    fe256_mul(&s->a, &s->a, &s->b);
    fe256_add(&s->b, &s->a, &s->a);
    fe256_add(&s->a, &s->a, &s->b); /* M */
    fe256_mul(&out->z, &a->y, &a->z);
    fe256_add(&out->z, &out->z, &out->z);
    fe256_square(&s->b, &a->y);
    fe256_add(&s->b, &s->b, &s->b); /* 2 Y^2 */
    fe256_mul(&s->c, &a->x, &s->b);
    fe256_add(&s->c, &s->c, &s->c); /* S */
    fe256_square(&s->b, &s->b);
    fe256_add(&s->b, &s->b, &s->b); /* 8 Y^4 */
    fe256_square(&out->x, &s->a);
    fe256_sub(&out->x, &out->x, &s->c);
    fe256_sub(&out->x, &out->x, &s->c);
    fe256_sub(&s->c, &s->c, &out->x);
    fe256_mul(&s->a, &s->a, &s->c);
    fe256_sub(&out->y, &s->a, &s->b);
}

/**
 * The common end of both additions. In: s->a = U = X1 Z2^2, s->b = S = Y1 Z2^3, s->c = H = X2 Z1^2 - U,
 * s->d = R = Y2 Z1^3 - S, sum.z = H Z1 Z2. X = R^2 - H^3 - 2 U H^2, Y = R (U H^2 - X) - S H^3.
 */
static inline void p256_add_tail(p256_scratch *s) {
    fe256_square(&s->e, &s->c);
    fe256_mul(&s->f, &s->e, &s->c); /* H^3 */
    fe256_mul(&s->a, &s->a, &s->e); /* U H^2 */
    fe256_square(&s->sum.x, &s->d);
    fe256_sub(&s->sum.x, &s->sum.x, &s->f);
    fe256_sub(&s->sum.x, &s->sum.x, &s->a);
    fe256_sub(&s->sum.x, &s->sum.x, &s->a);
    fe256_sub(&s->a, &s->a, &s->sum.x);
    fe256_mul(&s->a, &s->a, &s->d);
    fe256_mul(&s->b, &s->b, &s->f);
    fe256_sub(&s->sum.y, &s->a, &s->b);
}

/** a = a + b, unless a = b and neither is infinity. */
static inline void p256_add(p256_point *a, const p256_point *b, p256_scratch *s) {
    uint64_t a_infinite = fe256_is_zero(&a->z), b_infinite = fe256_is_zero(&b->z);

    fe256_square(&s->e, &b->z);
    fe256_mul(&s->a, &a->x, &s->e); /* U */
    fe256_mul(&s->e, &s->e, &b->z);
    fe256_mul(&s->b, &a->y, &s->e); /* S */
    fe256_square(&s->e, &a->z);
    fe256_mul(&s->c, &b->x, &s->e);
    fe256_sub(&s->c, &s->c, &s->a); /* H */
    fe256_mul(&s->e, &s->e, &a->z);
    fe256_mul(&s->d, &b->y, &s->e);
    fe256_sub(&s->d, &s->d, &s->b); /* R */
    fe256_mul(&s->sum.z, &a->z, &b->z);
    fe256_mul(&s->sum.z, &s->sum.z, &s->c);
    p256_add_tail(s);
    p256_set_if(~b_infinite, a, &s->sum);
    p256_set_if(a_infinite, a, b);
}

/** a = a + b, unless a = b; `b_infinite` all ones: b counts as infinity. */
static inline void p256_add_affine(p256_point *a, const p256_affine *b, uint64_t b_infinite, p256_scratch *s) {
    uint64_t a_infinite = fe256_is_zero(&a->z);
    fe256 one;

    s->a = a->x; /* U */
    s->b = a->y; /* S */
    fe256_square(&s->e, &a->z);
    fe256_mul(&s->c, &b->x, &s->e);
    fe256_sub(&s->c, &s->c, &s->a); /* H */
    fe256_mul(&s->e, &s->e, &a->z);
    fe256_mul(&s->d, &b->y, &s->e);
    fe256_sub(&s->d, &s->d, &s->b); /* R */
    fe256_mul(&s->sum.z, &a->z, &s->c);
    p256_add_tail(s);

    fe256_from_words(&one, p256_one);
    fe256_set_if(a_infinite, &s->sum.x, &b->x);
    fe256_set_if(a_infinite, &s->sum.y, &b->y);
    fe256_set_if(a_infinite, &s->sum.z, &one);
    p256_set_if(~b_infinite, a, &s->sum);
}

#endif
