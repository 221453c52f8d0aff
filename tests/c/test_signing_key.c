/*
 * ECDSA signatures: published ones, edges of key and nonce, refusals, what is wiped; every one is verified by the code
 * for verification. Arithmetic modulo the order against the arithmetic of that.
 */
#include "check.h"

#include "p256_order.h"
#include "vartime.h"

#define N         "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define N_MINUS_1 "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550"
#define ONE       "0000000000000000000000000000000000000000000000000000000000000001"
#define ZERO      "0000000000000000000000000000000000000000000000000000000000000000"
#define ALL_ONES  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static const uint8_t spki_head[26] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
                                      0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

static int set_key(lt_signing_key *key, const char *scalar_hex) {
    uint8_t scalar[64];
    const size_t len = hex(scalar, scalar_hex);
    int status;

    memset(key, 0xa5, sizeof *key);
    status = lt_signing_key_set(key, scalar, len);
    CHECK(all_bytes_are(scalar, len, 0));
    CHECK(status == LT_OK || all_bytes_are((uint8_t *)key, sizeof *key, 0));
    return status;
}

static void make_spki(uint8_t spki[91], const char *scalar_hex) {
    uint8_t scalar[32];

    hex(scalar, scalar_hex);
    memcpy(spki, spki_head, sizeof spki_head);
    lt_p256_base(spki + sizeof spki_head, scalar);
}

/* ---- RFC 6979 appendix A.2.5 --------------------------------------------------------------------------- */

static void published(uint32_t algorithm, const char *message, const char *r_hex, const char *s_hex) {
    static const char *const scalar = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
    uint8_t digest[64], signature[LT_SIGNATURE_MAX], expected[72], *at = expected + 2;
    lt_signing_key key;
    int len, digest_len = lt_hash(digest, algorithm, (const uint8_t *)message, strlen(message));

    WHERE("hash %u, %s", (unsigned)algorithm, message);
    for (int i = 0; i < 2; i++) {
        uint8_t number[33] = {0};
        size_t skip;

        hex(number + 1, i == 0 ? r_hex : s_hex);
        skip = number[1] < 0x80; /* no first byte of these is 0 and followed by one below 0x80, or the reverse */
        *at++ = 2;
        *at++ = (uint8_t)(33 - skip);
        memcpy(at, number + skip, 33 - skip);
        at += 33 - skip;
    }
    expected[0] = 0x30;
    expected[1] = (uint8_t)(at - expected - 2);
    CHECK(set_key(&key, scalar) == LT_OK);
    len = lt_signing_key_sign(&key, signature, sizeof signature, digest, (size_t)digest_len, NULL, 0);
    CHECK(len == (int)(at - expected) && memcmp(signature, expected, (size_t)len) == 0);
}

static void test_published_signatures(void) {
    published(LT_SHA256, "sample", "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
              "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
    published(LT_SHA384, "sample", "0eafea039b20e9b42309fb1d89e213057cbf973dc0cfc8f129edddc800ef7719",
              "4861f0491e6998b9455193e34e7b0d284ddd7149a74b95b9261f13abde940954");
    published(LT_SHA512, "sample", "8496a60b5e9b47c825488827e0495b0e3fa109ec4568fd3f8d1097678eb97f00",
              "2362ab1adbe2b8adf9cb9edab740ea6049c028114f2460f96554f61fae3302fe");
    published(LT_SHA256, "test", "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367",
              "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083");
    published(LT_SHA384, "test", "83910e8b48bb0c74244ebdf7f07a1c5413d61472bd941ef3920e623fbccebeb6",
              "8ddbec54cf8cd5874883841d712142a56a8d0f218f5003cb0296b6b509619f2c");
    published(LT_SHA512, "test", "461d93f31b6540894788fd206c07cfa0cc35f46fa3c91816fff1040ad1581a04",
              "39af9f15de0db8d97e72719c74820d304ce5226e32dedae67519e840d1194e55");
}

/* ---- Every signature verifies, and no other ---------------------------------------------------------------- */

static int accepts(const uint8_t spki[91], const uint8_t *signature, int len, const uint8_t *digest) {
    return lt_ecdsa_p256_vartime((lt_der){spki + sizeof spki_head, 65}, (lt_der){signature, (size_t)len}, digest, 32) ==
           LT_OK;
}

static void test_signatures_verify(const char *scalar_hex, uint32_t rounds) {
    static const char *const digests[] = {ZERO, ONE, N_MINUS_1, N, ALL_ONES};
    uint8_t spki[91], digest[32], extra[32], signature[LT_SIGNATURE_MAX], other[LT_SIGNATURE_MAX];
    lt_signing_key key;
    int shorter = 0;

    CHECK(set_key(&key, scalar_hex) == LT_OK);
    make_spki(spki, scalar_hex);
    for (uint32_t i = 0; i < rounds; i++) {
        const size_t extra_len = i % 33;
        int len;

        WHERE("key %s, round %u", scalar_hex, (unsigned)i);
        fill(digest, 32, i);
        if (i < 5) {
            hex(digest, digests[i]);
        }
        fill(extra, 32, i + 1000);
        memset(signature, 0, sizeof signature);
        len = lt_signing_key_sign(&key, signature, sizeof signature, digest, 32, extra, extra_len);
        CHECK(accepts(spki, signature, len, digest));
        CHECK(len == signature[1] + 2);
        shorter += len < 70;
        CHECK(lt_signing_key_sign(&key, other, sizeof other, digest, 32, extra, extra_len) == len);
        CHECK(memcmp(signature, other, (size_t)len) == 0);
        extra[31] ^= 1;
        CHECK(lt_signing_key_sign(&key, other, sizeof other, digest, 32, extra, 32) > 0);
        CHECK(memcmp(signature + 4, other + 4, 31) != 0); /* the addition goes into the nonce, and so into r */
        digest[i % 32] ^= 1;
        CHECK(!accepts(spki, signature, len, digest));
    }
    CHECK(rounds < 300 || shorter > 0); /* numbers with zeros in front have been among them */
}

/* ---- What is refused ---------------------------------------------------------------------------------------- */

static void test_refusals(void) {
    uint8_t digest[64] = {1}, signature[LT_SIGNATURE_MAX];
    lt_signing_key key;

    WHERE("refusals");
    CHECK(set_key(&key, ZERO) == LT_ERR_SCALAR);
    CHECK(set_key(&key, N) == LT_ERR_SCALAR);
    CHECK(set_key(&key, ALL_ONES) == LT_ERR_SCALAR);
    CHECK(set_key(&key, "01") == LT_ERR_ARGUMENT);
    CHECK(set_key(&key, ONE "00") == LT_ERR_ARGUMENT);
    CHECK(lt_signing_key_sign(&key, signature, sizeof signature, digest, 32, NULL, 0) == LT_ERR_ARGUMENT);
    CHECK(set_key(&key, ONE) == LT_OK);
    CHECK(lt_signing_key_sign(&key, signature, sizeof signature - 1, digest, 32, NULL, 0) == LT_ERR_SPACE);
    for (size_t len = 0; len <= 64; len++) {
        const int status = lt_signing_key_sign(&key, signature, sizeof signature, digest, len, NULL, 0);

        CHECK(len == 32 || len == 48 || len == 64 ? status > 0 : status == LT_ERR_ARGUMENT);
    }
    lt_signing_key_wipe(&key);
    CHECK(all_bytes_are((uint8_t *)&key, sizeof key, 0));
    CHECK(lt_signing_key_sign(&key, signature, sizeof signature, digest, 32, NULL, 0) == LT_ERR_ARGUMENT);
}

/* ---- Modulo n ------------------------------------------------------------------------------------------------ */

#define LIMBS LT_LIMBS(256)

static void numbers(order256 *out, uint32_t index) {
    static const char *const ends[] = {ZERO, ONE, N_MINUS_1, ALL_ONES};
    uint8_t bytes[32];

    fill(bytes, 32, index);
    if (index < 4) {
        hex(bytes, ends[index]);
    } else if (index < 260) { /* a bit alone, and the bits below it */
        memset(bytes, 0, 32);
        bytes[(index - 4) / 8] = (uint8_t)(0x80 >> (index - 4) % 8);
    } else if (index < 516) {
        memset(bytes, 0, 32);
        memset(bytes + 32 - (index - 260) / 8, 0xff, (index - 260) / 8);
        if (index % 8 != 4) {
            bytes[31 - (index - 260) / 8] = (uint8_t)((1 << (index - 260) % 8) - 1);
        }
    }
    for (int i = 0; i < 8; i++) {
        out->v[i] = lt_load32_be(bytes + 28 - 4 * i);
    }
    order256_subtract_n(out, 0);
}

static void to_limbs(lt_limb out[LIMBS], const order256 *a) {
    uint8_t bytes[32];

    for (int i = 0; i < 8; i++) {
        lt_store32_be(bytes + 28 - 4 * i, a->v[i]);
    }
    lt_limbs_read_vartime(out, LIMBS, bytes, 32);
}

/* The other arithmetic multiplies as a b / 2^256, too. */
static void test_order(void) {
    lt_limb n_limbs[LIMBS], x[LIMBS], y[LIMBS], expected[LIMBS], got[LIMBS], room[2 * LIMBS];
    lt_modulus n;
    order256 a, b, c, one = {{1}};
    uint8_t bytes[32];

    hex(bytes, N);
    lt_limbs_read_vartime(n_limbs, LIMBS, bytes, 32);
    lt_modulus_set_vartime(&n, n_limbs, LIMBS);
    for (uint32_t i = 0; i < 700; i++) {
        WHERE("modulo n, %u", (unsigned)i);
        numbers(&a, i);
        numbers(&b, i % 7 < 4 ? i % 7 : i * 31 % 699);
        to_limbs(x, &a);
        to_limbs(y, &b);
        order256_mul(&c, &a, &b);
        to_limbs(got, &c);
        lt_montgomery_multiply_vartime(expected, x, y, &n, room);
        CHECK(memcmp(got, expected, sizeof got) == 0);
        order256_add(&c, &a, &b); /* (a + b) c = a c + b c, for c = 1 / 2^256 */
        order256_mul(&c, &c, &one);
        order256_mul(&a, &a, &one);
        order256_mul(&b, &b, &one);
        order256_add(&a, &a, &b);
        CHECK(memcmp(&a, &c, sizeof a) == 0);
        numbers(&a, i);
        order256_invert(&b, &a);
        order256_mul(&b, &b, &a);
        c = (order256){{!all_bytes_are((uint8_t *)&a, sizeof a, 0)}};
        CHECK(memcmp(&b, &c, sizeof b) == 0); /* 1, or 0 for 0 */
    }
}

int main(void) {
    lt_cpu_restrict(0);
    test_published_signatures();
    test_signatures_verify("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721", 300);
    lt_cpu_restrict(0xffffffff);
    test_published_signatures();
    test_signatures_verify("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721", 60);
    test_signatures_verify(ONE, 20);
    test_signatures_verify(N_MINUS_1, 20);
    test_refusals();
    test_order();
    return check_result();
}
