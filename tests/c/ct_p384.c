/*
 * P-384 as ct_ecdhe.c does it for the other groups: private keys are undefined to valgrind while key pairs are made and
 * secrets derived, without and with MULX, ADCX and ADOX. Without valgrind also, on a stack of its own, that neither
 * private key nor shared secret is left there.
 *
 * Build: -O2 -gdwarf-4 -DLT_VALGRIND, all of csrc/; gcc and clang, also with -DLT_FORCE_32BIT.
 * Run: ./ct_p384                                       must end with 0
 *      valgrind -q --error-exitcode=99 ./ct_p384       must end with 0
 *      valgrind -q --error-exitcode=99 ./ct_p384 leak  must end with 99: branches on a private key's parity
 */
#define _POSIX_C_SOURCE 200809L

#include "check.h"

#include <valgrind/memcheck.h>

#include "inner.h"
#include "stack_search.h"

#define SCALAR 48
#define PUBLIC 97

static const uint32_t masks[] = {0, LT_CPU_BMI2_ADX};

/* Pseudo-random bytes below the order. */
static void fill_scalar(uint8_t scalar[SCALAR], uint32_t seed) {
    fill(scalar, SCALAR, seed);
    scalar[0] &= 0x7f;
}

static void make_peer(uint8_t peer[PUBLIC]) {
    uint8_t scalar[SCALAR];
    lt_key_share share;

    fill_scalar(scalar, 1);
    CHECK(lt_key_share_generate(&share, peer, PUBLIC, LT_SECP384R1, scalar, SCALAR) == PUBLIC);
}

/* Exchanges with secret private keys. A refused scalar and a refused peer are verdicts that anyone may see. */
static void use_secrets(uint32_t mask) {
    uint8_t scalar[SCALAR], public_key[PUBLIC], peer[PUBLIC], secret[66];
    lt_key_share share;
    lt_premaster premaster;

    WHERE("mask %u", (unsigned)mask);
    lt_cpu_restrict(mask);
    make_peer(peer);
    for (uint32_t seed = 2; seed < 4; seed++) { /* an even one and an odd one */
        fill_scalar(scalar, seed);
        scalar[SCALAR - 1] = (uint8_t)((scalar[SCALAR - 1] & 0xfe) | (seed & 1));
        (void)VALGRIND_MAKE_MEM_UNDEFINED(scalar, SCALAR);
        CHECK(lt_key_share_generate(&share, public_key, PUBLIC, LT_SECP384R1, scalar, SCALAR) == PUBLIC);
        (void)VALGRIND_MAKE_MEM_DEFINED(public_key, sizeof public_key);
        CHECK(lt_key_share_derive(&share, &premaster, peer, PUBLIC) == LT_OK);
        CHECK(lt_test_premaster_get(&premaster, secret) == SCALAR);
        (void)VALGRIND_MAKE_MEM_DEFINED(secret, SCALAR);
        CHECK(!all_bytes_are(secret, SCALAR, 0));
    }

    memset(peer, 0, sizeof peer);
    fill_scalar(scalar, 5);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(scalar, SCALAR);
    CHECK(lt_key_share_generate(&share, public_key, PUBLIC, LT_SECP384R1, scalar, SCALAR) == PUBLIC);
    CHECK(lt_key_share_derive(&share, &premaster, peer, PUBLIC) == LT_ERR_POINT);

    memset(scalar, 0xff, SCALAR);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(scalar, SCALAR);
    CHECK(lt_key_share_generate(&share, public_key, PUBLIC, LT_SECP384R1, scalar, SCALAR) == LT_ERR_SCALAR);
}

/* What the code under test must not do. */
static void leak(void) {
    uint8_t scalar[SCALAR];
    volatile int parity = 0;

    fill_scalar(scalar, 2);
    (void)VALGRIND_MAKE_MEM_UNDEFINED(scalar, SCALAR);
    if (scalar[SCALAR - 1] & 1) {
        parity = 1;
    }
    (void)parity;
}

/* ---- What is left on the stack -------------------------------------------------------------------- */

/* Outside the stack that is searched. */
static struct {
    int lose; /* leave the private key on the stack, to see that the search finds it */
    uint8_t scalar[SCALAR], random[SCALAR], peer[PUBLIC], public_key[PUBLIC], secret[66];
    lt_key_share share;
    lt_premaster premaster;
} job;

static void *run_job(void *unused) {
    memcpy(job.random, job.scalar, SCALAR);
    CHECK(lt_key_share_generate(&job.share, job.public_key, PUBLIC, LT_SECP384R1, job.random, SCALAR) == PUBLIC);
    CHECK(lt_key_share_derive(&job.share, &job.premaster, job.peer, PUBLIC) == LT_OK);
    if (job.lose) {
        lose_secret(job.scalar, SCALAR);
    }
    return unused;
}

static void search_stack(uint32_t mask, int lose) {
    WHERE("stack, mask %u", (unsigned)mask);
    lt_cpu_restrict(mask);
    job.lose = lose;
    fill_scalar(job.scalar, 6);
    make_peer(job.peer);
    run_on_searched_stack(run_job);
    CHECK(lt_test_premaster_get(&job.premaster, job.secret) == SCALAR);
    CHECK(is_on_stack(job.scalar, SCALAR) == lose);
    CHECK(!is_on_stack(job.secret, SCALAR));
    check_wipe_went_deepest();
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "leak") == 0) {
        leak();
    }
    for (int i = 0; i < 2; i++) {
        use_secrets(masks[i]);
        if (!RUNNING_ON_VALGRIND) {
            search_stack(masks[i], 0);
            search_stack(masks[i], 1);
        }
    }
    return check_result();
}
