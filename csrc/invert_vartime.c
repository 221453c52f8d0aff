/*
 * Inversion modulo odd numbers of up to 384 bits by divsteps (Bernstein and Yang, "Fast constant-time gcd computation
 * and modular inversion", 2019), in variable time: steps that would only halve g are taken together, and so are those
 * between two swaps. A step makes of odd f and any g, from delta = 1,
 *
 *   delta > 0 and g odd:  f = g, g = (g - f) / 2, delta = 1 - delta
 *   else:                 g = (g + f) / 2 or g / 2, whichever is whole, delta = 1 + delta
 *
 * until g is 0; then f is 1 or -1 times their greatest common divisor. Steps see the lowest bits only, so as many as a
 * part has bits are taken on single words, giving a matrix for the whole numbers.
 */
#include "vartime.h"

#if LT_LIMB64
typedef int64_t part;
__extension__ typedef __int128 two_parts;
#else
typedef int32_t part;
typedef int64_t two_parts;
#endif

#define BITS      (LT_LIMB_BITS - 2)
#define LOW       (((lt_limb)1 << BITS) - 1)
#define MOST_BITS (LT_INVERT_MAX * LT_LIMB_BITS)
#define PARTS     ((MOST_BITS + 2 + BITS - 1) / BITS)

/* v[0] + 2^BITS v[1] + ...; all but the highest are in [0, 2^BITS), which has the sign. */
typedef struct {
    part v[PARTS];
} number;

/* 2^BITS (f, g) after BITS steps is (u f + v g, q f + r g). |u| + |v| and |q| + |r| are at most 2^BITS. */
typedef struct {
    part u, v, q, r;
} matrix;

static unsigned trailing_zeros(lt_limb a) { /* a is not 0 */
#if LT_GNUC && LT_LIMB64
    return (unsigned)__builtin_ctzll(a);
#elif LT_GNUC
    return (unsigned)__builtin_ctz(a);
#else
    unsigned count = 0;

    for (; (a & 1) == 0; a >>= 1) {
        count++;
    }
    return count;
#endif
}

/* BITS steps on the lowest bits of f and g, modulo 2^LT_LIMB_BITS. `delta` is what it was before; returns the new. */
static int take_steps(matrix *t, int delta, lt_limb f, lt_limb g) {
    lt_limb u = 1, v = 0, q = 0, r = 1;
    unsigned left = BITS;

    for (;;) {
        const unsigned zeros = trailing_zeros(g | ~(lt_limb)0 << left);
        unsigned together;
        lt_limb multiple, old;

        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        delta += (int)zeros;
        left -= zeros;
        if (left == 0) {
            break;
        }
        if (delta > 0) { /* (f, g) becomes (g, -f); what is left of the step is one of the others */
            delta = -delta;
            old = f;
            f = g;
            g = 0 - old;
            old = u;
            u = q;
            q = 0 - old;
            old = v;
            v = r;
            r = 0 - old;
        }
        /* No swap for 1 - delta steps: add the multiple of f that clears as many bits of g, 6 at most. 1/f is
         * f (2 - f^2) modulo 2^6: it is f modulo 2^3, and a step of Newton's doubles the bits. */
        together = (unsigned)(1 - delta);
        together = together < left ? together : left;
        together = together < 6 ? together : 6;
        multiple = g * f * (f * f - 2) & (((lt_limb)1 << together) - 1);
        g += multiple * f;
        q += multiple * u;
        r += multiple * v;
    }
    t->u = (part)u;
    t->v = (part)v;
    t->q = (part)q;
    t->r = (part)r;
    return delta;
}

/* (a, b) = (t (a, b) + (ma, mb) m) / 2^BITS, which leaves no remainder. */
LT_PIECE void apply(number *a, number *b, const matrix *t, const number *m, part ma, part mb, size_t parts) {
    two_parts x = 0, y = 0;

    for (size_t i = 0; i < parts; i++) {
        x += (two_parts)t->u * a->v[i] + (two_parts)t->v * b->v[i] + (two_parts)ma * m->v[i];
        y += (two_parts)t->q * a->v[i] + (two_parts)t->r * b->v[i] + (two_parts)mb * m->v[i];
        if (i > 0) {
            a->v[i - 1] = (part)((lt_limb)x & LOW);
            b->v[i - 1] = (part)((lt_limb)y & LOW);
        }
        x >>= BITS;
        y >>= BITS;
    }
    a->v[parts - 1] = (part)x;
    b->v[parts - 1] = (part)y;
}

/*
 * (d, e) = t (d, e) / 2^BITS modulo m, for d and e in (-2m, m), which they stay in: with m added to those below 0, both
 * are in (-m, m) and their products with t in (-2^BITS m, 2^BITS m); less at most 2^BITS - 1 times m, to make them
 * whole multiples of 2^BITS, these are in (-2^(BITS + 1) m, 2^BITS m).
 */
static void update_de(number *d, number *e, const matrix *t, const number *m, lt_limb m_inverse, size_t parts) {
    const int d_negative = d->v[parts - 1] < 0, e_negative = e->v[parts - 1] < 0;
    const lt_limb d0 = (lt_limb)d->v[0], e0 = (lt_limb)e->v[0];
    part md = (d_negative ? t->u : 0) + (e_negative ? t->v : 0), me = (d_negative ? t->q : 0) + (e_negative ? t->r : 0);

    md -= (part)((m_inverse * ((lt_limb)t->u * d0 + (lt_limb)t->v * e0) + (lt_limb)md) & LOW);
    me -= (part)((m_inverse * ((lt_limb)t->q * d0 + (lt_limb)t->r * e0) + (lt_limb)me) & LOW);
    apply(d, e, t, m, md, me, parts);
}

/* a = -a if `negative`; then m more if that is below 0. */
static void negate_and_add(number *a, int negative, const number *m, size_t parts) {
    for (int pass = 0; pass < 2; pass++) {
        const int below = a->v[parts - 1] < 0;
        part carry = 0;

        for (size_t i = 0; i < parts; i++) {
            if (pass == 0) {
                carry += negative ? -a->v[i] : a->v[i];
            } else {
                carry += a->v[i] + (below ? m->v[i] : 0);
            }
            a->v[i] = i < parts - 1 ? (part)((lt_limb)carry & LOW) : carry;
            carry >>= BITS;
        }
    }
}

static void number_from_limbs(number *out, size_t parts, const lt_limb *a, size_t n) {
    for (size_t i = 0; i < parts; i++) {
        const size_t limb = i * BITS / LT_LIMB_BITS, shift = i * BITS % LT_LIMB_BITS;
        lt_limb bits = limb < n ? a[limb] >> shift : 0;

        if (shift > LT_LIMB_BITS - BITS && limb + 1 < n) {
            bits |= a[limb + 1] << (LT_LIMB_BITS - shift);
        }
        out->v[i] = (part)(bits & LOW);
    }
}

/* a is in [0, 2^(n limbs)). Limbs begin at even bits of parts, BITS - 2 at most, so that two parts are enough. */
static void number_to_limbs(lt_limb *out, size_t n, const number *a) {
    for (size_t i = 0; i < n; i++) {
        const size_t at = i * LT_LIMB_BITS / BITS, shift = i * LT_LIMB_BITS % BITS;

        out[i] = (lt_limb)a->v[at] >> shift | (lt_limb)a->v[at + 1] << (BITS - shift);
    }
}

static int is_zero(const number *a, size_t parts) {
    part any = 0;

    for (size_t i = 0; i < parts; i++) {
        any |= a->v[i];
    }
    return any == 0;
}

/* see vartime.h; d a = f and e a = g modulo m all along. */
void lt_modulus_invert_vartime(lt_limb *out, const lt_limb *a, const lt_modulus *m) {
    const size_t parts = (m->n * LT_LIMB_BITS + 2 + BITS - 1) / BITS;
    number modulus, f, g, d, e;
    int delta = 1;

    number_from_limbs(&modulus, parts, m->limbs, m->n);
    number_from_limbs(&g, parts, a, m->n);
    f = modulus;
    for (size_t i = 0; i < parts; i++) {
        d.v[i] = 0;
        e.v[i] = i == 0;
    }
    while (!is_zero(&g, parts)) {
        matrix t;

        delta =
            take_steps(&t, delta, (lt_limb)f.v[0] | (lt_limb)f.v[1] << BITS, (lt_limb)g.v[0] | (lt_limb)g.v[1] << BITS);
        update_de(&d, &e, &t, &modulus, 0 - m->minus_inverse, parts);
        apply(&f, &g, &t, &modulus, 0, 0, parts);
    }
    negate_and_add(&d, 0, &modulus, parts);                  /* (-m, m) */
    negate_and_add(&d, f.v[parts - 1] < 0, &modulus, parts); /* f is 1 or -1 */
    number_to_limbs(out, m->n, &d);
}
