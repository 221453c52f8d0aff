/*
 * The field of P-384, in C and with MULX, ADCX and ADOX, against arithmetic of this file's own, bit by bit: numbers at
 * the bounds of p and of limbs.
 */
#include "check.h"

#include "inner.h"

#if LT_P384_ADX
#include "p384_field_adx.h"
#else
#include "p384_field.h"
#endif

#define RANDOM 30

static const char *const edges[] = {
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001",
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000ffffffff",
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000ffffffffffffffff",
    "000000000000000000000000000000000000000000000000000000000000000000000000000000010000000000000000",
    "000000000000000000000000000000000000000000000000000000000000000000000000ffffffff00000000ffffffff",
    "000000000000000000000000000000000000000000000000000000000000000100000000ffffffffffffffff00000000",
    "000000000000000000000000000000000000000000000000000000000000000100000000ffffffffffffffff00000001", /* M */
    "000000000000000000000000000000000000000000000000000000000000000100000000ffffffffffffffff00000002",
    "000000000000000000000000000000000000000000000000ffffffffffffffffffffffffffffffffffffffffffffffff",
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7fffffff80000000000000007fffffff", /* (p - 1) / 2
                                                                                                         */
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7fffffff800000000000000080000000",
    "800000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    "ffffffff00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff00000000",
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffdffffffffffffffffffffffffffffffff",
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000fffffffd",
    "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000fffffffe", /* p - 1 */
};

#define EDGES (sizeof edges / sizeof *edges)

static void number(uint64_t w[6], size_t index) {
    uint8_t bytes[48];

    if (index < EDGES) {
        hex(bytes, edges[index]);
    } else {
        fill(bytes, sizeof bytes, (uint32_t)index);
        bytes[0] &= 0x7f;
    }
    for (int i = 0; i < 6; i++) {
        w[i] = lt_load64_be(bytes + 40 - 8 * i);
    }
}

/* ---- The same, bit by bit --------------------------------------------------------------------------- */

static int is_below_p(const uint64_t a[6]) {
    for (int i = 5; i >= 0; i--) {
        if (a[i] != fe384_p[i]) {
            return a[i] < fe384_p[i];
        }
    }
    return 0;
}

/* a += b; returns the carry. */
static unsigned add_words(uint64_t a[6], const uint64_t b[6]) {
    unsigned carry = 0;

    for (int i = 0; i < 6; i++) {
        uint64_t sum = a[i] + b[i];
        unsigned over = sum < a[i];

        a[i] = sum + carry;
        carry = over | (a[i] < sum);
    }
    return carry;
}

static void subtract_words(uint64_t a[6], const uint64_t b[6]) {
    unsigned borrow = 0;

    for (int i = 0; i < 6; i++) {
        uint64_t difference = a[i] - b[i];
        unsigned under = a[i] < b[i];

        a[i] = difference - borrow;
        borrow = under | (difference < borrow);
    }
}

static void expected_sum(uint64_t *out, const uint64_t *a, const uint64_t *b) {
    memmove(out, a, 48);
    if (add_words(out, b) || !is_below_p(out)) {
        subtract_words(out, fe384_p);
    }
}

static void expected_difference(uint64_t *out, const uint64_t *a, const uint64_t *b) {
    uint64_t minus_b[6];

    memcpy(minus_b, fe384_p, 48);
    subtract_words(minus_b, b);
    memcpy(out, a, 48);
    if (add_words(out, minus_b) || !is_below_p(out)) {
        subtract_words(out, fe384_p);
    }
}

/* a b / 2^384: for each bit of a, from the lowest, add b and halve, made even by p. */
static void expected_product(uint64_t *out, const uint64_t *a, const uint64_t *b) {
    uint64_t sum[6] = {0};

    for (int bit = 0; bit < 384; bit++) {
        uint64_t carry = 0;

        if (a[bit / 64] >> bit % 64 & 1) {
            expected_sum(sum, sum, b);
        }
        if (sum[0] & 1) {
            carry = add_words(sum, fe384_p);
        }
        for (int i = 0; i < 5; i++) {
            sum[i] = sum[i] >> 1 | sum[i + 1] << 63;
        }
        sum[5] = sum[5] >> 1 | carry << 63;
    }
    memcpy(out, sum, sizeof sum);
}

/* ---- Pairs of numbers ------------------------------------------------------------------------------- */

static void check_same(const fe384 *got, const uint64_t expected[6]) {
    uint64_t w[6];

    fe384_to_words(w, got);
    CHECK(memcmp(w, expected, 48) == 0);
}

typedef void binary(fe384 *out, const fe384 *a, const fe384 *b);

/* An operation with the output apart, and as the first, the second and both of its inputs. */
static void check_binary(binary *operation, void (*reference)(uint64_t *, const uint64_t *, const uint64_t *),
                         const uint64_t a[6], const uint64_t b[6]) {
    uint64_t expected[6];
    fe384 x, y, z;

    reference(expected, a, b);
    fe384_from_words(&x, a);
    fe384_from_words(&y, b);
    operation(&z, &x, &y);
    check_same(&z, expected);
    check_same(&x, a);
    check_same(&y, b);
    z = x;
    operation(&z, &z, &y);
    check_same(&z, expected);
    operation(&y, &x, &y);
    check_same(&y, expected);
    reference(expected, a, a);
    operation(&x, &x, &x);
    check_same(&x, expected);
}

static void square(fe384 *out, const fe384 *a, const fe384 *unused) {
    (void)unused;
    fe384_square(out, a);
}

#if LT_P384_ADX
static void square_adx(fe384 *out, const fe384 *a, const fe384 *unused) {
    (void)unused;
    fe384adx_square(out, a);
}
#endif

static void expected_square(uint64_t *out, const uint64_t *a, const uint64_t *unused) {
    (void)unused;
    expected_product(out, a, a);
}

static void add(fe384 *out, const fe384 *a, const fe384 *b) {
    fe384_add(out, a, b);
}

static void sub(fe384 *out, const fe384 *a, const fe384 *b) {
    fe384_sub(out, a, b);
}

static void check_pair(size_t i, size_t j) {
    uint64_t a[6], b[6];

    WHERE("numbers %u and %u", (unsigned)i, (unsigned)j);
    number(a, i);
    number(b, j);
    check_binary(add, expected_sum, a, b);
    check_binary(sub, expected_difference, a, b);
    check_binary(fe384_mul, expected_product, a, b);
    check_binary(square, expected_square, a, b);
#if LT_P384_ADX
    if (lt_cpu_has(LT_CPU_BMI2_ADX)) {
        check_binary(fe384adx_add, expected_sum, a, b);
        check_binary(fe384adx_sub, expected_difference, a, b);
        check_binary(fe384adx_mul, expected_product, a, b);
        check_binary(square_adx, expected_square, a, b);
    }
#endif
}

static void test_selection_and_zero(void) {
    uint64_t a[6], b[6];
    fe384 x, y;

    for (size_t i = 0; i < EDGES; i++) {
        WHERE("number %u", (unsigned)i);
        number(a, i);
        number(b, i + 1);
        fe384_from_words(&x, a);
        fe384_from_words(&y, b);
        CHECK(fe384_is_zero(&x) == (i == 0 ? ~(uint64_t)0 : 0));
        fe384_set_if(0, &x, &y);
        check_same(&x, a);
        fe384_set_if(~(uint64_t)0, &x, &y);
        check_same(&x, b);
    }
}

int main(void) {
    test_selection_and_zero();
    for (size_t i = 0; i < EDGES + RANDOM; i++) {
        for (size_t j = 0; j < EDGES + RANDOM; j++) {
            check_pair(i, j);
        }
    }
    return check_result();
}
