/*
 * What the C test programs share: CHECK counts failures and goes on, `hex` reads vectors, and the
 * processor masks under which a test is repeated. Each program ends with `return check_result();`.
 */
#ifndef LT_CHECK_H
#define LT_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lighttls.h"

static int check_failures;

/* The test's own words for where it is, printed with a failure. */
static char check_where[128];

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            check_failures++;                                                                                          \
            fprintf(stderr, "%s:%d: failed: %s  [%s]\n", __FILE__, __LINE__, #condition, check_where);                 \
        }                                                                                                              \
    } while (0)

#define WHERE(...) snprintf(check_where, sizeof check_where, __VA_ARGS__)

static inline int check_result(void) {
    if (check_failures != 0) {
        fprintf(stderr, "%d failures\n", check_failures);
    }
    return check_failures != 0;
}

/* Bytes of a hexadecimal string; spaces are skipped. Returns how many. */
static inline size_t hex(uint8_t *out, const char *text) {
    size_t len = 0;
    unsigned byte;

    while (*text != '\0') {
        if (*text == ' ') {
            text++;
            continue;
        }
        if (sscanf(text, "%2x", &byte) != 1) {
            fprintf(stderr, "not hexadecimal: %s\n", text);
            exit(2);
        }
        out[len++] = (uint8_t)byte;
        text += 2;
    }
    return len;
}

/* Bytes that look random and are the same in every run. */
static inline void fill(uint8_t *out, size_t len, uint32_t seed) {
    uint32_t x = seed * 2654435761u + 1;

    for (size_t i = 0; i < len; i++) {
        x = x * 1664525u + 1013904223u;
        out[i] = (uint8_t)(x >> 24);
    }
}

static inline int all_bytes_are(const uint8_t *p, size_t len, uint8_t value) {
    for (size_t i = 0; i < len; i++) {
        if (p[i] != value) {
            return 0;
        }
    }
    return 1;
}

/*
 * Of `masks` those under which this processor has features that it had under none before, in their order: the others
 * would only repeat, mostly the portable code, since masks name the features of several architectures. Returns how
 * many.
 */
static inline size_t distinct_masks(uint32_t *kept, const uint32_t *masks, size_t count) {
    size_t kept_count = 0;

    for (size_t i = 0; i < count; i++) {
        uint32_t features;
        size_t j = 0;

        lt_cpu_restrict(masks[i]);
        features = lt_cpu_features();
        while (j < kept_count) {
            lt_cpu_restrict(kept[j]);
            if (lt_cpu_features() == features) {
                break;
            }
            j++;
        }
        if (j == kept_count) {
            kept[kept_count++] = masks[i];
        }
    }
    lt_cpu_restrict(UINT32_MAX);
    return kept_count;
}

#endif
