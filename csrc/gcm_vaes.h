/* The bulk of long AES-GCM messages with VAES and VPCLMULQDQ; gcm_ni.c does their beginnings and ends. */
#ifndef LT_GCM_VAES_H
#define LT_GCM_VAES_H

#include "ghash_clmul.h"

#if LT_X86_64
#define LT_VAES_CHUNK 256

/*
 * Needs LT_CPU_VAES. len: a positive multiple of LT_VAES_CHUNK. counter and y are those of gcm_ni.c (reversed
 * blocks) and move on. Sealing hashes what it wrote, opening what it read.
 */
void lt_gcm_vaes_seal(const lt_gcm *gcm, __m128i *counter, __m128i *y, uint8_t *out, const uint8_t *in, size_t len);
void lt_gcm_vaes_open(const lt_gcm *gcm, __m128i *counter, __m128i *y, uint8_t *out, const uint8_t *in, size_t len);
#endif

#endif
