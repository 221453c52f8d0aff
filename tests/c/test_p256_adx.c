/*
 * P-256 with MULX, ADCX and ADOX against the same in C: its field on numbers at the bounds of p and of limbs, and key
 * exchange on scalars whose digits are all alike, alone, or end where k and n - k change places.
 */
#include "check.h"

#include "p256_adx.h"

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

static int is_below_p(const fe256adx *a) {
    uint64_t p[4];

    number(p, EDGES - 1); /* p - 1 */
    for (int i = 3; i >= 0; i--) {
        if (a->v[i] != p[i]) {
            return a->v[i] < p[i];
        }
    }
    return 1;
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
    fe256adx_halve(&z, &y);
    CHECK(is_below_p(&z));
    fe256adx_add(&z, &z, &z);
    fe256adx_fold(&x, &y);
    CHECK(memcmp(&z, &x, sizeof z) == 0);
}

/* ---- Key exchange ----------------------------------------------------------------------------------- */

#define N "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"

/* k * G and k * peer as portable C has them, which tests/c/test_ecdhe.c checks against vectors. */
static void check_scalar(const uint8_t k[32], const uint8_t peer[65]) {
    uint8_t ours[65], theirs[65];

    lt_p256_base_adx(ours, k);
    lt_p256_base(theirs, k);
    CHECK(memcmp(ours, theirs, 65) == 0);
    CHECK(lt_p256_adx(ours, k, peer) == LT_OK);
    CHECK(lt_p256(theirs, k, peer) == LT_OK);
    CHECK(memcmp(ours, theirs, 32) == 0);
}

/* out = n - k. */
static void from_n(uint8_t out[32], const uint8_t k[32]) {
    unsigned borrow = 0;

    hex(out, N);
    for (int i = 31; i >= 0; i--) {
        unsigned difference = (unsigned)out[i] - k[i] - borrow;

        out[i] = (uint8_t)difference;
        borrow = difference >> 8 & 1;
    }
}

static void check_both_ends(const uint8_t k[32], const uint8_t peer[65]) {
    uint8_t other[32];

    check_scalar(k, peer);
    from_n(other, k);
    check_scalar(other, peer);
}

/* Bits `first`, first + step, first + 2 step, ... below 255. */
static void spread_bits(uint8_t k[32], int first, int step) {
    memset(k, 0, 32);
    for (int bit = first; bit < 255; bit += step) {
        k[31 - bit / 8] |= (uint8_t)(1 << bit % 8);
    }
}

static void check_scalars(const uint8_t peer[65]) {
    static const char *const halves[] = {
        "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a7", /* (n - 3) / 2 */
        "7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8", /* (n - 1) / 2 */
    };
    uint8_t k[32];

    for (int i = 1; i <= 130; i++) { /* n - 34 is where a window of 6 bits without the choice of k or n - k fails */
        WHERE("%d", i);
        memset(k, 0, 32);
        k[31] = (uint8_t)i;
        check_both_ends(k, peer);
    }
    for (int i = 0; i < 2; i++) {
        WHERE("%s", halves[i]);
        hex(k, halves[i]);
        check_both_ends(k, peer);
    }
    for (int bit = 0; bit < 255; bit++) {
        WHERE("bit %d", bit);
        spread_bits(k, bit, 255);
        check_both_ends(k, peer);
        WHERE("ones from bit %d", bit);
        spread_bits(k, bit, 1);
        check_both_ends(k, peer);
    }
    for (int step = 5; step <= 12; step++) { /* one bit in each window, or in every second one */
        for (int first = 0; first < step; first++) {
            WHERE("bits %d and every %d after", first, step);
            spread_bits(k, first, step);
            check_both_ends(k, peer);
        }
    }
    for (uint32_t i = 0; i < 100; i++) {
        WHERE("pseudo-random %u", (unsigned)i);
        fill(k, 32, i);
        k[0] &= 0x7f;
        check_both_ends(k, peer);
    }
}

/* Points with x = 0, with the largest x, and G. */
static const char *const peers[] = {
    "04000000000000000000000000000000000000000000000000000000000000000066485c780e2f83d72433bd5d84a06bb6541c2af31dae8717"
    "28bf856a174f93f4",
    "04ffffffff00000001000000000000000000000000fffffffffffffffffffffffc19719bebf6aea13f25c96dfd7c71f5225d4c8fc09eb5a0ab"
    "9f39e9178e55c121",
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ec"
    "ecbb6406837bf51f5",
};

static void check_refusals(void) {
    uint8_t peer[65], k[32] = {1}, out[32];

    hex(peer, peers[2]);
    memset(out, 0x5a, sizeof out);
    for (size_t i = 0; i < sizeof peer; i++) { /* never a point: another form, or x or y one bit off */
        WHERE("byte %u changed", (unsigned)i);
        peer[i] ^= 1;
        CHECK(lt_p256_adx(out, k, peer) == LT_ERR_POINT);
        CHECK(lt_p256(out, k, peer) == LT_ERR_POINT);
        peer[i] ^= 1;
    }
    memset(peer + 1, 0xff, 32); /* x >= p */
    CHECK(lt_p256_adx(out, k, peer) == LT_ERR_POINT);
    CHECK(all_bytes_are(out, sizeof out, 0x5a));
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
    lt_cpu_restrict(0); /* lt_p256 and lt_p256_base are portable C from here on */
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        uint8_t peer[65];

        hex(peer, peers[i]);
        check_scalars(peer);
    }
    check_refusals();
    return check_result();
}
#else
int main(void) {
    WHERE("built without it");
    return check_result();
}
#endif
