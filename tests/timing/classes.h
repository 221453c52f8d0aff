/*
 * The two classes of inputs between which the times of a call are compared. "Random" is pseudo-random: inputs need only
 * differ from call to call.
 */
#ifndef LT_CLASSES_H
#define LT_CLASSES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "inner.h"

#define INPUT 1152

static uint64_t random_state;

static uint64_t next_random(void) { /* xorshift64 */
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void make_random(uint8_t input[INPUT]) {
    for (size_t i = 0; i < INPUT; i++) {
        input[i] = (uint8_t)(next_random() >> 32);
    }
}

/* 0: all zeros; 1: random. */
static void zero_or_random(int class, uint8_t input[INPUT]) {
    make_random(input);
    memset(input, 0, class == 0 ? INPUT : 0);
}

/* 0: always the same bytes; 1: random. */
static void fixed_or_random(int class, uint8_t input[INPUT]) {
    make_random(input);
    for (size_t i = 0; i < INPUT && class == 0; i++) {
        input[i] = (uint8_t)(i * 151 + 7);
    }
}

/* Scalars below every order. 0: one bit set in the middle, so that nearly every window is zero; 1: random. */
static void sparse_or_random(int class, uint8_t input[INPUT]) {
    zero_or_random(class, input);
    input[0] &= 0x7f;
    input[16] |= 1;
}

/* 0: all ones below the order's top bits, so that every window is full; 1: random. */
static void dense_or_random(int class, uint8_t input[INPUT]) {
    make_random(input);
    memset(input, 0xff, class == 0 ? INPUT : 0);
    input[0] &= 0x7f;
    input[16] |= 1;
}

/* Where a tag is wrong. 0: in its first byte; 1: in its last. The last byte of the input says which. */
static void first_or_last(int class, uint8_t input[INPUT]) {
    make_random(input);
    input[INPUT - 1] = class == 0 ? 0 : LT_TAG_LEN - 1;
}

#endif
