/*
 * Scalars, coordinates and points of P-256 to and from bytes (SEC 1 section 2.3), for p256.c and p256_adx.c. The file
 * that includes this defines the field:
 *
 *   fe                    an element, and its operations fe_add, fe_sub, fe_mul, fe_square, fe_fold, fe_from_words,
 *                         fe_to_words, under the bounds of p256_field64.h
 *   fe_b, fe_rr           the curve's b and what leads into Montgomery form, as words
 */
#ifndef LT_P256_BYTES_H
#define LT_P256_BYTES_H

#include "inner.h"

static const uint64_t p256_p[4] = {UINT64_C(0xffffffffffffffff), UINT64_C(0x00000000ffffffff), 0,
                                   UINT64_C(0xffffffff00000001)};

/* A point that is not infinity. */
typedef struct {
    fe x, y;
} p256_affine;

static void load_words(uint64_t w[4], const uint8_t bytes[32]) {
    for (int i = 0; i < 4; i++) {
        w[i] = lt_load64_be(bytes + 24 - 8 * i);
    }
}

/* All ones if a < b, else 0. */
static uint64_t words_lt(const uint64_t a[4], const uint64_t b[4]) {
    uint64_t less = 0;

    for (int i = 0; i < 4; i++) {
        less = lt_ct_lt(a[i], b[i]) | (lt_ct_eq(a[i], b[i]) & less);
    }
    return less;
}

/* Into Montgomery form: any four words of a number below p. */
static void fe_from_number(fe *out, const uint64_t w[4]) {
    fe rr;

    fe_from_words(&rr, fe_rr);
    fe_from_words(out, w);
    fe_mul(out, out, &rr);
}

/* Out of Montgomery form, big endian. */
static void fe_to_bytes(uint8_t bytes[32], const fe *a) {
    static const uint64_t one[4] = {1, 0, 0, 0};
    fe plain;
    uint64_t w[4];

    fe_from_words(&plain, one);
    fe_mul(&plain, a, &plain);
    fe_to_words(w, &plain);
    for (int i = 0; i < 4; i++) {
        lt_store64_be(bytes + 24 - 8 * i, w[i]);
    }
    lt_wipe(&plain, sizeof plain);
    lt_wipe(w, sizeof w);
}

/* RFC 8422 section 5.11 and SP 800-56A section 5.6.2.3.4. The cofactor is 1: what passes has the order n. */
static int point_from_bytes(p256_affine *out, const uint8_t bytes[65]) {
    uint64_t x[4], y[4];
    fe left, right, b;

    load_words(x, bytes + 1);
    load_words(y, bytes + 33);
    if (bytes[0] != 4 || !words_lt(x, p256_p) || !words_lt(y, p256_p)) {
        return LT_ERR_POINT;
    }
    fe_from_number(&out->x, x);
    fe_from_number(&out->y, y);
    fe_from_words(&b, fe_b);
    fe_square(&left, &out->y);
    fe_square(&right, &out->x);
    fe_mul(&right, &right, &out->x);
    fe_add(&right, &right, &b);
    fe_sub(&right, &right, &out->x);
    fe_sub(&right, &right, &out->x);
    fe_sub(&right, &right, &out->x);
    fe_sub(&right, &right, &left); /* < 11p */
    fe_fold(&right, &right);
    fe_to_words(x, &right);
    return (x[0] | x[1] | x[2] | x[3]) == 0 ? LT_OK : LT_ERR_POINT;
}

#endif
