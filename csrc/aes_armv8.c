/* AES key expansion with the AES instructions of ARMv8. */
#include "aes.h"
#include "armv8.h"

#if LT_ARM64
/* With four equal columns ShiftRows changes nothing, so AESE with a key of zeros is SubBytes. */
LT_ARM_AES static uint32_t sub_word(uint32_t x) {
    uint8x16_t columns = vreinterpretq_u8_u32(vdupq_n_u32(x));

    return vgetq_lane_u32(vreinterpretq_u32_u8(lt_aese(columns, vdupq_n_u8(0))), 0);
}

/* see aes.h */
uint32_t lt_aes_armv8_expand(uint8_t *round_keys, const uint8_t *key, size_t key_len) {
    return lt_aes_expand(round_keys, key, key_len, sub_word);
}
#endif
