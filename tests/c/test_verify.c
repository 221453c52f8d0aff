/*
 * ECDSA verification: signatures at the edges of what is right, keys and signatures in wrong DER. That ordinary ones
 * verify or do not, tests/vectors and tests/differential show.
 */
#include "check.h"

#include "vartime.h"

typedef int ecdsa(lt_der key, lt_der signature, const uint8_t *digest, size_t digest_len);

/* ---- A signature in DER ------------------------------------------------------------------------- */

#define SIGNATURE_MAX 128

/* INTEGER of a magnitude, big endian; returns its length. */
static size_t put_integer(uint8_t *out, const uint8_t *magnitude, size_t len) {
    size_t zero;

    while (len > 0 && *magnitude == 0) {
        magnitude++;
        len--;
    }
    zero = len == 0 || *magnitude >= 0x80;
    out[0] = 0x02;
    out[1] = (uint8_t)(len + zero);
    out[2] = 0;
    memcpy(out + 2 + zero, magnitude, len);
    return 2 + zero + len;
}

static lt_der put_signature(uint8_t out[SIGNATURE_MAX], const uint8_t *r, const uint8_t *s, size_t len) {
    size_t at = 2;
    lt_der signature;

    at += put_integer(out + at, r, len);
    at += put_integer(out + at, s, len);
    out[0] = 0x30;
    out[1] = (uint8_t)(at - 2);
    signature.at = out;
    signature.left = at;
    return signature;
}

/* ---- Numbers at their edges ------------------------------------------------------------------------ */

/*
 * With Q = d G, any nonce k and R = k G: r = x(R), s = (e + r d) / k, where e may be chosen since digests are given
 * here. To get what hashes never lead to, other things were chosen first: R with x above n and u1, u2, then Q from
 * them; or d = -e / r, so that u1 G + u2 Q is infinity; or d = e / r, so that both halves are equal.
 */
typedef struct {
    const char *what;
    int expected;
    const char *x, *y, *r, *s, *e;
} edge;

static const edge p256_edges[] = {
    {"x is above n", LT_OK, "f8572f7574c2b556764fea344ca18de5d2e37bb4b66eb85569202039b0697240",
     "4af83c02e7aa3516b1c7271f1e1ac387ff65edeec55b728d06381bc65445a344",
     "0000000000000000000000000000000000000000000000000000000000000003",
     "b77ebcc4d4b4e0adedceb3660e67ae9d6466dfe21b511bc85443ece0a304d066",
     "5c04b059d1e0b57e50d0adc37eca7bf351c50a99f6eabf76cad736fb1503f935"},
    {"the sum is infinity, whatever s is", LT_ERR_AUTH,
     "6e36da0247c0b14ed24d0ee9ab91a90e74039bc66ea72ec774b76b78133ffad5",
     "779b09373beab0caea4b8e83ae05b660086d796222d572357c19dab4be2085b0",
     "d5d92bf2b42eabbee0ce95bb5a7328ab8c50ba6d3aa2cdf8eecfda66bb458b85",
     "3dc6cc583728dd7235f21dbd387caf390ba864d3e296b5e21111d5bb667bb77d",
     "226202a5e5a960ea3fe291a1a123adaaa4e9f1c200c0d0f69727adf6ef0b0065"},
    {"u1 G = u2 Q", LT_OK, "79d63d47a260ac47b5449f57d733cd614e5de69a7efd6594a9f33eff21cd2365",
     "98344d5d42104c5a82d2e1e166d287f873a18d723601166f8e38a3e20cb6e170",
     "022e62c170381cf3c35041ea063116d57f7f1da744134bcd1d36e9ffdc39b98a",
     "f8db6fe27f494ee34b78f3c3b18896578dbe1053810d0ea06447c5412947e390",
     "43197c9fab075868a5a8e2c5ade1c12706633e5fffd80a4c43f90c190a737b1a"},
    {"Q = G, u1 = u2 = 1", LT_OK, "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
     "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
     "7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978",
     "7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978",
     "7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978"},
    {"Q = -G, u1 = 2, u2 = 1", LT_OK, "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
     "b01cbd1c01e58065711814b583f061e9d431cca994cea1313449bf97c840ae0a",
     "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
     "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
     "d62fa3e5c258848ff179cdcac74881e4ee06fb025bd66741e942728bb131852c"},
    {"Q = -G, u1 = u2 + 1", LT_OK, "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
     "b01cbd1c01e58065711814b583f061e9d431cca994cea1313449bf97c840ae0a",
     "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
     "62cc553851d716edb3bb9902456f5f9dbe6756bb895d21f2674d8c319d43f1f5",
     "cde4272b33035935ac787fe7a913a090356ad43cb74855935beec57775dcb48b"},
    {"u1 = 0", LT_OK, "7ca57a7c21edcad4f636c36b6147755d0a03cceb9b265c7c45b94a7b9e94b61c",
     "43d0e54e35fe46d9cbf1537f9ca13914f023b282adf97560dd94d76ad6cf8228",
     "7ca57a7c21edcad4f636c36b6147755d0a03cceb9b265c7c45b94a7b9e94b61c",
     "7ca57a7c21edcad4f636c36b6147755d0a03cceb9b265c7c45b94a7b9e94b61c",
     "0000000000000000000000000000000000000000000000000000000000000000"},
};

static const edge p384_edges[] = {
    {"x is above n", LT_OK,
     "82d3f8c144db350327fd5f26981848b6c191b0e8229e33bc78d22d9f90f624334cccb4cb7271944d52cab6f5697cc1fc",
     "2af4660bf3620e81823d7545603e551868d34742ce44803f35d03f5eed28a6edf42a4d28aa58870b81afef6f08baded1",
     "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000002",
     "1ea1c1c4ac20ada7ffef8f1dc699c7e0f5610a80e10f73a0646ff31ebe2f7edde531b7148126303d9697177f4aadd127",
     "fda934685a09eaa7ef37644ec1d70749c59b0a92465f8ef57e4ea533dce819a91d03fa38a9734a6d9d23d7e38bae41eb"},
    {"the sum is infinity, whatever s is", LT_ERR_AUTH,
     "927441f1f39df564e25659148c53e6a566d9b27df6a09feefa9e17842d898b235a6d698999e59086357c802611e0fceb",
     "7ba388faf905bc745a7a78c76e7fcff3b9558158d4591ff305427dde97b45f10024a21e28261003fa180ec93081d27d4",
     "25b2f543f66f1a104f2982437105a76f85b35287045fbdc35231b6d6990692c82962f199091bb7214f1a99c1dbf07f03",
     "00972b867d7944b59303346fc6277a85e0fde07bb291135d3d8044423ba89fadc2bae7e927bc13c6b27ff72ba737404b",
     "0ac49adcb89e24447bf0f7353527767fc761b91d01e6fcd2558be19c6530052c9d56c54ce0a7a975b11463882ee713ce"},
    {"u1 G = u2 Q", LT_OK,
     "d8f2323fdd81808ec68ed7e45c6bd4df9c726de5b54389d71ffdbaf92bd95e7cd26682bfa7da061dbbf656a1a18707b6",
     "c390d6398d032c65626941d151fcbb04e9b5eb5694bfeb0116c02855d54ec83c79a79a6c60f4b10d16e698cbfc0725fc",
     "511774084ca415e07f9151c33c58b62654dbaf10260deb51cbefc98a92e682efb79673706ffdaeabcbd586705c023543",
     "00f1a260e9fa68d60bf2af27d0f6d7fa9a5fce2e04c28cf2ced472b65602ff64a8939a59881e1ef2ae5b877d6343f3d4",
     "5cfc2394d1836553c6b6a7421a83273e4dcafb5f5aa0f2b955ff2325fd9dc2d67c5d0382a921082dd69df45654b51f76"},
    {"Q = G, u1 = u2 = 1", LT_OK,
     "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
     "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
     "08d999057ba3d2d969260045c55b97f089025959a6f434d651d207d19fb96e9e4fe0e86ebe0e64f85b96a9c75295df61",
     "08d999057ba3d2d969260045c55b97f089025959a6f434d651d207d19fb96e9e4fe0e86ebe0e64f85b96a9c75295df61",
     "08d999057ba3d2d969260045c55b97f089025959a6f434d651d207d19fb96e9e4fe0e86ebe0e64f85b96a9c75295df61"},
    {"Q = -G, u1 = 2, u2 = 1", LT_OK,
     "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
     "c9e821b569d9d390a26167406d6d23d6070be242d765eb831625ceec4a0f473ef59f4e30e2817e6285bce2846f15f1a0",
     "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
     "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
     "550f94457d160a6f1d638e3de6415ae8dc3a76c5174f3730ec8b363f1071269151ebd70935f9ab5d87bca3061826ebfb"},
    {"Q = -G, u1 = u2 + 1", LT_OK,
     "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
     "c9e821b569d9d390a26167406d6d23d6070be242d765eb831625ceec4a0f473ef59f4e30e2817e6285bce2846f15f1a0",
     "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
     "455942176f4ea6f7df1d632a6b12e44cdb356b1d6f5f2095c5f6603d23a0d4457c5a86a1038948a7bfa32e469da80829",
     "efe10c3a2dd9ac2f6dcf2a495e3391c14952a67ffb06bc2e1feda21da5f4fe7dd15d78fec2de7213f9f78c7f101e12e0"},
    {"u1 = 0", LT_OK,
     "24b870400222c9ccfcec11aecab0a1b5cd141fefd12df0be08a1b636d84b9cf66eb41845e9f45fe8a4367de3d0ca0e70",
     "05f1afb0cb4c801a258541b61cab926f77fd744ed92e00ac701e89b5e0af4d6d8db2243595e4fac80ce132050873ed2e",
     "24b870400222c9ccfcec11aecab0a1b5cd141fefd12df0be08a1b636d84b9cf66eb41845e9f45fe8a4367de3d0ca0e70",
     "24b870400222c9ccfcec11aecab0a1b5cd141fefd12df0be08a1b636d84b9cf66eb41845e9f45fe8a4367de3d0ca0e70",
     "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"},
};

static void check_edges(ecdsa *verify, const edge *edges, size_t count, size_t len) {
    for (size_t i = 0; i < count; i++) {
        uint8_t point[97], numbers[3][48], der[SIGNATURE_MAX];
        lt_der key = {point, 1 + 2 * len};

        WHERE("%u bits, %s", (unsigned)len * 8, edges[i].what);
        point[0] = 4;
        CHECK(hex(point + 1, edges[i].x) == len && hex(point + 1 + len, edges[i].y) == len);
        CHECK(hex(numbers[0], edges[i].r) == len && hex(numbers[1], edges[i].s) == len);
        CHECK(hex(numbers[2], edges[i].e) == len);
        CHECK(verify(key, put_signature(der, numbers[0], numbers[1], len), numbers[2], len) == edges[i].expected);
        for (size_t j = 0; j < 3; j++) { /* one bit of r, s and e */
            numbers[j][len - 1] ^= 1;
            CHECK(verify(key, put_signature(der, numbers[0], numbers[1], len), numbers[2], len) == LT_ERR_AUTH);
            numbers[j][len - 1] ^= 1;
        }
        point[2 * len] ^= 1;
        CHECK(verify(key, put_signature(der, numbers[0], numbers[1], len), numbers[2], len) == LT_ERR_KEY);
    }
}

/* r and s of 0, 1, n - 1, n and above, and digests of 0 and all ones: a verdict, and only for numbers in [1, n - 1]. */
static void check_range(ecdsa *verify, const edge *good, const char *order, size_t len) {
    uint8_t point[97], numbers[2][48], der[SIGNATURE_MAX], digest[64], n[48], bad[48];
    lt_der key = {point, 1 + 2 * len};

    point[0] = 4;
    hex(point + 1, good->x);
    hex(point + 1 + len, good->y);
    hex(n, order);
    for (unsigned which = 0; which < 2; which++) {
        for (unsigned value = 0; value < 6; value++) {
            memset(bad, value == 5 ? 0xff : 0, sizeof bad);
            if (value >= 2 && value < 5) {
                memcpy(bad, n, len);
                bad[len - 1] = (uint8_t)(bad[len - 1] + value - 3); /* the order ends in no 00 or ff */
            } else if (value == 1) {
                bad[len - 1] = 1;
            }
            WHERE("%u bits, number %u is value %u", (unsigned)len * 8, which, value);
            hex(numbers[0], good->r);
            hex(numbers[1], good->s);
            memcpy(numbers[which], bad, len);
            hex(digest, good->e);
            CHECK(verify(key, put_signature(der, numbers[0], numbers[1], len), digest, len) == LT_ERR_AUTH);
            memset(digest, 0, sizeof digest);
            CHECK(verify(key, put_signature(der, numbers[0], numbers[1], len), digest, 20) == LT_ERR_AUTH);
            memset(digest, 0xff, sizeof digest);
            CHECK(verify(key, put_signature(der, numbers[0], numbers[1], len), digest, 64) == LT_ERR_AUTH);
        }
    }
    WHERE("%u bits, digest longer than the order", (unsigned)len * 8);
    hex(numbers[0], good->r);
    hex(numbers[1], good->s);
    memset(digest, 0x5a, sizeof digest);
    hex(digest, good->e);
    CHECK(verify(key, put_signature(der, numbers[0], numbers[1], len), digest, 64) == LT_OK);
}

/* ---- DER ------------------------------------------------------------------------------------------------ */

static uint8_t spki[512], signature[512];
static size_t spki_len, signature_len;

static int verify_now(uint32_t scheme) {
    return lt_verify_vartime(scheme, spki, spki_len, signature, signature_len, (const uint8_t *)"lighttls", 8);
}

static void set(const char *spki_hex, const char *signature_hex) {
    spki_len = hex(spki, spki_hex);
    signature_len = hex(signature, signature_hex);
}

/* Every cut and every byte changed: never LT_OK, and nothing read out of bounds (AddressSanitizer: exact copies). */
static void check_damage(uint32_t scheme) {
    for (size_t len = 0; len < spki_len; len++) {
        uint8_t *copy = malloc(len + 1);

        memcpy(copy, spki, len);
        CHECK(lt_verify_vartime(scheme, copy, len, signature, signature_len, (const uint8_t *)"lighttls", 8) ==
              LT_ERR_KEY);
        free(copy);
    }
    for (size_t len = 0; len < signature_len; len++) {
        uint8_t *copy = malloc(len + 1);

        memcpy(copy, signature, len);
        CHECK(lt_verify_vartime(scheme, spki, spki_len, copy, len, (const uint8_t *)"lighttls", 8) == LT_ERR_AUTH);
        free(copy);
    }
    for (size_t at = 0; at < spki_len; at++) {
        spki[at] ^= 0x41;
        CHECK(verify_now(scheme) != LT_OK);
        spki[at] ^= 0x41;
    }
    for (size_t at = 0; at < signature_len; at++) {
        signature[at] ^= 0x41;
        CHECK(verify_now(scheme) == LT_ERR_AUTH);
        signature[at] ^= 0x41;
    }
    spki[spki_len] = signature[signature_len] = 0;
    spki_len++;
    CHECK(verify_now(scheme) == LT_ERR_KEY);
    spki_len--;
    signature_len++;
    CHECK(verify_now(scheme) == LT_ERR_AUTH);
    signature_len--;
    CHECK(verify_now(scheme) == LT_OK);
}

#define EC_P256 "3059 3013 06072a8648ce3d0201 06082a8648ce3d030107 0342 00"
#define KEY_256                                                                                                        \
    "049fad84aeae08bbef7f010014d82cef6a09de2b0cf871b5ce0c4f1d13a59a5934"                                               \
    "07cb45769f1070e2c2470fe5b1bfe63133c0b0cdc64ea4bf3791a8ec2a07fd4f"
#define R_256    "00b2f7dc4faeb458e54c78e7cf80cc9b85f3d86bad4f1a6cbd7406919dc32927f1"
#define S_256    "07f341f005eb640c7eac07bcbddbec8dbd77e154620b4f2dd169ac707ec3702f"
#define GOOD_256 "3045 0221" R_256 "0220" S_256

static void test_ecdsa_der(void) {
    static const char *const malformed[] = {
        "308145 0221" R_256 "0220" S_256,                                            /* a length in two bytes */
        "30820045 0221" R_256 "0220" S_256,                                          /* in three */
        "3080 0221" R_256 "0220" S_256 "0000",                                       /* none */
        "3046 022200" R_256 "0220" S_256,                                            /* r with a zero too many */
        "3046 0221" R_256 "0221 00" S_256,                                           /* s with a zero too many */
        "3046 0221" R_256 "0220" S_256 "00",                                         /* more inside the SEQUENCE */
        "3047 0221" R_256 "0220" S_256 "0500",                                       /* the same, well-formed */
        "3023 0221" R_256,                                                           /* no s */
        "3000",                                                                      /* nothing */
        "3144 0221" R_256 "0220" S_256,                                              /* SET */
        "3025 0221" R_256 "0200",                                                    /* s without contents */
        "3024 0200 0220" S_256,                                                      /* r without contents */
        "3026 0221" R_256 "020100",                                                  /* s = 0 */
        "3026 0221" R_256 "0201ff",                                                  /* s = -1 */
        "3044 0220 b2f7dc4faeb458e54c78e7cf80cc9b85f3d86bad4f1a6cbd7406919dc32927f1" /* r negative */
        "0220" S_256,
        "3045 0421" R_256 "0220" S_256, /* OCTET STRING */
    };

    WHERE("ECDSA");
    set(EC_P256 KEY_256, GOOD_256);
    check_damage(0x0403);
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        WHERE("signature %s", malformed[i]);
        signature_len = hex(signature, malformed[i]);
        CHECK(verify_now(0x0403) == LT_ERR_AUTH);
    }
}

#define GOOD_SPKI_384                                                                                                  \
    "3076301006072a8648ce3d020106052b8104002203620004fbf96095915eb587390f850ec95b35f618ae121c72a70808ad8f9f4c"         \
    "261b602b63541743e395f7c778e52bb28c18dc83016a6ff3f72c9368326ad50a3bd148a53cd2213bb480e4730ad019db87ae1009"         \
    "95ec65df011e19811a15dc9ddfc9ab3c"
#define GOOD_384                                                                                                       \
    "3065023100da1c5bb8eae08ae22475a211afe945fd1501084215424fc4918a9700c2d45edcee28f996c43d3fa4a8cac863916363"         \
    "af02301e8129b630c9d6543adc1f067122844004d5f9ad496e86571e9005c7b21d9a702fe7aa889cd9bca136fd7c8e446a70d8"

static void test_p384_der(void) {
    WHERE("ECDSA, P-384");
    set(GOOD_SPKI_384, GOOD_384);
    check_damage(0x0503);
    WHERE("a key on P-384 with a signature for P-256");
    signature_len = hex(signature, GOOD_256);
    CHECK(verify_now(0x0403) == LT_ERR_AUTH);
    WHERE("a point of P-256 said to be on P-384");
    spki_len = hex(spki, "3056 3010 06072a8648ce3d0201 06052b81040022 0342 00" KEY_256);
    CHECK(verify_now(0x0403) == LT_ERR_KEY);
}

static void test_keys(void) {
    static const struct {
        const char *spki;
        int expected;
    } keys[] = {
        {"305a 3013 06072a8648ce3d0201 06082a8648ce3d030107 0343 0000" KEY_256, LT_ERR_KEY},    /* not a point */
        {"3059 3013 06072a8648ce3d0201 06082a8648ce3d030107 0342 01" KEY_256, LT_ERR_KEY},      /* a bit left over */
        {"3059 3013 06072a8648ce3d0201 06082a8648ce3d030107 0442 00" KEY_256, LT_ERR_KEY},      /* OCTET STRING */
        {"305b 3015 06072a8648ce3d0201 06082a8648ce3d030107 0500 0342 00" KEY_256, LT_ERR_KEY}, /* more parameters */
        {"304f 3009 06072a8648ce3d0201 0342 00" KEY_256, LT_ERR_KEY},                           /* no curve */
        {"3051 300b 06072a8648ce3d0201 0500 0342 00" KEY_256, LT_ERR_KEY},                      /* implicitCurve */
        {"305b 3013 06072a8648ce3d0201 06082a8648ce3d030107 0342 00" KEY_256 "0500", LT_ERR_KEY},
        {"3039 3013 06072a8648ce3d0201 06082a8648ce3d030107 0322 00 03"
         "9fad84aeae08bbef7f010014d82cef6a09de2b0cf871b5ce0c4f1d13a59a5934",
         LT_ERR_KEY},                                                                              /* compressed */
        {"3019 3013 06072a8648ce3d0201 06082a8648ce3d030107 0302 00 00", LT_ERR_KEY},              /* infinity */
        {"3018 3013 06072a8648ce3d0201 06082a8648ce3d030107 0301 00", LT_ERR_KEY},                 /* empty */
        {"3017 3013 06072a8648ce3d0201 06082a8648ce3d030107 0300", LT_ERR_KEY},                    /* no bits at all */
        {"3059 3013 06072a8648ce3d0201 06082a8648ce3d030101 0342 00" KEY_256, LT_ERR_UNSUPPORTED}, /* secp192r1 */
        {"3056 3010 06072a8648ce3d0201 06052b81040023 0342 00" KEY_256, LT_ERR_UNSUPPORTED},       /* P-521 */
        {"302a 3005 06032b6570 0321 00 9fad84aeae08bbef7f010014d82cef6a09de2b0cf871b5ce0c4f1d13a59a5934",
         LT_ERR_UNSUPPORTED}, /* Ed25519 */
    };

    signature_len = hex(signature, GOOD_256);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        WHERE("key %s", keys[i].spki);
        spki_len = hex(spki, keys[i].spki);
        CHECK(verify_now(0x0403) == keys[i].expected);
    }
}

static void test_schemes(void) {
    static const uint32_t others[] = {0x0000, 0x0303, 0x0401 + 0x10000, 0x0402, 0x0703, 0x0807, 0x0809, 0xffffffff};

    set(EC_P256 KEY_256, GOOD_256);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        WHERE("scheme %x", (unsigned)others[i]);
        CHECK(verify_now(others[i]) == LT_ERR_UNSUPPORTED);
    }
    WHERE("scheme for another kind of key");
    CHECK(verify_now(0x0401) == LT_ERR_UNSUPPORTED && verify_now(0x0804) == LT_ERR_UNSUPPORTED);
    WHERE("scheme with another hash");
    CHECK(verify_now(0x0203) == LT_ERR_AUTH && verify_now(0x0503) == LT_ERR_AUTH && verify_now(0x0603) == LT_ERR_AUTH);
}

/* FIPS 180-2 appendix A, and what OpenSSL says of lengths around a block. */
static void test_sha1(void) {
    static const struct {
        size_t len;
        const char *digest;
    } of_a[] = {
        {0, "da39a3ee5e6b4b0d3255bfef95601890afd80709"},   {1, "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"},
        {54, "b05d71c64979cb95fa74a33cdb31a40d258ae02e"},  {55, "c1c8bbdc22796e28c0e15163d20899b65621d65a"},
        {56, "c2db330f6083854c99d4b5bfb6e8f29f201be699"},  {57, "f08f24908d682555111be7ff6f004e78283d989a"},
        {63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5"},  {64, "0098ba824b5c16427bd7a1122a5a442a25ec644d"},
        {65, "11655326c708d70319be2610e8a57d9a5b959d3b"},  {119, "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56"},
        {120, "f34c1488385346a55709ba056ddd08280dd4c6d6"}, {127, "89d95fa32ed44a7c610b7ee38517ddf57e0bb975"},
        {128, "ad5b3fdbcb526778c2839d2f151ea753995e26a0"}, {200, "e61cfffe0d9195a525fc6cf06ca2d77119c24a40"},
    };
    uint8_t digest[LT_SHA1_LEN], expected[LT_SHA1_LEN], in[200];

    WHERE("SHA-1 of abc");
    lt_sha1(digest, (const uint8_t *)"abc", 3);
    hex(expected, "a9993e364706816aba3e25717850c26c9cd0d89d");
    CHECK(memcmp(digest, expected, sizeof digest) == 0);
    memset(in, 'a', sizeof in);
    for (size_t i = 0; i < sizeof of_a / sizeof *of_a; i++) {
        WHERE("SHA-1 of %u times a", (unsigned)of_a[i].len);
        lt_sha1(digest, in, of_a[i].len);
        hex(expected, of_a[i].digest);
        CHECK(memcmp(digest, expected, sizeof digest) == 0);
    }
}

static void test_numbers(void) {
    check_edges(lt_ecdsa_p256_vartime, p256_edges, sizeof p256_edges / sizeof *p256_edges, 32);
    check_range(lt_ecdsa_p256_vartime, &p256_edges[2],
                "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 32);
    check_edges(lt_ecdsa_p384_vartime, p384_edges, sizeof p384_edges / sizeof *p384_edges, 48);
    check_range(lt_ecdsa_p384_vartime, &p384_edges[2],
                "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 48);
}

int main(void) {
    test_numbers();
    lt_cpu_restrict(LT_CPU_BMI2_ADX);
    test_numbers();
    lt_cpu_restrict(0); /* portable C */
    test_numbers();
    test_ecdsa_der();
    test_p384_der();
    test_keys();
    test_schemes();
    test_sha1();
    return check_result();
}
