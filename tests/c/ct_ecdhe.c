/*
 * Private keys are undefined to valgrind while key pairs are made and secrets derived: whatever branches on them or
 * looks up memory by them is an error. Made public again are only the public key, at the end the shared secret, and
 * verdicts (lt_ct_declassify). Without valgrind also, on a stack of its own, that neither private key nor shared secret
 * is left there.
 *
 * Build: -O2 -gdwarf-4 -DLT_VALGRIND, all of csrc/; gcc and clang, also with -DLT_FORCE_32BIT.
 * Run: ./ct_ecdhe                                       must end with 0
 *      valgrind -q --error-exitcode=99 ./ct_ecdhe       must end with 0
 *      valgrind -q --error-exitcode=99 ./ct_ecdhe leak  must end with 99: reads a table by a private key's digit
 */
#define _POSIX_C_SOURCE 200809L

#include "check.h"

#include <valgrind/memcheck.h>

#include "inner.h"
#include "p256_adx.h"
#include "stack_search.h"

static const uint32_t groups[] = {LT_X25519, LT_SECP256R1};

static size_t public_key_len(uint32_t group) {
    return group == LT_X25519 ? 32 : 65;
}

/* Pseudo-random bytes below the order of P-256. */
static void fill_scalar(uint8_t scalar[32], uint32_t seed) {
    fill(scalar, 32, seed);
    scalar[0] &= 0x7f;
}

static void make_peer(uint32_t group, uint8_t peer[65]) {
    uint8_t scalar[32];
    lt_key_share share;

    fill_scalar(scalar, 1);
    CHECK(lt_key_share_generate(&share, peer, 65, group, scalar, 32) == (int)public_key_len(group));
}

/* One exchange with a secret private key. A refused scalar, peer and zero result are verdicts that anyone may see. */
static void use_group(uint32_t group) {
    uint8_t scalar[32], public_key[65], peer[65], secret[66];
    lt_key_share share;
    lt_premaster premaster;

    WHERE("group %u", (unsigned)group);
    make_peer(group, peer);
    for (uint32_t seed = 2; seed < 5; seed++) {
        fill_scalar(scalar, seed);
        (void)VALGRIND_MAKE_MEM_UNDEFINED(scalar, 32);
        CHECK(lt_key_share_generate(&share, public_key, 65, group, scalar, 32) == (int)public_key_len(group));
        (void)VALGRIND_MAKE_MEM_DEFINED(public_key, sizeof public_key);
        CHECK(lt_key_share_derive(&share, &premaster, peer, public_key_len(group)) == LT_OK);
        CHECK(lt_test_premaster_get(&premaster, secret) == 32);
        (void)VALGRIND_MAKE_MEM_DEFINED(secret, 32);
        CHECK(!all_bytes_are(secret, 32, 0));
        fill_scalar(scalar, seed);
        (void)VALGRIND_MAKE_MEM_UNDEFINED(scalar, 32);
        CHECK(lt_key_agree(public_key, 65, &premaster, group, scalar, 32, peer, public_key_len(group)) ==
              (int)public_key_len(group));
    }

    memset(peer, 0, sizeof peer); /* no point of P-256; on curve25519 one of order 2 */
    fill_scalar(scalar, 5);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(scalar, 32);
    CHECK(lt_key_share_generate(&share, public_key, 65, group, scalar, 32) == (int)public_key_len(group));
    CHECK(lt_key_share_derive(&share, &premaster, peer, public_key_len(group)) == LT_ERR_POINT);

    if (group == LT_SECP256R1) {
        memset(scalar, 0xff, 32);
        (void)VALGRIND_MAKE_MEM_UNDEFINED(scalar, 32);
        CHECK(lt_key_share_generate(&share, public_key, 65, group, scalar, 32) == LT_ERR_SCALAR);
    }
}

/* Valgrind hides ADX from the dispatcher, but it knows the instructions. */
static void use_p256_adx(void) {
#if LT_P256_ADX
    uint8_t scalar[32], public_key[65], secret[32];

    WHERE("P-256 with ADX");
    if (!RUNNING_ON_VALGRIND && !lt_cpu_has(LT_CPU_BMI2_ADX)) {
        return;
    }
    for (uint32_t seed = 2; seed < 5; seed++) {
        fill_scalar(scalar, seed);
        (void)VALGRIND_MAKE_MEM_UNDEFINED(scalar, 32);
        lt_p256_base_adx(public_key, scalar);
        (void)VALGRIND_MAKE_MEM_DEFINED(public_key, sizeof public_key);
        CHECK(lt_p256_adx(secret, scalar, public_key) == LT_OK);
        (void)VALGRIND_MAKE_MEM_DEFINED(secret, 32);
        CHECK(!all_bytes_are(secret, 32, 0));
    }
#endif
}

/* What the code under test must not do. */
static void leak(void) {
    static const uint8_t table[16] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};
    uint8_t scalar[32];
    volatile uint8_t entry;

    fill_scalar(scalar, 2);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(scalar, 32);
    entry = table[scalar[0] & 15];
    (void)entry;
}

/* ---- What is left on the stack -------------------------------------------------------------------- */

/* Outside the stack that is searched. */
static struct {
    uint32_t group;
    int lose; /* leave the private key on the stack, to see that the search finds it */
    uint8_t scalar[32], random32[32], peer[65], public_key[65], secret[66];
    lt_key_share share;
    lt_premaster premaster, again;
} job;

static void *run_job(void *unused) {
    memcpy(job.random32, job.scalar, 32);
    CHECK(lt_key_share_generate(&job.share, job.public_key, 65, job.group, job.random32, 32) > 0);
    CHECK(lt_key_share_derive(&job.share, &job.premaster, job.peer, public_key_len(job.group)) == LT_OK);
    memcpy(job.random32, job.scalar, 32);
    CHECK(lt_key_agree(job.public_key, 65, &job.again, job.group, job.random32, 32, job.peer,
                       public_key_len(job.group)) > 0);
    if (job.lose) {
        lose_secret(job.scalar, 32);
    }
    return unused;
}

static void search_stack(uint32_t group, int lose) {
    WHERE("stack, group %u", (unsigned)group);
    job.group = group;
    job.lose = lose;
    fill_scalar(job.scalar, 6);
    make_peer(group, job.peer);
    run_on_searched_stack(run_job);
    CHECK(lt_test_premaster_get(&job.premaster, job.secret) == 32);
    CHECK(is_on_stack(job.scalar, 32) == lose);
    CHECK(!is_on_stack(job.secret, 32));
    check_wipe_went_deepest();
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "leak") == 0) {
        leak();
    }
    for (int i = 0; i < 2; i++) {
        use_group(groups[i]);
        if (!RUNNING_ON_VALGRIND) {
            search_stack(groups[i], 0);
            search_stack(groups[i], 1);
        }
    }
    use_p256_adx();
    return check_result();
}
