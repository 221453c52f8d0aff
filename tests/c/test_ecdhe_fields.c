/*
 * The fields of both curves at the bounds that their comments state. What an operation makes of limbs at a bound must
 * be what it makes of the same residues in least form, and on those, identities of a field hold.
 */
#include "x25519_field.h"
#include "p256_field.h"

#include "check.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

#if LT_LIMB64
#define BIT(n) ((uint64_t)1 << (n))
#define ALL(x)                                                                                                         \
    {                                                                                                                  \
        {                                                                                                              \
            x, x, x, x, x                                                                                              \
        }                                                                                                              \
    }
#else
#define ALL(x)                                                                                                         \
    {                                                                                                                  \
        {                                                                                                              \
            x, x, x, x, x, x, x, x                                                                                     \
        }                                                                                                              \
    }
#endif

static int same_words(const uint64_t a[4], const uint64_t b[4]) {
    return memcmp(a, b, 32) == 0;
}

static int is_below(const uint64_t a[4], const uint64_t p[4]) {
    for (int i = 3; i >= 0; i--) {
        if (a[i] != p[i]) {
            return a[i] < p[i];
        }
    }
    return 0;
}

/* ---- 2^255 - 19 ----------------------------------------------------------------------------------- */

static const uint64_t p25519[4] = {UINT64_C(0xffffffffffffffed), UINT64_C(0xffffffffffffffff),
                                   UINT64_C(0xffffffffffffffff), UINT64_C(0x7fffffffffffffff)};

/* Operands of sums and differences (a < 2^53, b < 2^53 - 76), then of products (< 2^54). */
static const fe25519 sum_corners[] = {
#if LT_LIMB64
    ALL(0),
    ALL(BIT(51) + BIT(13) - 1),
    ALL(BIT(51) - 1),
    ALL(BIT(53) - 77),
    {{BIT(53) - 77, 0, 0, 0, 0}},
    {{0, 0, 0, 0, BIT(53) - 77}},
    {{BIT(51) - 19, BIT(51) - 1, BIT(51) - 1, BIT(51) - 1, BIT(51) - 1}}, /* p */
    {{BIT(51) - 20, BIT(51) - 1, BIT(51) - 1, BIT(51) - 1, BIT(51) - 1}},
#else
    ALL(0),
    ALL(0xffffffff),
    {{1, 0, 0, 0, 0, 0, 0, 0}},
    {{37, 0, 0, 0, 0, 0, 0, 0}},
    {{0, 0, 0, 0, 0, 0, 0, 0xffffffff}},
    {{0xffffffda, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}}, /* 2p */
    {{0xffffffd9, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}},
    {{0xffffffed, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x7fffffff}}, /* p */
    {{0xffffffec, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x7fffffff}},
#endif
};

static const fe25519 product_corners[] = {
#if LT_LIMB64
    ALL(BIT(54) - 1),
    {{BIT(54) - 1, 0, 0, 0, 0}},
    {{0, BIT(54) - 1, 0, 0, 0}},
    {{0, 0, 0, 0, BIT(54) - 1}},
    {{0, BIT(54) - 1, BIT(54) - 1, BIT(54) - 1, BIT(54) - 1}},
#else
    {{0, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}},
    {{0xffffffff, 0, 0, 0, 0, 0, 0, 0}},
#endif
};

static void least25519(fe25519 *out, const fe25519 *a) {
    uint64_t w[4];

    fe25519_to_words(w, a);
    CHECK(is_below(w, p25519));
    fe25519_from_words(out, w);
}

static int same25519(const fe25519 *a, const fe25519 *b) {
    uint64_t wa[4], wb[4];

    fe25519_to_words(wa, a);
    fe25519_to_words(wb, b);
    return same_words(wa, wb);
}

static int is_product25519(const fe25519 *a) {
#if LT_LIMB64
    for (int i = 0; i < 5; i++) {
        if (a->v[i] >= BIT(51) + BIT(13)) {
            return 0;
        }
    }
#else
    (void)a;
#endif
    return 1;
}

static void sums25519(const fe25519 *a, const fe25519 *b) {
    fe25519 la, lb, got, expected, back;

    least25519(&la, a);
    least25519(&lb, b);
    fe25519_add(&got, a, b);
    fe25519_add(&expected, &la, &lb);
    CHECK(same25519(&got, &expected));
    fe25519_sub(&got, a, b);
    fe25519_sub(&expected, &la, &lb);
    CHECK(same25519(&got, &expected));
    least25519(&got, &got);
    fe25519_add(&back, &got, &lb);
    CHECK(same25519(&back, a));
}

static void products25519(const fe25519 *a, const fe25519 *b) {
    fe25519 la, lb, got, expected, sum, difference;

    least25519(&la, a);
    least25519(&lb, b);
    fe25519_mul(&got, a, b);
    fe25519_mul(&expected, &la, &lb);
    CHECK(is_product25519(&got) && same25519(&got, &expected));
    fe25519_square(&got, a);
    fe25519_mul(&expected, &la, &la);
    CHECK(is_product25519(&got) && same25519(&got, &expected));
    fe25519_mul_a24(&got, a);
    fe25519_from_words(&expected, (const uint64_t[4]){121665, 0, 0, 0});
    fe25519_mul(&expected, &expected, &la);
    CHECK(is_product25519(&got) && same25519(&got, &expected));

    fe25519_add(&sum, &la, &lb); /* (a + b)(a - b) + b^2 = a^2 */
    fe25519_sub(&difference, &la, &lb);
    fe25519_mul(&got, &sum, &difference);
    fe25519_square(&expected, &lb);
    fe25519_add(&got, &got, &expected);
    fe25519_square(&expected, &la);
    CHECK(same25519(&got, &expected));

    fe25519_invert(&got, &la); /* a (1/a) a = a, for 0 too */
    fe25519_mul(&got, &got, &la);
    fe25519_mul(&got, &got, &la);
    CHECK(same25519(&got, &la));
}

static void test_25519(void) {
    fe25519 a, b;
    uint64_t w[4], back[4];

    for (size_t i = 0; i < COUNT(sum_corners); i++) {
        for (size_t j = 0; j < COUNT(sum_corners); j++) {
            WHERE("2^255 - 19, corners %d and %d", (int)i, (int)j);
            sums25519(&sum_corners[i], &sum_corners[j]);
            products25519(&sum_corners[i], &sum_corners[j]);
        }
        for (size_t j = 0; j < COUNT(product_corners); j++) {
            WHERE("2^255 - 19, corner %d and product corner %d", (int)i, (int)j);
            products25519(&sum_corners[i], &product_corners[j]);
            products25519(&product_corners[j], &product_corners[(j + i) % COUNT(product_corners)]);
        }
    }
    for (uint32_t i = 0; i < 200; i++) {
        WHERE("2^255 - 19, pseudo-random %u", (unsigned)i);
        fill((uint8_t *)w, 32, 2 * i);
        w[3] >>= 2;
        fe25519_from_words(&a, w);
        fe25519_to_words(back, &a);
        CHECK(same_words(w, back));
        fill((uint8_t *)w, 32, 2 * i + 1);
        fe25519_from_words(&b, w);
        sums25519(&a, &b);
        products25519(&a, &b);
        a = b;
        fe25519_swap(0, &a, &b);
        CHECK(same25519(&a, &b));
    }
}

/* ---- P-256 ---------------------------------------------------------------------------------------- */

static const uint64_t p256[4] = {UINT64_C(0xffffffffffffffff), UINT64_C(0x00000000ffffffff), 0,
                                 UINT64_C(0xffffffff00000001)};

/* The largest tight value is 2p - 2^223 - 1, the largest factors of a common bound are below 4p. */
static const fe256 tight_corners[] = {
#if LT_LIMB64
#define LOW52     (BIT(52) - 1)
#define TIGHT_TOP (BIT(49) - BIT(17) - BIT(15) - 1)
    ALL(0),
    {{LOW52, LOW52, LOW52, LOW52, TIGHT_TOP}},
    {{0, 0, 0, 0, TIGHT_TOP}},
    {{LOW52, LOW52, LOW52, LOW52, 0}},
    {{LOW52, BIT(44) - 1, 0, BIT(36), BIT(48) - BIT(16)}},     /* p */
    {{LOW52 - 1, BIT(44) - 1, 0, BIT(36), BIT(48) - BIT(16)}}, /* p - 1 */
    {{0, BIT(44), 0, BIT(36), BIT(48) - BIT(16)}},             /* p + 1 */
    {{LOW52, LOW52, LOW52, LOW52, BIT(48) - 1}},               /* 2^256 - 1 */
    {{1, 0, 0, 0, 0}},
#else
    ALL(0),
    {{0xfffffffe, 0xffffffff, 0xffffffff, 0, 0, 0, 1, 0xffffffff}}, /* p - 1 */
    {{0xfffffffd, 0xffffffff, 0xffffffff, 0, 0, 0, 1, 0xffffffff}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0, 0xffffffff}},
    {{0, 0, 0, 0, 0, 0, 1, 0xffffffff}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xfffffffe}},
    {{1, 0, 0, 0, 0, 0, 0, 0}},
#endif
};

static int is_tight(const fe256 *a) {
#if LT_LIMB64
    return a->v[0] <= LOW52 && a->v[1] <= LOW52 && a->v[2] <= LOW52 && a->v[3] <= LOW52 && a->v[4] <= TIGHT_TOP;
#else
    uint64_t w[4];

    fe256_to_words(w, a);
    return is_below(w, p256);
#endif
}

static void least256(fe256 *out, const fe256 *a) {
    uint64_t w[4];

    CHECK(is_tight(a));
    fe256_to_words(w, a);
    CHECK(is_below(w, p256));
    fe256_from_words(out, w);
}

/* For loose values. */
static int same256(const fe256 *a, const fe256 *b) {
    fe256 fa, fb;
    uint64_t wa[4], wb[4];

    fe256_fold(&fa, a);
    fe256_fold(&fb, b);
    CHECK(is_tight(&fa) && is_tight(&fb));
    fe256_to_words(wa, &fa);
    fe256_to_words(wb, &fb);
    return same_words(wa, wb);
}

static void values256(const fe256 *a, const fe256 *b) {
    fe256 la, lb, sum, difference, got, expected;

    least256(&la, a);
    least256(&lb, b);
    fe256_add(&sum, a, b);
    fe256_add(&expected, &la, &lb);
    CHECK(same256(&sum, &expected));
    fe256_sub(&difference, a, b);
    fe256_sub(&expected, &la, &lb);
    CHECK(same256(&difference, &expected));
    fe256_add(&got, &difference, b);
    CHECK(same256(&got, a));

    fe256_mul(&got, a, b);
    fe256_mul(&expected, &la, &lb);
    CHECK(is_tight(&got) && same256(&got, &expected));
    fe256_square(&got, a);
    fe256_mul(&expected, &la, &la);
    CHECK(is_tight(&got) && same256(&got, &expected));

    fe256_mul(&got, &sum, &difference); /* < 16p^2: (a + b)(a - b) + b^2 = a^2 */
    CHECK(is_tight(&got));
    fe256_square(&expected, b);
    fe256_add(&got, &got, &expected);
    fe256_square(&expected, a);
    CHECK(same256(&got, &expected));
    fe256_square(&got, &difference);
    fe256_mul(&expected, &difference, &difference);
    CHECK(is_tight(&got) && is_tight(&expected) && same256(&got, &expected));
    fe256_square(&got, &sum);
    fe256_mul(&expected, &sum, &sum);
    CHECK(is_tight(&got) && is_tight(&expected) && same256(&got, &expected));

    got = *a; /* a - 6b + 5b + b: up to 14p below the bound of a fold */
    for (int i = 0; i < 6; i++) {
        fe256_sub(&got, &got, b);
    }
    fe256_fold(&got, &got);
    CHECK(is_tight(&got));
    for (int i = 0; i < 6; i++) {
        fe256_add(&got, &got, b);
    }
    CHECK(same256(&got, a));

    fe256_invert(&got, a);
    fe256_mul(&got, &got, a);
    fe256_mul(&got, &got, a);
    CHECK(same256(&got, a));
}

static void test_256(void) {
    fe256 a, b, one;
    uint64_t w[4];

    for (size_t i = 0; i < COUNT(tight_corners); i++) {
        for (size_t j = 0; j < COUNT(tight_corners); j++) {
            WHERE("p256, corners %d and %d", (int)i, (int)j);
            values256(&tight_corners[i], &tight_corners[j]);
        }
    }
    fe256_from_words(&one, fe256_one);
    for (uint32_t i = 0; i < 200; i++) {
        WHERE("p256, pseudo-random %u", (unsigned)i);
        fill((uint8_t *)w, 32, 2 * i);
        w[3] >>= 1;
        fe256_from_words(&a, w);
        fill((uint8_t *)w, 32, 2 * i + 1);
        w[3] >>= 1;
        fe256_from_words(&b, w);
        values256(&a, &b);
        fe256_mul(&b, &a, &one);
        CHECK(same256(&a, &b));
    }
}

int main(void) {
    test_25519();
    test_256();
    return check_result();
}
