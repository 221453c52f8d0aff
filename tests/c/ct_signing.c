/*
 * Private keys are undefined to valgrind while they sign, and so are the nonces that come from them: whatever branches
 * on one or looks up memory by one is an error. Made public again is only the signature (lt_ct_publish), and verdicts
 * (lt_ct_declassify). Without valgrind also, on a stack of its own, that neither private key nor nonce is left there.
 *
 * Build: -O2 -gdwarf-4 -DLT_VALGRIND, all of csrc/; gcc and clang, also with -DLT_FORCE_32BIT.
 * Run: ./ct_signing                                       must end with 0
 *      valgrind -q --error-exitcode=99 ./ct_signing       must end with 0
 *      valgrind -q --error-exitcode=99 ./ct_signing leak  must end with 99: reads a table by a private key's digit
 */
#define _POSIX_C_SOURCE 200809L

#include "check.h"

#include <valgrind/memcheck.h>

#include "inner.h"
#include "stack_search.h"

/* Of RFC 6979 appendix A.2.5, with SHA-256 and the message "sample". */
static const char *const key_hex = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
static const char *const nonce_hex = "a6e3c57dd01abe90086538398355dd4c3b17aa873382b0f24d6129493d8aad60";

static int set_secret_key(lt_signing_key *key) {
    uint8_t scalar[32];

    hex(scalar, key_hex);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(scalar, 32);
    return lt_signing_key_set(key, scalar, 32);
}

static void use_key(size_t digest_len) {
    uint8_t digest[64], extra[32], signature[LT_SIGNATURE_MAX];
    lt_signing_key key;

    WHERE("digest of %u bytes", (unsigned)digest_len);
    CHECK(set_secret_key(&key) == LT_OK);
    for (uint32_t seed = 0; seed < 3; seed++) {
        fill(digest, sizeof digest, seed);
        fill(extra, sizeof extra, seed + 100);
        (void)VALGRIND_MAKE_MEM_UNDEFINED(extra, 32);
        CHECK(lt_signing_key_sign(&key, signature, sizeof signature, digest, digest_len, extra, 32) > 0);
        CHECK(signature[0] == 0x30);
    }
    lt_signing_key_wipe(&key);
}

static void use_no_key(void) {
    uint8_t scalar[32];
    lt_signing_key key;

    WHERE("no key");
    memset(scalar, 0xff, 32);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(scalar, 32);
    CHECK(lt_signing_key_set(&key, scalar, 32) == LT_ERR_SCALAR);
}

/* What the code under test must not do. */
static void leak(void) {
    static const uint8_t table[16] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};
    lt_signing_key key;
    volatile uint8_t entry;

    CHECK(set_secret_key(&key) == LT_OK);
    entry = table[key.opaque[0] & 15];
    (void)entry;
}

/* ---- What is left on the stack -------------------------------------------------------------------- */

/* Outside the stack that is searched. */
static struct {
    int lose; /* leave the nonce on the stack, to see that the search finds it */
    uint8_t scalar[32], random32[32], nonce[32], digest[32], signature[LT_SIGNATURE_MAX];
    lt_signing_key key;
} job;

static void *run_job(void *unused) {
    memcpy(job.random32, job.scalar, 32);
    CHECK(lt_signing_key_set(&job.key, job.random32, 32) == LT_OK);
    CHECK(lt_signing_key_sign(&job.key, job.signature, sizeof job.signature, job.digest, 32, NULL, 0) > 0);
    if (job.lose) {
        lose_secret(job.nonce, 32);
    }
    return unused;
}

static void search_stack(int lose) {
    WHERE("stack");
    job.lose = lose;
    hex(job.scalar, key_hex);
    hex(job.nonce, nonce_hex);
    CHECK(lt_hash(job.digest, LT_SHA256, (const uint8_t *)"sample", 6) == 32);
    run_on_searched_stack(run_job);
    CHECK(!is_on_stack(job.scalar, 32));
    CHECK(is_on_stack(job.nonce, 32) == lose);
    check_wipe_went_deepest();
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "leak") == 0) {
        leak();
    }
    use_key(32);
    use_key(48);
    use_key(64);
    use_no_key();
    if (!RUNNING_ON_VALGRIND) {
        search_stack(0);
        search_stack(1);
    }
    return check_result();
}
