/* ECDSA verification on P-384 with MULX, ADCX and ADOX. */
#include "vartime.h"

#if LT_P384_ADX
#include "p384_curve_vartime.h"
#include "p384_field_adx.h"

#define fe_add    fe384adx_add
#define fe_sub    fe384adx_sub
#define fe_mul    fe384adx_mul
#define fe_square fe384adx_square

#include "ecdsa_vartime.h"

/* see vartime.h */
int lt_ecdsa_p384_adx_vartime(lt_der key, lt_der signature, const uint8_t *digest, size_t digest_len) {
    return verify(key, signature, digest, digest_len);
}
#endif
