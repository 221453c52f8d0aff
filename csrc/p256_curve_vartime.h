/* The curve P-256 (secp256r1, SP 800-186 section 3.2.1.3) for ecdsa_vartime.h, whatever its field's arithmetic is. */
#ifndef LT_P256_CURVE_VARTIME_H
#define LT_P256_CURVE_VARTIME_H

#include "p256_odd_table_vartime.h"

#define FIELD_BITS    256
#define WORDS         4
#define G_WIDTH       7
#define odd_multiples p256_odd_multiples

static const uint64_t field_p[WORDS] = {UINT64_C(0xffffffffffffffff), UINT64_C(0x00000000ffffffff), 0,
                                        UINT64_C(0xffffffff00000001)};
static const uint64_t order[WORDS] = {UINT64_C(0xf3b9cac2fc632551), UINT64_C(0xbce6faada7179e84),
                                      UINT64_C(0xffffffffffffffff), UINT64_C(0xffffffff00000000)};

#endif
