/* ECDSA verification on P-384 in portable C, and the choice between that and p384_adx_vartime.c. */
#include "p384_curve_vartime.h"

#define fe_add    fe384_add
#define fe_sub    fe384_sub
#define fe_mul    fe384_mul
#define fe_square fe384_square

#include "ecdsa_vartime.h"

/* see vartime.h */
int lt_ecdsa_p384_vartime(lt_der key, lt_der signature, const uint8_t *digest, size_t digest_len) {
#if LT_P384_ADX
    if (lt_cpu_has(LT_CPU_BMI2_ADX)) {
        return lt_ecdsa_p384_adx_vartime(key, signature, digest, digest_len);
    }
#endif
    return verify(key, signature, digest, digest_len);
}
