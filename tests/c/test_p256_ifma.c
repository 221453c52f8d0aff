/*
 * P-256 with AVX-512 IFMA against the same in portable C: products and differences of limbs at their bounds, lane by
 * lane, and sums of multiples of two points, with digits that make additions meet equal, opposite and no points. Whole
 * signatures are in test_verify.c.
 */
#include "check.h"

#include "p256_ifma_vartime.h"

#if LT_P256_IFMA
#include "p256_field_ifma.h"

#define TOP   FE256_LOW52
#define TIGHT (((uint64_t)1 << 48) + ((uint64_t)1 << 46) - 1) /* the highest limb of what is tight */

static const fe256 corners[] = {
    {{0, 0, 0, 0, 0}},
    {{1, 0, 0, 0, 0}},
    {{TOP, TOP, TOP, TOP, TIGHT}},
    {{TOP, 0, 0, 0, 0}},
    {{0, 0, 0, 0, TIGHT}},
    {{0, TOP, TOP, TOP, TIGHT}},
    {{TOP, 0x00000fffffffffff, 0, 0x0000001000000000, 0x0000ffffffff0000}},     /* p */
    {{TOP - 1, 0x00000fffffffffff, 0, 0x0000001000000000, 0x0000ffffffff0000}}, /* p - 1 */
};

#define CORNERS (sizeof corners / sizeof *corners)

static void element(fe256 *out, size_t index) {
    if (index < CORNERS) {
        *out = corners[index];
        return;
    }
    fill((uint8_t *)out->v, sizeof out->v, (uint32_t)index);
    for (int i = 0; i < 5; i++) {
        out->v[i] &= TOP;
    }
    out->v[4] %= TIGHT + 1;
}

static int same(const fe256 *a, const fe256 *b) {
    uint64_t x[4], y[4];

    fe256_to_words(x, a);
    fe256_to_words(y, b);
    return memcmp(x, y, sizeof x) == 0;
}

static int is_tight(const fe256 *a) {
    return a->v[0] <= TOP && a->v[1] <= TOP && a->v[2] <= TOP && a->v[3] <= TOP && a->v[4] <= TIGHT;
}

LT_IFMA static void check_products(size_t i, size_t j) {
    fe256 a[4], b[4], expected, product[4], difference[4];
    fe4 x, y;

    for (size_t lane = 0; lane < 4; lane++) {
        element(&a[lane], i + lane);
        element(&b[lane], j + 3 * lane);
    }
    x = fe4_from(&a[0], &a[1], &a[2], &a[3]);
    y = fe4_from(&b[0], &b[1], &b[2], &b[3]);
    fe4_to(product, fe4_carry(fe4_mul(x, y)));
    fe4_to(difference, fe4_difference(fe4_mul(x, y), fe4_times8(y)));
    for (size_t lane = 0; lane < 4; lane++) {
        WHERE("elements %u and %u, lane %u", (unsigned)i, (unsigned)j, (unsigned)lane);
        fe256_mul(&expected, &a[lane], &b[lane]);
        CHECK(is_tight(&product[lane]) && same(&product[lane], &expected));
        for (int times = 0; times < 8; times++) {
            fe256_sub(&expected, &expected, &b[lane]);
            fe256_fold(&expected, &expected);
        }
        CHECK(is_tight(&difference[lane]) && same(&difference[lane], &expected));
    }
}

/* ---- Sums of multiples of G and Q = q G: numbers say what they come to -------------------------------- */

#define USED 24

/* k G in Montgomery form, k not 0. */
static void multiple_of_g(fe256 *x, fe256 *y, int64_t k) {
    uint8_t scalar[32] = {0}, bytes[65];
    uint64_t w[4];
    fe256 rr, zero = {{0, 0, 0, 0, 0}};

    lt_store64_be(scalar + 24, (uint64_t)(k < 0 ? -k : k));
    lt_p256_base(bytes, scalar);
    fe256_from_words(&rr, fe256_rr);
    for (int which = 0; which < 2; which++) {
        for (int i = 0; i < 4; i++) {
            w[i] = lt_load64_be(bytes + 1 + 32 * which + 24 - 8 * i);
        }
        fe256_from_words(which == 0 ? x : y, w);
    }
    fe256_mul(x, x, &rr);
    fe256_mul(y, y, &rr);
    if (k < 0) {
        fe256_sub(y, &zero, y);
        fe256_fold(y, y);
    }
}

/* What an addition meets on the way, seen on numbers: sums of digits times G. */
typedef struct {
    int64_t sum;
    int begun, exception;
} walk;

static void step(walk *w, int64_t addend) {
    if (addend == 0) {
        return;
    }
    w->exception |= w->begun && (w->sum == addend || w->sum == -addend);
    w->sum += addend;
    w->begun = 1;
}

static int check_sum(const int8_t digits1[USED], const int8_t digits2[USED], int64_t q) {
    static const fe256 zero = {{0, 0, 0, 0, 0}};
    fe256 qx, qy, x, z, expected, unused;
    walk w = {0, 0, 0};

    for (int i = USED; i-- > 0;) {
        w.sum *= 2;
        step(&w, digits1[i]);
        step(&w, digits2[i] * q);
    }
    multiple_of_g(&qx, &qy, q);
    lt_p256_sum_ifma_vartime(&x, &z, digits1, digits2, USED, &qx, &qy);
    CHECK(is_tight(&x) && is_tight(&z));
    CHECK(same(&z, &zero) == w.exception);
    if (!w.exception) {
        multiple_of_g(&expected, &unused, w.sum);
        fe256_square(&z, &z);
        fe256_mul(&expected, &expected, &z);
        CHECK(same(&x, &expected));
    }
    return w.exception;
}

/* A digit of few values in `one` of so many places, odd or 0, up to 2^(width - 1). */
static int8_t digit(const uint8_t random[2], unsigned one_of, int width) {
    const int magnitude = (random[1] >> 1) % (1 << (width - 2)) * 2 + 1;

    if (random[0] % one_of != 0) {
        return 0;
    }
    return (int8_t)((random[1] & 1) != 0 ? -magnitude : magnitude);
}

static void check_sums(void) {
    unsigned exceptions = 0;

    for (uint32_t seed = 0; seed < 1500; seed++) {
        const int64_t q = (int64_t)(seed % 11) - 5;
        const unsigned one_of = seed % 3 * 4 + 1;
        int8_t digits1[USED], digits2[USED];
        uint8_t random[4 * USED];

        WHERE("sum %u", (unsigned)seed);
        fill(random, sizeof random, seed);
        for (int i = 0; i < USED; i++) {
            digits1[i] = digit(random + 4 * i, one_of, seed % 5 == 0 ? 7 : 2);
            digits2[i] = digit(random + 4 * i + 2, one_of, seed % 5 == 1 ? 5 : 2);
        }
        digits2[USED - 1] = (int8_t)(digits2[USED - 1] | 1);
        digits1[USED - 1] = (int8_t)(seed % 7 == 0);
        if (q != 0) {
            exceptions += (unsigned)check_sum(digits1, digits2, q);
        }
    }
    WHERE("%u exceptions", exceptions);
    CHECK(exceptions > 50 && exceptions < 1000);
}

int main(void) {
    if (!lt_cpu_has(LT_CPU_IFMA)) {
        return 0;
    }
    lt_cpu_restrict(0); /* lt_p256_base is portable C from here on */
    for (size_t i = 0; i < 2 * CORNERS; i++) {
        for (size_t j = 0; j < 2 * CORNERS; j++) {
            check_products(i, j);
        }
    }
    check_sums();
    return check_result();
}
#else
int main(void) {
    WHERE("built without it");
    return check_result();
}
#endif
