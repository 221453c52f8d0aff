/*
 * Inversion by divsteps for the modulus of each user, numbers at both ends and others: modulo p's against Fermat's in
 * portable C, modulo n against multiplication.
 */
#include "check.h"

#include "invert64.h"
#include "p256_field.h"
#include "p256_order.h"
#include "x25519_field.h"

#if LT_INT128
static const lt_modulus62 p256 = {{{0x3fffffffffffffff, 0x00000003ffffffff, 0, 0x3fffffc000000040, 0xff}},
                                  UINT64_C(0x3fffffffffffffff)};
static const lt_modulus62 p25519 = {
    {{0x3fffffffffffffed, 0x3fffffffffffffff, 0x3fffffffffffffff, 0x3fffffffffffffff, 0x7f}},
    UINT64_C(0x39435e50d79435e5)};

static const lt_signed62 p256_n = {
    {0x33b9cac2fc632551, 0x339beab69c5e7a13, 0x3ffffffffffffffb, 0x3fffffc00000003f, 0xff}};

/* m as four words. */
static void words_of(uint64_t w[4], const lt_signed62 *m) {
    w[0] = (uint64_t)m->v[0] | (uint64_t)m->v[1] << 62;
    w[1] = (uint64_t)m->v[1] >> 2 | (uint64_t)m->v[2] << 60;
    w[2] = (uint64_t)m->v[2] >> 4 | (uint64_t)m->v[3] << 58;
    w[3] = (uint64_t)m->v[3] >> 6 | (uint64_t)m->v[4] << 56;
}

/* 0 to 99; m - 1 to m - 100; single bits; all ones below a bit; pseudo-random. */
static void number(uint64_t w[4], uint32_t index, const lt_signed62 *m) {
    memset(w, 0, 32);
    if (index < 100) {
        w[0] = index;
    } else if (index < 200) {
        words_of(w, m);
        w[1] -= w[0] < index - 99;
        w[0] -= index - 99;
    } else if (index < 700) {
        const uint32_t bit = (index - 200) / 2;

        memset(w, index % 2 == 1 ? 0xff : 0, 8 * (bit / 64));
        w[bit / 64] = ((uint64_t)1 << bit % 64) - index % 2;
    } else {
        fill((uint8_t *)w, 32, index);
        w[3] >>= 2;
    }
}

static void check_p25519(const uint64_t a[4]) {
    uint64_t ours[4], theirs[4];
    fe25519 x;

    lt_invert64(ours, a, &p25519);
    fe25519_from_words(&x, a);
    fe25519_invert(&x, &x);
    fe25519_to_words(theirs, &x);
    CHECK(memcmp(ours, theirs, 32) == 0);
}

/* Fermat's works on Montgomery forms: of a it makes R^2 / a, which R^-1 twice, by the number 1, takes to 1 / a. */
static void check_p256(const uint64_t a[4]) {
    static const uint64_t one[4] = {1, 0, 0, 0};
    uint64_t ours[4], theirs[4];
    fe256 x, unit;

    memcpy(ours, a, sizeof ours);
    lt_invert64(ours, ours, &p256); /* in place */
    fe256_from_words(&x, a);
    fe256_from_words(&unit, one);
    fe256_invert(&x, &x);
    fe256_mul(&x, &x, &unit);
    fe256_mul(&x, &x, &unit);
    fe256_to_words(theirs, &x);
    CHECK(memcmp(ours, theirs, 32) == 0);
}

/* 2^256 / a, whose product with a is 1, as the products are Montgomery's. */
static void check_order(const uint64_t a[4]) {
    uint64_t product[4], nonzero = a[0] | a[1] | a[2] | a[3];
    order256 x, inverse;

    words32_from_words(x.v, a);
    order256_invert(&inverse, &x);
    order256_mul(&x, &x, &inverse);
    words32_to_words(product, x.v);
    CHECK(product[0] == (nonzero != 0) && (product[1] | product[2] | product[3]) == 0);
}

int main(void) {
    for (uint32_t i = 0; i < 1500; i++) {
        uint64_t a[4];

        WHERE("number %u", (unsigned)i);
        number(a, i, &p25519.m);
        check_p25519(a);
        number(a, i, &p256.m);
        check_p256(a);
        number(a, i, &p256_n);
        check_order(a);
    }
    return check_result();
}
#else
int main(void) {
    WHERE("built without it");
    return check_result();
}
#endif
