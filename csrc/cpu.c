/*
 * Which optional instructions this machine has. Own cpuid: compilers' helpers differ in what they look at. On AArch64
 * Linux tells, every Mac has them all, and for other systems and bare metal it is what the compiler was told to use.
 */
#include "inner.h"

#if LT_X86_64
#if defined(_MSC_VER)
#include <immintrin.h>
#include <intrin.h>
#else
#include <cpuid.h>
#endif

/* eax, ebx, ecx, edx of one leaf; zeros if the processor does not know it. */
static void cpuid(uint32_t leaf, uint32_t *registers) {
#if defined(_MSC_VER)
    int values[4];

    __cpuid(values, 0);
    if ((uint32_t)values[0] < leaf) {
        registers[0] = registers[1] = registers[2] = registers[3] = 0;
        return;
    }
    __cpuidex(values, (int)leaf, 0);
    for (int i = 0; i < 4; i++) {
        registers[i] = (uint32_t)values[i];
    }
#else
    if (!__get_cpuid_count(leaf, 0, &registers[0], &registers[1], &registers[2], &registers[3])) {
        registers[0] = registers[1] = registers[2] = registers[3] = 0;
    }
#endif
}

/* Which register states the system saves: XCR0. Only after cpuid said OSXSAVE. */
static uint32_t xgetbv(void) {
#if defined(_MSC_VER)
    return (uint32_t)_xgetbv(0);
#else
    uint32_t low;
    uint32_t high;

    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
#endif
}

static int all(uint32_t bits, uint32_t wanted) {
    return (bits & wanted) == wanted;
}

static uint32_t detect(void) {
    enum { EBX = 1, ECX = 2 };
    uint32_t one[4];
    uint32_t seven[4];
    uint32_t features = 0;
    uint32_t saved;
    int avx;

    cpuid(1, one);
    cpuid(7, seven);
    /* OSXSAVE and AVX in the processor, XMM (1) and YMM (2) states saved by the system. */
    saved = all(one[ECX], 1u << 27) ? xgetbv() : 0;
    avx = all(one[ECX], 1u << 28) && all(saved, 1u << 1 | 1u << 2);
    if (all(one[ECX], 1u << 25)) {
        features |= LT_CPU_AESNI;
    }
    if (all(one[ECX], 1u << 1 | 1u << 9)) {
        features |= LT_CPU_CLMUL;
    }
    if (all(one[ECX], 1u << 9 | 1u << 19) && all(seven[EBX], 1u << 29)) {
        features |= LT_CPU_SHANI;
    }
    if (avx && all(seven[EBX], 1u << 5)) {
        features |= LT_CPU_AVX2;
        if (all(seven[ECX], 1u << 9 | 1u << 10)) {
            features |= LT_CPU_VAES;
        }
        /* F, DQ, BW, VL; the system saves mask registers, the upper halves of ZMM0 to 15, and ZMM16 to 31. */
        if (all(seven[EBX], 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31) && all(saved, 7u << 5)) {
            features |= LT_CPU_AVX512;
            if (all(seven[EBX], 1u << 21)) {
                features |= LT_CPU_IFMA;
            }
        }
    }
    if (all(seven[EBX], 1u << 8 | 1u << 19)) {
        features |= LT_CPU_BMI2_ADX;
    }
    return features;
}
#elif LT_ARM64
#if defined(__linux__) && __STDC_HOSTED__
#include <sys/auxv.h>

/* Bits of AT_HWCAP: arch/arm64/include/uapi/asm/hwcap.h of Linux. */
#define AES_AND_PMULL (1u << 3 | 1u << 4)
#define SHA2          (1u << 6)

static uint32_t detect(void) {
    unsigned long has = getauxval(AT_HWCAP);
    uint32_t features = LT_CPU_NEON;

    if ((has & AES_AND_PMULL) == AES_AND_PMULL) {
        features |= LT_CPU_ARM_AES;
    }
    if ((has & SHA2) != 0) {
        features |= LT_CPU_ARM_SHA2;
    }
    return features;
}
#else
static uint32_t detect(void) {
    uint32_t features = LT_CPU_NEON;

#if defined(__ARM_FEATURE_CRYPTO) || defined(__ARM_FEATURE_AES) || defined(__APPLE__)
    features |= LT_CPU_ARM_AES;
#endif
#if defined(__ARM_FEATURE_CRYPTO) || defined(__ARM_FEATURE_SHA2) || defined(__APPLE__)
    features |= LT_CPU_ARM_SHA2;
#endif
    return features;
}
#endif
#else
static uint32_t detect(void) {
    return 0;
}
#endif

#define KNOWN 0x80000000u

/*
 * Threads that meet here at first use write the same value, and a 32-bit store is whole on every
 * machine we know; so no lock. volatile: written by one thread, read by others.
 */
static volatile uint32_t found;
static volatile uint32_t allowed = ~KNOWN;

/* see lighttls.h */
uint32_t lt_cpu_features(void) {
    uint32_t known = found;

    if (known == 0) {
        known = KNOWN | detect();
        found = known;
    }
    return known & allowed;
}

/* see lighttls.h */
void lt_cpu_restrict(uint32_t mask) {
    allowed = mask & ~KNOWN;
}
