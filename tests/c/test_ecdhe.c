/*
 * Key exchange: published vectors, edges, refusals, what is wiped; and the two limb widths against each other. The
 * library has one width; the other is compiled into this program from the same sources, under other names.
 */
#if defined(LT_FORCE_32BIT)
#undef LT_FORCE_32BIT
#else
#define LT_FORCE_32BIT
#endif
#define lt_x25519            other_x25519
#define lt_x25519_base       other_x25519_base
#define lt_x25519_ifma       other_x25519_ifma
#define lt_x25519_base_ifma  other_x25519_base_ifma
#define lt_x25519_agree      other_x25519_agree
#define lt_x25519_agree_ifma other_x25519_agree_ifma
#define lt_p256              other_p256
#define lt_p256_base         other_p256_base
#define lt_p256_check_scalar other_p256_check_scalar

#include "../../csrc/p256.c"
#include "../../csrc/x25519.c"
#include "../../csrc/x25519_base.c"
#include "../../csrc/x25519_ifma.c"

#include "check.h"

#define G_X       "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
#define G_Y       "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
#define MINUS_G_Y "b01cbd1c01e58065711814b583f061e9d431cca994cea1313449bf97c840ae0a"
#define TWO_G_X   "7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978"
#define TWO_G_Y   "07775510db8ed040293d9ac69f7430dbba7dade63ce982299e04b79d227873d1"
#define P         "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"
#define N_MINUS_1 "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550"
#define N_MINUS_2 "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254f"
#define N         "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define ZERO      "0000000000000000000000000000000000000000000000000000000000000000"
#define ONE       "0000000000000000000000000000000000000000000000000000000000000001"
#define TWO       "0000000000000000000000000000000000000000000000000000000000000002"

/* Through the public functions: public key of `scalar`, and the secret shared with `peer`; 0 or the error. */
static int exchange(uint32_t group, const uint8_t scalar[32], const uint8_t *peer, size_t peer_len, uint8_t *public_key,
                    uint8_t secret[66]) {
    uint8_t random32[32];
    lt_key_share share;
    lt_premaster premaster;
    int status, public_len = group == LT_X25519 ? 32 : 65;

    memcpy(random32, scalar, 32);
    status = lt_key_share_generate(&share, public_key, (size_t)public_len, group, random32, 32);
    CHECK(all_bytes_are(random32, 32, 0));
    if (status < 0) {
        CHECK(all_bytes_are((uint8_t *)&share, sizeof share, 0));
        return status;
    }
    CHECK(status == public_len);
    memset(&premaster, 0xa5, sizeof premaster);
    status = lt_key_share_derive(&share, &premaster, peer, peer_len);
    CHECK(all_bytes_are((uint8_t *)&share, sizeof share, 0));
    CHECK(lt_test_premaster_get(&premaster, secret) == (status == LT_OK ? 32 : LT_ERR_ARGUMENT));
    if (status != LT_OK) {
        CHECK(all_bytes_are((uint8_t *)&premaster, sizeof premaster, 0));
    }
    return status;
}

/* lt_key_agree does what the two calls do, wipes what it must, and refuses what they refuse. */
static void agreement_at_once(uint32_t group, const uint8_t scalar[32], const uint8_t *peer, size_t peer_len) {
    const size_t public_len = group == LT_X25519 ? 32 : 65;
    uint8_t public_key[65], at_once[65], secret[66] = {0}, secret_at_once[66] = {0}, random32[32];
    const int status = exchange(group, scalar, peer, peer_len, public_key, secret);
    lt_premaster premaster;
    int len;

    memcpy(random32, scalar, 32);
    memset(&premaster, 0xa5, sizeof premaster);
    len = lt_key_agree(at_once, public_len, &premaster, group, random32, 32, peer, peer_len);
    CHECK(all_bytes_are(random32, 32, 0));
    if (status != LT_OK) {
        CHECK(len == status);
        CHECK(all_bytes_are((uint8_t *)&premaster, sizeof premaster, 0));
        return;
    }
    CHECK(len == (int)public_len && memcmp(public_key, at_once, public_len) == 0);
    CHECK(lt_test_premaster_get(&premaster, secret_at_once) == 32);
    CHECK(memcmp(secret, secret_at_once, sizeof secret) == 0);
}

static void test_agreement_at_once(void) {
    static const uint32_t groups[] = {LT_X25519, LT_SECP256R1};
    uint8_t scalar[32], peer[65], secret[66], zeros[65] = {0};
    lt_premaster premaster;

    for (int i = 0; i < 2; i++) {
        const size_t len = i == 0 ? 32 : 65;

        WHERE("at once, group %u", (unsigned)groups[i]);
        fill(scalar, 32, 11);
        scalar[0] &= 0x7f;
        (void)exchange(groups[i], scalar, zeros, len, peer, secret);
        fill(scalar, 32, 12);
        scalar[0] &= 0x7f;
        agreement_at_once(groups[i], scalar, peer, len);
        agreement_at_once(groups[i], scalar, peer, len - 1);
        agreement_at_once(groups[i], scalar, zeros, len);
        if (groups[i] == LT_SECP256R1) {
            memset(scalar, 0xff, 32);
            agreement_at_once(groups[i], scalar, peer, len);
        }
        memset(&premaster, 0xa5, sizeof premaster);
        fill(scalar, 32, 13);
        CHECK(lt_key_agree(secret, len - 1, &premaster, groups[i], scalar, 32, peer, len) == LT_ERR_SPACE);
        CHECK(all_bytes_are((uint8_t *)&premaster, sizeof premaster, 0));
        CHECK(lt_key_agree(peer, len, &premaster, 25, scalar, 32, zeros, len) == LT_ERR_ARGUMENT);
    }
}

static void x25519_vector(const char *scalar_hex, const char *peer_hex, const char *secret_hex) {
    uint8_t scalar[32], peer[32], expected[32], public_key[32], secret[66];

    WHERE("x25519 %s", scalar_hex);
    hex(scalar, scalar_hex);
    hex(peer, peer_hex);
    hex(expected, secret_hex);
    CHECK(exchange(LT_X25519, scalar, peer, 32, public_key, secret) == LT_OK);
    CHECK(memcmp(secret, expected, 32) == 0);
    CHECK(other_x25519(secret, scalar, peer) == LT_OK);
    CHECK(memcmp(secret, expected, 32) == 0);
}

/* RFC 7748 section 5.2, both vectors and the iteration; section 6.1. */
static void test_x25519_vectors(void) {
    uint8_t k[32] = {9}, u[32] = {9}, public_key[32], other[32], secret[66], expected[32];

    x25519_vector("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                  "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
                  "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
    x25519_vector("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                  "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
                  "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
    x25519_vector("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
                  "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
                  "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");

    for (int i = 1; i <= 1000; i++) {
        WHERE("x25519 iteration %d", i);
        CHECK(exchange(LT_X25519, k, u, 32, public_key, secret) == LT_OK);
        other_x25519_base(other, k);
        CHECK(memcmp(public_key, other, 32) == 0);
        CHECK(other_x25519(other, k, u) == LT_OK);
        CHECK(memcmp(secret, other, 32) == 0);
        memcpy(u, k, 32);
        memcpy(k, secret, 32);
        if (i == 1) {
            hex(expected, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
            CHECK(memcmp(k, expected, 32) == 0);
        }
    }
    hex(expected, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
    CHECK(memcmp(k, expected, 32) == 0);
}

static void x25519_both_widths(const uint8_t scalar[32], const uint8_t peer[32]) {
    uint8_t public_key[32], secret[66], other_public[32], other[32], nine[32] = {9};
    int status;

    if (lt_cpu_features() != 0) {
        return; /* the portable pass has compared what this processor has, too */
    }
    status = other_x25519(other, scalar, peer);
    other_x25519_base(other_public, scalar);
    for (int all = 0; all < 2; all++) {
        lt_cpu_restrict(all ? ~(uint32_t)0 : 0);
        CHECK(exchange(LT_X25519, scalar, peer, 32, public_key, secret) == status);
        CHECK(status != LT_OK || memcmp(secret, other, 32) == 0);
        CHECK(memcmp(public_key, other_public, 32) == 0);
    }
    lt_cpu_restrict(0);
    CHECK(other_x25519(other, scalar, nine) == LT_OK); /* the ladder and the comb agree */
    CHECK(memcmp(other_public, other, 32) == 0);
}

/* RFC 7748 sections 5 and 6.1: the top bit is ignored, u from p to 2^255 - 1 is taken modulo p, zero is refused. */
static void test_x25519_peers(void) {
    static const uint8_t scalar_ends[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    static const char *const zero_results[] = {
        /* little endian: 0, 1, the two points of order 8, p - 1, p, p + 1 */
        ZERO,
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };
    uint8_t scalar[32], peer[33], reduced[32], public_key[32], secret[66], same[66];

    fill(scalar, 32, 7);
    for (size_t i = 0; i < sizeof zero_results / sizeof *zero_results; i++) {
        for (int top = 0; top < 2; top++) {
            WHERE("x25519 zero result %d, top bit %d", (int)i, top);
            hex(peer, zero_results[i]);
            peer[31] |= (uint8_t)(top << 7);
            CHECK(exchange(LT_X25519, scalar, peer, 32, public_key, secret) == LT_ERR_POINT);
            CHECK(other_x25519(secret, scalar, peer) == LT_ERR_POINT);
        }
    }
    for (int above = 2; above < 19; above++) { /* p + 2 = 2^255 - 17 to 2^255 - 1 */
        WHERE("x25519 u = p + %d", above);
        memset(peer, 0xff, 32);
        peer[0] = (uint8_t)(0xed + above);
        peer[31] = 0x7f;
        memset(reduced, 0, 32);
        reduced[0] = (uint8_t)above;
        CHECK(exchange(LT_X25519, scalar, peer, 32, public_key, secret) == LT_OK);
        CHECK(exchange(LT_X25519, scalar, reduced, 32, public_key, same) == LT_OK);
        CHECK(memcmp(secret, same, 32) == 0);
        peer[31] = 0xff;
        CHECK(exchange(LT_X25519, scalar, peer, 32, public_key, same) == LT_OK);
        CHECK(memcmp(secret, same, 32) == 0);
        x25519_both_widths(scalar, peer);
    }
    for (int i = 0; i < 25; i++) { /* limbs all zeros or all ones at either end */
        WHERE("x25519 scalar and u of bytes %02x %02x", scalar_ends[i / 5], scalar_ends[i % 5]);
        memset(scalar, scalar_ends[i / 5], 32);
        memset(peer, scalar_ends[i % 5], 32);
        x25519_both_widths(scalar, peer);
    }
    WHERE("x25519 lengths");
    fill(peer, 33, 8);
    CHECK(exchange(LT_X25519, scalar, peer, 31, public_key, secret) == LT_ERR_POINT);
    CHECK(exchange(LT_X25519, scalar, peer, 33, public_key, secret) == LT_ERR_POINT);
    CHECK(exchange(LT_X25519, scalar, peer, 0, public_key, secret) == LT_ERR_POINT);
}

static void point(uint8_t out[65], const char *x, const char *y) {
    out[0] = 4;
    hex(out + 1, x);
    hex(out + 33, y);
}

/* scalar * G and scalar * peer are as given, at both widths; a null pointer: only that both widths agree. */
static void p256_exchange(const uint8_t scalar[32], const uint8_t peer[65], const uint8_t *public_expected,
                          const uint8_t *secret_expected) {
    uint8_t public_key[65], secret[66], other_public[65], other[65];

    if (lt_cpu_features() != 0) {
        return; /* the portable pass has compared what this processor has, too */
    }
    CHECK(other_p256_check_scalar(scalar) == LT_OK);
    other_p256_base(other_public, scalar);
    CHECK(other_p256(other, scalar, peer) == LT_OK);
    for (int all = 0; all < 2; all++) {
        lt_cpu_restrict(all ? ~(uint32_t)0 : 0);
        CHECK(exchange(LT_SECP256R1, scalar, peer, 65, public_key, secret) == LT_OK);
        CHECK(public_expected == NULL || memcmp(public_key, public_expected, 65) == 0);
        CHECK(secret_expected == NULL || memcmp(secret, secret_expected, 32) == 0);
        CHECK(memcmp(public_key, other_public, 65) == 0);
        CHECK(memcmp(secret, other, 32) == 0);
    }
    lt_cpu_restrict(0);
    CHECK(other_p256(other, scalar, other_public) == LT_OK); /* what we send, passes */
}

static void p256_vector(const char *scalar_hex, const char *x, const char *y, const char *secret_hex) {
    uint8_t scalar[32], peer[65], expected[32];

    WHERE("P-256 %s", scalar_hex);
    hex(scalar, scalar_hex);
    point(peer, x, y);
    hex(expected, secret_hex);
    p256_exchange(scalar, peer, NULL, expected);
}

/* RFC 5903 section 8.1, both sides; NIST CAVP ECC CDH primitive, P-256, counts 0 and 1. */
static void test_p256_vectors(void) {
    uint8_t scalar[32], peer[65], public_key[65], expected[32];

    WHERE("RFC 5903, initiator");
    hex(scalar, "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433");
    point(public_key, "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180",
          "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3");
    point(peer, "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63",
          "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab");
    hex(expected, "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de");
    p256_exchange(scalar, peer, public_key, expected);
    WHERE("RFC 5903, responder");
    hex(scalar, "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53");
    p256_exchange(scalar, public_key, peer, expected);

    p256_vector("7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534",
                "700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287",
                "db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac",
                "46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b");
    p256_vector("38f65d6dce47676044d58ce5139582d568f64bb16098d179dbab07741dd5caf5",
                "809f04289c64348c01515eb03d5ce7ac1a8cb9498f5caa50197e58d43a86a7ae",
                "b29d84e811197f25eba8f5194092cb6ff440e26d4421011372461f579271cda3",
                "057d636096cb80b67a8c038c890e887d1adfa4195e9b3ce241c8a778c59cda67");
}

/* Small multiples and their opposites, where incomplete addition formulas would fail. */
static void test_p256_edges(void) {
    static const struct {
        const char *scalar, *x, *y;
    } multiples[] = {
        {ONE, G_X, G_Y},
        {TWO, TWO_G_X, TWO_G_Y},
        {N_MINUS_1, G_X, MINUS_G_Y},
    };
    static const char *const peers[][2] = {
        {G_X, G_Y},
        {G_X, MINUS_G_Y},
        {TWO_G_X, TWO_G_Y},
        /* x = 0, the largest x below p, x = 2^224 - 2 */
        {ZERO, "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4"},
        {"ffffffff00000001000000000000000000000000fffffffffffffffffffffffc",
         "19719bebf6aea13f25c96dfd7c71f5225d4c8fc09eb5a0ab9f39e9178e55c121"},
        {"00000000fffffffffffffffffffffffffffffffffffffffffffffffffffffffe",
         "7066a319248461b376ecd0875782b3925755fa8616b2126128ac26676f249c48"},
    };
    uint8_t scalar[32], peer[65], g[65], public_key[65], back[66], expected[65];

    point(g, G_X, G_Y);
    for (int i = 0; i < 3; i++) {
        WHERE("P-256 multiple %s", multiples[i].scalar);
        hex(scalar, multiples[i].scalar);
        point(expected, multiples[i].x, multiples[i].y);
        p256_exchange(scalar, g, expected, expected + 1);
    }
    hex(scalar, N_MINUS_2);
    point(expected, TWO_G_X, TWO_G_Y);
    WHERE("P-256 n - 2");
    p256_exchange(scalar, g, NULL, expected + 1);

    for (int i = 0; i < 6; i++) {
        point(peer, peers[i][0], peers[i][1]);
        hex(scalar, ONE);
        WHERE("P-256 peer %d times 1", i);
        p256_exchange(scalar, peer, NULL, peer + 1);
        hex(scalar, N_MINUS_1);
        WHERE("P-256 peer %d times n - 1", i);
        p256_exchange(scalar, peer, NULL, peer + 1);
        /* k and n - k have the same x. Up to 70 on G: every last digit, and the 17 = n mod 32 of the proof. */
        for (int k = 1; k <= (i == 0 ? 70 : 18); k++) {
            WHERE("P-256 peer %d times n - %d", i, k);
            memset(scalar, 0, 32);
            scalar[31] = (uint8_t)k;
            CHECK(exchange(LT_SECP256R1, scalar, peer, 65, public_key, back) == LT_OK);
            memcpy(expected, back, 32);
            hex(scalar, N);
            scalar[31] = (uint8_t)(scalar[31] - k);
            p256_exchange(scalar, peer, NULL, expected);
        }
    }
    /* A single bit, or all ones up to it: each tooth and window alone; the comb and the windows agree. */
    for (int bit = 0; bit < 255; bit++) {
        WHERE("P-256, bit %d", bit);
        memset(scalar, 0, 32);
        if (bit % 2 == 1) {
            memset(scalar + 32 - bit / 8, 0xff, (size_t)(bit / 8));
        }
        scalar[31 - bit / 8] = (uint8_t)(bit % 2 == 1 ? 0xff >> (7 - bit % 8) : 1 << bit % 8);
        other_p256_base(expected, scalar);
        p256_exchange(scalar, g, expected, expected + 1);
    }
}

/* x(a * (b G)) = x(b * (a G)), on pseudo-random scalars, at both widths. */
static void test_both_groups_on_many_scalars(void) {
    uint8_t a[32], b[32], public_a[65], public_b[65], secret[66], other[66];

    for (uint32_t i = 0; i < 200; i++) {
        WHERE("pseudo-random scalars %u", (unsigned)i);
        fill(a, 32, 2 * i);
        fill(b, 32, 2 * i + 1);
        other_x25519_base(public_b, b);
        x25519_both_widths(a, public_b);
        CHECK(exchange(LT_X25519, a, public_b, 32, public_a, secret) == LT_OK);
        CHECK(exchange(LT_X25519, b, public_a, 32, public_b, other) == LT_OK);
        CHECK(memcmp(secret, other, 32) == 0);

        a[0] &= 0x7f; /* below n */
        b[0] &= 0x7f;
        other_p256_base(public_a, a);
        other_p256_base(public_b, b);
        CHECK(other_p256(other, b, public_a) == LT_OK);
        p256_exchange(a, public_b, public_a, other);
    }
}

/* RFC 8422 section 5.11: what is no point of the curve in the uncompressed form is refused before it is used. */
static void test_p256_bad_peers(void) {
    static const char *const pairs[][2] = {
        {ZERO, ZERO},
        {G_X, G_X},
        {G_Y, G_X},
        {P, G_Y},
        {G_X, P},
        /* p + x with x = 0 would be the point above, were it not for the range */
        {P, "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4"},
        /* likewise p + 5 with the x of y = 5 */
        {"d7325d7646cd60d80a92738ceb345f844cffaf35841022cab176f692de8de1d7",
         "ffffffff00000001000000000000000000000001000000000000000000000004"},
        {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", G_Y},
        {G_X, "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
        {G_X, "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f4"},
        {G_X, "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f6"},
    };
    uint8_t scalar[32], peer[130], public_key[65], secret[66], unchanged[32];

    fill(scalar, 32, 3);
    scalar[0] &= 0x7f;
    memset(unchanged, 0x5a, sizeof unchanged);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        WHERE("P-256 bad pair %d", (int)i);
        point(peer, pairs[i][0], pairs[i][1]);
        CHECK(exchange(LT_SECP256R1, scalar, peer, 65, public_key, secret) == LT_ERR_POINT);
        CHECK(other_p256(unchanged, scalar, peer) == LT_ERR_POINT);
        CHECK(all_bytes_are(unchanged, 32, 0x5a));
    }
    memset(peer, 0, sizeof peer);
    point(peer, G_X, G_Y);
    for (int form = 0; form < 256; form++) { /* 00 infinity, 02 and 03 compressed, 06 and 07 hybrid */
        WHERE("P-256 form %d", form);
        peer[0] = (uint8_t)form;
        CHECK(exchange(LT_SECP256R1, scalar, peer, 65, public_key, secret) == (form == 4 ? LT_OK : LT_ERR_POINT));
        CHECK(other_p256(secret, scalar, peer) == (form == 4 ? LT_OK : LT_ERR_POINT));
    }
    for (size_t len = 0; len <= sizeof peer; len++) {
        WHERE("P-256 length %d", (int)len);
        peer[0] = len == 1 ? 0 : len == 33 ? 3 : 4;
        CHECK(exchange(LT_SECP256R1, scalar, peer, len, public_key, secret) == (len == 65 ? LT_OK : LT_ERR_POINT));
    }
}

static void test_key_share_arguments(void) {
    uint8_t random32[32], public_key[65], secret[66], ones[32], peer[65];
    lt_key_share share;
    lt_premaster premaster;

    WHERE("P-256 scalars out of range");
    memset(ones, 0xff, 32);
    hex(random32, ZERO);
    CHECK(exchange(LT_SECP256R1, random32, public_key, 65, public_key, secret) == LT_ERR_SCALAR);
    CHECK(other_p256_check_scalar(random32) == LT_ERR_SCALAR);
    hex(random32, N);
    CHECK(exchange(LT_SECP256R1, random32, public_key, 65, public_key, secret) == LT_ERR_SCALAR);
    CHECK(other_p256_check_scalar(random32) == LT_ERR_SCALAR);
    CHECK(exchange(LT_SECP256R1, ones, public_key, 65, public_key, secret) == LT_ERR_SCALAR);
    CHECK(other_p256_check_scalar(ones) == LT_ERR_SCALAR);

    WHERE("no room, no such group: the output is untouched, the random bytes and the share are wiped");
    for (int i = 0; i < 3; i++) {
        static const uint32_t groups[] = {LT_X25519, LT_SECP256R1, 25};
        static const size_t rooms[] = {31, 64, 65};
        static const int statuses[] = {LT_ERR_SPACE, LT_ERR_SPACE, LT_ERR_ARGUMENT};

        memset(public_key, 0xa5, sizeof public_key);
        memset(&share, 0xa5, sizeof share);
        fill(random32, 32, 9);
        CHECK(lt_key_share_generate(&share, public_key, rooms[i], groups[i], random32, 32) == statuses[i]);
        CHECK(all_bytes_are(public_key, sizeof public_key, 0xa5));
        CHECK(all_bytes_are((uint8_t *)&share, sizeof share, 0));
        CHECK(all_bytes_are(random32, 32, 0));
    }

    WHERE("a private key serves once");
    fill(random32, 32, 10);
    fill(peer, 32, 11);
    CHECK(lt_key_share_generate(&share, public_key, 32, LT_X25519, random32, 32) == 32);
    CHECK(lt_key_share_derive(&share, &premaster, peer, 32) == LT_OK);
    CHECK(lt_key_share_derive(&share, &premaster, peer, 32) == LT_ERR_ARGUMENT);
    CHECK(all_bytes_are((uint8_t *)&premaster, sizeof premaster, 0));

    WHERE("wipes");
    fill(random32, 32, 10);
    CHECK(lt_key_share_generate(&share, public_key, 32, LT_X25519, random32, 32) == 32);
    lt_key_share_wipe(&share);
    CHECK(all_bytes_are((uint8_t *)&share, sizeof share, 0));
    memset(&premaster, 0xa5, sizeof premaster);
    lt_premaster_wipe(&premaster);
    CHECK(all_bytes_are((uint8_t *)&premaster, sizeof premaster, 0));
}

static void test_premaster_from_outside(void) {
    uint8_t secret[67], given[67], out[66];
    lt_premaster premaster;

    for (size_t len = 0; len <= 67; len++) {
        int fits = len >= 1 && len <= 66;

        WHERE("premaster of %d bytes", (int)len);
        fill(given, sizeof given, (uint32_t)len);
        memcpy(secret, given, sizeof given);
        memset(&premaster, 0xa5, sizeof premaster);
        CHECK(lt_premaster_set(&premaster, secret, len) == (fits ? LT_OK : LT_ERR_ARGUMENT));
        CHECK(all_bytes_are(secret, len, 0));
        CHECK(memcmp(secret + len, given + len, sizeof given - len) == 0);
        CHECK(lt_test_premaster_get(&premaster, out) == (fits ? (int)len : LT_ERR_ARGUMENT));
        CHECK(!fits || memcmp(out, given, len) == 0);
    }
}

/* RFC 4279 section 2: uint16 N, N zeros, uint16 N, the key. Keys of every length, and of two that are none. */
static void test_premaster_of_a_key(void) {
    uint8_t key[129], expected[260], out[260];
    lt_premaster premaster;

    for (size_t len = 0; len <= 129; len++) {
        int fits = len >= 1 && len <= 128;

        WHERE("key of %d bytes", (int)len);
        fill(key, sizeof key, (uint32_t)len);
        memset(&premaster, 0xa5, sizeof premaster);
        CHECK(lt_premaster_set_psk(&premaster, key, len) == (fits ? LT_OK : LT_ERR_ARGUMENT));
        if (!fits) {
            CHECK(all_bytes_are((uint8_t *)&premaster, sizeof premaster, 0));
            continue;
        }
        memset(expected, 0, sizeof expected);
        expected[1] = expected[3 + len] = (uint8_t)len;
        memcpy(expected + 4 + len, key, len);
        CHECK(lt_test_premaster_get(&premaster, out) == 4 + 2 * (int)len);
        CHECK(memcmp(out, expected, 4 + 2 * len) == 0);
    }
}

/* RFC 5489 section 2: uint16 and the ECDH secret, uint16 and the key. */
static void test_premaster_of_ecdh_and_a_key(void) {
    uint8_t secret[66], given[66], key[129], expected[198], out[260];
    lt_premaster premaster;

    for (size_t len = 0; len <= 66; len++) {
        for (size_t key_len = 0; key_len <= 129; key_len++) {
            int fits = len >= 1 && key_len >= 1 && key_len <= 128;

            WHERE("secret of %d bytes, key of %d", (int)len, (int)key_len);
            fill(given, sizeof given, (uint32_t)len);
            fill(key, sizeof key, (uint32_t)key_len + 1000);
            memcpy(secret, given, sizeof given);
            memset(&premaster, 0, sizeof premaster);
            if (len != 0) {
                CHECK(lt_premaster_set(&premaster, secret, len) == LT_OK);
            }
            CHECK(lt_premaster_add_psk(&premaster, key, key_len) == (fits ? LT_OK : LT_ERR_ARGUMENT));
            if (!fits) {
                CHECK(all_bytes_are((uint8_t *)&premaster, sizeof premaster, 0));
                continue;
            }
            expected[0] = expected[2 + len] = 0;
            expected[1] = (uint8_t)len;
            expected[3 + len] = (uint8_t)key_len;
            memcpy(expected + 2, given, len);
            memcpy(expected + 4 + len, key, key_len);
            CHECK(lt_test_premaster_get(&premaster, out) == (int)(4 + len + key_len));
            CHECK(memcmp(out, expected, 4 + len + key_len) == 0);
        }
    }
    WHERE("a second key");
    fill(key, sizeof key, 1);
    CHECK(lt_premaster_set_psk(&premaster, key, 64) == LT_OK);
    CHECK(lt_premaster_add_psk(&premaster, key, 64) == LT_ERR_ARGUMENT);
    CHECK(all_bytes_are((uint8_t *)&premaster, sizeof premaster, 0));
}

int main(void) {
    for (int all = 0; all < 2; all++) { /* portable C, then what this processor has */
        lt_cpu_restrict(all ? ~(uint32_t)0 : 0);
        if (all && lt_cpu_features() == 0) {
            break;
        }
        test_x25519_vectors();
        test_x25519_peers();
        test_p256_vectors();
        test_p256_edges();
        test_both_groups_on_many_scalars();
        test_p256_bad_peers();
        test_key_share_arguments();
        test_agreement_at_once();
    }
    test_premaster_from_outside();
    test_premaster_of_a_key();
    test_premaster_of_ecdh_and_a_key();
    return check_result();
}
