/*
 * Powers modulo numbers of 2048, 3072 and 4096 bits with AVX-512 IFMA, for RSA: limbs of 52 bits, eight in a vector,
 * Montgomery multiplication without its last subtraction (Gueron and Krasnov, "Software implementation of modular
 * exponentiation, using advanced vector instructions architectures", 2012).
 */
#include "vartime.h"

#if LT_MODULAR_IFMA
#include <immintrin.h>

#define LT_IFMA512 LT_TARGET("avx512f,avx512ifma")

#define BITS      52
#define LOW       (((uint64_t)1 << BITS) - 1)
#define MOST_BITS 4096
#define VECTORS   10 /* of eight limbs: 4098 bits need 79 */

/* Limbs, least significant first. */
typedef struct {
    uint64_t v[8 * VECTORS];
} number;

typedef struct {
    number m;
    uint64_t minus_inverse; /* -1 / m modulo 2^52 */
    int limbs;              /* R = 2^(52 limbs), at least 4m */
} modulus;

static void number_from_limbs(number *out, const lt_limb *a, size_t n) {
    for (size_t i = 0; i < 8 * VECTORS; i++) {
        const size_t limb = i * BITS / 64, shift = i * BITS % 64;
        uint64_t bits = limb < n ? a[limb] >> shift : 0;

        if (shift > 64 - BITS && limb + 1 < n) {
            bits |= a[limb + 1] << (64 - shift);
        }
        out->v[i] = bits & LOW;
    }
}

/* a mod m as n limbs, for a < 2m. */
static void number_to_limbs(lt_limb *out, size_t n, const number *a, const number *m) {
    number less;
    uint64_t borrow = 0;

    for (size_t i = 0; i < 8 * VECTORS; i++) {
        const uint64_t difference = (i * BITS < 64 * n + 2 ? a->v[i] : 0) - m->v[i] - borrow;

        less.v[i] = difference & LOW;
        borrow = difference >> 63;
    }
    if (borrow == 0) {
        a = &less;
    }
    for (size_t i = 0; i < n; i++) {
        out[i] = 0;
    }
    for (size_t i = 0; i * BITS < 64 * n; i++) {
        const size_t limb = i * BITS / 64, shift = i * BITS % 64;

        out[limb] |= a->v[i] << shift;
        if (shift > 64 - BITS && limb + 1 < n) {
            out[limb + 1] |= a->v[i] >> (64 - shift);
        }
    }
}

/*
 * a b / R mod m, below 2m for a and b below 2m: a b / R < 4 m^2 / R <= m, and the quotients add less than m. Each turn
 * adds a b[i] and the multiple of m that clears the lowest limb, then drops it. That multiple is known from the lowest
 * limb, the next turn's from the one above: both are kept apart in ordinary registers, which have them sooner, and all
 * others in lanes. A lane is in the sum for as many turns as there are limbs, at most 79, each of which adds four
 * halves of products: it stays below 2^61. `out` may be an input.
 */
LT_IFMA512 LT_INLINE void multiply(number *out, const number *a, const number *b, const modulus *m, int vectors) {
    const __m512i zero = _mm512_setzero_si512();
    __m512i sum[VECTORS + 1], high[VECTORS];
    uint64_t lowest = 0, next = 0, carry = 0;

    for (int k = 0; k <= vectors; k++) {
        sum[k] = zero;
    }
    for (int i = 0; i < m->limbs; i++) {
        const __m512i limb = _mm512_set1_epi64((long long)b->v[i]);
        lt_u128 of_lowest = (lt_u128)a->v[0] * b->v[i] + lowest, of_next = (lt_u128)a->v[1] * b->v[i] + next;
        const uint64_t q = (uint64_t)of_lowest * m->minus_inverse & LOW;
        const __m512i quotient = _mm512_set1_epi64((long long)q);

        of_lowest += (lt_u128)m->m.v[0] * q;
        of_next += (lt_u128)m->m.v[1] * q + (uint64_t)(of_lowest >> BITS);
        lowest = (uint64_t)of_next & LOW;
#pragma GCC unroll 10
        for (int k = 0; k < vectors; k++) {
            const __mmask8 lanes = k == 0 ? 0xfc : 0xff;
            const __m512i of_a = _mm512_maskz_loadu_epi64(lanes, a->v + 8 * k);
            const __m512i of_m = _mm512_maskz_loadu_epi64(lanes, m->m.v + 8 * k);

            sum[k] = _mm512_madd52lo_epu64(sum[k], of_a, limb);
            high[k] = _mm512_madd52hi_epu64(zero, of_a, limb);
            sum[k] = _mm512_madd52lo_epu64(sum[k], of_m, quotient);
            high[k] = _mm512_madd52hi_epu64(high[k], of_m, quotient);
        }
#pragma GCC unroll 10
        for (int k = 0; k < vectors; k++) {
            sum[k] = _mm512_add_epi64(_mm512_alignr_epi64(sum[k + 1], sum[k], 1), high[k]);
        }
        next = (uint64_t)(of_next >> BITS) + (uint64_t)_mm_extract_epi64(_mm512_castsi512_si128(sum[0]), 1);
    }
#pragma GCC unroll 10
    for (int k = 0; k < vectors; k++) {
        _mm512_storeu_si512(out->v + 8 * k, sum[k]);
    }
    out->v[0] = lowest;
    out->v[1] = next;
    for (int i = 0; i < 8 * vectors; i++) {
        carry += out->v[i];
        out->v[i] = carry & LOW;
        carry >>= BITS;
    }
}

/* base^exponent mod m, below 2m, from the top bit of the exponent down; its last bit is 1. `entered` is base R. */
LT_IFMA512 LT_INLINE void raise(number *power, const number *base, const number *entered, uint32_t exponent,
                                const modulus *m, int vectors) {
    unsigned bit = 31;

    while (exponent >> bit == 0) {
        bit--;
    }
    *power = *entered;
    while (bit-- > 0) {
        multiply(power, power, power, m, vectors);
        if ((exponent >> bit & 1) != 0) {
            multiply(power, power, bit == 0 ? base : entered, m, vectors);
        }
    }
}

LT_IFMA512 static void raise5(number *power, const number *base, const number *entered, uint32_t exponent,
                              const modulus *m) {
    raise(power, base, entered, exponent, m, 5);
}

LT_IFMA512 static void raise8(number *power, const number *base, const number *entered, uint32_t exponent,
                              const modulus *m) {
    raise(power, base, entered, exponent, m, 8);
}

LT_IFMA512 static void raise10(number *power, const number *base, const number *entered, uint32_t exponent,
                               const modulus *m) {
    raise(power, base, entered, exponent, m, 10);
}

/*
 * a R mod m, for m with its top bit set. With 2^shift m for a modulus, one limb longer, lt_montgomery_enter_vartime
 * multiplies by 2^(64 (n + 1)), which is 2^shift R, and what it leaves is 2^shift times what is wanted.
 */
static void enter(lt_limb *out, const lt_limb *a, const lt_modulus *m, unsigned shift) {
    lt_limb shifted[MOST_BITS / 64 + 1], work[2 * (MOST_BITS / 64 + 1)];
    lt_modulus longer = *m;

    longer.limbs = shifted;
    longer.n = m->n + 1;
    shifted[m->n] = 0;
    out[m->n] = 0;
    for (size_t i = m->n; i-- > 0;) {
        shifted[i + 1] |= m->limbs[i] >> (64 - shift);
        shifted[i] = m->limbs[i] << shift;
        out[i] = a[i];
    }
    lt_montgomery_enter_vartime(out, out, &longer, work);
    for (size_t i = 0; i < m->n; i++) {
        out[i] = out[i] >> shift | out[i + 1] << (64 - shift);
    }
}

/* see vartime.h */
int lt_modulus_power_ifma_vartime(lt_limb *out, const lt_limb *base, uint32_t exponent, const lt_modulus *m) {
    lt_limb entered_limbs[MOST_BITS / 64 + 1];
    number plain, entered, power;
    modulus modulus52;

    if ((m->n != 32 && m->n != 48 && m->n != 64) || m->limbs[m->n - 1] >> 63 == 0) {
        return 0;
    }
    modulus52.limbs = (int)((64 * m->n + 2 + BITS - 1) / BITS);
    modulus52.minus_inverse = m->minus_inverse & LOW;
    number_from_limbs(&modulus52.m, m->limbs, m->n);
    number_from_limbs(&plain, base, m->n);
    enter(entered_limbs, base, m, (unsigned)(64 * (m->n + 1)) - BITS * (unsigned)modulus52.limbs);
    number_from_limbs(&entered, entered_limbs, m->n);
    if (m->n == 32) {
        raise5(&power, &plain, &entered, exponent, &modulus52);
    } else if (m->n == 48) {
        raise8(&power, &plain, &entered, exponent, &modulus52);
    } else {
        raise10(&power, &plain, &entered, exponent, &modulus52);
    }
    number_to_limbs(out, m->n, &power, &modulus52.m);
    return 1;
}
#endif
