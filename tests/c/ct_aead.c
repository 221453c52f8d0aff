/*
 * Keys and plaintext are undefined to valgrind while records and messages are sealed and opened:
 * whatever branches on them or looks up memory by them is an error. Made public again are only what
 * leaves: ciphertext, the verdict on a tag, and plaintext at the very end. Runs the portable code
 * first, then the instructions that valgrind knows.
 *
 * Build: -O2 -gdwarf-4 -DLT_VALGRIND, all of csrc/; gcc and clang, also with -DLT_FORCE_32BIT.
 * Run: valgrind -q --error-exitcode=99 ./ct_aead       must end with 0
 *      valgrind -q --error-exitcode=99 ./ct_aead leak  must end with 99: compares a tag byte by byte
 */
#include "check.h"

#include <valgrind/memcheck.h>

#include "inner.h"

static void secret(void *p, size_t len) {
    (void)VALGRIND_MAKE_MEM_UNDEFINED(p, len);
}

static void public(void *p, size_t len) {
    (void)VALGRIND_MAKE_MEM_DEFINED(p, len);
}

/* What the code under test must not do: stop at the first byte that differs. */
static int careless_equal(const uint8_t *left, const uint8_t *right, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (left[i] != right[i]) {
            return 0;
        }
    }
    return 1;
}

static lt_opened opened;

static void use_aead(uint32_t algorithm, size_t len) {
    uint8_t key[32], nonce[12] = {1}, aad[13] = {2}, in[1100], sealed[1116], out[1100];
    lt_aead aead;
    int status;

    fill(key, sizeof key, 1);
    fill(in, sizeof in, 2);
    secret(key, sizeof key);
    secret(in, sizeof in);
    CHECK(lt_aead_init(&aead, algorithm, key, lt_aead_key_len(algorithm)) == LT_OK);
    lt_aead_seal(&aead, nonce, aad, sizeof aad, sealed, in, len);
    public(sealed, len + 16);
    status = lt_aead_open(&aead, nonce, aad, sizeof aad, out, sealed, len);
    CHECK(status == LT_OK);
    sealed[len / 2] ^= 1;
    CHECK(lt_aead_open(&aead, nonce, aad, sizeof aad, out, sealed, len) == LT_ERR_AUTH);
    sealed[len / 2] ^= 1;
    CHECK(lt_aead_open(&aead, nonce, aad, sizeof aad, out, sealed, len) == LT_OK);
    public(out, len);
    public(in, len);
    CHECK(memcmp(out, in, len) == 0);
    lt_wipe(&aead, sizeof aead);
}

static void use_records(uint32_t algorithm) {
    static uint8_t in[3000], wire[3100];
    uint8_t key[32], iv[12];
    lt_record_keys write, read;
    ptrdiff_t size;
    int status;

    fill(key, sizeof key, 3);
    fill(iv, sizeof iv, 4);
    fill(in, sizeof in, 5);
    secret(key, sizeof key);
    secret(iv, sizeof iv);
    secret(in, sizeof in);
    CHECK(lt_record_keys_init(&write, algorithm, key, iv) == LT_OK);
    CHECK(lt_record_keys_init(&read, algorithm, key, iv) == LT_OK);
    size = lt_records_seal(&write, wire, sizeof wire, 23, in, sizeof in, 1500, 1);
    CHECK(size > 0);
    public(wire, (size_t)size);
    status = lt_records_open(&read, &opened, wire, (size_t)size, LT_RECORD_MAX);
    CHECK(status == 2 && opened.consumed == (uint32_t)size);
    public(opened.data, sizeof in);
    public(in, sizeof in);
    CHECK(memcmp(opened.data, in, sizeof in) == 0);
}

int main(int argc, char **argv) {
    static const size_t LENGTHS[] = {0, 1, 17, 64, 127, 300, 1031};
    static const uint32_t MASKS[] = {0, UINT32_MAX};

    if (argc > 1 && strcmp(argv[1], "leak") == 0) {
        uint8_t tag[16] = {0}, computed[16] = {0};

        secret(computed, sizeof computed);
        return careless_equal(tag, computed, sizeof tag) ? 0 : 1;
    }
    for (size_t m = 0; m < sizeof MASKS / sizeof MASKS[0]; m++) {
        lt_cpu_restrict(MASKS[m]);
        for (uint32_t algorithm = LT_AES_128_GCM; algorithm <= LT_CHACHA20_POLY1305; algorithm++) {
            WHERE("AEAD %u, features %x", (unsigned)algorithm, (unsigned)lt_cpu_features());
            for (size_t i = 0; i < sizeof LENGTHS / sizeof LENGTHS[0]; i++) {
                use_aead(algorithm, LENGTHS[i]);
            }
            use_records(algorithm);
        }
    }
    return check_result();
}
