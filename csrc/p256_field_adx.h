/*
 * Arithmetic modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1 with MULX, ADCX and ADOX, whose two carry chains compilers do
 * not make from C. The functions need LT_CPU_BMI2_ADX.
 *
 * A value a stands as a * 2^256 mod p (Montgomery form), always in [0, p), in four 64-bit limbs, least significant
 * first. `out` may be an input everywhere. p256_field32.h is the same in C, and what this is tested against.
 */
#ifndef LT_P256_FIELD_ADX_H
#define LT_P256_FIELD_ADX_H

#include "inner.h"

typedef struct {
    uint64_t v[4];
} fe256adx;

/* 2^256, b * 2^256 and 2^512 modulo p: one, the curve's b, and what leads into Montgomery form. */
static const uint64_t fe256adx_one[4] = {UINT64_C(0x0000000000000001), UINT64_C(0xffffffff00000000),
                                         UINT64_C(0xffffffffffffffff), UINT64_C(0x00000000fffffffe)};
static const uint64_t fe256adx_b[4] = {UINT64_C(0xd89cdf6229c4bddf), UINT64_C(0xacf005cd78843090),
                                       UINT64_C(0xe5a220abf7212ed6), UINT64_C(0xdc30061d04874834)};
static const uint64_t fe256adx_rr[4] = {UINT64_C(0x0000000000000003), UINT64_C(0xfffffffbffffffff),
                                        UINT64_C(0xfffffffffffffffe), UINT64_C(0x00000004fffffffd)};

#define FE256ADX_P1 UINT64_C(0x00000000ffffffff) /* limbs of p; p[0] is all ones, p[2] is 0 */
#define FE256ADX_P3 UINT64_C(0xffffffff00000001)

LT_INLINE void fe256adx_from_words(fe256adx *out, const uint64_t w[4]) {
    for (int i = 0; i < 4; i++) {
        out->v[i] = w[i];
    }
}

LT_INLINE void fe256adx_to_words(uint64_t w[4], const fe256adx *a) {
    for (int i = 0; i < 4; i++) {
        w[i] = a->v[i];
    }
}

/** The same value: it is below p already. */
LT_INLINE void fe256adx_fold(fe256adx *out, const fe256adx *a) {
    *out = *a;
}

/* r0 to r3 and the carry in `top` (2p at most): less p unless that is below 0. t0 to t3 are scratch. */
#define FE256ADX_SUBTRACT_P                                                                                            \
    "mov %[r0], %[t0]\n\t"                                                                                             \
    "mov %[r1], %[t1]\n\t"                                                                                             \
    "mov %[r2], %[t2]\n\t"                                                                                             \
    "mov %[r3], %[t3]\n\t"                                                                                             \
    "sub $-1, %[t0]\n\t"                                                                                               \
    "sbb %[p1], %[t1]\n\t"                                                                                             \
    "sbb $0, %[t2]\n\t"                                                                                                \
    "sbb %[p3], %[t3]\n\t"                                                                                             \
    "sbb $0, %[top]\n\t"                                                                                               \
    "cmovnc %[t0], %[r0]\n\t"                                                                                          \
    "cmovnc %[t1], %[r1]\n\t"                                                                                          \
    "cmovnc %[t2], %[r2]\n\t"                                                                                          \
    "cmovnc %[t3], %[r3]\n\t"

/** a + b. in: below p; out: below p. */
static inline void fe256adx_add(fe256adx *out, const fe256adx *a, const fe256adx *b) {
    uint64_t r0 = a->v[0], r1 = a->v[1], r2 = a->v[2], r3 = a->v[3], top = 0, t0, t1, t2, t3;

    __asm__("add (%[b]), %[r0]\n\t"
            "adc 8(%[b]), %[r1]\n\t"
            "adc 16(%[b]), %[r2]\n\t"
            "adc 24(%[b]), %[r3]\n\t"
            "adc $0, %[top]\n\t" FE256ADX_SUBTRACT_P
            : [r0] "+&r"(r0), [r1] "+&r"(r1), [r2] "+&r"(r2), [r3] "+&r"(r3), [top] "+&r"(top), [t0] "=&r"(t0),
              [t1] "=&r"(t1), [t2] "=&r"(t2), [t3] "=&r"(t3)
            : [b] "r"(b), [p1] "r"(FE256ADX_P1), [p3] "r"(FE256ADX_P3), "m"(*b)
            : "cc");
    out->v[0] = r0;
    out->v[1] = r1;
    out->v[2] = r2;
    out->v[3] = r3;
}

/** a - b, and p more if that is below 0. in: below p; out: below p. */
static inline void fe256adx_sub(fe256adx *out, const fe256adx *a, const fe256adx *b) {
    uint64_t r0 = a->v[0], r1 = a->v[1], r2 = a->v[2], r3 = a->v[3], mask, p1 = FE256ADX_P1, p3 = FE256ADX_P3;

    __asm__("sub (%[b]), %[r0]\n\t"
            "sbb 8(%[b]), %[r1]\n\t"
            "sbb 16(%[b]), %[r2]\n\t"
            "sbb 24(%[b]), %[r3]\n\t"
            "sbb %[mask], %[mask]\n\t"
            "and %[mask], %[p1]\n\t"
            "and %[mask], %[p3]\n\t"
            "add %[mask], %[r0]\n\t"
            "adc %[p1], %[r1]\n\t"
            "adc $0, %[r2]\n\t"
            "adc %[p3], %[r3]\n\t"
            : [r0] "+&r"(r0), [r1] "+&r"(r1), [r2] "+&r"(r2), [r3] "+&r"(r3), [mask] "=&r"(mask), [p1] "+&r"(p1),
              [p3] "+&r"(p3)
            : [b] "r"(b), "m"(*b)
            : "cc");
    out->v[0] = r0;
    out->v[1] = r1;
    out->v[2] = r2;
    out->v[3] = r3;
}

/** a / 2: a + p if a is odd, shifted. in: below p; out: below p. */
static inline void fe256adx_halve(fe256adx *out, const fe256adx *a) {
    uint64_t r0 = a->v[0], r1 = a->v[1], r2 = a->v[2], r3 = a->v[3], mask = 0 - (r0 & 1);
    uint64_t p1 = FE256ADX_P1 & mask, p3 = FE256ADX_P3 & mask;

    __asm__("add %[mask], %[r0]\n\t"
            "adc %[p1], %[r1]\n\t"
            "adc $0, %[r2]\n\t"
            "adc %[p3], %[r3]\n\t"
            "rcr $1, %[r3]\n\t"
            "rcr $1, %[r2]\n\t"
            "rcr $1, %[r1]\n\t"
            "rcr $1, %[r0]\n\t"
            : [r0] "+&r"(r0), [r1] "+&r"(r1), [r2] "+&r"(r2), [r3] "+&r"(r3)
            : [mask] "r"(mask), [p1] "r"(p1), [p3] "r"(p3)
            : "cc");
    out->v[0] = r0;
    out->v[1] = r1;
    out->v[2] = r2;
    out->v[3] = r3;
}

/* r0 to r4 += a * limb of b; a * limb + 2p < 2^320. `low` and `high` are scratch. */
#define FE256ADX_ROW(limb, r0, r1, r2, r3, r4)                                                                         \
    "mov " #limb "(%[b]), %%rdx\n\t"                                                                                   \
    "xor %k[low], %k[low]\n\t"                                                                                         \
    "mulx (%[a]), %[low], %[high]\n\t"                                                                                 \
    "adcx %[low], %[" #r0 "]\n\t"                                                                                      \
    "adox %[high], %[" #r1 "]\n\t"                                                                                     \
    "mulx 8(%[a]), %[low], %[high]\n\t"                                                                                \
    "adcx %[low], %[" #r1 "]\n\t"                                                                                      \
    "adox %[high], %[" #r2 "]\n\t"                                                                                     \
    "mulx 16(%[a]), %[low], %[high]\n\t"                                                                               \
    "adcx %[low], %[" #r2 "]\n\t"                                                                                      \
    "adox %[high], %[" #r3 "]\n\t"                                                                                     \
    "mulx 24(%[a]), %[low], %[high]\n\t"                                                                               \
    "adcx %[low], %[" #r3 "]\n\t"                                                                                      \
    "adox %[high], %[" #r4 "]\n\t"                                                                                     \
    "adc $0, %[" #r4 "]\n\t"

/*
 * Montgomery's reduction by one limb: as -1/p = 1 (mod 2^64), the quotient q is r0 itself. q p + r0 is
 * q 2^96 + q p[3] 2^192: r0 falls away, and serves as the limb above r4 from here on.
 */
#define FE256ADX_REDUCE(r0, r1, r2, r3, r4)                                                                            \
    "mov %[" #r0 "], %%rdx\n\t"                                                                                        \
    "mov %[" #r0 "], %[low]\n\t"                                                                                       \
    "shl $32, %[low]\n\t"                                                                                              \
    "shr $32, %[" #r0 "]\n\t"                                                                                          \
    "add %[low], %[" #r1 "]\n\t"                                                                                       \
    "adc %[" #r0 "], %[" #r2 "]\n\t"                                                                                   \
    "mulx %[p3], %[low], %[high]\n\t"                                                                                  \
    "mov $0, %k[" #r0 "]\n\t"                                                                                          \
    "adc %[low], %[" #r3 "]\n\t"                                                                                       \
    "adc %[high], %[" #r4 "]\n\t"                                                                                      \
    "adc $0, %[" #r0 "]\n\t"

/** a * b / 2^256, row by row. in: below p; out: below p. */
LT_INLINE void fe256adx_mul_here(fe256adx *out, const fe256adx *a, const fe256adx *b) {
    uint64_t s0, s1, s2, s3, s4, low, high;

    __asm__("mov (%[b]), %%rdx\n\t"
            "mulx (%[a]), %[s0], %[s1]\n\t"
            "mulx 8(%[a]), %[low], %[s2]\n\t"
            "add %[low], %[s1]\n\t"
            "mulx 16(%[a]), %[low], %[s3]\n\t"
            "adc %[low], %[s2]\n\t"
            "mulx 24(%[a]), %[low], %[s4]\n\t"
            "adc %[low], %[s3]\n\t"
            "adc $0, %[s4]\n\t" FE256ADX_REDUCE(s0, s1, s2, s3, s4) FE256ADX_ROW(8, s1, s2, s3, s4, s0)
                FE256ADX_REDUCE(s1, s2, s3, s4, s0) FE256ADX_ROW(16, s2, s3, s4, s0, s1)
                    FE256ADX_REDUCE(s2, s3, s4, s0, s1) FE256ADX_ROW(24, s3, s4, s0, s1, s2)
                        FE256ADX_REDUCE(s3, s4, s0, s1, s2)
            /* s4 s0 s1 s2 and the carry s3, below 2p: less p unless that is below 0 */
            "mov %[s4], %%rdx\n\t"
            "mov %[s0], %[low]\n\t"
            "mov %[s1], %[high]\n\t"
            "mov %[s2], %[a]\n\t"
            "sub $-1, %%rdx\n\t"
            "sbb %[p1], %[low]\n\t"
            "sbb $0, %[high]\n\t"
            "sbb %[p3], %[a]\n\t"
            "sbb $0, %[s3]\n\t"
            "cmovnc %%rdx, %[s4]\n\t"
            "cmovnc %[low], %[s0]\n\t"
            "cmovnc %[high], %[s1]\n\t"
            "cmovnc %[a], %[s2]\n\t"
            : [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2), [s3] "=&r"(s3), [s4] "=&r"(s4), [low] "=&r"(low),
              [high] "=&r"(high), [a] "+&r"(a)
            : [b] "r"(b), [p1] "r"(FE256ADX_P1), [p3] "r"(FE256ADX_P3), "m"(*a), "m"(*b)
            : "rdx", "cc");
    out->v[0] = s4;
    out->v[1] = s0;
    out->v[2] = s1;
    out->v[3] = s2;
}

/* Montgomery's reduction by one limb as above, where nothing is above r3: what q leaves there becomes the new r0. */
#define FE256ADX_REDUCE_LOW(r0, r1, r2, r3)                                                                            \
    "mov %[" #r0 "], %%rdx\n\t"                                                                                        \
    "mov %[" #r0 "], %[w0]\n\t"                                                                                        \
    "mov %[" #r0 "], %[w1]\n\t"                                                                                        \
    "shl $32, %[w0]\n\t"                                                                                               \
    "shr $32, %[w1]\n\t"                                                                                               \
    "mulx %[p3], %[w2], %[" #r0 "]\n\t"                                                                                \
    "add %[w0], %[" #r1 "]\n\t"                                                                                        \
    "adc %[w1], %[" #r2 "]\n\t"                                                                                        \
    "adc %[w2], %[" #r3 "]\n\t"                                                                                        \
    "adc $0, %[" #r0 "]\n\t"

/**
 * a^2 / 2^256: products of different limbs, twice, and squares; then the lower half is reduced, which leaves at most p,
 * and added to the upper one, which is below p. in: below p; out: below p.
 */
LT_INLINE void fe256adx_square_here(fe256adx *out, const fe256adx *a) {
    static const uint64_t p1 = FE256ADX_P1, p3 = FE256ADX_P3; /* there is no register left for them */
    uint64_t r0, r1, r2, r3, r4, r5, r6, r7, w0, w1, w2;

    __asm__("mov (%[a]), %%rdx\n\t"
            "mulx 8(%[a]), %[r1], %[r2]\n\t"
            "mulx 24(%[a]), %[r3], %[r4]\n\t"
            "mulx 16(%[a]), %[w0], %[w1]\n\t"
            "mov 24(%[a]), %%rdx\n\t"
            "mulx 16(%[a]), %[r5], %[r6]\n\t"
            "mulx 8(%[a]), %[w2], %[r7]\n\t"
            "add %[w0], %[r2]\n\t"
            "adc %[w1], %[r3]\n\t"
            "adc %[w2], %[r4]\n\t"
            "adc %[r7], %[r5]\n\t"
            "adc $0, %[r6]\n\t"
            "mov 8(%[a]), %%rdx\n\t"
            "mulx 16(%[a]), %[w0], %[w1]\n\t"
            "xor %k[r7], %k[r7]\n\t"
            "add %[w0], %[r3]\n\t"
            "adc %[w1], %[r4]\n\t"
            "adc $0, %[r5]\n\t"
            "adc $0, %[r6]\n\t"
            /* twice */
            "add %[r1], %[r1]\n\t"
            "adc %[r2], %[r2]\n\t"
            "adc %[r3], %[r3]\n\t"
            "adc %[r4], %[r4]\n\t"
            "adc %[r5], %[r5]\n\t"
            "adc %[r6], %[r6]\n\t"
            "adc $0, %[r7]\n\t"
            /* squares */
            "mulx %%rdx, %[w1], %[w2]\n\t"
            "mov (%[a]), %%rdx\n\t"
            "mulx %%rdx, %[r0], %[w0]\n\t"
            "mov 16(%[a]), %%rdx\n\t"
            "add %[w0], %[r1]\n\t"
            "adc %[w1], %[r2]\n\t"
            "adc %[w2], %[r3]\n\t"
            "mulx %%rdx, %[w1], %[w2]\n\t"
            "mov 24(%[a]), %%rdx\n\t"
            "adc %[w1], %[r4]\n\t"
            "adc %[w2], %[r5]\n\t"
            "mulx %%rdx, %[w1], %[w2]\n\t"
            "adc %[w1], %[r6]\n\t"
            "adc %[w2], %[r7]\n\t"
            /* the lower half reduced comes to stand in r0 r1 r2 r3 */
            FE256ADX_REDUCE_LOW(r0, r1, r2, r3) FE256ADX_REDUCE_LOW(r1, r2, r3, r0) FE256ADX_REDUCE_LOW(r2, r3, r0, r1)
                FE256ADX_REDUCE_LOW(r3, r0, r1, r2) "xor %%edx, %%edx\n\t"
                                                    "add %[r4], %[r0]\n\t"
                                                    "adc %[r5], %[r1]\n\t"
                                                    "adc %[r6], %[r2]\n\t"
                                                    "adc %[r7], %[r3]\n\t"
                                                    "adc $0, %%rdx\n\t"
                                                    /* less p unless that is below 0 */
                                                    "mov %[r0], %[r4]\n\t"
                                                    "mov %[r1], %[r5]\n\t"
                                                    "mov %[r2], %[r6]\n\t"
                                                    "mov %[r3], %[r7]\n\t"
                                                    "sub $-1, %[r4]\n\t"
                                                    "sbb %[p1], %[r5]\n\t"
                                                    "sbb $0, %[r6]\n\t"
                                                    "sbb %[p3], %[r7]\n\t"
                                                    "sbb $0, %%rdx\n\t"
                                                    "cmovnc %[r4], %[r0]\n\t"
                                                    "cmovnc %[r5], %[r1]\n\t"
                                                    "cmovnc %[r6], %[r2]\n\t"
                                                    "cmovnc %[r7], %[r3]\n\t"
            : [r0] "=&r"(r0), [r1] "=&r"(r1), [r2] "=&r"(r2), [r3] "=&r"(r3), [r4] "=&r"(r4), [r5] "=&r"(r5),
              [r6] "=&r"(r6), [r7] "=&r"(r7), [w0] "=&r"(w0), [w1] "=&r"(w1), [w2] "=&r"(w2)
            : [a] "r"(a), [p1] "m"(p1), [p3] "m"(p3), "m"(*a)
            : "rdx", "cc");
    out->v[0] = r0;
    out->v[1] = r1;
    out->v[2] = r2;
    out->v[3] = r3;
}

/* The same as functions to call: inlined, they are half a kilobyte each. */

/** a * b / 2^256. in: below p; out: below p. */
LT_NOINLINE static void fe256adx_mul(fe256adx *out, const fe256adx *a, const fe256adx *b) {
    fe256adx_mul_here(out, a, b);
}

/** a^2 / 2^256. in: below p; out: below p. */
LT_NOINLINE static void fe256adx_square(fe256adx *out, const fe256adx *a) {
    fe256adx_square_here(out, a);
}

#endif
