/*
 * Multiples of G for the signed comb of p384_multiply.h. Entry [u][m] is the sum of +-2^(64 i + 16 u) times G for i
 * from 0 to 5, plus where bit i of m + 32 is set: x and y, each below p and times 2^384.
 */
#ifndef LT_P384_TABLE_H
#define LT_P384_TABLE_H

#include "inner.h"

/* A block is 3 KiB. Small processors have the first alone and double more often. */
#if LT_LIMB64
#define P384_TABLE_BLOCKS 4
#else
#define P384_TABLE_BLOCKS 1
#endif

extern const uint64_t lt_p384_table[P384_TABLE_BLOCKS][32][12];

#endif
