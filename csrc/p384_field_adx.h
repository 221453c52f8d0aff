/*
 * Arithmetic modulo p, see p384_field.h, with MULX, ADCX and ADOX, whose two carry chains compilers do not make from C.
 * The functions need LT_CPU_BMI2_ADX. Values are those of p384_field64.h, which is the same in C, and what this is
 * tested against.
 */
#ifndef LT_P384_FIELD_ADX_H
#define LT_P384_FIELD_ADX_H

#include "p384_field.h"

/* The product's limb i, and r1 to r6, become r0 to r5 + a * b[i] and r6, which is 0 before. */
#define FE384ADX_ROW(i, r0, r1, r2, r3, r4, r5, r6)                                                                    \
    "mov 8*" #i "(%[b]), %%rdx\n\t"                                                                                    \
    "xor %k[" #r6 "], %k[" #r6 "]\n\t"                                                                                 \
    "mulx (%[a]), %[low], %[high]\n\t"                                                                                 \
    "adcx %[low], %[" #r0 "]\n\t"                                                                                      \
    "adox %[high], %[" #r1 "]\n\t"                                                                                     \
    "mov %[" #r0 "], 8*" #i "(%[t])\n\t"                                                                               \
    "mulx 8(%[a]), %[low], %[high]\n\t"                                                                                \
    "adcx %[low], %[" #r1 "]\n\t"                                                                                      \
    "adox %[high], %[" #r2 "]\n\t"                                                                                     \
    "mulx 16(%[a]), %[low], %[high]\n\t"                                                                               \
    "adcx %[low], %[" #r2 "]\n\t"                                                                                      \
    "adox %[high], %[" #r3 "]\n\t"                                                                                     \
    "mulx 24(%[a]), %[low], %[high]\n\t"                                                                               \
    "adcx %[low], %[" #r3 "]\n\t"                                                                                      \
    "adox %[high], %[" #r4 "]\n\t"                                                                                     \
    "mulx 32(%[a]), %[low], %[high]\n\t"                                                                               \
    "adcx %[low], %[" #r4 "]\n\t"                                                                                      \
    "adox %[high], %[" #r5 "]\n\t"                                                                                     \
    "mulx 40(%[a]), %[low], %[high]\n\t"                                                                               \
    "adcx %[low], %[" #r5 "]\n\t"                                                                                      \
    "adox %[high], %[" #r6 "]\n\t"                                                                                     \
    "adc $0, %[" #r6 "]\n\t"

/** a * b, exactly, row by row. in: limbs < 2^64; out: limbs < 2^64. */
LT_INLINE void fe384adx_product(uint64_t product[12], const fe384 *a, const fe384 *b) {
    uint64_t s0, s1, s2, s3, s4, s5, s6, low, high;

    __asm__("mov (%[b]), %%rdx\n\t"
            "mulx (%[a]), %[low], %[s1]\n\t"
            "mov %[low], (%[t])\n\t"
            "mulx 8(%[a]), %[low], %[s2]\n\t"
            "add %[low], %[s1]\n\t"
            "mulx 16(%[a]), %[low], %[s3]\n\t"
            "adc %[low], %[s2]\n\t"
            "mulx 24(%[a]), %[low], %[s4]\n\t"
            "adc %[low], %[s3]\n\t"
            "mulx 32(%[a]), %[low], %[s5]\n\t"
            "adc %[low], %[s4]\n\t"
            "mulx 40(%[a]), %[low], %[s6]\n\t"
            "adc %[low], %[s5]\n\t"
            "adc $0, %[s6]\n\t"
            /* the registers take turns */
            FE384ADX_ROW(1, s1, s2, s3, s4, s5, s6, s0) FE384ADX_ROW(2, s2, s3, s4, s5, s6, s0, s1)
                FE384ADX_ROW(3, s3, s4, s5, s6, s0, s1, s2) FE384ADX_ROW(4, s4, s5, s6, s0, s1, s2, s3)
                    FE384ADX_ROW(5, s5, s6, s0, s1, s2, s3, s4) "mov %[s6], 48(%[t])\n\t"
                                                                "mov %[s0], 56(%[t])\n\t"
                                                                "mov %[s1], 64(%[t])\n\t"
                                                                "mov %[s2], 72(%[t])\n\t"
                                                                "mov %[s3], 80(%[t])\n\t"
                                                                "mov %[s4], 88(%[t])\n\t"
            : [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2), [s3] "=&r"(s3), [s4] "=&r"(s4), [s5] "=&r"(s5),
              [s6] "=&r"(s6), [low] "=&r"(low), [high] "=&r"(high), "=m"(*(uint64_t (*)[12])product)
            : [t] "r"(product), [a] "r"(a), [b] "r"(b), "m"(*a), "m"(*b)
            : "rdx", "cc");
}

/* lo and hi += (the limb in rdx) * a[j], in two chains. */
#define FE384ADX_CROSS(j, lo, hi)                                                                                      \
    "mulx 8*" #j "(%[a]), %[low], %[high]\n\t"                                                                         \
    "adcx %[low], %[" #lo "]\n\t"                                                                                      \
    "adox %[high], %[" #hi "]\n\t"

/* Limbs 2i and 2i + 1 of the product: twice what is there (carry) and a[i]^2 (overflow). */
#define FE384ADX_DIAGONAL(i, at)                                                                                       \
    "mov 8*" #i "(%[a]), %%rdx\n\t"                                                                                    \
    "mulx %%rdx, %[low], %[high]\n\t"                                                                                  \
    "mov " #at "(%[t]), %[s0]\n\t"                                                                                     \
    "adcx %[s0], %[s0]\n\t"                                                                                            \
    "adox %[low], %[s0]\n\t"                                                                                           \
    "mov %[s0], " #at "(%[t])\n\t"                                                                                     \
    "mov 8+" #at "(%[t]), %[s1]\n\t"                                                                                   \
    "adcx %[s1], %[s1]\n\t"                                                                                            \
    "adox %[high], %[s1]\n\t"                                                                                          \
    "mov %[s1], 8+" #at "(%[t])\n\t"

/** a^2, exactly: the products of different limbs, doubled, and the squares. in: limbs < 2^64; out: limbs < 2^64. */
LT_INLINE void fe384adx_square_product(uint64_t product[12], const fe384 *a) {
    uint64_t s0, s1, s2, s3, s4, s5, low, high;

    __asm__(
        "mov (%[a]), %%rdx\n\t" /* a[0] a[1..5]: limbs 1 to 6 in s0 to s5 */
        "mulx 8(%[a]), %[s0], %[s1]\n\t"
        "mulx 16(%[a]), %[low], %[s2]\n\t"
        "add %[low], %[s1]\n\t"
        "mulx 24(%[a]), %[low], %[s3]\n\t"
        "adc %[low], %[s2]\n\t"
        "mulx 32(%[a]), %[low], %[s4]\n\t"
        "adc %[low], %[s3]\n\t"
        "mulx 40(%[a]), %[low], %[s5]\n\t"
        "adc %[low], %[s4]\n\t"
        "adc $0, %[s5]\n\t"
        "mov %[s0], 8(%[t])\n\t"
        "mov %[s1], 16(%[t])\n\t"
        "mov 8(%[a]), %%rdx\n\t" /* a[1] a[2..5]: limbs 3 to 7 in s2 to s5, s0 */
        "xor %k[s0], %k[s0]\n\t" FE384ADX_CROSS(2, s2, s3) FE384ADX_CROSS(3, s3, s4) FE384ADX_CROSS(4, s4, s5)
            FE384ADX_CROSS(
                5, s5, s0) "adc $0, %[s0]\n\t"
                           "mov %[s2], 24(%[t])\n\t"
                           "mov %[s3], 32(%[t])\n\t"
                           "mov 16(%[a]), %%rdx\n\t" /* a[2] a[3..5]: limbs 5 to 8 in s4, s5, s0, s1 */
                           "xor %k[s1], %k[s1]\n\t" FE384ADX_CROSS(3, s4, s5) FE384ADX_CROSS(4, s5, s0) FE384ADX_CROSS(
                               5, s0, s1) "adc $0, %[s1]\n\t"
                                          "mov %[s4], 40(%[t])\n\t"
                                          "mov %[s5], 48(%[t])\n\t"
                                          "mov 24(%[a]), %%rdx\n\t" /* a[3] a[4..5]: limbs 7 to 9 in s0, s1, s2 */
                                          "xor %k[s2], %k[s2]\n\t" FE384ADX_CROSS(4, s0, s1) FE384ADX_CROSS(
                                              5, s1,
                                              s2) "adc $0, %[s2]\n\t"
                                                  "mov %[s0], 56(%[t])\n\t"
                                                  "mov %[s1], 64(%[t])\n\t"
                                                  "mov 32(%[a]), %%rdx\n\t" /* a[4] a[5]: limbs 9 and 10 in s2, s3 */
                                                  "mulx 40(%[a]), %[low], %[s3]\n\t"
                                                  "add %[low], %[s2]\n\t"
                                                  "adc $0, %[s3]\n\t"
                                                  "mov %[s2], 72(%[t])\n\t"
                                                  "mov %[s3], 80(%[t])\n\t"
                                                  "xor %k[s0], %k[s0]\n\t"
                                                  "mov %[s0], (%[t])\n\t"
                                                  "mov %[s0], 88(%[t])\n\t" FE384ADX_DIAGONAL(0, 0)
                                                      FE384ADX_DIAGONAL(1, 16) FE384ADX_DIAGONAL(2, 32)
                                                          FE384ADX_DIAGONAL(3, 48) FE384ADX_DIAGONAL(4, 64)
                                                              FE384ADX_DIAGONAL(5, 80)
        : [s0] "=&r"(s0), [s1] "=&r"(s1), [s2] "=&r"(s2), [s3] "=&r"(s3), [s4] "=&r"(s4), [s5] "=&r"(s5),
          [low] "=&r"(low), [high] "=&r"(high), "=m"(*(uint64_t (*)[12])product)
        : [t] "r"(product), [a] "r"(a), "m"(*a)
        : "rdx", "cc");
}

/* s0 to s5 += p where `mask` is all ones, 0 where it is 0, modulo 2^384. t and u are scratch. */
#define FE384ADX_ADD_P                                                                                                 \
    "mov %k[mask], %k[t]\n\t"                                                                                          \
    "mov %[mask], %[u]\n\t"                                                                                            \
    "shl $32, %[u]\n\t"                                                                                                \
    "add %[t], %[s0]\n\t"                                                                                              \
    "lea (%[mask], %[mask]), %[t]\n\t"                                                                                 \
    "adc %[u], %[s1]\n\t"                                                                                              \
    "adc %[t], %[s2]\n\t"                                                                                              \
    "adc %[mask], %[s3]\n\t"                                                                                           \
    "adc %[mask], %[s4]\n\t"                                                                                           \
    "adc %[mask], %[s5]\n\t"

#define FE384ADX_LIMBS [s0] "+&r"(s0), [s1] "+&r"(s1), [s2] "+&r"(s2), [s3] "+&r"(s3), [s4] "+&r"(s4), [s5] "+&r"(s5)

#define FE384ADX_STORE(out)                                                                                            \
    do {                                                                                                               \
        (out)->v[0] = s0;                                                                                              \
        (out)->v[1] = s1;                                                                                              \
        (out)->v[2] = s2;                                                                                              \
        (out)->v[3] = s3;                                                                                              \
        (out)->v[4] = s4;                                                                                              \
        (out)->v[5] = s5;                                                                                              \
    } while (0)

/** a + b: less p first, which comes back if that is below 0. in: below p; out: below p. */
static inline void fe384adx_add(fe384 *out, const fe384 *a, const fe384 *b) {
    uint64_t s0 = a->v[0], s1 = a->v[1], s2 = a->v[2], s3 = a->v[3], s4 = a->v[4], s5 = a->v[5], mask, t, u;

    __asm__("xor %k[mask], %k[mask]\n\t"
            "add (%[b]), %[s0]\n\t"
            "adc 8(%[b]), %[s1]\n\t"
            "adc 16(%[b]), %[s2]\n\t"
            "adc 24(%[b]), %[s3]\n\t"
            "adc 32(%[b]), %[s4]\n\t"
            "adc 40(%[b]), %[s5]\n\t"
            "adc $0, %[mask]\n\t"
            "mov $-1, %k[t]\n\t" /* p[0]; p[1] is its complement */
            "sub %[t], %[s0]\n\t"
            "not %[t]\n\t"
            "sbb %[t], %[s1]\n\t"
            "sbb $-2, %[s2]\n\t"
            "sbb $-1, %[s3]\n\t"
            "sbb $-1, %[s4]\n\t"
            "sbb $-1, %[s5]\n\t"
            "sbb $0, %[mask]\n\t" FE384ADX_ADD_P
            : FE384ADX_LIMBS, [mask] "=&r"(mask), [t] "=&r"(t), [u] "=&r"(u)
            : [b] "r"(b), "m"(*b)
            : "cc");
    FE384ADX_STORE(out);
}

/** a - b, and p more if that is below 0. in: below p; out: below p. */
static inline void fe384adx_sub(fe384 *out, const fe384 *a, const fe384 *b) {
    uint64_t s0 = a->v[0], s1 = a->v[1], s2 = a->v[2], s3 = a->v[3], s4 = a->v[4], s5 = a->v[5], mask, t, u;

    __asm__("sub (%[b]), %[s0]\n\t"
            "sbb 8(%[b]), %[s1]\n\t"
            "sbb 16(%[b]), %[s2]\n\t"
            "sbb 24(%[b]), %[s3]\n\t"
            "sbb 32(%[b]), %[s4]\n\t"
            "sbb 40(%[b]), %[s5]\n\t"
            "sbb %[mask], %[mask]\n\t" FE384ADX_ADD_P
            : FE384ADX_LIMBS, [mask] "=&r"(mask), [t] "=&r"(t), [u] "=&r"(u)
            : [b] "r"(b), "m"(*b)
            : "cc");
    FE384ADX_STORE(out);
}

/** product / 2^384, as fe384_reduce. in: limbs < 2^64, product < p^2; out: below p. Writes over `product`. */
LT_INLINE void fe384adx_reduce(fe384 *out, uint64_t product[12]) {
    uint64_t rest[3], s0, s1, s2, s3, s4, s5, mask, t, u;

    fe384_quotient(product, rest, product);
    s0 = product[0];
    s1 = product[1];
    s2 = product[2];
    s3 = product[3];
    s4 = product[4];
    s5 = product[5];
    __asm__("xor %k[t], %k[t]\n\t"
            "mov $-1, %[mask]\n\t"
            "adcx 48(%[high]), %[s0]\n\t"
            "adox (%[rest]), %[s0]\n\t"
            "adcx 56(%[high]), %[s1]\n\t"
            "adox 8(%[rest]), %[s1]\n\t"
            "adcx 64(%[high]), %[s2]\n\t"
            "adox 16(%[rest]), %[s2]\n\t"
            "adcx 72(%[high]), %[s3]\n\t"
            "adox %[t], %[s3]\n\t"
            "adcx 80(%[high]), %[s4]\n\t"
            "adox %[t], %[s4]\n\t"
            "adcx 88(%[high]), %[s5]\n\t"
            "adox %[t], %[s5]\n\t"
            "adcx %[t], %[mask]\n\t"
            "adox %[t], %[mask]\n\t" /* 0 if either chain had a carry at its end */
            FE384ADX_ADD_P
            : FE384ADX_LIMBS, [mask] "=&r"(mask), [t] "=&r"(t), [u] "=&r"(u)
            : [high] "r"(product), [rest] "r"(rest), "m"(*(const uint64_t (*)[12])product),
              "m"(*(const uint64_t (*)[3])rest)
            : "cc");
    FE384ADX_STORE(out);
}

/** a * b / 2^384. in: below p; out: below p. */
LT_NOINLINE static void fe384adx_mul(fe384 *out, const fe384 *a, const fe384 *b) {
    uint64_t product[12];

    fe384adx_product(product, a, b);
    fe384adx_reduce(out, product);
}

/** a^2 / 2^384. in: below p; out: below p. */
LT_NOINLINE static void fe384adx_square(fe384 *out, const fe384 *a) {
    uint64_t product[12];

    fe384adx_square_product(product, a);
    fe384adx_reduce(out, product);
}

#endif
