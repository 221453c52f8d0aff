/* Four field elements at a time with AVX-512 IFMA, one in each lane of 64 bits: what does not depend on the field. */
#ifndef LT_LANES_IFMA_H
#define LT_LANES_IFMA_H

#include <immintrin.h>

#include "inner.h"

#define LT_IFMA LT_TARGET("avx2,avx512f,avx512vl,avx512ifma")

typedef __m256i lanes;

LT_IFMA LT_INLINE lanes lanes_of(uint64_t every) {
    return _mm256_set1_epi64x((long long)every);
}

/* As lt_ct_hide. Not even that all lanes are the same is known of the result: to compare with it gives no single bit
 * that a compiler might branch on. */
LT_IFMA LT_INLINE lanes lanes_hide(lanes a) {
    __asm__("" : "+v"(a));
    return a;
}

/* Below, fe4 is what the field calls four elements: five limbs of each, l0 to l4. */

/* Lane i of the result is lane i of b if bit i of `which` is set, else of a. */
#define FE4_BLEND(a, b, which)                                                                                         \
    ((fe4){_mm256_mask_mov_epi64((a).l0, (which), (b).l0), _mm256_mask_mov_epi64((a).l1, (which), (b).l1),             \
           _mm256_mask_mov_epi64((a).l2, (which), (b).l2), _mm256_mask_mov_epi64((a).l3, (which), (b).l3),             \
           _mm256_mask_mov_epi64((a).l4, (which), (b).l4)})

/* Lane i of the result is lane i of a + b, or of a - b, if bit i of `which` is set, else of `other`. */
#define FE4_ADD(other, which, a, b)                                                                                    \
    ((fe4){_mm256_mask_add_epi64((other).l0, (which), (a).l0, (b).l0),                                                 \
           _mm256_mask_add_epi64((other).l1, (which), (a).l1, (b).l1),                                                 \
           _mm256_mask_add_epi64((other).l2, (which), (a).l2, (b).l2),                                                 \
           _mm256_mask_add_epi64((other).l3, (which), (a).l3, (b).l3),                                                 \
           _mm256_mask_add_epi64((other).l4, (which), (a).l4, (b).l4)})
#define FE4_SUBTRACT(other, which, a, b)                                                                               \
    ((fe4){_mm256_mask_sub_epi64((other).l0, (which), (a).l0, (b).l0),                                                 \
           _mm256_mask_sub_epi64((other).l1, (which), (a).l1, (b).l1),                                                 \
           _mm256_mask_sub_epi64((other).l2, (which), (a).l2, (b).l2),                                                 \
           _mm256_mask_sub_epi64((other).l3, (which), (a).l3, (b).l3),                                                 \
           _mm256_mask_sub_epi64((other).l4, (which), (a).l4, (b).l4)})

/* Lane i of the result is lane i of a if bit i of `which` is set, else 0. */
#define FE4_ONLY(a, which)                                                                                             \
    ((fe4){_mm256_maskz_mov_epi64((which), (a).l0), _mm256_maskz_mov_epi64((which), (a).l1),                           \
           _mm256_maskz_mov_epi64((which), (a).l2), _mm256_maskz_mov_epi64((which), (a).l3),                           \
           _mm256_maskz_mov_epi64((which), (a).l4)})

/* Lane i of the result is lane (order >> 2 i) & 3 of a; of the second two, the lane of a that lane i of `order` says,
 * and of a b, where 4 to 7 are those of b. */
#define FE4_PERMUTE(a, order)                                                                                          \
    ((fe4){_mm256_permute4x64_epi64((a).l0, (order)), _mm256_permute4x64_epi64((a).l1, (order)),                       \
           _mm256_permute4x64_epi64((a).l2, (order)), _mm256_permute4x64_epi64((a).l3, (order)),                       \
           _mm256_permute4x64_epi64((a).l4, (order))})
#define FE4_PERMUTE_BY(order, a)                                                                                       \
    ((fe4){_mm256_permutexvar_epi64((order), (a).l0), _mm256_permutexvar_epi64((order), (a).l1),                       \
           _mm256_permutexvar_epi64((order), (a).l2), _mm256_permutexvar_epi64((order), (a).l3),                       \
           _mm256_permutexvar_epi64((order), (a).l4)})
#define FE4_PICK(a, order, b)                                                                                          \
    ((fe4){_mm256_permutex2var_epi64((a).l0, (order), (b).l0), _mm256_permutex2var_epi64((a).l1, (order), (b).l1),     \
           _mm256_permutex2var_epi64((a).l2, (order), (b).l2), _mm256_permutex2var_epi64((a).l3, (order), (b).l3),     \
           _mm256_permutex2var_epi64((a).l4, (order), (b).l4)})
#define FE4_LANES(i0, i1, i2, i3) ((i0) | (i1) << 2 | (i2) << 4 | (i3) << 6)

#endif
