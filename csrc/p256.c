/*
 * P-256 (secp256r1, SP 800-186 section 3.2.1.3): scalar multiplication for key exchange. The running time depends on
 * neither scalar nor result; peers' points are public. p256_adx.c does the same where a processor has MULX and ADX.
 */
#include "p256_adx.h"
#include "p256_field.h"
#include "p256_table.h"

#define fe            fe256
#define fe_add        fe256_add
#define fe_sub        fe256_sub
#define fe_mul        fe256_mul
#define fe_square     fe256_square
#define fe_fold       fe256_fold
#define fe_from_words fe256_from_words
#define fe_to_words   fe256_to_words
#define fe_b          fe256_b
#define fe_rr         fe256_rr

#include "p256_bytes.h"
#include "p256_point.h"

#define WINDOW  5  /* bits per window of lt_p256; digits go from -16 to 16 */
#define WINDOWS 52 /* ceil(257 / 5): bit 256 takes the last carry */

static const uint64_t p256_n[4] = {UINT64_C(0xf3b9cac2fc632551), UINT64_C(0xbce6faada7179e84),
                                   UINT64_C(0xffffffffffffffff), UINT64_C(0xffffffff00000000)};

/* see inner.h */
int lt_p256_check_scalar(const uint8_t scalar[32]) {
    uint64_t k[4], valid;

    load_words(k, scalar);
    valid = words_lt(k, p256_n) & ~lt_ct_is_zero(k[0] | k[1] | k[2] | k[3]);
    lt_wipe(k, sizeof k);
    return LT_ERR_SCALAR * (int)(~valid & 1);
}

/* The affine coordinates of a, big endian; a is not infinity. y may be null. */
static void point_to_bytes(uint8_t *x, uint8_t *y, const p256_point *a, p256_scratch *s) {
    fe256_invert(&s->a, &a->z);
    fe256_square(&s->b, &s->a);
    fe256_mul(&s->c, &a->x, &s->b);
    fe_to_bytes(x, &s->c);
    if (y != NULL) {
        fe256_mul(&s->b, &s->b, &s->a);
        fe256_mul(&s->c, &a->y, &s->b);
        fe_to_bytes(y, &s->c);
    }
}

/* ---- The base point ----------------------------------------------------------------------------- */

typedef struct {
    uint64_t k[4], words[8];
    p256_point acc;
    p256_affine entry;
    p256_scratch scratch;
} base_state;

/* Add the entry for bits `position`, + 64, + 128, + 192 of k, reading the whole block of the table. */
static void add_from_comb(base_state *s, int position) {
    const uint64_t (*block)[8] = p256_table[position / 32];
    uint64_t index = 0;

    for (int i = 0; i < 4; i++) {
        index |= (s->k[i] >> position & 1) << i;
    }
    for (int i = 0; i < 8; i++) {
        s->words[i] = 0;
    }
    for (uint64_t i = 0; i < 15; i++) {
        uint64_t mask = lt_ct_eq(index, i + 1);

        for (int j = 0; j < 8; j++) {
            s->words[j] |= mask & block[i][j];
        }
    }
    fe256_from_words(&s->entry.x, s->words);
    fe256_from_words(&s->entry.y, s->words + 4);
    p256_add_affine(&s->acc, &s->entry, lt_ct_is_zero(index), &s->scratch);
}

/**
 * see inner.h
 *
 * A comb of four teeth, 64 bits apart, in two blocks of 32 bits: 32 doublings, 64 additions. Why equal or opposite
 * points never meet: let A and T be the integers whose multiples of G are acc and the entry. A + T consists of leading
 * bits of k, shifted right within each run of 32 bits, so 0 <= A + T <= k < n. A G = -T G hence means A = T = 0, and
 * A G = T G means A = T. In every run T has at most the lowest bit, and where it has, A has not: again A = T = 0. Then
 * both are infinity, and masks deal with that.
 */
void lt_p256_base(uint8_t out[65], const uint8_t scalar[32]) {
    static const uint64_t zero[4] = {0, 0, 0, 0};
    base_state s;

#if LT_P256_ADX && LT_LIMB64
    if (lt_cpu_has(LT_CPU_BMI2_ADX)) {
        lt_p256_base_adx(out, scalar);
        return;
    }
#endif
    load_words(s.k, scalar);
    fe256_from_words(&s.acc.x, zero);
    fe256_from_words(&s.acc.y, zero);
    fe256_from_words(&s.acc.z, zero);
    s.acc.infinite = ~(uint64_t)0;
    for (int i = 31; i >= 0; i--) {
        p256_double(&s.acc, &s.scratch);
        add_from_comb(&s, 32 + i);
        add_from_comb(&s, i);
    }
    out[0] = 4;
    point_to_bytes(out + 1, out + 33, &s.acc, &s.scratch);
    lt_wipe(&s, sizeof s);
}

/* ---- A peer's point ------------------------------------------------------------------------------ */

typedef struct {
    uint64_t k[4];
    p256_point table[1 << (WINDOW - 1)]; /* 1 to 16 times the peer's point */
    p256_point acc, entry;
    fe256 minus_y;
    p256_scratch scratch;
} peer_state;

/* Add digit i: bits 5i to 5i + 4 of k, plus bit 5i - 1, minus 32 times bit 5i + 4, from -16 to 16. */
static void add_digit(peer_state *s, int i) {
    static const uint64_t zero[4] = {0, 0, 0, 0};
    uint64_t bits, low, negative, magnitude;
    int first = WINDOW * i - 1, word = first / 64, shift = first % 64;

    if (first < 0) {
        bits = s->k[0] << 1;
    } else {
        bits = s->k[word] >> shift;
        if (shift > 64 - WINDOW - 1 && word < 3) {
            bits |= s->k[word + 1] << (64 - shift);
        }
    }
    negative = 0 - (bits >> WINDOW & 1);
    low = ((bits & 31) + 1) >> 1;
    magnitude = lt_ct_select(negative, 16 - low, low);

    fe256_from_words(&s->entry.x, zero);
    s->entry.y = s->entry.x;
    s->entry.z = s->entry.x;
    s->entry.infinite = ~(uint64_t)0; /* digit 0 */
    for (uint64_t j = 0; j < 16; j++) {
        p256_set_if(lt_ct_eq(magnitude, j + 1), &s->entry, &s->table[j]);
    }
    fe256_from_words(&s->minus_y, zero);
    fe256_sub(&s->minus_y, &s->minus_y, &s->entry.y);
    fe256_fold(&s->minus_y, &s->minus_y);
    fe256_set_if(negative, &s->entry.y, &s->minus_y);
    p256_add(&s->acc, &s->entry, &s->scratch);
}

/* 1 to 16 times the point. What the point is added to are its multiples 2 to 14: neither itself nor its opposite. */
static void fill_table(peer_state *s, const p256_affine *point) {
    s->table[0].x = point->x;
    s->table[0].y = point->y;
    fe256_from_words(&s->table[0].z, fe256_one);
    s->table[0].infinite = 0;
    for (int i = 1; i < 16; i += 2) {
        s->table[i] = s->table[i / 2];
        p256_double(&s->table[i], &s->scratch);
        if (i < 15) {
            s->table[i + 1] = s->table[i];
            p256_add_affine(&s->table[i + 1], point, 0, &s->scratch);
        }
    }
}

/**
 * see inner.h
 *
 * Signed windows of five bits. Why equal or opposite points never meet: before digit d = d_i is added, acc is 32 m
 * times the point, and 32 m + d is k / 32^i rounded, so 0 <= 32 m + d <= k < n. If m = 0, acc is infinity, and masks
 * deal with that. If m > 0, 32 m + d > 0 is no multiple of n, so the points are not opposite. Equal ones mean
 * 32 m - d = 0 (mod n), but 0 < 32 m - d = (32 m + d) - 2 d < n + 32, so it could only be n: not for i > 0, where
 * 32 m + d is far below n, and for i = 0 it needs a negative d = -n = 15 (mod 32), but those from -1 to -16 are 31 to
 * 16 (mod 32).
 */
int lt_p256(uint8_t out[32], const uint8_t scalar[32], const uint8_t peer[65]) {
    static const uint64_t zero[4] = {0, 0, 0, 0};
    p256_affine point;
    peer_state s;

#if LT_P256_ADX && LT_LIMB64
    if (lt_cpu_has(LT_CPU_BMI2_ADX)) {
        return lt_p256_adx(out, scalar, peer);
    }
#endif
    if (point_from_bytes(&point, peer) != LT_OK) {
        return LT_ERR_POINT;
    }
    fill_table(&s, &point);
    load_words(s.k, scalar);
    fe256_from_words(&s.acc.x, zero);
    fe256_from_words(&s.acc.y, zero);
    fe256_from_words(&s.acc.z, zero);
    s.acc.infinite = ~(uint64_t)0;
    for (int i = WINDOWS - 1; i >= 0; i--) {
        for (int j = 0; j < WINDOW; j++) {
            p256_double(&s.acc, &s.scratch);
        }
        add_digit(&s, i);
    }
    point_to_bytes(out, NULL, &s.acc, &s.scratch); /* 0 < k < n, the order: not infinity */
    lt_wipe(&s, sizeof s);
    return LT_OK;
}
