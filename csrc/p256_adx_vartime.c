/* ECDSA verification on P-256 with MULX, ADCX and ADOX. */
#include "vartime.h"

#if LT_P256_ADX
#include "p256_field_adx.h"

#define P256_R_BITS 256
#include "p256_curve_vartime.h"

#define fe            fe256adx
#define fe_add        fe256adx_add
#define fe_sub        fe256adx_sub
#define fe_mul        fe256adx_mul
#define fe_square     fe256adx_square
#define fe_fold       fe256adx_fold
#define fe_from_words fe256adx_from_words
#define fe_to_words   fe256adx_to_words
#define fe_one        fe256adx_one
#define fe_b          fe256adx_b
#define fe_rr         fe256adx_rr

#define fe_mul_here    fe256adx_mul_here
#define fe_square_here fe256adx_square_here

#include "ecdsa_vartime.h"

/* see vartime.h */
int lt_ecdsa_p256_adx_vartime(lt_der key, lt_der signature, const uint8_t *digest, size_t digest_len) {
    return verify(key, signature, digest, digest_len);
}
#endif
