/*
 * SHA-2, HMAC, PRF, key schedule: published vectors on every implementation, updates cut anywhere,
 * the arguments that are refused, and secrets that are gone after use.
 *
 * Build: any flags; all of csrc/, also under -fsanitize=address,undefined.
 */
#include "check.h"

#include "inner.h"

static const uint32_t MASKS[] = {0, LT_CPU_SHANI, LT_CPU_AVX2 | LT_CPU_BMI2_ADX, LT_CPU_ARM_SHA2, UINT32_MAX};
#define MASK_COUNT (sizeof MASKS / sizeof MASKS[0])

static const uint32_t HASHES[] = {LT_SHA256, LT_SHA384, LT_SHA512};
#define HASH_COUNT (sizeof HASHES / sizeof HASHES[0])

/* ---- Published vectors ------------------------------------------------------------------------- */

typedef struct {
    uint32_t algorithm;
    const char *in; /* text */
    const char *digest;
} hash_vector;

#define TWO_BLOCKS_256 "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
#define TWO_BLOCKS_512                                                                                                 \
    "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"

/* FIPS 180-4's examples, and the empty message. */
static const hash_vector HASH_VECTORS[] = {
    {LT_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {LT_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {LT_SHA256, TWO_BLOCKS_256, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {LT_SHA384, "abc",
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"},
    {LT_SHA384, TWO_BLOCKS_512,
     "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712fcc7c71a557e2db966c3e9fa91746039"},
    {LT_SHA512, "abc",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e"
     "2a9ac94fa54ca49f"},
    {LT_SHA512, TWO_BLOCKS_512,
     "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd2654"
     "5e96e55b874be909"},
};

static void published_hashes(void) {
    for (size_t i = 0; i < sizeof HASH_VECTORS / sizeof HASH_VECTORS[0]; i++) {
        const hash_vector *v = &HASH_VECTORS[i];
        uint8_t expected[64], digest[64];
        size_t len = hex(expected, v->digest);

        WHERE("hash vector %u, features %x", (unsigned)i, (unsigned)lt_cpu_features());
        CHECK(lt_hash(digest, v->algorithm, (const uint8_t *)v->in, strlen(v->in)) == (int)len);
        CHECK(memcmp(digest, expected, len) == 0);
    }
}

typedef struct {
    const char *key;
    const char *in;
    const char *tag256, *tag384, *tag512;
} hmac_vector;

/* RFC 4231, test cases 1, 2, and 6 (a key longer than a block); inputs as hexadecimal. */
static const hmac_vector HMAC_VECTORS[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
     "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
     "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f170"
     "2e696c203a126854"},
    {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
     "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
     "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b"
     "636e070a38bce737"},
    {NULL,
     "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
     "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
     "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec"
     "8b915a985d786598"},
};

static void published_hmacs(void) {
    for (size_t i = 0; i < sizeof HMAC_VECTORS / sizeof HMAC_VECTORS[0]; i++) {
        const hmac_vector *v = &HMAC_VECTORS[i];
        const char *tags[] = {v->tag256, v->tag384, v->tag512};
        uint8_t key[131], in[128], expected[64], tag[64];
        size_t key_len = sizeof key;
        size_t in_len = hex(in, v->in);

        memset(key, 0xaa, sizeof key);
        if (v->key != NULL) {
            key_len = hex(key, v->key);
        }
        for (size_t h = 0; h < HASH_COUNT; h++) {
            size_t len = hex(expected, tags[h]);

            WHERE("HMAC vector %u, hash %u", (unsigned)i, (unsigned)HASHES[h]);
            CHECK(lt_hmac(tag, HASHES[h], key, key_len, in, in_len) == (int)len);
            CHECK(memcmp(tag, expected, len) == 0);
        }
    }
}

/* Exchanged on the mailing list of the IETF's TLS working group, 2009. */
static void published_prf(void) {
    uint8_t secret[16], seed[16], expected[148], out[149];
    size_t len;

    WHERE("PRF with SHA-256");
    hex(secret, "9bbe436ba940f017b17652849a71db35");
    hex(seed, "a0ba9f936cda311827a6f796ffd5198c");
    len =
        hex(expected, "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af"
                      "0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff701"
                      "87347b66");
    out[len] = 0x77;
    CHECK(lt_test_prf(out, len, LT_SHA256, secret, 16, (const uint8_t *)"test label", 10, seed, 16) == LT_OK);
    CHECK(memcmp(out, expected, len) == 0 && out[len] == 0x77);

    WHERE("PRF with SHA-384");
    hex(secret, "b80b733d6ceefcdc71566ea48e5567df");
    hex(seed, "cd665cf6a8447dd6ff8b27555edb7465");
    len = hex(expected,
              "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0e534cb"
              "400fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d9184259b5bf8cd4d90"
              "fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e0990703d73e56f");
    out[len] = 0x77;
    CHECK(lt_test_prf(out, len, LT_SHA384, secret, 16, (const uint8_t *)"test label", 10, seed, 16) == LT_OK);
    CHECK(memcmp(out, expected, len) == 0 && out[len] == 0x77);
}

/* ---- Implementations and cuts ------------------------------------------------------------------ */

/* Every length over several blocks: portable, accelerated, and in two updates cut at every third place. */
static void hashes_agree(void) {
    uint8_t in[300], whole[64], other[64];

    fill(in, sizeof in, 1);
    for (size_t h = 0; h < HASH_COUNT; h++) {
        for (size_t len = 0; len <= sizeof in; len++) {
            int digest_len;

            WHERE("hash %u of %u bytes", (unsigned)HASHES[h], (unsigned)len);
            lt_cpu_restrict(0);
            digest_len = lt_hash(whole, HASHES[h], in, len);
            for (size_t m = 0; m < MASK_COUNT; m++) {
                lt_cpu_restrict(MASKS[m]);
                CHECK(lt_hash(other, HASHES[h], in, len) == digest_len);
                CHECK(memcmp(whole, other, (size_t)digest_len) == 0);
                for (size_t cut = 0; cut <= len; cut += 3) {
                    lt_running_hash running;
                    lt_hash_state hash;

                    lt_hash_begin(&hash, HASHES[h]);
                    lt_hash_update(&hash, in, cut);
                    lt_hash_update(&hash, in + cut, len - cut);
                    lt_hash_end(&hash, other);
                    CHECK(memcmp(whole, other, (size_t)digest_len) == 0);
                    CHECK(all_bytes_are((const uint8_t *)&hash, sizeof hash, 0));
                    memset(&running, 0, sizeof running);
                    CHECK(lt_hash_on(&running, HASHES[h], in, cut) == digest_len);
                    CHECK(lt_hash_on(&running, HASHES[h], in + cut, len - cut) == digest_len);
                    CHECK(memcmp(whole, running.digest, (size_t)digest_len) == 0);
                }
            }
        }
    }
}

/* The longest of these PRF outputs begins with every other one, and no byte too many is written. */
static void prf_writes_what_was_asked_for(void) {
    uint8_t whole[200], out[201];

    for (size_t h = 0; h < 2; h++) {
        CHECK(lt_test_prf(whole, sizeof whole, HASHES[h], whole, 0, whole, 0, whole, 0) == LT_OK);
        for (size_t len = 0; len <= sizeof whole; len++) {
            WHERE("PRF of %u bytes", (unsigned)len);
            memset(out, 0x77, sizeof out);
            CHECK(lt_test_prf(out, len, HASHES[h], NULL, 0, NULL, 0, NULL, 0) == LT_OK);
            CHECK(memcmp(out, whole, len) == 0);
            CHECK(all_bytes_are(out + len, sizeof out - len, 0x77));
        }
    }
}

static void unknown_algorithms_are_refused(void) {
    static const uint32_t NONE[] = {0, 1, 2, 3, 7, 255, UINT32_MAX};
    lt_running_hash running = {{0}, {0}};
    uint8_t out[64] = {0};

    for (size_t i = 0; i < sizeof NONE / sizeof NONE[0]; i++) {
        WHERE("hash %u", (unsigned)NONE[i]);
        CHECK(lt_hash(out, NONE[i], out, 1) == LT_ERR_ARGUMENT);
        CHECK(lt_hash_on(&running, NONE[i], out, 1) == LT_ERR_ARGUMENT);
        CHECK(lt_hmac(out, NONE[i], out, 1, out, 1) == LT_ERR_ARGUMENT);
        CHECK(lt_test_prf(out, 1, NONE[i], out, 1, out, 1, out, 1) == LT_ERR_ARGUMENT);
    }
    CHECK(lt_test_prf(out, 1, LT_SHA512, out, 1, out, 1, out, 1) == LT_ERR_ARGUMENT);
    CHECK(all_bytes_are(out, sizeof out, 0));
    CHECK(lt_hash_on(&running, LT_SHA256, NULL, 0) == 32);
    CHECK(lt_hash_on(&running, LT_SHA384, out, 1) == LT_ERR_ARGUMENT);
}

/* ---- Key schedule ------------------------------------------------------------------------------ */

static void key_schedule_derives(void) {
    uint8_t secret[32], client[32], server[32], seed[64], expected[48], master[48];
    lt_premaster premaster;
    lt_key_schedule schedule;

    WHERE("master secret");
    fill(secret, sizeof secret, 1);
    fill(client, sizeof client, 2);
    fill(server, sizeof server, 3);
    memcpy(seed, client, 32);
    memcpy(seed + 32, server, 32);
    CHECK(lt_test_prf(expected, 48, LT_SHA384, secret, 32, (const uint8_t *)"master secret", 13, seed, 64) == LT_OK);
    CHECK(lt_premaster_set(&premaster, secret, sizeof secret) >= 0);
    CHECK(lt_key_schedule_derive(&schedule, LT_AES_256_GCM, LT_SHA384, &premaster, client, server, NULL, 0) == LT_OK);
    CHECK(all_bytes_are((const uint8_t *)&premaster, sizeof premaster, 0));
    CHECK(lt_key_schedule_master_secret(&schedule, master) == 48);
    CHECK(memcmp(master, expected, 48) == 0);
    lt_key_schedule_wipe(&schedule);
    CHECK(all_bytes_are((const uint8_t *)&schedule, sizeof schedule, 0));
}

static void derivation_refuses(uint32_t aead, uint32_t prf, size_t secret_len, size_t session_hash_len) {
    uint8_t bytes[66];
    lt_premaster premaster;
    lt_key_schedule schedule;

    WHERE("AEAD %u, hash %u, secret of %u, session hash of %u", (unsigned)aead, (unsigned)prf, (unsigned)secret_len,
          (unsigned)session_hash_len);
    memset(bytes, 1, sizeof bytes);
    lt_premaster_wipe(&premaster);
    if (secret_len > 0) {
        CHECK(lt_premaster_set(&premaster, bytes, secret_len) >= 0);
    }
    CHECK(lt_key_schedule_derive(&schedule, aead, prf, &premaster, bytes, bytes, bytes, session_hash_len) ==
          LT_ERR_ARGUMENT);
    CHECK(all_bytes_are((const uint8_t *)&premaster, sizeof premaster, 0));
    CHECK(lt_key_schedule_master_secret(&schedule, bytes) == LT_ERR_ARGUMENT);
}

static void key_schedule_refuses(void) {
    uint8_t bytes[64] = {0};
    lt_key_schedule schedule;
    lt_record_keys one, other;
    uint8_t verify_data[12];

    derivation_refuses(0, LT_SHA256, 32, 32);
    derivation_refuses(LT_AES_256_CCM_8 + 1, LT_SHA256, 32, 32);
    derivation_refuses(LT_AES_128_GCM, LT_SHA512, 32, 64);
    derivation_refuses(LT_AES_128_GCM, 0, 32, 32);
    derivation_refuses(LT_AES_128_GCM, LT_SHA256, 0, 32);
    derivation_refuses(LT_AES_128_GCM, LT_SHA256, 32, 31);
    derivation_refuses(LT_AES_256_GCM, LT_SHA384, 32, 32);

    WHERE("a wiped schedule");
    lt_key_schedule_wipe(&schedule);
    CHECK(lt_key_schedule_finished(&schedule, bytes, 0, bytes, 32) == LT_ERR_ARGUMENT);
    CHECK(lt_key_schedule_check_finished(&schedule, bytes, 32, bytes, 12) == LT_ERR_ARGUMENT);
    CHECK(lt_key_schedule_record_keys(&schedule, &one, &other) == LT_ERR_ARGUMENT);
    CHECK(lt_key_schedule_finish(&schedule, bytes, &one, &other, bytes, 32) == LT_ERR_ARGUMENT);
    CHECK(lt_key_schedule_export(&schedule, bytes, 1, bytes, 1, bytes, 1) == LT_ERR_ARGUMENT);

    WHERE("a resumption that fails leaves nothing of the connection before");
    memset(bytes, 1, sizeof bytes);
    CHECK(lt_key_schedule_resume(&schedule, LT_AES_128_GCM, LT_SHA256, bytes, bytes, bytes) == LT_OK);
    CHECK(lt_key_schedule_resume(&schedule, LT_AES_128_GCM, LT_SHA512, bytes, bytes, bytes) == LT_ERR_ARGUMENT);
    CHECK(all_bytes_are((const uint8_t *)&schedule, sizeof schedule, 0));
    CHECK(lt_key_schedule_resume(&schedule, 0, LT_SHA256, bytes, bytes, bytes) == LT_ERR_ARGUMENT);

    WHERE("a transcript hash of the wrong length");
    CHECK(lt_key_schedule_resume(&schedule, LT_AES_128_GCM, LT_SHA256, bytes, bytes, bytes) == LT_OK);
    CHECK(lt_key_schedule_finished(&schedule, bytes, 0, bytes, 48) == LT_ERR_ARGUMENT);
    CHECK(lt_key_schedule_check_finished(&schedule, bytes, 48, bytes, 12) == LT_ERR_ARGUMENT);
    CHECK(lt_key_schedule_finish(&schedule, bytes, &one, &other, bytes, 48) == LT_ERR_ARGUMENT);

    WHERE("the server's Finished");
    CHECK(lt_key_schedule_finished(&schedule, verify_data, 1, bytes, 32) == LT_OK);
    CHECK(lt_key_schedule_check_finished(&schedule, bytes, 32, verify_data, 12) == LT_OK);
    CHECK(lt_key_schedule_check_finished(&schedule, bytes, 32, verify_data, 11) == LT_ERR_AUTH);
    for (size_t i = 0; i < sizeof verify_data; i++) {
        verify_data[i] ^= 0x80;
        CHECK(lt_key_schedule_check_finished(&schedule, bytes, 32, verify_data, 12) == LT_ERR_AUTH);
        verify_data[i] ^= 0x80;
    }
}

int main(void) {
    for (size_t m = 0; m < MASK_COUNT; m++) {
        lt_cpu_restrict(MASKS[m]);
        published_hashes();
        published_hmacs();
        published_prf();
        prf_writes_what_was_asked_for();
        key_schedule_derives();
    }
    hashes_agree();
    unknown_algorithms_are_refused();
    key_schedule_refuses();
    return check_result();
}
