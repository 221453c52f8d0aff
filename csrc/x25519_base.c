/*
 * X25519 with the base point: the public key. The base point is fixed, so its multiples stand in a table, on the
 * Edwards curve that is birationally equivalent to curve25519 (RFC 7748 section 4.1), where one addition formula holds
 * for all pairs of points. A comb of four teeth, 64 bits apart, in two blocks of 32 bits: 32 doublings, 64 additions.
 */
#include "x25519_field.h"
#include "x25519_ifma.h"
#include "x25519_table.h"

/* Extended coordinates: x = X/Z, y = Y/Z, x y = T/Z. All limbs are those of products. */
typedef struct {
    fe25519 x, y, z, t;
} edwards_point;

/* An affine point of the table as y + x, y - x, 2 d x y. */
typedef struct {
    fe25519 sum, difference, product;
} edwards_entry;

typedef struct {
    uint64_t k[4], words[12];
    edwards_point p;
    edwards_entry entry;
    fe25519 a, b, c, d, e, f, g, h;
} comb;

/**
 * p = 2p on -x^2 + y^2 = 1 + d x^2 y^2, by 2xy / (y^2 - x^2) and (y^2 + x^2) / (2 - y^2 + x^2).
 * in: s->p tight; out: s->p tight.
 */
static void edwards_double(comb *s) {
    edwards_point *p = &s->p;

    fe25519_square(&s->a, &p->x);
    fe25519_square(&s->b, &p->y);
    fe25519_square(&s->c, &p->z);
    fe25519_add(&s->h, &s->a, &s->b); /* limbs < 2^52 + 2^14 */
    fe25519_add(&s->e, &p->x, &p->y);
    fe25519_square(&s->e, &s->e);
    fe25519_sub(&s->e, &s->e, &s->h);
    fe25519_sub(&s->g, &s->b, &s->a);
    fe25519_add(&s->f, &s->c, &s->c); /* limbs < 2^52 + 2^14 */
    fe25519_add(&s->f, &s->f, &s->a); /* limbs < 2^52 + 2^51 + 2^15 < 2^53 */
    fe25519_sub(&s->f, &s->f, &s->b);
    fe25519_mul(&p->x, &s->e, &s->f);
    fe25519_mul(&p->y, &s->g, &s->h);
    fe25519_mul(&p->z, &s->f, &s->g);
    fe25519_mul(&p->t, &s->e, &s->h);
}

/**
 * p = p + entry, complete since d is no square: it holds for doubling and for the neutral element too.
 * in: s->p tight, s->entry tight; out: s->p tight.
 */
static void edwards_add(comb *s) {
    edwards_point *p = &s->p;

    fe25519_sub(&s->a, &p->y, &p->x);
    fe25519_mul(&s->a, &s->a, &s->entry.difference);
    fe25519_add(&s->b, &p->y, &p->x);
    fe25519_mul(&s->b, &s->b, &s->entry.sum);
    fe25519_mul(&s->c, &p->t, &s->entry.product);
    fe25519_add(&s->d, &p->z, &p->z); /* limbs < 2^52 + 2^14 */
    fe25519_sub(&s->e, &s->b, &s->a);
    fe25519_sub(&s->f, &s->d, &s->c);
    fe25519_add(&s->g, &s->d, &s->c);
    fe25519_add(&s->h, &s->b, &s->a);
    fe25519_mul(&p->x, &s->e, &s->f);
    fe25519_mul(&p->y, &s->g, &s->h);
    fe25519_mul(&p->z, &s->f, &s->g);
    fe25519_mul(&p->t, &s->e, &s->h);
}

/**
 * entry = the point for bits `position`, + 64, + 128, + 192 of k, reading the whole block of the table.
 * in: s->k any, position < 64; out: s->entry tight.
 */
static void read_table(comb *s, int position) {
    const uint64_t (*block)[12] = x25519_table[position / 32];
    uint64_t index = 0, first;

    for (int i = 0; i < 4; i++) {
        index |= (s->k[i] >> position & 1) << i;
    }
    first = lt_ct_is_zero(index) & 1; /* the neutral element: y + x = y - x = 1, 2 d x y = 0 */
    for (int i = 0; i < 12; i++) {
        s->words[i] = 0;
    }
    s->words[0] = first;
    s->words[4] = first;
    for (uint64_t i = 0; i < 15; i++) {
        uint64_t mask = lt_ct_eq(index, i + 1);

        for (int j = 0; j < 12; j++) {
            s->words[j] |= mask & block[i][j];
        }
    }
    fe25519_from_words(&s->entry.sum, s->words);
    fe25519_from_words(&s->entry.difference, s->words + 4);
    fe25519_from_words(&s->entry.product, s->words + 8);
}

/* see inner.h */
void lt_x25519_base(uint8_t out[32], const uint8_t scalar[32]) {
    static const uint64_t one[4] = {1, 0, 0, 0}, zero[4] = {0, 0, 0, 0};
    comb s;

#if LT_X25519_IFMA
    if (lt_cpu_has(LT_CPU_IFMA)) {
        lt_x25519_base_ifma(out, scalar);
        return;
    }
#endif
    x25519_scalar(s.k, scalar);
    fe25519_from_words(&s.p.x, zero);
    fe25519_from_words(&s.p.y, one);
    fe25519_from_words(&s.p.z, one);
    fe25519_from_words(&s.p.t, zero);
    for (int i = 31; i >= 0; i--) {
        edwards_double(&s);
        read_table(&s, 32 + i);
        edwards_add(&s);
        read_table(&s, i);
        edwards_add(&s);
    }
    /* u = (Z + Y) / (Z - Y). Z = Y holds for the neutral element alone, which no clamped scalar gives: a multiple of 8
     * and of the odd prime order, being above 2^252, is 0 or at least 2^255. */
    fe25519_add(&s.a, &s.p.z, &s.p.y);
    fe25519_sub(&s.b, &s.p.z, &s.p.y);
    fe25519_invert(&s.b, &s.b);
    fe25519_mul(&s.a, &s.a, &s.b);
    fe25519_to_words(s.words, &s.a);
    for (int i = 0; i < 4; i++) {
        lt_store64_le(out + 8 * i, s.words[i]);
    }
    lt_wipe(&s, sizeof s);
}
