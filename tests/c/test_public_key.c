/*
 * Prepared public keys against the same keys as they come: signatures made to measure, so that u1, u2 and Q are what
 * the test wants, among them those that make additions meet equal, opposite and no points; keys and signatures that are
 * refused; the table of G against the one that is made at run time.
 */
#include "check.h"

#include "p256_ifma_vartime.h"
#include "vartime.h"

#define LIMBS LT_LIMBS(256)

static const uint8_t order_bytes[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                        0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                        0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};

/* ---- Numbers modulo n ----------------------------------------------------------------------------- */

typedef struct {
    lt_limb v[LIMBS];
} scalar;

static lt_limb order[LIMBS];
static lt_modulus n;

/* 0 for -0. */
static scalar small(int64_t k) {
    uint8_t bytes[8];
    scalar out, zero = {{0}};

    lt_store64_be(bytes, (uint64_t)(k < 0 ? -k : k));
    lt_limbs_read_vartime(out.v, LIMBS, bytes, sizeof bytes);
    if (k < 0) {
        (void)lt_limbs_subtract_vartime(out.v, order, out.v, LIMBS);
    }
    return k == 0 ? zero : out;
}

static scalar times(scalar a, scalar b) {
    lt_limb work[2 * LIMBS];

    lt_montgomery_enter_vartime(a.v, a.v, &n, work);
    lt_montgomery_multiply_vartime(a.v, a.v, b.v, &n, work);
    return a;
}

/* a + b = a - (n - b) */
static scalar plus(scalar a, scalar b) {
    scalar out;

    if (lt_limbs_are_zero_vartime(b.v, LIMBS)) {
        return a;
    }
    (void)lt_limbs_subtract_vartime(out.v, order, b.v, LIMBS);
    if (lt_limbs_subtract_vartime(out.v, a.v, out.v, LIMBS) != 0) { /* below 0: n more */
        scalar minus;

        (void)lt_limbs_subtract_vartime(minus.v, small(0).v, out.v, LIMBS);
        (void)lt_limbs_subtract_vartime(out.v, order, minus.v, LIMBS);
    }
    return out;
}

static scalar over(scalar a, scalar b) {
    lt_modulus_invert_vartime(b.v, b.v, &n);
    return times(a, b);
}

static scalar random_scalar(uint32_t seed) {
    uint8_t bytes[32];
    scalar out;

    fill(bytes, sizeof bytes, seed);
    bytes[0] &= 0x7f;
    lt_limbs_read_vartime(out.v, LIMBS, bytes, sizeof bytes);
    return out;
}

/* Whether keys can be prepared here. */
static int prepares(void) {
    return LT_P256_IFMA && lt_cpu_has(LT_CPU_IFMA);
}

/* ---- Signatures made to measure ------------------------------------------------------------------- */

static void multiple_of_g(uint8_t point[65], scalar k) {
    uint8_t bytes[32];

    lt_limbs_write_vartime(bytes, sizeof bytes, k.v, LIMBS);
    lt_p256_base(point, bytes);
}

static size_t put_integer(uint8_t *out, scalar a) {
    uint8_t bytes[33] = {0};
    size_t skip = 0;

    lt_limbs_write_vartime(bytes + 1, 32, a.v, LIMBS);
    while (bytes[skip] == 0 && (bytes[skip + 1] & 0x80) == 0) {
        skip++;
    }
    out[0] = 0x02;
    out[1] = (uint8_t)(33 - skip);
    memcpy(out + 2, bytes + skip, 33 - skip);
    return 2 + 33 - skip;
}

static int exceptions; /* that the quick sum met */

/* Whether the sum of both tables meets one; -1: this machine does not make it. */
static int meets_exception(scalar u1, scalar u2, const uint64_t *multiples) {
#if LT_P256_IFMA
    if (prepares()) {
        uint64_t words[4];
        fe256 x, zz;

        lt_p256_sum_of_multiples_ifma_vartime(&x, &zz, u1.v, u2.v, multiples);
        fe256_to_words(words, &zz);
        return (words[0] | words[1] | words[2] | words[3]) == 0;
    }
#endif
    (void)u1;
    (void)u2;
    (void)multiples;
    return -1;
}

/* A signature under Q = q G that asks for u1 G + u2 Q, u2 not 0: right, unless the sum is infinity; and wrong ones. */
static void check_sum(scalar u1, scalar u2, scalar q, int expect_exception) {
    const scalar k = plus(u1, times(u2, q));
    const int infinite = lt_limbs_are_zero_vartime(k.v, LIMBS);
    const int expected = infinite ? LT_ERR_AUTH : LT_OK;
    static uint64_t multiples[LT_P256_MULTIPLES_WORDS];
    uint8_t point[65], sum[65], der[80], digest[32];
    scalar r = small(5), s;
    size_t len = 2;
    lt_der key = {point, sizeof point}, signature = {der, 0};
    int status;

    multiple_of_g(point, q);
    if (!infinite) {
        multiple_of_g(sum, k);
        lt_limbs_read_vartime(r.v, LIMBS, sum + 1, 32);
        if (!lt_limbs_less_vartime(r.v, order, LIMBS)) {
            (void)lt_limbs_subtract_vartime(r.v, r.v, order, LIMBS);
        }
    }
    s = over(r, u2);
    lt_limbs_write_vartime(digest, sizeof digest, times(u1, s).v, LIMBS);
    len += put_integer(der + len, r);
    len += put_integer(der + len, s);
    der[0] = 0x30;
    der[1] = (uint8_t)(len - 2);
    signature.left = len;

    CHECK(lt_ecdsa_p256_vartime(key, signature, digest, sizeof digest) == expected);
    status = lt_ecdsa_p256_prepare_vartime(multiples, key);
    if (!prepares()) {
        CHECK(status == LT_ERR_UNSUPPORTED);
        return;
    }
    CHECK(status == LT_OK);
    CHECK(lt_ecdsa_p256_prepared_vartime(multiples, signature, digest, sizeof digest) == expected);
    if (expect_exception >= 0) {
        CHECK(meets_exception(u1, u2, multiples) == expect_exception);
    }
    exceptions += meets_exception(u1, u2, multiples);
    digest[31] ^= 1;
    CHECK(lt_ecdsa_p256_prepared_vartime(multiples, signature, digest, sizeof digest) == LT_ERR_AUTH);
    digest[31] ^= 1;
    der[len - 1] ^= 1;
    CHECK(lt_ecdsa_p256_prepared_vartime(multiples, signature, digest, sizeof digest) == LT_ERR_AUTH);
}

static void test_sums(void) {
    static const int64_t numbers[] = {0, 1, -1, 2, -2, 3, 15, 16, 17, -17, 255, 256, 0x7fffffff, -0x123456789abcdef};
    const size_t count = sizeof numbers / sizeof *numbers;

    for (size_t i = 0; i < count; i++) { /* u1, u2 and q small, or close below n */
        for (size_t j = 1; j < count; j++) {
            WHERE("u1 %d, u2 %d", (int)i, (int)j);
            check_sum(small(numbers[i]), small(numbers[j]), small(numbers[1 + (i + j) % (count - 1)]), -1);
        }
    }
    exceptions = 0;
    for (uint32_t seed = 0; seed < 60; seed++) {
        const scalar a = random_scalar(4 * seed), b = random_scalar(4 * seed + 1), q = random_scalar(4 * seed + 2);

        WHERE("random numbers %u", (unsigned)seed);
        check_sum(a, b, q, 0);
        check_sum(small(0), b, q, -1); /* nothing of G */
        WHERE("random numbers %u that meet", (unsigned)seed);
        check_sum(a, a, small(1), 1);                        /* both tables are G's, and all digits are equal */
        check_sum(a, a, small(-1), 1);                       /* or opposite; infinity */
        check_sum(times(a, q), a, q, -1);                    /* u1 G = u2 Q */
        check_sum(times(small(-1), times(a, q)), a, q, -1);  /* u1 G = -u2 Q: infinity */
        check_sum(a, b, small((int64_t)(seed % 9) + 1), -1); /* Q is a small multiple of G */
        check_sum(a, b, small(-(int64_t)(seed % 9) - 1), -1);
        check_sum(small(-1), small((int64_t)seed + 1), q, -1);
    }
    WHERE("%d exceptions", exceptions);
    CHECK(!prepares() || (exceptions >= 120 && exceptions < 360));
}

/* ---- Keys and signatures as they come --------------------------------------------------------------- */

#define EC_P256 "3059 3013 06072a8648ce3d0201 06082a8648ce3d030107 0342 00"
#define KEY_256                                                                                                        \
    "049fad84aeae08bbef7f010014d82cef6a09de2b0cf871b5ce0c4f1d13a59a5934"                                               \
    "07cb45769f1070e2c2470fe5b1bfe63133c0b0cdc64ea4bf3791a8ec2a07fd4f"
#define GOOD_256                                                                                                       \
    "3045 0221 00b2f7dc4faeb458e54c78e7cf80cc9b85f3d86bad4f1a6cbd7406919dc32927f1"                                     \
    "0220 07f341f005eb640c7eac07bcbddbec8dbd77e154620b4f2dd169ac707ec3702f"

static const uint8_t message[] = {'l', 'i', 'g', 'h', 't', 't', 'l', 's'};

/* Every scheme, cut and changed byte: what lt_verify_vartime answers to it. */
static void test_answers(void) {
    static const uint32_t schemes[] = {0, 0x0201, 0x0203, 0x0401, 0x0403, 0x0503, 0x0603, 0x0804, 0x0806, 0x0807};
    static lt_public_key prepared;
    uint8_t spki[128], signature[128];
    const size_t spki_len = hex(spki, EC_P256 KEY_256), len = hex(signature, GOOD_256);
    const int status = lt_public_key_set_vartime(&prepared, spki, spki_len);

    WHERE("a good key");
    if (!prepares()) {
        CHECK(status == LT_ERR_UNSUPPORTED);
        CHECK(lt_public_key_verify_vartime(&prepared, 0x0403, signature, len, message, 8) == LT_ERR_ARGUMENT);
        return;
    }
    CHECK(status == LT_OK);
#define SAME(scheme, signature, len)                                                                                   \
    CHECK(lt_public_key_verify_vartime(&prepared, (scheme), (signature), (len), message, 8) ==                         \
          lt_verify_vartime((scheme), spki, spki_len, (signature), (len), message, 8))
    CHECK(lt_public_key_verify_vartime(&prepared, 0x0403, signature, len, message, 8) == LT_OK);
    CHECK(lt_public_key_verify_vartime(&prepared, 0x0403, signature, len, message, 7) == LT_ERR_AUTH);
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        WHERE("scheme %04x", (unsigned)schemes[i]);
        SAME(schemes[i], signature, len);
    }
    for (size_t at = 0; at < len; at++) {
        uint8_t *copy = malloc(at + 1);

        WHERE("byte %u", (unsigned)at);
        memcpy(copy, signature, at);
        SAME(0x0403, copy, at);
        free(copy);
        for (int bit = 0; bit < 8; bit++) {
            signature[at] ^= (uint8_t)(1 << bit);
            SAME(0x0403, signature, len);
            signature[at] ^= (uint8_t)(1 << bit);
        }
    }
    WHERE("on a processor that has lost its instructions");
    lt_cpu_restrict(0);
    CHECK(lt_public_key_verify_vartime(&prepared, 0x0403, signature, len, message, 8) == LT_OK);
    CHECK(lt_public_key_verify_vartime(&prepared, 0x0403, signature, len, message, 7) == LT_ERR_AUTH);
    CHECK(lt_public_key_set_vartime(&prepared, spki, spki_len) == LT_ERR_UNSUPPORTED);
    CHECK(lt_public_key_verify_vartime(&prepared, 0x0403, signature, len, message, 8) == LT_ERR_ARGUMENT);
    lt_cpu_restrict(UINT32_MAX);
}

static void test_keys(void) {
    static const struct {
        const char *spki;
        int expected;
    } keys[] = {
        {EC_P256 KEY_256 "00", LT_ERR_KEY},
        {"3058 3013 06072a8648ce3d0201 06082a8648ce3d030107 0342 00" KEY_256, LT_ERR_KEY},
        {EC_P256 "049fad84aeae08bbef7f010014d82cef6a09de2b0cf871b5ce0c4f1d13a59a5934" /* not on the curve */
                 "07cb45769f1070e2c2470fe5b1bfe63133c0b0cdc64ea4bf3791a8ec2a07fd4e",
         LT_ERR_KEY},
        {"3056 3010 06072a8648ce3d0201 06052b81040022 0342 00" KEY_256, LT_ERR_UNSUPPORTED}, /* P-384, not looked at */
        {"3056 3010 06072a8648ce3d0201 06052b81040023 0342 00" KEY_256, LT_ERR_UNSUPPORTED}, /* P-521 */
        {"300f 300d 06092a864886f70d010101 0500", LT_ERR_KEY},                               /* RSA without a key */
        {"3012 300d 06092a864886f70d010101 0500 0301 00", LT_ERR_UNSUPPORTED},               /* not looked at */
    };
    static lt_public_key key;
    uint8_t spki[128], signature[128];
    const size_t len = hex(signature, GOOD_256);

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        size_t spki_len = hex(spki, EC_P256 KEY_256);

        WHERE("key %u", (unsigned)i);
        CHECK(lt_public_key_set_vartime(&key, spki, spki_len) == (prepares() ? LT_OK : LT_ERR_UNSUPPORTED));
        spki_len = hex(spki, keys[i].spki);
        CHECK(lt_public_key_set_vartime(&key, spki, spki_len) == keys[i].expected);
        CHECK(lt_public_key_verify_vartime(&key, 0x0403, signature, len, message, 8) == LT_ERR_ARGUMENT);
    }
}

static void test_table(void) {
#if LT_P256_IFMA
#include "p256_multiples_table_vartime.h"
    static uint64_t made[LT_P256_MULTIPLES_WORDS];
    fe256 x, y;

    if (prepares()) {
        fe256_from_words(&x, p256_multiples_of_g[0]);
        fe256_from_words(&y, p256_multiples_of_g[0] + 4);
        lt_p256_multiples_ifma_vartime(made, &x, &y);
        CHECK(sizeof made == sizeof p256_multiples_of_g && memcmp(made, p256_multiples_of_g, sizeof made) == 0);
    }
#endif
}

int main(void) {
    lt_limbs_read_vartime(order, LIMBS, order_bytes, sizeof order_bytes);
    lt_modulus_set_vartime(&n, order, LIMBS);
    test_table();
    test_sums();
    test_answers();
    test_keys();
    return check_result();
}
