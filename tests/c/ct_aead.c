/*
 * Keys and plaintext are undefined to valgrind while records and messages are sealed and opened:
 * whatever branches on them or looks up memory by them is an error. Made public again are only what
 * leaves: ciphertext, the verdict on a tag, and plaintext at the very end. Runs the portable code
 * first, then the instructions that valgrind knows. Without valgrind also, on a stack of
 * its own, that records leave neither keys nor key stream there, whatever instructions they use.
 *
 * Build: -O2 -gdwarf-4 -DLT_VALGRIND, all of csrc/; gcc and clang, also with -DLT_FORCE_32BIT.
 * Run: ./ct_aead                                       must end with 0
 *      valgrind -q --error-exitcode=99 ./ct_aead       must end with 0
 *      valgrind -q --error-exitcode=99 ./ct_aead leak  must end with 99: compares a tag byte by byte
 */
#define _POSIX_C_SOURCE 200809L

#include "check.h"

#include <valgrind/memcheck.h>

#include "records.h"
#include "stack_search.h"

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
    public(sealed, len + lt_aead_tag_len(algorithm));
    status = lt_aead_open(&aead, nonce, aad, sizeof aad, out, sealed, len);
    CHECK(status == LT_OK);
    sealed[len / 2] ^= 1;
    CHECK(lt_aead_open(&aead, nonce, aad, sizeof aad, out, sealed, len) == LT_ERR_AUTH);
    sealed[len / 2] ^= 1;
    CHECK(lt_aead_open(&aead, nonce, aad, sizeof aad, out, sealed, len) == LT_OK);
    CHECK(lt_ct_declassify(lt_equal(out, in, len)));
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

/* The short ways for application data: sealed once, opened by each. */
static void use_short_ways(uint32_t algorithm) {
    static uint8_t wire[LT_SEALED_DATA];
    static uint8_t in[1500], out[sizeof in];
    uint8_t key[32], iv[12];
    lt_record_keys write, read, read_into;
    size_t consumed;
    ptrdiff_t size;

    fill(key, sizeof key, 3);
    fill(iv, sizeof iv, 4);
    fill(in, sizeof in, 5);
    secret(key, sizeof key);
    secret(iv, sizeof iv);
    secret(in, sizeof in);
    CHECK(lt_record_keys_init(&write, algorithm, key, iv) == LT_OK);
    CHECK(lt_record_keys_init(&read, algorithm, key, iv) == LT_OK);
    CHECK(lt_record_keys_init(&read_into, algorithm, key, iv) == LT_OK);
    size = lt_records_seal_data(&write, wire, sizeof wire, in, sizeof in);
    CHECK(size > 0);
    public(wire, (size_t)size);
    wire[size - 1] ^= 1;
    CHECK(lt_records_open_into(&read_into, out, sizeof out, &consumed, wire, (size_t)size) == 0 && consumed == 0);
    wire[size - 1] ^= 1;
    CHECK(lt_records_open_into(&read_into, out, sizeof out, &consumed, wire, (size_t)size) == sizeof in);
    CHECK(consumed == (size_t)size);
    CHECK(lt_records_open_data(&read, opened.data, sizeof opened.data, wire, (size_t)size) == sizeof in);
    public(in, sizeof in);
    public(out, sizeof out);
    public(opened.data, sizeof in);
    CHECK(memcmp(out, in, sizeof in) == 0);
    CHECK(memcmp(opened.data, in, sizeof in) == 0);
}

/* Callers move their contexts as the words that they are to them: both views of the memory must agree. */
static __attribute__((noinline)) void copy_over_words(lt_record_keys *keys, const lt_record_keys *from) {
    const lt_aead *aead = &lt_record_keys_inside(keys)->aead;
    const uint32_t before = aead->algorithm;

    for (size_t i = 0; i < sizeof keys->opaque / sizeof keys->opaque[0]; i++) {
        keys->opaque[i] = from->opaque[i];
    }
    CHECK(before == LT_AES_128_GCM && aead->algorithm == LT_CHACHA20_POLY1305);
}

static void copy_keys(void) {
    static const uint8_t bytes[32];
    lt_record_keys one, other;

    CHECK(lt_record_keys_init(&one, LT_AES_128_GCM, bytes, bytes) == LT_OK);
    CHECK(lt_record_keys_init(&other, LT_CHACHA20_POLY1305, bytes, bytes) == LT_OK);
    copy_over_words(&one, &other);
}

/* ---- What is left on the stack -------------------------------------------------------------------- */

enum { SEAL, OPEN, SEAL_DATA, OPEN_DATA, OPEN_INTO, CALLS };

/* Outside the stack that is searched. */
static struct {
    size_t len;
    int call;
    int lose; /* leave the key on the stack, to see that the search finds it */
    uint8_t key[32], iv[12], text[5000], out[5000];
    uint8_t wire[LT_SEALED_DATA];
    ptrdiff_t sealed;
    size_t consumed;
    lt_record_keys write, read;
} job;

static void *run_job(void *unused) {
    uint8_t *const wire = job.wire;
    const size_t sealed = (size_t)job.sealed;

    switch (job.call) {
    case SEAL:
        job.sealed = lt_records_seal(&job.write, wire, sizeof job.wire, 23, job.text, job.len, LT_RECORD_MAX, 1);
        break;
    case SEAL_DATA:
        job.sealed = lt_records_seal_data(&job.write, wire, sizeof job.wire, job.text, job.len);
        break;
    case OPEN:
        CHECK(lt_records_open(&job.read, &opened, wire, sealed, LT_RECORD_MAX) == 1);
        break;
    case OPEN_DATA:
        CHECK(lt_records_open_data(&job.read, opened.data, sizeof opened.data, wire, sealed) == (int)job.len);
        break;
    default:
        CHECK(lt_records_open_into(&job.read, job.out, sizeof job.out, &job.consumed, wire, sealed) ==
              (ptrdiff_t)job.len);
        break;
    }
    CHECK(job.sealed > 0);
    if (job.lose) {
        lose_secret(job.key, sizeof job.key);
    }
    return unused;
}

static int key_stream_is_on_stack(void) {
    const uint8_t *ciphertext = job.wire + LT_HEADER_LEN + lt_record_keys_inside(&job.write)->explicit_len;

    for (size_t i = 0; i + PIECE <= job.len; i += PIECE) {
        uint8_t stream[PIECE];

        for (size_t j = 0; j < PIECE; j++) {
            stream[j] = ciphertext[i + j] ^ job.text[i + j];
        }
        if (is_on_stack(stream, PIECE)) {
            return 1;
        }
    }
    return 0;
}

/* Both directions have one key. */
static void search_stack(uint32_t algorithm, size_t len, int lose) {
    const lt_aead *aead = &lt_record_keys_inside(&job.write)->aead;

    WHERE("stack, AEAD %u, length %u, features %x", (unsigned)algorithm, (unsigned)len, (unsigned)lt_cpu_features());
    job.len = len;
    job.lose = lose;
    fill(job.key, sizeof job.key, 6);
    fill(job.iv, sizeof job.iv, 7);
    fill(job.text, sizeof job.text, 8);
    fill((uint8_t *)&job.write, sizeof job.write, 9); /* zeros where nothing is set would be found on any stack */
    CHECK(lt_record_keys_init(&job.write, algorithm, job.key, job.iv) == LT_OK);
    CHECK(lt_record_keys_init(&job.read, algorithm, job.key, job.iv) == LT_OK);
    for (job.call = SEAL; job.call < CALLS; job.call++) {
        if (job.call == OPEN_INTO) { /* what SEAL_DATA made has been opened */
            lt_test_record_keys_sequence(&job.read, 1);
        }
        run_on_searched_stack(run_job);
        CHECK(is_on_stack(job.key, lt_aead_key_len(algorithm)) == lose);
        CHECK(!key_stream_is_on_stack());
        if (algorithm == LT_CHACHA20_POLY1305 && !lose) {
            check_wipe_went_deepest(); /* powers of the one-time key look different in each implementation */
        }
        if (algorithm >= LT_AES_128_CCM) {
            CHECK(!is_on_stack(aead->key.aes.round_keys + 32, 16 * (size_t)aead->key.aes.rounds - 16));
        } else if (algorithm != LT_CHACHA20_POLY1305) {
            CHECK(!is_on_stack(aead->key.gcm.round_keys + 32, 16 * (size_t)aead->key.gcm.rounds - 16));
            CHECK(!is_on_stack(aead->key.gcm.powers,
                               (aead->features & LT_CPU_CLMUL) == 0 ? 16 : sizeof aead->key.gcm.powers));
        }
    }
}

static void search_stacks(void) {
    static const uint32_t MASKS[] = {
        0,         LT_CPU_AESNI, LT_CPU_AVX2, LT_CPU_AESNI | LT_CPU_CLMUL, LT_CPU_AESNI | LT_CPU_CLMUL | LT_CPU_VAES,
        UINT32_MAX};
    static const size_t LENGTHS[] = {60, 200, 520, 1900, 4960};

    for (size_t m = 0; m < sizeof MASKS / sizeof MASKS[0]; m++) {
        lt_cpu_restrict(MASKS[m]);
        for (uint32_t algorithm = LT_AES_128_GCM; algorithm <= LT_AES_256_CCM_8; algorithm++) {
            for (size_t i = 0; i < sizeof LENGTHS / sizeof LENGTHS[0]; i++) {
                search_stack(algorithm, LENGTHS[i], 0);
            }
            search_stack(algorithm, 60, 1);
        }
    }
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
        for (uint32_t algorithm = LT_AES_128_GCM; algorithm <= LT_AES_256_CCM_8; algorithm++) {
            WHERE("AEAD %u, features %x", (unsigned)algorithm, (unsigned)lt_cpu_features());
            for (size_t i = 0; i < sizeof LENGTHS / sizeof LENGTHS[0]; i++) {
                use_aead(algorithm, LENGTHS[i]);
            }
            use_records(algorithm);
            use_short_ways(algorithm);
        }
    }
    copy_keys();
    if (!RUNNING_ON_VALGRIND) {
        search_stacks();
    }
    return check_result();
}
