/*
 * X25519 with AVX-512 IFMA, four products at a time: what x25519.c and x25519_base.c do in portable C. The running time
 * depends on neither scalar nor result.
 */
#include "x25519_ifma.h"

#if LT_X25519_IFMA
#include "invert64.h"
#include "x25519_field_ifma.h"
#include "x25519_table.h"

/* 1 / a, 0 for 0. in: loose; out: tight. */
static void invert_element(fe25519 *out, const fe25519 *a) {
    static const lt_modulus62 p = {
        {{0x3fffffffffffffed, 0x3fffffffffffffff, 0x3fffffffffffffff, 0x3fffffffffffffff, 0x7f}},
        UINT64_C(0x39435e50d79435e5)};
    uint64_t w[4];

    fe25519_to_words(w, a);
    lt_invert64(w, w, &p);
    fe25519_from_words(out, w);
    lt_wipe(w, sizeof w);
}

/* a b as bytes; says whether it is 0: all ones or none. in: loose; out: result any. */
static uint64_t write_product(uint8_t out[32], const fe25519 *a, const fe25519 *b) {
    uint64_t w[4], zero;
    fe25519 product;

    fe25519_mul(&product, a, b);
    fe25519_to_words(w, &product);
    for (int i = 0; i < 4; i++) {
        lt_store64_le(out + 8 * i, w[i]);
    }
    zero = lt_ct_is_zero(w[0] | w[1] | w[2] | w[3]);
    lt_wipe(w, sizeof w);
    lt_wipe(&product, sizeof product);
    return zero;
}

/* ---- A peer's key: the Montgomery ladder, RFC 7748 section 5, whose names these are ---------------------- */

/*
 * One step. The lanes are x_2, z_2, x_3, z_3 before and after; `u` has x_1 in lane 3.
 * Level by level (AA BB CB DA), (x_2 AA+a24*E x_3 (DA-CB)^2), (. z_2 . z_3).
 * in: state limbs < 2^51 + 2^11, u limbs < 2^52, a24 limbs < 2^52; out: limbs < 2^51 + 2^11.
 */
LT_IFMA LT_INLINE fe4 ladder_lanes(fe4 state, fe4 u, fe4 a24) {
    fe4 xs = FE4_PERMUTE(state, FE4_LANES(0, 0, 2, 2)), zs = FE4_PERMUTE(state, FE4_LANES(1, 1, 3, 3));
    fe4 sums, left, right, first, second, third;

    sums = fe4_carry(fe4_add(xs, FE4_BLEND(zs, fe4_negate(zs), 10))); /* A B C D */
    first = fe4_mul(sums, FE4_PERMUTE(sums, FE4_LANES(0, 1, 1, 0)));

    left = FE4_PERMUTE(first, FE4_LANES(0, 0, 3, 3));  /* AA AA DA DA */
    right = FE4_PERMUTE(first, FE4_LANES(1, 1, 2, 2)); /* BB BB CB CB */
    sums = fe4_carry(fe4_add(left, FE4_BLEND(right, fe4_negate(right), 10)));
    sums = FE4_BLEND(sums, left, 1); /* AA E DA+CB DA-CB */
    right = FE4_BLEND(FE4_BLEND(sums, right, 1), a24, 2);
    second = fe4_mul_add(sums, right, FE4_ONLY(left, 2));

    third = fe4_mul(second, FE4_BLEND(sums, u, 8));
    return FE4_BLEND(second, third, 10);
}

/*
 * Lanes 0, 1 and 2, 3 change places if `mask` is all ones, not if it is 0.
 * in: mask is a mask, a limbs < 2^51 + 2^11; out: limbs < 2^51 + 2^11.
 */
LT_IFMA LT_INLINE fe4 swap_halves(uint64_t mask, fe4 a) {
    const lanes order = _mm256_xor_si256(_mm256_set_epi64x(3, 2, 1, 0), lanes_of(lt_ct_hide(mask) & 2));

    a.l0 = _mm256_permutexvar_epi64(order, a.l0);
    a.l1 = _mm256_permutexvar_epi64(order, a.l1);
    a.l2 = _mm256_permutexvar_epi64(order, a.l2);
    a.l3 = _mm256_permutexvar_epi64(order, a.l3);
    a.l4 = _mm256_permutexvar_epi64(order, a.l4);
    return a;
}

/* All steps: the result is x / z. in: any; out: tight. */
LT_IFMA static void run_ladder(fe25519 *x, fe25519 *z, const uint64_t k[4], const uint8_t u[32]) {
    static const fe25519 zero = {{0, 0, 0, 0, 0}}, one = {{1, 0, 0, 0, 0}}, a24 = {{121665, 0, 0, 0, 0}};
    uint64_t w[4], swap = 0;
    fe25519 x_1, ends[4];
    fe4 state, point, constant;

    for (int i = 0; i < 4; i++) {
        w[i] = lt_load64_le(u + 8 * i);
    }
    fe25519_from_words(&x_1, w); /* drops the top bit, takes u >= p as it is: RFC 7748 section 5 */
    state = fe4_from(&one, &zero, &x_1, &one);
    point = fe4_from(&x_1, &x_1, &x_1, &x_1);
    constant = fe4_from(&a24, &a24, &a24, &a24);
    for (int i = 254; i >= 0; i--) {
        uint64_t bit = 0 - (k[i / 64] >> (i % 64) & 1);

        state = ladder_lanes(swap_halves(swap ^ bit, state), point, constant);
        swap = bit;
    }
    fe4_to(ends, swap_halves(swap, state));
    *x = ends[0];
    *z = ends[1];
    lt_wipe(ends, sizeof ends);
}

/* see x25519_ifma.h. in: any; out: any. */
LT_IFMA int lt_x25519_ifma(uint8_t out[32], const uint8_t scalar[32], const uint8_t u[32]) {
    uint64_t k[4], zero;
    fe25519 x, z;

    x25519_scalar(k, scalar);
    run_ladder(&x, &z, k, u);
    invert_element(&z, &z);
    zero = write_product(out, &x, &z);
    lt_wipe(k, sizeof k);
    lt_wipe(&x, sizeof x);
    lt_wipe(&z, sizeof z);
    return LT_ERR_POINT * (int)(zero & 1);
}

/* ---- The base point: the comb of x25519_base.c, whose formulas these are ----------------------------------- */

/*
 * The end of both: of lanes E F G H lanes X Y Z T, which are E F, G H, F G, E H.
 * in: limbs < 2^57; out: limbs < 2^51 + 2^11.
 */
LT_IFMA LT_INLINE fe4 edwards_lanes_tail(fe4 efgh) {
    efgh = fe4_carry(efgh);
    return fe4_mul(FE4_PERMUTE(efgh, FE4_LANES(0, 2, 1, 0)), FE4_PERMUTE(efgh, FE4_LANES(1, 3, 2, 3)));
}

/*
 * 2 p. (X^2 Y^2 Z^2 (X+Y)^2), then E = (X+Y)^2 - X^2 - Y^2, F = 2 Z^2 + X^2 - Y^2, G = Y^2 - X^2, H = X^2 + Y^2.
 * in: limbs < 2^51 + 2^11; out: limbs < 2^51 + 2^11.
 */
LT_IFMA LT_INLINE fe4 double_lanes(fe4 p) {
    fe4 xs, ys, sums;

    sums = fe4_add(FE4_PERMUTE(p, FE4_LANES(0, 1, 2, 0)), FE4_ONLY(FE4_PERMUTE(p, FE4_LANES(1, 1, 1, 1)), 8));
    sums = fe4_carry(sums);
    p = fe4_mul(sums, sums);
    xs = FE4_PERMUTE(p, FE4_LANES(0, 0, 0, 1)); /* X^2 X^2 X^2 Y^2 */
    ys = FE4_PERMUTE(p, FE4_LANES(1, 1, 1, 1));
    sums = fe4_add(FE4_PERMUTE(p, FE4_LANES(3, 2, 1, 0)), FE4_BLEND(xs, fe4_negate(xs), 5));
    sums = fe4_add(sums, FE4_ONLY(fe4_negate(ys), 3));
    sums = fe4_add(sums, FE4_ONLY(FE4_PERMUTE(p, FE4_LANES(2, 2, 2, 2)), 2));
    return edwards_lanes_tail(sums);
}

/*
 * p + entry, lanes y - x, y + x, 2 d x y, 2. (A B C D) = (Y-X Y+X T Z) entry, E = B - A, F = D - C, G = D + C,
 * H = B + A. in: p limbs < 2^51 + 2^11, entry limbs < 2^52; out: limbs < 2^51 + 2^11.
 */
LT_IFMA LT_INLINE fe4 add_lanes(fe4 p, fe4 entry) {
    fe4 xs = FE4_PERMUTE(p, FE4_LANES(0, 0, 0, 0)), left = FE4_PERMUTE(p, FE4_LANES(1, 1, 3, 2)), right;

    left = fe4_carry(fe4_add(left, FE4_ONLY(FE4_BLEND(xs, fe4_negate(xs), 1), 3)));
    p = fe4_mul(left, entry);
    right = FE4_PERMUTE(p, FE4_LANES(0, 2, 2, 0)); /* A C C A */
    return edwards_lanes_tail(fe4_add(FE4_PERMUTE(p, FE4_LANES(1, 3, 3, 1)), FE4_BLEND(right, fe4_negate(right), 3)));
}

/*
 * The entry for bits `position`, + 64, + 128, + 192 of k, reading the whole block of the table.
 * in: k any, position < 64; out: limbs < 2^52.
 */
LT_IFMA LT_INLINE fe4 read_comb_lanes(const uint64_t k[4], int position) {
    const lanes one = _mm256_set_epi64x(0, 0, 0, 1), low = lanes_of(FE25519_LOW51);
    const uint64_t (*block)[12] = x25519_table[position / 32];
    lanes sum, difference, product, two = _mm256_slli_epi64(one, 1), w0, w1, w2, w3, t0, t1, t2, t3;
    uint64_t index = 0;
    fe4 out;

    for (int i = 0; i < 4; i++) {
        index |= (k[i] >> position & 1) << i;
    }
    sum = _mm256_and_si256(one, lanes_of(lt_ct_is_zero(index))); /* the neutral element: y + x = y - x = 1 */
    difference = sum;
    product = _mm256_setzero_si256();
    for (uint64_t i = 0; i < 15; i++) {
        const lanes *entry = (const lanes *)(const void *)block[i], mask = lanes_of(lt_ct_eq(index, i + 1));

        sum = _mm256_or_si256(sum, _mm256_and_si256(mask, _mm256_loadu_si256(entry)));
        difference = _mm256_or_si256(difference, _mm256_and_si256(mask, _mm256_loadu_si256(entry + 1)));
        product = _mm256_or_si256(product, _mm256_and_si256(mask, _mm256_loadu_si256(entry + 2)));
    }
    /* words of one element in a row, to one word of all elements in a row */
    t0 = _mm256_unpacklo_epi64(difference, sum);
    t1 = _mm256_unpackhi_epi64(difference, sum);
    t2 = _mm256_unpacklo_epi64(product, two);
    t3 = _mm256_unpackhi_epi64(product, two);
    w0 = _mm256_permute2x128_si256(t0, t2, 0x20);
    w1 = _mm256_permute2x128_si256(t1, t3, 0x20);
    w2 = _mm256_permute2x128_si256(t0, t2, 0x31);
    w3 = _mm256_permute2x128_si256(t1, t3, 0x31);
    out.l0 = _mm256_and_si256(w0, low);
    out.l1 = _mm256_and_si256(_mm256_or_si256(_mm256_srli_epi64(w0, 51), _mm256_slli_epi64(w1, 13)), low);
    out.l2 = _mm256_and_si256(_mm256_or_si256(_mm256_srli_epi64(w1, 38), _mm256_slli_epi64(w2, 26)), low);
    out.l3 = _mm256_and_si256(_mm256_or_si256(_mm256_srli_epi64(w2, 25), _mm256_slli_epi64(w3, 39)), low);
    out.l4 = _mm256_srli_epi64(w3, 12);
    return out;
}

/* The whole comb: u is x / z. in: any; out: loose. */
LT_IFMA static void run_comb(fe25519 *x, fe25519 *z, const uint64_t k[4]) {
    static const fe25519 zero = {{0, 0, 0, 0, 0}}, one = {{1, 0, 0, 0, 0}};
    fe4 p = fe4_from(&zero, &one, &one, &zero);
    fe25519 ends[4];

    for (int i = 31; i >= 0; i--) {
        p = double_lanes(p);
        p = add_lanes(p, read_comb_lanes(k, 32 + i));
        p = add_lanes(p, read_comb_lanes(k, i));
    }
    fe4_to(ends, p);
    fe25519_add(x, &ends[2], &ends[1]); /* u = (Z + Y) / (Z - Y), see x25519_base.c */
    fe25519_sub(z, &ends[2], &ends[1]);
    lt_wipe(ends, sizeof ends);
}

/* see x25519_ifma.h. in: any; out: any. */
LT_IFMA void lt_x25519_base_ifma(uint8_t out[32], const uint8_t scalar[32]) {
    uint64_t k[4];
    fe25519 x, z;

    x25519_scalar(k, scalar);
    run_comb(&x, &z, k);
    invert_element(&z, &z);
    (void)write_product(out, &x, &z);
    lt_wipe(k, sizeof k);
    lt_wipe(&x, sizeof x);
    lt_wipe(&z, sizeof z);
}

/*
 * see x25519_ifma.h. One inversion for both (Montgomery). What is inverted is 0 if the ladder's z is, and then there is
 * no secret; the comb's z never is. in: any; out: any.
 */
LT_IFMA int lt_x25519_agree_ifma(uint8_t public[32], uint8_t secret[32], const uint8_t scalar[32],
                                 const uint8_t u[32]) {
    fe25519 x, z, base_x, base_z, inverse;
    uint64_t k[4], zero;

    x25519_scalar(k, scalar);
    run_ladder(&x, &z, k, u);
    run_comb(&base_x, &base_z, k);
    fe25519_mul(&inverse, &z, &base_z);
    invert_element(&inverse, &inverse);
    fe25519_mul(&base_z, &inverse, &base_z); /* 1 / z */
    fe25519_mul(&z, &inverse, &z);           /* 1 / base_z */
    zero = write_product(secret, &x, &base_z);
    (void)write_product(public, &base_x, &z);
    lt_wipe(k, sizeof k);
    lt_wipe(&x, sizeof x);
    lt_wipe(&z, sizeof z);
    lt_wipe(&base_x, sizeof base_x);
    lt_wipe(&base_z, sizeof base_z);
    lt_wipe(&inverse, sizeof inverse);
    return LT_ERR_POINT * (int)(zero & 1);
}
#endif
