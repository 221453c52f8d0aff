/*
 * Scalar multiplication on P-384 for key exchange. The running time depends on neither scalar nor result; peers' points
 * are public. What includes this names the field's operations, as p384_point.h says.
 *
 * Signed bits. Of k and n - k one is odd: k', with k G = (+-k') G. An odd number below 2^w is a sum of w terms +-2^i:
 * the sign of the top one is +, that of the others is bit i + 1 of k'. So no digit is ever zero, no point of a table
 * infinity and no sum, and a run of digits is an odd number.
 *
 * Exceptions. Let integers A and T be the multiples of the point that an addition takes. It would go wrong if A - T or
 * A + T were a multiple of n. As one of A and T is odd and the other even, both are odd, thus not 0. As long as digits
 * are missing, neither reaches n; the comment of each multiplication says why. When the last digits are added, the sum
 * A + T is k' < n, but A - T = k' - 2T may be n: this happens for a single k'. So the last addition is made as a
 * doubling too, and a mask chooses.
 */
#ifndef LT_P384_MULTIPLY_H
#define LT_P384_MULTIPLY_H

#include "p384_point.h"
#include "p384_table.h"

#define WINDOW        (LT_LIMB64 ? 5 : 4) /* bits per window of a peer's point; small processors save stack */
#define TOP           380                 /* first bit of the top window */
#define ODD_MULTIPLES (1 << (WINDOW - 1))

static const uint64_t p384_n[6] = {UINT64_C(0xecec196accc52973), UINT64_C(0x581a0db248b0a77a),
                                   UINT64_C(0xc7634d81f4372ddf), UINT64_C(0xffffffffffffffff),
                                   UINT64_C(0xffffffffffffffff), UINT64_C(0xffffffffffffffff)};

/* ---- Numbers ---------------------------------------------------------------------------------- */

static void load_words(uint64_t w[6], const uint8_t bytes[48]) {
    for (int i = 0; i < 6; i++) {
        w[i] = lt_load64_be(bytes + 40 - 8 * i);
    }
}

/* out = a - b; all ones if that is below 0, else 0. `out` may be null. */
static uint64_t words_subtract(uint64_t *out, const uint64_t a[6], const uint64_t b[6]) {
    uint64_t borrow = 0;

    for (int i = 0; i < 6; i++) {
        uint64_t ai = a[i], bi = b[i];

        if (out != NULL) {
            out[i] = ai - bi + borrow;
        }
        borrow = lt_ct_lt(ai, bi) | (lt_ct_eq(ai, bi) & borrow);
    }
    return borrow;
}

/* floor(k' / 2), the sign of the top digit among its bits; all ones if k' = n - k, 0 if it is k. */
static uint64_t recode(uint64_t half[6], const uint8_t scalar[48]) {
    uint64_t opposite[6], even;

    load_words(half, scalar);
    (void)words_subtract(opposite, p384_n, half);
    even = lt_ct_is_zero(half[0] & 1);
    for (int i = 0; i < 6; i++) {
        half[i] = lt_ct_select(even, opposite[i], half[i]);
    }
    for (int i = 0; i < 5; i++) {
        half[i] = half[i] >> 1 | half[i + 1] << 63;
    }
    half[5] = half[5] >> 1 | (uint64_t)1 << 63;
    lt_wipe(opposite, sizeof opposite);
    return even;
}

/* Into Montgomery form: any six words of a number below p. */
static void from_number(fe384 *out, const uint64_t w[6]) {
    fe384 rr;

    fe384_from_words(&rr, fe384_rr);
    fe384_from_words(out, w);
    fe_mul(out, out, &rr);
}

/* Out of Montgomery form, big endian. */
static void to_bytes(uint8_t bytes[48], const fe384 *a) {
    static const uint64_t one[6] = {1, 0, 0, 0, 0, 0};
    fe384 plain;
    uint64_t w[6];

    fe384_from_words(&plain, one);
    fe_mul(&plain, a, &plain);
    fe384_to_words(w, &plain);
    for (int i = 0; i < 6; i++) {
        lt_store64_be(bytes + 40 - 8 * i, w[i]);
    }
    lt_wipe(&plain, sizeof plain);
    lt_wipe(w, sizeof w);
}

/* ---- Points to and from bytes ------------------------------------------------------------------ */

/* RFC 8422 section 5.11 and SP 800-56A section 5.6.2.3.4. The cofactor is 1: what passes has the order n. */
static int point_from_bytes(p384_affine *out, const uint8_t bytes[97]) {
    uint64_t x[6], y[6];
    fe384 left, right, b;

    load_words(x, bytes + 1);
    load_words(y, bytes + 49);
    if (bytes[0] != 4 || !words_subtract(NULL, x, fe384_p) || !words_subtract(NULL, y, fe384_p)) {
        return LT_ERR_POINT;
    }
    from_number(&out->x, x);
    from_number(&out->y, y);
    fe384_from_words(&b, fe384_b);
    fe_square(&left, &out->y);
    fe_square(&right, &out->x);
    fe_mul(&right, &right, &out->x);
    fe_add(&right, &right, &b);
    fe_sub(&right, &right, &out->x);
    fe_sub(&right, &right, &out->x);
    fe_sub(&right, &right, &out->x);
    fe_sub(&right, &right, &left);
    return fe384_is_zero(&right) ? LT_OK : LT_ERR_POINT;
}

/* The affine coordinates of a, or of -a if `negative` is all ones, big endian. y may be null. */
static void point_to_bytes(uint8_t *x, uint8_t *y, p384_point *a, uint64_t negative, p384_scratch *s) {
    p384_invert(&s->b, &a->z);
    fe_square(&s->c, &s->b);
    fe_mul(&a->x, &a->x, &s->c);
    to_bytes(x, &a->x);
    if (y != NULL) {
        fe_mul(&s->c, &s->c, &s->b);
        fe_mul(&a->y, &a->y, &s->c);
        p384_negate_if(negative, &a->y, s);
        to_bytes(y, &a->y);
    }
}

/* ---- The base point ----------------------------------------------------------------------------- */

#define COLUMNS (64 / P384_TABLE_BLOCKS) /* columns of a block of the comb */

typedef struct {
    uint64_t half[6], words[12], negative;
    p384_point acc;
    p384_affine entry;
    p384_scratch scratch;
} base_state;

/* The entry for bits `position`, + 64, ..., + 320, reading the whole block of the table. */
static void read_comb(base_state *s, int position) {
    const uint64_t (*block)[12] = lt_p384_table[position / COLUMNS];
    const uint64_t negative = (s->half[5] >> position & 1) - 1;
    uint64_t index = 0;

    for (int i = 0; i < 5; i++) {
        index |= (s->half[i] >> position & 1) << i;
    }
    index ^= negative & 31;
    for (int i = 0; i < 12; i++) {
        s->words[i] = 0;
    }
    for (uint64_t i = 0; i < 32; i++) {
        const uint64_t mask = lt_ct_eq(index, i);

        for (int j = 0; j < 12; j++) {
            s->words[j] |= mask & block[i][j];
        }
    }
    fe384_from_words(&s->entry.x, s->words);
    fe384_from_words(&s->entry.y, s->words + 6);
    p384_negate_if(negative, &s->entry.y, &s->scratch);
}

/**
 * scalar * G as 04 x y, see inner.h.
 *
 * A signed comb of six teeth, 64 bits apart, in blocks of COLUMNS bits: COLUMNS - 1 doublings, 63 additions (Lim and
 * Lee; with signed bits, Hamburg's «Fast and compact elliptic-curve cryptography», section 3.3).
 *
 * Exceptions. The entry of the block at bit 0 is odd, those of the others are even; acc is even when the first is
 * added, odd afterwards. While columns are missing, |A| < 2^383.1 and |T| < 2^369. In the last column, let m be the top
 * bit of the last block: R = k' - (A + T), what is missing, has the top digit +-2^m, and all else in R and R + 2T stays
 * below 2^(m - 1). If A + T or A - T were n, R or R + 2T would be k' - n, thus negative, and k' > n - 2^(m + 1) +
 * 2^(m - 1) would have ones only from bit m + 1 on: but this says that the digit of 2^m is positive. They are above -n,
 * as k' > 0 and |R| and |2T| are below 2^370.
 */
static void multiply_base(uint8_t out[97], const uint8_t scalar[48]) {
    base_state s;

    s.negative = recode(s.half, scalar);
    for (int i = COLUMNS - 1; i >= 0; i--) {
        for (int block = 0; block < P384_TABLE_BLOCKS; block++) {
            read_comb(&s, block * COLUMNS + i);
            if (i == COLUMNS - 1 && block == 0) {
                s.acc.x = s.entry.x;
                s.acc.y = s.entry.y;
                fe384_from_words(&s.acc.z, fe384_one);
                continue;
            }
            if (block == 0) {
                p384_double(&s.acc, &s.scratch);
            }
            if (i == 0 && block == P384_TABLE_BLOCKS - 1) {
                s.scratch.twice = s.acc;
                p384_double(&s.scratch.twice, &s.scratch);
            }
            p384_add_affine(&s.acc, &s.entry, &s.scratch);
        }
    }
    p384_set_if(fe384_is_zero(&s.acc.z), &s.acc, &s.scratch.twice);
    out[0] = 4;
    point_to_bytes(out + 1, out + 49, &s.acc, s.negative, &s.scratch);
    lt_wipe(&s, sizeof s);
}

/* ---- A peer's point ------------------------------------------------------------------------------ */

typedef struct {
    uint64_t half[6];
    p384_point table[ODD_MULTIPLES]; /* 1, 3, 5, ... times the peer's point */
    p384_point acc, entry;
    p384_scratch scratch;
} peer_state;

/* The WINDOW signed bits from bit `at` on; in the top window three, and above them the sign of the top one. */
static uint64_t window_bits(const uint64_t half[6], int at) {
    const int word = at / 64, shift = at % 64;
    uint64_t bits = half[word] >> shift;

    if (at == TOP) {
        return (bits & 7) | ODD_MULTIPLES;
    }
    if (shift > 64 - WINDOW) {
        bits |= half[word + 1] << (64 - shift);
    }
    return bits;
}

/* What signed bits add up to times the point, reading the whole table. */
static void read_table(peer_state *s, uint64_t bits) {
    const uint64_t negative = (bits >> (WINDOW - 1) & 1) - 1;
    const uint64_t index = (bits ^ negative) & (ODD_MULTIPLES - 1);

    s->entry = s->table[0];
    for (uint64_t i = 1; i < ODD_MULTIPLES; i++) {
        p384_set_if(lt_ct_eq(index, i), &s->entry, &s->table[i]);
    }
    p384_negate_if(negative, &s->entry.y, &s->scratch);
}

/* What twice the point, kept in acc, is added to are odd multiples of it: neither itself nor its opposite. */
static void fill_table(peer_state *s, const p384_affine *point) {
    s->table[0].x = point->x;
    s->table[0].y = point->y;
    fe384_from_words(&s->table[0].z, fe384_one);
    s->acc = s->table[0];
    p384_double(&s->acc, &s->scratch);
    for (int i = 1; i < ODD_MULTIPLES; i++) {
        s->table[i] = s->table[i - 1];
        p384_add(&s->table[i], &s->acc, &s->scratch);
    }
}

/**
 * The x coordinate of scalar * peer, see inner.h.
 *
 * Windows of WINDOW signed bits, the top one of bits TOP to 383.
 *
 * Exceptions. acc is doubled before an odd T is added: A is even. A + T is k' / 2^at rounded to an odd number, and
 * |2T| < 64. So both are far below n until at = 0, and as A >= 2^WINDOW > |T|, neither is below 0.
 */
static int multiply_peer(uint8_t out[48], const uint8_t scalar[48], const uint8_t peer[97]) {
    p384_affine point;
    peer_state s;

    if (point_from_bytes(&point, peer) != LT_OK) {
        return LT_ERR_POINT;
    }
    fill_table(&s, &point);
    (void)recode(s.half, scalar); /* x is that of -k' too */
    read_table(&s, window_bits(s.half, TOP));
    s.acc = s.entry;
    for (int at = TOP - WINDOW; at >= 0; at -= WINDOW) {
        for (int i = 0; i < WINDOW; i++) {
            p384_double(&s.acc, &s.scratch);
        }
        read_table(&s, window_bits(s.half, at));
        if (at == 0) {
            s.scratch.twice = s.acc;
            p384_double(&s.scratch.twice, &s.scratch);
        }
        p384_add(&s.acc, &s.entry, &s.scratch);
    }
    p384_set_if(fe384_is_zero(&s.acc.z), &s.acc, &s.scratch.twice);
    point_to_bytes(out, NULL, &s.acc, 0, &s.scratch);
    lt_wipe(&s, sizeof s);
    return LT_OK;
}

#endif
