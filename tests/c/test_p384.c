/*
 * Key exchange on P-384: published vectors, edges, refusals, what is wiped; with and without MULX, ADCX and ADOX; and
 * the two limb widths against each other. The library has one width; the other is compiled into this program from the
 * same sources, under other names.
 */
#if defined(LT_FORCE_32BIT)
#undef LT_FORCE_32BIT
#else
#define LT_FORCE_32BIT
#endif
#define lt_p384              other_p384
#define lt_p384_base         other_p384_base
#define lt_p384_check_scalar other_p384_check_scalar
#define lt_p384_table        other_p384_table

#include "../../csrc/inner.h"
#undef LT_P384_ADX
#define LT_P384_ADX 0
#include "../../csrc/p384.c"
#include "../../csrc/p384_table.c"

#include "check.h"

#define SCALAR 48
#define PUBLIC 97

#define G_X "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7"
#define G_Y "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f"
#define P   "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff"
#define N   "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"

/* Private keys whose last addition is of a point to itself, in n - k or k: see p384_multiply.h. */
static const char *const doubled[] = {
    /* combs of four blocks and of one */
    "fffdfffffffffffffffdfffffffffffffffdffffffffffffc7614d81f4372ddf58180db248b0a77aecee196accc52973",
    "fffffffffffffffdfffffffffffffffdfffffffffffffffdc7634d81f4372ddd581a0db248b0a778ecec196accc52971",
    /* windows of five bits and of four: n - 38 and n - 6 */
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc5294d",
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc5296d",
};

static void generator(uint8_t out[PUBLIC]) {
    out[0] = 4;
    hex(out + 1, G_X);
    hex(out + 49, G_Y);
}

/* n - k. */
static void opposite(uint8_t out[SCALAR], const uint8_t k[SCALAR]) {
    uint8_t n[SCALAR];
    int borrow = 0;

    hex(n, N);
    for (int i = SCALAR - 1; i >= 0; i--) {
        int difference = n[i] - k[i] - borrow;

        out[i] = (uint8_t)difference;
        borrow = difference < 0;
    }
}

/* Through the public functions: public key of `scalar`, and the secret shared with `peer`; 0 or the error. */
static int exchange(const uint8_t scalar[SCALAR], const uint8_t *peer, size_t peer_len, uint8_t public_key[PUBLIC],
                    uint8_t secret[66]) {
    uint8_t random[SCALAR];
    lt_key_share share;
    lt_premaster premaster;
    int status;

    memcpy(random, scalar, SCALAR);
    status = lt_key_share_generate(&share, public_key, PUBLIC, LT_SECP384R1, random, SCALAR);
    CHECK(all_bytes_are(random, SCALAR, 0));
    if (status < 0) {
        CHECK(all_bytes_are((uint8_t *)&share, sizeof share, 0));
        return status;
    }
    CHECK(status == PUBLIC);
    memset(&premaster, 0xa5, sizeof premaster);
    status = lt_key_share_derive(&share, &premaster, peer, peer_len);
    CHECK(all_bytes_are((uint8_t *)&share, sizeof share, 0));
    CHECK(lt_test_premaster_get(&premaster, secret) == (status == LT_OK ? SCALAR : LT_ERR_ARGUMENT));
    if (status != LT_OK) {
        CHECK(all_bytes_are((uint8_t *)&premaster, sizeof premaster, 0));
    }
    return status;
}

/* scalar * G and scalar * peer are as given, on every implementation; a null pointer: only that they agree. */
static void check_exchange(const uint8_t scalar[SCALAR], const uint8_t peer[PUBLIC], const uint8_t *public_expected,
                           const uint8_t *secret_expected) {
    uint8_t public_key[PUBLIC], secret[66], other[PUBLIC], g[PUBLIC], own_x[66];

    other_p384_base(other, scalar);
    CHECK(public_expected == NULL || memcmp(other, public_expected, PUBLIC) == 0);
    for (int adx = 0; adx < 2; adx++) {
        lt_cpu_restrict(adx ? LT_CPU_BMI2_ADX : 0);
        CHECK(exchange(scalar, peer, PUBLIC, public_key, secret) == LT_OK);
        CHECK(memcmp(public_key, other, PUBLIC) == 0);
        CHECK(secret_expected == NULL || memcmp(secret, secret_expected, SCALAR) == 0);
        generator(g);
        CHECK(exchange(scalar, g, PUBLIC, public_key, own_x) == LT_OK);
        CHECK(memcmp(own_x, public_key + 1, SCALAR) == 0); /* comb and windows agree */
    }
    CHECK(other_p384_check_scalar(scalar) == LT_OK);
    CHECK(other_p384(other, scalar, peer) == LT_OK);
    CHECK(memcmp(secret, other, SCALAR) == 0);
    CHECK(other_p384(other, scalar, g) == LT_OK);
    CHECK(memcmp(other, public_key + 1, SCALAR) == 0);
    CHECK(other_p384(other, scalar, public_key) == LT_OK); /* what we send, passes */
}

/* RFC 5903 section 8.2, both sides. */
static void test_vectors(void) {
    uint8_t i[SCALAR], r[SCALAR], gi[PUBLIC] = {4}, gr[PUBLIC] = {4}, shared[SCALAR];

    WHERE("RFC 5903");
    hex(i, "099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655e35b538041e649ee3faef896783ab194");
    hex(gi + 1, "667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6de3ac808acb4bdb4c88732aee95f41aa"
                "9482ed1fc0eeb9cafc4984625ccfc23f65032149e0e144ada024181535a0f38eeb9fcff3c2c947dae69b4c634573a81c");
    hex(r, "41cb0779b4bdb85d47846725fbec3c9430fab46cc8dc5060855cc9bda0aa2942e0308312916b8ed2960e4bd55a7448fc");
    hex(gr + 1, "e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d83cfa41732bc509d0d1ac43a0336def96fda41d0774a3571"
                "dcfbec7aacf3196472169e838430367f66eebe3c6e70c416dd5f0c68759dd1fff83fa40142209dff5eaad96db9e6386c");
    hex(shared, "11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4d603135569b9e9d09cf5d4a270f59746");
    check_exchange(i, gr, gi, shared);
    check_exchange(r, gi, gr, shared);
}

/* k and n - k: public keys differ in the sign of y alone, secrets not at all. */
static void check_with_opposite(const uint8_t k[SCALAR], uint32_t seed) {
    uint8_t minus_k[SCALAR], peer[PUBLIC], q[SCALAR], public_key[PUBLIC], minus_public[PUBLIC], secret[66], same[66];

    fill(q, SCALAR, seed);
    q[0] &= 0x7f;
    other_p384_base(peer, q);
    opposite(minus_k, k);
    check_exchange(k, peer, NULL, NULL);
    check_exchange(minus_k, peer, NULL, NULL);
    CHECK(exchange(k, peer, PUBLIC, public_key, secret) == LT_OK);
    CHECK(exchange(minus_k, peer, PUBLIC, minus_public, same) == LT_OK);
    CHECK(memcmp(secret, same, SCALAR) == 0);
    CHECK(memcmp(public_key, minus_public, 1 + SCALAR) == 0);
    CHECK(((public_key[PUBLIC - 1] ^ minus_public[PUBLIC - 1]) & 1) == 1); /* y and p - y */
}

static void test_scalars(void) {
    uint8_t k[SCALAR];

    for (size_t i = 0; i < sizeof doubled / sizeof *doubled; i++) {
        WHERE("last addition a doubling, %u", (unsigned)i);
        hex(k, doubled[i]);
        check_with_opposite(k, (uint32_t)i);
    }
    for (int i = 1; i < 40; i += i < 7 ? 1 : 31) { /* 1 to 7 and 38 */
        WHERE("scalar %d", i);
        memset(k, 0, SCALAR);
        k[SCALAR - 1] = (uint8_t)i;
        check_with_opposite(k, (uint32_t)i);
    }
    for (int bit = 7; bit < 384; bit += 47) {
        WHERE("scalar 2^%d", bit);
        memset(k, 0, SCALAR);
        k[SCALAR - 1 - bit / 8] = (uint8_t)(1 << bit % 8);
        check_with_opposite(k, (uint32_t)bit);
    }
    for (uint32_t i = 0; i < 6; i++) {
        WHERE("pseudo-random scalar %u", (unsigned)i);
        fill(k, SCALAR, 100 + i);
        k[0] &= 0x7f;
        check_with_opposite(k, i);
    }
}

static void test_refused_scalars(void) {
    uint8_t k[SCALAR] = {0}, g[PUBLIC], public_key[PUBLIC], secret[66];

    generator(g);
    WHERE("scalar 0");
    CHECK(exchange(k, g, PUBLIC, public_key, secret) == LT_ERR_SCALAR);
    CHECK(other_p384_check_scalar(k) == LT_ERR_SCALAR);
    hex(k, N);
    WHERE("scalar n");
    CHECK(exchange(k, g, PUBLIC, public_key, secret) == LT_ERR_SCALAR);
    CHECK(other_p384_check_scalar(k) == LT_ERR_SCALAR);
    k[SCALAR - 1]++;
    WHERE("scalar n + 1");
    CHECK(exchange(k, g, PUBLIC, public_key, secret) == LT_ERR_SCALAR);
    CHECK(other_p384_check_scalar(k) == LT_ERR_SCALAR);
    memset(k, 0xff, SCALAR);
    WHERE("scalar 2^384 - 1");
    CHECK(exchange(k, g, PUBLIC, public_key, secret) == LT_ERR_SCALAR);
    CHECK(other_p384_check_scalar(k) == LT_ERR_SCALAR);
}

static void refused(const uint8_t *peer, size_t peer_len) {
    uint8_t k[SCALAR], public_key[PUBLIC], secret[66];

    fill(k, SCALAR, 9);
    k[0] &= 0x7f;
    for (int adx = 0; adx < 2; adx++) {
        lt_cpu_restrict(adx ? LT_CPU_BMI2_ADX : 0);
        CHECK(exchange(k, peer, peer_len, public_key, secret) == LT_ERR_POINT);
    }
    CHECK(peer_len != PUBLIC || other_p384(secret, k, peer) == LT_ERR_POINT);
}

/* RFC 8422 section 5.11. */
static void test_refused_peers(void) {
    uint8_t peer[PUBLIC + 1] = {0};

    WHERE("lengths");
    generator(peer);
    for (size_t len = 0; len < PUBLIC; len += 16) {
        refused(peer, len);
    }
    refused(peer, PUBLIC - 1);
    refused(peer, PUBLIC + 1);

    WHERE("first bytes");
    for (uint8_t first = 0; first < 9; first++) {
        if (first != 4) {
            peer[0] = first;
            refused(peer, PUBLIC);
        }
    }

    WHERE("points that are not on the curve");
    for (int at = 1; at < PUBLIC; at += 5) {
        generator(peer);
        peer[at] ^= 1;
        refused(peer, PUBLIC);
    }
    memset(peer, 0, PUBLIC);
    peer[0] = 4;
    refused(peer, PUBLIC); /* 0, 0 */

    WHERE("coordinates of p and above");
    generator(peer);
    hex(peer + 1, P);
    refused(peer, PUBLIC);
    memset(peer + 1, 0xff, 48);
    refused(peer, PUBLIC);
    generator(peer);
    hex(peer + 49, P);
    refused(peer, PUBLIC);
    memset(peer + 49, 0xff, 48);
    refused(peer, PUBLIC);
    memset(peer + 1, 0xff, 96);
    refused(peer, PUBLIC);
}

/* 0 is an x coordinate of P-384, and in this form 2^384 - 1 could hold it once more, as p. */
static void test_non_canonical_x(void) {
    uint8_t peer[PUBLIC] = {4}, k[SCALAR] = {0}, public_key[PUBLIC], secret[66];

    WHERE("x = 0 and x = p");
    k[SCALAR - 1] = 5;
    hex(peer + 49, "3cf99ef04f51a5ea630ba3f9f960dd593a14c9be39fd2bd215d3b4b08aaaf86bbf927f2c46e52ab06fb742b8850e521e");
    CHECK(exchange(k, peer, PUBLIC, public_key, secret) == LT_OK);
    check_exchange(k, peer, NULL, secret);
    hex(peer + 1, P);
    refused(peer, PUBLIC);
}

/* The contract of lt_key_share_generate. */
static void test_arguments(void) {
    uint8_t random[SCALAR + 1], public_key[PUBLIC];
    lt_key_share share;

    for (size_t len = 0; len <= SCALAR + 1; len++) {
        WHERE("%u random bytes", (unsigned)len);
        memset(public_key, 0xa5, PUBLIC);
        memset(&share, 0xa5, sizeof share);
        memset(random, 0x35, sizeof random);
        if (len != SCALAR) {
            CHECK(lt_key_share_generate(&share, public_key, PUBLIC, LT_SECP384R1, random, len) == LT_ERR_ARGUMENT);
        } else {
            CHECK(lt_key_share_generate(&share, public_key, PUBLIC - 1, LT_SECP384R1, random, len) == LT_ERR_SPACE);
        }
        CHECK(all_bytes_are(public_key, PUBLIC, 0xa5));
        CHECK(all_bytes_are((uint8_t *)&share, sizeof share, 0));
        CHECK(all_bytes_are(random, len, 0));
        CHECK(all_bytes_are(random + len, sizeof random - len, 0x35));
    }
    WHERE("48 random bytes for other groups");
    memset(random, 0x35, sizeof random);
    CHECK(lt_key_share_generate(&share, public_key, PUBLIC, LT_X25519, random, SCALAR) == LT_ERR_ARGUMENT);
    CHECK(lt_key_share_generate(&share, public_key, PUBLIC, LT_SECP256R1, random, SCALAR) == LT_ERR_ARGUMENT);
}

int main(void) {
    test_vectors();
    test_scalars();
    test_refused_scalars();
    test_refused_peers();
    test_non_canonical_x();
    test_arguments();
    return check_result();
}
