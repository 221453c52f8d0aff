/*
 * The cryptographic instructions of ARMv8 as functions on vectors of bytes or words.
 *
 * Written as assembly because clang before version 16 hides its intrinsics for them unless the command line
 * promises the instructions, whatever a function's target; and because many processors run AESE and AESMC as one
 * if they stand next to each other on one register, which no compiler then may undo.
 */
#ifndef LT_ARMV8_H
#define LT_ARMV8_H

#include "inner.h"

#if LT_ARM64
#include <arm_neon.h>

/* gcc wants a sign before what it adds; clang before version 16 wants none. */
#if defined(__clang__)
#define LT_ARM_AES  LT_TARGET("aes")
#define LT_ARM_SHA2 LT_TARGET("sha2")
#else
#define LT_ARM_AES  LT_TARGET("+crypto")
#define LT_ARM_SHA2 LT_TARGET("+crypto")
#endif

/** SubBytes(ShiftRows(x + key)): AddRoundKey comes first here. */
LT_ARM_AES LT_INLINE uint8x16_t lt_aese(uint8x16_t x, uint8x16_t key) {
    __asm__("aese %0.16b, %1.16b" : "+w"(x) : "w"(key));
    return x;
}

/** MixColumns(lt_aese(x, key)). */
LT_ARM_AES LT_INLINE uint8x16_t lt_aese_aesmc(uint8x16_t x, uint8x16_t key) {
    __asm__("aese %0.16b, %1.16b\n\taesmc %0.16b, %0.16b" : "+w"(x) : "w"(key));
    return x;
}

/** Carryless product of the lower halves. */
LT_ARM_AES LT_INLINE uint8x16_t lt_pmull(uint8x16_t a, uint8x16_t b) {
    uint8x16_t product;

    __asm__("pmull %0.1q, %1.1d, %2.1d" : "=w"(product) : "w"(a), "w"(b));
    return product;
}

/** Carryless product of the upper halves. */
LT_ARM_AES LT_INLINE uint8x16_t lt_pmull2(uint8x16_t a, uint8x16_t b) {
    uint8x16_t product;

    __asm__("pmull2 %0.1q, %1.2d, %2.2d" : "=w"(product) : "w"(a), "w"(b));
    return product;
}

/** Four rounds: the new A B C D. wk: words of the message schedule plus constants. */
LT_ARM_SHA2 LT_INLINE uint32x4_t lt_sha256h(uint32x4_t abcd, uint32x4_t efgh, uint32x4_t wk) {
    __asm__("sha256h %q0, %q1, %2.4s" : "+w"(abcd) : "w"(efgh), "w"(wk));
    return abcd;
}

/** The same four rounds: the new E F G H from the old A B C D. */
LT_ARM_SHA2 LT_INLINE uint32x4_t lt_sha256h2(uint32x4_t efgh, uint32x4_t abcd, uint32x4_t wk) {
    __asm__("sha256h2 %q0, %q1, %2.4s" : "+w"(efgh) : "w"(abcd), "w"(wk));
    return efgh;
}

/** First part of the message schedule: a + sigma0 of the words that begin one after a's first; b follows a. */
LT_ARM_SHA2 LT_INLINE uint32x4_t lt_sha256su0(uint32x4_t a, uint32x4_t b) {
    __asm__("sha256su0 %0.4s, %1.4s" : "+w"(a) : "w"(b));
    return a;
}

/** Second part: `first` is the former's result, c and d the last eight words. */
LT_ARM_SHA2 LT_INLINE uint32x4_t lt_sha256su1(uint32x4_t first, uint32x4_t c, uint32x4_t d) {
    __asm__("sha256su1 %0.4s, %1.4s, %2.4s" : "+w"(first) : "w"(c), "w"(d));
    return first;
}
#endif

#endif
