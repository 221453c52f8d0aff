/*
 * X25519 with AVX-512 IFMA against the same in portable C: products of limbs at their bounds, lane by lane, and key
 * exchange on scalars and keys of few and of many bits. Vectors and refusals are in test_ecdhe.c.
 */
#include "check.h"

#include "x25519_ifma.h"

#if LT_X25519_IFMA
#include "x25519_field_ifma.h"

#define TOP (((uint64_t)1 << 52) - 1)

/* Limbs below 2^52, not all of which a sum leads to. */
static const fe25519 corners[] = {
    {{0, 0, 0, 0, 0}},
    {{1, 0, 0, 0, 0}},
    {{TOP, TOP, TOP, TOP, TOP}},
    {{TOP, 0, 0, 0, 0}},
    {{0, 0, 0, 0, TOP}},
    {{0, TOP, TOP, TOP, TOP}},
    {{FE25519_LOW51 - 18, FE25519_LOW51, FE25519_LOW51, FE25519_LOW51, FE25519_LOW51}}, /* p */
    {{FE25519_LOW51 + 2048, FE25519_LOW51 + 2048, FE25519_LOW51 + 2048, FE25519_LOW51 + 2048, FE25519_LOW51 + 2048}},
};

#define CORNERS (sizeof corners / sizeof *corners)

static void element(fe25519 *out, size_t index) {
    if (index < CORNERS) {
        *out = corners[index];
        return;
    }
    fill((uint8_t *)out->v, sizeof out->v, (uint32_t)index);
    for (int i = 0; i < 5; i++) {
        out->v[i] &= TOP;
    }
}

static int same(const fe25519 *a, const fe25519 *b) {
    uint64_t x[4], y[4];

    fe25519_to_words(x, a);
    fe25519_to_words(y, b);
    return memcmp(x, y, sizeof x) == 0;
}

static int limbs_are_below(const fe25519 *a, uint64_t bound) {
    for (int i = 0; i < 5; i++) {
        if (a->v[i] >= bound) {
            return 0;
        }
    }
    return 1;
}

LT_IFMA static void check_products(size_t i, size_t j) {
    fe25519 a[4], b[4], c[4], expected, product[4], sum[4], carried[4];
    const fe4 multiple = fe4_multiple_of_p(10);
    fe4 x, y, z;

    for (size_t lane = 0; lane < 4; lane++) {
        element(&a[lane], i + lane);
        element(&b[lane], j + 3 * lane);
        element(&c[lane], i + j + lane);
    }
    x = fe4_from(&a[0], &a[1], &a[2], &a[3]);
    y = fe4_from(&b[0], &b[1], &b[2], &b[3]);
    z = fe4_from(&c[0], &c[1], &c[2], &c[3]);
    fe4_to(product, fe4_carry(fe4_mul(x, y)));
    fe4_to(sum, fe4_carry(fe4_columns(x, y, z)));
    fe4_to(carried, fe4_carry(FE4_SUBTRACT(x, 15, fe4_add(x, multiple), y)));
    for (size_t lane = 0; lane < 4; lane++) {
        WHERE("elements %u and %u, lane %u", (unsigned)i, (unsigned)j, (unsigned)lane);
        fe25519_mul(&expected, &a[lane], &b[lane]);
        CHECK(same(&product[lane], &expected));
        CHECK(limbs_are_below(&product[lane], ((uint64_t)1 << 51) + ((uint64_t)1 << 18)));
        fe25519_add(&expected, &expected, &c[lane]);
        CHECK(same(&sum[lane], &expected));
        CHECK(limbs_are_below(&sum[lane], ((uint64_t)1 << 51) + ((uint64_t)1 << 18)));
        fe25519_sub(&expected, &a[lane], &b[lane]);
        CHECK(same(&carried[lane], &expected));
        CHECK(limbs_are_below(&carried[lane], ((uint64_t)1 << 51) + ((uint64_t)1 << 18)));
    }
}

/* ---- Key exchange ----------------------------------------------------------------------------------- */

static void check_exchange(const uint8_t scalar[32], const uint8_t u[32]) {
    uint8_t ours[32], theirs[32], public[32], secret[32];
    int status;

    lt_x25519_base_ifma(ours, scalar);
    lt_x25519_base(theirs, scalar);
    CHECK(memcmp(ours, theirs, 32) == 0);
    status = lt_x25519(theirs, scalar, u);
    CHECK(lt_x25519_agree_ifma(public, secret, scalar, u) == status);
    CHECK(memcmp(secret, theirs, 32) == 0);
    CHECK(status != LT_OK || memcmp(public, ours, 32) == 0);
    CHECK(lt_x25519_ifma(ours, scalar, u) == status);
    CHECK(memcmp(ours, theirs, 32) == 0);
}

/* Bytes that are a single bit, all ones below it, or pseudo-random. */
static void pattern(uint8_t bytes[32], uint32_t index) {
    if (index < 512) {
        memset(bytes, 0, 32);
        memset(bytes, index < 256 ? 0 : 0xff, index % 256 / 8);
        bytes[index % 256 / 8] = (uint8_t)(index < 256 ? 1 << index % 8 : 0xff >> (7 - index % 8));
    } else {
        fill(bytes, 32, index);
    }
}

int main(void) {
    if (!lt_cpu_has(LT_CPU_IFMA)) {
        return 0;
    }
    lt_cpu_restrict(0); /* lt_x25519 and lt_x25519_base are portable C from here on */
    for (size_t i = 0; i < 2 * CORNERS; i++) {
        for (size_t j = 0; j < 2 * CORNERS; j++) {
            check_products(i, j);
        }
    }
    for (uint32_t i = 0; i < 700; i++) {
        uint8_t scalar[32], u[32];

        WHERE("pattern %u", (unsigned)i);
        pattern(scalar, i);
        pattern(u, 699 - i);
        check_exchange(scalar, u);
    }
    return check_result();
}
#else
int main(void) {
    WHERE("built without it");
    return check_result();
}
#endif
