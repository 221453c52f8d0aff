/*
 * timing FAMILY MASK SCALE: times every function that handles secrets, with the processor features in MASK, SCALE times
 * as many samples as the short form. FAMILY is aes, ccm, chacha, exchange, hash or control; the last holds planted
 * leaks, with the numbers of samples of the others, and code that does the same without a leak. welch.h has the method.
 * Prints per subject: name, leak or quiet, the greatest |t| of all percentiles, the difference of means there in ticks
 * of the clock, and the least difference that would have been called a leak. Ends with 0 unless a call failed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "classes.h"
#include "inner.h"
#include "welch.h"

#define BATCH  64
#define SHORT  130 /* bytes of text: what the code for ends of messages does alone */
#define MIDDLE 250
#define LONG   1100 /* once at least through every loop for bulk, the widest of which takes 1024 bytes, and an end */
#define FAST   4000 /* samples of calls of a few microseconds */
#define MEDIUM 1500 /* of the calls with long texts */
#define SLOW   500  /* of calls of up to a millisecond */
#define LEAKING_TABLE ((size_t)1 << 20)

typedef struct {
    const char *family, *name;
    uint32_t algorithm;
    void (*make)(int class, uint8_t input[INPUT]);
    void (*load)(const uint8_t input[INPUT]); /* not timed */
    void (*run)(void);                        /* timed */
    size_t samples;
    size_t len; /* of the text, for AEADs */
} subject;

static uint32_t algorithm; /* of the subject in hand */
static size_t len;         /* likewise */

static void must(int holds) {
    if (!holds) {
        fputs("a call failed that must not\n", stderr);
        exit(2);
    }
}

/* ---- AEAD: 32 bytes of key, then the text --------------------------------------------------------- */

static const uint8_t nonce[LT_NONCE_LEN] = {1, 2, 3}, aad[13] = {4};
static lt_aead aead;
static uint8_t key[48], text[LONG], wire[LONG + LT_TAG_LEN], opened[LONG];
static int status;

static void load_key(const uint8_t input[INPUT]) {
    memcpy(key, input, sizeof key);
}

static void load_message(const uint8_t input[INPUT]) {
    must(lt_aead_init(&aead, algorithm, input, lt_aead_key_len(algorithm)) == LT_OK);
    memcpy(text, input + 32, len);
}

static void load_sealed(const uint8_t input[INPUT]) {
    load_message(input);
    lt_aead_seal(&aead, nonce, aad, sizeof aad, wire, text, len);
}

static void load_forged(const uint8_t input[INPUT]) {
    load_sealed(input);
    wire[len + input[INPUT - 1] % lt_aead_tag_len(algorithm)] ^= 1;
}

static void run_init(void) {
    status = lt_aead_init(&aead, algorithm, key, lt_aead_key_len(algorithm));
}

static void run_seal(void) {
    lt_aead_seal(&aead, nonce, aad, sizeof aad, wire, text, len);
}

static void run_open(void) {
    status = lt_aead_open(&aead, nonce, aad, sizeof aad, opened, wire, len);
}

/* ---- Key exchange --------------------------------------------------------------------------------- */

static lt_key_share share;
static lt_premaster premaster;
static uint8_t scalar[48], public_key[97], peer[97];

static size_t scalar_len(void) {
    return algorithm == LT_SECP384R1 ? 48 : 32;
}

static size_t public_len(void) {
    return algorithm == LT_X25519 ? 32 : 2 * scalar_len() + 1;
}

static void load_scalar(const uint8_t input[INPUT]) {
    memcpy(scalar, input, scalar_len());
}

static void run_generate(void) {
    status = lt_key_share_generate(&share, public_key, sizeof public_key, algorithm, scalar, scalar_len());
}

static void load_scalar_and_peer(const uint8_t input[INPUT]) {
    static uint32_t peer_of;

    if (peer_of != algorithm) {
        memset(scalar, 0x35, sizeof scalar);
        must(lt_key_share_generate(&share, peer, sizeof peer, algorithm, scalar, scalar_len()) == (int)public_len());
        peer_of = algorithm;
    }
    load_scalar(input);
}

static void load_share(const uint8_t input[INPUT]) {
    load_scalar_and_peer(input);
    run_generate();
    must(status == (int)public_len());
}

static void run_derive(void) {
    status = lt_key_share_derive(&share, &premaster, peer, public_len());
}

static void run_agree(void) {
    must(lt_key_agree(public_key, sizeof public_key, &premaster, algorithm, scalar, scalar_len(), peer, public_len()) ==
         (int)public_len());
}

/* ---- Signing ---------------------------------------------------------------------------------------- */

static lt_signing_key signing_key;

/* The nonce is random in both classes: with it the signature varies, and so does its length, which is no secret. */
static void load_signing_key(const uint8_t input[INPUT]) {
    memcpy(scalar, input, 32);
    must(lt_signing_key_set(&signing_key, scalar, 32) == LT_OK);
    for (size_t i = 0; i < 32; i++) {
        key[i] = (uint8_t)(next_random() >> 32);
    }
}

static void run_sign(void) {
    status = lt_signing_key_sign(&signing_key, wire, sizeof wire, text, 32, key, 32);
}

/* ---- Hashes under a key ---------------------------------------------------------------------------- */

static lt_key_schedule schedule;

static void run_hmac(void) {
    status = lt_hmac(wire, algorithm, key, sizeof key, aad, sizeof aad);
}

static void run_prf(void) {
    status = lt_test_prf(text, 104, algorithm, key, sizeof key, aad, sizeof aad, peer, 64);
}

static void load_premaster(const uint8_t input[INPUT]) {
    memcpy(key, input, 32);
    must(lt_premaster_set(&premaster, key, 32) == LT_OK);
}

static void run_schedule(void) {
    status = lt_key_schedule_derive(&schedule, LT_AES_128_GCM, algorithm, &premaster, peer, peer + 32, NULL, 0);
}

/* ---- Comparison, and what must be found -------------------------------------------------------------- */

static uint8_t left[LT_TAG_LEN], right[LT_TAG_LEN];
static uint8_t leaking_table[LEAKING_TABLE];

static void load_tags(const uint8_t input[INPUT]) {
    memcpy(left, input, sizeof left);
    memcpy(right, input, sizeof right);
    right[input[INPUT - 1]] ^= 1;
}

static void run_equal(void) {
    status = lt_equal(left, right, sizeof left);
}

static void run_careless_equal(void) {
    volatile int same = 1;

    for (size_t i = 0; i < sizeof left; i++) {
        if (left[i] != right[i]) {
            same = 0;
            break;
        }
    }
    status = same;
}

static void run_branch(void) {
    volatile uint64_t product = 3;

    for (int i = 0; i < 256; i++) {
        if ((scalar[i / 8] >> i % 8 & 1) != 0) {
            product = product * product;
        }
    }
}

static void run_no_branch(void) {
    volatile uint64_t product = 3;

    for (int i = 0; i < 256; i++) {
        const uint64_t bit = lt_ct_hide(0 - (uint64_t)(scalar[i / 8] >> i % 8 & 1));

        product = lt_ct_select(bit, product * product, product);
    }
}

/* 32 reads a page apart: for the scalar 0 they all go to one place. */
static void run_table(void) {
    volatile uint8_t entry;

    for (size_t i = 0; i < 32; i++) {
        entry = leaking_table[(size_t)scalar[i] * (LEAKING_TABLE / 256) + i];
    }
    (void)entry;
}

static void run_no_table(void) {
    volatile uint8_t entry;

    for (size_t i = 0; i < 32; i++) {
        entry = leaking_table[i * (LEAKING_TABLE / 256) + i];
    }
    (void)entry;
}

/* ---- The list ---------------------------------------------------------------------------------------- */

#define MESSAGES(family, name, number, len, samples)                                                                   \
    {family, name " seal, zero", number, zero_or_random, load_message, run_seal, samples, len},                        \
        {family, name " seal, fixed", number, fixed_or_random, load_message, run_seal, samples, len},                  \
        {family, name " open, zero", number, zero_or_random, load_sealed, run_open, samples, len}, {                   \
        family, name " open, wrong tag", number, first_or_last, load_forged, run_open, samples, len                    \
    }

#define AEAD(family, name, number)                                                                                     \
    {family, name " key, zero", number, zero_or_random, load_key, run_init, FAST, 0},                                  \
        MESSAGES(family, name " short", number, SHORT, FAST), MESSAGES(family, name " middle", number, MIDDLE, FAST),  \
        MESSAGES(family, name " long", number, LONG, MEDIUM)

#define GROUP(name, number)                                                                                            \
    {"exchange", name " generate, sparse", number, sparse_or_random, load_scalar, run_generate, SLOW, 0},              \
        {"exchange", name " generate, dense", number, dense_or_random, load_scalar, run_generate, SLOW, 0},            \
        {"exchange", name " derive, sparse", number, sparse_or_random, load_share, run_derive, SLOW, 0},               \
        {"exchange", name " derive, dense", number, dense_or_random, load_share, run_derive, SLOW, 0}

/* One call for both. On P-256 and P-384 it is made of those above, so that one of these is enough. */
#define AGREE(name, number)                                                                                            \
    {"exchange", name " agree, sparse", number, sparse_or_random, load_scalar_and_peer, run_agree, SLOW, 0},           \
        {"exchange", name " agree, dense", number, dense_or_random, load_scalar_and_peer, run_agree, SLOW, 0}

#define HASH(name, number)                                                                                             \
    {"hash", name " HMAC, zero", number, zero_or_random, load_key, run_hmac, FAST, 0},                                 \
        {"hash", name " PRF, zero", number, zero_or_random, load_key, run_prf, FAST, 0},                               \
        {"hash", name " key schedule, zero", number, zero_or_random, load_premaster, run_schedule, FAST, 0}

static const subject subjects[] = {
    AEAD("aes", "AES-128-GCM", LT_AES_128_GCM),
    AEAD("aes", "AES-256-GCM", LT_AES_256_GCM),
    AEAD("ccm", "AES-128-CCM", LT_AES_128_CCM),
    AEAD("ccm", "AES-256-CCM-8", LT_AES_256_CCM_8),
    AEAD("chacha", "ChaCha20-Poly1305", LT_CHACHA20_POLY1305),
    GROUP("x25519", LT_X25519),
    GROUP("P-256", LT_SECP256R1),
    GROUP("P-384", LT_SECP384R1),
    AGREE("x25519", LT_X25519),
    AGREE("P-256", LT_SECP256R1),
    {"exchange", "ECDSA P-256 sign, sparse", 0, sparse_or_random, load_signing_key, run_sign, SLOW, 0},
    {"exchange", "ECDSA P-256 sign, dense", 0, dense_or_random, load_signing_key, run_sign, SLOW, 0},
    HASH("SHA-256", LT_SHA256),
    HASH("SHA-384", LT_SHA384),
    {"hash", "lt_equal", 0, first_or_last, load_tags, run_equal, FAST, 0},
    {"control", "planted leak: compare", 0, first_or_last, load_tags, run_careless_equal, FAST, 0},
    {"control", "planted leak: branch", LT_X25519, sparse_or_random, load_scalar, run_branch, SLOW, 0},
    {"control", "planted leak: table", LT_X25519, zero_or_random, load_scalar, run_table, SLOW, 0},
    {"control", "no leak: branch", LT_X25519, sparse_or_random, load_scalar, run_no_branch, SLOW, 0},
    {"control", "no leak: table", LT_X25519, zero_or_random, load_scalar, run_no_table, SLOW, 0},
};

/* ---- Measuring ---------------------------------------------------------------------------------------- */

static void measure(const subject *s, size_t samples, uint64_t *times, uint8_t *classes) {
    static uint8_t inputs[BATCH][INPUT];
    uint8_t batch_classes[BATCH];

    for (size_t done = 0, first = 1; done < samples; first = 0) {
        for (size_t i = 0; i < BATCH; i++) { /* beforehand: making an input must not leave its class in the caches */
            batch_classes[i] = (uint8_t)(next_random() >> 40 & 1);
            s->make(batch_classes[i], inputs[i]);
        }
        for (size_t i = 0; i < BATCH && done < samples; i++) {
            uint64_t start;

            s->load(inputs[i]);
            start = welch_clock();
            s->run();
            times[done] = welch_clock() - start;
            classes[done] = batch_classes[i];
            done += first == 0; /* the first batch warms up */
        }
    }
}

/* Bit i: at cut i class 1 is slower; bit 16 + i: class 0. */
static uint32_t exceeded(const welch results[WELCH_CUTS]) {
    uint32_t bits = 0;

    for (int i = 0; i < WELCH_CUTS; i++) {
        bits |= (uint32_t)(results[i].t > WELCH_THRESHOLD) << i;
        bits |= (uint32_t)(results[i].t < -WELCH_THRESHOLD) << (16 + i);
    }
    return bits;
}

static void judge(const subject *s, size_t scale) {
    const size_t samples = s->samples * scale;
    uint64_t *times = malloc(samples * sizeof *times), *sorted = malloc(samples * sizeof *sorted);
    uint8_t *classes = malloc(samples);
    welch results[WELCH_CUTS];
    uint32_t leaks = UINT32_MAX;
    int worst = 0, finest = 0, repetitions = 0;

    must(times != NULL && sorted != NULL && classes != NULL);
    algorithm = s->algorithm;
    len = s->len;
    while (leaks != 0 && repetitions < WELCH_REPETITIONS) {
        measure(s, samples, times, classes);
        welch_test(results, times, classes, samples, sorted);
        leaks &= exceeded(results);
        repetitions++;
    }
    for (int i = 1; i < WELCH_CUTS; i++) {
        if (results[i].t * results[i].t > results[worst].t * results[worst].t) {
            worst = i;
        }
        if (results[i].error < results[finest].error) {
            finest = i;
        }
    }
    printf(
        "%s: %s: t %.1f at %u %%, difference %.1f; a difference of %.1f shows; mean %.0f ticks, %d times %zu samples\n",
        s->name, leaks != 0 ? "leak" : "quiet", results[worst].t, welch_cuts[worst],
        results[worst].mean[1] - results[worst].mean[0], WELCH_THRESHOLD * results[finest].error,
        results[finest].mean[0], repetitions, samples);
    fflush(stdout);
    free(times);
    free(sorted);
    free(classes);
}

int main(int argc, char **argv) {
    int found = 0;

    if (argc != 4) {
        fputs("timing FAMILY MASK SCALE\n", stderr);
        return 2;
    }
    memset(leaking_table, 1, sizeof leaking_table);
    random_state = welch_clock() | 1;
    lt_cpu_restrict((uint32_t)strtoul(argv[2], NULL, 0));
    for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
        if (strcmp(subjects[i].family, argv[1]) == 0) {
            judge(&subjects[i], strtoul(argv[3], NULL, 10));
            found = 1;
        }
    }
    return found ? 0 : 2;
}
