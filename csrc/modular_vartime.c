/* Arithmetic modulo odd numbers of any length, in variable time, for signature verification. */
#include "vartime.h"

#if LT_LIMB64
#define LOAD  lt_load64_be
#define STORE lt_store64_be
#else
#define LOAD  lt_load32_be
#define STORE lt_store32_be
#endif

/* ---- Numbers ---------------------------------------------------------------------------------- */

/* see vartime.h */
void lt_limbs_read_vartime(lt_limb *out, size_t n, const uint8_t *bytes, size_t len) {
    for (size_t i = 0; i < n; i++) {
        out[i] = 0;
        if (len >= sizeof(lt_limb)) {
            len -= sizeof(lt_limb);
            out[i] = LOAD(bytes + len);
            continue;
        }
        for (size_t k = 0; k < len; k++) {
            out[i] = out[i] << 8 | bytes[k];
        }
        len = 0;
    }
}

/* see vartime.h */
void lt_limbs_write_vartime(uint8_t *bytes, size_t len, const lt_limb *a, size_t n) {
    for (size_t i = 0; len > 0; i++) {
        lt_limb limb = i < n ? a[i] : 0;

        if (len >= sizeof(lt_limb)) {
            len -= sizeof(lt_limb);
            STORE(bytes + len, limb);
            continue;
        }
        for (; len > 0; limb >>= 8) {
            bytes[--len] = (uint8_t)limb;
        }
    }
}

/* see vartime.h */
int lt_limbs_less_vartime(const lt_limb *a, const lt_limb *b, size_t n) {
    while (n-- > 0) {
        if (a[n] != b[n]) {
            return a[n] < b[n];
        }
    }
    return 0;
}

/* see vartime.h */
int lt_limbs_are_zero_vartime(const lt_limb *a, size_t n) {
    while (n-- > 0) {
        if (a[n] != 0) {
            return 0;
        }
    }
    return 1;
}

/* see vartime.h */
lt_limb lt_limbs_subtract_vartime(lt_limb *out, const lt_limb *a, const lt_limb *b, size_t n) {
    lt_limb borrow = 0;

    for (size_t i = 0; i < n; i++) {
        lt_two_limbs difference = (lt_two_limbs)a[i] - b[i] - borrow;

        out[i] = (lt_limb)difference;
        borrow = (lt_limb)(difference >> LT_LIMB_BITS) & 1;
    }
    return borrow;
}

/* out += a b; returns the carry. (B - 1)^2 + 2 (B - 1) = B^2 - 1: no sum overflows. */
static lt_limb add_product(lt_limb *out, const lt_limb *a, size_t n, lt_limb b, const lt_modulus *m) {
    lt_two_limbs t = 0;
    size_t i = 0;

#if LT_MODULAR_ADX
    if (m->adx) {
        return lt_limbs_add_product_adx_vartime(out, a, n, b);
    }
#else
    (void)m;
#endif

#define STEP(j)                                                                                                        \
    t = (lt_two_limbs)a[i + (j)] * b + out[i + (j)] + (lt_limb)(t >> LT_LIMB_BITS);                                    \
    out[i + (j)] = (lt_limb)t

    for (; i + 4 <= n; i += 4) {
        STEP(0);
        STEP(1);
        STEP(2);
        STEP(3);
    }
    for (; i < n; i++) {
        STEP(0);
    }
#undef STEP
    return (lt_limb)(t >> LT_LIMB_BITS);
}

/* a = 2^(n limbs) - a, a not 0. */
static void negate(lt_limb *a, size_t n) {
    lt_limb carry = 1;

    for (size_t i = 0; i < n; i++) {
        a[i] = ~a[i] + carry;
        carry &= a[i] == 0;
    }
}

/* a >> shift, 0 < shift < LT_LIMB_BITS; `top` comes in from above. */
static void shift_right(lt_limb *a, size_t n, unsigned shift, lt_limb top) {
    for (size_t i = 0; i < n; i++) {
        lt_limb above = i + 1 < n ? a[i + 1] : top;

        a[i] = a[i] >> shift | above << (LT_LIMB_BITS - shift);
    }
}

/* ---- Montgomery multiplication ----------------------------------------------------------------- */

/* see vartime.h; Newton: x / m is right modulo 2^k, so is x (2 - m x) modulo 2^(2k); m m = 1 modulo 8. */
void lt_modulus_set_vartime(lt_modulus *m, const lt_limb *limbs, size_t n) {
    lt_limb inverse = limbs[0];

    for (int bits = 3; bits < LT_LIMB_BITS; bits *= 2) {
        inverse *= 2 - limbs[0] * inverse;
    }
    m->limbs = limbs;
    m->n = n;
    m->minus_inverse = 0 - inverse;
    m->adx = lt_cpu_has(LT_CPU_BMI2_ADX);
}

/* product / R mod m: every step clears one limb from below. product < m R; it ends as what is above, below 2m. */
static void reduce(lt_limb *out, lt_limb *product, const lt_modulus *m) {
    lt_limb carry = 0;

    for (size_t i = 0; i < m->n; i++) {
        lt_limb high = add_product(product + i, m->limbs, m->n, product[i] * m->minus_inverse, m);
        lt_two_limbs sum = (lt_two_limbs)product[i + m->n] + high + carry;

        product[i + m->n] = (lt_limb)sum;
        carry = (lt_limb)(sum >> LT_LIMB_BITS);
    }
    product += m->n;
    if (carry != 0 || !lt_limbs_less_vartime(product, m->limbs, m->n)) {
        (void)lt_limbs_subtract_vartime(out, product, m->limbs, m->n);
        return;
    }
    for (size_t i = 0; i < m->n; i++) {
        out[i] = product[i];
    }
}

/* see vartime.h */
void lt_montgomery_multiply_vartime(lt_limb *out, const lt_limb *a, const lt_limb *b, const lt_modulus *m,
                                    lt_limb *work) {
    for (size_t i = 0; i < m->n; i++) {
        work[i] = 0;
    }
    for (size_t i = 0; i < m->n; i++) {
        work[i + m->n] = add_product(work + i, a, m->n, b[i], m);
    }
    reduce(out, work, m);
}

/* see vartime.h: products of different limbs once, doubled together with adding the squares. */
void lt_montgomery_square_vartime(lt_limb *out, const lt_limb *a, const lt_modulus *m, lt_limb *work) {
    lt_limb doubled_out = 0, carry = 0;

    for (size_t i = 0; i < m->n; i++) {
        work[i] = 0;
    }
    for (size_t i = 0; i < m->n; i++) {
        work[i + m->n] = add_product(work + 2 * i + 1, a + i + 1, m->n - i - 1, a[i], m);
    }
    for (size_t i = 0; i < m->n; i++) {
        lt_two_limbs square = (lt_two_limbs)a[i] * a[i];
        lt_limb low = work[2 * i], high = work[2 * i + 1];
        lt_two_limbs sum = (lt_two_limbs)(low << 1 | doubled_out) + (lt_limb)square + carry;

        doubled_out = high >> (LT_LIMB_BITS - 1);
        work[2 * i] = (lt_limb)sum;
        sum = (lt_two_limbs)(high << 1 | low >> (LT_LIMB_BITS - 1)) + (lt_limb)(square >> LT_LIMB_BITS) +
              (lt_limb)(sum >> LT_LIMB_BITS);
        work[2 * i + 1] = (lt_limb)sum;
        carry = (lt_limb)(sum >> LT_LIMB_BITS);
    }
    reduce(out, work, m);
}

/* ---- Division ---------------------------------------------------------------------------------- */

/* floor((B^2 - 1) / d) - B for d with its top bit set, B = 2^LT_LIMB_BITS, bit by bit: no processor's division. */
static lt_limb reciprocal(lt_limb d) {
    lt_limb rest = ~d, quotient = 0;

    for (int i = 0; i < LT_LIMB_BITS; i++) {
        lt_limb out = rest >> (LT_LIMB_BITS - 1);

        rest = rest << 1 | 1;
        quotient <<= 1;
        if (out != 0 || rest >= d) {
            rest -= d;
            quotient |= 1;
        }
    }
    return quotient;
}

/* floor((high B + low) / d) for high < d, by the reciprocal: Moeller and Granlund, 2011, algorithm 4. */
static lt_limb divide(lt_limb high, lt_limb low, lt_limb d, lt_limb d_reciprocal) {
    lt_two_limbs t = (lt_two_limbs)high * d_reciprocal + ((lt_two_limbs)high << LT_LIMB_BITS | low);
    lt_limb quotient = (lt_limb)(t >> LT_LIMB_BITS) + 1;
    lt_limb rest = low - quotient * d;

    if (rest > (lt_limb)t) {
        quotient--;
        rest += d;
    }
    return rest >= d ? quotient + 1 : quotient;
}

static unsigned leading_zeros(lt_limb a) {
    unsigned count = 0;

    for (; a >> (LT_LIMB_BITS - 1) == 0; a <<= 1) {
        count++;
    }
    return count;
}

/*
 * see vartime.h
 *
 * n steps of long division append a zero limb each (Knuth, TAOCP volume 2, section 4.3.1): with the modulus shifted up
 * until its top bit is set, d, the quotient guessed from the two top limbs is right or too large by at most 2. Adding
 * multiples of R - d and taking as many R from what the sum carried is the same as subtracting those of d.
 */
void lt_montgomery_enter_vartime(lt_limb *out, const lt_limb *a, const lt_modulus *m, lt_limb *work) {
    const size_t n = m->n;
    const unsigned shift = leading_zeros(m->limbs[n - 1]);
    lt_limb *minus_d = work, top_d, d_reciprocal;

    for (size_t i = n; i-- > 0;) {
        out[i] = a[i] << shift;
        minus_d[i] = m->limbs[i] << shift;
        if (shift > 0 && i > 0) {
            out[i] |= a[i - 1] >> (LT_LIMB_BITS - shift);
            minus_d[i] |= m->limbs[i - 1] >> (LT_LIMB_BITS - shift);
        }
    }
    top_d = minus_d[n - 1];
    d_reciprocal = reciprocal(top_d);
    negate(minus_d, n);
    for (size_t step = 0; step < n; step++) {
        lt_limb top = out[n - 1], quotient, borrow;

        quotient = top < top_d ? divide(top, out[n - 2], top_d, d_reciprocal) : ~(lt_limb)0;
        for (size_t i = n - 1; i > 0; i--) {
            out[i] = out[i - 1];
        }
        out[0] = 0;
        borrow = quotient - add_product(out, minus_d, n, quotient, m);
        while (borrow > top) { /* below zero: B - top borrowed too much, once or twice */
            borrow -= 1 - lt_limbs_subtract_vartime(out, out, minus_d, n);
        }
    }
    if (shift > 0) {
        shift_right(out, n, shift, 0);
    }
}
