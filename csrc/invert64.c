/*
 * Inversion by divsteps (Bernstein and Yang, "Fast constant-time gcd computation and modular inversion", 2019), in the
 * variant that starts from delta = 1/2. A step makes of odd f and any g
 *
 *   delta > 0 and g odd:  f = g, g = (g - f) / 2, delta = 1 - delta
 *   else:                 g = (g + f) / 2 or g / 2, whichever is whole, delta = 1 + delta
 *
 * For 0 <= g <= f < 2^256, g is 0 after 590 steps (Wuille, "safegcd-bounds", 2021, by convex hulls, and proven in Coq),
 * and then f is 1 or -1 times their greatest common divisor. Steps see the lowest bits only: 60 of them are taken on
 * single words, giving a matrix for the whole numbers, ten times.
 */
#include "invert64.h"

#if LT_INT128
#define LOW62  (((uint64_t)1 << 62) - 1)
#define HALF   30 /* steps, for which numbers of a matrix fit into 32 bits */
#define ROUNDS 10 /* 600 steps */

__extension__ typedef __int128 i128;

/* 2^62 (f, g) after 60 steps is (u f + v g, q f + r g). |u| + |v| and |q| + |r| are at most 2^62. */
typedef struct {
    int64_t u, v, q, r;
} matrix;

typedef struct {
    lt_signed62 f, g, d, e; /* d a = f and e a = g (mod m) */
    matrix t;
} state;

/* The lowest bits of f and g, of which a step uses up one, and `gap`: -delta - 1/2, below 0 if delta > 0. */
typedef struct {
    uint64_t f, g, gap;
    matrix first, second; /* of one half of the steps, and of the other */
} lowest;

/*
 * 2^30 (f, g) after 30 steps is (u f + v g, q f + r g). |u| + |v| and |q| + |r| are at most 2^30, so that u + 2^32 v
 * and q + 2^32 r fit into a word: what is done to u and q is done to v and r at once. Numbers are modulo 2^64.
 */
static void take_steps(matrix *t, lowest *s) {
    uint64_t f = s->f, g = s->g, gap = s->gap, uv = 1, qr = (uint64_t)1 << 32;

    for (int i = 0; i < HALF; i++) {
        const uint64_t odd = lt_ct_hide(0 - (g & 1)), swap = (uint64_t)((int64_t)gap >> 63) & odd;
        const uint64_t old_g = g, old_qr = qr;

        g += ((f & odd) ^ swap) - swap; /* g, g + f or g - f, of which only the last goes with a swap */
        qr += ((uv & odd) ^ swap) - swap;
        f ^= (f ^ old_g) & swap;
        uv ^= (uv ^ old_qr) & swap;
        gap = (gap ^ swap) - 1; /* -(1 - delta) - 1/2 = -gap - 2 = ~gap - 1, or -(1 + delta) - 1/2 = gap - 1 */
        g >>= 1;
        uv <<= 1;
    }
    s->f = f;
    s->g = g;
    s->gap = gap;
    t->u = (int32_t)(uint32_t)uv;
    t->v = (int64_t)(uv - (uint64_t)t->u) >> 32;
    t->q = (int32_t)(uint32_t)qr;
    t->r = (int64_t)(qr - (uint64_t)t->q) >> 32;
}

/* Two times 30 steps, the second on what the first leave; and 2^2, for 2^62. */
static void take_all_steps(matrix *t, lowest *s) {
    const matrix *a = &s->first, *b = &s->second;

    take_steps(&s->first, s);
    take_steps(&s->second, s);
    t->u = 4 * (b->u * a->u + b->v * a->q);
    t->v = 4 * (b->u * a->v + b->v * a->r);
    t->q = 4 * (b->q * a->u + b->r * a->q);
    t->r = 4 * (b->q * a->v + b->r * a->r);
}

/* (f, g) = t (f, g) / 2^62, without a remainder. */
static void update_fg(state *s) {
    const matrix *t = &s->t;
    i128 f = (i128)t->u * s->f.v[0] + (i128)t->v * s->g.v[0];
    i128 g = (i128)t->q * s->f.v[0] + (i128)t->r * s->g.v[0];

    for (int i = 1; i < 5; i++) {
        f = (f >> 62) + (i128)t->u * s->f.v[i] + (i128)t->v * s->g.v[i];
        g = (g >> 62) + (i128)t->q * s->f.v[i] + (i128)t->r * s->g.v[i];
        s->f.v[i - 1] = (int64_t)((uint64_t)f & LOW62);
        s->g.v[i - 1] = (int64_t)((uint64_t)g & LOW62);
    }
    s->f.v[4] = (int64_t)(f >> 62);
    s->g.v[4] = (int64_t)(g >> 62);
}

/*
 * (d, e) = t (d, e) / 2^62 modulo m, for d and e in (-2m, m), which they stay in: with m added to those below 0, both
 * are in (-m, m) and their products with t in (-2^62 m, 2^62 m); less at most 2^62 - 1 times m, to make them whole
 * multiples of 2^62, these are in (-2^63 m, 2^62 m).
 */
static void update_de(state *s, const lt_modulus62 *modulus) {
    const matrix *t = &s->t;
    const int64_t d_negative = s->d.v[4] >> 63, e_negative = s->e.v[4] >> 63;
    int64_t md = (t->u & d_negative) + (t->v & e_negative), me = (t->q & d_negative) + (t->r & e_negative);
    i128 d = (i128)t->u * s->d.v[0] + (i128)t->v * s->e.v[0];
    i128 e = (i128)t->q * s->d.v[0] + (i128)t->r * s->e.v[0];

    md -= (int64_t)((modulus->inverse * (uint64_t)d + (uint64_t)md) & LOW62);
    me -= (int64_t)((modulus->inverse * (uint64_t)e + (uint64_t)me) & LOW62);
    d += (i128)md * modulus->m.v[0];
    e += (i128)me * modulus->m.v[0];
    for (int i = 1; i < 5; i++) {
        d = (d >> 62) + (i128)t->u * s->d.v[i] + (i128)t->v * s->e.v[i] + (i128)md * modulus->m.v[i];
        e = (e >> 62) + (i128)t->q * s->d.v[i] + (i128)t->r * s->e.v[i] + (i128)me * modulus->m.v[i];
        s->d.v[i - 1] = (int64_t)((uint64_t)d & LOW62);
        s->e.v[i - 1] = (int64_t)((uint64_t)e & LOW62);
    }
    s->d.v[4] = (int64_t)(d >> 62);
    s->e.v[4] = (int64_t)(e >> 62);
}

/* a = -a if `negative` is -1, not if it is 0; then m more if that is below 0. */
static void negate_and_add(lt_signed62 *a, int64_t negative, const lt_signed62 *m) {
    int64_t carry = 0, below;

    for (int i = 0; i < 5; i++) {
        carry += (a->v[i] ^ negative) - negative;
        a->v[i] = i < 4 ? (int64_t)((uint64_t)carry & LOW62) : carry;
        carry >>= 62;
    }
    below = (int64_t)lt_ct_hide((uint64_t)(a->v[4] >> 63));
    carry = 0;
    for (int i = 0; i < 5; i++) {
        carry += a->v[i] + (m->v[i] & below);
        a->v[i] = i < 4 ? (int64_t)((uint64_t)carry & LOW62) : carry;
        carry >>= 62;
    }
}

/* see invert64.h */
void lt_invert64(uint64_t out[4], const uint64_t a[4], const lt_modulus62 *modulus) {
    lowest low = {0, 0, ~(uint64_t)0, {0, 0, 0, 0}, {0, 0, 0, 0}}; /* delta = 1/2 */
    state s = {{{0, 0, 0, 0, 0}}, {{0, 0, 0, 0, 0}}, {{0, 0, 0, 0, 0}}, {{1, 0, 0, 0, 0}}, {0, 0, 0, 0}};

    s.f = modulus->m;
    s.g.v[0] = (int64_t)(a[0] & LOW62);
    s.g.v[1] = (int64_t)((a[0] >> 62 | a[1] << 2) & LOW62);
    s.g.v[2] = (int64_t)((a[1] >> 60 | a[2] << 4) & LOW62);
    s.g.v[3] = (int64_t)((a[2] >> 58 | a[3] << 6) & LOW62);
    s.g.v[4] = (int64_t)(a[3] >> 56);
    for (int i = 0; i < ROUNDS; i++) {
        low.f = (uint64_t)s.f.v[0] | (uint64_t)s.f.v[1] << 62;
        low.g = (uint64_t)s.g.v[0] | (uint64_t)s.g.v[1] << 62;
        take_all_steps(&s.t, &low);
        update_de(&s, modulus);
        update_fg(&s);
    }
    negate_and_add(&s.d, 0, &modulus->m);              /* (-m, m) */
    negate_and_add(&s.d, s.f.v[4] >> 63, &modulus->m); /* f is 1 or -1, or m if a was 0 */
    out[0] = (uint64_t)s.d.v[0] | (uint64_t)s.d.v[1] << 62;
    out[1] = (uint64_t)s.d.v[1] >> 2 | (uint64_t)s.d.v[2] << 60;
    out[2] = (uint64_t)s.d.v[2] >> 4 | (uint64_t)s.d.v[3] << 58;
    out[3] = (uint64_t)s.d.v[3] >> 6 | (uint64_t)s.d.v[4] << 56;
    lt_wipe(&s, sizeof s);
    lt_wipe(&low, sizeof low);
}
#endif
