/* The blocks of AES-CCM with the AES instructions of ARMv8: the chain and a counter side by side. */
#include "armv8.h"
#include "ccm.h"

#if LT_ARM64
/* see ccm.h */
LT_ARM_AES void lt_ccm_armv8_blocks(const lt_aes_key *key, lt_ccm_state *s, uint8_t *out, const uint8_t *in,
                                    size_t blocks, int sealing) {
    const uint8x16_t last_key = vld1q_u8(key->round_keys + 16 * key->rounds);
    const uint8x16_t counter = vld1q_u8(s->counter);
    uint8x16_t mac = vld1q_u8(s->mac);
    uint8x16_t stream = vld1q_u8(s->stream);
    uint8x16_t round_key;

    for (; blocks > 0; blocks--, in += 16, out += 16) {
        uint8x16_t text = vld1q_u8(in);
        uint8x16_t mixed = veorq_u8(text, stream);

        vst1q_u8(out, mixed);
        mac = veorq_u8(mac, sealing ? text : mixed);
        stream = veorq_u8(counter, vreinterpretq_u8_u32(vsetq_lane_u32(lt_ccm_count(s), vdupq_n_u32(0), 3)));
        for (uint32_t round = 0; round < key->rounds - 1; round++) {
            round_key = vld1q_u8(key->round_keys + 16 * round);
            mac = lt_aese_aesmc(mac, round_key);
            stream = lt_aese_aesmc(stream, round_key);
        }
        round_key = vld1q_u8(key->round_keys + 16 * (key->rounds - 1));
        mac = veorq_u8(lt_aese(mac, round_key), last_key);
        stream = veorq_u8(lt_aese(stream, round_key), last_key);
    }
    vst1q_u8(s->mac, mac);
    vst1q_u8(s->stream, stream);
}
#endif
