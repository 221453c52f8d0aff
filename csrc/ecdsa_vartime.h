/*
 * ECDSA verification on a curve y^2 = x^3 - 3x + b of prime order n, FIPS 186-5 section 6.4.2, in variable time. The
 * file that includes this defines, for one curve:
 *
 *   FIELD_BITS            bits of p and of n, a multiple of 64
 *   WORDS                 FIELD_BITS / 64
 *   fe                    an element of the field, and its operations fe_add, fe_sub, fe_mul, fe_square, fe_fold,
 *                         fe_from_words, fe_to_words, under the bounds of p256_field64.h
 *   fe_mul_here, fe_square_here
 *                         if the field has them: products without a call, for doubling, where most of the time goes
 *   fe_one, fe_b, fe_rr   constants of the field as words: one, the curve's b, what leads into Montgomery form
 *   field_p, order        p and n as words
 *   odd_multiples         static const uint64_t [][2 * WORDS]: x and y of 1, 3, 5, ... times G, in Montgomery form
 *   G_WIDTH               their number is 2^(G_WIDTH - 2)
 *   sum_quickly           if there is something faster for u1 G + u2 Q, a function as in p256_ifma_vartime.h that also
 *                         returns whether it can run
 *
 * u1 G + u2 Q: one run of doublings for both scalars, each a sum of few odd digits (w-NAF), whose multiples of G wait
 * in the table and those of Q are made first (Straus). Points are Jacobian: x = X/Z^2, y = Y/Z^3. Signatures may make
 * any two points meet, so additions tell equal and opposite ones apart.
 */
#ifndef LT_ECDSA_VARTIME_H
#define LT_ECDSA_VARTIME_H

#include "vartime.h"

#define FIELD_BYTES (FIELD_BITS / 8)
#define LIMBS       LT_LIMBS(FIELD_BITS)
#define DIGITS      (FIELD_BITS + 1) /* the carry out of the top bit may be a digit */
#define Q_WIDTH     5
#define Q_MULTIPLES (1 << (Q_WIDTH - 2))

#ifndef fe_mul_here
#define fe_mul_here    fe_mul
#define fe_square_here fe_square
#endif

/* Coordinates are tight. */
typedef struct {
    fe x, y, z;
    int infinite; /* not 0: infinity, whatever x, y and z are */
} point;

/* ---- Field ------------------------------------------------------------------------------------- */

static void words_from_bytes(uint64_t w[WORDS], const uint8_t bytes[FIELD_BYTES]) {
    for (int i = 0; i < WORDS; i++) {
        w[i] = lt_load64_be(bytes + FIELD_BYTES - 8 - 8 * i);
    }
}

static int words_less(const uint64_t a[WORDS], const uint64_t b[WORDS]) {
    for (int i = WORDS; i-- > 0;) {
        if (a[i] != b[i]) {
            return a[i] < b[i];
        }
    }
    return 0;
}

/* Into Montgomery form: words of any number below p. */
static void enter(fe *out, const uint64_t w[WORDS]) {
    fe rr;

    fe_from_words(&rr, fe_rr);
    fe_from_words(out, w);
    fe_mul(out, out, &rr);
}

/* Whether a = 0; a is tight. */
static int is_zero(const fe *a) {
    uint64_t w[WORDS], any = 0;

    fe_to_words(w, a);
    for (int i = 0; i < WORDS; i++) {
        any |= w[i];
    }
    return any == 0;
}

/* Whether a = b; a loose below 4p, b tight. */
static int are_equal(const fe *a, const fe *b) {
    fe difference;

    fe_sub(&difference, a, b);
    fe_fold(&difference, &difference);
    return is_zero(&difference);
}

/* ---- Points -------------------------------------------------------------------------------------- */

/* a = 2a. M = 3 (X - Z^2)(X + Z^2), S = 4 X Y^2, X' = M^2 - 2S, Y' = M (S - X') - 8 Y^4. */
LT_NOINLINE static void double_point(point *a) {
    fe m, s, yy, t;

    fe_square_here(&t, &a->z);
    fe_add(&s, &a->x, &t); /* < 4p */
    fe_sub(&t, &a->x, &t); /* < 4p */
    fe_mul_here(&t, &t, &s);
    fe_add(&m, &t, &t);
    fe_add(&m, &m, &t); /* < 6p */
    fe_fold(&m, &m);
    fe_square_here(&yy, &a->y);
    fe_add(&yy, &yy, &yy);    /* 2 Y^2 < 4p */
    fe_add(&t, &a->y, &a->y); /* < 4p */
    fe_mul_here(&a->z, &t, &a->z);
    fe_mul_here(&s, &a->x, &yy); /* S / 2 */
    fe_square_here(&yy, &yy);    /* 4 Y^4 */
    fe_square_here(&t, &m);
    fe_add(&s, &s, &s); /* S < 4p */
    fe_fold(&s, &s);
    fe_sub(&t, &t, &s);
    fe_sub(&t, &t, &s); /* < 6p */
    fe_fold(&a->x, &t);
    fe_sub(&s, &s, &a->x); /* < 4p */
    fe_mul_here(&t, &m, &s);
    fe_sub(&t, &t, &yy);
    fe_sub(&t, &t, &yy); /* < 6p */
    fe_fold(&a->y, &t);
}

/* a = a + b, or a - b if `negative`; b is not infinity and has Z = 1 if z is null. x, y and z are tight. */
static void add_point(point *a, const fe *x, const fe *y, const fe *z, int negative) {
    static const uint64_t zero[WORDS] = {0};
    fe u, s, h, r, hh, t, minus_y;

    if (negative) {
        fe_from_words(&t, zero);
        fe_sub(&minus_y, &t, y);
        fe_fold(&minus_y, &minus_y);
        y = &minus_y;
    }
    if (a->infinite) {
        a->x = *x;
        a->y = *y;
        if (z != NULL) {
            a->z = *z;
        } else {
            fe_from_words(&a->z, fe_one);
        }
        a->infinite = 0;
        return;
    }
    u = a->x;
    s = a->y;
    if (z != NULL) {
        fe_square(&t, z);
        fe_mul(&u, &u, &t);
        fe_mul(&t, &t, z);
        fe_mul(&s, &s, &t);
    }
    fe_square(&t, &a->z);
    fe_mul(&h, x, &t);
    fe_sub(&h, &h, &u); /* H < 4p */
    fe_mul(&t, &t, &a->z);
    fe_mul(&r, y, &t);
    fe_sub(&r, &r, &s); /* R < 4p */
    fe_mul(&t, &a->z, &h);
    if (is_zero(&t)) { /* the same x */
        fe_fold(&r, &r);
        if (is_zero(&r)) {
            double_point(a);
        } else {
            a->infinite = 1;
        }
        return;
    }
    if (z != NULL) {
        fe_mul(&a->z, &t, z);
    } else {
        a->z = t;
    }
    /* X = R^2 - H^3 - 2 U H^2, Y = R (U H^2 - X) - S H^3 */
    fe_square(&hh, &h);
    fe_mul(&u, &u, &hh);
    fe_mul(&hh, &hh, &h);
    fe_square(&t, &r);
    fe_sub(&t, &t, &hh);
    fe_sub(&t, &t, &u);
    fe_sub(&t, &t, &u); /* < 8p */
    fe_fold(&a->x, &t);
    fe_sub(&u, &u, &a->x); /* < 4p */
    fe_mul(&r, &r, &u);
    fe_mul(&s, &s, &hh);
    fe_sub(&r, &r, &s); /* < 4p */
    fe_fold(&a->y, &r);
}

/* SEC 1 section 3.2.2.1. The cofactor is 1: what passes has the order n. */
static int read_point(point *out, lt_der key) {
    uint64_t x[WORDS], y[WORDS];
    fe left, right, b;

    if (key.left != 1 + 2 * FIELD_BYTES || key.at[0] != 4) {
        return 0;
    }
    words_from_bytes(x, key.at + 1);
    words_from_bytes(y, key.at + 1 + FIELD_BYTES);
    if (!words_less(x, field_p) || !words_less(y, field_p)) {
        return 0;
    }
    enter(&out->x, x);
    enter(&out->y, y);
    fe_from_words(&out->z, fe_one);
    out->infinite = 0;
    fe_from_words(&b, fe_b);
    fe_square(&left, &out->y);
    fe_square(&right, &out->x);
    fe_mul(&right, &right, &out->x);
    fe_add(&right, &right, &b);
    fe_sub(&right, &right, &out->x);
    fe_sub(&right, &right, &out->x);
    fe_sub(&right, &right, &out->x); /* < 10p */
    fe_fold(&right, &right);
    return are_equal(&right, &left);
}

/* ---- Scalars -------------------------------------------------------------------------------------- */

/* `count` (at most 8) bits of k from bit `at` on; above its top they are 0. */
static unsigned bits_of(const lt_limb k[LIMBS], unsigned at, unsigned count) {
    const unsigned limb = at / LT_LIMB_BITS, shift = at % LT_LIMB_BITS;
    lt_limb bits = 0;

    if (limb < LIMBS) {
        bits = k[limb] >> shift;
    }
    if (shift + count > LT_LIMB_BITS && limb + 1 < LIMBS) {
        bits |= k[limb + 1] << (LT_LIMB_BITS - shift);
    }
    return (unsigned)bits & ((1u << count) - 1);
}

/* k as a sum of digits[i] 2^i: odd, below 2^(width - 1), each followed by width - 1 zeros. Returns how many. */
static int recode(int8_t digits[DIGITS], const lt_limb k[LIMBS], unsigned width) {
    unsigned carry = 0, at = 0;
    int used = 0;

    for (int i = 0; i < DIGITS; i++) {
        digits[i] = 0;
    }
    while (at < DIGITS) {
        unsigned bits;

        if (bits_of(k, at, 1) == carry) {
            at++;
            continue;
        }
        bits = bits_of(k, at, width) + carry;
        carry = bits >> (width - 1); /* never from the last bits: those above the top are zero */
        digits[at] = (int8_t)((int)bits - (int)(carry << width));
        used = (int)at + 1;
        at += width;
    }
    return used;
}

/* The number that the leftmost bits of a digest are, modulo n. */
static void digest_to_scalar(lt_limb out[LIMBS], const uint8_t *digest, size_t digest_len, const lt_modulus *n) {
    lt_limbs_read_vartime(out, LIMBS, digest, digest_len < FIELD_BYTES ? digest_len : FIELD_BYTES);
    if (!lt_limbs_less_vartime(out, n->limbs, LIMBS)) {
        (void)lt_limbs_subtract_vartime(out, out, n->limbs, LIMBS);
    }
}

/* r or s: an INTEGER in [1, n - 1]. */
static int read_scalar(lt_limb out[LIMBS], lt_der *from, const lt_modulus *n) {
    lt_der magnitude;

    if (!lt_der_take_positive_vartime(from, &magnitude) || magnitude.left > FIELD_BYTES) {
        return 0;
    }
    lt_limbs_read_vartime(out, LIMBS, magnitude.at, magnitude.left);
    return lt_limbs_less_vartime(out, n->limbs, LIMBS);
}

/* ---- Verification ----------------------------------------------------------------------------------- */

/* out = u1 G + u2 Q, in which y may be missing. */
static void multiply_and_add(point *out, const lt_limb u1[LIMBS], const lt_limb u2[LIMBS], const point *q) {
    int8_t digits1[DIGITS], digits2[DIGITS];
    const int used1 = recode(digits1, u1, G_WIDTH), used2 = recode(digits2, u2, Q_WIDTH);
    const int used = used1 > used2 ? used1 : used2;
    point multiples[Q_MULTIPLES], twice = *q; /* 1, 3, 5, ... times Q */

#ifdef sum_quickly
    if (sum_quickly(&out->x, &out->z, digits1, digits2, used, &q->x, &q->y) && !is_zero(&out->z)) {
        out->infinite = 0;
        return;
    }
#endif
    double_point(&twice);
    multiples[0] = *q;
    for (int i = 1; i < Q_MULTIPLES; i++) {
        multiples[i] = multiples[i - 1];
        add_point(&multiples[i], &twice.x, &twice.y, &twice.z, 0);
    }
    out->infinite = 1;
    for (int i = used; i-- > 0;) {
        if (!out->infinite) {
            double_point(out);
        }
        if (digits1[i] != 0) {
            const uint64_t *entry = odd_multiples[(digits1[i] < 0 ? -digits1[i] : digits1[i]) / 2];
            fe x, y;

            fe_from_words(&x, entry);
            fe_from_words(&y, entry + WORDS);
            add_point(out, &x, &y, NULL, digits1[i] < 0);
        }
        if (digits2[i] != 0) {
            const point *entry = &multiples[(digits2[i] < 0 ? -digits2[i] : digits2[i]) / 2];

            add_point(out, &entry->x, &entry->y, &entry->z, digits2[i] < 0);
        }
    }
}

/* What a signature of a digest asks: whether x modulo n of u1 G + u2 Q is r. */
typedef struct {
    lt_limb order[LIMBS], r[LIMBS], u1[LIMBS], u2[LIMBS];
    lt_modulus n;
} question;

/* 0: the signature is no DER of two numbers in [1, n - 1]. */
static int read_question(question *out, lt_der signature, const uint8_t *digest, size_t digest_len) {
    lt_limb s[LIMBS], work[2 * LIMBS];
    lt_der numbers;

    for (int i = 0; i < LIMBS; i++) {
        out->order[i] = (lt_limb)(order[i * LT_LIMB_BITS / 64] >> i * LT_LIMB_BITS % 64);
    }
    lt_modulus_set_vartime(&out->n, out->order, LIMBS);
    if (!lt_der_take_vartime(&signature, 0x30, &numbers) || signature.left != 0 ||
        !read_scalar(out->r, &numbers, &out->n) || !read_scalar(s, &numbers, &out->n) || numbers.left != 0) {
        return 0;
    }
    lt_modulus_invert_vartime(s, s, &out->n);
    lt_montgomery_enter_vartime(s, s, &out->n, work); /* R / s, so that products with it are in no special form */
    digest_to_scalar(out->u1, digest, digest_len, &out->n);
    lt_montgomery_multiply_vartime(out->u1, out->u1, s, &out->n, work);
    lt_montgomery_multiply_vartime(out->u2, out->r, s, &out->n, work);
    return 1;
}

/* Whether X/Z^2 modulo n is r: whether X = r Z^2, or (r + n) Z^2 where that is a coordinate. No inversion. */
static int is_answer(const question *asked, const fe *x, const fe *zz) {
    uint8_t bytes[FIELD_BYTES];
    uint64_t r[WORDS], room[WORDS];
    uint64_t borrow = 0, carry = 0;
    fe candidate;

    lt_limbs_write_vartime(bytes, FIELD_BYTES, asked->r, LIMBS);
    words_from_bytes(r, bytes);
    enter(&candidate, r);
    fe_mul(&candidate, &candidate, zz);
    if (are_equal(&candidate, x)) {
        return 1;
    }
    for (int i = 0; i < WORDS; i++) { /* p - n, which is above 0 */
        room[i] = field_p[i] - order[i] - borrow;
        borrow = field_p[i] < order[i] || (borrow != 0 && field_p[i] == order[i]);
    }
    if (!words_less(r, room)) {
        return 0;
    }
    for (int i = 0; i < WORDS; i++) {
        uint64_t sum = r[i] + carry;

        carry = sum < carry;
        r[i] = sum + order[i];
        carry += r[i] < sum;
    }
    enter(&candidate, r);
    fe_mul(&candidate, &candidate, zz);
    return are_equal(&candidate, x);
}

static int is_answered_by(const question *asked, const point *q) {
    point sum;
    fe zz;

    multiply_and_add(&sum, asked->u1, asked->u2, q);
    fe_square(&zz, &sum.z);
    return !sum.infinite && is_answer(asked, &sum.x, &zz);
}

static int verify(lt_der key, lt_der signature, const uint8_t *digest, size_t digest_len) {
    question asked;
    point q;

    if (!read_point(&q, key)) {
        return LT_ERR_KEY;
    }
    if (!read_question(&asked, signature, digest, digest_len)) {
        return LT_ERR_AUTH;
    }
    return is_answered_by(&asked, &q) ? LT_OK : LT_ERR_AUTH;
}

#endif
