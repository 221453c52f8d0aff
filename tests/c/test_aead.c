/*
 * AES, GCM, CCM, ChaCha20-Poly1305: published vectors on every implementation, portable against
 * accelerated code over lengths and alignments, and every flipped bit refused.
 *
 * Build: any flags; all of csrc/, also with -DLT_FORCE_32BIT and under -fsanitize=address,undefined.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include "check.h"

#include <sys/mman.h>
#include <unistd.h>

#include "aes.h"
#include "inner.h"

/* Portable, each accelerated implementation alone, everything. */
static const uint32_t NAMED[] = {0,
                                 LT_CPU_AESNI,
                                 LT_CPU_AESNI | LT_CPU_CLMUL,
                                 LT_CPU_AESNI | LT_CPU_CLMUL | LT_CPU_VAES,
                                 LT_CPU_AESNI | LT_CPU_CLMUL | LT_CPU_VAES | LT_CPU_AVX512,
                                 LT_CPU_AVX2,
                                 LT_CPU_NEON,
                                 LT_CPU_NEON | LT_CPU_ARM_AES,
                                 UINT32_MAX};
#define NAMED_COUNT (sizeof NAMED / sizeof NAMED[0])

static uint32_t masks[NAMED_COUNT]; /* those that differ here */
static size_t mask_count;

typedef struct {
    const char *name;
    uint32_t algorithm;
    const char *key;
    const char *nonce;
    const char *aad;
    const char *plaintext;
    const char *sealed;
} aead_vector;

#define GCM_TEXT                                                                                                       \
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657" \
    "ba637b39"

static const aead_vector VECTORS[] = {
    {"GCM revised specification, test case 1", LT_AES_128_GCM, "00000000000000000000000000000000",
     "000000000000000000000000", "", "", "58e2fccefa7e3061367f1d57a4e7455a"},
    {"GCM test case 2", LT_AES_128_GCM, "00000000000000000000000000000000", "000000000000000000000000", "",
     "00000000000000000000000000000000", "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf"},
    {"GCM test case 3", LT_AES_128_GCM, "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888", "",
     GCM_TEXT "1aafd255",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac97"
     "3d58e091473f5985 4d5c2af327cd64a62cf35abd2ba6fab4"},
    {"GCM test case 4", LT_AES_128_GCM, "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2", GCM_TEXT,
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac97"
     "3d58e091 5bc94fbc3221a5db94fae95ae7121a47"},
    {"GCM test case 13", LT_AES_256_GCM, "0000000000000000000000000000000000000000000000000000000000000000",
     "000000000000000000000000", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"GCM test case 14", LT_AES_256_GCM, "0000000000000000000000000000000000000000000000000000000000000000",
     "000000000000000000000000", "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    {"GCM test case 16", LT_AES_256_GCM, "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
     "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2", GCM_TEXT,
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0a"
     "bcc9f662 76fc6ece0f4e1768cddf8853bb2d551b"},
    {"RFC 8439 section 2.8.2", LT_CHACHA20_POLY1305, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
     "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
     "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a204966204920636f756c64206f6666"
     "657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73637265656e20776f756c642062652069"
     "742e",
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b29"
     "05d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b"
     "6116 1ae10b594f09e26a7e902ecbd0600691"},
    {"SP 800-38C example 3", LT_AES_128_CCM_8, "404142434445464748494a4b4c4d4e4f", "101112131415161718191a1b",
     "000102030405060708090a0b0c0d0e0f10111213", "202122232425262728292a2b2c2d2e2f3031323334353637",
     "e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5 484392fbc1b09951"},
    {"Wycheproof aes_ccm_test 1", LT_AES_128_CCM, "bedcfb5a011ebc84600fcb296c15af0d", "438a547a94ea88dce46c6c85", "",
     "", "25d1a38495a7dea45bda049705627d10"},
    {"Wycheproof aes_ccm_test 8", LT_AES_128_CCM, "3fd50741ec47ddbfc2fc090975d154f0", "eef1a6e651321852f0b25a31", "",
     "d6f6a9a24db6a7a6176d4362639c4fd77f70f3e089dd940086e12a9becbaf97f82",
     "532694bb2851ea7f3bdd37c4e806be5b953ea79d08100e74af3fa67eca8890db28 9e1acee688848bca454c6d04753d3c7d"},
    {"Wycheproof aes_ccm_test 20", LT_AES_128_CCM, "6cf09599181c07aeb21d7820bf706595", "4c4c525a8c7ee6879aefa79e",
     "bd913967db07b9eb5907f0be71ce886c41ff923c296c0ef3f704e98f649e59", "", "806e48e7d452b63b6126f576efbdf4c4"},
    {"Wycheproof aes_ccm_test 26", LT_AES_128_CCM, "55e04c122780be52ed9328928039008c", "0c908e58cddad69dea1a32c3",
     "25591707c004f506f4b51e85e29f6a", "26eb70672eef03667b34cc7d0df05872",
     "89166dcd7d74a445dfd3526c5180d825 8b8ed5f97a168881c3b6efe91cfe7043"},
    {"Wycheproof aes_ccm_test 164", LT_AES_256_CCM, "5155dee9aade1cc61ee7e3f92660f7590f5e5ba82f1b59b850e3fa453d2fa6b3",
     "c26c4b3bfdb97ee6b0f63ca1", "", "2734e08eff8f5c4f84fa0c207f49c7fd78af1ad5123ff81f83f500edf4eda09edf",
     "aed24e0082e13ee15ba0506a836c78b97ef2faa3c6e8eb378dc64dd4adc998ad68 5ba1b48a701684d940be244c3de938d2"},
    {"Wycheproof aes_ccm_test 185", LT_AES_256_CCM, "077433022ab34d380fc192fc24c2edc6301fec6f24442f572a1087ff2e05b39a",
     "28adcbc74364f26dd4b3108b", "e0100eb116cdc5e22a3b9f9b4126c149595e75107f6e237c69e82960052270",
     "03c874eeaaa6fa9f0da62c758fb0ad04", "136f049ea851c6dfd2e87312d82f0882 fdf9bc0412cfca2b035c5ae68ac6da79"},
};

#define LAST_AEAD LT_AES_256_CCM_8

/* Beyond it only more of the same follows: CCM goes block by block. */
static size_t longest_step(uint32_t algorithm) {
    return algorithm >= LT_AES_128_CCM ? 100 : 1100;
}

static size_t tag_of(uint32_t algorithm) {
    return algorithm == LT_AES_128_CCM_8 || algorithm == LT_AES_256_CCM_8 ? 8 : 16;
}

static void check_vectors(void) {
    for (size_t i = 0; i < sizeof VECTORS / sizeof VECTORS[0]; i++) {
        const aead_vector *v = &VECTORS[i];
        uint8_t key[32], nonce[12], aad[32], plaintext[128], sealed[144], out[144];
        size_t key_len = hex(key, v->key);
        size_t aad_len = hex(aad, v->aad);
        size_t len = hex(plaintext, v->plaintext);
        size_t size;

        hex(nonce, v->nonce);
        WHERE("%s, features %x", v->name, (unsigned)lt_cpu_features());
        size = hex(sealed, v->sealed);
        CHECK(size == len + tag_of(v->algorithm));
        CHECK(lt_test_aead_seal(v->algorithm, key, key_len, nonce, aad, aad_len, out, plaintext, len) == LT_OK);
        CHECK(memcmp(out, sealed, size) == 0);
        CHECK(lt_test_aead_open(v->algorithm, key, key_len, nonce, aad, aad_len, out, sealed, size) == LT_OK);
        CHECK(memcmp(out, plaintext, len) == 0);
    }
}

/* FIPS 197 appendix C.1 and C.3. */
static void check_aes(void) {
    static const char *const EXPECTED[] = {"69c4e0d86a7b0430d8cdb78070b4c55a", "8ea2b7ca516745bfeafc49904b496089"};
    uint8_t key[32], in[64], out[64], expected[16], round_keys[240];

    hex(key, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    for (int i = 0; i < 2; i++) {
        lt_aes_planes planes;
        uint32_t rounds = lt_aes_portable_expand(round_keys, key, i == 0 ? 16 : 32);

        WHERE("AES-%d", i == 0 ? 128 : 256);
        hex(expected, EXPECTED[i]);
        CHECK(rounds == (i == 0 ? 10u : 14u));
        lt_aes_portable_slice(&planes, round_keys, rounds);
        for (int block = 0; block < 4; block++) { /* beside unlike blocks: none may look at its neighbour */
            fill(in, sizeof in, 7);
            hex(in + 16 * block, "00112233445566778899aabbccddeeff");
            lt_aes_portable_encrypt4(&planes, out, in);
            CHECK(memcmp(out + 16 * block, expected, 16) == 0);
        }
#if LT_X86_64
        if (lt_cpu_has(LT_CPU_AESNI)) {
            uint8_t fast[240];

            CHECK(lt_aes_ni_expand(fast, key, i == 0 ? 16 : 32) == rounds);
            CHECK(memcmp(fast, round_keys, 16 * (rounds + 1)) == 0);
            lt_aes_ni_encrypt(fast, rounds, out, in + 48);
            CHECK(memcmp(out, expected, 16) == 0);
        }
#endif
    }
}

/* ---- Portable against accelerated ---------------------------------------------------------------- */

#define LONGEST (16384 + 300)
#define MARGIN  600 /* wider than any implementation's step */
#define CANARY  0xa5

static uint8_t plain[LONGEST + MARGIN];
static uint8_t reference[LONGEST + 16];
static uint8_t sealed_room[LONGEST + 16 + 2 * MARGIN];
static uint8_t opened_room[LONGEST + 2 * MARGIN];

static void check_length(uint32_t algorithm, size_t len, size_t aad_len) {
    size_t shift = len % 16; /* from aligned to odd addresses */
    const uint8_t *in = plain + (len * 7) % 16;
    uint8_t *sealed = sealed_room + MARGIN + shift;
    uint8_t *opened = opened_room + MARGIN + (shift * 5) % 16;
    const size_t size = len + tag_of(algorithm);
    uint8_t key[32], nonce[12], aad[64];
    lt_aead aead;

    fill(key, sizeof key, (uint32_t)len + 1);
    fill(nonce, sizeof nonce, (uint32_t)len + 2);
    fill(aad, sizeof aad, (uint32_t)len + 3);
    lt_cpu_restrict(0);
    CHECK(lt_aead_init(&aead, algorithm, key, lt_aead_key_len(algorithm)) == LT_OK);
    lt_aead_seal(&aead, nonce, aad, aad_len, reference, in, len);
    for (size_t m = 0; m < mask_count; m++) {
        WHERE("AEAD %u, %u bytes, AAD %u, mask %x", (unsigned)algorithm, (unsigned)len, (unsigned)aad_len,
              (unsigned)masks[m]);
        memset(sealed_room, CANARY, sizeof sealed_room);
        memset(opened_room, CANARY, sizeof opened_room);
        lt_cpu_restrict(masks[m]);
        CHECK(lt_aead_init(&aead, algorithm, key, lt_aead_key_len(algorithm)) == LT_OK);
        lt_cpu_restrict(masks[(m + 1) % mask_count]); /* a key stays with the code it was set for */
        lt_aead_seal(&aead, nonce, aad, aad_len, sealed, in, len);
        CHECK(memcmp(sealed, reference, size) == 0);
        CHECK(all_bytes_are(sealed_room, (size_t)(sealed - sealed_room), CANARY));
        CHECK(all_bytes_are(sealed + size, MARGIN - shift, CANARY));
        CHECK(lt_aead_open(&aead, nonce, aad, aad_len, opened, sealed, len) == LT_OK);
        CHECK(memcmp(opened, in, len) == 0);
        CHECK(all_bytes_are(opened_room, (size_t)(opened - opened_room), CANARY));
        CHECK(all_bytes_are(opened + len, MARGIN - (shift * 5) % 16, CANARY));
    }
    lt_cpu_restrict(UINT32_MAX);
}

static void check_lengths(void) {
    static const size_t EDGES[] = {1535,  1536,  1537,  1777,  2047,  2048,  2064,  4063,  4064,   4065,  4095,
                                   4096,  4097,  8192,  16127, 16128, 16129, 16255, 16256, 16272,  16368, 16383,
                                   16384, 16385, 16399, 16400, 16511, 16512, 16513, 16625, LONGEST};

    fill(plain, sizeof plain, 99);
    for (uint32_t algorithm = LT_AES_128_GCM; algorithm <= LAST_AEAD; algorithm++) {
        for (size_t len = 0; len <= longest_step(algorithm); len++) {
            check_length(algorithm, len, 13);
        }
        for (size_t i = 0; i < sizeof EDGES / sizeof EDGES[0]; i++) {
            check_length(algorithm, EDGES[i], 13);
        }
        for (size_t aad_len = 0; aad_len <= 49; aad_len++) {
            check_length(algorithm, 3 * aad_len, aad_len);
        }
    }
}

/*
 * Texts that begin and end where the memory does: what reads or writes a byte outside dies. Beyond sanitizers, which
 * do not see through masked instructions.
 */
static void check_borders(void) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t key[32], nonce[12], aad[13], expected[1100 + 16];
    uint8_t *rooms[2]; /* three pages each, of which the outer two are forbidden */

    for (int i = 0; i < 2; i++) {
        rooms[i] = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(rooms[i] != MAP_FAILED && mprotect(rooms[i] + page, page, PROT_READ | PROT_WRITE) == 0);
    }
    fill(key, sizeof key, 5);
    fill(nonce, sizeof nonce, 6);
    fill(aad, sizeof aad, 7);
    for (uint32_t algorithm = LT_AES_128_GCM; algorithm <= LAST_AEAD; algorithm++) {
        lt_aead aead;

        CHECK(lt_aead_init(&aead, algorithm, key, lt_aead_key_len(algorithm)) == LT_OK);
        for (size_t len = 0; len <= longest_step(algorithm); len += len < 300 ? 1 : 7) {
            for (int end = 0; end < 2; end++) {
                uint8_t *text = rooms[0] + page + (end ? page - len : 0);
                const size_t size = len + tag_of(algorithm);
                uint8_t *sealed = rooms[1] + page + (end ? page - size : 0);
                uint8_t *border_aad = end ? rooms[1] + page : rooms[1] + 2 * page - 13;

                WHERE("borders, AEAD %u, %u bytes, features %x", (unsigned)algorithm, (unsigned)len,
                      (unsigned)lt_cpu_features());
                fill(text, len, 8);
                lt_aead_seal(&aead, nonce, aad, sizeof aad, expected, text, len);
                memcpy(border_aad, aad, sizeof aad);
                lt_aead_seal(&aead, nonce, border_aad, sizeof aad, sealed, text, len);
                CHECK(memcmp(sealed, expected, size) == 0);
                memset(text, CANARY, len);
                CHECK(lt_aead_open(&aead, nonce, border_aad, sizeof aad, text, sealed, len) == LT_OK);
                lt_aead_seal(&aead, nonce, aad, sizeof aad, sealed, text, len);
                CHECK(memcmp(sealed, expected, size) == 0);
            }
        }
    }
    for (int i = 0; i < 2; i++) {
        CHECK(munmap(rooms[i], 3 * page) == 0);
    }
}

/* Longer than any record: the block counter carries into its third byte. */
static void check_long_text(void) {
    const size_t len = ((size_t)1 << 20) + 777;
    uint8_t key[32], nonce[12];
    uint8_t *text = calloc(1, len);
    uint8_t *expected = malloc(len + 16);
    uint8_t *sealed = malloc(len + 16);

    CHECK(text != NULL && expected != NULL && sealed != NULL);
    fill(key, sizeof key, 9);
    fill(nonce, sizeof nonce, 10);
    for (uint32_t algorithm = LT_AES_128_GCM; algorithm <= LAST_AEAD; algorithm++) {
        const size_t key_len = lt_aead_key_len(algorithm);
        const size_t size = len + tag_of(algorithm);

        if (algorithm == LT_CHACHA20_POLY1305) {
            continue; /* its counter is a word */
        }
        lt_cpu_restrict(0);
        CHECK(lt_test_aead_seal(algorithm, key, key_len, nonce, NULL, 0, expected, text, len) == LT_OK);
        for (size_t m = 1; m < mask_count; m++) {
            WHERE("long text, AEAD %u, mask %x", (unsigned)algorithm, (unsigned)masks[m]);
            lt_cpu_restrict(masks[m]);
            CHECK(lt_test_aead_seal(algorithm, key, key_len, nonce, NULL, 0, sealed, text, len) == LT_OK);
            CHECK(memcmp(sealed, expected, size) == 0);
            CHECK(lt_test_aead_open(algorithm, key, key_len, nonce, NULL, 0, sealed, expected, size) == LT_OK);
            CHECK(memcmp(sealed, text, len) == 0);
        }
    }
    lt_cpu_restrict(UINT32_MAX);
    free(text);
    free(expected);
    free(sealed);
}

/* ---- Nothing forged passes ------------------------------------------------------------------------ */

static void check_flips(void) {
    static const size_t LENGTHS[] = {0, 1, 15, 16, 17, 63, 64, 113, 127, 128, 145, 300, 497, 1300};
    uint8_t key[32], nonce[12], aad[13], in[1300], sealed[1316], out[1300];

    fill(key, sizeof key, 1);
    fill(nonce, sizeof nonce, 2);
    fill(aad, sizeof aad, 3);
    fill(in, sizeof in, 4);
    for (uint32_t algorithm = LT_AES_128_GCM; algorithm <= LAST_AEAD; algorithm++) {
        lt_aead aead;

        CHECK(lt_aead_init(&aead, algorithm, key, lt_aead_key_len(algorithm)) == LT_OK);
        for (size_t i = 0; i < sizeof LENGTHS / sizeof LENGTHS[0]; i++) {
            size_t len = LENGTHS[i];
            size_t size = len + tag_of(algorithm);

            lt_aead_seal(&aead, nonce, aad, sizeof aad, sealed, in, len);
            for (size_t bit = 0; bit < 8 * (size + sizeof nonce + sizeof aad); bit++) {
                size_t at = bit / 8;
                uint8_t *byte = at < size                  ? sealed + at
                                : at < size + sizeof nonce ? nonce + (at - size)
                                                           : aad + (at - size - sizeof nonce);

                if (len > 300 && bit % 8 != at % 8) {
                    continue; /* one bit of each byte */
                }
                WHERE("AEAD %u, %u bytes, bit %u, features %x", (unsigned)algorithm, (unsigned)len, (unsigned)bit,
                      (unsigned)lt_cpu_features());
                *byte ^= (uint8_t)(1u << bit % 8);
                memset(out, CANARY, sizeof out);
                CHECK(lt_aead_open(&aead, nonce, aad, sizeof aad, out, sealed, len) == LT_ERR_AUTH);
                CHECK(all_bytes_are(out, len, 0));
                CHECK(all_bytes_are(out + len, sizeof out - len, CANARY));
                *byte ^= (uint8_t)(1u << bit % 8);
            }
            CHECK(lt_aead_open(&aead, nonce, aad, sizeof aad, out, sealed, len) == LT_OK);
            /* AAD and text are told apart, although the hashes see them in one row. */
            CHECK(lt_aead_open(&aead, nonce, aad, sizeof aad - 1, out, sealed, len) == LT_ERR_AUTH);
        }
    }
}

static void check_contracts(void) {
    uint8_t key[33] = {1}, nonce[12] = {2}, in[16] = {3}, out[32];
    lt_aead aead;
    lt_aead before;

    WHERE("contracts");
    memset(&aead, CANARY, sizeof aead);
    before = aead;
    CHECK(lt_aead_init(&aead, LT_AES_128_GCM, key, 15) == LT_ERR_ARGUMENT);
    CHECK(lt_aead_init(&aead, LT_AES_128_GCM, key, 32) == LT_ERR_ARGUMENT);
    CHECK(lt_aead_init(&aead, LT_AES_256_GCM, key, 16) == LT_ERR_ARGUMENT);
    CHECK(lt_aead_init(&aead, LT_CHACHA20_POLY1305, key, 33) == LT_ERR_ARGUMENT);
    CHECK(lt_aead_init(&aead, 0, key, 0) == LT_ERR_ARGUMENT);
    CHECK(lt_aead_init(&aead, LT_AES_128_CCM_8, key, 32) == LT_ERR_ARGUMENT);
    CHECK(lt_aead_init(&aead, LAST_AEAD + 1, key, 16) == LT_ERR_ARGUMENT);
    CHECK(lt_aead_init(&aead, LAST_AEAD + 1, key, 32) == LT_ERR_ARGUMENT);
    CHECK(memcmp(&aead, &before, sizeof aead) == 0);

    memset(out, CANARY, sizeof out);
    CHECK(lt_test_aead_seal(LAST_AEAD + 1, key, 16, nonce, in, 0, out, in, 16) == LT_ERR_ARGUMENT);
    CHECK(lt_test_aead_open(LT_AES_128_GCM, key, 16, nonce, in, 0, out, in, 15) == LT_ERR_ARGUMENT);
    CHECK(lt_test_aead_open(LT_AES_128_CCM_8, key, 16, nonce, in, 0, out, in, 7) == LT_ERR_ARGUMENT);
    CHECK(all_bytes_are(out, sizeof out, CANARY));

    for (size_t i = 0; i < sizeof key; i++) {
        uint8_t other[33];

        memcpy(other, key, sizeof key);
        CHECK(lt_equal(key, other, i) == 1);
        CHECK(lt_equal(key, other, sizeof key) == 1);
        other[i] ^= 0x80;
        for (size_t len = 0; len <= sizeof key; len++) {
            CHECK(lt_equal(key, other, len) == (len <= i));
        }
        other[(i + 4) % sizeof key] ^= 0x80; /* the same difference twice does not cancel */
        CHECK(lt_equal(key, other, sizeof key) == 0);
    }
    for (size_t start = 0; start < 9; start++) {
        for (size_t len = 0; len + start <= sizeof out; len++) {
            memset(out, CANARY, sizeof out);
            lt_wipe(out + start, len);
            CHECK(all_bytes_are(out, start, CANARY));
            CHECK(all_bytes_are(out + start, len, 0));
            CHECK(all_bytes_are(out + start + len, sizeof out - start - len, CANARY));
        }
    }
    CHECK(lt_ct_lt(1, 2) == UINT64_MAX && lt_ct_lt(2, 1) == 0 && lt_ct_lt(5, 5) == 0);
    CHECK(lt_ct_lt(0, UINT64_MAX) == UINT64_MAX && lt_ct_lt(UINT64_MAX, 0) == 0);
    CHECK(lt_ct_eq(UINT64_MAX, UINT64_MAX) == UINT64_MAX && lt_ct_eq(1, (uint64_t)1 << 63) == 0);
    CHECK(lt_ct_select(UINT64_MAX, 1, 2) == 1 && lt_ct_select(0, 1, 2) == 2);
}

/* A pointer to nothing may be NULL. */
static void check_null(void) {
    static const uint8_t key[32], nonce[12];

    for (uint32_t algorithm = LT_AES_128_GCM; algorithm <= LAST_AEAD; algorithm++) {
        const size_t key_len = lt_aead_key_len(algorithm);
        const size_t size = tag_of(algorithm);
        uint8_t sealed[16];

        WHERE("NULL, AEAD %u, features %x", (unsigned)algorithm, (unsigned)lt_cpu_features());
        CHECK(lt_test_aead_seal(algorithm, key, key_len, nonce, NULL, 0, sealed, NULL, 0) == LT_OK);
        CHECK(lt_test_aead_open(algorithm, key, key_len, nonce, NULL, 0, NULL, sealed, size) == LT_OK);
        sealed[0] ^= 1;
        CHECK(lt_test_aead_open(algorithm, key, key_len, nonce, NULL, 0, NULL, sealed, size) == LT_ERR_AUTH);
    }
}

int main(void) {
    uint32_t found = lt_cpu_features();

    mask_count = distinct_masks(masks, NAMED, NAMED_COUNT);
    lt_cpu_restrict(0);
    CHECK(lt_cpu_features() == 0);
    lt_cpu_restrict(UINT32_MAX);
    CHECK(lt_cpu_features() == found);

    check_aes();
    for (size_t m = 0; m < mask_count; m++) {
        lt_cpu_restrict(masks[m]);
        check_vectors();
        check_flips();
        check_null();
        check_borders();
    }
    lt_cpu_restrict(UINT32_MAX);
    check_lengths();
    check_long_text();
    check_contracts();
    return check_result();
}
