/* The curve P-384 (secp384r1, SP 800-186 section 3.2.1.4) for ecdsa_vartime.h, whatever its field's arithmetic is. */
#ifndef LT_P384_CURVE_VARTIME_H
#define LT_P384_CURVE_VARTIME_H

#include "p384_field.h"

#define P384_R_BITS 384
#include "p384_odd_table_vartime.h"

#define FIELD_BITS    384
#define WORDS         6
#define G_WIDTH       7
#define odd_multiples p384_odd_multiples
#define field_p       fe384_p
#define fe            fe384
#define fe_fold       fe384_fold
#define fe_from_words fe384_from_words
#define fe_to_words   fe384_to_words
#define fe_one        fe384_one
#define fe_b          fe384_b
#define fe_rr         fe384_rr

static const uint64_t order[WORDS] = {UINT64_C(0xecec196accc52973), UINT64_C(0x581a0db248b0a77a),
                                      UINT64_C(0xc7634d81f4372ddf), UINT64_C(0xffffffffffffffff),
                                      UINT64_C(0xffffffffffffffff), UINT64_C(0xffffffffffffffff)};

#endif
