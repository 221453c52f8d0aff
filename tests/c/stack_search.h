/*
 * What is left on the stack: run a job on a stack of its own, then search that stack for pieces of secrets. Compilers
 * spill to places that no source names, so this looks at what they did.
 *
 * The including program defines _POSIX_C_SOURCE and keeps what the job needs outside the searched stack, in statics.
 */
#ifndef LT_STACK_SEARCH_H
#define LT_STACK_SEARCH_H

#include <pthread.h>

#include "check.h"

#define STACK_SIZE 131072 /* what threads need at least, on AArch64 */
#define UNTOUCHED  0x77
#define PIECE      8 /* bytes in a row that are no chance */

static uint8_t searched_stack[STACK_SIZE] __attribute__((aligned(4096)));

/* Let `job` leave a secret behind, to see that the search finds it. */
static __attribute__((noinline, unused)) void lose_secret(const uint8_t *secret, size_t len) {
    uint8_t copy[2048]; /* deep enough for the thread's end not to overwrite it */

    memcpy(copy, secret, len);
    __asm__ volatile("" : : "r"(copy) : "memory");
}

/* Where the part of the stack that was used begins. */
static size_t deepest_use;

static inline void run_on_searched_stack(void *(*job)(void *)) {
    pthread_attr_t attributes;
    pthread_t thread;

    memset(searched_stack, UNTOUCHED, STACK_SIZE);
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstack(&attributes, searched_stack, STACK_SIZE) == 0);
    CHECK(pthread_create(&thread, &attributes, job, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
#if defined(LT_VALGRIND)
    (void)VALGRIND_MAKE_MEM_DEFINED(searched_stack, STACK_SIZE);
#endif
    deepest_use = 0;
    while (deepest_use < STACK_SIZE && searched_stack[deepest_use] == UNTOUCHED) {
        deepest_use++;
    }
}

static inline int piece_is_on_stack(const uint8_t piece[PIECE]) {
    for (size_t at = deepest_use; at + PIECE <= STACK_SIZE; at++) {
        if (searched_stack[at] == piece[0] && memcmp(searched_stack + at, piece, PIECE) == 0) {
            return 1;
        }
    }
    return 0;
}

/* Any eight bytes in a row of `secret`: as they are, or as words of 64 or 32 bits of the other byte order. */
static inline int is_on_stack(const uint8_t *secret, size_t len) {
    for (size_t i = 0; i + PIECE <= len; i++) {
        uint8_t swapped64[PIECE];
        uint8_t swapped32[PIECE];

        for (size_t j = 0; j < PIECE; j++) {
            swapped64[j] = secret[i + (j ^ 7)];
            swapped32[j] = secret[i + (j ^ 3)];
        }
        if (piece_is_on_stack(secret + i) || piece_is_on_stack(swapped64) || piece_is_on_stack(swapped32)) {
            return 1;
        }
    }
    return 0;
}

/* The last to go down there was lt_wipe_stack: nothing before it has been any deeper. */
static inline void check_wipe_went_deepest(void) {
    CHECK(deepest_use > 0 && deepest_use + 256 < STACK_SIZE);
    CHECK(all_bytes_are(searched_stack + deepest_use + 64, 192, 0));
}

#endif
