/* AES encryption, FIPS 197: the implementations that the GCM and CCM files build on. */
#ifndef LT_AES_H
#define LT_AES_H

#include "inner.h"

/* Key expansion, FIPS 197 section 5.2, on little-endian words (RotWord turns right by 8), over either SubWord. */
LT_INLINE uint32_t lt_aes_expand(uint8_t *round_keys, const uint8_t *key, size_t key_len,
                                 uint32_t (*sub_word)(uint32_t)) {
    uint32_t nk = (uint32_t)(key_len / 4);
    uint32_t rounds = nk + 6;
    uint32_t rcon = 1;

    lt_copy(round_keys, key, key_len);
    for (uint32_t i = nk; i < 4 * (rounds + 1); i++) {
        uint32_t t = lt_load32_le(round_keys + 4 * (i - 1));

        if (i % nk == 0) {
            t = sub_word(lt_rotr32(t, 8)) ^ rcon;
            rcon = (rcon << 1) ^ (0x11b & (0 - (rcon >> 7)));
        } else if (nk == 8 && i % nk == 4) {
            t = sub_word(t);
        }
        lt_store32_le(round_keys + 4 * i, t ^ lt_load32_le(round_keys + 4 * (i - nk)));
    }
    return rounds;
}

/** Round keys as FIPS 197 section 5.2 orders them: rounds + 1 blocks; key_len 16 or 32. Returns the rounds. */
uint32_t lt_aes_portable_expand(uint8_t *round_keys, const uint8_t *key, size_t key_len);

/* Round keys in bit planes, each repeated for four blocks. Lives on the stack for one call; wipe it. */
typedef struct {
    uint64_t planes[15][8];
    uint32_t rounds;
} lt_aes_planes;

void lt_aes_portable_slice(lt_aes_planes *planes, const uint8_t *round_keys, uint32_t rounds);

/** Encrypt four blocks (64 bytes); out may be in. */
void lt_aes_portable_encrypt4(const lt_aes_planes *planes, uint8_t *out, const uint8_t *in);

#if LT_X86_64
/** The same as the portable one, with AES-NI. */
uint32_t lt_aes_ni_expand(uint8_t *round_keys, const uint8_t *key, size_t key_len);

void lt_aes_ni_encrypt(const uint8_t *round_keys, uint32_t rounds, uint8_t *out, const uint8_t *in);
#endif

#if LT_ARM64
/** The same as the portable one, with LT_CPU_ARM_AES. */
uint32_t lt_aes_armv8_expand(uint8_t *round_keys, const uint8_t *key, size_t key_len);
#endif

#endif
