/* The field of P-256 with MULX, ADCX and ADOX against the same in C: numbers at the bounds of p and of limbs. */
#include "check.h"

#include "vartime.h"

#if LT_P256_ADX
#include "p256_field32.h"
#include "p256_field_adx.h"

#define RANDOM 40

static const char *const edges[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000001",
    "00000000000000000000000000000000000000000000000000000000ffffffff",
    "000000000000000000000000000000000000000000000000ffffffffffffffff",
    "0000000000000000000000000000000000000000000000010000000000000000",
    "00000000000000000000000000000000ffffffffffffffff0000000000000000",
    "00000000000000000000000000000000ffffffffffffffffffffffffffffffff",
    "0000000000000000ffffffffffffffffffffffffffffffffffffffffffffffff",
    "0000000100000000000000000000000000000000000000000000000000000000",
    "7fffffff800000008000000000000000000000007fffffffffffffffffffffff", /* (p - 1) / 2 */
    "7fffffff80000000800000000000000000000000800000000000000000000000",
    "fffffffeffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ffffffff00000000ffffffffffffffffffffffffffffffffffffffffffffffff",
    "ffffffff00000001000000000000000000000000ffffffffffffffff00000000",
    "ffffffff00000001000000000000000000000000fffffffffffffffffffffffd",
    "ffffffff00000001000000000000000000000000fffffffffffffffffffffffe", /* p - 1 */
};

#define EDGES (sizeof edges / sizeof *edges)

static void number(uint64_t w[4], size_t index) {
    uint8_t bytes[32];

    if (index < EDGES) {
        hex(bytes, edges[index]);
    } else {
        fill(bytes, sizeof bytes, (uint32_t)index);
        bytes[0] &= 0x7f;
    }
    for (int i = 0; i < 4; i++) {
        w[i] = lt_load64_be(bytes + 24 - 8 * i);
    }
}

static int same(const fe256adx *ours, const fe256 *theirs) {
    uint64_t a[4], b[4];

    fe256adx_to_words(a, ours);
    fe256_to_words(b, theirs);
    return memcmp(a, b, sizeof a) == 0;
}

static void check_pair(size_t i, size_t j) {
    uint64_t a[4], b[4];
    fe256adx x, y, z;
    fe256 xc, yc, zc;

    WHERE("numbers %u and %u", (unsigned)i, (unsigned)j);
    number(a, i);
    number(b, j);
    fe256adx_from_words(&x, a);
    fe256adx_from_words(&y, b);
    fe256_from_words(&xc, a);
    fe256_from_words(&yc, b);
    fe256adx_mul(&z, &x, &y);
    fe256_mul(&zc, &xc, &yc);
    CHECK(same(&z, &zc));
    fe256adx_add(&z, &x, &y);
    fe256_add(&zc, &xc, &yc);
    CHECK(same(&z, &zc));
    fe256adx_sub(&z, &x, &y);
    fe256_sub(&zc, &xc, &yc);
    CHECK(same(&z, &zc));
    z = x; /* the output is both inputs */
    fe256adx_mul(&z, &z, &z);
    fe256_square(&zc, &xc);
    CHECK(same(&z, &zc));
    fe256adx_square(&x, &x);
    CHECK(same(&x, &zc));
}

int main(void) {
    if (!lt_cpu_has(LT_CPU_BMI2_ADX)) {
        return 0;
    }
    for (size_t i = 0; i < EDGES + RANDOM; i++) {
        for (size_t j = 0; j < EDGES + RANDOM; j++) {
            check_pair(i, j);
        }
    }
    return check_result();
}
#else
int main(void) {
    WHERE("built without it");
    return check_result();
}
#endif
