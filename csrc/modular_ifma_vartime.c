/*
 * Powers modulo numbers of 2048, 3072 and 4096 bits with AVX-512 IFMA, for RSA: limbs of 52 bits and Montgomery
 * multiplication without its last subtraction (Gueron and Krasnov, "Software implementation of modular exponentiation,
 * using advanced vector instructions architectures", 2012).
 *
 * A number of V vectors has limb j in vector j % V, lane j / V. Times 2^52 is then the next vector, not a shift of
 * lanes; that comes once in V limbs. W = 2^(52 V), so that the limbs of one lane are a digit below W, and R = W^8.
 */
#include "vartime.h"

#if LT_MODULAR_IFMA
#include <immintrin.h>

#define LT_IFMA512 LT_TARGET("avx512f,avx512ifma")

#define BITS  52
#define LOW   (((uint64_t)1 << BITS) - 1)
#define LANES 8
#define MOST  10 /* vectors: 80 limbs */

/* Loops over vectors become straight-line code. To clang a count is no limit: loops of fewer turns would stay loops. */
#if !defined(__clang__)
#define UNROLL _Pragma("GCC unroll 20")
#elif __has_feature(address_sanitizer) /* all its checks in straight-line code take clang minutes */
#define UNROLL
#else
#define UNROLL _Pragma("clang loop unroll(full)")
#endif

typedef struct {
    uint64_t v[MOST][LANES];
} __attribute__((aligned(64))) number;

typedef struct {
    number m;
    number inverse;               /* 1 / W mod m, below m */
    uint64_t minus_inverse[MOST]; /* -1 / m modulo W: its limbs */
    uint64_t reciprocal;          /* 2^51 2^size / m, nearly */
} modulus;

/* ---- Numbers ----------------------------------------------------------------------------------- */

static void number_from_limbs(number *out, const lt_limb *a, size_t n, int vectors) {
    size_t bit = 0;

    for (int lane = 0; lane < LANES; lane++) {
        for (int k = 0; k < vectors; k++, bit += BITS) {
            const size_t limb = bit / 64, shift = bit % 64;
            uint64_t bits = limb < n ? a[limb] >> shift : 0;

            if (shift > 64 - BITS && limb + 1 < n) {
                bits |= a[limb + 1] << (64 - shift);
            }
            out->v[k][lane] = bits & LOW;
        }
    }
}

/* a mod m as the limbs that m has, for a < 8m. */
static void number_to_limbs(lt_limb *out, const number *a, const lt_modulus *m, int vectors) {
    lt_limb limbs[LANES * MOST * BITS / 64 + 1] = {0};
    size_t bit = 0;

    for (int lane = 0; lane < LANES; lane++) {
        for (int k = 0; k < vectors; k++, bit += BITS) {
            const size_t limb = bit / 64, shift = bit % 64;

            limbs[limb] |= a->v[k][lane] << shift;
            if (shift > 64 - BITS) {
                limbs[limb + 1] |= a->v[k][lane] >> (64 - shift);
            }
        }
    }
    while (limbs[m->n] != 0 || !lt_limbs_less_vartime(limbs, m->limbs, m->n)) {
        limbs[m->n] -= lt_limbs_subtract_vartime(limbs, limbs, m->limbs, m->n);
    }
    for (size_t i = 0; i < m->n; i++) {
        out[i] = limbs[i];
    }
}

/* Each lane's last carry belongs to the next lane; that of the highest is lost. Twice is nearly always enough. */
LT_IFMA512 LT_INLINE void store(number *out, __m512i *sum, int vectors) {
    const __m512i zero = _mm512_setzero_si512(), low = _mm512_set1_epi64((long long)LOW);
    __m512i carry = zero;

    do {
        UNROLL for (int k = 0; k < vectors; k++) {
            sum[k] = _mm512_add_epi64(sum[k], carry);
            carry = _mm512_srli_epi64(sum[k], BITS);
            sum[k] = _mm512_and_si512(sum[k], low);
        }
        carry = _mm512_alignr_epi64(carry, zero, LANES - 1);
    } while (_mm512_test_epi64_mask(carry, carry) != 0);
    UNROLL for (int k = 0; k < vectors; k++) {
        _mm512_store_si512(out->v[k], sum[k]);
    }
}

/* ---- Multiplication ---------------------------------------------------------------------------- */

/* sum += a digit: a vector of `sum` for each limb, and one for the carry. `digit` is the same 52 bits in all lanes. */
LT_IFMA512 LT_INLINE void add_multiple(__m512i *sum, const number *a, __m512i digit, int vectors) {
    UNROLL for (int k = 0; k < vectors; k++) {
        sum[k] = _mm512_madd52lo_epu64(sum[k], _mm512_load_si512(a->v[k]), digit);
    }
    UNROLL for (int k = 0; k < vectors; k++) {
        sum[k + 1] = _mm512_madd52hi_epu64(sum[k + 1], _mm512_load_si512(a->v[k]), digit);
    }
}

/*
 * sum += a lane's part of a^2. Over all lanes, limbs of vector j times vector k come to the same as limbs of vector k
 * times vector j, so that one of both is added twice. It is at most twice a times the lane.
 */
LT_IFMA512 LT_INLINE void add_square(__m512i *sum, const number *a, int lane, int vectors) {
    __m512i twice = _mm512_setzero_si512();

    UNROLL for (int i = 1; i < 2 * vectors - 1; i++) {
        __m512i carry = _mm512_setzero_si512();

        UNROLL for (int k = 0; k < vectors; k++) {
            if (k < i - k && i - k < vectors) {
                const __m512i digit = _mm512_set1_epi64((long long)a->v[k][lane]);
                const __m512i other = _mm512_load_si512(a->v[i - k]);

                twice = _mm512_madd52lo_epu64(twice, other, digit);
                carry = _mm512_madd52hi_epu64(carry, other, digit);
            }
        }
        sum[i] = _mm512_add_epi64(sum[i], _mm512_add_epi64(twice, twice));
        twice = carry;
    }
    UNROLL for (int k = 0; k < vectors; k++) {
        const __m512i digit = _mm512_set1_epi64((long long)a->v[k][lane]), same = _mm512_load_si512(a->v[k]);

        sum[2 * k] = _mm512_madd52lo_epu64(sum[2 * k], same, digit);
        sum[2 * k + 1] = _mm512_madd52hi_epu64(sum[2 * k + 1], same, digit);
    }
}

/* sum / W; what is in its lowest digit is lost. */
LT_IFMA512 LT_INLINE void drop_digit(__m512i *sum, int vectors) {
    UNROLL for (int k = 0; k < vectors; k++) {
        sum[k] = _mm512_add_epi64(_mm512_alignr_epi64(_mm512_setzero_si512(), sum[k], 1), sum[k + vectors]);
        sum[k + vectors] = _mm512_setzero_si512();
    }
}

/* digit = digit (-1 / m) modulo W. */
LT_IFMA512 LT_INLINE void make_quotient(__m512i *digit, const modulus *m, int vectors) {
    __m512i quotient[MOST + 1];

    UNROLL for (int k = 0; k <= vectors; k++) {
        quotient[k] = _mm512_setzero_si512();
    }
    UNROLL for (int i = 0; i < vectors; i++) {
        const __m512i inverse = _mm512_set1_epi64((long long)m->minus_inverse[i]);

        UNROLL for (int k = 0; k < vectors; k++) {
            if (i + k < vectors) {
                quotient[i + k] = _mm512_madd52lo_epu64(quotient[i + k], digit[k], inverse);
                quotient[i + k + 1] = _mm512_madd52hi_epu64(quotient[i + k + 1], digit[k], inverse);
            }
        }
    }
    digit[0] = quotient[0];
    UNROLL for (int k = 1; k < vectors; k++) {
        digit[k] = _mm512_add_epi64(quotient[k], _mm512_srli_epi64(digit[k - 1], BITS));
    }
}

/*
 * a b / R mod m, below 3m, for a and b below 8m, b with nothing in lanes below `first`. Each turn adds a times a lane
 * of b, less than 16 m W also in squares, and takes the lowest digit off: a sum W s + d becomes s + d (1 / W mod m),
 * where d is known at once and need not be a product like Montgomery's quotient. So s stays below 18m and the sum below
 * 18 m W, a digit too long. In the last turn, where b has less than W / 2^28, it stays below a W / 2^27 + 18 m + m W;
 * that turn adds the multiple of m that clears the digit, less than m W, and leaves less than 3m.
 *
 * 4 halves of products go into a limb of the sum for each of at most 80 limbs: it stays below 2^61. Squaring is for a
 * and b the same number in memory. `out` may be an input.
 */
LT_IFMA512 LT_INLINE void multiply(number *out, const number *a, const number *b, int first, const modulus *m,
                                   int vectors) {
    const __m512i zero = _mm512_setzero_si512(), low = _mm512_set1_epi64((long long)LOW);
    __m512i sum[2 * MOST], digit[MOST] = {zero}, carry;

    UNROLL for (int k = 0; k < 2 * vectors; k++) {
        sum[k] = zero;
    }
    for (int lane = first;; lane++) {
        if (lane < LANES) {
            if (a == b) {
                add_square(sum, a, lane, vectors);
            } else {
                UNROLL for (int k = 0; k < vectors; k++) {
                    add_multiple(sum + k, a, _mm512_set1_epi64((long long)b->v[k][lane]), vectors);
                }
            }
        }
        if (lane > first) {
            const number *by = lane < LANES ? &m->inverse : &m->m;

            UNROLL for (int k = 0; k < vectors; k++) {
                add_multiple(sum + k, by, digit[k], vectors);
            }
        }
        if (lane == LANES) {
            break;
        }
        carry = zero;
        UNROLL for (int k = 0; k < vectors; k++) {
            digit[k] = _mm512_add_epi64(_mm512_broadcastq_epi64(_mm512_castsi512_si128(sum[k])), carry);
            carry = _mm512_srli_epi64(digit[k], BITS);
        }
        if (lane < LANES - 1) {
            sum[vectors] = _mm512_mask_add_epi64(sum[vectors], 1, sum[vectors], carry);
            drop_digit(sum, vectors);
        } else {
            make_quotient(digit, m, vectors);
        }
    }
    /* The lowest digit is 0 modulo W: what its lower limbs carry, less than 2^52, makes the highest 0 modulo 2^52. */
    carry = _mm512_srli_epi64(_mm512_add_epi64(sum[vectors - 1], low), BITS);
    sum[vectors] = _mm512_mask_add_epi64(sum[vectors], 1, sum[vectors], carry);
    drop_digit(sum, vectors);
    store(out, sum, vectors);
}

/* ---- Entering ---------------------------------------------------------------------------------- */

/*
 * a R mod m, below 8m, for a < m, by long division of at most 48 bits a step: t becomes 2^bits t - q m. q is at least
 * 0.5 and less than 7.5 below 2^bits t / m, which is where t / m stays. It is 1 less than a guess made of
 *
 *   t / 2^(size - 49)     below 2^52; less than 2 too small: less than 1 for the bits left out of the second limb, and
 *                         less for those below, of which the third stays below 2^54 and would need 2^59
 *   2^(51 + size) / m     below 2^52; at most 0.5 too large and less than 3.5 too small (set_modulus)
 *
 * What is added instead of q m is q (R - m), modulo R. Limbs of t are at most 3 (2^52 - 1) and a sixteenth of what they
 * were a step before: they stay below 2^54. The three that the next q hangs on, the highest in use, are in the last
 * lanes of vectors next to each other; they are also computed in ordinary registers, which have them sooner.
 */
LT_IFMA512 LT_INLINE void enter(number *out, const number *a, const modulus *m, int size, int vectors) {
    const int top = (size + 3) / BITS, top_bits = size + 3 - BITS * top, at = top % vectors;
    const __m512i zero = _mm512_setzero_si512(), low = _mm512_set1_epi64((long long)LOW);
    const uint64_t m_high = ~m->m.v[at][LANES - 1] & LOW, m_next = ~m->m.v[at - 1][LANES - 1] & LOW;
    const uint64_t m_below = ~m->m.v[at - 2][LANES - 1] & LOW;
    uint64_t high = a->v[at][LANES - 1] + m->m.v[at][LANES - 1];
    uint64_t next = a->v[at - 1][LANES - 1] + m->m.v[at - 1][LANES - 1];
    uint64_t below = a->v[at - 2][LANES - 1] + m->m.v[at - 2][LANES - 1];
    __m512i t[MOST], minus_m[MOST], last_carries; /* minus_m[vectors - 1] where its upper halves belong */

    UNROLL for (int k = 0; k < vectors; k++) {
        const __m512i m_k = _mm512_load_si512(m->m.v[k]);

        t[k] = _mm512_add_epi64(_mm512_load_si512(a->v[k]), m_k);
        minus_m[k] = _mm512_xor_si512(m_k, low);
    }
    minus_m[0] = _mm512_mask_or_epi64(minus_m[0], 1, minus_m[0], _mm512_set1_epi64(1)); /* + 1: m is odd */
    last_carries = _mm512_alignr_epi64(minus_m[vectors - 1], zero, LANES - 1);
    for (int left = BITS * LANES * vectors; left > 0; left -= 48) {
        const int bits = left < 48 ? left : 48;
        const __m512i up = _mm512_set1_epi64((long long)1 << bits), down = _mm512_set1_epi64(BITS - bits);
        const uint64_t guess = (high << (64 - top_bits)) + (next >> top_bits << (64 - BITS));
        const uint64_t q = ((uint64_t)((lt_u128)guess * m->reciprocal >> 64) >> (48 - bits)) - 1;
        const lt_u128 of_next = (lt_u128)q * m_next, of_below = (lt_u128)q * m_below;
        const __m512i digit = _mm512_set1_epi64((long long)q);
        __m512i carried = _mm512_alignr_epi64(_mm512_srlv_epi64(t[vectors - 1], down), zero, LANES - 1);

        high = (high << bits & LOW) + (next >> (BITS - bits)) + (q * m_high & LOW) + (uint64_t)(of_next >> BITS);
        next =
            (next << bits & LOW) + (below >> (BITS - bits)) + ((uint64_t)of_next & LOW) + (uint64_t)(of_below >> BITS);
        UNROLL for (int k = 0; k < vectors; k++) {
            const __m512i sum = _mm512_madd52lo_epu64(carried, t[k], up);

            carried = _mm512_srlv_epi64(t[k], down);
            t[k] = _mm512_madd52hi_epu64(sum, k == 0 ? last_carries : minus_m[k - 1], digit);
            t[k] = _mm512_madd52lo_epu64(t[k], minus_m[k], digit);
        }
        below = (uint64_t)_mm_extract_epi64(_mm512_extracti32x4_epi32(t[at - 2], 3), 1);
    }
    store(out, t, vectors);
}

/* ---- Powers ------------------------------------------------------------------------------------ */

#define FOR_SIZE(size, vectors)                                                                                        \
    LT_IFMA512 LT_NOINLINE static void multiply##size(number *out, const number *a, const number *b, int first,        \
                                                      const modulus *m) {                                              \
        multiply(out, a, b, first, m, vectors);                                                                        \
    }                                                                                                                  \
    LT_IFMA512 LT_NOINLINE static void enter##size(number *out, const number *a, const modulus *m) {                   \
        enter(out, a, m, size, vectors);                                                                               \
    }

FOR_SIZE(2048, 5)
FOR_SIZE(3072, 8)
FOR_SIZE(4096, 10)

typedef void multiplication(number *out, const number *a, const number *b, int first, const modulus *m);

static void set_modulus(modulus *out, const lt_modulus *m, int vectors, multiplication *times) {
    const number one = {{{1}}}, last_lane_one = {{{0, 0, 0, 0, 0, 0, 0, 1}}};
    lt_u128 sum = 1;

    number_from_limbs(&out->m, m->limbs, m->n, vectors);
    for (int i = 0; i < vectors; i++) { /* the digit that makes 1 + digit m 0 modulo W, from its lowest limb on */
        for (int k = 0; k < i; k++) {
            sum += (lt_u128)out->minus_inverse[k] * out->m.v[i - k][0];
        }
        out->minus_inverse[i] = (uint64_t)sum * m->minus_inverse & LOW;
        sum = (sum + (lt_u128)out->minus_inverse[i] * out->m.v[0][0]) >> BITS;
    }
    /* in any rounding mode right to 1.5: 1 for the limb, 0.5 for the quotient; then 1 and the fraction are taken off */
    out->reciprocal = (uint64_t)(0x1p115 / (double)m->limbs[m->n - 1]) - 1;
    times(&out->inverse, &one, &last_lane_one, LANES - 1, out);
}

/* see vartime.h: from the top bit of the exponent down; its last bit is 1, where multiplying by the base leaves R. */
int lt_modulus_power_ifma_vartime(lt_limb *out, const lt_limb *base, uint32_t exponent, const lt_modulus *m) {
    const int vectors = m->n == 32 ? 5 : m->n == 48 ? 8 : 10;
    multiplication *const times = m->n == 32 ? multiply2048 : m->n == 48 ? multiply3072 : multiply4096;
    number plain, entered, power;
    modulus modulus52;
    unsigned bit = 31;

    if ((m->n != 32 && m->n != 48 && m->n != 64) || m->limbs[m->n - 1] >> 63 == 0) {
        return 0;
    }
    set_modulus(&modulus52, m, vectors, times);
    number_from_limbs(&plain, base, m->n, vectors);
    (m->n == 32 ? enter2048 : m->n == 48 ? enter3072 : enter4096)(&entered, &plain, &modulus52);
    while (exponent >> bit == 0) {
        bit--;
    }
    power = entered;
    while (bit-- > 0) {
        times(&power, &power, &power, 0, &modulus52);
        if ((exponent >> bit & 1) != 0) {
            times(&power, &power, bit == 0 ? &plain : &entered, 0, &modulus52);
        }
    }
    number_to_limbs(out, &power, m, vectors);
    return 1;
}
#endif
