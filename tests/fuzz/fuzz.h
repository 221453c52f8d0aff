/*
 * What the fuzz targets share: REQUIRE, which ends the run with a report, reading the fuzzer's input piece by piece,
 * and the processor masks that choose an implementation.
 *
 * Buffers handed to the core are allocated to the byte, so that AddressSanitizer sees a read or write past them.
 */
#ifndef LT_FUZZ_H
#define LT_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inner.h"

#define REQUIRE(condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                    \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* ---- Input: what is missing at its end reads as zeros ---------------------------------------------- */

typedef struct {
    const uint8_t *at;
    size_t left;
} source;

static inline uint8_t take(source *from) {
    if (from->left == 0) {
        return 0;
    }
    from->left--;
    return *from->at++;
}

static inline uint32_t take16(source *from) {
    const uint32_t high = take(from);

    return high << 8 | take(from);
}

static inline void take_bytes(source *from, uint8_t *out, size_t len) {
    for (size_t i = 0; i < len; i++) {
        out[i] = take(from);
    }
}

/* ---- Memory ----------------------------------------------------------------------------------------- */

/* `len` bytes on the heap; free() them. */
static inline uint8_t *allocate(size_t len) {
    uint8_t *const memory = malloc(len);

    REQUIRE(memory != NULL || len == 0);
    return memory;
}

static inline uint8_t *copy_of(const uint8_t *bytes, size_t len) {
    uint8_t *const memory = allocate(len);

    if (len > 0) {
        memcpy(memory, bytes, len);
    }
    return memory;
}

static inline int all_are(const uint8_t *bytes, size_t len, uint8_t value) {
    return len == 0 || (bytes[0] == value && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/* Bytes of a hexadecimal string that has exactly `len` of them. */
static inline void read_hex(uint8_t *out, size_t len, const char *text) {
    unsigned byte;

    REQUIRE(strlen(text) == 2 * len);
    for (size_t i = 0; i < len; i++) {
        REQUIRE(sscanf(text + 2 * i, "%2x", &byte) == 1);
        out[i] = (uint8_t)byte;
    }
}

/* ---- Implementations --------------------------------------------------------------------------------- */

#define GCM_NI (LT_CPU_AESNI | LT_CPU_CLMUL)

/* The choices of cpu.c, as in tests/support/engines.py; what this processor lacks falls back. */
static const uint32_t MASKS[] = {UINT32_MAX,
                                 0,
                                 GCM_NI,
                                 GCM_NI | LT_CPU_AVX2 | LT_CPU_VAES,
                                 GCM_NI | LT_CPU_AVX2 | LT_CPU_VAES | LT_CPU_AVX512,
                                 LT_CPU_SHANI,
                                 LT_CPU_AVX2,
                                 LT_CPU_AVX2 | LT_CPU_AVX512,
                                 LT_CPU_AVX2 | LT_CPU_AVX512 | LT_CPU_IFMA,
                                 LT_CPU_BMI2_ADX};

static inline uint32_t take_mask(source *from) {
    return MASKS[take(from) % COUNT(MASKS)];
}

#endif
