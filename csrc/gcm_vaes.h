/* The bulk of long AES-GCM messages with VAES and VPCLMULQDQ; gcm_ni.c does their beginnings and ends. */
#ifndef LT_GCM_VAES_H
#define LT_GCM_VAES_H

#include "ghash_clmul.h"

#if LT_X86_64
#define LT_VAES_CHUNK 256

/*
 * Needs LT_CPU_VAES. len: a positive multiple of LT_VAES_CHUNK. counter and y are those of gcm_ni.c (reversed blocks)
 * and move on; counter is 16 n + 2. The hash is over `text`: `out` when sealing, else `in`.
 */
void lt_gcm_vaes_chunks(const lt_gcm *gcm, __m128i *counter, __m128i *y, uint8_t *out, const uint8_t *in,
                        const uint8_t *text, size_t len);
#endif

#endif
