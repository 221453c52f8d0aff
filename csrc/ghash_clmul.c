/* The table of powers of H for PCLMULQDQ. */
#include "ghash_clmul.h"

#if LT_X86_64
/* x times the 16 bytes at `in`; the coefficient of x^127 leaves at the top of the reversed value. */
LT_CLMUL static __m128i times_x(__m128i value) {
    uint8_t bytes[16];
    uint64_t low;
    uint64_t high;
    uint64_t carry;

    lt_store128(bytes, value);
    low = lt_load64_le(bytes);
    high = lt_load64_le(bytes + 8);
    carry = 0 - (high >> 63);
    high = (high << 1 | low >> 63) ^ (carry & 0xc200000000000000u);
    low = low << 1 ^ (carry & 1);
    lt_wipe(bytes, sizeof bytes);
    return _mm_set_epi64x((long long)high, (long long)low);
}

/* see ghash_clmul.h */
LT_CLMUL void lt_ghash_clmul_powers(lt_gcm *gcm, const uint8_t *h) {
    __m128i power = times_x(lt_reverse128(lt_load128(h)));

    lt_store128(gcm->powers + 16 * 15, power);
    for (size_t exponent = 2; exponent <= 16; exponent++) {
        power = lt_ghash_times(gcm, 1, power);
        lt_store128(gcm->powers + 16 * (16 - exponent), power);
    }
}
#endif
