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

/* ---- The base point: the comb of x25519_base.c, whose formulas these are ----------------------------------- */

/*
 * An operation of the comb, a doubling or an addition, is two multiplications of four lanes. They are taken one a turn,
 * so that they can be put between those of a ladder. Operations count down: 96, a multiple of 3, is a doubling; 95 adds
 * from the second block of the table, 94 from the first; and so on.
 */
#define COMB_TURNS 192

/* The factors of the next multiplication. */
typedef struct {
    fe4 a, b;
} factors;

/* a | mask & b, which is one instruction. in: any; out: result any. */
LT_IFMA LT_INLINE lanes or_masked(lanes a, lanes mask, lanes b) {
    return _mm256_ternarylogic_epi64(a, mask, b, 0xf8);
}

/*
 * The entry for bits `position`, + 64, + 128, + 192 of k, reading the whole block of the table.
 * in: k any, position < 64; out: limbs < 2^52.
 */
LT_IFMA LT_INLINE fe4 read_comb_lanes(const uint64_t k[4], int position) {
    const lanes one = _mm256_set_epi64x(0, 0, 0, 1), every_one = lanes_of(1), low = lanes_of(FE25519_LOW51);
    const uint64_t (*block)[12] = x25519_table[position / 32];
    lanes at = _mm256_setzero_si256(), product = at, two = _mm256_slli_epi64(one, 1), wanted, sum, difference;
    lanes w0, w1, w2, w3, t0, t1, t2, t3;
    uint64_t index = 0;
    fe4 out;

    for (int i = 0; i < 4; i++) {
        index |= (k[i] >> position & 1) << i;
    }
    wanted = lanes_hide(lanes_of(index));
    sum = _mm256_and_si256(one, _mm256_cmpeq_epi64(wanted, at)); /* the neutral element: y + x = y - x = 1 */
    difference = sum;
    for (int i = 0; i < 15; i++) {
        const lanes *entry = (const lanes *)(const void *)block[i];
        lanes mask;

        at = _mm256_add_epi64(at, every_one);
        mask = _mm256_cmpeq_epi64(wanted, at);
        sum = or_masked(sum, mask, _mm256_loadu_si256(entry));
        difference = or_masked(difference, mask, _mm256_loadu_si256(entry + 1));
        product = or_masked(product, mask, _mm256_loadu_si256(entry + 2));
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

/*
 * The first factors of an operation on p, lanes X Y Z T. Of a doubling: the squares of (X Y Z X+Y). Of an addition:
 * those of (A B C D) = (Y-X Y+X T Z) entry, where the entry has y - x, y + x, 2 d x y, 2.
 */
LT_IFMA LT_INLINE factors begin_operation(const uint64_t k[4], fe4 p, int operation) {
    const int position = (operation - 1) / 3;
    fe4 xs, ys;
    factors next;

    if (operation % 3 == 0) {
        ys = FE4_PERMUTE(p, FE4_LANES(1, 1, 1, 1));
        p = FE4_PERMUTE(p, FE4_LANES(0, 1, 2, 0));
        next.a = next.b = fe4_carry(FE4_ADD(p, 8, p, ys));
        return next;
    }
    xs = FE4_PERMUTE(p, FE4_LANES(0, 0, 0, 0));
    p = FE4_PERMUTE(p, FE4_LANES(1, 1, 3, 2));
    p = FE4_ADD(p, 2, p, xs);
    next.a = fe4_carry(FE4_SUBTRACT(p, 1, fe4_add(p, fe4_multiple_of_p(10)), xs));
    next.b = read_comb_lanes(k, operation % 3 == 2 ? 32 + position : position);
    return next;
}

/*
 * The second factors: (X Y Z T) = (E F, G H, F G, E H). Of a doubling E = (X+Y)^2 - X^2 - Y^2, F = 2 Z^2 + X^2 - Y^2,
 * G = Y^2 - X^2, H = X^2 + Y^2, of an addition E = B - A, F = D - C, G = D + C, H = B + A.
 */
LT_IFMA LT_INLINE factors end_operation(fe4 p, int operation) {
    fe4 left, right;
    factors next;

    if (operation % 3 == 0) {
        left = FE4_PERMUTE(p, FE4_LANES(3, 2, 1, 0));  /* (X+Y)^2 Z^2 Y^2 X^2 */
        right = FE4_PERMUTE(p, FE4_LANES(0, 0, 0, 1)); /* X^2 X^2 X^2 Y^2 */
        p = FE4_PERMUTE(p, FE4_LANES(1, 1, 1, 1));
        left = fe4_add(FE4_ADD(left, 2, left, left), fe4_multiple_of_p(11));
        left = FE4_SUBTRACT(left, 3, left, p);
        left = FE4_ADD(left, 10, left, right);
        left = FE4_SUBTRACT(left, 5, left, right);
    } else {
        left = FE4_PERMUTE(p, FE4_LANES(1, 3, 3, 1));
        right = FE4_PERMUTE(p, FE4_LANES(0, 2, 2, 0)); /* A C C A */
        left = FE4_SUBTRACT(FE4_ADD(left, 12, left, right), 3, fe4_add(left, fe4_multiple_of_p(10)), right);
    }
    left = fe4_carry(left);
    next.a = FE4_PERMUTE(left, FE4_LANES(0, 2, 1, 0));
    next.b = FE4_PERMUTE(left, FE4_LANES(1, 3, 2, 3));
    return next;
}

/* What follows on a turn's product; turns count down to 0, after which the factors are begun of one doubling more. */
LT_IFMA LT_INLINE factors take_turn(const uint64_t k[4], fe4 p, int turn) {
    return turn % 2 == 1 ? end_operation(p, turn / 2 + 1) : begin_operation(k, p, turn / 2);
}

/* The factors of the first turn. */
LT_IFMA LT_INLINE factors begin_comb(const uint64_t k[4]) {
    static const fe25519 zero = {{0, 0, 0, 0, 0}}, one = {{1, 0, 0, 0, 0}};

    return begin_operation(k, fe4_from(&zero, &one, &one, &zero), COMB_TURNS / 2);
}

/* After the last turn u is x / z. in: last limbs < 2^51 + 2^18; out: loose. */
LT_IFMA LT_INLINE void end_comb(fe25519 *x, fe25519 *z, factors last) {
    fe25519 ends[4];

    fe4_to(ends, last.a);
    fe25519_add(x, &ends[2], &ends[1]); /* u = (Z + Y) / (Z - Y), see x25519_base.c */
    fe25519_sub(z, &ends[2], &ends[1]);
    lt_wipe(ends, sizeof ends);
}

/* The whole comb: u is x / z. in: any; out: loose. */
LT_IFMA static void run_comb(fe25519 *x, fe25519 *z, const uint64_t k[4]) {
    factors next = begin_comb(k);

    for (int turn = COMB_TURNS - 1; turn >= 0; turn--) {
        next = take_turn(k, fe4_mul(next.a, next.b), turn);
    }
    end_comb(x, z, next);
}

/* ---- A peer's key: the Montgomery ladder, RFC 7748 section 5, whose names these are ---------------------- */

/* Between the second and the third multiplication of a step. */
typedef struct {
    fe4 sums, second;
} half_step;

/* Lanes 0 0 2 2. */
LT_IFMA LT_INLINE fe4 repeat_even(fe4 a) {
    a.l0 = _mm256_unpacklo_epi64(a.l0, a.l0);
    a.l1 = _mm256_unpacklo_epi64(a.l1, a.l1);
    a.l2 = _mm256_unpacklo_epi64(a.l2, a.l2);
    a.l3 = _mm256_unpacklo_epi64(a.l3, a.l3);
    a.l4 = _mm256_unpacklo_epi64(a.l4, a.l4);
    return a;
}

/*
 * The first two multiplications of a step. The lanes before it are A D B C; of the products AA DA BB CB; then of
 * AA+a24*E (DA-CB)^2 AA*BB (DA+CB)^2, which is z_2 / E, z_3 / x_1, x_2, x_3.
 * in: state limbs < 2^52; out: limbs < 2^51 + 2^18.
 */
LT_IFMA LT_INLINE half_step begin_step(fe4 state) {
    const lanes a24 = lanes_of(121665), zero = _mm256_setzero_si256();
    const fe4 constant = {a24, zero, zero, zero, zero};
    fe4 first = fe4_mul(state, repeat_even(state)), other = FE4_PERMUTE(first, FE4_LANES(2, 3, 0, 1)), sums, right;
    half_step out;

    sums = FE4_ADD(first, 8, first, other);
    sums = FE4_SUBTRACT(sums, 3, fe4_add(first, fe4_multiple_of_p(10)), other);
    sums = fe4_carry(sums); /* E DA-CB BB DA+CB */
    right = FE4_BLEND(FE4_BLEND(constant, fe4_carry(other), 4), sums, 10);
    out.second = fe4_carry(fe4_columns(sums, right, FE4_ONLY(first, 1)));
    out.sums = sums;
    return out;
}

/*
 * The third. A D B C of the next step are (z_2 -z_3 -z_2 z_3) + (x_2 x_3 x_2 x_3), so that the sums are those that a
 * multiplication takes anyway: (E -x_1 -E x_1) times z_2 / E and z_3 / x_1. If `swap` is all ones, the points change
 * places after the step: all of that is in the order of lanes 3 2 1 0. `u` has -x_1 in lane 1, x_1 in lane 3.
 * in: swap is a mask, half limbs < 2^51 + 2^18, u limbs < 2^51 + 2^18; out: limbs < 2^51 + 2^18.
 */
LT_IFMA LT_INLINE fe4 end_step(half_step half, fe4 u, uint64_t swap) {
    const lanes swaps = lanes_of(swap = lt_ct_hide(swap)), one = _mm256_and_si256(swaps, lanes_of(1));
    const lanes of_factors =
        _mm256_xor_si256(_mm256_set_epi64x(7, 0, 5, 0), _mm256_and_si256(swaps, _mm256_set_epi64x(7, 5, 5, 7)));
    const fe4 right = FE4_PERMUTE_BY(_mm256_xor_si256(one, _mm256_set_epi64x(1, 0, 1, 0)), half.second);
    const fe4 added = FE4_PERMUTE_BY(_mm256_xor_si256(one, _mm256_set_epi64x(3, 2, 3, 2)), half.second);
    const __mmask8 negative = (__mmask8)(4 ^ (swap & 6));
    fe4 left = FE4_PICK(half.sums, of_factors, u);

    left = FE4_SUBTRACT(left, negative, fe4_multiple_of_p(1), left);
    return fe4_carry(fe4_columns(left, right, added));
}

/*
 * All steps: the result is x / z. Beside the last `turns` of them, as many turns of the comb are taken: a step takes 3
 * multiplications, each of which needs the one before, and leaves the processor time for one that does not.
 */
LT_IFMA static void run_ladder(fe25519 *x, fe25519 *z, const uint64_t k[4], const uint8_t u[32], factors *beside,
                               int turns) {
    static const fe25519 zero = {{0, 0, 0, 0, 0}}, one = {{1, 0, 0, 0, 0}};
    uint64_t w[4];
    fe25519 x_1, negative, sum, difference, ends[4];
    fe4 state, point, product = beside->a;

    for (int i = 0; i < 4; i++) {
        w[i] = lt_load64_le(u + 8 * i);
    }
    fe25519_from_words(&x_1, w); /* drops the top bit, takes u >= p as it is: RFC 7748 section 5 */
    fe25519_add(&sum, &x_1, &one);
    fe25519_sub(&difference, &x_1, &one);
    fe25519_sub(&negative, &zero, &x_1);
    point = fe4_carry(fe4_from(&zero, &negative, &zero, &x_1));
    state = fe4_carry(fe4_from(&sum, &one, &difference, &one)); /* C B D A, for bit 254 is set */
    for (int i = 254; i >= 0; i--) {
        const uint64_t bit = k[i / 64] >> (i % 64), next = i > 0 ? k[(i - 1) / 64] >> ((i - 1) % 64) : 0;
        const half_step half = begin_step(state);

        if (i < turns) {
            product = fe4_mul(beside->a, beside->b);
        }
        state = end_step(half, point, 0 - ((bit ^ next) & 1));
        if (i < turns) {
            *beside = take_turn(k, product, i);
        }
    }
    fe4_to(ends, state);
    fe25519_add(x, &ends[0], &ends[2]); /* 2 x_2 = A + B */
    fe25519_sub(z, &ends[0], &ends[2]);
    lt_wipe(ends, sizeof ends);
}

/* ---- What others call -------------------------------------------------------------------------------------- */

/* see x25519_ifma.h. in: any; out: any. */
LT_IFMA int lt_x25519_ifma(uint8_t out[32], const uint8_t scalar[32], const uint8_t u[32]) {
    uint64_t k[4], zero;
    const fe4 nothing = fe4_multiple_of_p(0);
    factors idle = {nothing, nothing};
    fe25519 x, z;

    x25519_scalar(k, scalar);
    run_ladder(&x, &z, k, u, &idle, 0);
    invert_element(&z, &z);
    zero = write_product(out, &x, &z);
    lt_wipe(k, sizeof k);
    lt_wipe(&x, sizeof x);
    lt_wipe(&z, sizeof z);
    return LT_ERR_POINT * (int)(zero & 1);
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
    factors next;
    uint64_t k[4], zero;

    x25519_scalar(k, scalar);
    next = begin_comb(k);
    run_ladder(&x, &z, k, u, &next, COMB_TURNS);
    end_comb(&base_x, &base_z, next);
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
    lt_wipe(&next, sizeof next);
    return LT_ERR_POINT * (int)(zero & 1);
}
#endif
