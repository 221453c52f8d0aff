/*
 * RSA verification: keys with a full and with an almost empty top limb, signatures at the edges of their range, keys in
 * wrong DER. Encoded messages that are wrong inside: tests/differential/test_signatures.py and tests/vectors.
 */
#include "check.h"

#include "vartime.h"

/* Signatures of "lighttls" under moduli of 1024 and 1025 bits, exponent 3; salts are 00 01 02 ... */
/* clang-format off */
#define N_1024 \
    "baa29ec7d25e537e3b2b4ce145e027329dc578069fda23bdc5dd306f39b958bbbcd9960fb4e17c454afcc760584f528f820f" \
    "20a240334b2387fbf357d41b2d8988da7455d574222d15b38d1c67def0bf6e3fc480b4fd7bb54a81dae30d63d556255c3cf3" \
    "d07a6e962aa99fba1ec05418813a6e3220e0fe8fb0cbef42a48d0ebf"
#define PKCS1_1024 \
    "a0d390e7db33056ead473dc261f4ccfc827932fcd6bbdb1a9b00ff47fca3b6307585766fb8ee9b5adebf9334d43e51b068d6" \
    "266e8a190ccb9d96857c49c7d215da3caadb83f7433cbbbe87bad80c100546510fb3c19ce4d161d006b18c732f72b89731cf" \
    "7740444412f223b5bb92268ddae44d68c8701df751d1b3807249d24a"
#define PKCS1_WITHOUT_NULL_1024 \
    "14f4c61e338fda2ae1dd9ca250abac766d12e5f3dc63ee7d8c76480ddfcced7e47f7dcb5bb3a2c8d18002161fc15c5d729c8" \
    "1efe12da275c46afb79637702283462394a304fd3bdb1392a5e68e5ff6ae5bc4c808138dea3cb693f19f3f121ab64056ce35" \
    "259109d35bed917540efb59734f444b02bed9e4f5fac18b4a410d7dd"
#define PKCS1_SHA1_1024 \
    "8245f5aeb1bd9d02bce1a5c18ef45a21919215277dced5293db8f2ee1b5d46ca904b23503058bb8b04a9cff431094d1e6820" \
    "746d1e1a01d6e9cc35457e8540d1f5b5d6928f59c40137892067289d80d37ec943fade2d6dc17f6cc3c89851fa089b4587ba" \
    "ea610798ba423bb63e8ee3eb2a8f93d2c32b1f1b022776ad457e18fc"
#define PSS_1024 \
    "a09f149cbd908630cd5ee25a804368e9926bf5d8dad7dc2e0efbefb06a31e8e444763cff6d52641b45ec485048559bfdc440" \
    "5d77f4f4628b9f64c24d76cf503534cfd74bb62980f847a8a09a5a6813a65f07369bc1d471e79d9f4f2befeca1a0df9d411d" \
    "29b9e3ced4e6c305844460197a24e5e0a4bc3e96f4bb41260eeaa961"
#define N_1025 \
    "018be55a7012f3c0e5f44dbbb348129daddfc18462c3a71b6a6ee40e71198fa11883daa948410c6c456771a4dda2890304c8" \
    "3675fa439101c9a16c02a37fd63528d5ebf14b16fb95ec7333f03bef5c0b6474472eb85cb7a5716a759478ee7cb33c42f179" \
    "91ec71e7fbecbb08ef3d2a65867e38d0e76df89c5fb549eb11f1f2ac1f"
#define PKCS1_1025 \
    "007c4ca0b2b669197e936f8a12fb7e8c1c57ba41f46c01c4e99d45fa62d390c35c5a1535b753143e10f30583e2eca06dbe76" \
    "53fcdadb2bf6f6ce3f81ab0555cfc91f0dd94508ea33e0c4c4ea1b9e67e77b56fb540f29554ff4b10630e469fed735aee063" \
    "3d62c779071d33350505c7004758ebd1711f311d265abf4d03fd2bd564"
#define PSS_1025 \
    "008de44ad4877bfea210e0302ffc83129ecaf82368a3eb4b1b55b50ccb22175edf29f57570be44fa5b803fe2b463bfd80948" \
    "c0a069d759630bf22dec828a769e2d0d7e54ab59b5ddd00ad32b543c1ebb9837e1f44c64e44a2d79b736ac2b3d91754ab2ca" \
    "7ee86b65af7432adaa5dbb08d6d2153888915d37a8c080f4c028de1550"
/* clang-format on */

#define PKCS1_SHA1   0x0201
#define PKCS1_SHA256 0x0401
#define PKCS1_SHA384 0x0501
#define PKCS1_SHA512 0x0601
#define PSS_SHA256   0x0804
#define PSS_SHA384   0x0805
#define PSS_SHA512   0x0806

#define ALGORITHM "300d 06092a864886f70d010101 0500"
#define SPKI_1024 "30819d" ALGORITHM "03818b 00 308187 028181 00" N_1024 "020103"
#define SPKI_1025 "30819d" ALGORITHM "03818b 00 308187 028181" N_1025 "020103"

static uint8_t spki[2048], signature[2048];
static size_t spki_len, signature_len;

/* From exact copies, so that AddressSanitizer sees every byte too far. */
static int verify_now(uint32_t scheme) {
    uint8_t *key = malloc(spki_len + 1), *with = malloc(signature_len + 1);
    int status;

    memcpy(key + 1, spki, spki_len);
    memcpy(with + 1, signature, signature_len);
    status = lt_verify_vartime(scheme, key + 1, spki_len, with + 1, signature_len, (const uint8_t *)"lighttls", 8);
    free(key);
    free(with);
    return status;
}

static void set(const char *spki_hex, const char *signature_hex) {
    spki_len = hex(spki, spki_hex);
    signature_len = hex(signature, signature_hex);
}

static const struct {
    const char *what, *spki, *signature;
    uint32_t scheme;
} good[] = {
    {"PKCS#1, 1024 bits", SPKI_1024, PKCS1_1024, PKCS1_SHA256},
    {"PKCS#1 without NULL, 1024 bits", SPKI_1024, PKCS1_WITHOUT_NULL_1024, PKCS1_SHA256},
    {"PKCS#1 with SHA-1, 1024 bits", SPKI_1024, PKCS1_SHA1_1024, PKCS1_SHA1},
    {"PSS, 1024 bits", SPKI_1024, PSS_1024, PSS_SHA256},
    {"PKCS#1 with SHA-512, 1025 bits", SPKI_1025, PKCS1_1025, PKCS1_SHA512},
    {"PSS with SHA-384, 1025 bits", SPKI_1025, PSS_1025, PSS_SHA384},
};

static const uint32_t schemes[] = {PKCS1_SHA1, PKCS1_SHA256, PKCS1_SHA384, PKCS1_SHA512,
                                   PSS_SHA256, PSS_SHA384,   PSS_SHA512};

static void test_good_signatures_and_damage(void) {
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        size_t whole;

        WHERE("%s", good[i].what);
        set(good[i].spki, good[i].signature);
        for (size_t j = 0; j < sizeof schemes / sizeof *schemes; j++) {
            CHECK(verify_now(schemes[j]) == (schemes[j] == good[i].scheme ? LT_OK : LT_ERR_AUTH));
        }
        for (size_t at = 0; at < signature_len; at++) {
            signature[at] ^= 0x10;
            CHECK(verify_now(good[i].scheme) == LT_ERR_AUTH);
            signature[at] ^= 0x10;
        }
        for (size_t at = 0; at < spki_len; at++) {
            spki[at] ^= 0x10;
            CHECK(verify_now(good[i].scheme) != LT_OK);
            spki[at] ^= 0x10;
        }
        whole = spki_len;
        for (spki_len = 0; spki_len < whole; spki_len++) {
            CHECK(verify_now(good[i].scheme) == LT_ERR_KEY);
        }
        whole = signature_len;
        for (signature_len = 0; signature_len < whole; signature_len++) {
            CHECK(verify_now(good[i].scheme) == LT_ERR_AUTH);
        }
        memmove(signature + 1, signature, signature_len++);
        signature[0] = 0;
        CHECK(verify_now(good[i].scheme) == LT_ERR_AUTH);
    }
}

/* s + change: for signatures at the modulus. */
static void add_to_signature(int change) {
    for (size_t i = signature_len; i-- > 0 && change != 0;) {
        change += signature[i];
        signature[i] = (uint8_t)change;
        change = change < 0 ? -1 : change >> 8;
    }
}

/* SKE-21: numerically below the modulus. n - 1 = -1 and its cube is -1; 0 and 1 are their own cubes. */
static void test_signatures_out_of_range(void) {
    static const char *const moduli[][2] = {{SPKI_1024, N_1024}, {SPKI_1025, N_1025}};

    for (size_t i = 0; i < 2; i++) {
        for (int change = -3; change <= 3; change++) {
            for (size_t j = 0; j < sizeof schemes / sizeof *schemes; j++) {
                WHERE("modulus %u plus %d, scheme %x", (unsigned)i, change, (unsigned)schemes[j]);
                set(moduli[i][0], moduli[i][1]);
                add_to_signature(change);
                CHECK(verify_now(schemes[j]) == LT_ERR_AUTH);
                memset(signature, 0, signature_len);
                signature[signature_len - 1] = (uint8_t)(change + 3);
                CHECK(verify_now(schemes[j]) == LT_ERR_AUTH);
                memset(signature, 0xff, signature_len);
                CHECK(verify_now(schemes[j]) == LT_ERR_AUTH);
            }
        }
    }
}

static void test_keys(void) {
    static const struct {
        const char *what, *spki;
        int expected;
    } keys[] = {
        {"no NULL", "30819b 300b 06092a864886f70d010101 03818b 00 308187 028181 00" N_1024 "020103", LT_ERR_KEY},
        {"RSASSA-PSS", "30819b 300b 06092a864886f70d01010a 03818b 00 308187 028181 00" N_1024 "020103",
         LT_ERR_UNSUPPORTED},
        {"e = 1", "30819d" ALGORITHM "03818b 00 308187 028181 00" N_1024 "020101", LT_ERR_KEY},
        {"e = 2", "30819d" ALGORITHM "03818b 00 308187 028181 00" N_1024 "020102", LT_ERR_KEY},
        {"e = 0", "30819d" ALGORITHM "03818b 00 308187 028181 00" N_1024 "020100", LT_ERR_KEY},
        {"e = -3", "30819d" ALGORITHM "03818b 00 308187 028181 00" N_1024 "0201fd", LT_ERR_KEY},
        {"e = 3 in two bytes", "30819e" ALGORITHM "03818c 00 308188 028181 00" N_1024 "02020003", LT_ERR_KEY},
        {"e = 2^32 + 1", "3081a1" ALGORITHM "03818f 00 30818b 028181 00" N_1024 "02050100000001", LT_ERR_UNSUPPORTED},
        {"e = 2^32 - 1", "3081a1" ALGORITHM "03818f 00 30818b 028181 00" N_1024 "020500ffffffff", LT_ERR_AUTH},
        {"n negative", "30819c" ALGORITHM "03818a 00 308186 028180" N_1024 "020103", LT_ERR_KEY},
        {"n with two zeros", "30819e" ALGORITHM "03818c 00 308188 028182 0000" N_1024 "020103", LT_ERR_KEY},
        {"more after e", "30819f" ALGORITHM "03818d 00 308189 028181 00" N_1024 "020103 0500", LT_ERR_KEY},
        {"more after the key", "30819f" ALGORITHM "03818d 00 308187 028181 00" N_1024 "020103 0500", LT_ERR_KEY},
        {"no e", "30819a" ALGORITHM "038188 00 308184 028181 00" N_1024, LT_ERR_KEY},
        {"empty", "3014" ALGORITHM "0303 00 3000", LT_ERR_KEY},
        {"n with a zero too many", "301d" ALGORITHM "030c 00 3009 0204007fffff 020103", LT_ERR_KEY},
        {"small", "301c" ALGORITHM "030b 00 3008 02037fffff 020103", LT_ERR_UNSUPPORTED},
    };

    set(SPKI_1024, PKCS1_1024);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        WHERE("%s", keys[i].what);
        spki_len = hex(spki, keys[i].spki);
        CHECK(verify_now(PKCS1_SHA256) == keys[i].expected);
    }
}

/* A modulus of all ones: 2^bits = 1, so every verdict is wrong, but all limbs are at their bounds. */
static void test_sizes(void) {
    static const struct {
        unsigned bits;
        int expected;
    } sizes[] = {{1023, LT_ERR_UNSUPPORTED}, {1024, LT_ERR_AUTH}, {1025, LT_ERR_AUTH}, {2047, LT_ERR_AUTH},
                 {4096, LT_ERR_AUTH},        {8191, LT_ERR_AUTH}, {8192, LT_ERR_AUTH}, {8193, LT_ERR_UNSUPPORTED}};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const size_t len = (sizes[i].bits + 7) / 8, zero = sizes[i].bits % 8 == 0, inner = 4 + zero + len + 3;

        WHERE("modulus of %u bits", sizes[i].bits);
        if (inner >= 0x100) {
            spki_len = hex(spki, "30820000" ALGORITHM "03820000 00 30820000 02820000");
            lt_store32_be(spki + spki_len - 4, 0x02820000u | (uint32_t)(zero + len));
            lt_store32_be(spki + spki_len - 8, 0x30820000u | (uint32_t)inner);
            lt_store32_be(spki + spki_len - 13, 0x03820000u | (uint32_t)(inner + 5));
            lt_store32_be(spki, 0x30820000u | (uint32_t)(15 + 4 + 5 + inner));
        } else {
            spki_len = hex(spki, "30819d" ALGORITHM "03818b 00 308187 028181");
            spki[2] = (uint8_t)(15 + 3 + 1 + 3 + inner - 1);
            spki[20] = (uint8_t)(1 + 3 + inner - 1);
            spki[24] = (uint8_t)(inner - 1);
            spki[27] = (uint8_t)(zero + len);
        }
        if (zero) {
            spki[spki_len++] = 0;
        }
        memset(spki + spki_len, 0xff, len);
        spki[spki_len] = (uint8_t)(0xff >> (8 * len - sizes[i].bits));
        spki_len += len;
        spki_len += hex(spki + spki_len, "020103");
        signature_len = len;
        memset(signature, 0xff, len);
        signature[0] = 0x00;
        for (size_t j = 0; j < sizeof schemes / sizeof *schemes; j++) {
            CHECK(verify_now(schemes[j]) == sizes[i].expected);
        }
    }
}

static void test_all(void) {
    test_good_signatures_and_damage();
    test_signatures_out_of_range();
    test_keys();
    test_sizes();
}

int main(void) {
    test_all();
    lt_cpu_restrict(0); /* portable C */
    test_all();
    return check_result();
}
