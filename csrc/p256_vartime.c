/* ECDSA verification on P-256 (secp256r1, SP 800-186 section 3.2.1.3). */
#include "p256_field.h"
#include "p256_odd_table_vartime.h"

#define FIELD_BITS    256
#define WORDS         4
#define G_WIDTH       7
#define fe            fe256
#define fe_add        fe256_add
#define fe_sub        fe256_sub
#define fe_mul        fe256_mul
#define fe_square     fe256_square
#define fe_fold       fe256_fold
#define fe_from_words fe256_from_words
#define fe_to_words   fe256_to_words
#define fe_one        fe256_one
#define fe_b          fe256_b
#define fe_rr         fe256_rr
#define odd_multiples p256_odd_multiples

static const uint64_t field_p[WORDS] = {UINT64_C(0xffffffffffffffff), UINT64_C(0x00000000ffffffff), 0,
                                        UINT64_C(0xffffffff00000001)};
static const uint64_t order[WORDS] = {UINT64_C(0xf3b9cac2fc632551), UINT64_C(0xbce6faada7179e84),
                                      UINT64_C(0xffffffffffffffff), UINT64_C(0xffffffff00000000)};

#include "ecdsa_vartime.h"

/* see vartime.h */
int lt_ecdsa_p256_vartime(lt_der key, lt_der signature, const uint8_t *digest, size_t digest_len) {
    return verify(key, signature, digest, digest_len);
}
