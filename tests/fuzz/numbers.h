/*
 * Numbers for the oracles, in the slowest and plainest way: big endian bytes, a bit at a time. It shares no line and no
 * idea with the field arithmetic that it judges.
 */
#ifndef LT_FUZZ_NUMBERS_H
#define LT_FUZZ_NUMBERS_H

#include "fuzz.h"

#define NUMBER_MAX 48

/* out = a + b; returns the carry. */
static inline unsigned add(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t len) {
    unsigned carry = 0;

    for (size_t i = len; i-- > 0;) {
        carry += (unsigned)a[i] + b[i];
        out[i] = (uint8_t)carry;
        carry >>= 8;
    }
    return carry;
}

/* out = a - b modulo 256^len. */
static inline void subtract(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t len) {
    unsigned borrow = 0;

    for (size_t i = len; i-- > 0;) {
        const unsigned difference = 0x100u + a[i] - b[i] - borrow;

        out[i] = (uint8_t)difference;
        borrow = difference < 0x100;
    }
}

/* out = a + b mod m, for a, b < m. */
static inline void add_mod(uint8_t *out, const uint8_t *a, const uint8_t *b, const uint8_t *m, size_t len) {
    const unsigned carry = add(out, a, b, len);

    if (carry != 0 || memcmp(out, m, len) >= 0) {
        subtract(out, out, m, len);
    }
}

/* out = a b mod m, for a < m; `out` is none of the inputs. */
static inline void multiply_mod(uint8_t *out, const uint8_t *a, const uint8_t *b, const uint8_t *m, size_t len) {
    memset(out, 0, len);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        add_mod(out, out, out, m, len);
        if ((b[bit / 8] >> (7 - bit % 8) & 1) != 0) {
            add_mod(out, out, a, m, len);
        }
    }
}

/* ---- The curves y^2 = x^3 - 3x + b of SP 800-186 ---------------------------------------------------- */

typedef struct {
    size_t len;
    uint8_t p[NUMBER_MAX], b[NUMBER_MAX], n[NUMBER_MAX];
} curve;

static curve p256, p384;

static inline void set_curves(void) {
    p256.len = 32;
    read_hex(p256.p, 32, "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
    read_hex(p256.b, 32, "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b");
    read_hex(p256.n, 32, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    p384.len = 48;
    read_hex(p384.p, 48,
             "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff");
    read_hex(p384.b, 48,
             "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef");
    read_hex(p384.n, 48,
             "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973");
}

/* Whether 04 x y is a point of the curve. */
static inline int is_point(const curve *c, const uint8_t *point, size_t point_len) {
    uint8_t left[NUMBER_MAX], right[NUMBER_MAX], t[NUMBER_MAX];
    const uint8_t *x = point + 1, *y = point + 1 + c->len;

    if (point_len != 1 + 2 * c->len || point[0] != 4 || memcmp(x, c->p, c->len) >= 0 || memcmp(y, c->p, c->len) >= 0) {
        return 0;
    }
    multiply_mod(left, y, y, c->p, c->len);
    multiply_mod(t, x, x, c->p, c->len);
    multiply_mod(right, x, t, c->p, c->len);
    add_mod(right, right, c->b, c->p, c->len);
    for (int i = 0; i < 3; i++) { /* the 3x on the other side */
        add_mod(left, left, x, c->p, c->len);
    }
    return memcmp(left, right, c->len) == 0;
}

/* 0 < a < n. */
static inline int is_scalar(const curve *c, const uint8_t *a) {
    return !all_are(a, c->len, 0) && memcmp(a, c->n, c->len) < 0;
}

#endif
